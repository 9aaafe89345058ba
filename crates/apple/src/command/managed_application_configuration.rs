//! ManagedApplicationConfiguration: ask for the settings of managed apps.

use crate::wire::{Raw, message};

message! {
    /// Ask for the settings of managed apps.
    ///
    /// Those named.
    pub struct ManagedApplicationConfiguration {
        required {
            /// The bundle identifiers to speak of; all if absent.
            identifiers: Vec<String> = "Identifiers",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct ManagedApplicationConfigurationAnswer {
        required {
            /// One per app.
            application_configurations: Vec<ConfigurationOfApplication> = "ApplicationConfigurations",
        }
    }
}

message! {
    /// The settings of an app.
    pub struct ConfigurationOfApplication {
        required {
            /// The bundle identifier.
            identifier: String = "Identifier",
        }
        optional {
            /// The settings the app reads.
            configuration: Raw = "Configuration",
        }
    }
}
