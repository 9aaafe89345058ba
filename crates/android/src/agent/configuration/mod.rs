//! The configuration: everything that a tablet is given, and what it is told to do once.
//!
//! One text that is wrong in one field makes the agent refuse the whole: a list that is missing, a number as a word, an app
//! without a version, a setting without a value. What is put together here is therefore checked field by field, and who may say
//! which is written beside it in [`FIELDS`]: layers, the tablet's own row, a command, or nobody.

mod fields;
mod items;
mod own;
mod refusal;

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::signature::AgentSecret;

pub use fields::{FIELDS, Field, Of, Shape};
pub use items::{Action, AppKind, Application, FileItem, Setting};
pub use own::{Code, LocationUpdates, LockMessage, MoveTo, NotACode, NotAMessage, NotAnAddress, Own, Told};
pub use refusal::NotSendable;

use fields::{checked, field};
pub(crate) use own::is_origin;

/// A configuration that the agent takes. Not for logs: it may hold a code.
#[derive(Clone, PartialEq)]
pub struct Configuration {
    fields: BTreeMap<&'static str, Written>,
}

/// The value of one field, of the shape that the agent expects there.
#[derive(Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Written {
    Text(String),
    Flag(bool),
    Integer(i32),
    Applications(Vec<Application>),
    Settings(Vec<Setting>),
    Files(Vec<FileItem>),
    Actions(Vec<Action>),
}

impl Configuration {
    /// What layers decided and what is this tablet's own, together with what the agent must always be told.
    ///
    /// # Errors
    /// A layer says what no layer may, or something that the agent would choke on.
    pub fn new(own: &Own, layers: &Map<String, Value>) -> Result<Self, NotSendable> {
        let mut configuration = Self { fields: BTreeMap::new() };
        for (name, value) in layers {
            let field = field(name).ok_or_else(|| NotSendable::unknown(name))?;
            if field.of != Of::Layers {
                return Err(NotSendable::NotALayers { field: field.name, of: field.of });
            }
            configuration.fields.insert(field.name, checked(field, value)?);
        }
        for list in ["applications", "applicationSettings", "files", "actions"] {
            if !configuration.fields.contains_key(list) {
                return Err(NotSendable::Missing { field: list });
            }
        }
        configuration.window_is_whole()?;
        own.write(&mut configuration);
        Ok(configuration)
    }

    /// Tells the tablet to do something once. It is told one thing at a time: what was told before is forgotten.
    #[must_use]
    pub fn telling(mut self, told: Option<&Told>) -> Self {
        for name in ["factoryReset", "reboot", "passwordReset"] {
            self.fields.remove(name);
        }
        match told {
            None => {}
            Some(Told::Wipe) => self.set("factoryReset", Written::Flag(true)),
            Some(Told::Reboot) => self.set("reboot", Written::Flag(true)),
            Some(Told::Code(code)) => self.set("passwordReset", Written::Text(code.expose().to_owned())),
        }
        self
    }

    /// The answer, signed.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn answer(&self, secret: &AgentSecret) -> Result<Answer, serde_json::Error> {
        Answer::data(self, secret)
    }

    fn set(&mut self, name: &'static str, value: Written) {
        self.fields.insert(name, value);
    }

    /// Updates in a window need both ends of it.
    fn window_is_whole(&self) -> Result<(), NotSendable> {
        let windowed = self.fields.get("systemUpdateType") == Some(&Written::Integer(2));
        let missing = ["systemUpdateFrom", "systemUpdateTo"]
            .into_iter()
            .find(|name| windowed && !self.fields.contains_key(name));
        missing.map_or(Ok(()), |field| Err(NotSendable::Missing { field }))
    }
}

/// In the order of [`FIELDS`].
impl Serialize for Configuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut data = serializer.serialize_map(Some(self.fields.len()))?;
        for field in FIELDS {
            if let Some(value) = self.fields.get(field.name) {
                data.serialize_entry(field.name, value)?;
            }
        }
        data.end()
    }
}

impl fmt::Debug for Configuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
