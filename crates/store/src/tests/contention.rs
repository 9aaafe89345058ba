//! Transactions that meet: as if each ran alone, or not at all.

use std::future::Future as _;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};

use types::ChallengeId;

use super::fixture::{Fixture, at, digest, tablet};
use crate::challenges::{self, Challenge};
use crate::tests::on_both_engines;
use crate::{ConnectWrite, Engine, Store, StoreError, StoreOptions, Within, push_states, settings, tablets};

on_both_engines! {
    t_a11_a_challenge_is_accepted_once_by_concurrent_requests,
    use_cases_that_read_then_write_do_not_lose_each_others_work,
    a_use_case_that_refuses_saves_nothing,
    a_use_case_that_goes_on_after_a_failed_statement_saves_nothing,
    a_use_case_that_panics_leaves_the_store_usable,
    a_read_cannot_write,
    two_nodes_never_claim_the_same_push,
}

async fn t_a11_a_challenge_is_accepted_once_by_concurrent_requests(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = ChallengeId::new(at(0));
    fixture
        .write(move |tx| {
            challenges::insert(
                tx,
                &Challenge {
                    id,
                    secret_sha256: digest(9),
                    enrolment_id: enrolled.enrolment,
                    created_at: at(0),
                    expires_at: at(600),
                    used_at: None,
                    used_for: None,
                    certificate: None,
                },
            )
        })
        .await;
    let attempts: Vec<_> = (0..8)
        .map(|key| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| {
                        Ok::<_, StoreError>((key, challenges::consume(tx, id, &digest(key), &[key], at(1))?))
                    })
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut winners = Vec::new();
    for attempt in attempts {
        let (key, used) = attempt.await.unwrap();
        winners.extend(used.then_some(key));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let stored = fixture.read(move |tx| challenges::get(tx, &id)).await.unwrap();
    assert_eq!(stored.used_for, Some(digest(winners[0])));
    assert_eq!(stored.certificate, Some(vec![winners[0]]), "and it is the winner's certificate that is kept");
}

async fn use_cases_that_read_then_write_do_not_lose_each_others_work(fixture: Fixture) {
    let adders: Vec<_> = (0..8)
        .map(|_| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                store
                    .write(|tx| {
                        let count =
                            settings::get(tx, "count")?.map_or(0, |text| text.parse::<u32>().unwrap());
                        settings::set(tx, "count", &(count + 1).to_string())
                    })
                    .await
            })
        })
        .collect();
    for adder in adders {
        adder.await.unwrap().unwrap();
    }
    assert_eq!(fixture.read(|tx| settings::get(tx, "count")).await.as_deref(), Some("8"));
}

async fn a_use_case_that_refuses_saves_nothing(fixture: Fixture) {
    let refused: Result<(), StoreError> = fixture
        .store
        .write(|tx| {
            settings::set(tx, "a", "1")?;
            Err(StoreError::Busy)
        })
        .await;
    assert!(matches!(refused, Err(StoreError::Busy)));
    assert_eq!(fixture.read(|tx| settings::get(tx, "a")).await, None);
}

async fn a_use_case_that_goes_on_after_a_failed_statement_saves_nothing(fixture: Fixture) {
    fixture.write(|tx| tablets::insert(tx, &tablet(1))).await;
    let went_on = fixture
        .store
        .write(|tx| {
            let again = tablets::insert(tx, &tablet(1));
            assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
            Ok::<_, StoreError>(())
        })
        .await;
    assert!(matches!(went_on, Err(StoreError::WentOn)), "{went_on:?}");
    assert_eq!(fixture.read(|tx| tablets::count(tx, &Within::Everything)).await, 1);
}

async fn a_use_case_that_panics_leaves_the_store_usable(fixture: Fixture) {
    let store = fixture.store.clone();
    let panicked = tokio::spawn(async move {
        store
            .write(|tx| -> Result<(), StoreError> {
                settings::set(tx, "a", "1")?;
                panic!("a defect in a use case")
            })
            .await
    });
    assert!(panicked.await.unwrap_err().is_panic());
    fixture.write(|tx| settings::set(tx, "b", "2")).await;
    assert_eq!(fixture.read(|tx| settings::get(tx, "a")).await, None);
}

async fn a_read_cannot_write(fixture: Fixture) {
    let refused = fixture.store.read(|tx| settings::set(tx, "a", "1")).await;
    assert!(refused.is_err());
    assert_eq!(fixture.read(|tx| settings::get(tx, "a")).await, None);
}

async fn two_nodes_never_claim_the_same_push(fixture: Fixture) {
    for number in 0..12 {
        let enrolled = fixture.enrolled(number).await;
        fixture.write(move |tx| push_states::want(tx, enrolled.enrolment, Some(at(10)), at(5))).await;
    }
    let other_node = Fixture::open(&fixture.url, &fixture.vault).await;
    let claims: Vec<_> = [fixture.store.clone(), other_node, fixture.store.clone()]
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                store
                    .write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(20), at(80), 5))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for claim in claims {
        claimed.extend(claim.await.unwrap());
    }
    let count = claimed.len();
    claimed.sort();
    claimed.dedup();
    assert_eq!((claimed.len(), count), (12, 12));
    let none =
        fixture.write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(79), at(200), 5)).await;
    assert_eq!(none, vec![]);
    // A node that died: its lease passes.
    assert_eq!(
        fixture
            .write(|tx| push_states::claim(tx, push_states::Lane::Answering, at(80), at(200), 20))
            .await
            .len(),
        12
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_told_at_once_that_the_database_is_busy() {
    let fixture = Fixture::new(Engine::Sqlite).await;
    let enrolled = fixture.enrolled(1).await;
    let options = StoreOptions { queue_length: 1, ..StoreOptions::new(fixture.url.clone()) };
    let store = Store::open(options, fixture.vault.clone()).await.unwrap();
    let (holding, held) = channel();
    let (release, released) = channel::<()>();
    let released = Arc::new(std::sync::Mutex::new(released));
    let holder = store.clone();
    let holder = tokio::spawn(async move {
        holder
            .write(move |_tx| {
                holding.send(()).unwrap();
                let _ = released.lock().unwrap().recv();
                Ok::<_, StoreError>(())
            })
            .await
    });
    held.recv().unwrap();
    // The thread takes one batch of at most 64 and waits for the writer; one more fits; the rest does not.
    let mut busy = 0;
    let mut waiting = Vec::new();
    for _ in 0..70 {
        let mut write = Box::pin(store.connect_write(ConnectWrite::new(enrolled.enrolment, at(1))));
        match write.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(StoreError::Busy)) => busy += 1,
            Poll::Ready(other) => panic!("{other:?}"),
            Poll::Pending => waiting.push(write),
        }
    }
    assert!((5..70).contains(&busy), "{busy} of 70 were told");
    drop(release);
    holder.await.unwrap().unwrap();
    for write in waiting {
        write.await.unwrap();
    }
    store.connect_write(ConnectWrite::new(enrolled.enrolment, at(2))).await.unwrap();
}
