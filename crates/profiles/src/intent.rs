//! What a tablet should be like: all its layers in one, with who asked for each part.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::Entry;
use crate::layer::LayerName;
use crate::names::{BundleId, CertificateName, ExtensionId, Ssid, WEB_CLIPS, WebAddress};
use crate::parts::{
    App, Bookmark, Certificate, Dns, Filter, GlobalProxy, HomeScreen, Notification, OsUpdate, Permitted,
    Printer, PrinterPlace, SafariExtension, SingleApp, WebClip, Wifi,
};
use crate::value::Value;

/// A part of an intent, and the layers that asked for exactly it; where lists were joined, all that had one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// The part.
    pub value: T,
    /// Who asked for it, in order.
    pub from: Vec<LayerName>,
}

/// An app that a layer gives and another blocks: it is blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// Who gives it.
    pub given_by: Vec<LayerName>,
    /// Who blocks it.
    pub blocked_by: Vec<LayerName>,
}

/// What a tablet should be like. Made by [`crate::combine`] only.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    pub(crate) layers: Vec<LayerName>,
    pub(crate) settings: BTreeMap<&'static Entry, Kept<Value>>,
    pub(crate) permitted: Option<Kept<Permitted>>,
    pub(crate) only_apps: Option<Kept<BTreeSet<BundleId>>>,
    pub(crate) apps: BTreeMap<BundleId, Kept<App>>,
    pub(crate) blocked: BTreeMap<BundleId, Kept<()>>,
    pub(crate) blocked_packages: BTreeMap<BundleId, Kept<()>>,
    pub(crate) withheld: BTreeMap<BundleId, Withheld>,
    pub(crate) web_clips: BTreeMap<WebAddress, Kept<WebClip>>,
    pub(crate) wifi: BTreeMap<Ssid, Kept<Wifi>>,
    pub(crate) printers: BTreeMap<PrinterPlace, Kept<Printer>>,
    pub(crate) certificates: BTreeMap<CertificateName, Kept<Certificate>>,
    pub(crate) filter: Kept<Filter>,
    pub(crate) proxy: Option<Kept<GlobalProxy>>,
    pub(crate) dns: Option<Kept<Dns>>,
    pub(crate) home_screen: Option<Kept<HomeScreen>>,
    pub(crate) home_page: Option<Kept<WebAddress>>,
    pub(crate) bookmarks: BTreeMap<WebAddress, Kept<Bookmark>>,
    pub(crate) extensions: BTreeMap<ExtensionId, Kept<SafariExtension>>,
    pub(crate) notifications: BTreeMap<BundleId, Kept<Notification>>,
    pub(crate) single_app: Option<Kept<SingleApp>>,
    pub(crate) os_update: Option<Kept<OsUpdate>>,
}

impl Intent {
    /// The layers it was made of, the base first.
    #[must_use]
    pub fn layers(&self) -> &[LayerName] {
        &self.layers
    }

    /// The values of the catalogue's entries.
    #[must_use]
    pub const fn settings(&self) -> &BTreeMap<&'static Entry, Kept<Value>> {
        &self.settings
    }

    /// The apps that are given, without those that are blocked.
    #[must_use]
    pub const fn apps(&self) -> &BTreeMap<BundleId, Kept<App>> {
        &self.apps
    }

    /// The apps that may not be opened.
    #[must_use]
    pub const fn blocked(&self) -> &BTreeMap<BundleId, Kept<()>> {
        &self.blocked
    }

    /// The apps that a layer gives and another blocks.
    #[must_use]
    pub const fn withheld(&self) -> &BTreeMap<BundleId, Withheld> {
        &self.withheld
    }

    /// The networks.
    #[must_use]
    pub const fn wifi(&self) -> &BTreeMap<Ssid, Kept<Wifi>> {
        &self.wifi
    }

    /// The web clips.
    #[must_use]
    pub const fn web_clips(&self) -> &BTreeMap<WebAddress, Kept<WebClip>> {
        &self.web_clips
    }

    /// The web filter (C3.1.5): there is always one.
    #[must_use]
    pub const fn filter(&self) -> &Kept<Filter> {
        &self.filter
    }

    /// The only app that opens, if there is only one.
    #[must_use]
    pub const fn single_app(&self) -> Option<&Kept<SingleApp>> {
        self.single_app.as_ref()
    }

    /// The apps that may be opened, as the one list that a tablet is given, web clips included; `None` if all may that
    /// are not blocked.
    ///
    /// One list, because a tablet that has several opens only what is in all of them: given apart, the base's list and
    /// a collège's would leave nothing.
    #[must_use]
    pub fn permitted_apps(&self) -> Option<BTreeSet<&str>> {
        let listed = self.permitted.as_ref().is_some_and(|kept| kept.value == Permitted::Listed);
        let only = self.only_apps.as_ref().map(|kept| &kept.value);
        let narrowed = |bundle: &&BundleId| only.is_none_or(|only| only.contains(*bundle));
        let named: Vec<&BundleId> = match (listed, only) {
            (true, _) => self.apps.keys().filter(narrowed).collect(),
            (false, Some(only)) => only.iter().filter(|bundle| !self.blocked.contains_key(*bundle)).collect(),
            (false, None) => return None,
        };
        let clips = if self.web_clips.is_empty() { None } else { Some(WEB_CLIPS) };
        Some(named.into_iter().map(BundleId::as_str).chain(clips).collect())
    }
}
