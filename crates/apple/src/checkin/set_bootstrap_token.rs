//! SetBootstrapToken: a tablet leaves a token with us.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// Automated enrolment only, iPadOS 26 and later. An absent token means: forget the stored one.
    pub struct SetBootstrapToken {
        optional {
            /// The token.
            bootstrap_token: Secret<Vec<u8>> = "BootstrapToken",
            /// The Setup Assistant waits for DeviceConfigured.
            awaiting_configuration: bool = "AwaitingConfiguration",
            /// The tablet. The schema does not list it; tablets send it.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only. The schema does not list it.
            enrollment_id: String = "EnrollmentID",
        }
    }
}
