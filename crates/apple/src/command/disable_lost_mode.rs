//! DisableLostMode: turn lost mode off.

use crate::wire::message;

message! {
    /// Turn lost mode off.
    ///
    /// The tablet tells its user if its location was read.
    pub struct DisableLostMode {}
}
