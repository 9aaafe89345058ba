//! DeviceLock: lock the screen.

use types::Secret;

use crate::wire::message;

message! {
    /// Lock the screen.
    ///
    /// With a message if the tablet has a passcode.
    pub struct DeviceLock {
        optional {
            /// The message on the lock screen.
            message: String = "Message",
            /// The telephone number on the lock screen.
            phone_number: Secret<String> = "PhoneNumber",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct DeviceLockAnswer {
        optional {
            /// Whether the message was shown, such as `Success` or `DeviceInLostMode`.
            message_result: String = "MessageResult",
        }
    }
}
