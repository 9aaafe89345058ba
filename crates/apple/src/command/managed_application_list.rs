//! ManagedApplicationList: list the managed apps.

use std::collections::BTreeMap;

use types::Secret;

use crate::wire::message;

message! {
    /// List the managed apps.
    ///
    /// All of them, or those named.
    pub struct ManagedApplicationList {
        optional {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ManagedApplicationListAnswer {
        required {
            /// The managed apps, by bundle identifier.
            managed_application_list: BTreeMap<String, ManagedApplication> = "ManagedApplicationList",
        }
    }
}

message! {
    /// A managed app.
    pub struct ManagedApplication {
        expected {
            /// How far it has come.
            status: String = "Status",
            /// As given to InstallApplication.
            management_flags: i64 = "ManagementFlags",
            /// A code that was not needed and can be used again.
            unused_redemption_code: Secret<String> = "UnusedRedemptionCode",
            /// It has settings from us.
            has_configuration: bool = "HasConfiguration",
            /// It has something to tell us.
            has_feedback: bool = "HasFeedback",
            /// Whether it may run.
            is_validated: bool = "IsValidated",
            /// The version in the store.
            external_version_identifier: i64 = "ExternalVersionIdentifier",
        }
    }
}
