//! ManagedApplicationFeedback: ask what managed apps have to say.

use crate::wire::{Raw, message};

message! {
    /// Ask what managed apps have to say.
    ///
    /// Those named.
    pub struct ManagedApplicationFeedback {
        required {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
        }
        optional {
            /// Forget it once it was read.
            delete_feedback: bool = "DeleteFeedback",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ManagedApplicationFeedbackAnswer {
        required {
            /// One per app.
            managed_application_feedback: Vec<FeedbackOfApplication> = "ManagedApplicationFeedback",
        }
    }
}

message! {
    /// What an app says.
    pub struct FeedbackOfApplication {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
        optional {
            /// What the app says.
            feedback: Raw = "Feedback",
        }
    }
}
