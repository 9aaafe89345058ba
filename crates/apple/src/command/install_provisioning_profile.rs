//! InstallProvisioningProfile: install a provisioning profile.

use crate::wire::message;

message! {
    /// Install a provisioning profile.
    ///
    /// For apps of our own.
    pub struct InstallProvisioningProfile {
        required {
            /// The provisioning profile.
            provisioning_profile: Vec<u8> = "ProvisioningProfile",
        }
    }
}
