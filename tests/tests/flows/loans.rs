//! What becomes of a loan, through the whole server: its mode follows the law, and its ends are those that the law knows
//! (C5.2, C5.3.6, C6.1).

use serde_json::json;
use store::Engine;
use testkit::{Answer, ApiClient, inventory_csv};
use types::{Clock as _, Day};

use crate::lending::{OTHER, SERIAL, School, decide, rule, school, text};
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    c5_2_1_the_mode_of_a_loan_follows_the_decision_the_signatures_and_the_text,
    c5_2_5_c5_3_6_a_restriction_ends_and_a_confiscated_tablet_comes_back,
    c5_2_2_the_summers_deposit_is_no_end_and_the_same_pupil_gets_the_same_tablet,
    c5_2_2_c5_3_6_a_slip_of_the_scanner_leaves_a_loan_as_it_stood,
    c5_2_4_a_loan_ends_by_the_departement_or_by_registered_letter,
    c6_1_the_report_of_the_year_counts_and_names_nobody,
}

async fn c5_2_1_the_mode_of_a_loan_follows_the_decision_the_signatures_and_the_text(engine: Engine) {
    let mut school = school(engine).await;
    let people =
        school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &["Zoé Martin"]).await.unwrap();
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let loan = school.server.lent(SERIAL, people[0], &school.year).await.unwrap().to_string();
    let today = Day::of(school.server.clock().now()).to_string();
    let path = format!("/api/v1/persons/{}/agreement", people[0]);
    let ati = school.ati.clone();
    let say = |who: &'static str, stance: &'static str| {
        let said = json!({ "signatory": who, "stance": stance, "on": today.clone(), "reference": "page 1" });
        let (ati, path) = (ati.clone(), path.clone());
        async move { ati.post(&path, &said).await.unwrap() }
    };
    assert_eq!(say("guardian-1", "signed").await.status, 409, "there is no text yet");
    let text = |body: &'static str, operator: &ApiClient| {
        let operator = operator.clone();
        async move {
            operator
                .post("/api/v1/agreements", &json!({ "title": "Convention", "body": body }))
                .await
                .unwrap()
        }
    };
    assert_eq!(text("premier", &school.operator).await.status, 201);
    assert_eq!(text("premier", &school.operator).await.status, 409, "the very text in force");
    assert_eq!(say("guardian-2", "signed").await.status, 422, "nobody knows of a second guardian");
    // Signed, but the collège has not decided: it stays.
    assert_eq!(say("guardian-1", "signed").await.body["agreed"], true);
    assert_eq!(school.mode(&loan).await, "in-school");
    decide(&school.head, &json!({ "home_use": "allowed" })).await;
    school.round().await;
    assert_eq!(school.mode(&loan).await, "take-home");
    // The same paper recorded twice is recorded once, and whose it is is shown with what tells homonyms apart.
    let twice = say("guardian-1", "signed").await;
    assert_eq!((twice.status, twice.body["said"].as_array().unwrap().len()), (201, 1), "{twice:?}");
    assert_eq!(twice.text("/person/name"), "Zoé Martin");
    assert!(twice.body["person"].get("class").is_some() && twice.body["person"].get("number").is_some());
    // An opposition keeps it at school at once; on the same day it prevails over a signature.
    assert_eq!(say("guardian-1", "opposed").await.body["agreed"], false);
    assert_eq!(school.mode(&loan).await, "in-school");
    school.later(1).await;
    let tomorrow = Day::of(school.server.clock().now()).to_string();
    let again = json!({ "signatory": "guardian-1", "stance": "signed", "on": tomorrow, "scan_sha256": "a".repeat(64) });
    let path = format!("/api/v1/persons/{}/agreement", people[0]);
    school.ati.post(&path, &again).await.unwrap().ok().unwrap();
    assert_eq!(school.mode(&loan).await, "take-home");
    // Another text takes another signature (C9.1).
    assert_eq!(text("second", &school.operator).await.status, 201);
    school.round().await;
    assert_eq!(school.mode(&loan).await, "in-school");
}

/// A loan that stands in the books, and the tablet is nowhere.
pub(crate) async fn lent(school: &School) -> String {
    let people =
        school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &["Zoé Martin"]).await.unwrap();
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    school.server.lent(SERIAL, people[0], &school.year).await.unwrap().to_string()
}

async fn c5_2_5_c5_3_6_a_restriction_ends_and_a_confiscated_tablet_comes_back(engine: Engine) {
    let mut school = school(engine).await;
    let loan = lent(&school).await;
    let until = Day::of(school.server.clock().now()).plus(5).to_string();
    let restriction = json!({ "until": until });
    assert_eq!(
        school.act(&school.ati, &loan, "restrict", restriction.clone()).await.status,
        403,
        "the head's"
    );
    let restricted = school.act(&school.head, &loan, "restrict", restriction).await;
    assert_eq!(restricted.text("/mode"), "restricted", "{restricted:?}");
    assert_eq!(restricted.text("/restricted_until"), until);
    let listed = school.ati.get("/api/v1/loans").await.unwrap();
    assert_eq!(listed.text("/items/0/restricted_until"), until, "{listed:?}");
    let past = json!({ "until": "2020-01-01" });
    assert_eq!(school.act(&school.head, &loan, "restrict", past).await.status, 422);
    let outlasts = school.act(&school.head, &loan, "restrict", json!({ "until": "2099-01-01" })).await;
    assert_eq!(rule(&outlasts), (403, "C5.2.5".to_owned()), "the year is over by then: {outlasts:?}");
    assert!(outlasts.text("/detail").contains(SERIAL), "{outlasts:?}");
    let lifted = school.act(&school.head, &loan, "lift-restrictions", json!({})).await;
    assert_eq!((lifted.text("/mode"), &lifted.body["restricted_until"]), ("in-school", &json!(null)));
    assert_eq!(school.act(&school.head, &loan, "lift-restrictions", json!({})).await.status, 409);
    // Confiscated: the loan rests, the pupil gets no other tablet by it, and nothing is erased.
    let why = json!({ "reason": "refus de présenter la tablette" });
    let confiscated = school.act(&school.head, &loan, "confiscate", why.clone()).await;
    assert_eq!((confiscated.text("/state"), confiscated.text("/suspension")), ("suspended", "confiscated"));
    let twice = school.act(&school.head, &loan, "confiscate", why).await;
    assert!(twice.status == 409 && twice.text("/detail").contains(SERIAL), "{twice:?}");
    school.server.import_inventory(&inventory_csv([OTHER], COLLEGE)).await.unwrap();
    let another = school.handed(OTHER, confiscated.text("/person")).await;
    assert!(another.body.to_string().contains("C5.3.1"), "{another:?}");
    assert_eq!(school.act(&school.head, &loan, "resume", json!({})).await.text("/state"), "lent");
    // A restriction ends by itself on the day after its last.
    let until = Day::of(school.server.clock().now()).plus(1).to_string();
    school.act(&school.head, &loan, "restrict", json!({ "until": until })).await.ok().unwrap();
    school.later(2).await;
    school.round().await;
    assert_eq!(school.mode(&loan).await, "in-school");
}

async fn c5_2_2_the_summers_deposit_is_no_end_and_the_same_pupil_gets_the_same_tablet(engine: Engine) {
    let mut school = school(engine).await;
    let loan = lent(&school).await;
    let early = school.act(&school.ati, &loan, "deposit", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.2.2".to_owned()), "{early:?}");
    // The summer's last fortnight before: 150 days from the first.
    school.later(140).await;
    let deposited = school.act(&school.ati, &loan, "deposit", json!({})).await;
    assert_eq!(
        (deposited.text("/state"), deposited.text("/mode")),
        ("deposited", "deposit"),
        "{deposited:?}"
    );
    school.later(20).await;
    let summer = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!(rule(&summer), (403, "C5.2.2".to_owned()), "{summer:?}");
    school.later(45).await;
    let out = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!((out.text("/state"), out.text("/id")), ("lent", loan.as_str()), "{out:?}");
    let hand = school.server.fleet().unwrap().store().read(|tx| {
        let tablet = store::tablets::by_serial(tx, &SERIAL.parse().unwrap())?.unwrap();
        store::restitutions::last_of_tablet(tx, tablet.id)
    });
    assert_eq!(hand.await.unwrap(), None, "nothing was given back, and nothing erased");
}

/// The technician scans the tablet, and takes that back.
async fn slip(school: &School) -> Answer {
    let scanned = json!({ "tablets": [{ "tablet": SERIAL, "condition": "bon état" }] });
    let receipt = school.ati.post("/api/v1/restitutions", &scanned).await.unwrap();
    assert_eq!(receipt.status, 201, "{receipt:?}");
    let id = receipt.text("/tablets/0/restitution/id").to_owned();
    school.ati.post(&format!("/api/v1/restitutions/{id}/undo"), &json!({})).await.unwrap()
}

async fn c5_2_2_c5_3_6_a_slip_of_the_scanner_leaves_a_loan_as_it_stood(engine: Engine) {
    let mut school = school(engine).await;
    let loan = lent(&school).await;
    let stands = async |school: &School| {
        let loan = school.loan(&loan).await;
        ["state", "suspension", "mode", "changed_at"].map(|key| text(&loan, key))
    };
    // No act has said yet where the tablet may go: the first one does.
    assert_eq!(slip(&school).await.text("/stage"), "undone");
    let lent = stands(&school).await;
    assert_eq!(lent[0], "lent");
    school.later(1).await;
    assert_eq!(slip(&school).await.text("/stage"), "undone");
    assert_eq!(stands(&school).await, lent);
    // Confiscated: it was before, and is after.
    let why = json!({ "reason": "refus de présenter la tablette" });
    school.act(&school.head, &loan, "confiscate", why.clone()).await.ok().unwrap();
    let confiscated = stands(&school).await;
    assert_eq!(confiscated[1], "confiscated");
    school.later(1).await;
    assert_eq!(slip(&school).await.text("/stage"), "undone");
    assert_eq!(stands(&school).await, confiscated);
    school.act(&school.head, &loan, "resume", json!({})).await.ok().unwrap();
    // In deposit, and confiscated there.
    school.later(150).await;
    school.act(&school.ati, &loan, "deposit", json!({})).await.ok().unwrap();
    let kept = stands(&school).await;
    assert_eq!((kept[0].as_str(), kept[2].as_str()), ("deposited", "deposit"));
    school.later(1).await;
    assert_eq!(slip(&school).await.text("/stage"), "undone");
    assert_eq!(stands(&school).await, kept);
    school.act(&school.head, &loan, "confiscate", why).await.ok().unwrap();
    let confiscated = stands(&school).await;
    school.later(1).await;
    assert_eq!(slip(&school).await.text("/stage"), "undone");
    assert_eq!(stands(&school).await, confiscated);
    // Given back by the head it lies in deposit again, since then; in September the pupil gets it.
    school.act(&school.head, &loan, "resume", json!({})).await.ok().unwrap();
    assert_eq!(stands(&school).await, kept);
    school.later(60).await;
    let out = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!((out.text("/state"), out.text("/id")), ("lent", loan.as_str()), "{out:?}");
}

async fn c5_2_4_a_loan_ends_by_the_departement_or_by_registered_letter(engine: Engine) {
    let school = school(engine).await;
    let loan = lent(&school).await;
    let today = Day::of(school.server.clock().now());
    let letter =
        |dated: Day| json!({ "from": "guardians", "dated": dated.to_string(), "reference": "LR 1A 234" });
    let future = school.act(&school.head, &loan, "letter", letter(today.plus(1))).await;
    assert_eq!(rule(&future), (403, "C5.2.4".to_owned()), "{future:?}");
    assert_eq!(school.act(&school.ati, &loan, "letter", letter(today)).await.status, 403);
    let ended = school.act(&school.head, &loan, "letter", letter(today)).await;
    assert_eq!(
        (ended.text("/ended_because"), ended.text("/ended_on")),
        ("letter-of-the-guardians", today.to_string().as_str()),
        "{ended:?}"
    );
    let again = school.act(&school.operator, &loan, "end", json!({ "reason": "fin" })).await;
    assert_eq!(again.status, 409, "{again:?}");
    // Another loan, ended by the département; neither reason nor breach is left unsaid.
    let people = school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &["Tom Roy"]).await.unwrap();
    school.server.import_inventory(&inventory_csv([OTHER], COLLEGE)).await.unwrap();
    let other = school.server.lent(OTHER, people[0], &school.year).await.unwrap().to_string();
    assert_eq!(school.act(&school.operator, &other, "end", json!({})).await.status, 422);
    assert_eq!(school.act(&school.head, &other, "end", json!({ "reason": "x" })).await.status, 403);
    let ended = school.act(&school.operator, &other, "end", json!({ "breach": true })).await;
    assert_eq!(ended.text("/ended_because"), "breach", "{ended:?}");
}

async fn c6_1_the_report_of_the_year_counts_and_names_nobody(engine: Engine) {
    let school = school(engine).await;
    let loan = lent(&school).await;
    school.server.import_inventory(&inventory_csv([OTHER], OTHER_COLLEGE)).await.unwrap();
    school.act(&school.operator, &loan, "end", json!({ "reason": "fin" })).await.ok().unwrap();
    let report = school.head.get("/api/v1/year-report").await.unwrap().ok().unwrap();
    let lines = report.as_array().unwrap();
    assert_eq!(lines.len(), 1, "a head sees their own: {report:#}");
    for (figure, count) in [
        ("tablets", 1),
        ("listed", 1),
        ("loans_begun", 1),
        ("loans_going_on", 0),
        ("loans_ended", 1),
        ("returns", 0),
    ] {
        assert_eq!(lines[0][figure], count, "{figure}: {report:#}");
    }
    assert!(!report.to_string().contains("Zoé"));
    let all = school.academie.get("/api/v1/year-report").await.unwrap();
    assert!(all.status == 200 && !all.body.as_array().unwrap().is_empty(), "{all:?}");
}
