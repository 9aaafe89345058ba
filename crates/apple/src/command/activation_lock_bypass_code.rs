//! ActivationLockBypassCode: ask for the code that lifts the activation lock.

use types::Secret;

use crate::wire::message;

message! {
    /// Ask for the code that lifts the activation lock.
    ///
    /// Known only for some days after supervision began.
    pub struct ActivationLockBypassCode {}
}

message! {
    /// What the tablet answers.
    pub struct ActivationLockBypassCodeAnswer {
        required {
            /// Lifts the activation lock.
            activation_lock_bypass_code: Secret<String> = "ActivationLockBypassCode",
        }
    }
}
