//! An app of a segment: exactly what was decided of it, so that nothing else is given in its place.

use serde::{Deserialize, Serialize};
use types::Digest;

use super::plan::short;
use crate::names::BundleId;
use crate::parts::{App, AppOrigin};

/// Where an app comes from, as it was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppFrom {
    /// The App Store, which knows it by that number.
    Store(i64),
    /// The file with that SHA-256.
    File(Digest),
}

/// An app that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppItem {
    /// Its identifier.
    pub bundle: String,
    /// Where it comes from.
    #[serde(flatten)]
    pub from: AppFrom,
    /// The SHA-256 of the settings that it is installed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Digest>,
    /// Whether its data go into backups.
    pub backup: bool,
}

impl AppItem {
    /// The app that a layer decides; `None` for what came with the tablet.
    #[must_use]
    pub fn of(bundle: &BundleId, app: &App) -> Option<Self> {
        let from = match app.origin.as_ref()? {
            AppOrigin::Store(number) => AppFrom::Store(number.as_str().parse().ok()?),
            AppOrigin::File(digest) => AppFrom::File(*digest),
        };
        Some(Self { bundle: bundle.to_string(), from, settings: app.settings, backup: app.backup })
    }

    /// Changes with what is installed: another content is installed in place of the former. What the App Store gives
    /// without settings has none; the store updates it.
    #[must_use]
    pub fn content(&self) -> String {
        match (self.from, self.settings) {
            (AppFrom::Store(_), None) => String::new(),
            (from, settings) => short(format!("{from:?} {settings:?}").as_bytes()),
        }
    }
}
