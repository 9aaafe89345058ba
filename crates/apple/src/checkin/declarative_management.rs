//! DeclarativeManagement: a request of the declarative protocol, carried by a check-in.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// Answered with JSON, see [`crate::ddm`].
    pub struct DeclarativeManagement {
        required {
            /// `tokens`, `declaration-items`, `status` or `declaration/KIND/IDENTIFIER`.
            endpoint: String = "Endpoint",
        }
        expected {
            /// The tablet; absent in a user enrolment.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only.
            enrollment_id: String = "EnrollmentID",
        }
        optional {
            /// JSON: a status report. Unchecked.
            data: Secret<Vec<u8>> = "Data",
            /// The account, on the user channel of a Shared iPad.
            user_short_name: Secret<String> = "UserShortName",
            /// The user, on the user channel of a Shared iPad.
            user_id: String = "UserID",
        }
    }
}
