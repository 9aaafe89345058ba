//! InstalledApplicationList: list the apps.

use crate::wire::message;

message! {
    /// List the apps.
    ///
    /// Without `ManagedAppsOnly` the answer is personal data (C3.1.6).
    pub struct InstalledApplicationList {
        optional {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
            /// Leaves out what the user installed. We always ask for this (C3.1.6).
            managed_apps_only: bool = "ManagedAppsOnly",
            /// The keys wanted in the answer (14.0).
            items: Vec<String> = "Items",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct InstalledApplicationListAnswer {
        required {
            /// The apps.
            installed_application_list: Vec<InstalledApplication> = "InstalledApplicationList",
        }
    }
}

message! {
    /// An app.
    pub struct InstalledApplication {
        optional {
            /// The bundle identifier.
            identifier: String = "Identifier",
            /// The version in the store.
            external_version_identifier: i64 = "ExternalVersionIdentifier",
            /// Who distributed it, outside the store (17.4).
            distributor_identifier: String = "DistributorIdentifier",
            /// The version.
            version: String = "Version",
            /// The version as people read it.
            short_version: String = "ShortVersion",
            /// The name.
            name: String = "Name",
            /// In bytes.
            bundle_size: i64 = "BundleSize",
            /// The size of its data, in bytes.
            dynamic_size: i64 = "DynamicSize",
            /// Whether it may run.
            is_validated: bool = "IsValidated",
            /// It is being installed.
            installing: bool = "Installing",
            /// It comes from the store.
            app_store_vendable: bool = "AppStoreVendable",
            /// Licensed to the tablet, without an account.
            device_based_vpp: bool = "DeviceBasedVPP",
            /// It is a beta version.
            beta_app: bool = "BetaApp",
            /// Signed for a few tablets.
            ad_hoc_code_signed: bool = "AdHocCodeSigned",
            /// The store has a newer one.
            has_update_available: bool = "HasUpdateAvailable",
            /// The download failed.
            download_failed: bool = "DownloadFailed",
            /// The download waits.
            download_waiting: bool = "DownloadWaiting",
            /// The download is paused.
            download_paused: bool = "DownloadPaused",
            /// The download was cancelled.
            download_cancelled: bool = "DownloadCancelled",
            /// It is an app clip (16.0).
            is_app_clip: bool = "IsAppClip",
            /// What manages it, such as `Declarative Device Management` (17.2).
            source: String = "Source",
        }
    }
}
