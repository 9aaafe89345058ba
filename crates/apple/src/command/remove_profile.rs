//! RemoveProfile: remove a configuration profile.

use crate::wire::message;

message! {
    /// Remove a configuration profile.
    ///
    /// The enrolment profile ends the management with it.
    pub struct RemoveProfile {
        required {
            /// The profile's `PayloadIdentifier`.
            identifier: String = "Identifier",
        }
    }
}
