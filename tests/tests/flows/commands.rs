//! What becomes of commands: reports that are not theirs, locked tablets, crashes.

use serde_json::{Value, json};
use store::Engine;
use testkit::TestServer;

use crate::first_day::install_profile;
use crate::support::{obey, on_both_engines, report, state_of, still_managed};

on_both_engines! {
    t_a18_a_report_for_a_command_never_sent_changes_nothing,
    a_locked_tablet_is_asked_again_when_it_comes_back,
    a_result_survives_a_crash_and_is_not_asked_for_twice,
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
    let install = server.command("DMPX00000001", "InstallProfile", install_profile()).await.unwrap();
    ipad.set_locked(true);
    let conversation = ipad.poll().await.unwrap();
    assert_eq!(conversation.request_types(), ["InstallProfile"], "once in a conversation");
    assert_eq!(state_of(&server, &install).await, "not-now");
    let why = server.api().unwrap().get(&format!("/api/v1/commands/{install}/why")).await.unwrap();
    assert_eq!(why.ok().unwrap()["code"], "not-now");
    ipad.set_locked(false);
    obey(&mut ipad).await;
    assert_eq!(state_of(&server, &install).await, "acknowledged");
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
