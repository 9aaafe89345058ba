//! CancelEnhancedLogCollection: stop collecting logs.

use crate::wire::message;

message! {
    /// Stop collecting logs.
    ///
    /// Undoes TriggerEnhancedLogCollection.
    pub struct CancelEnhancedLogCollection {}
}
