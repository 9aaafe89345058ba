//! What Apple published, as the facts beside this repository tell it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use apple::OsVersion;
use serde_norway::Value;

use crate::catalogue::{FactKind, Form};

/// A kind of payload, of declaration, or an item of the Settings command.
pub(super) struct PublishedHolder {
    pub(super) form: Form,
    pub(super) name: String,
    pub(super) since: OsVersion,
    pub(super) deprecated: Option<OsVersion>,
    pub(super) supervised: bool,
    pub(super) keys: Vec<PublishedKey>,
}

/// One of its keys. What it does not say itself, the key above it says, then the holder.
pub(super) struct PublishedKey {
    pub(super) path: String,
    pub(super) kind: FactKind,
    pub(super) since: OsVersion,
    pub(super) deprecated: Option<OsVersion>,
    pub(super) removed: Option<OsVersion>,
    pub(super) supervised: bool,
    pub(super) required: bool,
    pub(super) range: (Option<i64>, Option<i64>),
    pub(super) choices: Vec<String>,
    /// How tablets combine several declarations that say it.
    pub(super) combine: Option<String>,
}

/// The path of a file of the facts.
pub(super) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts").join(file)
}

/// Reads a file of the facts; says so loudly and gives `None` if it is not there.
pub(super) fn read(file: &str) -> Option<String> {
    let path = path(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) => {
            eprintln!("SKIPPED: the comparison with published facts: {}: {error}", path.display());
            None
        }
    }
}

/// Every profile payload, configuration declaration and item of Settings held for 27.0, and the payloads that are
/// held for 18.1 only.
pub(super) fn holders() -> Option<Vec<PublishedHolder>> {
    let newest: Value = serde_norway::from_str(&read("apple-27.0/facts-27.0.yaml")?).unwrap();
    let mut holders = Vec::new();
    for entry in newest.as_sequence().unwrap() {
        let (kind, id) = (text(entry, "kind").unwrap(), text(entry, "id").unwrap_or_default());
        match (kind.as_str(), id.as_str()) {
            ("profile", name) => holders.push(holder_27(entry, Form::Profile, name)),
            ("declaration", name) if name.starts_with("com.apple.configuration.") => {
                holders.push(holder_27(entry, Form::Declaration, name));
            }
            ("command", "Settings") => holders.extend(settings(entry)),
            _ => {}
        }
    }
    let known: Vec<String> = holders.iter().map(|holder| holder.name.clone()).collect();
    holders.extend(older_payloads(&known));
    holders.sort_by(|one, other| (one.form, &one.name).cmp(&(other.form, &other.name)));
    Some(holders)
}

fn holder_27(entry: &Value, form: Form, name: &str) -> PublishedHolder {
    let ios = entry.get("ios").unwrap();
    let mut holder = PublishedHolder {
        form,
        name: name.to_owned(),
        since: version(ios, "introduced").unwrap(),
        deprecated: version(ios, "deprecated"),
        supervised: supervised(ios).unwrap_or(false),
        keys: Vec::new(),
    };
    let keys: Vec<(String, &Value)> = entry
        .get("keys")
        .and_then(Value::as_sequence)
        .into_iter()
        .flatten()
        .map(|key| (text(key, "path").unwrap(), key))
        .collect();
    holder.keys = inherit(&holder, &keys);
    holder
}

/// The items of the Settings command, each a holder of its own.
fn settings(entry: &Value) -> Vec<PublishedHolder> {
    let mut items: BTreeMap<String, Vec<(String, &Value)>> = BTreeMap::new();
    let mut heads: BTreeMap<String, &Value> = BTreeMap::new();
    for key in entry.get("keys").and_then(Value::as_sequence).unwrap() {
        let full = text(key, "path").unwrap();
        let Some(rest) = full.strip_prefix("Settings.").filter(|_| text(key, "in").is_none()) else {
            continue;
        };
        match rest.split_once('.') {
            None => drop(heads.insert(rest.to_owned(), key)),
            Some((_, "Item")) => {}
            Some((item, path)) => items.entry(item.to_owned()).or_default().push((path.to_owned(), key)),
        }
    }
    let items = items.into_iter().map(|(name, keys)| {
        let head = heads[&name];
        let mut holder = PublishedHolder {
            form: Form::Setting,
            name,
            // The command itself came with iOS 5.
            since: version(head, "introduced").unwrap_or(OsVersion::new(5, 0)),
            deprecated: version(head, "deprecated"),
            supervised: supervised(head).unwrap_or(false),
            keys: Vec::new(),
        };
        holder.keys = inherit(&holder, &keys);
        holder
    });
    items.collect()
}

fn inherit(holder: &PublishedHolder, keys: &[(String, &Value)]) -> Vec<PublishedKey> {
    let said: BTreeMap<&str, &Value> = keys.iter().map(|(path, key)| (path.as_str(), *key)).collect();
    let mut found: Vec<PublishedKey> = keys
        .iter()
        .map(|(path, key)| {
            // The key itself, then each above it.
            let mut above = vec![*key];
            let mut rest = path.as_str();
            while let Some((parent, _)) = rest.rsplit_once('.') {
                above.extend(said.get(parent).copied());
                rest = parent;
            }
            let first = |name: &str| above.iter().find_map(|key| version(key, name));
            let range = key.get("range");
            let end = |name: &str| range.and_then(|range| range.get(name)).and_then(Value::as_i64);
            PublishedKey {
                path: path.clone(),
                kind: kind(text(key, "type").as_deref()),
                since: first("introduced").unwrap_or(holder.since),
                deprecated: first("deprecated"),
                removed: first("removed"),
                supervised: above.iter().find_map(|key| supervised(key)).unwrap_or(holder.supervised),
                required: text(key, "presence").as_deref() == Some("required"),
                range: (end("min"), end("max")),
                choices: choices(key),
                combine: text(key, "combine"),
            }
        })
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// The payloads of the 18.1 schema that iOS knows, without those whose newer text is held.
fn older_payloads(known: &[String]) -> Vec<PublishedHolder> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path("apple-18.1/mdm/profiles"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    // Looked at before it is read: some refer to themselves without end.
    let is_needed = |text: &String| {
        let name = text.lines().find_map(|line| line.trim().strip_prefix("payloadtype: "));
        let is_new = name.is_some_and(|name| known.iter().all(|known| known != name));
        let head = text.split("\npayloadkeys:").next().unwrap();
        is_new && !head.contains("    iOS:\n      introduced: n/a\n")
    };
    texts.filter(is_needed).filter_map(|text| older_payload(&text)).collect()
}

fn older_payload(schema: &str) -> Option<PublishedHolder> {
    let document: Value = serde_norway::from_str(schema).unwrap();
    let payload = document.get("payload").unwrap();
    let ios = payload.get("supportedOS").and_then(|systems| systems.get("iOS"))?;
    let mut holder = PublishedHolder {
        form: Form::Profile,
        name: text(payload, "payloadtype")?,
        since: version(ios, "introduced")?,
        deprecated: version(ios, "deprecated"),
        supervised: supervised(ios).unwrap_or(false),
        keys: Vec::new(),
    };
    let mut flat = Vec::new();
    flatten(document.get("payloadkeys"), "", &mut flat);
    let keys: Vec<(String, &Value)> = flat.iter().map(|(path, key)| (path.clone(), key)).collect();
    holder.keys = inherit(&holder, &keys);
    Some(holder)
}

/// Nested keys as the facts at 27.0 write them: flat, with what iOS says of each beside it.
fn flatten(keys: Option<&Value>, prefix: &str, flat: &mut Vec<(String, Value)>) {
    for key in keys.and_then(Value::as_sequence).into_iter().flatten() {
        let ios = key.get("supportedOS").and_then(|systems| systems.get("iOS"));
        if ios.and_then(|ios| text(ios, "introduced")).as_deref() == Some("n/a") {
            continue;
        }
        let path = format!("{prefix}{}", text(key, "key").unwrap());
        let mut said = ios.cloned().unwrap_or_else(|| Value::Mapping(serde_norway::Mapping::default()));
        let mapping = said.as_mapping_mut().unwrap();
        for (ours, theirs) in [("presence", "presence"), ("range", "range"), ("allowed_values", "rangelist")]
        {
            if let Some(value) = key.get(theirs) {
                mapping.insert(ours.into(), value.clone());
            }
        }
        let kind = text(key, "type").unwrap().trim_matches(['<', '>']).to_owned();
        mapping.insert("type".into(), kind.into());
        flat.push((path.clone(), said));
        flatten(key.get("subkeys"), &format!("{path}."), flat);
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn version(value: &Value, key: &str) -> Option<OsVersion> {
    text(value, key).filter(|text| text != "n/a").map(|text| text.parse().unwrap())
}

fn supervised(value: &Value) -> Option<bool> {
    if let Some(enrolments) = value.get("allowed_enrolments").and_then(Value::as_sequence) {
        return Some(enrolments.iter().all(|enrolment| enrolment.as_str() == Some("supervised")));
    }
    value.get("supervised").and_then(Value::as_bool)
}

fn kind(text: Option<&str>) -> FactKind {
    match text {
        Some("boolean") => FactKind::Boolean,
        Some("integer") => FactKind::Integer,
        Some("real") => FactKind::Real,
        Some("string" | "hostname" | "url") => FactKind::String,
        Some("data") => FactKind::Data,
        Some("date") => FactKind::Date,
        Some("array") => FactKind::Array,
        Some("dictionary") => FactKind::Dictionary,
        Some("any") => FactKind::Any,
        None => FactKind::Unknown,
        Some(other) => panic!("a type of key that this reader does not know: {other}"),
    }
}

fn choices(key: &Value) -> Vec<String> {
    let values = key.get("allowed_values").and_then(Value::as_sequence).into_iter().flatten();
    values
        .map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => panic!("a value that this reader does not know: {other:?}"),
        })
        .collect()
}
