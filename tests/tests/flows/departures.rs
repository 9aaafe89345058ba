//! A tablet is given away, another is retired, through the whole server: facts are shown, persons decide, the pupil is told,
//! the erasure is proven, and what cannot be undone comes last, with a second person (C5.1.2, C5.3.5, M3, M4).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, inventory_csv};
use types::{Clock as _, Role};

use crate::lending::{CLASS, OTHER, SERIAL, SOCLE, School, follows, person, rule, school, text};
use crate::returns::{network, notices_are_validated};
use crate::support::{COLLEGE, on_both_engines};

on_both_engines! {
    c5_1_2_a_tablet_is_given_away_by_two_organisations_and_a_second_person_and_holds_nothing,
    c5_1_2_a_retired_tablet_is_lent_to_nobody_and_a_decision_is_taken_back_until_it_is_let_go,
    c5_1_2_the_facts_of_a_gift_are_those_of_every_tablet_that_the_pupil_was_lent,
    c5_3_5_a_gift_waits_for_nobody_whose_data_is_saved,
    c5_1_2_what_is_given_to_a_pupil_who_leaves_is_not_to_come_back,
    m5_every_order_of_a_departure_that_the_brake_holds_is_given_when_a_second_person_signs,
    c5_3_5_a_tablet_whose_loan_ended_and_that_nobody_received_is_not_retired,
    c3_3_4_a_tablet_that_was_given_away_is_not_admitted_again_before_somebody_takes_it_in,
    t_c1_a_departure_of_another_college_does_not_exist,
}

async fn act(client: &ApiClient, id: &str, what: &str, body: Value) -> Answer {
    client.post(&format!("/api/v1/departures/{id}/{what}"), &body).await.unwrap()
}

async fn shown(client: &ApiClient, id: &str) -> Answer {
    client.get(&format!("/api/v1/departures/{id}")).await.unwrap()
}

/// Another operator of the département signs what was asked.
async fn signs(school: &School, login: &str, asked: &str) {
    answers(school, login, asked, "give").await;
}

/// Another operator of the département says yes or no to what was asked.
async fn answers(school: &School, login: &str, asked: &str, verdict: &str) {
    let account = school
        .server
        .someone(Employer::Departement, login, Role::Operator, GrantReach::Organisation)
        .await
        .unwrap();
    let second = school.server.in_session(account, CodeShown::JustNow).await.unwrap();
    let path = format!("/api/v1/countersignatures/{asked}");
    let seen = second.get(&path).await.unwrap().ok().unwrap();
    let yes = json!({ "verdict": verdict, "content_sha256": seen["content_sha256"], "reason": "vu" });
    second.post(&format!("{path}/answer"), &yes).await.unwrap().ok().unwrap();
}

/// A pupil of 3e holds a tablet that can come back by itself.
async fn holds_one(school: &School) -> (Ipad, String, String) {
    school.server.publish_layer(SOCLE).await.unwrap();
    network(&school.server).await;
    notices_are_validated(&school.server).await;
    let ipad = school.ready(SERIAL).await;
    let list = school.list(CLASS).await;
    let handed = school.handed(SERIAL, &person(&list, "1")).await;
    assert_eq!(handed.status, 201, "{handed:?}");
    (ipad, handed.text("/id").to_owned(), person(&list, "4"))
}

async fn c5_1_2_a_tablet_is_given_away_by_two_organisations_and_a_second_person_and_holds_nothing(
    engine: Engine,
) {
    let mut school = school(engine).await;
    let (mut ipad, loan, _teacher) = holds_one(&school).await;
    // The program states facts; the head says yes or no of a year, and nothing else.
    let word = format!("/api/v1/loans/{loan}/years/{}", school.year);
    assert_eq!(school.ati.put(&word, &json!({ "responsible": true })).await.unwrap().status, 403);
    school.head.put(&word, &json!({ "responsible": true })).await.unwrap().ok().unwrap();
    let facts =
        school.operator.get(&format!("/api/v1/loans/{loan}/donation-facts")).await.unwrap().ok().unwrap();
    assert_eq!(facts["years"], json!([{ "school_year": school.year, "responsible": true }]));
    assert_eq!(
        (&facts["donation_ruled_out"], &facts["incident_open"], &facts["counterpart_unpaid"]),
        (&json!(false), &json!(false), &json!(false))
    );
    // The head proposes, the département decides.
    let path = format!("/api/v1/loans/{loan}/donation");
    let why = json!({ "reason": "trois ans sans sinistre" });
    assert_eq!(school.operator.post(&path, &why).await.unwrap().status, 403);
    let proposed = school.head.post(&path, &why).await.unwrap();
    assert_eq!((proposed.status, proposed.text("/way")), (201, "proposed"), "{proposed:?}");
    let id = proposed.text("/id").to_owned();
    assert_eq!(school.head.post(&path, &why).await.unwrap().status, 409, "once");
    assert_eq!(act(&school.ati, &id, "order", json!({})).await.status, 409, "nothing is decided");
    assert_eq!(act(&school.head, &id, "decide", json!({})).await.status, 403);
    assert_eq!(act(&school.operator, &id, "decide", json!({})).await.text("/way"), "decided");
    assert_eq!(
        act(&school.head, &id, "take-back", json!({})).await.status,
        409,
        "the département has decided"
    );
    // Nobody's data is erased without notice, not even for a gift.
    let early = act(&school.ati, &id, "order", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.3.5".to_owned()), "{early:?}");
    let letter = act(&school.ati, &id, "letter", json!({})).await;
    assert!(
        letter.text("/french").contains(SERIAL) && letter.text("/french").contains("Lemaréchal"),
        "{letter:?}"
    );
    assert_eq!(act(&school.ati, &id, "letter/handed-over", json!({})).await.status, 200);
    school.later(13).await;
    let early = act(&school.ati, &id, "order", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.3.5".to_owned()), "{early:?}");
    school.later(1).await;
    let ordered = act(&school.ati, &id, "order", json!({})).await;
    assert_eq!(
        (ordered.status, ordered.text("/departure/way"), &ordered.body["held"]),
        (201, "ordered", &Value::Null),
        "{ordered:?}"
    );
    let not_yet = act(&school.operator, &id, "ask", json!({})).await;
    assert_eq!(
        rule(&not_yet),
        (403, "C5.1.2".to_owned()),
        "nothing irreversible before it is proven empty: {not_yet:?}"
    );
    // The pupil's tablet erases itself, and its return proves it. The loan goes on all the while.
    let talk = ipad.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, Some(Ok(()))));
    let empty = shown(&school.operator, &id).await;
    assert_eq!((empty.text("/way"), empty.text("/proof")), ("erased", "reenrolled"), "{empty:?}");
    assert_eq!(school.loan(&loan).await["state"], "lent");
    // A second person of the département, then management, then the owner's accounts.
    let asked = act(&school.operator, &id, "ask", json!({})).await.text("/countersignature").to_owned();
    let unsigned = act(&school.operator, &id, "let-go", json!({ "countersignature": asked })).await;
    assert!(unsigned.status == 403 || unsigned.status == 409, "{unsigned:?}");
    signs(&school, "bruno", &asked).await;
    let gone = act(&school.operator, &id, "let-go", json!({ "countersignature": asked })).await;
    assert_eq!(
        (gone.status, gone.text("/departure/way"), &gone.body["held"]),
        (200, "let-go", &Value::Null),
        "{gone:?}"
    );
    assert_eq!(rule(&act(&school.operator, &id, "withdraw", json!({})).await), (403, "C5.1.2".to_owned()));
    let shows = json!({ "release": "ASM, ligne 4711", "activation_lock": "écran d’accueil vu" });
    let managed = act(&school.operator, &id, "release", shows.clone()).await;
    assert_eq!(rule(&managed), (403, "C5.1.2".to_owned()), "{managed:?}");
    ipad.poll().await.unwrap();
    assert!(!ipad.is_enrolled(), "it has left management");
    assert_eq!(school.operator.get(&format!("/api/v1/departures/{id}/deed")).await.unwrap().status, 409);
    let over = act(&school.operator, &id, "release", shows).await;
    assert_eq!(
        (over.status, over.text("/way"), &over.body["managed"]),
        (200, "released", &json!(false)),
        "{over:?}"
    );
    let loan = school.loan(&loan).await;
    assert_eq!((text(&loan, "state"), text(&loan, "ended_because")), ("ended".into(), "given-away".into()));
    let deed = school.head.get(&format!("/api/v1/departures/{id}/deed")).await.unwrap().ok().unwrap();
    for word in [SERIAL, "Éloïse Lemaréchal", id.as_str()] {
        assert!(
            text(&deed, "french").contains(word) && text(&deed, "english").contains(word),
            "{word}: {deed:#}"
        );
    }
    let awaited = school.ati.get("/api/v1/overdue-tablets").await.unwrap().ok().unwrap();
    assert_eq!(awaited["items"], json!([]), "what was given is not to come back");
}

async fn c5_1_2_a_retired_tablet_is_lent_to_nobody_and_a_decision_is_taken_back_until_it_is_let_go(
    engine: Engine,
) {
    let school = school(engine).await;
    let (_ipad, loan, teacher) = holds_one(&school).await;
    let path = |serial: &str| format!("/api/v1/tablets/{serial}/retirement");
    let why = json!({ "reason": "écran irréparable" });
    let lent = school.operator.post(&path(SERIAL), &why).await.unwrap();
    assert_eq!(lent.status, 409, "it is lent ({loan}): {lent:?}");
    let mut other = school.ready(OTHER).await;
    assert_eq!(school.ati.post(&path(OTHER), &why).await.unwrap().status, 403);
    let decided = school.operator.post(&path(OTHER), &why).await.unwrap();
    assert_eq!((decided.status, decided.text("/way")), (201, "decided"), "{decided:?}");
    let id = decided.text("/id").to_owned();
    let refused = school.handed(OTHER, &teacher).await;
    assert!(refused.status == 403 && refused.body.to_string().contains("C3.3.2"), "{refused:?}");
    // Taken back, with the order that rested on it: nothing is erased by a decision that stands no more.
    assert_eq!(act(&school.ati, &id, "order", json!({})).await.status, 201, "a retirement does not wait");
    assert_eq!(act(&school.operator, &id, "withdraw", json!({})).await.text("/way"), "withdrawn");
    assert!(!other.poll().await.unwrap().erased);
    assert_eq!(act(&school.operator, &id, "withdraw", json!({})).await.status, 403, "once");
    // Decided again, it goes its way; a technician attests what cannot come back by itself.
    let again = school.operator.post(&path(OTHER), &why).await.unwrap().ok().unwrap();
    let id = text(&again, "id");
    assert_eq!(
        rule(&act(&school.ati, &id, "attest", json!({})).await),
        (403, "C5.1.2".to_owned()),
        "nobody erases without an order"
    );
    act(&school.ati, &id, "order", json!({})).await.ok().unwrap();
    assert_eq!(act(&school.ati, &id, "attest", json!({})).await.text("/proof"), "attested");
    assert!(!other.poll().await.unwrap().erased, "the order has done its work");
    let asked = act(&school.operator, &id, "ask", json!({})).await.text("/countersignature").to_owned();
    signs(&school, "bruno", &asked).await;
    assert_eq!(act(&school.operator, &id, "let-go", json!({ "countersignature": asked })).await.status, 200);
    other.poll().await.unwrap();
    let shows = json!({ "release": "ASM, ligne 4712", "activation_lock": "écran d’accueil vu" });
    assert_eq!(act(&school.operator, &id, "release", shows).await.text("/way"), "released");
    assert_eq!(act(&school.operator, &id, "leave-again", json!({})).await.status, 409);
    let open = school.operator.get("/api/v1/departures").await.unwrap().ok().unwrap();
    let all = school.operator.get("/api/v1/departures?all=true").await.unwrap().ok().unwrap();
    assert_eq!((&open["items"], all["items"].as_array().unwrap().len()), (&json!([]), 2));
    // The database says the same to whoever goes around the program.
    school.server.import_inventory(&inventory_csv([OTHER], COLLEGE)).await.unwrap();
    assert!(school.server.lent(OTHER, teacher.parse().unwrap(), &school.year).await.is_err());
    // Taken in again, it is lent to nobody before it is proven empty of whoever had it meanwhile.
    let light = || async {
        let light =
            school.ati.get(&format!("/api/v1/tablets/{OTHER}/readiness")).await.unwrap().ok().unwrap();
        crate::lending::obstacles(&light)
    };
    let back = json!({ "reason": "retrouvée chez le prestataire" });
    assert_eq!(act(&school.operator, &id, "take-in", back).await.text("/way"), "taken-in");
    assert!(light().await.contains(&"C5.3.5".to_owned()), "{:?}", light().await);
    assert!(school.server.lent(OTHER, teacher.parse().unwrap(), &school.year).await.is_err());
    let once_more = school.operator.post(&path(OTHER), &why).await.unwrap().ok().unwrap();
    let since = text(&once_more, "id");
    act(&school.ati, &since, "order", json!({})).await.ok().unwrap();
    assert_eq!(act(&school.ati, &since, "attest", json!({})).await.text("/proof"), "attested");
    assert_eq!(act(&school.operator, &since, "withdraw", json!({})).await.text("/way"), "withdrawn");
    assert!(!light().await.contains(&"C5.3.5".to_owned()), "{:?}", light().await);
    school.server.lent(OTHER, teacher.parse().unwrap(), &school.year).await.unwrap();
}

/// The head proposed that the tablet of this loan is given to its pupil, and the département decided so.
async fn to_be_given(school: &School, loan: &str) -> String {
    let why = json!({ "reason": "trois ans sans sinistre" });
    let proposed = school.head.post(&format!("/api/v1/loans/{loan}/donation"), &why).await.unwrap();
    let id = text(&proposed.ok().unwrap(), "id");
    act(&school.operator, &id, "decide", json!({})).await.ok().unwrap();
    id
}

async fn c5_1_2_the_facts_of_a_gift_are_those_of_every_tablet_that_the_pupil_was_lent(engine: Engine) {
    let school = school(engine).await;
    let (_ipad, loan, _teacher) = holds_one(&school).await;
    let _other = school.ready(OTHER).await;
    let word = |loan: &str| format!("/api/v1/loans/{loan}/years/{}", school.year);
    school.head.put(&word(&loan), &json!({ "responsible": false })).await.unwrap().ok().unwrap();
    // What befell the first tablet while they had it is theirs to answer for, whichever they have now.
    let noticed = school.server.clock().now().to_string();
    let broken = json!({ "kind": "breakage", "noticed_at": noticed });
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let incident = school.ati.post(&path, &broken).await.unwrap().ok().unwrap();
    school.server.advance(types::Duration::from_secs(60));
    let swap = json!({
        "back": { "tablet": SERIAL, "condition": "écran fêlé", "saved": true },
        "instead": { "tablet": OTHER, "condition": "bon état" },
    });
    let swapped = school.ati.post(&format!("/api/v1/loans/{loan}/swap"), &swap).await.unwrap();
    assert_eq!(swapped.status, 201, "{swapped:?}");
    let now = swapped.text("/loan/id").to_owned();
    let facts = async || {
        let path = format!("/api/v1/loans/{now}/donation-facts");
        school.operator.get(&path).await.unwrap().ok().unwrap()
    };
    let year = |responsible: bool| json!([{ "school_year": school.year, "responsible": responsible }]);
    let before = facts().await;
    assert_eq!((&before["years"], &before["incident_open"]), (&year(false), &json!(true)), "{before:#}");
    // A year with two tablets was managed responsibly if both were.
    school.head.put(&word(&now), &json!({ "responsible": true })).await.unwrap().ok().unwrap();
    assert_eq!(facts().await["years"], year(false));
    school.head.put(&word(&loan), &json!({ "responsible": true })).await.unwrap().ok().unwrap();
    assert_eq!(facts().await["years"], year(true));
    let steps = format!("/api/v1/incidents/{}/steps", text(&incident, "id"));
    school.ati.post(&steps, &json!({ "step": "close" })).await.unwrap().ok().unwrap();
    assert_eq!(facts().await["incident_open"], json!(false));
}

async fn c5_3_5_a_gift_waits_for_nobody_whose_data_is_saved(engine: Engine) {
    let school = school(engine).await;
    let (mut ipad, loan, _teacher) = holds_one(&school).await;
    let why = json!({ "reason": "trois ans sans sinistre" });
    let proposed = school.head.post(&format!("/api/v1/loans/{loan}/donation"), &why).await.unwrap();
    let id = text(&proposed.ok().unwrap(), "id");
    assert_eq!(act(&school.ati, &id, "saved", json!({})).await.status, 409, "nothing is decided");
    act(&school.operator, &id, "decide", json!({})).await.ok().unwrap();
    let early = act(&school.ati, &id, "order", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.3.5".to_owned()), "{early:?}");
    let said = act(&school.ati, &id, "saved", json!({})).await;
    let at = said.body["saved_at"].clone();
    assert!(said.status == 200 && at.is_string(), "{said:?}");
    let again = act(&school.ati, &id, "saved", json!({})).await;
    assert_eq!((again.status, &again.body["saved_at"]), (200, &at), "what was said first counts");
    act(&school.ati, &id, "order", json!({})).await.ok().unwrap();
    assert!(ipad.poll().await.unwrap().erased, "no notice was sent, and none was needed");
    assert_eq!(shown(&school.operator, &id).await.text("/way"), "erased");
    let late = act(&school.ati, &id, "saved", json!({})).await;
    assert_eq!(rule(&late), (403, "C5.1.2".to_owned()), "{late:?}");
    let late = act(&school.ati, &id, "letter", json!({})).await;
    assert_eq!(rule(&late), (403, "C5.1.2".to_owned()), "nothing is left to be saved: {late:?}");
    act(&school.operator, &id, "withdraw", json!({})).await.ok().unwrap();
    let late = act(&school.ati, &id, "letter", json!({})).await;
    assert!(late.status == 409 && late.body.to_string().contains("taken back"), "{late:?}");
    // Nobody's data is on a tablet that is retired.
    school.server.import_inventory(&inventory_csv([OTHER], COLLEGE)).await.unwrap();
    let retired = school
        .operator
        .post(&format!("/api/v1/tablets/{OTHER}/retirement"), &why)
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(act(&school.ati, &text(&retired, "id"), "saved", json!({})).await.status, 409);
}

async fn m5_every_order_of_a_departure_that_the_brake_holds_is_given_when_a_second_person_signs(
    engine: Engine,
) {
    let mut school = school(engine).await;
    school.server.import_inventory(&inventory_csv([OTHER], COLLEGE)).await.unwrap();
    let path = format!("/api/v1/tablets/{OTHER}/retirement");
    let why = json!({ "reason": "écran irréparable" });
    let id = text(&school.operator.post(&path, &why).await.unwrap().ok().unwrap(), "id");
    let [_, ati, ..] = school.accounts;
    let held = async |school: &School| {
        let ordered = act(&school.ati, &id, "order", json!({})).await;
        let held = ordered.text("/held").to_owned();
        assert!(ordered.status == 201 && !held.is_empty(), "above the budget: {ordered:?}");
        held
    };
    let let_go = async |school: &School, held: &str| {
        let go = json!({ "countersignature": held });
        let gone = school.ati.post("/api/v1/brake/let-go", &go).await.unwrap();
        assert_eq!((gone.status, gone.body["acts"].as_u64()), (200, Some(1)), "{gone:?}");
        let order = shown(&school.operator, &id).await;
        assert_eq!(order.text("/way"), "ordered", "{order:?}");
    };
    crate::thefts::spend(&school.server, ati, 40);
    // The second person says no; asked again, they say yes.
    let no = held(&school).await;
    answers(&school, "bruno", &no, "refuse").await;
    let yes = held(&school).await;
    assert_ne!(no, yes);
    signs(&school, "carla", &yes).await;
    let_go(&school, &yes).await;
    // Its time passes and the tablet never came: another order is held as well, once, and given as well.
    school.later(120).await;
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (fleet, now) = (school.server.fleet().unwrap(), school.server.clock().now());
    fleet::lending::orders::end_past(fleet, &calendar, now).await.unwrap();
    let over = act(&school.ati, &id, "attest", json!({})).await;
    assert_eq!(
        rule(&over),
        (403, "C5.1.2".to_owned()),
        "nobody erases under an order that is over: {over:?}"
    );
    assert!(over.text("/detail").contains("ordered again"), "{over:?}");
    crate::thefts::spend(&school.server, ati, 40);
    let second = held(&school).await;
    assert_eq!(held(&school).await, second, "it is asked once");
    signs(&school, "denis", &second).await;
    let_go(&school, &second).await;
    let again = act(&school.ati, &id, "order", json!({})).await;
    assert_eq!((again.status, again.text("/departure/way")), (200, "ordered"), "it stands: {again:?}");
    assert_eq!(shown(&school.operator, &id).await.body["order"], again.body["departure"]["order"]);
    assert_eq!(act(&school.ati, &id, "attest", json!({})).await.text("/proof"), "attested");
}

async fn c5_1_2_what_is_given_to_a_pupil_who_leaves_is_not_to_come_back(engine: Engine) {
    let mut school = school(engine).await;
    let (_ipad, loan, _teacher) = holds_one(&school).await;
    let given: types::LoanId = loan.parse().unwrap();
    let last = types::Day::of(school.server.clock().now()).plus(1);
    let store = school.server.fleet().unwrap().store().clone();
    let write = store.write(move |tx| {
        let loan = store::loans::get(tx, &given)?.unwrap();
        let person = store::persons::get(tx, &loan.person_id)?.unwrap();
        let contacts =
            [(::lending::agreement::Signatory::User, "eloise@example.org".parse().unwrap())].into();
        let leaves_on = Some(last);
        store::persons::update(tx, &store::persons::Person { leaves_on, contacts, ..person })?;
        Ok::<_, store::StoreError>(loan.person_id)
    });
    let pupil = write.await.unwrap();
    let id = to_be_given(&school, &loan).await;
    // Their last day is over before the tablet is released: the loan ends by that, and the tablet is theirs soon.
    school.later(3).await;
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let now = school.server.clock().now();
    let fleet = school.server.fleet().unwrap();
    fleet::lending::calendar::end_of_attendance(fleet, &calendar, now).await.unwrap();
    school.round().await;
    assert_eq!(school.loan(&loan).await["ended_because"], "left");
    let asks = async |school: &School| {
        let late = school.ati.get("/api/v1/overdue-tablets").await.unwrap().ok().unwrap();
        let (told, tied) = store
            .read(move |tx| {
                let told = store::untold::over(tx, None, 10)?;
                Ok::<_, store::StoreError>((told, store::subject_data::ties(tx, pupil, now)?.unwrap()))
            })
            .await
            .unwrap();
        let restricted = school.mode(&loan).await == "restricted";
        (late["items"].as_array().unwrap().len(), told.len(), tied.tablet_not_back.is_some(), restricted)
    };
    assert_eq!(asks(&school).await, (0, 0, false, false));
    // Taken back, it is like any other that should be back.
    act(&school.operator, &id, "withdraw", json!({})).await.ok().unwrap();
    school.server.advance(types::Duration::from_secs(86_400));
    school.later(0).await;
    school.round().await;
    assert_eq!(asks(&school).await, (1, 1, true, true));
}

async fn c5_3_5_a_tablet_whose_loan_ended_and_that_nobody_received_is_not_retired(engine: Engine) {
    let school = school(engine).await;
    let people =
        school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &["Zoé Martin"]).await.unwrap();
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER], COLLEGE)).await.unwrap();
    let loan = school.server.lent(SERIAL, people[0], &school.year).await.unwrap().to_string();
    // The year turned, and the list names them no more: their data is on it still.
    let now = school.server.clock().now();
    let (id, ended) = (people[0], loan.parse().unwrap());
    let write = school.server.fleet().unwrap().store().write(move |tx| {
        let row = store::loans::get(tx, &ended)?.unwrap();
        let over = row.decided()?.end(::lending::loan::Ending::NoLongerListed, now).unwrap();
        store::loans::update(tx, &row.standing(&over, now))?;
        let person = store::persons::get(tx, &id)?.unwrap();
        store::persons::update(tx, &store::persons::Person { left_at: Some(now), ..person })
    });
    assert!(write.await.unwrap());
    let path = format!("/api/v1/tablets/{SERIAL}/retirement");
    let why = json!({ "reason": "écran irréparable" });
    let refused = school.operator.post(&path, &why).await.unwrap();
    let said = refused.body.to_string();
    assert!(
        refused.status == 409 && said.contains(&loan) && said.contains("receive it first"),
        "{refused:?}"
    );
    // Received, it is not proven empty yet.
    let receipt = json!({ "tablets": [{ "tablet": SERIAL, "condition": "cassée", "saved": true }] });
    school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().ok().unwrap();
    let refused = school.operator.post(&path, &why).await.unwrap();
    assert!(refused.status == 409 && refused.body.to_string().contains("not proven empty"), "{refused:?}");
    let never_lent = format!("/api/v1/tablets/{OTHER}/retirement");
    assert_eq!(school.operator.post(&never_lent, &why).await.unwrap().status, 201);
}

async fn c3_3_4_a_tablet_that_was_given_away_is_not_admitted_again_before_somebody_takes_it_in(
    engine: Engine,
) {
    let school = school(engine).await;
    let (mut ipad, loan, teacher) = holds_one(&school).await;
    let own = school.server.link_for(SERIAL).await.unwrap();
    let batch = school.server.link_for_batch(COLLEGE, 5).await.unwrap();
    let id = to_be_given(&school, &loan).await;
    act(&school.ati, &id, "saved", json!({})).await.ok().unwrap();
    act(&school.ati, &id, "order", json!({})).await.ok().unwrap();
    assert!(ipad.poll().await.unwrap().erased);
    let asked = act(&school.operator, &id, "ask", json!({})).await.text("/countersignature").to_owned();
    signs(&school, "bruno", &asked).await;
    let why = json!({ "reason": "rendue par la famille" });
    let early = act(&school.operator, &id, "take-in", why.clone()).await;
    assert_eq!(rule(&early), (403, "C5.1.2".to_owned()), "it has not left: {early:?}");
    act(&school.operator, &id, "let-go", json!({ "countersignature": asked })).await.ok().unwrap();
    ipad.poll().await.unwrap();
    let shows = json!({ "release": "ASM, ligne 4711", "activation_lock": "écran d’accueil vu" });
    act(&school.operator, &id, "release", shows).await.ok().unwrap();
    // It is the pupil's: no link is made for it, and those of before let nobody in.
    let links = json!({ "tablet": SERIAL });
    assert_eq!(school.operator.post("/api/v1/links", &links).await.unwrap().status, 409);
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    for link in [&own, &batch] {
        let mut theirs = school.server.ipad(SERIAL).supervised(true).build().unwrap();
        assert!(theirs.enrol_by_link(link).await.is_err(), "an inventory that names it changes nothing");
    }
    assert!(!shown(&school.operator, &id).await.body["managed"].as_bool().unwrap());
    // Somebody of the département takes it in, once, and says why.
    assert_eq!(act(&school.ati, &id, "take-in", why.clone()).await.status, 403);
    let taken = act(&school.operator, &id, "take-in", why.clone()).await;
    assert_eq!((taken.status, taken.text("/way")), (200, "taken-in"), "{taken:?}");
    assert_eq!(rule(&act(&school.operator, &id, "take-in", why).await), (403, "C5.1.2".to_owned()));
    let mut back = school.ready(SERIAL).await;
    // What they had on it is theirs: it is received like any other, and lent to nobody before it is proven empty.
    let refused = school.handed(SERIAL, &teacher).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let receipt = json!({ "tablets": [{ "tablet": SERIAL, "condition": "bon état", "saved": true }] });
    let receipt = school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().ok().unwrap();
    let restitution = receipt["tablets"][0]["restitution"]["id"].as_str().unwrap().to_owned();
    school.server.advance(types::Duration::from_secs(61));
    let path = format!("/api/v1/restitutions/{restitution}");
    school.ati.post(&format!("{path}/order"), &json!({})).await.unwrap().ok().unwrap();
    let talk = back.poll().await.unwrap();
    assert_eq!((talk.erased, talk.returned_to_service), (true, Some(Ok(()))));
    let shelf = json!({ "place": "in-stock" });
    school.ati.post(&format!("{path}/shelve"), &shelf).await.unwrap().ok().unwrap();
    school.round().await;
    follows(&mut back).await;
    school.round().await;
    follows(&mut back).await;
    assert_eq!(school.handed(SERIAL, &teacher).await.status, 201);
}

async fn t_c1_a_departure_of_another_college_does_not_exist(engine: Engine) {
    let school = school(engine).await;
    let (_ipad, loan, _teacher) = holds_one(&school).await;
    let why = json!({ "reason": "trois ans sans sinistre" });
    let proposed =
        school.head.post(&format!("/api/v1/loans/{loan}/donation"), &why).await.unwrap().ok().unwrap();
    let there = Employer::College(crate::support::OTHER_COLLEGE.parse().unwrap());
    let stranger =
        crate::lending::somebody(&school.server, there, "l-autre-chef", Role::Head, GrantReach::Organisation)
            .await;
    let id = text(&proposed, "id");
    assert_eq!(shown(&stranger, &id).await.status, 404);
    assert_eq!(act(&stranger, &id, "take-back", json!({})).await.status, 404);
    assert_eq!(stranger.get("/api/v1/departures").await.unwrap().body["items"], json!([]));
    assert_eq!(stranger.post(&format!("/api/v1/loans/{loan}/donation"), &why).await.unwrap().status, 404);
    // Whoever proposed it takes it back.
    assert_eq!(act(&school.head, &id, "take-back", json!({})).await.text("/way"), "withdrawn");
}
