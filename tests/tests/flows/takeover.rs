//! Tablets of another server that move here: bound once, by an audited import, each within its own window, and never
//! otherwise.

use openssl::base64::encode_block;
use serde_json::{Value, json};
use store::Engine;
use store::certificates::CertificateState;
use tablets::{
    Authority, Enrolment, Error, Identity, InstalledPayload, InstalledProfile, Ipad, MdmPayload, Purpose,
    Stage, Validity, Via,
};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use types::Clock as _;
use url::Url;

use crate::asker::{Asker, named, request};
use crate::support::{
    COLLEGE, DAY, at, certificates_of, commands_of, enrolment, enrolment_id, fingerprint, obey,
    on_both_engines, report, round, standing, state_of, still_managed,
};

on_both_engines! {
    t_a6_no_tablet_moves_here_unless_the_configuration_and_an_import_say_so,
    t_a6_a_tablet_moves_here_once_and_obeys_from_then_on,
    t_a6_an_import_binds_only_the_tablet_it_names_and_only_in_its_window,
    t_a6_the_profile_of_the_other_server_that_holds_a_tablet_is_not_removed,
    a_tablet_that_moved_here_keeps_its_identity_or_renews_into_ours,
}

const CONNECT: &str = "/other-mdm/connect";
const CHECK_IN: &str = "/other-mdm/checkin";
const THEIR_PROFILE: &str = "com.other.mdm.enrolment";

/// Another server, of which only its authority matters.
struct OtherServer {
    authority: Authority,
    now: i64,
}

impl OtherServer {
    fn new(server: &TestServer) -> Self {
        let now = server.clock().now().as_seconds();
        let authority = Authority::new(&[("CN", "Other MDM")], Validity::days(now - 86_400, 3_650)).unwrap();
        Self { authority, now }
    }

    /// A tablet that it manages, whose profile names addresses that lead here now.
    fn tablet(&self, server: &TestServer, serial: &str) -> Ipad {
        let purpose = Purpose::Client;
        let identity =
            self.authority.identity_for(&[("CN", serial)], &purpose, Validity::days(self.now, 100)).unwrap();
        let mut ipad = server.ipad(serial).build().unwrap();
        ipad.state_mut().enrolment = Some(Enrolment {
            mdm: MdmPayload {
                server_url: at(server, CONNECT),
                check_in_url: at(server, CHECK_IN),
                topic: server.push_service().topic().to_owned(),
                sign_message: false,
                access_rights: 8191,
                check_out_when_removed: true,
                server_capabilities: Vec::new(),
                identity_certificate_uuid: "5A3E8E1A-0000-4000-8000-000000000001".to_owned(),
            },
            profile_identifier: THEIR_PROFILE.to_owned(),
            push_token: format!("{:0>64}", hex(serial)),
            push_magic: format!("magic of {serial}"),
            unlock_token: hex("unlock"),
            awaiting_configuration: false,
            stage: Stage::Enrolled,
            anchors: String::new(),
            automated: false,
        });
        for (profile, payload) in
            [(THEIR_PROFILE, "com.apple.mdm"), ("com.other.wifi", "com.apple.wifi.managed")]
        {
            let installed = their_profile(profile, payload);
            ipad.state_mut().profiles.insert(profile.to_owned(), installed);
        }
        ipad.set_identity(Some(identity));
        ipad
    }

    /// What it hands over of these tablets, for `days`.
    fn handover(&self, tablets: &[&Ipad], days: u32) -> Value {
        let lines: Vec<String> = tablets.iter().map(|ipad| line(ipad, ipad.udid()).to_string()).collect();
        json!({
            "authority_pem": self.authority.certificate_pem().unwrap(),
            "tablets": lines.join("\n"),
            "window_days": days,
        })
    }
}

fn line(ipad: &Ipad, udid: &str) -> Value {
    let enrolment = ipad.enrolment().unwrap();
    json!({
        "udid": udid,
        "serial": ipad.serial(),
        "topic": enrolment.mdm.topic,
        "push_token": encode_block(&bytes(&enrolment.push_token)),
        "push_magic": enrolment.push_magic,
        "unlock_token": encode_block(&bytes(&enrolment.unlock_token)),
        "certificate_sha256": ipad.identity().unwrap().fingerprint(),
    })
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn their_profile(identifier: &str, payload: &str) -> InstalledProfile {
    InstalledProfile {
        identifier: identifier.to_owned(),
        uuid: "5A3E8E1A-0000-4000-8000-000000000002".to_owned(),
        version: 1,
        display_name: Some("Other".to_owned()),
        organization: None,
        description: None,
        removal_disallowed: false,
        managed: true,
        signers: Vec::new(),
        payloads: vec![InstalledPayload {
            kind: payload.to_owned(),
            identifier: format!("{identifier}.payload"),
            uuid: "5A3E8E1A-0000-4000-8000-000000000003".to_owned(),
            version: 1,
            display_name: None,
        }],
    }
}

async fn open(engine: Engine) -> TestServer {
    let paths = format!("takeover.paths={CONNECT},{CHECK_IN}");
    TestServer::setup(engine).flag("takeover.enabled=true").flag(paths).start().await.unwrap()
}

async fn import(server: &TestServer, handover: &Value) -> testkit::Answer {
    server.stepped_up().await.unwrap().post("/api/v1/takeovers", handover).await.unwrap()
}

/// What the tablet is told when it says that it has nothing to report; it must stay managed.
async fn idle(ipad: &mut Ipad) -> u16 {
    let message = report(ipad.udid(), "Idle", None);
    still_managed(&ipad.report(&message).await.unwrap())
}

/// What the audit log holds of imports, with its details whole.
async fn audited(server: &TestServer) -> Vec<store::audit::Entry> {
    let store = server.fleet().unwrap().store();
    let entries =
        store.read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 1_000)).await.unwrap();
    entries.into_iter().filter(|entry| entry.action == "takeover.import").collect()
}

async fn t_a6_no_tablet_moves_here_unless_the_configuration_and_an_import_say_so(engine: Engine) {
    // As it comes: no import, and no path but our own.
    let mut server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let other = OtherServer::new(&server);
    let mut ipad = other.tablet(&server, "DMPX00000001");
    let refused = import(&server, &other.handover(&[&ipad], 30)).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "conflict"), "{refused:?}");
    assert!(refused.body.to_string().contains("takeover.enabled = true"), "{refused:?}");
    assert_eq!(idle(&mut ipad).await, 404, "the other server's path is not served");

    // The path alone moves nobody.
    let paths = format!("takeover.paths={CONNECT},{CHECK_IN}");
    server.start_again_with(&[&paths]).await.unwrap();
    assert_eq!(idle(&mut ipad).await, 400);
    assert_eq!(import(&server, &other.handover(&[&ipad], 30)).await.status, 409);

    // Nor does the setting, before the import.
    server.start_again_with(&["takeover.enabled=true"]).await.unwrap();
    assert_eq!(idle(&mut ipad).await, 400);
    let token_update = ipad.token_update_message().unwrap();
    assert_eq!(still_managed(&ipad.check_in(&token_update).await.unwrap()), 400);
    assert!(audited(&server).await.is_empty());
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");

    // An import by someone who may not act, of a tablet that the inventory lacks, or for too long, changes nothing.
    let reader = server.new_token(fleet::Scope::Read).await.unwrap();
    let reader = server.api().unwrap().with_token(reader);
    let handover = other.handover(&[&ipad], 30);
    assert_eq!(reader.post("/api/v1/takeovers", &handover).await.unwrap().status, 403);
    let unknown = other.tablet(&server, "DMPX00000009");
    let bad = import(&server, &other.handover(&[&ipad, &unknown], 30)).await;
    assert_eq!(bad.status, 422, "{bad:?}");
    assert!(bad.body.to_string().contains("is not in the inventory"), "{bad:?}");
    assert_eq!(import(&server, &other.handover(&[&ipad], 91)).await.status, 422);
    assert!(audited(&server).await.is_empty());
    assert_eq!(idle(&mut ipad).await, 400);

    // After the import it is bound. Once the setting is taken back, nobody else moves, and whoever moved is served.
    server.import_inventory(&inventory_csv(["DMPX00000002"], COLLEGE)).await.unwrap();
    let mut too_late = other.tablet(&server, "DMPX00000002");
    assert_eq!(import(&server, &other.handover(&[&ipad, &too_late], 30)).await.status, 200);
    assert_eq!(audited(&server).await.len(), 2);
    assert_eq!(idle(&mut ipad).await, 200);
    server.start_again_with(&["takeover.enabled=false"]).await.unwrap();
    assert_eq!(idle(&mut too_late).await, 400);
    obey(&mut ipad).await;
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert_eq!(standing(&server, "DMPX00000002").await, "not-enrolled");
}

async fn t_a6_a_tablet_moves_here_once_and_obeys_from_then_on(engine: Engine) {
    let server = open(engine).await;
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let other = OtherServer::new(&server);
    let mut ipad = other.tablet(&server, "DMPX00000001");
    let handover = other.handover(&[&ipad], 30);
    let imported = import(&server, &handover).await.ok().unwrap();
    assert_eq!((&imported["tablets"], &imported["new_authority"]), (&json!(1), &json!(true)));
    let entry = audited(&server).await.remove(0);
    assert!(entry.tablet.is_some() && entry.actor.starts_with("account:"), "{entry:?}");
    let detail = entry.detail.unwrap().to_string();
    assert!(detail.contains(&ipad.identity().unwrap().fingerprint()), "{detail}");
    for secret in [&ipad.enrolment().unwrap().push_magic, &encode_block(b"unlock")] {
        assert!(!detail.contains(secret.as_str()), "{detail}");
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled", "it has not come yet");

    // Its first message binds it, and it is asked what every tablet is asked.
    let first = obey(&mut ipad).await;
    assert!(first.request_types().contains(&"DeviceInformation"), "{:?}", first.request_types());
    let shown = enrolment(&server, "DMPX00000001").await;
    assert_eq!((shown["kind"].as_str(), shown["udid"].as_str()), (Some("taken-over"), Some(ipad.udid())));
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");

    // It is woken with the token that was handed over, and obeys.
    let command = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    let magic = ipad.enrolment().unwrap().push_magic.clone();
    wait_until("it was pushed", Patience::default(), async || {
        let pushes = server.push_service().apns().pushes();
        Ok(pushes.iter().any(|push| push.magic == magic).then_some(()))
    })
    .await
    .unwrap();
    obey(&mut ipad).await;
    assert_eq!(state_of(&server, &command).await, "acknowledged");
    // Its check-ins come to the other server's address too, and to ours if its profile said so.
    assert!(ipad.token_update().await.unwrap().is_accepted());

    // The same certificate is not imported again, and binds nothing again once its tablet left.
    let again = import(&server, &handover).await;
    assert_eq!(again.status, 422);
    assert!(again.body.to_string().contains("was imported before"), "{again:?}");
    let used = server.api().unwrap().get("/api/v1/takeovers").await.unwrap().ok().unwrap();
    assert!(used["items"][0]["used_at"].is_string(), "{used}");
    let identity = ipad.identity().unwrap().clone();
    let mut twin = other.tablet(&server, "DMPX00000001");
    twin.set_identity(Some(identity));
    ipad.check_out().await.unwrap();
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    assert_eq!(idle(&mut twin).await, 400);
    let token_update = twin.token_update_message().unwrap();
    assert_eq!(still_managed(&twin.check_in(&token_update).await.unwrap()), 400);
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    assert_eq!(audited(&server).await.len(), 1);
}

async fn t_a6_an_import_binds_only_the_tablet_it_names_and_only_in_its_window(engine: Engine) {
    let server = open(engine).await;
    let serials = ["DMPX00000001", "DMPX00000002", "DMPX00000003"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
    let mut ours = server.enrolled_ipad("DMPX00000004").await.unwrap();
    obey(&mut ours).await;
    let other = OtherServer::new(&server);
    let mut one = other.tablet(&server, serials[0]);
    let mut late = other.tablet(&server, serials[1]);
    assert_eq!(import(&server, &other.handover(&[&one], 30)).await.status, 200);
    assert_eq!(import(&server, &other.handover(&[&late], 1)).await.status, 200);

    // Another UDID under its certificate; another certificate of the same authority under its UDID.
    let mut claims_another = report(late.udid(), "Idle", None);
    assert_eq!(still_managed(&one.report(&claims_another).await.unwrap()), 400);
    claims_another.remove("UDID");
    assert_eq!(still_managed(&one.report(&claims_another).await.unwrap()), 400);
    let mut not_imported = other.tablet(&server, serials[0]);
    assert_ne!(not_imported.identity().unwrap().fingerprint(), one.identity().unwrap().fingerprint());
    assert_eq!(idle(&mut not_imported).await, 400);
    // A certificate of ours opens no import, and one of theirs opens nothing at our own address.
    let mut visitor = other.tablet(&server, serials[0]);
    visitor.set_identity(ours.identity().cloned());
    assert_eq!(idle(&mut visitor).await, 400);
    let identity = one.identity().unwrap().clone();
    let idle_here = crate::support::xml(&report(one.udid(), "Idle", None));
    let mut http = crate::support::stranger(&server);
    let own_door: Url = at(&server, "/mdm/connect");
    let at_our_door =
        crate::support::put(&mut http, own_door.clone(), &[], Some(&identity), &idle_here).await;
    assert_eq!(at_our_door.status, 400, "it is bound at the other server's address only");
    for serial in serials {
        assert_eq!(standing(&server, serial).await, "not-enrolled", "{serial}");
    }

    // In its window it is bound in spite of all that, each by its own import.
    assert_eq!(idle(&mut one).await, 200);
    server.advance(DAY);
    assert_eq!(idle(&mut late).await, 400, "its window is over");
    let alarms = server.alarm_kinds().await.unwrap();
    for kind in ["identity-mismatch", "refused-enrolment"] {
        assert!(alarms.contains(&kind.to_owned()), "{kind}: {alarms:?}");
    }
    assert_eq!(standing(&server, serials[1]).await, "not-enrolled");
    assert_eq!(standing(&server, serials[0]).await, "enrolled");

    // A tablet that enrolled here by itself is not taken over on top of that.
    let mut moved = other.tablet(&server, serials[2]);
    assert_eq!(import(&server, &other.handover(&[&moved], 30)).await.status, 200);
    let mut by_link = server.ipad(serials[2]).build().unwrap();
    by_link.enrol_by_link(&server.link_for(serials[2]).await.unwrap()).await.unwrap();
    let before = enrolment(&server, serials[2]).await;
    assert_eq!(idle(&mut moved).await, 400);
    assert_eq!(enrolment(&server, serials[2]).await, before);
    obey(&mut by_link).await;
    obey(&mut ours).await;
}

async fn t_a6_the_profile_of_the_other_server_that_holds_a_tablet_is_not_removed(engine: Engine) {
    let server = open(engine).await;
    server.import_inventory(&inventory_csv(["DMPX00000001"], COLLEGE)).await.unwrap();
    let other = OtherServer::new(&server);
    let mut ipad = other.tablet(&server, "DMPX00000001");
    assert_eq!(import(&server, &other.handover(&[&ipad], 30)).await.status, 200);
    assert_eq!(idle(&mut ipad).await, 200);
    let remove = |identifier: &str| {
        let wanted = json!({ "request_type": "RemoveProfile", "parameters": { "Identifier": identifier } });
        let api = server.api().unwrap();
        async move { api.post("/api/v1/tablets/DMPX00000001/commands", &wanted).await.unwrap() }
    };
    // By hand none is removed, also while nobody knows yet which profile it is.
    for identifier in [THEIR_PROFILE, "com.other.wifi"] {
        let unknown = remove(identifier).await;
        assert_eq!((unknown.status, unknown.text("/rule")), (403, "C3.1.1"), "{identifier}: {unknown:?}");
    }
    obey(&mut ipad).await;
    for identifier in [THEIR_PROFILE, &THEIR_PROFILE.to_uppercase()] {
        let refused = remove(identifier).await;
        assert!((400..500).contains(&refused.status), "{identifier}: {refused:?}");
        assert_eq!(refused.text("/rule"), "M4", "{refused:?}");
    }
    assert_eq!(remove("com.other.wifi").await.text("/rule"), "C3.1.1");

    // Nor do layers that come, and clear away what is stale.
    server.publish_layer(crate::first_day::SOCLE).await.unwrap();
    round(&server).await;
    obey(&mut ipad).await;
    let rules = server.api().unwrap().get("/api/v1/tablets/DMPX00000001/rules").await.unwrap();
    assert_eq!(rules.ok().unwrap()["delivered"], true);
    assert!(ipad.is_enrolled() && ipad.state().profiles.contains_key(THEIR_PROFILE));
}

async fn a_tablet_that_moved_here_keeps_its_identity_or_renews_into_ours(engine: Engine) {
    let server = open(engine).await;
    let serials = ["DMPX00000001", "DMPX00000002"];
    server.import_inventory(&inventory_csv(serials, COLLEGE)).await.unwrap();
    let other = OtherServer::new(&server);
    let (mut keeps, mut renews) = (other.tablet(&server, serials[0]), other.tablet(&server, serials[1]));
    assert_eq!(import(&server, &other.handover(&[&keeps, &renews], 30)).await.status, 200);
    obey(&mut keeps).await;
    obey(&mut renews).await;

    // A RenewalReq that the other server's certificate signs gives one of ours, for the same enrolment.
    let id = enrolment_id(&server, serials[1]).await;
    let theirs = renews.identity().unwrap().clone();
    let key = server.keys().key(3);
    let subject = named("a tablet");
    let wanted = request(&subject, &key, None);
    let given = Asker::of(&server, Via::Post).client().ask("17", &theirs, &wanted).await.unwrap();
    let ours = Identity::new(given[0].clone(), key.clone());
    assert!(obey(&mut renews).await.handled.is_empty(), "the old one works until the new one is used");
    renews.set_identity(Some(ours.clone()));
    assert!(obey(&mut renews).await.handled.is_empty());
    let states: Vec<_> = certificates_of(&server, id).await.iter().map(|row| row.state).collect();
    assert_eq!(states, [CertificateState::Superseded, CertificateState::Confirmed]);
    assert_eq!(enrolment_id(&server, serials[1]).await, id);
    renews.set_identity(Some(theirs.clone()));
    assert_eq!(idle(&mut renews).await, 400, "superseded");
    let answer = Asker::of(&server, Via::Post).client().ask("17", &theirs, &wanted).await;
    assert!(matches!(answer, Err(Error::ScepRefused { .. })), "{answer:?}");
    renews.set_identity(Some(ours));

    // Our profile is offered to neither: theirs holds them. The identity proves its tablet also when it expired.
    let row = certificates_of(&server, enrolment_id(&server, serials[0]).await).await.remove(0);
    assert_eq!(row.sha256, fingerprint(keeps.identity().unwrap().certificate()));
    let due = server.enrolled_ipad("DMPX00000003").await.unwrap();
    server.advance(DAY * 310);
    // Soonest first: once the one that expires last was asked, the others have been looked at.
    asked_to_renew(&server, due.serial()).await;
    for serial in serials {
        assert_eq!(commands_of(&server, serial, "InstallProfile").await, 0, "{serial}");
    }
    assert!(obey(&mut keeps).await.handled.is_empty());
    assert!(keeps.is_enrolled());
}

/// Waits until the calendar has asked a tablet to renew.
async fn asked_to_renew(server: &TestServer, serial: &str) {
    wait_until("the calendar asked for a renewal", Patience::default(), async || {
        Ok((commands_of(server, serial, "InstallProfile").await > 0).then_some(()))
    })
    .await
    .unwrap();
}
