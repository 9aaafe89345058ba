//! Why something of a tablet's was not understood.

use serde_json::Value;

/// Why a body was not understood. Values are never quoted: they may be secret, or about a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// It is longer than anything the agent sends there.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// It is not JSON as RFC 8259 has it.
    #[error("the body is not JSON: {problem}")]
    NotJson {
        /// What is wrong, and where.
        problem: String,
    },
    /// It nests deeper than anything the agent sends.
    #[error("the body nests more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// It holds more values than anything the agent sends.
    #[error("the body holds more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// An object has a key twice: two readers could read two things.
    #[error("an object of the body has a key twice")]
    TwiceTheSameKey,
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
}

impl WireError {
    pub(crate) fn missing(key: &str) -> Self {
        Self::Missing { path: shortened(key) }
    }

    pub(crate) fn invalid(key: &str, expected: &'static str) -> Self {
        Self::Invalid { path: shortened(key), expected }
    }

    pub(crate) fn wrong_type(key: &str, expected: &'static str, found: &Value) -> Self {
        Self::WrongType { path: shortened(key), expected, found: name_of(found) }
    }

    /// The same error, seen from the object or list that holds the value under `key`.
    pub(crate) fn within(mut self, key: &str) -> Self {
        if let Self::Missing { path } | Self::WrongType { path, .. } | Self::Invalid { path, .. } = &mut self
        {
            let key = shortened(key);
            *path = if path.is_empty() { key } else { format!("{key}.{path}") };
        }
        self
    }
}

/// The first 64 characters without those that steer a terminal: enough to recognise a name, too few to flood a log.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

const fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
