//! Enrolment links that exist: what they give, and what they say when they no longer do.

use actix_web::http::StatusCode;
use store::links::{self, Link, LinkKind};
use store::push_certificates::{self, PushCertificate, PushCertificateState};
use types::{Clock as _, Duration, LinkId, PushCertificateId, Secret};

use super::harness::{Answer, Request, TestDoor};

const TOKEN: &str = "9f4cP1zv0mQ8rT6yB2nK7wX3sL5dH0aJ-GuEiOcVbMk";
const DAY: Duration = Duration::from_secs(86_400);

/// A link that gives out two profiles within a day, or as `change` has it.
async fn link(door: &TestDoor, change: impl FnOnce(Link) -> Link) {
    let now = door.clock.now();
    let link = change(Link {
        id: LinkId::new(now),
        token_sha256: store::Digest::from(*pki::Fingerprint::of(TOKEN.as_bytes()).as_bytes()),
        kind: LinkKind::Batch,
        tablet_id: None,
        uai: Some("0761234A".parse().unwrap()),
        max_uses: 2,
        uses: 0,
        expires_at: now.plus(DAY),
        created_by: "host".to_owned(),
        created_at: now,
        revoked_at: None,
    });
    door.state.fleet.store().write(move |tx| links::insert(tx, &link)).await.unwrap();
}

async fn push_certificate(door: &TestDoor) {
    let now = door.clock.now();
    let certificate = PushCertificate {
        id: PushCertificateId::new(now),
        topic: "com.apple.mgmt.External.0f1e2d3c".to_owned(),
        chain_pem: String::new(),
        not_after: now.plus(DAY),
        state: PushCertificateState::Current,
        created_at: now,
    };
    let key = Secret::new(Vec::new());
    let store = door.state.fleet.store();
    store.write(move |tx| push_certificates::make_current(tx, &certificate, &key)).await.unwrap();
}

async fn open(door: &TestDoor) -> Answer {
    door.send(Request::get(format!("/enrol/{TOKEN}"))).await
}

#[actix_web::test]
async fn a_link_gives_as_many_signed_profiles_as_it_may() {
    let door = TestDoor::open().await;
    push_certificate(&door).await;
    link(&door, |link| link).await;
    for _ in 0..2 {
        let profile = open(&door).await;
        assert_eq!(profile.status, StatusCode::OK, "{}", profile.text());
        assert_eq!(profile.content_type(), "application/x-apple-aspen-config");
        assert_eq!(profile.header("cache-control"), "no-store");
        assert_eq!(profile.body.first(), Some(&0x30), "it is signed, not bare XML");
    }
    let used_up = open(&door).await;
    assert_eq!(used_up.status, StatusCode::GONE);
    assert!(used_up.text().contains("Ce lien a déjà servi"), "{}", used_up.text());
}

#[actix_web::test]
async fn a_link_that_expired_or_was_revoked_says_so() {
    let door = TestDoor::open().await;
    push_certificate(&door).await;
    link(&door, |link| link).await;
    door.clock.advance(DAY);
    let expired = open(&door).await;
    assert_eq!(expired.status, StatusCode::GONE);
    assert!(expired.text().contains("Ce lien a expiré"), "{}", expired.text());

    let door = TestDoor::open().await;
    push_certificate(&door).await;
    link(&door, |link| Link { revoked_at: Some(link.created_at), ..link }).await;
    let revoked = open(&door).await;
    assert_eq!(revoked.status, StatusCode::GONE);
    assert!(revoked.text().contains("Ce lien a été annulé"), "{}", revoked.text());
}

#[actix_web::test]
async fn a_server_without_a_push_certificate_says_that_it_is_not_ready_and_uses_up_nothing() {
    let door = TestDoor::open().await;
    link(&door, |link| Link { max_uses: 1, ..link }).await;
    let early = open(&door).await;
    assert_eq!(early.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(early.text().contains("ne peuvent pas encore être inscrites"), "{}", early.text());
    push_certificate(&door).await;
    assert_eq!(open(&door).await.status, StatusCode::OK);
}
