//! Roles: who may be given one, what freezes, and how long a right to approve waits (C3.1.7).

use std::collections::BTreeSet;

use types::{AccountId, OrganisationKind, Role, RoleGrantId};

use super::cast::{HERE, THERE, new_grant, uai};
use super::fixture::{Fixture, at};
use crate::accounts::{self, AccountState};
use crate::role_grants::{self, GrantReach, NewGrant};
use crate::tests::on_both_engines;
use crate::{Engine, StoreError};

on_both_engines! {
    a_role_is_given_where_it_fits_and_nowhere_else,
    a_role_comes_back_with_its_colleges,
    nobody_gives_a_role_to_themselves_or_twice,
    c3_1_7_a_right_to_approve_waits_for_a_third_person_and_a_day,
    c3_1_7_a_right_to_approve_is_given_and_confirmed_within_the_organisation,
    a_granted_role_is_frozen_except_towards_its_end,
    the_colleges_of_a_role_are_those_it_was_granted_with,
    the_roles_of_a_closed_account_end_together,
}

const DAY: i64 = 86_400;

async fn try_grant(fixture: &Fixture, new: NewGrant) -> Result<(), StoreError> {
    fixture.store.write(move |tx| role_grants::grant(tx, &new)).await
}

fn assert_refused<T: std::fmt::Debug>(refused: &Result<T, StoreError>, what: &str) {
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{what}: {refused:?}");
}

/// A reach that such a role may have.
fn reach(role: Role) -> GrantReach {
    match role {
        Role::Ati => GrantReach::Colleges(BTreeSet::from([uai(HERE)])),
        _ => GrantReach::Organisation,
    }
}

async fn a_role_is_given_where_it_fits_and_nowhere_else(fixture: Fixture) {
    let cast = fixture.cast().await;
    for (kind, organisation) in [
        (OrganisationKind::Departement, cast.departement),
        (OrganisationKind::Academie, cast.academie),
        (OrganisationKind::College, cast.there),
    ] {
        let (one, giver) = (
            fixture.account(organisation, &format!("{kind}-one")).await,
            fixture.account(organisation, &format!("{kind}-giver")).await,
        );
        for role in Role::ALL {
            let new = NewGrant { reach: reach(*role), ..new_grant(one, *role, Some(giver)) };
            let given = try_grant(&fixture, new).await;
            assert_eq!(given.is_ok(), role.fits(kind), "{role} in {kind}: {given:?}");
        }
    }
    // A technician names collèges, and so may an operator; nobody else.
    let one = fixture.account(cast.departement, "one").await;
    let here = GrantReach::Colleges(BTreeSet::from([uai(HERE)]));
    for (role, reach, expected) in [
        (Role::Ati, GrantReach::Organisation, false),
        (Role::Ati, GrantReach::Colleges(BTreeSet::new()), false),
        (Role::Operator, here.clone(), true),
        (Role::Administrator, here, false),
    ] {
        let new = NewGrant { reach, ..new_grant(one, role, Some(cast.alice)) };
        let shown = format!("{new:?}");
        assert_eq!(try_grant(&fixture, new).await.is_ok(), expected, "{shown}");
    }
    fixture.write(move |tx| accounts::close(tx, one, at(1))).await;
    assert_refused(&try_grant(&fixture, new_grant(one, Role::Auditor, Some(cast.alice))).await, "closed");
}

async fn a_role_comes_back_with_its_colleges(fixture: Fixture) {
    let cast = fixture.cast().await;
    let one = fixture.account(cast.departement, "technician").await;
    let both = BTreeSet::from([uai(HERE), uai(THERE)]);
    let new = NewGrant {
        reach: GrantReach::Colleges(both.clone()),
        at: at(10),
        ..new_grant(one, Role::Ati, Some(cast.alice))
    };
    let id = new.id;
    try_grant(&fixture, new).await.unwrap();
    let found = fixture.read(move |tx| role_grants::get(tx, id)).await.unwrap();
    assert_eq!((found.account, found.role, &found.reach), (one, Role::Ati, &GrantReach::Colleges(both)));
    assert_eq!((found.granted_by, found.granted_at), (Some(cast.alice), at(10)));
    assert_eq!(fixture.read(move |tx| role_grants::of_account(tx, one)).await, std::slice::from_ref(&found));
    assert_eq!(fixture.read(move |tx| role_grants::in_force(tx, one, at(9))).await, []);
    assert_eq!(
        fixture.read(move |tx| role_grants::in_force(tx, one, at(10))).await,
        std::slice::from_ref(&found)
    );
    let technicians = fixture.read(|tx| role_grants::naming_college(tx, &uai(THERE), at(10))).await;
    assert_eq!(technicians, [found]);
    assert_eq!(fixture.read(|tx| role_grants::naming_college(tx, &uai("0769999Z"), at(10))).await, []);
    assert!(fixture.write(move |tx| role_grants::revoke(tx, id, None, at(20))).await);
    assert_eq!(fixture.read(|tx| role_grants::naming_college(tx, &uai(THERE), at(30))).await, []);
    let unknown = RoleGrantId::new(at(9));
    assert_eq!(fixture.read(move |tx| role_grants::get(tx, unknown)).await, None);
}

async fn nobody_gives_a_role_to_themselves_or_twice(fixture: Fixture) {
    let cast = fixture.cast().await;
    assert_refused(
        &try_grant(&fixture, new_grant(cast.alice, Role::Auditor, Some(cast.alice))).await,
        "to oneself",
    );
    let again = try_grant(&fixture, new_grant(cast.bruno, Role::Administrator, Some(cast.alice))).await;
    assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{again:?}");
    let held = fixture.read(move |tx| role_grants::of_account(tx, cast.bruno)).await;
    let id = held[0].id;
    assert!(fixture.write(move |tx| role_grants::revoke(tx, id, Some(cast.alice), at(5))).await);
    assert!(!fixture.write(move |tx| role_grants::revoke(tx, id, Some(cast.alice), at(6))).await);
    // Given again, it is another grant.
    try_grant(&fixture, new_grant(cast.bruno, Role::Administrator, Some(cast.alice))).await.unwrap();
    assert_eq!(fixture.read(move |tx| role_grants::of_account(tx, cast.bruno)).await.len(), 2);
}

/// A right to approve for a new account of the département, given by Alice at `at(0)`.
async fn approver(fixture: &Fixture, organisation: types::OrganisationId, by: AccountId) -> RoleGrantId {
    let one = fixture.account(organisation, "approver").await;
    fixture.give(one, Role::Approver, Some(by)).await
}

async fn c3_1_7_a_right_to_approve_waits_for_a_third_person_and_a_day(fixture: Fixture) {
    let cast = fixture.cast().await;
    let id = approver(&fixture, cast.departement, cast.alice).await;
    let holder = fixture.read(move |tx| role_grants::get(tx, id)).await.unwrap().account;
    let waiting = fixture.read(move |tx| role_grants::unconfirmed(tx, cast.departement, None, 10)).await;
    assert_eq!(waiting.iter().map(|grant| grant.id).collect::<Vec<_>>(), [id]);
    assert_eq!(fixture.read(move |tx| role_grants::unconfirmed(tx, cast.academie, None, 10)).await, []);
    assert_eq!(fixture.read(move |tx| role_grants::in_force(tx, holder, at(90 * DAY))).await, []);
    let confirm = |by, seconds, effective| {
        fixture.store.write(move |tx| role_grants::confirm(tx, id, by, at(seconds), at(effective)))
    };
    assert_refused(&confirm(cast.alice, 100, 100 + DAY).await, "by whoever gave it");
    assert_refused(&confirm(holder, 100, 100 + DAY).await, "by whoever has it");
    assert_refused(&confirm(cast.bruno, 100, 99 + DAY).await, "before a day has passed");
    assert_refused(&confirm(cast.bruno, -1, 100 + DAY).await, "before it was given");
    for edit in [
        "effective_at = granted_at",
        "effective_at = granted_at + 86400000",
        &format!("confirmed_by = '{}', confirmed_at = granted_at", cast.bruno),
        &format!(
            "confirmed_by = '{}', confirmed_at = granted_at, effective_at = granted_at + 86399999",
            cast.bruno
        ),
        "granted_at = granted_at - 86400000",
        "role = 'auditor'",
    ] {
        fixture.refused_by_hand(&format!("UPDATE role_grants SET {edit} WHERE id = '{id}'"));
    }
    assert!(confirm(cast.bruno, 100, 100 + DAY).await.unwrap());
    assert!(!confirm(cast.bruno, 200, 200 + DAY).await.unwrap(), "it is confirmed once");
    for edit in ["effective_at = effective_at - 1", "confirmed_at = confirmed_at - 1", "confirmed_by = NULL"]
    {
        fixture.refused_by_hand(&format!("UPDATE role_grants SET {edit} WHERE id = '{id}'"));
    }
    for (seconds, counts) in [(99 + DAY, false), (100 + DAY, true)] {
        let roles = fixture.read(move |tx| role_grants::in_force(tx, holder, at(seconds))).await;
        assert_eq!(!roles.is_empty(), counts, "at {seconds}");
        let grant = fixture.read(move |tx| role_grants::get(tx, id)).await.unwrap();
        assert_eq!(grant.is_in_force(at(seconds)), counts);
    }
    assert_eq!(fixture.read(move |tx| role_grants::unconfirmed(tx, cast.departement, None, 10)).await, []);
    // Other roles are not confirmed.
    fixture.refused_by_hand(&format!(
        "UPDATE role_grants SET confirmed_by = '{}', confirmed_at = granted_at WHERE role = 'operator'",
        cast.bruno
    ));
}

async fn c3_1_7_a_right_to_approve_is_given_and_confirmed_within_the_organisation(fixture: Fixture) {
    let cast = fixture.cast().await;
    let one = fixture.account(cast.academie, "candidate").await;
    for by in [Some(cast.alice), None] {
        assert_refused(&try_grant(&fixture, new_grant(one, Role::Approver, by)).await, "from outside");
    }
    let id = approver(&fixture, cast.academie, cast.clara).await;
    let by_alice =
        fixture.store.write(move |tx| role_grants::confirm(tx, id, cast.alice, at(5), at(5 + DAY))).await;
    assert_refused(&by_alice, "confirmed by another organisation");
    let second = fixture.account(cast.academie, "second").await;
    fixture.write(move |tx| accounts::turn(tx, second, AccountState::Active, AccountState::Suspended)).await;
    let by_suspended =
        fixture.store.write(move |tx| role_grants::confirm(tx, id, second, at(5), at(5 + DAY))).await;
    assert_refused(&by_suspended, "confirmed by a suspended account");
    fixture.write(move |tx| accounts::turn(tx, second, AccountState::Suspended, AccountState::Active)).await;
    assert!(fixture.write(move |tx| role_grants::confirm(tx, id, second, at(5), at(5 + DAY))).await);
    // Made whole in one statement, it is refused.
    fixture.refused_by_hand(&format!(
        "INSERT INTO role_grants (id, account_id, role, reach, colleges, granted_by, granted_at, confirmed_by, \
         confirmed_at, effective_at) VALUES ('x', '{one}', 'approver', 'organisation', 0, '{}', 0, '{second}', 0, \
         86400000)",
        cast.clara
    ));
}

async fn a_granted_role_is_frozen_except_towards_its_end(fixture: Fixture) {
    let cast = fixture.cast().await;
    let held = fixture.read(move |tx| role_grants::of_account(tx, cast.denis)).await;
    let id = held[0].id;
    for edit in [
        format!("account_id = '{}'", cast.elise),
        "role = 'referent'".to_owned(),
        "reach = 'colleges', colleges = 1".to_owned(),
        format!("granted_by = '{}'", cast.alice),
        "granted_at = 0".to_owned(),
        "id = 'x'".to_owned(),
        format!("revoked_by = '{}'", cast.alice),
    ] {
        fixture.refused_by_hand(&format!("UPDATE role_grants SET {edit} WHERE id = '{id}'"));
    }
    assert!(fixture.write(move |tx| role_grants::revoke(tx, id, Some(cast.alice), at(5))).await);
    for edit in ["revoked_at = NULL, revoked_by = NULL", "revoked_at = revoked_at + 1", "revoked_by = NULL"] {
        fixture.refused_by_hand(&format!("UPDATE role_grants SET {edit} WHERE id = '{id}'"));
    }
    fixture.refused_by_hand("DELETE FROM role_grants");
    match fixture.store.engine() {
        Engine::Sqlite => {
            for (key, account) in [(id.to_string(), cast.denis), ("other".to_owned(), cast.elise)] {
                fixture.refused_by_hand(&format!(
                    "PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO role_grants (id, account_id, role, reach, \
                     colleges, granted_at) VALUES ('{key}', '{account}', 'head', 'organisation', 0, 0)"
                ));
            }
        }
        Engine::Postgresql => {
            fixture.refused_by_hand("TRUNCATE role_grants CASCADE");
            fixture.refused_by_hand(&format!(
                "INSERT INTO role_grants (id, account_id, role, reach, colleges, granted_at) VALUES ('{id}', '{}', \
                 'head', 'organisation', 0, 0) ON CONFLICT (id) DO UPDATE SET revoked_at = NULL",
                cast.denis
            ));
        }
    }
}

async fn the_colleges_of_a_role_are_those_it_was_granted_with(fixture: Fixture) {
    let cast = fixture.cast().await;
    let one = fixture.account(cast.departement, "technician").await;
    let here = GrantReach::Colleges(BTreeSet::from([uai(HERE)]));
    let new = NewGrant { reach: here, ..new_grant(one, Role::Ati, Some(cast.alice)) };
    let id = new.id;
    try_grant(&fixture, new).await.unwrap();
    let of_alice = fixture.read(move |tx| role_grants::of_account(tx, cast.alice)).await[0].id;
    for edit in [
        format!("INSERT INTO role_grant_colleges VALUES ('{id}', '{THERE}')"),
        format!("INSERT INTO role_grant_colleges VALUES ('{of_alice}', '{THERE}')"),
        "INSERT INTO role_grant_colleges VALUES ('nothing', '0761234A')".to_owned(),
        format!("UPDATE role_grant_colleges SET uai = '{THERE}'"),
        "DELETE FROM role_grant_colleges".to_owned(),
    ] {
        fixture.refused_by_hand(&edit);
    }
    // Several in one statement are counted one by one.
    fixture
        .by_hand(&format!(
            "INSERT INTO role_grants (id, account_id, role, reach, colleges, granted_by, granted_at) \
             VALUES ('wide', '{one}', 'operator', 'colleges', 2, '{}', 0)",
            cast.alice
        ))
        .unwrap();
    fixture.refused_by_hand(
        "INSERT INTO role_grant_colleges VALUES ('wide', '0760001A'), ('wide', '0760002A'), ('wide', '0760003A')",
    );
    // A grant that lacks some of its collèges is not read as if it had fewer.
    let torn = fixture.store.read(move |tx| role_grants::of_account(tx, one)).await;
    assert!(matches!(torn, Err(StoreError::Corrupt { column: "colleges", .. })), "{torn:?}");
}

async fn the_roles_of_a_closed_account_end_together(fixture: Fixture) {
    let cast = fixture.cast().await;
    let ended = fixture
        .write(move |tx| role_grants::revoke_of_account(tx, cast.alice, Some(cast.bruno), at(7)))
        .await;
    assert_eq!(ended, 2);
    let roles = fixture.read(move |tx| role_grants::of_account(tx, cast.alice)).await;
    assert!(
        roles.iter().all(|grant| grant.revoked_at == Some(at(7)) && grant.revoked_by == Some(cast.bruno))
    );
    assert_eq!(fixture.read(move |tx| role_grants::in_force(tx, cast.alice, at(8))).await, []);
    // Neither does a clock set back bring them back.
    assert_eq!(fixture.read(move |tx| role_grants::in_force(tx, cast.alice, at(6))).await, []);
}
