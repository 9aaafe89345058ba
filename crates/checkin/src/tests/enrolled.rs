//! Tablets that the database knows: served, refused, ended.

use actix_web::http::StatusCode;
use store::certificates::{self, Certificate, CertificateState};
use store::destructions::{self, Fate, NewDestruction};
use store::enrolment_ends::{self, EnrolmentEnd};
use store::enrolments::{self, Enrolment, EnrolmentState};
use store::warrants::OrderState;
use store::{brake, tablets};
use types::{
    Actor, Clock as _, DestructionId, DestructionKind, Duration, EnrolmentEndId, EnrolmentId, EnrolmentKind,
    Platform, Supervision, TabletId,
};

use super::harness::{Answer, Request, Tablet, TestDoor};

pub(super) const A: (&str, &str) = ("DMPXK1ABCD12", "00008020-000915083C80012E");
const B: (&str, &str) = ("DMPXK1ABCD34", "00008020-000915083C80999E");

pub(super) fn idle(udid: &str) -> String {
    format!(
        "<plist version=\"1.0\"><dict><key>Status</key><string>Idle</string>\
         <key>UDID</key><string>{udid}</string></dict></plist>"
    )
}

/// Enrols a tablet: its rows, as its enrolment would have left them.
pub(super) async fn enrol(door: &TestDoor, (serial, udid): (&str, &str)) -> (Tablet, EnrolmentId) {
    let tablet = Tablet::of(door);
    let now = door.clock.now();
    let inventory = tablets::Tablet {
        id: TabletId::new(now),
        serial: serial.parse().unwrap(),
        asset_tag: None,
        model: None,
        platform: Platform::Ipad,
        uai: None,
        created_at: now,
        updated_at: now,
    };
    let enrolment = Enrolment {
        id: EnrolmentId::new(now),
        tablet_id: Some(inventory.id),
        platform: Platform::Ipad,
        state: EnrolmentState::Active,
        kind: EnrolmentKind::Link,
        supervision: Supervision::Unsupervised,
        udid: Some(udid.parse().unwrap()),
        serial: Some(inventory.serial.clone()),
        topic: Some("com.apple.mgmt.External.0f1e2d3c".to_owned()),
        awaiting_configuration: false,
        os_version: Some("18.1".to_owned()),
        build_version: None,
        product_name: None,
        access_rights: Some(8191),
        link_id: None,
        takeover_id: None,
        segment_id: None,
        reported_token: None,
        end_id: None,
        created_at: now,
        authenticated_at: Some(now),
        token_updated_at: Some(now),
        ended_at: None,
    };
    let id = enrolment.id;
    let certificate = Certificate {
        sha256: fingerprint(&tablet),
        enrolment_id: id,
        authority_fingerprint: store::Digest::from(
            *door.state.fleet.authorities().issuing().current().fingerprint().as_bytes(),
        ),
        serial_number: "01".to_owned(),
        state: CertificateState::Confirmed,
        issued_at: now,
        not_after: now.plus(Duration::from_secs(86_400)),
        first_used_at: Some(now),
        renewed_from: None,
    };
    let rows = move |tx: &mut store::Tx<'_>| {
        tablets::insert(tx, &inventory)?;
        enrolments::insert(tx, &enrolment)?;
        certificates::insert(tx, &certificate)
    };
    door.state.fleet.store().write(rows).await.unwrap();
    (tablet, id)
}

pub(super) fn fingerprint(tablet: &Tablet) -> store::Digest {
    store::Digest::from(*pki::Fingerprint::of(&tablet.certificate).as_bytes())
}

/// Changes the state of an enrolment, and perhaps records that we decided its end.
async fn end(door: &TestDoor, id: EnrolmentId, state: EnrolmentState, recorded: bool) {
    let now = door.clock.now();
    let end_id = EnrolmentEndId::new(now);
    let rows = move |tx: &mut store::Tx<'_>| {
        // Telling a tablet that it is no longer managed counts in the brake (M5).
        let counted = NewDestruction {
            id: DestructionId::new(now),
            kind: DestructionKind::Unenrol,
            day: types::Day::of(now),
            at: now,
            actor: Actor::Host,
            uai: None,
            tablet: None,
            reference: end_id.to_string(),
            fate: Fate::Counted,
        };
        let end = EnrolmentEnd {
            id: end_id,
            enrolment_id: id,
            reason: "given back".to_owned(),
            decided_at: now,
            decided_by: "host".to_owned(),
            state: OrderState::Open,
        };
        if recorded {
            enrolment_ends::insert(tx, &end)?;
            destructions::record(tx, &counted)?;
        }
        let enrolment = enrolments::get(tx, &id)?.unwrap();
        let end_id = recorded.then_some(end.id);
        enrolments::update(tx, &Enrolment { state, end_id, ended_at: Some(now), ..enrolment })
    };
    door.state.fleet.store().write(rows).await.unwrap();
}

async fn connect(door: &TestDoor, tablet: &Tablet, udid: &str) -> Answer {
    door.send(Request::put("/mdm/connect").certificate(&tablet.certificate).body(idle(udid))).await
}

#[actix_web::test]
async fn an_enrolled_tablet_without_work_gets_an_empty_200() {
    let door = TestDoor::open().await;
    let (tablet, _id) = enrol(&door, A).await;
    let answer = connect(&door, &tablet, A.1).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, String::new()));
    // No content type is fine, and so is any.
    let typed =
        Request::put("/mdm/connect").header("content-type", "application/x-apple-aspen-mdm; charset=UTF-8");
    let answer = door.send(typed.certificate(&tablet.certificate).body(idle(A.1))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[actix_web::test]
async fn t_a1_a_tablet_that_names_another_is_told_400_by_every_kind_of_evidence() {
    let door = TestDoor::open().await;
    let (tablet, _id) = enrol(&door, A).await;
    let (_other, _id) = enrol(&door, B).await;
    let answer = connect(&door, &tablet, B.1).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let body = idle(B.1);
    let signed = Request::put("/mdm/connect").header("mdm-signature", tablet.signature(body.as_bytes()));
    let answer = door.send(signed.body(body)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[actix_web::test]
async fn t_a5_only_a_tablet_whose_end_is_recorded_is_told_that_it_is_no_longer_managed() {
    let door = TestDoor::open().await;
    let (tablet, id) = enrol(&door, A).await;
    end(&door, id, EnrolmentState::Ended, true).await;
    let answer = connect(&door, &tablet, A.1).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    assert_eq!(answer.content_type(), "application/json");
    assert!(answer.text().contains("com.apple.unrecognized.device"), "{}", answer.text());

    for state in [EnrolmentState::Ended, EnrolmentState::Superseded, EnrolmentState::Lapsed] {
        let door = TestDoor::open().await;
        let (tablet, id) = enrol(&door, A).await;
        end(&door, id, state, false).await;
        let answer = connect(&door, &tablet, A.1).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{state}: {}", answer.text());
    }
}

#[actix_web::test]
async fn t_c14_no_tablet_is_told_that_it_is_unmanaged_while_the_switch_is_thrown() {
    let door = TestDoor::open().await;
    let (tablet, id) = enrol(&door, A).await;
    end(&door, id, EnrolmentState::Ended, true).await;
    assert_eq!(connect(&door, &tablet, A.1).await.status, StatusCode::FORBIDDEN);
    let (store, now) = (door.state.fleet.store(), door.clock.now());
    store.write(move |tx| brake::throw(tx, brake::Maker::Host, "a stolen token", now)).await.unwrap();
    let answer = connect(&door, &tablet, A.1).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    store.write(brake::release).await.unwrap();
    assert_eq!(connect(&door, &tablet, A.1).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn t_a5_a_superseded_certificate_is_told_400() {
    let door = TestDoor::open().await;
    let (tablet, id) = enrol(&door, A).await;
    let rows = move |tx: &mut store::Tx<'_>| {
        certificates::set_state_of_enrolment(tx, id, CertificateState::Superseded).map(drop)
    };
    door.state.fleet.store().write(rows).await.unwrap();
    let answer = connect(&door, &tablet, A.1).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert!(answer.text().contains("superseded"), "{}", answer.text());
}

#[actix_web::test]
async fn t_a7_a_database_that_fails_makes_every_tablet_come_back_later() {
    let door = TestDoor::open().await;
    let (tablet, _id) = enrol(&door, A).await;
    door.destroy_the_database();
    for path in ["/mdm/connect", "/mdm/checkin"] {
        let message = if path == "/mdm/connect" { idle(A.1) } else { check_out(A.1) };
        let answer = door.send(Request::put(path).certificate(&tablet.certificate).body(message)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {}", answer.text());
        assert_eq!(answer.header("retry-after"), "60");
        assert_eq!(answer.text(), "the server cannot answer now; try again later");
    }
    let link = door.send(Request::get("/enrol/a-token-of-some-link")).await;
    assert_eq!(link.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(link.text().contains("momentanément indisponible"), "{}", link.text());
}

fn check_out(udid: &str) -> String {
    format!(
        "<plist version=\"1.0\"><dict><key>MessageType</key><string>CheckOut</string>\
         <key>Topic</key><string>com.apple.mgmt.External.0f1e2d3c</string>\
         <key>UDID</key><string>{udid}</string></dict></plist>"
    )
}
