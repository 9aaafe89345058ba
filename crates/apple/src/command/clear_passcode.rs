//! ClearPasscode: remove the passcode.

use types::Secret;

use crate::wire::message;

message! {
    /// Remove the passcode.
    ///
    /// The user is made to choose another where one is required.
    pub struct ClearPasscode {
        required {
            /// The key of the passcode.
            unlock_token: Secret<Vec<u8>> = "UnlockToken",
        }
    }
}
