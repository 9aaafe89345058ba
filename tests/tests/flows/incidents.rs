//! Incidents through the whole server: what happened is declared, papers have their clocks, and lost mode rests on an open
//! incident, is braked on its way in, and never on its way out (C5.4.*, M1, M5).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, TestServer};
use types::{Clock as _, Duration, Role};

use crate::support::{COLLEGE, OTHER_COLLEGE, asleep, obey, on_both_engines, pushed};

on_both_engines! {
    m1_t_c17_lost_mode_rests_on_an_open_incident_and_ends_with_it,
    t_c17_lost_mode_comes_back_with_the_tablet_while_the_incident_is_open_and_not_after,
    t_c14_lost_mode_is_stopped_by_the_switch_and_its_end_is_not,
    c5_4_2_the_clocks_of_papers_run_and_late_is_shown_never_refused,
    t_c1_an_incident_of_another_college_does_not_exist,
    c5_4_2_an_incident_that_was_closed_too_soon_goes_on_in_another,
    c5_4_2_a_paper_that_the_rules_do_not_ask_for_or_from_before_is_refused_with_both_dates,
    c5_4_2_a_paper_is_put_right_with_a_reason_and_what_was_said_before_stays,
    c5_4_2_a_paper_is_put_right_at_most_twenty_times_and_can_be_taken_back_then,
    c5_4_2_when_it_was_noticed_is_put_right_and_the_clocks_follow,
    c3_1_6_without_the_dpo_no_incident_is_declared_and_those_that_are_open_go_on_to_their_end,
}

const SERIAL: &str = "DMPX00000001";
const HOUR: Duration = Duration::from_secs(3_600);

/// The tablet, enrolled and asleep, and in the inventory for so long.
async fn here_since(server: &TestServer, span: Duration) -> Ipad {
    let ipad = asleep(server, SERIAL).await;
    server.advance(span);
    ipad
}

/// The tablet in the inventory, for so long.
async fn entered_since(server: &TestServer, span: Duration) {
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    server.advance(span);
}

async fn here(server: &TestServer, login: &str, role: Role) -> ApiClient {
    let (employer, reach) = match role {
        Role::Head => (Employer::College(COLLEGE.parse().unwrap()), GrantReach::Organisation),
        _ => (Employer::Departement, GrantReach::Colleges(BTreeSet::from([COLLEGE.parse().unwrap()]))),
    };
    let account = server.someone(employer, login, role, reach).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

async fn declare(server: &TestServer, client: &ApiClient, kind: &str) -> Answer {
    server.validate_activity("incidents").await.unwrap();
    declare_as_it_stands(server, client, kind).await
}

/// Whatever the DPO has validated.
async fn declare_as_it_stands(server: &TestServer, client: &ApiClient, kind: &str) -> Answer {
    let noticed = server.clock().now();
    let new = json!({
        "kind": kind,
        "noticed_at": noticed.to_string(),
        "circumstances": "Volée dans le car, ligne 12",
    });
    client.post(&format!("/api/v1/tablets/{SERIAL}/incidents"), &new).await.unwrap()
}

async fn act(client: &ApiClient, id: &str, what: &str, body: Value) -> Answer {
    client.post(&format!("/api/v1/incidents/{id}/{what}"), &body).await.unwrap()
}

async fn step(client: &ApiClient, id: &str, step: &str) -> Answer {
    act(client, id, "steps", json!({ "step": step })).await
}

async fn lost_mode(client: &ApiClient, id: &str) -> String {
    let shown = client.get(&format!("/api/v1/incidents/{id}")).await.unwrap();
    shown.text("/lost_mode/state").to_owned()
}

/// A theft, and the tablet in lost mode.
async fn lost(server: &TestServer, client: &ApiClient, ipad: &mut Ipad) -> String {
    let declared = declare(server, client, "theft").await;
    assert_eq!(declared.status, 201, "{declared:?}");
    let id = declared.text("/id").to_owned();
    let asked = act(client, &id, "lost-mode", json!({ "reason": "volée" })).await;
    assert_eq!((asked.status, asked.body.get("held")), (201, None), "{asked:?}");
    assert_eq!(lost_mode(client, &id).await, "asked", "not yet on");
    pushed(server, ipad, 2).await;
    obey(ipad).await;
    assert_eq!(lost_mode(client, &id).await, "on");
    id
}

async fn m1_t_c17_lost_mode_rests_on_an_open_incident_and_ends_with_it(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let ati = here(&server, "ati", Role::Ati).await;
    // Neither comes without an incident, whoever sends it.
    for (kind, keys) in [("EnableLostMode", json!({ "Message": "?" })), ("PlayLostModeSound", json!({}))] {
        let path = format!("/api/v1/tablets/{SERIAL}/commands");
        let sent = ati.post(&path, &json!({ "request_type": kind, "parameters": keys })).await.unwrap();
        assert!(matches!(sent.status, 403 | 422), "{kind}: {sent:?}");
    }
    // A broken screen puts nobody in lost mode.
    let broken = declare(&server, &ati, "breakage").await;
    let refused = act(&ati, broken.text("/id"), "lost-mode", json!({ "reason": "cassée" })).await;
    assert_eq!(
        (refused.text("/code"), refused.text("/rule")),
        ("forbidden-by-rule", "C5.4.3"),
        "{refused:?}"
    );

    let id = lost(&server, &ati, &mut ipad).await;
    let shown = ipad.state().lost_mode.clone().unwrap();
    assert!(shown.message.unwrap().contains("Merci de la rapporter"), "the département's own words");
    assert_eq!(act(&ati, &id, "sound", json!({})).await.status, 201);
    obey(&mut ipad).await;
    assert_eq!(ipad.state().sounds, 1);

    // A missing tablet is found, or not, before its incident closes.
    let early = step(&ati, &id, "close").await;
    assert_eq!(early.text("/code"), "forbidden-by-rule", "{early:?}");
    assert_eq!(step(&ati, &id, "find").await.status, 200);
    assert_eq!(lost_mode(&ati, &id).await, "on", "until it is closed");
    let closed = step(&ati, &id, "close").await;
    assert_eq!((closed.status, closed.text("/state")), (200, "closed"), "{closed:?}");
    assert_eq!(lost_mode(&ati, &id).await, "ending");
    obey(&mut ipad).await;
    assert_eq!(ipad.state().lost_mode, None);
    assert_eq!(lost_mode(&ati, &id).await, "off");
    // What is closed carries nothing any more.
    let late = act(&ati, &id, "lost-mode", json!({ "reason": "encore" })).await;
    assert_eq!(late.text("/code"), "forbidden-by-rule", "{late:?}");
    assert_eq!(act(&ati, &id, "sound", json!({})).await.text("/code"), "forbidden-by-rule");
    assert_eq!(server.alarm_kinds().await.unwrap(), Vec::<String>::new());
}

async fn t_c17_lost_mode_comes_back_with_the_tablet_while_the_incident_is_open_and_not_after(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = lost(&server, &ati, &mut ipad).await;
    // Somebody erased it by hand: it comes back as new.
    let mut again = server.ipad(SERIAL).build().unwrap();
    again.enrol_by_link(&server.link_for(SERIAL).await.unwrap()).await.unwrap();
    assert_eq!(lost_mode(&ati, &id).await, "asked");
    obey(&mut again).await;
    assert!(again.state().lost_mode.is_some());
    assert_eq!(lost_mode(&ati, &id).await, "on");
    assert_eq!(step(&ati, &id, "find").await.status, 200);
    assert_eq!(step(&ati, &id, "close").await.status, 200);
    obey(&mut again).await;
    assert_eq!(again.state().lost_mode, None);
    let mut third = server.ipad(SERIAL).build().unwrap();
    third.enrol_by_link(&server.link_for(SERIAL).await.unwrap()).await.unwrap();
    obey(&mut third).await;
    assert_eq!(third.state().lost_mode, None, "what is closed puts nothing on again");
}

async fn t_c14_lost_mode_is_stopped_by_the_switch_and_its_end_is_not(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = lost(&server, &ati, &mut ipad).await;
    let thrown = ati.post("/api/v1/brake/engage", &json!({ "reason": "jeton volé" })).await.unwrap();
    assert_eq!(thrown.status, 200, "{thrown:?}");
    assert_eq!(act(&ati, &id, "sound", json!({})).await.text("/code"), "stopped");
    assert_eq!(step(&ati, &id, "find").await.status, 200);
    assert_eq!(step(&ati, &id, "close").await.status, 200);
    obey(&mut ipad).await;
    assert_eq!(ipad.state().lost_mode, None, "turning it off is never stopped");
    assert_eq!(lost_mode(&ati, &id).await, "off");
    // Nothing new goes while the switch is thrown.
    let other = declare(&server, &ati, "loss").await;
    let refused = act(&ati, other.text("/id"), "lost-mode", json!({ "reason": "perdue" })).await;
    assert_eq!(refused.text("/code"), "stopped", "{refused:?}");
}

async fn c5_4_2_the_clocks_of_papers_run_and_late_is_shown_never_refused(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let ipad = here_since(&server, HOUR * 2).await;
    let head = here(&server, "head", Role::Head).await;
    let declared = declare(&server, &head, "theft").await;
    let id = declared.text("/id").to_owned();
    let clock = |answer: &Answer, number: usize| {
        let at = |what: &str| answer.text(&format!("/papers/{number}/{what}")).to_owned();
        (at("paper"), at("standing"))
    };
    assert_eq!(clock(&declared, 0), ("letter".into(), "awaited".into()));
    assert_eq!(clock(&declared, 1), ("complaint".into(), "awaited".into()));
    let today = types::Day::of(server.clock().now()).to_string();
    let letter = json!({ "reference": "Courrier 2026-118", "dated": today });
    let in_time = act(&head, &id, "letter", letter.clone()).await;
    assert_eq!(clock(&in_time, 0), ("letter".into(), "in-time".into()), "{in_time:?}");
    assert_eq!(act(&head, &id, "letter", letter).await.status, 409, "recorded once");
    let to_come = json!({ "number": "1", "dated": "2099-01-01", "station": "Rouen" });
    assert_eq!(act(&head, &id, "complaint", to_come).await.status, 422);

    server.advance(Duration::from_secs(49 * 3_600));
    let head = here(&server, "head-again", Role::Head).await;
    let open = head.get("/api/v1/incidents").await.unwrap();
    assert_eq!(open.text("/items/0/id"), id);
    assert_eq!(open.text("/items/0/papers/1/standing"), "missing", "{open:?}");
    assert!(
        open.body.pointer("/items/0/papers/1/late_seconds").is_some_and(|late| late.as_u64() > Some(3_000))
    );
    let late = json!({ "number": "2026/1234", "dated": today, "station": "Commissariat de Rouen" });
    let recorded = act(&head, &id, "complaint", late).await;
    assert_eq!((recorded.status, clock(&recorded, 1).1), (200, "came-late".to_owned()), "{recorded:?}");
    assert!(!open.body.to_string().contains("ligne 12"), "circumstances stand in no list");
    let shown = head.get(&format!("/api/v1/incidents/{id}")).await.unwrap();
    assert_eq!(shown.text("/circumstances"), "Volée dans le car, ligne 12");
    let right = json!({
        "paper": "complaint", "reference": "2026/1234", "dated": today, "station": "Commissariat d’Elbeuf",
        "reason": "le père s’était trompé",
    });
    assert_eq!(act(&head, &id, "papers/correct", right).await.status, 200);
    let noticed: types::Instant = shown.text("/noticed_at").parse().unwrap();
    let noticed = noticed.minus(Duration::from_secs(1)).to_string();
    let noticed = json!({ "noticed_at": noticed, "reason": "le père s’était trompé" });
    assert_eq!(
        act(&head, &id, "noticed", noticed).await.text("/former_papers/0/reason"),
        "le père s’était trompé"
    );
    // Who oversees sees the papers and their clocks, and not what was said of people.
    let auditor = (Employer::Departement, "auditor", Role::Auditor, GrantReach::Organisation);
    let auditor = server.someone(auditor.0, auditor.1, auditor.2, auditor.3).await.unwrap();
    let auditor = server.in_session(auditor, CodeShown::JustNow).await.unwrap();
    let overseen = auditor.get(&format!("/api/v1/incidents/{id}")).await.unwrap();
    assert_eq!((overseen.status, overseen.text("/papers/1/standing")), (200, "came-late"), "{overseen:?}");
    assert_eq!(overseen.body.get("circumstances"), None, "{overseen:?}");
    assert_eq!(overseen.text("/former_papers/0/station"), "Commissariat de Rouen", "{overseen:?}");
    assert!(overseen.body["formerly_noticed"][0]["corrected_at"].is_string(), "{overseen:?}");
    assert!(!overseen.body.to_string().contains("le père"), "nor why it was put right: {overseen:?}");
    drop(ipad);
}

async fn t_c1_an_incident_of_another_college_does_not_exist(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let declared = declare(&server, &ati, "loss").await;
    assert_eq!(declared.status, 201, "{declared:?}");
    let id = declared.text("/id").to_owned();
    let employer = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other = server.someone(employer, "other-head", Role::Head, GrantReach::Organisation).await.unwrap();
    let other = server.in_session(other, CodeShown::JustNow).await.unwrap();
    assert_eq!(declare(&server, &other, "loss").await.status, 404);
    assert_eq!(other.get(&format!("/api/v1/incidents/{id}")).await.unwrap().status, 404);
    assert_eq!(step(&other, &id, "find").await.status, 404);
    assert_eq!(act(&other, &id, "lost-mode", json!({ "reason": "?" })).await.status, 404);
    let list = other.get("/api/v1/incidents?all=true").await.unwrap();
    assert_eq!(list.body["items"], json!([]));
    // A tablet is missing once.
    let twice = declare(&server, &ati, "theft").await;
    assert_eq!(twice.status, 409, "{twice:?}");
    // One that is not enrolled can be told nothing.
    let unreachable = act(&ati, &id, "lost-mode", json!({ "reason": "perdue" })).await;
    assert_eq!(unreachable.status, 409, "{unreachable:?}");
}

async fn c5_4_2_an_incident_that_was_closed_too_soon_goes_on_in_another(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let mut ipad = asleep(&server, SERIAL).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let id = lost(&server, &ati, &mut ipad).await;
    let open = act(&ati, &id, "reopen", json!({ "reason": "erreur" })).await;
    assert_eq!(open.text("/code"), "forbidden-by-rule", "{open:?}");
    assert_eq!(step(&ati, &id, "give-up").await.status, 200);
    let today = types::Day::of(server.clock().now()).to_string();
    let letter = json!({ "reference": "Courrier 7", "dated": today });
    assert_eq!(act(&ati, &id, "letter", letter).await.status, 200);
    assert_eq!(step(&ati, &id, "close").await.status, 200);
    obey(&mut ipad).await;
    let again = act(&ati, &id, "reopen", json!({ "reason": "vue au marché" })).await;
    assert_eq!((again.status, again.text("/state"), again.text("/reopens")), (201, "in-progress", &*id));
    assert_eq!(again.text("/papers/0/standing"), "in-time", "papers are kept");
    assert_eq!(
        again.body.get("lost_mode"),
        Some(&Value::Null),
        "what rested on the first does not on the second"
    );
    assert_eq!(ipad.state().lost_mode, None);
    let twice = act(&ati, &id, "reopen", json!({ "reason": "encore" })).await;
    assert_eq!(twice.status, 409, "{twice:?}");
}

async fn c5_4_2_a_paper_that_the_rules_do_not_ask_for_or_from_before_is_refused_with_both_dates(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    // A wrong day or instant is answered with an example, in words and not in those of a parser.
    for noticed in ["hier", "2026-11-26"] {
        let new = json!({ "kind": "loss", "noticed_at": noticed });
        let wrong = ati.post(&format!("/api/v1/tablets/{SERIAL}/incidents"), &new).await.unwrap();
        let said = wrong.text("/detail");
        assert!(said.starts_with("noticed_at") && said.contains("2026-11-23T22:00:00Z"), "{wrong:?}");
        assert!(wrong.status == 422 && !said.contains("column"), "{wrong:?}");
    }
    let today = types::Day::of(server.clock().now());
    let complaint =
        |dated: types::Day| json!({ "number": "1", "dated": dated.to_string(), "station": "Rouen" });
    let letter = |dated: types::Day| json!({ "reference": "1", "dated": dated.to_string() });
    let loss = declare(&server, &ati, "loss").await.text("/id").to_owned();
    let refused = act(&ati, &loss, "complaint", complaint(today)).await;
    assert_eq!((refused.status, refused.text("/rule")), (403, "C5.4.2"), "{refused:?}");
    assert!(refused.text("/detail").contains("it needs its letter"), "{refused:?}");
    let before = today.plus(-1);
    let refused = act(&ati, &loss, "letter", letter(before)).await;
    assert_eq!((refused.status, refused.text("/rule")), (403, "C5.4.2"), "{refused:?}");
    for day in [before, today] {
        assert!(refused.text("/detail").contains(&day.to_string()), "both dates: {refused:?}");
    }
    let wrong = json!({ "reference": "1", "dated": "26/11/2026" });
    let wrong = act(&ati, &loss, "letter", wrong).await;
    assert!(wrong.status == 422 && wrong.text("/detail").contains("a date such as 2026-11-2"), "{wrong:?}");
    let shown = ati.get(&format!("/api/v1/incidents/{loss}")).await.unwrap();
    assert_eq!(shown.text("/papers/0/standing"), "awaited", "nothing was recorded");
    assert_eq!(act(&ati, &loss, "letter", letter(today)).await.status, 200);
}

async fn c5_4_2_a_paper_is_put_right_with_a_reason_and_what_was_said_before_stays(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let today = types::Day::of(server.clock().now());
    let id = declare(&server, &ati, "theft").await.text("/id").to_owned();
    let right = |number: &str, dated: types::Day| {
        json!({
            "paper": "complaint", "reference": number, "dated": dated.to_string(), "station": "Elbeuf",
            "reason": "un chiffre était faux",
        })
    };
    let nothing = act(&ati, &id, "papers/correct", right("2026/2", today)).await;
    assert_eq!(nothing.status, 409, "what was never recorded is recorded: {nothing:?}");
    let complaint = json!({ "number": "2026/1", "dated": today.to_string(), "station": "Rouen" });
    assert_eq!(act(&ati, &id, "complaint", complaint.clone()).await.status, 200);
    let before = act(&ati, &id, "papers/correct", right("2026/2", today.plus(-1))).await;
    assert_eq!(before.text("/rule"), "C5.4.2", "{before:?}");
    let mut nowhere = right("2026/2", today);
    nowhere["station"] = Value::Null;
    assert_eq!(act(&ati, &id, "papers/correct", nowhere).await.status, 422, "a complaint names its station");

    let corrected = act(&ati, &id, "papers/correct", right("2026/2", today)).await;
    assert_eq!((corrected.status, corrected.text("/papers/1/reference")), (200, "2026/2"), "{corrected:?}");
    assert_eq!(corrected.text("/papers/1/standing"), "in-time", "it came when it came");
    let former = (corrected.text("/former_papers/0/reference"), corrected.text("/former_papers/0/reason"));
    assert_eq!(former, ("2026/1", "un chiffre était faux"));
    let same = act(&ati, &id, "papers/correct", right("2026/2", today)).await;
    assert_eq!(same.status, 409, "it changes nothing: {same:?}");
    let listed = ati.get("/api/v1/incidents").await.unwrap();
    assert_eq!(listed.text("/items/0/papers/1/reference"), "2026/2", "{listed:?}");
    assert_eq!(listed.body["items"][0].get("former_papers"), None, "in no list: {listed:?}");

    let wrong = json!({ "paper": "complaint", "reason": "d’une autre tablette" });
    let taken_back = act(&ati, &id, "papers/take-back", wrong.clone()).await;
    assert_eq!(taken_back.text("/papers/1/standing"), "awaited", "{taken_back:?}");
    assert_eq!(taken_back.body["former_papers"][1]["taken_back"], true, "{taken_back:?}");
    assert_eq!(act(&ati, &id, "papers/take-back", wrong).await.status, 409);
    assert_eq!(act(&ati, &id, "complaint", complaint).await.status, 409, "what was taken back is put right");
    let again = act(&ati, &id, "papers/correct", right("2026/3", today)).await;
    assert_eq!(again.text("/papers/1/reference"), "2026/3", "{again:?}");
    let log = server.stepped_up().await.unwrap();
    let log = log.get("/api/v1/audit?action=incident.correct-paper").await.unwrap().ok().unwrap();
    assert_eq!(log["items"].as_array().unwrap().len(), 3, "each has its entry: {log}");

    // Another incident of the tablet goes on with what is right, and not with what was said before.
    for to in ["find", "close"] {
        assert_eq!(step(&ati, &id, to).await.status, 200, "{to}");
    }
    let reopened = act(&ati, &id, "reopen", json!({ "reason": "trop tôt" })).await;
    assert_eq!(reopened.text("/papers/1/reference"), "2026/3", "{reopened:?}");
    // From then on papers are put right there alone.
    let wrong = json!({ "paper": "complaint", "reason": "d’une autre tablette" });
    for (what, body) in [("papers/correct", right("2026/4", today)), ("papers/take-back", wrong)] {
        let refused = act(&ati, &id, what, body).await;
        assert_eq!(refused.status, 409, "{what}: {refused:?}");
        assert!(refused.text("/detail").contains(reopened.text("/id")), "it names the one: {refused:?}");
    }
    // One that was never recorded is recorded there.
    let letter = json!({ "reference": "Courrier 7", "dated": today.to_string() });
    let refused = act(&ati, &id, "letter", letter.clone()).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("/detail").contains(reopened.text("/id")), "it names the one: {refused:?}");
    let there = act(&ati, reopened.text("/id"), "letter", letter).await;
    assert_eq!((there.status, there.text("/papers/0/reference")), (200, "Courrier 7"), "{there:?}");
    let there = act(&ati, reopened.text("/id"), "papers/correct", right("2026/4", today)).await;
    assert_eq!(there.text("/papers/1/reference"), "2026/4", "{there:?}");
}

async fn c5_4_2_a_paper_is_put_right_at_most_twenty_times_and_can_be_taken_back_then(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let today = types::Day::of(server.clock().now()).to_string();
    let id = declare(&server, &ati, "loss").await.text("/id").to_owned();
    assert_eq!(act(&ati, &id, "letter", json!({ "reference": "0", "dated": today })).await.status, 200);
    let correct = |number: u32| {
        let right = json!({
            "paper": "letter", "reference": number.to_string(), "dated": today, "reason": "un chiffre était faux",
        });
        act(&ati, &id, "papers/correct", right)
    };
    for number in 1..20 {
        assert_eq!(correct(number).await.status, 200, "{number}");
    }
    let refused = correct(20).await;
    assert!(refused.status == 409 && refused.text("/detail").contains("at most 20"), "{refused:?}");
    let back = json!({ "paper": "letter", "reason": "d’une autre tablette" });
    assert_eq!(act(&ati, &id, "papers/take-back", back).await.status, 200);
    assert_eq!(correct(21).await.status, 409);
}

async fn c5_4_2_when_it_was_noticed_is_put_right_and_the_clocks_follow(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    entered_since(&server, HOUR * 100).await;
    let ati = here(&server, "ati", Role::Ati).await;
    let theft = declare(&server, &ati, "theft").await;
    let id = theft.text("/id").to_owned();
    let instant = |said: &str| said.parse::<types::Instant>().unwrap();
    let (declared, said) = (instant(theft.text("/declared_at")), instant(theft.text("/noticed_at")));
    let before = |hours: u64| declared.minus(Duration::from_secs(hours * 3_600));
    let noticed = |at: types::Instant| json!({ "noticed_at": at.to_string(), "reason": "c’était la veille" });
    let correct = |at: types::Instant| act(&ati, &id, "noticed", noticed(at));

    // A complaint of days before is about something else, until it is said that it was noticed then.
    let filed_on = types::Day::of(declared).plus(-2);
    let complaint = json!({ "number": "2026/1", "dated": filed_on.to_string(), "station": "Rouen" });
    assert_eq!(act(&ati, &id, "complaint", complaint.clone()).await.text("/rule"), "C5.4.2");
    let same = correct(said).await;
    assert_eq!(same.status, 409, "it changes nothing: {same:?}");
    let later = correct(declared.plus(Duration::from_secs(1))).await;
    assert_eq!((later.status, later.text("/rule")), (403, "C5.4.2"), "after it was declared: {later:?}");
    let right = correct(before(73)).await;
    assert_eq!(right.status, 200, "{right:?}");
    assert_eq!(instant(right.text("/papers/1/due_at")), before(25), "the clocks follow");
    assert_eq!(right.text("/papers/1/standing"), "missing");
    let former = (right.text("/formerly_noticed/0/noticed_at"), right.text("/formerly_noticed/0/reason"));
    assert_eq!(former.1, "c’était la veille");
    assert_eq!(instant(former.0), said);
    let listed = ati.get("/api/v1/incidents").await.unwrap();
    assert_eq!(listed.body["items"][0].get("formerly_noticed"), None, "in no list: {listed:?}");
    let recorded = act(&ati, &id, "complaint", complaint).await;
    assert_eq!(recorded.text("/papers/1/standing"), "came-late", "{recorded:?}");
    // The paper has a day: it was not noticed after that.
    let after = correct(declared).await;
    assert!(after.status == 403 && after.text("/detail").contains(&filed_on.to_string()), "{after:?}");

    for what in ["find", "close"] {
        assert_eq!(step(&ati, &id, what).await.status, 200, "{what}");
    }
    let reopened = act(&ati, &id, "reopen", json!({ "reason": "trop tôt" })).await;
    assert_eq!(reopened.status, 201, "{reopened:?}");
    assert_eq!(reopened.text("/noticed_at"), right.text("/noticed_at"), "it goes on with it");
    assert_eq!(reopened.text("/formerly_noticed/0/reason"), "c’était la veille");
    let closed = correct(before(72)).await;
    assert!(closed.status == 409 && closed.text("/detail").contains(reopened.text("/id")), "{closed:?}");
    assert_eq!(act(&ati, reopened.text("/id"), "noticed", noticed(before(72))).await.status, 200);
}

async fn c3_1_6_without_the_dpo_no_incident_is_declared_and_those_that_are_open_go_on_to_their_end(
    engine: Engine,
) {
    let server = TestServer::start(engine).await.unwrap();
    server.import_inventory(&testkit::inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let ati = here(&server, "ati", Role::Ati).await;
    let never = declare_as_it_stands(&server, &ati, "theft").await;
    assert_eq!((never.status, never.text("/rule")), (403, "C3.1.6"), "{never:?}");
    let id = declare(&server, &ati, "theft").await.text("/id").to_owned();
    let dpo =
        server.someone(Employer::Departement, "dpo", Role::Dpo, GrantReach::Organisation).await.unwrap();
    let dpo = server.in_session(dpo, CodeShown::JustNow).await.unwrap();
    let withdrawn = dpo.delete("/api/v1/privacy/register/incidents/validation").await.unwrap();
    assert_eq!(withdrawn.status, 204, "{withdrawn:?}");

    let refused = declare_as_it_stands(&server, &ati, "fault").await;
    assert_eq!((refused.status, refused.text("/rule")), (403, "C3.1.6"), "{refused:?}");
    assert!(refused.text("/detail").contains("withdrawn"), "{refused:?}");
    // What is open is followed: its papers, its steps, its end; and nothing was forgotten.
    let today = types::Day::of(server.clock().now()).to_string();
    let letter = json!({ "reference": "1", "dated": today });
    assert_eq!(act(&ati, &id, "letter", letter).await.text("/papers/0/standing"), "in-time");
    for what in ["find", "close"] {
        assert_eq!(step(&ati, &id, what).await.status, 200, "{what}");
    }
    let shown = ati.get(&format!("/api/v1/incidents/{id}")).await.unwrap();
    assert_eq!(shown.text("/circumstances"), "Volée dans le car, ligne 12", "{shown:?}");
    let reopened = act(&ati, &id, "reopen", json!({ "reason": "trop tôt" })).await;
    assert_eq!((reopened.status, reopened.text("/rule")), (403, "C3.1.6"), "{reopened:?}");
}
