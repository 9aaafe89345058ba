//! Enums whose values have a code, for rows and programs, and a name in both languages, for people.

/// A text that is none of the codes of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: expected one of{expected}")]
pub struct UnknownCode {
    what: &'static str,
    expected: &'static str,
    text: String,
}

impl UnknownCode {
    pub(crate) fn new(what: &'static str, expected: &'static str, text: &str) -> Self {
        Self { what, expected, text: text.chars().take(64).collect() }
    }
}

/// `Name: "what it is" { Variant = "code", "en français", "in English"; }`.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $what:literal {
        $($(#[$variant_doc:meta])* $variant:ident = $code:literal, $fr:literal, $en:literal;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every value, in the order of the register.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code that rows and programs know it by; it never changes.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// Its name for people.
            #[must_use]
            pub const fn text(self) -> $crate::Text {
                match self { $(Self::$variant => $crate::Text::new($fr, $en),)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownCode;

            fn from_str(text: &str) -> Result<Self, $crate::UnknownCode> {
                match text {
                    $($code => Ok(Self::$variant),)*
                    _ => Err($crate::UnknownCode::new($what, concat!($(" ", $code),*), text)),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }
    )*};
}
pub(crate) use words;
