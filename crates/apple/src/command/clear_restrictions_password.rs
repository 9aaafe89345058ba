//! ClearRestrictionsPassword: forget the password of Screen Time.

use crate::wire::message;

message! {
    /// Forget the password of Screen Time.
    ///
    /// And the restrictions it protects.
    pub struct ClearRestrictionsPassword {}
}
