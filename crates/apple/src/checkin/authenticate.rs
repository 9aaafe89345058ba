//! Authenticate: a tablet asks to enrol. Nothing is installed yet when it is answered.

use types::{Secret, SerialNumber, Udid};

use crate::wire::message;

message! {
    /// The first message of an enrolment: who the tablet is. Accepted with an empty 200; the enrolment
    /// stands only after the TokenUpdate that follows.
    pub struct Authenticate {
        required {
            /// The push topic of the enrolment profile.
            topic: String = "Topic",
        }
        optional {
            /// The tablet; absent in a user enrolment.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only.
            enrollment_id: String = "EnrollmentID",
            /// Such as `27.0`.
            os_version: String = "OSVersion",
            /// Such as `24A335`.
            build_version: String = "BuildVersion",
            /// The model, such as `iPad13,18`.
            product_name: String = "ProductName",
            /// Compared with the inventory.
            serial_number: SerialNumber = "SerialNumber",
            /// The modem's number.
            imei: Secret<String> = "IMEI",
            /// The modem's number, older networks.
            meid: Secret<String> = "MEID",
        }
    }
}
