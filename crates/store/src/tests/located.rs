//! Nobody is located but under a warrant that a second person granted, as often and as closely as it says, whatever program
//! sends the statement (M1, M2).

use ::incidents::papers::PaperKind;
use ::incidents::{Footing, Grant, IncidentState};
use types::{AccountId, Day, IncidentId, IncidentKind, WarrantId};

use super::fixture::{Fixture, at};
use super::missing::{granted, incident, locate_by_hand};
use crate::incident_papers::Paper;
use crate::noticed_corrections::NoticedCorrection;
use crate::paper_corrections::PaperCorrection;
use crate::tests::on_both_engines;
use crate::{
    Engine, StoreError, incident_declarations, incident_papers, incidents, noticed_corrections,
    paper_corrections, position_requests, warrant_grants, warrants,
};

on_both_engines! {
    t_a23_a_warrant_that_no_second_person_granted_locates_nobody,
    t_a23_no_single_statement_makes_a_request_for_a_position,
    t_a23_requests_stay_within_the_number_and_the_interval_of_the_warrant,
    a_position_is_kept_once_under_a_warrant_in_force_and_never_changed,
    without_its_paper_a_warrant_ends_48_hours_after_the_declaration,
    an_incident_has_one_warrant_at_a_time,
    a_declaration_goes_forwards_only,
    an_incident_goes_on_in_another_once,
    c5_4_2_a_paper_is_put_right_and_what_was_said_before_stays,
    c5_4_2_when_it_was_noticed_is_put_right_and_what_was_said_before_stays,
    m1_a_paper_that_was_taken_back_makes_no_warrant_firm_whatever_program_writes,
    m1_a_warrant_that_ended_says_when,
}

pub(super) fn refused<T: std::fmt::Debug>(outcome: Result<T, StoreError>, by: &str) {
    match outcome {
        Err(StoreError::Refused { rule }) => assert!(rule.contains(by), "{by}: {rule}"),
        other => panic!("{by}: {other:?}"),
    }
}

async fn t_a23_a_warrant_that_no_second_person_granted_locates_nobody(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let incident = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    let warrant = WarrantId::new(at(100));
    let grant = granted(incident, one.tablet, people, 1_000);
    let row = warrants::Warrant {
        id: warrant,
        incident_id: incident,
        tablet_id: one.tablet,
        state: warrants::OrderState::Open,
        opens_at: at(100),
        expires_at: at(1_000),
        fixes: 12,
        interval_ms: 300_000,
        ended_at: None,
    };
    fixture.write(move |tx| warrants::insert(tx, &row)).await;
    let locate = locate_by_hand("x", one, warrant, at(200));
    refused(fixture.by_hand(&locate), "a second person granted");
    // By oneself, or by whoever declared it.
    let by = |author: String, second: String| {
        format!(
            "INSERT INTO warrant_grants (warrant_id, author, second, reason, validation_id, footing) \
             VALUES ('{warrant}', '{author}', '{second}', 'me', '{}', 'provisional')",
            people.validation
        )
    };
    assert!(fixture.by_hand(&by(people.second.to_string(), people.second.to_string())).is_err());
    refused(fixture.by_hand(&by(people.second.to_string(), people.author.to_string())), "did not declare");
    fixture.by_hand(&by(people.author.to_string(), people.second.to_string())).unwrap();
    fixture.by_hand(&locate).unwrap();
    let read = fixture.read(move |tx| warrant_grants::grant_of(tx, warrant)).await.unwrap().0;
    assert_eq!(read, Grant { reason: "me".to_owned(), ..grant });
}

async fn t_a23_no_single_statement_makes_a_request_for_a_position(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 1_000).await;
    let open = format!("INSERT INTO incidents VALUES ('i', '{}', 'theft', 'open', 5, NULL)", one.tablet);
    let of = |warrant: &str| {
        format!(
            "INSERT INTO warrant_grants (warrant_id, author, second, reason, validation_id, footing, extends) \
             VALUES ('{warrant}', '{}', '{}', 'me', '{}', 'provisional', NULL)",
            people.author, people.second, people.validation
        )
    };
    match fixture.store.engine() {
        // A statement of SQLite writes to one table.
        Engine::Sqlite => {
            refused(fixture.by_hand(&locate_by_hand("x", one, WarrantId::new(at(5)), at(200))), "warrant");
        }
        // One of PostgreSQL may write to several; what a row rests on must stand before.
        Engine::Postgresql => {
            let second = fixture.enrolled(2).await;
            let other = fixture.declared(second.tablet, IncidentKind::Theft, people.author).await;
            let id = WarrantId::new(at(101));
            let lines = [
                format!(
                    "a AS (INSERT INTO warrants VALUES ('{id}', '{other}', '{}', 'open', {}, {}, 12, 300000, NULL) \
                     RETURNING id)",
                    second.tablet,
                    at(100).as_millis(),
                    at(1_000).as_millis()
                ),
                format!("b AS ({} RETURNING warrant_id)", of(&id.to_string())),
            ];
            let locate = locate_by_hand("x", second, id, at(200));
            let all =
                format!("WITH {}, {} {locate}, a, b", lines[0], lines[1]).replace(", a, b", " FROM a, b");
            refused(fixture.by_hand(&all), "(M1)");
            let lost = format!(
                "WITH a AS ({} RETURNING id) INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, \
                 incident_id, priority, urgent, state, queued_at, queued_by, sent_count, not_now_count) \
                 SELECT 'y', '{}', '{}', 'PlayLostModeSound', 'lost-mode', 'i', 0, FALSE, 'queued', 10, 'me', 0, 0 FROM a",
                open, one.enrolment, one.tablet
            );
            refused(fixture.by_hand(&lost), "(M1)");
        }
    }
    // The same, with what stood before, goes: it is no other thing that refused.
    fixture.by_hand(&locate_by_hand("z", one, warrant, at(200))).unwrap();
    assert!(fixture.write(move |tx| incidents::close(tx, incident, at(700))).await);
    refused(fixture.by_hand(&locate_by_hand("late", one, warrant, at(800))), "warrant");
}

async fn t_a23_requests_stay_within_the_number_and_the_interval_of_the_warrant(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (_incident, warrant, _people) = fixture.sought(one.tablet, 100_000).await;
    let ask = |id: &str, seconds| fixture.by_hand(&locate_by_hand(id, one, warrant, at(seconds)));
    ask("0", 200).unwrap();
    refused(ask("soon", 499), "further apart");
    // Two rows of one statement are two requests.
    let both = format!(
        "{} UNION ALL {}",
        locate_by_hand("two", one, warrant, at(500)),
        locate_by_hand("three", one, warrant, at(501))
            .split_once(" SELECT ")
            .map(|(_, rest)| format!("SELECT {rest}"))
            .unwrap()
    );
    refused(fixture.by_hand(&both), "further apart");
    for number in 1..12 {
        ask(&number.to_string(), 200 + 300 * number).unwrap();
    }
    refused(ask("13th", 20_000), "were all asked for");
    let asked = fixture.read(move |tx| position_requests::asked(tx, warrant, one.tablet)).await;
    assert_eq!((asked.under_this_warrant, asked.last_at), (12, Some(at(200 + 300 * 11))));
}

async fn a_position_is_kept_once_under_a_warrant_in_force_and_never_changed(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 1_000).await;
    let queued = |seconds| {
        let command = crate::commands::Command {
            gate: orders::Gate::Locate,
            request_type: "DeviceLocation".to_owned(),
            warrant_id: Some(warrant),
            ..super::fixture::command(one, seconds)
        };
        fixture.write(move |tx| crate::commands::queue(tx, command.clone(), None).map(|one| one.command()))
    };
    let first = queued(200).await;
    // A tablet is not asked before it is recorded who asks.
    let write = crate::ConnectWrite {
        deliver: Some(super::fixture::delivery(first)),
        ..crate::ConnectWrite::new(one.enrolment, at(201))
    };
    refused(fixture.store.connect_write(write).await, "who asks for a position");
    fixture.recorded_request(first, people).await.unwrap();
    assert!(fixture.deliver(one, first, 202).await);
    let keep = |command, seconds| {
        fixture.store.write(move |tx| position_requests::keep(tx, command, incident, b"sealed", at(seconds)))
    };
    keep(first, 210).await.unwrap();
    assert!(keep(first, 211).await.is_err(), "once");
    for (edit, by) in [
        ("UPDATE positions SET kept_at = 0", "never changed"),
        ("DELETE FROM positions", "dies with its key"),
        ("DELETE FROM position_requests", "stays recorded"),
        ("UPDATE position_requests SET asked_by = 'me'", "a request for a position"),
        ("UPDATE position_requests SET outcome = 'awaited', outcome_at = NULL", "stays recorded"),
    ] {
        refused(fixture.by_hand(edit), by);
    }
    let second = queued(500).await;
    fixture.recorded_request(second, people).await.unwrap();
    refused(keep(second, 509).await, "closer together");
    // The warrant ends while the answer is on its way.
    refused(keep(second, 1_000).await, "in force");
    assert!(fixture.write(move |tx| warrants::end(tx, warrant, at(300))).await);
    refused(keep(second, 600).await, "in force");
    let outcome = position_requests::Outcome::Dropped;
    let dropped = fixture
        .write(move |tx| position_requests::settle(tx, second, outcome, Some("over"), at(1_001)))
        .await;
    assert!(dropped);
    let rows = fixture.read(move |tx| position_requests::of_incident(tx, incident)).await;
    let outcomes: Vec<_> = rows.iter().map(|row| row.outcome.as_str()).collect();
    assert_eq!(outcomes, ["kept", "dropped"]);
}

async fn without_its_paper_a_warrant_ends_48_hours_after_the_declaration(fixture: Fixture) {
    let people = fixture.people_of_a_warrant().await;
    let two_days = 100 + 48 * 3_600;
    for (number, kind) in [(1, IncidentKind::Theft), (2, IncidentKind::Loss)] {
        let tablet = fixture.enrolled(number).await.tablet;
        let incident = fixture.declared(tablet, kind, people.author).await;
        let longer = granted(incident, tablet, people, two_days + 1);
        let firm = Grant { footing: Footing::Firm, ..granted(incident, tablet, people, two_days) };
        for grant in [longer, firm] {
            let id = WarrantId::new(at(100));
            let tried = fixture.store.write(move |tx| warrant_grants::record(tx, id, &grant)).await;
            refused(tried, "48 hours");
        }
        let grant = granted(incident, tablet, people, two_days);
        let id = WarrantId::new(at(100));
        fixture.write(move |tx| warrant_grants::record(tx, id, &grant)).await;
    }
}

async fn an_incident_has_one_warrant_at_a_time(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (incident, warrant, people) = fixture.sought(one.tablet, 1_000).await;
    let record = |grant: Grant| {
        let id = WarrantId::new(at(101));
        fixture.store.write(move |tx| warrant_grants::record(tx, id, &grant))
    };
    let another = granted(incident, one.tablet, people, 2_000);
    let extension = Grant { extends: Some(warrant), ..another.clone() };
    refused(record(another.clone()).await, "one warrant at a time");
    refused(record(extension.clone()).await, "one warrant at a time");
    assert!(fixture.write(move |tx| warrants::end(tx, warrant, at(300))).await);
    refused(record(another).await, "one warrant at a time");
    record(extension).await.unwrap();
    let last = fixture.read(move |tx| warrant_grants::last(tx, incident)).await;
    assert_ne!(last, Some(warrant));
}

async fn a_declaration_goes_forwards_only(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    // The request of an authority needs its reference.
    let nameless = incident(one.tablet, IncidentKind::AuthorityRequest, people.author);
    let tried = fixture.store.write(move |tx| incident_declarations::record(tx, &nameless, None)).await;
    refused(tried, "with its reference");
    let words = types::Secret::new("left on the bus".as_bytes().to_vec());
    let loss = incident(one.tablet, IncidentKind::Loss, people.author);
    let id = loss.id;
    let written = loss.clone();
    fixture.write(move |tx| incident_declarations::record(tx, &written, Some(&words))).await;
    assert_eq!(fixture.read(move |tx| incident_declarations::load(tx, id)).await, Some(loss));
    let told = fixture.read(move |tx| incident_declarations::circumstances(tx, id)).await.unwrap();
    assert_eq!(told.expose(), "left on the bus".as_bytes());
    let go = |from, to, seconds| {
        fixture.store.write(move |tx| incident_declarations::go_on(tx, id, from, to, at(seconds)))
    };
    assert!(go(IncidentState::Declared, IncidentState::Found, 200).await.unwrap());
    assert!(!go(IncidentState::Declared, IncidentState::NotFound, 201).await.unwrap());
    refused(go(IncidentState::Found, IncidentState::InProgress, 202).await, "forwards only");
    refused(go(IncidentState::Found, IncidentState::Closed, 203).await, "closed before");
    refused(fixture.by_hand("UPDATE incident_declarations SET declared_at = 0"), "frozen");
    refused(fixture.by_hand("DELETE FROM incident_declarations"), "frozen");
    assert!(fixture.write(move |tx| incidents::close(tx, id, at(300))).await);
    assert!(go(IncidentState::Found, IncidentState::Closed, 300).await.unwrap());
}

async fn an_incident_goes_on_in_another_once(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let first = incident(one.tablet, IncidentKind::Loss, people.author);
    let (id, written) = (first.id, first.clone());
    fixture.write(move |tx| incident_declarations::record(tx, &written, None)).await;
    let again = |seconds| ::incidents::Incident {
        id: IncidentId::new(at(seconds)),
        opened_at: at(seconds),
        reopens: Some(id),
        state: IncidentState::InProgress,
        ..first.clone()
    };
    let record = |incident: ::incidents::Incident| {
        fixture.store.write(move |tx| incident_declarations::record(tx, &incident, None))
    };
    refused(record(again(200)).await, "as it is opened");
    assert!(fixture.write(move |tx| incidents::close(tx, id, at(300))).await);
    let younger = ::incidents::Incident { declared_at: at(350), ..again(400) };
    refused(record(younger).await, "as it is opened");
    record(again(400)).await.unwrap();
    assert!(record(again(500)).await.is_err(), "once");
    let open = fixture.read(move |tx| incident_declarations::missing(tx, one.tablet)).await;
    assert!(open.is_some_and(|open| open != id));
}

/// A complaint of that number about an incident, recorded at `at(200)`.
fn complaint(incident: IncidentId, number: &str, by: AccountId) -> Paper {
    Paper {
        incident_id: incident,
        paper: PaperKind::Complaint,
        reference: number.to_owned(),
        dated: Day::of(at(200)),
        station: Some("Rouen".to_owned()),
        recorded_at: at(200),
        recorded_by: by,
    }
}

/// The correction of that number, at `at(seconds)`; with no reference, the paper is taken back.
fn correction(paper: &Paper, number: i64, reference: Option<&str>, seconds: i64) -> PaperCorrection {
    PaperCorrection {
        incident_id: paper.incident_id,
        paper: paper.paper,
        number,
        reference: reference.map(str::to_owned),
        dated: reference.map(|_| Day::of(at(seconds))),
        station: reference.map(|_| "Elbeuf".to_owned()),
        reason: "a digit was wrong".to_owned(),
        corrected_at: at(seconds),
        corrected_by: paper.recorded_by,
    }
}

async fn c5_4_2_a_paper_is_put_right_and_what_was_said_before_stays(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let incident = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    // A digit was wrong; the station is the same.
    let paper = Paper { station: Some("Elbeuf".to_owned()), ..complaint(incident, "2026/1", people.author) };
    let put = |row: PaperCorrection| fixture.store.write(move |tx| paper_corrections::insert(tx, &row));
    let of_nothing = put(correction(&paper, 1, Some("2026/2"), 300)).await;
    assert!(of_nothing.is_err(), "what was never recorded is not put right: {of_nothing:?}");
    let written = paper.clone();
    fixture.write(move |tx| incident_papers::insert(tx, &written)).await;
    refused(put(correction(&paper, 2, Some("2026/2"), 300)).await, "after what was said of it before");
    put(correction(&paper, 1, Some("2026/2"), 300)).await.unwrap();
    refused(put(correction(&paper, 1, Some("2026/3"), 400)).await, "after what was said of it before");
    let counts = || fixture.read(move |tx| incident_papers::that_count(tx, incident));
    let right = counts().await;
    let (reference, station) = (right[0].reference.as_str(), right[0].station.as_deref());
    assert_eq!(
        (reference, station, right[0].recorded_at),
        ("2026/2", Some("Elbeuf"), at(200)),
        "it came then"
    );
    put(correction(&paper, 2, None, 400)).await.unwrap();
    assert_eq!(counts().await, []);
    put(correction(&paper, 3, Some("2026/4"), 500)).await.unwrap();
    assert_eq!(counts().await[0].recorded_at, at(500), "it came when it was given again");
    let loaded = fixture.read(move |tx| incident_declarations::load(tx, incident)).await.unwrap();
    assert_eq!(loaded.papers.complaint.unwrap().number, "2026/4");
    let former = fixture.read(move |tx| incident_papers::former(tx, incident)).await;
    let said: Vec<Option<&str>> =
        former.iter().map(|(before, _)| before.as_ref().map(|paper| paper.reference.as_str())).collect();
    assert_eq!(said, [Some("2026/1"), Some("2026/2"), None]);
    for edit in ["UPDATE paper_corrections SET reason = 'none'", "DELETE FROM paper_corrections"] {
        refused(fixture.by_hand(edit), "stays recorded");
    }
    let half = "INSERT INTO paper_corrections (incident_id, paper, number, reference, reason, corrected_at, corrected_by) ";
    let half = format!("{half} VALUES ('{incident}', 'complaint', 4, 'x', 'y', 1, '{}')", people.author);
    assert!(fixture.by_hand(&half).is_err(), "a paper has a date");
}

async fn c5_4_2_when_it_was_noticed_is_put_right_and_what_was_said_before_stays(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let incident = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    let put = |number, noticed| {
        let row = NoticedCorrection {
            incident_id: incident,
            number,
            noticed_at: at(noticed),
            reason: "it was the day before".to_owned(),
            corrected_at: at(300),
            corrected_by: people.author,
        };
        fixture.store.write(move |tx| noticed_corrections::insert(tx, &row))
    };
    let noticed = async || {
        let loaded = fixture.read(move |tx| incident_declarations::load(tx, incident)).await.unwrap();
        let declared = fixture.read(move |tx| incident_declarations::get(tx, &incident)).await.unwrap();
        (loaded.noticed_at, declared.noticed_at)
    };
    assert_eq!(noticed().await, (at(90), at(90)));
    refused(put(2, 80).await, "after what was said of it before");
    refused(put(1, 101).await, "noticed before it is declared");
    put(1, 80).await.unwrap();
    put(2, 100).await.unwrap();
    refused(put(2, 70).await, "after what was said of it before");
    assert_eq!(noticed().await, (at(100), at(90)), "the declaration stays");
    let said = fixture.read(move |tx| noticed_corrections::of(tx, incident)).await;
    assert_eq!(said.iter().map(|row| row.noticed_at).collect::<Vec<_>>(), [at(80), at(100)]);
    for edit in ["UPDATE noticed_corrections SET reason = 'none'", "DELETE FROM noticed_corrections"] {
        refused(fixture.by_hand(edit), "stays recorded");
    }
}

async fn m1_a_paper_that_was_taken_back_makes_no_warrant_firm_whatever_program_writes(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    let incident = fixture.declared(one.tablet, IncidentKind::Theft, people.author).await;
    let paper = complaint(incident, "2026/1", people.author);
    let taken_back = correction(&paper, 1, None, 300);
    fixture
        .write(move |tx| {
            incident_papers::insert(tx, &paper)?;
            paper_corrections::insert(tx, &taken_back)
        })
        .await;
    let firm = Grant { footing: Footing::Firm, ..granted(incident, one.tablet, people, 1_000) };
    let record = |grant: Grant| {
        fixture.store.write(move |tx| warrant_grants::record(tx, WarrantId::new(at(100)), &grant))
    };
    refused(record(firm.clone()).await, "without its paper a warrant is provisional");
    let again = correction(&complaint(incident, "2026/1", people.author), 2, Some("2026/2"), 400);
    fixture.write(move |tx| paper_corrections::insert(tx, &again)).await;
    record(firm).await.unwrap();
}

async fn m1_a_warrant_that_ended_says_when(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (_incident, warrant, _people) = fixture.sought(one.tablet, 1_000).await;
    assert!(fixture.by_hand("UPDATE warrants SET ended_at = 1").is_err(), "it is open");
    assert!(fixture.write(move |tx| warrants::end(tx, warrant, at(300))).await);
    let row = fixture.read(move |tx| warrants::get(tx, &warrant)).await.unwrap();
    assert_eq!((row.state, row.ended_at), (warrants::OrderState::Ended, Some(at(300))));
    assert!(fixture.by_hand("UPDATE warrants SET ended_at = 1").is_err(), "frozen");
}
