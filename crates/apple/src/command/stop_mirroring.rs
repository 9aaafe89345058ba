//! StopMirroring: stop showing the screen elsewhere.

use crate::wire::message;

message! {
    /// Stop showing the screen elsewhere.
    ///
    /// If it does.
    pub struct StopMirroring {}
}
