//! One command for many tablets.

use governance::Permission;
use store::commands::CommandState;
use types::{Role, RuleId};

use super::fixture::{OTHER, People, SERIAL, engines, named, now};
use crate::broadcasts::{self, Audience};
use crate::commands::{self, NewCommand};
use crate::page::Page;
use crate::{Principal, Refusal};

fn ask(request_type: &str, key: &str) -> NewCommand {
    NewCommand {
        request_type: request_type.into(),
        content: None,
        priority: 0,
        not_before: None,
        expires_at: None,
        idempotency_key: Some(key.into()),
    }
}

async fn queue_of(people: &People, serial: &str) -> Vec<(String, CommandState)> {
    let listed =
        commands::list(&people.fleet, &people.operator, named(serial), Page::default(), now()).await.unwrap();
    listed.items.into_iter().map(|command| (command.request_type, command.state)).collect()
}

async fn send(
    people: &People,
    whose: &Principal,
    audience: Audience,
    new: NewCommand,
) -> Result<(u64, u64), Refusal> {
    let sent = broadcasts::send(&people.fleet, whose, audience, new, now()).await?;
    Ok((sent.queued, sent.already))
}

#[tokio::test]
async fn t_a20_a_command_for_many_is_queued_once_for_each_however_often_it_is_asked() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let enrolments = [people.enrol(SERIAL).await, people.enrol(OTHER).await];
        // An earlier one of the same purpose is replaced, as it is for one tablet.
        let earlier = ask("SecurityInfo", "earlier");
        commands::enqueue(&people.fleet, &people.operator, named(SERIAL), earlier, now()).await.unwrap();
        let ask_all =
            || send(&people, &people.operator, Audience::Everyone, ask("SecurityInfo", "september"));
        assert_eq!(ask_all().await.unwrap(), (2, 0));
        assert_eq!(ask_all().await.unwrap(), (0, 2), "and the first ones stand");
        let queued = |state| ("SecurityInfo".to_owned(), state);
        assert_eq!(
            queue_of(&people, SERIAL).await,
            [queued(CommandState::Queued), queued(CommandState::Cancelled)]
        );
        assert_eq!(queue_of(&people, OTHER).await, [queued(CommandState::Queued)]);
        for enrolment in enrolments {
            let push = people.fleet.store().read(move |tx| store::push_states::get(tx, &enrolment)).await;
            let push = push.unwrap().unwrap();
            assert_eq!((push.wanted_at, push.due_at), (Some(now()), Some(now())));
        }
        let progress =
            broadcasts::show(&people.fleet, &people.operator, "september".into(), now()).await.unwrap();
        assert_eq!(progress.into_iter().collect::<Vec<_>>(), [(CommandState::Queued, 2)]);
        let unknown = broadcasts::show(&people.fleet, &people.operator, "october".into(), now()).await;
        assert!(matches!(unknown, Err(Refusal::NotFound { .. })));
        let told = people.audit().await.into_iter().filter(|action| action == "command.broadcast").count();
        assert_eq!(told, 2, "one entry for each request, not for each tablet");
    }
}

#[tokio::test]
async fn t_c1_a_command_for_many_reaches_no_further_than_whoever_sends_it() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        people.enrol(OTHER).await;
        let here = Audience::College("0761234A".parse().unwrap());
        assert_eq!(send(&people, &people.operator, here, ask("SecurityInfo", "a")).await.unwrap(), (1, 0));
        assert!(queue_of(&people, OTHER).await.is_empty());
        let employer = testkit::people::Employer::College("0767777B".parse().unwrap());
        let (_, head) = people.someone(employer, "hélène", &[Role::Head]).await;
        let refused = send(&people, &head, Audience::Everyone, ask("SecurityInfo", "b")).await;
        assert!(
            matches!(refused, Err(Refusal::NotAllowed(_))),
            "{:?} is no head's: {refused:?}",
            Permission::SendCommands
        );
    }
}

#[tokio::test]
async fn c3_1_1_what_changes_a_tablet_is_not_sent_to_many() {
    let people = People::stocked(store::Engine::Sqlite).await;
    people.enrol(SERIAL).await;
    for kind in
        ["RestartDevice", "ClearPasscode", "DeviceLock", "Settings", "EraseDevice", "DeviceConfigured"]
    {
        let new = match kind {
            "Settings" | "DeviceLock" | "EraseDevice" => NewCommand {
                content: Some(commands::Content::Keys(
                    [("Settings".to_owned(), apple::plist::Value::Array(Vec::new()))]
                        .into_iter()
                        .filter(|_| kind == "Settings")
                        .collect(),
                )),
                ..ask(kind, kind)
            },
            _ => ask(kind, kind),
        };
        let refused = send(&people, &people.operator, Audience::Everyone, new).await;
        assert!(
            matches!(refused, Err(Refusal::Forbidden { rule: RuleId::C3_1_1, .. })),
            "{kind}: {refused:?}"
        );
    }
    assert!(queue_of(&people, SERIAL).await.is_empty());
    // What lists apps waits for the DPO (C3.1.6).
    let refused =
        send(&people, &people.operator, Audience::Everyone, ask("ManagedApplicationList", "apps")).await;
    assert!(matches!(refused, Err(Refusal::NotValidated(_))), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_named_another_kind_is_no_key_of_this_one() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        let alone = ask("DeviceInformation", "september");
        commands::enqueue(&people.fleet, &people.operator, named(SERIAL), alone, now()).await.unwrap();
        let refused =
            send(&people, &people.operator, Audience::Everyone, ask("SecurityInfo", "september")).await;
        assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
        assert_eq!(queue_of(&people, SERIAL).await.len(), 1, "and nothing was queued under it");
    }
}
