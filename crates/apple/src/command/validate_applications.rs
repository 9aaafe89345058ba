//! ValidateApplications: have apps of our own validated.

use crate::wire::message;

message! {
    /// Have apps of our own validated.
    ///
    /// All of them, or those named.
    pub struct ValidateApplications {
        optional {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
        }
    }
}
