//! Commands that several people send at the same moment: each is decided as if it were alone, and all are queued by a
//! number of statements that does not grow with theirs.

use std::mem::discriminant;
use std::sync::Arc;

use store::audit::Entry;
use store::commands::{Command, CommandState};
use store::enrolments::EnrolmentState;
use store::push_states::PushState;
use store::role_grants::GrantReach;
use testkit::people::{Employer, someone};
use types::{EnrolmentKind, Role, TabletId};

use super::fixture::{People, engines, named, now};
use crate::commands::together::Asked;
use crate::commands::{NewCommand, alone};
use crate::{Principal, Refusal, inventory};

fn plain(request_type: &str) -> NewCommand {
    NewCommand {
        request_type: request_type.into(),
        content: None,
        priority: 0,
        not_before: None,
        expires_at: None,
        idempotency_key: None,
    }
}

fn keyed(request_type: &str) -> NewCommand {
    NewCommand { idempotency_key: Some("click-1".into()), ..plain(request_type) }
}

/// What is sent to a tablet, and how that tablet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Plain,
    PutOff,
    Replaces,
    WithAKey,
    WithAKeyThatWasUsed,
    WithAKeyOfAnotherKind,
    Dangerous,
    ListsApps,
    ClearsTheCode,
    ToNobody,
    ToOneThatIsNotEnrolled,
    ToOneThatIsEnrolling,
    ToOneOfAnotherServer,
    ByWhoeverMayOnlyLook,
    ByWhoeverIsElsewhere,
}

/// Each, and whether it is done with the others.
const SENT: [(Sent, bool); 15] = [
    (Sent::Plain, true),
    (Sent::PutOff, true),
    (Sent::Replaces, true),
    (Sent::WithAKey, true),
    (Sent::WithAKeyThatWasUsed, false),
    (Sent::WithAKeyOfAnotherKind, false),
    (Sent::Dangerous, false),
    (Sent::ListsApps, false),
    (Sent::ClearsTheCode, true),
    (Sent::ToNobody, false),
    (Sent::ToOneThatIsNotEnrolled, false),
    (Sent::ToOneThatIsEnrolling, true),
    (Sent::ToOneOfAnotherServer, false),
    (Sent::ByWhoeverMayOnlyLook, false),
    (Sent::ByWhoeverIsElsewhere, false),
];

struct Senders {
    reader: Principal,
    elsewhere: Principal,
}

impl Sent {
    fn command(self) -> NewCommand {
        match self {
            Self::PutOff => {
                NewCommand { not_before: Some(now().plus(super::fixture::days(2))), ..plain("SecurityInfo") }
            }
            Self::Replaces => plain("RestartDevice"),
            Self::WithAKey | Self::WithAKeyThatWasUsed | Self::WithAKeyOfAnotherKind => {
                keyed("RestartDevice")
            }
            Self::Dangerous => plain("EraseDevice"),
            Self::ListsApps => plain("InstalledApplicationList"),
            Self::ClearsTheCode => plain("ClearPasscode"),
            _ => plain("DeviceInformation"),
        }
    }

    fn by<'p>(self, people: &'p People, senders: &'p Senders) -> &'p Principal {
        match self {
            Self::ByWhoeverMayOnlyLook => &senders.reader,
            Self::ByWhoeverIsElsewhere => &senders.elsewhere,
            _ => &people.operator,
        }
    }

    /// What stood before.
    fn before(self) -> Option<NewCommand> {
        match self {
            Self::Replaces => Some(plain("RestartDevice")),
            Self::WithAKeyThatWasUsed => Some(keyed("RestartDevice")),
            Self::WithAKeyOfAnotherKind => Some(keyed("ProfileList")),
            _ => None,
        }
    }
}

async fn asked(people: &People, senders: &Senders, serial: &str, sent: Sent) -> Arc<Asked> {
    if !matches!(sent, Sent::ToNobody | Sent::ToOneThatIsNotEnrolled) {
        people
            .enrol_with(serial, |enrolment| {
                enrolment.udid = None;
                if sent == Sent::ToOneThatIsEnrolling {
                    enrolment.state = EnrolmentState::Authenticated;
                }
                if sent == Sent::ToOneOfAnotherServer {
                    enrolment.kind = EnrolmentKind::TakenOver;
                }
            })
            .await;
    }
    if let Some(before) = sent.before() {
        let before = Asked::read(&people.operator, named(serial), before, now()).unwrap();
        people.fleet.store().write_held(move |tx| alone(tx, &before)).await.unwrap();
    }
    let to = if sent == Sent::ToNobody { named("DMPXK1ZZZZ99") } else { named(serial) };
    Arc::new(Asked::read(sent.by(people, senders), to, sent.command(), now()).unwrap())
}

async fn together(people: &People, asked: Vec<Arc<Asked>>) -> (Vec<Option<Command>>, u64) {
    let store = people.fleet.store();
    let before = store.statements();
    let carried_out = people.fleet.queueing().submit_as_one(asked).await.unwrap();
    let statements = store.statements() - before;
    (carried_out.into_iter().map(Result::unwrap).collect(), statements)
}

/// Whether a new one was queued, or why not.
async fn by_itself(people: &People, asked: &Arc<Asked>) -> Result<bool, Refusal> {
    let asked = Arc::clone(asked);
    people.fleet.store().write_held(move |tx| alone(tx, &asked)).await.map(|accepted| accepted.new)
}

/// The queue of a tablet, its push state and what the log tells, without what differs between two tablets anyway.
async fn stands(people: &People, tablet: TabletId) -> (Vec<Command>, Vec<PushState>, Vec<Entry>) {
    let (mut commands, mut push, mut entries) = people
        .fleet
        .store()
        .read(move |tx| {
            let mut push = Vec::new();
            for enrolment in store::enrolments::of_tablet(tx, tablet)? {
                push.extend(store::push_states::get(tx, &enrolment.id)?);
            }
            let filter = store::audit::Filter { tablet: Some(tablet), ..store::audit::Filter::default() };
            Ok::<_, store::StoreError>((
                store::commands::of_tablet(tx, tablet, None, 50)?,
                push,
                store::audit::list(tx, &filter, None, 50)?,
            ))
        })
        .await
        .unwrap();
    let nobody = "00000000-0000-7000-8000-000000000000";
    for one in &mut commands {
        one.id = nobody.parse().unwrap();
        one.enrolment_id = nobody.parse().unwrap();
        one.tablet_id = nobody.parse().unwrap();
    }
    commands.sort_by_key(|one| (one.state == CommandState::Queued, one.request_type.clone()));
    for one in &mut push {
        one.enrolment_id = nobody.parse().unwrap();
    }
    for one in &mut entries {
        one.seq = 0;
        one.id = nobody.parse().unwrap();
        one.tablet = None;
        one.enrolment = None;
        assert!(one.detail.take().is_some_and(|detail| detail["command"].is_string()));
    }
    (commands, push, entries)
}

/// An inventory of so many tablets.
async fn stocked(people: &People, count: usize) -> Vec<String> {
    let serials: Vec<String> = (0..count).map(|number| format!("DMPXQ{number:07}")).collect();
    let mut lines = "serial,asset_tag,model,platform,uai\n".to_owned();
    for serial in &serials {
        lines.push_str(&format!("{serial},,iPad,ipad,0761234A\n"));
    }
    inventory::import(&people.fleet, &people.operator, lines.as_bytes(), now()).await.unwrap();
    serials
}

#[tokio::test]
async fn commands_that_are_sent_together_are_each_decided_as_if_they_were_sent_alone() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let serials = stocked(&people, SENT.len() * 2).await;
        let reach = GrantReach::Colleges(["0767777B".parse().unwrap()].into());
        let (store, employer) = (people.fleet.store(), Employer::Departement);
        let ati = someone(store, employer, "ati", vec![(Role::Ati, reach)], now()).await.unwrap();
        let elsewhere = people.session(ati, now()).await;
        let senders = Senders { reader: people.reader().await, elsewhere };
        let (mut singly, mut jointly) = (Vec::new(), Vec::new());
        let mut serials_left = serials.iter();
        for (sent, _) in SENT {
            for twins in [&mut singly, &mut jointly] {
                let serial = serials_left.next().unwrap();
                twins.push((asked(&people, &senders, serial, sent).await, people.tablet(serial).await));
            }
        }
        let (done, _) = together(&people, jointly.iter().map(|(asked, _)| Arc::clone(asked)).collect()).await;
        for (((sent, is_joint), (one, tablet)), ((twins, twin), command)) in
            SENT.iter().zip(&singly).zip(jointly.iter().zip(&done))
        {
            assert_eq!(command.is_some(), *is_joint, "{sent:?}");
            let alone = by_itself(&people, one).await;
            let as_well = if command.is_some() { Ok(true) } else { by_itself(&people, twins).await };
            assert_eq!(
                alone.as_ref().map_err(discriminant),
                as_well.as_ref().map_err(discriminant),
                "{sent:?}: {alone:?}, {as_well:?}"
            );
            assert_eq!(stands(&people, *tablet).await, stands(&people, *twin).await, "{sent:?}");
        }
    }
}

#[tokio::test]
async fn commands_take_the_same_few_statements_however_many_are_sent_together() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let serials = stocked(&people, 64).await;
        for serial in &serials {
            people.enrol_with(serial, |enrolment| enrolment.udid = None).await;
        }
        for count in [1, 64] {
            let asked = serials.iter().take(count).map(|serial| {
                Arc::new(
                    Asked::read(&people.operator, named(serial), plain("DeviceInformation"), now()).unwrap(),
                )
            });
            let (done, statements) = together(&people, asked.collect()).await;
            assert_eq!(done.iter().flatten().count(), count);
            assert_eq!(
                statements, 10,
                "BEGIN, who asks, the tablets, their enrolments, what is replaced, the commands, the pushes twice, the \
                 log, COMMIT"
            );
        }
    }
}

#[tokio::test]
async fn t_a20_one_tablet_is_queued_one_command_of_a_key_however_many_send_it_together() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let serials = stocked(&people, 1).await;
        people.enrol(&serials[0]).await;
        let ask = || {
            let new = keyed("RestartDevice");
            Arc::new(Asked::read(&people.operator, named(&serials[0]), new, now()).unwrap())
        };
        let (done, _) = together(&people, (0..8).map(|_| ask()).collect()).await;
        assert_eq!(done.iter().flatten().count(), 1, "the others are looked at one by one");
        for _ in 0..7 {
            assert!(!by_itself(&people, &ask()).await.unwrap());
        }
        let tablet = people.tablet(&serials[0]).await;
        assert_eq!(stands(&people, tablet).await.0.len(), 1);
    }
}
