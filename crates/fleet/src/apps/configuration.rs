//! The settings that an app reads on the tablet: a JSON object that is a property list as well, of bounded size.

use apple::plist::{Dictionary, Value};
use serde_json::Value as Json;
use types::Digest;

use crate::Refusal;

/// The longest, written as JSON, in bytes.
const MOST_BYTES: usize = 16 << 10;
/// The deepest nesting; the object itself is 1.
const DEEPEST: usize = 8;

/// Settings that can be given to any app: checked once, here.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration(Json);

impl Configuration {
    /// Checks settings.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] says what an app could not be given.
    pub fn new(settings: Json) -> Result<Self, Refusal> {
        let invalid = |problem: String| Refusal::invalid("configuration", problem);
        if !settings.is_object() {
            return Err(invalid("expected an object with the settings of the app".into()));
        }
        // Depth first: a text of bounded length could still nest without end.
        fits(&settings, 1).map_err(|problem| invalid(problem.into()))?;
        let bytes = settings.to_string().len();
        if bytes > MOST_BYTES {
            return Err(invalid(format!("{bytes} bytes, more than the {MOST_BYTES} that an app is given")));
        }
        Ok(Self(settings))
    }

    /// As JSON.
    #[must_use]
    pub const fn as_json(&self) -> &Json {
        &self.0
    }
}

/// The SHA-256 of settings, by which a layer names them: of their JSON without spaces, its keys in order.
#[must_use]
pub fn digest(settings: &Json) -> Digest {
    Digest::of(settings.to_string().as_bytes())
}

fn fits(value: &Json, depth: usize) -> Result<(), &'static str> {
    if depth > DEEPEST {
        return Err("nested deeper than 8 levels");
    }
    match value {
        Json::Null => Err("a property list has no null; leave the key out"),
        Json::Array(items) => items.iter().try_for_each(|item| fits(item, depth + 1)),
        Json::Object(entries) => entries.values().try_for_each(|value| fits(value, depth + 1)),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

/// The same settings as a property list. What is no property list was refused when it was stored.
pub(super) fn to_plist(settings: &Json) -> Dictionary {
    match value(settings) {
        Some(Value::Dictionary(entries)) => entries,
        _ => Dictionary::new(),
    }
}

fn value(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(signed), _, _) => Value::Integer(signed.into()),
            (None, Some(unsigned), _) => Value::Integer(unsigned.into()),
            (None, None, real) => Value::Real(real?),
        },
        Json::String(text) => Value::String(text.clone()),
        Json::Array(items) => Value::Array(items.iter().filter_map(value).collect()),
        Json::Object(entries) => {
            let entries = entries.iter().filter_map(|(key, entry)| Some((key.clone(), value(entry)?)));
            Value::Dictionary(entries.collect())
        }
    })
}
