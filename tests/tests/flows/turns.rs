//! The turn of the school year, through the whole server: deposits are handed out again with the same data, a new list and a
//! new text count, and whoever the list does not name has left (C5.2.2, C5.2.1, C9.1).

use std::collections::BTreeSet;

use serde_json::json;
use store::Engine;
use store::role_grants::GrantReach;
use testkit::inventory_csv;
use testkit::people::Employer;
use types::{Clock as _, Day, Duration, Role};

use crate::lending::{CLASS, OTHER, SERIAL, School, person, rule, school, somebody, text};
use crate::support::{COLLEGE, OTHER_COLLEGE, on_both_engines};

on_both_engines! {
    c9_1_c5_2_2_the_year_turns_and_whoever_the_new_list_does_not_name_has_left,
    c9_1_the_list_of_next_year_names_who_is_there_and_ends_nobodys_loan_before_it_begins,
    c5_2_2_a_class_hands_in_and_gets_again_in_a_row_and_what_was_interrupted_is_scanned_again,
    c5_2_2_the_break_that_follows_the_end_of_a_year_is_of_that_year,
    c9_1_an_export_that_says_nothing_new_says_that_the_list_is_whole,
    c5_2_3_whoever_left_and_holds_nothing_is_counted_from_their_last_day_on,
    c5_2_3_a_tablet_that_is_late_is_told_where_it_belongs_and_no_more_once_it_is_back,
}

const THIRD: &str = "DMPX00000003";

/// What the calendar does about the year, now; who is there after that. The calendar of the server may have been quicker.
async fn turned(school: &School) -> Vec<String> {
    #[expect(clippy::disallowed_methods, reason = "the test is the calendar")]
    let calendar = fleet::Principal::calendar();
    let (fleet, now) = (school.server.fleet().unwrap(), school.server.clock().now());
    fleet::lending::turn::of_the_year(fleet, &calendar, now).await.unwrap();
    present(school).await
}

/// A new school year that began today.
async fn new_year(school: &School) -> String {
    year_from(school, Day::of(school.server.clock().now())).await
}

/// A school year from that day on.
async fn year_from(school: &School, today: Day) -> String {
    let (ends, summer) = (today.plus(364), today.plus(310));
    let year = |day: Day| day.to_string().split('-').next().unwrap_or_default().to_owned();
    let label = format!("{}-{}", year(today), year(ends));
    let dates = json!({
        "starts_on": today.to_string(), "ends_on": ends.to_string(), "summer_starts_on": summer.to_string(),
        "summer_ends_on": ends.to_string(),
    });
    let set = school.operator.put(&format!("/api/v1/school-years/{label}"), &dates).await.unwrap();
    assert!(set.status < 300, "{set:?}");
    label
}

/// Who of the collège has not left.
async fn present(school: &School) -> Vec<String> {
    let uai = COLLEGE.parse().unwrap();
    let read = school.server.fleet().unwrap().store().read(move |tx| store::persons::present(tx, &uai));
    read.await.unwrap().into_iter().map(|(id, _kind)| id.to_string()).collect()
}

async fn c9_1_c5_2_2_the_year_turns_and_whoever_the_new_list_does_not_name_has_left(engine: Engine) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    let [eloise, lea, other_lea, anne] = ["1", "2", "3", "4"].map(|number| person(&list, number));
    let mut everybody = vec![eloise.clone(), lea.clone(), other_lea.clone(), anne.clone()];
    everybody.sort();
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER, THIRD], COLLEGE)).await.unwrap();
    let mut loans = Vec::new();
    for (serial, who) in [(SERIAL, &eloise), (OTHER, &lea), (THIRD, &anne)] {
        let loan = school.server.lent(serial, who.parse().unwrap(), &school.year).await.unwrap();
        loans.push(loan.to_string());
    }
    // Summer: the pupils' tablets are kept, and the loans go on.
    school.later(145).await;
    for loan in &loans[..2] {
        assert_eq!(school.act(&school.ati, loan, "deposit", json!({})).await.text("/state"), "deposited");
    }
    assert_eq!(
        school.act(&school.ati, &loans[2], "deposit", json!({})).await.status,
        403,
        "a teacher keeps theirs"
    );
    assert_eq!(turned(&school).await, everybody);
    // September: nobody is listed yet, and nobody has left by that.
    school.later(60).await;
    new_year(&school).await;
    assert_eq!(turned(&school).await, everybody, "a late list ends nobody’s loan");
    for loan in &loans[..2] {
        let out = school.act(&school.ati, loan, "hand-out", json!({})).await;
        assert_eq!(
            (out.text("/state"), out.text("/id")),
            ("lent", loan.as_str()),
            "the same tablet, the same loan"
        );
    }
    // The list of the teachers says nothing of the pupils.
    school.list("Roy;Anne;;4;Professeur;;\n").await;
    assert_eq!(turned(&school).await, everybody);
    // Nor does one class say anything of another.
    assert_eq!(school.class("Petit;Léa;3e B;2;;oui;\n").await["scope"], "part");
    assert_eq!(turned(&school).await, everybody);
    // The pupils' is signed by one of the two: still nobody.
    let pupils = "Petit;Léa;3e B;2;;oui;\nNeuf;Nina;6e A;9;;oui;\n";
    let proposed = school.propose(pupils).await.ok().unwrap();
    assert_eq!(proposed["scope"], "whole");
    let (path, seen) = (
        format!("/api/v1/lists/{}", text(&proposed, "id")),
        json!({ "content_sha256": proposed["content_sha256"] }),
    );
    school.head.post(&format!("{path}/settle"), &seen).await.unwrap().ok().unwrap();
    assert_eq!(turned(&school).await, everybody);
    school.academie.post(&format!("{path}/validate"), &seen).await.unwrap().ok().unwrap();
    // Both: Éloïse's tablet is due back, and the other Léa, who held nothing, has left as well.
    let mut there = vec![lea, anne, person(&proposed, "9")];
    there.sort();
    // On two nodes at once: each of them has left once.
    let (one, other) = tokio::join!(turned(&school), turned(&school));
    assert!(one == there || other == there, "{one:?}, {other:?}");
    assert_eq!(turned(&school).await, there);
    let ended = school.loan(&loans[0]).await;
    assert_eq!(
        (text(&ended, "state"), text(&ended, "ended_because")),
        ("ended".into(), "no-longer-listed".into())
    );
    for loan in &loans[1..] {
        assert_eq!(school.loan(loan).await["state"], "lent");
    }
    // However often it is looked at, each is counted once.
    assert_eq!(turned(&school).await, there);
    let log = school
        .server
        .fleet()
        .unwrap()
        .store()
        .read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 500));
    let log = log.await.unwrap();
    assert_eq!(log.iter().filter(|entry| entry.action == "person.not-listed").count(), 2, "{log:?}");
    let erased = school.server.fleet().unwrap().store().read(|tx| {
        let tablet = store::tablets::by_serial(tx, &SERIAL.parse().unwrap())?.unwrap();
        Ok::<_, store::StoreError>((
            store::restitutions::last_of_tablet(tx, tablet.id)?,
            store::erase_orders::open_of_tablet(tx, tablet.id)?,
        ))
    });
    assert_eq!(erased.await.unwrap(), (None, None), "nothing is erased by it");
}

async fn c9_1_the_list_of_next_year_names_who_is_there_and_ends_nobodys_loan_before_it_begins(
    engine: Engine,
) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    let [eloise, lea, other_lea, anne] = ["1", "2", "3", "4"].map(|number| person(&list, number));
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER], COLLEGE)).await.unwrap();
    let mut loans = Vec::new();
    for (serial, who) in [(SERIAL, &eloise), (OTHER, &lea)] {
        let loan = school.server.lent(serial, who.parse().unwrap(), &school.year).await.unwrap();
        loans.push(loan.to_string());
    }
    // June: the list of next year is validated. Its newcomers are there, and so is whoever it does not name.
    school.later(145).await;
    let next = year_from(&school, Day::of(school.server.clock().now()).plus(56)).await;
    let everybody = "Petit;Léa;3e B;2;;oui;\nRoy;Anne;;4;Professeur;;\nNeuf;Nina;6e A;9;;oui;\n";
    let nina = person(&school.list_of(&next, everybody).await, "9");
    let mut there = vec![eloise.clone(), lea.clone(), other_lea, anne.clone(), nina.clone()];
    there.sort();
    assert_eq!(turned(&school).await, there, "nobody has left by a list of another year");
    // Léa moves away in summer: next year's list takes her off, and her loan goes on until then.
    school.list_of(&next, "Roy;Anne;;4;Professeur;;\nNeuf;Nina;6e A;9;;oui;\n").await;
    assert_eq!(turned(&school).await, there);
    for loan in &loans {
        assert_eq!(school.loan(loan).await["state"], "lent", "this year’s list names its holder");
    }
    // September: that list is the one that counts.
    school.later(60).await;
    let mut there = vec![anne, nina];
    there.sort();
    assert_eq!(turned(&school).await, there);
    for loan in &loans {
        assert_eq!(school.loan(loan).await["ended_because"], "no-longer-listed");
    }
}

/// How many entries of the log say this.
async fn logged(school: &School, action: &str) -> usize {
    let log = school.server.fleet().unwrap().store();
    let log =
        log.read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 500)).await.unwrap();
    log.iter().filter(|entry| entry.action == action).count()
}

/// Tablets that are scanned in a row, as they go over the counter.
async fn scanned(school: &School, way: &str, tablets: &[&str]) -> testkit::Answer {
    school.ati.post(&format!("/api/v1/{way}"), &json!({ "tablets": tablets })).await.unwrap()
}

async fn c5_2_2_a_class_hands_in_and_gets_again_in_a_row_and_what_was_interrupted_is_scanned_again(
    engine: Engine,
) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    school.server.import_inventory(&inventory_csv([SERIAL, OTHER, THIRD], COLLEGE)).await.unwrap();
    for (serial, number) in [(SERIAL, "1"), (OTHER, "2"), (THIRD, "4")] {
        school.server.lent(serial, person(&list, number).parse().unwrap(), &school.year).await.unwrap();
    }
    let stands = |answer: &testkit::Answer| -> Vec<(String, bool)> {
        let lines = answer.body.as_array().unwrap().iter();
        lines
            .map(|line| {
                let state = line["loan"]["state"].as_str().unwrap().to_owned();
                (state, line["already"].as_bool().unwrap())
            })
            .collect()
    };
    let early = scanned(&school, "deposits", &[SERIAL]).await;
    assert_eq!(rule(&early), (403, "C5.2.2".to_owned()), "{early:?}");
    school.later(145).await;
    // A teacher's tablet lies among them, or one that nobody has: it is named, and nothing was taken in.
    let among = scanned(&school, "deposits", &[SERIAL, THIRD]).await;
    assert_eq!((among.status, among.text("/code")), (422, "bad-scans"), "{among:?}");
    let named = among.body["lines"][0].to_string();
    assert!(named.contains(THIRD) && named.contains("C5.2.2") && !among.body.to_string().contains(OTHER));
    let both = scanned(&school, "deposits", &["76-9999", SERIAL, THIRD]).await;
    let places: Vec<u64> =
        both.body["lines"].as_array().unwrap().iter().filter_map(|bad| bad["line"].as_u64()).collect();
    assert_eq!(places, [1, 3], "all at once: {both:?}");
    assert_eq!(scanned(&school, "deposits", &["DMPX00000009"]).await.status, 404);
    assert_eq!(logged(&school, "loan.deposit").await, 0);
    // The line broke after the first one.
    assert_eq!(stands(&scanned(&school, "deposits", &[SERIAL]).await), [("deposited".to_owned(), false)]);
    let again = scanned(&school, "deposits", &[SERIAL, OTHER, OTHER]).await;
    let expected = [true, false, true].map(|already| ("deposited".to_owned(), already));
    assert_eq!(stands(&again), expected);
    assert_eq!(logged(&school, "loan.deposit").await, 2, "each is taken in once");
    school.later(10).await;
    let summer = scanned(&school, "hand-outs", &[SERIAL]).await;
    assert_eq!(rule(&summer), (403, "C5.2.2".to_owned()), "{summer:?}");
    school.later(50).await;
    new_year(&school).await;
    let out = scanned(&school, "hand-outs", &[OTHER, SERIAL]).await;
    assert_eq!(stands(&out), [false, false].map(|already| ("lent".to_owned(), already)));
    assert_eq!(out.body[0]["loan"]["serial"], OTHER);
    let again = scanned(&school, "hand-outs", &[OTHER, SERIAL]).await;
    assert_eq!(stands(&again), [true, true].map(|already| ("lent".to_owned(), already)));
    assert_eq!(logged(&school, "loan.hand-out").await, 2);
    // Nobody else's ATI has these tablets before them.
    let elsewhere = GrantReach::Colleges(BTreeSet::from([OTHER_COLLEGE.parse().unwrap()]));
    let stranger = somebody(&school.server, Employer::Departement, "autre-ati", Role::Ati, elsewhere).await;
    let theirs = stranger.post("/api/v1/hand-outs", &json!({ "tablets": [SERIAL] })).await.unwrap();
    assert_eq!(theirs.status, 404, "{theirs:?}");
}

async fn c5_2_2_the_break_that_follows_the_end_of_a_year_is_of_that_year(engine: Engine) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    let (store, label) = (school.server.fleet().unwrap().store().clone(), school.year.clone());
    let today = Day::of(school.server.clock().now());
    let dated = store.write(move |tx| {
        let year = store::school_years::get(tx, &label)?.unwrap();
        let (ends_on, break_ends) = (today.plus(149), today.plus(200));
        let dates = (today.plus(150), break_ends);
        let year = store::school_years::SchoolYear {
            ends_on,
            summer_starts_on: dates.0,
            summer_ends_on: dates.1,
            ..year
        };
        store::school_years::update(tx, &year)
    });
    assert!(dated.await.unwrap());
    school.server.import_inventory(&inventory_csv([SERIAL], COLLEGE)).await.unwrap();
    let lea = person(&list, "2");
    let loan = school.server.lent(SERIAL, lea.parse().unwrap(), &school.year).await.unwrap().to_string();
    // The year is over and the break has begun: the tablet is kept, and stays until the break is over.
    school.later(155).await;
    let kept = school.act(&school.ati, &loan, "deposit", json!({})).await;
    assert_eq!(kept.text("/state"), "deposited", "{kept:?}");
    let early = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!(rule(&early), (403, "C5.2.2".to_owned()), "{early:?}");
    school.later(44).await;
    let early = scanned(&school, "hand-outs", &[SERIAL]).await;
    assert_eq!(rule(&early), (403, "C5.2.2".to_owned()), "{early:?}");
    school.later(3).await;
    new_year(&school).await;
    let out = school.act(&school.ati, &loan, "hand-out", json!({})).await;
    assert_eq!(out.text("/state"), "lent", "{out:?}");
}

async fn c9_1_an_export_that_says_nothing_new_says_that_the_list_is_whole(engine: Engine) {
    let mut school = school(engine).await;
    let list = school.list(CLASS).await;
    let [lea, anne] = ["2", "4"].map(|number| person(&list, number));
    school.later(205).await;
    new_year(&school).await;
    // September comes class by class, and nobody has left by that.
    school.class("Petit;Léa;3e B;2;;oui;\n").await;
    school.class("Roy;Anne;;4;Professeur;;\n").await;
    assert_eq!(turned(&school).await.len(), 4);
    // Everybody, and nothing new: one of each kind is named again, as they stand, and both sign that.
    let everybody = "Petit;Léa;3e B;2;;oui;\nRoy;Anne;;4;Professeur;;\n";
    let whole = school.list(everybody).await;
    assert_eq!(
        (whole["scope"].as_str(), whole["names"].as_array().unwrap().len()),
        (Some("whole"), 2),
        "{whole:#}"
    );
    let mut there = vec![lea, anne];
    there.sort();
    assert_eq!(turned(&school).await, there, "the two whom it does not name have left");
    // Once it was said, there is nothing to say.
    assert_eq!(school.propose(everybody).await.status, 409);
}

async fn c5_2_3_whoever_left_and_holds_nothing_is_counted_from_their_last_day_on(engine: Engine) {
    let school = school(engine).await;
    let people = school
        .server
        .listed(&COLLEGE.parse().unwrap(), &school.year, &["Zoé Martin", "Tom Roy"])
        .await
        .unwrap();
    let last = Day::of(school.server.clock().now()).plus(3);
    let leaves = people[0];
    let write = school.server.fleet().unwrap().store().write(move |tx| {
        let person = store::persons::get(tx, &leaves)?.unwrap();
        store::persons::update(tx, &store::persons::Person { leaves_on: Some(last), ..person })
    });
    assert!(write.await.unwrap());
    assert_eq!(turned(&school).await.len(), 2, "they are there until the end of that day");
    school.server.advance(Duration::from_secs(4 * 86_400));
    assert_eq!(turned(&school).await, vec![people[1].to_string()]);
    let read = school.server.fleet().unwrap().store().read(move |tx| store::persons::get(tx, &leaves));
    assert_eq!(
        read.await.unwrap().unwrap().left_at,
        Some(last.ends_at()),
        "the term begins with the day’s end"
    );
}

/// Lets a tablet follow, and says which of its commands were new.
async fn follows(school: &School, ipad: &mut tablets::Ipad) -> Vec<String> {
    school.round().await;
    let talk = ipad.poll().await.unwrap();
    assert!(!talk.erased, "lateness erases nothing");
    talk.request_types().into_iter().map(str::to_owned).collect()
}

async fn c5_2_3_a_tablet_that_is_late_is_told_where_it_belongs_and_no_more_once_it_is_back(engine: Engine) {
    let mut school = school(engine).await;
    school.server.publish_layer(crate::lending::SOCLE).await.unwrap();
    let mut ipad = school.ready(SERIAL).await;
    let list = school.list(CLASS).await;
    let loan = school.handed(SERIAL, &person(&list, "1")).await.text("/id").to_owned();
    follows(&school, &mut ipad).await;
    assert!(
        !follows(&school, &mut ipad).await.contains(&"InstallProfile".to_owned()),
        "it has all that it is given"
    );
    let ended = school.act(&school.operator, &loan, "end", json!({ "reason": "fin" })).await;
    assert_eq!(ended.text("/state"), "ended");
    follows(&school, &mut ipad).await;
    // The day after it was due: restricted, and its own small profile says where it belongs.
    school.later(2).await;
    assert!(follows(&school, &mut ipad).await.contains(&"InstallProfile".to_owned()));
    assert_eq!(school.mode(&loan).await, "restricted");
    let late = school.ati.get("/api/v1/overdue-tablets").await.unwrap().ok().unwrap();
    assert_eq!(
        (&late["items"][0]["days_late"], &late["items"][0]["propose_incident"]),
        (&json!(2), &json!(false))
    );
    // After a fortnight an incident is proposed: a person decides, and nothing else happens by itself.
    school.later(14).await;
    let late = school.ati.get("/api/v1/overdue-tablets").await.unwrap().ok().unwrap();
    assert_eq!(late["items"][0]["propose_incident"], true);
    assert_eq!(school.head.get("/api/v1/incidents").await.unwrap().body["items"], json!([]));
    let receipt = json!({ "tablets": [{ "tablet": SERIAL, "condition": "bon état" }] });
    school.ati.post("/api/v1/restitutions", &receipt).await.unwrap().ok().unwrap();
    // The server's own calendar runs beside: which of them writes the new profile, and when, is nobody's promise.
    let mut news = Vec::new();
    for _round in 0..10 {
        news = follows(&school, &mut ipad).await;
        if news.contains(&"InstallProfile".to_owned()) {
            break;
        }
    }
    assert!(news.contains(&"InstallProfile".to_owned()), "it says so no more: {news:?}");
}
