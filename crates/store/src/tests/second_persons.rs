//! Requests for a second person: who may answer, when, and how often.

use std::collections::BTreeSet;

use types::{AccountId, CountersignatureId, Digest, Role, RoleGrantId};

use super::cast::{Cast, HERE, THERE, new_grant, uai};
use super::fixture::{Fixture, at};
use crate::accounts::{self, AccountState};
use crate::countersignatures::{self, Answer, CountersignatureState, Question, SecondRole};
use crate::role_grants::{self, GrantReach, NewGrant};
use crate::tests::on_both_engines;
use crate::{Engine, StoreError, Within};

on_both_engines! {
    a_request_comes_back_as_it_was_asked,
    a_second_person_answers_once_in_time_and_is_somebody_else,
    only_whoever_holds_the_role_answers,
    the_requests_one_may_answer_are_those_the_tables_let_one_answer,
    two_persons_who_answer_at_once_give_one_answer,
    what_was_asked_is_frozen,
    an_answer_that_was_given_or_is_past_stays_as_it_is,
    an_answer_is_used_once,
    requests_end_by_themselves_or_by_their_asker,
    t_c1_requests_are_listed_within_reach,
    what_was_asked_can_be_emptied_once_it_is_over,
}

const CONTENT: &str = r#"{"tablets":["a","b"]}"#;

/// Something that Alice asks of the département at `at(100)`, to be answered before `at(200)`.
pub(crate) fn question(cast: &Cast) -> Question {
    Question {
        id: CountersignatureId::new(at(100)),
        purpose: "exceed-budget".to_owned(),
        subject: "held".to_owned(),
        content_sha256: Digest::of(CONTENT.as_bytes()),
        content: CONTENT.to_owned(),
        reason: "a batch of returns".to_owned(),
        asked_by: cast.alice,
        asked_at: at(100),
        answer_organisation: None,
        answer_role: SecondRole::Departement,
        answer_uai: None,
        expires_at: at(200),
    }
}

impl Fixture {
    pub(crate) async fn ask(&self, question: &Question) -> CountersignatureId {
        let asked = question.clone();
        self.write(move |tx| countersignatures::ask(tx, &asked)).await;
        question.id
    }

    pub(crate) async fn answer(
        &self,
        id: CountersignatureId,
        by: AccountId,
        given: bool,
        seconds: i64,
    ) -> Result<bool, StoreError> {
        let answer = Answer { given, by, at: at(seconds), reason: Some("agreed".to_owned()) };
        self.store.write(move |tx| countersignatures::answer(tx, id, &answer)).await
    }
}

async fn state(fixture: &Fixture, id: CountersignatureId) -> CountersignatureState {
    fixture.read(move |tx| countersignatures::get(tx, &id)).await.unwrap().state
}

fn assert_refused<T: std::fmt::Debug>(refused: &Result<T, StoreError>, what: &str) {
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{what}: {refused:?}");
}

async fn a_request_comes_back_as_it_was_asked(fixture: Fixture) {
    let cast = fixture.cast().await;
    let asked = question(&cast);
    let id = fixture.ask(&asked).await;
    let found = fixture.read(move |tx| countersignatures::get(tx, &id)).await.unwrap();
    assert_eq!((found.content.as_deref(), found.content_sha256), (Some(CONTENT), asked.content_sha256));
    assert_eq!(
        (found.purpose, found.subject, found.reason),
        (asked.purpose, asked.subject, Some(asked.reason))
    );
    assert_eq!((found.asked_by, found.asked_at, found.expires_at), (cast.alice, at(100), at(200)));
    assert_eq!((found.state, found.answered_by), (CountersignatureState::Waiting, None));
    let about = fixture.read(|tx| countersignatures::about(tx, "exceed-budget", "held")).await;
    assert_eq!(about.len(), 1);
    assert_eq!(fixture.read(|tx| countersignatures::about(tx, "exceed-budget", "other")).await, []);
    let same = |purpose: &'static str, by, seconds| {
        fixture.read(move |tx| {
            countersignatures::waiting_same(tx, purpose, by, &asked.content_sha256, at(seconds))
        })
    };
    assert_eq!(same("exceed-budget", cast.alice, 150).await, Some(id));
    assert_eq!(same("open-campaign", cast.alice, 150).await, None);
    assert_eq!(same("exceed-budget", cast.bruno, 150).await, None);
    assert_eq!(same("exceed-budget", cast.alice, 200).await, None, "it has expired");
    // Nothing is asked that nobody could answer.
    let base = question(&cast);
    for wrong in [
        Question { expires_at: at(100), ..base.clone() },
        Question { answer_role: SecondRole::Manager, ..base.clone() },
        Question { answer_organisation: Some(cast.here), ..base.clone() },
        Question { answer_role: SecondRole::HeadOrDepartement, ..base },
    ] {
        let wrong = Question { id: CountersignatureId::new(at(100)), ..wrong };
        let shown = format!("{wrong:?}");
        let refused = fixture.store.write(move |tx| countersignatures::ask(tx, &wrong)).await;
        assert_refused(&refused, &shown);
    }
}

async fn a_second_person_answers_once_in_time_and_is_somebody_else(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = fixture.ask(&question(&cast)).await;
    assert_refused(&fixture.answer(id, cast.alice, true, 150).await, "whoever asked");
    assert_refused(&fixture.answer(id, cast.alice, false, 150).await, "whoever asked, refusing");
    assert_refused(&fixture.answer(id, cast.bruno, true, 200).await, "too late");
    assert_refused(&fixture.answer(id, cast.bruno, true, 99).await, "with a clock that was set back");
    assert!(fixture.answer(id, cast.bruno, true, 199).await.unwrap());
    assert!(!fixture.answer(id, cast.bruno, false, 199).await.unwrap(), "it is answered once");
    let found = fixture.read(move |tx| countersignatures::get(tx, &id)).await.unwrap();
    assert_eq!(found.state, CountersignatureState::Given);
    assert_eq!((found.answered_by, found.answered_at), (Some(cast.bruno), Some(at(199))));
    assert_eq!(found.answer_reason.as_deref(), Some("agreed"));
}

/// Everybody who may be asked, and by which word.
async fn candidates(fixture: &Fixture, cast: &Cast) -> Vec<(&'static str, AccountId)> {
    let approver = fixture.account(cast.academie, "approver").await;
    let second = fixture.account(cast.academie, "second").await;
    let (day, clara) = (86_400, cast.clara);
    // It counts from `at(100)`.
    fixture
        .write(move |tx| {
            let new = NewGrant { at: at(100 - day), ..new_grant(approver, Role::Approver, Some(clara)) };
            role_grants::grant(tx, &new)?;
            role_grants::confirm(tx, new.id, second, at(100 - day), at(100))
        })
        .await;
    let with_colleges = |account, role, code: &'static str| {
        let new = NewGrant {
            id: RoleGrantId::new(at(0)),
            reach: GrantReach::Colleges(BTreeSet::from([uai(code)])),
            ..new_grant(account, role, Some(cast.alice))
        };
        fixture.write(move |tx| role_grants::grant(tx, &new))
    };
    let there_only = fixture.account(cast.departement, "operator-there").await;
    with_colleges(there_only, Role::Operator, THERE).await;
    let technician = fixture.account(cast.departement, "technician").await;
    with_colleges(technician, Role::Ati, HERE).await;
    let operator = fixture.account(cast.departement, "operator").await;
    fixture.give(operator, Role::Operator, Some(cast.alice)).await;
    let suspended = fixture.account(cast.departement, "suspended").await;
    fixture.give(suspended, Role::Administrator, Some(cast.alice)).await;
    fixture
        .write(move |tx| accounts::turn(tx, suspended, AccountState::Active, AccountState::Suspended))
        .await;
    let demoted = fixture.account(cast.departement, "demoted").await;
    let (held, alice) = (fixture.give(demoted, Role::Administrator, Some(cast.alice)).await, cast.alice);
    // Demoted while the request waits, later than the answer will say: a clock that is set back helps nobody.
    fixture.write(move |tx| role_grants::revoke(tx, held, Some(alice), at(170))).await;
    vec![
        ("bruno, administrator of the département", cast.bruno),
        ("clara, administrator of the académie", cast.clara),
        ("denis, head here", cast.denis),
        ("elise, head there", cast.elise),
        ("approver of the académie", approver),
        ("operator of some collèges", there_only),
        ("technician", technician),
        ("operator of the département", operator),
        ("suspended administrator", suspended),
        ("demoted administrator", demoted),
    ]
}

type Words = Vec<(Question, &'static [&'static str])>;

/// Each word for who may answer, and who of the candidates that is.
fn words(cast: &Cast) -> Words {
    let base = question(cast);
    let of = |role, organisation, code: Option<&str>| Question {
        answer_role: role,
        answer_organisation: organisation,
        answer_uai: code.map(uai),
        ..base.clone()
    };
    vec![
        (
            of(SecondRole::Departement, None, None),
            &["bruno, administrator of the département", "operator of the département"],
        ),
        (
            of(SecondRole::Manager, Some(cast.academie), None),
            &["clara, administrator of the académie", "approver of the académie"],
        ),
        (of(SecondRole::Manager, Some(cast.here), None), &["denis, head here"]),
        (of(SecondRole::Approver, Some(cast.academie), None), &["approver of the académie"]),
        (of(SecondRole::Approver, Some(cast.departement), None), &[]),
        (
            of(SecondRole::HeadOrDepartement, None, Some(HERE)),
            &["denis, head here", "operator of the département"],
        ),
        (
            of(SecondRole::HeadOrDepartement, None, Some(THERE)),
            &["elise, head there", "operator of some collèges", "operator of the département"],
        ),
    ]
}

async fn only_whoever_holds_the_role_answers(fixture: Fixture) {
    let cast = fixture.cast().await;
    let candidates = candidates(&fixture, &cast).await;
    for (question, expected) in words(&cast) {
        let mut able = Vec::new();
        for (name, account) in &candidates {
            let asked = Question { id: CountersignatureId::new(at(100)), ..question.clone() };
            let id = fixture.ask(&asked).await;
            match fixture.answer(id, *account, true, 150).await {
                Ok(answered) => {
                    assert!(answered);
                    able.push(*name);
                }
                refused => assert_refused(&refused, name),
            }
        }
        assert_eq!(able, expected, "{:?}", question.answer_role);
    }
    // A right to approve counts from its hour on.
    let approver = candidates.iter().find(|(name, _)| name.starts_with("approver")).unwrap().1;
    let early = Question {
        id: CountersignatureId::new(at(90)),
        asked_at: at(90),
        answer_role: SecondRole::Approver,
        answer_organisation: Some(cast.academie),
        ..question(&cast)
    };
    let id = fixture.ask(&early).await;
    assert_refused(&fixture.answer(id, approver, true, 99).await, "before its hour");
    assert!(fixture.answer(id, approver, true, 100).await.unwrap());
}

async fn the_requests_one_may_answer_are_those_the_tables_let_one_answer(fixture: Fixture) {
    let cast = fixture.cast().await;
    let candidates = candidates(&fixture, &cast).await;
    let mut asked = Vec::new();
    for (question, expected) in words(&cast) {
        let question = Question { id: CountersignatureId::new(at(100)), ..question };
        asked.push((fixture.ask(&question).await, expected));
    }
    for (name, account) in candidates {
        let listed = fixture
            .read(move |tx| countersignatures::answerable(tx, account, at(150), None, 50))
            .await
            .into_iter()
            .map(|one| one.id)
            .collect::<Vec<_>>();
        let expected: Vec<_> =
            asked.iter().filter(|(_, who)| who.contains(&name)).map(|(id, _)| *id).collect();
        assert_eq!(listed, expected, "{name}");
        let after = expected.first().copied();
        let rest =
            fixture.read(move |tx| countersignatures::answerable(tx, account, at(150), after, 50)).await;
        assert_eq!(rest.len(), expected.len().saturating_sub(1), "{name}");
        let late =
            fixture.read(move |tx| countersignatures::answerable(tx, account, at(200), None, 50)).await;
        assert_eq!(late, [], "{name}");
    }
    // One's own are not among them.
    let own = fixture.read(move |tx| countersignatures::answerable(tx, cast.alice, at(150), None, 50)).await;
    assert_eq!(own, []);
}

async fn two_persons_who_answer_at_once_give_one_answer(fixture: Fixture) {
    let cast = fixture.cast().await;
    let operator = fixture.account(cast.departement, "operator").await;
    fixture.give(operator, Role::Operator, Some(cast.alice)).await;
    for _round in 0..4 {
        let asked = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
        let id = fixture.ask(&asked).await;
        let answers: Vec<_> = [(cast.bruno, true), (operator, false), (cast.bruno, false), (operator, true)]
            .into_iter()
            .map(|(by, given)| {
                let store = fixture.store.clone();
                let answer = Answer { given, by, at: at(150), reason: None };
                tokio::spawn(async move {
                    let answered =
                        store.write(move |tx| countersignatures::answer(tx, id, &answer)).await.unwrap();
                    (by, given, answered)
                })
            })
            .collect();
        let mut effective = Vec::new();
        for answer in answers {
            let (by, given, answered) = answer.await.unwrap();
            effective.extend(answered.then_some((by, given)));
        }
        assert_eq!(effective.len(), 1, "{effective:?}");
        let found = fixture.read(move |tx| countersignatures::get(tx, &id)).await.unwrap();
        assert_eq!(found.answered_by, Some(effective[0].0));
        let expected =
            if effective[0].1 { CountersignatureState::Given } else { CountersignatureState::Refused };
        assert_eq!(found.state, expected);
    }
}

async fn what_was_asked_is_frozen(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = fixture.ask(&question(&cast)).await;
    for edit in [
        "id = 'x'",
        "purpose = 'open-campaign'",
        "subject = 'switch'",
        &format!("content_sha256 = '{}'", Digest::of(b"other")),
        "content = '{}'",
        "content = NULL, reason = NULL",
        "reason = 'another'",
        &format!("asked_by = '{}'", cast.bruno),
        "asked_at = asked_at - 1",
        "answer_role = 'head-or-departement', answer_uai = '0761234A'",
        "expires_at = expires_at + 1",
        &format!("answered_by = '{}', answered_at = asked_at", cast.bruno),
        "used_at = asked_at, used_for = 'x'",
        &format!(
            "state = 'given', answered_by = '{}', answered_at = asked_at, used_at = asked_at, used_for = 'x'",
            cast.bruno
        ),
    ] {
        fixture.refused_by_hand(&format!("UPDATE countersignatures SET {edit} WHERE id = '{id}'"));
    }
    fixture.refused_by_hand("DELETE FROM countersignatures");
    let born_given = format!(
        "countersignatures (id, purpose, subject, content_sha256, content, reason, asked_by, asked_at, answer_role, \
         expires_at, state, answered_by, answered_at) VALUES ('KEY', 'p', 's', '{}', '', '', '{}', 0, \
         'departement', 10, 'given', '{}', 5)",
        Digest::of(b""),
        cast.alice,
        cast.bruno
    );
    fixture.refused_by_hand(&format!("INSERT INTO {born_given}"));
    let again = born_given.replace("KEY", &id.to_string());
    match fixture.store.engine() {
        Engine::Sqlite => {
            fixture.refused_by_hand(&format!("PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO {again}"))
        }
        Engine::Postgresql => {
            fixture.refused_by_hand(&format!(
                "INSERT INTO {again} ON CONFLICT (id) DO UPDATE SET state = 'given'"
            ));
            fixture.refused_by_hand("TRUNCATE countersignatures CASCADE");
        }
    }
    assert_eq!(state(&fixture, id).await, CountersignatureState::Waiting);
}

async fn an_answer_that_was_given_or_is_past_stays_as_it_is(fixture: Fixture) {
    let cast = fixture.cast().await;
    for (end, reached) in [
        ("given", CountersignatureState::Given),
        ("refused", CountersignatureState::Refused),
        ("withdrawn", CountersignatureState::Withdrawn),
        ("expired", CountersignatureState::Expired),
        ("void", CountersignatureState::Void),
    ] {
        let asked = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
        let id = fixture.ask(&asked).await;
        match reached {
            CountersignatureState::Given | CountersignatureState::Refused => {
                let given = reached == CountersignatureState::Given;
                assert!(fixture.answer(id, cast.bruno, given, 150).await.unwrap());
            }
            _ => fixture
                .by_hand(&format!("UPDATE countersignatures SET state = '{end}' WHERE id = '{id}'"))
                .unwrap(),
        }
        assert_eq!(state(&fixture, id).await, reached);
        for next in CountersignatureState::ALL {
            let may = *next == reached
                || (reached, *next) == (CountersignatureState::Given, CountersignatureState::Void);
            if !may {
                fixture.refused_by_hand(&format!(
                    "UPDATE countersignatures SET state = '{next}' WHERE id = '{id}'"
                ));
                fixture.refused_by_hand(&format!(
                    "UPDATE countersignatures SET state = '{next}', answered_by = '{}', answered_at = asked_at \
                     WHERE id = '{id}'",
                    cast.bruno
                ));
            }
        }
        fixture.refused_by_hand(&format!(
            "UPDATE countersignatures SET answer_reason = 'never said' WHERE id = '{id}'"
        ));
    }
}

async fn an_answer_is_used_once(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = fixture.ask(&question(&cast)).await;
    let use_it = |seconds| {
        fixture.store.write(move |tx| countersignatures::use_once(tx, id, "campaign:1", at(seconds)))
    };
    assert!(!use_it(150).await.unwrap(), "it was not given");
    fixture.answer(id, cast.bruno, true, 150).await.unwrap();
    assert_refused(&use_it(149).await, "before it was given");
    assert!(use_it(151).await.unwrap());
    assert!(!use_it(152).await.unwrap());
    for edit in ["used_for = 'another'", "used_at = NULL, used_for = NULL", "state = 'void'"] {
        fixture.refused_by_hand(&format!("UPDATE countersignatures SET {edit} WHERE id = '{id}'"));
    }
    assert!(!fixture.write(move |tx| countersignatures::void(tx, id)).await);
    // At once, it is used once.
    let another = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
    let id = fixture.ask(&another).await;
    fixture.answer(id, cast.bruno, true, 150).await.unwrap();
    let uses: Vec<_> = (0..6)
        .map(|number| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                store
                    .write(move |tx| countersignatures::use_once(tx, id, &format!("use {number}"), at(160)))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut used = 0;
    for one in uses {
        used += u32::from(one.await.unwrap());
    }
    assert_eq!(used, 1);
}

async fn requests_end_by_themselves_or_by_their_asker(fixture: Fixture) {
    let cast = fixture.cast().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let asked = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
        ids.push(fixture.ask(&asked).await);
    }
    let [withdrawn, given, void, forgotten] = [0, 1, 2, 3].map(|number| ids[number]);
    assert!(fixture.write(move |tx| countersignatures::withdraw(tx, withdrawn)).await);
    assert!(!fixture.write(move |tx| countersignatures::withdraw(tx, withdrawn)).await);
    fixture.answer(given, cast.bruno, true, 150).await.unwrap();
    assert!(!fixture.write(move |tx| countersignatures::withdraw(tx, given)).await);
    assert!(fixture.write(move |tx| countersignatures::void(tx, void)).await);
    assert_eq!(fixture.write(|tx| countersignatures::expire(tx, at(199))).await, 0);
    assert_eq!(fixture.write(|tx| countersignatures::expire(tx, at(200))).await, 1);
    assert_eq!(state(&fixture, forgotten).await, CountersignatureState::Expired);
    assert!(!fixture.answer(forgotten, cast.bruno, true, 150).await.unwrap());
    assert!(fixture.write(move |tx| countersignatures::void(tx, given)).await, "given, and not used");
    assert_eq!(state(&fixture, given).await, CountersignatureState::Void);
}

async fn t_c1_requests_are_listed_within_reach(fixture: Fixture) {
    let cast = fixture.cast().await;
    let base = question(&cast);
    let mut ids = Vec::new();
    for asked in [
        base.clone(),
        Question {
            asked_by: cast.denis,
            answer_role: SecondRole::Manager,
            answer_organisation: Some(cast.academie),
            ..base.clone()
        },
        Question { answer_role: SecondRole::HeadOrDepartement, answer_uai: Some(uai(THERE)), ..base },
    ] {
        let asked = Question { id: CountersignatureId::new(at(100)), ..asked };
        ids.push(fixture.ask(&asked).await);
    }
    for (within, expected) in [
        (Within::Everything, vec![ids[2], ids[1], ids[0]]),
        (Within::Organisation(cast.departement), vec![ids[2], ids[0]]),
        (Within::Organisation(cast.academie), vec![ids[1]]),
        (Within::Organisation(cast.here), vec![ids[1]]),
        (Within::Colleges(BTreeSet::from([uai(THERE)])), vec![ids[2]]),
        (Within::Colleges(BTreeSet::from([uai(HERE)])), vec![]),
    ] {
        let shown = format!("{within:?}");
        let listed = fixture.read(move |tx| countersignatures::list(tx, &within, None, None, 10)).await;
        assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), expected, "{shown}");
    }
    let (before, waiting) = (ids[2], Some(CountersignatureState::Waiting));
    let page = fixture
        .read(move |tx| countersignatures::list(tx, &Within::Everything, waiting, Some(before), 1))
        .await;
    assert_eq!(page.iter().map(|one| one.id).collect::<Vec<_>>(), [ids[1]]);
}

async fn what_was_asked_can_be_emptied_once_it_is_over(fixture: Fixture) {
    let cast = fixture.cast().await;
    let over = fixture.ask(&question(&cast)).await;
    let waits = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
    let waits = fixture.ask(&waits).await;
    fixture.answer(over, cast.bruno, false, 150).await.unwrap();
    assert_eq!(fixture.write(|tx| crate::purge::countersignatures(tx, at(100), 10)).await, 0);
    assert_eq!(fixture.write(|tx| crate::purge::countersignatures(tx, at(101), 10)).await, 1);
    assert_eq!(fixture.write(|tx| crate::purge::countersignatures(tx, at(101), 10)).await, 0);
    let found = fixture.read(move |tx| countersignatures::get(tx, &over)).await.unwrap();
    assert_eq!((found.content, found.reason, found.answer_reason), (None, None, None));
    assert_eq!((found.state, found.answered_by), (CountersignatureState::Refused, Some(cast.bruno)));
    let kept = fixture.read(move |tx| countersignatures::get(tx, &waits)).await.unwrap();
    assert_eq!(kept.content.as_deref(), Some(CONTENT));
}
