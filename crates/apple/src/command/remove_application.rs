//! RemoveApplication: remove a managed app.

use crate::wire::message;

message! {
    /// Remove a managed app.
    ///
    /// Its data goes with it.
    pub struct RemoveApplication {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
    }
}
