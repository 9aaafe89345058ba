//! Tablets that put off, never answer, or choke: asked again in their time, never without end, and no command in
//! the way of another.

use serde_json::Value;
use store::Engine;
use tablets::{Faults, Status};
use testkit::TestServer;
use types::Duration;

use crate::support::{
    asleep, fetched, given, obey, on_both_engines, pushes, report, state_of, still_managed, why,
};

on_both_engines! {
    t_a21_a_locked_tablet_is_asked_once_in_a_conversation_and_ever_less_often,
    t_a21_a_command_that_is_never_answered_keeps_the_others_from_nobody,
    t_a21_a_tablet_whose_every_answer_is_malformed_is_not_asked_without_end,
    t_a21_a_tablet_that_says_not_now_to_everything_is_left_in_peace,
    what_is_urgent_is_offered_after_a_not_now_and_what_is_not_waits,
    t_a21_a_not_now_that_arrives_late_takes_nothing_back,
}

const SERIAL: &str = "DMPX00000001";
const SECOND: Duration = Duration::from_secs(1);

async fn t_a21_a_locked_tablet_is_asked_once_in_a_conversation_and_ever_less_often(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let certificates = server.command(SERIAL, "CertificateList", Value::Null).await.unwrap();
    let list = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    ipad.set_locked(true);
    let conversation = ipad.poll().await.unwrap();
    assert_eq!(conversation.request_types(), ["CertificateList", "ProfileList"], "the others go on");
    assert_eq!(conversation.count(Status::NotNow), 1);
    assert_eq!(state_of(&server, &list).await, "acknowledged");

    // It comes back every ten seconds for an hour, and stays locked.
    let mut asked = 1;
    for _time in 0..360 {
        server.advance(10 * SECOND);
        let conversation = ipad.poll().await.unwrap();
        assert!(conversation.outcome.is_accepted(), "{:?}", conversation.outcome);
        assert!(conversation.handled.len() <= 1, "once in a conversation");
        asked += conversation.handled.len();
    }
    assert!((6..=14).contains(&asked), "asked {asked} times in an hour");
    let (code, sentence) = why(&server, &certificates).await;
    assert_eq!(code, "not-now");
    assert!(sentence.contains(&format!("({asked} times)")), "{sentence}");
    assert!(pushes(&server, &ipad) < 30, "it comes by itself, and is not woken for each");

    ipad.set_locked(false);
    server.advance(3_600 * SECOND);
    assert_eq!(obey(&mut ipad).await.request_types(), ["CertificateList"]);
    assert_eq!(state_of(&server, &certificates).await, "acknowledged");
    assert_eq!(why(&server, &certificates).await.0, "acknowledged");
}

async fn t_a21_a_command_that_is_never_answered_keeps_the_others_from_nobody(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let choking = server.command(SERIAL, "CertificateList", Value::Null).await.unwrap();
    let behind = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    for time in 1..=5 {
        assert_eq!(fetched(&mut ipad).await.as_deref(), Some(choking.as_str()), "{time}");
        if time < 5 {
            assert_eq!(why(&server, &choking).await.0, "sent");
        }
    }
    let (code, sentence) = why(&server, &choking).await;
    assert_eq!(code, "parked");
    assert!(sentence.contains("5 times and never answered"), "{sentence}");
    assert_eq!(obey(&mut ipad).await.request_types(), ["RestartDevice"]);
    assert_eq!(state_of(&server, &behind).await, "acknowledged");
    assert_eq!(fetched(&mut ipad).await, None);

    // Parked is not lost.
    server.advance(21 * SECOND);
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(choking.as_str()));
    assert_eq!(fetched(&mut ipad).await, None, "and parked again");
    let done = report(ipad.udid(), "Acknowledged", Some(&choking));
    assert_eq!(still_managed(&ipad.report(&done).await.unwrap()), 200);
    assert_eq!(state_of(&server, &choking).await, "acknowledged");
}

async fn t_a21_a_tablet_whose_every_answer_is_malformed_is_not_asked_without_end(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let command = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    let behind = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
    let url = ipad.enrolment().unwrap().mdm.server_url.clone();
    let mut asked = 0;
    // A tablet tries again when it is told 400: a hundred times, a minute apart.
    for _time in 0..100 {
        let idle = report(ipad.udid(), "Idle", None);
        let answer = given(&ipad.report(&idle).await.unwrap());
        if answer.as_deref() == Some(command.as_str()) {
            asked += 1;
            let broken = crate::support::xml(&report(ipad.udid(), "Acknowledged", Some(&command)));
            let reply = ipad.deliver(url.clone(), None, broken[..broken.len() / 2].to_vec()).await.unwrap();
            assert_eq!(reply.status, 400);
        } else if answer.as_deref() == Some(behind.as_str()) {
            let done = report(ipad.udid(), "Acknowledged", Some(&behind));
            assert_eq!(still_managed(&ipad.report(&done).await.unwrap()), 200);
        }
        server.advance(60 * SECOND);
    }
    assert!((5..=16).contains(&asked), "asked {asked} times");
    assert_eq!(state_of(&server, &behind).await, "acknowledged");
    assert!(ipad.is_enrolled());
}

async fn t_a21_a_tablet_that_says_not_now_to_everything_is_left_in_peace(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let kinds = ["ProfileList", "SecurityInfo", "CertificateList", "ManagedMediaList", "RestartDevice"];
    for kind in kinds {
        server.command(SERIAL, kind, Value::Null).await.unwrap();
    }
    ipad.set_faults(Faults { not_now: 1.0, ..Faults::default() });
    for times in 1..=4 {
        let conversation = ipad.poll().await.unwrap();
        assert_eq!(conversation.request_types(), kinds, "each once in a conversation, {times}");
        assert_eq!(conversation.count(Status::NotNow), kinds.len());
    }
    assert!(ipad.poll().await.unwrap().handled.is_empty(), "then not before a while");
    ipad.set_faults(Faults::default());
    server.advance(3_600 * SECOND);
    assert_eq!(obey(&mut ipad).await.request_types(), kinds);
}

async fn what_is_urgent_is_offered_after_a_not_now_and_what_is_not_waits(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let list = server.command(SERIAL, "ProfileList", Value::Null).await.unwrap();
    let lock = server.command(SERIAL, "DeviceLock", Value::Null).await.unwrap();
    // By hand, as a tablet that says NotNow even to what may not wait: both met one.
    assert_eq!(fetched(&mut ipad).await.as_deref(), Some(list.as_str()));
    let not_now = |ipad: &tablets::Ipad, command: &str| report(ipad.udid(), "NotNow", Some(command));
    let message = not_now(&ipad, &list);
    assert_eq!(given(&ipad.report(&message).await.unwrap()).as_deref(), Some(lock.as_str()));
    let message = not_now(&ipad, &lock);
    assert_eq!(given(&ipad.report(&message).await.unwrap()), None, "not in a loop");

    // Half a minute later, in a conversation that goes on without Idle: the urgent one again, not the other.
    server.advance(30 * SECOND);
    let message = not_now(&ipad, &list);
    assert_eq!(given(&ipad.report(&message).await.unwrap()).as_deref(), Some(lock.as_str()));
    let done = report(ipad.udid(), "Acknowledged", Some(&lock));
    assert_eq!(given(&ipad.report(&done).await.unwrap()), None, "what is not urgent waits for a new one");
    assert_eq!(obey(&mut ipad).await.request_types(), ["ProfileList"]);
    assert_eq!(state_of(&server, &lock).await, "acknowledged");
}

async fn t_a21_a_not_now_that_arrives_late_takes_nothing_back(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let says = |ipad: &tablets::Ipad, status: &str, command: &str| report(ipad.udid(), status, Some(command));
    // The tablet put off the first delivery; its answer hangs on a connection that broke. It comes again, is given the
    // command a second time, and does it. The late NotNow arrives before that answer, or after it.
    for late_one_first in [true, false] {
        let restart = server.command(SERIAL, "RestartDevice", Value::Null).await.unwrap();
        for _delivery in 0..2 {
            assert_eq!(fetched(&mut ipad).await.as_deref(), Some(restart.as_str()));
        }
        let order = if late_one_first { ["NotNow", "Acknowledged"] } else { ["Acknowledged", "NotNow"] };
        for status in order {
            let message = says(&ipad, status, &restart);
            let told = ipad.report(&message).await.unwrap();
            assert_eq!((still_managed(&told), given(&told)), (200, None), "{order:?}");
        }
        assert_eq!(state_of(&server, &restart).await, "acknowledged", "{order:?}");
        server.advance(3_600 * SECOND);
        assert_eq!(fetched(&mut ipad).await, None, "{order:?}: it is not asked to restart once more");
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0], "a late answer is nobody's mistake");
}
