//! C3.1.7, to the letter: the life of a role.

use types::{AccountId, OrganisationKind, Role, RoleGrantId, RuleId};

use super::world::*;
use crate::account::{DepartementPeople, OtherManagers, Taken, first_account_by_host};
use crate::countersignature::{NotCountersigned, Parties, Purpose, SecondPerson};
use crate::{
    APPROVERS_WAIT, AccountState, Deed, GrantReach, GrantRow, Hands, Maker, NotConfirmed, NotGranted,
    NotInForce, NotRevoked, Organisation, Permission, RoleGrant, Standing,
};

fn give(to: &Person, role: Role, by: &Standing) -> Result<RoleGrant, NotGranted> {
    let id = RoleGrantId::new(now());
    let to = (&to.account(), to.standing().grants().to_vec());
    RoleGrant::give(id, (to.0, &to.1), role, GrantReach::Organisation, by, &session(now()), now())
}

/// A right to approve that `by` gave to `to`, and that `second` is asked to confirm.
fn confirm(
    grant: &RoleGrant,
    (asker, second): (&Standing, &Standing),
    hands: &Hands,
) -> Result<Result<RoleGrant, NotConfirmed>, NotCountersigned> {
    let who = SecondPerson::Manager { organisation: asker.organisation().id() };
    let question = question(Purpose::ConfirmApprover, grant.question(), who);
    let proof = countersigned(question, Parties { asker, second, hands }, now())?;
    Ok(grant.confirm(proof, hands, now()))
}

struct Academie {
    organisation: Organisation,
    giver: Standing,
    second: Standing,
    approver: Person,
}

fn an_academie() -> Academie {
    let organisation = academie();
    Academie {
        giver: someone(&organisation, Role::Administrator),
        second: someone(&organisation, Role::Administrator),
        approver: Person::of(&organisation),
        organisation,
    }
}

#[test]
fn c3_1_7_an_organisation_gives_roles_to_its_own_accounts_only() {
    let departement = departement();
    let theirs = someone(&departement, Role::Administrator);
    let refused = give(&Person::of(&academie()), Role::Approver, &theirs).unwrap_err();
    assert_eq!((refused.rule(), &refused), (Some(RuleId::C3_1_7), &NotGranted::AnotherOrganisation));
    assert!(give(&Person::of(&departement), Role::Operator, &theirs).is_ok());
    assert_eq!(give(&Person::of(&college(1)), Role::Head, &theirs), Err(NotGranted::AnotherOrganisation));
}

#[test]
fn c3_1_7_nobody_gives_a_role_to_themselves() {
    let person = Person::of(&departement()).with(Role::Administrator);
    assert_eq!(give(&person, Role::Operator, &person.standing()), Err(NotGranted::Oneself));
}

#[test]
fn a_role_is_given_where_it_fits_and_reaches_what_it_must() {
    let ours = departement();
    let by = someone(&ours, Role::Administrator);
    let to = Person::of(&ours);
    let give = |role, reach| {
        RoleGrant::give(
            RoleGrantId::new(now()),
            (&to.account(), &[]),
            role,
            reach,
            &by,
            &session(now()),
            now(),
        )
    };
    assert!(matches!(give(Role::Head, GrantReach::Organisation), Err(NotGranted::DoesNotFit { .. })));
    assert!(matches!(give(Role::Ati, GrantReach::Organisation), Err(NotGranted::Reach { .. })));
    assert!(matches!(give(Role::Ati, GrantReach::Colleges(uais(&[]))), Err(NotGranted::Reach { .. })));
    assert!(matches!(give(Role::Dpo, GrantReach::Colleges(uais(&[1]))), Err(NotGranted::Reach { .. })));
    assert!(give(Role::Ati, GrantReach::Colleges(uais(&[1, 2]))).is_ok());
    assert!(give(Role::Operator, GrantReach::Colleges(uais(&[1]))).is_ok());

    let closed = to.clone().who_is(AccountState::Closed);
    assert_eq!(super::grant::give(&closed, Role::Operator, &by), Err(NotGranted::Closed));
    let operator = to.clone().with(Role::Operator);
    let again = super::grant::give(&operator, Role::Operator, &by);
    assert_eq!(again, Err(NotGranted::Already { role: Role::Operator }));
}

#[test]
fn c3_1_7_a_right_to_approve_counts_a_day_after_a_second_person_confirmed_it() {
    let Academie { giver, second, approver, .. } = an_academie();
    let grant = give(&approver, Role::Approver, &giver).unwrap();
    assert_eq!(grant.in_force(now().plus(DAY * 365)), Err(NotInForce::NotConfirmed));

    let confirmed = confirm(&grant, (&giver, &second), &nobody_made_anybody()).unwrap().unwrap();
    let effective_at = now().plus(APPROVERS_WAIT);
    assert_eq!(confirmed.effective_at(), Some(effective_at));
    assert_eq!(confirmed.confirmed_by(), Some(second.account()));
    let not_yet = Err(NotInForce::NotYet { at: effective_at });
    assert_eq!(confirmed.in_force(effective_at.minus(MILLISECOND)), not_yet);
    assert_eq!(confirmed.in_force(effective_at), Ok(()));
    // With the clock set back, it waits again.
    assert_eq!(confirmed.in_force(now()), not_yet);
    let given_later = NotInForce::InTheFuture { role: Role::Approver, at: now() };
    assert_eq!(confirmed.in_force(now().minus(MILLISECOND)), Err(given_later));
}

#[test]
fn other_roles_count_at_once_and_need_no_confirmation() {
    let ours = departement();
    let (giver, second) = (someone(&ours, Role::Administrator), someone(&ours, Role::Administrator));
    let grant = give(&Person::of(&ours), Role::Operator, &giver).unwrap();
    assert_eq!(grant.in_force(now()), Ok(()));
    let outcome = confirm(&grant, (&giver, &second), &nobody_made_anybody()).unwrap();
    assert_eq!(outcome, Err(NotConfirmed::NotNeeded { role: Role::Operator }));
}

#[test]
fn c3_1_7_neither_its_giver_nor_its_holder_confirms_a_right_to_approve() {
    let Academie { giver, approver, .. } = an_academie();
    let approver = approver.with(Role::Administrator);
    let grant = give(&approver, Role::Approver, &giver).unwrap();
    let by = |second: &Standing| confirm(&grant, (&giver, second), &nobody_made_anybody()).unwrap_err();
    assert_eq!(by(&giver), NotCountersigned::Oneself);
    assert_eq!(by(&approver.standing()), NotCountersigned::Concerned);
}

#[test]
fn c3_1_7_a_right_to_approve_is_confirmed_in_its_own_organisation() {
    let Academie { giver, approver, .. } = an_academie();
    let grant = give(&approver, Role::Approver, &giver).unwrap();
    let stranger = someone(&departement(), Role::Administrator);
    let refused = confirm(&grant, (&giver, &stranger), &nobody_made_anybody()).unwrap_err();
    assert!(matches!(refused, NotCountersigned::NotTheSecond { .. }));
}

#[test]
fn c3_1_7_an_administrator_who_makes_two_accounts_cannot_let_them_confirm_each_other() {
    let Academie { organisation, giver: thief, .. } = an_academie();
    // Both are administrators by now, and each would do its part alone.
    let (puppet, other) = (
        Person::of(&organisation).with(Role::Administrator),
        Person::of(&organisation).with(Role::Administrator),
    );
    let third = Person::of(&organisation);
    let makings = [
        made(&puppet.standing(), &thief, Deed::Created, now().minus(DAY * 29)),
        made(&other.standing(), &thief, Deed::Created, now().minus(DAY)),
    ];
    let hands = Hands::of(&makings, now());

    // The thief gives, a puppet confirms; one puppet gives, the other confirms.
    for (giver, second) in
        [(&thief, &puppet.standing()), (&puppet.standing(), &other.standing()), (&puppet.standing(), &thief)]
    {
        let grant = give(&third, Role::Approver, giver).unwrap();
        assert_eq!(confirm(&grant, (giver, second), &hands).unwrap_err(), NotCountersigned::OneHand);
    }
    // With somebody else of the académie it is in order.
    let honest = someone(&organisation, Role::Administrator);
    let grant = give(&third, Role::Approver, &thief).unwrap();
    assert!(confirm(&grant, (&thief, &honest), &hands).unwrap().is_ok());
}

#[test]
fn c3_1_7_whoever_made_or_reset_the_approver_does_not_confirm_their_right() {
    let Academie { giver, second, approver, .. } = an_academie();
    for deed in Deed::ALL {
        let grant = give(&approver, Role::Approver, &giver).unwrap();
        let hands = Hands::of(&[made(&approver.standing(), &second, *deed, now().minus(DAY))], now());
        assert_eq!(confirm(&grant, (&giver, &second), &hands).unwrap(), Err(NotConfirmed::OneHand), "{deed}");
        let long_ago = made(&approver.standing(), &second, *deed, now().minus(DAY * 31));
        assert!(confirm(&grant, (&giver, &second), &Hands::of(&[long_ago], now())).unwrap().is_ok());
    }
}

#[test]
fn c3_1_7_a_confirmation_is_for_one_right_given_by_whoever_asks() {
    let Academie { organisation, giver, second, approver } = an_academie();
    let hands = nobody_made_anybody();
    let (one, other) = (
        give(&approver, Role::Approver, &giver).unwrap(),
        give(&Person::of(&organisation), Role::Approver, &giver).unwrap(),
    );
    let who = SecondPerson::Manager { organisation: organisation.id() };
    let sign = |asker: &Standing, grant: &RoleGrant| {
        let question = question(Purpose::ConfirmApprover, grant.question(), who.clone());
        countersigned(question, Parties { asker, second: &second, hands: &hands }, now()).unwrap()
    };
    assert_eq!(one.confirm(sign(&giver, &other), &hands, now()), Err(NotConfirmed::SignedForAnother));
    let meddler = someone(&organisation, Role::Administrator);
    assert_eq!(one.confirm(sign(&meddler, &one), &hands, now()), Err(NotConfirmed::NotAskedByItsGiver));

    let confirmed = one.confirm(sign(&giver, &one), &hands, now()).unwrap();
    let again = confirmed.confirm(sign(&giver, &confirmed), &hands, now().plus(HOUR));
    assert_eq!(again, Err(NotConfirmed::Already { at: now() }), "nor does a second signature move the day");
}

#[test]
fn c3_1_7_a_right_that_was_taken_back_is_not_confirmed_and_never_counts_again() {
    let Academie { giver, second, approver, .. } = an_academie();
    let hands = nobody_made_anybody();
    let grant = give(&approver, Role::Approver, &giver).unwrap();
    let confirmed = confirm(&grant, (&giver, &second), &hands).unwrap().unwrap();
    let revoke = |grant: &RoleGrant| {
        grant.revoke(&approver.account(), OtherManagers(2), &second, &session(now()), now().plus(MINUTE))
    };
    let revoked = revoke(&confirmed).unwrap();
    for later in [now(), now().plus(DAY * 2)] {
        assert!(matches!(revoked.in_force(later), Err(NotInForce::Revoked { .. })));
    }
    let waiting = revoke(&grant).unwrap();
    let outcome = confirm(&waiting, (&giver, &second), &hands).unwrap();
    assert!(matches!(outcome, Err(NotConfirmed::Revoked { .. })));
    assert!(matches!(revoke(&revoked), Err(NotRevoked::Already { .. })));
}

#[test]
fn an_organisation_keeps_somebody_who_manages_its_accounts() {
    let person = Person::of(&college(1)).with(Role::Head).with(Role::Referent);
    let head = person.standing();
    let [mine, harmless] = [0, 1].map(|index| head.grants()[index].clone());
    let give_up = |grant: &RoleGrant, others| {
        grant.revoke(&person.account(), OtherManagers(others), &head, &session(now()), now())
    };
    assert_eq!(give_up(&mine, 0), Err(NotRevoked::LastManager));
    assert!(give_up(&mine, 1).is_ok());
    assert!(give_up(&harmless, 0).is_ok());
    let deputy = someone(head.organisation(), Role::Head);
    assert!(mine.revoke(&person.account(), OtherManagers(0), &deputy, &session(now()), now()).is_ok());
    let stranger = someone(&college(2), Role::Head);
    let refused = mine.revoke(&person.account(), OtherManagers(1), &stranger, &session(now()), now());
    assert_eq!(refused, Err(NotRevoked::AnotherOrganisation));
}

#[test]
fn the_first_account_of_each_organisation_gets_what_it_needs_to_begin_and_no_right_to_approve() {
    for (organisation, roles) in [
        (departement(), &[Role::Administrator, Role::Operator][..]),
        (academie(), &[Role::Administrator]),
        (college(1), &[Role::Head]),
    ] {
        let first =
            first_account_by_host(&organisation, Taken::default(), OtherManagers(0), DepartementPeople(1))
                .unwrap();
        let person = Person::of(&organisation).who_is(AccountState::Invited);
        let ids = [(); 2].map(|()| RoleGrantId::new(now()));
        let grants = RoleGrant::give_first(ids, &person.account(), &first, now()).unwrap();
        assert_eq!(grants.iter().map(RoleGrant::role).collect::<Vec<_>>(), roles);
        let active =
            Person { grants: grants.iter().map(RoleGrant::to_row).collect(), ..Person::of(&organisation) };
        let rows = active.grants.iter().cloned().map(|row| GrantRow { account: active.id, ..row }).collect();
        let standing = Person { grants: rows, ..active }.standing();
        assert!(standing.may(Permission::ManageAccounts, &session(now()), now()).is_ok());

        let stranger = Person::of(&college(9)).account();
        assert_eq!(RoleGrant::give_first(ids, &stranger, &first, now()), Err(NotGranted::NotTheFirst));
    }
}

/// Spoils a row.
type Edit = fn(&mut GrantRow);

#[test]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn c3_1_7_a_row_that_no_decision_wrote_gives_no_right() {
    let Academie { giver, second, approver, .. } = an_academie();
    let grant = give(&approver, Role::Approver, &giver).unwrap();
    let row = confirm(&grant, (&giver, &second), &nobody_made_anybody()).unwrap().unwrap().to_row();
    assert_eq!(RoleGrant::from_row(row.clone()).unwrap().to_row(), row);

    let edits: [(&str, Edit); 12] = [
        ("confirmed by its giver", |row| row.confirmed_by = row.granted_by.account()),
        ("confirmed by its holder", |row| row.confirmed_by = Some(row.account)),
        ("in force an instant early", |row| {
            row.effective_at = row.effective_at.map(|at| at.minus(MILLISECOND));
        }),
        ("in force without a confirmation", |row| {
            (row.confirmed_by, row.confirmed_at) = (None, None);
        }),
        ("confirmed by nobody", |row| row.confirmed_by = None),
        ("confirmed at no time", |row| row.confirmed_at = None),
        ("confirmed before it was given", |row| row.confirmed_at = Some(row.granted_at.minus(MILLISECOND))),
        ("given by its holder", |row| row.granted_by = Maker::Account(row.account)),
        ("given by the host", |row| row.granted_by = Maker::Host),
        ("of a role that is not confirmed", |row| row.role = Role::Administrator),
        ("for some collèges only", |row| row.reach = GrantReach::Colleges(uais(&[1]))),
        ("taken back by nobody", |row| row.revoked_at = Some(now())),
    ];
    for (what, edit) in edits {
        let mut edited = row.clone();
        edit(&mut edited);
        assert!(RoleGrant::from_row(edited).is_err(), "{what}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn a_standing_is_put_together_from_ones_own_rows_only() {
    let (one, other) =
        (Person::of(&departement()).with(Role::Operator), Person::of(&college(1)).with(Role::Head));
    let theirs = other.grants.iter().cloned().map(|row| RoleGrant::from_row(row).unwrap()).collect();
    assert!(Standing::new(one.account(), theirs).is_err());
    let misfit = GrantRow { account: one.id, role: Role::Head, ..one.grants[0].clone() };
    assert!(Standing::new(one.account(), vec![RoleGrant::from_row(misfit).unwrap()]).is_err());
}

#[test]
fn a_maker_reads_back_from_its_text() {
    for maker in [Maker::Host, Maker::Account(AccountId::new(now()))] {
        assert_eq!(maker.to_string().parse(), Ok(maker));
    }
    assert!("account:somebody".parse::<Maker>().is_err());
    let kinds = [departement(), academie(), college(1)].map(|organisation| organisation.kind());
    assert_eq!(kinds.as_slice(), OrganisationKind::ALL);
}
