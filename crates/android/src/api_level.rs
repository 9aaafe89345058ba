//! Versions of Android, as programs count them.

use std::fmt;
use std::str::FromStr;

/// An API level of Android: 26 is Android 8, the oldest that the open agent runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiLevel(u16);

impl ApiLevel {
    /// The oldest that the agent runs on: Android 8.
    pub const OLDEST: Self = Self(26);

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// Not a version of Android that the agent runs on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a version of Android that the agent runs on: expected 8, 8.1, 9 to 11, 12, 12.1 or 13 to 16"
)]
pub struct NotAnAndroid {
    text: String,
}

impl FromStr for ApiLevel {
    type Err = NotAnAndroid;

    /// Reads a version as people say it, such as `13`, and as tablets do, such as `8.1.0`.
    fn from_str(text: &str) -> Result<Self, NotAnAndroid> {
        let level = match text.strip_suffix(".0").unwrap_or(text) {
            "8" | "8.0" => 26,
            "8.1" => 27,
            "9" => 28,
            "10" => 29,
            "11" => 30,
            "12" => 31,
            "12.1" | "12L" => 32,
            "13" => 33,
            "14" => 34,
            "15" => 35,
            "16" => 36,
            _ => return Err(NotAnAndroid { text: crate::error::shortened(text) }),
        };
        Ok(Self(level))
    }
}

impl fmt::Display for ApiLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_people_and_as_tablets_write_it() {
        let level = |text: &str| text.parse::<ApiLevel>().map(ApiLevel::number);
        for (text, number) in [("8", 26), ("8.0.0", 26), ("8.1.0", 27), ("9", 28), ("12L", 32), ("16", 36)] {
            assert_eq!(level(text), Ok(number), "{text}");
        }
        for text in ["", "7.1.2", "17", "13\n", "treize"] {
            assert!(level(text).is_err(), "{text}");
        }
        assert!(ApiLevel::OLDEST <= "8".parse().unwrap());
    }

    #[test]
    fn a_version_that_is_none_is_quoted_and_cut() {
        let error = "x".repeat(5_000).parse::<ApiLevel>().unwrap_err();
        assert!(error.to_string().len() < 250);
    }
}
