//! TokenUpdate: where to push, and the keys that only this tablet can give.

use types::{Secret, Udid};

use crate::wire::message;

message! {
    /// Completes an enrolment and comes again whenever a token changes. An absent `UnlockToken` or
    /// `AwaitingConfiguration` means "as before".
    pub struct TokenUpdate {
        required {
            /// The push topic of the enrolment profile.
            topic: String = "Topic",
            /// The address of pushes.
            token: Secret<Vec<u8>> = "Token",
            /// The word that makes a push ours.
            push_magic: Secret<String> = "PushMagic",
        }
        expected {
            /// The tablet; absent in a user enrolment.
            udid: Udid = "UDID",
            /// The enrolment, in a user enrolment only.
            enrollment_id: String = "EnrollmentID",
        }
        optional {
            /// The account, on the user channel of a Shared iPad.
            user_short_name: Secret<String> = "UserShortName",
            /// The user, on the user channel of a Shared iPad.
            user_id: String = "UserID",
            /// What ClearPasscode needs. Keep the stored one when it is absent.
            unlock_token: Secret<Vec<u8>> = "UnlockToken",
            /// The Setup Assistant waits for DeviceConfigured.
            awaiting_configuration: bool = "AwaitingConfiguration",
        }
    }
}
