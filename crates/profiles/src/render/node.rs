//! A document being written, before it is a property list or JSON. Keys are sorted, so that the same values always give
//! the same bytes.

use std::collections::BTreeMap;

use apple::plist;
use serde_json::Value as Json;

use crate::catalogue::{Entry, Kind, Wire, Writing};
use crate::value::Value;

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    Data(Vec<u8>),
    List(Vec<Node>),
    Map(Map),
}

/// The keys of a document or of a part of it.
pub(super) type Map = BTreeMap<String, Node>;

impl Node {
    /// A text.
    pub(super) fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// A list of texts.
    pub(super) fn texts<T: ToString>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Text(text.to_string())).collect())
    }

    /// A value of an entry, as that wire writes it.
    pub(super) fn of(entry: &Entry, wire: &Wire, value: &Value) -> Self {
        match (wire.writing, value) {
            (Writing::Negated, Value::Boolean(value)) => Self::Boolean(!value),
            (_, Value::Boolean(value)) => Self::Boolean(*value),
            (_, Value::Number(value)) => Self::Integer(*value),
            (Writing::Words(words), Value::Choice(choice)) => {
                Self::text(at_choice(entry, choice, words).copied().unwrap_or(choice))
            }
            (Writing::Reals(reals), Value::Choice(choice)) => {
                // A test holds each list of numbers to the length of its choices.
                at_choice(entry, choice, reals).map_or_else(|| Self::text(choice), |real| Self::Real(*real))
            }
            (_, Value::Choice(choice)) => Self::text(choice),
            (_, Value::Text(text)) => Self::text(text),
            (_, Value::Names(names)) => Self::texts(names),
        }
    }

    pub(super) fn to_plist(&self) -> plist::Value {
        match self {
            Self::Boolean(value) => plist::Value::Boolean(*value),
            Self::Integer(value) => plist::Value::Integer((*value).into()),
            Self::Real(value) => plist::Value::Real(*value),
            Self::Text(value) => plist::Value::String(value.clone()),
            Self::Data(bytes) => plist::Value::Data(bytes.clone()),
            Self::List(items) => plist::Value::Array(items.iter().map(Self::to_plist).collect()),
            Self::Map(map) => plist::Value::Dictionary(dictionary(map)),
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match self {
            Self::Boolean(value) => Json::from(*value),
            Self::Integer(value) => Json::from(*value),
            Self::Real(value) => Json::from(*value),
            Self::Text(value) => Json::from(value.as_str()),
            // No declaration holds bytes: they come as assets.
            Self::Data(_) => Json::Null,
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => object(map),
        }
    }
}

fn at_choice<'w, T>(entry: &Entry, choice: &str, written: &'w [T]) -> Option<&'w T> {
    let Kind::Choice(words) = entry.kind else { return None };
    written.get(words.iter().position(|word| *word == choice)?)
}

pub(super) fn dictionary(map: &Map) -> plist::Dictionary {
    map.iter().map(|(key, node)| (key.clone(), node.to_plist())).collect()
}

pub(super) fn object(map: &Map) -> Json {
    Json::Object(map.iter().map(|(key, node)| (key.clone(), node.to_json())).collect())
}

/// Puts a value at a path, making the dictionaries on the way.
pub(super) fn put(map: &mut Map, path: &str, node: Node) {
    match path.split_once('.') {
        None => drop(map.insert(path.to_owned(), node)),
        Some((key, rest)) => {
            let below = map.entry(key.to_owned()).or_insert_with(|| Node::Map(Map::new()));
            if let Node::Map(below) = below {
                put(below, rest, node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_make_the_dictionaries_on_their_way_and_keys_are_sorted() {
        let mut map = Map::new();
        put(&mut map, "Apps.Mail.AllowSummary", Node::Boolean(false));
        put(&mut map, "Apps.Mail.AllowSmartReplies", Node::Boolean(true));
        put(&mut map, "AllowGenmoji", Node::Boolean(false));
        let json = object(&map).to_string();
        assert_eq!(
            json,
            r#"{"AllowGenmoji":false,"Apps":{"Mail":{"AllowSmartReplies":true,"AllowSummary":false}}}"#
        );
    }
}
