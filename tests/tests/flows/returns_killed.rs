//! A server that is killed, with SIGKILL, between any two steps of a restitution: whoever supervises it starts it again, and
//! the restitution goes on from there. The tablet is erased once, by one order, and proven once (M3, T-A19).
//!
//! The real program, in a process of its own, by the machine's clock: a receipt takes its minute.

use plist::Value;
use serde_json::json;
use store::Engine;
use tablets::{EnrolmentProfile, Ipad, Outcome};
use testkit::{ApiClient, Patience, ServerProcess, TestServer, wait_until};
use types::{Duration, Role};

use crate::by_hand::ByHand;
use crate::returns::{act, here, lent, network, received, shown};
use crate::support::{given, on_both_engines, report};

on_both_engines! {
    m3_t_a19_a_server_killed_between_any_two_steps_of_a_restitution_erases_once,
}

/// A receipt is no slip after a minute; the calendar looks once a minute, and others use the machine.
const CALENDAR: Patience = Patience { limit: Duration::from_secs(240), pause: Duration::from_millis(250) };

/// Kills the server, has it started again, and looks where the restitution stands.
async fn killed(process: &mut ServerProcess, ati: &ApiClient, id: &str) -> String {
    process.kill();
    process.start().unwrap();
    if let Err(error) = process.ready().await {
        panic!("{error}\n{}", process.log());
    }
    shown(ati, id).await.text("/stage").to_owned()
}

/// The profile that an erased tablet enrols with, out of the command that it was given.
fn way_back(outcome: &Outcome) -> EnrolmentProfile {
    let command = Value::from_reader(std::io::Cursor::new(outcome.body().unwrap())).unwrap();
    let command = command.as_dictionary().unwrap().get("Command").unwrap().as_dictionary().unwrap();
    assert_eq!(command.get("RequestType").unwrap().as_string(), Some("EraseDevice"));
    let back = command.get("ReturnToService").unwrap().as_dictionary().unwrap();
    EnrolmentProfile::open(back.get("MDMProfileData").unwrap().as_data().unwrap()).unwrap()
}

/// What the tablet is told that erases it, from now on.
async fn is_told_to_erase(ipad: &mut Ipad) -> bool {
    let idle = report(ipad.udid(), "Idle", None);
    let told = ipad.report(&idle).await.unwrap();
    told.body().is_some_and(|body| String::from_utf8_lossy(body).contains("EraseDevice"))
}

async fn m3_t_a19_a_server_killed_between_any_two_steps_of_a_restitution_erases_once(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let mut process = server.hand_over().await.unwrap();
    process.start().unwrap();
    process.ready().await.unwrap();

    let id = received(&ati, true).await;
    assert_eq!(killed(&mut process, &ati, &id).await, "received");
    assert!(!is_told_to_erase(&mut ipad).await, "nothing was ordered");

    let ordered = wait_until("the calendar orders the erasure", CALENDAR, || async {
        Ok((shown(&ati, &id).await.text("/stage") == "ordered").then_some(()))
    });
    ordered.await.unwrap_or_else(|error| panic!("{error}\n{}", process.log()));
    assert_eq!(killed(&mut process, &ati, &id).await, "ordered");

    let idle = report(ipad.udid(), "Idle", None);
    let told = ipad.report(&idle).await.unwrap();
    let command = given(&told).unwrap();
    let profile = way_back(&told);
    assert_eq!(killed(&mut process, &ati, &id).await, "delivered");

    let done = report(ipad.udid(), "Acknowledged", Some(&command));
    assert!(ipad.report(&done).await.unwrap().is_accepted());
    assert_eq!(killed(&mut process, &ati, &id).await, "acknowledged");

    // It erases itself, and comes back by the profile that it was given, step by step.
    ipad.identify(&profile, false).await.unwrap();
    assert_eq!(killed(&mut process, &ati, &id).await, "acknowledged");
    assert!(ipad.authenticate().await.unwrap().is_accepted());
    assert_eq!(killed(&mut process, &ati, &id).await, "acknowledged", "enrolling is not enrolled");
    assert!(ipad.token_update().await.unwrap().is_accepted());
    assert_eq!(killed(&mut process, &ati, &id).await, "erased");
    assert_eq!(shown(&ati, &id).await.text("/proof"), "reenrolled");

    assert_eq!(act(&ati, &id, "shelve", json!({ "place": "in-stock" })).await.status, 200);
    assert_eq!(killed(&mut process, &ati, &id).await, "in-stock");
    assert!(!is_told_to_erase(&mut ipad).await, "it is erased once");
    for (rows, count) in [
        ("erase_orders", 1),
        ("erase_orders WHERE state = 'open'", 0),
        ("commands WHERE gate = 'erase'", 1),
        ("return_profiles", 1),
        ("restitutions", 1),
    ] {
        assert_eq!(by_hand.count(rows), count, "{rows}");
    }
}
