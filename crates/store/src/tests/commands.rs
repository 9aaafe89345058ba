//! The queue: what is offered, in which order, and what an answer changes.

use serde_json::json;

use super::cast::{HERE, THERE};
use super::fixture::{Enrolled, Fixture, at, delivery};
use crate::commands::{self, CommandState, Enqueued};
use crate::enrolments::EnrolmentState;
use crate::tests::on_both_engines;
use crate::{
    CommandOutcome, CommandReport, ConnectWrite, Delivery, ReportFate, StoreError, Within, enrolments,
};

on_both_engines! {
    the_higher_priority_goes_first_then_the_older,
    a_command_is_offered_only_between_its_instants,
    an_acknowledged_command_keeps_its_answer,
    a_failed_command_keeps_the_tablets_words,
    t_a18_a_late_repeated_or_foreign_report_changes_nothing,
    a_not_now_is_offered_again_in_a_later_conversation_only,
    everything_that_met_a_not_now_is_offered_once_more_in_the_next_conversation,
    an_urgent_command_is_offered_again_in_the_same_conversation_after_its_pause,
    a_command_cancelled_since_it_was_read_is_not_delivered,
    a_newer_command_replaces_the_pending_one_of_its_key,
    t_a20_one_idempotency_key_queues_one_command_however_often_and_at_once,
    expiry_leaves_a_delivered_command_a_day_for_its_answer,
    the_end_of_an_enrolment_cancels_everything_that_waits,
    history_is_listed_newest_first_in_pages,
    t_a20_a_walk_through_a_fleet_is_cut_into_parts_that_miss_nobody_and_share_nobody,
}

fn report(
    enrolled: Enrolled,
    command: types::CommandId,
    outcome: CommandOutcome,
    seconds: i64,
) -> ConnectWrite {
    ConnectWrite {
        report: Some(CommandReport {
            command,
            outcome,
            result: Some(json!({ "ProfileList": [] })),
            raw: Some(b"raw".to_vec()),
        }),
        ..ConnectWrite::new(enrolled.enrolment, at(seconds))
    }
}

async fn fate(fixture: &Fixture, write: ConnectWrite) -> ReportFate {
    fixture.store.connect_write(write).await.unwrap().report.unwrap()
}

async fn the_higher_priority_goes_first_then_the_older(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    fixture.queue(other, 1).await;
    let low = fixture.queue(enrolled, 10).await;
    let later = fixture.queue(enrolled, 20).await;
    let high = fixture.queue_with(enrolled, 30, |command| command.priority = 5).await;
    for expected in [high, low, later] {
        assert_eq!(fixture.offered(enrolled, 40).await, Some(expected));
        assert!(fixture.deliver(enrolled, expected, 41).await);
        let answer = report(enrolled, expected, CommandOutcome::Acknowledged, 42);
        assert_eq!(fate(&fixture, answer).await, ReportFate::Applied);
    }
    assert_eq!(fixture.offered(enrolled, 50).await, None);
}

async fn a_command_is_offered_only_between_its_instants(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = fixture
        .queue_with(enrolled, 10, |command| {
            command.not_before = Some(at(20));
            command.expires_at = Some(at(30));
        })
        .await;
    for (seconds, offered) in [(19, None), (20, Some(id)), (29, Some(id)), (30, None)] {
        assert_eq!(fixture.offered(enrolled, seconds).await, offered, "at {seconds}");
    }
    assert!(!fixture.deliver(enrolled, id, 30).await);
    assert!(fixture.deliver(enrolled, id, 29).await);
}

async fn an_acknowledged_command_keeps_its_answer(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = fixture.queue(enrolled, 10).await;
    let write = ConnectWrite { deliver: Some(delivery(id)), ..ConnectWrite::new(enrolled.enrolment, at(11)) };
    let delivered = fixture.store.connect_write(write).await.unwrap().delivered.unwrap();
    assert_eq!(delivered.payload.as_deref(), Some(b"<plist/>".as_slice()));
    assert_eq!((delivered.tablet, delivered.request_type.as_str()), (enrolled.tablet, "ProfileList"));
    let row = fixture.connect(enrolled, Some(id), false, 12).await;
    assert_eq!(row.next, None);
    assert_eq!(row.reported.unwrap().state, CommandState::Sent);
    fate(&fixture, report(enrolled, id, CommandOutcome::Acknowledged, 12)).await;
    let command = fixture.command(id).await;
    assert_eq!(command.state, CommandState::Acknowledged);
    assert_eq!((command.sent_at, command.answered_at), (Some(at(11)), Some(at(12))));
    assert_eq!((command.sent_count, command.result), (1, Some(json!({ "ProfileList": [] }))));
}

async fn a_failed_command_keeps_the_tablets_words(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = fixture.queue(enrolled, 10).await;
    fixture.deliver(enrolled, id, 11).await;
    let error = json!([{ "ErrorCode": 12078, "LocalizedDescription": "l’appareil est en mode perdu" }]);
    let outcome = CommandOutcome::Failed { error: error.clone() };
    assert_eq!(fate(&fixture, report(enrolled, id, outcome, 12)).await, ReportFate::Applied);
    let command = fixture.command(id).await;
    assert_eq!((command.state, command.error), (CommandState::Failed, Some(error)));
}

async fn t_a18_a_late_repeated_or_foreign_report_changes_nothing(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    let id = fixture.queue(enrolled, 10).await;
    let acknowledged = |whose, command| report(whose, command, CommandOutcome::Acknowledged, 20);

    // Never sent.
    assert_eq!(fate(&fixture, acknowledged(enrolled, id)).await, ReportFate::AlreadyAnswered);
    assert_eq!(fixture.state(id).await, CommandState::Queued);
    // Of nobody.
    let nobody = types::CommandId::new(at(1));
    assert_eq!(fate(&fixture, acknowledged(enrolled, nobody)).await, ReportFate::Unknown);
    // Of another tablet, after it was sent to this one.
    fixture.deliver(enrolled, id, 15).await;
    assert_eq!(fate(&fixture, acknowledged(other, id)).await, ReportFate::Unknown);
    assert_eq!(fixture.connect(other, Some(id), false, 16).await.reported, None);
    assert_eq!(fixture.state(id).await, CommandState::Sent);
    // Another tablet is not given it either.
    assert!(!fixture.deliver(other, id, 16).await);
    // Repeated, with another outcome.
    assert_eq!(fate(&fixture, acknowledged(enrolled, id)).await, ReportFate::Applied);
    let before = fixture.command(id).await;
    let outcome = CommandOutcome::Failed { error: json!([]) };
    assert_eq!(fate(&fixture, report(enrolled, id, outcome, 30)).await, ReportFate::AlreadyAnswered);
    assert_eq!(fixture.command(id).await, before);
    // After it was cancelled.
    let cancelled = fixture.queue(enrolled, 40).await;
    fixture.deliver(enrolled, cancelled, 41).await;
    fixture.write(move |tx| commands::cancel(tx, cancelled)).await;
    assert_eq!(fate(&fixture, acknowledged(enrolled, cancelled)).await, ReportFate::AlreadyAnswered);
    assert_eq!(fixture.state(cancelled).await, CommandState::Cancelled);
}

async fn a_not_now_is_offered_again_in_a_later_conversation_only(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let first = fixture.queue(enrolled, 10).await;
    let second = fixture.queue(enrolled, 11).await;
    fixture.deliver(enrolled, first, 20).await;
    let not_now = CommandOutcome::NotNow { retry_at: at(25) };
    fate(&fixture, report(enrolled, first, not_now, 20)).await;
    let offered = |row: crate::ConnectRow| row.next.map(|next| next.id);
    // The same conversation goes on with the other one, then ends.
    assert_eq!(offered(fixture.connect(enrolled, Some(first), false, 20).await), Some(second));
    fixture.deliver(enrolled, second, 21).await;
    fate(&fixture, report(enrolled, second, CommandOutcome::Acknowledged, 26)).await;
    assert_eq!(offered(fixture.connect(enrolled, Some(second), false, 26).await), None);
    // A new one, after its pause.
    assert_eq!(offered(fixture.connect(enrolled, None, true, 24).await), None);
    assert_eq!(offered(fixture.connect(enrolled, None, true, 25).await), Some(first));
    let command = fixture.command(first).await;
    assert_eq!(
        (command.state, command.not_now_count, command.not_now_at),
        (CommandState::NotNow, 1, Some(at(20)))
    );
    assert_eq!(command.answered_at, None);
    // Delivered again, it can be answered.
    fixture.deliver(enrolled, first, 30).await;
    assert_eq!(offered(fixture.connect(enrolled, Some(first), false, 31).await), None);
    assert_eq!(
        fate(&fixture, report(enrolled, first, CommandOutcome::Acknowledged, 31)).await,
        ReportFate::Applied
    );
}

async fn everything_that_met_a_not_now_is_offered_once_more_in_the_next_conversation(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let offered = |row: crate::ConnectRow| row.next.map(|next| next.id);
    let (one, two) = (fixture.queue(enrolled, 10).await, fixture.queue(enrolled, 11).await);
    let (three, parked) = (fixture.queue(enrolled, 12).await, fixture.queue(enrolled, 13).await);
    for (command, retry) in [(one, 20), (two, 20), (three, 20), (parked, 900)] {
        fixture.deliver(enrolled, command, 20).await;
        fate(&fixture, report(enrolled, command, CommandOutcome::NotNow { retry_at: at(retry) }, 20)).await;
    }
    assert_eq!(offered(fixture.connect(enrolled, Some(parked), false, 21).await), None);
    for round in 0..2 {
        let now = 30 + round;
        let mut row = fixture.connect(enrolled, None, true, now).await;
        let mut got = Vec::new();
        while let Some(next) = row.next {
            let opening = Delivery { command: next.id, again_at: None, opens: got.is_empty() };
            let write =
                ConnectWrite { deliver: Some(opening), ..ConnectWrite::new(enrolled.enrolment, at(now)) };
            assert!(fixture.store.connect_write(write).await.unwrap().delivered.is_some());
            let outcome = CommandOutcome::NotNow { retry_at: at(now) };
            fate(&fixture, report(enrolled, next.id, outcome, now)).await;
            got.push(next.id);
            row = fixture.connect(enrolled, Some(next.id), false, now).await;
        }
        assert_eq!(got, [one, two, three], "each once, and not what is still to wait");
    }
}

async fn an_urgent_command_is_offered_again_in_the_same_conversation_after_its_pause(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let urgent = fixture.queue_with(enrolled, 10, |command| command.urgent = true).await;
    let other = fixture.queue(enrolled, 11).await;
    fixture.deliver(enrolled, urgent, 20).await;
    fate(&fixture, report(enrolled, urgent, CommandOutcome::NotNow { retry_at: at(22) }, 20)).await;
    fixture.deliver(enrolled, other, 20).await;
    fate(&fixture, report(enrolled, other, CommandOutcome::Acknowledged, 21)).await;
    let next = |row: crate::ConnectRow| row.next.map(|next| next.id);
    assert_eq!(next(fixture.connect(enrolled, Some(other), false, 21).await), None);
    assert_eq!(next(fixture.connect(enrolled, Some(other), false, 22).await), Some(urgent));
    // Never straight after its own NotNow: no loop.
    assert_eq!(next(fixture.connect(enrolled, Some(urgent), false, 22).await), None);
}

async fn a_command_cancelled_since_it_was_read_is_not_delivered(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = fixture.queue(enrolled, 10).await;
    assert_eq!(fixture.offered(enrolled, 11).await, Some(id));
    assert!(fixture.write(move |tx| commands::cancel(tx, id)).await);
    assert!(!fixture.deliver(enrolled, id, 12).await);
    assert!(!fixture.write(move |tx| commands::cancel(tx, id)).await);
    assert_eq!(fixture.command(id).await.sent_count, 0);
}

async fn a_newer_command_replaces_the_pending_one_of_its_key(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let key = |command: &mut commands::Command| command.replaces_key = Some("inventory".to_owned());
    let queued = fixture.queue_with(enrolled, 10, key).await;
    let sent = fixture.queue_with(enrolled, 20, key).await;
    assert_eq!(fixture.state(queued).await, CommandState::Cancelled);
    fixture.deliver(enrolled, sent, 21).await;
    let newest = fixture.queue_with(enrolled, 30, key).await;
    // One that the tablet has is answered, but not offered again.
    assert_eq!(fixture.offered(enrolled, 31).await, Some(newest));
    let answer = report(enrolled, sent, CommandOutcome::Acknowledged, 32);
    assert_eq!(fate(&fixture, answer).await, ReportFate::Applied);
}

async fn t_a20_one_idempotency_key_queues_one_command_however_often_and_at_once(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let twin = fixture.enrolled(2).await;
    let mut clicks = Vec::new();
    for seconds in 0..6 {
        let store = fixture.store.clone();
        let mut command = super::fixture::command(enrolled, seconds);
        command.idempotency_key = Some("click".to_owned());
        clicks.push(tokio::spawn(async move {
            store.write(move |tx| commands::queue(tx, command.clone(), None)).await.unwrap()
        }));
    }
    let mut new = 0;
    let mut ids = std::collections::BTreeSet::new();
    for click in clicks {
        let queued = click.await.unwrap();
        new += usize::from(matches!(queued, Enqueued::New(_)));
        ids.insert(queued.command());
    }
    assert_eq!((new, ids.len()), (1, 1));
    assert_eq!(fixture.read(move |tx| commands::pending(tx, enrolled.enrolment)).await.len(), 1);
    // The key is the tablet's own.
    let other =
        fixture.queue_with(twin, 1, |command| command.idempotency_key = Some("click".to_owned())).await;
    assert!(!ids.contains(&other));
}

async fn expiry_leaves_a_delivered_command_a_day_for_its_answer(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let expires = |command: &mut commands::Command| command.expires_at = Some(at(100));
    let waiting = fixture.queue_with(enrolled, 10, expires).await;
    let sent = fixture.queue_with(enrolled, 11, expires).await;
    let lasting = fixture.queue(enrolled, 12).await;
    fixture.deliver(enrolled, sent, 50).await;
    assert_eq!(fixture.write(|tx| commands::expire(tx, at(99), 9)).await, 0);
    assert_eq!(fixture.write(|tx| commands::expire(tx, at(100), 9)).await, 1);
    assert_eq!(fixture.state(waiting).await, CommandState::Expired);
    assert_eq!(fixture.state(sent).await, CommandState::Sent);
    assert_eq!(fixture.write(|tx| commands::expire(tx, at(100 + 86_400), 9)).await, 1);
    assert_eq!(fixture.state(sent).await, CommandState::Expired);
    assert_eq!(fixture.state(lasting).await, CommandState::Queued);
}

async fn the_end_of_an_enrolment_cancels_everything_that_waits(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    let kept = fixture.queue(other, 1).await;
    let answered = fixture.queue(enrolled, 2).await;
    fixture.deliver(enrolled, answered, 3).await;
    fate(&fixture, report(enrolled, answered, CommandOutcome::Acknowledged, 4)).await;
    let sent = fixture.queue(enrolled, 5).await;
    fixture.deliver(enrolled, sent, 6).await;
    let queued = fixture.queue(enrolled, 7).await;
    let count = fixture.write(move |tx| commands::cancel_of_enrolment(tx, enrolled.enrolment)).await;
    assert_eq!(count, 2);
    for (id, state) in [
        (kept, CommandState::Queued),
        (answered, CommandState::Acknowledged),
        (sent, CommandState::Cancelled),
        (queued, CommandState::Cancelled),
    ] {
        assert_eq!(fixture.state(id).await, state);
    }
}

async fn history_is_listed_newest_first_in_pages(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let mut ids = Vec::new();
    for seconds in 0..5 {
        ids.push(fixture.queue(enrolled, seconds).await);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = fixture.read(move |tx| commands::of_tablet(tx, enrolled.tablet, before, 2)).await;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.iter().map(|command| command.id));
    }
    assert_eq!(seen, ids);
    let first = ids[0];
    let payload = fixture.read(move |tx| commands::payload(tx, first)).await;
    assert_eq!(payload.as_deref(), Some(b"<plist/>".as_slice()));
    let unknown: Result<_, StoreError> =
        fixture.store.read(|tx| commands::get(tx, &types::CommandId::new(at(9)))).await;
    assert_eq!(unknown.unwrap(), None);
}

async fn t_a20_a_walk_through_a_fleet_is_cut_into_parts_that_miss_nobody_and_share_nobody(fixture: Fixture) {
    let mut all = Vec::new();
    for number in 1..=6 {
        all.push(fixture.enrolled(number).await.enrolment);
    }
    all.sort_by_key(ToString::to_string);
    let left = all.remove(2);
    fixture
        .write(move |tx| {
            let mut over = enrolments::get(tx, &left)?.unwrap();
            (over.state, over.ended_at) = (EnrolmentState::Superseded, Some(at(50)));
            enrolments::update(tx, &over)
        })
        .await;
    for college in [None, Some(HERE.parse().unwrap())] {
        let (mut parts, mut after) = (Vec::new(), None);
        loop {
            let named = college.clone();
            let until = fixture
                .read(move |tx| commands::cut(tx, &Within::Everything, named.as_ref(), after, 2))
                .await;
            let named = college.clone();
            let step = fixture
                .write_held(move |tx| {
                    commands::hold_targets(tx, &Within::Everything, named.as_ref(), (after, until), 100)
                })
                .await;
            parts.push(step.targets.iter().map(|target| target.enrolment).collect::<Vec<_>>());
            let Some(_) = until else { break };
            assert_eq!(step.last, until, "a part ends where it was cut");
            after = until;
        }
        let expected: Vec<Vec<_>> = all.chunks(2).map(<[_]>::to_vec).collect();
        assert_eq!(parts, expected, "of {college:?}");
    }
    let elsewhere = THERE.parse().unwrap();
    let none =
        fixture.read(move |tx| commands::cut(tx, &Within::Everything, Some(&elsewhere), None, 1)).await;
    assert_eq!(none, None);
}
