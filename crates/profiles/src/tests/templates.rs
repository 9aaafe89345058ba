//! The département's first set of choices, `profiles/*.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use types::{Day, LoanMode, RuleId, UserKind};

use crate::catalogue::{Section, find};
use crate::layer::LayerKind;
use crate::report::{Source, lint};
use crate::value::Value;
use crate::{EmergencyOrder, Layer, combine, inspect, parse};

pub(super) const NAMES: [&str; 10] = [
    "au-college",
    "depot",
    "eleve",
    "enseignant",
    "examen",
    "hors-college",
    "perdue",
    "restreint",
    "socle",
    "urgence",
];

pub(super) fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../profiles/{name}.toml"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn template(name: &str) -> Layer {
    parse(name, &text(name)).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(super) fn today() -> Day {
    "2026-11-25".parse().unwrap()
}

#[test]
fn every_template_is_right_and_deserves_no_advice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../profiles");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, NAMES);
    for name in NAMES {
        assert_eq!(inspect(name, &text(name)).problems, [], "{name}");
    }
}

#[test]
fn each_template_is_the_layer_its_name_says() {
    let kinds: BTreeMap<&str, LayerKind> =
        NAMES.iter().map(|name| (*name, template(name).kind().clone())).collect();
    let adults =
        [UserKind::Teacher, UserKind::Head, UserKind::Deputy, UserKind::SegpaDirector, UserKind::Cpe];
    let expected = BTreeMap::from([
        ("au-college", LayerKind::Mode(LoanMode::InSchool)),
        ("depot", LayerKind::Mode(LoanMode::Deposit)),
        ("eleve", LayerKind::User([UserKind::Pupil].into())),
        ("enseignant", LayerKind::User(adults.into())),
        ("examen", LayerKind::Tablet),
        ("hors-college", LayerKind::Mode(LoanMode::TakeHome)),
        ("perdue", LayerKind::Mode(LoanMode::Lost)),
        ("restreint", LayerKind::Mode(LoanMode::Restricted)),
        ("socle", LayerKind::Base),
        ("urgence", LayerKind::Emergency),
    ]);
    assert_eq!(kinds, expected);
    // Every kind of user and every mode has its layer.
    let users =
        kinds.values().filter_map(|kind| if let LayerKind::User(users) = kind { Some(users) } else { None });
    assert_eq!(users.flatten().count(), UserKind::ALL.len());
    let modes = kinds.values().filter(|kind| matches!(kind, LayerKind::Mode(_)));
    assert_eq!(modes.count(), LoanMode::ALL.len());
}

#[test]
fn the_templates_go_together_whatever_tablet_they_meet_on() {
    let texts: Vec<(&str, String)> = NAMES.iter().map(|name| (*name, text(name))).collect();
    let sources: Vec<Source<'_>> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    let report = lint(&sources, today());
    assert!(!report.is_refused(), "{:#?}", report.together);
    assert!(report.tried > 30, "{}", report.tried);
}

/// What pupils try, closed in the base that every tablet has.
#[test]
fn t_c18_the_base_closes_what_pupils_try() {
    let expected = [
        (Section::Restrictions, "allowEraseContentAndSettings", false),
        (Section::Restrictions, "allowUnpairedExternalBootToRecovery", false),
        (Section::Restrictions, "allowHostPairing", false),
        (Section::Restrictions, "allowUIConfigurationProfileInstallation", false),
        (Section::Restrictions, "allowAccountModification", false),
        (Section::Restrictions, "allowAppRemoval", false),
        (Section::Restrictions, "allowVPNCreation", false),
        (Section::Restrictions, "allowCloudPrivateRelay", false),
        (Section::Restrictions, "allowUIAppInstallation", false),
        (Section::Restrictions, "allowEnterpriseAppTrust", false),
        (Section::Restrictions, "allowUntrustedTLSPrompt", false),
        (Section::Restrictions, "forceAutomaticDateAndTime", true),
        (Section::Passcode, "forcePIN", true),
        (Section::Device, "ActivationLockAllowedWhileSupervised", false),
        (Section::AndroidRestrictions, "no_add_user", true),
        (Section::AndroidRestrictions, "disallow_config_private_dns", true),
    ];
    for base in ["socle", "urgence"] {
        let base = template(base);
        for (section, key, value) in expected {
            let entry = find(section, key).unwrap();
            assert_eq!(base.value(entry), Some(&Value::Boolean(value)), "{} {entry}", base.name());
        }
        assert!(base.contents.filter.as_ref().unwrap().value.automatic);
    }
}

/// And nothing that is put beside the base opens it again.
#[test]
fn t_c18_no_layer_opens_what_the_base_closes() {
    let base = template("socle");
    let alone = combine([&base], None, today()).unwrap();
    for name in NAMES.iter().filter(|name| !["socle", "urgence"].contains(name)) {
        let both = combine([&base, &template(name)], None, today()).unwrap();
        for (entry, kept) in alone.settings() {
            assert!(both.settings()[entry].value.is_as_strict_as(entry, &kept.value), "{name}: {entry}");
        }
    }
}

#[test]
fn c5_3_7_the_emergency_base_opens_what_lessons_at_home_need() {
    let (base, home) = (template("socle"), template("hors-college"));
    let layers = [&base, &home, &template("eleve")];
    let order = EmergencyOrder::new(template("urgence"), "Confinement", today(), today().plus(29)).unwrap();
    let setting = |order, key| {
        let intent = combine(layers, order, today()).unwrap();
        intent.settings()[find(Section::Restrictions, key).unwrap()].value.clone()
    };
    for key in ["allowChat", "allowVideoConferencing"] {
        assert_eq!(setting(None, key), Value::Boolean(false), "{key}");
        assert_eq!(setting(Some(&order), key), Value::Boolean(true), "{key}");
    }
    // Pupils' own limits stay.
    assert_eq!(setting(Some(&order), "allowGameCenter"), Value::Boolean(false));
}

#[test]
fn c3_1_5_a_proxy_added_to_the_take_home_template_is_refused() {
    let proxy = format!("{}\n[proxy]\nserver = \"proxy.example\"\nport = 3128\n", text("hors-college"));
    let problems = parse("hors-college.toml", &proxy).unwrap_err();
    assert_eq!(problems[0].rule, Some(RuleId::C3_1_5));
    let school = format!("{}\n[proxy]\nserver = \"proxy.example\"\nport = 3128\n", text("au-college"));
    assert!(parse("au-college.toml", &school).is_ok());
}

/// A choice has its reason beside it, or above the group it stands in.
#[test]
fn every_choice_has_a_reason() {
    for name in NAMES {
        let text = text(name);
        let (mut reasoned, mut in_list) = (false, false);
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with("[[") {
                // `[[app]]` stands under the sentence that introduces its group.
                reasoned = trimmed.starts_with("[[");
            } else if trimmed.starts_with('#') {
                reasoned = true;
            } else if trimmed.contains(" = ") && !trimmed.starts_with('"') {
                let header = ["layer", "mode", "for", "title", "purpose"]
                    .iter()
                    .any(|key| trimmed.starts_with(&format!("{key} = ")));
                let told = reasoned || header || in_list || line.contains(" # ");
                assert!(told, "{name}.toml:{}: no reason for {trimmed}", number + 1);
            }
            in_list = (in_list || trimmed.ends_with("= [")) && trimmed != "]";
        }
    }
}
