//! RequestUnlockToken: ask for the key of the passcode.

use types::Secret;

use crate::wire::message;

message! {
    /// Ask for the key of the passcode.
    ///
    /// Supervised tablets only.
    pub struct RequestUnlockToken {}
}

message! {
    /// What the tablet answers.
    pub struct RequestUnlockTokenAnswer {
        required {
            /// The key of the passcode.
            unlock_token: Secret<Vec<u8>> = "UnlockToken",
        }
    }
}
