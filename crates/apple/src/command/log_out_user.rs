//! LogOutUser: sign the user of a Shared iPad out.

use crate::wire::message;

message! {
    /// Sign the user of a Shared iPad out.
    ///
    /// If one is signed in.
    pub struct LogOutUser {}
}
