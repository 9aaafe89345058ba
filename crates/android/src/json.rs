//! JSON of a tablet, read within bounds.
//!
//! The size is looked at first, then everything else while reading: how deep, how many values, and that no object has a key
//! twice. Whatever is longer than its field is cut by [`Fields`], which never repeats a value in an error.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::WireError;

/// How much a body may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes.
    pub bytes: usize,
    /// How deep lists and objects nest.
    pub depth: usize,
    /// How many values, keys not counted.
    pub values: usize,
}

impl Limits {
    /// What enrols: four keys, and the groups of a code.
    pub const ENROLMENT: Self = Self { bytes: 4 * 1024, depth: 4, values: 128 };
    /// What a tablet tells of itself: the apps and files of its configuration make it long.
    pub const DEVICE_INFO: Self = Self { bytes: 128 * 1024, depth: 6, values: 16_384 };
    /// A batch of log rows: the agent sends ten at most.
    pub const LOG: Self = Self { bytes: 64 * 1024, depth: 4, values: 1_024 };
}

/// Reads a body.
///
/// # Errors
/// It is too long, too deep, holds too much, has a key twice, or is not JSON.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, WireError> {
    if bytes.len() > limits.bytes {
        return Err(WireError::TooLong { limit: limits.bytes });
    }
    let scan = Scan { limits, values: Cell::new(0), broken: Cell::new(None) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Node { scan: &scan, depth: 0 }.deserialize(&mut reader);
    let whole = value.and_then(|value| reader.end().map(|()| value));
    whole.map_err(|error| match scan.broken.get() {
        Some(Broken::Depth) => WireError::TooDeep { limit: limits.depth },
        Some(Broken::Values) => WireError::TooMany { limit: limits.values },
        Some(Broken::Key) => WireError::TwiceTheSameKey,
        None => WireError::NotJson { problem: error.to_string() },
    })
}

#[derive(Debug, Clone, Copy)]
enum Broken {
    Depth,
    Values,
    Key,
}

struct Scan {
    limits: Limits,
    values: Cell<usize>,
    broken: Cell<Option<Broken>>,
}

impl Scan {
    fn broke<E: serde::de::Error>(&self, what: Broken) -> E {
        self.broken.set(Some(what));
        E::custom("out of bounds")
    }

    fn one_more<E: serde::de::Error>(&self) -> Result<(), E> {
        let values = self.values.get().saturating_add(1);
        self.values.set(values);
        if values > self.limits.values { Err(self.broke(Broken::Values)) } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    scan: &'a Scan,
    depth: usize,
}

impl Node<'_> {
    fn inside<E: serde::de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.saturating_add(1);
        if depth > self.scan.limits.depth {
            return Err(self.scan.broke(Broken::Depth));
        }
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.scan.one_more()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::from).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inside = self.inside()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inside)?;
            if object.insert(key, value).is_some() {
                return Err(self.scan.broke(Broken::Key));
            }
        }
        Ok(Value::Object(object))
    }
}

/// The keys of an object. Null and absent are the same, as they are to the agent; unknown keys are not looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The keys of a value that must be an object.
    pub(crate) fn of(value: &'a Value) -> Result<Self, WireError> {
        value.as_object().map(Self).ok_or_else(|| WireError::wrong_type("", "an object", value))
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// A text, of which so many characters are kept.
    pub(crate) fn text(&self, key: &str, most: usize) -> Result<Option<String>, WireError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| WireError::wrong_type(key, "a text", value))?;
        Ok(Some(text.chars().take(most).collect()))
    }

    /// A boolean; the agent writes some as 1 and 0.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, WireError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        flag(key, value).map(Some)
    }

    /// A whole number.
    pub(crate) fn integer(&self, key: &str) -> Result<Option<i64>, WireError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_i64().map(Some).ok_or_else(|| WireError::wrong_type(key, "a whole number", value))
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>, WireError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value.as_f64().map(Some).ok_or_else(|| WireError::wrong_type(key, "a number", value))
    }

    /// An object.
    pub(crate) fn inner(&self, key: &str) -> Result<Option<Self>, WireError> {
        self.get(key).map(|value| Self::of(value).map_err(|error| error.within(key))).transpose()
    }

    /// A list, of which so many items are kept.
    pub(crate) fn list<T>(
        &self,
        key: &str,
        most: usize,
        read: impl Fn(&'a Value) -> Result<T, WireError>,
    ) -> Result<Vec<T>, WireError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| WireError::wrong_type(key, "a list", value))?;
        items.iter().take(most).map(|item| read(item).map_err(|error| error.within(key))).collect()
    }
}

/// A boolean, or 1 or 0.
pub(crate) fn flag(key: &str, value: &Value) -> Result<bool, WireError> {
    match (value.as_bool(), value.as_i64()) {
        (Some(flag), _) => Ok(flag),
        (None, Some(0)) => Ok(false),
        (None, Some(1)) => Ok(true),
        _ => Err(WireError::wrong_type(key, "a boolean", value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SMALL: Limits = Limits { bytes: 64, depth: 2, values: 4 };

    fn small(text: &str) -> Result<Value, WireError> {
        parse(text.as_bytes(), SMALL)
    }

    #[test]
    fn t_a16_a_body_is_bounded_in_length_depth_and_number() {
        assert_eq!(small(r#"{"a":[1,2]}"#), Ok(json!({"a": [1, 2]})));
        assert_eq!(small(r#"{"a":[[1]]}"#), Err(WireError::TooDeep { limit: 2 }));
        assert_eq!(small("[1,2,3]"), Ok(json!([1, 2, 3])));
        assert_eq!(small("[1,2,3,4]"), Err(WireError::TooMany { limit: 4 }));
        assert!(small(&" ".repeat(64)).unwrap_err().to_string().contains("not JSON"));
        assert_eq!(small(&" ".repeat(65)), Err(WireError::TooLong { limit: 64 }));
        let deep = parse("[".repeat(100_000).as_bytes(), Limits { bytes: usize::MAX, ..SMALL });
        assert_eq!(deep, Err(WireError::TooDeep { limit: 2 }));
    }

    #[test]
    fn what_two_readers_could_read_differently_is_no_body() {
        assert_eq!(small(r#"{"a":1,"a":2}"#), Err(WireError::TwiceTheSameKey));
        for bad in ["", "{}x", "{} {}", "nul", "1e400", "NaN", "\u{feff}{}", "{a:1}", "\"\\ud800\""] {
            assert!(matches!(small(bad), Err(WireError::NotJson { .. })), "{bad}");
        }
    }

    #[test]
    fn an_error_names_the_path_and_never_the_value() {
        let value = json!({"apps": [{"pkg": {"secret": "hunter2"}}]});
        let fields = Fields::of(&value).unwrap();
        let read = |item| Fields::of(item)?.text("pkg", 8);
        let error = fields.list("apps", 4, read).unwrap_err();
        assert_eq!(error.to_string(), "the key `apps.pkg` should be a text, it is an object");
        let secret = parse(br#"{"password": hunter2}"#, Limits::ENROLMENT).unwrap_err();
        assert!(!secret.to_string().contains("hunter2"));
    }

    #[test]
    fn a_text_or_list_that_is_too_long_is_cut() {
        let value = json!({"text": "abcdef", "list": [1, 2, 3], "null": null});
        let fields = Fields::of(&value).unwrap();
        assert_eq!(fields.text("text", 3), Ok(Some("abc".to_owned())));
        assert_eq!(fields.list("list", 2, |item| flag("list", item).or(Ok(true))), Ok(vec![true, true]));
        assert_eq!(fields.text("null", 3), Ok(None));
        assert_eq!(fields.integer("absent"), Ok(None));
    }
}
