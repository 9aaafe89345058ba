//! Organisations, accounts, roles and second persons, as the API shows them.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use store::role_grants::GrantReach;
use testkit::people::{self, CodeShown, Employer};
use types::{Clock as _, Role};

use super::door::{Door, Seen, bearer};

impl Door {
    /// Somebody else, and a session of theirs in which a code was shown.
    async fn someone(&self, employer: Employer, login: &str, role: Role) -> String {
        let (store, now) = (self.state.fleet.store(), self.clock.now());
        let roles = vec![(role, GrantReach::Organisation)];
        let account = people::someone(store, employer, login, roles, now).await.unwrap();
        people::session(store, account, CodeShown::JustNow, now).await.unwrap().expose().clone()
    }

    async fn by(&self, session: &str, method: Method, path: &str, json: &Json) -> Seen {
        let request = actix_web::test::TestRequest::with_uri(path).method(method);
        self.send(request.insert_header(bearer(session)).set_json(json)).await
    }

    async fn made(&self, path: &str, json: &Json) -> Json {
        let seen = self.send(self.post(path, json)).await;
        assert_eq!(seen.status, StatusCode::CREATED, "{}", seen.text());
        seen.json()
    }
}

fn college() -> Employer {
    Employer::College("0761234A".parse().unwrap())
}

#[actix_web::test]
async fn colleges_are_imported_shown_by_their_code_and_closed() {
    let door = Door::new().await;
    let import = |text: &str| {
        door.request(Method::POST, "/api/v1/organisations/import")
            .insert_header(("content-type", "text/csv"))
            .set_payload(text.to_owned())
    };
    let imported = door.send(import("uai,name\n0761234A,Georges-Brassens\n0767777B,Rosa-Parks\n")).await.ok();
    assert_eq!(imported, json!({ "created": 2, "renamed": 0, "unchanged": 0 }));
    let refused = door.send(import("uai,name\n76,X\n")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json()["lines"][0]["line"], 2);

    let shown = door.send(door.get("/api/v1/organisations/0761234A")).await.ok();
    assert_eq!((&shown["name"], &shown["home_use"]), (&json!("Georges-Brassens"), &json!("undecided")));
    assert_eq!((&shown["has_network"], &shown["leaders"]), (&json!(false), &json!([])));
    let closed = door.send(door.post("/api/v1/organisations/0761234A/close", &json!({}))).await.ok();
    assert_eq!(closed["state"], "closed");
    let again = door.send(door.post("/api/v1/organisations/0761234A/close", &json!({}))).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(door.send(door.get("/api/v1/organisations/0769999Z")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn c3_3_3_a_head_decides_for_their_college_and_the_departement_does_not() {
    let door = Door::new().await;
    let head = door.someone(college(), "head", Role::Head).await;
    let path = "/api/v1/organisations/0761234A/decisions";
    let made = json!({ "home_use": "allowed", "referent": "head" });
    let decided = door.by(&head, Method::PUT, path, &made).await.ok();
    assert_eq!(decided["home_use"], "allowed");
    let unsaid = door.by(&head, Method::PUT, path, &json!({ "referent": null })).await.ok();
    assert_eq!((&unsaid["home_use"], &unsaid["referent_account_id"]), (&json!("allowed"), &Json::Null));
    let refused = door.send(door.request(Method::PUT, path).set_json(&made)).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::FORBIDDEN, &json!("not-allowed")));
}

#[actix_web::test]
async fn t_c11_a_passphrase_comes_back_in_no_answer() {
    let door = Door::new().await;
    let head = door.someone(college(), "head", Role::Head).await;
    let path = "/api/v1/organisations/0761234A/network";
    let network = json!({ "ssid": "Tablettes", "passphrase": "un secret de salle" });
    let set = door.by(&head, Method::PUT, path, &network).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.text());
    for path in ["/api/v1/organisations/0761234A", "/api/v1/organisations"] {
        let shown = door.by(&head, Method::GET, path, &Json::Null).await;
        assert!(shown.status.is_success() && !shown.text().contains("salle"), "{}", shown.text());
    }
    // A field that cannot be read is not echoed with its neighbours.
    let malformed = json!({ "ssid": 7, "passphrase": "un secret de salle" });
    let refused = door.by(&head, Method::PUT, path, &malformed).await;
    assert!(refused.status.is_client_error() && !refused.text().contains("salle"), "{}", refused.text());
}

#[actix_web::test]
async fn t_c15_no_field_of_a_request_raises_its_sender_or_whoever_is_invited() {
    let door = Door::new().await;
    let marie = json!({ "login": "marie.curie", "name": "Marie Curie" });
    let invited = door.made("/api/v1/accounts", &marie).await;
    let id = invited["account_id"].as_str().unwrap();
    let with = |body: &Json, field: &str, value: Json| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    let other = json!({ "login": "paul.roux", "name": "Paul" });
    for (method, path, body) in [
        (Method::POST, "/api/v1/accounts".to_owned(), with(&other, "role", json!("administrator"))),
        (Method::POST, "/api/v1/accounts".to_owned(), with(&other, "roles", json!(["administrator"]))),
        (Method::POST, "/api/v1/accounts".to_owned(), with(&other, "state", json!("active"))),
        (Method::POST, "/api/v1/accounts".to_owned(), with(&other, "organisation_id", json!(id))),
        (Method::PUT, format!("/api/v1/accounts/{id}"), json!({ "name": "M", "state": "active" })),
        (Method::PUT, format!("/api/v1/accounts/{id}"), json!({ "name": "M", "organisation_id": id })),
        (
            Method::POST,
            format!("/api/v1/accounts/{id}/roles"),
            json!({ "role": "approver", "reason": "r", "confirmed_by": id }),
        ),
    ] {
        let refused = door.send(door.request(method, &path).set_json(&body)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body} {}", refused.text());
    }
    let shown = door.send(door.get(&format!("/api/v1/accounts/{id}"))).await.ok();
    assert_eq!((&shown["state"], &shown["roles"]), (&json!("invited"), &json!([])));
    assert_eq!(door.send(door.get("/api/v1/accounts/paul.roux")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn c3_1_7_a_right_to_approve_is_given_shown_to_a_second_person_and_confirmed() {
    let door = Door::new().await;
    let emma = door.someone(Employer::Departement, "emma", Role::Administrator).await;
    door.someone(Employer::Departement, "denis", Role::Operator).await;
    let role = json!({ "role": "approver", "reason": "replaces Mme Blin" });
    let given = door.made("/api/v1/accounts/denis/roles", &role).await;
    let path = format!("/api/v1/countersignatures/{}", given["countersignature"].as_str().unwrap());

    let listed = door.by(&emma, Method::GET, "/api/v1/countersignatures", &Json::Null).await.ok();
    let line = &listed["items"][0];
    assert_eq!((&line["answerable"], &line["reason"]), (&json!(true), &json!("replaces Mme Blin")));
    let mine = door.send(door.get("/api/v1/countersignatures?which=asked")).await.ok();
    assert_eq!((&mine["items"][0]["id"], &mine["items"][0]["answerable"]), (&line["id"], &json!(false)));

    let answer = format!("{path}/answer");
    let said = |verdict: &str, hash: &Json| json!({ "verdict": verdict, "content_sha256": hash });
    let oneself = door.send(door.post(&answer, &said("give", &line["content_sha256"]))).await;
    assert_eq!((oneself.status, &oneself.json()["rule"]), (StatusCode::CONFLICT, &json!("C3.1.7")));
    let unseen = said("give", &json!("0".repeat(64)));
    assert_eq!(door.by(&emma, Method::POST, &answer, &unseen).await.status, StatusCode::CONFLICT);
    for odd in [said("yes", &line["content_sha256"]), said("give", &json!("short"))] {
        let refused = door.by(&emma, Method::POST, &answer, &odd).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{odd}");
    }
    let given = door.by(&emma, Method::POST, &answer, &said("give", &line["content_sha256"])).await.ok();
    assert_eq!((&given["state"], &given["answered_by"]["login"]), (&json!("given"), &json!("emma")));

    let shown = door.send(door.get("/api/v1/accounts/denis")).await.ok();
    let approver = shown["roles"].as_array().unwrap().iter().find(|role| role["role"] == "approver").unwrap();
    assert!(approver["effective_at"].is_string() && approver["confirmed_by"].is_string(), "{approver}");
    let withdrawn = door.send(door.request(Method::DELETE, &path)).await;
    assert_eq!(withdrawn.status, StatusCode::CONFLICT, "what was answered is not taken back");
}

#[actix_web::test]
async fn t_c12_a_reset_ends_sessions_and_its_link_is_shown_once() {
    let door = Door::new().await;
    let emma = door.someone(Employer::Departement, "emma", Role::Administrator).await;
    let path = "/api/v1/accounts/emma/reset";
    let odd = door.send(door.post(path, &json!({ "factor": "everything" }))).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    let reset = door.send(door.post(path, &json!({ "factor": "password" }))).await.ok();
    let link = reset["link"]["invitation"].as_str().unwrap().to_owned();
    let shown = door.send(door.get("/api/v1/accounts/emma")).await;
    assert!(shown.ok()["link_expires_at"].is_string() && !shown.text().contains(&link));
    let over = door.by(&emma, Method::GET, "/api/v1/session", &Json::Null).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
    let other = door.send(door.post(path, &json!({ "factor": "second-factor" }))).await;
    assert_eq!((other.status, &other.json()["rule"]), (StatusCode::CONFLICT, &json!("C3.1.7")));
}

#[actix_web::test]
async fn what_needs_a_code_says_so_whatever_is_decided() {
    let door = Door::new().await;
    let (store, now) = (door.state.fleet.store(), door.clock.now());
    let roles = vec![(Role::Administrator, GrantReach::Organisation)];
    let emma = people::someone(store, Employer::Departement, "emma", roles, now).await.unwrap();
    let session = people::session(store, emma, CodeShown::Never, now).await.unwrap();
    let marie = json!({ "login": "marie.curie", "name": "Marie Curie" });
    let refused = door.by(session.expose(), Method::POST, "/api/v1/accounts", &marie).await;
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::FORBIDDEN, &json!("step-up")));
}

#[actix_web::test]
async fn a_school_year_is_dated_and_listed() {
    let door = Door::new().await;
    let dates = json!({
        "starts_on": "2026-09-01", "ends_on": "2027-07-03",
        "summer_starts_on": "2027-07-04", "summer_ends_on": "2027-08-31",
    });
    let put =
        |label: &str| door.request(Method::PUT, &format!("/api/v1/school-years/{label}")).set_json(&dates);
    assert_eq!(door.send(put("2026-2027")).await.status, StatusCode::NO_CONTENT);
    let misnamed = door.send(put("2026-2028")).await;
    assert_eq!(misnamed.status, StatusCode::UNPROCESSABLE_ENTITY);
    let listed = door.send(door.get("/api/v1/school-years")).await.ok();
    assert_eq!(listed["items"][0]["summer_starts_on"], "2027-07-04");
}
