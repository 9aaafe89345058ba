//! Sixty-four tablets answer at the same moment, and share a commit. One of them brings what the database refuses.

use plist::Dictionary;
use serde_json::Value;
use store::Engine;
use tablets::Ipad;
use testkit::{Patience, TestServer, inventory_csv, wait_until};
use tokio::task::JoinSet;

use crate::by_hand::ByHand;
use crate::log;
use crate::support::{COLLEGE, fetched, obey, on_both_engines, report, state_of, still_managed};

on_both_engines! {
    t_c4_one_hostile_tablet_among_sixty_four_costs_no_other_its_answer,
}

/// A tablet, and the report that it is about to send on the command it was given.
struct Reporter {
    ipad: Ipad,
    command: String,
    report: Dictionary,
}

impl Reporter {
    async fn reports(mut self) -> (Self, u16) {
        let told = still_managed(&self.ipad.report(&self.report).await.unwrap());
        (self, told)
    }
}

async fn sixty_four(server: &TestServer) -> Vec<Reporter> {
    let serials: Vec<String> = (1..=64).map(|number| format!("DMPX{number:08}")).collect();
    server.import_inventory(&inventory_csv(serials.iter().map(String::as_str), COLLEGE)).await.unwrap();
    let link = server.link_for_batch(COLLEGE, 64).await.unwrap();
    let mut enrolling = JoinSet::new();
    for serial in &serials {
        let (mut ipad, link) = (server.ipad(serial).build().unwrap(), link.clone());
        enrolling.spawn(async move {
            ipad.enrol_by_link(&link).await.unwrap();
            obey(&mut ipad).await;
            ipad
        });
    }
    let mut all = Vec::new();
    for mut ipad in enrolling.join_all().await {
        let command = server.command(ipad.serial(), "RestartDevice", Value::Null).await.unwrap();
        assert_eq!(fetched(&mut ipad).await.as_ref(), Some(&command));
        let report = report(ipad.udid(), "Acknowledged", Some(&command));
        all.push(Reporter { ipad, command, report });
    }
    all
}

/// Makes the database refuse that this command is answered. Nothing that a tablet can send is known to do that; a
/// trigger stands for what is not known.
fn refuse(database: &ByHand, engine: Engine, command: &str) {
    let when = format!("NEW.id = '{command}' AND NEW.state = 'acknowledged'");
    database.run(&match engine {
        Engine::Sqlite => format!(
            "CREATE TRIGGER hostile BEFORE UPDATE ON commands WHEN {when} \
             BEGIN SELECT RAISE(ABORT, 'a hostile answer'); END"
        ),
        Engine::Postgresql => format!(
            "CREATE FUNCTION hostile() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'a hostile answer'; END $$; \
             CREATE TRIGGER hostile BEFORE UPDATE ON commands FOR EACH ROW WHEN ({when}) \
             EXECUTE FUNCTION hostile()"
        ),
    });
}

async fn t_c4_one_hostile_tablet_among_sixty_four_costs_no_other_its_answer(engine: Engine) {
    log::listen();
    let server = TestServer::start(engine).await.unwrap();
    let database = ByHand::of(&server);
    let reporters = sixty_four(&server).await;
    let hostile = reporters[17].command.clone();
    refuse(&database, engine, &hostile);

    // Reading goes on, writing waits: what is answered meanwhile comes together.
    let held = database.hold(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgresql => "BEGIN; LOCK TABLE commands IN SHARE ROW EXCLUSIVE MODE",
    });
    let store = server.fleet().unwrap().store();
    let before = store.connect_writes_taken_in();
    let mut reporting = JoinSet::new();
    for reporter in reporters {
        reporting.spawn(reporter.reports());
    }
    wait_until("all answers wait for their commit", Patience::default(), || async {
        Ok((store.connect_writes_taken_in() >= before + 64).then_some(()))
    })
    .await
    .unwrap();
    drop(held);

    let mut culprit = None;
    for (reporter, told) in reporting.join_all().await {
        if reporter.command == hostile {
            assert_eq!(told, 503, "it is told to come back");
            assert_eq!(state_of(&server, &hostile).await, "sent");
            culprit = Some(reporter);
        } else {
            assert_eq!(told, 200, "{}", reporter.ipad.serial());
            assert_eq!(state_of(&server, &reporter.command).await, "acknowledged");
        }
    }
    let shared = log::lines_with("a batch of answers failed; each is now written alone");
    assert!(!shared.is_empty(), "it shared its commit with nobody: the test shows nothing");

    // When it comes back with something better, it is taken.
    database.run(match engine {
        Engine::Sqlite => "DROP TRIGGER hostile",
        Engine::Postgresql => "DROP TRIGGER hostile ON commands",
    });
    let (culprit, told) = culprit.unwrap().reports().await;
    assert_eq!((told, state_of(&server, &hostile).await.as_str()), (200, "acknowledged"));
    assert!(culprit.ipad.is_enrolled());
}
