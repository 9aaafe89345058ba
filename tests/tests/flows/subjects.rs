//! What a person asks about their own data, through the whole server: a copy of everything, a correction, and to be forgotten
//! where the law allows it (C3.1.6, C4.2; GDPR, art. 15 to 17 and 20); and that reading the names of many is recorded.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Engine;
use store::persons::{Known, Person};
use store::role_grants::GrantReach;
use store::shared_folder::SharedFolder;
use testkit::people::{CodeShown, Employer};
use testkit::{ApiClient, inventory_csv};
use types::{Clock as _, PersonId, Role, UserKind};

use crate::by_hand::ByHand;
use crate::lending::{OTHER, SERIAL, School, rule, school};
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    c3_1_6_t_c19_a_person_gets_a_copy_of_everything_that_is_held_about_them_and_of_nobody_else,
    c3_1_6_whoever_reads_the_names_of_many_is_recorded_and_no_name_is,
    c4_2_what_is_wrong_is_put_right_and_what_the_list_says_takes_both_signatures,
    c3_1_6_m2_who_asks_is_forgotten_where_the_law_allows_and_comes_back_with_no_backup,
    c7_1_who_had_given_a_tablet_back_before_it_was_stolen_is_told_of_no_warrant,
    c5_4_4_a_replacement_lets_its_holder_have_another_and_what_was_attached_decides_where_it_stands,
    c4_2_homonyms_differ_by_their_number_and_nobody_leaves_before_they_arrive,
    c7_1_the_address_of_a_guardian_is_put_right_for_one_pupil_and_only_for_notices,
}

async fn dpo(school: &School) -> ApiClient {
    let dpo = (Employer::Departement, "la-dpo", Role::Dpo, GrantReach::Organisation);
    let dpo = school.server.someone(dpo.0, dpo.1, dpo.2, dpo.3).await.unwrap();
    school.server.in_session(dpo, CodeShown::JustNow).await.unwrap()
}

/// Two pupils, of whom the first one has a tablet.
async fn two(school: &School) -> ([PersonId; 2], String) {
    let names = ["Zoé Martin", "Paul Durand"];
    let people = school.server.listed(&COLLEGE.parse().unwrap(), &school.year, &names).await.unwrap();
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER], COLLEGE)).await.unwrap();
    let loan = school.server.lent(SERIAL, people[0], &school.year).await.unwrap().to_string();
    ([people[0], people[1]], loan)
}

/// Somebody whom the collège knows from before, and whom no list names.
async fn from_before(school: &School) -> PersonId {
    let (id, now) = (PersonId::new(school.server.clock().now()), school.server.clock().now());
    let person = Person {
        id,
        uai: COLLEGE.parse().unwrap(),
        kind: UserKind::Pupil,
        name: Known::By("Inès Petit".parse().unwrap()),
        number: None,
        class: Some("3C".parse().unwrap()),
        arrives_on: None,
        leaves_on: None,
        guardians: 1,
        contacts: std::collections::BTreeMap::new(),
        left_at: Some(now),
        created_at: now,
        updated_at: now,
    };
    let store = school.server.fleet().unwrap().store();
    store.write(move |tx| store::persons::insert(tx, &person)).await.unwrap();
    id
}

async fn audited(school: &School, action: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?action={action}&limit=500");
    let listed = school.server.stepped_up().await.unwrap().get(&path).await.unwrap().ok().unwrap();
    listed["items"].as_array().unwrap().clone()
}

fn data(person: PersonId) -> String {
    format!("/api/v1/persons/{person}/data")
}

async fn c3_1_6_t_c19_a_person_gets_a_copy_of_everything_that_is_held_about_them_and_of_nobody_else(
    engine: Engine,
) {
    let school = school(engine).await;
    let ([zoe, paul], loan) = two(&school).await;
    let broken = json!({
        "kind": "breakage", "noticed_at": school.server.clock().now().to_string(), "circumstances": "dans l’escalier",
    });
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    assert_eq!(school.ati.post(&path, &broken).await.unwrap().status, 201);
    let copy = school.head.get(&data(zoe)).await.unwrap().ok().unwrap();
    let tables: BTreeSet<&str> =
        copy["held"].as_array().unwrap().iter().map(|part| part["table"].as_str().unwrap()).collect();
    for table in ["persons", "list_changes", "loans", "tablets", "incidents", "incident_declarations"] {
        assert!(tables.contains(table), "{table}: {tables:?}");
    }
    let text = copy.to_string();
    for theirs in ["Zoé Martin", "dans l’escalier", SERIAL, &loan] {
        assert!(text.contains(theirs), "{theirs}: {text}");
    }
    for anothers in ["Paul Durand", &paul.to_string(), OTHER] {
        assert!(!text.contains(anothers), "{anothers}: {text}");
    }
    assert!(copy["left_out"].as_array().unwrap().iter().any(|out| out["table"] == "positions"));
    let of_paul = school.head.get(&data(paul)).await.unwrap().ok().unwrap().to_string();
    assert!(of_paul.contains("Paul Durand") && !of_paul.contains("escalier"), "{of_paul}");

    // The DPO draws one up, too; a technician, a head from elsewhere, a token and an old session do not.
    let dpo = dpo(&school).await;
    assert_eq!(dpo.get(&data(zoe)).await.unwrap().status, 200);
    assert_eq!(school.ati.get(&data(zoe)).await.unwrap().status, 403);
    let employer = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other = (employer, "head-elsewhere", Role::Head, GrantReach::Organisation);
    let other = school.server.someone(other.0, other.1, other.2, other.3).await.unwrap();
    let elsewhere = school.server.in_session(other, CodeShown::JustNow).await.unwrap();
    assert_eq!(elsewhere.get(&data(zoe)).await.unwrap().status, 404);
    let no_code = school.server.in_session(school.accounts[0], CodeShown::Never).await.unwrap();
    assert_eq!(no_code.get(&data(zoe)).await.unwrap().text("/code"), "step-up");
    let refused = school.head.get(&format!("{}?format=xml", data(zoe))).await.unwrap();
    assert_eq!(refused.status, 422, "{refused:?}");
    let drawn = audited(&school, "person.copy").await;
    assert_eq!(drawn.len(), 3, "{drawn:?}");
    assert!(!format!("{drawn:?}").contains("Martin"));
}

async fn c3_1_6_whoever_reads_the_names_of_many_is_recorded_and_no_name_is(engine: Engine) {
    let school = school(engine).await;
    two(&school).await;
    assert_eq!(audited(&school, "persons.read").await, Vec::<Value>::new());
    let people = format!("/api/v1/organisations/{COLLEGE}/persons");
    let read = school.ati.get(&people).await.unwrap().ok().unwrap();
    assert_eq!(read["items"].as_array().unwrap().len(), 2);
    let wall = format!("/api/v1/organisations/{COLLEGE}/wall");
    assert_eq!(school.head.get(&wall).await.unwrap().status, 200);
    let list = school.academie.get("/api/v1/lists").await.unwrap().text("/items/0/id").to_owned();
    assert_eq!(school.academie.get(&format!("/api/v1/lists/{list}")).await.unwrap().status, 200);
    let read = audited(&school, "persons.read").await;
    let places: BTreeSet<(&str, u64)> = read
        .iter()
        .map(|entry| (entry["detail"]["in"].as_str().unwrap(), entry["detail"]["people"].as_u64().unwrap()))
        .collect();
    assert_eq!(places, BTreeSet::from([("persons", 2), ("wall", 2), ("list", 2)]));
    assert!(!format!("{read:?}").contains("Martin"), "{read:?}");
    // Whoever may not is told so, and nothing was read.
    let operator = school.operator.get(&people).await.unwrap();
    assert_eq!(operator.status, 403, "{operator:?}");
    assert_eq!(audited(&school, "persons.read").await.len(), 3);
}

async fn c4_2_what_is_wrong_is_put_right_and_what_the_list_says_takes_both_signatures(engine: Engine) {
    let school = school(engine).await;
    let ([zoe, _paul], _loan) = two(&school).await;
    let right = |person: PersonId| format!("/api/v1/persons/{person}/corrections");
    let name = json!({ "name": "Zoë Martin", "class": "4e A" });
    assert_eq!(school.ati.post(&right(zoe), &name).await.unwrap().status, 403, "the head's");
    let proposed = school.head.post(&right(zoe), &name).await.unwrap().ok().unwrap();
    assert_eq!(proposed["corrected"], false, "{proposed}");
    let list = format!("/api/v1/lists/{}", proposed["list"].as_str().unwrap());
    let shown = school.head.get(&list).await.unwrap();
    let seen = json!({ "content_sha256": shown.text("/content_sha256") });
    let people = format!("/api/v1/organisations/{COLLEGE}/persons");
    let named = |all: &Value, name: &str| all.to_string().contains(name);
    let before = school.head.get(&people).await.unwrap().ok().unwrap();
    assert!(named(&before, "Zoé Martin"), "nothing changes before both signed");
    let again = school.head.post(&right(zoe), &name).await.unwrap();
    assert_eq!(again.status, 409, "a change waits: {again:?}");
    school.head.post(&format!("{list}/settle"), &seen).await.unwrap().ok().unwrap();
    school.academie.post(&format!("{list}/validate"), &seen).await.unwrap().ok().unwrap();
    let after = school.head.get(&people).await.unwrap().ok().unwrap();
    assert!(named(&after, "Zoë Martin") && !named(&after, "Zoé Martin"), "{after}");
    assert_eq!(school.head.post(&right(zoe), &name).await.unwrap().status, 409, "it is so already");

    // Whom no list names is put right at once; what it was and is, the log does not say.
    let ines = from_before(&school).await;
    let wrong = school.head.post(&right(ines), &json!({ "name": " " })).await.unwrap();
    assert_eq!(wrong.status, 422, "{wrong:?}");
    let done =
        school.head.post(&right(ines), &json!({ "name": "Inès Petitjean" })).await.unwrap().ok().unwrap();
    assert_eq!((&done["corrected"], &done["list"]), (&json!(true), &Value::Null));
    let logged = audited(&school, "person.correct").await;
    assert_eq!(logged[0]["detail"]["changed"], json!(["name"]));
    assert!(!format!("{logged:?}").contains("Petit"), "{logged:?}");
}

async fn c4_2_homonyms_differ_by_their_number_and_nobody_leaves_before_they_arrive(engine: Engine) {
    let school = school(engine).await;
    let ines = from_before(&school).await;
    let right = format!("/api/v1/persons/{ines}/corrections");
    let known = json!({ "number": "E-118", "arrives_on": "2026-09-01", "leaves_on": "2027-07-03" });
    school.head.post(&right, &known).await.unwrap().ok().unwrap();
    let people = format!("/api/v1/organisations/{COLLEGE}/persons");
    let listed = school.head.get(&people).await.unwrap().ok().unwrap();
    let all = listed["items"].as_array().unwrap();
    let seen = all.iter().find(|person| person["id"] == ines.to_string()).unwrap();
    assert_eq!((&seen["number"], &seen["arrives_on"]), (&json!("E-118"), &json!("2026-09-01")), "{seen}");
    for (wrong, field) in [
        (json!({ "arrives_on": "2027-07-04" }), "arrives_on"),
        (json!({ "leaves_on": "2026-08-31" }), "leaves_on"),
    ] {
        let refused = school.head.post(&right, &wrong).await.unwrap();
        assert_eq!(refused.status, 422, "{refused:?}");
        let said = refused.text("/detail");
        assert!(said.starts_with(field) && said.contains("is before the first"), "{refused:?}");
    }
    let both = json!({ "arrives_on": "2027-09-01", "leaves_on": "2028-07-03" });
    school.head.post(&right, &both).await.unwrap().ok().unwrap();
}

async fn c7_1_the_address_of_a_guardian_is_put_right_for_one_pupil_and_only_for_notices(engine: Engine) {
    let school = school(engine).await;
    let ines = from_before(&school).await;
    let right = format!("/api/v1/persons/{ines}/corrections");
    let mother = json!({ "contacts": { "guardian-1": "mere@exemple.fr" } });
    let off = school.head.post(&right, &mother).await.unwrap();
    assert_eq!(off.text("/code"), "not-validated", "addresses are kept for notices alone: {off:?}");
    school.server.validate_activity("notices").await.unwrap();
    for nobody in ["user", "guardian-9", "guardian-4"] {
        let refused =
            school.head.post(&right, &json!({ "contacts": { nobody: "a@exemple.fr" } })).await.unwrap();
        assert_eq!((refused.status, refused.text("/code")), (422, "invalid"), "{nobody}: {refused:?}");
    }
    let wrong = school.head.post(&right, &json!({ "contacts": { "guardian-1": "mère" } })).await.unwrap();
    assert_eq!(wrong.status, 422, "{wrong:?}");
    school.head.post(&right, &mother).await.unwrap().ok().unwrap();
    let reached = || async {
        let store = school.server.fleet().unwrap().store();
        let person = store.read(move |tx| store::persons::get(tx, &ines)).await.unwrap().unwrap();
        person.contacts.into_keys().map(|who| who.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(reached().await, ["guardian-1"]);
    let logged = audited(&school, "person.correct").await;
    assert_eq!(logged[0]["detail"]["changed"], json!(["contacts"]));
    assert!(!format!("{logged:?}").contains("mere"), "no address is in the log: {logged:?}");
    let gone = json!({ "contacts": { "guardian-1": null } });
    school.head.post(&right, &gone).await.unwrap().ok().unwrap();
    assert_eq!(reached().await, Vec::<String>::new());
}

async fn c3_1_6_m2_who_asks_is_forgotten_where_the_law_allows_and_comes_back_with_no_backup(engine: Engine) {
    let mut school = school(engine).await;
    let ([zoe, paul], _loan) = two(&school).await;
    let ines = from_before(&school).await;
    let officer = dpo(&school).await;
    let forget = |person: PersonId| format!("/api/v1/persons/{person}/forget");
    let why = json!({ "reason": "lettre du 26 novembre" });
    assert_eq!(school.head.post(&forget(ines), &why).await.unwrap().status, 403, "the DPO's");
    for (person, clause) in [(zoe, "C5.1.1"), (paul, "C4.2")] {
        let tied = officer.post(&forget(person), &why).await.unwrap();
        assert_eq!(rule(&tied), (403, clause.to_owned()), "{tied:?}");
    }
    assert_eq!(officer.post(&forget(ines), &json!({ "reason": "" })).await.unwrap().status, 422);
    let ledger = school.server.home().join("shared/forgotten");
    assert_eq!(std::fs::read_dir(&ledger).unwrap().count(), 0, "nobody was forgotten yet");

    let backup = school.server.home().join("before");
    school.server.backup(&backup).await.unwrap();
    let done = officer.post(&forget(ines), &why).await.unwrap();
    assert_eq!(done.status, 204, "{done:?}");
    assert_eq!(officer.post(&forget(ines), &why).await.unwrap().status, 409, "once");
    assert!(ledger.join(ines.to_string()).exists());
    let copy = officer.get(&data(ines)).await.unwrap().ok().unwrap().to_string();
    assert!(!copy.contains("Petit") && !copy.contains("3C"), "{copy}");
    assert_eq!(audited(&school, "person.forget").await.len(), 1);

    // An older database names them again, until the ledger is replayed.
    school.server.stop().await;
    ByHand::of(&school.server).empty();
    school.server.restore(&backup).await.unwrap();
    let store = school.server.fleet().unwrap().store().clone();
    let folder = SharedFolder::open(school.server.home().join("shared")).unwrap().forgotten();
    let named = store.read(move |tx| store::persons::get(tx, &ines)).await.unwrap().unwrap();
    assert!(matches!(named.name, Known::By(_)), "the backup is older");
    let replayed = folder.replay(&store, school.server.clock().now()).await.unwrap();
    assert_eq!((replayed.again, replayed.tied), (vec![ines], vec![]));
    let named = store.read(move |tx| store::persons::get(tx, &ines)).await.unwrap().unwrap();
    assert_eq!((named.name, named.class), (Known::Forgotten, None));
}

async fn c5_4_4_a_replacement_lets_its_holder_have_another_and_what_was_attached_decides_where_it_stands(
    engine: Engine,
) {
    let school = school(engine).await;
    let ([zoe, _paul], loan) = two(&school).await;
    let broken = json!({ "kind": "breakage", "noticed_at": school.server.clock().now().to_string() });
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let incident = school.ati.post(&path, &broken).await.unwrap().text("/id").to_owned();
    let loan_of = |id: String| {
        let head = school.head.clone();
        async move { head.get(&format!("/api/v1/loans/{id}")).await.unwrap() }
    };
    assert_eq!(loan_of(loan.clone()).await.text("/state"), "lent");
    let decision = json!({ "granted": true, "counterpart": "stays-at-school" });
    let path = format!("/api/v1/incidents/{incident}/replacement");
    assert_eq!(school.head.put(&path, &decision).await.unwrap().status, 200);
    // The loan rests: its holder may be lent another (C5.3.1), which stays at school whatever was signed.
    let rests = loan_of(loan.clone()).await;
    assert_eq!((rests.text("/state"), rests.text("/suspension")), ("suspended", "incident"), "{rests:?}");
    let another = school.server.lent(OTHER, zoe, &school.year).await.unwrap().to_string();
    let borne = format!("/api/v1/loans/{another}/counterparts");
    let borne = school.head.get(&borne).await.unwrap();
    assert_eq!(
        (borne.text("/0/counterpart"), borne.text("/0/effect"), borne.text("/0/incident")),
        ("stays-at-school", "in-school-only", incident.as_str()),
        "{borne:?}"
    );
    // Repaired: the holder has another, which counts, so that the first loan does not go on by itself.
    let close = format!("/api/v1/incidents/{incident}/steps");
    assert_eq!(school.head.post(&close, &json!({ "step": "close" })).await.unwrap().status, 200);
    assert_eq!(loan_of(loan.clone()).await.text("/state"), "suspended");
}

async fn c7_1_who_had_given_a_tablet_back_before_it_was_stolen_is_told_of_no_warrant(engine: Engine) {
    let mut school = school(engine).await;
    let (_people, loan) = two(&school).await;
    school.server.validate_activity("geolocation").await.unwrap();
    let why = json!({ "reason": "fin de prêt" });
    assert_eq!(school.act(&school.operator, &loan, "end", why).await.text("/state"), "ended");
    let scanned = json!({ "tablets": [{ "tablet": SERIAL, "condition": "bon" }] });
    let receipt = school.ati.post("/api/v1/restitutions", &scanned).await.unwrap();
    assert!(receipt.status < 300, "{receipt:?}");
    school.later(1).await;
    let stolen = json!({ "kind": "theft", "noticed_at": school.server.clock().now().to_string() });
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let incident = school.ati.post(&path, &stolen).await.unwrap().text("/id").to_owned();
    let path = format!("/api/v1/incidents/{incident}/warrants");
    let asked = school.ati.post(&path, &json!({ "reason": "vue à la gare" })).await.unwrap();
    let request = format!("/api/v1/countersignatures/{}", asked.text("/countersignature"));
    let seen = school.head.get(&request).await.unwrap();
    let yes = json!({ "verdict": "give", "content_sha256": seen.text("/content_sha256") });
    assert_eq!(school.head.post(&format!("{request}/answer"), &yes).await.unwrap().status, 200);
    let notices =
        school.ati.get(&format!("/api/v1/incidents/{incident}/notices")).await.unwrap().ok().unwrap();
    assert_eq!(notices["items"].as_array().unwrap().len(), 1, "{notices}");
    assert_eq!(notices["items"][0]["loan"], Value::Null, "{notices}");
}
