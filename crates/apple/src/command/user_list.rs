//! UserList: list the users of a Shared iPad.

use types::Secret;

use crate::wire::message;

message! {
    /// List the users of a Shared iPad.
    ///
    /// Those who have data on it.
    pub struct UserList {}
}

message! {
    /// What the tablet answers.
    pub struct UserListAnswer {
        required {
            /// The users.
            users: Vec<ResidentUser> = "Users",
        }
    }
}

message! {
    /// A user.
    pub struct ResidentUser {
        expected {
            /// The account.
            user_name: Secret<String> = "UserName",
            /// Signed in now.
            is_logged_in: bool = "IsLoggedIn",
            /// Has data that is not saved yet.
            has_data_to_sync: bool = "HasDataToSync",
            /// In bytes.
            data_quota: i64 = "DataQuota",
            /// In bytes.
            data_used: i64 = "DataUsed",
        }
    }
}
