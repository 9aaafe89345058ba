//! A restitution that a crash interrupts between any two of its steps: it resumes, and erases once (M3, T-A19).
//!
//! A crash is a write that never came: the table refuses it, by a trigger of ours, as if the power had gone before it. What
//! was committed before stays; the server is then stopped as a crash stops it, and started again.

use serde_json::json;
use store::Engine;
use tablets::Ipad;
use testkit::TestServer;
use types::{Duration, Role};

use crate::by_hand::ByHand;
use crate::returns::{act, comes_to, here, lent, network, ordered, received, shown};
use crate::support::{given, obey, on_both_engines, report};

on_both_engines! {
    m3_t_a19_a_crash_between_any_two_steps_of_a_delivery_erases_once,
    m3_a_crash_after_the_tablet_answered_is_caught_up_by_its_return,
    m3_an_answer_that_was_lost_is_attested_and_never_erased_twice,
    m3_an_order_that_a_crash_cut_off_is_given_once_and_whole,
}

/// Lets no such write through, until it is lifted.
struct Cut<'a> {
    by_hand: &'a ByHand,
    table: &'static str,
}

impl<'a> Cut<'a> {
    /// Refuses every `event` on the table for which `when` holds.
    fn at(by_hand: &'a ByHand, engine: Engine, (table, event): (&'static str, &str), when: &str) -> Self {
        by_hand.run(&match engine {
            Engine::Sqlite => format!(
                "CREATE TRIGGER the_power_is_gone BEFORE {event} ON {table} WHEN {when} \
                 BEGIN SELECT RAISE(ABORT, 'the power is gone'); END"
            ),
            Engine::Postgresql => format!(
                "CREATE OR REPLACE FUNCTION the_power_is_gone() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'the power is gone'; END $$; \
                 CREATE TRIGGER the_power_is_gone BEFORE {event} ON {table} FOR EACH ROW WHEN ({when}) \
                 EXECUTE FUNCTION the_power_is_gone()"
            ),
        });
        Self { by_hand, table }
    }

    async fn lift(self, server: &mut TestServer, engine: Engine) {
        server.crash().await;
        let on = match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgresql => format!(" ON {}", self.table),
        };
        self.by_hand.run(&format!("DROP TRIGGER the_power_is_gone{on}"));
        server.start_again().await.unwrap();
    }
}

/// Says Idle, and expects no command: the server is in trouble.
async fn is_told_nothing(ipad: &mut Ipad, case: &str) {
    let idle = report(ipad.udid(), "Idle", None);
    let told = ipad.report(&idle).await.unwrap();
    assert!(!told.is_accepted() || given(&told).is_none(), "{case}: {told:?}");
    assert!(ipad.is_enrolled(), "{case}");
}

async fn m3_t_a19_a_crash_between_any_two_steps_of_a_delivery_erases_once(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    let steps = [
        ("before it is written that the tablet gets it", "restitutions", "UPDATE", "NEW.stage = 'delivered'"),
        (
            "before the command is marked as sent",
            "commands",
            "UPDATE",
            "NEW.gate = 'erase' AND NEW.state = 'sent'",
        ),
        ("before its way back is written", "return_profiles", "INSERT", "TRUE"),
        ("before the challenge of its way back is", "challenges", "INSERT", "TRUE"),
    ];
    for (case, table, event, when) in steps {
        let when = if when == "TRUE" && engine == Engine::Sqlite { "1" } else { when };
        let cut = Cut::at(&by_hand, engine, (table, event), when);
        is_told_nothing(&mut ipad, case).await;
        cut.lift(&mut server, engine).await;
    }
    // What was begun goes on: the tablet gets it, once.
    server.advance(Duration::from_secs(3_600));
    let talk = ipad.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, Some(Ok(()))));
    let ati = here(&server, "ati", Role::Ati).await;
    let proven = shown(&ati, &id).await;
    assert_eq!((proven.text("/stage"), proven.text("/proof")), ("erased", "reenrolled"), "{proven:?}");
    assert!(!obey(&mut ipad).await.erased);
    assert_eq!(by_hand.count("return_profiles"), 1);
    assert_eq!(by_hand.count("commands WHERE gate = 'erase'"), 1);
    assert_eq!(by_hand.count("erase_orders WHERE state = 'open'"), 0);
}

async fn m3_a_crash_after_the_tablet_answered_is_caught_up_by_its_return(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    // Its report is kept, and what follows from it is not.
    let cut = Cut::at(&by_hand, engine, ("restitutions", "UPDATE"), "NEW.stage = 'acknowledged'");
    let command = crate::support::fetched(&mut ipad).await.unwrap();
    let done = report(ipad.udid(), "Acknowledged", Some(&command));
    assert!(!ipad.report(&done).await.unwrap().is_accepted());
    assert_eq!(by_hand.count("commands WHERE gate = 'erase' AND state = 'acknowledged'"), 1);
    assert_eq!(by_hand.count("restitutions WHERE stage = 'delivered'"), 1);
    cut.lift(&mut server, engine).await;
    // The tablet goes on as one that waits for no answer. What it says again is heard again, and changes nothing twice.
    assert!(ipad.report(&done).await.unwrap().is_accepted());
    let ati = here(&server, "ati", Role::Ati).await;
    assert_eq!(shown(&ati, &id).await.text("/stage"), "acknowledged");
    assert!(!obey(&mut ipad).await.erased, "it is given once");
}

async fn m3_an_answer_that_was_lost_is_attested_and_never_erased_twice(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    network(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = ordered(&server, &ati).await;
    // The answer never comes to be written; the tablet does not wait to hear of it.
    let acknowledged = "NEW.gate = 'erase' AND NEW.state = 'acknowledged'";
    let cut = Cut::at(&by_hand, engine, ("commands", "UPDATE"), acknowledged);
    let talk = ipad.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, Some(Ok(()))));
    cut.lift(&mut server, engine).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let back = shown(&ati, &id).await;
    assert_eq!(
        (back.text("/stage"), back.text("/waits/code")),
        ("delivered", "came-back"),
        "its token alone, without an Acknowledged before, proves nothing: {back:?}"
    );
    server.advance(Duration::from_secs(7_200));
    assert!(!obey(&mut ipad).await.erased, "and it is not erased a second time");
    let ati = here(&server, "ati-again", Role::Ati).await;
    assert_eq!(act(&ati, &id, "order", json!({})).await.status, 403, "the order is of the enrolment before");
    // Its time is over, and nothing has ended it yet: what it did in its time is attested still.
    server.advance(Duration::from_secs(30 * 86_400));
    let ati = here(&server, "ati-later", Role::Ati).await;
    let attested = act(&ati, &id, "attest", json!({})).await;
    assert_eq!((attested.status, attested.text("/stage")), (200, "erased"), "{attested:?}");
}

async fn m3_an_order_that_a_crash_cut_off_is_given_once_and_whole(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut ipad = lent(&server).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = received(&ati, true).await;
    let cut = Cut::at(&by_hand, engine, ("commands", "INSERT"), "NEW.gate = 'erase'");
    server.advance(Duration::from_secs(61));
    let cut_off = act(&ati, &id, "order", json!({})).await;
    assert!(cut_off.status >= 500, "{cut_off:?}");
    assert_eq!(by_hand.count("erase_orders"), 0, "all of it, or nothing");
    assert_eq!(shown(&ati, &id).await.text("/stage"), "received");
    cut.lift(&mut server, engine).await;
    let ati = here(&server, "ati", Role::Ati).await;
    comes_to(&ati, &id, "ordered").await;
    assert_eq!(by_hand.count("erase_orders"), 1);
    assert!(ipad.poll().await.unwrap().erased);
}
