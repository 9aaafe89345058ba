//! GetToken: a tablet asks for a token that vouches for it elsewhere.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// An unknown service is answered with 400.
    pub struct GetToken {
        required {
            /// `com.apple.maid` or `com.apple.watch.pairing`.
            token_service_type: String = "TokenServiceType",
        }
        expected {
            /// The tablet; absent in a user enrolment.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only.
            enrollment_id: String = "EnrollmentID",
        }
        optional {
            /// What the service needs.
            token_parameters: TokenParameters = "TokenParameters",
            /// The account, on the user channel of a Shared iPad.
            user_short_name: Secret<String> = "UserShortName",
            /// The user, on the user channel of a Shared iPad.
            user_id: String = "UserID",
        }
    }
}

message! {
    /// For the pairing of a watch; iPads send none.
    pub struct TokenParameters {
        optional {
            /// The watch's proof.
            security_token: Secret<String> = "SecurityToken",
            /// The telephone.
            phone_udid: String = "PhoneUDID",
            /// The watch.
            watch_udid: String = "WatchUDID",
        }
    }
}

message! {
    /// The answer.
    pub struct GetTokenResponse {
        required {
            /// The token, for `com.apple.maid` a JWT.
            token_data: Secret<Vec<u8>> = "TokenData",
        }
    }
}
