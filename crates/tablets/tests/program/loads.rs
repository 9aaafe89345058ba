//! `tablets bench idle`, `token-update` and `enrol`: only right answers count, each kind of proof is one.

use serde_json::Value;

use crate::person::Person;
use crate::server::{Server, Wants};

/// A fleet of ten, and a server in the clear that knows its authority. Its address is given with each load.
fn fleet(wants: Wants) -> (Person, Server) {
    let person = Person::new();
    person.seeds(10, "http://127.0.0.1:9/mdm");
    let server = Server::start(wants, &person.path("fleet/authority.pem"));
    (person, server)
}

fn over_tls() -> (Person, Server) {
    let person = Person::new();
    person.seeds(10, "https://localhost:9/mdm");
    let (authority, trust) = (person.path("fleet/authority.pem"), person.path("trust.pem"));
    let server = Server::start_tls(Wants::ClientCertificate, &authority, &trust);
    (person, server)
}

fn count(document: &Value, key: &str) -> u64 {
    document[key].as_u64().unwrap_or_else(|| panic!("{key}: {document}"))
}

#[test]
fn an_idle_load_counts_what_it_measured_and_says_all_that_was_promised() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    let found = person
        .reads(&format!("bench idle fleet --server-url {url} --requests 60 --warm-up 0 --connections 4"));
    for key in [
        "bench",
        "auth",
        "tls",
        "tablets",
        "connections",
        "seconds",
        "requests",
        "errors",
        "rate",
        "p50_ms",
        "p90_ms",
        "p99_ms",
        "max_ms",
    ] {
        assert!(found.get(key).is_some_and(|value| !value.is_null()), "{key} is missing: {found}");
    }
    assert_eq!(
        (&found["bench"], &found["auth"], &found["tls"]),
        (&"idle".into(), &"signature".into(), &false.into())
    );
    assert_eq!((count(&found, "requests"), count(&found, "errors"), count(&found, "tablets")), (60, 0, 10));
    let millis = |key: &str| found[key].as_f64().unwrap();
    assert!(
        0.0 < millis("p50_ms")
            && millis("p50_ms") <= millis("p99_ms")
            && millis("p99_ms") <= millis("max_ms")
    );
    let book = server.book();
    // Ten tablets emptied their queues before.
    assert_eq!((book.idles.values().sum::<u64>(), book.idles.len(), book.refused), (70, 10, 0));
}

#[test]
fn every_kind_of_proof_is_proven_to_the_server() {
    for (wants, options) in [
        (Wants::Signature, "--auth signature"),
        (Wants::Signature, "--auth signature --sign-beforehand"),
        (Wants::ClientCertHeader, "--auth header"),
        (Wants::EscapedPemHeader, "--auth header --header X-Cert"),
    ] {
        let (person, server) = fleet(wants);
        let url = server.url("/mdm");
        let found = person.reads(&format!(
            "bench token-update fleet --server-url {url} --requests 25 --warm-up 0 --connections 3 {options}"
        ));
        assert_eq!((count(&found, "requests"), count(&found, "tablets")), (25, 10), "{options}");
        assert_eq!(found["signed_beforehand"], options.contains("beforehand"));
        let book = server.book();
        assert_eq!((book.token_updates.values().sum::<u64>(), book.refused), (25, 0), "{options}");
    }
}

#[test]
fn a_proof_that_the_server_does_not_take_measures_nothing_and_says_why() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    let (code, found, told) =
        person.sees(&format!("bench idle fleet --server-url {url} --auth header --requests 5"));
    assert_eq!((code, found.is_null()), (1, true));
    assert!(told.contains("serves none of 10 tablets") && told.contains("who are you?"), "{told}");
}

#[test]
fn with_mtls_a_kept_connection_is_one_tablets() {
    let (person, server) = over_tls();
    let url = server.url("/mdm");
    let found = person.reads(&format!(
        "bench idle fleet --server-url {url} --trust trust.pem --requests 30 --warm-up 200ms --connections 3"
    ));
    assert_eq!((&found["auth"], &found["tls"]), (&"mtls".into(), &"TLSv1.3".into()));
    assert_eq!((count(&found, "requests"), count(&found, "tablets"), count(&found, "turn")), (30, 3, 0));
    assert_eq!(count(&found, "connections_opened"), 0, "no handshake was measured");
    let book = server.book();
    assert_eq!((book.idles.len(), book.refused), (3, 0));
    // Three to empty the queues, three that were kept.
    assert_eq!(book.tls_connections, 6);
}

#[test]
fn with_mtls_every_turn_begins_with_a_handshake() {
    let (person, server) = over_tls();
    let url = server.url("/mdm");
    let found = person.reads(&format!(
        "bench idle fleet --server-url {url} --trust trust.pem --requests 30 --warm-up 0 --connections 3 --turn 1 --as-they-are"
    ));
    assert_eq!((count(&found, "requests"), count(&found, "tablets"), count(&found, "turn")), (30, 10, 1));
    assert_eq!((count(&found, "connections_opened"), server.book().tls_connections), (30, 30));
    assert_eq!(server.book().idles.len(), 10);
}

#[test]
fn connections_that_could_be_kept_are_closed_when_told() {
    let (person, server) = fleet(Wants::ClientCertHeader);
    let url = server.url("/mdm");
    let line = format!(
        "bench idle fleet --server-url {url} --auth header --requests 20 --warm-up 0 --connections 2 --as-they-are"
    );
    assert_eq!(count(&person.reads(&line), "connections_opened"), 2);
    assert_eq!(count(&person.reads(&format!("{line} --close")), "connections_opened"), 20);
}

#[test]
fn wrong_answers_are_errors_in_words_and_the_exit_code() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    // Ten tablets empty their queues first.
    server.book().answers_idle_with = None;
    let line = format!(
        "bench idle fleet --server-url {url} --requests 40 --warm-up 0 --connections 2 --as-they-are"
    );
    server.book().answers_idle_with = Some((503, 7));
    let (code, found, told) = person.sees(&line);
    assert_eq!((code, count(&found, "requests"), count(&found, "errors")), (1, 33, 7), "{told}");
    assert_eq!(
        found["first_errors"][0],
        serde_json::json!({ "error": "idle was answered 503: as told", "count": 7 })
    );
    assert!(told.contains("7 of 40 operations were not right"), "{told}");
}

#[test]
fn a_command_where_there_should_be_none_is_an_error_unless_it_was_queued_before() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    let udid = fleet_udid(&person);
    let command = b"<plist><dict><key>CommandUUID</key><string>A</string><key>Command</key><dict><key>RequestType</key><string>SecurityInfo</string></dict></dict></plist>";
    let queue = || {
        server.book().queues.entry(udid.clone()).or_default().push_back(("A".to_owned(), command.to_vec()));
    };
    queue();
    let line = format!("bench idle fleet --server-url {url} --tablets 1 --requests 5 --warm-up 0");
    assert_eq!(count(&person.reads(&line), "requests"), 5);
    assert_eq!(
        server.book().reports,
        [("A".to_owned(), "Acknowledged".to_owned())],
        "it was carried out before"
    );

    queue();
    let (code, found, _told) = person.sees(&format!("{line} --as-they-are"));
    assert_eq!((code, count(&found, "errors"), count(&found, "requests")), (1, 5, 0));
    assert!(found["first_errors"][0]["error"].as_str().unwrap().contains("SecurityInfo"), "{found}");
}

#[test]
fn tablets_that_are_not_served_are_left_out_and_told() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    server.book().knows = Some([fleet_udid(&person)].into());
    let output = person.types(&format!("bench idle fleet --server-url {url} --requests 12 --warm-up 0"));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("9 tablets are not served and are left out"), "{told}");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("12 in") && printed.contains("1 on 1 connections"), "{printed}");
}

#[test]
fn a_server_that_is_not_there_is_said_at_once() {
    let person = Person::new();
    person.seeds(2, "http://127.0.0.1:9/mdm");
    let (code, _nothing, told) = person.sees("bench idle fleet");
    assert_eq!((code, told.contains("is the server running?")), (1, true), "{told}");
    let (code, found, _told) = person.sees("bench token-update fleet --as-they-are --requests 3 --warm-up 0");
    assert_eq!((code, count(&found, "errors"), count(&found, "requests")), (1, 3, 0));
}

#[test]
fn seeded_tablets_enrol_once_each() {
    let (person, server) = fleet(Wants::Signature);
    let url = server.url("/mdm");
    let found = person.reads(&format!("bench enrol fleet --server-url {url} --connections 3"));
    assert_eq!((count(&found, "requests"), count(&found, "tablets")), (10, 10));
    assert_eq!(found["identities"], "as they are kept");
    assert!(
        found["steps"]["authenticate"]["p50_ms"].is_number()
            && found["steps"]["token-update"]["p50_ms"].is_number()
    );
    let book = server.book();
    for heard in [&book.authenticated, &book.token_updates] {
        assert!(heard.len() == 10 && heard.values().all(|times| *times == 1), "{heard:?}");
    }
}

#[test]
fn loads_that_contradict_themselves_are_not_begun() {
    let (person, server) = fleet(Wants::Signature);
    for (line, words) in [
        ("bench idle fleet --auth mtls", "needs TLS"),
        ("bench idle fleet --auth header --sign-beforehand", "--auth signature"),
        ("bench idle fleet --auth header --header X-C --header-format rfc9440", "Client-Cert"),
        ("bench idle nothing-here", "no tablet"),
        ("bench cycle fleet --enqueue-url http://x/ --enqueue-body {uuid} --sign-beforehand", "beforehand"),
        ("bench cycle fleet --enqueue-url http://x/ --enqueue-body {}", "CommandUUID"),
        ("bench enrol fleet --link https://x", "--tablets"),
    ] {
        let (code, _nothing, told) = person.sees(line);
        assert_eq!((code, told.contains(words)), (2, true), "{line}: {told}");
    }
    assert_eq!(server.book().requests, 0);
}

fn fleet_udid(person: &Person) -> String {
    tablets::Home::open(person.path("fleet")).unwrap().load("DMPX00000001").unwrap().0.hardware.udid
}
