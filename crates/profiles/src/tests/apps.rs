//! Apps that a layer names: exactly one file and one set of settings, and nothing in their place.

use std::collections::BTreeMap;

use apple::ddm::DeclarationKind;
use types::{Digest, Instant};

use super::layers::base_text;
use super::segments::{class, plan_of, start};
use crate::report::{Source, diff};
use crate::segment::{AppFrom, Carrier, Declaring, Heard, Item, Known, Plan, RuleState, rules};
use crate::{Problem, parse};

const CANTINE: &str = "fr.departement.cantine";

fn digest(of: &str) -> Digest {
    Digest::of(of.as_bytes())
}

fn app(more: &str) -> String {
    format!("[[app]]\nbundle = \"{CANTINE}\"\nname = \"Cantine\"\n{more}\n")
}

fn plan(more: &str, version: &str) -> Plan {
    let layer = parse("base", &base_text(&app(more))).unwrap();
    plan_of(&[layer], class(version, true))
}

fn file(of: &str) -> String {
    format!("file = \"{}\"", digest(of))
}

fn wrong(more: &str) -> String {
    let problems = parse("t", &base_text(&app(more))).unwrap_err();
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn state(plan: &Plan, known: &Known) -> RuleState {
    let what = format!("app {CANTINE}");
    rules(plan, known, None).into_iter().find(|rule| rule.what == what).unwrap().state
}

fn withheld() -> BTreeMap<String, String> {
    BTreeMap::from([(CANTINE.to_owned(), "another file".to_owned())])
}

#[test]
fn c3_1_2_a_layer_names_one_file_or_the_store_and_settings_with_what_is_installed() {
    assert!(wrong("").contains("store: is missing"), "{}", wrong(""));
    let both = wrong(&format!("store = \"361309726\"\n{}", file("a")));
    assert!(both.contains("file: is there beside `store`"), "{both}");
    assert!(wrong("file = \"abc\"").contains("64 hexadecimal digits"), "{}", wrong("file = \"abc\""));
    let present = wrong(&format!("install = \"present\"\n{}", file("a")));
    assert!(present.contains("file: is for apps that are installed"), "{present}");
    let held = wrong(&format!("updates = \"held\"\n{}", file("a")));
    assert!(held.contains("updates: is for apps of the App Store"), "{held}");
    let settings = format!("settings = \"{}\"", digest("s"));
    let optional = wrong(&format!("install = \"optional\"\n{settings}\n{}", file("a")));
    assert!(optional.contains("settings: is for apps that are installed by themselves"), "{optional}");
}

#[test]
fn c3_1_2_a_difference_shows_the_file_and_the_settings() {
    let (one, other) = (base_text(&app(&file("1"))), base_text(&app(&file("2"))));
    let source = |file, text| Source { file, text };
    let said = diff(source("before", &one), source("after", &other)).unwrap();
    let said: Vec<String> = said.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1);
    assert!(
        said[0].contains(&digest("1").to_string()) && said[0].contains(&digest("2").to_string()),
        "{said:?}"
    );
}

#[test]
fn c3_1_2_another_file_is_another_content_on_every_version() {
    for version in ["16.0", "27.0"] {
        let (one, other) = (plan(&file("1"), version), plan(&file("2"), version));
        assert_ne!(one.token, other.token, "{version}");
        assert_eq!(one, plan(&file("1"), version), "{version}");
    }
    let old = plan(&file("1"), "16.0");
    assert_eq!(old.apps[0].from, AppFrom::File(digest("1")));
    let new = plan(&file("1"), "27.0");
    assert!(new.apps.is_empty());
    assert_eq!(new.declared_apps.values().next().unwrap().from, AppFrom::File(digest("1")));
    // Settings come with the command, whatever the version.
    let settings = plan(&format!("{}\nsettings = \"{}\"", file("1"), digest("s")), "27.0");
    assert_eq!((settings.apps[0].settings, settings.declared_apps.len()), (Some(digest("s")), 0));
    let rule = settings.rules.iter().find(|rule| rule.what == format!("app {CANTINE}")).unwrap();
    assert_eq!(rule.carrier, Carrier::App(CANTINE.to_owned()));
}

#[test]
fn an_app_that_was_installed_in_another_content_is_installed_again_and_the_same_is_not() {
    let (one, other) = (plan(&file("1"), "16.0"), plan(&file("2"), "16.0"));
    let mut known = Known::default();
    assert_eq!(known.lacks(&one).count(), 1);
    let item = Item::App(CANTINE.to_owned());
    let token = one.apps[0].content();
    known.ask(&item, &token, start());
    known.hear(Some(&item), Heard::Done, &token, &one, start());
    assert_eq!(known.lacks(&one).count(), 0);
    assert_eq!(known.lacks(&other).count(), 1, "another file");
    // What is stored of a tablet is read again as it was.
    let stored: Known = serde_json::from_str(&serde_json::to_string(&known).unwrap()).unwrap();
    assert_eq!(stored, known);
}

#[test]
fn c3_1_2_what_is_withheld_fails_with_why_and_keeps_nothing_else_from_a_tablet() {
    let old = plan(&file("1"), "16.0");
    let mut known = Known::default();
    assert_eq!(known.withhold(withheld()), [CANTINE]);
    assert!(known.withhold(withheld()).is_empty(), "said once");
    assert_eq!(state(&old, &known), RuleState::Failed("another file".to_owned()));

    let new = plan(&file("1"), "27.0");
    let name = new.declared_apps.keys().next().unwrap().clone();
    let given = new.clone().without(&withheld());
    assert!(given.declaration(DeclarationKind::Configuration, &name).is_none());
    assert_eq!(given.declarations.len(), new.declarations.len() - 1);
    let activation = given.declarations.iter().find(|one| one.kind == "activation").unwrap();
    assert!(!activation.payload.to_string().contains(&name), "it waits for nothing that never comes");
    assert_ne!(given.declarations_token, new.declarations_token, "once it is given, the tablet looks again");
    let before = new.declarations.iter().find(|one| one.kind == "activation").unwrap();
    assert_ne!(activation.server_token, before.server_token);
    assert_eq!(new.clone().without(&BTreeMap::new()), new);
    assert_eq!(state(&new, &known), RuleState::Failed("another file".to_owned()));
}

#[test]
fn c3_1_2_a_tablet_that_has_what_was_decided_keeps_it_whatever_is_given_out_since() {
    let new = plan(&file("1"), "27.0");
    let name = new.declared_apps.keys().next().unwrap().clone();
    let token = new.declarations.iter().find(|one| one.identifier == name).unwrap().server_token.clone();
    let mut known = Known::default();
    assert_eq!(known.lacks(&new).count(), 1);
    let holds = Declaring { token, active: true, valid: "valid".to_owned(), reasons: Vec::new() };
    known.report(true, [(name, holds)], &[], &new, Instant::from_millis(1));
    assert_eq!(known.lacks(&new).count(), 0);
    assert_eq!(state(&new, &known), RuleState::Applied);
}
