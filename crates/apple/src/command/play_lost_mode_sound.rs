//! PlayLostModeSound: make the tablet sound.

use crate::wire::message;

message! {
    /// Make the tablet sound.
    ///
    /// Works in lost mode only.
    pub struct PlayLostModeSound {}
}
