//! InstallApplication: install or update an app.

use crate::parts::ApplicationAttributes;
use crate::wire::{Raw, message};

message! {
    /// Install or update an app.
    ///
    /// Named by exactly one of store number, bundle identifier and manifest.
    pub struct InstallApplication {
        optional {
            /// The number in the store.
            itunes_store_id: i64 = "iTunesStoreID",
            /// The bundle identifier.
            identifier: String = "Identifier",
            /// How it is paid for.
            options: InstallOptions = "Options",
            /// Where the manifest of an app from outside the store is; https.
            manifest_url: String = "ManifestURL",
            /// 1 removes the app with the management, 4 keeps its data out of backups, 5 both.
            management_flags: i64 = "ManagementFlags",
            /// The settings the app reads.
            configuration: Raw = "Configuration",
            /// What the app may and may not do.
            attributes: Box<ApplicationAttributes> = "Attributes",
            /// `Managed` takes over an app the user installed (9.0).
            change_management_state: String = "ChangeManagementState",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct InstallApplicationAnswer {
        optional {
            /// The bundle identifier.
            identifier: String = "Identifier",
            /// How far it has come, such as `Queued` or `Managed`.
            state: String = "State",
            /// Why it was not taken, such as `AppAlreadyInstalled`.
            rejection_reason: String = "RejectionReason",
        }
    }
}

message! {
    /// How an app is paid for.
    pub struct InstallOptions {
        optional {
            /// 0 is the old programme with codes, 1 is Apps and Books.
            purchase_method: i64 = "PurchaseMethod",
        }
    }
}
