//! What many tablets say at once is written by a few statements, and is what each would have been written alone.

use serde_json::json;
use types::{CommandId, Supervision};

use super::fixture::{Enrolled, Fixture, at};
use crate::commands::Command;
use crate::database::Database;
use crate::enrolments::Enrolment;
use crate::observations::Observation;
use crate::push_states::PushState;
use crate::report::apply;
use crate::tests::on_both_engines;
use crate::transaction::Mode;
use crate::{
    CommandOutcome, CommandReport, ConnectWrite, ConnectWritten, Delivery, ReportFate, ReportedFacts,
    StoreOptions, commands, enrolments, observations, push_states,
};

on_both_engines! {
    what_is_written_together_is_what_each_would_have_been_written_alone,
    what_one_tablet_says_twice_is_written_in_its_order,
    a_report_on_another_tablets_command_is_unknown_though_its_owner_answers_it_too,
}

/// What the tablet says of its command, and of which.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Nothing,
    Done,
    CannotDo,
    NotNow,
    DoneTwice,
    OfAnothers,
}

/// What is to be given to it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Given {
    Nothing,
    What,
    Cancelled,
    TooLate,
}

const SAYS: [Says; 6] =
    [Says::Nothing, Says::Done, Says::CannotDo, Says::NotNow, Says::DoneTwice, Says::OfAnothers];
const GIVEN: [Given; 4] = [Given::Nothing, Given::What, Given::Cancelled, Given::TooLate];

/// A tablet with a command that it was given, one that waits, one that it put off, and what it says now.
async fn says(
    fixture: &Fixture,
    number: u8,
    says: Says,
    given: Given,
    settles: bool,
) -> (Enrolled, ConnectWrite) {
    let tablet = fixture.enrolled(number).await;
    let was_given = fixture.queue(tablet, 1).await;
    let next = fixture.queue_with(tablet, 2, |next| next.expires_at = Some(at(60))).await;
    let put_off = fixture.queue_with(tablet, 3, |later| later.not_before = Some(at(900))).await;
    let refused = fixture.queue(tablet, 4).await;
    for command in [was_given, refused] {
        assert!(fixture.deliver(tablet, command, 5).await);
    }
    let report = |command, outcome| CommandReport {
        command,
        outcome,
        result: Some(json!({ "tells": "it's \"told\" \u{0}" })),
        raw: Some(vec![0, 159, 146, 150]),
    };
    let alone = |report| ConnectWrite { report: Some(report), ..ConnectWrite::new(tablet.enrolment, at(6)) };
    let not_now = CommandOutcome::NotNow { retry_at: at(8) };
    fixture.store.connect_write(alone(report(refused, not_now))).await.unwrap();
    fixture.write(move |tx| push_states::want(tx, tablet.enrolment, Some(at(5)), at(5))).await;
    if says == Says::DoneTwice {
        let done = alone(report(was_given, CommandOutcome::Acknowledged));
        fixture.store.connect_write(done).await.unwrap();
    }
    if given == Given::Cancelled {
        assert!(fixture.write(move |tx| commands::cancel(tx, next)).await);
    }
    let outcome = match says {
        Says::CannotDo => CommandOutcome::Failed { error: json!([{ "ErrorCode": 12 }]) },
        Says::NotNow => CommandOutcome::NotNow { retry_at: at(500) },
        Says::Nothing | Says::Done | Says::DoneTwice | Says::OfAnothers => CommandOutcome::Acknowledged,
    };
    let about = if says == Says::OfAnothers { CommandId::new(at(1)) } else { was_given };
    let again_at = (number / 2).is_multiple_of(2).then(|| at(90));
    let write = ConnectWrite {
        report: (says != Says::Nothing).then(|| report(about, outcome)),
        deliver: (given != Given::Nothing).then_some(Delivery { command: next, again_at, opens: settles }),
        observations: vec![
            ("security-info".to_owned(), json!({ "PasscodePresent": false })),
            ("security-info".to_owned(), json!({ "PasscodePresent": true })),
            ("device-information".to_owned(), json!(["é", number / 2 % 3])),
        ],
        facts: match says {
            Says::Done => ReportedFacts {
                awaiting_configuration: Some(true),
                supervision: Some(Supervision::Supervised),
                ..ReportedFacts::default()
            },
            Says::NotNow => ReportedFacts {
                os_version: Some("27.0".to_owned()),
                product_name: Some("iPad16,1".to_owned()),
                ..ReportedFacts::default()
            },
            _ => ReportedFacts::default(),
        },
        settle_push: settles,
        at: at(if given == Given::TooLate { 61 } else { 10 }),
        ..ConnectWrite::new(tablet.enrolment, at(10))
    };
    assert_ne!(put_off, next);
    (tablet, write)
}

type Rows = (Vec<Command>, Enrolment, PushState, Vec<Observation>);

/// All that a connect may change, without what differs between two tablets anyway.
async fn rows(fixture: &Fixture, tablet: Enrolled) -> Rows {
    let (mut queue, mut enrolment, mut push, told) = fixture
        .read(move |tx| {
            Ok((
                commands::of_tablet(tx, tablet.tablet, None, 50)?,
                enrolments::get(tx, &tablet.enrolment)?.unwrap(),
                push_states::get(tx, &tablet.enrolment)?.unwrap(),
                observations::of_enrolment(tx, tablet.enrolment)?,
            ))
        })
        .await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for command in &mut queue {
        command.id = nobody.parse().unwrap();
        command.enrolment_id = nobody.parse().unwrap();
        command.tablet_id = nobody.parse().unwrap();
    }
    enrolment.id = nobody.parse().unwrap();
    enrolment.tablet_id = None;
    enrolment.serial = None;
    push.enrolment_id = nobody.parse().unwrap();
    (queue, enrolment, push, told)
}

/// What became of a write, without the ids.
fn outcome(written: &ConnectWritten) -> (Option<ReportFate>, Option<Option<Vec<u8>>>) {
    (written.report, written.delivered.as_ref().map(|delivered| delivered.payload.clone()))
}

async fn what_is_written_together_is_what_each_would_have_been_written_alone(fixture: Fixture) {
    let (mut number, mut alone, mut together) = (0_u8, Vec::new(), Vec::new());
    for is_said in SAYS {
        for given in GIVEN {
            for settles in [false, true] {
                // Twins: one is written alone, one with all the others.
                for twins in [&mut alone, &mut together] {
                    twins.push((is_said, given, says(&fixture, number, is_said, given, settles).await));
                    number += 1;
                }
            }
        }
    }
    let database = Database::open(&StoreOptions::new(fixture.url.clone()), fixture.vault.clone()).unwrap();
    let group = |writes: Vec<&ConnectWrite>| database.transact(Mode::Group, |tx| apply(tx, &writes)).unwrap();
    let before = database.statements();
    let written = group(together.iter().map(|(_, _, (_, write))| write).collect());
    let unknown = 2 * GIVEN.len() * 2;
    assert_eq!(
        database.statements() - before,
        // BEGIN, answers, NotNow, what was told twice over, push states held, what waits, push states, deliveries, offers,
        // COMMIT.
        11 + u64::try_from(unknown).unwrap(),
        "the same few for {} tablets, and one for each report that changes nothing",
        together.len()
    );
    for ((is_said, given, (tablet, write)), (twin, one)) in
        alone.iter().zip(together.iter().map(|(_, _, (tablet, _))| tablet).zip(&written))
    {
        let by_itself = group(vec![write]).pop().unwrap();
        assert_eq!(outcome(&by_itself), outcome(one), "{is_said:?} {given:?}");
        assert_eq!(
            rows(&fixture, *tablet).await,
            rows(&fixture, *twin).await,
            "{is_said:?} {given:?}: what stands afterwards"
        );
        let fate = match is_said {
            Says::Nothing => None,
            Says::DoneTwice => Some(ReportFate::AlreadyAnswered),
            Says::OfAnothers => Some(ReportFate::Unknown),
            Says::Done | Says::CannotDo | Says::NotNow => Some(ReportFate::Applied),
        };
        assert_eq!(
            (one.report, one.delivered.is_some()),
            (fate, *given == Given::What),
            "{is_said:?} {given:?}"
        );
    }
}

async fn what_one_tablet_says_twice_is_written_in_its_order(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let command = fixture.queue(tablet, 1).await;
    let database = Database::open(&StoreOptions::new(fixture.url.clone()), fixture.vault.clone()).unwrap();
    let report = |outcome| CommandReport { command, outcome, result: None, raw: None };
    let given = ConnectWrite {
        deliver: Some(Delivery { command, again_at: None, opens: false }),
        ..ConnectWrite::new(tablet.enrolment, at(2))
    };
    let answered = ConnectWrite {
        report: Some(report(CommandOutcome::Acknowledged)),
        ..ConnectWrite::new(tablet.enrolment, at(3))
    };
    let again = ConnectWrite {
        report: Some(report(CommandOutcome::Failed { error: json!([]) })),
        ..ConnectWrite::new(tablet.enrolment, at(4))
    };
    let written = database.transact(Mode::Group, |tx| apply(tx, &[&given, &answered, &again])).unwrap();
    assert!(written[0].delivered.is_some());
    assert_eq!(
        (written[1].report, written[2].report),
        (Some(ReportFate::Applied), Some(ReportFate::AlreadyAnswered))
    );
    let row = fixture.command(command).await;
    assert_eq!((row.sent_at, row.answered_at, row.error), (Some(at(2)), Some(at(3)), None));
}

async fn a_report_on_another_tablets_command_is_unknown_though_its_owner_answers_it_too(fixture: Fixture) {
    let (owner, other) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let command = fixture.queue(owner, 1).await;
    assert!(fixture.deliver(owner, command, 2).await);
    let says = |tablet: Enrolled| ConnectWrite {
        report: Some(CommandReport {
            command,
            outcome: CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        ..ConnectWrite::new(tablet.enrolment, at(3))
    };
    let database = Database::open(&StoreOptions::new(fixture.url.clone()), fixture.vault.clone()).unwrap();
    let (theirs, foreign) = (says(owner), says(other));
    let written = database.transact(Mode::Group, |tx| apply(tx, &[&foreign, &theirs])).unwrap();
    let fates: Vec<_> = written.into_iter().map(|one| one.report).collect();
    assert_eq!(fates, [Some(ReportFate::Unknown), Some(ReportFate::Applied)]);
}
