//! Who may do what to an account.

use types::{OrganisationKind, Role, RuleId};

use super::world::*;
use crate::account::{
    DepartementPeople, Email, Factor, FirstAccount, Login, NotManaged, OtherManagers, Taken, first_account,
    first_account_by_host, may_close, may_invite, may_recover, may_reopen, may_reset, may_suspend,
    recovery_question, who_confirms_recovery,
};
use crate::countersignature::{Parties, Purpose, SecondPerson};
use crate::{
    Access, AccountState, Deed, Hands, Maker, NotAllowed, Organisation, OrganisationState, Permission,
    Standing,
};

fn login() -> Login {
    "marie.curie".parse().unwrap()
}

fn email() -> Email {
    "marie.curie@example.fr".parse().unwrap()
}

fn invite(into: &Organisation, by: &Standing) -> Result<(), NotManaged> {
    may_invite(into, Taken::default(), by, &session(now()), now())
}

#[test]
fn c3_1_7_each_organisation_manages_its_own_accounts_and_no_others() {
    let (ours, theirs, one, other) = (departement(), academie(), college(1), college(2));
    let managers = [
        someone(&ours, Role::Administrator),
        someone(&theirs, Role::Administrator),
        someone(&one, Role::Head),
        someone(&other, Role::Head),
    ];
    let organisations = [ours, theirs, one, other];
    for (mine, by) in managers.iter().enumerate() {
        for (its, organisation) in organisations.iter().enumerate() {
            let account = Person::of(organisation).account();
            let outcomes = [
                invite(organisation, by),
                may_suspend(&account, by, &session(now()), now()).map(drop),
                may_close(&account, by, &session(now()), now()).map(drop),
                may_reset(Factor::Password, &account, &[], by, &session(now()), now()).map(drop),
            ];
            for outcome in outcomes {
                let expected = if mine == its { Ok(()) } else { Err(NotManaged::AnotherOrganisation) };
                assert_eq!(outcome, expected, "{mine} in {its}");
            }
        }
    }
    assert_eq!(NotManaged::AnotherOrganisation.rule(), Some(RuleId::C3_1_7));
}

#[test]
fn only_whoever_manages_accounts_does_with_a_code_of_their_second_factor() {
    let ours = departement();
    let refused = invite(&ours, &someone(&ours, Role::Operator)).unwrap_err();
    let no_role = NotAllowed::NoRole { permission: Permission::ManageAccounts };
    assert_eq!(refused, NotManaged::NotAllowed(no_role));
    let admin = someone(&ours, Role::Administrator);
    let plain = Access::Session { stepped_up_at: None };
    let refused = may_invite(&ours, Taken::default(), &admin, &plain, now()).unwrap_err();
    assert!(matches!(refused, NotManaged::NotAllowed(NotAllowed::StepUp { .. })));
}

#[test]
fn c3_1_7_one_mailbox_has_one_account_in_whatever_organisation() {
    let ours = departement();
    let admin = someone(&ours, Role::Administrator);
    let invite = |taken| may_invite(&ours, taken, &admin, &session(now()), now());
    assert_eq!(invite(Taken { email: true, login: false }), Err(NotManaged::EmailTaken));
    assert_eq!(invite(Taken { login: true, email: false }), Err(NotManaged::LoginTaken));
    assert_eq!(NotManaged::EmailTaken.rule(), Some(RuleId::C3_1_7));
}

#[test]
fn c3_1_7_nobody_resets_suspends_or_closes_their_own_account() {
    let person = Person::of(&departement()).with(Role::Administrator);
    let (account, standing) = (person.account(), person.standing());
    let outcomes = [
        may_reset(Factor::SecondFactor, &account, &[], &standing, &session(now()), now()).map(drop),
        may_suspend(&account, &standing, &session(now()), now()).map(drop),
        may_close(&account, &standing, &session(now()), now()).map(drop),
        may_reopen(&account, true, &standing, &session(now()), now()).map(drop),
        who_confirms_recovery(&account, OtherManagers(1), &standing).map(drop),
    ];
    for outcome in outcomes {
        assert_eq!(outcome, Err(NotManaged::Oneself));
    }
}

fn sign_first(
    into: &Organisation,
    asker: &Standing,
    second: &Standing,
) -> crate::countersignature::Countersigned {
    let about = FirstAccount::question(into.id(), &login(), Some(&email()));
    let question = question(Purpose::FirstAccount, about, SecondPerson::Departement);
    countersigned(question, Parties { asker, second, hands: &nobody_made_anybody() }, now()).unwrap()
}

#[test]
fn c3_1_7_the_first_accounts_of_an_organisation_take_two_persons_of_the_departement() {
    let ours = departement();
    let (admin, second) = (someone(&ours, Role::Administrator), someone(&ours, Role::Operator));
    let begin = |into: &Organisation, managers, by: &Standing, login: &Login| {
        let proof = sign_first(into, &admin, &second);
        let names = (login, Some(&email()), Taken::default());
        first_account(into, names, OtherManagers(managers), proof, by, &session(now()), now())
    };
    for into in [academie(), college(1)] {
        let first = begin(&into, 0, &admin, &login()).unwrap();
        assert_eq!((first.organisation(), first.by()), (into.id(), Maker::Account(admin.account())));
        assert!(first.countersignature().is_some());
        assert!(begin(&into, 1, &admin, &login()).is_ok(), "two managers are needed, so two may be invited");
        assert_eq!(begin(&into, 2, &admin, &login()), Err(NotManaged::ManagesItself));

        let other: Login = "pierre.curie".parse().unwrap();
        assert_eq!(begin(&into, 0, &admin, &other), Err(NotManaged::SignedForAnother));
        let meddler = someone(&ours, Role::Administrator);
        assert_eq!(begin(&into, 0, &meddler, &login()), Err(NotManaged::NotTheAsker));
        assert!(matches!(begin(&into, 0, &second, &login()), Err(NotManaged::NotAllowed(_))));
    }
    assert_eq!(begin(&ours, 0, &admin, &login()), Err(NotManaged::ManagesItself));
    // Signed for one collège, used for another.
    let proof = sign_first(&college(1), &admin, &second);
    let names = (&login(), Some(&email()), Taken::default());
    let outcome = first_account(&college(2), names, OtherManagers(0), proof, &admin, &session(now()), now());
    assert_eq!(outcome, Err(NotManaged::SignedForAnother));
}

#[test]
fn c3_1_7_two_of_the_departement_who_sign_for_each_other_give_an_academie_two_independent_accounts() {
    let (ours, theirs) = (departement(), academie());
    let (one, other) = (someone(&ours, Role::Administrator), someone(&ours, Role::Administrator));
    let (first, second) = (someone(&theirs, Role::Administrator), someone(&theirs, Role::Administrator));
    let made_by = |account: &Standing, by: &Standing| made(account, by, Deed::Created, now());
    let crossed = Hands::of(&[made_by(&first, &one), made_by(&second, &other)], now());
    assert!(crossed.independent(first.account(), second.account()));
    let by_one = Hands::of(&[made_by(&first, &one), made_by(&second, &one)], now());
    assert!(!by_one.independent(first.account(), second.account()));
}

#[test]
fn c3_1_7_the_host_speaks_for_the_departement_only_until_it_has_two_people() {
    let host = |into: &Organisation, managers, people| {
        let taken = Taken::default();
        first_account_by_host(into, taken, OtherManagers(managers), DepartementPeople(people))
            .map(|first| first.by())
    };
    for people in [0, 1, 2, 50] {
        assert_eq!(host(&departement(), people, people), Ok(Maker::Host), "its own, whenever it must");
    }
    for into in [academie(), college(1)] {
        assert_eq!(host(&into, 0, 1), Ok(Maker::Host));
        assert_eq!(host(&into, 1, 1), Ok(Maker::Host));
        assert_eq!(host(&into, 2, 1), Err(NotManaged::ManagesItself));
        assert_eq!(host(&into, 0, 2), Err(NotManaged::NotTheHost));
        let closed =
            Organisation::new(into.id(), into.kind(), into.uai().cloned(), OrganisationState::Closed)
                .unwrap();
        assert_eq!(host(&closed, 0, 1), Err(NotManaged::OrganisationClosed));
    }
}

#[test]
fn c3_1_7_whoever_resets_one_factor_of_an_account_does_not_reset_the_other_alone() {
    let ours = departement();
    let (admin, colleague) = (someone(&ours, Role::Administrator), someone(&ours, Role::Administrator));
    let person = Person::of(&ours).with(Role::Operator);
    let reset = |factor, deed, by: &Standing, days: u32| {
        let makings = [made(&person.standing(), by, deed, now().minus(DAY * days))];
        may_reset(factor, &person.account(), &makings, &admin, &session(now()), now())
    };
    for (factor, same, other) in [
        (Factor::Password, Deed::PasswordReset, Deed::SecondFactorReset),
        (Factor::SecondFactor, Deed::SecondFactorReset, Deed::PasswordReset),
    ] {
        assert_eq!(reset(factor, same, &admin, 1), Ok(same));
        for by in [&admin, &colleague] {
            assert!(matches!(reset(factor, other, by, 30), Err(NotManaged::NeedsTwo { .. })));
            assert!(matches!(reset(factor, Deed::Recovered, by, 30), Err(NotManaged::NeedsTwo { .. })));
        }
        assert_eq!(reset(factor, other, &admin, 31), Ok(same));
        assert_eq!(reset(factor, Deed::Created, &admin, 1), Ok(same));
    }
    // A deed on somebody else's account says nothing about this one.
    let others = [made(&colleague, &admin, Deed::SecondFactorReset, now())];
    let outcome = may_reset(Factor::Password, &person.account(), &others, &admin, &session(now()), now());
    assert_eq!(outcome, Ok(Deed::PasswordReset));
}

#[test]
fn c3_1_7_a_recovery_is_signed_in_its_own_organisation_as_long_as_somebody_there_can() {
    let (ours, school) = (departement(), college(1));
    let (admin, head) = (someone(&ours, Role::Administrator), someone(&school, Role::Head));
    let deputy = Person::of(&school).with(Role::Head).account();
    let colleague = Person::of(&ours).with(Role::Operator).account();
    let manager = |organisation: &Organisation| Ok(SecondPerson::Manager { organisation: organisation.id() });
    assert_eq!(who_confirms_recovery(&deputy, OtherManagers(1), &head), manager(&school));
    assert_eq!(who_confirms_recovery(&deputy, OtherManagers(0), &head), Ok(SecondPerson::Departement));
    // The only one who manages accounts has lost both factors: the département helps, with two persons.
    assert_eq!(who_confirms_recovery(&deputy, OtherManagers(0), &admin), Ok(SecondPerson::Departement));
    assert_eq!(
        who_confirms_recovery(&deputy, OtherManagers(1), &admin),
        Err(NotManaged::AnotherOrganisation)
    );
    assert_eq!(who_confirms_recovery(&colleague, OtherManagers(0), &admin), manager(&ours));
    let stranger = someone(&college(2), Role::Head);
    for others in [0, 1] {
        let refused = who_confirms_recovery(&deputy, OtherManagers(others), &stranger);
        assert_eq!(refused, Err(NotManaged::AnotherOrganisation));
    }
}

#[test]
fn c3_1_7_a_recovery_takes_a_signature_for_that_account() {
    let ours = departement();
    let (admin, second) = (someone(&ours, Role::Administrator), someone(&ours, Role::Administrator));
    let (lost, other) = (Person::of(&ours).with(Role::Operator), Person::of(&ours).with(Role::Operator));
    let recover = |signed_for: &Person, used_for: &Person| {
        let who = SecondPerson::Manager { organisation: ours.id() };
        let question = question(Purpose::RecoverAccount, recovery_question(signed_for.id), who);
        let parties = Parties { asker: &admin, second: &second, hands: &nobody_made_anybody() };
        let proof = countersigned(question, parties, now()).unwrap();
        may_recover(&used_for.account(), OtherManagers(1), proof, &admin, &session(now()), now())
    };
    assert_eq!(recover(&lost, &lost), Ok(Deed::Recovered));
    assert_eq!(recover(&other, &lost), Err(NotManaged::SignedForAnother));
    let closed = lost.clone().who_is(AccountState::Closed);
    assert!(matches!(recover(&lost, &closed), Err(NotManaged::State { .. })));
}

#[test]
fn an_account_goes_only_where_its_life_leads() {
    use AccountState::{Active, Closed, Invited, Suspended};
    let ways: Vec<_> = AccountState::ALL
        .iter()
        .flat_map(|from| AccountState::ALL.iter().map(move |to| (*from, *to)))
        .filter(|(from, to)| from.may_become(*to))
        .collect();
    let expected = [
        (Invited, Active),
        (Invited, Suspended),
        (Invited, Closed),
        (Active, Suspended),
        (Active, Closed),
        (Suspended, Invited),
        (Suspended, Active),
        (Suspended, Closed),
    ];
    assert_eq!(ways, expected);

    let ours = departement();
    let admin = someone(&ours, Role::Administrator);
    let reopen = |state, has_password| {
        may_reopen(&Person::of(&ours).who_is(state).account(), has_password, &admin, &session(now()), now())
    };
    assert_eq!(reopen(Suspended, true), Ok(Active));
    assert_eq!(
        reopen(Suspended, false),
        Ok(Invited),
        "a suspension does not turn an invitation into an account"
    );
    assert!(matches!(reopen(Closed, true), Err(NotManaged::State { .. })));
    let closed = Person::of(&ours).who_is(Closed).account();
    assert!(matches!(may_suspend(&closed, &admin, &session(now()), now()), Err(NotManaged::State { .. })));
}

#[test]
fn an_organisation_is_a_college_exactly_if_it_has_a_code() {
    for kind in OrganisationKind::ALL {
        for code in [None, Some(uai(1))] {
            let fits = (*kind == OrganisationKind::College) == code.is_some();
            let id = departement().id();
            let outcome = Organisation::new(id, *kind, code, OrganisationState::Active);
            assert_eq!(outcome.is_ok(), fits, "{kind}");
        }
    }
}
