//! DeclarativeManagement: start or wake the declarative protocol.

use types::Secret;

use crate::wire::message;

message! {
    /// Start or wake the declarative protocol.
    ///
    /// Carries the tokens, or none and the tablet asks for them.
    pub struct DeclarativeManagement {
        optional {
            /// The tokens as JSON; the tablet asks for them if absent.
            data: Secret<Vec<u8>> = "Data",
        }
    }
}
