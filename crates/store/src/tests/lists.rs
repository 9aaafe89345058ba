//! What the tables hold of lists, agreements and measures, whatever program writes to them (C4.2, C5.2.1, C5.2.5).

use std::collections::BTreeMap;

use ::incidents::Counterpart;
use diesel::{QueryDsl as _, RunQueryDsl as _};
use lending::agreement::{Evidence, GuardiansNeeded, Signatory, Signature as Said, Stance};
use lending::list::{Change, Entry};
use lending::loan::Suspension;
use types::{
    AgreementTextId, Digest, ExceptionId, IncidentId, IncidentKind, LoanMode, PersonId, RestrictionId, Role,
    SignatureId, UserKind,
};

use super::cast::{HERE, THERE, entry, proposed, settled, uai, validated};
use super::fixture::{Fixture, at};
use super::lending::{lent, year};
use crate::agreement_texts::{self, AgreementText};
use crate::incidents::{self, Incident, IncidentState};
use crate::lists::{self, ListState, Row};
use crate::loans::{self, Loan};
use crate::persons::{self, Known, Person};
use crate::replacements::{self, Replacement};
use crate::restrictions::{self, Restriction};
use crate::signatures::{self, Signature};
use crate::supervision_exceptions::{self, SupervisionException};
use crate::tablet_modes::{self, TabletMode};
use crate::tests::on_both_engines;
use crate::{Engine, StoreError, purge, rotation, schema};

on_both_engines! {
    c4_2_a_list_counts_when_the_head_settled_it_and_the_academie_validated_it,
    c4_2_nobody_else_settles_or_validates_a_list_by_hand,
    c4_2_what_was_proposed_is_never_changed_by_hand,
    c4_2_only_who_is_on_the_validated_list_is_lent_a_tablet,
    c3_1_6_names_and_contacts_are_sealed_and_forgotten_everywhere,
    c5_2_1_what_was_said_to_a_text_stays_said_and_a_text_stays_what_it_was,
    c5_2_5_a_restriction_is_lifted_and_stays_what_it_was,
    an_exception_of_supervision_is_one_for_a_tablet_and_ends,
    c5_4_4_a_replacement_that_stays_at_school_is_the_one_that_took_the_place_of_another,
    where_a_tablet_stands_is_looked_at_once_a_day_and_when_something_changed,
}

const YEAR: &str = "2026-2027";

fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Refused { .. } | StoreError::Duplicate { .. })), "{result:?}");
}

fn people(count: usize) -> Vec<PersonId> {
    (0..count).map(|_one| PersonId::new(at(1))).collect()
}

async fn c4_2_a_list_counts_when_the_head_settled_it_and_the_academie_validated_it(fixture: Fixture) {
    fixture.write(year).await;
    let (head, approver) = fixture.signers(HERE).await;
    let ids = people(2);
    let changes: Vec<Change> = ids.iter().map(|id| Change::Set(*id, entry("Zoé"))).collect();
    let list = proposed(HERE, YEAR, &changes, head);
    let (row, rows, one) = (list.clone(), changes.clone(), ids[0]);
    fixture.write(move |tx| lists::propose(tx, &row, &rows, at(1))).await;
    let counts = |fixture: Fixture| async move {
        let counted = fixture
            .read(move |tx| {
                Ok((
                    lists::validated(tx, &uai(HERE), YEAR)?.len(),
                    lists::is_listed(tx, one, &uai(HERE), YEAR)?,
                    lists::is_validated(tx, &uai(HERE), YEAR)?,
                    lists::waiting(tx, &uai(HERE), YEAR)?.map(|list| list.state),
                ))
            })
            .await;
        (fixture, counted)
    };
    let (fixture, counted) = counts(fixture).await;
    assert_eq!(counted, (0, false, false, Some(ListState::Proposed)));
    let settled = settled(&list, head, at(2));
    let row = settled.clone();
    assert!(fixture.write(move |tx| lists::update(tx, &row)).await);
    let (fixture, counted) = counts(fixture).await;
    assert_eq!(counted, (0, false, false, Some(ListState::Settled)));
    let row = validated(&settled, approver, at(3));
    assert!(fixture.write(move |tx| lists::update(tx, &row)).await);
    let (fixture, counted) = counts(fixture).await;
    assert_eq!(counted, (2, true, true, None));
    // A change takes off one name, and no other.
    let gone = proposed(HERE, YEAR, &[Change::Remove(ids[0])], head);
    let id = gone.id;
    fixture
        .write(move |tx| {
            lists::propose(tx, &gone, &[Change::Remove(one)], at(4))?;
            let settled = super::cast::settled(&gone, head, at(4));
            lists::update(tx, &settled)?;
            lists::update(tx, &validated(&settled, approver, at(5)))
        })
        .await;
    let (fixture, counted) = counts(fixture).await;
    assert_eq!(counted, (1, false, true, None));
    let elsewhere = fixture.read(move |tx| lists::is_listed(tx, one, &uai(THERE), YEAR)).await;
    assert!(!elsewhere);
    assert_eq!(fixture.read(move |tx| lists::changes(tx, id)).await, [Row::Known(Change::Remove(one))]);
}

async fn c4_2_nobody_else_settles_or_validates_a_list_by_hand(fixture: Fixture) {
    fixture.write(year).await;
    let (head, approver) = fixture.signers(HERE).await;
    let (other_head, _) = fixture.signers(THERE).await;
    let changes = vec![Change::Set(people(1)[0], entry("Zoé"))];
    let list = proposed(HERE, YEAR, &changes, head);
    let id = list.id;
    let row = list.clone();
    fixture.write(move |tx| lists::propose(tx, &row, &changes, at(1))).await;
    let digest = list.content_sha256.to_string();
    let settle = |by: &str, digest: &str, when: i64| {
        let when = at(when).as_millis();
        format!(
            "UPDATE lists SET state = 'settled', settled_by = '{by}', settled_at = {when}, settled_sha256 = '{digest}' \
             WHERE id = '{id}'"
        )
    };
    let validate = |by: &str, digest: &str, when: i64| {
        let when = at(when).as_millis();
        format!(
            "UPDATE lists SET state = 'validated', validated_by = '{by}', validated_at = {when}, \
             validated_sha256 = '{digest}' WHERE id = '{id}'"
        )
    };
    let (head, other_head, approver) = (head.to_string(), other_head.to_string(), approver.to_string());
    fixture.refused_by_hand(&validate(&approver, &digest, 3));
    fixture.refused_by_hand(&settle(&other_head, &digest, 2));
    fixture.refused_by_hand(&settle(&approver, &digest, 2));
    fixture.refused_by_hand(&settle(&head, &Digest::of(b"other names").to_string(), 2));
    fixture.refused_by_hand(&settle(&head, &digest, -1));
    fixture.by_hand(&settle(&head, &digest, 2)).unwrap();
    fixture.refused_by_hand(&settle(&head, &digest, 5));
    fixture.refused_by_hand(&validate(&head, &digest, 3));
    fixture.refused_by_hand(&validate(&other_head, &digest, 3));
    fixture.refused_by_hand(&validate(&approver, &Digest::of(b"other names").to_string(), 3));
    fixture.refused_by_hand(&validate(&approver, &digest, 1));
    fixture.refused_by_hand(&format!("UPDATE lists SET state = 'proposed' WHERE id = '{id}'"));
    // Whoever lost the right, or never had it confirmed, validates nothing.
    let by = &approver;
    fixture
        .by_hand(&format!(
            "UPDATE role_grants SET revoked_at = {} WHERE account_id = '{by}'",
            at(2).as_millis()
        ))
        .unwrap();
    fixture.refused_by_hand(&validate(by, &digest, 3));
    let academie = fixture
        .read(|tx| crate::organisations::of_kind(tx, types::OrganisationKind::Academie))
        .await
        .unwrap();
    let fresh = fixture.account(academie.id, "fresh").await;
    fixture.give(fresh, Role::Administrator, None).await;
    fixture.refused_by_hand(&validate(&fresh.to_string(), &digest, 3));
}

async fn c4_2_what_was_proposed_is_never_changed_by_hand(fixture: Fixture) {
    fixture.write(year).await;
    let (head, _) = fixture.signers(HERE).await;
    let ids = people(2);
    let changes: Vec<Change> = ids.iter().map(|id| Change::Set(*id, entry("Zoé"))).collect();
    let list = proposed(HERE, YEAR, &changes, head);
    let (id, row, rows) = (list.id, list.clone(), changes.clone());
    fixture.write(move |tx| lists::propose(tx, &row, &rows, at(1))).await;
    let other = PersonId::new(at(9));
    for sql in [
        format!("UPDATE lists SET changes = 3 WHERE id = '{id}'"),
        format!("UPDATE lists SET content_sha256 = '{}' WHERE id = '{id}'", Digest::of(b"x")),
        format!("UPDATE lists SET uai = '{THERE}' WHERE id = '{id}'"),
        format!("UPDATE lists SET scope = 'part' WHERE id = '{id}'"),
        format!("DELETE FROM lists WHERE id = '{id}'"),
        format!("DELETE FROM list_changes WHERE list_id = '{id}'"),
        format!("UPDATE list_changes SET person_id = '{other}' WHERE list_id = '{id}'"),
        format!("UPDATE list_changes SET kind = 'teacher' WHERE list_id = '{id}'"),
        format!(
            "UPDATE list_changes SET step = 'remove', kind = NULL, entry_sealed = NULL WHERE list_id = '{id}'"
        ),
        format!(
            "INSERT INTO list_changes (id, list_id, person_id, step, kind) VALUES ('{other}', '{id}', '{other}', 'remove', \
             NULL)"
        ),
    ] {
        fixture.refused_by_hand(&sql);
    }
    // Another proposal waits until this one is signed or taken back, also for whoever writes over it.
    let second = proposed(HERE, YEAR, &changes[..1], head);
    let (row, rows) = (second.clone(), changes[..1].to_vec());
    refused(fixture.store.write(move |tx| lists::propose(tx, &row, &rows, at(2))).await);
    if fixture.store.engine() == Engine::Sqlite {
        fixture.refused_by_hand(&format!(
            "INSERT OR REPLACE INTO lists SELECT '{other}', uai, school_year, changes, content_sha256, state, proposed_by, \
             proposed_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, scope FROM lists WHERE id = '{id}'"
        ));
    } else {
        fixture.refused_by_hand("TRUNCATE lists CASCADE");
    }
    let gone = crate::lists::List { state: ListState::Withdrawn, withdrawn_at: Some(at(2)), ..list };
    assert!(fixture.write(move |tx| lists::update(tx, &gone)).await);
    fixture.refused_by_hand(&format!(
        "UPDATE lists SET state = 'proposed', withdrawn_at = NULL WHERE id = '{id}'"
    ));
    let rows = changes[..1].to_vec();
    fixture.write(move |tx| lists::propose(tx, &second, &rows, at(2))).await;
}

async fn c4_2_only_who_is_on_the_validated_list_is_lent_a_tablet(fixture: Fixture) {
    fixture.write(year).await;
    let of = fixture.enrolled(1).await;
    let listed = people(1)[0];
    fixture.listed("0760001A", YEAR, &[listed]).await;
    let stranger = PersonId::new(at(1));
    fixture
        .write(move |tx| {
            persons::insert(tx, &Person::listed(stranger, &uai("0760001A"), &entry("Tom"), None, at(1)))
        })
        .await;
    let good = lent(of, listed);
    for (row, why) in [
        (lent(of, stranger), "on no list"),
        (Loan { uai: uai(HERE), ..good.clone() }, "another collège's list"),
        (Loan { holder_kind: UserKind::Teacher, ..good.clone() }, "listed as something else"),
        (Loan { began_at: at(0), changed_at: at(0), ..good.clone() }, "before it was validated"),
    ] {
        let result = fixture.store.write(move |tx| loans::insert(tx, &row)).await;
        assert!(matches!(result, Err(StoreError::Refused { .. })), "{why}: {result:?}");
    }
    let row = good.clone();
    fixture.write(move |tx| loans::insert(tx, &row)).await;
}

async fn c3_1_6_names_and_contacts_are_sealed_and_forgotten_everywhere(fixture: Fixture) {
    fixture.write(year).await;
    let (head, _) = fixture.signers(HERE).await;
    let id = PersonId::new(at(1));
    let known = Entry {
        number: Some("INE-77".parse().unwrap()),
        contacts: BTreeMap::from([(Signatory::Guardian(1), "parent@exemple.fr".parse().unwrap())]),
        ..entry("Éloïse Lemaréchal")
    };
    let list = proposed(HERE, YEAR, &[Change::Set(id, known.clone())], head);
    let (list_id, entry) = (list.id, known.clone());
    let person = Person::listed(id, &uai(HERE), &known, None, at(1));
    let row = person.clone();
    fixture
        .write(move |tx| {
            lists::propose(tx, &list, &[Change::Set(id, entry.clone())], at(1))?;
            persons::insert(tx, &row)
        })
        .await;
    // What is stored names nobody.
    type Bytes = (Option<Vec<u8>>, Option<Vec<u8>>);
    let stored: Vec<Bytes> = fixture
        .read(|tx| {
            let people: Vec<Bytes> = tx.run(|connection| {
                schema::persons::table
                    .select((schema::persons::name_sealed, schema::persons::contacts_sealed))
                    .load(connection)
            })?;
            let changes: Vec<Option<Vec<u8>>> = tx.run(|connection| {
                schema::list_changes::table.select(schema::list_changes::entry_sealed).load(connection)
            })?;
            Ok(people.into_iter().chain(changes.into_iter().map(|entry| (entry, None))).collect())
        })
        .await;
    assert_eq!(stored.len(), 2);
    for bytes in stored.into_iter().flat_map(|(one, other)| [one, other]).flatten() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!["Lemar", "INE-77", "exemple"].iter().any(|name| text.contains(name)), "{text}");
    }
    assert_eq!(fixture.read(move |tx| persons::get(tx, &id)).await, Some(person.clone()));
    assert_eq!(person.entry(), Some(known.clone()));
    let changes = fixture.read(move |tx| lists::changes(tx, list_id)).await;
    assert_eq!(changes, [Row::Known(Change::Set(id, known))]);
    // A rotation of the key finds it all.
    let counted = fixture.read(rotation::sealed_by).await;
    assert!(counted.values().sum::<u64>() >= 3, "{counted:?}");
    // They left, and their term is over.
    let left = Person { left_at: Some(at(100)), ..person };
    assert!(fixture.write(move |tx| persons::update(tx, &left)).await);
    assert_eq!(fixture.write(|tx| purge::persons(tx, at(200), 10)).await, 1);
    let gone = fixture.read(move |tx| persons::get(tx, &id)).await.unwrap();
    assert_eq!((gone.name, gone.number, gone.contacts.len(), gone.class), (Known::Forgotten, None, 0, None));
    assert_eq!(fixture.read(move |tx| lists::changes(tx, list_id)).await, [Row::Forgotten(id)]);
    assert_eq!(fixture.write(|tx| purge::persons(tx, at(200), 10)).await, 0);
    let any = if fixture.store.engine() == Engine::Sqlite { "x'00'" } else { "'\\x00'" };
    fixture.refused_by_hand(&format!("UPDATE persons SET name_sealed = {any} WHERE id = '{id}'"));
    fixture
        .refused_by_hand(&format!("UPDATE list_changes SET entry_sealed = {any} WHERE person_id = '{id}'"));
}

async fn c5_2_1_what_was_said_to_a_text_stays_said_and_a_text_stays_what_it_was(fixture: Fixture) {
    fixture.write(year).await;
    let person = people(1)[0];
    fixture.listed(HERE, YEAR, &[person]).await;
    let cast = fixture.operator().await;
    let text = |number: i32| AgreementText {
        id: AgreementTextId::new(at(number.into())),
        school_year: YEAR.to_owned(),
        number,
        title: "Convention".to_owned(),
        body: format!("Texte {number}"),
        body_sha256: Digest::of(format!("Texte {number}").as_bytes()),
        guardians_needed: GuardiansNeeded::All,
        published_by: cast,
        published_at: at(number.into()),
    };
    let (head, _) = fixture.signers(THERE).await;
    let theirs = AgreementText { published_by: head, ..text(1) };
    refused(fixture.store.write(move |tx| agreement_texts::insert(tx, &theirs)).await);
    let (first, second) = (text(1), text(2));
    let (a, b) = (first.clone(), second.clone());
    fixture
        .write(move |tx| {
            agreement_texts::insert(tx, &a)?;
            agreement_texts::insert(tx, &b)
        })
        .await;
    assert_eq!(fixture.read(|tx| agreement_texts::in_force(tx, YEAR)).await, Some(second));
    let again = AgreementText { number: 2, ..text(3) };
    refused(fixture.store.write(move |tx| agreement_texts::insert(tx, &again)).await);
    let said = Said {
        text: first.id,
        signatory: Signatory::Guardian(2),
        stance: Stance::Opposed,
        on: "2026-09-10".parse().unwrap(),
        evidence: Evidence::Kept("classeur 3".parse().unwrap()),
    };
    let row = Signature::of(SignatureId::new(at(5)), person, &said, (cast, at(5)));
    let id = row.id;
    fixture.write(move |tx| signatures::insert(tx, &row)).await;
    let read = fixture.read(move |tx| signatures::of_person(tx, person)).await;
    assert_eq!(read.iter().map(|row| row.said().unwrap()).collect::<Vec<_>>(), [said]);
    for sql in [
        format!("UPDATE agreement_texts SET body = 'x' WHERE id = '{}'", first.id),
        format!("DELETE FROM agreement_texts WHERE id = '{}'", first.id),
        format!("UPDATE signatures SET stance = 'signed' WHERE id = '{id}'"),
        format!("UPDATE signatures SET signatory = 'user' WHERE id = '{id}'"),
        format!("UPDATE signatures SET evidence = 'another' WHERE id = '{id}'"),
        format!("DELETE FROM signatures WHERE id = '{id}'"),
    ] {
        fixture.refused_by_hand(&sql);
    }
    fixture.by_hand(&format!("UPDATE signatures SET evidence = '' WHERE id = '{id}'")).unwrap();
}

async fn c5_2_5_a_restriction_is_lifted_and_stays_what_it_was(fixture: Fixture) {
    fixture.write(year).await;
    let (of, person) = (fixture.enrolled(1).await, people(1)[0]);
    fixture.listed("0760001A", YEAR, &[person]).await;
    let loan = lent(of, person);
    let by = fixture.signers(HERE).await.0;
    let row = Restriction {
        id: RestrictionId::new(at(20)),
        loan_id: loan.id,
        from_day: "2026-11-02".parse().unwrap(),
        until_day: "2026-11-30".parse().unwrap(),
        recorded_by: by,
        recorded_at: at(20),
        lifted_at: None,
    };
    let (id, written, of_loan) = (row.id, row.clone(), loan.id);
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            restrictions::insert(tx, &written)
        })
        .await;
    assert_eq!(fixture.read(move |tx| restrictions::of_loan(tx, of_loan)).await, [row]);
    fixture.refused_by_hand(&format!("UPDATE restrictions SET until_day = '2027-01-01' WHERE id = '{id}'"));
    fixture.refused_by_hand(&format!("DELETE FROM restrictions WHERE id = '{id}'"));
    assert!(fixture.write(move |tx| restrictions::lift(tx, id, at(30))).await);
    assert!(!fixture.write(move |tx| restrictions::lift(tx, id, at(31))).await);
    fixture.refused_by_hand(&format!("UPDATE restrictions SET lifted_at = NULL WHERE id = '{id}'"));
}

async fn an_exception_of_supervision_is_one_for_a_tablet_and_ends(fixture: Fixture) {
    let of = fixture.enrolled(1).await;
    let (head, _) = fixture.signers(HERE).await;
    let by = fixture.operator().await;
    let row = SupervisionException {
        id: ExceptionId::new(at(5)),
        tablet_id: of.tablet,
        reason: "achetée sans supervision".to_owned(),
        granted_by: by,
        granted_at: at(5),
        ended_at: None,
    };
    let theirs = SupervisionException { granted_by: head, ..row.clone() };
    refused(fixture.store.write(move |tx| supervision_exceptions::insert(tx, &theirs)).await);
    let (first, second) = (row.clone(), SupervisionException { id: ExceptionId::new(at(6)), ..row.clone() });
    fixture.write(move |tx| supervision_exceptions::insert(tx, &first)).await;
    let again = second.clone();
    refused(fixture.store.write(move |tx| supervision_exceptions::insert(tx, &again)).await);
    let ended = SupervisionException { ended_at: Some(at(7)), ..row.clone() };
    assert!(fixture.write(move |tx| supervision_exceptions::update(tx, &ended)).await);
    assert_eq!(fixture.read(move |tx| supervision_exceptions::of_tablet(tx, of.tablet)).await, None);
    fixture.refused_by_hand(&format!(
        "UPDATE supervision_exceptions SET ended_at = NULL WHERE id = '{}'",
        row.id
    ));
    fixture.write(move |tx| supervision_exceptions::insert(tx, &second)).await;
}

async fn where_a_tablet_stands_is_looked_at_once_a_day_and_when_something_changed(fixture: Fixture) {
    fixture.write(year).await;
    let (of, person) = (fixture.enrolled(1).await, people(1)[0]);
    fixture.listed("0760001A", YEAR, &[person]).await;
    let loan = lent(of, person);
    let row = TabletMode {
        tablet_id: of.tablet,
        loan_id: loan.id,
        uai: loan.uai.clone(),
        holder_kind: loan.holder_kind,
        mode: LoanMode::InSchool,
        since: at(10),
        looked_on: Some("2026-11-02".parse().unwrap()),
    };
    let written = row.clone();
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            tablet_modes::put(tx, &written)
        })
        .await;
    let members = fixture.read(move |tx| crate::segments::members_among(tx, &[of.enrolment])).await;
    let member = members.first().unwrap();
    assert_eq!(member.loan, Some((UserKind::Pupil, LoanMode::InSchool)));
    let due = |day: &str| {
        let day = day.parse().unwrap();
        fixture.read(move |tx| tablet_modes::to_look_at(tx, day, None, 10))
    };
    assert_eq!(due("2026-11-02").await, []);
    assert_eq!(due("2026-11-03").await, [of.tablet]);
    let here = uai(HERE);
    assert_eq!(fixture.write(move |tx| tablet_modes::look_again(tx, Some(&here))).await, 0);
    assert_eq!(due("2026-11-02").await, []);
    assert_eq!(fixture.write(|tx| tablet_modes::look_again(tx, None)).await, 1);
    assert_eq!(due("2026-11-02").await, [of.tablet]);
    let moved = TabletMode { mode: LoanMode::TakeHome, ..row.clone() };
    let again = moved.clone();
    fixture.write(move |tx| tablet_modes::put(tx, &again)).await;
    assert_eq!(fixture.read(move |tx| tablet_modes::get(tx, &of.tablet)).await, Some(moved));
    assert!(fixture.write(move |tx| tablet_modes::remove(tx, of.tablet)).await);
    assert!(!fixture.write(move |tx| tablet_modes::remove(tx, of.tablet)).await);
}

async fn c5_4_4_a_replacement_that_stays_at_school_is_the_one_that_took_the_place_of_another(
    fixture: Fixture,
) {
    fixture.write(year).await;
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let person = people(1)[0];
    fixture.listed("0760001A", YEAR, &[person]).await;
    let by = fixture.operator().await;
    let first = lent(one, person);
    let second = Loan { began_at: at(30), changed_at: at(30), ..lent(two, person) };
    let incident = Incident {
        id: IncidentId::new(at(20)),
        tablet_id: one.tablet,
        kind: IncidentKind::Breakage,
        state: IncidentState::Open,
        opened_at: at(20),
        closed_at: None,
    };
    let (before, after, id) = (first.clone(), second.clone(), incident.id);
    fixture
        .write(move |tx| {
            loans::insert(tx, &before)?;
            incidents::insert(tx, &incident)?;
            let rests = before.decided()?.suspend(Suspension::Incident).unwrap();
            loans::update(tx, &before.standing(&rests, at(20)))?;
            loans::insert(tx, &after)
        })
        .await;
    let kept = |loan: &Loan| {
        let loan = loan.clone();
        fixture.read(move |tx| replacements::keeps_at_school(tx, &loan))
    };
    assert!(!kept(&second).await, "nothing is attached to it");
    let decision = Replacement::decided(id, true, Some(Counterpart::StaysAtSchool), by, at(25));
    fixture.write(move |tx| replacements::insert(tx, &decision)).await;
    assert!(kept(&second).await);
    assert!(!kept(&first).await, "the one that broke is none");
}
