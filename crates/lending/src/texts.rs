//! Enums whose values have a text, and the short texts that people write: what is stored and what the API shows are the
//! same word.

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

/// An enum with its texts: `Name: "what it is" { Variant = "text", }`.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The text that is stored and shown by the API.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::InvalidText;

            fn from_str(text: &str) -> Result<Self, $crate::InvalidText> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err($crate::InvalidText::new($what, concat!("one of", $(" ", $text),*))),
                }
            }
        }
    )*};
}
pub(crate) use texts;

/// One line that a person wrote: no control characters, nothing around it, and of a length that a paper has room for.
macro_rules! lines {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $most:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// As it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
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
