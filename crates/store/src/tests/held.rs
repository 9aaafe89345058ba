//! Use cases of one enrolment, which hold it: those of the same one take turns, those of others never meet.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};

use orders::Gate;
use types::{LinkId, Udid};

use super::fixture::{Fixture, at, command, digest};
use crate::commands::{self, CommandState, Enqueued};
use crate::enrolments::{self, Enrolment, EnrolmentState};
use crate::links::{self, Link, LinkKind};
use crate::tests::on_both_engines;
use crate::{Engine, StoreError, Tx, push_states, settings};

on_both_engines! {
    use_cases_of_one_enrolment_take_turns,
    what_holds_no_enrolment_saves_nothing,
    a_certificate_and_its_enrolment_are_read_when_they_are_held,
}

async fn use_cases_of_one_enrolment_take_turns(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let adders: Vec<_> = (0..8)
        .map(|_| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                store
                    .write_held(move |tx| {
                        enrolments::hold_live_of_tablet(tx, enrolled.tablet)?.unwrap();
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

async fn what_holds_no_enrolment_saves_nothing(fixture: Fixture) {
    let careless = fixture.store.write_held(|tx| settings::set(tx, "a", "1")).await;
    assert!(matches!(careless, Err(StoreError::HoldsNothing)), "{careless:?}");
    assert_eq!(fixture.read(|tx| settings::get(tx, "a")).await, None);
}

async fn a_certificate_and_its_enrolment_are_read_when_they_are_held(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let held = fixture
        .store
        .write_held(move |tx| enrolments::hold_by_certificate(tx, &enrolled.certificate))
        .await
        .unwrap();
    assert_eq!(held, fixture.read(move |tx| enrolments::by_certificate(tx, &enrolled.certificate)).await);
    assert_eq!(held.unwrap().1.id, enrolled.enrolment);
    let nobodys = digest(99);
    let held =
        fixture.store.write_held(move |tx| enrolments::hold_by_certificate(tx, &nobodys)).await.unwrap();
    assert_eq!(held, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn t_a20_commands_for_two_tablets_are_queued_side_by_side_without_a_second_run() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let both_have_queued = Arc::new(Barrier::new(2));
    let runs = Arc::new(AtomicU32::new(0));
    let mut queueing = Vec::new();
    for number in 1..=2 {
        let enrolled = fixture.enrolled(number).await;
        let store = fixture.store.clone();
        let (barrier, runs) = (Arc::clone(&both_have_queued), Arc::clone(&runs));
        queueing.push(tokio::spawn(async move {
            store
                .write_held(move |tx| {
                    let first = runs.fetch_add(1, Ordering::SeqCst) < 2;
                    enrolments::hold_live_of_tablet(tx, enrolled.tablet)?.unwrap();
                    let mut command = command(enrolled, 1);
                    command.replaces_key = Some("inventory".to_owned());
                    let queued = commands::queue(tx, command, None)?;
                    if first {
                        barrier.wait();
                    }
                    Ok::<_, StoreError>(queued)
                })
                .await
        }));
    }
    for queued in queueing {
        assert!(matches!(queued.await.unwrap(), Ok(Enqueued::New(_))));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2, "neither met the other");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tablets_open_one_link_at_the_same_moment_and_none_is_turned_away() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let link = Link {
        id: LinkId::new(at(0)),
        token_sha256: digest(3),
        kind: LinkKind::Batch,
        tablet_id: None,
        uai: None,
        max_uses: 60,
        uses: 0,
        expires_at: at(600),
        created_by: "host".to_owned(),
        created_at: at(0),
        revoked_at: None,
    };
    let stored = link.clone();
    fixture.write(move |tx| links::insert(tx, &stored)).await;
    let runs = Arc::new(AtomicU32::new(0));
    let opening: Vec<_> = (0..64)
        .map(|_| {
            let (store, runs) = (fixture.store.clone(), Arc::clone(&runs));
            tokio::spawn(async move {
                store
                    .write_held(move |tx| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        let link = links::hold_by_token(tx, &digest(3))?.unwrap();
                        links::use_once(tx, link.id, at(1))
                    })
                    .await
            })
        })
        .collect();
    let mut given = 0;
    for opened in opening {
        given += u32::from(opened.await.unwrap().unwrap());
    }
    assert_eq!(given, 60, "as many as it counts");
    assert_eq!(runs.load(Ordering::SeqCst), 64, "each waited for its turn, and none began again");
}

#[tokio::test(flavor = "multi_thread")]
async fn t_a1_who_enrols_under_a_udid_waits_for_whoever_is_about_to() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let udid: Udid = "00008020-000915083C80012E".parse().unwrap();
    let first = fixture.enrolled(1).await;
    let forget = move |tx: &mut Tx<'_>, udid| {
        let row = enrolments::get(tx, &first.enrolment)?.unwrap();
        enrolments::update(tx, &Enrolment { udid, ..row }).map(drop)
    };
    fixture.write(move |tx| forget(tx, None)).await;
    let second = fixture.enrolled(2).await;
    fixture
        .write(move |tx| {
            let row = enrolments::get(tx, &second.enrolment)?.unwrap();
            enrolments::update(tx, &Enrolment { udid: None, ..row })
        })
        .await;
    // Both ask whether the UDID is free, and take it if it is.
    let takers: Vec<_> = [first, second]
        .into_iter()
        .map(|enrolled| {
            let (store, udid) = (fixture.store.clone(), udid.clone());
            tokio::spawn(async move {
                store
                    .write_held(move |tx| {
                        let (_certificate, row) =
                            enrolments::hold_by_certificate(tx, &enrolled.certificate)?.unwrap();
                        enrolments::hold_udid(tx, &udid)?;
                        if enrolments::live_by_udid(tx, &udid)?.is_some() {
                            return Ok(false);
                        }
                        // The other one has all the time it needs to look, unless it waits.
                        settings::get(tx, "a")?;
                        enrolments::update(tx, &Enrolment { udid: Some(udid.clone()), ..row })
                    })
                    .await
            })
        })
        .collect();
    let mut took = 0;
    for taker in takers {
        took += u32::from(taker.await.unwrap().unwrap());
    }
    assert_eq!(took, 1, "one of them");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_that_ends_takes_along_what_was_queued_in_the_meantime() {
    let fixture = Fixture::new(Engine::Postgresql).await;
    let enrolled = fixture.enrolled(1).await;
    let (began, has_begun) = channel();
    let (queued, was_queued) = channel::<()>();
    let (has_begun, was_queued) = (Mutex::new(has_begun), Mutex::new(was_queued));
    let runs = Arc::new(AtomicU32::new(0));
    let store = fixture.store.clone();
    let ending = tokio::spawn({
        let runs = Arc::clone(&runs);
        async move {
            store
                .write(move |tx| {
                    let enrolment = enrolments::get(tx, &enrolled.enrolment)?.unwrap();
                    if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                        began.send(()).unwrap();
                        was_queued.lock().unwrap().recv().unwrap();
                    }
                    let over = Enrolment { state: EnrolmentState::Ended, ended_at: Some(at(9)), ..enrolment };
                    enrolments::update(tx, &over)?;
                    commands::cancel_of_enrolment(tx, enrolled.enrolment)?;
                    push_states::forget(tx, enrolled.enrolment)
                })
                .await
        }
    });
    tokio::task::spawn_blocking(move || has_begun.lock().unwrap().recv().unwrap()).await.unwrap();
    let command = command(enrolled, 1);
    let id = command.id;
    assert_eq!(command.gate, Gate::Ordinary);
    fixture
        .store
        .write_held(move |tx| {
            enrolments::hold_live_of_tablet(tx, enrolled.tablet)?.unwrap();
            commands::queue(tx, command.clone(), None)?;
            push_states::want(tx, enrolled.enrolment, Some(at(1)), at(1))
        })
        .await
        .unwrap();
    queued.send(()).unwrap();
    ending.await.unwrap().unwrap();
    let left = fixture.read(move |tx| commands::get(tx, &id)).await.unwrap();
    assert_eq!(left.state, CommandState::Cancelled);
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the end met the command, and was run again");
}
