//! Reports to the connect URL that are malformed, late, repeated or in nobody's words.

use plist::{Dictionary, Value};
use store::Engine;
use tablets::{Ipad, Outcome};
use testkit::TestServer;

use crate::support::{
    check_ins, enrolment, obey, observation, on_both_engines, report, standing, state_of, still_managed,
    with, without, xml,
};

on_both_engines! {
    t_c4_a_malformed_report_is_told_400_and_its_command_is_given_again,
    what_a_report_says_beside_what_we_know_survives_or_is_ignored,
    an_answer_in_an_unexpected_shape_is_an_answer_all_the_same,
    t_a18_a_report_that_is_late_or_repeated_changes_nothing,
    a_users_channel_is_given_no_command_and_proves_no_less,
    a_message_at_the_wrong_address_is_told_400,
}

/// Puts a body to the connect URL as it is.
async fn put(ipad: &mut Ipad, content_type: Option<&'static str>, body: Vec<u8>) -> Outcome {
    let url = ipad.enrolment().unwrap().mdm.server_url.clone();
    Outcome::of(&ipad.deliver(url, content_type, body).await.unwrap())
}

const CONNECT: Option<&str> = Some("application/x-apple-aspen-mdm; charset=UTF-8");

/// The `CommandUUID` of a command that was given.
fn given(outcome: &Outcome) -> Option<String> {
    let command = Value::from_reader(std::io::Cursor::new(outcome.body()?)).ok()?.into_dictionary()?;
    command.get("CommandUUID")?.as_string().map(str::to_owned)
}

/// An enrolled tablet that was given a command and has not answered.
async fn asked(server: &TestServer, kind: &str) -> (Ipad, String) {
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let command = server.command("DMPX00000001", kind, serde_json::Value::Null).await.unwrap();
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(given(&ipad.report(&idle).await.unwrap()).as_deref(), Some(command.as_str()));
    (ipad, command)
}

async fn t_c4_a_malformed_report_is_told_400_and_its_command_is_given_again(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, command) = asked(&server, "ProfileList").await;
    let proper = report(ipad.udid(), "Acknowledged", Some(&command));
    let link = |code: Value| {
        let mut link = Dictionary::new();
        link.insert("ErrorCode".into(), code);
        link.insert("ErrorDomain".into(), "MCMDMErrorDomain".into());
        Value::Array(vec![Value::Dictionary(link)])
    };
    let mut wrong: Vec<(String, Vec<u8>)> = vec![
        ("no status".into(), xml(&without(&proper, "Status"))),
        ("no UDID".into(), xml(&without(&proper, "UDID"))),
        ("an error code in words".into(), xml(&with(&proper, "ErrorChain", link("12021".into())))),
        ("an error chain that is none".into(), xml(&with(&proper, "ErrorChain", "everything".into()))),
        ("half a report".into(), xml(&proper)[..100].to_vec()),
        ("nothing".into(), Vec::new()),
        ("JSON".into(), br#"{"Status":"Idle"}"#.to_vec()),
        ("noise".into(), vec![0; 300]),
    ];
    for status in ["", "idle", "IDLE", "Done", "Acknowledged ", "NotNow\n"] {
        wrong.push((format!("the status “{status}”"), xml(&with(&proper, "Status", status.into()))));
    }
    for key in ["Status", "UDID", "CommandUUID", "RequestType"] {
        for value in
            [Value::Integer(7.into()), Value::Boolean(true), Value::Data(vec![7]), Value::Array(Vec::new())]
        {
            wrong.push((format!("{key} as {value:?}"), xml(&with(&proper, key, value))));
        }
    }
    for (words, body) in wrong {
        let outcome = put(&mut ipad, CONNECT, body).await;
        assert_eq!(still_managed(&outcome), 400, "{words}: {outcome:?}");
        assert_eq!(state_of(&server, &command).await, "sent", "{words}");
    }
    // It comes back, is given the command again, and answers properly.
    assert_eq!(obey(&mut ipad).await.request_types(), ["ProfileList"]);
    assert_eq!(state_of(&server, &command).await, "acknowledged");
    assert_eq!(
        server.alarm_kinds().await.unwrap(),
        ["identity-mismatch"],
        "only for the report without UDID"
    );
}

async fn what_a_report_says_beside_what_we_know_survives_or_is_ignored(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, command) = asked(&server, "DeviceInformation").await;
    let mut responses = Dictionary::new();
    responses.insert("OSVersion".into(), "28.0".into());
    responses.insert("IsSupervised".into(), true.into());
    responses
        .insert("ThisCameWith28.0".into(), Value::Array(vec![Value::Real(0.25), Value::Data(vec![1, 2, 3])]));
    let mut told = report(ipad.udid(), "Acknowledged", Some(&command));
    told.insert("QueryResponses".into(), Value::Dictionary(responses));
    told.insert("AnotherNewKey".into(), Value::Dictionary(Dictionary::new()));
    for content_type in [None, Some("text/plain")] {
        let outcome = put(&mut ipad, content_type, xml(&told)).await;
        assert_eq!(still_managed(&outcome), 200, "as {content_type:?}");
    }
    assert_eq!(state_of(&server, &command).await, "acknowledged");
    let known = observation(&server, "DMPX00000001", "device-information").await.unwrap();
    assert_eq!(known["ThisCameWith28.0"], serde_json::json!([0.25, "AQID"]), "{known}");
    assert_eq!(enrolment(&server, "DMPX00000001").await["os_version"], "28.0");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
}

async fn an_answer_in_an_unexpected_shape_is_an_answer_all_the_same(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, mut command) = asked(&server, "DeviceInformation").await;
    let before = observation(&server, "DMPX00000001", "device-information").await.unwrap();
    for shape in [Value::Integer(7.into()), Value::Array(Vec::new()), "none".into()] {
        let told =
            with(&report(ipad.udid(), "Acknowledged", Some(&command)), "QueryResponses", shape.clone());
        assert_eq!(still_managed(&ipad.report(&told).await.unwrap()), 200, "{shape:?}");
        assert_eq!(state_of(&server, &command).await, "acknowledged", "{shape:?}");
        assert_eq!(observation(&server, "DMPX00000001", "device-information").await.unwrap(), before);
        command = server.command("DMPX00000001", "DeviceInformation", serde_json::Value::Null).await.unwrap();
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(given(&ipad.report(&idle).await.unwrap()).as_deref(), Some(command.as_str()));
    }
    // The kind is the one that was sent, whatever the tablet says it answers.
    let told =
        with(&report(ipad.udid(), "Acknowledged", Some(&command)), "RequestType", "EraseDevice".into());
    assert_eq!(still_managed(&ipad.report(&told).await.unwrap()), 200);
    assert_eq!(state_of(&server, &command).await, "acknowledged");
}

async fn t_a18_a_report_that_is_late_or_repeated_changes_nothing(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (mut ipad, command) = asked(&server, "RestartDevice").await;
    let done = report(ipad.udid(), "Acknowledged", Some(&command));
    assert_eq!(still_managed(&ipad.report(&done).await.unwrap()), 200);
    let answered = server.show_command(&command).await.unwrap();
    for status in ["Acknowledged", "Error", "NotNow", "CommandFormatError", "Idle"] {
        let again = report(ipad.udid(), status, Some(&command));
        assert_eq!(still_managed(&ipad.report(&again).await.unwrap()), 200, "{status}");
        assert_eq!(server.show_command(&command).await.unwrap(), answered, "{status}");
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "networks repeat: that worries nobody");
    // Cancelled after it was fetched: what the tablet made of it comes too late.
    let (late, api) = (
        server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap(),
        server.api().unwrap(),
    );
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(given(&ipad.report(&idle).await.unwrap()), Some(late.clone()));
    api.delete(&format!("/api/v1/commands/{late}")).await.unwrap().ok().unwrap();
    let told = report(ipad.udid(), "Acknowledged", Some(&late));
    assert_eq!(still_managed(&ipad.report(&told).await.unwrap()), 200);
    assert_eq!(state_of(&server, &late).await, "cancelled");
    // Answered without saying what.
    let nothing = report(ipad.udid(), "Acknowledged", None);
    assert_eq!(still_managed(&ipad.report(&nothing).await.unwrap()), 200);
    assert_eq!(server.alarm_kinds().await.unwrap(), ["unknown-report"]);
}

async fn a_users_channel_is_given_no_command_and_proves_no_less(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let theirs = server.enrolled_ipad("DMPX00000002").await.unwrap();
    obey(&mut ipad).await;
    let command = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    let of_a_user = |udid: &str| with(&report(udid, "Idle", None), "UserID", "camille".into());
    let outcome = ipad.report(&of_a_user(ipad.udid())).await.unwrap();
    assert_eq!((still_managed(&outcome), given(&outcome)), (200, None));
    assert_eq!(state_of(&server, &command).await, "queued");
    assert_eq!(
        still_managed(&ipad.report(&of_a_user(theirs.udid())).await.unwrap()),
        400,
        "T-A1 holds there too"
    );
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
}

async fn a_message_at_the_wrong_address_is_told_400(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = server.enrolled_ipad("DMPX00000001").await.unwrap();
    obey(&mut ipad).await;
    let idle = report(ipad.udid(), "Idle", None);
    assert_eq!(still_managed(&ipad.check_in(&idle).await.unwrap()), 400);
    for (name, message) in check_ins(&ipad) {
        assert_eq!(still_managed(&ipad.report(&message).await.unwrap()), 400, "{name}");
    }
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
    assert!(obey(&mut ipad).await.handled.is_empty());
}
