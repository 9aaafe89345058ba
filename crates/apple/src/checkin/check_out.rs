//! CheckOut: the management profile was removed.

use types::Udid;

use crate::wire::message;

message! {
    /// Best effort, and only if the enrolment profile asks for it (`CheckOutWhenRemoved`).
    pub struct CheckOut {
        required {
            /// The push topic of the enrolment profile.
            topic: String = "Topic",
        }
        expected {
            /// The tablet; absent in a user enrolment.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only.
            enrollment_id: String = "EnrollmentID",
        }
    }
}
