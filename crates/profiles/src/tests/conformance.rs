//! Holds what is rendered to what Apple publishes: every key exists, has its type, its version and its supervision.

use std::collections::BTreeSet;

use apple::OsVersion;
use apple::plist::{Dictionary, Value as Plist};
use apple::profile::{Profile, declaration_erasing_keys};
use serde_json::Value as Json;

use crate::catalogue::{Fact, FactKind, Form, Holder, holders};
use crate::render::{IpadRendering, IpadTarget};

/// Holds a rendering to the table of facts; says how many keys were looked at.
pub(super) fn conforms(rendering: &IpadRendering, target: IpadTarget) -> usize {
    let mut checked = 0;
    // Read back as a tablet would.
    let profile = Profile::parse(&rendering.profile.to_xml()).unwrap();
    assert_eq!(profile.removal_disallowed, target.supervised.then_some(true));
    assert!(profile.erasing_keys().is_empty() && !profile.contains_mdm_payload());
    for payload in profile.payloads() {
        let holder = holder(Form::Profile, &payload.header.payload_type);
        let mut dictionary = payload.to_dictionary();
        for key in [
            "PayloadIdentifier",
            "PayloadUUID",
            "PayloadType",
            "PayloadVersion",
            "PayloadDisplayName",
            "PayloadOrganization",
        ] {
            assert!(dictionary.remove(key).is_some(), "{key}");
        }
        checked += document(holder, &json_of(&dictionary), target);
    }
    for declaration in &rendering.declarations {
        assert!(target.version >= OsVersion::new(17, 0), "{}", declaration.identifier);
        assert!(declaration_erasing_keys(&declaration.declaration_type, &declaration.payload).is_empty());
        if declaration.declaration_type == "com.apple.activation.simple" {
            let named: BTreeSet<&str> = declaration.payload["StandardConfigurations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            let others = rendering.declarations.iter().map(|other| other.identifier.as_str());
            assert_eq!(named, others.filter(|name| *name != declaration.identifier).collect());
            continue;
        }
        let holder = holder(Form::Declaration, &declaration.declaration_type);
        checked += document(holder, &declaration.payload, target);
    }
    checked
}

fn holder(form: Form, name: &str) -> &'static Holder {
    holders()
        .iter()
        .find(|holder| holder.form == form && holder.name == name)
        .unwrap_or_else(|| panic!("{name} is not described"))
}

fn document(holder: &'static Holder, values: &Json, target: IpadTarget) -> usize {
    assert!(holder.since <= target.version, "{} is not known to {}", holder.name, target.version);
    assert!(!holder.supervised || target.supervised, "{} needs supervision", holder.name);
    let required = |below: &str| -> Vec<&'static str> {
        let direct = |fact: &&Fact| {
            let rest = if below.is_empty() { Some(fact.key) } else { fact.key.strip_prefix(below) };
            rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('.'))
        };
        holder.keys.iter().filter(direct).filter(|fact| fact.required).map(|fact| fact.key).collect()
    };
    let mut checked = 0;
    walk(holder, "", values, target, &required, &mut checked);
    checked
}

fn walk(
    holder: &'static Holder,
    path: &str,
    value: &Json,
    target: IpadTarget,
    required: &dyn Fn(&str) -> Vec<&'static str>,
    checked: &mut usize,
) {
    let Json::Object(members) = value else { panic!("{} {path}: {value}", holder.name) };
    let below = if path.is_empty() { String::new() } else { format!("{path}.") };
    for key in required(&below) {
        let last = key.rsplit('.').next().unwrap();
        assert!(last == "ANY" || members.contains_key(last), "{} lacks {key}", holder.name);
    }
    for (key, value) in members {
        let fact = fact(holder, &below, key);
        let place = format!("{} {}", holder.name, fact.key);
        assert!(fact.since <= target.version, "{place} is not known to {}", target.version);
        assert!(fact.removed.is_none_or(|removed| target.version < removed), "{place} is gone");
        assert!(!fact.supervised || target.supervised, "{place} needs supervision");
        one(holder, fact, value, target, required, checked);
    }
}

fn one(
    holder: &'static Holder,
    fact: &'static Fact,
    value: &Json,
    target: IpadTarget,
    required: &dyn Fn(&str) -> Vec<&'static str>,
    checked: &mut usize,
) {
    let place = format!("{} {} = {value}", holder.name, fact.key);
    *checked += 1;
    match fact.kind {
        FactKind::Boolean => assert!(value.is_boolean(), "{place}"),
        FactKind::Integer => {
            let number = value.as_i64().unwrap_or_else(|| panic!("{place}"));
            assert!(fact.range.0.is_none_or(|least| number >= least), "{place}");
            assert!(fact.range.1.is_none_or(|most| number <= most), "{place}");
        }
        FactKind::Real => assert!(value.is_f64(), "{place}"),
        FactKind::String | FactKind::Data => assert!(value.is_string(), "{place}"),
        FactKind::Any => {}
        FactKind::Dictionary => walk(holder, fact.key, value, target, required, checked),
        FactKind::Array => {
            let below = format!("{}.", fact.key);
            let item = holder
                .keys
                .iter()
                .find(|item| item.key.strip_prefix(&below).is_some_and(|rest| !rest.contains('.')))
                .unwrap_or_else(|| panic!("{place}: no item is published"));
            for value in value.as_array().unwrap_or_else(|| panic!("{place}")) {
                one(holder, item, value, target, required, checked);
            }
        }
        FactKind::Date | FactKind::Unknown => panic!("{place}: not of a kind that is written"),
    }
    if !fact.choices.is_empty() && !value.is_array() {
        let word = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert!(fact.choices.contains(&word.as_str()), "{place}: one of {:?}", fact.choices);
    }
}

/// The fact of a key, or of `ANY` where names are free.
fn fact(holder: &'static Holder, below: &str, key: &str) -> &'static Fact {
    let named = |name: &str| holder.keys.iter().find(|fact| fact.key == format!("{below}{name}"));
    named(key).or_else(|| named("ANY")).unwrap_or_else(|| panic!("{} has no {below}{key}", holder.name))
}

fn json_of(dictionary: &Dictionary) -> Json {
    let value = |value: &Plist| -> Json { plist_json(value) };
    Json::Object(dictionary.iter().map(|(key, one)| (key.clone(), value(one))).collect())
}

fn plist_json(value: &Plist) -> Json {
    match value {
        Plist::Boolean(value) => Json::from(*value),
        Plist::Integer(value) => Json::from(value.as_signed().unwrap()),
        Plist::Real(value) => Json::from(*value),
        Plist::String(value) => Json::from(value.as_str()),
        Plist::Data(bytes) => Json::from(format!("{} bytes", bytes.len())),
        Plist::Array(items) => items.iter().map(plist_json).collect(),
        Plist::Dictionary(dictionary) => json_of(dictionary),
        other => panic!("{other:?}"),
    }
}
