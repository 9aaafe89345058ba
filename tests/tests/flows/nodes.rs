//! Two nodes over one PostgreSQL: what is asked of both is done once, and what one was told the other knows.

use futures_util::future::join_all;
use serde_json::json;
use store::Engine;
use testkit::{ApiClient, TestServer};

use crate::by_hand::ByHand;
use crate::support::{asleep, obey, state_of};

const SERIAL: &str = "DMPX00000001";

/// Queues a command under a key: the status, and the command's id.
async fn queue(node: &ApiClient, key: &str) -> (u16, String) {
    let wanted = json!({
        "request_type": "RemoveProfile",
        "parameters": { "Identifier": format!("fr.example.{key}") },
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
        // The tablet has no such profile, and says so.
        assert_eq!(state_of(&server, command).await, "failed");
    }
    assert!(obey(&mut ipad).await.handled.is_empty());
}
