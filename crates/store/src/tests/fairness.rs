//! Who is woken first, at the size of a département.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use types::{Duration, EnrolmentId};

use super::fixture::{Enrolled, Fixture, at};
use super::indexes::{ENROLMENT_COLUMNS, without_rules};
use crate::connection::AnyConnection;
use crate::database::connect;
use crate::push_states::{self, Lane, PushAttempt};
use crate::tests::on_both_engines;
use crate::{Store, StoreError, commands, enrolments};

on_both_engines! {
    t_b3_90_000_silent_tablets_never_delay_the_10_000_that_answer,
    a_push_that_is_wanted_while_the_messenger_gives_the_row_up_is_not_lost,
}

/// How many one claim takes.
const CLAIM: u32 = 512;

/// 100,000 tablets for each of which something waits. All but every tenth have been silent for long, and are due since
/// before the others.
fn populate(connection: &mut AnyConnection, enrolled: Enrolled) {
    let Enrolled { tablet, enrolment, .. } = enrolled;
    let (series, number, no) = match connection {
        AnyConnection::Postgresql(_) => {
            ("generate_series(1, 100000) AS s (n)", "lpad(to_hex(n), 12, '0')", "false")
        }
        AnyConnection::Sqlite(_) => (
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 100000) SELECT n FROM s)",
            "printf('%012x', n)",
            "0",
        ),
    };
    without_rules(connection);
    let owner = format!("'00000000-0000-7000-9000-' || {number}");
    let columns = ENROLMENT_COLUMNS.replace("id,", &format!("{owner},"));
    let now = at(0).as_millis();
    connection
        .batch_execute(&format!(
            "INSERT INTO enrolments SELECT {columns} FROM enrolments, {series} WHERE enrolments.id = '{enrolment}';
             INSERT INTO push_states (enrolment_id, wanted_at, due_at, attempts, outcome, unanswered)
                SELECT {owner}, {now} + n, {now} + n - CASE WHEN n % 10 = 0 THEN 0 ELSE 1000000 END,
                CASE WHEN n % 10 = 0 THEN 0 ELSE 5 END, 'sent', CASE WHEN n % 10 = 0 THEN 0 ELSE 5 END FROM {series};
             INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, state, queued_at,
                queued_by, sent_count, not_now_count)
                SELECT '00000000-0000-7000-8000-' || {number}, {owner}, '{tablet}', 'DeviceInformation', 'ordinary', 0,
                {no}, 'queued', {now}, 'test', 0, 0 FROM {series};
             ANALYZE",
        ))
        .unwrap();
}

/// What one round of a messenger does with a lane: claims, looks, and records that Apple took the pushes.
async fn round(store: &Store, lane: Lane) -> Vec<EnrolmentId> {
    let now = at(1_000);
    let claimed = store
        .write_held(move |tx| {
            let claimed = push_states::claim(tx, lane, now, now.plus(Duration::from_secs(120)), CLAIM)?;
            assert_eq!(commands::next_offers(tx, &claimed, now)?.len(), claimed.len());
            enrolments::push_addresses(tx, &claimed)?;
            Ok::<_, StoreError>(claimed)
        })
        .await
        .unwrap();
    let sent = claimed.clone();
    store
        .write_held(move |tx| {
            let states = push_states::hold_all(tx, &sent)?;
            enrolments::token_times(tx, &sent)?;
            let attempts: Vec<_> = states
                .iter()
                .map(|state| PushAttempt {
                    enrolment: state.enrolment_id,
                    at: now,
                    outcome: "sent".to_owned(),
                    attempts: state.attempts + 1,
                    unanswered: state.unanswered + 1,
                    next_due_at: Some(now.plus(Duration::from_secs(1_800))),
                    token_invalid: false,
                })
                .collect();
            push_states::record_all(tx, &attempts)
        })
        .await
        .unwrap();
    claimed
}

async fn t_b3_90_000_silent_tablets_never_delay_the_10_000_that_answer(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let url = fixture.url.clone();
    tokio::task::spawn_blocking(move || populate(&mut connect(&url).unwrap(), enrolled)).await.unwrap();

    let before = fixture.store.statements();
    let (mut answering, mut silent) = (BTreeSet::new(), BTreeSet::new());
    for _round in 0..20 {
        answering.extend(round(&fixture.store, Lane::Answering).await);
        silent.extend(round(&fixture.store, Lane::Silent).await);
    }
    assert_eq!(answering.len(), 10_000, "all that answer, whoever was due before");
    assert!(
        answering
            .iter()
            .all(|one| u128::from_str_radix(one.to_string().get(24..).unwrap(), 16).unwrap() % 10 == 0)
    );
    assert_eq!(silent.len(), 20 * 512, "the others have their share, and wait for no one");
    // BEGIN, claim, offers, addresses, COMMIT; BEGIN, hold, tokens, record, COMMIT.
    assert_eq!(fixture.store.statements() - before, 20 * 2 * 10, "ten statements for 512 tablets");
    assert!(round(&fixture.store, Lane::Answering).await.is_empty(), "nobody is pushed twice");
}

async fn a_push_that_is_wanted_while_the_messenger_gives_the_row_up_is_not_lost(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(5)), at(5))).await;
    // A messenger has claimed the row, and found that nothing waits.
    let (looked, has_looked) = std::sync::mpsc::channel();
    let (go, may_go) = std::sync::mpsc::channel::<()>();
    let (looked, may_go) = (std::sync::Mutex::new(looked), std::sync::Mutex::new(may_go));
    let store = fixture.store.clone();
    let messenger = tokio::spawn(async move {
        store
            .write_held(move |tx| {
                let claimed = push_states::claim(tx, Lane::Answering, at(6), at(60), CLAIM)?;
                looked.lock().unwrap().send(()).unwrap();
                may_go.lock().unwrap().recv().unwrap();
                push_states::forget_all(tx, &claimed)
            })
            .await
    });
    tokio::task::spawn_blocking(move || has_looked.recv().unwrap()).await.unwrap();
    // Meanwhile something is queued: whoever queues it sees the row that stays, not the one that is given up.
    let store = fixture.store.clone();
    let queuing = tokio::spawn(async move {
        store
            .write(move |tx| {
                let state = push_states::hold(tx, enrolled.enrolment)?.unwrap();
                let due = state.wanted_at.is_none().then_some(at(7));
                push_states::want(tx, enrolled.enrolment, due, at(7))
            })
            .await
    });
    go.send(()).unwrap();
    messenger.await.unwrap().unwrap();
    queuing.await.unwrap().unwrap();
    let state = fixture.read(move |tx| push_states::get(tx, &enrolled.enrolment)).await.unwrap();
    assert_eq!((state.wanted_at, state.due_at, state.lease_until), (Some(at(7)), Some(at(7)), None));
}
