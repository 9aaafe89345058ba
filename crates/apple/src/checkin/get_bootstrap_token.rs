//! GetBootstrapToken: a tablet asks for the token it left with us.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// Automated enrolment only, iPadOS 26 and later.
    pub struct GetBootstrapToken {
        optional {
            /// The Setup Assistant waits for DeviceConfigured.
            awaiting_configuration: bool = "AwaitingConfiguration",
            /// The tablet. The schema does not list it; tablets send it.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only. The schema does not list it.
            enrollment_id: String = "EnrollmentID",
        }
    }
}

message! {
    /// The answer. Without a stored token it is an empty dictionary, and a success all the same.
    pub struct GetBootstrapTokenResponse {
        optional {
            /// The token as it was left.
            bootstrap_token: Secret<Vec<u8>> = "BootstrapToken",
        }
    }
}
