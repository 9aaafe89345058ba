//! `tablets run`: tablets poll, obey, and at the end it is told what happened.

use std::time::{Duration, Instant};

use tablets::Home;

use crate::person::{Going, Person, TOPIC};
use crate::server::{Server, Wants};

/// Four tablets that sign, each with this command in its queue.
fn school(request: &str) -> (Person, Server) {
    let person = Person::new();
    // The authority is there before the server, and the server's address before the tablets.
    person.reads(&format!(
        "seed maker --tablets 1 --keys 1 --server-url http://127.0.0.1:9/mdm --topic {TOPIC}"
    ));
    let server = Server::start(Wants::Signature, &person.path("maker/authority.pem"));
    person.reads(&format!(
        "seed fleet --tablets 4 --keys 2 --server-url {} --topic {TOPIC} --sign-message --authority maker/.authority",
        server.url("/mdm")
    ));
    let home = Home::open(person.path("fleet")).unwrap();
    for serial in home.serials().unwrap() {
        let udid = home.load(&serial).unwrap().0.hardware.udid;
        let command = format!(
            "<plist><dict><key>CommandUUID</key><string>{serial}</string><key>Command</key><dict>{request}</dict></dict></plist>"
        );
        server.book().queues.entry(udid).or_default().push_back((serial, command.into_bytes()));
    }
    (person, server)
}

/// Looks until it is so.
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn tablets_poll_obey_and_the_tally_says_so() {
    let (person, server) = school("<key>RequestType</key><string>SecurityInfo</string>");
    let going = Going::start(&person, "run fleet --poll-every 100ms");
    wait_until("all have reported", || server.book().reports.len() == 4);
    wait_until("all have asked again", || server.book().idles.values().all(|times| *times >= 2));
    let tally = going.stop();
    assert_eq!(
        (&tally["tablets"], &tally["commands"], &tally["acknowledged"]),
        (&4.into(), &4.into(), &4.into())
    );
    assert_eq!((&tally["errors"], &tally["left"], &tally["erased"]), (&0.into(), &0.into(), &0.into()));
    let conversations = tally["conversations"].as_u64().unwrap();
    assert_eq!(conversations, server.book().idles.values().sum::<u64>(), "each began with an Idle");
    assert_eq!(server.book().refused, 0);
}

#[test]
fn it_ends_by_itself_after_the_time_that_was_said() {
    let (person, server) = school("<key>RequestType</key><string>SecurityInfo</string>");
    let tally = person.reads("run fleet --poll-every 50ms --for 2s --tablets 2");
    assert_eq!(tally["tablets"], 2);
    assert_eq!(server.book().idles.len(), 2, "the others slept");
}

#[test]
fn an_erased_tablet_stays_erased() {
    let (person, server) = school("<key>RequestType</key><string>EraseDevice</string>");
    let going = Going::start(&person, "run fleet --poll-every 100ms");
    wait_until("all have reported", || server.book().reports.len() == 4);
    let tally = going.stop();
    assert_eq!((&tally["erased"], &tally["left"]), (&4.into(), &4.into()));
    let home = Home::open(person.path("fleet")).unwrap();
    for serial in home.serials().unwrap() {
        let (state, identity) = home.load(&serial).unwrap();
        assert!(state.erased == 1 && state.enrolment.is_none() && identity.is_none());
    }
    let (code, _nothing, told) = person.sees("run fleet --for 1s");
    assert_eq!((code, told.contains("no tablet in `fleet` is enrolled")), (2, true), "{told}");
}

#[test]
fn faults_are_had_as_told_and_counted_by_kind() {
    let (person, server) = school("<key>RequestType</key><string>SecurityInfo</string>");
    let going = Going::start(&person, "run fleet --poll-every 100ms --not-now 1 --tablets 2");
    wait_until("two said NotNow", || server.book().reports.len() >= 2);
    let tally = going.stop();
    assert!(tally["not_now"].as_u64().unwrap() >= 2 && tally["acknowledged"] == 0, "{tally}");

    let tally = person.reads("run fleet --poll-every 100ms --drop 1 --for 2s");
    assert_eq!(
        (&tally["conversations"], tally["errors_by_kind"]["hung-up"].as_u64() > Some(0)),
        (&0.into(), true),
        "{tally}"
    );
    server.book().reports.clear();
    let going = Going::start(&person, "run fleet --poll-every 100ms --locked 0.5");
    wait_until("all have reported", || server.book().reports.len() >= 4);
    drop(going);
    let said = |status: &str| {
        let book = server.book();
        let mut serials: Vec<_> =
            book.reports.iter().filter(|report| report.1 == status).map(|report| report.0.clone()).collect();
        serials.sort();
        serials.dedup();
        serials
    };
    assert_eq!(
        said("NotNow"),
        ["DMPX00000002", "DMPX00000004"],
        "a locked tablet does not tell its security"
    );
    assert_eq!(said("Acknowledged"), ["DMPX00000001", "DMPX00000003"]);
}
