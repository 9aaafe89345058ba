//! What exactly is signed: a JSON value in its one spelling, bound by its SHA-256.

use std::fmt::Write as _;

use serde_json::Value;
use types::Digest;

/// The longest content, in bytes of its text.
const LONGEST: usize = 8 * 1024 * 1024;
/// How deep it may nest.
const DEEPEST: usize = 16;

/// Why a value cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPlain {
    /// A number with a fraction may read back as another one.
    #[error("a number in it is not whole: `{number}`; write it as text")]
    Fraction {
        /// The number.
        number: String,
    },
    /// It nests too deeply.
    #[error("it nests deeper than {DEEPEST} levels")]
    TooDeep,
    /// It is too long.
    #[error("it has {bytes} bytes; {LONGEST} are the most")]
    TooLong {
        /// The length of its text.
        bytes: usize,
    },
    /// A stored text is not JSON, or not in the one spelling.
    #[error("its text is not JSON in the one spelling we write: keys sorted, none twice, no blanks")]
    AnotherSpelling,
}

/// What is signed, as text and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    text: String,
    digest: Digest,
}

impl Content {
    /// The content that is this value: same value, same text, same digest, whatever the order of its keys.
    ///
    /// # Errors
    /// [`NotPlain`].
    pub fn new(value: &Value) -> Result<Self, NotPlain> {
        let mut text = String::new();
        write(&mut text, value, 0)?;
        if text.len() > LONGEST {
            return Err(NotPlain::TooLong { bytes: text.len() });
        }
        Ok(Self::of_text(text))
    }

    /// The content of a value of ours that has no fractions and does not nest.
    pub(crate) fn of_plain(value: &Value) -> Self {
        Self::new(value).unwrap_or_else(|_not_plain| Self::of_text(value.to_string()))
    }

    /// The content that a stored text says.
    ///
    /// # Errors
    /// [`NotPlain::AnotherSpelling`] for anything but a text of ours: a key that stands twice is one, too.
    pub fn read(text: &str) -> Result<Self, NotPlain> {
        let value: Value = serde_json::from_str(text).map_err(|_not_json| NotPlain::AnotherSpelling)?;
        let content = Self::new(&value)?;
        if content.text == text { Ok(content) } else { Err(NotPlain::AnotherSpelling) }
    }

    fn of_text(text: String) -> Self {
        Self { digest: Digest::of(text.as_bytes()), text }
    }

    /// What is stored and shown.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

fn write(text: &mut String, value: &Value, depth: usize) -> Result<(), NotPlain> {
    if depth > DEEPEST {
        return Err(NotPlain::TooDeep);
    }
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _value)| key.as_str());
            between(text, ['{', '}'], entries, |text, (key, value)| {
                let _infallible = write!(text, "{}:", Value::from(key.as_str()));
                write(text, value, depth + 1)
            })
        }
        Value::Array(values) => {
            between(text, ['[', ']'], values, |text, value| write(text, value, depth + 1))
        }
        Value::Number(number) if !(number.is_i64() || number.is_u64()) => {
            Err(NotPlain::Fraction { number: number.to_string() })
        }
        plain => {
            let _infallible = write!(text, "{plain}");
            Ok(())
        }
    }
}

fn between<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T) -> Result<(), NotPlain>,
) -> Result<(), NotPlain> {
    text.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        each(text, item)?;
    }
    text.push(close);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_has_one_spelling_and_its_digest_is_of_that_text() {
        let content = Content::new(&json!({ "b": [1, "é\"\n", null], "a": { "z": true, "y": -3 } })).unwrap();
        assert_eq!(content.text(), r#"{"a":{"y":-3,"z":true},"b":[1,"é\"\n",null]}"#);
        assert_eq!(content.digest(), Digest::of(content.text().as_bytes()));
        assert_eq!(Content::read(content.text()), Ok(content));
    }

    #[test]
    fn another_spelling_of_the_same_value_is_not_read() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"b":1,"a":2}"#,
            r#"{ "a":1}"#,
            r#"{"a":1.0}"#,
            "{",
            "",
            r#"{"a":"\u0061"}"#,
        ] {
            assert!(Content::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_may_read_back_differently_or_never_end_is_not_signed() {
        assert!(matches!(Content::new(&json!(0.1)), Err(NotPlain::Fraction { .. })));
        let deep = (0..=DEEPEST).fold(json!(1), |inner, _level| json!([inner]));
        assert_eq!(Content::new(&deep), Err(NotPlain::TooDeep));
        assert!(matches!(Content::new(&json!("x".repeat(LONGEST))), Err(NotPlain::TooLong { .. })));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_from_its_text(value in values()) {
            let content = Content::new(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(content.text()).unwrap(), value);
            prop_assert_eq!(Content::read(content.text()), Ok(content));
        }

        #[test]
        fn two_values_have_one_digest_only_if_they_are_one(one in values(), other in values()) {
            let (a, b) = (Content::new(&one).unwrap(), Content::new(&other).unwrap());
            prop_assert_eq!(one == other, a.digest() == b.digest());
        }
    }
}
