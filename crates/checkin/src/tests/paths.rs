//! Paths and methods, as actix routes them.

use actix_web::http::{Method, StatusCode};
use proptest::prelude::*;

use super::harness::{Request, TestDoor};
use crate::DoorSettings;
use crate::routes::{Endpoint, table};

/// Other spellings of a path that some router, proxy or file system would take for the same.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let mut letters = name.chars();
    let first = u32::from(letters.next().unwrap());
    let escaped = format!("{folder}/%{first:02X}{}", letters.as_str());
    [
        format!("{path}/"),
        format!("{path}."),
        format!("{path}%2e"),
        format!("{path}%20"),
        format!("{path}%00"),
        format!("{path};jsessionid=1"),
        format!("/{path}"),
        format!("{folder}//{name}"),
        format!("{folder}/./{name}"),
        format!("/x/..{path}"),
        format!("/%2e%2e{path}"),
        format!("{folder}%2f{name}"),
        escaped.to_ascii_lowercase(),
        escaped,
        path.to_uppercase(),
        format!("{folder}/{}", name.to_uppercase()),
        format!("{path}/automated"),
    ]
    .into_iter()
    .filter(|spelling| spelling.starts_with('/'))
    .collect()
}

#[actix_web::test]
async fn t_c5_no_other_spelling_of_a_path_reaches_a_handler() {
    let door = TestDoor::open().await;
    for route in table().iter().filter(|route| route.endpoint != Endpoint::EnrolByLink) {
        for spelling in spellings(&route.path) {
            let answer = door.send(Request::new(route.method.clone(), &spelling)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{} {spelling}", route.method);
        }
    }
}

#[actix_web::test]
async fn t_c5_a_path_answers_only_to_its_methods() {
    let door = TestDoor::open().await;
    let methods =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];
    for route in table() {
        let path = route.path.replace("{token}", "a-token-of-some-link");
        for method in methods {
            let method: Method = method.parse().unwrap();
            if table().iter().any(|other| other.method == method && other.admits(&path)) {
                continue;
            }
            let answer = door.send(Request::new(method.clone(), &path)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn t_c5_a_taken_over_path_asks_for_an_identity_too() {
    let settings = DoorSettings { taken_over_paths: vec!["/mdm".to_owned()], ..DoorSettings::default() };
    let door = TestDoor::with(settings).await;
    let answer = door.send(Request::put("/mdm")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text().starts_with("no identity"), "{}", answer.text());
    assert_eq!(door.send(Request::put("/mdm/")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(door.send(Request::get("/mdm")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_address_that_cannot_be_a_link_is_explained_on_the_page() {
    let door = TestDoor::open().await;
    for path in
        ["/enrol/short", "/enrol/Automated", "/enrol/automated.", "/enrol/with%20space%20in%20the%20token"]
    {
        let answer = door.send(Request::get(path).header("accept-language", "en")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().contains("This link does not exist"), "{path}: {}", answer.text());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn t_a7_no_request_without_an_identity_is_ever_told_401_or_403(
        requests in proptest::collection::vec(
            (
                prop_oneof![Just("GET"), Just("POST"), Just("PUT"), Just("HEAD"), Just("DELETE")],
                prop_oneof![
                    Just("/mdm/checkin".to_owned()),
                    Just("/mdm/connect".to_owned()),
                    Just("/scep?operation=PKIOperation".to_owned()),
                    Just("/enrol/automated".to_owned()),
                    "/[a-z/.%2e;]{0,30}",
                ],
                proptest::collection::vec(any::<u8>(), 0..200),
                prop_oneof![Just("mdm-signature"), Just("client-cert"), Just("x-apple-aspen-deviceinfo")],
                "[ -~]{0,40}",
            ),
            16,
        ),
    ) {
        actix_web::rt::System::new().block_on(async {
            let door = TestDoor::open().await;
            for (method, path, body, name, value) in requests {
                if path.parse::<actix_web::http::Uri>().is_err() {
                    continue;
                }
                let request = Request::new(method.parse().unwrap(), path).header(name, value).body(body);
                let answer = door.send(request.clone()).await;
                prop_assert!(!answer.unenrols(), "{request:?}: {}", answer.status);
            }
            Ok(())
        })?;
    }
}
