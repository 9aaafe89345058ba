//! Bodies that are too large, too deep or not what they seem.

use actix_web::http::StatusCode;

use super::harness::{Request, TestDoor};
use crate::{DoorSettings, Limits};

/// One request to each route that reads a body, with the size it takes at most.
fn routes_with_bodies(limits: &Limits) -> [(Request, usize); 4] {
    // A signature that will not hold is evidence enough for the body to be read.
    let signed = |path| Request::put(path).header("mdm-signature", "MIID");
    [
        (Request::post("/enrol/automated"), limits.machine_info_bytes),
        (Request::post("/scep?operation=PKIOperation"), limits.scep_bytes),
        (signed("/mdm/checkin"), limits.check_in_bytes),
        (signed("/mdm/connect"), limits.connect_bytes),
    ]
}

#[actix_web::test]
async fn t_a16_each_route_refuses_a_body_over_its_limit_before_looking_at_it() {
    let limits = Limits { connect_bytes: 128 * 1024, ..Limits::default() };
    let door = TestDoor::with(DoorSettings { limits, ..DoorSettings::default() }).await;
    for (request, limit) in routes_with_bodies(&limits) {
        let over = door.send(request.clone().body(vec![b'x'; limit + 1])).await;
        assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE, "{request:?}");
        assert!(over.text().contains(&limit.to_string()), "{}", over.text());
        let at = door.send(request.clone().body(vec![b'x'; limit])).await;
        assert_eq!(at.status, StatusCode::BAD_REQUEST, "{request:?}: {}", at.text());
    }
}

#[actix_web::test]
async fn t_a16_a_body_without_any_evidence_is_not_kept() {
    let limits = Limits { memory_bytes: 0, ..Limits::default() };
    let door = TestDoor::with(DoorSettings { limits, ..DoorSettings::default() }).await;
    let answer = door.send(Request::put("/mdm/connect").body(vec![b'x'; 1024])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let answer = door.send(Request::put("/mdm/connect").header("mdm-signature", "MIID").body("x")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "it would have to be kept");
    assert_eq!(answer.header("retry-after"), "60");
}

#[actix_web::test]
async fn t_a14_nested_ber_is_refused_by_every_route_that_reads_it() {
    let door = TestDoor::open().await;
    let indefinite = [0x30, 0x80].repeat(30_000);
    let constructed = [0x24, 0x80].repeat(30_000);
    let overflowing = [&[0x30, 0x88], [0xff; 8].as_slice()].concat();
    let truncated = vec![0x30, 0x84, 0x01, 0x00, 0x00, 0x00];
    for bomb in [indefinite, constructed, overflowing, truncated, vec![0x30], vec![0]] {
        for path in ["/enrol/automated", "/scep?operation=PKIOperation"] {
            let answer = door.send(Request::post(path).body(bomb.clone())).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text());
        }
        let header = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &bomb);
        let header: String = header.chars().take(60_000).collect();
        for path in ["/mdm/checkin", "/mdm/connect"] {
            let answer =
                door.send(Request::put(path).header("mdm-signature", header.clone()).body("x")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}: {}", answer.text());
        }
    }
}
