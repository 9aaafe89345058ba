//! A database brought back from last week: it knows less than the tablets do, and that unenrols nobody.

use store::Engine;
use tablets::{Identity, Via};
use testkit::TestServer;

use crate::asker::{Asker, named, request};
use crate::support::{DAY, obey, on_both_engines, report, standing, state_of, still_managed};

on_both_engines! {
    t_a7_a_database_restored_from_last_week_unenrols_nobody,
}

async fn t_a7_a_database_restored_from_last_week_unenrols_nobody(engine: Engine) {
    let mut server = TestServer::start(engine).await.unwrap();
    let mut same = server.enrolled_ipad("DMPX00000001").await.unwrap();
    let mut renewed = server.enrolled_ipad("DMPX00000002").await.unwrap();
    let mut enrolled_again = server.enrolled_ipad("DMPX00000003").await.unwrap();
    let mut left = server.enrolled_ipad("DMPX00000004").await.unwrap();
    for ipad in [&mut same, &mut renewed, &mut enrolled_again, &mut left] {
        obey(ipad).await;
    }
    let waiting = server.command("DMPX00000001", "RestartDevice", serde_json::Value::Null).await.unwrap();
    server.back_up("last-week.backup").await.unwrap();

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

    server.restore("last-week.backup").await.unwrap();

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
    let again = testkit::inventory_csv(["DMPX00000005"], crate::support::COLLEGE);
    server.import_inventory(&again).await.unwrap();
    new.enrol_by_link(&server.link_for("DMPX00000005").await.unwrap()).await.unwrap();
    obey(&mut new).await;
}
