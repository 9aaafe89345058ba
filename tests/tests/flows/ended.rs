//! The one answer that unenrols: it is given to the tablet whose enrolment we ended on purpose, and to no other.

use openssl::base64::encode_block;
use store::Engine;
use store::destructions::{Fate, NewDestruction};
use store::enrolment_ends::EnrolmentEnd;
use store::enrolments::{Enrolment, EnrolmentState};
use store::warrants::OrderState;
use tablets::{Identity, Ipad, Outcome, Reply, Sessions, SignatureStyle};
use testkit::TestServer;
use types::{
    Actor, Clock as _, Day, DestructionId, DestructionKind, Duration, EnrolmentEndId, EnrolmentId, Instant,
};

use crate::support::{
    at, clock, enrolment_id, obey, on_both_engines, put, report, standing, state_of, still_managed, stranger,
    xml,
};

on_both_engines! {
    t_a5_a_tablet_whose_enrolment_we_ended_is_told_so_and_only_it,
    t_a5_a_resumed_session_is_worth_what_its_certificate_is_worth_now,
    an_end_that_is_not_recorded_or_not_yet_due_unenrols_nobody,
    c5_3_2_t_c18_management_that_is_removed_and_a_tablet_that_enrols_again_raise_an_alarm,
}

/// Records that we end an enrolment at a moment of the test's choosing; doors record it now.
async fn end(server: &TestServer, id: EnrolmentId, decided_at: Option<Instant>) {
    let now = server.clock().now();
    let store = server.fleet().unwrap().store();
    let rows = move |tx: &mut store::Tx<'_>| {
        let end_id = decided_at.map(|_decided| EnrolmentEndId::new(now));
        if let (Some(id_of_end), Some(decided_at)) = (end_id, decided_at) {
            let row = EnrolmentEnd {
                id: id_of_end,
                enrolment_id: id,
                reason: "given back".to_owned(),
                decided_at,
                decided_by: "host".to_owned(),
                state: OrderState::Open,
            };
            store::enrolment_ends::insert(tx, &row)?;
            // It counts in the brake (M5).
            let counted = NewDestruction {
                id: DestructionId::new(now),
                kind: DestructionKind::Unenrol,
                day: Day::of(now),
                at: now,
                actor: Actor::Host,
                uai: None,
                tablet: None,
                reference: id_of_end.to_string(),
                fate: Fate::Counted,
            };
            store::destructions::record(tx, &counted)?;
        }
        let enrolment = store::enrolments::get(tx, &id)?.unwrap();
        let ended = Enrolment { state: EnrolmentState::Ended, end_id, ended_at: Some(now), ..enrolment };
        store::enrolments::update(tx, &ended)
    };
    assert!(store.write(rows).await.unwrap());
}

/// What the server says to an identity, at connect and at check-in, by the handshake and by a signature. Nobody acts
/// on it: a tablet would be gone after the first.
async fn told(server: &TestServer, ipad: &Ipad, identity: &Identity) -> Vec<Reply> {
    let mut http = stranger(server);
    let mut told = Vec::new();
    let token_update = ipad.token_update_message().unwrap();
    for (path, message) in
        [("/mdm/connect", report(ipad.udid(), "Idle", None)), ("/mdm/checkin", token_update)]
    {
        let body = xml(&message);
        told.push(put(&mut http, at(server, path), &[], Some(identity), &body).await);
        let signed = SignatureStyle::default().detached(identity, &body, &clock(server)).unwrap();
        let header = ("mdm-signature", encode_block(&signed));
        told.push(put(&mut http, at(server, path), &[header], None, &body).await);
    }
    told
}

async fn t_a5_a_tablet_whose_enrolment_we_ended_is_told_so_and_only_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ended = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ended).await;
    obey(&mut other).await;
    let identity = ended.identity().unwrap().clone();
    let id = enrolment_id(&server, "DMPX00000001").await;
    end(&server, id, Some(server.clock().now())).await;

    for reply in told(&server, &ended, &identity).await {
        assert_eq!((reply.status, reply.content_type()), (403, "application/json"));
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["code"], "com.apple.unrecognized.device");
    }
    // Its name under another identity, and another's name under its own, change nothing for the other.
    let theirs = other.identity().unwrap().clone();
    for reply in told(&server, &ended, &theirs).await {
        assert_eq!(reply.status, 400);
    }
    for reply in told(&server, &other, &theirs).await {
        assert_eq!(reply.status, 200);
    }
    // A stranger that says its name hears nothing of its end.
    let copy = Identity::self_signed(
        identity.certificate().subject_name(),
        server.keys().key(1),
        server.clock().now().as_seconds(),
    );
    for reply in told(&server, &ended, &copy.unwrap()).await {
        assert_eq!(reply.status, 400);
    }

    // The tablet itself obeys: it is no longer managed, and may enrol again as anyone.
    let idle = report(ended.udid(), "Idle", None);
    assert_eq!(ended.report(&idle).await.unwrap(), Outcome::Unenrolled { status: 403 });
    assert!(!ended.is_enrolled());
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    ended.enrol_by_link(&server.link_for("DMPX00000001").await.unwrap()).await.unwrap();
    obey(&mut ended).await;
    assert_ne!(enrolment_id(&server, "DMPX00000001").await, id);
    obey(&mut other).await;
    // The former identity is told the same as before, however often it asks.
    for reply in told(&server, &ended, &identity).await {
        assert_eq!(reply.status, 403);
    }
}

/// What a tablet that connects anew is told, and whether its TLS session went on.
async fn told_anew(ipad: &mut Ipad) -> (u16, bool) {
    let before = ipad.connection().sessions_resumed();
    ipad.http().close();
    let idle = report(ipad.udid(), "Idle", None);
    let url = ipad.enrolment().unwrap().mdm.server_url.clone();
    let identity = ipad.identity().unwrap().clone();
    let reply = put(ipad.http(), url, &[], Some(&identity), &xml(&idle)).await;
    (reply.status, ipad.connection().sessions_resumed() > before)
}

async fn t_a5_a_resumed_session_is_worth_what_its_certificate_is_worth_now(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipads = Vec::new();
    for serial in ["DMPX00000001", "DMPX00000002", "DMPX00000003"] {
        let mut ipad = server.enrolled_ipad(serial).await.unwrap();
        obey(&mut ipad).await;
        ipad.http().set_sessions(Some(Sessions::new()));
        assert_eq!(told_anew(&mut ipad).await, (200, false), "the first handshake is a whole one");
        assert_eq!(told_anew(&mut ipad).await, (200, true));
        ipads.push(ipad);
    }
    let [ended, enrolled_again, other] = &mut ipads[..] else { unreachable!("three") };
    end(&server, enrolment_id(&server, "DMPX00000001").await, Some(server.clock().now())).await;
    let mut twin = server.ipad("DMPX00000002").build().unwrap();
    twin.enrol_by_link(&server.link_for("DMPX00000002").await.unwrap()).await.unwrap();

    assert_eq!(told_anew(ended).await, (403, true), "its enrolment was ended since");
    assert_eq!(told_anew(enrolled_again).await, (400, true), "its certificate was replaced since");
    assert_eq!(told_anew(other).await, (200, true));
    // A session is of one identity: with another one it begins anew, and proves that one.
    let theirs = other.identity().unwrap().clone();
    ended.set_identity(Some(theirs));
    assert_eq!(told_anew(ended).await, (400, false), "another tablet's name under this identity");
}

async fn an_end_that_is_not_recorded_or_not_yet_due_unenrols_nobody(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let later = server.clock().now().plus(Duration::from_secs(3_600));
    for (serial, decided_at, expected) in [("DMPX00000001", None, 400), ("DMPX00000002", Some(later), 503)] {
        let mut ipad = server.enrolled_ipad(serial).await.unwrap();
        obey(&mut ipad).await;
        let identity = ipad.identity().unwrap().clone();
        end(&server, enrolment_id(&server, serial).await, decided_at).await;
        for reply in told(&server, &ipad, &identity).await {
            assert_eq!(reply.status, expected, "{serial}");
        }
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), expected);
    }
}

async fn c5_3_2_t_c18_management_that_is_removed_and_a_tablet_that_enrols_again_raise_an_alarm(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    let mut left = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut left).await;
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
    let identity = left.identity().unwrap().clone();
    let mut ghost = server.ipad("DMPX00000001").build().unwrap();
    ghost.state_mut().enrolment = left.enrolment().cloned();
    let waiting = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    assert_eq!(left.check_out().await.unwrap().unwrap().status(), 200);
    assert_eq!(server.alarm_kinds().await.unwrap(), ["management-removed"]);
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    assert_eq!(state_of(&server, &waiting).await, "cancelled");
    // It left by itself: it is not told that we sent it away.
    for reply in told(&server, &ghost, &identity).await {
        assert_eq!(reply.status, 400);
    }

    // Another tries to enrol by what is not for it, and with an identity that has enrolled already.
    let mut other = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut other).await;
    assert_eq!(still_managed(&other.authenticate().await.unwrap()), 400);
    assert!(server.alarm_kinds().await.unwrap().contains(&"refused-enrolment".to_owned()));
    assert_eq!(standing(&server, "DMPX00000002").await, "enrolled");
}
