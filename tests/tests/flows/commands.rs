//! What becomes of commands: reports that are not theirs, locked tablets, crashes.

use serde_json::{Value, json};
use store::Engine;
use tablets::Ipad;
use testkit::TestServer;
use types::Duration;

use crate::support::{asleep, fetched, given, obey, on_both_engines, report, state_of, still_managed, why};

on_both_engines! {
    t_a18_a_report_for_a_command_never_sent_changes_nothing,
    a_locked_tablet_is_asked_again_when_it_comes_back,
    a_result_survives_a_crash_and_is_not_asked_for_twice,
    t_a18_a_crash_between_delivery_and_report_loses_no_answer,
    no_answer_that_was_taken_is_lost_whenever_the_server_crashes,
    t_c23_no_door_of_the_api_queues_what_erases,
}

async fn t_a18_a_report_for_a_command_never_sent_changes_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ours = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let _theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ours).await;
    let waiting = server.command("DMPX00000002", "RestartDevice", Value::Null).await.unwrap();
    let unsent = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    for (command, of) in [
        (unsent.as_str(), "its own, not sent yet"),
        (waiting.as_str(), "another tablet's"),
        ("0190f6f0-0000-7000-8000-000000000000", "nobody's"),
        ("no uuid at all", "nonsense"),
    ] {
        let message = report(ours.udid(), "Acknowledged", Some(command));
        assert_eq!(still_managed(&ours.report(&message).await.unwrap()), 200, "{of}");
    }
    assert_eq!(state_of(&server, &waiting).await, "queued");
    assert_ne!(state_of(&server, &unsent).await, "acknowledged");
    assert!(server.alarm_kinds().await.unwrap().contains(&"unknown-report".to_owned()));
}

async fn a_locked_tablet_is_asked_again_when_it_comes_back(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let list = server.command("DMPX00000001", "CertificateList", Value::Null).await.unwrap();
    ipad.set_locked(true);
    let conversation = ipad.poll().await.unwrap();
    assert_eq!(conversation.request_types(), ["CertificateList"], "once in a conversation");
    assert_eq!(state_of(&server, &list).await, "not-now");
    let why = server.api().unwrap().get(&format!("/api/v1/commands/{list}/why")).await.unwrap();
    assert_eq!(why.ok().unwrap()["code"], "not-now");
    ipad.set_locked(false);
    obey(&mut ipad).await;
    assert_eq!(state_of(&server, &list).await, "acknowledged");
}

async fn a_result_survives_a_crash_and_is_not_asked_for_twice(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let command = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    obey(&mut ipad).await;
    server.crash().await;
    server.start_again().await.unwrap();
    assert_eq!(state_of(&server, &command).await, "acknowledged");
    let repeated = report(ipad.udid(), "Acknowledged", Some(&command));
    assert_eq!(still_managed(&ipad.report(&repeated).await.unwrap()), 200);
    assert!(obey(&mut ipad).await.handled.is_empty());
}

async fn t_a18_a_crash_between_delivery_and_report_loses_no_answer(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, "DMPX00000001").await;
    let (done, refused) = (
        server.command("DMPX00000001", "ProfileList", Value::Null).await.unwrap(),
        server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap(),
    );
    for (command, status, state) in
        [(&done, "Acknowledged", "acknowledged"), (&refused, "CommandFormatError", "failed")]
    {
        assert_eq!(fetched(&mut ipad).await.as_ref(), Some(command));
        server.crash().await;
        server.start_again().await.unwrap();
        assert_eq!(why(&server, command).await.0, "sent");
        let answer = report(ipad.udid(), status, Some(command));
        let outcome = ipad.report(&answer).await.unwrap();
        assert_eq!(still_managed(&outcome), 200);
        server.crash().await;
        server.start_again().await.unwrap();
        assert_eq!(state_of(&server, command).await, state);
        if command == &done {
            assert_eq!(given(&outcome).as_ref(), Some(&refused), "the next came with the answer");
        }
    }
    assert!(obey(&mut ipad).await.handled.is_empty());
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

/// The tablet does what it is given until nothing is left or the server is gone: what the server took.
async fn works(mut ipad: Ipad) -> (Ipad, Vec<String>) {
    let mut taken = Vec::new();
    let mut message = report(ipad.udid(), "Idle", None);
    let mut reported: Option<String> = None;
    while let Ok(outcome) = ipad.report(&message).await {
        if !outcome.is_accepted() {
            break;
        }
        taken.extend(reported.take());
        let Some(command) = given(&outcome) else { break };
        message = report(ipad.udid(), "Acknowledged", Some(&command));
        reported = Some(command);
    }
    (ipad, taken)
}

async fn no_answer_that_was_taken_is_lost_whenever_the_server_crashes(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipads = Vec::new();
    let mut queued = Vec::new();
    for number in 1..=6 {
        let ipad = asleep(&server, &format!("DMPX0000000{number}")).await;
        for kind in ["ProfileList", "SecurityInfo", "CertificateList", "ManagedMediaList", "RestartDevice"] {
            queued.push(server.command(ipad.serial(), kind, Value::Null).await.unwrap());
        }
        ipads.push(ipad);
    }
    let mut taken = Vec::new();
    for milliseconds in [5, 15, 30, 60] {
        let working: Vec<_> = ipads.drain(..).map(|ipad| tokio::spawn(works(ipad))).collect();
        // The one wait that is meant to be cut short by nothing: the crash falls wherever it falls.
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        server.crash().await;
        for one in working {
            let (ipad, theirs) = one.await.unwrap();
            ipads.push(ipad);
            taken.extend(theirs);
        }
        server.start_again().await.unwrap();
        for command in &taken {
            assert_eq!(state_of(&server, command).await, "acknowledged", "after {milliseconds} ms");
        }
    }
    for ipad in &mut ipads {
        obey(ipad).await;
    }
    for command in &queued {
        assert_eq!(state_of(&server, command).await, "acknowledged");
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

async fn t_c23_no_door_of_the_api_queues_what_erases(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    for (kind, parameters) in [
        ("EraseDevice", Value::Null),
        ("DeviceLocation", Value::Null),
        ("EnableLostMode", json!({ "Message": "Rendez-moi" })),
        ("RemoveProfile", json!({ "Identifier": "fr.ardoise.enrolment" })),
        ("DeleteUser", json!({ "UserName": "eleve" })),
        ("eraseDevice", Value::Null),
    ] {
        assert!(server.command("DMPX00000001", kind, parameters).await.is_err(), "{kind}");
    }
    assert!(obey(&mut ipad).await.handled.is_empty(), "nothing reached the tablet");
    assert!(ipad.is_enrolled());
}
