//! What anyone may ask: links, automated enrolment, SCEP.

use actix_web::http::StatusCode;

use super::harness::{Request, TestDoor};
use crate::{DoorSettings, Limits, Rate, RateLimits};

#[actix_web::test]
async fn an_unknown_link_shows_a_page_with_the_next_step_in_the_readers_language() {
    let door = TestDoor::open().await;
    let french = door.send(Request::get("/enrol/a-token-nobody-was-given")).await;
    assert_eq!(french.status, StatusCode::NOT_FOUND);
    assert_eq!(french.content_type(), "text/html; charset=utf-8");
    assert!(french.text().contains("Ce lien n’existe pas"), "{}", french.text());
    assert!(french.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(french.header("cache-control"), "no-store");
    assert!(french.text().contains(french.header("x-request-id")), "{}", french.text());

    let request = Request::get("/enrol/a-token-nobody-was-given").header("accept-language", "en-GB,en;q=0.9");
    let english = door.send(request).await;
    assert!(english.text().contains("This link does not exist"), "{}", english.text());
}

#[actix_web::test]
async fn scep_tells_everyone_its_capabilities_and_certificate_with_exact_content_types() {
    let door = TestDoor::open().await;
    let capabilities = door.send(Request::get("/scep?operation=GetCACaps")).await;
    assert_eq!((capabilities.status.as_u16(), capabilities.content_type()), (200, "text/plain"));
    assert!(capabilities.text().contains("POSTPKIOperation"), "{}", capabilities.text());
    let certificate = door.send(Request::get("/scep?operation=GetCACert&message=ardoise")).await;
    assert_eq!(certificate.status, StatusCode::OK);
    assert_eq!(certificate.content_type(), fleet::scep::ca_certificate(&door.state.fleet).0);
}

#[actix_web::test]
async fn scep_refuses_what_is_no_message_cleanly() {
    let door = TestDoor::open().await;
    let cases = [
        Request::post("/scep?operation=PKIOperation"),
        Request::post("/scep?operation=PKIOperation").body("not a message"),
        Request::get("/scep?operation=PKIOperation"),
        Request::get("/scep?operation=PKIOperation&message=%%%"),
        Request::get("/scep?operation=GetNextCACert"),
        Request::get("/scep"),
    ];
    for request in cases {
        let answer = door.send(request.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{request:?}: {}", answer.text());
        assert!(!answer.text().is_empty());
    }
}

#[actix_web::test]
async fn automated_enrolment_without_a_machine_info_is_refused_cleanly() {
    let door = TestDoor::open().await;
    for request in [
        Request::get("/enrol/automated"),
        Request::post("/enrol/automated"),
        Request::post("/enrol/automated").body("<plist/>"),
        Request::get("/enrol/automated").header("x-apple-aspen-deviceinfo", "MIID"),
        Request::get("/enrol/automated").header("x-apple-aspen-deviceinfo", "not base64"),
    ] {
        let answer = door.send(request.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{request:?}: {}", answer.text());
    }
}

fn slow() -> DoorSettings {
    let unauthenticated = RateLimits { per_address: Rate::new(1, 3), ..RateLimits::default() };
    DoorSettings { limits: Limits { unauthenticated, ..Limits::default() }, ..DoorSettings::default() }
}

#[actix_web::test]
async fn t_a9_who_proves_nothing_is_slowed_down_and_told_how_long_to_wait() {
    for path in ["/enrol/a-token-nobody-was-given", "/enrol/automated", "/scep?operation=GetCACaps"] {
        let door = TestDoor::with(slow()).await;
        for _ in 0..3 {
            let answer = door.send(Request::get(path)).await;
            assert_ne!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        }
        let limited = door.send(Request::get(path)).await;
        assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(limited.header("retry-after"), "1");
        let elsewhere = door.send(Request::get(path).peer([198, 51, 100, 7])).await;
        assert_ne!(elsewhere.status, StatusCode::TOO_MANY_REQUESTS, "another school is not slowed: {path}");
    }
}

#[actix_web::test]
async fn t_c3_another_address_in_a_header_does_not_escape_the_pace() {
    let door = TestDoor::with(slow()).await;
    let mut statuses = Vec::new();
    for host in 0..8 {
        let request = Request::get("/scep?operation=GetCACaps")
            .header("x-forwarded-for", format!("203.0.113.{host}"))
            .header("true-client-ip", format!("203.0.113.{host}"));
        statuses.push(door.send(request).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429, 429, 429]);
}

#[actix_web::test]
async fn enrolled_tablets_are_never_slowed_down() {
    let door = TestDoor::with(slow()).await;
    for _ in 0..20 {
        let answer = door.send(Request::put("/mdm/connect")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    }
}
