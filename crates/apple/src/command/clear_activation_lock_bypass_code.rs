//! ClearActivationLockBypassCode: forget the code that lifts the activation lock.

use crate::wire::message;

message! {
    /// Forget the code that lifts the activation lock.
    ///
    /// A new one is made when the tablet is activated again.
    pub struct ClearActivationLockBypassCode {}
}
