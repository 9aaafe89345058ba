//! A database of last week, put back: nobody is unenrolled, nothing is erased, and who is missing is known.

use serde_json::Value;
use store::Engine;
use tablets::{Identity, Via};
use testkit::{TestServer, inventory_csv};

use crate::asker::{Asker, named, request};
use crate::by_hand::ByHand;
use crate::support::{
    COLLEGE, DAY, check_ins, enrolment, obey, on_both_engines, report, standing, state_of, still_managed,
};

on_both_engines! {
    t_a7_t_c24_a_database_of_last_week_unenrols_nobody_and_erases_nothing,
    t_a7_what_a_week_changed_is_lost_and_no_tablet_with_it,
}

async fn t_a7_t_c24_a_database_of_last_week_unenrols_nobody_and_erases_nothing(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let by_hand = ByHand::of(&server);
    let mut kept = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut again = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let mut ended = server.enrolled_ipad("DMPX00000003").await.unwrap();
    obey(&mut kept).await;
    obey(&mut again).await;
    let harmless = server.command("DMPX00000001", "RestartDevice", Value::Null).await.unwrap();
    let erase = queue_an_erase(&server, &by_hand, "DMPX00000001").await;
    end_the_enrolment(&server, &by_hand, "DMPX00000003").await;
    let file = server.home().join("last-week");
    server.backup(&file).await.unwrap();

    // A week goes by: a tablet enrols, another enrols anew.
    server.advance(DAY * 7);
    let mut new = server.enrolled_ipad("DMPX00000004").await.unwrap();
    again.enrol_by_link(&server.link_for("DMPX00000002").await.unwrap()).await.unwrap();
    server.stop().await;
    by_hand.empty();
    let restored = server.restore(&file).await.unwrap();
    assert_eq!(
        (restored.voided.commands, restored.voided.erase_orders, restored.voided.enrolment_ends),
        (1, 1, 1)
    );
    let before = server.api().unwrap().get("/api/v1/status").await.unwrap();
    assert_eq!(before.status, 401, "everybody signs in again");
    server.sign_in_again().await.unwrap();

    // Whom the backup knows is served, and is not erased.
    assert_eq!(obey(&mut kept).await.request_types(), ["RestartDevice"]);
    assert_eq!(state_of(&server, &harmless).await, "acknowledged");
    assert_eq!(state_of(&server, &erase).await, "void");
    let why = server.api().unwrap().get(&format!("/api/v1/commands/{erase}/why")).await.unwrap();
    assert_eq!(why.text("/code"), "void");
    // Whom it does not know is asked to come back, whatever it says, and stands where operators look.
    for ipad in [&mut new, &mut again] {
        let idle = report(ipad.udid(), "Idle", None);
        assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 503);
        for (name, message) in check_ins(ipad) {
            assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 503, "{name}");
        }
        let orphan =
            format!("orphans WHERE certificate_sha256 = '{}'", ipad.identity().unwrap().fingerprint());
        assert_eq!(by_hand.texts("udid", &orphan), [ipad.udid()]);
        assert!(ipad.is_enrolled());
    }
    assert_eq!(server.alarm_kinds().await.unwrap(), ["unknown-certificate", "unknown-certificate"]);
    // Whose end was recorded and is void now keeps what it has.
    let idle = report(ended.udid(), "Idle", None);
    assert_eq!(still_managed(&ended.report(&idle).await.unwrap()), 400);
    // And the way back is open.
    server.import_inventory(&inventory_csv(["DMPX00000004"], COLLEGE)).await.unwrap();
    new.enrol_by_link(&server.link_for("DMPX00000004").await.unwrap()).await.unwrap();
    obey(&mut new).await;
}

async fn t_a7_what_a_week_changed_is_lost_and_no_tablet_with_it(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut same = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut renewed = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let mut enrolled_again = server.enrolled_ipad("DMPX00000003").await.unwrap();
    let mut left = server.enrolled_ipad("DMPX00000004").await.unwrap();
    for ipad in [&mut same, &mut renewed, &mut enrolled_again, &mut left] {
        obey(ipad).await;
    }
    let waiting = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    let file = server.home().join("last-week");
    server.backup(&file).await.unwrap();

    // A week goes by: one carries out its command, one renews, one enrols again, one leaves, one comes.
    server.advance(DAY * 7);
    obey(&mut same).await;
    let key = server.keys().key(3);
    let subject = named("a tablet");
    let wanted = request(&subject, &key, None);
    let former = renewed.identity().unwrap().clone();
    let given = Asker::of(&server, Via::Post).client().ask("17", &former, &wanted).await.unwrap();
    renewed.set_identity(Some(Identity::new(given[0].clone(), key.clone())));
    obey(&mut renewed).await;
    enrolled_again.enrol_by_link(&server.link_for("DMPX00000003").await.unwrap()).await.unwrap();
    obey(&mut enrolled_again).await;
    let of_who_left = left.enrolment().cloned();
    left.check_out().await.unwrap();
    let mut new = server.enrolled_ipad("DMPX00000005").await.unwrap();
    obey(&mut new).await;
    let settled = server.alarm_kinds().await.unwrap();

    server.stop().await;
    ByHand::of(&server).empty();
    server.restore(&file).await.unwrap();
    server.sign_in_again().await.unwrap();

    // Whom the database does not know is asked to come back: to every message, however often.
    for ipad in [&mut renewed, &mut enrolled_again, &mut new] {
        let serial = ipad.serial().to_owned();
        for _again in 0..3 {
            let idle = report(ipad.udid(), "Idle", None);
            assert_eq!(still_managed(&ipad.report(&idle).await.unwrap()), 503, "{serial}");
            for message in [ipad.token_update_message().unwrap(), ipad.authenticate_message().unwrap()] {
                assert_eq!(still_managed(&ipad.check_in(&message).await.unwrap()), 503, "{serial}");
            }
        }
        assert!(ipad.is_enrolled(), "{serial}");
    }
    let alarms = server.alarm_kinds().await.unwrap();
    let unknown = alarms.iter().filter(|kind| *kind == "unknown-certificate").count();
    assert_eq!(unknown, 3, "one alarm for each, not for each message: {alarms:?}, before: {settled:?}");

    // Whom it knows is served as if nothing had happened; what was done since is at most done again.
    assert_eq!(obey(&mut same).await.request_types(), ["RestartDevice"]);
    assert_eq!(state_of(&server, &waiting).await, "acknowledged");
    assert_eq!(standing(&server, "DMPX00000004").await, "enrolled", "it left after the backup");
    assert_eq!(of_who_left.map(|enrolment| enrolment.stage), Some(tablets::Stage::Enrolled));

    // And those it does not know come in again as anyone does.
    for (ipad, serial) in [(&mut renewed, "DMPX00000002"), (&mut enrolled_again, "DMPX00000003")] {
        ipad.enrol_by_link(&server.link_for(serial).await.unwrap()).await.unwrap();
        obey(ipad).await;
        assert_eq!(standing(&server, serial).await, "enrolled");
    }
    let again = inventory_csv(["DMPX00000005"], COLLEGE);
    server.import_inventory(&again).await.unwrap();
    new.enrol_by_link(&server.link_for("DMPX00000005").await.unwrap()).await.unwrap();
    obey(&mut new).await;
}

/// A queued erase with its order and the retirement that it rests on, as a later release would have left them in the tables.
async fn queue_an_erase(server: &TestServer, by_hand: &ByHand, serial: &str) -> String {
    let tablet = server.tablet(serial).await.unwrap()["id"].as_str().unwrap().to_owned();
    let enrolment = enrolment(server, serial).await["id"].as_str().unwrap().to_owned();
    let (order, command) = ("0190f6f0-0000-7000-8000-00000000000a", "0190f6f0-0000-7000-8000-00000000000b");
    let decision = "0190f6f0-0000-7000-8000-00000000000e";
    let operator = server.operator().unwrap();
    by_hand.run(&format!(
        "INSERT INTO destructions (id, kind, day, at, actor, ref, state) \
         VALUES ('counted', 'erase', '2026-11-25', 1, 'host', '{order}', 'counted'); \
         INSERT INTO last_decisions (id, kind, tablet_id, reason, begun_at) \
         VALUES ('{decision}', 'retirement', '{tablet}', 'worn out', 0); \
         UPDATE last_decisions SET departement_by = '{operator}', departement_at = 0 WHERE id = '{decision}'; \
         INSERT INTO erase_orders (id, tablet_id, cause, state, not_before, expires_at, decision_id) \
         VALUES ('{order}', '{tablet}', 'retirement', 'open', 0, 9000000000000, '{decision}'); \
         INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, erase_order_id, priority, urgent, state, \
         queued_at, queued_by, sent_count, not_now_count) VALUES ('{command}', '{enrolment}', '{tablet}', \
         'EraseDevice', 'erase', '{order}', 10, TRUE, 'queued', 1, 'host', 0, 0)"
    ));
    command.to_owned()
}

/// A recorded end of an enrolment, as a later release would have left it in the tables.
async fn end_the_enrolment(server: &TestServer, by_hand: &ByHand, serial: &str) {
    let enrolment = enrolment(server, serial).await["id"].as_str().unwrap().to_owned();
    by_hand.run(&format!(
        "INSERT INTO enrolment_ends (id, enrolment_id, reason, decided_at, decided_by, state) \
         VALUES ('0190f6f0-0000-7000-8000-00000000000c', '{enrolment}', 'donation', 1, 'host', 'open'); \
         UPDATE enrolments SET state = 'ended', ended_at = 1, end_id = '0190f6f0-0000-7000-8000-00000000000c' \
         WHERE id = '{enrolment}'"
    ));
}
