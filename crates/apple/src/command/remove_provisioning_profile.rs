//! RemoveProvisioningProfile: remove a provisioning profile.

use crate::wire::message;

message! {
    /// Remove a provisioning profile.
    ///
    /// Apps that need it stop.
    pub struct RemoveProvisioningProfile {
        required {
            /// Its identifier.
            uuid: String = "UUID",
        }
    }
}
