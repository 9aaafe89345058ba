//! What stands in the queue, and what of it reaches a tablet.

use actix_web::http::StatusCode;
use apple::command::{Command, RemoveProfile, RequestType, RestartDevice};
use apple::plist::{Limits, parse};
use orders::{EnrolmentProfile, Ordinary, Queueable};
use store::commands::{self, CommandState, Enqueue};
use store::{alarms, enrolments, push_states};
use types::{AccountId, Actor, Clock as _, CommandId, EnrolmentId};

use super::enrolled::{A, enrol, idle};
use super::harness::{Answer, Request, Tablet, TestDoor};

/// Queues what was ordinary for a tablet that `profile` enrols.
async fn queue(door: &TestDoor, enrolment: EnrolmentId, command: Command, profile: &str) -> CommandId {
    queue_by(door, enrolment, command, profile, Actor::Calendar).await
}

/// The same, as if this one had asked.
async fn queue_by(
    door: &TestDoor,
    enrolment: EnrolmentId,
    command: Command,
    profile: &str,
    by: Actor,
) -> CommandId {
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
                by: by.to_string(),
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

    let answer = connect(&door, &tablet).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text().contains(&waiting.to_string()), "it gets what stands behind: {}", answer.text());
    assert!(!answer.text().contains("RemoveProfile"), "{}", answer.text());
    let (command, raised) = door
        .state
        .fleet
        .store()
        .read(move |tx| {
            Ok::<_, store::StoreError>((
                commands::get(tx, &forbidden)?.unwrap(),
                alarms::open(tx, &store::Within::Everything, 10)?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(command.state, CommandState::Failed);
    let words = command.error.unwrap()["words"].as_str().unwrap().to_owned();
    assert!(words.contains("the recorded end of the enrolment"), "{words}");
    assert_eq!(raised.iter().map(|alarm| alarm.kind.as_str()).collect::<Vec<_>>(), ["refused-command"]);
}

#[actix_web::test]
async fn c3_1_1_what_a_person_queued_before_layers_decided_it_does_not_reach_the_tablet() {
    let door = TestDoor::open().await;
    let (tablet, enrolment) = enrol(&door, A).await;
    let ours = "fr.ardoise.enrolment";
    let removal = |identifier: &str| Command::from(RemoveProfile::new(identifier.to_owned()));
    let person = Actor::Account(AccountId::new(door.clock.now()));
    let by_a_person = queue_by(&door, enrolment, removal("fr.example.one"), ours, person).await;
    let at_the_machine = queue_by(&door, enrolment, removal("fr.example.two"), ours, Actor::Host).await;
    let by_the_calendar = queue(&door, enrolment, removal("fr.example.three"), ours).await;

    let answer = connect(&door, &tablet).await;
    assert!(answer.text().contains(&by_the_calendar.to_string()), "{}", answer.text());
    for command in [by_a_person, at_the_machine] {
        let row = door.state.fleet.store().read(move |tx| commands::get(tx, &command)).await;
        let row = row.map_err(|error: store::StoreError| error).unwrap().unwrap();
        assert_eq!(row.state, CommandState::Failed);
        let words = row.error.unwrap()["words"].as_str().unwrap().to_owned();
        assert!(words.contains("decided in layers"), "{words}");
    }
    let raised = door.state.fleet.store().read(|tx| alarms::open(tx, &store::Within::Everything, 10)).await;
    let raised = raised.map_err(|error: store::StoreError| error).unwrap();
    assert_eq!(raised.iter().map(|alarm| alarm.kind.as_str()).collect::<Vec<_>>(), ["refused-command"]);
}
