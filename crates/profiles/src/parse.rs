//! Reads a layer. What it may hold depends on whose it is: that is law, and is refused here, with the line that tries.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;
use types::{LoanMode, RuleId, Uai, UserKind};

use crate::catalogue::{Entry, Section, entries, find};
use crate::layer::{Contents, Layer, LayerKind, LayerName};
use crate::names::{BundleId, WebAddress};
use crate::parts::{self, Permitted};
use crate::problem::{Problem, Severity};
use crate::reading::{At, Notes, Table, Taken, described, nearest, whole_number};
use crate::value::{NotAdmitted, Value};
use crate::{advice, base, mode};

/// A layer's text, read: the layer if nothing is wrong with it, and what deserves a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The layer; `None` if a problem is an error.
    pub layer: Option<Layer>,
    /// Everything found, in the order of the lines.
    pub problems: Vec<Problem>,
}

/// Reads a layer, strictly.
///
/// # Errors
/// Everything that is wrong, with its line and what would be right. Advice is no error: [`inspect`] gives it too.
pub fn parse(file: &str, text: &str) -> Result<Layer, Vec<Problem>> {
    let Parsed { layer, problems } = inspect(file, text);
    layer.ok_or(problems)
}

/// Reads a layer, and tells all that is found.
#[must_use]
pub fn inspect(file: &str, text: &str) -> Parsed {
    let mut notes = Notes::new(file, text);
    let layer = notes.document().and_then(|document| layer(document, &mut notes));
    if let Some(layer) = &layer {
        if layer.is_base() {
            base::check(layer, &mut notes);
        }
        mode::check(layer, &mut notes);
        advice::give(layer, &mut notes);
    }
    let problems = notes.finish();
    let sound = problems.iter().all(|problem| problem.severity == Severity::Advice);
    Parsed { layer: layer.filter(|_| sound), problems }
}

fn layer(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<Layer> {
    let kind = kind(&mut table, notes);
    let title = table.text("title", 80, notes);
    let purpose = table.text("purpose", 400, notes);
    if title.is_none() {
        table.missing("title", "expected what people call this layer", notes);
    }
    if purpose.is_none() {
        table.missing("purpose", "expected what it is for, in a sentence", notes);
    }
    // Without its kind, nothing says what it may hold.
    let kind = kind?;
    let contents = contents(&kind, &mut table, notes);
    table.finish(notes);
    Some(Layer { name: LayerName { kind, title: title?.value }, purpose: purpose?.value, contents })
}

fn kind(table: &mut Table<'_>, notes: &mut Notes<'_>) -> Option<LayerKind> {
    const KINDS: &str = "expected base, emergency, user, college, mode or tablet";
    let Some(taken) = table.take("layer") else {
        table.missing("layer", KINDS, notes);
        return None;
    };
    let (line, path) = (taken.line, taken.path.clone());
    let word = taken.into_text(16, notes)?;
    match word.value.as_str() {
        "base" => Some(LayerKind::Base),
        "emergency" => Some(LayerKind::Emergency),
        "tablet" => Some(LayerKind::Tablet),
        "user" => match table.set::<UserKind>("for", notes) {
            Some(kinds) if !kinds.value.is_empty() => Some(LayerKind::User(kinds.value)),
            _ => {
                table.missing("for", "expected the kinds of users, such as [\"teacher\"]", notes);
                None
            }
        },
        "college" => {
            let uai = table.parsed::<Uai>("uai", notes);
            if uai.is_none() {
                table.missing("uai", "expected the collège's UAI code", notes);
            }
            uai.map(|uai| LayerKind::College(uai.value))
        }
        "mode" => {
            let mode = table.parsed::<LoanMode>("mode", notes);
            if mode.is_none() {
                table.missing("mode", "expected take-home, in-school, deposit, restricted or lost", notes);
            }
            mode.map(|mode| LayerKind::Mode(mode.value))
        }
        other => {
            notes.error(line, path, format!("is \"{}\"", crate::value::shortened(other)), KINDS);
            None
        }
    }
}

/// What a collège's layer may hold; everything else is the département's and académie's (C3.1.3).
const OF_A_COLLEGE: &[&str] = &["app", "web-clip", "wifi", "printer"];

fn contents(kind: &LayerKind, table: &mut Table<'_>, notes: &mut Notes<'_>) -> Contents {
    let mut contents = Contents::default();
    if matches!(kind, LayerKind::College(_)) {
        read_shared(&mut contents, table, notes);
        for (key, taken) in table.take_all() {
            let right = format!("a collège's layer holds {} only", OF_A_COLLEGE.join(", "));
            let what = if nearest(&key, OF_A_COLLEGE.iter().copied()).is_some() {
                "there is no such key"
            } else {
                "is decided by the département and the académie"
            };
            notes.breach(RuleId::C3_1_3, taken.line, taken.path, what, right);
        }
        return contents;
    }
    if matches!(kind, LayerKind::Base | LayerKind::Emergency) {
        contents.apps = keyed(table, "app", parts::read_app, notes);
        contents.filter = table.table("filter", notes).and_then(|table| parts::read_filter(table, notes));
    } else {
        if let Some(taken) = table.take("app") {
            notes.breach(
                RuleId::C3_1_2,
                taken.line,
                taken.path,
                "gives apps",
                "the base gives apps, and a collège adds some; another layer may only narrow them, by `[apps] only`",
            );
        }
        contents.tightening = table.table("filter", notes).map(|table| parts::read_tightening(table, notes));
    }
    read_settings(&mut contents, table, notes);
    read_places(&mut contents, table, notes);
    read_decided(&mut contents, table, notes);
    contents
}

/// What a collège adds: all of what its layer may hold.
fn read_shared(contents: &mut Contents, table: &mut Table<'_>, notes: &mut Notes<'_>) {
    contents.apps = keyed(table, "app", parts::read_app, notes);
    read_places(contents, table, notes);
}

/// Web clips, networks and printers: any layer may have some.
fn read_places(contents: &mut Contents, table: &mut Table<'_>, notes: &mut Notes<'_>) {
    contents.web_clips = keyed(table, "web-clip", parts::read_web_clip, notes);
    contents.wifi = keyed(table, "wifi", parts::read_wifi, notes);
    contents.printers = keyed(table, "printer", parts::read_printer, notes);
}

/// What the département and the académie decide together.
fn read_decided(contents: &mut Contents, table: &mut Table<'_>, notes: &mut Notes<'_>) {
    if let Some(mut apps) = table.table("apps", notes) {
        contents.permitted = apps.parsed::<Permitted>("permitted", notes);
        contents.only_apps = apps.set::<BundleId>("only", notes);
        if let Some(only) = contents.only_apps.as_ref().filter(|only| only.value.is_empty()) {
            notes.error(only.line, apps.path_of("only"), "is empty", "name an app, or leave it out");
        }
        apps.finish(notes);
    }
    if let Some(mut blocked) = table.table("blocked-apps", notes) {
        let mut listed = |key| {
            let list = blocked.list::<BundleId>(key, notes).map(|list| list.value).unwrap_or_default();
            list.into_iter().map(|at| (at.value, At { value: (), line: at.line })).collect()
        };
        contents.blocked = listed("bundles");
        contents.blocked_packages = listed("packages");
        blocked.finish(notes);
    }
    contents.certificates = keyed(table, "certificate", parts::read_certificate, notes);
    contents.bookmarks = keyed(table, "bookmark", read_bookmark, notes);
    contents.extensions = keyed(table, "safari-extension", parts::read_extension, notes);
    contents.notifications = keyed(table, "notification", parts::read_notification, notes);
    contents.proxy = table.table("proxy", notes).and_then(|table| parts::read_proxy(table, notes));
    contents.dns = table.table("dns", notes).and_then(|table| parts::read_dns(table, notes));
    contents.home_screen =
        table.table("home-screen", notes).and_then(|table| parts::read_home_screen(table, notes));
    contents.single_app =
        table.table("single-app", notes).and_then(|table| parts::read_single_app(table, notes));
    contents.os_update =
        table.table("os-update", notes).and_then(|table| parts::read_os_update(table, notes));
    if let Some(mut safari) = table.table("safari", notes) {
        contents.home_page = safari.parsed::<WebAddress>("home-page", notes);
        safari.finish(notes);
    }
}

fn read_bookmark(mut table: Table<'_>, notes: &mut Notes<'_>) -> Option<(WebAddress, At<parts::Bookmark>)> {
    let line = table.line();
    let title = table.text("title", 64, notes);
    let url = table.parsed::<WebAddress>("url", notes);
    if title.is_none() {
        table.missing("title", "expected what the bookmark is called", notes);
    }
    if url.is_none() {
        table.missing("url", "expected where it leads", notes);
    }
    table.finish(notes);
    Some((url?.value, At { value: parts::Bookmark { title: title?.value }, line }))
}

/// Reads `[[key]]`, each known by a name of its own that stands once.
fn keyed<'t, K, V>(
    table: &mut Table<'t>,
    key: &'static str,
    read: impl Fn(Table<'t>, &mut Notes<'_>) -> Option<(K, At<V>)>,
    notes: &mut Notes<'_>,
) -> BTreeMap<K, At<V>>
where
    K: Ord + std::fmt::Debug,
{
    let mut found: BTreeMap<K, At<V>> = BTreeMap::new();
    for item in table.tables(key, notes) {
        let path = item.path().to_owned();
        let Some((name, value)) = read(item, notes) else { continue };
        match found.get(&name) {
            Some(first) => {
                let what = format!("is the same as the one on line {}", first.line);
                notes.error(value.line, path, what, "say it once");
            }
            None => drop(found.insert(name, value)),
        }
    }
    found
}

/// The sections of the catalogue.
fn read_settings(contents: &mut Contents, table: &mut Table<'_>, notes: &mut Notes<'_>) {
    for section in Section::ALL {
        let Some(mut values) = table.table(section.as_str(), notes) else { continue };
        for (key, taken) in values.take_all() {
            let Some(entry) = find(*section, &key) else {
                unknown(*section, &key, &taken, notes);
                continue;
            };
            if let Some(never) = entry.never {
                let (line, path) = (taken.line, taken.path);
                match never.rule {
                    Some(rule) => notes.breach(rule, line, path, "cannot be set", never.why),
                    None => notes.error(line, path, "cannot be set", never.why),
                }
            } else if let Some(value) = value(entry, taken, notes) {
                contents.settings.insert(entry, value);
            }
        }
    }
}

/// A key that is not in its section: it may belong to another, be another key's newer name, or a slip.
fn unknown(section: Section, key: &str, taken: &Taken<'_>, notes: &mut Notes<'_>) {
    let elsewhere = entries().find(|entry| entry.key == key);
    let newer = entries().find(|entry| {
        entry.wires().any(|wire| wire.fact.key == key || wire.fact.key.rsplit('.').next() == Some(key))
    });
    let right = match (elsewhere.or(newer), nearest(key, in_section(section))) {
        (Some(entry), _) => format!("write `{entry}`"),
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("the catalogue has no such key in [{}]", section.as_str()),
    };
    notes.error(taken.line, taken.path.clone(), "there is no such key", right);
}

fn in_section(section: Section) -> impl Iterator<Item = &'static str> {
    entries().filter(move |entry| entry.section == section).map(|entry| entry.key)
}

fn value(entry: &'static Entry, taken: Taken<'_>, notes: &mut Notes<'_>) -> Option<At<Value>> {
    let (line, path) = (taken.line, taken.path.clone());
    let checked = match &taken.value {
        DeValue::Boolean(value) => Value::boolean(entry, *value),
        DeValue::Integer(_) => match whole_number(&taken.value) {
            Some(number) => Value::number(entry, number),
            None => Err(NotAdmitted { found: described(&taken.value), right: entry.admits() }),
        },
        DeValue::String(text) => Value::text(entry, text),
        DeValue::Array(_) => {
            let mut names = BTreeSet::new();
            for item in taken.into_items(notes)? {
                names.insert(item.into_text(200, notes)?.value);
            }
            Value::names(entry, names)
        }
        other => Err(NotAdmitted { found: described(other), right: entry.admits() }),
    };
    match checked {
        Ok(value) => Some(At { value, line }),
        Err(error) => {
            notes.error(line, path, error.found, format!("expected {}", error.right));
            None
        }
    }
}
