//! ManagedApplicationAttributes: ask for the attributes of managed apps.

use crate::parts::ApplicationAttributes;
use crate::wire::message;

message! {
    /// Ask for the attributes of managed apps.
    ///
    /// Those named.
    pub struct ManagedApplicationAttributes {
        required {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ManagedApplicationAttributesAnswer {
        required {
            /// One per app.
            application_attributes: Vec<AttributesOfApplication> = "ApplicationAttributes",
        }
    }
}

message! {
    /// The attributes of an app.
    pub struct AttributesOfApplication {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
        optional {
            /// What the app may and may not do.
            attributes: ApplicationAttributes = "Attributes",
        }
    }
}
