//! What is kept of what a tablet said, case by case.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use types::{Day, Duration, Instant};

use super::segments::start;
use crate::segment::{
    AppFrom, AppItem, Declared, Declaring, Heard, Item, Known, Listed, Plan, SettingsItem, UpdateItem,
};

pub(super) fn declared(kind: &str, name: &str, token: &str) -> Declared {
    Declared {
        kind: kind.to_owned(),
        declaration_type: format!("com.apple.{kind}.test"),
        identifier: name.to_owned(),
        server_token: token.to_owned(),
        payload: json!({ "Name": name }),
    }
}

/// An app of the App Store, with settings if it is given some: then it has a content.
pub(super) fn app(bundle: &str, settings: Option<&str>) -> AppItem {
    AppItem {
        bundle: bundle.to_owned(),
        from: AppFrom::Store(1),
        settings: settings.map(|text| types::Digest::of(text.as_bytes())),
        backup: false,
    }
}

/// Something of everything.
pub(super) fn plan() -> Plan {
    Plan {
        token: "T1".to_owned(),
        prefix: "ours.".to_owned(),
        profile: "ours.profile".to_owned(),
        profile_uuid: "P1".to_owned(),
        declarations: vec![
            declared("configuration", "ours.d1", "d1"),
            declared("configuration", "ours.d2", "d2"),
        ],
        declarations_token: Some("D1".to_owned()),
        settings: Some(SettingsItem { token: "S1".to_owned(), command: String::new() }),
        apps: vec![app("app.one", None), app("app.two", Some("s"))],
        declared_apps: BTreeMap::from([("ours.d2".to_owned(), app("app.three", None))]),
        update: Some(UpdateItem {
            version: "18.4".to_owned(),
            deadline: Day::of(start()).plus(3),
            by_command: true,
        }),
        rules: Vec::new(),
    }
}

pub(super) fn own() -> (String, String) {
    ("ours.own".to_owned(), "O1".to_owned())
}

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn listed(pairs: &[(&str, &str)]) -> Option<Listed> {
    Some(Listed { at: start(), items: map(pairs) })
}

pub(super) fn after(seconds: u64) -> Instant {
    start().plus(Duration::from_secs(seconds))
}

/// A tablet that told that it has all of the plan.
pub(super) fn complete() -> Known {
    let two = plan().apps[1].content();
    Known {
        profiles: listed(&[("ours.profile", "P1"), ("ours.own", "O1")]),
        declared: Some("D1".to_owned()),
        settings: Some(("S1".to_owned(), start())),
        apps: BTreeMap::from([("app.one".to_owned(), start()), ("app.two".to_owned(), start())]),
        app_contents: map(&[("app.two", &two)]),
        app_list: listed(&[("app.one", "Managed"), ("app.two", "Managed")]),
        device_at: Some(start()),
        declarations: [says("ours.d1", "d1", "valid", true), says("ours.d2", "d2", "valid", true)].into(),
        ..Known::default()
    }
}

pub(super) fn says(name: &str, token: &str, valid: &str, active: bool) -> (String, Declaring) {
    let (token, valid) = (token.to_owned(), valid.to_owned());
    (name.to_owned(), Declaring { token, active, valid, reasons: Vec::new() })
}

const EVERY: [fn() -> Item; 11] = [
    || Item::Profiles,
    || Item::Device,
    || Item::Apps,
    || Item::Profile,
    || Item::TabletProfile,
    || Item::Stale("ours.old".to_owned()),
    || Item::Declarations,
    || Item::Settings,
    || Item::App("app.one".to_owned()),
    || Item::StaleApp("app.old".to_owned()),
    || Item::Update,
];

#[test]
fn t_a21_what_is_asked_for_in_vain_waits_twice_as_long_each_time_and_a_day_at_most() {
    let (mut known, mut now, mut waits) = (Known::default(), start(), Vec::new());
    for _time in 0..10 {
        known.ask(&Item::Profile, "P1", now);
        let until = known.waits(&Item::Profile, "P1", now).unwrap();
        waits.push(until.since(now).as_secs());
        let tick = Duration::from_millis(1);
        assert_eq!(known.waits(&Item::Profile, "P1", until.minus(tick)), Some(until));
        assert_eq!(
            known.waits(&Item::Profile, "P1", until),
            None,
            "at that instant it may be asked for again"
        );
        now = until;
    }
    assert_eq!(waits, [900, 1_800, 3_600, 7_200, 14_400, 28_800, 57_600, 86_400, 86_400, 86_400]);
    known.ask(&Item::Profile, "P1", now);
    assert_eq!(known.waits(&Item::Profile, "P2", now), None, "another content waits for nothing");
    known.ask(&Item::Profile, "P2", now);
    let until = known.waits(&Item::Profile, "P2", now).unwrap();
    assert_eq!(until.since(now).as_secs(), 900, "and begins anew");
}

#[test]
fn a_refusal_is_kept_of_the_content_that_was_refused_and_no_longer_than_a_sentence() {
    let mut known = Known::default();
    let hear = |known: &mut Known, why: &str| {
        known.hear(Some(&Item::Settings), Heard::Refused(why.to_owned()), "S1", &plan(), start());
    };
    hear(&mut known, "nobody asked");
    assert_eq!(known, Known::default());
    known.ask(&Item::Settings, "S1", start());
    hear(&mut known, &"é".repeat(400));
    assert_eq!(known.refusal(&Item::Settings, "S1"), Some("é".repeat(300).as_str()));
    assert_eq!(known.refusal(&Item::Settings, "S2"), None);
    assert_eq!(known.refusal(&Item::Profile, "S1"), None);
    known.ask(&Item::Settings, "S1", after(900));
    assert!(known.refusal(&Item::Settings, "S1").is_some(), "until it is done, or another is asked for");
    known.ask(&Item::Settings, "S2", after(900));
    assert_eq!(known.refusal(&Item::Settings, "S2"), None);
}

#[test]
fn c3_1_6_of_a_list_only_what_is_ours_is_kept() {
    let mut known = Known { apps: BTreeMap::from([("app.old".to_owned(), start())]), ..Known::default() };
    for item in [Item::Profiles, Item::Apps] {
        known.ask(&item, "", start());
    }
    let profiles = map(&[("ours.profile", "P1"), ("ours.old", "X"), ("theirs", "Y"), ("other.ours.", "Z")]);
    known.hear(Some(&Item::Profiles), Heard::Profiles(profiles), "", &plan(), after(1));
    let list = known.profiles.clone().unwrap();
    assert_eq!((list.at, list.items), (after(1), map(&[("ours.old", "X"), ("ours.profile", "P1")])));
    assert_eq!(known.tries.keys().collect::<Vec<_>>(), [&Item::Apps.key()]);

    let long = "x".repeat(400);
    let apps = map(&[("app.one", &long), ("app.old", "Managed"), ("com.private", "Managed")]);
    known.hear(Some(&Item::Apps), Heard::Apps(apps), "", &plan(), after(2));
    let list = known.app_list.clone().unwrap();
    assert_eq!(list.at, after(2));
    assert_eq!(list.items, map(&[("app.old", "Managed"), ("app.one", &"x".repeat(300))]));
    assert!(known.tries.is_empty());
}

#[test]
fn what_was_done_is_noted_and_whether_it_is_there_its_list_says() {
    let done = |item: Item, token: &str| {
        let mut known = complete();
        known.apps.insert("app.old".to_owned(), start());
        known.app_contents.insert("app.old".to_owned(), "old".to_owned());
        known.ask(&item, token, start());
        known.hear(Some(&item), Heard::Refused("no".to_owned()), token, &plan(), start());
        known.hear(Some(&item), Heard::Done, token, &plan(), after(5));
        let tries = known.tries.get(&item.key()).map(|one| one.why.is_some());
        (known, tries)
    };
    for item in [Item::Profile, Item::TabletProfile, Item::Stale("ours.old".to_owned())] {
        let (known, tries) = done(item.clone(), "P2");
        assert_eq!((known.profiles, tries), (None, Some(true)), "{item:?}");
    }
    let (known, tries) = done(Item::Declarations, "D2");
    assert_eq!((known.declared.as_deref(), tries), (Some("D2"), None));
    let (known, tries) = done(Item::Settings, "S2");
    assert_eq!((known.settings, tries), (Some(("S2".to_owned(), after(5))), None));
    let (known, tries) = done(Item::Update, "18.4 download");
    assert_eq!((known.update, tries), (Some(("18.4 download".to_owned(), after(5))), Some(true)));
    let (known, tries) = done(Item::Device, "");
    assert_eq!((known.device_at, tries), (Some(after(5)), None));

    let (known, tries) = done(Item::App("app.two".to_owned()), "another");
    assert_eq!((known.apps["app.two"], known.app_list, tries), (after(5), None, Some(false)));
    assert_eq!(known.app_contents["app.two"], "another");
    let (known, _tries) = done(Item::App("app.two".to_owned()), "");
    assert_eq!(known.app_contents.get("app.two"), None, "what the store gives has no content of its own");
    let (known, tries) = done(Item::StaleApp("app.old".to_owned()), "");
    assert!(!known.apps.contains_key("app.old") && !known.app_contents.contains_key("app.old"));
    assert_eq!((known.app_list, tries), (None, None));

    for item in [Item::Profiles, Item::Apps] {
        let before = complete();
        let mut known = before.clone();
        known.hear(Some(&item), Heard::Done, "", &plan(), after(5));
        known.hear(None, Heard::Done, "", &plan(), after(5));
        assert_eq!(known, before, "{item:?} that brings no list");
    }
}

#[test]
fn c3_1_2_a_tablet_lacks_an_app_until_it_told_that_it_has_what_was_decided() {
    let lacks = |spoil: &dyn Fn(&mut Known)| {
        let mut known = complete();
        spoil(&mut known);
        known.lacks(&plan()).map(|app| app.bundle.clone()).collect::<Vec<_>>()
    };
    assert!(lacks(&|_known| {}).is_empty());
    assert!(lacks(&|known| known.app_list = None).is_empty(), "apps may not be listed: it took them on");
    assert_eq!(lacks(&|known| known.app_list = listed(&[("app.two", "Managed")])), ["app.one"]);
    assert_eq!(lacks(&|known| known.apps.retain(|bundle, _at| bundle != "app.one")), ["app.one"]);
    assert_eq!(lacks(&|known| known.app_contents = map(&[("app.two", "another")])), ["app.two"]);
    assert_eq!(lacks(&|known| drop(known.declarations.remove("ours.d2"))), ["app.three"]);
    for said in [says("ours.d2", "old", "valid", true), says("ours.d2", "d2", "unknown", true)] {
        assert_eq!(lacks(&|known| known.declarations.extend([said.clone()])), ["app.three"], "{said:?}");
    }
    // Of an app that is installed by a declaration, its own declaration tells.
    assert!(lacks(&|known| drop(known.declarations.remove("ours.d1"))).is_empty());
}

#[test]
fn what_is_withheld_for_another_reason_is_said_again() {
    let mut known = Known::default();
    assert_eq!(
        known.withhold(map(&[("app.one", "no file"), ("app.two", "no file")])),
        ["app.one", "app.two"]
    );
    assert_eq!(known.withhold(map(&[("app.one", "another file"), ("app.two", "no file")])), ["app.one"]);
    assert!(known.withhold(BTreeMap::new()).is_empty());
    assert!(known.withheld.is_empty());
}

#[test]
fn c5_3_2_the_segments_profile_and_the_tablets_own_are_missed_and_no_other() {
    let own = own();
    let missed = |gone: &str| {
        let mut known = complete();
        known.profiles = listed(&[("ours.profile", "P1"), ("ours.own", "O1"), ("ours.old", "X")]);
        assert!(known.went_missing(&plan(), Some(&own)).is_empty());
        let confirmed: BTreeSet<String> = ["ours.own", "ours.profile"].map(str::to_owned).into();
        assert_eq!(known.confirmed, confirmed);
        known.profiles.as_mut().unwrap().items.remove(gone);
        known.went_missing(&plan(), Some(&own))
    };
    assert_eq!(missed("ours.profile"), ["ours.profile"]);
    assert_eq!(missed("ours.own"), ["ours.own"]);
    assert!(missed("ours.old").is_empty(), "it was to go");
    // One that it should no longer have is missed by nobody.
    let mut known = complete();
    known.went_missing(&plan(), Some(&own));
    known.profiles = listed(&[("ours.profile", "P1")]);
    assert!(known.went_missing(&plan(), None).is_empty());
}

#[test]
fn t_a17_a_report_speaks_of_the_plans_declarations_only() {
    let mut known = complete();
    let loud = Declaring { reasons: vec!["x".repeat(400); 6], ..says("", "d9", "invalid", true).1 };
    let reported = [("ours.d1".to_owned(), loud), says("theirs", "d1", "valid", true)];
    known.report(false, reported, &["ours.d2".to_owned()], &plan(), after(5));
    assert_eq!(known.declarations.keys().collect::<Vec<_>>(), ["ours.d1"], "what was removed is forgotten");
    let said = &known.declarations["ours.d1"];
    assert_eq!((said.token.as_str(), said.valid.as_str()), ("d9", "invalid"));
    assert_eq!(said.reasons, vec!["x".repeat(300); 4]);
    assert_eq!(known.declarations_at, Some(after(5)));
    known.report(true, [says("ours.d2", "d2", "valid", true)], &[], &plan(), after(6));
    assert_eq!(known.declarations.keys().collect::<Vec<_>>(), ["ours.d2"], "a full report replaces");
    let one = Plan { declarations: vec![declared("configuration", "ours.d1", "d1")], ..plan() };
    known.report(false, [], &[], &one, after(7));
    assert!(known.declarations.is_empty(), "what the plan has no more");
}

/// Which of the items that are asked for are still, once what is there or is not wanted any more was put away.
fn stay(plan: &Plan, version: &str, spoil: impl Fn(&mut Known)) -> Vec<Item> {
    let mut known = complete();
    for item in EVERY {
        known.ask(&item(), "", start());
    }
    spoil(&mut known);
    let own = own();
    known.tidy(plan, Some(&own), version.parse().ok());
    EVERY.iter().map(|item| item()).filter(|item| known.tries.contains_key(&item.key())).collect()
}

#[test]
fn what_is_there_or_not_given_any_more_is_asked_for_in_vain_no_longer() {
    // Questions and declarations are put away when they are answered.
    let always = [Item::Profiles, Item::Device, Item::Apps, Item::Declarations];
    let with = |more: &[Item]| {
        EVERY
            .iter()
            .map(|item| item())
            .filter(|item| always.contains(item) || more.contains(item))
            .collect::<Vec<_>>()
    };
    let app = || Item::App("app.one".to_owned());
    assert_eq!(stay(&plan(), "17.0", |_known| {}), with(&[Item::Settings, Item::Update]));
    let without = Plan { settings: None, update: None, ..plan() };
    assert_eq!(stay(&without, "17.0", |_known| {}), with(&[]));
    assert_eq!(stay(&plan(), "18.4", |_known| {}), with(&[Item::Settings]), "it has the version");
    let rest = [Item::Settings, Item::Update];
    let and = |item: Item| with(&[&rest[..], &[item]].concat());
    let profiles = |pairs: &'static [(&str, &str)]| move |known: &mut Known| known.profiles = listed(pairs);
    assert_eq!(
        stay(&plan(), "17.0", profiles(&[("ours.profile", "X"), ("ours.own", "O1")])),
        and(Item::Profile)
    );
    assert_eq!(
        stay(&plan(), "17.0", profiles(&[("ours.profile", "P1"), ("ours.own", "X")])),
        and(Item::TabletProfile)
    );
    let old = [("ours.profile", "P1"), ("ours.own", "O1"), ("ours.old", "X")];
    assert_eq!(
        stay(&plan(), "17.0", |known| known.profiles = listed(&old)),
        and(Item::Stale("ours.old".to_owned()))
    );
    let with_old = |known: &mut Known| known.apps.extend([("app.old".to_owned(), start())]);
    assert_eq!(stay(&plan(), "17.0", with_old), and(Item::StaleApp("app.old".to_owned())));
    assert_eq!(stay(&plan(), "17.0", |known| known.app_list = None), and(app()));
    assert_eq!(stay(&plan(), "17.0", |known| known.app_list = listed(&[("app.two", "Managed")])), and(app()));
    let another = |known: &mut Known| drop(known.app_contents.insert("app.one".to_owned(), "x".to_owned()));
    assert_eq!(stay(&plan(), "17.0", another), and(app()), "it is there in another content");
    let no_longer = Plan { apps: vec![plan().apps.remove(1)], ..plan() };
    assert_eq!(stay(&no_longer, "17.0", |known| known.app_list = None), with(&rest), "it is not given");
}

#[test]
fn what_was_asked_for_under_a_name_that_nobody_knows_is_forgotten() {
    let mut known = complete();
    known.ask(&Item::Device, "", start());
    let one = known.tries.values().next().unwrap().clone();
    known.tries.insert("segment:nothing".to_owned(), one);
    known.tidy(&plan(), None, None);
    assert_eq!(known.tries.keys().collect::<Vec<_>>(), [&Item::Device.key()]);
}
