//! EnableLostMode: turn lost mode on.

use types::Secret;

use crate::wire::message;

message! {
    /// Turn lost mode on.
    ///
    /// A message or a telephone number is mandatory.
    pub struct EnableLostMode {
        optional {
            /// The message on the lock screen.
            message: String = "Message",
            /// The telephone number on the lock screen.
            phone_number: Secret<String> = "PhoneNumber",
            /// The text at the bottom of the lock screen.
            footnote: String = "Footnote",
        }
    }
}
