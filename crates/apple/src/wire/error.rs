//! Why a message was not understood.

use crate::plist::{PlistError, Value};

/// Why a message was not understood. Values are never quoted: they may be secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are not an acceptable property list.
    #[error("the body is not an acceptable property list: {0}")]
    Plist(#[from] PlistError),
    /// A required key is missing.
    #[error("the key `{path}` is missing")]
    Missing {
        /// The key's path.
        path: String,
    },
    /// A value has another type than it should.
    #[error("the key `{path}` should be {expected}, it is {found}")]
    WrongType {
        /// The key's path.
        path: String,
        /// What was wanted.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// A value has the right type and makes no sense.
    #[error("the key `{path}` is not valid: expected {expected}")]
    Invalid {
        /// The key's path.
        path: String,
        /// What was wanted.
        expected: &'static str,
    },
    /// A check-in message of a kind we do not know.
    #[error("unknown MessageType `{name}`")]
    UnknownMessageType {
        /// Its name, cut to 64 characters.
        name: String,
    },
    /// A report with a status we do not know.
    #[error("unknown Status `{name}`")]
    UnknownStatus {
        /// The status, cut to 64 characters.
        name: String,
    },
    /// A command of a kind we do not know.
    #[error("unknown RequestType `{name}`")]
    UnknownRequestType {
        /// Its name, cut to 64 characters.
        name: String,
    },
}

impl WireError {
    pub(crate) fn missing(key: &str) -> Self {
        Self::Missing { path: key.to_owned() }
    }

    pub(crate) fn wrong_type(expected: &'static str, found: &Value) -> Self {
        Self::WrongType { path: String::new(), expected, found: name_of(found) }
    }

    pub(crate) fn invalid(expected: &'static str) -> Self {
        Self::Invalid { path: String::new(), expected }
    }

    /// The same error, seen from the dictionary or array that holds the value under `key`.
    pub(crate) fn within(mut self, key: &str) -> Self {
        if let Self::Missing { path } | Self::WrongType { path, .. } | Self::Invalid { path, .. } = &mut self
        {
            let key: String = key.chars().take(64).collect();
            *path = if path.is_empty() { key } else { format!("{key}.{path}") };
        }
        self
    }
}

/// The first 64 characters: enough to recognise a name, too few to flood a log.
pub(crate) fn bounded(name: &str) -> String {
    name.chars().take(64).collect()
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "an array",
        Value::Dictionary(_) => "a dictionary",
        Value::Boolean(_) => "a boolean",
        Value::Data(_) => "data",
        Value::Date(_) => "a date",
        Value::Real(_) => "a real",
        Value::Integer(_) => "an integer",
        Value::String(_) => "a string",
        _ => "something else",
    }
}
