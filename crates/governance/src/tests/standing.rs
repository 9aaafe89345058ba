//! Who reaches what: their own, and nothing else, however they come in.

use std::collections::BTreeSet;

use proptest::prelude::*;
use types::{OrganisationKind, Role};

use super::world::*;
use crate::permission::{Cell, cell};
use crate::{
    Access, AccountState, GrantReach, NotAllowed, Organisation, OrganisationState, Permission, Place, Reach,
    Scope, Standing, needs_step_up,
};

/// Everyone there can be, with one role each: the technician's is for collège 1.
fn everyone() -> Vec<(Role, Standing)> {
    let organisations = [departement(), academie(), college(1)];
    let roles = Role::ALL.iter().flat_map(|role| {
        let fitting = organisations.iter().filter(|organisation| role.fits(organisation.kind()));
        fitting.map(|organisation| (*role, someone(organisation, *role)))
    });
    roles.collect()
}

fn token(scope: Scope, colleges: Option<BTreeSet<types::Uai>>) -> Access {
    Access::Token { scope, colleges, stepped_up_at: Some(now()) }
}

#[test]
fn t_c1_no_role_reaches_another_college_or_organisation_than_its_own() {
    let elsewhere = college(2);
    for (role, standing) in everyone() {
        let own = standing.organisation().clone();
        let tied = matches!(role, Role::Ati | Role::Head | Role::Referent);
        for permission in Permission::ALL {
            let may = |place| standing.may_at(*permission, &place, &session(now()), now()).is_ok();
            let cell = cell(*permission, role, own.kind());
            let context = format!("{role} of the {}: {permission}", own.kind());
            let whole = matches!(cell, Cell::All | Cell::Any) && !(cell == Cell::All && role == Role::Ati);
            let everywhere = whole || (cell == Cell::Col && !tied);

            assert_eq!(may(Place::College(Some(uai(2)))), everywhere, "{context}, another collège");
            assert_eq!(may(Place::College(None)), everywhere, "{context}, no collège's tablets");
            assert_eq!(may(Place::Fleet), everywhere, "{context}, the fleet");
            assert_eq!(
                may(Place::College(Some(uai(1)))),
                everywhere || cell == Cell::Col,
                "{context}, collège 1"
            );
            assert_eq!(
                may(Place::Organisation(elsewhere.id())),
                everywhere,
                "{context}, another organisation"
            );
            assert_eq!(
                may(Place::Organisation(own.id())),
                everywhere || cell == Cell::Org,
                "{context}, their own organisation"
            );
            let account = standing.account();
            assert_eq!(
                may(Place::Account { account, organisation: own.id() }),
                everywhere || matches!(cell, Cell::Org | Cell::Own),
                "{context}, their own account"
            );
        }
    }
}

#[test]
fn t_c1_a_list_with_one_stranger_in_it_is_refused_whole() {
    let head = someone(&college(1), Role::Head);
    let mine = Place::College(Some(uai(1)));
    let strange = Place::College(Some(uai(2)));
    let may = |places: &[Place]| head.may_at_each(Permission::ViewTablets, places, &session(now()), now());
    assert_eq!(may(&[mine.clone(), mine.clone()]), Ok(()));
    let refused = Err(NotAllowed::OutOfReach { permission: Permission::ViewTablets });
    assert_eq!(may(&[mine.clone(), strange.clone()]), refused);
    assert_eq!(may(&[strange, mine]), refused);
}

#[test]
fn a_technician_of_several_colleges_reaches_each_of_them() {
    let ati = Person::of(&departement())
        .reaching(Role::Ati, GrantReach::Colleges(uais(&[1, 2])))
        .reaching(Role::Ati, GrantReach::Colleges(uais(&[3])))
        .standing();
    assert_eq!(ati.reach(Permission::SendCommands, now()), Some(Reach::Colleges(uais(&[1, 2, 3]))));
    assert_eq!(ati.reach(Permission::ImportInventory, now()), None);
}

#[test]
fn an_operator_for_some_colleges_does_nothing_that_concerns_the_fleet() {
    let scoped =
        Person::of(&departement()).reaching(Role::Operator, GrantReach::Colleges(uais(&[1]))).standing();
    for permission in Permission::ALL {
        let whole = cell(*permission, Role::Operator, OrganisationKind::Departement) == Cell::All;
        assert!(!(whole && scoped.reach(*permission, now()).is_some()), "{permission}");
    }
}

#[test]
fn t_c14_an_account_that_is_not_in_use_does_nothing_from_that_instant_on() {
    for state in [AccountState::Invited, AccountState::Suspended, AccountState::Closed] {
        let person = Person::of(&departement()).with(Role::Administrator).with(Role::Operator).who_is(state);
        let standing = person.standing();
        for permission in Permission::ALL {
            assert_eq!(standing.reach(*permission, now()), None, "{state}: {permission}");
            let refused = standing.may(*permission, &session(now()), now());
            assert_eq!(refused, Err(NotAllowed::NotActive { state }));
        }
        assert!(!standing.has(Role::Operator, now()));
        assert_eq!(standing.in_force(now()).count(), 0);
    }
}

#[test]
fn an_account_of_a_closed_organisation_does_nothing() {
    let open = college(1);
    let closed =
        Organisation::new(open.id(), open.kind(), open.uai().cloned(), OrganisationState::Closed).unwrap();
    let head = someone(&closed, Role::Head);
    let refused = head.may(Permission::ViewTablets, &session(now()), now());
    assert_eq!(refused, Err(NotAllowed::OrganisationClosed));
    assert_eq!(head.reach(Permission::ViewTablets, now()), None);
}

#[test]
fn a_role_that_was_taken_back_counts_no_more() {
    let mut person = Person::of(&departement()).with(Role::Operator);
    assert!(person.standing().reach(Permission::Unenrol, now()).is_some());
    (person.grants[0].revoked_at, person.grants[0].revoked_by) = (Some(now()), Some(crate::Maker::Host));
    for at in [now(), now().minus(DAY * 30)] {
        assert_eq!(person.standing().reach(Permission::Unenrol, at), None, "even with the clock set back");
    }
}

#[test]
fn t_c14_a_stolen_token_alone_neither_destroys_nor_reveals_nor_makes_another() {
    let admin = Person::of(&departement()).with(Role::Administrator).with(Role::Operator).standing();
    let stolen = Access::Token { scope: Scope::Operate, colleges: None, stepped_up_at: None };
    for permission in Permission::ALL.iter().filter(|permission| needs_step_up(**permission)) {
        let outcome = admin.may(*permission, &stolen, now());
        assert!(outcome.is_err(), "{permission}");
    }
    let refused = admin.may(Permission::ManageOwnTokens, &token(Scope::Operate, None), now());
    let takes_a_session = NotAllowed::TakesASession { permission: Permission::ManageOwnTokens };
    assert_eq!(refused, Err(takes_a_session), "not even with a code");
    // With its holder's code, for this one request, it may.
    assert!(admin.may(Permission::Unenrol, &token(Scope::Operate, None), now()).is_ok());
    assert!(admin.may(Permission::EngageBrake, &stolen, now()).is_ok());
}

#[test]
fn a_token_that_may_only_look_changes_nothing() {
    for (role, standing) in everyone() {
        for permission in Permission::ALL {
            if standing.may(*permission, &token(Scope::Read, None), now()).is_ok() {
                assert!(permission.only_looks(), "{role}: {permission}");
            }
        }
    }
}

#[test]
fn a_token_for_some_colleges_gives_nothing_of_the_whole() {
    let admin = Person::of(&departement()).with(Role::Administrator).with(Role::Operator).standing();
    let limited = token(Scope::Operate, Some(uais(&[1])));
    let may = |permission| admin.may(permission, &limited, now());
    assert_eq!(may(Permission::SendCommands), Ok(Reach::Colleges(uais(&[1]))));
    for permission in [Permission::ManagePushCertificate, Permission::ManageAccounts, Permission::ReadAudit] {
        assert_eq!(may(permission), Err(NotAllowed::OutOfReach { permission }));
    }
}

proptest! {
    /// However a token is limited, what it reaches its account reaches too.
    #[test]
    fn t_c1_a_token_never_reaches_further_than_its_account(
        grants in prop::collection::vec(
            (0_usize..3, prop::collection::btree_set(0_u32..4, 1..4), any::<bool>()),
            1..4,
        ),
        limit in prop::option::of(prop::collection::btree_set(0_u32..4, 0..4)),
    ) {
        let mut person = Person::of(&departement());
        for (role, colleges, whole) in grants {
            let role = [Role::Operator, Role::Ati, Role::Administrator][role];
            let some = GrantReach::Colleges(colleges.iter().map(|number| uai(*number)).collect());
            let reach = match role {
                Role::Ati => some,
                Role::Operator if !whole => some,
                _ => GrantReach::Organisation,
            };
            person = person.reaching(role, reach);
        }
        let standing = person.standing();
        let limit = limit.map(|limit| limit.iter().map(|number| uai(*number)).collect::<BTreeSet<_>>());
        let access = token(Scope::Operate, limit.clone());
        for permission in Permission::ALL {
            let Ok(narrowed) = standing.may(*permission, &access, now()) else { continue };
            let full = standing.reach(*permission, now());
            prop_assert!(full.is_some());
            for number in 0..4 {
                let place = Place::College(Some(uai(number)));
                if narrowed.covers(&place) {
                    prop_assert!(full.as_ref().unwrap().covers(&place));
                }
            }
            if let (Reach::Colleges(reached), Some(limit)) = (&narrowed, &limit) {
                prop_assert!(!reached.is_empty() && reached.is_subset(limit));
            }
        }
    }
}
