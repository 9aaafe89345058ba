//! Answers that share a commit: cheap together, and nobody pays for another's defect.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::fixture::{Fixture, at, delivery};
use crate::database::Database;
use crate::group_commit::{Waiting, commit, waiting_for};
use crate::report::Connects;
use crate::tests::on_both_engines;
use crate::{
    CommandOutcome, CommandReport, ConnectWrite, ConnectWritten, Engine, ReportFate, StoreError, StoreOptions,
};

on_both_engines! {
    sixty_four_answers_share_one_commit,
    one_hostile_answer_among_sixty_four_is_alone_with_its_error,
    many_tablets_are_answered_at_once,
    answers_that_wait_are_written_before_the_store_closes,
    a_row_that_is_held_elsewhere_costs_only_whoever_waits_for_it,
}

type Answer = oneshot::Receiver<Result<ConnectWritten, StoreError>>;

fn batch(writes: Vec<ConnectWrite>) -> (Vec<Waiting<Connects>>, Vec<Answer>) {
    writes.into_iter().map(waiting_for).unzip()
}

/// An answer of each of 64 tablets to a command that it was given.
async fn answers(fixture: &Fixture) -> Vec<ConnectWrite> {
    let mut writes = Vec::new();
    for number in 0..64 {
        let enrolled = fixture.enrolled(number).await;
        let command = fixture.queue(enrolled, 1).await;
        assert!(fixture.deliver(enrolled, command, 100).await);
        writes.push(ConnectWrite {
            report: Some(CommandReport {
                command,
                outcome: CommandOutcome::Acknowledged,
                result: None,
                raw: None,
            }),
            ..ConnectWrite::new(enrolled.enrolment, at(200))
        });
    }
    writes
}

async fn database(fixture: &Fixture) -> Arc<Database> {
    let (url, vault) = (fixture.url.clone(), fixture.vault.clone());
    tokio::task::spawn_blocking(move || Arc::new(Database::open(&StoreOptions::new(url), vault).unwrap()))
        .await
        .unwrap()
}

async fn sixty_four_answers_share_one_commit(fixture: Fixture) {
    let (waiting, answers) = batch(answers(&fixture).await);
    let database = database(&fixture).await;
    let counted = Arc::clone(&database);
    let before = counted.statements();
    tokio::task::spawn_blocking(move || commit(&database, &Connects, waiting)).await.unwrap();
    assert_eq!(counted.statements() - before, 3, "BEGIN, one update, COMMIT");
    for answer in answers {
        assert_eq!(answer.await.unwrap().unwrap().report, Some(ReportFate::Applied));
    }
}

async fn one_hostile_answer_among_sixty_four_is_alone_with_its_error(fixture: Fixture) {
    let mut writes = answers(&fixture).await;
    // It reports on an enrolment that does not exist: the foreign key stops it, and with it the batch.
    writes[17] = ConnectWrite {
        observations: vec![("DeviceInformation".to_owned(), serde_json::json!({}))],
        ..ConnectWrite::new(types::EnrolmentId::new(at(0)), at(200))
    };
    let (waiting, answers) = batch(writes);
    let database = database(&fixture).await;
    tokio::task::spawn_blocking(move || commit(&database, &Connects, waiting)).await.unwrap();
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.await.unwrap();
        if number == 17 {
            assert!(matches!(answer, Err(StoreError::Dangling { .. })), "{answer:?}");
        } else {
            assert_eq!(answer.unwrap().report, Some(ReportFate::Applied), "answer {number}");
        }
    }
}

async fn many_tablets_are_answered_at_once(fixture: Fixture) {
    let mut answers = Vec::new();
    for number in 0..40 {
        let enrolled = fixture.enrolled(number).await;
        let command = fixture.queue(enrolled, 1).await;
        let store = fixture.store.clone();
        answers.push(tokio::spawn(async move {
            let write = ConnectWrite {
                deliver: Some(delivery(command)),
                ..ConnectWrite::new(enrolled.enrolment, at(2))
            };
            (command, store.connect_write(write).await.unwrap().delivered.unwrap().command)
        }));
    }
    for answer in answers {
        let (asked, delivered) = answer.await.unwrap();
        assert_eq!(asked, delivered);
    }
}

async fn answers_that_wait_are_written_before_the_store_closes(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let command = fixture.queue(enrolled, 1).await;
    let store = Fixture::open(&fixture.url, &fixture.vault).await;
    let write =
        ConnectWrite { deliver: Some(delivery(command)), ..ConnectWrite::new(enrolled.enrolment, at(2)) };
    let submitting = store.clone();
    let submitted = tokio::spawn(async move { submitting.connect_write(write).await });
    submitted.await.unwrap().unwrap();
    tokio::task::spawn_blocking(move || drop(store)).await.unwrap();
    assert_eq!(fixture.command(command).await.sent_count, 1);
}

async fn a_row_that_is_held_elsewhere_costs_only_whoever_waits_for_it(fixture: Fixture) {
    if fixture.store.engine() == Engine::Sqlite {
        // Its only writer holds everything.
        return;
    }
    let writes = answers(&fixture).await;
    let culprit = writes[17].report.as_ref().unwrap().command;
    let (held, is_held) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let store = fixture.store.clone();
    let mut released = Some(released);
    let elsewhere = tokio::spawn(async move {
        let holding = move |tx: &mut crate::Tx<'_>| {
            crate::commands::put_off(tx, culprit, at(300))?;
            held.send(()).unwrap();
            released.take().unwrap().recv().unwrap();
            Ok::<_, StoreError>(())
        };
        store.write(holding).await
    });
    tokio::task::spawn_blocking(move || is_held.recv().unwrap()).await.unwrap();
    let (waiting, answers) = batch(writes);
    let database = database(&fixture).await;
    tokio::task::spawn_blocking(move || commit(&database, &Connects, waiting)).await.unwrap();
    release.send(()).unwrap();
    elsewhere.await.unwrap().unwrap();
    for (number, answer) in answers.into_iter().enumerate() {
        let answer = answer.await.unwrap();
        if number == 17 {
            assert!(matches!(answer, Err(StoreError::Held)), "{answer:?}");
        } else {
            assert_eq!(answer.unwrap().report, Some(ReportFate::Applied), "answer {number}");
        }
    }
}
