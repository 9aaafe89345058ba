//! The queue as people see it: what goes first, what is over, what is one and the same, and why something waits.

use serde_json::{Value, json};
use store::Engine;
use tablets::{Ipad, Status};
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use types::{Clock as _, Duration};

use crate::support::{COLLEGE, asleep, fetched, obey, on_both_engines, report, state_of, still_managed, why};

on_both_engines! {
    what_is_more_urgent_goes_first_and_what_is_older_next,
    what_is_not_fetched_in_time_is_never_offered_and_a_late_answer_still_counts,
    what_was_cancelled_is_not_offered_and_its_answer_changes_nothing,
    a_newer_command_replaces_an_older_one_of_the_same_purpose_and_no_other,
    t_a20_a_request_sent_again_queues_nothing_again,
    the_tablets_errors_are_shown_in_words,
    what_cannot_be_carried_out_at_all_says_so_and_holds_up_nothing,
    what_ends_with_an_enrolment_is_over_and_a_new_one_starts_clean,
}

const SERIAL: &str = "DMPX00000001";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Queues what is wanted: the status, and the command's id.
async fn queue(server: &TestServer, serial: &str, wanted: &Value) -> (u16, String) {
    let answer =
        server.api().unwrap().post(&format!("/api/v1/tablets/{serial}/commands"), wanted).await.unwrap();
    (answer.status, answer.text("/id").to_owned())
}

/// Cancels a command: the status.
async fn cancel(server: &TestServer, command: &str) -> u16 {
    server.api().unwrap().delete(&format!("/api/v1/commands/{command}")).await.unwrap().status
}

/// Reports by hand; the tablet stays managed, and the status is 200.
async fn says(ipad: &mut Ipad, status: &str, command: &str) {
    let message = report(ipad.udid(), status, Some(command));
    assert_eq!(still_managed(&ipad.report(&message).await.unwrap()), 200);
}

/// Waits until the calendar has come to this.
async fn becomes(server: &TestServer, command: &str, state: &str) {
    wait_until(&format!("the command is {state}"), Patience::default(), || async {
        Ok((state_of(server, command).await == state).then_some(()))
    })
    .await
    .unwrap();
}

async fn what_is_more_urgent_goes_first_and_what_is_older_next(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    for (kind, priority) in [
        ("ProfileList", 0),
        ("SecurityInfo", -10),
        ("CertificateList", 5),
        ("RestartDevice", 0),
        ("ProvisioningProfileList", 10),
        ("ManagedMediaList", 5),
    ] {
        let wanted = json!({ "request_type": kind, "priority": priority });
        assert_eq!(queue(&server, SERIAL, &wanted).await.0, 201, "{kind}");
    }
    for priority in [11, -11, 1_000] {
        let wanted = json!({ "request_type": "ProfileList", "priority": priority });
        assert_eq!(queue(&server, SERIAL, &wanted).await.0, 422, "{priority}");
    }
    assert_eq!(
        obey(&mut ipad).await.request_types(),
        [
            "ProvisioningProfileList",
            "CertificateList",
            "ManagedMediaList",
            "ProfileList",
            "RestartDevice",
            "SecurityInfo"
        ]
    );
}

async fn what_is_not_fetched_in_time_is_never_offered_and_a_late_answer_still_counts(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let at = |span| server.clock().now().plus(span).to_string();
    for wanted in [
        json!({ "request_type": "RestartDevice", "expires_at": server.clock().now().to_string() }),
        json!({ "request_type": "RestartDevice", "expires_at": at(HOUR), "not_before": at(HOUR) }),
        json!({ "request_type": "RestartDevice", "expires_at": at(400 * 24 * HOUR) }),
    ] {
        assert_eq!(queue(&server, SERIAL, &wanted).await.0, 422, "{wanted}");
    }
    let within_the_hour = |kind: &str| json!({ "request_type": kind, "expires_at": at(HOUR) });
    let (_, taken) = queue(&server, SERIAL, &within_the_hour("ProfileList")).await;
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(taken.as_str()));
    let (_, left) = queue(&server, SERIAL, &within_the_hour("RestartDevice")).await;

    server.advance(HOUR + MINUTE);
    assert_eq!(why(&server, &left).await.0, "expired");
    assert_eq!(why(&server, &taken).await.0, "late");
    assert!(obey(&mut ipad).await.handled.is_empty(), "neither is offered");
    becomes(&server, &left, "expired").await;
    assert_eq!(cancel(&server, &left).await, 409);
    says(&mut ipad, "Acknowledged", &left).await;
    assert_eq!(state_of(&server, &left).await, "expired", "it was never sent");
    says(&mut ipad, "Acknowledged", &taken).await;
    assert_eq!(state_of(&server, &taken).await, "acknowledged", "the tablet did it in time");

    // What stays without an answer is given up a day later.
    let (_, taken) = queue(&server, SERIAL, &within_the_hour("SecurityInfo")).await;
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(taken.as_str()));
    server.advance(26 * HOUR);
    becomes(&server, &taken, "expired").await;
    says(&mut ipad, "Acknowledged", &taken).await;
    assert_eq!(state_of(&server, &taken).await, "expired", "what is over stays over");
}

async fn what_was_cancelled_is_not_offered_and_its_answer_changes_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let unfetched = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    assert_eq!(cancel(&server, &unfetched).await, 200);
    assert_eq!(cancel(&server, &unfetched).await, 200, "twice is once");
    assert!(obey(&mut ipad).await.handled.is_empty());
    assert_eq!(why(&server, &unfetched).await.0, "cancelled");

    let taken = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(taken.as_str()));
    assert_eq!(cancel(&server, &taken).await, 200);
    assert_eq!(fetched(&mut ipad).await, None, "it is not offered again");
    says(&mut ipad, "Acknowledged", &taken).await;
    assert_eq!(state_of(&server, &taken).await, "cancelled");

    let done = server.command(SERIAL, "SecurityInfo", Value::Null).await.unwrap();
    obey(&mut ipad).await;
    assert_eq!(cancel(&server, &done).await, 409);
    assert_eq!(state_of(&server, &done).await, "acknowledged");
    assert_eq!(cancel(&server, "01a21426-386b-7000-a768-dd9f84386606").await, 404);
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "answers to what was cancelled are no alarm");
}

async fn a_newer_command_replaces_an_older_one_of_the_same_purpose_and_no_other(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let mut other = asleep(&server, "DMPX00000002").await;
    let elsewhere = server.command("DMPX00000002", "RestartDevice", Value::Null).await.unwrap();
    let asked = server.command(SERIAL, "SecurityInfo", Value::Null).await.unwrap();
    let locked = server.command(SERIAL, "DeviceLock", json!({ "Message": "Au CDI" })).await.unwrap();
    let restart = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    let asked_again = server.command(SERIAL, "SecurityInfo", Value::Null).await.unwrap();
    let restart_again = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    for replaced in [&asked, &restart] {
        assert_eq!(why(&server, replaced).await.0, "cancelled");
    }
    let handled: Vec<_> =
        obey(&mut ipad).await.handled.into_iter().map(|handled| handled.command_uuid).collect();
    assert_eq!(handled, [locked, asked_again, restart_again]);
    assert_eq!(obey(&mut other).await.handled[0].command_uuid, elsewhere, "another tablet's stays");

    // One that the tablet has fetched is not offered again; its answer still finds it.
    let taken = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(taken.as_str()));
    let newer = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    assert_eq!(why(&server, &taken).await.0, "late");
    says(&mut ipad, "Acknowledged", &taken).await;
    assert_eq!(state_of(&server, &taken).await, "acknowledged");
    says(&mut ipad, "Acknowledged", &newer).await;
    assert_eq!(state_of(&server, &newer).await, "acknowledged", "it was given in answer to the report");
}

async fn t_a20_a_request_sent_again_queues_nothing_again(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    asleep(&server, "DMPX00000002").await;
    let wanted = |kind: &str| json!({ "request_type": kind, "idempotency_key": "click-4711" });
    let clicks = (0..12).map(|_click| async { queue(&server, SERIAL, &wanted("RestartDevice")).await });
    let answers = futures_util::future::join_all(clicks).await;
    let new = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!((new, answers.iter().filter(|(status, _)| *status == 200).count()), (1, 11), "{answers:?}");
    let first = answers[0].1.clone();
    assert!(answers.iter().all(|(_, id)| *id == first), "{answers:?}");
    assert_eq!(queue(&server, SERIAL, &wanted("ProfileList")).await.0, 409, "the key means something else");
    let elsewhere = queue(&server, "DMPX00000002", &wanted("RestartDevice")).await;
    assert_eq!(elsewhere.0, 201, "another tablet’s keys are its own");
    assert_ne!(elsewhere.1, first);
    for key in [String::new(), "x".repeat(201), "a\u{7}b".to_owned()] {
        let wanted = json!({ "request_type": "RestartDevice", "idempotency_key": key });
        assert_eq!(queue(&server, SERIAL, &wanted).await.0, 422, "{key:?}");
    }
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);

    // Whoever lost the answer in a crash asks again, and nothing restarts twice.
    server.crash().await;
    server.start_again().await.unwrap();
    assert_eq!(queue(&server, SERIAL, &wanted("RestartDevice")).await, (200, first.clone()));
    assert_eq!(state_of(&server, &first).await, "acknowledged");
    assert!(obey(&mut ipad).await.handled.is_empty());
}

async fn the_tablets_errors_are_shown_in_words(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    for (kind, parameters, status, words) in [
        ("ActivationLockBypassCode", Value::Null, Status::Error, "MCMDMErrorDomain"),
        ("AvailableOSUpdates", Value::Null, Status::CommandFormatError, "does not know the command"),
    ] {
        let command = server.command(SERIAL, kind, parameters).await.unwrap();
        let conversation = ipad.poll().await.unwrap();
        assert_eq!(conversation.handled[0].status, status, "{kind}");
        let shown = server.show_command(&command).await.unwrap();
        assert_eq!((shown["state"].as_str(), shown["pending"].as_bool()), (Some("failed"), Some(false)));
        let told = shown["error"].to_string();
        assert!(told.contains(words) && shown["error"]["words"].as_str().unwrap().len() > 10, "{told}");
        let (code, sentence) = why(&server, &command).await;
        assert_eq!(code, "failed");
        assert!(sentence.contains("error"), "{sentence}");
    }
    // A tablet that says nothing more than that it did not understand.
    let command = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(command.as_str()));
    says(&mut ipad, "CommandFormatError", &command).await;
    let shown = server.show_command(&command).await.unwrap();
    assert_eq!(shown["error"]["words"], "the tablet did not understand the command");
}

async fn what_cannot_be_carried_out_at_all_says_so_and_holds_up_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let mut ipad = server.ipad(SERIAL).build().unwrap();
    // A tablet that never gives its unlock token: its access code cannot be cleared.
    let profile = ipad.fetch_profile(&server.link_for(SERIAL).await.unwrap()).await.unwrap();
    ipad.identify(&profile, false).await.unwrap();
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    let token_update = crate::support::without(&ipad.token_update_message().unwrap(), "UnlockToken");
    assert!(ipad.check_in(&token_update).await.unwrap().is_accepted());
    obey(&mut ipad).await;
    let clear = server.command(SERIAL, "ClearPasscode", Value::Null).await.unwrap();
    let restart = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    let handled = obey(&mut ipad).await;
    assert_eq!(handled.request_types(), ["RestartDevice"], "the next one is given in its place");
    assert_eq!(state_of(&server, &restart).await, "acknowledged");
    let shown = server.show_command(&clear).await.unwrap();
    assert_eq!(shown["state"], "failed");
    assert!(shown["error"]["words"].as_str().unwrap().contains("unlock token"), "{shown}");

    // Once it has given it, its access code is cleared.
    assert!(ipad.token_update().await.unwrap().is_accepted());
    ipad.set_passcode(Some("2580".to_owned()));
    let clear = server.command(SERIAL, "ClearPasscode", Value::Null).await.unwrap();
    obey(&mut ipad).await;
    assert_eq!(state_of(&server, &clear).await, "acknowledged");
    assert_eq!(ipad.state().passcode, None);
}

async fn what_ends_with_an_enrolment_is_over_and_a_new_one_starts_clean(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let taken = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(taken.as_str()));
    let waiting = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    assert!(ipad.check_out().await.unwrap().unwrap().is_accepted());
    for command in [&taken, &waiting] {
        assert_eq!(why(&server, command).await.0, "cancelled");
    }
    let refused = queue(&server, SERIAL, &json!({ "request_type": "RestartDevice" })).await;
    assert_eq!(refused.0, 409, "nobody is there to do it");

    ipad.enrol_by_link(&server.link_for(SERIAL).await.unwrap()).await.unwrap();
    let first = obey(&mut ipad).await;
    assert!(!first.request_types().contains(&"RestartDevice"), "{:?}", first.request_types());
    says(&mut ipad, "Acknowledged", &taken).await;
    assert_eq!(state_of(&server, &taken).await, "cancelled", "it belongs to the enrolment that ended");
}
