//! Values: checked against the catalogue once, at the edge, and combined along what is stricter.

use std::collections::BTreeSet;
use std::fmt;

use crate::catalogue::{Entry, Kind, Shape, Stricter};

/// A value that its entry admits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Number(i64),
    /// One of the entry's words.
    Choice(&'static str),
    /// A text.
    Text(String),
    /// A list without order or repetition.
    Names(BTreeSet<String>),
}

/// What was given instead of a value that the entry admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotAdmitted {
    /// What is there, as in *is 40*.
    pub(crate) found: String,
    /// What would be right, as in *expected true or false*.
    pub(crate) right: String,
}

impl Value {
    /// Checks a boolean.
    pub(crate) fn boolean(entry: &Entry, value: bool) -> Result<Self, NotAdmitted> {
        match entry.kind {
            Kind::Boolean => Ok(Self::Boolean(value)),
            _ => Err(not_admitted(entry, value)),
        }
    }

    /// Checks a number.
    pub(crate) fn number(entry: &Entry, value: i64) -> Result<Self, NotAdmitted> {
        match entry.kind {
            Kind::Number { smallest, largest } if (smallest..=largest).contains(&value) => {
                Ok(Self::Number(value))
            }
            _ => Err(not_admitted(entry, value)),
        }
    }

    /// Checks a text.
    pub(crate) fn text(entry: &Entry, value: &str) -> Result<Self, NotAdmitted> {
        let quoted = || format!("\"{}\"", shortened(value));
        match entry.kind {
            Kind::Choice(words) => words
                .iter()
                .find(|word| **word == value)
                .map(|word| Self::Choice(word))
                .ok_or_else(|| not_admitted(entry, quoted())),
            Kind::Text(shape) if shape.fits(value) => Ok(Self::Text(value.to_owned())),
            _ => Err(not_admitted(entry, quoted())),
        }
    }

    /// Checks a list of texts.
    pub(crate) fn names(entry: &Entry, values: BTreeSet<String>) -> Result<Self, NotAdmitted> {
        match entry.kind {
            Kind::Names { of, most } => {
                if let Some(wrong) = values.iter().find(|value| !of.fits(value)) {
                    return Err(not_admitted(entry, format!("\"{}\" in the list", shortened(wrong))));
                }
                // Tablets that read an empty list of what is allowed as no list would allow everything.
                if values.is_empty() && entry.stricter == Stricter::AllowList {
                    return Err(not_admitted(entry, "an empty list"));
                }
                if values.len() > most {
                    return Err(not_admitted(entry, format!("a list of {}", values.len())));
                }
                Ok(Self::Names(values))
            }
            _ => Err(not_admitted(entry, "a list")),
        }
    }

    /// The stricter of two values of an entry; `None` if neither is, and they contradict each other.
    ///
    /// Of lists, what is forbidden by one is forbidden, and what is allowed by both is allowed.
    #[must_use]
    pub fn stricter(entry: &Entry, one: &Self, other: &Self) -> Option<Self> {
        if one == other {
            return Some(one.clone());
        }
        match (entry.stricter, one, other) {
            (Stricter::True, Self::Boolean(one), Self::Boolean(other)) => Some(Self::Boolean(*one || *other)),
            (Stricter::False, Self::Boolean(one), Self::Boolean(other)) => {
                Some(Self::Boolean(*one && *other))
            }
            (Stricter::Higher, Self::Number(one), Self::Number(other)) => Some(Self::Number(*one.max(other))),
            (Stricter::Lower, Self::Number(one), Self::Number(other)) => Some(Self::Number(*one.min(other))),
            (Stricter::OrderedList, Self::Choice(one), Self::Choice(other)) => {
                let later = if entry.position(one) >= entry.position(other) { one } else { other };
                Some(Self::Choice(later))
            }
            (Stricter::BlockList, Self::Names(one), Self::Names(other)) => {
                Some(Self::Names(one.union(other).cloned().collect()))
            }
            (Stricter::AllowList | Stricter::ExceptionsTo(_), Self::Names(one), Self::Names(other)) => {
                Some(Self::Names(one.intersection(other).cloned().collect()))
            }
            _ => None,
        }
    }

    /// Whether this value of an entry is as strict as `other`, or stricter; neither of two unordered values that
    /// differ is.
    #[must_use]
    pub fn is_as_strict_as(&self, entry: &Entry, other: &Self) -> bool {
        Self::stricter(entry, self, other).as_ref() == Some(self)
    }

    /// Whether no value of the entry is looser, so that adding it to other layers changes nothing.
    #[must_use]
    pub fn is_loosest(&self, entry: &Entry) -> bool {
        match (entry.stricter, self, entry.kind) {
            (Stricter::True, Self::Boolean(value), _) => !value,
            (Stricter::False, Self::Boolean(value), _) => *value,
            (Stricter::Higher, Self::Number(value), Kind::Number { smallest, .. }) => *value == smallest,
            (Stricter::Lower, Self::Number(value), Kind::Number { largest, .. }) => *value == largest,
            (Stricter::OrderedList, Self::Choice(value), Kind::Choice(words)) => words.first() == Some(value),
            (Stricter::BlockList, Self::Names(names), _) => names.is_empty(),
            _ => false,
        }
    }
}

fn not_admitted(entry: &Entry, found: impl fmt::Display) -> NotAdmitted {
    NotAdmitted { found: format!("is {found}"), right: entry.admits() }
}

/// A text of somebody's, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    let mut short: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
    if text.chars().count() > 64 {
        short.push('…');
    }
    short
}

impl Entry {
    /// What its value may be, in words.
    #[must_use]
    pub fn admits(&self) -> String {
        match self.kind {
            Kind::Boolean => "true or false".to_owned(),
            Kind::Number { smallest, largest } => format!("a whole number from {smallest} to {largest}"),
            Kind::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::Text(shape) => shape.described().to_owned(),
            Kind::Names { of, most } => format!("a list of at most {most}, each {}", of.described()),
        }
    }

    fn position(&self, word: &str) -> Option<usize> {
        match self.kind {
            Kind::Choice(words) => words.iter().position(|known| *known == word),
            _ => None,
        }
    }
}

impl Shape {
    /// Whether a text looks like it.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        let all = |admitted: fn(u8) -> bool| text.bytes().all(admitted);
        match self {
            Self::BundleId => {
                (3..=155).contains(&text.len())
                    && text.contains('.')
                    && text.split('.').all(|part| !part.is_empty())
                    && all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            }
            Self::SimNumber => (18..=22).contains(&text.len()) && all(|byte| byte.is_ascii_digit()),
            Self::TimeZone => {
                (3..=64).contains(&text.len())
                    && text.starts_with(|first: char| first.is_ascii_uppercase())
                    && all(|byte| byte.is_ascii_alphanumeric() || b"/_-+".contains(&byte))
            }
            Self::Hour => match text.as_bytes() {
                [h, o, b':', m, n] => {
                    let digits = [h, o, m, n].iter().all(|byte| byte.is_ascii_digit());
                    digits && [*h, *o] < *b"24" && [*m, *n] < *b"60"
                }
                _ => false,
            },
            Self::Colour => {
                text.len() == 7
                    && text.strip_prefix('#').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()))
            }
            Self::Word => (1..=128).contains(&text.chars().count()) && !text.chars().any(char::is_control),
        }
    }

    /// What it looks like, in words.
    #[must_use]
    pub const fn described(self) -> &'static str {
        match self {
            Self::BundleId => "the identifier of an app, such as \"com.apple.Pages\"",
            Self::SimNumber => "the number of a SIM card, 18 to 22 digits",
            Self::TimeZone => "a time zone, such as \"Europe/Paris\"",
            Self::Hour => "an hour and minutes, such as \"01:30\"",
            Self::Colour => "a colour, such as \"#1F4E79\"",
            Self::Word => "a text of up to 128 printable characters",
        }
    }
}

/// As it is written in a layer.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Choice(value) => write!(f, "\"{value}\""),
            Self::Text(value) => write!(f, "\"{value}\""),
            Self::Names(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
                write!(f, "[{}]", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Section, find};

    #[test]
    fn a_value_that_does_not_fit_says_what_would() {
        let length = find(Section::Passcode, "minLength").unwrap();
        let error = Value::number(length, 40).unwrap_err();
        assert_eq!(error.found, "is 40");
        assert_eq!(error.right, "a whole number from 0 to 16");
        let cookies = find(Section::Restrictions, "safariAcceptCookies").unwrap();
        let error = Value::text(cookies, "sometimes\u{7}").unwrap_err();
        assert_eq!(error.found, "is \"sometimes\"");
        assert!(error.right.contains("\"never\""));
    }

    #[test]
    fn shapes_admit_what_they_describe() {
        for (shape, good, bad) in [
            (Shape::BundleId, "com.apple.Pages", "com..apple"),
            (Shape::BundleId, "org.geogebra.3d-x", "com.apple.Pages\u{0}"),
            (Shape::BundleId, "a.b", "<img onerror=x>"),
            (Shape::Hour, "23:59", "24:00"),
            (Shape::Hour, "00:00", "09:60"),
            (Shape::TimeZone, "Europe/Paris", "europe"),
            (Shape::Colour, "#1F4E79", "#1F4E7"),
            (Shape::SimNumber, "893310000000000000", "8933-10000000000000"),
            (Shape::Word, "é ok", "bell\u{7}"),
        ] {
            assert!(shape.fits(good), "{good}");
            assert!(!shape.fits(bad), "{bad}");
        }
    }
}
