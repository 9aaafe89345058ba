//! What the open Android agent is given.

use android::agent::PanelPassword;
use android::agent::configuration::{Configuration, Own};
use types::Secret;

use super::layers::base_text;
use super::templates::{NAMES, template, today};
use crate::layer::LayerKind;
use crate::render::{ApiLevel, Why, sketch_agent};
use crate::{Layer, combine, parse};

fn level(text: &str) -> ApiLevel {
    text.parse().unwrap()
}

#[test]
fn the_agent_is_given_restrictions_in_one_sorted_list_and_its_lists_are_never_missing() {
    let intent = combine([&template("socle")], None, today()).unwrap();
    let agent = sketch_agent(&intent, level("13"));
    let restrictions = agent.fields["restrictions"].as_str().unwrap();
    let names: Vec<&str> = restrictions.split(',').collect();
    assert!(names.is_sorted() && names.contains(&"no_factory_reset") && names.contains(&"no_config_vpn"));
    assert_eq!(agent.fields["passwordMode"], "easy");
    assert_eq!(agent.fields["timeZone"], "Europe/Paris");
    for list in ["applications", "applicationSettings", "files", "actions"] {
        assert!(agent.fields[list].is_array(), "{list}");
    }
    for key in ["factoryReset", "requestUpdates", "password", "lock"] {
        assert!(!agent.fields.contains_key(key), "{key}");
    }
    let reason = |what: &str| agent.left_out.iter().find(|left| left.what == what).unwrap().why.clone();
    assert!(matches!(reason("filter"), Why::NothingAlike { .. }));
    assert!(matches!(reason("passcode.allowSimple"), Why::NothingAlike { .. }));
    assert_eq!(reason("software-update.ProgramEnrollment"), Why::OtherPlatform);
    // A restriction that Android 8 does not know would be ignored without a word.
    let old = sketch_agent(&intent, level("8"));
    assert!(!old.fields["restrictions"].as_str().unwrap().contains("no_install_unknown_sources_globally"));
    let left = old.left_out.iter().find(|left| left.what == "restrictions.allowEnterpriseAppTrust").unwrap();
    assert_eq!(left.why, Why::AndroidTooOld { since: 29 });
}

#[test]
fn the_agents_rule_for_codes_is_never_weaker_than_the_layers() {
    let mode = |passcode: &str| {
        let text = base_text("").replace("forcePIN = true\n", &format!("forcePIN = true\n{passcode}\n"));
        let intent = combine([&parse("t.toml", &text).unwrap()], None, today()).unwrap();
        let agent = sketch_agent(&intent, level("13"));
        let left: Vec<String> = agent.left_out.iter().map(|left| left.what.clone()).collect();
        let unmet = left.iter().any(|what| what.starts_with("passcode.min"));
        (agent.fields["passwordMode"].as_str().unwrap().to_owned(), unmet)
    };
    let expect = |passcode: &str, word: &str, unmet: bool| {
        assert_eq!(mode(passcode), (word.to_owned(), unmet), "{passcode}");
    };
    expect("", "present", false);
    expect("minLength = 4", "easy", false);
    expect("minLength = 6", "easy", false);
    expect("minLength = 7", "moderate", false);
    expect("minLength = 8", "moderate", false);
    expect("requireAlphanumeric = true", "moderate", false);
    expect("minComplexChars = 1", "strong", false);
    expect("minLength = 10", "strong", true);
    expect("minComplexChars = 3", "strong", true);
}

#[test]
fn an_app_that_alone_would_open_is_left_out_for_the_agent_and_says_why() {
    let base = parse("socle.toml", &base_text("")).unwrap();
    let exam = "layer = \"tablet\"\ntitle = \"Examen\"\npurpose = \"Un examen.\"\n\
                [single-app]\nbundle = \"com.apple.Pages\"\n";
    let exam = parse("examen.toml", exam).unwrap();
    let why = |layers: &[&Layer]| {
        let intent = combine(layers.iter().copied(), None, today()).unwrap();
        let left = sketch_agent(&intent, level("13")).left_out;
        left.into_iter().find(|left| left.what == "single-app").map(|left| left.why)
    };
    assert_eq!(why(&[&base]), None);
    assert!(matches!(why(&[&base, &exam]), Some(Why::NothingAlike { .. })));
}

#[test]
fn the_agent_takes_what_is_rendered_for_it_of_every_template_on_every_android() {
    let password = PanelPassword::of(&Secret::new("abcdefghijklmnopqrstuvwxyz".to_owned())).unwrap();
    let own =
        Own { password, description: "Tablette 12".to_owned(), move_to: None, lock: None, locating: None };
    let base = template("socle");
    for name in NAMES {
        let layer = template(name);
        let layers: Vec<&Layer> = match layer.kind() {
            LayerKind::Base => vec![&layer],
            LayerKind::Emergency => continue,
            _ => vec![&base, &layer],
        };
        let intent = combine(layers, None, today()).unwrap();
        for android in ["8", "11", "13", "16"] {
            let fields = sketch_agent(&intent, level(android)).fields;
            Configuration::new(&own, &fields)
                .unwrap_or_else(|why| panic!("{name} on Android {android}: {why}"));
        }
    }
}
