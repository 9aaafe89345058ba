//! What stands in the queue, and what of it reaches a tablet.

use actix_web::http::StatusCode;
use apple::command::{Command, RequestType, RestartDevice};
use apple::plist::{Limits, parse};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use store::commands::{self, CommandState, Enqueue};
use store::push_states::PushAttempt;
use store::{alarms, enrolments, push_states};
use types::{Clock as _, CommandId, Duration, EnrolmentId};

use super::enrolled::{A, enrol, idle};
use super::harness::{Answer, Request, Tablet, TestDoor};

/// Queues what was ordinary for a tablet that `profile` enrols.
async fn queue(door: &TestDoor, enrolment: EnrolmentId, command: Command, profile: &str) -> CommandId {
    let now = door.clock.now();
    let ordinary = Ordinary::check(command, &EnrolmentProfile::Known(profile.into())).unwrap();
    let id = CommandId::new(now);
    door.state
        .fleet
        .store()
        .write(move |tx| {
            let tablet = enrolments::get(tx, &enrolment)?.unwrap().tablet_id.unwrap();
            let how = Enqueue {
                id,
                enrolment,
                tablet,
                priority: 0,
                replaces_key: None,
                idempotency_key: None,
                at: now,
                by: "host".to_owned(),
                not_before: None,
                expires_at: None,
            };
            push_states::want(tx, enrolment, Some(now), now)?;
            commands::enqueue(tx, &Queueable::Ordinary(ordinary.clone()), how)
        })
        .await
        .unwrap();
    id
}

async fn connect(door: &TestDoor, tablet: &Tablet) -> Answer {
    door.send(Request::put("/mdm/connect").certificate(&tablet.certificate).body(idle(A.1))).await
}

#[actix_web::test]
async fn t_c23_a_queued_command_that_the_rules_forbid_by_now_does_not_reach_the_tablet() {
    let door = TestDoor::open().await;
    let (tablet, enrolment) = enrol(&door, A).await;
    let keys = "<plist version=\"1.0\"><dict><key>Identifier</key><string>fr.ardoise.enrolment</string></dict></plist>";
    let keys = parse(keys.as_bytes(), Limits::CONNECT).unwrap();
    let removal = Command::from_dictionary(RequestType::RemoveProfile, &keys).unwrap();
    let forbidden = queue(&door, enrolment, removal, "org.example.other").await;
    let waiting = queue(&door, enrolment, RestartDevice::default().into(), "org.example.other").await;

    // It comes because it was pushed: the next push is due in half an hour.
    let pushed = PushAttempt {
        enrolment,
        at: door.clock.now(),
        outcome: "sent".to_owned(),
        attempts: 1,
        next_due_at: Some(door.clock.now().plus(Duration::from_secs(1_800))),
        token_invalid: false,
    };
    door.state.fleet.store().write(move |tx| push_states::record(tx, &pushed)).await.unwrap();
    let answer = connect(&door, &tablet).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, String::new()), "it gets nothing");
    let (command, raised, push) = door
        .state
        .fleet
        .store()
        .read(move |tx| {
            Ok::<_, store::StoreError>((
                commands::get(tx, &forbidden)?.unwrap(),
                alarms::open(tx, 10)?,
                push_states::get(tx, &enrolment)?.unwrap(),
            ))
        })
        .await
        .unwrap();
    assert_eq!(command.state, CommandState::Failed);
    let words = command.error.unwrap()["words"].as_str().unwrap().to_owned();
    assert!(words.contains("the recorded end of the enrolment"), "{words}");
    assert_eq!(raised.iter().map(|alarm| alarm.kind.as_str()).collect::<Vec<_>>(), ["refused-command"]);
    assert!(
        push.due_at.is_some_and(|due| due <= door.clock.now()),
        "it is woken for what waits behind: {push:?}"
    );

    let answer = connect(&door, &tablet).await;
    assert!(answer.text().contains(&waiting.to_string()), "{}", answer.text());
}
