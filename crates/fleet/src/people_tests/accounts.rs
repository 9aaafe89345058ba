//! Accounts: who invites, suspends, resets and closes them, and what ends with them (C3.1.7).

use governance::account::NotManaged;
use governance::countersignature::Verdict;
use testkit::people::{self, Employer};
use types::{AccountId, CountersignatureId, Role};

use super::fixture::{People, days, engines, now};
use crate::accounts::{self, Factor, Named, NewAccount, State};
use crate::coming_in::identify;
use crate::countersignatures::{self, Said};
use crate::page::Page;
use crate::{Principal, Refusal, Scope, organisations, roles};

fn by_id(account: AccountId) -> Named {
    Named::Id(account)
}

fn new(login: &str) -> NewAccount {
    NewAccount { login: login.parse().unwrap(), name: "Marie Curie".into(), email: None }
}

fn not_managed<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> NotManaged {
    match refused {
        Err(Refusal::NotManaged(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn state(people: &People, account: AccountId) -> State {
    let row = people.fleet.store().read(move |tx| store::accounts::get(tx, &account)).await.unwrap();
    row.unwrap().state
}

async fn signs(people: &People, by: &Principal, id: CountersignatureId, at: types::Instant) {
    let seen = countersignatures::show(&people.fleet, by, id, at).await.unwrap().content_sha256;
    let said = Said { verdict: Verdict::Give, seen, reason: None };
    countersignatures::answer(&people.fleet, by, id, said, at).await.unwrap();
}

#[tokio::test]
async fn c3_1_7_whoever_manages_accounts_invites_into_their_own_organisation_and_counts_as_the_maker() {
    for engine in engines() {
        let people = People::new(engine).await;
        let invited = accounts::invite(&people.fleet, &people.operator, new("marie"), now()).await.unwrap();
        let login: Named = "marie".parse().unwrap();
        let shown = accounts::show(&people.fleet, &people.operator, login, now()).await.unwrap();
        assert_eq!((shown.account.id, shown.account.state), (invited.account, State::Invited));
        assert_eq!(shown.makers[0].by_account, Some(people.camille));
        assert!(shown.roles.is_empty(), "an invitation gives no role");
        let again = accounts::invite(&people.fleet, &people.operator, new("marie"), now()).await;
        assert_eq!(not_managed(again), NotManaged::LoginTaken);

        let denis = people.someone(Employer::Departement, "denis", &[Role::Operator]).await;
        let refused = accounts::invite(&people.fleet, &denis.1, new("paul"), now()).await.unwrap_err();
        assert_eq!(refused.code(), "not-allowed");
        assert_eq!(people.audit().await, ["account.invite"]);
    }
}

#[tokio::test]
async fn c3_1_7_whoever_makes_the_invitation_again_counts_as_a_maker_too() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let invited = accounts::invite(&people.fleet, &people.operator, new("marie"), now()).await.unwrap();
        let again =
            accounts::invite_again(&people.fleet, &emma.1, by_id(invited.account), now()).await.unwrap();
        assert_ne!(again.secret.expose(), invited.secret.expose());
        let shown = accounts::show(&people.fleet, &emma.1, by_id(invited.account), now()).await.unwrap();
        let makers: Vec<_> = shown.makers.iter().filter_map(|making| making.by_account).collect();
        assert_eq!(makers, [people.camille, emma.0]);
        let active = accounts::invite_again(&people.fleet, &emma.1, by_id(people.camille), now()).await;
        assert!(matches!(not_managed(active), NotManaged::State { .. }));
    }
}

#[tokio::test]
async fn t_c1_an_account_of_another_organisation_looks_as_if_it_did_not_exist() {
    for engine in engines() {
        let people = People::new(engine).await;
        let anne = people.someone(Employer::Academie, "anne", &[Role::Administrator]).await;
        let other = people.someone(Employer::Academie, "benoit", &[Role::Administrator]).await;
        let (fleet, camille) = (&people.fleet, &people.operator);
        let theirs = || by_id(anne.0);
        let why = || None;
        for refused in [
            accounts::show(fleet, camille, theirs(), now()).await.map(|_| ()),
            accounts::suspend(fleet, camille, theirs(), why(), now()).await,
            accounts::close(fleet, camille, theirs(), why(), now()).await,
            accounts::describe(fleet, camille, theirs(), "Anne", None, now()).await,
            accounts::invite_again(fleet, camille, theirs(), now()).await.map(|_| ()),
            accounts::reset(fleet, camille, theirs(), Factor::Password, why(), now()).await.map(|_| ()),
            accounts::ask_recovery(fleet, camille, theirs(), "why".into(), now()).await.map(|_| ()),
        ] {
            assert!(matches!(refused, Err(Refusal::NotFound { .. })), "{refused:?}");
        }
        let listed = accounts::list(fleet, camille, None, Page::default(), now()).await.unwrap();
        assert!(listed.items.iter().all(|account| account.id != anne.0 && account.id != other.0));
        assert_eq!(state(&people, anne.0).await, State::Active);
    }
}

#[tokio::test]
async fn t_c12_a_suspended_account_opens_nothing_from_that_instant_on_by_session_or_token() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let store = people.fleet.store();
        let token = people::token(store, emma.0, Scope::Operate, None, now()).await.unwrap();
        let why = Some("her telephone was stolen".to_owned());
        accounts::suspend(&people.fleet, &people.operator, by_id(emma.0), why, now()).await.unwrap();
        let shown = accounts::show(&people.fleet, &emma.1, by_id(emma.0), now()).await;
        assert!(matches!(shown, Err(Refusal::NotAuthenticated)), "{shown:?}");
        let revoked = identify(&people.fleet, token.expose(), now()).await;
        assert!(matches!(revoked, Err(Refusal::NotAuthenticated)), "{revoked:?}");

        // She comes back with her roles, and with nothing that opened the account before.
        let back = accounts::reopen(&people.fleet, &people.operator, by_id(emma.0), None, now()).await;
        assert_eq!(back.unwrap(), State::Invited, "she had no password");
        assert!(identify(&people.fleet, token.expose(), now()).await.is_err());
        let oneself = accounts::suspend(&people.fleet, &people.operator, by_id(people.camille), None, now());
        assert_eq!(not_managed(oneself.await), NotManaged::Oneself);
        assert_eq!(people.audit().await, ["account.suspend", "account.reopen"]);
    }
}

#[tokio::test]
async fn a_closed_account_stays_closed_without_roles_and_its_college_without_its_referent() {
    for engine in engines() {
        let people = People::new(engine).await;
        let college = Employer::College("0761234A".parse().unwrap());
        let head = people.someone(college.clone(), "head", &[Role::Head]).await;
        let moreau = people.someone(college, "moreau", &[Role::Referent]).await;
        let named = || "0761234A".parse::<organisations::Named>().unwrap();
        let decisions =
            organisations::Decisions { referent: Some(Some(by_id(moreau.0))), ..Default::default() };
        organisations::decide(&people.fleet, &head.1, named(), decisions, now()).await.unwrap();
        accounts::close(&people.fleet, &head.1, by_id(moreau.0), None, now()).await.unwrap();
        let shown = accounts::show(&people.fleet, &head.1, by_id(moreau.0), now()).await.unwrap();
        assert_eq!(shown.account.state, State::Closed);
        assert!(shown.roles.iter().all(|role| role.revoked_at() == Some(now())));
        let college = organisations::show(&people.fleet, &head.1, named(), now()).await.unwrap();
        assert_eq!(college.organisation.referent_account_id, None);
        let again = accounts::reopen(&people.fleet, &head.1, by_id(moreau.0), None, now()).await;
        assert!(matches!(not_managed(again), NotManaged::State { from: State::Closed, .. }));
    }
}

#[tokio::test]
async fn c3_1_7_one_person_resets_one_factor_and_the_other_takes_two() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let marie = people.someone(Employer::Departement, "marie", &[Role::Operator]).await;
        let reset = async |by: &Principal, factor, at| {
            accounts::reset(&people.fleet, by, by_id(marie.0), factor, None, at).await
        };
        let link = reset(&people.operator, Factor::Password, now()).await.unwrap();
        assert!(link.is_some(), "the password is chosen by a link");
        assert!(accounts::show(&people.fleet, &marie.1, by_id(marie.0), now()).await.is_err());
        let other = reset(&emma.1, Factor::SecondFactor, now()).await;
        assert_eq!(not_managed(other), NotManaged::NeedsTwo { at: now() });
        let later = now().plus(days(31));
        let camille = people.session(people.camille, later).await;
        assert!(reset(&camille, Factor::SecondFactor, later).await.unwrap().is_none());

        // Two together: one asks, another signs, and neither signs for what they did alone.
        let ask =
            accounts::ask_recovery(&people.fleet, &camille, by_id(marie.0), "she lost both".into(), later);
        let asked = ask.await.unwrap();
        let recover = async || accounts::recover(&people.fleet, &camille, by_id(marie.0), asked, later).await;
        assert!(matches!(recover().await, Err(Refusal::NotCountersigned { .. })));
        let emma = people.session(emma.0, later).await;
        signs(&people, &emma, asked, later).await;
        recover().await.unwrap();
        let shown = accounts::show(&people.fleet, &camille, by_id(marie.0), later).await.unwrap();
        let deeds: Vec<String> = shown.makers.iter().map(|making| making.deed.to_string()).collect();
        assert_eq!(deeds, ["password-reset", "second-factor-reset", "recovered"]);
        assert_eq!(
            people.audit().await,
            [
                "account.reset-password",
                "account.reset-second-factor",
                "countersignature.ask",
                "countersignature.give",
                "account.recover"
            ]
        );
    }
}

#[tokio::test]
async fn c3_1_7_where_nobody_is_left_two_of_the_departement_recover_the_account() {
    for engine in engines() {
        let people = People::new(engine).await;
        let denis = people.someone(Employer::Departement, "denis", &[Role::Operator]).await;
        let college = Employer::College("0761234A".parse().unwrap());
        let head = people.someone(college, "head", &[Role::Head]).await;
        let ask = accounts::ask_recovery(
            &people.fleet,
            &people.operator,
            by_id(head.0),
            "she lost both".into(),
            now(),
        );
        let asked = ask.await.unwrap();
        let theirs = accounts::recover(&people.fleet, &denis.1, by_id(head.0), asked, now()).await;
        assert!(theirs.is_err(), "an operator manages no accounts");
        signs(&people, &denis.1, asked, now()).await;
        accounts::recover(&people.fleet, &people.operator, by_id(head.0), asked, now()).await.unwrap();
        let refused = accounts::show(&people.fleet, &head.1, by_id(head.0), now()).await;
        assert!(matches!(refused, Err(Refusal::NotAuthenticated)), "sessions of before are over");
    }
}

#[tokio::test]
async fn one_mailbox_belongs_to_one_account() {
    for engine in engines() {
        let people = People::new(engine).await;
        let email = || Some("marie.curie@example.fr".parse().unwrap());
        let with = |login| NewAccount { email: email(), ..new(login) };
        accounts::invite(&people.fleet, &people.operator, with("marie"), now()).await.unwrap();
        let other = accounts::invite(&people.fleet, &people.operator, with("mcurie"), now()).await;
        assert_eq!(not_managed(other), NotManaged::EmailTaken);
        let denis = people.someone(Employer::Departement, "denis", &[Role::Operator]).await;
        let describe =
            |named| accounts::describe(&people.fleet, &people.operator, named, "Denis", email(), now());
        assert_eq!(not_managed(describe(by_id(denis.0)).await), NotManaged::EmailTaken);
        describe("marie".parse().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn t_c14_a_role_that_is_taken_back_counts_for_nothing_in_a_session_that_goes_on() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let shown = accounts::show(&people.fleet, &people.operator, by_id(emma.0), now()).await.unwrap();
        let role = shown.roles[0].id();
        roles::take_back(&people.fleet, &people.operator, role, None, now()).await.unwrap();
        let refused = accounts::invite(&people.fleet, &emma.1, new("paul"), now()).await.unwrap_err();
        assert_eq!(refused.code(), "not-allowed");
        let again = roles::take_back(&people.fleet, &people.operator, role, None, now()).await;
        assert!(matches!(again, Err(Refusal::NotRevoked(governance::NotRevoked::Already { .. }))));
    }
}
