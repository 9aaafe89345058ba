//! Segments against a model of a tablet: whatever it begins with, it comes to have what it is given, and then rests.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use types::{Duration, Instant, ProfileVersionId, Supervision};

use super::everything::everything;
use super::layers::base_text;
use super::templates::{template, today};
use crate::render::{Frame, sketch_ipad};
use crate::segment::assemble;
use crate::segment::{
    Carrier, Declaring, Facts, Heard, IpadClass, Item, Known, Plan, Query, RuleState, Step, UpdateAction,
    next, rules, segment_key,
};
use crate::{Layer, combine, parse};

fn frame() -> Frame {
    Frame::new("fr.ardoise.configuration", "Département de l’Exemple").unwrap()
}

pub(super) fn class(version: &str, supervised: bool) -> IpadClass {
    let supervision = if supervised { Supervision::Supervised } else { Supervision::Unsupervised };
    IpadClass::of(version.parse().unwrap(), supervision).unwrap()
}

pub(super) fn plan_of(layers: &[Layer], class: IpadClass) -> Plan {
    let intent = combine(layers, None, today()).unwrap();
    let rendering = sketch_ipad(&intent, class.target(), &frame()).unwrap();
    assemble(&intent, class, &frame(), rendering).0
}

pub(super) fn start() -> Instant {
    Instant::from_millis(1_795_471_200_000)
}

/// A tablet: what it has, whether it takes what it is given, and how it answers.
#[derive(Debug, Clone)]
struct Model {
    profiles: BTreeMap<String, String>,
    declarations: Option<String>,
    settings: Option<String>,
    apps: BTreeSet<String>,
    version: apple::OsVersion,
    downloaded: bool,
    refuses: BTreeSet<Item>,
}

const OWN: (&str, &str) = ("fr.ardoise.configuration.profile.tablet", "OWN");

impl Model {
    fn new(version: &str) -> Self {
        Self {
            profiles: BTreeMap::from([("fr.ardoise.enrolment".to_owned(), "E".to_owned())]),
            declarations: None,
            settings: None,
            apps: BTreeSet::new(),
            version: version.parse().unwrap(),
            downloaded: false,
            refuses: BTreeSet::new(),
        }
    }

    fn facts(&self, now: Instant) -> Facts {
        Facts {
            version: Some(self.version),
            enrolment_profile: Some("fr.ardoise.enrolment".to_owned()),
            tablet_profile: Some((OWN.0.to_owned(), OWN.1.to_owned())),
            apps_may_be_listed: true,
            in_flight: false,
            now,
        }
    }

    /// Carries out a step and says what a tablet would.
    fn does(&mut self, step: &Step, item: &Item, plan: &Plan) -> Heard {
        if self.refuses.contains(item) {
            return Heard::Refused("the tablet does not want to".to_owned());
        }
        match step {
            Step::Ask(Query::Profiles) => return Heard::Profiles(self.profiles.clone()),
            Step::Ask(Query::Apps) => {
                return Heard::Apps(
                    self.apps.iter().map(|app| (app.clone(), "Managed".to_owned())).collect(),
                );
            }
            Step::Ask(Query::Device) | Step::Wait | Step::Rest { .. } => {}
            Step::InstallProfile => {
                drop(self.profiles.insert(plan.profile.clone(), plan.profile_uuid.clone()))
            }
            Step::InstallTabletProfile => drop(self.profiles.insert(OWN.0.to_owned(), OWN.1.to_owned())),
            Step::RemoveProfile(name) => {
                assert_ne!(name, "fr.ardoise.enrolment", "the enrolment profile is never removed");
                self.profiles.remove(name);
            }
            Step::Declare => self.declarations = plan.declarations_token.clone(),
            Step::Set => self.settings = plan.settings.as_ref().map(|settings| settings.token.clone()),
            Step::InstallApp(bundle) => drop(self.apps.insert(bundle.clone())),
            Step::RemoveApp(bundle) => drop(self.apps.remove(bundle)),
            Step::Update(UpdateAction::Download) => self.downloaded = true,
            Step::Update(UpdateAction::Install) if self.downloaded => {
                self.version = plan.update.as_ref().unwrap().version.parse().unwrap();
            }
            Step::Update(UpdateAction::Install) => {
                return Heard::Refused("nothing was downloaded".to_owned());
            }
        }
        Heard::Done
    }

    /// What it reports of its declarations.
    fn reports(&self, plan: &Plan) -> Vec<(String, Declaring)> {
        if self.declarations != plan.declarations_token {
            return Vec::new();
        }
        let holds = |token: &str| Declaring {
            token: token.to_owned(),
            active: true,
            valid: "valid".to_owned(),
            reasons: Vec::new(),
        };
        plan.declarations.iter().map(|one| (one.identifier.clone(), holds(&one.server_token))).collect()
    }
}

/// Goes on until the tablet rests. Says after how many steps, and how.
fn converge(model: &mut Model, known: &mut Known, plan: &Plan, now: Instant) -> (usize, Step) {
    for steps in 0..200 {
        let facts = model.facts(now);
        let own = facts.tablet_profile.clone();
        known.tidy(plan, own.as_ref(), facts.version);
        let step = next(plan, known, &facts);
        let Some((item, token)) = step.item(plan, &facts) else { return (steps, step) };
        known.ask(&item, &token, now);
        let heard = model.does(&step, &item, plan);
        known.hear(Some(&item), heard, &token, plan, now);
        known.report(true, model.reports(plan), &[], plan, now);
    }
    panic!("no rest after 200 steps: {known:?}");
}

fn layers() -> [Vec<Layer>; 3] {
    [everything(), vec![template("socle"), template("eleve")], vec![parse("t.toml", &base_text("")).unwrap()]]
}

const VERSIONS: [&str; 8] = ["15.0", "15.8.3", "16.7", "17.0", "17.4.1", "18.4", "26.1", "27.0"];

#[test]
fn what_is_written_for_a_class_is_what_is_written_for_each_of_its_versions() {
    let intent = combine(&everything(), None, today()).unwrap();
    for text in VERSIONS.iter().chain(&["16.1.9", "18.3.2", "26.4.1", "99.9"]) {
        for supervised in [true, false] {
            let class = class(text, supervised);
            let exact = crate::render::IpadTarget { version: text.parse().unwrap(), supervised };
            let of = |target| {
                let rendering = sketch_ipad(&intent, target, &frame()).unwrap();
                (rendering.profile.to_xml(), rendering.declarations, rendering.written, rendering.left_out)
            };
            assert_eq!(of(class.target()), of(exact), "{text}");
        }
    }
}

#[test]
fn t_a17_no_version_that_a_tablet_claims_makes_more_than_a_few_classes() {
    let all = IpadClass::all().count();
    assert!(all < 120, "{all} classes");
    assert_eq!(class("9999.9.9", true), class("28.0", true));
    assert_eq!(IpadClass::of("14.8".parse().unwrap(), Supervision::Supervised), None);
    assert_eq!(IpadClass::of("18.0".parse().unwrap(), Supervision::Unknown), None);
}

#[test]
fn the_token_changes_if_and_only_if_what_is_given_does() {
    let class = class("27.0", true);
    let plain = plan_of(&[parse("t.toml", &base_text("")).unwrap()], class);
    assert_eq!(plain.token, plan_of(&[parse("u.toml", &base_text("")).unwrap()], class).token);
    let other = plan_of(&everything(), class);
    assert_ne!(plain.token, other.token);
    assert_ne!(plain.declarations_token, other.declarations_token);
    assert_eq!(plain.profile, other.profile, "the name stays, so that an update replaces");
}

#[test]
fn a_segment_is_told_by_its_versions_in_their_order_and_its_class() {
    let id = |number: i64| ProfileVersionId::new(Instant::from_millis(number));
    let (one, two) = (id(1), id(2));
    let key = segment_key(&[one, two], class("18.0", true));
    assert_eq!(key, segment_key(&[one, two], class("18.0", true)));
    for other in [
        segment_key(&[two, one], class("18.0", true)),
        segment_key(&[one], class("18.0", true)),
        segment_key(&[one, two], class("18.0", false)),
        segment_key(&[one, two], class("27.0", true)),
    ] {
        assert_ne!(key, other);
    }
}

#[test]
fn every_rule_has_a_carrier_that_exists_and_no_rule_is_lost() {
    for text in VERSIONS {
        for supervised in [true, false] {
            let plan = plan_of(&everything(), class(text, supervised));
            assert!(plan.rules.len() > 40, "{text}: {}", plan.rules.len());
            for rule in &plan.rules {
                match &rule.carrier {
                    Carrier::Declaration(name) => {
                        assert!(
                            plan.declarations.iter().any(|one| one.identifier == *name),
                            "{text}: {rule:?}"
                        );
                    }
                    Carrier::App(bundle) => assert!(plan.apps.iter().any(|app| app.bundle == *bundle)),
                    Carrier::Settings => assert!(plan.settings.is_some(), "{text}: {rule:?}"),
                    Carrier::Update => assert!(plan.update.as_ref().unwrap().by_command),
                    Carrier::Unsupported { english, french, .. } => {
                        assert!(!english.is_empty() && !french.is_empty());
                    }
                    Carrier::Profile | Carrier::Present => {}
                }
            }
        }
    }
}

#[test]
fn what_is_for_tablets_of_another_maker_is_no_rule_of_an_ipads() {
    let layers = everything();
    let is_android = |what: &str| what.starts_with("android");
    let intent = combine(&layers, None, today()).unwrap();
    for text in VERSIONS {
        let class = class(text, true);
        let left = sketch_ipad(&intent, class.target(), &frame()).unwrap().left_out;
        assert!(left.iter().any(|left| is_android(&left.what)), "the layers say something of it");
        let plan = plan_of(&layers, class);
        assert!(!plan.rules.iter().any(|rule| is_android(&rule.what)), "{text}");
    }
}

#[test]
fn a_tablet_of_any_version_comes_to_rest_and_every_rule_it_can_do_was_reported() {
    for text in VERSIONS {
        for supervised in [true, false] {
            for layers in &layers() {
                let plan = plan_of(layers, class(text, supervised));
                let (mut model, mut known) = (Model::new(text), Known::default());
                let (steps, step) = converge(&mut model, &mut known, &plan, start());
                assert!(matches!(step, Step::Rest { delivered: true, .. }), "{text}: {step:?}");
                assert!(steps < 20, "{steps}");
                assert_eq!(model.profiles.get(&plan.profile), Some(&plan.profile_uuid));
                for rule in rules(&plan, &known, Some(model.version)) {
                    let is_done = matches!(rule.state, RuleState::Applied | RuleState::Unsupported { .. });
                    // A declaration does not say that an update was made.
                    assert!(is_done || rule.what == "os-update", "{text}: {rule:?}");
                }
                // Again: nothing to do.
                let (again, _step) = converge(&mut model, &mut known, &plan, start());
                assert_eq!(again, 0);
            }
        }
    }
}

#[test]
fn an_update_is_downloaded_before_it_is_installed_however_late_a_tablet_comes() {
    let plan = plan_of(&everything(), class("16.7", true));
    let update = plan.update.clone().unwrap();
    let wanted: apple::OsVersion = update.version.parse().unwrap();
    assert!(update.by_command && update.due_at() > start());

    let (mut model, mut known) = (Model::new("16.7"), Known::default());
    converge(&mut model, &mut known, &plan, start());
    assert!(model.downloaded && model.version < wanted, "downloaded, and not installed before its day");
    let (_steps, step) = converge(&mut model, &mut known, &plan, start());
    assert!(matches!(step, Step::Rest { until, .. } if until <= update.due_at()), "{step:?}");
    converge(&mut model, &mut known, &plan, update.due_at());
    assert_eq!(model.version, wanted, "at the hour itself");

    let (mut model, mut known) = (Model::new("16.7"), Known::default());
    converge(&mut model, &mut known, &plan, update.due_at().plus(Duration::from_secs(86_400)));
    assert_eq!(model.version, wanted, "one that slept through its day");
}

#[test]
fn c5_3_4_nothing_counts_as_applied_before_the_tablet_reported_it() {
    let plan = plan_of(&everything(), class("18.0", true));
    let mut known = Known::default();
    let not_yet =
        |known: &Known| rules(&plan, known, None).into_iter().all(|rule| rule.state != RuleState::Applied);
    assert!(not_yet(&known));
    // It said that it installed the profile: whether it has it, its list says.
    known.ask(&Item::Profile, &plan.profile_uuid, start());
    known.hear(Some(&Item::Profile), Heard::Done, &plan.profile_uuid, &plan, start());
    assert!(not_yet(&known));
    // Another content under the same name is not this one.
    let other = BTreeMap::from([(plan.profile.clone(), "another".to_owned())]);
    known.hear(Some(&Item::Profiles), Heard::Profiles(other), "", &plan, start());
    assert!(not_yet(&known));
}

#[test]
fn t_a21_what_is_refused_is_tried_ever_less_often_and_keeps_the_rest_from_nobody() {
    let plan = plan_of(&everything(), class("18.0", true));
    let (mut model, mut known) = (Model::new("18.0"), Known::default());
    model.refuses.insert(Item::Profile);
    let mut now = start();
    let mut waits = Vec::new();
    for _round in 0..10 {
        let (_steps, step) = converge(&mut model, &mut known, &plan, now);
        let Step::Rest { until, delivered } = step else { panic!("{step:?}") };
        assert!(!delivered);
        waits.push(until.since(now).as_secs());
        now = until;
    }
    assert_eq!(model.declarations, plan.declarations_token, "the rest was given");
    assert_eq!(waits.first(), Some(&900));
    assert!(waits.iter().all(|wait| *wait <= 86_400), "{waits:?}");
    let failed =
        rules(&plan, &known, None).into_iter().filter(|rule| matches!(rule.state, RuleState::Failed(_)));
    assert!(failed.count() > 5, "each rule of the profile says why");
    model.refuses.clear();
    let (_steps, step) = converge(&mut model, &mut known, &plan, now);
    assert!(matches!(step, Step::Rest { delivered: true, .. }), "{step:?}");
}

#[test]
fn c5_3_2_a_profile_that_went_is_noticed_once_and_installed_again() {
    let plan = plan_of(&everything(), class("18.0", true));
    let (mut model, mut known) = (Model::new("18.0"), Known::default());
    converge(&mut model, &mut known, &plan, start());
    let own = (OWN.0.to_owned(), OWN.1.to_owned());
    assert!(known.went_missing(&plan, Some(&own)).is_empty());
    model.profiles.remove(&plan.profile);
    let tomorrow = start().plus(Duration::from_secs(86_401));
    known.hear(Some(&Item::Profiles), Heard::Profiles(model.profiles.clone()), "", &plan, tomorrow);
    assert_eq!(known.went_missing(&plan, Some(&own)), [plan.profile.as_str()]);
    assert!(known.went_missing(&plan, Some(&own)).is_empty(), "said once");
    converge(&mut model, &mut known, &plan, tomorrow);
    assert!(model.profiles.contains_key(&plan.profile));
}

#[test]
fn t_a17_whatever_a_tablet_says_what_is_kept_of_it_is_bounded() {
    let plan = plan_of(&everything(), class("27.0", true));
    let mut known = Known::default();
    let long = "x".repeat(100_000);
    let many = |prefix: &str| -> BTreeMap<String, String> {
        (0..3_000).map(|number| (format!("{prefix}{number}"), long.clone())).collect()
    };
    known.hear(None, Heard::Apps(many("app")), "", &plan, start());
    let lies = (0..3_000).map(|number| (format!("d{number}"), Declaring::default()));
    known.report(false, lies, &[], &plan, start());
    let loud = plan.declarations.iter().map(|one| {
        let reasons = vec![long.clone(); 50];
        let valid = long.clone();
        (one.identifier.clone(), Declaring { token: long.clone(), active: true, valid, reasons })
    });
    known.report(false, loud.collect::<Vec<_>>(), &[], &plan, start());
    let kept = serde_json::to_vec(&known).unwrap().len();
    assert!(kept < 100_000, "{kept} bytes");
    known.report(true, Vec::new(), &[], &plan, start());
    assert!(known.declarations.is_empty(), "a full report replaces");
}

#[test]
fn the_items_of_steps_have_keys_that_read_back() {
    for item in [
        Item::Profiles,
        Item::Device,
        Item::Apps,
        Item::Profile,
        Item::TabletProfile,
        Item::Stale("fr.ardoise.configuration.old".to_owned()),
        Item::Declarations,
        Item::Settings,
        Item::App("com.apple.Pages".to_owned()),
        Item::StaleApp("com.apple.Pages".to_owned()),
        Item::Update,
    ] {
        assert_eq!(Item::of_key(&item.key()), Some(item));
    }
    assert_eq!(Item::of_key("ProfileList"), None);
    assert_eq!(Item::of_key("segment:nothing"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever it has at first, and in whatever order plans follow each other, it ends with what the last one gives.
    #[test]
    fn a_tablet_converges_from_anything(
        stale in proptest::collection::btree_map("[a-z]{1,6}", "[A-Z]{4}", 0..4),
        version in prop::sample::select(VERSIONS.to_vec()),
        supervised: bool,
        order in Just(vec![0_usize, 1, 2, 0]).prop_shuffle(),
    ) {
        let mut model = Model::new(version);
        for (name, uuid) in stale {
            model.profiles.insert(format!("fr.ardoise.configuration.{name}"), uuid.clone());
            model.profiles.insert(format!("com.other.{name}"), uuid);
        }
        let others = model.profiles.keys().filter(|name| name.starts_with("com.other")).count();
        let mut known = Known::default();
        let class = class(version, supervised);
        let mut last = None;
        for (round, which) in order.into_iter().enumerate() {
            let plan = plan_of(&layers()[which], class);
            let now = start().plus(Duration::from_secs(u64::try_from(round).unwrap() * 90_000));
            let (_steps, step) = converge(&mut model, &mut known, &plan, now);
            let at_rest = matches!(step, Step::Rest { delivered: true, .. });
            prop_assert!(at_rest, "{:?}", step);
            last = Some(plan);
        }
        let plan = last.unwrap();
        let ours: Vec<&String> = model.profiles.keys().filter(|name| name.starts_with(&plan.prefix)).collect();
        let expected = [plan.profile.clone(), OWN.0.to_owned()];
        prop_assert_eq!(ours, expected.iter().collect::<Vec<_>>());
        prop_assert_eq!(model.profiles.keys().filter(|name| name.starts_with("com.other")).count(), others);
        prop_assert!(model.profiles.contains_key("fr.ardoise.enrolment"));
        prop_assert_eq!(&model.declarations, &plan.declarations_token);
        let apps: BTreeSet<String> = plan.apps.iter().map(|app| app.bundle.clone()).collect();
        prop_assert!(apps.is_subset(&model.apps));
    }
}

#[test]
fn c5_2_3_a_supervised_ipad_that_should_be_back_says_on_its_lock_screen_where_it_belongs() {
    let (label, serial) = (Some("76-0001"), "DMPX00000001");
    let of = |belongs, supervised| {
        crate::segment::tablet_payload(label, serial, belongs, class("26.0", supervised), &frame())
    };
    let late = of(Some("Collège Jean Moulin"), true).unwrap();
    let usual = of(None, true).unwrap();
    let xml = |profile: &apple::profile::Profile| String::from_utf8(profile.to_xml()).unwrap();
    assert!(
        xml(&late).contains("À rapporter : Collège Jean Moulin – Département de l’Exemple – DMPX00000001")
    );
    assert!(!xml(&usual).contains("À rapporter") && xml(&usual).contains("76-0001"));
    assert_ne!(late.uuid, usual.uuid, "another content is another profile: the tablet is given it");
    assert!(of(Some("Collège Jean Moulin"), false).is_none(), "no other iPad takes such a profile");
}
