//! Two nodes over one PostgreSQL: what is asked of both is done once, and what one was told the other knows.

use futures_util::future::join_all;
use serde_json::json;
use store::Engine;
use tablets::ApnsFault;
use testkit::{ApiClient, Patience, TestServer, wait_until};
use types::Duration;

use crate::by_hand::ByHand;
use crate::support::{asleep, obey, pushed, pushes, state_of};

const SERIAL: &str = "DMPX00000001";

/// Queues a command under a key: the status, and the command's id.
async fn queue(node: &ApiClient, key: &str) -> (u16, String) {
    let wanted = json!({
        "request_type": "ValidateApplications",
        "parameters": { "Identifiers": [format!("fr.example.{key}")] },
        "idempotency_key": key,
    });
    let answer = node.post(&format!("/api/v1/tablets/{SERIAL}/commands"), &wanted).await.unwrap();
    (answer.status, answer.text("/id").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_a20_two_nodes_asked_at_once_with_one_key_queue_one_command() {
    let server = TestServer::start(Engine::Postgresql).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let mut other = server.another_node().await.unwrap();
    other.start().unwrap();
    other.ready().await.unwrap();
    let nodes = [server.api().unwrap().clone(), other.api().clone()];

    let mut queued = Vec::new();
    for number in 0..12 {
        let key = format!("click-{number}");
        // A double click, a browser that tries again, and two balancers that each choose a node.
        let answers = join_all((0..6).map(|click| queue(&nodes[click % 2], &key))).await;
        let new = answers.iter().filter(|(status, _)| *status == 201).count();
        let known = answers.iter().filter(|(status, _)| *status == 200).count();
        assert_eq!((new, known), (1, 5), "{answers:?}");
        assert!(answers.iter().all(|(_, id)| *id == answers[0].1), "{answers:?}");
        queued.push(answers[0].1.clone());
    }
    let rows = ByHand::of(&server).count("commands WHERE idempotency_key LIKE 'click-%'");
    assert_eq!(rows, 12);

    // One node is gone in the middle of it; who lost its answer asks the other.
    other.kill();
    assert_eq!(queue(&nodes[0], "click-0").await, (200, queued[0].clone()));
    let handled = ipad.poll().await.unwrap().handled;
    let carried_out: Vec<&str> = handled.iter().map(|handled| handled.command_uuid.as_str()).collect();
    assert_eq!(carried_out, queued, "each once, in their order");
    for command in &queued {
        assert_eq!(state_of(&server, command).await, "acknowledged");
    }
    assert!(obey(&mut ipad).await.handled.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed_while_it_pushes_is_replaced_and_nobody_is_pushed_twice() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let server = TestServer::start(Engine::Postgresql).await.unwrap();
    let apns = server.push_service().apns();
    let serials: Vec<String> = (1..=8).map(|number| format!("DMPX{number:08}")).collect();
    let mut ipads = Vec::new();
    for serial in &serials {
        ipads.push(asleep(&server, serial).await);
    }
    let mut other = server.another_node().await.unwrap();
    other.start().unwrap();
    other.ready().await.unwrap();
    // This node's clock is an hour behind: what is queued by the other is not due here, so that the other claims it.
    server.clock().set_back(HOUR);
    let silent = &ipads[0].enrolment().unwrap().push_token;
    apns.fail(silent, ApnsFault::Silence(Duration::from_secs(600)), 1);
    for serial in &serials {
        let wanted = json!({ "request_type": "RestartDevice" });
        other.api().post(&format!("/api/v1/tablets/{serial}/commands"), &wanted).await.unwrap().ok().unwrap();
    }
    for ipad in ipads.iter().skip(1) {
        pushed(&server, ipad, 2).await;
    }
    let by_hand = ByHand::of(&server);
    wait_until("all but one push is recorded", Patience::default(), || async {
        Ok((by_hand.count("push_states WHERE lease_until IS NOT NULL") == 1).then_some(()))
    })
    .await
    .unwrap();
    assert_eq!(pushes(&server, &ipads[0]), 1, "Apple has not answered");

    // The other is killed in the middle of it. Its lease keeps this node away for two minutes, and no longer.
    other.kill();
    server.advance(HOUR);
    for _look in 0..2 {
        // Another tablet is woken: the messenger has looked.
        let before = pushes(&server, &ipads[7]);
        obey(&mut ipads[7]).await;
        server.command(&serials[7], "ProfileList", serde_json::Value::Null).await.unwrap();
        pushed(&server, &ipads[7], before + 1).await;
    }
    assert_eq!(pushes(&server, &ipads[0]), 1, "it is leased");
    server.advance(Duration::from_secs(121));
    pushed(&server, &ipads[0], 2).await;
    for (ipad, times) in ipads.iter().zip([2, 2, 2, 2, 2, 2, 2]) {
        assert_eq!(pushes(&server, ipad), times, "{}: once for what was queued", ipad.serial());
    }
    for ipad in &mut ipads {
        obey(ipad).await;
    }
    assert_eq!(by_hand.count("commands WHERE pending"), 0);
    assert_eq!(by_hand.count("commands WHERE request_type = 'RestartDevice' AND sent_count <> 1"), 0);
}
