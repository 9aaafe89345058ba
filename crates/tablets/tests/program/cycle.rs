//! `tablets bench cycle`: what was queued is what was fetched and acknowledged.

use std::collections::BTreeSet;

use crate::person::Person;
use crate::server::{API_KEY, Server, Wants};

fn fleet() -> (Person, Server, String) {
    let person = Person::new();
    person.seeds(5, "http://127.0.0.1:9/mdm");
    std::fs::write(person.path("key"), API_KEY).unwrap();
    let server = Server::start(Wants::ClientCertHeader, &person.path("fleet/authority.pem"));
    let line = format!(
        "bench cycle fleet --server-url {} --auth header --dialect nanomdm --api {} --warm-up 0 --connections 2",
        server.url("/mdm"),
        server.url("")
    );
    (person, server, line)
}

#[test]
fn every_command_that_was_queued_is_acknowledged_once() {
    let (person, server, line) = fleet();
    let found = person.reads(&format!("{line} --secret file:key --requests 30"));
    assert_eq!((&found["bench"], &found["dialect"]), (&"cycle".into(), &"nanomdm".into()));
    assert_eq!((&found["requests"], &found["errors"], &found["tablets"]), (&30.into(), &0.into(), &5.into()));
    for step in ["enqueue", "fetch", "acknowledge"] {
        assert!(found["steps"][step]["p99_ms"].is_number(), "{found}");
    }
    let book = server.book();
    assert!(book.queues.values().all(std::collections::VecDeque::is_empty));
    assert!(book.reports.iter().all(|(_uuid, status)| status == "Acknowledged"));
    let different: BTreeSet<_> = book.reports.iter().map(|(uuid, _status)| uuid).collect();
    assert_eq!((book.reports.len(), different.len()), (30, 30));
}

#[test]
fn a_secret_may_come_from_the_environment() {
    let (person, _server, line) = fleet();
    let line = format!("{line} --secret env:NANO_KEY --requests 2 --json");
    let output = person.command(&line).env("NANO_KEY", API_KEY).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(person.command(&line).env_remove("NANO_KEY").output().unwrap().status.code(), Some(2));
}

#[test]
fn another_command_than_the_one_queued_is_an_error() {
    let (person, server, line) = fleet();
    server.book().swaps_commands = true;
    let (code, found, _told) = person.sees(&format!("{line} --secret file:key --requests 3 --as-they-are"));
    assert_eq!((code, &found["requests"], &found["errors"]), (1, &0.into(), &3.into()));
    let error = found["first_errors"][0]["error"].as_str().unwrap();
    assert!(error.contains("was queued, and 00000000-AAAA (DeviceInformation) came"), "{error}");
}

#[test]
fn a_command_that_cannot_be_queued_says_which_step_failed() {
    let (person, server, line) = fleet();
    let (code, found, _told) = person.sees(&format!("{line} --requests 3"));
    assert_eq!((code, &found["errors"]), (1, &3.into()));
    assert_eq!(found["first_errors"][0]["error"], "enqueue was answered 401: no key");
    assert!(server.book().reports.is_empty());
}

#[test]
fn a_command_that_the_tablet_does_not_know_is_an_error() {
    let (person, _server, line) = fleet();
    std::fs::write(
        person.path("body"),
        "<plist><dict><key>CommandUUID</key><string>{uuid}</string><key>Command</key><dict>\
         <key>RequestType</key><string>MakeCoffee</string></dict></dict></plist>",
    )
    .unwrap();
    let (code, found, _told) =
        person.sees(&format!("{line} --secret file:key --enqueue-body @body --requests 2"));
    assert_eq!((code, &found["requests"]), (1, &0.into()));
    let error = found["first_errors"][0]["error"].as_str().unwrap();
    assert!(error.contains("MakeCoffee with CommandFormatError"), "{error}");
}
