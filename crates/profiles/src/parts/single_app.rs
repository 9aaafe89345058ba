//! One app, and nothing else: for an examination.

use std::collections::BTreeMap;

use crate::catalogue::APP_LOCK;
use crate::names::BundleId;
use crate::reading::{At, Notes, Table, described};

/// The only app that opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleApp {
    /// The app.
    pub bundle: BundleId,
    /// What the tablet does not do meanwhile, or does for its user: Apple's own keys.
    pub options: BTreeMap<&'static str, bool>,
    /// Aids that the user may turn on.
    pub user_options: BTreeMap<&'static str, bool>,
}

/// Reads `[single-app]`.
pub(crate) fn read(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<At<SingleApp>> {
    let line = table.line();
    let bundle = table.parsed::<BundleId>("bundle", notes);
    let options = table.table("options", notes).map(|table| switches(table, "App.Options.", notes));
    let user_options =
        table.table("user-options", notes).map(|table| switches(table, "App.UserEnabledOptions.", notes));
    if bundle.is_none() {
        table.missing("bundle", "expected the identifier of the app", notes);
    }
    table.finish(notes);
    let single = SingleApp {
        bundle: bundle?.value,
        options: options.unwrap_or_default(),
        user_options: user_options.unwrap_or_default(),
    };
    Some(At { value: single, line })
}

/// The switches below that path in the table of facts.
fn switches(mut table: Table<'_>, below: &str, notes: &mut Notes<'_>) -> BTreeMap<&'static str, bool> {
    let known: Vec<&'static str> =
        APP_LOCK.keys.iter().filter_map(|fact| fact.key.strip_prefix(below)).collect();
    let mut switches = BTreeMap::new();
    for (key, taken) in table.take_all() {
        let Some(known) = known.iter().find(|known| **known == key) else {
            let right = format!("known here: {}", known.join(", "));
            notes.error(taken.line, taken.path, "there is no such key", right);
            continue;
        };
        match taken.value {
            toml::de::DeValue::Boolean(value) => drop(switches.insert(*known, value)),
            ref other => notes.error(taken.line, taken.path, described(other), "expected true or false"),
        }
    }
    switches
}
