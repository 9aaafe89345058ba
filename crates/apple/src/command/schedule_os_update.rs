//! ScheduleOSUpdate: update the system.

use crate::parts::ErrorLink;
use crate::wire::message;

message! {
    /// Update the system.
    ///
    /// Gone in 27.0; older tablets obey it.
    pub struct ScheduleOSUpdate {
        required {
            /// The updates wanted.
            updates: Vec<ScheduledUpdate> = "Updates",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ScheduleOSUpdateAnswer {
        required {
            /// What became of each.
            update_results: Vec<UpdateResult> = "UpdateResults",
        }
    }
}

message! {
    /// An update to install, named by its key or its version.
    pub struct ScheduledUpdate {
        required {
            /// `Default`, `DownloadOnly` or `InstallASAP`; in results also `Error`.
            install_action: String = "InstallAction",
        }
        optional {
            /// The update's key.
            product_key: String = "ProductKey",
            /// The version wanted (11.3).
            product_version: String = "ProductVersion",
        }
    }
}

message! {
    /// What became of an update.
    pub struct UpdateResult {
        expected {
            /// The update's key.
            product_key: String = "ProductKey",
            /// `Default`, `DownloadOnly` or `InstallASAP`; in results also `Error`.
            install_action: String = "InstallAction",
            /// How far it has come.
            status: String = "Status",
        }
        optional {
            /// Why it failed.
            error_chain: Vec<ErrorLink> = "ErrorChain",
        }
    }
}
