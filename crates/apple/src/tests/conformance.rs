//! Our descriptions beside Apple's schema: every key, its type, its presence; both ways.
//!
//! What differs is printed. A difference that is meant stands in [`EXCEPTIONS`] with its reason.

use std::collections::BTreeSet;

use super::schema::{Entry, Facts, facts_27, schema_18};
use crate::OsVersion;
use crate::checkin::{
    Authenticate, CheckOut, DeclarativeManagement, GetBootstrapToken, GetBootstrapTokenResponse, GetToken,
    GetTokenResponse, ReturnToService, ReturnToServiceResponse, SetBootstrapToken, TokenUpdate,
};
use crate::command::{FACTS, RequestType};
use crate::inventory;
use crate::machine_info::MachineInfo;
use crate::profile::{ERASING_KEYS, MdmPayload, PayloadHeader, Profile, ScepPayload};
use crate::wire::{KeyFact, Kind, Presence};

/// Differences that are meant: the message, the difference as it is printed (`*` for any end), why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("GetBootstrapToken", "ours only: UDID", "tablets name themselves in every check-in"),
    ("GetBootstrapToken", "ours only: EnrollmentID", "tablets name themselves in every check-in"),
    ("SetBootstrapToken", "ours only: UDID", "tablets name themselves in every check-in"),
    ("SetBootstrapToken", "ours only: EnrollmentID", "tablets name themselves in every check-in"),
    (
        "DeviceInformation",
        "presence of QueryResponses.AccessibilitySettings.*",
        "one struct with the Settings item, where the schema says optional",
    ),
    (
        "Settings",
        "ours only: Settings.DefaultApplications.Item",
        "the schema forgets the key that tells this item apart; 18.2 had it",
    ),
];

/// Walks our description and ticks off the schema's keys.
struct Comparison<'a> {
    facts: &'a Facts,
    seen: BTreeSet<&'a str>,
    differences: Vec<String>,
}

fn compare(ours: &[KeyFact], discriminator: Option<&str>, facts: &Facts) -> Vec<String> {
    let mut comparison = Comparison { facts, seen: BTreeSet::new(), differences: Vec::new() };
    if let Some(key) = discriminator {
        comparison.key(key, "string", Presence::Required);
    }
    comparison.keys("", ours);
    let theirs = facts.keys().filter(|path| !comparison.seen.contains(path.as_str()));
    let mut differences: Vec<String> = theirs.map(|path| format!("theirs only: {path}")).collect();
    differences.append(&mut comparison.differences);
    differences
}

impl<'a> Comparison<'a> {
    fn keys(&mut self, prefix: &str, ours: &[KeyFact]) {
        for fact in ours {
            let path = format!("{prefix}{}", fact.key);
            if self.key(&path, name_of(fact.kind), fact.presence) {
                self.inside(&path, fact.kind);
            }
        }
    }

    /// Compares one key; `false` if the schema does not have it.
    fn key(&mut self, path: &str, kind: &str, presence: Presence) -> bool {
        let Some((path, fact)) = self.facts.get_key_value(path) else {
            self.differences.push(format!("ours only: {path}"));
            return false;
        };
        self.seen.insert(path);
        if fact.kind != kind {
            self.differences.push(format!("type of {path}: ours {kind}, theirs {}", fact.kind));
        }
        let theirs = match fact.presence.as_deref() {
            Some("required") => Presence::Required,
            Some("optional") => Presence::Optional,
            _ => Presence::Unstated,
        };
        if theirs != presence {
            self.differences.push(format!("presence of {path}: ours {presence:?}, theirs {theirs:?}"));
        }
        true
    }

    fn inside(&mut self, path: &str, kind: Kind) {
        match kind {
            Kind::Dictionary(keys) => self.keys(&format!("{path}."), keys),
            Kind::Array(Kind::Choice(items)) => {
                self.keys(&format!("{path}."), items);
                for item in *items {
                    self.key(&format!("{path}.{}.Item", item.key), "string", Presence::Required);
                }
            }
            // The schema gives the items of an array, and the values of a map, a name of their own.
            Kind::Array(inner) | Kind::Map(inner) => {
                let children = self.children(path);
                let [child] = children.as_slice() else {
                    return self.differences.push(format!("{path} should have one kind of item"));
                };
                self.seen.insert(child);
                if self.facts[*child].kind != name_of(*inner) {
                    self.differences.push(format!("type of {child}: ours {}", name_of(*inner)));
                }
                self.inside(child, *inner);
            }
            Kind::Open => {
                let below = format!("{path}.");
                self.seen.extend(self.facts.keys().map(String::as_str).filter(|key| key.starts_with(&below)));
            }
            _ => {}
        }
    }

    fn children(&self, path: &str) -> Vec<&'a str> {
        let below = format!("{path}.");
        let facts: &'a Facts = self.facts;
        facts
            .keys()
            .map(String::as_str)
            .filter(|key| key.strip_prefix(&below).is_some_and(|rest| !rest.contains('.')))
            .collect()
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Real => "real",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Data => "data",
        Kind::Dictionary(_) | Kind::Map(_) | Kind::Open | Kind::Choice(_) => "dictionary",
        Kind::Array(_) => "array",
    }
}

/// Prints what differs and fails on what is not an exception; an exception that no longer differs fails too.
#[track_caller]
fn judge(compared: &[&str], differences: &[(String, String)]) {
    let is_meant = |id: &str, difference: &str, (exception, pattern, _): &(&str, &str, &str)| {
        *exception == id
            && match pattern.strip_suffix('*') {
                Some(beginning) => difference.starts_with(beginning),
                None => difference == *pattern,
            }
    };
    for (id, difference) in differences {
        eprintln!("{id}: {difference}");
    }
    let unexpected: Vec<_> = differences
        .iter()
        .filter(|(id, difference)| !EXCEPTIONS.iter().any(|exception| is_meant(id, difference, exception)))
        .collect();
    assert!(unexpected.is_empty(), "not in the exceptions: {unexpected:#?}");
    let stale: Vec<_> = EXCEPTIONS
        .iter()
        .filter(|(id, ..)| compared.contains(id))
        .filter(|exception| !differences.iter().any(|(id, text)| is_meant(id, text, exception)))
        .collect();
    assert!(stale.is_empty(), "exceptions that no longer differ: {stale:#?}");
}

fn named(id: &str, differences: Vec<String>) -> impl Iterator<Item = (String, String)> {
    differences.into_iter().map(move |difference| (id.to_owned(), difference))
}

#[track_caller]
fn entry<'a>(entries: &'a [Entry], kind: &str, id: &str) -> &'a Entry {
    entries
        .iter()
        .find(|entry| entry.kind == kind && entry.id == id)
        .unwrap_or_else(|| panic!("the schema has no {kind} {id}"))
}

#[test]
fn check_in_messages_have_the_schemas_keys() {
    let Some(entries) = facts_27() else { return };
    let ours: [(&str, &[KeyFact], &[KeyFact]); 8] = [
        ("Authenticate", Authenticate::KEYS, &[]),
        ("TokenUpdate", TokenUpdate::KEYS, &[]),
        ("CheckOut", CheckOut::KEYS, &[]),
        ("DeclarativeManagement", DeclarativeManagement::KEYS, &[]),
        ("GetBootstrapToken", GetBootstrapToken::KEYS, GetBootstrapTokenResponse::KEYS),
        ("SetBootstrapToken", SetBootstrapToken::KEYS, &[]),
        ("GetToken", GetToken::KEYS, GetTokenResponse::KEYS),
        ("ReturnToService", ReturnToService::KEYS, ReturnToServiceResponse::KEYS),
    ];
    assert_eq!(entries.iter().filter(|entry| entry.kind == "checkin").count(), ours.len());
    let mut differences = Vec::new();
    for (id, request, response) in ours {
        let theirs = entry(&entries, "checkin", id);
        differences.extend(named(id, compare(request, Some("MessageType"), &theirs.request)));
        differences.extend(named(id, compare(response, None, &theirs.response)));
    }
    judge(&ours.map(|(id, ..)| id), &differences);
}

#[test]
fn commands_and_answers_have_the_schemas_keys() {
    let Some(mut entries) = facts_27() else { return };
    assert_eq!(entries.iter().filter(|entry| entry.kind == "command").count(), FACTS.len());
    let mut differences = Vec::new();
    for (kind, request, response) in FACTS {
        let id = kind.as_str();
        let theirs = entries.iter_mut().find(|entry| entry.kind == "command" && entry.id == id).unwrap();
        // The schema lists the names of queries as if they were keys; another test compares those.
        theirs.request.retain(|path, _| !path.starts_with("Queries.QueriesItem."));
        differences.extend(named(id, compare(request, None, &theirs.request)));
        differences.extend(named(id, compare(response, None, &theirs.response)));
    }
    judge(&["DeviceInformation", "Settings"], &differences);
}

#[test]
fn commands_have_the_schemas_versions_and_supervision() {
    let Some(entries) = facts_27() else { return };
    for kind in RequestType::ALL {
        let theirs = entry(&entries, "command", kind.as_str());
        let introduced: OsVersion = theirs.introduced.as_ref().unwrap().parse().unwrap();
        assert_eq!(kind.min_os(), introduced, "{kind}");
        assert_eq!(kind.needs_supervision(), theirs.supervised.unwrap_or(false), "{kind}");
    }
}

#[test]
fn every_query_of_the_schema_is_judged_once() {
    let Some(entries) = facts_27() else { return };
    let theirs: BTreeSet<&str> = entry(&entries, "command", "DeviceInformation")
        .request
        .keys()
        .filter_map(|path| path.strip_prefix("Queries.QueriesItem."))
        .collect();
    let lists = [inventory::QUERIES, inventory::PERSONAL_QUERIES, inventory::UNUSED_QUERIES];
    let ours: Vec<&str> = lists.concat();
    assert_eq!(ours.iter().copied().collect::<BTreeSet<_>>(), theirs);
    assert_eq!(ours.len(), theirs.len(), "a query stands in two lists");
}

#[test]
fn profiles_and_machine_info_have_the_schemas_keys() {
    let Some(entries) = facts_27() else { return };
    let mut differences = Vec::new();
    for (kind, id, keys) in [
        ("profile", "TopLevel", Profile::KEYS),
        ("profile", "CommonPayloadKeys", PayloadHeader::KEYS),
        ("profile", "com.apple.security.scep", ScepPayload::KEYS),
        ("profile", "com.apple.mdm", MdmPayload::KEYS),
        ("other", "MachineInfo", MachineInfo::KEYS),
    ] {
        differences.extend(named(id, compare(keys, None, &entry(&entries, kind, id).request)));
    }
    judge(&[], &differences);
}

/// Keys whose names speak of erasing and do not erase by themselves: the key, why.
const HARMLESS: &[(&str, &str)] = &[
    ("allowEraseContentAndSettings", "lets the user erase, or not"),
    ("forcePreserveESIMOnErase", "keeps the eSIM when something else erases"),
    ("DeleteFeedback", "forgets what an app said, once we have read it"),
    ("DeleteAllUsers", "part of DeleteUser, which is listed whole"),
    ("TemporarySessionTimeout", "signs a guest out; only guests come by TemporarySessionOnly"),
    ("allowSharedDeviceTemporarySession", "allows guests, or not"),
];

#[test]
fn m3_every_key_of_the_schema_that_speaks_of_erasing_is_judged() {
    let Some(entries) = facts_27() else { return };
    let mut judged = BTreeSet::new();
    for entry in &entries {
        let keys = entry.request.keys().map(|path| (path, path.rsplit('.').next().unwrap()));
        for (path, key) in keys.filter(|(path, _)| !path.starts_with("Queries.QueriesItem.")) {
            let name = key.to_lowercase();
            let suspicious = ["erase", "wipe", "delete", "failedattempts", "temporarysession"];
            if !suspicious.iter().any(|word| name.contains(word)) {
                continue;
            }
            let listed = ERASING_KEYS.iter().any(|erasing| erasing.key == key && erasing.holder == entry.id);
            let harmless = HARMLESS.iter().any(|(harmless, _)| *harmless == key);
            assert!(listed != harmless, "{} {path} is to be judged, once", entry.id);
            judged.insert(key);
        }
    }
    assert_eq!(judged.len(), HARMLESS.len() + 3, "{judged:?}");
}

#[test]
fn update_commands_have_the_keys_of_the_schema_of_their_time() {
    for file in ["system.update.available.yaml", "system.update.schedule.yaml", "system.update.status.yaml"] {
        let Some(theirs) = schema_18(file) else { return };
        let (kind, request, response) =
            FACTS.iter().find(|(kind, ..)| kind.as_str() == theirs.id).expect("a command of ours");
        let mut differences = compare(request, None, &theirs.request);
        differences.extend(compare(response, None, &theirs.response));
        judge(&[], &named(kind.as_str(), differences).collect::<Vec<_>>());
        assert_eq!(kind.removed_in(), Some(OsVersion::new(27, 0)));
    }
}
