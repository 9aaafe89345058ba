//! InstallProfile: install or replace a configuration profile.

use types::Secret;

use crate::wire::message;

message! {
    /// Install or replace a configuration profile.
    ///
    /// One with the same identifier is replaced.
    pub struct InstallProfile {
        required {
            /// The profile, signed or not. Secret: profiles carry passwords and challenges.
            payload: Secret<Vec<u8>> = "Payload",
        }
    }
}
