//! InstallMedia: install a book.

use crate::wire::message;

message! {
    /// Install a book.
    ///
    /// From the store, or of our own.
    pub struct InstallMedia {
        required {
            /// `Book`.
            media_type: String = "MediaType",
        }
        optional {
            /// The number in the store.
            itunes_store_id: i64 = "iTunesStoreID",
            /// Where the book is.
            media_url: String = "MediaURL",
            /// Its name among books of our own.
            persistent_id: String = "PersistentID",
            /// `pdf`, `epub` or `ibooks`.
            kind: String = "Kind",
            /// The version.
            version: String = "Version",
            /// The author.
            author: String = "Author",
            /// The title.
            title: String = "Title",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct InstallMediaAnswer {
        optional {
            /// The number in the store.
            itunes_store_id: i64 = "iTunesStoreID",
            /// Where the book is.
            media_url: String = "MediaURL",
            /// Its name among books of our own.
            persistent_id: String = "PersistentID",
            /// `Book`.
            media_type: String = "MediaType",
            /// How far it has come, such as `Queued`.
            state: String = "State",
            /// Why it was not taken, such as `AppAlreadyInstalled`.
            rejection_reason: String = "RejectionReason",
        }
    }
}
