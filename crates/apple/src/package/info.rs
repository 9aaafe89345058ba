//! What an app says of itself: the few keys of its `Info.plist` that matter before it is installed.

use std::collections::BTreeMap;

use super::{PackageError, binary};
use crate::plist::{self, Limits};

/// What an app says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppInfo {
    /// `CFBundleIdentifier`.
    pub bundle: String,
    /// `CFBundleShortVersionString`, the version people see.
    pub version: String,
    /// `CFBundleVersion`, the build.
    pub build: Option<String>,
    /// `CFBundleDisplayName`, or else `CFBundleName`.
    pub name: Option<String>,
    /// `MinimumOSVersion`.
    pub minimum_os: Option<String>,
}

/// The longest value that is taken, in characters.
const LONGEST: usize = 256;

impl AppInfo {
    /// Reads an `Info.plist`, XML or binary: Xcode writes the latter.
    pub(super) fn read(content: &[u8]) -> Result<Self, PackageError> {
        let mut texts = if content.starts_with(binary::MAGIC) {
            binary::texts(content)?
        } else {
            let dictionary = plist::parse(content, Limits::INFO)?;
            let texts = dictionary.into_iter().filter_map(|(key, value)| Some((key, value.into_string()?)));
            texts.collect::<BTreeMap<_, _>>()
        };
        let mut take = |key: &str| {
            texts.remove(key).filter(|text| {
                !text.is_empty() && text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
            })
        };
        Ok(Self {
            bundle: take("CFBundleIdentifier").ok_or(PackageError::Silent("CFBundleIdentifier"))?,
            version: take("CFBundleShortVersionString")
                .ok_or(PackageError::Silent("CFBundleShortVersionString"))?,
            build: take("CFBundleVersion"),
            name: take("CFBundleDisplayName").or_else(|| take("CFBundleName")),
            minimum_os: take("MinimumOSVersion"),
        })
    }
}
