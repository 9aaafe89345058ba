//! Roles: given by one's own organisation, never to oneself; a right to approve waits (C3.1.7).

use std::collections::BTreeSet;

use governance::countersignature::Verdict;
use governance::{NotGranted, NotRevoked};
use testkit::people::Employer;
use types::{AccountId, CountersignatureId, Duration, Instant, Role, RoleGrantId};

use super::fixture::{People, days, engines, now};
use crate::accounts::Named;
use crate::countersignatures::{self, Said};
use crate::roles::{self, Given, Wanted};
use crate::{Principal, Refusal};

async fn give(
    people: &People,
    by: &Principal,
    to: AccountId,
    role: Role,
    colleges: Option<&[&str]>,
) -> Result<Given, Refusal> {
    let colleges =
        colleges.map(|colleges| colleges.iter().map(|uai| uai.parse().unwrap()).collect::<BTreeSet<_>>());
    let wanted = Wanted { to: Named::Id(to), role, colleges, reason: Some("for the new year".into()) };
    roles::give(&people.fleet, by, wanted, now()).await
}

async fn answer(people: &People, by: &Principal, id: CountersignatureId, at: Instant) -> Result<(), Refusal> {
    let seen = countersignatures::show(&people.fleet, by, id, at).await?.content_sha256;
    let said = Said { verdict: Verdict::Give, seen, reason: None };
    countersignatures::answer(&people.fleet, by, id, said, at).await.map(|_line| ())
}

async fn approves(people: &People, account: AccountId, at: Instant) -> bool {
    let standing = people.fleet.store().read(move |tx| store::standings::of_account(tx, account)).await;
    standing.unwrap().unwrap().has(Role::Approver, at)
}

#[tokio::test]
async fn c3_1_7_a_right_to_approve_counts_a_day_after_another_person_of_the_organisation_confirmed_it() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let paul = people.someone(Employer::Departement, "paul", &[Role::Operator]).await;
        let anne = people.someone(Employer::Academie, "anne", &[Role::Administrator]).await;
        let given = give(&people, &people.operator, paul.0, Role::Approver, None).await.unwrap();
        let asked = given.countersignature.unwrap();
        // Neither whoever gave it, nor whoever has it, nor another organisation.
        for by in [&people.operator, &paul.1, &anne.1] {
            answer(&people, by, asked, now()).await.unwrap_err();
        }
        assert!(!approves(&people, paul.0, now().plus(days(2))).await);
        answer(&people, &emma.1, asked, now()).await.unwrap();
        let day = now().plus(days(1));
        assert!(!approves(&people, paul.0, day.minus(Duration::from_millis(1))).await);
        assert!(approves(&people, paul.0, day).await);
        assert_eq!(
            people.audit().await,
            ["role.give", "countersignature.ask", "countersignature.give", "role.confirm"]
        );
    }
}

#[tokio::test]
async fn c3_1_7_a_right_to_approve_that_was_taken_back_is_confirmed_by_nobody() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let paul = people.someone(Employer::Departement, "paul", &[Role::Operator]).await;
        let given = give(&people, &people.operator, paul.0, Role::Approver, None).await.unwrap();
        let (role, asked) = (given.grant.id(), given.countersignature.unwrap());
        roles::take_back(&people.fleet, &emma.1, role, None, now()).await.unwrap();
        answer(&people, &emma.1, asked, now()).await.unwrap_err();
        assert!(!approves(&people, paul.0, now().plus(days(2))).await);
    }
}

#[tokio::test]
async fn c3_1_7_a_right_to_approve_is_asked_again_by_its_giver_when_nobody_answered() {
    for engine in engines() {
        let people = People::new(engine).await;
        let emma = people.someone(Employer::Departement, "emma", &[Role::Administrator]).await;
        let paul = people.someone(Employer::Departement, "paul", &[Role::Operator]).await;
        let given = give(&people, &people.operator, paul.0, Role::Approver, None).await.unwrap();
        let (role, late) = (given.grant.id(), now().plus(days(8)));
        let (camille, emma) =
            (people.session(people.camille, late).await, people.session(emma.0, late).await);
        answer(&people, &emma, given.countersignature.unwrap(), late).await.unwrap_err();
        let again = async |by: &Principal| {
            roles::ask_again(&people.fleet, by, role, "nobody saw it".into(), late).await
        };
        let theirs = again(&emma).await;
        assert!(matches!(theirs, Err(Refusal::NotConfirmed(_))), "{theirs:?}");
        let asked = again(&camille).await.unwrap();
        answer(&people, &emma, asked, late).await.unwrap();
        assert!(approves(&people, paul.0, late.plus(days(1))).await);
    }
}

#[tokio::test]
async fn c3_1_7_nobody_gives_a_role_to_themselves_nor_to_another_organisation() {
    for engine in engines() {
        let people = People::new(engine).await;
        let anne = people.someone(Employer::Academie, "anne", &[Role::Administrator]).await;
        let oneself = give(&people, &people.operator, people.camille, Role::Dpo, None).await;
        assert!(matches!(oneself, Err(Refusal::NotGranted(NotGranted::Oneself))), "{oneself:?}");
        let theirs = give(&people, &people.operator, anne.0, Role::Auditor, None).await;
        assert!(matches!(theirs, Err(Refusal::NotFound { .. })), "{theirs:?}");
        let unknown = RoleGrantId::new(now());
        let nothing = roles::take_back(&people.fleet, &people.operator, unknown, None, now()).await;
        assert!(matches!(nothing, Err(Refusal::NotFound { .. })));
        // Nor is the last one who could give any left without.
        let shown = crate::accounts::show(&people.fleet, &anne.1, Named::Id(anne.0), now()).await.unwrap();
        let last = roles::take_back(&people.fleet, &anne.1, shown.roles[0].id(), None, now()).await;
        assert!(matches!(last, Err(Refusal::NotRevoked(NotRevoked::LastManager))), "{last:?}");
        assert!(people.audit().await.is_empty(), "what is refused leaves no trace of a change");
    }
}

#[tokio::test]
async fn a_technician_is_given_colleges_that_there_are() {
    for engine in engines() {
        let people = People::new(engine).await;
        let lea = people.someone(Employer::Departement, "lea", &[]).await;
        people.someone(Employer::College("0761234A".parse().unwrap()), "head", &[Role::Head]).await;
        let everywhere = give(&people, &people.operator, lea.0, Role::Ati, None).await;
        assert!(matches!(everywhere, Err(Refusal::NotGranted(NotGranted::Reach { .. }))), "{everywhere:?}");
        let nowhere = give(&people, &people.operator, lea.0, Role::Ati, Some(&["0769999Z"])).await;
        assert!(matches!(nowhere, Err(Refusal::Invalid { field: "colleges", .. })), "{nowhere:?}");
        give(&people, &people.operator, lea.0, Role::Ati, Some(&["0761234A"])).await.unwrap();
        let twice = give(&people, &people.operator, lea.0, Role::Ati, Some(&["0761234A"])).await;
        assert!(matches!(twice, Err(Refusal::NotGranted(NotGranted::Already { .. }))), "{twice:?}");
    }
}
