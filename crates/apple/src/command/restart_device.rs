//! RestartDevice: restart.

use crate::wire::message;

message! {
    /// Restart.
    ///
    /// A tablet with a passcode loses Wi-Fi until it is unlocked.
    pub struct RestartDevice {}
}
