//! What the lists of a configuration hold.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NotSendable;

/// The most entries of one list: what the agent can take, it answers with.
const MOST: usize = 256;

/// Something that a list holds, and that may still be wrong when each of its keys is of the right type.
pub(super) trait Item: DeserializeOwned {
    /// What the agent expects of it.
    const EXPECTED: &'static str;

    /// Whether the agent does with it what it says.
    fn is_sound(&self) -> bool;
}

/// A list of items, each sound.
pub(super) fn items<T: Item>(field: &'static str, value: &Value) -> Result<Vec<T>, NotSendable> {
    let choke = |expected| NotSendable::Choke { field, expected };
    let list = value.as_array().ok_or_else(|| choke("a list"))?;
    if list.len() > MOST {
        return Err(choke("a list of at most 256 entries"));
    }
    let read = |item: &Value| T::deserialize(item).ok().filter(Item::is_sound);
    list.iter().map(|item| read(item).ok_or_else(|| choke(T::EXPECTED))).collect()
}

/// What an entry of the apps is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppKind {
    /// An app.
    #[default]
    App,
    /// A page.
    Web,
    /// A call to another app.
    Intent,
}

/// An app that is installed, shown or removed. Without a package or a version the agent fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// What it is.
    #[serde(rename = "type", default)]
    pub kind: AppKind,
    /// What it is called.
    pub name: String,
    /// Its package.
    pub pkg: String,
    /// Its version; `0` is any.
    pub version: String,
    /// Its version code: where it is there and not 0, it alone is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// Where it is downloaded from; without one it is an app of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether its icon is shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub show_icon: bool,
    /// Whether it is removed: only a version that is equal, or any.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remove: bool,
    /// Whether it is opened once it is installed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub run_after_install: bool,
    /// Whether it is opened when the tablet starts.
    #[serde(default, skip_serializing_if = "is_false")]
    pub run_at_boot: bool,
    /// Whether any version will do.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skip_version: bool,
    /// What stands under its icon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_text: Option<String>,
    /// Where its icon is downloaded from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// Its place on the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen_order: Option<i32>,
    /// Whether it stands at the foot of the screen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bottom: bool,
}

/// A file that is put on the tablet, or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileItem {
    /// Where, below the shared storage.
    pub path: String,
    /// Where it is downloaded from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When it last changed, in milliseconds: the agent downloads it again when this grows.
    pub last_update: i64,
    /// Its MD5, which the agent does not check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Whether it is removed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub remove: bool,
}

/// A setting of an app, or of the agent itself. The agent reads `readOnly`, and ignores `readonly`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Setting {
    /// The package.
    pub package_id: String,
    /// The setting.
    pub name: String,
    /// The kind: 1 is a text.
    #[serde(rename = "type")]
    pub kind: i32,
    /// The value; without one the whole update fails.
    pub value: String,
    /// Whether the tablet may not change it.
    pub read_only: bool,
    /// When it last changed, in milliseconds.
    pub last_update: i64,
    /// Whether words of the agent's are replaced in it.
    pub variable: bool,
}

/// What opens what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Action {
    /// Which action, after `android.intent.action.`.
    pub action: String,
    /// Which categories, after `android.intent.category.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<String>,
    /// The package that opens it.
    pub package_id: String,
    /// Its activity.
    pub activity: String,
    /// Which schemes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemes: Option<String>,
    /// Which hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// Which types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_types: Option<String>,
}

impl Item for Application {
    const EXPECTED: &'static str =
        "a list of apps, each with a package, a version and an address over HTTP, or without any";

    fn is_sound(&self) -> bool {
        let told = is_text(&self.name, 128) && is_text(&self.pkg, 1_024) && is_text(&self.version, 64);
        let page = self.kind != AppKind::Web || self.url.is_some();
        told && page && optional(&self.url, is_address) && optional(&self.icon, is_address)
    }
}

impl Item for FileItem {
    const EXPECTED: &'static str =
        "a list of files, each below the shared storage, with an address over HTTP";

    fn is_sound(&self) -> bool {
        // Two slashes mean the root of the whole tablet; two dots may lead there.
        let below = self.path.starts_with('/')
            && !self.path.starts_with("//")
            && !self.path.split('/').any(|part| part == "..");
        below
            && is_text(&self.path, 512)
            && (self.remove || self.url.is_some())
            && optional(&self.url, is_address)
    }
}

/// Settings by which the agent itself is steered.
const AGENT_SETTINGS: &[&str] =
    &["proxy", "certificates", "locked_packages", "unlocked_packages", "hide_ids"];

impl Item for Setting {
    const EXPECTED: &'static str = "a list of settings, each with a package, a name and a value, and of the agent only those that it knows";

    fn is_sound(&self) -> bool {
        let told = is_text(&self.package_id, 255) && is_text(&self.name, 255) && !self.value.contains('\0');
        let agents = self.package_id != crate::agent::log::AGENT_PACKAGE
            || AGENT_SETTINGS.contains(&self.name.as_str());
        // A space becomes part of a package's name.
        let spaced = self.name.ends_with("_packages") && self.value.contains(' ');
        told && agents && !spaced && self.value.len() <= 16_384
    }
}

impl Item for Action {
    const EXPECTED: &'static str = "a list of actions, each with a package and an activity";

    fn is_sound(&self) -> bool {
        [&self.action, &self.package_id, &self.activity].into_iter().all(|text| is_text(text, 255))
    }
}

/// A setting may hold a password: only its name is shown.
impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setting({} {})", self.package_id, self.name)
    }
}

fn is_text(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.contains('\0')
}

/// `file:` would install what lies on the tablet, and `market:` opens a shop in front of the user.
fn is_address(url: &str) -> bool {
    let web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    web && is_text(url, 1_024) && !url.contains([' ', '\n', '\r', '\t'])
}

fn optional(text: &Option<String>, check: fn(&str) -> bool) -> bool {
    text.as_deref().is_none_or(check)
}

const fn is_false(flag: &bool) -> bool {
    !*flag
}
