//! UserConfigured: let a session begin.

use crate::wire::message;

message! {
    /// Let a session begin.
    ///
    /// For a session that awaits configuration.
    pub struct UserConfigured {}
}
