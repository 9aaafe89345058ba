//! AvailableOSUpdates: list the updates of the system.

use crate::wire::message;

message! {
    /// List the updates of the system.
    ///
    /// Gone in 27.0; older tablets answer it.
    pub struct AvailableOSUpdates {}
}

message! {
    /// What the tablet answers.
    pub struct AvailableOSUpdatesAnswer {
        required {
            /// The updates.
            available_os_updates: Vec<AvailableUpdate> = "AvailableOSUpdates",
        }
    }
}

message! {
    /// An update.
    pub struct AvailableUpdate {
        expected {
            /// The update's key.
            product_key: String = "ProductKey",
            /// The name people read.
            human_readable_name: String = "HumanReadableName",
            /// Such as `iPad13,18`.
            product_name: String = "ProductName",
            /// The version.
            version: String = "Version",
            /// The build.
            build: String = "Build",
            /// In bytes.
            download_size: i64 = "DownloadSize",
            /// In bytes.
            install_size: i64 = "InstallSize",
            /// It is a rapid security response (16.2).
            is_security_response: bool = "IsSecurityResponse",
        }
        optional {
            /// It is critical.
            is_critical: bool = "IsCritical",
            /// It restarts the tablet.
            restart_required: bool = "RestartRequired",
            /// It can wait.
            allows_install_later: bool = "AllowsInstallLater",
            /// The build of a security response.
            supplemental_build_version: String = "SupplementalBuildVersion",
            /// The letter of a security response.
            supplemental_os_version_extra: String = "SupplementalOSVersionExtra",
        }
    }
}
