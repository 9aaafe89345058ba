//! What was decided comes to tablets: each gets what it can, reports it, and everything else says why not.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::Engine;
use tablets::Ipad;
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use types::Duration;

use crate::first_day::SOCLE;
use crate::support::{COLLEGE, OTHER_COLLEGE, asleep, on_both_engines, pushed, round, still_managed, with};

on_both_engines! {
    tablets_of_every_version_come_to_have_what_was_decided,
    c5_3_2_t_c18_a_profile_that_a_pupil_removes_is_noticed_and_comes_back,
    a_crash_in_the_middle_changes_nothing_in_the_end,
    a_tablet_is_woken_for_what_layers_ask_of_it,
    t_a8_a_tablet_is_given_only_its_own_declarations,
    t_a17_a_tablet_that_lies_in_its_status_is_bounded_and_keeps_what_it_is_given,
    a_base_that_changes_is_signed_once_for_all_who_share_it,
    c5_3_4_the_setup_assistant_waits_for_what_was_decided_and_not_for_ever,
    a_connect_of_a_tablet_that_has_everything_costs_one_read_as_before_there_were_segments,
}

const PROFILE: &str = "fr.ardoise.configuration.profile";

/// The tablets of a class of all ages: system and supervision.
const CLASS: [(&str, bool); 20] = [
    ("15.0", true),
    ("15.0", false),
    ("15.8.3", true),
    ("16.0", true),
    ("16.7.10", false),
    ("17.0", true),
    ("17.0", false),
    ("17.2", true),
    ("17.7", true),
    ("18.0", true),
    ("18.1", false),
    ("18.4", true),
    ("18.7.2", true),
    ("26.0", true),
    ("26.0", false),
    ("26.1", true),
    ("26.4", true),
    ("26.4", false),
    ("27.0", true),
    ("27.0", false),
];

fn serial(number: usize) -> String {
    format!("DMPX{number:08}")
}

/// Lets the tablet do all it is given; some of it may be refused.
pub(crate) async fn follows(ipad: &mut Ipad) {
    let conversation = ipad.poll().await.unwrap();
    assert!(conversation.outcome.is_accepted(), "{:?}", conversation.outcome);
}

pub(crate) async fn rules(server: &TestServer, serial: &str) -> Value {
    server.api().unwrap().get(&format!("/api/v1/tablets/{serial}/rules")).await.unwrap().ok().unwrap()
}

/// How many rules stand how.
fn counts(rules: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for rule in rules["rules"].as_array().unwrap() {
        *counts.entry(rule["state"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

pub(crate) async fn enrolled(server: &TestServer, serial: &str, version: &str, supervised: bool) -> Ipad {
    let mut ipad = server.ipad(serial).system(version, "21A000").supervised(supervised).build().unwrap();
    ipad.enrol_by_link(&server.link_for(serial).await.unwrap()).await.unwrap();
    follows(&mut ipad).await;
    ipad
}

/// A tablet that has everything.
async fn settled(server: &TestServer, serial: &str) -> Ipad {
    server.import_inventory(&inventory_csv([serial], COLLEGE)).await.unwrap();
    let mut ipad = enrolled(server, serial, "27.0", true).await;
    round(server).await;
    follows(&mut ipad).await;
    assert_eq!(rules(server, serial).await["delivered"], true, "{:?}", rules(server, serial).await);
    ipad
}

async fn tablets_of_every_version_come_to_have_what_was_decided(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    let serials: Vec<String> = (1..=CLASS.len()).map(serial).collect();
    server.import_inventory(&inventory_csv(serials.iter().map(String::as_str), COLLEGE)).await.unwrap();
    let mut tablets = Vec::new();
    for (serial, (version, supervised)) in serials.iter().zip(CLASS) {
        tablets.push(enrolled(&server, serial, version, supervised).await);
    }
    round(&server).await;
    for ipad in &mut tablets {
        follows(ipad).await;
    }
    for (ipad, (version, supervised)) in tablets.iter().zip(CLASS) {
        let shown = rules(&server, ipad.serial()).await;
        let counts = counts(&shown);
        let what = format!("{version} {supervised}: {counts:?} {shown:#}");
        assert_eq!(shown["delivered"], true, "{what}");
        assert_eq!(counts.get("failed"), None, "{what}");
        assert!(counts["applied"] > 10, "{what}");
        let profile = &ipad.state().profiles[PROFILE];
        assert_eq!(profile.removal_disallowed, supervised, "C5.3.2");
        assert!(!profile.signers.is_empty(), "it is signed");
        for rule in shown["rules"].as_array().unwrap() {
            let explained = rule["state"] != "unsupported" || rule["why"].is_string();
            assert!(explained, "{rule}");
        }
    }
    // The oldest gets what it can, and the rest says why not.
    let oldest = rules(&server, &serials[0]).await;
    let newest = rules(&server, &serials[18]).await;
    assert!(counts(&oldest).get("unsupported").copied().unwrap_or(0) > 0, "{oldest:#}");
    assert!(counts(&oldest)["applied"] < counts(&newest)["applied"]);
    assert!(!tablets[18].state().declarations.is_empty());
    assert!(tablets[0].state().declarations.is_empty());
    // Another day: nothing is given again but the daily questions.
    let before: Vec<_> = tablets.iter().map(|ipad| ipad.state().profiles.clone()).collect();
    server.clock().advance(Duration::from_secs(90_000));
    for (ipad, before) in tablets.iter_mut().zip(&before) {
        let conversation = ipad.poll().await.unwrap();
        for one in &conversation.handled {
            assert!(["ProfileList", "DeviceInformation"].contains(&one.request_type.as_str()), "{one:?}");
        }
        assert_eq!(&ipad.state().profiles, before);
    }
}

async fn c5_3_2_t_c18_a_profile_that_a_pupil_removes_is_noticed_and_comes_back(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    let mut held = enrolled(&server, "DMPX00000001", "18.4", true).await;
    let mut free = enrolled(&server, "DMPX00000002", "18.4", false).await;
    round(&server).await;
    follows(&mut held).await;
    follows(&mut free).await;
    assert!(!held.remove_profile_by_hand(PROFILE), "a supervised tablet keeps it");
    assert!(free.remove_profile_by_hand(PROFILE));
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
    server.clock().advance(Duration::from_secs(90_000));
    follows(&mut held).await;
    follows(&mut free).await;
    assert_eq!(server.alarm_kinds().await.unwrap(), ["profile-removed"]);
    assert!(free.state().profiles.contains_key(PROFILE), "it came back");
    assert_eq!(rules(&server, "DMPX00000002").await["delivered"], true);
}

async fn a_tablet_is_woken_for_what_layers_ask_of_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, "DMPX00000001").await;
    // No command waits for it: it becomes one when the tablet comes.
    server.publish_layer(SOCLE).await.unwrap();
    pushed(&server, &ipad, 2).await;
    follows(&mut ipad).await;
    assert_eq!(rules(&server, "DMPX00000001").await["delivered"], true);
}

async fn a_crash_in_the_middle_changes_nothing_in_the_end(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    let mut plain = enrolled(&server, "DMPX00000001", "27.0", true).await;
    let mut unlucky = enrolled(&server, "DMPX00000002", "27.0", true).await;
    round(&server).await;
    follows(&mut plain).await;
    // One command is fetched, and the server dies before it hears of it.
    assert!(crate::support::fetched(&mut unlucky).await.is_some());
    server.crash().await;
    server.start_again().await.unwrap();
    round(&server).await;
    follows(&mut unlucky).await;
    let (one, other) = (rules(&server, "DMPX00000001").await, rules(&server, "DMPX00000002").await);
    assert_eq!(other["delivered"], true);
    assert_eq!(one["segment"], other["segment"]);
    assert_eq!(counts(&one), counts(&other));
    assert_eq!(plain.state().declarations, unlucky.state().declarations);
}

fn declarative(ipad: &Ipad, endpoint: &str) -> plist::Dictionary {
    let mut message = plist::Dictionary::new();
    message.insert("MessageType".into(), "DeclarativeManagement".into());
    message.insert("UDID".into(), ipad.udid().into());
    message.insert("Endpoint".into(), endpoint.into());
    message
}

pub(crate) async fn asked(ipad: &mut Ipad, endpoint: &str) -> (u16, Vec<u8>) {
    let message = declarative(ipad, endpoint);
    let outcome = ipad.check_in(&message).await.unwrap();
    (still_managed(&outcome), outcome.body().map(<[u8]>::to_vec).unwrap_or_default())
}

async fn t_a8_a_tablet_is_given_only_its_own_declarations(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    let addition = format!(
        "layer = \"college\"\nuai = \"{OTHER_COLLEGE}\"\ntitle = \"Collège\"\npurpose = \"Des apps.\"\n\
         [[app]]\nbundle = \"fr.example.theirs\"\nname = \"La leur\"\nstore = \"361309726\"\n"
    );
    server.publish_layer(&addition).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000002"], OTHER_COLLEGE)).await.unwrap();
    let mut ours = settled(&server, "DMPX00000001").await;
    let mut theirs = enrolled(&server, "DMPX00000002", "27.0", true).await;
    round(&server).await;
    follows(&mut theirs).await;
    let name = "fr.ardoise.configuration.app.managed.fr.example.theirs";
    assert!(theirs.state().declarations.contains_key(name), "{:?}", theirs.state().declarations.keys());
    let endpoint = format!("declaration/configuration/{name}");
    assert_eq!(asked(&mut theirs, &endpoint).await.0, 200);
    assert_eq!(asked(&mut ours, &endpoint).await.0, 404);
    for wrong in
        ["declaration/asset/fr.ardoise.configuration.activation", "declaration/configuration/%00", "nothing"]
    {
        assert_eq!(asked(&mut ours, wrong).await.0, 404, "{wrong}");
    }
    // The tokens change if and only if the set does.
    let token = async |ipad: &mut Ipad| {
        let (_status, body) = asked(ipad, "tokens").await;
        serde_json::from_slice::<Value>(&body).unwrap()["SyncTokens"].clone()
    };
    let before = token(&mut ours).await;
    server.clock().advance(Duration::from_secs(3_700));
    round(&server).await;
    assert_eq!(token(&mut ours).await, before);
    assert_ne!(token(&mut theirs).await["DeclarationsToken"], before["DeclarationsToken"]);
}

async fn t_a17_a_tablet_that_lies_in_its_status_is_bounded_and_keeps_what_it_is_given(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    let mut ipad = settled(&server, "DMPX00000001").await;
    let declared = asked(&mut ipad, "declaration-items").await;
    let many: Vec<Value> = (0..150)
        .map(|number| json!({ "identifier": format!("lie.{number}"), "active": true, "valid": "valid", "server-token": "x".repeat(100) }))
        .collect();
    let lie = json!({ "FullReport": true, "StatusItems": {
        "device": { "operating-system": { "version": "99.0" } },
        "management": { "declarations": { "configurations": many, "activations": [] } } } });
    for data in [lie.to_string().into_bytes(), b"{}".to_vec(), vec![0xFF; 2_000]] {
        let message = with(&declarative(&ipad, "status"), "Data", plist::Value::Data(data));
        assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 200);
    }
    assert_eq!(asked(&mut ipad, "declaration-items").await, declared);
    let shown = rules(&server, "DMPX00000001").await;
    assert!(counts(&shown).get("requested").copied().unwrap_or(0) > 0, "it no longer says that it has them");
    assert!(!shown.to_string().contains("lie."));
}

async fn a_base_that_changes_is_signed_once_for_all_who_share_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    let mut ipad = settled(&server, "DMPX00000001").await;
    let before = rules(&server, "DMPX00000001").await;
    let signed = async || {
        let store = server.fleet().unwrap().store();
        store.read(store::segments::count_signed).await.unwrap()
    };
    let count = signed().await;
    server.publish_layer(&format!("{SOCLE}\n# another text that says the same\n")).await.unwrap();
    round(&server).await;
    assert_eq!(signed().await, count, "what says the same is not signed again");
    let uuid = ipad.state().profiles[PROFILE].uuid.clone();
    follows(&mut ipad).await;
    assert_eq!(ipad.state().profiles[PROFILE].uuid, uuid);
    let after = rules(&server, "DMPX00000001").await;
    assert_ne!(before["segment"], after["segment"], "it rests on what was decided last");
    assert_eq!(after["delivered"], true);
    // And the calendar does all that by itself.
    server
        .publish_layer(&format!(
            "{SOCLE}\n[[web-clip]]\nlabel = \"ENT\"\nurl = \"https://ent.example.fr/\"\n"
        ))
        .await
        .unwrap();
    wait_until("the calendar moved the tablet", Patience::default(), || async {
        server.advance(Duration::from_secs(1));
        let now = rules(&server, "DMPX00000001").await;
        Ok((now["segment"] != after["segment"]).then_some(()))
    })
    .await
    .unwrap();
    follows(&mut ipad).await;
    assert_ne!(ipad.state().profiles[PROFILE].uuid, uuid);
    assert_eq!(signed().await, count + 1);
}

/// The calendar, the messenger and the batch of sightings speak to the database, too: what they say only adds, so that the
/// cheapest of many connects tells what one costs.
async fn a_connect_of_a_tablet_that_has_everything_costs_one_read_as_before_there_were_segments(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let mut without = server.enrolled_ipad("DMPX00000002").await.unwrap();
    follows(&mut without).await;
    server.publish_layer(SOCLE).await.unwrap();
    let mut with = settled(&server, "DMPX00000001").await;
    let store = server.fleet().unwrap().store();
    round(&server).await;
    follows(&mut without).await;
    for ipad in [&mut with, &mut without] {
        let mut least = u64::MAX;
        for _connect in 0..1_000 {
            let before = store.statements();
            let conversation = ipad.poll().await.unwrap();
            assert!(conversation.handled.is_empty(), "{conversation:?}");
            least = least.min(store.statements() - before);
            if least == 1 {
                break;
            }
        }
        assert_eq!(least, 1, "{}", ipad.serial());
    }
}

/// A tablet of Apple's programme whose Setup Assistant waits.
async fn in_setup(server: &TestServer, serial: &str) -> Ipad {
    use types::Clock as _;
    let apple = tablets::AppleDeviceAuthority::new(server.clock().now().as_seconds()).unwrap();
    let authorities =
        pki::DeviceCertificateAuthorities::for_simulation(apple.intermediate_pem().unwrap().as_bytes())
            .unwrap();
    server.believe_simulated_devices(authorities).unwrap();
    let udid = server.ipad(serial).build().unwrap().udid().to_owned();
    let identity = apple.device(&udid, &tablets::KeyPool::in_memory(2).unwrap()).unwrap();
    let mut ipad = server.ipad(serial).system("27.0", "21A000").device_identity(identity).build().unwrap();
    let url = server.tablets_url().unwrap().join("/enrol/automated").unwrap();
    ipad.enrol_by_machine_info(url.as_str()).await.unwrap();
    ipad
}

async fn c5_3_4_the_setup_assistant_waits_for_what_was_decided_and_not_for_ever(engine: Engine) {
    let seldom = Duration::from_secs(3_600);
    let server = TestServer::setup(engine).flag("enrolment.setup_minutes=30").calendar(seldom);
    let server = server.start().await.unwrap();
    server.publish_layer(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001", "DMPX00000002"], COLLEGE)).await.unwrap();
    let mut ipad = in_setup(&server, "DMPX00000001").await;
    follows(&mut ipad).await;
    assert!(ipad.is_awaiting_configuration(), "it said what it is, and was given nothing yet");
    round(&server).await;
    follows(&mut ipad).await;
    assert_eq!(rules(&server, "DMPX00000001").await["delivered"], true);
    assert!(!ipad.is_awaiting_configuration(), "it has what was decided, and goes on");
    // Whatever fails here, nobody sits before a Setup Assistant for ever.
    let mut forgotten = in_setup(&server, "DMPX00000002").await;
    follows(&mut forgotten).await;
    server.clock().advance(Duration::from_secs(29 * 60));
    follows(&mut forgotten).await;
    assert!(forgotten.is_awaiting_configuration());
    server.clock().advance(Duration::from_secs(2 * 60));
    follows(&mut forgotten).await;
    assert!(!forgotten.is_awaiting_configuration());
}
