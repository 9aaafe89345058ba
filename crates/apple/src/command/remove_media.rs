//! RemoveMedia: remove a book.

use crate::wire::message;

message! {
    /// Remove a book.
    ///
    /// Named as it was installed.
    pub struct RemoveMedia {
        required {
            /// `Book`.
            media_type: String = "MediaType",
        }
        optional {
            /// The number in the store.
            itunes_store_id: String = "iTunesStoreID",
            /// Its name among books of our own.
            persistent_id: String = "PersistentID",
        }
    }
}
