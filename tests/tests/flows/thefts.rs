//! A stolen tablet is erased wherever it is, through the whole server: when its head and the département both decide it, while
//! it is away, and never because of anything that is over (M3, M5, T-A19).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::Employer;
use testkit::{Answer, TestServer};
use types::{AccountId, Clock as _, Day, Role};

use crate::by_hand::ByHand;
use crate::missing::{Case, HOUR, SERIAL};
use crate::support::{DAY, commands_of, fetched, obey, on_both_engines};

on_both_engines! {
    m3_a_stolen_tablet_is_erased_when_its_head_and_the_departement_both_decide_it_and_is_located_no_more,
    m3_t_a19_a_stolen_tablet_that_is_back_or_that_an_authority_asks_for_is_not_erased,
    m3_what_was_decided_on_a_theft_can_be_taken_back_refused_and_repeated,
    t_c14_lost_mode_above_the_budget_waits_for_a_second_person_and_goes_when_they_sign,
    m5_t_c14_the_erasure_of_a_stolen_tablet_counts_against_whoever_decides_it_and_waits_above_their_budget,
    m5_what_the_brake_holds_for_a_theft_that_is_called_off_waits_for_nobody_any_more,
}

/// Somebody of the département who may decide.
pub(crate) async fn operator(case: &Case) -> AccountId {
    let bruno = (Employer::Departement, "bruno", Role::Operator, GrantReach::Organisation);
    case.server.someone(bruno.0, bruno.1, bruno.2, bruno.3).await.unwrap()
}

/// So much of an account's budget of today is spent.
pub(crate) fn spend(server: &TestServer, account: AccountId, acts: usize) {
    let now = server.clock().now();
    let (at, day) = (now.as_millis(), Day::of(now));
    let rows: Vec<String> = (0..acts)
        .map(|n| format!("('spent-{at}-{n}', 'erase', '{day}', {at}, 'account:{account}', '{account}', 'spent-{at}-{n}', 'counted')"))
        .collect();
    ByHand::of(server).run(&format!(
        "INSERT INTO destructions (id, kind, day, at, actor, account_id, ref, state) VALUES {}",
        rows.join(", ")
    ));
}

async fn propose(case: &Case, by: AccountId) -> Answer {
    case.act(by, "erasure", json!({ "reason": "en vente sur internet" })).await
}

async fn erasure(case: &Case) -> Value {
    let path = format!("/api/v1/incidents/{}", case.incident);
    case.client(case.ati).await.get(&path).await.unwrap().ok().unwrap()["erasure"].clone()
}

async fn state(case: &Case) -> String {
    erasure(case).await["state"].as_str().unwrap_or_default().to_owned()
}

/// Head and département decide, if it is still to be decided.
pub(crate) async fn decide(case: &Case, operator: AccountId) -> bool {
    let asked = propose(case, case.head).await;
    if asked.status != 201 {
        return false;
    }
    let signed = case.sign(operator, asked.text("/countersignature")).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    true
}

/// The same, of what waits for the tablet from then on.
async fn decided(case: &Case, operator: AccountId) {
    assert!(decide(case, operator).await);
    assert_eq!(state(case).await, "ordered");
}

async fn m3_a_stolen_tablet_is_erased_when_its_head_and_the_departement_both_decide_it_and_is_located_no_more(
    engine: Engine,
) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let bruno = operator(&case).await;
    assert_eq!(propose(&case, case.ati).await.status, 403, "a technician proposes nothing");
    assert_eq!(propose(&case, bruno).await.status, 403, "the head proposes");
    let asked = propose(&case, case.head).await;
    assert_eq!(asked.status, 201, "{asked:?}");
    assert_eq!(propose(&case, case.head).await.status, 409, "once");
    let request = asked.text("/countersignature").to_owned();
    assert_eq!(
        (state(&case).await, erasure(&case).await["waits_for"].as_str()),
        ("proposed".into(), Some(&*request))
    );
    assert!(case.sign(case.head, &request).await.status >= 400, "nobody answers themselves");
    assert!(case.sign(case.ati, &request).await.status >= 400, "a technician is not the département");
    assert_eq!(commands_of(&case.server, SERIAL, "EraseDevice").await, 0);

    let seen = case.client(bruno).await.get(&format!("/api/v1/countersignatures/{request}")).await.unwrap();
    assert!(seen.text("/in_words").contains(SERIAL), "{seen:?}");
    assert_eq!(case.locate().await.status, 201, "it is looked for until then");
    let signed = case.sign(bruno, &request).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    let ordered = erasure(&case).await;
    assert_eq!(ordered["departement_by"].as_str(), Some(&*bruno.to_string()), "{ordered}");
    assert_eq!(state(&case).await, "ordered");

    let talk = case.ipad.poll().await.unwrap();
    assert!(talk.erased, "{talk:?}");
    assert!(talk.returned_to_service.is_none(), "whoever stole it gets neither our network nor a profile");
    assert_eq!(state(&case).await, "acknowledged");
    // It tells nobody where it is any more: its warrant ended, and the holder is told so.
    assert_eq!(case.warrant().await["state"], "ended");
    assert_eq!(case.lost_mode().await, "off");
    assert_eq!(case.locate().await.status, 403);
    let told: Vec<Value> = case.list("notices").await;
    assert!(told.iter().any(|notice| notice["occasion"] == "over"), "{told:?}");
    let repeat = case.act(bruno, "erasure/repeat", json!({})).await;
    assert_eq!(repeat.status, 409, "{repeat:?}");
    for (action, times) in
        [("theft-erasure.propose", 1), ("theft-erasure.decide", 1), ("theft-erasure.acknowledged", 1)]
    {
        assert_eq!(case.audited(action).await.len(), times, "{action}");
    }
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "give-up" })).await.status, 200);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);
    assert_eq!(state(&case).await, "acknowledged", "what happened stays told");
    assert_eq!(case.act(bruno, "erasure/repeat", json!({})).await.text("/rule"), "M3");
}

async fn m3_t_a19_a_stolen_tablet_that_is_back_or_that_an_authority_asks_for_is_not_erased(engine: Engine) {
    let mut case = Box::pin(Case::granted(engine)).await;
    let bruno = operator(&case).await;
    let by_hand = ByHand::of(&case.server);
    // An authority asks for it meanwhile: what is on it may be evidence. It waits, and nothing is erased.
    decided(&case, bruno).await;
    let noticed = case.server.clock().now().minus(HOUR);
    let held = "0190f6f0-0000-7000-8000-00000000000f";
    let tablet = case.server.tablet(SERIAL).await.unwrap()["id"].as_str().unwrap().to_owned();
    by_hand.run(&format!(
        "INSERT INTO incidents (id, tablet_id, kind, state, opened_at) \
         VALUES ('{held}', '{tablet}', 'authority-request', 'open', {})",
        noticed.as_millis()
    ));
    assert_eq!(fetched(&mut case.ipad).await, None, "an authority’s request goes before");
    assert_eq!(state(&case).await, "ordered");
    let closed = case.server.clock().now().as_millis();
    by_hand.run(&format!("UPDATE incidents SET state = 'closed', closed_at = {closed} WHERE id = '{held}'"));

    // It is found before it comes: the order ends with the search, and a new one is not to be had.
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    assert_eq!(state(&case).await, "called-off");
    case.server.advance(DAY);
    assert_eq!(fetched(&mut case.ipad).await, None);
    assert_eq!(by_hand.count("commands WHERE gate = 'erase' AND pending"), 0);
    assert_eq!(by_hand.count("erase_orders WHERE state = 'open'"), 0);
    for (who, what, body) in
        [(case.head, "erasure", json!({ "reason": "encore" })), (bruno, "erasure/repeat", json!({}))]
    {
        assert_eq!(case.act(who, what, body).await.text("/rule"), "M3", "{what}");
    }
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "close" })).await.status, 200);

    // A loss is no theft, be it never found.
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let loss = json!({ "kind": "loss", "noticed_at": case.server.clock().now().to_string() });
    let declared = case.client(case.ati).await.post(&path, &loss).await.unwrap();
    case.incident = declared.text("/id").to_owned();
    let refused = propose(&case, case.head).await;
    assert_eq!((refused.status, refused.text("/rule")), (403, "M3"), "{refused:?}");
    obey(&mut case.ipad).await;
    assert_eq!(commands_of(&case.server, SERIAL, "EraseDevice").await, 1, "the one that was called off");
}

async fn m3_what_was_decided_on_a_theft_can_be_taken_back_refused_and_repeated(engine: Engine) {
    let mut case = Box::pin(Case::lost(engine)).await;
    let bruno = operator(&case).await;
    // The département says no: nothing came of it, and the head may propose again.
    let asked = propose(&case, case.head).await;
    let path = format!("/api/v1/countersignatures/{}", asked.text("/countersignature"));
    let client = case.client(bruno).await;
    let seen = client.get(&path).await.unwrap();
    let no = json!({
        "verdict": "refuse", "content_sha256": seen.text("/content_sha256"), "reason": "la police la cherche",
    });
    assert_eq!(client.post(&format!("{path}/answer"), &no).await.unwrap().status, 200);
    assert_eq!(state(&case).await, "called-off");
    // Nobody answers in time: the same.
    assert_eq!(propose(&case, case.head).await.status, 201);
    case.server.advance(DAY);
    assert_eq!(state(&case).await, "called-off");

    // Both decide, and the head takes it back before the tablet comes.
    decided(&case, bruno).await;
    assert_eq!(propose(&case, case.head).await.status, 409);
    assert_eq!(case.act(bruno, "erasure/repeat", json!({})).await.status, 409, "it waits for the tablet");
    let taken = case.act(case.ati, "erasure/take-back", json!({ "reason": "?" })).await;
    assert_eq!(taken.status, 403, "neither head nor operator: {taken:?}");
    let taken = case.act(case.head, "erasure/take-back", json!({ "reason": "elle a été vue" })).await;
    assert_eq!((taken.status, taken.text("/erasure/state")), (200, "called-off"), "{taken:?}");
    assert_eq!(case.act(case.head, "erasure/take-back", json!({ "reason": "encore" })).await.status, 409);
    assert_eq!(case.act(bruno, "erasure/repeat", json!({})).await.status, 409);
    assert_eq!(fetched(&mut case.ipad).await, None);

    // Nor does it leave management, by one person, while it is sought.
    let leaves = json!({ "tablets": [SERIAL], "reason": "hors d’usage" });
    let refused = case.client(bruno).await.post("/api/v1/unenrolments", &leaves).await.unwrap();
    assert_eq!(refused.status, 409, "{refused:?}");

    // Decided again, its order runs out; whoever repeats it is counted, and the tablet is erased.
    decided(&case, bruno).await;
    case.server.advance(31 * DAY);
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (fleet, now) = (case.server.fleet().unwrap(), case.server.clock().now());
    fleet::lending::orders::end_past(fleet, &calendar, now.plus(DAY)).await.unwrap();
    assert_eq!(state(&case).await, "decided");
    let repeated = case.act(bruno, "erasure/repeat", json!({})).await;
    assert_eq!((repeated.status, repeated.text("/erasure/state")), (200, "ordered"), "{repeated:?}");
    assert!(case.ipad.poll().await.unwrap().erased);
    assert_eq!(state(&case).await, "acknowledged");
    let counted = ByHand::of(&case.server).count("destructions WHERE kind = 'erase'");
    assert_eq!(counted, 3, "each order once");
}

async fn m5_t_c14_the_erasure_of_a_stolen_tablet_counts_against_whoever_decides_it_and_waits_above_their_budget(
    engine: Engine,
) {
    let mut case = Box::pin(Case::lost(engine)).await;
    let bruno = operator(&case).await;
    let by_hand = ByHand::of(&case.server);
    spend(&case.server, bruno, 40);
    // The switch is thrown: nobody decides anything, and what was asked is asked still.
    let asked = propose(&case, case.head).await;
    let request = asked.text("/countersignature").to_owned();
    let alice = case.server.stepped_up().await.unwrap();
    let thrown = alice.post("/api/v1/brake/engage", &json!({ "reason": "exercice" })).await.unwrap();
    assert!(thrown.status < 300, "{thrown:?}");
    assert_eq!(case.sign(bruno, &request).await.text("/code"), "stopped");
    assert_eq!(state(&case).await, "proposed");
    let carla = (Employer::Departement, "carla", Role::Operator, GrantReach::Organisation);
    let carla = case.server.someone(carla.0, carla.1, carla.2, carla.3).await.unwrap();
    let release = alice.post("/api/v1/brake/ask-release", &json!({ "reason": "réglé" })).await.unwrap();
    assert_eq!(case.sign(carla, release.text("/countersignature")).await.status, 200);
    let release = json!({ "countersignature": release.text("/countersignature") });
    assert_eq!(alice.post("/api/v1/brake/release", &release).await.unwrap().status, 204);

    let signed = case.sign(bruno, &request).await;
    assert_eq!(signed.status, 200, "{signed:?}");
    let held = erasure(&case).await;
    assert_eq!(held["state"], "decided", "{held}");
    assert_eq!(fetched(&mut case.ipad).await, None, "above the 40 of a day it waits");
    let waits = held["waits_for"].as_str().unwrap().to_owned();
    let go = json!({ "countersignature": waits });
    let client = case.client(bruno).await;
    assert_eq!(client.post("/api/v1/brake/let-go", &go).await.unwrap().status, 409, "nobody signed");
    assert_eq!(case.sign(carla, &waits).await.status, 200);
    let gone = client.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!((gone.status, gone.body["acts"].as_u64()), (200, Some(1)), "{gone:?}");
    assert_eq!(state(&case).await, "ordered");
    assert!(case.ipad.poll().await.unwrap().erased);
    let acts = by_hand.texts("actor", "destructions WHERE kind = 'erase' AND ref NOT LIKE 'spent-%'");
    assert_eq!(acts, [format!("account:{bruno}")], "against whoever decided it");
}

async fn t_c14_lost_mode_above_the_budget_waits_for_a_second_person_and_goes_when_they_sign(engine: Engine) {
    let mut case = Box::pin(Case::of(engine, "theft")).await;
    let by_hand = ByHand::of(&case.server);
    spend(&case.server, case.ati, 40);
    let asked = case.act(case.ati, "lost-mode", json!({ "reason": "volée" })).await;
    let held = asked.text("/held").to_owned();
    assert!(asked.status == 201 && !held.is_empty(), "above the 40 of a day: {asked:?}");
    assert_eq!(fetched(&mut case.ipad).await, None, "it waits");
    assert_eq!(by_hand.count("commands WHERE gate = 'lost-mode'"), 0);
    let client = case.client(case.ati).await;
    let go = json!({ "countersignature": held });
    assert_eq!(client.post("/api/v1/brake/let-go", &go).await.unwrap().status, 409, "nobody signed");
    let bruno = operator(&case).await;
    assert_eq!(case.sign(bruno, &held).await.status, 200);
    let gone = client.post("/api/v1/brake/let-go", &go).await.unwrap();
    assert_eq!((gone.status, gone.body["acts"].as_u64()), (200, Some(1)), "{gone:?}");
    obey(&mut case.ipad).await;
    assert_eq!(case.lost_mode().await, "on");
}

async fn m5_what_the_brake_holds_for_a_theft_that_is_called_off_waits_for_nobody_any_more(engine: Engine) {
    let case = Box::pin(Case::lost(engine)).await;
    let (bruno, by_hand) = (operator(&case).await, ByHand::of(&case.server));
    spend(&case.server, bruno, 40);
    let asked = propose(&case, case.head).await;
    assert_eq!(case.sign(bruno, asked.text("/countersignature")).await.status, 200);
    let waits = erasure(&case).await["waits_for"].as_str().unwrap().to_owned();
    assert_eq!(by_hand.count("destructions WHERE state = 'held'"), 1);
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    let found = erasure(&case).await;
    assert_eq!((&found["state"], &found["waits_for"]), (&json!("called-off"), &Value::Null), "{found}");
    assert_eq!(by_hand.count("destructions WHERE state = 'held'"), 0);
    let carla = (Employer::Departement, "carla", Role::Operator, GrantReach::Organisation);
    let carla = case.server.someone(carla.0, carla.1, carla.2, carla.3).await.unwrap();
    let listed = case.client(carla).await.get("/api/v1/countersignatures").await.unwrap().ok().unwrap();
    assert!(!listed.to_string().contains(&waits), "nobody is asked any more: {listed}");
    assert!(case.sign(carla, &waits).await.status >= 400, "a yes says nothing any more");
}
