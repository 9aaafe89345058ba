//! UserAuthenticate: a Mac's user signs in. iPads do not send it; the server declines it.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// Declined with 410 for the login session, so that a Mac enrolled by mistake keeps still.
    pub struct UserAuthenticate {
        required {
            /// The machine.
            udid: Udid = "UDID",
            /// The user.
            user_id: String = "UserID",
        }
        expected {
            /// The answer to a challenge; absent from the first message.
            digest_response: Secret<String> = "DigestResponse",
        }
    }
}
