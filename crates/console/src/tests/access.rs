//! Who may enter: the table, and every way around it that others have found.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode, header};
use actix_web::test::TestRequest;
use governance::needs_step_up;

use super::door::{Door, bearer};
use crate::{Access, ROUTES};

/// The path of a route with something in place of its parameters.
fn filled(path: &str) -> String {
    path.replace("{id}", "0199f1a0-0000-7000-8000-000000000000")
}

#[test]
fn t_c5_only_what_says_nothing_is_open_to_anyone() {
    let open: BTreeSet<&str> =
        ROUTES.iter().filter(|route| route.access == Access::Anonymous).map(|route| route.path).collect();
    assert_eq!(open, BTreeSet::from(["/api/v1/openapi.json", "/healthz", "/readyz"]));
    let coming_in: BTreeSet<&str> =
        ROUTES.iter().filter(|route| route.access == Access::ComingIn).map(|route| route.path).collect();
    assert_eq!(coming_in, BTreeSet::from(["/api/v1/invitations/accept", "/api/v1/sessions"]));
    // What changes something asks for a right to change something.
    for route in ROUTES {
        if let Access::May(permission) = route.access {
            let changes = route.method != Method::GET;
            assert!(!changes || !permission.only_looks(), "{} {}", route.method, route.path);
        }
    }
}

#[test]
fn t_c5_a_route_stands_in_the_table_once() {
    let names: BTreeSet<(&str, &str)> =
        ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect();
    assert_eq!(names.len(), ROUTES.len());
}

#[actix_web::test]
async fn t_c5_every_route_of_the_table_is_registered_and_asks_for_its_token() {
    let door = Door::new().await;
    let myself = door.send(door.get("/api/v1/session")).await.ok();
    let hers: BTreeSet<String> = serde_json::from_value(myself["permissions"].clone()).unwrap();
    assert!(hers.len() > 20, "{hers:?}");
    for route in ROUTES {
        let request = || TestRequest::with_uri(&filled(route.path)).method(route.method.clone());
        let anonymous = door.send(request()).await;
        let name = format!("{} {}", route.method, route.path);
        match route.access {
            Access::Anonymous => {
                assert!(anonymous.status.is_success(), "{name}: {}", anonymous.status);
                continue;
            }
            Access::ComingIn => {
                assert_eq!(anonymous.status, StatusCode::BAD_REQUEST, "{name}");
                continue;
            }
            Access::Oneself | Access::May(_) => {}
        }
        assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(anonymous.json()["code"], "not-authenticated", "{name}");
        assert_eq!(anonymous.header("www-authenticate"), "Bearer realm=\"ardoise\"", "{name}");
        let reader = door.send(request().insert_header(bearer(&door.reader))).await;
        match route.access {
            // What changes something, and what is not hers at all.
            Access::May(permission)
                if !permission.only_looks()
                    || needs_step_up(permission)
                    || !hers.contains(permission.as_str()) =>
            {
                assert_eq!(reader.status, StatusCode::FORBIDDEN, "{name}");
            }
            // Some of it takes a session.
            Access::Oneself => assert_ne!(reader.status, StatusCode::UNAUTHORIZED, "{name}"),
            // She may look; what a DPO has not validated is shown to nobody (C3.1.6).
            _ if reader.status == StatusCode::FORBIDDEN => {
                assert_eq!(reader.json()["code"], "not-validated", "{name}");
            }
            _ => assert_ne!(reader.status, StatusCode::UNAUTHORIZED, "{name}"),
        }
        if route.method == Method::DELETE && route.path == "/api/v1/session" {
            // It would sign her out.
            continue;
        }
        let operator = door.send(request().insert_header(bearer(&door.operator))).await;
        assert!(
            ![StatusCode::UNAUTHORIZED, StatusCode::METHOD_NOT_ALLOWED].contains(&operator.status),
            "{name}: {}",
            operator.status
        );
        // What each role may is in the matrix of the whole server; what an operator and administrator may not is said so.
        if operator.status == StatusCode::FORBIDDEN {
            let code = operator.json()["code"].clone();
            assert!(code == "not-allowed" || code == "not-validated", "{name}: {code}");
        }
        assert!(!operator.status.is_server_error(), "{name}: {}", operator.text());
    }
}

#[actix_web::test]
async fn t_c5_no_spelling_of_a_path_goes_around_the_gate() {
    let door = Door::stocked().await;
    for path in [
        "//api/v1/tablets",
        "/api//v1/tablets",
        "/api/v1/tablets/",
        "/api/v1/tablets.",
        "/api/v1/tablets;a=b",
        "/api/v1/%74ablets",
        "/api/v1/tablets%2f",
        "/api/v1/tablets%00",
        "/api/v1/./tablets",
        "/api/v1/../v1/tablets",
        "/healthz/../api/v1/tablets",
        "/healthz%2f..%2fapi/v1/tablets",
        "/API/v1/tablets",
        "/api/v1/openapi.json/../tablets",
        "/api/v1/openapi.json/tablets",
        "/api/v1/tablets?x=/healthz",
    ] {
        let seen = door.send(TestRequest::with_uri(path)).await;
        assert!(
            [StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED].contains(&seen.status),
            "{path}: {}",
            seen.status
        );
        assert!(!seen.text().contains("DMPXK1"), "{path}");
    }
}

#[actix_web::test]
async fn t_c5_no_header_changes_the_method_or_the_path() {
    let door = Door::new().await;
    for (name, value) in [
        ("x-http-method-override", "GET"),
        ("x-original-url", "/healthz"),
        ("x-rewrite-url", "/healthz"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-user", "operator"),
    ] {
        let seen = door.send(TestRequest::get().uri("/api/v1/tokens").insert_header((name, value))).await;
        assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{name}");
    }
}

#[actix_web::test]
async fn a_method_that_a_path_does_not_take_is_405_and_says_nothing_else() {
    let door = Door::new().await;
    for (method, path) in
        [(Method::PUT, "/api/v1/tablets"), (Method::TRACE, "/healthz"), (Method::PATCH, "/api/v1/links")]
    {
        let seen = door.send(TestRequest::with_uri(path).method(method)).await;
        assert_eq!(seen.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(seen.json()["code"], "method-not-allowed");
    }
}

#[actix_web::test]
async fn only_one_well_formed_bearer_counts() {
    let door = Door::new().await;
    let status = async |values: &[String]| {
        let mut request = TestRequest::get().uri("/api/v1/status");
        for value in values {
            request = request.append_header((header::AUTHORIZATION, value.clone()));
        }
        door.send(request).await.status
    };
    let good = format!("Bearer {}", door.reader);
    assert_eq!(status(std::slice::from_ref(&good)).await, StatusCode::OK);
    assert_eq!(status(&[format!("bearer {}", door.reader)]).await, StatusCode::OK);
    for bad in [
        vec![good.clone(), good.clone()],
        vec![format!("Basic {}", door.reader)],
        vec![door.reader.clone()],
        vec!["Bearer".into()],
        vec!["Bearer ".into()],
        vec![format!("{good}x")],
        vec![format!("Bearer {}", "x".repeat(5_000))],
    ] {
        assert_eq!(status(&bad).await, StatusCode::UNAUTHORIZED, "{bad:?}");
    }
    let in_query =
        door.send(TestRequest::get().uri(&format!("/api/v1/status?access_token={}", door.reader))).await;
    assert_eq!(in_query.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn a_token_that_expired_or_was_revoked_is_refused_at_once() {
    let door = Door::new().await;
    let tokens = door.send(door.get("/api/v1/tokens")).await.ok();
    let reader =
        tokens["items"].as_array().unwrap().iter().find(|token| token["scope"] == "read").unwrap().clone();
    let revoke = door.request(Method::DELETE, &format!("/api/v1/tokens/{}", reader["id"].as_str().unwrap()));
    assert_eq!(door.send(revoke).await.status, StatusCode::NO_CONTENT);
    let look = TestRequest::get().uri("/api/v1/status").insert_header(bearer(&door.reader));
    assert_eq!(door.send(look).await.status, StatusCode::UNAUTHORIZED);

    door.clock.advance(types::Duration::from_secs(3_600));
    assert_eq!(door.send(door.get("/api/v1/status")).await.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn every_route_is_described_with_its_method_and_nothing_else_is() {
    let document = serde_json::to_value(crate::document()).unwrap();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(|method| (method.to_uppercase(), path.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    let registered: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(described, registered);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let route = ROUTES
                .iter()
                .find(|route| route.path == path && route.method.as_str().eq_ignore_ascii_case(method));
            let open = operation["security"] == serde_json::json!([{}]);
            let anyone = matches!(route.unwrap().access, Access::Anonymous | Access::ComingIn);
            assert_eq!(open, anyone, "{method} {path}");
        }
    }
}
