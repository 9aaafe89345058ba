//! What befell a tablet while one pupil had it shows nobody where another is (C5.4.2, M1): through the whole server, with tablets
//! that were received, lent again, and declared missing late.

use serde_json::{Value, json};
use store::Engine;
use store::loans::{self, Standing};
use testkit::{Answer, inventory_csv};
use types::{Clock as _, Day, Duration, Instant, LoanId, PersonId};

use crate::by_hand::ByHand;
use crate::lending::{OTHER, SERIAL, School, rule, school};
use crate::support::{COLLEGE, DAY, on_both_engines};

on_both_engines! {
    m1_an_incident_is_not_reopened_once_its_tablet_was_lent_to_another,
    m1_a_receipt_that_is_undone_leaves_no_warrant_on_whoever_has_the_tablet,
    c5_4_2_m1_what_is_declared_late_concerns_whoever_had_the_tablet_then_and_locates_nobody_else,
}

const HOUR: Duration = Duration::from_secs(3_600);

/// A collège whose DPO validated incidents and geolocation, and two pupils.
async fn two_pupils(engine: Engine) -> (School, [PersonId; 2]) {
    let school = school(engine).await;
    for code in ["incidents", "geolocation"] {
        school.server.validate_activity(code).await.unwrap();
    }
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER], COLLEGE)).await.unwrap();
    let names = ["Zoé Martin", "Léa Petit"];
    let people = school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &names).await.unwrap();
    (school, [people[0], people[1]])
}

async fn lend(school: &School, to: PersonId) -> LoanId {
    school.server.lent(SERIAL, to, &school.year).await.unwrap()
}

/// The pupil gave it back, and it can be lent again: past the rule that it is proven empty before (C5.3.5), which is tested
/// elsewhere.
async fn given_back(school: &School, loan: LoanId) {
    let now = school.server.clock().now();
    let ended = school.server.fleet().unwrap().store().write(move |tx| {
        let loan = loans::get(tx, &loan)?.unwrap();
        let because = Some("given-back".to_owned());
        loans::update(
            tx,
            &loans::Loan { state: Standing::Ended, changed_at: now, ended_because: because, ..loan },
        )
    });
    assert!(ended.await.unwrap_or_else(|error: store::StoreError| panic!("{error}")));
    let past_the_rule = match school.server.fleet().unwrap().store().engine() {
        Engine::Sqlite => "DROP TRIGGER IF EXISTS loans_before_insert_5",
        Engine::Postgresql => "ALTER TABLE loans DISABLE TRIGGER USER",
    };
    ByHand::of(&school.server).run(past_the_rule);
}

async fn declare(school: &School, serial: &str, noticed: Instant) -> Answer {
    let new = json!({ "kind": "theft", "noticed_at": noticed.to_string() });
    school.ati.post(&format!("/api/v1/tablets/{serial}/incidents"), &new).await.unwrap()
}

async fn act(school: &School, incident: &str, what: &str, body: Value) -> Answer {
    school.ati.post(&format!("/api/v1/incidents/{incident}/{what}"), &body).await.unwrap()
}

async fn complaint(school: &School, incident: &str, dated: Day) {
    let paper = json!({ "number": "2026/1", "dated": dated.to_string(), "station": "Rouen" });
    assert_eq!(act(school, incident, "complaint", paper).await.status, 200);
}

async fn steps(school: &School, incident: &str, all: [&str; 2]) {
    for step in all {
        assert_eq!(act(school, incident, "steps", json!({ "step": step })).await.status, 200);
    }
}

/// Neither a warrant nor lost mode rests on it.
async fn carries_nothing(school: &School, incident: &str) {
    for what in ["warrants", "lost-mode"] {
        let refused = act(school, incident, what, json!({ "reason": "vue à la gare" })).await;
        assert_eq!(rule(&refused), (403, "M1".to_owned()), "{what}: {refused:?}");
        assert!(refused.text("/detail").contains("this incident does not concern"), "{what}: {refused:?}");
    }
}

async fn m1_an_incident_is_not_reopened_once_its_tablet_was_lent_to_another(engine: Engine) {
    let (mut school, [zoe, lea]) = two_pupils(engine).await;
    let loan = lend(&school, zoe).await;
    school.later(1).await;
    let noticed = school.server.clock().now();
    let declared = declare(&school, SERIAL, noticed).await;
    let theft = declared.text("/id").to_owned();
    complaint(&school, &theft, Day::of(noticed)).await;
    steps(&school, &theft, ["find", "close"]).await;
    school.later(1).await;
    given_back(&school, loan).await;
    let why = || json!({ "reason": "vue au marché" });
    let received = act(&school, &theft, "reopen", why()).await;
    assert_eq!(rule(&received), (403, "C5.4.2".to_owned()), "{received:?}");
    assert!(received.text("/detail").contains("was received since"), "{received:?}");
    school.later(1).await;
    lend(&school, lea).await;
    let lent = act(&school, &theft, "reopen", why()).await;
    assert!(lent.text("/detail").contains("was lent anew since"), "{lent:?}");
    assert!(lent.text("/next_step").contains("ardoise incident declare"), "{lent:?}");
}

async fn m1_a_receipt_that_is_undone_leaves_no_warrant_on_whoever_has_the_tablet(engine: Engine) {
    let (mut school, [zoe, lea]) = two_pupils(engine).await;
    let loan = lend(&school, zoe).await;
    school.later(1).await;
    let while_zoe_had_it = school.server.clock().now();
    school.later(1).await;
    given_back(&school, loan).await;
    school.later(1).await;
    lend(&school, lea).await;
    school.later(1).await;
    let scanned = json!({ "tablets": [{ "tablet": SERIAL, "condition": "bon état" }] });
    let receipt = school.ati.post("/api/v1/restitutions", &scanned).await.unwrap();
    let receipt = receipt.text("/tablets/0/restitution/id").to_owned();
    let theft = declare(&school, SERIAL, while_zoe_had_it).await.text("/id").to_owned();
    complaint(&school, &theft, Day::of(while_zoe_had_it)).await;
    let undone = school.ati.post(&format!("/api/v1/restitutions/{receipt}/undo"), &json!({})).await.unwrap();
    assert_eq!(undone.text("/stage"), "undone", "{undone:?}");
    carries_nothing(&school, &theft).await;
}

async fn c5_4_2_m1_what_is_declared_late_concerns_whoever_had_the_tablet_then_and_locates_nobody_else(
    engine: Engine,
) {
    let (mut school, [zoe, lea]) = two_pupils(engine).await;
    let before = school.server.clock().now().minus(DAY * 900);
    let loan = lend(&school, zoe).await;
    school.later(1).await;
    let while_zoe_had_it = school.server.clock().now();
    school.later(1).await;
    given_back(&school, loan).await;
    school.later(1).await;
    lend(&school, lea).await;
    school.later(1).await;
    // Late, and true: it is shown as late, and never refused.
    let declared = declare(&school, SERIAL, while_zoe_had_it).await;
    assert_eq!((declared.status, declared.text("/papers/0/standing")), (201, "missing"), "{declared:?}");
    let theft = declared.text("/id").to_owned();
    let concerns = |person| {
        let store = school.server.fleet().unwrap().store();
        store.read(move |tx| store::incidents::open_of_holder(tx, person))
    };
    assert_eq!((concerns(zoe).await.unwrap(), concerns(lea).await.unwrap()), (true, false));
    complaint(&school, &theft, Day::of(while_zoe_had_it)).await;
    carries_nothing(&school, &theft).await;
    // It is not put right into one of whoever has it now; what befalls that one is declared, once this one is over.
    let now = school.server.clock().now();
    let moved =
        act(&school, &theft, "noticed", json!({ "noticed_at": now.minus(HOUR).to_string(), "reason": "?" }))
            .await;
    assert_eq!(moved.status, 403, "it was declared before: {moved:?}");
    let theirs = declare(&school, SERIAL, now).await;
    assert_eq!(theirs.status, 409, "{theirs:?}");
    assert!(theirs.text("/detail").contains("concerns somebody who had it before"), "{theirs:?}");
    steps(&school, &theft, ["find", "close"]).await;
    let theirs = declare(&school, SERIAL, now).await.text("/id").to_owned();
    let asked = act(&school, &theirs, "warrants", json!({ "reason": "vue à la gare" })).await;
    assert_eq!(asked.status, 201, "{asked:?}");
    // Of one that nobody was lent here by then, long before it was entered: a tablet that was in use before.
    let old = declare(&school, OTHER, before).await;
    assert_eq!(old.status, 201, "{old:?}");
    complaint(&school, old.text("/id"), Day::of(before)).await;
}
