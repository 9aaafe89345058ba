//! From an invitation to an enrolment: what Authenticate and TokenUpdate must agree with, and what they set off.

use actix_web::http::StatusCode;
use store::alarms;
use store::certificates::{self, Certificate, CertificateState};
use store::commands;
use store::enrolments::{self, Enrolment, EnrolmentState};
use store::links::{self, Link, LinkKind};
use store::push_certificates::{self, PushCertificate, PushCertificateState};
use store::push_states::{self, PushAttempt};
use types::{Clock as _, Duration, EnrolmentId, EnrolmentKind, LinkId, PushCertificateId, Secret, TabletId};

use super::enrolled::{A, enrol, fingerprint};
use super::harness::{Answer, Request, Tablet, TestDoor};

pub(super) const TOPIC: &str = "com.apple.mgmt.External.0f1e2d3c";
const OTHER_TOPIC: &str = "com.apple.mgmt.External.9e8d7c6b";
const OTHER_UDID: &str = "00008020-000915083C80777E";
const DAY: Duration = Duration::from_secs(86_400);

/// The rows of an invitation for the tablet of `former`, whose certificate SCEP has just issued.
async fn invite(
    door: &TestDoor,
    former: EnrolmentId,
    change: impl Fn(Enrolment) -> Enrolment + Send + 'static,
) -> (Tablet, EnrolmentId) {
    let tablet = Tablet::of(door);
    let now = door.clock.now();
    let (id, sha256) = (EnrolmentId::new(now), fingerprint(&tablet));
    let authority = *door.state.fleet.authorities().issuing().current().fingerprint().as_bytes();
    door.state
        .fleet
        .store()
        .write(move |tx| {
            let former = enrolments::get(tx, &former)?.unwrap();
            let invited = Enrolment {
                id,
                state: EnrolmentState::Invited,
                udid: None,
                serial: None,
                topic: Some(TOPIC.to_owned()),
                created_at: now,
                authenticated_at: None,
                token_updated_at: None,
                ..former
            };
            enrolments::insert(tx, &change(invited))?;
            certificates::insert(
                tx,
                &Certificate {
                    sha256,
                    enrolment_id: id,
                    authority_fingerprint: store::Digest::from(authority),
                    serial_number: "02".to_owned(),
                    state: CertificateState::Issued,
                    issued_at: now,
                    not_after: now.plus(DAY),
                    first_used_at: None,
                    renewed_from: None,
                },
            )
        })
        .await
        .unwrap();
    (tablet, id)
}

pub(super) async fn push_certificate(door: &TestDoor, topic: &str) {
    let now = door.clock.now();
    let certificate = PushCertificate {
        id: PushCertificateId::new(now),
        topic: topic.to_owned(),
        chain_pem: String::new(),
        not_after: now.plus(DAY),
        state: PushCertificateState::Current,
        created_at: now,
    };
    let store = door.state.fleet.store();
    let key = Secret::new(Vec::new());
    store.write(move |tx| push_certificates::make_current(tx, &certificate, &key)).await.unwrap();
}

/// A link for one tablet, made now.
async fn link(door: &TestDoor, tablet: TabletId) -> LinkId {
    let now = door.clock.now();
    let link = Link {
        id: LinkId::new(now),
        token_sha256: store::Digest::from([7; 32]),
        kind: LinkKind::Tablet,
        tablet_id: Some(tablet),
        uai: None,
        max_uses: 3,
        uses: 1,
        expires_at: now.plus(DAY),
        created_by: "host".to_owned(),
        created_at: now,
        revoked_at: None,
    };
    let id = link.id;
    door.state.fleet.store().write(move |tx| links::insert(tx, &link)).await.unwrap();
    id
}

async fn check_in(door: &TestDoor, tablet: &Tablet, keys: &str) -> Answer {
    let body = format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>");
    door.send(Request::put("/mdm/checkin").certificate(&tablet.certificate).body(body)).await
}

fn authenticate(udid: &str, topic: &str) -> String {
    format!(
        "<key>MessageType</key><string>Authenticate</string><key>Topic</key><string>{topic}</string>\
         <key>UDID</key><string>{udid}</string><key>SerialNumber</key><string>{}</string>",
        A.0
    )
}

fn token_update(awaiting: bool) -> String {
    let awaiting = if awaiting { "<key>AwaitingConfiguration</key><true/>" } else { "" };
    format!(
        "<key>MessageType</key><string>TokenUpdate</string><key>Topic</key><string>{TOPIC}</string>\
         <key>UDID</key><string>{}</string><key>Token</key><data>AQID</data>\
         <key>PushMagic</key><string>magic</string>{awaiting}",
        A.1
    )
}

async fn tablet_of(door: &TestDoor, enrolment: EnrolmentId) -> TabletId {
    let read = move |tx: &mut store::Tx<'_>| enrolments::get(tx, &enrolment);
    door.state.fleet.store().read(read).await.unwrap().unwrap().tablet_id.unwrap()
}

async fn alarm_kinds(door: &TestDoor) -> Vec<String> {
    let open =
        door.state.fleet.store().read(|tx| alarms::open(tx, &store::Within::Everything, 10)).await.unwrap();
    open.into_iter().map(|alarm| alarm.kind).collect()
}

#[actix_web::test]
async fn t_b1_a_tablet_does_not_choose_its_topic() {
    let door = TestDoor::open().await;
    push_certificate(&door, TOPIC).await;
    let (_former, former) = enrol(&door, A).await;
    let link = link(&door, tablet_of(&door, former).await).await;
    let (tablet, id) = invite(&door, former, move |row| Enrolment { link_id: Some(link), ..row }).await;
    let refused = check_in(&door, &tablet, &authenticate(A.1, OTHER_TOPIC)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text());
    assert!(refused.text().contains("Topic"), "{}", refused.text());

    // The profile was made before the push certificate was replaced: nothing could ever wake the tablet.
    push_certificate(&door, OTHER_TOPIC).await;
    let stale = check_in(&door, &tablet, &authenticate(A.1, TOPIC)).await;
    assert_eq!(stale.status, StatusCode::BAD_REQUEST, "{}", stale.text());
    assert!(stale.text().contains("open the link again"), "{}", stale.text());

    push_certificate(&door, TOPIC).await;
    let accepted = check_in(&door, &tablet, &authenticate(A.1, TOPIC)).await;
    assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.text());
    // From here on a certificate of another topic would lose this tablet too.
    let lost = door.state.fleet.store().read(|tx| enrolments::count_other_topics(tx, OTHER_TOPIC)).await;
    assert_eq!(lost.unwrap(), 1);
    let read = move |tx: &mut store::Tx<'_>| enrolments::get(tx, &id);
    let state = door.state.fleet.store().read(read).await.unwrap().unwrap().state;
    assert_eq!(state, EnrolmentState::Authenticated);
}

#[actix_web::test]
async fn t_a9_automated_enrolment_is_for_the_device_that_signed_its_machine_info() {
    let door = TestDoor::open().await;
    push_certificate(&door, TOPIC).await;
    let (_former, former) = enrol(&door, A).await;
    let signed_by = |row: Enrolment| Enrolment {
        kind: EnrolmentKind::Automated,
        udid: Some(A.1.parse().unwrap()),
        ..row
    };
    let (tablet, _id) = invite(&door, former, signed_by).await;
    let another = check_in(&door, &tablet, &authenticate(OTHER_UDID, TOPIC)).await;
    assert_eq!(another.status, StatusCode::BAD_REQUEST, "{}", another.text());
    assert_eq!(alarm_kinds(&door).await, ["identity-mismatch"]);
    let itself = check_in(&door, &tablet, &authenticate(A.1, TOPIC)).await;
    assert_eq!(itself.status, StatusCode::OK, "{}", itself.text());
}

#[actix_web::test]
async fn c5_3_2_a_tablet_that_enrols_again_by_an_old_link_raises_an_alarm() {
    for (made_since, expected) in [(true, Vec::new()), (false, vec!["re-enrolment".to_owned()])] {
        let door = TestDoor::open().await;
        push_certificate(&door, TOPIC).await;
        let (_former, former) = enrol(&door, A).await;
        door.clock.advance(Duration::from_secs(1));
        let link = link(&door, tablet_of(&door, former).await).await;
        if !made_since {
            // The same link once more: it let the tablet in before, and nobody asked for this.
            let store = door.state.fleet.store();
            let now = door.clock.now();
            let begun_after = move |tx: &mut store::Tx<'_>| {
                let row = enrolments::get(tx, &former)?.unwrap();
                enrolments::update(tx, &Enrolment { authenticated_at: Some(now), ..row })
            };
            store.write(begun_after).await.unwrap();
        }
        let (tablet, _id) = invite(&door, former, move |row| Enrolment { link_id: Some(link), ..row }).await;
        let accepted = check_in(&door, &tablet, &authenticate(A.1, TOPIC)).await;
        assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.text());
        assert_eq!(alarm_kinds(&door).await, expected, "made since: {made_since}");
    }
}

#[actix_web::test]
async fn a_tablet_that_begins_to_wait_in_its_setup_assistant_is_let_go_on() {
    let door = TestDoor::open().await;
    let (tablet, id) = enrol(&door, A).await;
    for awaiting in [false, true, true] {
        let answer = check_in(&door, &tablet, &token_update(awaiting)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
    let waiting = door.state.fleet.store().read(move |tx| commands::pending(tx, id)).await.unwrap();
    let kinds: Vec<_> = waiting.iter().map(|command| command.request_type.as_str()).collect();
    assert_eq!(kinds, ["DeviceConfigured"]);
}

#[actix_web::test]
async fn t_b2_a_tablet_with_a_new_token_is_pushed_for_what_waited_meanwhile() {
    let door = TestDoor::open().await;
    let (tablet, id) = enrol(&door, A).await;
    let now = door.clock.now();
    let refused = PushAttempt {
        enrolment: id,
        at: now,
        outcome: "token invalid: Unregistered".to_owned(),
        attempts: 1,
        unanswered: 0,
        next_due_at: None,
        token_invalid: true,
    };
    let store = door.state.fleet.store();
    let rows = move |tx: &mut store::Tx<'_>| {
        push_states::want(tx, id, Some(now), now)?;
        push_states::record(tx, &refused)
    };
    store.write(rows).await.unwrap();
    let answer = check_in(&door, &tablet, &token_update(false)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let later = door.clock.now();
    let claimed = store
        .write(move |tx| push_states::claim(tx, push_states::Lane::Answering, later, later.plus(DAY), 10))
        .await
        .unwrap();
    assert_eq!(claimed, [id]);
}

#[actix_web::test]
async fn a_bootstrap_token_needs_no_udid_beside_the_certificate_and_no_other_tablets() {
    let door = TestDoor::open().await;
    let (tablet, _id) = enrol(&door, A).await;
    let set = "<key>MessageType</key><string>SetBootstrapToken</string><key>BootstrapToken</key><data>c2VjcmV0</data>";
    let get = "<key>MessageType</key><string>GetBootstrapToken</string>";
    // Apple's schema lists no UDID for these two.
    for message in [set, get] {
        let answer = check_in(&door, &tablet, message).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert!(message == set || answer.text().contains("c2VjcmV0"), "{}", answer.text());
        let other = format!("{message}<key>UDID</key><string>{OTHER_UDID}</string>");
        let answer = check_in(&door, &tablet, &other).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    }
    // Where the schema asks for one, it must be there.
    let check_out =
        format!("<key>MessageType</key><string>CheckOut</string><key>Topic</key><string>{TOPIC}</string>");
    assert_eq!(check_in(&door, &tablet, &check_out).await.status, StatusCode::BAD_REQUEST);
}
