//! A database that is slow: every message to it, and from it, is long on its way. Tablets are answered late, or told to come
//! back; what was answered is kept, the server asks the database for no more at a time than before, and all goes on by
//! itself when it is over.

use std::time::Duration;

use serde_json::Value;
use tablets::Ipad;
use testkit::{Database, Patience, TestServer, wait_until};
use tokio::task::JoinSet;

use crate::by_hand::ByHand;
use crate::chaos::cluster::{Cluster, SERVES};
use crate::chaos::wire::Wire;
use crate::support::{fetched, obey, report, standing, state_of, still_managed};

/// How long each message is on its way, there and back.
const SLOW: Duration = Duration::from_millis(150);
/// Tablets that have an answer to give.
const REPORTERS: u64 = 16;
/// How many ask at the same moment whether there is anything to do: one by one they could not be read in the time that a
/// tablet waits, at that pace.
const CALLERS: usize = 600;

/// The same tablet on another connection.
fn twin(server: &TestServer, ipad: &Ipad) -> Ipad {
    let mut twin = server.ipad(ipad.serial()).build().unwrap();
    *twin.state_mut() = ipad.state().clone();
    twin.set_identity(ipad.identity().cloned());
    twin
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_a7_a_slow_database_answers_late_or_says_come_back_and_loses_no_answer() {
    let cluster = Cluster::start().await;
    let wire = Wire::to(cluster.port()).await;
    let database = Database::Apart {
        owner: cluster.owner_url(),
        role: SERVES.to_owned(),
        url: cluster.serving_url(wire.port()),
    };
    let server = TestServer::setup(database).start().await.unwrap();
    let by_hand = ByHand::of(&server);
    let sessions = format!("pg_stat_activity WHERE usename = '{SERVES}'");
    let mut caller = server.enrolled_ipad("DMPX00009999").await.unwrap();
    obey(&mut caller).await;
    let mut reporters = Vec::new();
    for number in 1..=REPORTERS {
        let mut ipad = server.enrolled_ipad(&format!("DMPX{number:08}")).await.unwrap();
        obey(&mut ipad).await;
        let command = server.command(ipad.serial(), "RestartDevice", Value::Null).await.unwrap();
        assert_eq!(fetched(&mut ipad).await.as_ref(), Some(&command));
        reporters.push((ipad, command));
    }

    wire.be_slow(SLOW);
    let idle = report(caller.udid(), "Idle", None);
    let mut calling = JoinSet::new();
    for _ in 0..CALLERS {
        let (mut twin, idle) = (twin(&server, &caller), idle.clone());
        calling.spawn(async move { still_managed(&twin.report(&idle).await.unwrap()) });
    }
    let mut reporting = JoinSet::new();
    for (mut ipad, command) in reporters {
        let report = report(ipad.udid(), "Acknowledged", Some(&command));
        reporting.spawn(async move {
            let told = still_managed(&ipad.report(&report).await.unwrap());
            (ipad, command, report, told)
        });
    }
    let mut most = 0;
    let mut told = Vec::new();
    while let Some(answer) = calling.join_next().await {
        told.push(answer.unwrap());
        // It is asked where the wire is not slow.
        if told.len().is_multiple_of(50) {
            most = most.max(by_hand.count(&sessions));
        }
    }
    let reported = reporting.join_all().await;
    assert!(
        told.iter().all(|status| *status == 200),
        "what many ask is read together: it answers late, {told:?}"
    );
    assert!((1..=32).contains(&most), "{most} connections at a time, however many wait");

    wire.be_slow(Duration::ZERO);
    for (mut ipad, command, report, told) in reported {
        assert!([200, 503].contains(&told), "{}: {told}", ipad.serial());
        if told == 200 {
            assert_eq!(state_of(&server, &command).await, "acknowledged", "what was answered is kept");
        }
        let ipad = tokio::sync::Mutex::new(&mut ipad);
        wait_until("the tablet is served again", Patience::default(), || async {
            Ok(ipad.lock().await.report(&report).await?.is_accepted().then_some(()))
        })
        .await
        .unwrap();
        assert_eq!(state_of(&server, &command).await, "acknowledged");
    }
    let store = server.fleet().unwrap().store();
    wait_until("nothing waits any more", Patience::default(), || async {
        Ok((store.vitals().answers_waiting == 0).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(standing(&server, "DMPX00009999").await, "enrolled");
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "no tablet did anything wrong");
}
