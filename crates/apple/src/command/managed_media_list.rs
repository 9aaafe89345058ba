//! ManagedMediaList: list the managed books.

use crate::wire::message;

message! {
    /// List the managed books.
    ///
    /// All of them.
    pub struct ManagedMediaList {}
}

message! {
    /// What the tablet answers.
    pub struct ManagedMediaListAnswer {
        required {
            /// The books.
            books: Vec<ManagedBook> = "Books",
        }
    }
}

message! {
    /// A managed book.
    pub struct ManagedBook {
        required {
            /// The number in the store.
            itunes_store_id: i64 = "iTunesStoreID",
        }
        optional {
            /// How far it has come, such as `Queued` or `Managed`.
            state: String = "State",
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
