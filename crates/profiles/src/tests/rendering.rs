//! What is rendered, beside what Apple publishes: every key exists, has its type, its version and its supervision.

use std::collections::BTreeSet;
use std::path::Path;

use apple::OsVersion;
use apple::plist::Value as Plist;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::arbitrary::{college, stack};
use super::conformance::conforms;
use super::everything::everything;
use super::layers::base_text;
use super::templates::{template, text, today};
use crate::render::{ApiLevel, Frame, IpadRendering, IpadTarget, LeftOut, Why, sketch_agent, sketch_ipad};
use crate::report::{Platform, Source, preview};
use crate::{Intent, Layer, combine, parse};

fn frame() -> Frame {
    Frame::new("fr.departement.ardoise", "Département de l’Exemple").unwrap()
}

fn target(version: &str, supervised: bool) -> IpadTarget {
    IpadTarget { version: version.parse().unwrap(), supervised }
}

fn targets() -> Vec<IpadTarget> {
    let versions = ["15.0", "16.4", "17.0", "18.1", "26.0", "26.4", "27.0"];
    versions.iter().flat_map(|version| [target(version, true), target(version, false)]).collect()
}

fn rendered(layers: &[Layer], target: IpadTarget) -> IpadRendering {
    sketch_ipad(&combine(layers, None, today()).unwrap(), target, &frame()).unwrap()
}

#[test]
fn every_key_that_is_written_is_published_for_that_version_and_supervision() {
    let stacks = [
        everything(),
        vec![template("socle"), template("eleve"), template("hors-college")],
        vec![template("socle"), template("enseignant"), template("perdue"), template("examen")],
    ];
    let mut checked = 0;
    for layers in &stacks {
        for target in targets() {
            checked += conforms(&rendered(layers, target), target);
        }
    }
    assert!(checked > 2_000, "{checked} keys");
}

/// Every value of every catalogue entry, not only those that a template happens to use.
#[test]
fn every_entry_is_written_as_published_or_left_out_with_a_reason() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for entry in crate::catalogue::entries().filter(|entry| entry.never.is_none()) {
        use proptest::strategy::ValueTree as _;
        let value = super::arbitrary::value(entry).new_tree(&mut runner).unwrap().current();
        let mut layer = parse("t.toml", &base_text("")).unwrap();
        layer.contents.settings.insert(entry, crate::At { value, line: 1 });
        let intent = match combine([&layer], None, today()) {
            Ok(intent) => intent,
            // The one entry that needs a network.
            Err(_) if entry.key == "forceWiFiToAllowedNetworksOnly" => continue,
            Err(refusals) => panic!("{entry}: {refusals:?}"),
        };
        let mut somewhere = false;
        for target in targets() {
            let rendering = sketch_ipad(&intent, target, &frame()).unwrap();
            conforms(&rendering, target);
            somewhere |= rendering.written.iter().any(|written| written.what == entry.to_string());
        }
        let apples = entry.wires().next().is_some();
        assert_eq!(somewhere, apples, "{entry}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_part_is_written_or_left_out_and_never_both(
        layers in stack(),
        college in college(),
        target in prop::sample::select(targets()),
        level in prop::sample::select(vec!["8", "11", "13", "16"]),
    ) {
        let mut layers = layers;
        layers.push(college);
        let Ok(intent) = combine(&layers, None, today()) else { return Ok(()) };
        let ipad = sketch_ipad(&intent, target, &frame()).unwrap();
        conforms(&ipad, target);
        let agent = sketch_agent(&intent, level.parse().unwrap());
        for (written, left_out) in [(&ipad.written, &ipad.left_out), (&agent.written, &agent.left_out)] {
            let written: BTreeSet<&str> = written.iter().map(|one| one.what.as_str()).collect();
            let left_out: BTreeSet<&str> = left_out.iter().map(|one| one.what.as_str()).collect();
            prop_assert!(written.is_disjoint(&left_out), "{:?}", written.intersection(&left_out));
            for part in parts(&intent) {
                prop_assert!(
                    written.contains(part.as_str()) || left_out.contains(part.as_str()),
                    "nothing is said of {part}"
                );
            }
        }
    }

    #[test]
    fn the_same_layers_give_the_same_bytes_in_any_order(
        (layers, shuffled) in stack().prop_flat_map(|layers| (Just(layers.clone()), Just(layers).prop_shuffle())),
        target in prop::sample::select(targets()),
    ) {
        let Ok(intent) = combine(&layers, None, today()) else { return Ok(()) };
        let again = combine(&shuffled, None, today()).unwrap();
        let (one, other) =
            (sketch_ipad(&intent, target, &frame()).unwrap(), sketch_ipad(&again, target, &frame()).unwrap());
        prop_assert_eq!(one.profile.to_xml(), other.profile.to_xml());
        prop_assert_eq!(&one.declarations, &other.declarations);
        prop_assert_eq!(sketch_agent(&intent, level("13")), sketch_agent(&again, level("13")));
    }
}

fn level(text: &str) -> ApiLevel {
    text.parse().unwrap()
}

/// The parts of an intent by the names that reports use.
fn parts(intent: &Intent) -> Vec<String> {
    let mut parts: Vec<String> = intent.settings().keys().map(ToString::to_string).collect();
    parts.extend(intent.apps().keys().map(|bundle| format!("app {bundle}")));
    parts.extend(intent.web_clips().keys().map(|url| format!("web clip {url}")));
    parts.extend(intent.wifi().keys().map(|ssid| format!("wifi \"{ssid}\"")));
    parts.push("filter".to_owned());
    if intent.permitted_apps().is_some() {
        parts.push("the apps that may be opened".to_owned());
    } else if !intent.blocked().is_empty() {
        parts.push("the apps that are blocked".to_owned());
    }
    parts
}

#[test]
fn the_bytes_of_the_templates_are_the_golden_ones() {
    let frame = frame();
    let texts: Vec<(&str, String)> =
        ["socle", "eleve", "hors-college"].iter().map(|name| (*name, text(name))).collect();
    let sources: Vec<Source<'_>> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    for (file, platform) in [
        ("ipados-27.0.json", Platform::Ipad(target("27.0", true))),
        ("ipados-18.1-unsupervised.json", Platform::Ipad(target("18.1", false))),
        ("ipados-15.0.json", Platform::Ipad(target("15.0", true))),
        ("android-13.json", Platform::Agent(level("13"))),
    ] {
        let preview = preview(&sources, platform, &frame, today()).unwrap();
        golden(file, &serde_json::to_string_pretty(&sorted(preview.to_json())).unwrap());
    }
}

/// Keys in order, whether or not some other crate asked serde_json to keep theirs.
fn sorted(value: Json) -> Json {
    match value {
        Json::Object(members) => {
            let mut pairs: Vec<(String, Json)> = members.into_iter().collect();
            pairs.sort_by(|one, other| one.0.cmp(&other.0));
            Json::Object(pairs.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn golden(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(file);
    if std::env::var_os("ARDOISE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, format!("{found}\n")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        expected.trim_end() == found,
        "{} is not what is rendered now: look at what changed on tablets, then write it again with \
         ARDOISE_WRITE_VECTORS=1",
        path.display()
    );
}

#[test]
fn names_stay_and_uuids_change_with_the_content_and_only_then() {
    let before = rendered(&[template("socle")], target("18.1", true));
    let changed = text("socle")
        .replace("minLength = 6 ", "minLength = 8 ")
        .replace("allowSystemAppRemoval = false", "allowSystemAppRemoval = true");
    let after = rendered(&[parse("socle.toml", &changed).unwrap()], target("18.1", true));
    assert_eq!(before.profile.identifier, after.profile.identifier);
    assert_ne!(before.profile.uuid, after.profile.uuid);
    for (one, other) in before.profile.payloads().iter().zip(after.profile.payloads()) {
        assert_eq!(one.header.identifier, other.header.identifier);
        let touched = one.header.payload_type == "com.apple.applicationaccess";
        assert_eq!(one.header.uuid != other.header.uuid, touched, "{}", one.header.identifier);
    }
    for (one, other) in before.declarations.iter().zip(&after.declarations) {
        assert_eq!(one.identifier, other.identifier);
        let touched = one.declaration_type == "com.apple.configuration.passcode.settings";
        assert_eq!(one.server_token != other.server_token, touched, "{}", one.identifier);
    }
    // Every name is its own.
    let names: BTreeSet<&str> =
        after.profile.payloads().iter().map(|payload| payload.header.identifier.as_str()).collect();
    assert_eq!(names.len(), after.profile.payloads().len());
}

#[test]
fn what_took_over_is_used_from_its_version_on_and_what_it_replaced_before() {
    let place = |version: &str, supervised, what: &str| {
        let rendering = rendered(&[template("socle")], target(version, supervised));
        let written = rendering.written.iter().find(|written| written.what == what);
        written.map(|written| written.place.clone())
    };
    let siri = "restrictions.allowAssistantWhileLocked";
    let restricted = Some("com.apple.applicationaccess allowAssistantWhileLocked".to_owned());
    let declared = Some("com.apple.configuration.siri.settings AllowWhileLocked".to_owned());
    assert_eq!(place("15.0", true, siri), restricted);
    assert_eq!(place("26.0", true, siri), restricted);
    assert_eq!(place("26.4", true, siri), declared);
    // The declaration needs supervision, the restriction does not: it still works.
    assert_eq!(place("27.0", false, siri), restricted);

    let list = "the apps that may be opened";
    assert_eq!(
        place("26.4", true, list).as_deref(),
        Some("com.apple.applicationaccess allowListedAppBundleIDs")
    );
    assert_eq!(
        place("27.0", true, list).as_deref(),
        Some("com.apple.configuration.app.settings Allowed.AllowedApps")
    );
    assert_eq!(place("27.0", false, list), None);
}

#[test]
fn a_web_clip_is_written_for_ipads_and_for_the_agent_with_its_label_and_address() {
    let clip = "[[web-clip]]\nlabel = \"ENT\"\nurl = \"https://ent.example/\"\n";
    let layers = [parse("t.toml", &base_text(clip)).unwrap()];
    let ipad = rendered(&layers, target("17.0", true));
    let xml = String::from_utf8(ipad.profile.to_xml()).unwrap();
    assert!(xml.contains("com.apple.webClip.managed") && xml.contains("https://ent.example/"), "{xml}");
    assert!(ipad.written.iter().any(|written| written.what == "web clip https://ent.example/"));
    let intent = combine(&layers, None, today()).unwrap();
    let agent = sketch_agent(&intent, "13".parse::<ApiLevel>().unwrap());
    let given = &agent.fields["applications"][0];
    assert_eq!((&given["type"], &given["name"]), (&Json::from("web"), &Json::from("ENT")));
    assert_eq!(given["url"], "https://ent.example/");
}

#[test]
fn an_ipad_on_15_gets_what_it_can_and_is_told_the_rest() {
    let rendering = rendered(&[template("socle"), template("eleve")], target("15.0", true));
    assert!(rendering.declarations.is_empty());
    let why = |what: &str| {
        rendering.left_out.iter().find(|left| left.what == what).map(|left: &LeftOut| left.why.clone())
    };
    assert_eq!(why("restrictions.allowWritingTools"), Some(Why::NotYet { since: OsVersion::new(18, 0) }));
    assert_eq!(why("software-update.ProgramEnrollment"), Some(Why::NotYet { since: OsVersion::new(18, 0) }));
    assert_eq!(
        why("app com.apple.Pages"),
        Some(Why::ByCommand { command: "InstallApplication", until: OsVersion::new(17, 2) })
    );
    assert_eq!(why("android.systemUpdateType"), Some(Why::OtherPlatform));
    let types = rendering.profile.payload_types();
    assert_eq!(
        types,
        [
            "com.apple.applicationaccess",
            "com.apple.mobiledevice.passwordpolicy",
            "com.apple.webcontent-filter"
        ]
    );
    assert!(
        sketch_ipad(&combine([&template("socle")], None, today()).unwrap(), target("14.8", true), &frame())
            .is_err()
    );
}

#[test]
fn c5_3_2_a_profile_cannot_be_removed_where_supervision_allows_it_and_says_so_elsewhere() {
    let supervised = rendered(&[template("socle")], target("27.0", true));
    assert_eq!(supervised.profile.removal_disallowed, Some(true));
    let free = rendered(&[template("socle")], target("27.0", false));
    assert_eq!(free.profile.removal_disallowed, None);
    assert!(free.left_out.iter().any(|left| left.what.contains("cannot remove")));
}

#[test]
fn a_network_refers_to_its_authority_and_a_password_is_where_the_tablet_looks() {
    let rendering = rendered(&everything(), target("18.1", true));
    let payload = |kind: &str, title: &str| {
        rendering
            .profile
            .payloads()
            .iter()
            .find(|payload| {
                payload.header.payload_type == kind
                    && payload.header.display_name.as_deref().is_some_and(|name| name.contains(title))
            })
            .unwrap_or_else(|| panic!("{kind} {title}"))
    };
    let authority = payload("com.apple.security.root", "");
    let radius = payload("com.apple.wifi.managed", "Radius").to_dictionary();
    let eap = radius.get("EAPClientConfiguration").unwrap().as_dictionary().unwrap();
    let anchors = eap.get("PayloadCertificateAnchorUUID").unwrap().as_array().unwrap();
    assert_eq!(anchors, &[Plist::from(authority.header.uuid.as_str())]);
    assert_eq!(eap.get("UserPassword").unwrap().as_string(), Some("s"));
    assert!(radius.get("Password").is_none());
    let college = payload("com.apple.wifi.managed", "Collège").to_dictionary();
    assert_eq!(college.get("Password").unwrap().as_string(), Some("mot de passe"));
    assert_eq!(college.get("ProxyServer").unwrap().as_string(), Some("proxy.example.fr"));
}

#[test]
fn the_settings_command_carries_the_options_of_the_management() {
    let rendering = rendered(&[template("socle")], target("18.1", true));
    let told = format!("{:?}", rendering.settings);
    assert!(told.contains("activation_lock_allowed_while_supervised: Some(false)"), "{told}");
    assert_eq!(rendering.settings.len(), 2);
    // The time zone needs supervision.
    assert_eq!(rendered(&[template("socle")], target("18.1", false)).settings.len(), 1);
}

#[test]
fn a_frame_has_a_domain_and_a_name() {
    assert!(Frame::new("fr.departement.ardoise", "Département").is_ok());
    assert!(Frame::new("ardoise", "Département").is_err());
    assert!(Frame::new("fr.a b", "Département").is_err());
    assert!(Frame::new("fr.departement", " ").is_err());
}

/// Before 18.0 a delay of updates is two keys of a profile, and one alone does nothing.
#[test]
fn a_delay_of_updates_takes_effect_on_every_version() {
    let restriction = |version: &str, key: &str| {
        let rendering = rendered(&[template("socle")], target(version, true));
        let payload = rendering.profile.payloads().iter().find_map(|payload| {
            let ours = payload.header.payload_type == "com.apple.applicationaccess";
            ours.then(|| payload.to_dictionary())
        });
        payload.unwrap().get(key).cloned()
    };
    assert_eq!(restriction("17.0", "enforcedSoftwareUpdateDelay"), Some(Plist::from(14)));
    assert_eq!(restriction("17.0", "forceDelayedSoftwareUpdates"), Some(Plist::from(true)));
    assert_eq!(restriction("18.1", "forceDelayedSoftwareUpdates"), None);
    let declared = rendered(&[template("socle")], target("18.1", true)).declarations;
    let updates =
        declared.iter().find(|one| one.declaration_type.ends_with("softwareupdate.settings")).unwrap();
    assert_eq!(updates.payload["Deferrals"]["CombinedPeriodInDays"], 14);
}
