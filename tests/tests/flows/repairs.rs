//! A tablet goes to its supplier and comes back, or another in its place, through the whole server: its holder has one that
//! counts all the while, and nobody is lent a tablet with somebody else's data on it (C5.3.1, C5.3.5, C5.4.4, C5.4.5).

use serde_json::{Value, json};
use store::Engine;
use testkit::{Answer, ApiClient, inventory_csv};
use types::{Clock as _, Day, Duration};

use crate::lending::{CLASS, OTHER, SERIAL, SOCLE, School, person, rule, school, text};
use crate::loans::lent;
use crate::support::{COLLEGE, on_both_engines};

on_both_engines! {
    c5_4_5_a_tablet_goes_to_its_supplier_its_holder_gets_another_and_has_the_same_again,
    c5_4_4_an_exchanged_tablet_takes_the_place_of_the_one_that_the_supplier_kept,
    c5_3_5_a_tablet_back_from_repair_with_somebodys_data_is_lent_to_nobody,
    c5_2_2_a_tablet_that_was_handed_in_is_kept_when_it_is_back_from_repair,
    c5_2_2_what_was_handed_in_before_it_broke_stays_in_deposit_when_it_is_back_before_the_break,
    c5_4_2_a_missing_tablet_goes_to_no_supplier_and_a_broken_one_does_while_its_loan_rests,
    c5_3_1_a_swap_is_one_act_or_nothing,
}

const THIRD: &str = "DMPX00000003";

async fn send(client: &ApiClient, serial: &str, loaner: Option<&str>) -> Answer {
    let loaner = loaner.map(|tablet| json!({ "tablet": tablet, "condition": "bon état" }));
    let path = format!("/api/v1/tablets/{serial}/repairs");
    client.post(&path, &json!({ "reference": "SAV-118", "loaner": loaner })).await.unwrap()
}

fn scan(serial: &str) -> Value {
    json!({ "tablet": serial, "condition": "bon état", "saved": true })
}

async fn back(client: &ApiClient, repair: &str, loaner: Option<&str>) -> Answer {
    let body = json!({ "loaner": loaner.map(scan) });
    client.post(&format!("/api/v1/repairs/{repair}/back"), &body).await.unwrap()
}

/// A pupil holds one tablet, and another is ready.
async fn holds_one(school: &School) -> (String, String) {
    school.server.publish_layer(SOCLE).await.unwrap();
    let _tablets = (school.ready(SERIAL).await, school.ready(OTHER).await);
    let list = school.list(CLASS).await;
    let eloise = person(&list, "1");
    let handed = school.handed(SERIAL, &eloise).await;
    assert_eq!(handed.status, 201, "{handed:?}");
    (handed.text("/id").to_owned(), eloise)
}

async fn standing(school: &School, loan: &str) -> (String, String) {
    let loan = school.loan(loan).await;
    (text(&loan, "state"), text(&loan, "suspension"))
}

async fn c5_4_5_a_tablet_goes_to_its_supplier_its_holder_gets_another_and_has_the_same_again(engine: Engine) {
    let school = school(engine).await;
    let (loan, eloise) = holds_one(&school).await;
    assert_eq!(
        send(&school.head, SERIAL, None).await.status,
        403,
        "the département is the link with its supplier"
    );
    // A loaner that is not ready: none of it happens.
    school.server.import_inventory(&inventory_csv([THIRD], COLLEGE)).await.unwrap();
    let refused = send(&school.ati, SERIAL, Some(THIRD)).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(standing(&school, &loan).await.0, "lent", "all of it, or nothing");
    let sent = send(&school.ati, SERIAL, Some(OTHER)).await;
    assert_eq!(
        (sent.status, sent.text("/state"), sent.text("/loan_state")),
        (201, "at-supplier", "suspended"),
        "{sent:?}"
    );
    let (repair, loaner) = (sent.text("/id").to_owned(), sent.text("/loaner_loan").to_owned());
    assert_eq!(sent.text("/loaner_serial"), OTHER, "{sent:?}");
    assert_eq!(standing(&school, &loan).await, ("suspended".into(), "repair".into()));
    assert_eq!(school.loan(&loaner).await["person"], json!(eloise), "and holds one that counts");
    // Nothing goes past the supplier: not a second stay, not a receipt, not the head's word.
    assert_eq!(send(&school.ati, SERIAL, None).await.status, 403);
    let receipt = json!({ "tablets": [scan(SERIAL)] });
    assert_eq!(school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().status, 409);
    assert_eq!(school.act(&school.head, &loan, "resume", json!({})).await.status, 409);
    // It is back: they hold two until the other is given back, so it is, in the same act.
    let both = back(&school.ati, &repair, None).await;
    assert_eq!(rule(&both), (403, "C5.3.1".to_owned()), "{both:?}");
    let wrong = back(&school.ati, &repair, Some(SERIAL)).await;
    assert_eq!(wrong.status, 409, "{wrong:?}");
    let again = back(&school.ati, &repair, Some(OTHER)).await;
    assert_eq!(
        (again.status, again.text("/repair/state"), again.text("/repair/loan_state")),
        (200, "back", "lent"),
        "{again:?}"
    );
    assert_eq!(school.loan(&loaner).await["ended_because"], "given-back");
    // What they had meanwhile holds their data: nobody is lent it before it is proven empty.
    let restitution = again.text("/given_back/restitution").to_owned();
    assert!(!restitution.is_empty() && again.body["given_back"]["counted"] == true, "{again:?}");
    let light = school.ati.get(&format!("/api/v1/tablets/{OTHER}/readiness")).await.unwrap();
    assert!(light.body["obstacles"].to_string().contains("C5.3.5"), "{light:?}");
    // Nor while it is kept for a check (C5.4.1).
    let check = format!("/api/v1/restitutions/{restitution}/check");
    school.ati.put(&check, &json!({ "held": true })).await.unwrap().ok().unwrap();
    let light = school.ati.get(&format!("/api/v1/tablets/{OTHER}/readiness")).await.unwrap();
    assert!(light.body["obstacles"].to_string().contains("kept for a check"), "{light:?}");
    school.ati.put(&check, &json!({ "held": false })).await.unwrap().ok().unwrap();
    assert_eq!(back(&school.ati, &repair, None).await.status, 409, "it is back once");
    let listed = school.ati.get("/api/v1/repairs?all=true").await.unwrap().ok().unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(school.ati.get("/api/v1/repairs").await.unwrap().body["items"], json!([]));
}

async fn c5_4_4_an_exchanged_tablet_takes_the_place_of_the_one_that_the_supplier_kept(engine: Engine) {
    let school = school(engine).await;
    let (loan, eloise) = holds_one(&school).await;
    let repair = send(&school.ati, SERIAL, None).await.ok().unwrap();
    let path = format!("/api/v1/repairs/{}/exchanged", text(&repair, "id"));
    let theirs = school.ati.post(&path, &json!({ "serial": THIRD })).await.unwrap();
    assert_eq!(theirs.status, 403, "a technician admits no tablet (C3.3.4): {theirs:?}");
    assert_eq!(standing(&school, &loan).await.0, "suspended");
    let known = school.operator.post(&path, &json!({ "serial": OTHER })).await.unwrap();
    assert_eq!(known.status, 409, "that one is another tablet: {known:?}");
    let came =
        school.operator.post(&path, &json!({ "serial": THIRD, "asset_tag": "76-0003" })).await.unwrap();
    assert_eq!(
        (came.status, came.text("/state"), came.text("/exchanged_serial")),
        (200, "exchanged", THIRD),
        "{came:?}"
    );
    assert_eq!(school.loan(&loan).await["ended_because"], "replaced");
    // The one that was kept is awaited by nobody, and lent to nobody.
    let awaited = school.ati.get("/api/v1/overdue-tablets").await.unwrap().ok().unwrap();
    assert_eq!(awaited["items"], json!([]), "{awaited:#}");
    assert_eq!(school.handed(SERIAL, &eloise).await.status, 403);
    // The one that came is of the same collège, and is handed over once it is ready, like any other.
    assert_eq!(school.handed(THIRD, &eloise).await.status, 403);
    let tablet = school.ati.get(&format!("/api/v1/tablets/{THIRD}")).await.unwrap();
    assert!(
        tablet.body.to_string().contains(COLLEGE) && tablet.body.to_string().contains("76-0003"),
        "{tablet:?}"
    );
    let _third = school.ready(THIRD).await;
    assert_eq!(school.handed(THIRD, &eloise).await.status, 201);
}

async fn c5_3_5_a_tablet_back_from_repair_with_somebodys_data_is_lent_to_nobody(engine: Engine) {
    let school = school(engine).await;
    let loan = lent(&school).await;
    let repair = send(&school.ati, SERIAL, None).await.ok().unwrap();
    let repair = text(&repair, "id");
    // Its holder's guardians end the loan while it is away.
    let today = Day::of(school.server.clock().now()).to_string();
    let letter = json!({ "from": "guardians", "dated": today, "reference": "LR 1A 234" });
    assert_eq!(school.act(&school.head, &loan, "letter", letter).await.status, 200);
    let ended = back(&school.ati, &repair, None).await.ok().unwrap();
    assert!(text(&ended["repair"], "next").contains("receive it"), "{ended:#}");
    assert_eq!(standing(&school, &loan).await.0, "ended", "a loan that ended stays ended");
    // It lies there with their data: sent away again only once it is received, and lent to nobody either way.
    assert_eq!(send(&school.ati, SERIAL, None).await.status, 403);
    let receipt = json!({ "tablets": [{ "tablet": SERIAL, "condition": "réparée" }] });
    school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().ok().unwrap();
    let again = text(&send(&school.ati, SERIAL, None).await.ok().unwrap(), "id");
    back(&school.ati, &again, None).await.ok().unwrap();
    let people = school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &["Tom Roy"]).await.unwrap();
    let refused = school.handed(SERIAL, &people[0].to_string()).await;
    assert!(refused.status == 403 && refused.body.to_string().contains("C5.3.5"), "{refused:?}");
    // The database says the same to whoever goes around the program.
    assert!(school.server.lent(SERIAL, people[0], &school.year).await.is_err());
}

async fn c5_2_2_a_tablet_that_was_handed_in_is_kept_when_it_is_back_from_repair(engine: Engine) {
    let mut school = school(engine).await;
    let loan = lent(&school).await;
    school.later(151).await;
    assert_eq!(school.act(&school.ati, &loan, "deposit", json!({})).await.text("/state"), "deposited");
    let repair = text(&send(&school.ati, SERIAL, None).await.ok().unwrap(), "id");
    school.later(20).await;
    let again = back(&school.ati, &repair, None).await;
    assert_eq!(again.text("/repair/loan_state"), "deposited", "{again:?}");
    assert_eq!(standing(&school, &loan).await.0, "deposited");
    let early = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.2.2".to_owned()), "{early:?}");
}

async fn c5_2_2_what_was_handed_in_before_it_broke_stays_in_deposit_when_it_is_back_before_the_break(
    engine: Engine,
) {
    let mut school = school(engine).await;
    let loan = lent(&school).await;
    school.later(140).await;
    school.act(&school.ati, &loan, "deposit", json!({})).await.ok().unwrap();
    let repair = text(&send(&school.ati, SERIAL, None).await.ok().unwrap(), "id");
    school.later(1).await;
    let again = back(&school.ati, &repair, None).await;
    assert_eq!(again.text("/repair/loan_state"), "deposited", "{again:?}");
    assert_eq!(school.mode(&loan).await, "deposit");
}

async fn c5_4_2_a_missing_tablet_goes_to_no_supplier_and_a_broken_one_does_while_its_loan_rests(
    engine: Engine,
) {
    let school = school(engine).await;
    let (loan, eloise) = holds_one(&school).await;
    let declare = async |kind: &str| {
        let noticed = school.server.clock().now().to_string();
        let path = format!("/api/v1/tablets/{SERIAL}/incidents");
        let new = json!({ "kind": kind, "noticed_at": noticed });
        text(&school.ati.post(&path, &new).await.unwrap().ok().unwrap(), "id")
    };
    let step = async |incident: &str, step: &str| {
        let path = format!("/api/v1/incidents/{incident}/steps");
        school.ati.post(&path, &json!({ "step": step })).await.unwrap().ok().unwrap()
    };
    let lost = declare("loss").await;
    let missing = send(&school.ati, SERIAL, None).await;
    assert_eq!(rule(&missing), (403, "C5.4.5".to_owned()), "{missing:?}");
    let told = missing.text("/detail");
    assert!(told.contains(SERIAL) && told.contains("is missing"), "{missing:?}");
    step(&lost, "find").await;
    step(&lost, "close").await;
    // It breaks, and the head grants a replacement: the loan rests for the incident, and the tablet goes to its supplier.
    let broken = declare("breakage").await;
    let granted = json!({ "granted": true });
    let path = format!("/api/v1/incidents/{broken}/replacement");
    school.head.put(&path, &granted).await.unwrap().ok().unwrap();
    let rests = || async { standing(&school, &loan).await };
    assert_eq!(rests().await, ("suspended".into(), "incident".into()));
    assert_eq!(school.handed(OTHER, &eloise).await.status, 201, "their replacement");
    let repair = text(&send(&school.ati, SERIAL, None).await.ok().unwrap(), "id");
    assert_eq!(rests().await, ("suspended".into(), "repair".into()));
    // Back while the incident is open it rests for that again, and they keep the other one.
    let again = back(&school.ati, &repair, None).await;
    assert_eq!((again.status, again.text("/repair/loan_state")), (200, "suspended"), "{again:?}");
    assert!(again.text("/repair/next").contains("incident"), "{again:?}");
    assert_eq!(rests().await, ("suspended".into(), "incident".into()));
    // Received by a slip, and taken back, it rests as before.
    let receipt = json!({ "tablets": [scan(SERIAL)] });
    let receipt = school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().ok().unwrap();
    let id = text(&receipt["tablets"][0]["restitution"], "id");
    let path = format!("/api/v1/restitutions/{id}/undo");
    school.ati.post(&path, &json!({})).await.unwrap().ok().unwrap();
    assert_eq!(rests().await, ("suspended".into(), "incident".into()));
    step(&broken, "close").await;
    let both = school.act(&school.head, &loan, "resume", json!({})).await;
    assert_eq!(rule(&both), (403, "C5.3.1".to_owned()), "{both:?}");
    assert!(both.text("/detail").contains(OTHER), "it names the one to bring back: {both:?}");
}

async fn c5_3_1_a_swap_is_one_act_or_nothing(engine: Engine) {
    let school = school(engine).await;
    let (loan, eloise) = holds_one(&school).await;
    let path = format!("/api/v1/loans/{loan}/swap");
    let swap = |back: &'static str, instead: &'static str| {
        let body = json!({
            "back": { "tablet": back, "condition": "écran fêlé", "saved": true },
            "instead": { "tablet": instead, "condition": "bon état", "accessories": ["coque"] },
        });
        let (ati, path) = (school.ati.clone(), path.clone());
        async move { ati.post(&path, &body).await.unwrap() }
    };
    school.server.import_inventory(&inventory_csv([THIRD], COLLEGE)).await.unwrap();
    assert_eq!(swap(SERIAL, THIRD).await.status, 403, "it is not ready");
    assert_eq!(standing(&school, &loan).await.0, "lent", "then nothing was received either");
    assert_eq!(swap(THIRD, OTHER).await.status, 409, "they hold another than was scanned");
    let swapped = swap(SERIAL, OTHER).await;
    assert_eq!(
        (swapped.status, swapped.text("/loan/serial"), swapped.text("/loan/person")),
        (201, OTHER, eloise.as_str()),
        "{swapped:?}"
    );
    assert_eq!(school.loan(&loan).await["ended_because"], "given-back");
    school.server.advance(Duration::from_secs(61));
    let id = swapped.text("/given_back/restitution").to_owned();
    let received = school.ati.get(&format!("/api/v1/restitutions/{id}")).await.unwrap();
    assert_eq!((received.status, received.text("/serial")), (200, SERIAL), "{received:?}");
    assert_eq!(swap(SERIAL, OTHER).await.status, 409, "that loan is over");
}
