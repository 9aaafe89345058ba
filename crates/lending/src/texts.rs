//! The short texts that people write. They may name somebody: no error and no log repeats them.

use std::fmt;
use std::str::FromStr;

/// A text that is not valid where it stands, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid {what}: expected {expected}")]
pub struct InvalidText {
    what: &'static str,
    expected: &'static str,
}

impl InvalidText {
    pub(crate) const fn new(what: &'static str, expected: &'static str) -> Self {
        Self { what, expected }
    }
}

/// One line that a person wrote: no control characters, nothing around it, and of a length that a paper has room for.
macro_rules! lines {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $most:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// As it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                let text = text.trim();
                let fits = (1..=$most).contains(&text.chars().count());
                if fits && !text.chars().any(char::is_control) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidText::new($what, concat!("one line of 1 to ", $most, " characters")))
                }
            }
        }

        /// Says nothing: it may name a person, and logs do not.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

lines! {
    /// What a person is called. Never logged.
    PersonName: "name", 120;
    /// A class of a collège, such as `4e B`.
    ClassName: "class", 40;
    /// The number by which a school's own register knows somebody.
    SchoolNumber: "number of the school’s register", 60;
    /// Where the paper is: the reference of a letter, a scan or a file.
    Reference: "reference", 200;
    /// What state a tablet is in, in the words of whoever holds it in their hands.
    Condition: "condition", 500;
    /// The reason that a person gives for what they decide.
    Reason: "reason", 500;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_shows_itself_in_no_log() {
        let name: PersonName = "  Zoé Nguyễn ".parse().unwrap();
        assert_eq!(name.as_str(), "Zoé Nguyễn");
        assert_eq!(format!("{name:?}"), "PersonName(…)");
        let long = "x".repeat(121);
        for bad in ["", "   ", "a\nb", "a\u{0}", long.as_str()] {
            let refused = bad.parse::<PersonName>().unwrap_err().to_string();
            assert_eq!(refused, "this is not a valid name: expected one line of 1 to 120 characters");
        }
    }
}
