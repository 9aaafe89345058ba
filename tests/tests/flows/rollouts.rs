//! A version that comes in waves while the server dies again and again: each tablet has what both organisations approved, the
//! version before or the new one, and the waves go on (C3.1.1).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, TestServer, inventory_csv};
use types::{Clock as _, Duration, Role};

use crate::first_day::SOCLE;
use crate::segments::{enrolled, follows, rules};
use crate::support::{COLLEGE, OTHER_COLLEGE, fetched, on_both_engines, round};

on_both_engines! {
    c3_1_1_a_crash_during_a_roll_out_brings_no_tablet_what_was_not_approved,
    c3_1_1_a_first_base_is_taken_from_no_tablet_that_it_reached_until_a_corrected_one_is_on_all,
}

const HERE: &str = "DMPX00000001";
const THERE: &str = "DMPX00000002";
const PROFILE: &str = "fr.ardoise.configuration.profile";
/// What the new version forbids, and what a text forbids that nobody approved.
const APPROVED: &str = "allowScreenShot";
const UNAPPROVED: &str = "allowCamera";

async fn somebody(server: &TestServer, employer: Employer, login: &str) -> ApiClient {
    let account = server.someone(employer, login, Role::Approver, GrantReach::Organisation).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

/// The collège that comes first is one that there is.
async fn the_college(server: &TestServer) {
    let employer = Employer::College(COLLEGE.parse().unwrap());
    server.someone(employer, "helene", Role::Head, GrantReach::Organisation).await.unwrap();
}

/// Somebody of each organisation who may approve.
async fn approvers(server: &TestServer) -> [ApiClient; 2] {
    let departement = somebody(server, Employer::Departement, "denis").await;
    [departement, somebody(server, Employer::Academie, "anne").await]
}

async fn approved_by_both(approvers: &[ApiClient; 2], version: &Value) {
    for approver in approvers {
        let seen = json!({ "text_sha256": version["text_sha256"] });
        let path = format!("/api/v1/profiles/{}/approve", text(&version["id"]));
        approver.post(&path, &seen).await.unwrap().ok().unwrap();
    }
}

/// The base, and one more rule.
fn base_with(key: &str) -> Value {
    json!({ "text": SOCLE.replacen("[restrictions]\n", &format!("[restrictions]\n{key} = false\n"), 1) })
}

async fn edited(author: &ApiClient, version: &str, key: &str) -> Value {
    let path = format!("/api/v1/profiles/{version}");
    let draft = author.put(&path, &base_with(key)).await.unwrap().ok().unwrap();
    let submit = format!("/api/v1/profiles/{}/submit", text(&draft["id"]));
    author.post(&submit, &json!({ "reason": "september" })).await.unwrap().ok().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

async fn dies_and_starts_again(server: &mut TestServer) {
    server.crash().await;
    server.start_again().await.unwrap();
}

/// The calendar looks at roll-outs, then at which tablet is given what.
async fn calendar(server: &TestServer) {
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (fleet, now) = (server.fleet().unwrap(), server.clock().now());
    fleet::profiles::advance_due(fleet, &calendar, now).await.unwrap();
    round(server).await;
}

/// The content of the profile that the tablet has.
fn content(ipad: &Ipad) -> String {
    ipad.state().profiles[PROFILE].uuid.clone()
}

/// Whether a tablet has the new rule. It is given what nobody approved at no time.
async fn has(server: &TestServer, ipad: &Ipad) -> bool {
    let shown = rules(server, ipad.serial()).await;
    let of = |key: &str| {
        let name = format!("restrictions.{key}");
        let all = shown["rules"].as_array().unwrap();
        let found = all.iter().find(|rule| rule["rule"] == name.as_str());
        assert!(found.is_none_or(|rule| rule["state"] == "applied"), "{found:?}");
        found.is_some()
    };
    assert!(!of(UNAPPROVED), "{shown}");
    of(APPROVED)
}

async fn c3_1_1_a_crash_during_a_roll_out_brings_no_tablet_what_was_not_approved(engine: Engine) {
    let seldom = Duration::from_secs(7 * 86_400);
    let mut server = TestServer::setup(engine).calendar(seldom).start().await.unwrap();
    let before = server.publish_layer(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv([HERE], COLLEGE)).await.unwrap();
    server.import_inventory(&inventory_csv([THERE], OTHER_COLLEGE)).await.unwrap();
    let mut here = enrolled(&server, HERE, "27.0", true).await;
    let mut there = enrolled(&server, THERE, "27.0", true).await;
    calendar(&server).await;
    follows(&mut here).await;
    follows(&mut there).await;
    let old = content(&there);

    let author = server.stepped_up().await.unwrap();
    let version = edited(&author, &before.to_string(), APPROVED).await;
    let id = text(&version["id"]).to_owned();
    the_college(&server).await;
    approved_by_both(&approvers(&server).await, &version).await;
    let waves = json!({ "waves": { "colleges": [COLLEGE], "hours_between": 2 } });
    author.post(&format!("/api/v1/profiles/{id}/publish"), &waves).await.unwrap().ok().unwrap();
    // Somebody writes the next one meanwhile, and nobody approves it.
    edited(&author, &id, UNAPPROVED).await;

    // It dies before the calendar looked, then with a command of the first wave on its way.
    dies_and_starts_again(&mut server).await;
    calendar(&server).await;
    assert!(fetched(&mut here).await.is_some());
    dies_and_starts_again(&mut server).await;
    calendar(&server).await;
    follows(&mut here).await;
    follows(&mut there).await;
    assert_eq!((has(&server, &here).await, has(&server, &there).await), (true, false));
    assert_eq!(content(&there), old);

    // The next wave comes in its time, though it dies as soon as that has begun.
    server.clock().advance(Duration::from_secs(3 * 3_600));
    calendar(&server).await;
    dies_and_starts_again(&mut server).await;
    calendar(&server).await;
    follows(&mut here).await;
    follows(&mut there).await;
    assert_eq!((has(&server, &here).await, has(&server, &there).await), (true, true));
    assert_eq!(content(&here), content(&there));
    assert_ne!(content(&here), old);
    let reader = server.api().unwrap();
    let over = reader.get(&format!("/api/v1/profiles/{id}/rollout")).await.unwrap().ok().unwrap();
    assert_eq!(over["state"], "done");
    for serial in [HERE, THERE] {
        assert_eq!(rules(&server, serial).await["delivered"], true);
    }
}

async fn c3_1_1_a_first_base_is_taken_from_no_tablet_that_it_reached_until_a_corrected_one_is_on_all(
    engine: Engine,
) {
    let seldom = Duration::from_secs(7 * 86_400);
    let server = TestServer::setup(engine).calendar(seldom).start().await.unwrap();
    server.offer_apps(SOCLE).await.unwrap();
    server.import_inventory(&inventory_csv([HERE], COLLEGE)).await.unwrap();
    server.import_inventory(&inventory_csv([THERE], OTHER_COLLEGE)).await.unwrap();
    the_college(&server).await;
    let approvers = approvers(&server).await;
    let mut here = enrolled(&server, HERE, "27.0", true).await;
    let mut there = enrolled(&server, THERE, "27.0", true).await;
    let untouched = there.state().profiles.keys().cloned().collect::<Vec<_>>();

    let author = server.stepped_up().await.unwrap();
    let made = author.post("/api/v1/profiles", &json!({ "text": SOCLE })).await.unwrap().ok().unwrap();
    let id = text(&made["id"]).to_owned();
    let submit = format!("/api/v1/profiles/{id}/submit");
    let version = author.post(&submit, &json!({ "reason": "september" })).await.unwrap().ok().unwrap();
    approved_by_both(&approvers, &version).await;
    let waves = json!({ "waves": { "colleges": [COLLEGE], "hours_between": 2 } });
    author.post(&format!("/api/v1/profiles/{id}/publish"), &waves).await.unwrap().ok().unwrap();
    calendar(&server).await;
    follows(&mut here).await;
    follows(&mut there).await;
    assert!(here.state().profiles.contains_key(PROFILE) && !here.state().declarations.is_empty());
    let shown = rules(&server, THERE).await;
    assert_eq!((&shown["rules"], &shown["delivered"]), (&json!([]), &json!(true)), "{shown}");
    assert_eq!(there.state().profiles.keys().cloned().collect::<Vec<_>>(), untouched);
    assert!(there.state().declarations.is_empty());
    let progress = author.get(&format!("/api/v1/profiles/{id}/rollout")).await.unwrap().ok().unwrap();
    assert_eq!(
        (&progress["previous"], &progress["reached"], &progress["waiting"]),
        (&Value::Null, &json!(1), &json!(1))
    );

    // Nobody takes it away alone; halted, it stays where it is.
    let rollout = |step: &str| format!("/api/v1/profiles/{id}/rollout/{step}");
    let why = json!({ "reason": "the reader closes" });
    let refused = author.post(&rollout("roll-back"), &why).await.unwrap();
    assert_eq!((refused.status, refused.text("/rule")), (403, "C3.1.1"), "{refused:?}");
    author.post(&rollout("halt"), &why).await.unwrap().ok().unwrap();
    calendar(&server).await;
    follows(&mut here).await;
    let old = content(&here);

    // The corrected one takes its place on every tablet at once, and no alarm says that a pupil took anything away.
    let corrected = edited(&author, &id, APPROVED).await;
    approved_by_both(&approvers, &corrected).await;
    let publish = format!("/api/v1/profiles/{}/publish", text(&corrected["id"]));
    assert_eq!(author.post(&publish, &waves).await.unwrap().status, 409);
    author.post(&publish, &json!({})).await.unwrap().ok().unwrap();
    let progress = author.get(&format!("/api/v1/profiles/{id}/rollout")).await.unwrap().ok().unwrap();
    assert_eq!(progress["state"], "replaced");
    calendar(&server).await;
    follows(&mut here).await;
    follows(&mut there).await;
    assert_eq!((has(&server, &here).await, has(&server, &there).await), (true, true));
    assert_eq!(content(&here), content(&there));
    assert_ne!(content(&here), old);
    assert_eq!(server.alarm_kinds().await.unwrap(), [""; 0]);
    for serial in [HERE, THERE] {
        assert_eq!(rules(&server, serial).await["delivered"], true);
    }
}
