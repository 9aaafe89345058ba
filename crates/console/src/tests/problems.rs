//! What people are told when something is refused.

use actix_web::http::{Method, StatusCode, header};
use serde_json::json;

use super::door::{Door, INVENTORY, SERIAL};
use crate::{ROUTES, Route};

#[actix_web::test]
async fn a_problem_speaks_the_readers_language_and_names_its_request() {
    let door = Door::new().await;
    let ask = |language: &str| {
        door.get("/api/v1/tablets/DMPXK1ZZZZ99").insert_header((header::ACCEPT_LANGUAGE, language.to_owned()))
    };
    let french = door.send(ask("fr-FR,en;q=0.5")).await;
    let english = door.send(ask("en")).await;
    assert_eq!(french.status, StatusCode::NOT_FOUND);
    assert_eq!(french.header("content-type"), "application/problem+json");
    assert_eq!((french.header("content-language"), english.header("content-language")), ("fr", "en"));
    let (fr, en) = (french.json(), english.json());
    assert_eq!(fr["title"], "cela n’existe pas");
    assert_eq!(en["title"], "there is no such thing");
    assert_eq!(en["detail"], "there is no tablet `DMPXK1ZZZZ99`");
    assert_eq!(en["type"], "urn:ardoise:problem:not-found");
    assert_eq!(en["status"], 404);
    assert_eq!(en["request_id"], english.header("x-request-id"));
    assert_ne!(en["request_id"], fr["request_id"]);
}

#[actix_web::test]
async fn every_answer_is_named_and_kept_by_no_cache() {
    let door = Door::new().await;
    for path in ["/healthz", "/api/v1/status", "/api/v1/nothing", "/"] {
        let seen = door.send(door.get(path)).await;
        assert_eq!(seen.header("x-request-id").len(), 36, "{path}");
        assert_eq!(seen.header("cache-control"), "no-store", "{path}");
        assert_eq!(seen.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[actix_web::test]
async fn t_a16_no_upload_is_longer_than_the_configuration_admits() {
    let door = Door::new().await;
    for (longest, status) in
        [(INVENTORY.len(), StatusCode::OK), (INVENTORY.len() - 1, StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let seen = door.send_limited(longest, door.csv(INVENTORY)).await;
        assert_eq!(seen.status, status, "{longest}: {}", seen.text());
    }
}

#[actix_web::test]
async fn a_server_without_a_push_certificate_says_how_to_install_one() {
    let door = Door::new().await;
    let seen = door.send(door.get("/api/v1/push-certificate")).await;
    assert_eq!((seen.status, &seen.json()["code"]), (StatusCode::NOT_FOUND, &"no-push-certificate".into()));
    assert!(seen.text().contains("ardoise push-certificate set"), "{}", seen.text());
}

#[actix_web::test]
async fn what_is_not_there_is_a_problem_too() {
    let door = Door::new().await;
    for path in ["/", "/api", "/api/v1", "/api/v2/tablets", "/api/v1/tablets/a/b/c", "/.env"] {
        let seen = door.send(door.get(path)).await;
        assert_eq!(seen.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(seen.json()["code"], "no-route", "{path}");
    }
}

#[actix_web::test]
async fn t_c15_a_field_that_is_not_known_is_refused_everywhere() {
    let door = Door::stocked().await;
    let command = format!("/api/v1/tablets/{SERIAL}/commands");
    let version = "/api/v1/profiles/0199f1a0-0000-7000-8000-000000000000".to_owned();
    let (approve, publish) = (format!("{version}/approve"), format!("{version}/publish"));
    for (method, path, body) in [
        (Method::POST, "/api/v1/links", json!({ "tablet": SERIAL, "created_by": "me" })),
        (Method::POST, "/api/v1/tokens", json!({ "name": "x", "scope": "read", "id": "1" })),
        (Method::POST, command.as_str(), json!({ "request_type": "ProfileList", "gate": "erase" })),
        (Method::PUT, "/api/v1/push-certificate", json!({ "certificate_pem": "", "force": true })),
        (Method::POST, "/api/v1/takeovers", json!({ "authority_pem": "", "tablets": "", "open": true })),
        (
            Method::POST,
            "/api/v1/alarms/0199f1a0-0000-7000-8000-000000000000/settle",
            json!({ "note": null, "settled_at": 0 }),
        ),
        (Method::POST, "/api/v1/profiles", json!({ "text": "", "state": "published" })),
        (Method::PUT, version.as_str(), json!({ "text": "", "approvals": [] })),
        (Method::POST, approve.as_str(), json!({ "text_sha256": "", "organisation": "academie" })),
        (Method::POST, publish.as_str(), json!({ "waves": { "percents": [50], "reached": 100 } })),
    ] {
        let seen = door.send(door.request(method, path).set_json(&body)).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{path}: {}", seen.text());
        let problem = seen.json();
        assert_eq!(problem["code"], "malformed", "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("unknown field"), "{path}: {problem}");
    }
    for path in
        ["/api/v1/tablets?sort=serial", "/api/v1/links?limit=1&organisation=x", "/api/v1/alarms?state=all"]
    {
        let seen = door.send(door.get(path)).await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(seen.header("content-type"), "application/problem+json");
    }
}

#[actix_web::test]
async fn t_c23_a_key_that_stands_twice_is_refused() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    for body in [
        r#"{"request_type":"ProfileList","request_type":"EraseDevice"}"#,
        r#"{"request_type":"ProfileList","parameters":{"RequestType":"ProfileList","RequestType":"EraseDevice"}}"#,
        r#"{"request_type":"ProfileList","parameters":{"RequestType":"EraseDevice"}}"#,
        r#"{"request_type":"eraseDevice"}"#,
    ] {
        let request = door
            .request(Method::POST, &format!("/api/v1/tablets/{SERIAL}/commands"))
            .insert_header((header::CONTENT_TYPE, "application/json"))
            .set_payload(body);
        let seen = door.send(request).await;
        assert!(seen.status.is_client_error(), "{body}: {}", seen.status);
    }
    let listed = door.send(door.get(&format!("/api/v1/tablets/{SERIAL}/commands"))).await.ok();
    assert_eq!(listed["items"], json!([]));
}

#[actix_web::test]
async fn a_body_that_is_too_long_or_of_another_kind_is_refused() {
    let door = Door::new().await;
    let long = json!({ "name": "x".repeat(70_000), "scope": "read" });
    let seen = door.send(door.post("/api/v1/tokens", &long)).await;
    assert_eq!(seen.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(seen.json()["code"], "too-large");

    let html = door.csv(INVENTORY).insert_header((header::CONTENT_TYPE, "text/html"));
    let seen = door.send(html).await;
    assert_eq!(seen.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(seen.json()["detail"].as_str().unwrap().contains("text/csv"));

    let garbage = door
        .request(Method::POST, "/api/v1/tokens")
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .set_payload("{");
    assert_eq!(door.send(garbage).await.json()["code"], "malformed");
}

#[actix_web::test]
async fn every_bad_line_of_an_inventory_comes_back() {
    let door = Door::new().await;
    let file = format!("{INVENTORY}x,,,ipad,0761234A\nDMPXK1ABCD09,,,amiga,7\n");
    let seen = door.send(door.csv(&file)).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = seen.json();
    let lines: Vec<u64> =
        problem["lines"].as_array().unwrap().iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 5, 5]);
    let listed = door.send(door.get("/api/v1/inventory")).await.ok();
    assert_eq!(listed["items"], json!([]));
}

#[actix_web::test]
async fn a_rule_that_refuses_is_named() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    for (kind, rule) in [("EraseDevice", "M3"), ("DeviceLocation", "M1"), ("EnableLostMode", "M1")] {
        let path = format!("/api/v1/tablets/{SERIAL}/commands");
        let seen = door.send(door.post(&path, &json!({ "request_type": kind }))).await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN, "{kind}");
        let problem = seen.json();
        assert_eq!((&problem["code"], &problem["rule"]), (&json!("forbidden-by-rule"), &json!(rule)));
    }
}

#[actix_web::test]
async fn t_c21_no_filter_reaches_the_database_as_words() {
    let door = Door::stocked().await;
    for hostile in ["%27%20OR%201=1%20--", "%27;DROP%20TABLE%20tablets;--", "%00", "%25"] {
        let seen = door.send(door.get(&format!("/api/v1/tablets?text={hostile}"))).await;
        assert_eq!(seen.ok()["items"], json!([]), "{hostile}");
        for field in ["uai", "platform", "state", "after"] {
            let seen = door.send(door.get(&format!("/api/v1/tablets?{field}={hostile}"))).await;
            assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {hostile}");
        }
    }
}

#[actix_web::test]
async fn t_c21_no_list_takes_a_hostile_word_for_anything_but_a_mistake() {
    let door = Door::stocked().await;
    let document = serde_json::to_value(crate::document()).unwrap();
    // Those that take a query: what they do not know in it is a mistake, too.
    let asks = |route: &&Route| {
        let described = &document["paths"][route.path]["get"]["parameters"];
        route.method == Method::GET && !route.path.contains('{') && described.is_array()
    };
    let mut asked = Vec::new();
    for route in ROUTES.iter().filter(asks) {
        for hostile in
            ["%27%20OR%201=1%20--", "%27;DROP%20TABLE%20tablets;--", "%00", "%25", "9%27%20UNION%20SELECT"]
        {
            for field in
                ["after", "limit", "state", "uai", "actor", "since", "which", "kind", "sort", "format"]
            {
                asked.push((route.path, field, format!("{}?{field}={hostile}", route.path)));
            }
        }
    }
    let answers = door.send_all(64 << 20, asked.iter().map(|(_, _, url)| door.get(url))).await;
    for ((path, field, url), seen) in asked.iter().zip(&answers) {
        let name = format!("{url}: {} {}", seen.status, seen.text());
        // A school year is named by any text; it is a parameter of the statement like the others.
        let any_text = *path == "/api/v1/school-years" && *field == "after";
        assert!(seen.status.is_client_error() || any_text && seen.status.is_success(), "{name}");
        assert!(!seen.text().to_lowercase().contains("syntax"), "{name}");
    }
    let asked = answers.len();
    assert!(asked > 500, "{asked}");
    assert_eq!(door.send(door.get("/api/v1/tablets")).await.ok()["items"].as_array().unwrap().len(), 2);
}
