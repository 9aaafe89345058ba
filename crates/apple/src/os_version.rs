//! Versions of the tablets' system.

use std::fmt;
use std::str::FromStr;

/// A version of iPadOS; compares as people expect, `9.3.2` before `26.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OsVersion {
    /// The first number.
    pub major: u16,
    /// The second, 0 if absent.
    pub minor: u16,
    /// The third, 0 if absent.
    pub patch: u16,
}

impl OsVersion {
    /// `major.minor`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: 0 }
    }
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version of iPadOS: expected up to three numbers, such as 26.4 or 9.3.2")]
pub struct InvalidOsVersion {
    text: String,
}

impl FromStr for OsVersion {
    type Err = InvalidOsVersion;

    fn from_str(text: &str) -> Result<Self, InvalidOsVersion> {
        let invalid = || InvalidOsVersion { text: text.chars().take(64).collect() };
        let number = |part: &str| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|_| digits).ok_or_else(invalid)
        };
        match text.split('.').collect::<Vec<_>>().as_slice() {
            [major] => Ok(Self { major: number(major)?, minor: 0, patch: 0 }),
            [major, minor] => Ok(Self { major: number(major)?, minor: number(minor)?, patch: 0 }),
            [major, minor, patch] => {
                Ok(Self { major: number(major)?, minor: number(minor)?, patch: number(patch)? })
            }
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for OsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch == 0 { Ok(()) } else { write!(f, ".{}", self.patch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let parse = |text: &str| text.parse::<OsVersion>().unwrap();
        assert!(parse("9.3.2") < parse("26.0"));
        assert!(parse("18.4.1") > parse("18.4"));
        assert_eq!(parse("27"), OsVersion::new(27, 0));
        assert_eq!(parse("9.3.2").to_string(), "9.3.2");
    }

    #[test]
    fn a_text_that_is_not_a_version_is_refused() {
        for bad in ["", "27.", "27.0.1.2", "+27.0", "27.0b", "99999"] {
            assert!(bad.parse::<OsVersion>().is_err(), "{bad}");
        }
    }
}
