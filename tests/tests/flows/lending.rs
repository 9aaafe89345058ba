//! From the school's export to the tablet in a pupil's hands, through the whole server: the list takes the head and the
//! académie, the loan takes the list, the mode takes the signatures, and nothing takes more than the law says (C4.2, C5.2,
//! C5.3).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, TestServer, inventory_csv};
use types::{AccountId, Clock as _, Day, Duration, Role};

use crate::loans::lent;
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    c4_2_c5_3_4_from_the_list_to_the_handover,
    c4_2_a_list_takes_both_steps_for_exactly_the_names_that_were_seen,
    c4_2_a_change_in_the_middle_of_the_year_is_a_delta_and_whoever_leaves_the_list_is_lent_nothing,
    c5_3_1_two_technicians_who_meet_make_one_loan,
    c5_3_4_nothing_is_handed_over_that_is_not_ready_and_a_head_signs_the_rest,
    c3_1_6_without_the_dpo_there_is_no_list_and_no_loan_and_no_name_stands_in_the_log,
    t_c1_lists_people_and_loans_of_another_college_do_not_exist,
}

pub(crate) const SERIAL: &str = "DMPX00000001";
pub(crate) const OTHER: &str = "DMPX00000002";
pub(crate) const SOCLE: &str = include_str!("../../../profiles/socle.toml");

pub(crate) struct School {
    pub(crate) server: TestServer,
    pub(crate) head: ApiClient,
    pub(crate) ati: ApiClient,
    pub(crate) academie: ApiClient,
    pub(crate) operator: ApiClient,
    pub(crate) year: String,
    pub(crate) accounts: [AccountId; 4],
}

pub(crate) async fn somebody(
    server: &TestServer,
    employer: Employer,
    login: &str,
    role: Role,
    reach: GrantReach,
) -> ApiClient {
    let account = server.someone(employer, login, role, reach).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

/// A collège in whose year tablets may be lent: activities validated, charter adopted.
pub(crate) async fn school(engine: Engine) -> School {
    let server = TestServer::start(engine).await.unwrap();
    for activity in ["roster", "lending", "app-inventory", "incidents"] {
        server.validate_activity(activity).await.unwrap();
    }
    let year = server.school_year().await.unwrap();
    let here = || Employer::College(COLLEGE.parse().unwrap());
    let only_here = GrantReach::Colleges(BTreeSet::from([COLLEGE.parse().unwrap()]));
    let whole = || GrantReach::Organisation;
    let of = [
        (here(), "le-chef", Role::Head, whole()),
        (Employer::Departement, "ati", Role::Ati, only_here),
        (Employer::Academie, "academie", Role::Approver, whole()),
        (Employer::Departement, "exploitant", Role::Operator, whole()),
    ];
    let mut accounts = Vec::new();
    for (employer, login, role, reach) in of {
        accounts.push(server.someone(employer, login, role, reach).await.unwrap());
    }
    let accounts: [AccountId; 4] = accounts.try_into().unwrap();
    let [head, ati, academie, operator] = signed_in(&server, accounts).await;
    let charter = json!({ "charter_adopted_on": Day::of(server.clock().now()).plus(-30).to_string() });
    decide(&head, &charter).await;
    School { server, head, ati, academie, operator, year, accounts }
}

async fn signed_in(server: &TestServer, accounts: [AccountId; 4]) -> [ApiClient; 4] {
    let [one, two, three, four] = accounts.map(|account| server.in_session(account, CodeShown::JustNow));
    [one.await.unwrap(), two.await.unwrap(), three.await.unwrap(), four.await.unwrap()]
}

pub(crate) async fn decide(head: &ApiClient, decisions: &Value) {
    let path = format!("/api/v1/organisations/{COLLEGE}/decisions");
    head.put(&path, decisions).await.unwrap().ok().unwrap();
}

fn export(csv: &str) -> Value {
    json!({
        "mapping": {
            "columns": {
                "name": ["Prénom", "Nom"], "class": "Division", "number": "N°", "kind": "Profil",
                "guardians": ["Resp 1", "Resp 2"],
            },
            "kinds": { "Professeur": "teacher" },
        },
        "csv": format!("Nom;Prénom;Division;N°;Profil;Resp 1;Resp 2\n{csv}"),
    })
}

pub(crate) const CLASS: &str = "Lemaréchal;Éloïse;4e B;1;;oui;oui\nPetit;Léa;4e B;2;;oui;\nPetit;Léa;4e A;3;;oui;\nRoy;Anne;;4;Professeur;;\n";

impl School {
    /// Time passes, and everybody signs in again.
    pub(crate) async fn later(&mut self, days: u64) {
        self.server.advance(Duration::from_secs(days * 86_400 + 60));
        [self.head, self.ati, self.academie, self.operator] = signed_in(&self.server, self.accounts).await;
    }

    pub(crate) async fn propose(&self, csv: &str) -> Answer {
        self.head.post(&format!("/api/v1/organisations/{COLLEGE}/lists"), &export(csv)).await.unwrap()
    }

    /// Both steps for this export; gives what was shown.
    pub(crate) async fn list(&self, csv: &str) -> Value {
        let proposed = self.propose(csv).await.ok().unwrap();
        self.sign(&proposed).await;
        proposed
    }

    /// Both steps for this export, as the list of that year.
    pub(crate) async fn list_of(&self, year: &str, csv: &str) -> Value {
        let mut export = export(csv);
        export["school_year"] = json!(year);
        let path = format!("/api/v1/organisations/{COLLEGE}/lists");
        let proposed = self.head.post(&path, &export).await.unwrap().ok().unwrap();
        self.sign(&proposed).await;
        proposed
    }

    /// Both steps for a class, of which others say nothing.
    pub(crate) async fn class(&self, csv: &str) -> Value {
        let mut export = export(csv);
        export["complete"] = json!(false);
        let path = format!("/api/v1/organisations/{COLLEGE}/lists");
        let proposed = self.head.post(&path, &export).await.unwrap().ok().unwrap();
        self.sign(&proposed).await;
        proposed
    }

    pub(crate) async fn sign(&self, proposed: &Value) {
        let (id, digest) = (text(proposed, "id"), json!({ "content_sha256": proposed["content_sha256"] }));
        let path = format!("/api/v1/lists/{id}");
        self.head.post(&format!("{path}/settle"), &digest).await.unwrap().ok().unwrap();
        self.academie.post(&format!("{path}/validate"), &digest).await.unwrap().ok().unwrap();
    }

    pub(crate) async fn handed(&self, serial: &str, person: &str) -> Answer {
        hand_over(&self.ati, serial, person, false).await
    }

    pub(crate) async fn loan(&self, id: &str) -> Value {
        self.ati.get(&format!("/api/v1/loans/{id}")).await.unwrap().ok().unwrap()
    }

    pub(crate) async fn mode(&self, loan: &str) -> String {
        text(&self.loan(loan).await, "mode")
    }

    /// What the calendar does about modes, reserves and segments, now.
    pub(crate) async fn round(&self) {
        #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
        let calendar = fleet::Principal::calendar();
        let (fleet, now) = (self.server.fleet().unwrap(), self.server.clock().now());
        fleet::lending::modes::follow(fleet, &calendar, now).await.unwrap();
        fleet::lending::handover::settle_reserves(fleet, &calendar, now).await.unwrap();
        fleet::segments::follow(fleet, &calendar, now).await.unwrap();
    }

    /// A tablet that has everything, as it told.
    pub(crate) async fn ready(&self, serial: &str) -> Ipad {
        self.server.import_inventory(&inventory_csv([serial], COLLEGE)).await.unwrap();
        let mut ipad = self.server.ipad(serial).system("27.0", "21A000").supervised(true).build().unwrap();
        ipad.enrol_by_link(&self.server.link_for(serial).await.unwrap()).await.unwrap();
        follows(&mut ipad).await;
        self.round().await;
        follows(&mut ipad).await;
        ipad
    }

    pub(crate) async fn act(&self, client: &ApiClient, loan: &str, what: &str, body: Value) -> Answer {
        client.post(&format!("/api/v1/loans/{loan}/{what}"), &body).await.unwrap()
    }
}

async fn hand_over(client: &ApiClient, serial: &str, person: &str, under_reserve: bool) -> Answer {
    let new = json!({
        "person": person, "condition": "neuve", "accessories": ["chargeur", "coque"], "under_reserve": under_reserve,
    });
    client.post(&format!("/api/v1/tablets/{serial}/loans"), &new).await.unwrap()
}

pub(crate) async fn follows(ipad: &mut Ipad) {
    let conversation = ipad.poll().await.unwrap();
    assert!(conversation.outcome.is_accepted(), "{:?}", conversation.outcome);
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// The number of whoever has that number in the school's register.
pub(crate) fn person(list: &Value, number: &str) -> String {
    let names = list["names"].as_array().unwrap();
    let found = names.iter().find(|name| name["entry"]["number"] == number).unwrap();
    text(found, "person")
}

pub(crate) fn rule(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("/rule").to_owned())
}

pub(crate) fn obstacles(light: &Value) -> Vec<String> {
    light["obstacles"].as_array().unwrap().iter().map(|one| text(one, "rule")).collect()
}

async fn c4_2_c5_3_4_from_the_list_to_the_handover(engine: Engine) {
    let school = school(engine).await;
    school.server.publish_layer(SOCLE).await.unwrap();
    school.server.publish_layer(include_str!("../../../profiles/hors-college.toml")).await.unwrap();
    school.server.publish_layer(include_str!("../../../profiles/au-college.toml")).await.unwrap();
    let mut ipad = school.ready(SERIAL).await;
    let list = school.list(CLASS).await;
    assert_eq!((list["people"].as_u64(), list["names"].as_array().unwrap().len()), (Some(4), 4));
    let eloise = person(&list, "1");
    let light = school.ati.get(&format!("/api/v1/tablets/{SERIAL}/readiness?person={eloise}")).await.unwrap();
    assert_eq!(light.body["ready"], true, "{:#}", light.body);

    let handed = school.handed(SERIAL, &eloise).await;
    assert_eq!(handed.status, 201, "{handed:?}");
    let loan = handed.text("/id").to_owned();
    assert_eq!((handed.text("/name"), handed.text("/state")), ("Éloïse Lemaréchal", "lent"));
    assert_eq!(handed.body["accessories"], json!(["chargeur", "coque"]));
    assert_eq!(handed.text("/mode"), "in-school", "nobody has decided or signed anything");

    // The tablet takes its mode's layer, and another one once it may go home.
    let segment = || async {
        school
            .server
            .api()
            .unwrap()
            .get(&format!("/api/v1/tablets/{SERIAL}/rules"))
            .await
            .unwrap()
            .text("/segment")
            .to_owned()
    };
    school.round().await;
    follows(&mut ipad).await;
    let in_school = segment().await;
    decide(&school.head, &json!({ "home_use": "allowed" })).await;
    let published =
        json!({ "title": "Convention", "body": "La tablette est prêtée.", "guardians_needed": "all" });
    school.operator.post("/api/v1/agreements", &published).await.unwrap().ok().unwrap();
    let today = Day::of(school.server.clock().now()).to_string();
    for (guardian, agreed) in [("guardian-1", false), ("guardian-2", true)] {
        let said =
            json!({ "signatory": guardian, "stance": "signed", "on": today, "reference": "classeur 3" });
        let said = school.ati.post(&format!("/api/v1/persons/{eloise}/agreement"), &said).await.unwrap();
        assert_eq!((said.status, said.body["agreed"].as_bool()), (201, Some(agreed)), "{said:?}");
    }
    school.round().await;
    assert_eq!(school.mode(&loan).await, "take-home");
    follows(&mut ipad).await;
    let at_home = segment().await;
    assert!(!at_home.is_empty() && at_home != in_school, "{in_school} {at_home}");

    // The wall says who has which tablet, and what is missing.
    let wall = school
        .ati
        .get(&format!("/api/v1/organisations/{COLLEGE}/wall?class=4e%20B"))
        .await
        .unwrap()
        .ok()
        .unwrap();
    let lines: Vec<(String, String, Value)> = wall
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (text(line, "name"), text(&line["loan"], "serial"), line["missing"].clone()))
        .collect();
    assert_eq!(
        lines,
        [
            ("Léa Petit".to_owned(), String::new(), json!(["no tablet"])),
            ("Éloïse Lemaréchal".to_owned(), SERIAL.to_owned(), json!([])),
        ]
    );
}

async fn c4_2_a_list_takes_both_steps_for_exactly_the_names_that_were_seen(engine: Engine) {
    let school = school(engine).await;
    // A bad file is named line by line, and nothing is proposed.
    let bad = school.propose("Petit;Léa;4e B;2;Pirate;;\n;;4e B;9;;;\nX;Y;4e B;2;;;\nX;Z;4e B;2;;;\n").await;
    assert_eq!(bad.status, 422, "{bad:?}");
    let lines =
        bad.body["lines"].as_array().or(bad.body["bad_lines"].as_array()).cloned().unwrap_or_default();
    assert_eq!(
        lines.iter().map(|line| line["line"].as_u64().unwrap()).collect::<Vec<_>>(),
        [2, 3],
        "{bad:?}"
    );
    let twice = school.propose("X;Y;4e B;2;;;\nX;Z;4e B;2;;;\n").await;
    assert_eq!((twice.status, twice.body.to_string().contains("line 2")), (422, true), "{twice:?}");
    // A preview proposes nothing.
    let mut wanted = export(CLASS);
    wanted["preview"] = true.into();
    let preview = school.ati.post(&format!("/api/v1/organisations/{COLLEGE}/lists"), &wanted).await.unwrap();
    assert_eq!(
        (preview.status, preview.text("/state"), preview.body.get("id")),
        (200, "preview", Some(&Value::Null))
    );
    assert_eq!(preview.body["names"].as_array().unwrap().len(), 4);

    let proposed = school.propose(CLASS).await.ok().unwrap();
    let id = text(&proposed, "id");
    let seen = json!({ "content_sha256": proposed["content_sha256"] });
    let other = json!({ "content_sha256": "0".repeat(64) });
    let step = |client: &ApiClient, what: &str, body: Value| {
        let (client, path) = (client.clone(), format!("/api/v1/lists/{id}/{what}"));
        async move { client.post(&path, &body).await.unwrap() }
    };
    assert_eq!(school.propose("Petit;Léa;4e B;2;;;\n").await.status, 409, "one change at a time");
    let early = step(&school.academie, "validate", seen.clone()).await;
    assert_eq!(rule(&early), (403, "C4.2".to_owned()), "{early:?}");
    for (client, what) in [
        (&school.ati, "settle"),
        (&school.academie, "settle"),
        (&school.head, "validate"),
        (&school.operator, "validate"),
    ] {
        let refused = step(client, what, seen.clone()).await;
        assert_eq!((refused.status, refused.text("/code")), (403, "not-allowed"), "{refused:?}");
    }
    assert_eq!(step(&school.head, "settle", other.clone()).await.status, 409, "they saw something else");
    assert_eq!(step(&school.head, "settle", seen.clone()).await.status, 200);
    assert_eq!(rule(&step(&school.head, "settle", seen.clone()).await), (403, "C4.2".to_owned()));
    assert_eq!(step(&school.academie, "validate", other).await.status, 409);
    // Nobody is anybody yet.
    let people = || async {
        school.head.get(&format!("/api/v1/organisations/{COLLEGE}/persons")).await.unwrap().ok().unwrap()
    };
    assert_eq!(people().await["items"], json!([]));
    assert_eq!(step(&school.academie, "validate", seen).await.status, 200);
    let all = people().await;
    let names: BTreeSet<String> =
        all["items"].as_array().unwrap().iter().map(|one| text(one, "name")).collect();
    assert_eq!(names, ["Anne Roy", "Léa Petit", "Éloïse Lemaréchal"].map(str::to_owned).into());
    assert_eq!(all["items"].as_array().unwrap().len(), 4, "homonyms are two");
    assert_eq!(rule(&step(&school.head, "withdraw", json!({})).await), (403, "C4.2".to_owned()), "it counts");
}

async fn c4_2_a_change_in_the_middle_of_the_year_is_a_delta_and_whoever_leaves_the_list_is_lent_nothing(
    engine: Engine,
) {
    let mut school = school(engine).await;
    school.server.publish_layer(SOCLE).await.unwrap();
    let _ipad = school.ready(SERIAL).await;
    let list = school.list(CLASS).await;
    let eloise = person(&list, "1");
    let handed = school.handed(SERIAL, &eloise).await;
    let loan = handed.text("/id").to_owned();
    assert_eq!(handed.status, 201, "{handed:?}");
    // One moves to another class, one leaves, one comes; the teacher is not of this export.
    let delta = school
        .propose("Petit;Léa;4e C;2;;oui;\nPetit;Léa;4e A;3;;oui;\nNeuf;Tom;4e B;9;;oui;\n")
        .await
        .ok()
        .unwrap();
    let changes: BTreeSet<(String, String)> = delta["names"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| {
            (
                text(name, "change"),
                text(if name["entry"].is_null() { &name["before"] } else { &name["entry"] }, "number"),
            )
        })
        .collect();
    let expected = [("add", "9"), ("change", "2"), ("remove", "1")];
    assert_eq!(changes, expected.map(|(change, number)| (change.to_owned(), number.to_owned())).into());
    assert_eq!(delta["people"], 4);
    let (id, seen) = (text(&delta, "id"), json!({ "content_sha256": delta["content_sha256"] }));
    school.head.post(&format!("/api/v1/lists/{id}/settle"), &seen).await.unwrap().ok().unwrap();
    assert_eq!(school.loan(&loan).await["state"], "lent", "half signed removes nobody");
    school.academie.post(&format!("/api/v1/lists/{id}/validate"), &seen).await.unwrap().ok().unwrap();
    let ended = school.loan(&loan).await;
    assert_eq!(
        (text(&ended, "state"), text(&ended, "ended_because")),
        ("ended".into(), "no-longer-listed".into())
    );
    // The tablet is out, and stays so in the books until it is received.
    let again = school.handed(SERIAL, &person(&delta, "9")).await;
    assert_eq!(rule(&again), (403, "C5.3.5".to_owned()), "{again:?}");
    let removed = school.handed(SERIAL, &eloise).await;
    assert!(removed.body.to_string().contains("C4.2"), "{removed:?}");
    school.later(2).await;
    school.round().await;
    assert_eq!(school.mode(&loan).await, "restricted", "it should be back");
}

async fn c5_3_1_two_technicians_who_meet_make_one_loan(engine: Engine) {
    let school = school(engine).await;
    school.server.publish_layer(SOCLE).await.unwrap();
    let (_one, _two) = (school.ready(SERIAL).await, school.ready(OTHER).await);
    let list = school.list(CLASS).await;
    let (eloise, lea) = (person(&list, "1"), person(&list, "2"));
    // One tablet, two people; then one person, two tablets.
    let (first, second) = tokio::join!(school.handed(SERIAL, &eloise), school.handed(SERIAL, &lea));
    let mut told = [first.status, second.status];
    told.sort_unstable();
    assert!(told[0] == 201 && [403, 409].contains(&told[1]), "{first:?} {second:?}");
    let free = if first.status == 201 { &lea } else { &eloise };
    let third = person(&list, "3");
    let _three = school.ready("DMPX00000003").await;
    let (first, second) = tokio::join!(school.handed(OTHER, free), school.handed("DMPX00000003", free));
    let mut told = [first.status, second.status];
    told.sort_unstable();
    assert!(told[0] == 201 && [403, 409].contains(&told[1]), "{first:?} {second:?}");
    let loans = school.ati.get("/api/v1/loans").await.unwrap().ok().unwrap();
    assert_eq!(loans["items"].as_array().unwrap().len(), 2, "{loans:#}");
    let spare = if first.status == 201 { "DMPX00000003" } else { OTHER };
    assert_eq!(school.handed(spare, &third).await.status, 201);
}

async fn c5_3_4_nothing_is_handed_over_that_is_not_ready_and_a_head_signs_the_rest(engine: Engine) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    let eloise = person(&list, "1");
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let path = format!("/api/v1/tablets/{SERIAL}/readiness?person={eloise}");
    let light = || async { school.ati.get(&path).await.unwrap().ok().unwrap() };
    let never = obstacles(&light().await);
    assert!(["C3.1.4", "C5.3.2", "C5.3.4"].iter().all(|id| never.contains(&(*id).to_owned())), "{never:?}");
    // It enrols without supervision: the département alone excepts it.
    let mut ipad = school.server.ipad(SERIAL).system("27.0", "21A000").supervised(false).build().unwrap();
    ipad.enrol_by_link(&school.server.link_for(SERIAL).await.unwrap()).await.unwrap();
    follows(&mut ipad).await;
    assert!(obstacles(&light().await).contains(&"C5.3.2".to_owned()));
    let path_of_exception = format!("/api/v1/tablets/{SERIAL}/supervision-exception");
    let why = json!({ "reason": "achetée sans supervision" });
    assert_eq!(school.ati.put(&path_of_exception, &why).await.unwrap().status, 403);
    assert_eq!(school.operator.put(&path_of_exception, &why).await.unwrap().status, 204);
    let left = obstacles(&light().await);
    assert!(!left.is_empty() && left.iter().all(|id| id == "C5.3.4"), "{left:?}");
    // Nobody but the head signs over what is not on it yet, and that is listed until it is in order.
    let refused = school.handed(SERIAL, &eloise).await;
    assert_eq!(rule(&refused), (403, "C5.3.4".to_owned()), "{refused:?}");
    let alone = hand_over(&school.ati, SERIAL, &eloise, true).await;
    assert_eq!(alone.text("/code"), "not-allowed", "{alone:?}");
    let signed = hand_over(&school.head, SERIAL, &eloise, true).await;
    assert_eq!(signed.status, 201, "{signed:?}");
    assert!(!signed.body["reserve"].as_array().unwrap().is_empty());
    let listed = || async {
        let answer = school.ati.get("/api/v1/loans?under_reserve=true").await.unwrap().ok().unwrap();
        answer["items"].as_array().unwrap().len()
    };
    // Once a base is in force it comes to the tablet, whose reports put it in order; nothing else does.
    school.server.publish_layer(SOCLE).await.unwrap();
    school.round().await;
    assert_eq!(listed().await, 1);
    follows(&mut ipad).await;
    school.round().await;
    assert_eq!(listed().await, 0, "{:#}", school.ati.get("/api/v1/loans").await.unwrap().body);
    // What was reported is believed for seven days.
    let _other = school.ready(OTHER).await;
    let lea = person(&list, "2");
    let path = format!("/api/v1/tablets/{OTHER}/readiness?person={lea}");
    assert_eq!(school.ati.get(&path).await.unwrap().body["ready"], true);
    school.later(7).await;
    let late = hand_over(&school.ati, OTHER, &lea, false).await;
    assert_eq!(rule(&late), (403, "C5.3.4".to_owned()), "{late:?}");
    assert!(late.text("/detail").contains("more than 7 days ago"), "{late:?}");
}

async fn c3_1_6_without_the_dpo_there_is_no_list_and_no_loan_and_no_name_stands_in_the_log(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let year = server.school_year().await.unwrap();
    let here = Employer::College(COLLEGE.parse().unwrap());
    let chef = server.someone(here, "le-chef", Role::Head, GrantReach::Organisation).await.unwrap();
    let head = server.in_session(chef, CodeShown::JustNow).await.unwrap();
    let lists = format!("/api/v1/organisations/{COLLEGE}/lists");
    for answer in [
        head.post(&lists, &export(CLASS)).await.unwrap(),
        head.get(&format!("/api/v1/organisations/{COLLEGE}/persons")).await.unwrap(),
        head.get("/api/v1/loans").await.unwrap(),
    ] {
        assert_eq!((answer.status, answer.text("/code")), (403, "not-validated"), "{answer:?}");
    }
    server.validate_activity("roster").await.unwrap();
    let academie =
        somebody(&server, Employer::Academie, "academie", Role::Approver, GrantReach::Organisation).await;
    let school = School {
        ati: head.clone(),
        operator: head.clone(),
        head,
        academie,
        year,
        server,
        accounts: [chef; 4],
    };
    // Addresses are left out as long as no notice may be sent.
    let mut with_mail = export("Lemaréchal;Éloïse;4e B;1;;mere@exemple.fr;\n");
    with_mail["mapping"]["columns"]["contacts"] = json!(["Resp 1"]);
    with_mail["preview"] = true.into();
    let preview = school.head.post(&lists, &with_mail).await.unwrap();
    assert_eq!(preview.body["contacts_left_out"], true, "{preview:?}");
    assert_eq!(preview.body["names"][0]["entry"]["reachable"], json!([]));
    let list = school.list(CLASS).await;
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let refused = school.handed(SERIAL, &person(&list, "1")).await;
    assert!(refused.text("/detail").contains("C3.1.6"), "{refused:?}");
    school.server.validate_activity("lending").await.unwrap();
    let reader =
        somebody(&school.server, Employer::Departement, "auditeur", Role::Auditor, GrantReach::Organisation)
            .await;
    let log = reader.get("/api/v1/audit?limit=500").await.unwrap().ok().unwrap().to_string();
    assert!(log.contains("list.validate") && log.contains("list.propose"), "{log}");
    for name in ["Lemaréchal", "Éloïse", "Léa", "exemple.fr"] {
        assert!(!log.contains(name), "{name} stands in the log");
    }
}

async fn t_c1_lists_people_and_loans_of_another_college_do_not_exist(engine: Engine) {
    let school = school(engine).await;
    let loan = lent(&school).await;
    let proposed = school.propose("Neuf;Tom;4e B;9;;oui;\n").await.ok().unwrap();
    let (list, loan_row) = (text(&proposed, "id"), school.loan(&loan).await);
    let there = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let stranger = somebody(&school.server, there, "autre-chef", Role::Head, GrantReach::Organisation).await;
    let only_there = GrantReach::Colleges(BTreeSet::from([OTHER_COLLEGE.parse().unwrap()]));
    let ati = somebody(&school.server, Employer::Departement, "autre-ati", Role::Ati, only_there).await;
    let person = text(&loan_row, "person");
    for client in [&stranger, &ati] {
        for path in [
            format!("/api/v1/lists/{list}"),
            format!("/api/v1/loans/{loan}"),
            format!("/api/v1/persons/{person}/agreement"),
            format!("/api/v1/organisations/{COLLEGE}/persons"),
            format!("/api/v1/organisations/{COLLEGE}/wall"),
            format!("/api/v1/tablets/{SERIAL}/readiness"),
        ] {
            assert_eq!(client.get(&path).await.unwrap().status, 404, "{path}");
        }
        for path in ["/api/v1/lists", "/api/v1/loans?all=true"] {
            assert_eq!(client.get(path).await.unwrap().body["items"], json!([]), "{path}");
        }
    }
    let seen = json!({ "content_sha256": proposed["content_sha256"] });
    assert_eq!(stranger.post(&format!("/api/v1/lists/{list}/settle"), &seen).await.unwrap().status, 404);
    assert_eq!(
        stranger
            .post(&format!("/api/v1/loans/{loan}/confiscate"), &json!({ "reason": "x" }))
            .await
            .unwrap()
            .status,
        404
    );
    // Nor is a person of one collège lent a tablet of another.
    school.server.import_inventory(&inventory_csv([OTHER], OTHER_COLLEGE)).await.unwrap();
    assert_eq!(hand_over(&ati, OTHER, &person, false).await.status, 404);
}
