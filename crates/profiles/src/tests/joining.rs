//! How each part of layers is joined, case by case, and whom it is said to come from.

use std::collections::BTreeSet;

use types::{Day, LoanMode};

use super::layers::{PAGES, base_text, college_text, combined, layer, mode_text};
use super::templates::today;
use crate::catalogue::{Section, find};
use crate::layer::Layer;
use crate::value::Value;
use crate::{EmergencyOrder, Intent, LayerName, Refusal, combine};

const BLOCKS_PAGES: &str = "[blocked-apps]\nbundles = [\"com.apple.Pages\"]\n";

fn restrictions(line: &str) -> Layer {
    layer(&base_text("").replace("[passcode]", &format!("{line}\n[passcode]")))
}

fn tablet(more: &str) -> Layer {
    layer(&format!("layer = \"tablet\"\ntitle = \"Examen\"\npurpose = \"Un examen.\"\n{more}"))
}

fn setting<'i>(intent: &'i Intent, key: &str) -> (&'i Value, Vec<&'i str>) {
    let kept = &intent.settings()[find(Section::Restrictions, key).unwrap()];
    (&kept.value, titles(&kept.from))
}

fn titles(from: &[LayerName]) -> Vec<&str> {
    from.iter().map(|name| name.title.as_str()).collect()
}

fn names(list: &[&str]) -> Value {
    Value::Names(list.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn what_is_kept_is_said_to_come_from_those_who_said_exactly_it() {
    let mode = |value| mode_text(LoanMode::Deposit, &format!("[restrictions]\nallowCamera = {value}\n"));
    let from = |base: bool, value: bool| {
        let layers = [restrictions(&format!("allowCamera = {base}")), mode(value)];
        let intent = combined(&layers).unwrap();
        let (kept, from) = setting(&intent, "allowCamera");
        (kept.clone(), from.join("+"))
    };
    assert_eq!(from(true, false), (Value::Boolean(false), "Mode".to_owned()));
    assert_eq!(from(false, true), (Value::Boolean(false), "Socle".to_owned()));
    assert_eq!(from(false, false), (Value::Boolean(false), "Socle+Mode".to_owned()));
}

#[test]
fn a_list_that_was_joined_of_several_comes_from_all_of_them() {
    let list = |apps: &str| format!("[restrictions]\nautonomousSingleAppModePermittedAppIDs = [{apps}]\n");
    let layers = [
        restrictions("autonomousSingleAppModePermittedAppIDs = [\"fr.example.a\", \"fr.example.b\"]"),
        mode_text(LoanMode::Deposit, &list("\"fr.example.b\", \"fr.example.c\"")),
    ];
    let intent = combined(&layers).unwrap();
    let joined = setting(&intent, "autonomousSingleAppModePermittedAppIDs");
    assert_eq!(joined, (&names(&["fr.example.b"]), vec!["Socle", "Mode"]));
}

#[test]
fn what_is_forbidden_with_exceptions_by_one_and_without_by_another_has_none() {
    let exception = "allowedCameraRestrictionBundleIDs = [\"fr.example.scan\"]";
    let granted = |base: &str, mode: &str| {
        let mode = mode_text(LoanMode::Deposit, &format!("[restrictions]\n{mode}\n"));
        let intent = combined(&[restrictions(base), mode]).unwrap();
        setting(&intent, "allowedCameraRestrictionBundleIDs").0.clone()
    };
    let forbids = format!("allowCamera = false\n{exception}");
    assert_eq!(granted(&forbids, "allowCamera = false"), names(&[]), "the mode grants none");
    assert_eq!(granted(&forbids, &forbids), names(&["fr.example.scan"]), "both grant it");
    assert_eq!(granted(&forbids, "allowCamera = true"), names(&["fr.example.scan"]), "one forbids nothing");
    assert_eq!(granted(&forbids, "allowAirDrop = false"), names(&["fr.example.scan"]), "nor does this one");
}

#[test]
fn an_app_that_nobody_requires_stays_optional() {
    let offered = format!("{PAGES}install = \"optional\"\n");
    let intent = combined(&[layer(&base_text(&offered)), college_text(&offered)]).unwrap();
    let pages = &intent.apps()[&"com.apple.Pages".parse().unwrap()];
    assert_eq!(pages.value.install, crate::parts::Install::Optional);
    assert_eq!(titles(&pages.from), ["Socle", "Jean-Moulin"]);
}

#[test]
fn c3_1_3_an_app_that_a_college_gives_and_the_base_blocks_is_withheld_and_both_are_named() {
    let intent = combined(&[layer(&base_text(BLOCKS_PAGES)), college_text(PAGES)]).unwrap();
    assert!(intent.apps().is_empty());
    let (bundle, withheld) = intent.withheld().first_key_value().unwrap();
    assert_eq!(bundle.as_str(), "com.apple.Pages");
    assert_eq!(titles(&withheld.given_by), ["Jean-Moulin"]);
    assert_eq!(titles(&withheld.blocked_by), ["Socle"]);
}

#[test]
fn only_who_asks_for_listed_apps_is_said_to() {
    let permitted = |word: &str| format!("[apps]\npermitted = \"{word}\"\n");
    let layers = [
        layer(&base_text(&format!("{}{PAGES}", permitted("listed")))),
        mode_text(LoanMode::Deposit, &permitted("all")),
    ];
    let kept = combined(&layers).unwrap().permitted.unwrap();
    assert_eq!((kept.value, titles(&kept.from)), (crate::parts::Permitted::Listed, vec!["Socle"]));
}

#[test]
fn c3_1_3_of_the_only_apps_that_open_one_that_is_blocked_does_not() {
    let only = "[apps]\nonly = [\"com.apple.Pages\", \"com.apple.Preferences\"]\n";
    let mode = mode_text(LoanMode::Deposit, only);
    let intent = combined(&[layer(&base_text(BLOCKS_PAGES)), mode.clone()]).unwrap();
    assert_eq!(intent.permitted_apps().unwrap(), ["com.apple.Preferences"].into());
    let intent = combined(&[layer(&base_text("")), mode]).unwrap();
    assert_eq!(intent.permitted_apps().unwrap(), ["com.apple.Pages", "com.apple.Preferences"].into());
}

#[test]
fn c3_1_5_a_page_that_one_layer_denies_is_permitted_by_none() {
    let filter = "automatic = true\npermitted = [\"https://a.example/\", \"https://b.example/\"]";
    let base = layer(&base_text("").replace("automatic = true", filter));
    let mode = mode_text(LoanMode::Deposit, "[filter]\ndenied = [\"https://b.example/\"]\n");
    let intent = combined(&[base, mode]).unwrap();
    let filter = &intent.filter().value;
    let addresses =
        |set: &BTreeSet<crate::names::WebAddress>| set.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(addresses(&filter.permitted), ["https://a.example/"]);
    assert_eq!(addresses(&filter.tightening.denied), ["https://b.example/"]);
    assert_eq!(titles(&intent.filter().from), ["Socle", "Mode"]);
}

#[test]
fn c3_1_5_of_two_lists_of_the_only_pages_the_pages_of_both_open() {
    let only = |pages: &[(&str, &str)]| {
        let lines: String = pages
            .iter()
            .map(|(title, site)| format!("\"{title}\" = \"https://{site}.example/\"\n"))
            .collect();
        format!("[filter.only]\n{lines}")
    };
    let base = layer(&format!("{}{}", base_text(""), only(&[("Un", "a"), ("Deux", "b")])));
    let mode = mode_text(LoanMode::Restricted, &only(&[("Zwei", "b"), ("Drei", "c")]));
    let intent = combined(&[base, mode]).unwrap();
    let left = intent.filter().value.tightening.only.as_ref().unwrap();
    let left: Vec<String> = left.iter().map(|(url, page)| format!("{url} {page:?}")).collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert!(left[0].starts_with("https://b.example/") && left[0].contains("Deux"), "{left:?}");
}

#[test]
fn the_same_layer_twice_counts_once_whatever_it_is() {
    let (base, college) = (layer(&base_text("")), college_text(PAGES));
    let once = combined(&[base.clone(), college.clone()]).unwrap();
    assert_eq!(titles(once.layers()), ["Socle", "Jean-Moulin"]);
    let twice = [college.clone(), base.clone(), college, base];
    assert_eq!(combined(&twice), Ok(once));
}

#[test]
fn c5_3_7_an_order_is_in_force_from_its_first_day_to_its_last() {
    let text = base_text("").replace("layer = \"base\"", "layer = \"emergency\"");
    let emergency = layer(&text.replace("Socle", "Crue"));
    let (first, last) = (today(), today().plus(10));
    let order = EmergencyOrder::new(emergency, " Crue de la Seine ", first, last).unwrap();
    assert_eq!((order.reason(), order.last()), ("Crue de la Seine", last));
    let base = [layer(&base_text(""))];
    for (day, is_in_force) in
        [(first.plus(-1), false), (first, true), (first.plus(5), true), (last, true), (last.plus(1), false)]
    {
        assert_eq!(order.is_in_force(day), is_in_force, "{day}");
        let intent = combine(&base, Some(&order), day).unwrap();
        assert_eq!(titles(intent.layers()), [if is_in_force { "Crue" } else { "Socle" }], "{day}");
    }
    let day: Day = first;
    assert!(EmergencyOrder::new(order.base().clone(), "Crue", day, day).unwrap().is_in_force(day), "one day");
}

#[test]
fn a_tablet_confined_to_its_networks_is_refused_for_that_and_nothing_else() {
    let confined = restrictions("forceWiFiToAllowedNetworksOnly = true");
    let free = restrictions("forceWiFiToAllowedNetworksOnly = false");
    assert!(matches!(combined(&[confined]).unwrap_err().as_slice(), [Refusal::CutOff { .. }]));
    assert!(combined(&[free]).is_ok());
}

#[test]
fn a_tablet_is_not_locked_into_an_app_that_is_blocked() {
    let exam = tablet("[single-app]\nbundle = \"com.apple.Pages\"\n");
    let blocks = layer(&base_text(BLOCKS_PAGES));
    let refusals = combined(&[blocks, exam.clone()]).unwrap_err();
    assert!(matches!(refusals.as_slice(), [Refusal::SingleAppNotPermitted { .. }]), "{refusals:?}");
    assert!(combined(&[layer(&base_text("")), exam]).is_ok(), "whatever is not forbidden opens");
}
