//! A layer: one text that says part of what is on a tablet, and whose part it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use types::{LoanMode, Uai, UserKind};

use crate::catalogue::Entry;
use crate::names::{BundleId, CertificateName, ExtensionId, Ssid, WebAddress};
use crate::parts::{
    App, Bookmark, Certificate, Dns, Filter, GlobalProxy, HomeScreen, Notification, OsUpdate, Permitted,
    Printer, PrinterPlace, SafariExtension, SingleApp, Tightening, WebClip, Wifi,
};
use crate::reading::At;
use crate::value::Value;

/// Whose part a layer is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerKind {
    /// The département's and académie's base, which every tablet has.
    Base,
    /// The base that replaces it for a while, by an emergency order (C5.3.7).
    Emergency,
    /// What a kind of user has beside it.
    User(BTreeSet<UserKind>),
    /// What a collège adds: apps, web clips, networks, printers, and nothing else (C3.1.3).
    College(Uai),
    /// What where the tablet stands asks for.
    Mode(LoanMode),
    /// What one tablet, or a few of them, have for a time.
    Tablet,
}

/// As a sentence speaks of it, as in *the base*.
impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("the base"),
            Self::Emergency => f.write_str("the emergency base"),
            Self::User(kinds) => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                write!(f, "the layer of {}", kinds.join(", "))
            }
            Self::College(uai) => write!(f, "the layer of collège {uai}"),
            Self::Mode(mode) => write!(f, "the layer of mode {mode}"),
            Self::Tablet => f.write_str("the tablet's own layer"),
        }
    }
}

/// How a layer is spoken of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerName {
    /// Whose part it is.
    pub kind: LayerKind,
    /// Its title.
    pub title: String,
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} “{}”", self.kind, self.title)
    }
}

/// A layer that was read and is right in itself. Made by [`crate::parse`] only, so that no rule is gone round.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub(crate) name: LayerName,
    pub(crate) purpose: String,
    pub(crate) contents: Contents,
}

impl Layer {
    /// How it is spoken of.
    #[must_use]
    pub const fn name(&self) -> &LayerName {
        &self.name
    }

    /// Whose part it is.
    #[must_use]
    pub const fn kind(&self) -> &LayerKind {
        &self.name.kind
    }

    /// What it is for, in a sentence.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// What it says of an entry.
    #[must_use]
    pub fn value(&self, entry: &Entry) -> Option<&Value> {
        self.contents.settings.get(entry).map(|at| &at.value)
    }

    /// The apps it gives.
    #[must_use]
    pub const fn apps(&self) -> &BTreeMap<BundleId, At<App>> {
        &self.contents.apps
    }

    /// The apps it blocks.
    #[must_use]
    pub const fn blocked(&self) -> &BTreeMap<BundleId, At<()>> {
        &self.contents.blocked
    }

    /// Whether it is a base, ordinary or emergency.
    pub(crate) const fn is_base(&self) -> bool {
        matches!(self.name.kind, LayerKind::Base | LayerKind::Emergency)
    }
}

/// What a layer says. What has keys adds up, key by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Contents {
    pub(crate) settings: BTreeMap<&'static Entry, At<Value>>,
    pub(crate) permitted: Option<At<Permitted>>,
    pub(crate) only_apps: Option<At<BTreeSet<BundleId>>>,
    pub(crate) apps: BTreeMap<BundleId, At<App>>,
    pub(crate) blocked: BTreeMap<BundleId, At<()>>,
    pub(crate) blocked_packages: BTreeMap<BundleId, At<()>>,
    pub(crate) web_clips: BTreeMap<WebAddress, At<WebClip>>,
    pub(crate) wifi: BTreeMap<Ssid, At<Wifi>>,
    pub(crate) printers: BTreeMap<PrinterPlace, At<Printer>>,
    pub(crate) certificates: BTreeMap<CertificateName, At<Certificate>>,
    /// A base's filter.
    pub(crate) filter: Option<At<Filter>>,
    /// What another layer forbids beyond it.
    pub(crate) tightening: Option<At<Tightening>>,
    pub(crate) proxy: Option<At<GlobalProxy>>,
    pub(crate) dns: Option<At<Dns>>,
    pub(crate) home_screen: Option<At<HomeScreen>>,
    pub(crate) home_page: Option<At<WebAddress>>,
    pub(crate) bookmarks: BTreeMap<WebAddress, At<Bookmark>>,
    pub(crate) extensions: BTreeMap<ExtensionId, At<SafariExtension>>,
    pub(crate) notifications: BTreeMap<BundleId, At<Notification>>,
    pub(crate) single_app: Option<At<SingleApp>>,
    pub(crate) os_update: Option<At<OsUpdate>>,
}
