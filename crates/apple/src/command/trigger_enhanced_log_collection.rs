//! TriggerEnhancedLogCollection: collect logs for Apple.

use types::Secret;

use crate::wire::message;

message! {
    /// Collect logs for Apple.
    ///
    /// With a token of theirs (27.0).
    pub struct TriggerEnhancedLogCollection {
        required {
            /// Apple's word that it may be collected.
            apple_care_token: Secret<String> = "AppleCareToken",
        }
    }
}
