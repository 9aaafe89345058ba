//! ShutDownDevice: shut down.

use crate::wire::message;

message! {
    /// Shut down.
    ///
    /// Someone must press the button to start it again.
    pub struct ShutDownDevice {}
}
