//! The DPO's validations and the account of purges.

use privacy::{Activity, StoredColumns, Validation, Withdrawal};
use types::{AccountId, PurgeId, Role, ValidationId};

use super::fixture::{Fixture, at, digest};
use crate::privacy_validations;
use crate::purges::{self, Purge};
use crate::role_grants;
use crate::tests::on_both_engines;
use crate::{Engine, StoreError};

on_both_engines! {
    c3_1_6_an_entry_is_validated_by_the_dpo_and_exactly_as_it_is,
    c3_1_6_a_validation_is_frozen_except_towards_its_withdrawal,
    a_purge_stays_recorded,
}

fn validated(by: AccountId, byte: u8, seconds: i64, withdrawn: Option<(AccountId, i64)>) -> Validation {
    let stored: StoredColumns = serde_json::from_str(r#"{"pupils.name":"person-identity; audit"}"#).unwrap();
    let withdrawn = withdrawn.map(|(by, seconds)| Withdrawal { by, at: at(seconds) });
    let id = ValidationId::new(at(10));
    #[expect(clippy::disallowed_methods, reason = "a validation as a DPO's decision would leave it")]
    Validation::from_row(id, Activity::Roster, digest(byte), stored, by, at(seconds), withdrawn)
}

fn validation(by: AccountId, byte: u8) -> Validation {
    validated(by, byte, 10, None)
}

async fn try_validate(fixture: &Fixture, row: Validation) -> Result<(), StoreError> {
    fixture.store.write(move |tx| privacy_validations::insert(tx, &row)).await
}

async fn c3_1_6_an_entry_is_validated_by_the_dpo_and_exactly_as_it_is(fixture: Fixture) {
    let cast = fixture.cast().await;
    let dpo = fixture.account(cast.departement, "dpo").await;
    for nobody in [cast.alice, dpo] {
        let refused = try_validate(&fixture, validation(nobody, 1)).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    }
    let role = fixture.give(dpo, Role::Dpo, Some(cast.alice)).await;
    let early = validated(dpo, 1, -1, None);
    let refused = try_validate(&fixture, early).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "before the role counts: {refused:?}");
    let row = validation(dpo, 1);
    try_validate(&fixture, row.clone()).await.unwrap();
    let in_force =
        |byte| fixture.read(move |tx| privacy_validations::in_force(tx, Activity::Roster, &digest(byte)));
    assert_eq!(in_force(1).await, Some(row.clone()));
    // The entry changed: its validation is of another.
    assert_eq!(in_force(2).await, None);
    assert_eq!(
        fixture.read(|tx| privacy_validations::in_force(tx, Activity::Geolocation, &digest(1))).await,
        None
    );
    let twice = try_validate(&fixture, validation(dpo, 1)).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
    let id = row.id();
    assert!(fixture.write(move |tx| privacy_validations::withdraw(tx, id, dpo, at(20))).await);
    assert!(!fixture.write(move |tx| privacy_validations::withdraw(tx, id, dpo, at(21))).await);
    assert_eq!(in_force(1).await, None);
    // It is read back as it was given, with who took it back.
    let found = fixture.read(move |tx| privacy_validations::get(tx, id)).await.unwrap();
    assert_eq!(found.withdrawn(), Some(Withdrawal { by: dpo, at: at(20) }));
    assert_eq!((found.stored(), found.digest(), found.at()), (row.stored(), row.digest(), at(10)));
    let again = validation(dpo, 1);
    try_validate(&fixture, again.clone()).await.unwrap();
    assert_eq!(in_force(1).await, Some(again.clone()));
    assert_eq!(fixture.read(privacy_validations::not_withdrawn).await, std::slice::from_ref(&again));
    let listed = fixture.read(|tx| privacy_validations::list(tx, Some(Activity::Roster), None, 10)).await;
    assert_eq!(listed.iter().map(|one| one.id()).collect::<Vec<_>>(), [again.id(), id]);
    let page = fixture.read(move |tx| privacy_validations::list(tx, None, Some(again.id()), 10)).await;
    assert_eq!(page.len(), 1);
    // Whoever was the DPO validates no more.
    fixture.write(move |tx| role_grants::revoke(tx, role, None, at(30))).await;
    let late = try_validate(&fixture, validation(dpo, 9)).await;
    assert!(matches!(late, Err(StoreError::Refused { .. })), "{late:?}");
}

async fn c3_1_6_a_validation_is_frozen_except_towards_its_withdrawal(fixture: Fixture) {
    let cast = fixture.cast().await;
    let dpo = fixture.account(cast.departement, "dpo").await;
    fixture.give(dpo, Role::Dpo, Some(cast.alice)).await;
    let row = validation(dpo, 1);
    let id = row.id();
    try_validate(&fixture, row).await.unwrap();
    let other = digest(2);
    for edit in [
        format!("entry_sha256 = '{other}'"),
        "activity = 'geolocation'".to_owned(),
        "stored = '{}'".to_owned(),
        "validated_at = 0".to_owned(),
        format!("validated_by = '{}'", cast.alice),
        "withdrawn_at = 5".to_owned(),
        format!("withdrawn_by = '{dpo}'"),
    ] {
        fixture.refused_by_hand(&format!("UPDATE privacy_validations SET {edit}"));
    }
    let early = fixture.store.write(move |tx| privacy_validations::withdraw(tx, id, dpo, at(9))).await;
    assert!(matches!(early, Err(StoreError::Refused { .. })), "{early:?}");
    assert!(fixture.write(move |tx| privacy_validations::withdraw(tx, id, cast.alice, at(20))).await);
    fixture.refused_by_hand("UPDATE privacy_validations SET withdrawn_at = NULL, withdrawn_by = NULL");
    fixture.refused_by_hand("DELETE FROM privacy_validations");
    match fixture.store.engine() {
        Engine::Sqlite => fixture.refused_by_hand(
            "PRAGMA foreign_keys = OFF; REPLACE INTO privacy_validations SELECT id, activity, entry_sha256, stored, \
             validated_by, validated_at, NULL, NULL FROM privacy_validations",
        ),
        Engine::Postgresql => {
            fixture.refused_by_hand(
                "INSERT INTO privacy_validations SELECT id, activity, entry_sha256, stored, validated_by, validated_at, \
                 NULL, NULL FROM privacy_validations ON CONFLICT (id) DO UPDATE SET withdrawn_at = NULL",
            );
            fixture.refused_by_hand("TRUNCATE privacy_validations CASCADE");
        }
    }
}

async fn a_purge_stays_recorded(fixture: Fixture) {
    let purge = |class: &str, seconds| Purge {
        id: PurgeId::new(at(seconds)),
        class: class.to_owned(),
        ran_at: at(seconds),
        older_than: at(seconds - 100),
        removed: 7,
    };
    let rows = [purge("sessions", 10), purge("audit-bodies", 20), purge("sessions", 30)];
    let stored = rows.clone();
    fixture.write(move |tx| stored.iter().try_for_each(|row| purges::insert(tx, row))).await;
    assert_eq!(fixture.read(|tx| purges::last(tx, "sessions")).await.as_ref(), Some(&rows[2]));
    assert_eq!(fixture.read(|tx| purges::last(tx, "positions")).await, None);
    let before = rows[2].id;
    let page = fixture.read(move |tx| purges::list(tx, Some("sessions"), Some(before), 10)).await;
    assert_eq!(page, [rows[0].clone()]);
    assert_eq!(fixture.read(|tx| purges::list(tx, None, None, 2)).await.len(), 2);
    for edit in ["UPDATE purges SET removed = 0", "DELETE FROM purges"] {
        fixture.refused_by_hand(edit);
    }
    match fixture.store.engine() {
        Engine::Sqlite => {
            fixture.refused_by_hand("REPLACE INTO purges SELECT id, class, ran_at, older_than, 0 FROM purges")
        }
        Engine::Postgresql => fixture.refused_by_hand("TRUNCATE purges"),
    }
}
