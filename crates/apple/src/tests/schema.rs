//! Reads Apple's published schema, or the facts taken from it, as a flat list of keys.

use std::collections::BTreeMap;
use std::path::Path;

use serde_norway::Value;

/// What the schema says of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) kind: String,
    pub(super) presence: Option<String>,
}

/// The keys of one message, by path.
pub(super) type Facts = BTreeMap<String, Fact>;

/// One message: what is sent and what is answered.
pub(super) struct Entry {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) introduced: Option<String>,
    pub(super) supervised: Option<bool>,
    pub(super) request: Facts,
    pub(super) response: Facts,
}

/// Reads a file beside the repository; says so loudly and gives `None` if it is not there.
fn load(path: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/facts").join(path);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_norway::from_str(&text).unwrap()),
        Err(error) => {
            eprintln!("SKIPPED: the comparison with Apple's schema: {}: {error}", path.display());
            None
        }
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// The facts at 27.0: one flat list a message, answers marked `in: response`.
pub(super) fn facts_27() -> Option<Vec<Entry>> {
    let document = load("apple-27.0/facts-27.0.yaml")?;
    Some(document.as_sequence().unwrap().iter().map(entry_27).collect())
}

fn entry_27(entry: &Value) -> Entry {
    let (mut request, mut response) = (Facts::new(), Facts::new());
    for key in entry.get("keys").and_then(Value::as_sequence).into_iter().flatten() {
        let side = if text(key, "in").as_deref() == Some("response") { &mut response } else { &mut request };
        let fact = Fact { kind: text(key, "type").unwrap_or_default(), presence: text(key, "presence") };
        side.insert(text(key, "path").unwrap(), fact);
    }
    let ios = entry.get("ios");
    Entry {
        kind: text(entry, "kind").unwrap(),
        id: text(entry, "id").unwrap_or_default(),
        introduced: ios.and_then(|ios| text(ios, "introduced")),
        supervised: ios.and_then(|ios| ios.get("supervised")).and_then(Value::as_bool),
        request,
        response,
    }
}

/// A command of the schema as published with 18.1: nested keys, each with the systems that know it.
pub(super) fn schema_18(file: &str) -> Option<Entry> {
    let document = load(&format!("apple-18.1/mdm/commands/{file}"))?;
    let side = |name: &str| {
        let mut facts = Facts::new();
        flatten(document.get(name), "", &mut facts);
        facts
    };
    let payload = document.get("payload").unwrap();
    let ios = payload.get("supportedOS").and_then(|systems| systems.get("iOS")).unwrap();
    Some(Entry {
        kind: "command".to_owned(),
        id: text(payload, "requesttype").unwrap(),
        introduced: text(ios, "introduced"),
        supervised: ios.get("supervised").and_then(Value::as_bool),
        request: side("payloadkeys"),
        response: side("responsekeys"),
    })
}

fn flatten(keys: Option<&Value>, prefix: &str, facts: &mut Facts) {
    for key in keys.and_then(Value::as_sequence).into_iter().flatten() {
        let ios = key.get("supportedOS").and_then(|systems| systems.get("iOS"));
        if ios.and_then(|ios| text(ios, "introduced")).as_deref() == Some("n/a") {
            continue;
        }
        let path = format!("{prefix}{}", text(key, "key").unwrap());
        let kind = text(key, "type").unwrap().trim_matches(['<', '>']).to_owned();
        facts.insert(path.clone(), Fact { kind, presence: text(key, "presence") });
        flatten(key.get("subkeys"), &format!("{path}."), facts);
    }
}
