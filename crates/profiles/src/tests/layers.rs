//! How layers combine, whatever they say.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use types::{Day, LoanMode};

use super::arbitrary::{base, bundle, college, stack};
use crate::catalogue::{Entry, Kind, Stricter};
use crate::layer::{Layer, LayerKind};
use crate::value::Value;
use crate::{EmergencyOrder, Intent, Refusal, combine, parse};

fn today() -> Day {
    "2026-11-25".parse().unwrap()
}

pub(super) fn combined(layers: &[Layer]) -> Result<Intent, Vec<Refusal>> {
    combine(layers, None, today())
}

/// Whether one value allows no more than another: said again, so that the property does not rest on what it tests.
fn allows_no_more(entry: &Entry, one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Boolean(one), Value::Boolean(other)) => {
            let strict = entry.stricter == Stricter::True;
            *one == strict || *other != strict
        }
        (Value::Number(one), Value::Number(other)) => {
            if entry.stricter == Stricter::Higher {
                one >= other
            } else {
                one <= other
            }
        }
        (Value::Choice(one), Value::Choice(other)) => {
            let Kind::Choice(words) = entry.kind else { return false };
            let place = |word| words.iter().position(|known| known == word);
            place(one) >= place(other)
        }
        (Value::Names(one), Value::Names(other)) => {
            if entry.stricter == Stricter::BlockList {
                one.is_superset(other)
            } else {
                one.is_subset(other)
            }
        }
        _ => false,
    }
}

/// Most made-up stacks must go together, or the properties below would hold of nothing.
#[test]
fn most_stacks_that_are_made_up_go_together() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let together =
        (0..200).filter(|_| combined(&stack().new_tree(&mut runner).unwrap().current()).is_ok()).count();
    assert!(together > 100, "{together} of 200");
}

proptest! {
    #[test]
    fn the_order_of_layers_does_not_matter(
        (layers, shuffled) in (stack(), college())
            .prop_map(|(mut layers, college)| { layers.push(college); layers })
            .prop_flat_map(|layers| (Just(layers.clone()), Just(layers).prop_shuffle())),
    ) {
        prop_assert_eq!(combined(&layers), combined(&shuffled));
    }

    #[test]
    fn a_layer_given_twice_is_one(layers in stack(), college in college()) {
        let mut once = layers;
        once.push(college);
        let twice: Vec<Layer> = once.iter().chain(&once).cloned().collect();
        prop_assert_eq!(combined(&once), combined(&twice));
    }

    #[test]
    fn an_ordered_entry_is_never_looser_than_in_any_layer(layers in stack(), college in college()) {
        let mut layers = layers;
        layers.push(college);
        let Ok(intent) = combined(&layers) else { return Ok(()) };
        for layer in &layers {
            for (entry, at) in &layer.contents.settings {
                let kept = &intent.settings()[entry];
                if entry.is_ordered() {
                    prop_assert!(
                        allows_no_more(entry, &kept.value, &at.value),
                        "{entry}: {} is looser than {} of {}", kept.value, at.value, layer.name()
                    );
                } else {
                    prop_assert_eq!(&kept.value, &at.value);
                }
            }
        }
        // And nothing is there that no layer said.
        for (entry, kept) in intent.settings() {
            prop_assert!(!kept.from.is_empty(), "{entry}");
            for name in &kept.from {
                let of = layers.iter().find(|layer| layer.name() == name).unwrap();
                prop_assert!(of.value(entry).is_some(), "{entry} is not said by {name}");
            }
        }
    }

    /// What is forbidden with exceptions by one layer and without by another is forbidden without.
    #[test]
    fn an_exception_that_a_layer_does_not_grant_is_none(layers in stack()) {
        let Ok(intent) = combined(&layers) else { return Ok(()) };
        for (guard, exceptions) in
            [("allowCamera", "allowedCameraRestrictionBundleIDs"), ("ratingApps", "ratingAppsExemptedBundleIDs")]
        {
            let find = |key| crate::catalogue::find(crate::catalogue::Section::Restrictions, key).unwrap();
            let (guard, exceptions) = (find(guard), find(exceptions));
            let Some(Value::Names(granted)) = intent.settings().get(exceptions).map(|kept| &kept.value) else {
                continue;
            };
            for layer in &layers {
                let forbids = layer.value(guard).is_some_and(|value| !value.is_loosest(guard));
                match layer.value(exceptions) {
                    Some(Value::Names(theirs)) => prop_assert!(granted.is_subset(theirs)),
                    _ => prop_assert!(!forbids || granted.is_empty(), "{} grants none", layer.name()),
                }
            }
        }
    }

    #[test]
    fn c3_1_3_a_college_never_loosens(layers in stack(), college in college()) {
        let mut with = layers.clone();
        with.push(college.clone());
        let (Ok(without), Ok(with)) = (combined(&layers), combined(&with)) else { return Ok(()) };
        prop_assert_eq!(without.settings(), with.settings());
        prop_assert_eq!(without.filter(), with.filter());
        prop_assert_eq!(without.blocked(), with.blocked());
        for (bundle, app) in without.apps() {
            let kept = &with.apps()[bundle];
            prop_assert!(kept.value.install >= app.value.install, "{bundle} is given less");
            prop_assert_eq!(kept.value.updates, app.value.updates);
        }
        match (without.permitted_apps(), with.permitted_apps()) {
            (None, None) => {}
            (Some(before), Some(after)) => {
                prop_assert!(before.is_subset(&after));
                for added in after.difference(&before) {
                    let given = college.apps().keys().any(|bundle| bundle.as_str() == *added);
                    let clips = *added == "com.apple.webapp" && !with.web_clips().is_empty();
                    prop_assert!(given || clips, "{added} came from nowhere");
                }
            }
            (before, after) => prop_assert!(false, "{before:?} became {after:?}"),
        }
    }

    #[test]
    fn c3_1_3_what_one_layer_blocks_nobody_permits(layers in stack(), college in college()) {
        let mut layers = layers;
        layers.push(college);
        let blocked: BTreeSet<String> =
            layers.iter().flat_map(|layer| layer.blocked().keys().map(ToString::to_string)).collect();
        let Ok(intent) = combined(&layers) else { return Ok(()) };
        let found: BTreeSet<String> = intent.blocked().keys().map(ToString::to_string).collect();
        prop_assert_eq!(&found, &blocked);
        for bundle in intent.permitted_apps().into_iter().flatten() {
            prop_assert!(!blocked.contains(bundle), "{bundle} is blocked and permitted");
        }
        for (bundle, app) in intent.apps() {
            prop_assert!(!blocked.contains(bundle.as_str()), "{bundle} is blocked and given by {:?}", app.from);
        }
        // Whoever gave it is told, with who blocks it.
        for layer in &layers {
            for bundle in layer.apps().keys().filter(|bundle| blocked.contains(bundle.as_str())) {
                prop_assert!(intent.withheld()[bundle].given_by.contains(layer.name()));
            }
        }
    }

    #[test]
    fn c3_1_5_the_filter_is_the_bases_and_only_ever_tightened(layers in stack(), college in college()) {
        let mut layers = layers;
        layers.push(college);
        let Ok(intent) = combined(&layers) else { return Ok(()) };
        let theirs = &layers[0].contents.filter.as_ref().unwrap().value;
        let ours = &intent.filter().value;
        prop_assert!(ours.automatic);
        prop_assert!(ours.permitted.is_subset(&theirs.permitted));
        for layer in &layers {
            let tightening = layer.contents.tightening.as_ref().map(|at| &at.value);
            let tightening = tightening.or(layer.contents.filter.as_ref().map(|at| &at.value.tightening));
            let Some(tightening) = tightening else { continue };
            prop_assert!(tightening.denied.is_subset(&ours.tightening.denied));
            prop_assert!(tightening.denied.is_disjoint(&ours.permitted));
            if let Some(only) = &tightening.only {
                let left = ours.tightening.only.as_ref().unwrap();
                prop_assert!(left.keys().all(|url| only.contains_key(url)));
            }
        }
    }

    #[test]
    fn c5_3_7_an_emergency_base_stands_in_for_the_base_until_its_last_day(
        layers in stack(),
        emergency in base(LayerKind::Emergency),
        college in college(),
    ) {
        let mut layers = layers;
        layers.push(college);
        let last = today().plus(10);
        let order = EmergencyOrder::new(emergency.clone(), "Confinement", today(), last).unwrap();
        let ordinary = combined(&layers);
        prop_assert_eq!(&combine(&layers, Some(&order), last.plus(1)), &ordinary);
        prop_assert_eq!(&combine(&layers, Some(&order), today().plus(-1)), &ordinary);

        // As if it were the base: it may loosen what the base forbids, and nothing that another layer does.
        let mut as_base = emergency;
        as_base.name = layers[0].name.clone();
        let mut replaced = layers.clone();
        replaced[0] = as_base;
        match (combine(&layers, Some(&order), last), combined(&replaced)) {
            (Ok(ours), Ok(theirs)) => {
                let values = |intent: &Intent| -> Vec<(String, Value)> {
                    intent.settings().iter().map(|(entry, kept)| (entry.to_string(), kept.value.clone())).collect()
                };
                prop_assert_eq!(values(&ours), values(&theirs));
                prop_assert_eq!(ours.permitted_apps(), theirs.permitted_apps());
                prop_assert_eq!(&ours.filter().value, &theirs.filter().value);
            }
            (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
        }
    }
}

/// The smallest base that the law admits, with more after it.
pub(super) fn base_text(more: &str) -> String {
    format!(
        r#"layer = "base"
title = "Socle"
purpose = "Pour toutes les tablettes."
{more}
[restrictions]
allowEraseContentAndSettings = false
allowUnpairedExternalBootToRecovery = false
allowHostPairing = false
allowUIConfigurationProfileInstallation = false
allowAccountModification = false
allowAppRemoval = false
allowVPNCreation = false
allowCloudPrivateRelay = false
forceAutomaticDateAndTime = true
[passcode]
forcePIN = true
[device]
ActivationLockAllowedWhileSupervised = false
[filter]
automatic = true
"#
    )
}

pub(super) fn layer(text: &str) -> Layer {
    parse("test.toml", text).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(super) fn college_text(more: &str) -> Layer {
    layer(&format!(
        "layer = \"college\"\nuai = \"0761234A\"\ntitle = \"Jean-Moulin\"\npurpose = \"Ses ajouts.\"\n{more}"
    ))
}

pub(super) fn mode_text(mode: LoanMode, more: &str) -> Layer {
    layer(&format!("layer = \"mode\"\nmode = \"{mode}\"\ntitle = \"Mode\"\npurpose = \"Un mode.\"\n{more}"))
}

pub(super) const PAGES: &str =
    "[[app]]\nbundle = \"com.apple.Pages\"\nname = \"Pages\"\nstore = \"361309726\"\n";

#[test]
fn two_layers_that_contradict_each_other_are_both_named_with_their_lines() {
    let one =
        layer(&base_text("[[wifi]]\nssid = \"College\"\nsecurity = \"wpa2\"\npassword = \"motdepasse1\"\n"));
    let other =
        college_text("[[wifi]]\nssid = \"College\"\nsecurity = \"wpa2\"\npassword = \"motdepasse2\"\n");
    let refusals = combined(&[one, other]).unwrap_err();
    let told: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the base “Socle” (line 4) and the layer of collège 0761234A “Jean-Moulin” (line 5) contradict each other \
          about wifi \"College\": make them equal, or leave one out"
        ]
    );
    assert!(!format!("{refusals:?}").contains("motdepasse"));
}

#[test]
fn the_bases_apps_and_the_colleges_are_one_list_with_web_clips() {
    let base = layer(&base_text(&format!("[apps]\npermitted = \"listed\"\n{PAGES}")));
    let college = college_text(
        "[[app]]\nbundle = \"fr.example.maths\"\nname = \"Maths\"\nstore = \"100000001\"\n\
         [[web-clip]]\nlabel = \"ENT\"\nurl = \"https://ent.example/\"\n",
    );
    let alone = combined(std::slice::from_ref(&base)).unwrap();
    assert_eq!(alone.permitted_apps().unwrap(), ["com.apple.Pages"].into());
    let both = combined(&[base, college]).unwrap();
    let expected: BTreeSet<&str> = ["com.apple.Pages", "com.apple.webapp", "fr.example.maths"].into();
    assert_eq!(both.permitted_apps().unwrap(), expected);
}

#[test]
fn c3_1_3_a_college_does_not_make_a_required_app_optional() {
    let base = layer(&base_text(PAGES));
    let college = college_text(&format!("{PAGES}install = \"optional\"\n"));
    let intent = combined(&[base, college]).unwrap();
    assert_eq!(
        intent.apps()[&"com.apple.Pages".parse().unwrap()].value.install,
        crate::parts::Install::Required
    );
}

#[test]
fn c3_1_5_a_proxy_stands_in_the_layer_of_the_school_only() {
    let proxy = "[proxy]\nserver = \"proxy.college.example\"\nport = 3128\n";
    let base = layer(&base_text(""));
    let exam = layer(&format!("layer = \"tablet\"\ntitle = \"Examen\"\npurpose = \"Un examen.\"\n{proxy}"));
    let school = mode_text(LoanMode::InSchool, proxy);
    assert!(combined(&[base.clone(), school]).is_ok());
    let refusals = |mode| combined(&[base.clone(), exam.clone(), mode_text(mode, "")]).unwrap_err();
    for mode in [LoanMode::TakeHome, LoanMode::Restricted, LoanMode::Lost] {
        assert!(
            matches!(
                refusals(mode).as_slice(),
                [Refusal::LogsHomeTraffic { line: 4, by: "a global proxy", .. }]
            ),
            "{mode}"
        );
    }
    assert!(combined(&[base.clone(), exam.clone(), mode_text(LoanMode::Deposit, "")]).is_ok());
    // Nothing says that the tablet stays at school: it may be at home.
    let refusals = combined(&[base, exam]).unwrap_err();
    assert_eq!(refusals[0].rule(), Some(types::RuleId::C3_1_5));
}

#[test]
fn c3_1_5_a_resolver_that_logs_is_for_the_schools_networks() {
    let dns =
        |more: &str| format!("[dns]\nurl = \"https://dns.example/dns-query\"\nkeeps-log = true\n{more}");
    let refused = parse("base.toml", &base_text(&dns(""))).unwrap_err();
    assert!(refused[0].to_string().contains("would log what is asked for at home"), "{}", refused[0]);
    assert_eq!(refused[0].rule, Some(types::RuleId::C3_1_5));
    let base = layer(&base_text(&dns("only-on = [\"College\"]\n")));
    assert!(combined(&[base, mode_text(LoanMode::TakeHome, "")]).is_ok());
}

#[test]
fn c5_3_7_an_emergency_order_lasts_thirty_days_at_most_and_has_a_reason() {
    let text = base_text("").replace("layer = \"base\"", "layer = \"emergency\"");
    let emergency = layer(&text);
    let order = |reason, last| EmergencyOrder::new(emergency.clone(), reason, today(), last);
    assert!(order("Crue", today().plus(29)).is_ok());
    assert!(matches!(order("Crue", today().plus(30)), Err(Refusal::EmergencyTooLong { days: 31, .. })));
    assert!(matches!(order("Crue", today().plus(-1)), Err(Refusal::EmergencyTooLong { days: 0, .. })));
    assert_eq!(order(" ", today()), Err(Refusal::EmergencyWithoutReason));
    let base = layer(&base_text(""));
    let refusal = EmergencyOrder::new(base.clone(), "Crue", today(), today()).unwrap_err();
    assert_eq!(refusal.rule(), Some(types::RuleId::C5_3_7));
    let refusals = combined(&[base, emergency.clone()]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::EmergencyWithoutOrder { .. }]));
}

#[test]
fn c5_3_7_an_emergency_base_alone_loosens() {
    let forbids = "[apps]\npermitted = \"all\"\n";
    let base = layer(&base_text(forbids).replace("[passcode]", "allowCamera = false\n[passcode]"));
    let text = base_text("").replace("layer = \"base\"", "layer = \"emergency\"");
    let emergency = layer(&text.replace("[passcode]", "allowCamera = true\n[passcode]"));
    let mode = mode_text(LoanMode::TakeHome, "[restrictions]\nallowCamera = true\n");
    let camera = |intent: &Intent| {
        let entry = crate::catalogue::find(crate::catalogue::Section::Restrictions, "allowCamera").unwrap();
        intent.settings()[entry].value.clone()
    };
    let layers = [base, mode];
    assert_eq!(camera(&combined(&layers).unwrap()), Value::Boolean(false));
    let order = EmergencyOrder::new(emergency, "Confinement", today(), today().plus(5)).unwrap();
    assert_eq!(camera(&combine(&layers, Some(&order), today()).unwrap()), Value::Boolean(true));
}

#[test]
fn a_tablet_that_would_join_no_network_is_refused() {
    let confined = mode_text(LoanMode::InSchool, "[restrictions]\nforceWiFiToAllowedNetworksOnly = true\n");
    let base = layer(&base_text(""));
    let refusals = combined(&[base.clone(), confined.clone()]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::CutOff { line: 6, .. }]), "{refusals:?}");
    let wifi = college_text("[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"motdepasse\"\n");
    assert!(combined(&[base, confined, wifi]).is_ok());
}

#[test]
fn a_tablet_is_not_locked_into_an_app_that_does_not_open() {
    let base = layer(&base_text(&format!("[apps]\npermitted = \"listed\"\n{PAGES}")));
    let exam = |bundle: &str| {
        let text = format!("[single-app]\nbundle = \"{bundle}\"\n");
        layer(&format!("layer = \"tablet\"\ntitle = \"Examen\"\npurpose = \"Un examen.\"\n{text}"))
    };
    assert!(combined(&[base.clone(), exam("com.apple.Pages")]).is_ok());
    let refusals = combined(&[base, exam("com.apple.Keynote")]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::SingleAppNotPermitted { .. }]));
}

#[test]
fn lists_with_nothing_in_common_are_refused_and_not_sent_empty() {
    let base = layer(&base_text(&format!("[apps]\npermitted = \"listed\"\n{PAGES}")));
    let exam = layer(&format!(
        "layer = \"tablet\"\ntitle = \"Examen\"\npurpose = \"x\"\n[apps]\nonly = [\"{}\"]\n",
        bundle(1)
    ));
    let refusals = combined(&[base, exam]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::NoAppPermitted { layers }] if layers.len() == 2));
    let page = |n| format!("[filter.only]\n\"Page\" = \"https://site{n}.example/\"\n");
    let one = layer(&format!("{}{}", base_text(""), page(1)));
    let refusals = combined(&[one, mode_text(LoanMode::Restricted, &page(2))]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::Conflict(_)]));
}

#[test]
fn a_tablet_has_one_base_and_one_layer_of_each_kind() {
    let one = layer(&base_text(""));
    let other = layer(&base_text("").replace("Socle", "Autre"));
    assert!(matches!(combined(&[]).unwrap_err().as_slice(), [Refusal::NoBase]));
    assert!(matches!(combined(&[one.clone(), other]).unwrap_err().as_slice(), [Refusal::TwoOfAKind { .. }]));
    let modes = [mode_text(LoanMode::TakeHome, ""), mode_text(LoanMode::Deposit, "")];
    let refusals = combined([&[one][..], &modes[..]].concat().as_slice()).unwrap_err();
    assert!(refusals[0].to_string().contains("a tablet has one of them"));
}

#[test]
fn a_network_trusts_an_authority_that_some_layer_has() {
    let wifi = "[[wifi]]\nssid = \"C\"\nsecurity = \"wpa2\"\npassword = \"secret\"\n[wifi.eap]\nmethod = \"peap\"\n\
                user = \"tablettes\"\nservers = [\"radius.example\"]\nauthorities = [\"radius\"]\n";
    let refusals = combined(&[layer(&base_text("")), college_text(wifi)]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::NoSuchAuthority { line: 5, .. }]), "{refusals:?}");
}

#[test]
fn c3_1_5_a_layer_for_outside_the_school_names_no_network_with_a_proxy() {
    let wifi = "[[wifi]]\nssid = \"Libre\"\nsecurity = \"wpa2\"\npassword = \"motdepasse\"\n\
                [wifi.proxy]\nserver = \"proxy.example\"\nport = 3128\n";
    let text = |mode: LoanMode| {
        format!("layer = \"mode\"\nmode = \"{mode}\"\ntitle = \"M\"\npurpose = \"P.\"\n{wifi}")
    };
    for mode in LoanMode::ALL {
        let refused = parse("mode.toml", &text(*mode)).err().map(|problems| problems[0].rule);
        let outside = !matches!(mode, LoanMode::InSchool | LoanMode::Deposit);
        assert_eq!(refused, outside.then_some(Some(types::RuleId::C3_1_5)), "{mode}");
    }
    assert!(combined(&[layer(&base_text(wifi)), mode_text(LoanMode::TakeHome, "")]).is_ok());
}

#[test]
fn lists_of_what_is_allowed_are_never_sent_empty() {
    let list = |app: &str| format!("[restrictions]\nautonomousSingleAppModePermittedAppIDs = [\"{app}\"]\n");
    let user = layer(&format!(
        "layer = \"user\"\nfor = [\"pupil\"]\ntitle = \"U\"\npurpose = \"P.\"\n{}",
        list("fr.example.a")
    ));
    let base = layer(&base_text(""));
    let modes = [
        mode_text(LoanMode::Deposit, &list("fr.example.a")),
        mode_text(LoanMode::Deposit, &list("fr.example.b")),
    ];
    assert!(combined(&[base.clone(), user.clone(), modes[0].clone()]).is_ok());
    let refusals = combined(&[base, user, modes[1].clone()]).unwrap_err();
    assert!(refusals[0].to_string().contains("their lists have nothing in common"), "{}", refusals[0]);
    let empty = "layer = \"tablet\"\ntitle = \"T\"\npurpose = \"P.\"\n\
                 [restrictions]\nautonomousSingleAppModePermittedAppIDs = []\n";
    assert!(parse("t.toml", empty).unwrap_err()[0].to_string().contains("is an empty list"));
}
