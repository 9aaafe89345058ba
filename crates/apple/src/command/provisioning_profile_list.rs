//! ProvisioningProfileList: list the provisioning profiles.

use types::Instant;

use crate::wire::message;

message! {
    /// List the provisioning profiles.
    ///
    /// All of them, or ours.
    pub struct ProvisioningProfileList {
        optional {
            /// Leaves out what the user brought (13.0).
            managed_only: bool = "ManagedOnly",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ProvisioningProfileListAnswer {
        required {
            /// The provisioning profiles.
            provisioning_profile_list: Vec<InstalledProvisioningProfile> = "ProvisioningProfileList",
        }
    }
}

message! {
    /// A provisioning profile.
    pub struct InstalledProvisioningProfile {
        required {
            /// The name.
            name: String = "Name",
            /// Its identifier.
            uuid: String = "UUID",
        }
        optional {
            /// When it expires.
            expiry_date: Instant = "ExpiryDate",
        }
    }
}
