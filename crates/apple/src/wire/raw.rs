//! A dictionary as it came, which never shows its values.

use std::fmt;
use std::ops::Deref;

use crate::plist::{Dictionary, Value};
use crate::wire::{KeyFact, Kind, Wire, WireError};

/// A dictionary as it came. Its `Debug` names the keys and hides the values, which may be tokens,
/// passcodes or positions.
#[derive(Clone, Default, PartialEq)]
pub struct Raw(Dictionary);

impl Raw {
    /// The dictionary itself.
    #[must_use]
    pub fn into_inner(self) -> Dictionary {
        self.0
    }

    /// Drops a key that someone else has read.
    pub(crate) fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// What `dictionary` holds beside the keys of `known`.
    pub(crate) fn beside(dictionary: &Dictionary, known: &[KeyFact]) -> Self {
        Self(
            dictionary
                .iter()
                .filter(|(key, _)| known.iter().all(|fact| fact.key != key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }
}

impl From<Dictionary> for Raw {
    fn from(dictionary: Dictionary) -> Self {
        Self(dictionary)
    }
}

impl Deref for Raw {
    type Target = Dictionary;

    fn deref(&self) -> &Dictionary {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.keys().map(|key| (key, "[redacted]"))).finish()
    }
}

impl Wire for Raw {
    const KIND: Kind = Kind::Open;

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Dictionary(dictionary) => Ok(Self(dictionary.clone())),
            other => Err(WireError::wrong_type("a dictionary", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Dictionary(self.0.clone())
    }
}
