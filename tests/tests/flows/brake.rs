//! What destroys is counted, held back, and stopped (M4, M5): unenrolment through the whole server.

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Outcome;
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, TestServer, rows};
use types::{Clock as _, Role, SerialNumber};

use crate::support::{
    COLLEGE, OTHER_COLLEGE, asleep, enrolment_id, fetched, on_both_engines, pushed, report, standing,
};

on_both_engines! {
    m4_a_tablet_leaves_by_a_recorded_decision_and_its_identity_is_told_so,
    m4_a_tablet_that_left_while_the_switch_was_thrown_has_left,
    m4_an_end_that_was_called_off_before_the_tablet_heard_of_it_may_be_decided_again,
    t_c14_what_one_person_asks_for_above_the_budget_waits_for_a_second_one,
    t_c14_the_switch_stops_what_is_queued_until_two_persons_release_it,
    t_c1_one_tablet_out_of_reach_spares_all_the_others,
    t_c14_a_hundred_tokens_and_new_accounts_are_one_budget,
}

/// Serial numbers of tablets that stand in the database only.
fn serials(prefix: &str, count: usize) -> Vec<SerialNumber> {
    (0..count).map(|number| format!("{prefix}{number:05}").parse().unwrap()).collect()
}

async fn unenrol(client: &ApiClient, tablets: &[SerialNumber]) -> testkit::Answer {
    let wanted = json!({ "tablets": tablets, "reason": "rendue, hors d’usage" });
    client.post("/api/v1/unenrolments", &wanted).await.unwrap()
}

async fn operator(server: &TestServer, login: &str) -> ApiClient {
    let account =
        server.someone(Employer::Departement, login, Role::Operator, GrantReach::Organisation).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

async fn enrolled_rows(server: &TestServer, tablets: &[SerialNumber], uai: &str) {
    let (store, now) = (server.fleet().unwrap().store(), server.clock().now());
    rows::enrolled(store, tablets, &[uai.parse().unwrap()], now).await.unwrap();
}

async fn acts(server: &TestServer, state: &str) -> usize {
    let client = server.stepped_up().await.unwrap();
    let path = format!("/api/v1/brake/acts?limit=500&state={state}");
    let listed = client.get(&path).await.unwrap().ok().unwrap();
    listed["items"].as_array().unwrap().len()
}

async fn enrolled(server: &TestServer) -> u64 {
    let status = server.api().unwrap().get("/api/v1/status").await.unwrap().ok().unwrap();
    status["enrolled"].as_u64().unwrap()
}

async fn m4_a_tablet_leaves_by_a_recorded_decision_and_its_identity_is_told_so(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut leaving = asleep(&server, "DMPX00000001").await;
    let mut staying = asleep(&server, "DMPX00000002").await;
    let identity = enrolment_id(&server, "DMPX00000001").await;
    let tablet: SerialNumber = "DMPX00000001".parse().unwrap();

    let token = server.api().unwrap();
    let refused = unenrol(token, std::slice::from_ref(&tablet)).await;
    assert_eq!((refused.status, refused.text("/code")), (403, "step-up"), "a token alone destroys nothing");

    let camille = server.stepped_up().await.unwrap();
    let decided = unenrol(&camille, std::slice::from_ref(&tablet)).await;
    assert_eq!(decided.status, 201, "{decided:?}");
    assert_eq!(decided.body.get("held"), None);
    let again = unenrol(&camille, std::slice::from_ref(&tablet)).await;
    assert_eq!(again.status, 409, "one decision stands: {again:?}");
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled", "until the tablet was told");

    pushed(&server, &leaving, 2).await;
    let cut_off = leaving.poll().await.unwrap();
    assert!(!leaving.is_enrolled(), "{cut_off:?}");
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    assert_eq!(standing(&server, "DMPX00000002").await, "enrolled");
    assert!(staying.poll().await.unwrap().outcome.is_accepted());
    let row = server.fleet().unwrap().store().read(move |tx| store::enrolments::get(tx, &identity)).await;
    assert!(row.unwrap().unwrap().end_id.is_some(), "its end is recorded");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new(), "nobody removed it on the sly");
    assert_eq!(acts(&server, "counted").await, 1);

    // It may come back through a link, as anyone.
    leaving.enrol_by_link(&server.link_for("DMPX00000001").await.unwrap()).await.unwrap();
    assert_eq!(standing(&server, "DMPX00000001").await, "enrolled");
}

async fn m4_a_tablet_that_left_while_the_switch_was_thrown_has_left(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut leaving = asleep(&server, "DMPX00000001").await;
    let identity = enrolment_id(&server, "DMPX00000001").await;
    let camille = server.stepped_up().await.unwrap();
    let tablet: SerialNumber = "DMPX00000001".parse().unwrap();
    assert_eq!(unenrol(&camille, std::slice::from_ref(&tablet)).await.status, 201);
    let command = fetched(&mut leaving).await.unwrap();
    let thrown = camille.post("/api/v1/brake/engage", &json!({ "reason": "trop tard" })).await.unwrap();
    assert_eq!(thrown.status, 200);
    let cancelled = camille.delete(&format!("/api/v1/commands/{command}")).await.unwrap();
    assert_eq!(cancelled.status, 409, "it was given to the tablet: {cancelled:?}");
    let done = report(leaving.udid(), "Acknowledged", Some(&command));
    assert!(leaving.report(&done).await.unwrap().is_accepted());
    assert_eq!(standing(&server, "DMPX00000001").await, "not-enrolled");
    let row = server.fleet().unwrap().store().read(move |tx| store::enrolments::get(tx, &identity)).await;
    assert!(row.unwrap().unwrap().end_id.is_some(), "by our decision");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new());
}

async fn m4_an_end_that_was_called_off_before_the_tablet_heard_of_it_may_be_decided_again(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, "DMPX00000001").await;
    let camille = server.stepped_up().await.unwrap();
    let tablet: SerialNumber = "DMPX00000001".parse().unwrap();
    let twice = [tablet.clone(), tablet.clone()];
    assert_eq!(unenrol(&camille, &twice).await.status, 422, "one tablet is named once");
    assert_eq!(unenrol(&camille, std::slice::from_ref(&tablet)).await.status, 201);
    let queued = camille.get("/api/v1/tablets/DMPX00000001/commands").await.unwrap();
    let command = queued.text("/items/0/id").to_owned();
    assert_eq!(queued.text("/items/0/request_type"), "RemoveProfile");
    assert_eq!(camille.delete(&format!("/api/v1/commands/{command}")).await.unwrap().status, 200);
    assert!(ipad.poll().await.unwrap().handled.is_empty());
    assert!(ipad.is_enrolled());
    assert_eq!(unenrol(&camille, std::slice::from_ref(&tablet)).await.status, 201);
    ipad.poll().await.unwrap();
    assert!(!ipad.is_enrolled());
}

async fn t_c14_what_one_person_asks_for_above_the_budget_waits_for_a_second_one(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let many = serials("DMPY", 41);
    enrolled_rows(&server, &many, COLLEGE).await;
    let camille = server.stepped_up().await.unwrap();
    let bruno = operator(&server, "bruno").await;

    let held = unenrol(&camille, &many).await;
    assert_eq!(held.status, 201, "{held:?}");
    let asked = held.text("/held").to_owned();
    assert_eq!((acts(&server, "held").await, acts(&server, "counted").await), (41, 0), "all wait, not one");
    let go = json!({ "countersignature": asked });
    let early = camille.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!(early.status, 409, "{early:?}");

    // The second person sees what exactly it is about, and says no: none of it will ever go.
    let path = format!("/api/v1/countersignatures/{asked}");
    let shown = bruno.get(&path).await.unwrap().ok().unwrap();
    let seen = shown["content_sha256"].as_str().unwrap().to_owned();
    let own = answer(&camille, &asked, "give", &seen).await;
    assert!(matches!(own.status, 403 | 409), "nobody is their own second person: {own:?}");
    assert_eq!(answer(&bruno, &asked, "refuse", &seen).await.status, 200);
    assert_eq!((acts(&server, "held").await, acts(&server, "void").await), (0, 41));
    let late = camille.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!(late.status, 409, "{late:?}");

    // Asked again, and signed: exactly that goes, once.
    let held = unenrol(&camille, &many).await;
    let asked = held.text("/held").to_owned();
    let path = format!("/api/v1/countersignatures/{asked}");
    let seen = bruno.get(&path).await.unwrap().text("/content_sha256").to_owned();
    assert_eq!(answer(&bruno, &asked, "give", &seen).await.status, 200);
    let go = json!({ "countersignature": asked });
    let not_his = bruno.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!(not_his.status, 404, "whoever asked does it: {not_his:?}");
    let gone = camille.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!((gone.status, gone.body["acts"].as_u64()), (200, Some(41)), "{gone:?}");
    let twice = camille.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!(twice.status, 409, "{twice:?}");
    assert_eq!(acts(&server, "released").await, 41);
    assert_eq!(enrolled(&server).await, 41, "each leaves when it is told");
}

async fn answer(client: &ApiClient, asked: &str, verdict: &str, seen: &str) -> testkit::Answer {
    let path = format!("/api/v1/countersignatures/{asked}/answer");
    let said = json!({ "verdict": verdict, "content_sha256": seen, "reason": "vérifié au téléphone" });
    client.post(&path, &said).await.unwrap()
}

async fn t_c14_the_switch_stops_what_is_queued_until_two_persons_release_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut leaving = asleep(&server, "DMPX00000001").await;
    let tablet: SerialNumber = "DMPX00000001".parse().unwrap();
    let camille = server.stepped_up().await.unwrap();
    let bruno = operator(&server, "bruno").await;
    assert_eq!(unenrol(&camille, std::slice::from_ref(&tablet)).await.status, 201);

    // Whoever looks on throws it, without a code, and at once.
    let ati = server
        .someone(
            Employer::Departement,
            "dalila",
            Role::Ati,
            GrantReach::Colleges([COLLEGE.parse().unwrap()].into()),
        )
        .await
        .unwrap();
    let dalila = server.in_session(ati, CodeShown::Never).await.unwrap();
    let thrown =
        dalila.post("/api/v1/brake/engage", &json!({ "reason": "une session volée" })).await.unwrap();
    assert_eq!((thrown.status, &thrown.body["engaged"]), (200, &Value::Bool(true)), "{thrown:?}");

    // What was queued before is not delivered, and ordinary commands are.
    let ordinary = server.command("DMPX00000001", "SecurityInfo", Value::Null).await.unwrap();
    let conversation = leaving.poll().await.unwrap();
    assert!(leaving.is_enrolled(), "{conversation:?}");
    assert_eq!(server.show_command(&ordinary).await.unwrap()["state"], "acknowledged");
    let more = serials("DMPY", 1);
    enrolled_rows(&server, &more, COLLEGE).await;
    let refused = unenrol(&camille, &more).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "stopped"), "{refused:?}");

    // One person does not release it; two do, and what was queued goes on.
    let asked =
        camille.post("/api/v1/brake/ask-release", &json!({ "reason": "fausse alerte" })).await.unwrap();
    let asked = asked.text("/countersignature").to_owned();
    let release = json!({ "countersignature": asked });
    assert_eq!(camille.post("/api/v1/brake/release", &release).await.unwrap().status, 409);
    let path = format!("/api/v1/countersignatures/{asked}");
    let seen = bruno.get(&path).await.unwrap().text("/content_sha256").to_owned();
    assert_eq!(answer(&bruno, &asked, "give", &seen).await.status, 200);
    assert_eq!(camille.post("/api/v1/brake/release", &release).await.unwrap().status, 204);
    server.advance(types::Duration::from_secs(600));
    let told = leaving.report(&report(leaving.udid(), "Idle", None)).await.unwrap();
    assert!(matches!(&told, Outcome::Accepted { .. }), "{told:?}");
    leaving.poll().await.unwrap();
    assert!(!leaving.is_enrolled());
}

async fn t_c1_one_tablet_out_of_reach_spares_all_the_others(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let (here, there) = (serials("DMPY", 2), serials("DMPZ", 1));
    enrolled_rows(&server, &here, COLLEGE).await;
    enrolled_rows(&server, &there, OTHER_COLLEGE).await;
    let account = server
        .someone(
            Employer::Departement,
            "bruno",
            Role::Operator,
            GrantReach::Colleges([COLLEGE.parse().unwrap()].into()),
        )
        .await
        .unwrap();
    let bruno = server.in_session(account, CodeShown::JustNow).await.unwrap();
    let mixed = [here.clone(), there].concat();
    let refused = unenrol(&bruno, &mixed).await;
    assert_eq!((refused.status, refused.text("/code")), (404, "not-found"), "{refused:?}");
    assert_eq!(acts(&server, "counted").await, 0);
    assert_eq!(unenrol(&bruno, &here).await.status, 201);
    assert_eq!(acts(&server, "counted").await, 2);
}

async fn t_c14_a_hundred_tokens_and_new_accounts_are_one_budget(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let many = serials("DMPY", 42);
    enrolled_rows(&server, &many, COLLEGE).await;
    // Forty go, however they are spread over sessions of one account; the next one waits.
    for batch in many[..40].chunks(10) {
        let session = server.stepped_up().await.unwrap();
        let decided = unenrol(&session, batch).await;
        assert_eq!((decided.status, decided.body.get("held")), (201, None), "{decided:?}");
    }
    let session = server.stepped_up().await.unwrap();
    let one_more = unenrol(&session, &many[40..41]).await;
    assert!(!one_more.text("/held").is_empty(), "{one_more:?}");
    // Another colleague has a budget of their own; the clock set back to yesterday opens no second one.
    let bruno = operator(&server, "bruno").await;
    let theirs = unenrol(&bruno, &many[41..]).await;
    assert_eq!((theirs.status, theirs.body.get("held")), (201, None), "{theirs:?}");
    server.clock().set_back(types::Duration::from_secs(26 * 3_600));
    let yesterday = server.stepped_up().await.unwrap();
    let brake = yesterday.get("/api/v1/brake").await.unwrap().ok().unwrap();
    assert_eq!(brake["own"], 40, "{brake}");
}
