//! `--rate`: operations begin when they should, and a stall is charged to all who would have come in it.

use std::time::Duration;

use crate::person::Person;
use crate::server::{Server, Wants};

/// A server that answers at once, but for one second in which it answers nobody on this connection.
fn stalling(person: &Person) -> Server {
    person.seeds(2, "http://127.0.0.1:9/mdm");
    let server = Server::start(Wants::ClientCertHeader, &person.path("fleet/authority.pem"));
    server.book().stalls = Some((20, Duration::from_secs(1)));
    server
}

#[test]
fn a_stall_is_charged_to_all_who_would_have_come_in_it() {
    let person = Person::new();
    let server = stalling(&person);
    let line = format!(
        "bench idle fleet --server-url {} --auth header --as-they-are --connections 1 --warm-up 0",
        server.url("/mdm")
    );
    // 200 a second for a second and a half: most of the 300 would have come in the second that was lost.
    let found = person.reads(&format!("{line} --rate 200 --requests 300"));
    assert_eq!((&found["loop"], &found["target_rate"]), (&"open".into(), &200.0.into()));
    assert_eq!((&found["requests"], &found["missed"]), (&300.into(), &0.into()));
    let median = found["p50_ms"].as_f64().unwrap();
    assert!(median > 100.0, "half of them waited for long, but the median is {median} ms");

    // A closed loop loses one request in that second, and does not see it in its 90th percentile.
    server.book().stalls = Some((0, Duration::from_secs(1)));
    let found = person.reads(&format!("{line} --requests 300"));
    assert!(found["max_ms"].as_f64().unwrap() >= 1_000.0);
    assert!(found["p90_ms"].as_f64().unwrap() < found["max_ms"].as_f64().unwrap() / 2.0, "{found}");
}

#[test]
fn what_could_not_begin_in_time_is_counted_as_missed() {
    let person = Person::new();
    let server = stalling(&person);
    let found = person.reads(&format!(
        "bench idle fleet --server-url {} --auth header --as-they-are --connections 1 --warm-up 0 --rate 100 --for 500ms",
        server.url("/mdm")
    ));
    let (right, missed) = (found["requests"].as_u64().unwrap(), found["missed"].as_u64().unwrap());
    assert_eq!(right + missed, 50, "{found}");
    assert!(missed >= 25, "only {missed} were missed: {found}");
}
