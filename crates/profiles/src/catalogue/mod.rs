//! The catalogue: everything that can be set on a school tablet, and what is left out, with the reason.
//!
//! What the makers publish (names, types, ranges, versions, flags) stands in a generated table, `facts.rs`. What it
//! means to a school stands in the files beside it, by hand: which way is stricter, what took over from it, what
//! Android has instead, a label and a sentence of help. Naming a key that is not in the table does not compile.

mod android;
mod coverage;
mod entry;
mod fact;
#[rustfmt::skip]
mod facts;
mod others;
mod restrictions;
mod texts;

pub use android::{ANDROID_ERASING_KEYS, AndroidErasingKey, UserRestriction};
pub use coverage::{Coverage, NOT_DESCRIBED, coverage};
pub use entry::{Agent, Entry, Kind, Never, Section, Shape, Stricter, Wire, Writing};
pub use fact::{Fact, FactKind, Form, Holder};
pub(crate) use texts::words;
pub use texts::{Language, Text, Words};

#[cfg(test)]
pub(crate) use facts::{PASSCODE, SIRI};
#[cfg(test)]
pub(crate) use texts::keys as text_keys;

pub(crate) use facts::{
    AIRPRINT, APP_LOCK, APP_MANAGED, APP_SETTINGS, APPLICATION_ACCESS, DNS_DECLARED, DNS_SETTINGS,
    FILTER_PLUGIN, GLOBAL_PROXY, HOME_SCREEN, NOTIFICATIONS, ROOT_CERTIFICATE, SAFARI, SAFARI_BOOKMARKS,
    SAFARI_EXTENSIONS, SUBSCRIPTIONS, UPDATE_ENFORCEMENT, WEB_CLIP, WEB_CONTENT_FILTER, WIFI,
};

/// Every entry, those that never can be set included.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [
        restrictions::ENTRIES,
        others::PASSCODES,
        others::DECLARED,
        others::DEVICE,
        android::FIELDS,
        android::NOT_FIELDS,
        android::OWN,
        android::NOT_OWN,
    ]
    .into_iter()
    .flatten()
}

/// The entry of that key in that section.
#[must_use]
pub fn find(section: Section, key: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.section == section && entry.key == key)
}

/// Everything that holds keys on Apple's wires and is described here.
#[must_use]
pub fn holders() -> &'static [&'static Holder] {
    facts::HOLDERS
}

/// Every user restriction of Android that a device owner can set.
#[must_use]
pub fn user_restrictions() -> &'static [UserRestriction] {
    android::RESTRICTIONS
}

impl Entry {
    /// Its label and help, for those that a school uses.
    #[must_use]
    pub fn text(&self) -> Option<Text> {
        texts::text(self.section, self.key)
    }
}
