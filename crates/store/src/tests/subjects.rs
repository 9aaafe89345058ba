//! What the tables hold about one person: whole, of nobody else, and forgotten when they ask and the law allows it
//! (C3.1.6; GDPR, art. 15, 17 and 20).

use std::collections::{BTreeMap, BTreeSet};

use ::incidents::Counterpart;
use lending::list::Change;
use lending::loan::Ending;
use privacy::{Holds, NotForgotten, SubjectData, may_forget};
use types::{IncidentId, IncidentKind, PersonId};

use super::cast::{entry, proposed};
use super::engines::columns;
use super::fixture::{Enrolled, Fixture, at};
use super::lending::{lent, receipt, year};
use crate::forgotten::Replayed;
use crate::incidents::{self, Incident, IncidentState};
use crate::lists;
use crate::loans::{self, Loan};
use crate::persons::{self, Known};
use crate::replacements::{self, Replacement};
use crate::shared_folder::SharedFolder;
use crate::subject_data::{self, LEFT_OUT, held_tables};
use crate::tests::on_both_engines;
use crate::{declarations, purge, restitutions};

on_both_engines! {
    m1_what_an_authority_wants_told_later_is_in_the_copy_from_that_date_on,
    c3_1_6_a_copy_holds_everything_of_one_person_and_nothing_of_another,
    c3_1_6_every_table_that_tells_of_people_is_in_the_copy_or_left_out_with_a_reason,
    c3_1_6_who_is_tied_to_the_programme_is_not_forgotten_and_everybody_else_is,
    m2_who_was_forgotten_does_not_come_back_with_an_older_database,
    c5_4_4_whoever_still_had_the_tablet_bears_what_befell_it_and_finds_it_in_their_copy,
    c5_4_4_a_counterpart_is_borne_by_who_held_the_tablet_when_it_happened_and_by_nobody_who_had_given_it_back,
}

const YEAR: &str = "2026-2027";
const HERE: &str = "0760001A";

fn breakage(tablet: types::TabletId, seconds: i64) -> Incident {
    Incident {
        id: IncidentId::new(at(seconds)),
        tablet_id: tablet,
        kind: IncidentKind::Breakage,
        state: IncidentState::Open,
        opened_at: at(seconds),
        closed_at: None,
    }
}

fn tables(copy: &SubjectData) -> BTreeSet<&'static str> {
    copy.parts.iter().map(|part| part.table).collect()
}

/// Two pupils on the list, each with a tablet, and an incident about the first one's.
async fn two_pupils(fixture: &Fixture) -> ([PersonId; 2], [Loan; 2], (Enrolled, IncidentId)) {
    fixture.write(year).await;
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let people = [PersonId::new(at(1)), PersonId::new(at(1))];
    fixture.listed(HERE, YEAR, &people).await;
    let both = [lent(one, people[0]), lent(two, people[1])];
    let (rows, incident) = (both.clone(), breakage(one.tablet, 20));
    let id = incident.id;
    fixture
        .write(move |tx| {
            for loan in &rows {
                loans::insert(tx, loan)?;
            }
            incidents::insert(tx, &incident)
        })
        .await;
    (people, both, (one, id))
}

async fn c3_1_6_a_copy_holds_everything_of_one_person_and_nothing_of_another(fixture: Fixture) {
    let ([one, two], [first, second], (enrolled, incident)) = two_pupils(&fixture).await;
    fixture.queue(enrolled, 30).await;
    let copy = |person| fixture.read(move |tx| subject_data::of(tx, person, at(100)));
    let (mine, theirs) = (copy(one).await.unwrap(), copy(two).await.unwrap());
    assert!(copy(PersonId::new(at(2))).await.is_none(), "nobody has that number");
    for table in ["persons", "list_changes", "loans", "incidents", "tablets", "enrolments", "commands"] {
        assert!(tables(&mine).contains(table), "{table} is missing: {:?}", tables(&mine));
    }
    assert!(!tables(&theirs).contains("incidents") && !tables(&theirs).contains("commands"), "{theirs:?}");
    // What is sealed is told in clear, and instants as dates.
    let text = serde_json::to_string(&mine).unwrap();
    let name = fixture.read(move |tx| persons::get(tx, &one)).await.unwrap();
    let Known::By(name) = name.name else { panic!("they are known") };
    assert!(text.contains(name.as_str()), "{text}");
    assert!(text.contains(&at(20).to_string()), "{text}");
    for theirs in [two.to_string(), second.id.to_string(), second.tablet_id.to_string()] {
        assert!(!text.contains(&theirs), "{theirs} is another's: {text}");
    }
    assert!(text.contains(&incident.to_string()) && text.contains(&first.id.to_string()));
    // No secret of a tablet, and no position, is in it.
    for column in ["push_magic", "unlock_token", "payload", "answer_raw"] {
        assert!(!text.contains(&format!("\"{column}\"")), "{column}");
    }
}

async fn m1_what_an_authority_wants_told_later_is_in_the_copy_from_that_date_on(fixture: Fixture) {
    let ([one, _two], [first, _second], (enrolled, _breakage)) = two_pupils(&fixture).await;
    let by = fixture.operator().await;
    let asked = Incident { kind: IncidentKind::AuthorityRequest, ..breakage(first.tablet_id, 40) };
    let (row, id) = (asked.clone(), asked.id);
    fixture.write(move |tx| incidents::insert(tx, &row)).await;
    let told = |seconds: i64| {
        let store = fixture.store.clone();
        async move {
            let copy = store.read(move |tx| subject_data::of(tx, one, at(seconds))).await.unwrap().unwrap();
            serde_json::to_string(&copy.parts).unwrap().contains(&id.to_string())
        }
    };
    assert!(told(50).await, "without a delay they are told of it anyway");
    let until = types::Day::of(at(86_400 * 5));
    fixture
        .by_hand(&format!(
            "INSERT INTO notice_delays (incident_id, until, reference, recorded_at, recorded_by) \
             VALUES ('{id}', '{until}', 'PV 7', {}, '{by}')",
            at(45).as_millis()
        ))
        .unwrap();
    assert!(!told(50).await, "nor by a copy");
    // Nor by what is done to a lost tablet without the number of an incident.
    let shows = |seconds: i64| {
        let store = fixture.store.clone();
        async move {
            let copy = store.read(move |tx| subject_data::of(tx, one, at(seconds))).await.unwrap().unwrap();
            serde_json::to_string(&copy.parts).unwrap().contains("DisableLostMode")
        }
    };
    fixture.queue_with(enrolled, 46, |command| command.request_type = "DisableLostMode".to_owned()).await;
    assert!(!shows(50).await);
    assert!(shows(86_400 * 6).await);
    assert!(!told(86_400 * 4).await);
    assert!(told(86_400 * 6).await);
    // It keeps them from being forgotten all the same.
    let ties = fixture.read(move |tx| subject_data::ties(tx, one, at(50))).await.unwrap();
    assert!(ties.incident.is_some());
}

async fn c3_1_6_every_table_that_tells_of_people_is_in_the_copy_or_left_out_with_a_reason(fixture: Fixture) {
    let held: BTreeSet<&str> = held_tables().collect();
    let out: BTreeSet<&str> = LEFT_OUT.iter().map(|out| out.table).collect();
    let declared: BTreeMap<&str, bool> = declarations()
        .iter()
        .map(|table| {
            (table.table, table.columns.iter().any(|column| matches!(column.holds, Holds::Personal(_))))
        })
        .collect();
    let mut wrong = Vec::new();
    for (table, personal) in &declared {
        match (personal, held.contains(table), out.contains(table)) {
            (true, false, false) => wrong.push(format!(
                "`{table}` holds something about people: say in HELD of crates/store/src/subject_data.rs which of its rows are \
                 about a person, or in LEFT_OUT why a copy of somebody's data goes without it (GDPR, art. 15)"
            )),
            (_, true, true) => wrong.push(format!("`{table}` is both held and left out")),
            _ => {}
        }
    }
    let gone = held.union(&out).filter(|table| !declared.contains_key(*table));
    wrong.extend(gone.map(|table| format!("`{table}` is no table: take it out of subject_data.rs")));
    // Whatever names a person, or what is theirs, is one of them, personal or not.
    for column in columns(&fixture.url) {
        let names = ["person_id", "loan_id", "incident_id", "warrant_id"].contains(&&*column.column_name);
        let known = held.contains(&*column.table_name) || out.contains(&*column.table_name);
        if names && !known {
            wrong.push(format!("`{}.{}` names a person", column.table_name, column.column_name));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(LEFT_OUT.iter().all(|out| out.why.fr.len() > 20 && out.why.en.len() > 20));
    // Every statement is one that this engine understands, with rows or without.
    let nobody = PersonId::new(at(1));
    fixture.write(year).await;
    fixture.listed(HERE, YEAR, &[nobody]).await;
    assert!(fixture.read(move |tx| subject_data::of(tx, nobody, at(2))).await.is_some());
}

async fn c3_1_6_who_is_tied_to_the_programme_is_not_forgotten_and_everybody_else_is(fixture: Fixture) {
    let ([one, two], [first, _second], (_enrolled, incident)) = two_pupils(&fixture).await;
    let by = fixture.operator().await;
    let ties = |seconds: i64| {
        let store = fixture.store.clone();
        async move { store.read(move |tx| subject_data::ties(tx, one, at(seconds))).await.unwrap().unwrap() }
    };
    assert_eq!(may_forget(&ties(30).await), Err(NotForgotten::Lent(first.id)));
    // Ended, it is not back, unless it is theirs now: then nothing of it comes back.
    let end =
        |because: Ending| first.standing(&first.decided().unwrap().end(because, at(40)).unwrap(), at(40));
    let (not_back, theirs) = (end(Ending::NoLongerListed), end(Ending::GivenAway));
    let undone = fixture.store.write(move |tx| {
        assert!(loans::update(tx, &not_back)?);
        assert_eq!(
            may_forget(&subject_data::ties(tx, one, at(50))?.unwrap()),
            Err(NotForgotten::NotBack(first.id))
        );
        Err::<(), _>(crate::StoreError::Stopped)
    });
    assert!(matches!(undone.await, Err(crate::StoreError::Stopped)), "it was only looked at");
    assert!(fixture.write(move |tx| loans::update(tx, &theirs)).await);
    assert_eq!(may_forget(&ties(60).await), Err(NotForgotten::Incident(incident)));
    let owed = Counterpart::Sum { cents: 9_000, fixed_on: "2026-11-20".parse().unwrap(), paid_on: None };
    let decision = Replacement::decided(incident, true, Some(owed), by, at(55));
    fixture
        .write(move |tx| {
            replacements::insert(tx, &decision)?;
            incidents::close(tx, incident, at(70))
        })
        .await;
    assert_eq!(may_forget(&ties(80).await), Err(NotForgotten::Owes(incident)));
    assert!(fixture.write(move |tx| replacements::pay(tx, incident, "2026-11-25".parse().unwrap())).await);
    assert_eq!(may_forget(&ties(80).await), Err(NotForgotten::Listed), "the list of the year names them");
    // When the year is over, so is its list.
    let years = 86_400 * 800;
    assert_eq!(may_forget(&ties(years).await), Ok(()));
    // A change that waits names them: forgotten, they would be missing from what both sign.
    let changes = vec![Change::Set(one, entry("Zoé"))];
    let waits = proposed(HERE, YEAR, &changes, by);
    let undone = fixture.store.write(move |tx| {
        lists::propose(tx, &waits, &changes, at(1))?;
        assert_eq!(subject_data::waiting_list(tx, one)?, Some(waits.id));
        assert_eq!(may_forget(&subject_data::ties(tx, one, at(years))?.unwrap()), Err(NotForgotten::Listed));
        Err::<(), _>(crate::StoreError::Stopped)
    });
    assert!(matches!(undone.await, Err(crate::StoreError::Stopped)), "it was only looked at");
    assert!(fixture.write(move |tx| purge::person(tx, one, at(years))).await);
    assert_eq!(may_forget(&ties(years).await), Err(NotForgotten::Already));
    let copy = fixture.read(move |tx| subject_data::of(tx, one, at(years))).await.unwrap();
    let text = serde_json::to_string(&copy).unwrap();
    assert!(!text.contains("Person"), "no name, class or address is left: {text}");
    let other = fixture.read(move |tx| persons::get(tx, &two)).await.unwrap();
    assert!(matches!(other.name, Known::By(_)), "nobody else is forgotten with them");
}

async fn m2_who_was_forgotten_does_not_come_back_with_an_older_database(fixture: Fixture) {
    fixture.write(year).await;
    let people = [PersonId::new(at(1)), PersonId::new(at(1)), PersonId::new(at(1))];
    fixture.listed(HERE, YEAR, &people).await;
    let folder = SharedFolder::open(fixture.folder.path().join("shared")).unwrap();
    let ledger = folder.forgotten();
    let unknown = PersonId::new(at(3));
    for person in [people[0], people[0], people[1], unknown] {
        ledger.record(person, at(2)).unwrap();
    }
    assert!(ledger.record(people[2], at(2)).unwrap());
    assert!(!ledger.record(people[2], at(2)).unwrap(), "the line is another's");
    ledger.take_back(people[2]).unwrap();
    ledger.take_back(people[2]).unwrap();
    assert_eq!(ledger.all().unwrap().len(), 3);
    // The database is older than the ledger: it names them all, and its list ties them still.
    let now = ledger.replay(&fixture.store, at(10)).await.unwrap();
    let count = |now: &Replayed| (now.again.len(), now.tied.len());
    assert_eq!(count(&now), (0, 2), "who is on a list is told of, and not forgotten behind its back");
    let later = at(86_400 * 800);
    let now = ledger.replay(&fixture.store, later).await.unwrap();
    let again: BTreeSet<_> = now.again.iter().copied().collect();
    assert_eq!(
        (again, now.tied),
        (BTreeSet::from([people[0], people[1]]), vec![]),
        "each is named by their number"
    );
    let now = ledger.replay(&fixture.store, later).await.unwrap();
    assert_eq!(count(&now), (0, 0), "once");
    let names = fixture
        .read(move |tx| {
            people
                .iter()
                .map(|id| Ok(persons::get(tx, id)?.unwrap().name))
                .collect::<Result<Vec<_>, crate::StoreError>>()
        })
        .await;
    assert_eq!(names.iter().filter(|name| **name == Known::Forgotten).count(), 2);
}

async fn c5_4_4_a_counterpart_is_borne_by_who_held_the_tablet_when_it_happened_and_by_nobody_who_had_given_it_back(
    fixture: Fixture,
) {
    let ([one, two], [first, _second], (enrolled, before)) = two_pupils(&fixture).await;
    let (by, third) = (fixture.operator().await, fixture.enrolled(3).await);
    let decided =
        |incident| Replacement::decided(incident, true, Some(Counterpart::StaysAtSchool), by, at(60));
    let borne = |person| fixture.read(move |tx| replacements::attached_to(tx, person));
    let kept = |loan: Loan| fixture.read(move |tx| replacements::keeps_at_school(tx, &loan));
    let next = Loan { began_at: at(70), changed_at: at(70), ..lent(third, one) };
    // They gave it back, and it broke in the cupboard.
    let given_back =
        first.standing(&first.decided().unwrap().end(Ending::GivenBack, at(40)).unwrap(), at(40));
    let later = breakage(enrolled.tablet, 50);
    let decision = decided(later.id);
    fixture
        .write(move |tx| {
            assert!(loans::update(tx, &given_back)?);
            incidents::insert(tx, &later)?;
            replacements::insert(tx, &decision)
        })
        .await;
    assert_eq!((borne(one).await.len(), borne(two).await.len()), (0, 0));
    assert!(!kept(next.clone()).await, "who had given it back goes home with the next one");
    // The one that broke in their hands is theirs to bear.
    let decision = decided(before);
    fixture.write(move |tx| replacements::insert(tx, &decision)).await;
    assert_eq!((borne(one).await.len(), borne(two).await.len()), (1, 0));
    assert!(kept(next).await);
}

async fn c5_4_4_whoever_still_had_the_tablet_bears_what_befell_it_and_finds_it_in_their_copy(
    fixture: Fixture,
) {
    let ([one, two], [first, _second], (enrolled, before)) = two_pupils(&fixture).await;
    let by = fixture.operator().await;
    // Their loan is over at 40, and they bring the tablet at 60.
    let end = Ending::Departement("fin de programme".parse().unwrap());
    let over = first.standing(&first.decided().unwrap().end(end, at(40)).unwrap(), at(40));
    let brought = receipt(&first, 60);
    let befell = [50, 70].map(|seconds| breakage(enrolled.tablet, seconds));
    let [still_theirs, nobodys] = [&befell[0], &befell[1]].map(|incident| incident.id);
    fixture
        .write(move |tx| {
            assert!(loans::update(tx, &over)?);
            restitutions::insert(tx, &brought)?;
            for incident in &befell {
                incidents::insert(tx, incident)?;
            }
            for incident in [before, still_theirs, nobodys] {
                let counterpart = Some(Counterpart::NoDonation);
                replacements::insert(tx, &Replacement::decided(incident, true, counterpart, by, at(95)))?;
            }
            Ok(())
        })
        .await;
    let borne = |person| {
        let fixture = &fixture;
        async move {
            let all = fixture.read(move |tx| replacements::attached_to(tx, person)).await;
            all.into_iter().map(|(row, _)| row.incident_id).collect::<Vec<_>>()
        }
    };
    assert_eq!(borne(one).await, [before, still_theirs]);
    assert_eq!(borne(two).await, []);
    let copy = fixture.read(move |tx| subject_data::of(tx, one, at(100))).await.unwrap();
    let incidents = copy.parts.iter().find(|part| part.table == "incidents").unwrap();
    let found: Vec<_> = incidents.rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(found, [before, still_theirs].map(|incident| incident.to_string()));
}

#[test]
fn c3_1_6_whatever_a_copy_holds_or_leaves_out_has_a_word_for_people_in_both_languages() {
    let named: Vec<&str> = held_tables().chain(LEFT_OUT.iter().map(|out| out.table)).collect();
    let missing: Vec<&str> =
        named.into_iter().filter(|table| privacy::glossary::table(table).is_none()).collect();
    assert_eq!(missing, Vec::<&str>::new(), "name these tables in `privacy/src/glossary.rs`");
    let declared = declarations();
    let held = declared.iter().filter(|table| held_tables().any(|held| held == table.table));
    let columns: BTreeSet<&str> = held
        .flat_map(subject_data::columns)
        .map(|column| column.strip_suffix("_sealed").unwrap_or(column))
        .filter(|column| privacy::glossary::column(column).is_none())
        .collect();
    assert_eq!(columns, BTreeSet::new(), "name these columns in `privacy/src/glossary.rs`");
}
