//! The pulse: what a connect reads and writes, and what it costs.

use serde_json::json;
use types::Supervision;

use super::fixture::{Fixture, at, delivery, digest};
use crate::certificates::CertificateState;
use crate::commands::Command;
use crate::connect::Looks;
use crate::enrolments::EnrolmentState;
use crate::tests::on_both_engines;
use crate::{
    CommandOutcome, CommandReport, ConnectKey, ConnectWrite, ReportedFacts, StoreError, enrolments,
    observations, presence, push_states,
};

on_both_engines! {
    a_connect_reads_once_and_writes_twice_in_one_commit,
    many_who_connect_at_once_are_read_by_one_statement,
    an_unknown_certificate_finds_nothing,
    a_connect_shows_the_enrolment_whatever_its_state,
    what_a_tablet_tells_replaces_what_was_known,
    a_tablet_that_came_wants_no_push_any_more,
    a_command_that_was_committed_while_its_tablet_came_still_wakes_it,
    a_command_that_is_put_off_wakes_its_tablet_when_it_is_due,
    what_is_queued_while_a_tablet_connects_still_wakes_it,
    the_last_sighting_is_written_in_batches_and_never_goes_back,
}

async fn a_connect_reads_once_and_writes_twice_in_one_commit(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let reported = fixture.queue(enrolled, 10).await;
    let next = fixture.queue(enrolled, 11).await;
    fixture.deliver(enrolled, reported, 12).await;

    let before = fixture.store.statements();
    let row = fixture.connect(enrolled, Some(reported), false, 13).await;
    assert_eq!(fixture.store.statements() - before, 1, "statements of the read");
    assert_eq!(row.next.map(|next| next.id), Some(next));

    let before = fixture.store.statements();
    let write = ConnectWrite {
        report: Some(CommandReport {
            command: reported,
            outcome: CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        deliver: Some(delivery(next)),
        ..ConnectWrite::new(enrolled.enrolment, at(13))
    };
    fixture.store.connect_write(write).await.unwrap();
    assert_eq!(fixture.store.statements() - before, 4, "BEGIN, two updates, COMMIT");
}

async fn many_who_connect_at_once_are_read_by_one_statement(fixture: Fixture) {
    let mut expected = Vec::new();
    let mut keys = Vec::new();
    for number in 0..20 {
        let enrolled = fixture.enrolled(number).await;
        let reported = fixture.queue(enrolled, 10).await;
        fixture.deliver(enrolled, reported, 12).await;
        // Of some nothing waits; the first that waits is offered, not the one that is reported on.
        let next = if number % 3 == 0 { None } else { Some(fixture.queue(enrolled, 11).await) };
        let reported = (number % 2 == 0).then_some(reported);
        keys.push(ConnectKey {
            certificate_sha256: enrolled.certificate,
            reported,
            fresh: true,
            now: at(13),
        });
        let offered = if reported.is_some() { next } else { None };
        expected.push((enrolled.enrolment, reported, offered));
    }
    keys.push(ConnectKey { certificate_sha256: digest(99), reported: None, fresh: true, now: at(13) });
    let looks = fixture.store.group_commit(Looks).unwrap();
    let before = fixture.store.statements();
    let found = looks.submit_as_one(keys).await.unwrap();
    assert_eq!(fixture.store.statements() - before, 1, "for 21");
    let mut found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
    assert_eq!(found.pop(), Some(None), "nobody knows the last certificate");
    for (row, (enrolment, reported, offered)) in found.into_iter().zip(expected) {
        let row = row.unwrap();
        assert_eq!(row.enrolment.id, enrolment);
        assert_eq!(row.reported.map(|command| command.id), reported);
        if reported.is_some() {
            assert_eq!(row.next.map(|next| next.id), offered);
        }
    }
}

async fn an_unknown_certificate_finds_nothing(fixture: Fixture) {
    fixture.enrolled(1).await;
    let key = ConnectKey { certificate_sha256: digest(99), reported: None, fresh: true, now: at(1) };
    assert_eq!(fixture.store.connect_read(key).await.unwrap(), None);
}

async fn a_connect_shows_the_enrolment_whatever_its_state(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for state in EnrolmentState::ALL.iter().copied() {
        fixture
            .write(move |tx| {
                let mut row = enrolments::get(tx, &enrolled.enrolment)?.ok_or(StoreError::Stopped)?;
                row.state = state;
                enrolments::update(tx, &row)
            })
            .await;
        let row = fixture.connect(enrolled, None, true, 1).await;
        assert_eq!(row.enrolment.state, state);
        assert_eq!(row.enrolment.tablet, Some(enrolled.tablet));
        assert_eq!(row.certificate_state, CertificateState::Confirmed);
        assert_eq!(row.enrolment.udid.as_deref(), Some("00008020-000915083C80012E"));
    }
}

async fn what_a_tablet_tells_replaces_what_was_known(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    for (seconds, body) in [(1, json!({ "BatteryLevel": 0.4 })), (2, json!({ "BatteryLevel": 0.9 }))] {
        let write = ConnectWrite {
            observations: vec![("DeviceInformation".to_owned(), body)],
            facts: ReportedFacts {
                supervision: Some(Supervision::Supervised),
                os_version: Some("27.0".to_owned()),
                ..ReportedFacts::default()
            },
            ..ConnectWrite::new(enrolled.enrolment, at(seconds))
        };
        fixture.store.connect_write(write).await.unwrap();
    }
    let known = fixture.read(move |tx| observations::of_enrolment(tx, enrolled.enrolment)).await;
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].reported_at, &known[0].body), (at(2), &json!({ "BatteryLevel": 0.9 })));
    let row = fixture.read(move |tx| enrolments::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!((row.supervision, row.os_version.as_deref()), (Supervision::Supervised, Some("27.0")));
    assert_eq!(row.access_rights, Some(8191));
}

async fn a_tablet_that_came_wants_no_push_any_more(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    assert!(!fixture.connect(enrolled, None, true, 1).await.push_wanted);
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(6)), at(5))).await;
    assert!(fixture.connect(enrolled, None, true, 6).await.push_wanted);
    let write = ConnectWrite { settle_push: true, ..ConnectWrite::new(enrolled.enrolment, at(7)) };
    fixture.store.connect_write(write).await.unwrap();
    assert!(!fixture.connect(enrolled, None, true, 8).await.push_wanted);
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(20), at(30), 9)).await,
        vec![]
    );
}

async fn a_command_that_was_committed_while_its_tablet_came_still_wakes_it(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(5)), at(5))).await;
    // The tablet's connect finds nothing; what somebody had asked for before is committed only now.
    assert!(fixture.connect(enrolled, None, true, 10).await.next.is_none());
    let late = fixture.queue(enrolled, 6).await;
    let write = ConnectWrite { settle_push: true, ..ConnectWrite::new(enrolled.enrolment, at(10)) };
    fixture.store.connect_write(write).await.unwrap();
    let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!(state.due_at, Some(at(10)), "it was never offered: the tablet is woken again");
    // Once it was, nothing is left to wake it for.
    fixture.deliver(enrolled, late, 11).await;
    let write = ConnectWrite { settle_push: true, ..ConnectWrite::new(enrolled.enrolment, at(12)) };
    fixture.store.connect_write(write).await.unwrap();
    let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!((state.wanted_at, state.due_at), (None, None));
}

async fn a_command_that_is_put_off_wakes_its_tablet_when_it_is_due(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let put_off = |seconds| move |command: &mut Command| command.not_before = Some(at(seconds));
    let second = fixture.queue_with(enrolled, 5, put_off(900)).await;
    let first = fixture.queue_with(enrolled, 5, put_off(500)).await;
    let locked = fixture.queue(enrolled, 5).await;
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(5)), at(5))).await;
    // The tablet comes, says NotNow to what is due, and goes.
    assert!(fixture.connect(enrolled, None, true, 10).await.push_wanted);
    fixture.deliver(enrolled, locked, 10).await;
    let write = ConnectWrite {
        report: Some(CommandReport {
            command: locked,
            outcome: CommandOutcome::NotNow { retry_at: at(300) },
            result: None,
            raw: None,
        }),
        settle_push: true,
        ..ConnectWrite::new(enrolled.enrolment, at(11))
    };
    fixture.store.connect_write(write).await.unwrap();
    let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!((state.wanted_at, state.due_at, state.attempts), (Some(at(5)), Some(at(500)), 0));
    // It comes again before: there is nothing to settle, and nothing is lost.
    assert!(!fixture.connect(enrolled, None, true, 20).await.push_wanted);
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(499), at(600), 9)).await,
        vec![]
    );
    assert_eq!(
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(500), at(600), 9)).await,
        [enrolled.enrolment]
    );
    // Woken for the first, it is still woken for the next; and for what it put off itself, an hour later if it does
    // not come back before.
    for (settled, offered, due) in [(501, first, 900), (901, second, 3_611)] {
        fixture.deliver(enrolled, offered, settled).await;
        let write = ConnectWrite { settle_push: true, ..ConnectWrite::new(enrolled.enrolment, at(settled)) };
        fixture.store.connect_write(write).await.unwrap();
        let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
        assert_eq!((state.due_at, state.lease_until), (Some(at(due)), None));
    }
    // The sixth time it is left alone for a day.
    for seconds in [4_000, 5_000, 6_000, 7_000, 8_000] {
        fixture.deliver(enrolled, locked, seconds).await;
        let not_now = CommandOutcome::NotNow { retry_at: at(seconds + 300) };
        let report = CommandReport { command: locked, outcome: not_now, result: None, raw: None };
        let write = ConnectWrite {
            report: Some(report),
            settle_push: true,
            ..ConnectWrite::new(enrolled.enrolment, at(seconds))
        };
        fixture.store.connect_write(write).await.unwrap();
    }
    let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!(state.due_at, Some(at(8_000 + 24 * 3_600)));
}

async fn what_is_queued_while_a_tablet_connects_still_wakes_it(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(5)), at(5))).await;
    assert!(fixture.connect(enrolled, None, true, 6).await.push_wanted);
    // Queued between the read and the write of that connect.
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(7)), at(7))).await;
    let write = ConnectWrite { settle_push: true, ..ConnectWrite::new(enrolled.enrolment, at(6)) };
    fixture.store.connect_write(write).await.unwrap();
    assert!(fixture.connect(enrolled, None, true, 8).await.push_wanted);
}

async fn the_last_sighting_is_written_in_batches_and_never_goes_back(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let two = fixture.enrolled(2).await;
    let before = fixture.store.statements();
    for seconds in [100, 300, 200] {
        fixture.store.seen(one.enrolment, at(seconds));
        fixture.store.seen(two.enrolment, at(seconds + 1));
    }
    // An enrolment that a restore has forgotten spoils nobody's batch.
    fixture.store.seen(types::EnrolmentId::new(at(9)), at(9));
    fixture.store.flush_seen().await.unwrap();
    let spent = fixture.store.statements() - before;
    // The 100 ms may end in between: two batches at most.
    assert!(spent <= 6, "{spent} statements for 7 sightings");
    let last = |enrolled: super::fixture::Enrolled| {
        fixture.store.read(move |tx| presence::last_seen(tx, enrolled.enrolment))
    };
    // A late note of an earlier instant.
    fixture.store.seen(one.enrolment, at(150));
    fixture.store.flush_seen().await.unwrap();
    assert_eq!(last(one).await.unwrap(), Some(at(300)));
    assert_eq!(last(two).await.unwrap(), Some(at(301)));
}
