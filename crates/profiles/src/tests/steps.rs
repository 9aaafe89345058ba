//! The next step of a tablet, and how each of its rules stands, case by case.

use apple::ddm::DeclarationKind;
use types::{Day, Duration, Instant};

use super::known::{after, app, complete, declared, listed, map, own, plan, says};
use super::segments::{class, start};
use crate::render::Frame;
use crate::segment::{
    Carrier, Facts, Item, Known, Plan, Query, Rule, RuleState, Step, UpdateAction, UpdateItem, next, nothing,
    rules, tablet_payload,
};

const DAY: u64 = 86_400;

fn facts(now: Instant) -> Facts {
    Facts {
        version: Some("17.0".parse().unwrap()),
        enrolment_profile: Some("ours.enrolment".to_owned()),
        tablet_profile: Some(own()),
        apps_may_be_listed: true,
        in_flight: false,
        now,
    }
}

/// A tablet that has everything, the update that is to come downloaded.
fn settled() -> Known {
    Known { update: Some(("18.4 download".to_owned(), start())), ..complete() }
}

fn due() -> Instant {
    plan().update.unwrap().due_at()
}

fn rests(until: Instant, delivered: bool) -> Step {
    Step::Rest { until, delivered }
}

#[test]
fn an_update_is_due_at_six_in_the_evening_of_its_day_in_paris() {
    for (day, at) in [
        ("2026-11-28", "2026-11-28T17:00:00Z"),
        ("2026-07-01", "2026-07-01T16:00:00Z"),
        ("2027-03-28", "2027-03-28T16:00:00Z"),
    ] {
        let update = UpdateItem { deadline: day.parse().unwrap(), ..plan().update.unwrap() };
        assert_eq!(update.due_at(), at.parse().unwrap(), "{day}");
    }
    let update = plan().update.unwrap();
    for (version, met) in [("18.3", false), ("18.4", true), ("18.4.1", true)] {
        assert_eq!(update.is_met_by(version.parse().ok()), met, "{version}");
    }
    assert!(!update.is_met_by(None));
}

#[test]
fn a_tablet_that_told_that_it_has_everything_rests_until_something_is_to_be_looked_at_again() {
    assert_eq!(next(&plan(), &settled(), &facts(start())), rests(after(DAY), true));
    assert_eq!(next(&plan(), &settled(), &facts(after(60))), rests(after(DAY), true));
    // The hour of an update comes before.
    let soon = Plan {
        update: Some(UpdateItem { deadline: Day::of(start()).plus(1), ..plan().update.unwrap() }),
        ..plan()
    };
    let hour = soon.update.clone().unwrap().due_at();
    assert!(start() < hour && hour < after(DAY));
    assert_eq!(next(&soon, &settled(), &facts(start())), rests(hour, true));
    let in_flight = Facts { in_flight: true, ..facts(start()) };
    assert_eq!(next(&plan(), &Known::default(), &in_flight), Step::Wait);
}

#[test]
fn each_thing_that_is_missing_is_a_step_of_its_own() {
    let at = |spoil: &dyn Fn(&mut Known), now| {
        let mut known = settled();
        spoil(&mut known);
        next(&plan(), &known, &facts(now))
    };
    let step = |spoil: &dyn Fn(&mut Known)| at(spoil, start());
    assert_eq!(step(&|known| known.profiles = None), Step::Ask(Query::Profiles));
    assert_eq!(step(&|known| known.profiles = listed(&[("ours.own", "O1")])), Step::InstallProfile);
    let other = listed(&[("ours.profile", "P0"), ("ours.own", "O1")]);
    assert_eq!(step(&|known| known.profiles = other.clone()), Step::InstallProfile);
    assert_eq!(step(&|known| known.profiles = listed(&[("ours.profile", "P1")])), Step::InstallTabletProfile);
    let stale = |name: &str| {
        step(&|known| known.profiles = listed(&[("ours.profile", "P1"), ("ours.own", "O1"), (name, "X")]))
    };
    assert_eq!(stale("ours.old"), Step::RemoveProfile("ours.old".to_owned()));
    for stays in ["ours.enrolment", "ours.Enrolment", "theirs"] {
        assert_eq!(stale(stays), rests(after(DAY), true), "{stays}");
    }
    assert_eq!(step(&|known| known.declared = None), Step::Declare);
    assert_eq!(step(&|known| known.declared = Some("D0".to_owned())), Step::Declare);
    assert_eq!(step(&|known| known.settings = None), Step::Set);
    assert_eq!(step(&|known| known.settings = Some(("S0".to_owned(), start()))), Step::Set);
    let install = |bundle: &str| Step::InstallApp(bundle.to_owned());
    assert_eq!(step(&|known| known.app_list = listed(&[("app.two", "Managed")])), install("app.one"));
    assert_eq!(step(&|known| known.app_contents.clear()), install("app.two"));
    let old = |known: &mut Known| known.apps.extend([("app.old".to_owned(), start())]);
    assert_eq!(step(&old), Step::RemoveApp("app.old".to_owned()));
    let taken_over = |known: &mut Known| known.apps.extend([("app.three".to_owned(), start())]);
    assert_eq!(step(&taken_over), rests(after(DAY), true), "a declaration took it over");
    assert_eq!(step(&|known| known.app_list = None), Step::Ask(Query::Apps));
    assert_eq!(step(&|known| known.device_at = None), Step::Ask(Query::Device));
    assert_eq!(step(&|known| known.update = None), Step::Update(UpdateAction::Download));
}

#[test]
fn where_nothing_is_given_what_was_given_goes_and_nothing_is_asked_of_who_was_given_nothing() {
    let frame = Frame::new("fr.ardoise.configuration", "Département").unwrap();
    for (version, declares) in [("16.7", false), ("17.0", true)] {
        let (given, _profile) = nothing(class(version, true), &frame);
        let nothing = Plan { prefix: plan().prefix, ..given };
        assert!(nothing.gives_nothing() && !plan().gives_nothing());
        assert_eq!(rules(&nothing, &complete(), None), []);
        let facts = Facts { tablet_profile: None, ..facts(start()) };
        // A newcomer: it is only looked at.
        let mut known = Known::default();
        assert_eq!(next(&nothing, &known, &facts), Step::Ask(Query::Profiles));
        known.profiles = listed(&[("ours.enrolment", "E"), ("theirs", "X")]);
        assert_eq!(next(&nothing, &known, &facts), Step::Ask(Query::Device));
        known.device_at = Some(start());
        assert_eq!(next(&nothing, &known, &facts), rests(after(DAY), true), "{version}");
        // One that had everything: one thing after the other goes.
        let mut known = complete();
        let (mut went, mut last) = (Vec::new(), None);
        while last.is_none() {
            let step = next(&nothing, &known, &facts);
            match &step {
                Step::RemoveProfile(name) => drop(known.profiles.as_mut().unwrap().items.remove(name)),
                Step::Declare => known.declared.clone_from(&nothing.declarations_token),
                Step::RemoveApp(bundle) => drop(known.apps.remove(bundle)),
                other => {
                    last = Some(other.clone());
                    continue;
                }
            }
            went.push(step);
        }
        let profile = |name: &str| Step::RemoveProfile(name.to_owned());
        let app = |bundle: &str| Step::RemoveApp(bundle.to_owned());
        let mut expected = vec![profile("ours.own"), profile("ours.profile")];
        expected.extend(declares.then_some(Step::Declare));
        expected.extend([app("app.one"), app("app.two")]);
        assert_eq!((went, last), (expected, Some(rests(after(DAY), true))), "{version}");
    }
}

#[test]
fn what_a_tablet_told_of_itself_is_known_for_a_day_and_not_from_the_future() {
    let tick = Duration::from_millis(1);
    let asks = |now: Instant| {
        let mut known = settled();
        let mut asked = Vec::new();
        for _question in 0..3 {
            let step = next(&plan(), &known, &facts(now));
            let Step::Ask(query) = step else { break };
            asked.push(query);
            match query {
                Query::Profiles => known.profiles.as_mut().unwrap().at = now,
                Query::Device => known.device_at = Some(now),
                Query::Apps => known.app_list.as_mut().unwrap().at = now,
            }
        }
        asked
    };
    assert_eq!(asks(after(DAY).minus(tick)), []);
    assert_eq!(asks(after(DAY)), [Query::Profiles, Query::Apps, Query::Device]);
    // The clock was set back by more than a day: what is dated then says nothing of now.
    assert_eq!(asks(start().minus(Duration::from_secs(DAY))), []);
    assert_eq!(asks(start().minus(Duration::from_secs(DAY)).minus(tick)), [Query::Profiles, Query::Device]);
}

#[test]
fn c3_1_6_apps_are_asked_for_where_they_may_be_listed_and_some_were_installed() {
    let step =
        |may: bool, known: &Known| next(&plan(), known, &Facts { apps_may_be_listed: may, ..facts(start()) });
    let unlisted = Known { app_list: None, ..settled() };
    assert_eq!(step(false, &unlisted), rests(after(DAY), true), "it took them on, and nobody asks");
    assert_eq!(step(true, &unlisted), Step::Ask(Query::Apps));
    let none = Plan { apps: Vec::new(), ..plan() };
    let ask = |apps: &[&str]| {
        let apps = apps.iter().map(|bundle| ((*bundle).to_owned(), start())).collect();
        let known = Known { apps, app_list: None, ..settled() };
        next(&none, &known, &facts(start()))
    };
    assert_eq!(ask(&[]), rests(after(DAY), true), "none was installed by a command");
    assert_eq!(ask(&["app.three"]), Step::Ask(Query::Apps));
}

#[test]
fn an_update_is_told_once_to_download_and_from_its_hour_on_to_install() {
    use UpdateAction::{Download, Install};
    let tick = Duration::from_millis(1);
    let step = |told: Option<&str>, now: Instant| {
        let mut known = settled();
        known.update = told.map(|text| (text.to_owned(), start()));
        known.profiles.as_mut().unwrap().at = now;
        known.device_at = Some(now);
        known.app_list.as_mut().unwrap().at = now;
        next(&plan(), &known, &facts(now))
    };
    let early = due().minus(tick);
    assert_eq!(step(None, early), Step::Update(Download));
    assert_eq!(step(Some("18.3 download"), early), Step::Update(Download), "that was another");
    assert_eq!(step(Some("18.4 download"), early), rests(due(), true));
    assert_eq!(step(Some("18.4 download"), due()), Step::Update(Install));
    assert_eq!(step(None, due()), Step::Update(Download), "it slept through its hour");
    assert_eq!(step(Some("18.4 install"), due()), rests(due().plus(Duration::from_secs(DAY)), true));
    let by_declaration =
        Plan { update: Some(UpdateItem { by_command: false, ..plan().update.unwrap() }), ..plan() };
    let untold = Known { update: None, ..settled() };
    assert_eq!(next(&by_declaration, &untold, &facts(start())), rests(after(DAY), true));
    let has_it = Facts { version: Some("18.4".parse().unwrap()), ..facts(start()) };
    assert_eq!(next(&plan(), &untold, &has_it), rests(after(DAY), true));
}

#[test]
fn t_a21_what_waits_or_is_withheld_keeps_nothing_else_from_a_tablet() {
    let mut known = settled();
    (known.declared, known.settings) = (None, None);
    known.ask(&Item::Declarations, "D1", start());
    assert_eq!(next(&plan(), &known, &facts(start())), Step::Set, "passed over");
    known.ask(&Item::Settings, "S1", start());
    assert_eq!(next(&plan(), &known, &facts(start())), rests(after(900), false));
    assert_eq!(next(&plan(), &known, &facts(after(900))), Step::Declare);

    let mut known = settled();
    known.app_list = listed(&[]);
    known.withheld = map(&[("app.one", "another file")]);
    assert_eq!(next(&plan(), &known, &facts(start())), Step::InstallApp("app.two".to_owned()));
    known.withheld = map(&[("app.one", "another file"), ("app.two", "another file")]);
    assert_eq!(next(&plan(), &known, &facts(start())), rests(after(DAY), false));
}

#[test]
fn a_step_says_what_it_is_about_and_the_content_it_carries() {
    let (plan, facts) = (plan(), facts(start()));
    let two = plan.apps[1].content();
    assert!(!two.is_empty());
    for (step, item, content) in [
        (Step::Ask(Query::Profiles), Item::Profiles, ""),
        (Step::Ask(Query::Device), Item::Device, ""),
        (Step::Ask(Query::Apps), Item::Apps, ""),
        (Step::InstallProfile, Item::Profile, "P1"),
        (Step::InstallTabletProfile, Item::TabletProfile, "O1"),
        (Step::RemoveProfile("ours.old".into()), Item::Stale("ours.old".into()), ""),
        (Step::Declare, Item::Declarations, "D1"),
        (Step::Set, Item::Settings, "S1"),
        (Step::InstallApp("app.one".into()), Item::App("app.one".into()), ""),
        (Step::InstallApp("app.two".into()), Item::App("app.two".into()), two.as_str()),
        (Step::RemoveApp("app.old".into()), Item::StaleApp("app.old".into()), ""),
        (Step::Update(UpdateAction::Download), Item::Update, "18.4 download"),
        (Step::Update(UpdateAction::Install), Item::Update, "18.4 install"),
    ] {
        assert_eq!(step.item(&plan, &facts), Some((item, content.to_owned())), "{step:?}");
    }
    for none in [Step::Wait, rests(start(), true), Step::InstallApp("app.nowhere".into())] {
        assert_eq!(none.item(&plan, &facts), None, "{none:?}");
    }
}

/// How a rule with that carrier stands, and since when.
fn stands(what: &str, carrier: Carrier, known: &Known) -> (RuleState, Option<Instant>) {
    let rule = Rule { what: what.to_owned(), carrier };
    let report = rules(&Plan { rules: vec![rule], ..plan() }, known, facts(start()).version).remove(0);
    assert_eq!(report.what, what);
    (report.state, report.observed_at)
}

fn failed(why: &str) -> RuleState {
    RuleState::Failed(why.to_owned())
}

fn refuses(known: &mut Known, item: &Item, token: &str) {
    known.ask(item, token, start());
    known.hear(Some(item), crate::segment::Heard::Refused("no".into()), token, &plan(), start());
}

#[test]
fn c5_3_4_a_rule_of_the_profile_the_settings_or_an_app_stands_as_the_tablet_told() {
    use RuleState::{Applied, Requested};
    let mut known = complete();
    let profile = |known: &Known| stands("x", Carrier::Profile, known);
    assert_eq!(profile(&known), (Applied, Some(start())));
    known.profiles = listed(&[("ours.profile", "P0")]);
    assert_eq!(profile(&known), (Requested, None));
    refuses(&mut known, &Item::Profile, "P1");
    assert_eq!(profile(&known), (failed("no"), None));

    let settings = |known: &Known| stands("x", Carrier::Settings, known);
    assert_eq!(settings(&known), (Applied, Some(start())));
    known.settings = Some(("S0".to_owned(), start()));
    assert_eq!(settings(&known), (Requested, None));
    refuses(&mut known, &Item::Settings, "S1");
    assert_eq!(settings(&known), (failed("no"), None));

    let app = |known: &Known| stands("app app.two", Carrier::App("app.two".into()), known);
    let with = |state: &str| Known { app_list: listed(&[("app.two", state)]), ..complete() };
    assert_eq!(app(&with("Managed")), (Applied, Some(start())));
    for refused in ["Failed", "UserRejected", "UpdateRejected", "ManagementRejected", "UserInstalledApp"] {
        assert_eq!(app(&with(refused)), (failed(refused), Some(start())));
    }
    assert_eq!(app(&with("Installing")), (Requested, None));
    assert_eq!(
        app(&Known { app_contents: map(&[("app.two", "another")]), ..with("Managed") }),
        (Requested, None)
    );
    assert_eq!(app(&Known { app_list: None, ..complete() }), (Requested, None));
    let mut known = with("Installing");
    refuses(&mut known, &Item::App("app.two".into()), &plan().apps[1].content());
    assert_eq!(app(&known), (failed("no"), None));
    known.withheld = map(&[("app.two", "another file")]);
    assert_eq!(app(&known), (failed("another file"), None));

    // What comes with iPadOS is there once the tablet told what it runs, and not before.
    assert_eq!(stands("x", Carrier::Present, &Known::default()), (Requested, None));
    assert_eq!(stands("x", Carrier::Present, &complete()), (Applied, Some(start())));
    let words = || ("needs-supervision".to_owned(), "english".to_owned(), "french".to_owned());
    let (code, english, french) = words();
    let unsupported = stands("x", Carrier::Unsupported { code, english, french }, &complete());
    let (code, english, french) = words();
    assert_eq!(unsupported, (RuleState::Unsupported { code, english, french }, None));
}

#[test]
fn c5_3_4_a_rule_of_a_declaration_stands_as_the_tablet_told_of_exactly_this_one() {
    use RuleState::{Applied, Requested};
    let with = |said| Known { declarations_at: Some(after(7)), declarations: [said].into(), ..complete() };
    let of = |name: &str, what: &str, known: &Known| stands(what, Carrier::Declaration(name.into()), known);
    let d1 = |known: &Known| of("ours.d1", "x", known);
    assert_eq!(d1(&with(says("ours.d1", "d1", "valid", true))), (Applied, Some(after(7))));
    assert_eq!(d1(&with(says("ours.d1", "d1", "valid", false))), (Requested, Some(after(7))));
    assert_eq!(d1(&with(says("ours.d1", "d1", "unknown", true))), (Requested, Some(after(7))));
    assert_eq!(d1(&with(says("ours.d1", "d0", "valid", true))), (Requested, None), "another content");
    assert_eq!(d1(&with(says("ours.d2", "d2", "valid", true))), (Requested, None), "another declaration");
    let mut invalid = says("ours.d1", "d1", "invalid", true);
    assert_eq!(d1(&with(invalid.clone())), (failed("the tablet says: invalid"), Some(after(7))));
    invalid.1.reasons = vec!["one".to_owned(), "two".to_owned()];
    assert_eq!(d1(&with(invalid)), (failed("one; two"), Some(after(7))));
    let mut unheard = with(says("ours.d1", "d0", "valid", true));
    refuses(&mut unheard, &Item::Declarations, "D1");
    assert_eq!(d1(&unheard), (failed("no"), None));
    let update = of("ours.d1", "os-update", &with(says("ours.d1", "d1", "valid", true)));
    assert_eq!(update, (Requested, Some(after(7))), "that it is demanded is not that it is there");

    let withheld = |said| Known { withheld: map(&[("app.three", "another file")]), ..with(said) };
    let d2 = |known: &Known| of("ours.d2", "app app.three", known);
    assert_eq!(d2(&withheld(says("ours.d2", "d2", "unknown", true))), (failed("another file"), None));
    assert_eq!(d2(&withheld(says("ours.d2", "d2", "valid", true))), (Applied, Some(after(7))), "it has it");
}

#[test]
fn c5_3_4_an_update_is_applied_when_the_tablet_says_its_version() {
    let mut known = complete();
    let of = |known: &Known, version: &str| {
        let rules_of = vec![Rule { what: "os-update".into(), carrier: Carrier::Update }];
        let report = rules(&Plan { rules: rules_of, ..plan() }, known, version.parse().ok()).remove(0);
        (report.state, report.observed_at)
    };
    assert_eq!(of(&known, "18.4"), (RuleState::Applied, Some(start())));
    assert_eq!(of(&known, "18.3"), (RuleState::Requested, None));
    refuses(&mut known, &Item::Update, "18.4 download");
    assert_eq!(of(&known, "18.3"), (failed("no"), None));
    refuses(&mut known, &Item::Update, "18.4 install");
    assert_eq!(of(&known, "18.3"), (failed("no"), None));
    let other = stands("x", Carrier::Update, &Known::default());
    assert_eq!(other, (RuleState::Requested, None));
    // Only the rule of the update is met by the version.
    let has = rules(
        &Plan { rules: vec![Rule { what: "x".into(), carrier: Carrier::Profile }], ..plan() },
        &Known::default(),
        "18.4".parse().ok(),
    );
    assert_eq!(has[0].state, RuleState::Requested);
}

#[test]
fn a_state_has_a_word_for_programs() {
    let unsupported =
        RuleState::Unsupported { code: String::new(), english: String::new(), french: String::new() };
    for (state, word) in [
        (RuleState::Applied, "applied"),
        (RuleState::Requested, "requested"),
        (failed("no"), "failed"),
        (unsupported, "unsupported"),
    ] {
        assert_eq!(state.code(), word);
    }
}

#[test]
fn declarations_are_listed_by_their_kind_and_answered_by_kind_and_name() {
    let of = [("activation", "a"), ("configuration", "c"), ("asset", "s"), ("management", "m")];
    let declarations = of.iter().map(|(kind, name)| declared(kind, name, &format!("{name}1"))).collect();
    let plan = Plan { declarations, ..plan() };
    let items = plan.items();
    let names = |list: &[apple::ddm::DeclarationItem]| {
        list.iter().map(|item| format!("{} {}", item.identifier, item.server_token)).collect::<Vec<_>>()
    };
    assert_eq!(names(&items.activations), ["a a1"]);
    assert_eq!(names(&items.configurations), ["c c1"]);
    assert_eq!(names(&items.assets), ["s s1"]);
    assert_eq!(names(&items.management), ["m m1"]);
    assert_eq!(items.declarations_token, "D1");
    let answer = plan.declaration(DeclarationKind::Asset, "s").unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["Identifier"], "s");
    assert_eq!(answer["Payload"]["Name"], "s");
    assert_eq!(plan.declaration(DeclarationKind::Asset, "c"), None);
    assert_eq!(plan.declaration(DeclarationKind::Configuration, "s"), None);
}

#[test]
fn a_tablets_own_profile_shows_its_tag_and_whose_it_is() {
    let frame = Frame::new("fr.ardoise.configuration", "Département de l’Exemple").unwrap();
    let shown = |tag| {
        tablet_payload(tag, "DMPX1", None, class("18.0", true), &frame)
            .map(|profile| String::from_utf8(profile.to_xml()).unwrap())
    };
    let tagged = shown(Some(" T-042 ")).unwrap();
    assert!(tagged.contains("<string>T-042</string>"), "{tagged}");
    assert!(tagged.contains("<string>Département de l’Exemple – DMPX1</string>"), "{tagged}");
    for none in [None, Some(" ")] {
        assert!(!shown(none).unwrap().contains("AssetTagInformation"));
    }
    assert!(tablet_payload(Some("T-042"), "DMPX1", None, class("18.0", false), &frame).is_none());
}

#[test]
fn every_class_is_among_all_and_says_what_it_is() {
    let all: Vec<_> = crate::segment::IpadClass::all().collect();
    for version in ["15.0", "18.4", "27.0"] {
        for supervised in [true, false] {
            let class = class(version, supervised);
            assert!(all.contains(&class), "{class}");
            assert_eq!(class.supervised(), supervised);
            assert_eq!(class.version(), version.parse().unwrap());
            assert_eq!(class.target().version, class.version());
        }
    }
}

#[test]
fn an_app_of_the_store_has_a_content_of_its_own_only_with_settings() {
    assert_eq!(app("a.b", None).content(), "");
    let (one, other) = (app("a.b", Some("1")).content(), app("a.b", Some("2")).content());
    assert!(one.len() == 32 && one != other, "{one}");
}
