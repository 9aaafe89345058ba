//! A tablet goes from one collège to another, through the whole server: both heads consent, nobody holds it, and nobody's data
//! goes with it (C3.3.2, C5.3.5).

use serde_json::json;
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::Employer;
use testkit::{Answer, ApiClient, inventory_csv};
use types::{Clock as _, Role};

use crate::lending::{SERIAL, School, rule, school, somebody};
use crate::loans::lent;
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    c3_3_2_a_tablet_changes_college_when_both_heads_have_consented,
    c3_3_2_a_tablet_that_a_file_moved_is_given_by_nobody_who_has_it_no_more,
    c3_3_2_a_lent_tablet_stays_where_it_is_whoever_consents_and_whatever_is_imported,
}

const THIRD_COLLEGE: &str = "0760001B";

async fn propose(client: &ApiClient, to: &str) -> Answer {
    let body = json!({ "to": to, "reason": "ouverture d’une classe" });
    client.post(&format!("/api/v1/tablets/{SERIAL}/transfers"), &body).await.unwrap()
}

async fn say(client: &ApiClient, id: &str, what: &str) -> Answer {
    client.post(&format!("/api/v1/transfers/{id}/{what}"), &json!({})).await.unwrap()
}

async fn other_head(school: &School) -> ApiClient {
    let there = Employer::College(OTHER_COLLEGE.parse().unwrap());
    somebody(&school.server, there, "l-autre-chef", Role::Head, GrantReach::Organisation).await
}

async fn college(school: &School) -> String {
    school.operator.get(&format!("/api/v1/tablets/{SERIAL}")).await.unwrap().text("/uai").to_owned()
}

async fn c3_3_2_a_tablet_changes_college_when_both_heads_have_consented(engine: Engine) {
    let school = school(engine).await;
    let there = other_head(&school).await;
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    assert_eq!(propose(&there, COLLEGE).await.status, 404, "to them it does not exist (T-C1)");
    assert_eq!(propose(&school.ati, COLLEGE).await.status, 403, "it is there already");
    assert_eq!(propose(&school.ati, "0769999Z").await.status, 404);
    let id = propose(&school.ati, OTHER_COLLEGE).await.ok().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(propose(&school.ati, OTHER_COLLEGE).await.status, 409, "one at a time");
    assert_eq!(say(&school.ati, &id, "consent").await.status, 403, "a head consents");
    let given = say(&school.head, &id, "consent").await;
    assert_eq!((given.status, given.text("/state")), (200, "proposed"), "{given:?}");
    assert_eq!(
        say(&school.head, &id, "consent").await.text("/state"),
        "proposed",
        "for one's own collège only"
    );
    assert_eq!(college(&school).await, COLLEGE, "one consent moves nothing");
    let taken = say(&there, &id, "consent").await;
    assert_eq!((taken.status, taken.text("/state")), (200, "done"), "{taken:?}");
    assert_eq!(college(&school).await, OTHER_COLLEGE);
    assert_eq!(
        school.ati.get(&format!("/api/v1/tablets/{SERIAL}")).await.unwrap().status,
        404,
        "and of one collège only"
    );
    assert_eq!(say(&there, &id, "withdraw").await.status, 409, "what was done is not taken back");
}

async fn c3_3_2_a_tablet_that_a_file_moved_is_given_by_nobody_who_has_it_no_more(engine: Engine) {
    let school = school(engine).await;
    let there = other_head(&school).await;
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let propose =
        async || propose(&school.ati, OTHER_COLLEGE).await.ok().unwrap()["id"].as_str().unwrap().to_owned();
    let id = propose().await;
    say(&school.head, &id, "consent").await.ok().unwrap();
    // A file moves it to a third collège, which nobody asked: what waited waits no more.
    school.server.import_inventory(&inventory_csv([SERIAL], THIRD_COLLEGE)).await.unwrap();
    assert_eq!(say(&there, &id, "consent").await.status, 409, "it is over");
    assert_eq!(college(&school).await, THIRD_COLLEGE);
    let shown = there.get("/api/v1/transfers?all=true").await.unwrap().ok().unwrap();
    assert_eq!(shown["items"][0]["state"], "withdrawn", "{shown:#}");
    // Moved by whoever goes around the program, it is refused all the same, and the database says so too.
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let id = propose().await;
    say(&school.head, &id, "consent").await.ok().unwrap();
    let (waits, now) = (id.parse().unwrap(), school.server.clock().now());
    let store = school.server.fleet().unwrap().store();
    let moved = store.write(move |tx| {
        let tablet = store::tablets::by_serial(tx, &SERIAL.parse().unwrap())?.unwrap();
        let uai = Some(THIRD_COLLEGE.parse().unwrap());
        store::tablets::update(tx, &store::tablets::Tablet { uai, ..tablet })
    });
    assert!(moved.await.unwrap());
    let late = say(&there, &id, "consent").await;
    assert!(late.status == 409 && late.body.to_string().contains(COLLEGE), "{late:?}");
    let done = store.write(move |tx| {
        let row = store::transfers::get(tx, &waits)?.unwrap();
        let (taken_by, state) = (Some(row.proposed_by), store::transfers::TransferState::Done);
        let done =
            store::transfers::Transfer { taken_by, taken_at: Some(now), ended_at: Some(now), state, ..row };
        store::transfers::update(tx, &done)
    });
    assert!(done.await.is_err());
}

async fn c3_3_2_a_lent_tablet_stays_where_it_is_whoever_consents_and_whatever_is_imported(engine: Engine) {
    let school = school(engine).await;
    let there = other_head(&school).await;
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    // It was free when that was proposed, and is lent when the second one consents.
    let id = propose(&school.ati, OTHER_COLLEGE).await.ok().unwrap()["id"].as_str().unwrap().to_owned();
    say(&school.head, &id, "consent").await.ok().unwrap();
    let loan = lent(&school).await;
    let late = say(&there, &id, "consent").await;
    assert_eq!(rule(&late), (403, "C3.3.2".to_owned()), "{late:?}");
    assert_eq!(say(&there, &id, "withdraw").await.text("/state"), "withdrawn");
    // Nor is it moved by a file.
    let moved = school.server.import_inventory(&inventory_csv([SERIAL], OTHER_COLLEGE)).await;
    assert!(moved.is_err(), "{moved:?}");
    // Its loan is over, and their data is on it: it stays until it is proven empty.
    school.act(&school.operator, &loan, "end", json!({ "reason": "fin" })).await.ok().unwrap();
    let held = propose(&school.ati, OTHER_COLLEGE).await;
    assert!(held.status == 403 && held.body.to_string().contains("erased"), "{held:?}");
    assert_eq!(college(&school).await, COLLEGE);
}
