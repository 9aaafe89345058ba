//! The web filter. The whole of it belongs to the base (C3.1.5); another layer may forbid more, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::names::{BundleId, Host, WebAddress};
use crate::reading::{At, Notes, Table};

/// What iPadOS's own filter does, and a filter of another maker beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Whether adult sites are recognised and refused.
    pub automatic: bool,
    /// Addresses that are open whatever the automatic filter thinks.
    pub permitted: BTreeSet<WebAddress>,
    /// What any layer may add.
    pub tightening: Tightening,
    /// A filter of another maker.
    pub plugin: Option<FilterPlugin>,
}

/// What is forbidden beyond the base's filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tightening {
    /// Addresses that are refused.
    pub denied: BTreeSet<WebAddress>,
    /// The only addresses that open, with what their bookmark is called; all if `None`.
    pub only: Option<BTreeMap<WebAddress, Bookmark>>,
}

/// What a bookmark is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bookmark {
    /// Its title.
    pub title: String,
}

/// A filter of another maker, which is an app on the tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterPlugin {
    /// What people call it.
    pub name: String,
    /// The app.
    pub bundle: BundleId,
    /// The maker's server.
    pub server: Option<Host>,
    /// How the maker knows the organisation.
    pub organisation: Option<String>,
    /// Whether what browsers ask for is filtered.
    pub browsers: bool,
    /// The part of the app that filters everything else, if it is filtered.
    pub sockets: Option<BundleId>,
    /// Settings of the maker's.
    pub configuration: BTreeMap<String, String>,
    /// Whether it logs who asks for what, wherever the tablet is (C3.1.5).
    pub keeps_log: bool,
}

impl Filter {
    /// Whether what is asked for at home would be logged.
    #[must_use]
    pub fn logs_home_traffic(&self) -> bool {
        self.plugin.as_ref().is_some_and(|plugin| plugin.keeps_log)
    }

    /// Whether it refuses anything at all by itself.
    #[must_use]
    pub const fn filters(&self) -> bool {
        self.automatic || self.plugin.is_some() || self.tightening.only.is_some()
    }
}

/// Reads `[filter]` of a base.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<Filter>> {
    let line = table.line();
    let automatic = table.boolean("automatic", notes).is_some_and(|value| value.value);
    let permitted = table.set::<WebAddress>("permitted", notes);
    let tightening = tightening(&mut table, notes);
    let plugin = table.table("plugin", notes).map(|table| plugin(table, notes));
    if let Some(permitted) = &permitted
        && !automatic
    {
        let right = "leave it out, or write automatic = true";
        notes.error(permitted.line, table.path_of("permitted"), "are exceptions to no filter", right);
    }
    table.finish(notes);
    let filter = Filter {
        automatic,
        permitted: permitted.map(|permitted| permitted.value).unwrap_or_default(),
        tightening,
        // A plugin that could not be read is an error already.
        plugin: plugin.flatten(),
    };
    Some(At { value: filter, line })
}

/// Reads `[filter]` of another layer.
pub(crate) fn read_tightening(mut table: Table<'_>, notes: &mut Notes<'_>) -> At<Tightening> {
    let line = table.line();
    let value = tightening(&mut table, notes);
    for key in ["automatic", "permitted", "plugin"] {
        if let Some(taken) = table.take(key) {
            notes.breach(
                types::RuleId::C3_1_5,
                taken.line,
                taken.path,
                "belongs to the base, whose filter no other layer changes",
                "a layer may add `denied` and `only`",
            );
        }
    }
    table.finish(notes);
    At { value, line }
}

fn tightening(table: &mut Table<'_>, notes: &mut Notes<'_>) -> Tightening {
    let denied = table.set::<WebAddress>("denied", notes);
    if let Some(denied) = denied.as_ref().filter(|denied| denied.value.len() > 500) {
        let what = format!("holds {} addresses", denied.value.len());
        notes.error(
            denied.line,
            table.path_of("denied"),
            what,
            "tablets read 500: use a filter of another maker",
        );
    }
    let only = table.table("only", notes).map(|mut table| {
        let mut pages = BTreeMap::new();
        for (title, taken) in table.take_all() {
            if title.chars().any(char::is_control) || title.chars().count() > 64 || title.trim().is_empty() {
                notes.error(taken.line, taken.path, "is no title", "expected 1 to 64 printable characters");
            } else if let Some(address) = taken.into_parsed::<WebAddress>(notes) {
                pages.insert(address.value, Bookmark { title });
            }
        }
        if pages.is_empty() {
            let right = "name a page, or leave the table out: tablets read an empty list as no list";
            notes.error(table.line(), table.path(), "is empty", right);
        }
        pages
    });
    Tightening { denied: denied.map(|denied| denied.value).unwrap_or_default(), only }
}

fn plugin(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<FilterPlugin> {
    let line = table.line();
    let name = table.text("name", 64, notes);
    let bundle = table.parsed::<BundleId>("bundle", notes);
    let server = table.parsed::<Host>("server", notes);
    let organisation = table.text("organisation", 128, notes);
    let browsers = table.boolean("browsers", notes).is_some_and(|value| value.value);
    let sockets = table.parsed::<BundleId>("sockets", notes);
    let keeps_log = table.boolean("keeps-log", notes);
    let mut configuration = BTreeMap::new();
    if let Some(mut settings) = table.table("configuration", notes) {
        for (key, taken) in settings.take_all() {
            if let Some(text) = taken.into_text(1024, notes) {
                configuration.insert(key, text.value);
            }
        }
    }
    if name.is_none() {
        table.missing("name", "expected what people call the filter", notes);
    }
    if bundle.is_none() {
        table.missing("bundle", "expected the identifier of the filter's app", notes);
    }
    if !browsers && sockets.is_none() {
        notes.error(line, table.path(), "filters nothing", "write browsers = true, or name `sockets`");
    }
    if keeps_log.is_none() {
        table.missing("keeps-log", "expected true or false: does the filter log who asks for what?", notes);
    }
    table.finish(notes);
    Some(FilterPlugin {
        name: name?.value,
        bundle: bundle?.value,
        server: server.map(|server| server.value),
        organisation: organisation.map(|name| name.value),
        browsers,
        sockets: sockets.map(|sockets| sockets.value),
        configuration,
        keeps_log: keeps_log?.value,
    })
}
