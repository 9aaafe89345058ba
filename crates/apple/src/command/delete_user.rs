//! DeleteUser: delete a user of a Shared iPad.

use types::Secret;

use crate::wire::message;

message! {
    /// Delete a user of a Shared iPad.
    ///
    /// Their data on the tablet is erased.
    pub struct DeleteUser {
        optional {
            /// The account.
            user_name: Secret<String> = "UserName",
            /// Also when data is not saved yet.
            force_deletion: bool = "ForceDeletion",
            /// Every user (14.0).
            delete_all_users: bool = "DeleteAllUsers",
        }
    }
}
