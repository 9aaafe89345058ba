//! Who is believed, and by which evidence. The certificates here are our authority's own, but the database
//! knows none of them: a proven identity is therefore recognised by its 503 (T-A7), never by a status that
//! unenrols.

use actix_web::http::StatusCode;

use super::harness::{Answer, Request, Tablet, TestDoor};
use crate::DoorSettings;

/// What a tablet says when it has nothing to report.
const IDLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Status</key><string>Idle</string>
<key>UDID</key><string>00008020-000915083C80012E</string></dict></plist>"#;

const PROXY: [u8; 4] = [10, 0, 0, 1];

async fn behind_a_proxy() -> TestDoor {
    let proxies = pki::TrustedProxies::new(vec!["10.0.0.0/24".parse().unwrap()]);
    TestDoor::with(DoorSettings { proxies, ..DoorSettings::default() }).await
}

pub(super) fn idle() -> Request {
    Request::put("/mdm/connect").body(IDLE)
}

/// The identity was proven: only the database was asked and did not know it.
fn assert_proven(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
}

fn assert_refused(answer: &Answer, reason: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert!(answer.text().contains(reason), "{}", answer.text());
}

#[actix_web::test]
async fn each_kind_of_evidence_proves_an_identity_by_itself() {
    let door = behind_a_proxy().await;
    let tablet = Tablet::of(&door);
    assert_proven(&door.send(idle().certificate(&tablet.certificate)).await);
    assert_proven(&door.send(idle().header("mdm-signature", tablet.signature(IDLE.as_bytes()))).await);
    assert_proven(&door.send(idle().peer(PROXY).header("client-cert", tablet.client_cert())).await);
}

#[actix_web::test]
async fn a_foreign_certificate_proves_nothing() {
    let door = behind_a_proxy().await;
    let stranger = Tablet::self_signed();
    for request in [
        idle().certificate(&stranger.certificate),
        idle().header("mdm-signature", stranger.signature(IDLE.as_bytes())),
        idle().peer(PROXY).header("client-cert", stranger.client_cert()),
        idle().certificate(b"not a certificate"),
    ] {
        assert_refused(&door.send(request).await, "not one of ours");
    }
}

#[actix_web::test]
async fn t_a2_a_signature_over_another_body_is_refused() {
    let door = TestDoor::open().await;
    let signature = Tablet::of(&door).signature(IDLE.as_bytes());
    let changed = IDLE.replace("Idle", "Error");
    let answer =
        door.send(Request::put("/mdm/connect").body(changed).header("mdm-signature", signature)).await;
    assert_refused(&answer, "not one of ours");
}

#[actix_web::test]
async fn t_a4_headers_of_a_proxy_are_ignored_unless_one_of_ours_sends_them() {
    let door = behind_a_proxy().await;
    let tablet = Tablet::of(&door);
    for name in
        ["client-cert", "x-ssl-client-cert", "x-forwarded-client-cert", "x-client-cert", "ssl-client-cert"]
    {
        let forged = idle().peer([10, 0, 1, 1]).header(name, tablet.client_cert());
        assert_refused(&door.send(forged.header("x-forwarded-for", "10.0.0.1")).await, "no identity");
        if name != "client-cert" {
            let unknown = idle().peer(PROXY).header(name, tablet.client_cert());
            assert_refused(&door.send(unknown).await, "no identity");
        }
    }
    // Ignored is ignored: it does not spoil the tablet's own evidence either.
    let both = idle().certificate(&tablet.certificate).header("client-cert", Tablet::of(&door).client_cert());
    assert_proven(&door.send(both).await);
}

#[actix_web::test]
async fn t_a4_where_two_kinds_of_evidence_come_both_must_hold_and_name_one_certificate() {
    let door = behind_a_proxy().await;
    let (tablet, other) = (Tablet::of(&door), Tablet::of(&door));
    let signature = tablet.signature(IDLE.as_bytes());

    let agreeing =
        idle().peer(PROXY).certificate(&tablet.certificate).header("mdm-signature", signature.clone());
    assert_proven(&door.send(agreeing.header("client-cert", tablet.client_cert())).await);

    let two_tablets = idle().certificate(&other.certificate).header("mdm-signature", signature.clone());
    assert_refused(&door.send(two_tablets).await, "do not name the same certificate");
    let two_tablets = idle().peer(PROXY).header("client-cert", other.client_cert());
    assert_refused(
        &door.send(two_tablets.header("mdm-signature", signature)).await,
        "do not name the same certificate",
    );

    let bad_signature = tablet.signature(b"another body");
    let weaker_fails = idle().certificate(&tablet.certificate).header("mdm-signature", bad_signature.clone());
    assert_refused(&door.send(weaker_fails).await, "not one of ours");
    let stronger_fails = idle().peer(PROXY).header("client-cert", tablet.client_cert());
    assert_refused(
        &door.send(stronger_fails.header("mdm-signature", bad_signature)).await,
        "not one of ours",
    );
}

#[actix_web::test]
async fn a_header_that_comes_twice_proves_nothing() {
    let door = behind_a_proxy().await;
    let tablet = Tablet::of(&door);
    let signature = tablet.signature(IDLE.as_bytes());
    let twice = idle().header("mdm-signature", signature.clone()).header("mdm-signature", signature);
    assert_refused(&door.send(twice).await, "more than once");
    let twice = idle().peer(PROXY).header("client-cert", tablet.client_cert());
    assert_refused(&door.send(twice.header("client-cert", tablet.client_cert())).await, "more than once");
}

#[actix_web::test]
async fn t_a7_a_proxy_that_drops_the_certificates_of_a_thousand_tablets_unenrols_none() {
    let door = behind_a_proxy().await;
    for path in ["/mdm/checkin", "/mdm/connect"] {
        for _ in 0..1_000 {
            let answer = door.send(Request::put(path).peer(PROXY).body(IDLE)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        }
    }
}

#[actix_web::test]
async fn t_a7_a_certificate_of_ours_that_the_database_does_not_know_unenrols_nobody() {
    let door = TestDoor::open().await;
    let tablet = Tablet::of(&door);
    let answer = door.send(idle().certificate(&tablet.certificate)).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), "60");
}

#[actix_web::test]
async fn t_a15_a_proven_tablet_that_sends_a_bomb_is_told_400() {
    let door = TestDoor::open().await;
    let tablet = Tablet::of(&door);
    let nested = format!("<plist>{}{}</plist>", "<array>".repeat(4_000), "</array>".repeat(4_000));
    let entities =
        r#"<!DOCTYPE plist [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><plist><string>&b;</string></plist>"#;
    for bomb in [nested.as_bytes(), entities.as_bytes(), b"bplist00\xd1\x01\x02", b"", b"\xff\xfe<\0"] {
        for path in ["/mdm/checkin", "/mdm/connect"] {
            let answer = door.send(Request::put(path).certificate(&tablet.certificate).body(bomb)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text());
        }
    }
}
