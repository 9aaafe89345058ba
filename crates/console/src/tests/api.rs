//! What the API does, as its users see it.

use actix_web::http::{Method, StatusCode, header};
use serde_json::{Value as Json, json};

use super::door::{Door, SERIAL};

fn text<'j>(json: &'j Json, field: &str) -> &'j str {
    json[field].as_str().unwrap_or_else(|| panic!("{field} in {json}"))
}

#[actix_web::test]
async fn the_server_lives_is_ready_and_describes_itself() {
    let door = Door::new().await;
    assert_eq!(door.send(door.get("/healthz")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(door.send(door.get("/readyz")).await.status, StatusCode::NO_CONTENT);
    let document = door.send(door.get("/api/v1/openapi.json")).await.ok();
    assert!(text(&document, "openapi").starts_with("3.1"));
    let status = door.send(door.get("/api/v1/status")).await.ok();
    assert_eq!((&status["tablets"], &status["enrolled"]), (&json!(0), &json!(0)));
    assert_eq!(status["database"], "SQLite");
    assert!(status.get("push_certificate_days_left").is_none());
}

#[actix_web::test]
async fn an_inventory_is_imported_and_read_back_as_json_and_as_csv() {
    let door = Door::new().await;
    let imported = door.send(door.csv(super::door::INVENTORY)).await.ok();
    assert_eq!(imported, json!({ "created": 2, "updated": 0, "unchanged": 0 }));
    let listed = door.send(door.get("/api/v1/inventory?limit=1")).await.ok();
    let next = text(&listed, "next").to_owned();
    let rest = door.send(door.get(&format!("/api/v1/inventory?after={next}"))).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert!(rest.get("next").is_none());

    let csv = door.send(door.get("/api/v1/inventory").insert_header((header::ACCEPT, "text/csv"))).await;
    assert!(csv.text().starts_with("serial,asset_tag,model,platform,uai\n"));
    assert!(csv.text().contains("DMPXK1ABCD02,'=1+1,"), "{}", csv.text());
}

#[actix_web::test]
async fn a_tablet_is_found_by_its_serial_with_what_it_can_do() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    let detail = door.send(door.get(&format!("/api/v1/tablets/{SERIAL}"))).await.ok();
    assert_eq!((text(&detail, "state"), text(&detail["enrolment"], "kind")), ("enrolled", "automated"));
    let lost_mode =
        detail["capabilities"].as_array().unwrap().iter().find(|one| one["name"] == "lost-mode").unwrap();
    assert_eq!((&lost_mode["able"], &lost_mode["rule"]), (&json!(true), &json!("M1")));
    let by_id = door.send(door.get(&format!("/api/v1/tablets/{}", text(&detail, "id")))).await.ok();
    assert_eq!(by_id, detail);

    let enrolled = door.send(door.get("/api/v1/tablets?state=enrolled&uai=0761234A")).await.ok();
    assert_eq!(enrolled["items"].as_array().unwrap().len(), 1);
    let others = door.send(door.get("/api/v1/tablets?state=not-enrolled")).await.ok();
    assert_eq!(text(&others["items"][0], "serial"), "DMPXK1ABCD02");
}

#[actix_web::test]
async fn a_link_shows_its_address_once() {
    let door = Door::stocked().await;
    let seen = door.send(door.post("/api/v1/links", &json!({ "uai": "0761234A", "max_uses": 30 }))).await;
    assert_eq!(seen.status, StatusCode::CREATED);
    let made = seen.json();
    let url = text(&made, "url").to_owned();
    assert!(url.starts_with("https://tablettes.example.fr/enrol/"));
    let listed = door.send(door.get("/api/v1/links")).await;
    assert!(!listed.text().contains(url.rsplit('/').next().unwrap()));
    assert_eq!(listed.ok()["items"][0]["kind"], "batch");

    let path = format!("/api/v1/links/{}", text(&made, "id"));
    assert_eq!(door.send(door.request(Method::DELETE, &path)).await.status, StatusCode::NO_CONTENT);
    let listed = door.send(door.get("/api/v1/links")).await.ok();
    assert!(listed["items"][0]["revoked_at"].is_string());

    for both in [
        json!({}),
        json!({ "tablet": SERIAL, "uai": "0761234A", "max_uses": 3 }),
        json!({ "uai": "0761234A" }),
    ] {
        assert_eq!(
            door.send(door.post("/api/v1/links", &both)).await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
}

#[actix_web::test]
async fn a_command_is_queued_shown_explained_and_cancelled() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    let queue = format!("/api/v1/tablets/{SERIAL}/commands");
    let new = json!({ "request_type": "DeviceInformation", "idempotency_key": "k", "priority": 2 });
    let first = door.send(door.post(&queue, &new)).await;
    let again = door.send(door.post(&queue, &new)).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    let command = first.json();
    assert_eq!(command["id"], again.json()["id"]);
    assert_eq!((text(&command, "state"), &command["pending"]), ("queued", &json!(true)));

    let path = format!("/api/v1/commands/{}", text(&command, "id"));
    assert_eq!(door.send(door.get(&path)).await.ok(), command);
    let why = door.send(door.get(&format!("{path}/why"))).await.ok();
    assert_eq!(text(&why, "code"), "no-push-certificate");
    assert!(text(&why, "french").contains("certificat de notification"));
    let cancelled = door.send(door.request(Method::DELETE, &path)).await.ok();
    assert_eq!(text(&cancelled, "state"), "cancelled");
    let listed = door.send(door.get(&queue)).await.ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let missing = "/api/v1/commands/0199f1a0-0000-7000-8000-000000000000";
    assert_eq!(door.send(door.get(missing)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(door.send(door.get("/api/v1/commands/42")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_command_takes_its_keys_as_json_or_as_a_property_list() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    let queue = format!("/api/v1/tablets/{SERIAL}/commands");
    let plist = "<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>Command</key><dict><key>RequestType</key>\
        <string>ProfileList</string><key>ManagedOnly</key><true/></dict></dict></plist>";
    let by_plist = json!({ "request_type": "ProfileList", "property_list": plist });
    let by_json = json!({ "request_type": "ProfileList", "parameters": { "ManagedOnly": true } });
    for new in [&by_plist, &by_json] {
        assert_eq!(door.send(door.post(&queue, new)).await.status, StatusCode::CREATED, "{new}");
    }
    let listed = door.send(door.get(&queue)).await.ok();
    let states: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| text(item, "state")).collect();
    assert!(states.contains(&"cancelled") && states.contains(&"queued"), "{states:?}");
    let both = json!({ "request_type": "ProfileList", "property_list": plist, "parameters": {} });
    assert_eq!(door.send(door.post(&queue, &both)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn c3_1_1_what_goes_round_the_layers_is_refused_and_told_what_to_do_instead() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    let queue = format!("/api/v1/tablets/{SERIAL}/commands");
    let new = json!({ "request_type": "RemoveProfile", "parameters": { "Identifier": "org.example.wifi" } });
    let refused = door.send(door.post(&queue, &new)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let problem = refused.json();
    assert_eq!((text(&problem, "code"), text(&problem, "rule")), ("forbidden-by-rule", "C3.1.1"));
    assert!(text(&problem, "detail").contains("write it into a layer"), "{problem}");
    assert_eq!(door.send(door.get(&queue)).await.ok()["items"], json!([]));
}

#[actix_web::test]
async fn a_token_is_given_once_and_works() {
    let door = Door::new().await;
    let seen = door.send(door.post("/api/v1/tokens", &json!({ "name": "référent", "scope": "read" }))).await;
    assert_eq!(seen.status, StatusCode::CREATED);
    let secret = text(&seen.json(), "token").to_owned();
    let listed = door.send(door.get("/api/v1/tokens")).await;
    assert!(!listed.text().contains(&secret));
    assert_eq!(listed.ok()["items"].as_array().unwrap().len(), 2);
    let look = actix_web::test::TestRequest::get()
        .uri("/api/v1/tablets")
        .insert_header(super::door::bearer(&secret));
    assert_eq!(door.send(look).await.status, StatusCode::OK);
    let scope = json!({ "name": "x", "scope": "root" });
    assert_eq!(door.send(door.post("/api/v1/tokens", &scope)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn what_is_missing_for_push_and_automated_enrolment_is_said() {
    let door = Door::new().await;
    let push = door.send(door.get("/api/v1/push-certificate")).await;
    assert_eq!(push.status, StatusCode::NOT_FOUND);
    let bad = json!({ "certificate_pem": "x", "key_pem": "y" });
    let refused = door.send(door.request(Method::PUT, "/api/v1/push-certificate").set_json(&bad)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);

    let authorities = door.send(door.get("/api/v1/apple/authorities")).await.ok();
    let names: Vec<&str> =
        authorities["items"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
    assert_eq!(names, ["Apple iPhone Device CA", "Apple iPhone Certification Authority", "Apple Root CA"]);
    let other = door.request(Method::POST, "/api/v1/apple/authorities").set_payload("not a certificate");
    assert_eq!(door.send(other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn t_a6_a_takeover_is_refused_while_it_is_closed() {
    let door = Door::stocked().await;
    let new = json!({ "authority_pem": "", "tablets": "" });
    let refused = door.send(door.post("/api/v1/takeovers", &new)).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(door.send(door.get("/api/v1/takeovers")).await.ok()["items"], json!([]));
}

#[actix_web::test]
async fn an_alarm_is_listed_and_settled() {
    let door = Door::stocked().await;
    let raised = store::alarms::NewAlarm {
        kind: "unknown-serial".into(),
        about: Some("DMPXK1ZZZZ99".into()),
        tablet: None,
        enrolment: None,
        detail: json!({ "serial": "DMPXK1ZZZZ99" }),
    };
    let now = types::Clock::now(&door.clock);
    let raise = door.state.fleet.store().write(move |tx| store::alarms::raise(tx, &raised, now));
    assert!(raise.await.map_err(|error: store::StoreError| error).unwrap());
    let listed = door.send(door.get("/api/v1/alarms")).await.ok();
    let path = format!("/api/v1/alarms/{}/settle", text(&listed["items"][0], "id"));
    let settled = door.send(door.post(&path, &json!({ "note": "a supplier's test" }))).await.ok();
    assert!(settled["settled_at"].is_string());
    assert_eq!(door.send(door.get("/api/v1/alarms")).await.ok()["items"], json!([]));
}

#[actix_web::test]
async fn t_c11_no_answer_or_description_shows_a_stored_secret() {
    let door = Door::stocked().await;
    door.enrol(SERIAL).await;
    let link = door.send(door.post("/api/v1/links", &json!({ "tablet": SERIAL }))).await.ok();
    let secrets = [
        door.operator.clone(),
        door.reader.clone(),
        text(&link, "url").rsplit('/').next().unwrap().to_owned(),
    ];
    for route in crate::ROUTES.iter().filter(|route| route.method == Method::GET) {
        let path = route.path.replace("{id}", SERIAL);
        let seen = door.send(door.get(&path)).await.text();
        assert!(secrets.iter().all(|secret| !seen.contains(secret.as_str())), "{path}");
        assert!(!seen.contains("sha256\":\"") || path.contains("authorities"), "{path}: {seen}");
    }
}
