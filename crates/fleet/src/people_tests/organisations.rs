//! Organisations and school years: created by the département, decided by each collège for itself.

use std::fmt::Write as _;

use governance::{HomeUse, OrganisationState};
use testkit::people::Employer;
use types::{Day, Role, RuleId, Secret};

use super::fixture::{People, engines, now};
use crate::accounts::Named as Account;
use crate::organisations::{self, Decisions, Kind, Named, Network};
use crate::page::Page;
use crate::school_years::{self, Dates};
use crate::{Principal, Refusal};

const HERE: &str = "0761234A";
const THERE: &str = "0767777B";

fn college(uai: &str) -> Named {
    uai.parse().unwrap()
}

fn employer(uai: &str) -> Employer {
    Employer::College(uai.parse().unwrap())
}

async fn count(people: &People) -> usize {
    let page = Page::read(None, Some(500)).unwrap();
    organisations::list(&people.fleet, &people.operator, page, now()).await.unwrap().items.len()
}

#[tokio::test]
async fn a_departement_imports_all_its_colleges_at_once_and_again() {
    for engine in engines() {
        let people = People::new(engine).await;
        let mut csv = "uai,name\n".to_owned();
        for number in 0..187 {
            writeln!(csv, "076{number:04}A,Collège {number}").unwrap();
        }
        let import = async |csv: &str| {
            organisations::import(&people.fleet, &people.operator, csv.as_bytes(), now()).await.unwrap()
        };
        let first = import(&csv).await;
        assert_eq!((first.created, first.renamed, first.unchanged), (187, 0, 0));
        assert_eq!(count(&people).await, 188, "and the département");
        let again = import(&csv.replace("Collège 7\n", "Collège Rosa-Parks\n")).await;
        assert_eq!((again.created, again.renamed, again.unchanged), (0, 1, 186));
        assert_eq!(people.audit().await, ["organisation.import", "organisation.import"]);
    }
}

#[tokio::test]
async fn every_bad_line_of_a_list_of_colleges_is_named_and_nothing_is_half_done() {
    for engine in engines() {
        let people = People::new(engine).await;
        let import = async |csv: &str| {
            organisations::import(&people.fleet, &people.operator, csv.as_bytes(), now()).await
        };
        let refused = import("uai,name\n0761234A,A\n76,B\n0761235B,\n").await;
        let Err(Refusal::BadInventory(lines)) = refused else { panic!("{refused:?}") };
        assert_eq!(lines.iter().map(|line| line.line).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(count(&people).await, 1, "only the département");

        // A closed collège is not brought back by a list; the new one beside it is not made either.
        import("uai,name\n0761234A,A\n").await.unwrap();
        let closed = OrganisationState::Closed;
        organisations::turn(&people.fleet, &people.operator, college(HERE), closed, None, now())
            .await
            .unwrap();
        let refused = import("uai,name\n0767777B,B\n0761234A,A\n").await;
        let Err(Refusal::BadInventory(lines)) = refused else { panic!("{refused:?}") };
        assert_eq!(lines.iter().map(|line| line.line).collect::<Vec<_>>(), [3]);
        assert_eq!(count(&people).await, 2);
    }
}

#[tokio::test]
async fn there_is_one_academie_and_one_college_for_a_code_and_the_departement_stays() {
    for engine in engines() {
        let people = People::new(engine).await;
        let create =
            async |kind| organisations::create(&people.fleet, &people.operator, kind, "A name", now()).await;
        for kind in [Kind::Academie, Kind::College(HERE.parse().unwrap())] {
            create(kind.clone()).await.unwrap();
            assert!(matches!(create(kind).await, Err(Refusal::Conflict(_))));
        }
        let page = Page::default();
        let all = organisations::list(&people.fleet, &people.operator, page, now()).await.unwrap().items;
        let closed = OrganisationState::Closed;
        let departement = Named::Id(all[0].id);
        let refused =
            organisations::turn(&people.fleet, &people.operator, departement, closed, None, now()).await;
        assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
        let renamed = organisations::rename(
            &people.fleet,
            &people.operator,
            college(HERE),
            "Collège Rosa-Parks",
            now(),
        );
        assert_eq!(renamed.await.unwrap().name, "Collège Rosa-Parks");
    }
}

#[tokio::test]
async fn t_c14_the_accounts_of_a_closed_college_can_do_nothing_until_it_takes_part_again() {
    for engine in engines() {
        let people = People::new(engine).await;
        let head = people.someone(employer(HERE), "head", &[Role::Head]).await;
        let turn = async |state| {
            organisations::turn(&people.fleet, &people.operator, college(HERE), state, None, now())
                .await
                .unwrap()
        };
        let look = async || organisations::show(&people.fleet, &head.1, college(HERE), now()).await;
        look().await.unwrap();
        turn(OrganisationState::Closed).await;
        assert_eq!(look().await.unwrap_err().code(), "not-allowed");
        turn(OrganisationState::Active).await;
        look().await.unwrap();
    }
}

#[tokio::test]
async fn c3_3_3_c3_3_5_a_head_decides_for_their_own_college_and_nobody_else_does() {
    for engine in engines() {
        let people = People::new(engine).await;
        let head = people.someone(employer(HERE), "head", &[Role::Head]).await;
        let other = people.someone(employer(THERE), "other", &[Role::Head]).await;
        let decide = async |by: &Principal, decisions: Decisions| {
            organisations::decide(&people.fleet, by, college(HERE), decisions, now()).await
        };
        let home = || Decisions { home_use: Some(HomeUse::Allowed), ..Default::default() };
        let charter = |day| Decisions { charter_adopted_on: Some(day), ..Default::default() };
        assert_eq!(decide(&people.operator, home()).await.unwrap_err().code(), "not-allowed");
        // T-C1: the other collège does not exist for its neighbour.
        assert!(matches!(decide(&other.1, home()).await, Err(Refusal::NotFound { .. })));
        assert_eq!(decide(&head.1, home()).await.unwrap().home_use, HomeUse::Allowed);

        let today = Day::of(now());
        let adopted = decide(&head.1, charter(Some(today))).await.unwrap();
        assert_eq!((adopted.home_use, adopted.charter_adopted_on), (HomeUse::Allowed, Some(today)));
        let tomorrow = decide(&head.1, charter(Some(today.plus(1)))).await;
        assert!(matches!(tomorrow, Err(Refusal::Invalid { field: "charter_adopted_on", .. })));
        assert_eq!(decide(&head.1, charter(None)).await.unwrap().charter_adopted_on, None);
        let made = people.audit().await;
        assert_eq!(made.iter().filter(|action| *action == "organisation.decide").count(), 3);
    }
}

#[tokio::test]
async fn c3_3_1_a_referent_is_one_of_the_colleges_own_accounts() {
    for engine in engines() {
        let people = People::new(engine).await;
        let head = people.someone(employer(HERE), "head", &[Role::Head]).await;
        let moreau = people.someone(employer(HERE), "moreau", &[Role::Referent]).await;
        people.someone(employer(THERE), "elsewhere", &[Role::Referent]).await;
        let name = async |login: &str| {
            let referent: Account = login.parse().unwrap();
            let decisions = Decisions { referent: Some(Some(referent)), ..Default::default() };
            organisations::decide(&people.fleet, &head.1, college(HERE), decisions, now()).await
        };
        for stranger in ["elsewhere", "nobody"] {
            let refused = name(stranger).await.unwrap_err();
            assert_eq!(refused.rule(), Some(RuleId::C3_3_1), "{refused}");
        }
        assert_eq!(name("moreau").await.unwrap().referent_account_id, Some(moreau.0));
        let shown = organisations::show(&people.fleet, &head.1, college(HERE), now()).await.unwrap();
        let leaders: Vec<_> = shown.leaders.iter().map(|leader| (leader.role, leader.account)).collect();
        assert_eq!(leaders, [(Role::Head, head.0), (Role::Referent, moreau.0)]);
    }
}

#[tokio::test]
async fn t_c11_a_network_is_sealed_and_never_shown_again() {
    for engine in engines() {
        let people = People::new(engine).await;
        let head = people.someone(employer(HERE), "head", &[Role::Head]).await;
        let set = async |ssid: &str, passphrase: Option<&str>| {
            let passphrase = passphrase.map(|text| Secret::new(text.to_owned()));
            let network = Network { ssid: ssid.into(), passphrase, hidden: false };
            organisations::set_network(&people.fleet, &head.1, college(HERE), network, now()).await
        };
        for (ssid, passphrase) in [
            ("", None),
            (&*"é".repeat(17), None),
            ("Tablettes", Some("short")),
            ("Tablettes", Some("motdepassé")),
        ] {
            let refused = set(ssid, passphrase).await;
            assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{ssid} {refused:?}");
        }
        let shown = async || organisations::show(&people.fleet, &head.1, college(HERE), now()).await.unwrap();
        assert!(!shown().await.has_network);
        set("Tablettes", Some("un secret de salle")).await.unwrap();
        let seen = shown().await;
        assert!(seen.has_network && !format!("{seen:?}").contains("secret de salle"));
        let entries = people
            .fleet
            .store()
            .read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 1_000))
            .await
            .unwrap();
        let told = format!("{entries:?}");
        assert!(!told.contains("secret de salle") && !told.contains("Tablettes"), "{told}");
        organisations::forget_network(&people.fleet, &head.1, college(HERE), now()).await.unwrap();
        assert!(!shown().await.has_network);
    }
}

#[tokio::test]
async fn school_years_follow_one_another_with_their_summers() {
    for engine in engines() {
        let people = People::new(engine).await;
        let dates = |days: [&str; 4]| {
            let [starts_on, ends_on, summer_starts_on, summer_ends_on] = days.map(|day| day.parse().unwrap());
            Dates { starts_on, ends_on, summer_starts_on, summer_ends_on }
        };
        let set = async |by: &Principal, label: &str, days: [&str; 4]| {
            school_years::set(&people.fleet, by, label, dates(days), now()).await
        };
        let first = ["2026-09-01", "2027-07-03", "2027-07-04", "2027-08-31"];
        assert!(set(&people.operator, "2026-2027", first).await.unwrap());
        assert!(!set(&people.operator, "2026-2027", first).await.unwrap(), "nothing changed");
        let misnamed = set(&people.operator, "2027-2028", first).await;
        assert!(matches!(misnamed, Err(Refusal::Invalid { field: "label", .. })));
        // The next one may not begin in the summer break of this one.
        let early = ["2027-08-25", "2028-07-03", "2028-07-04", "2028-08-31"];
        assert!(matches!(set(&people.operator, "2027-2028", early).await, Err(Refusal::Conflict(_))));
        let next = ["2027-09-01", "2028-07-03", "2028-07-04", "2028-08-31"];
        assert!(set(&people.operator, "2027-2028", next).await.unwrap());
        let backwards = ["2029-09-01", "2029-07-03", "2029-07-04", "2029-08-31"];
        assert!(matches!(
            set(&people.operator, "2029-2029", backwards).await,
            Err(Refusal::Invalid { field: "ends_on", .. })
        ));
        let head = people.someone(employer(HERE), "head", &[Role::Head]).await;
        assert_eq!(set(&head.1, "2026-2027", first).await.unwrap_err().code(), "not-allowed");
        let listed = school_years::list(&people.fleet, &head.1, Page::default(), now()).await.unwrap();
        let labels: Vec<_> = listed.items.into_iter().map(|year| year.label).collect();
        assert_eq!(labels, ["2027-2028", "2026-2027"]);
    }
}

#[tokio::test]
async fn t_c22_pages_of_organisations_lose_and_repeat_none() {
    for engine in engines() {
        let people = People::new(engine).await;
        let mut csv = "uai,name\n".to_owned();
        for number in 0..25 {
            writeln!(csv, "076{number:04}A,Collège {number}").unwrap();
        }
        organisations::import(&people.fleet, &people.operator, csv.as_bytes(), now()).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = Page::read(after.as_deref(), Some(7)).unwrap();
            let part = organisations::list(&people.fleet, &people.operator, page, now()).await.unwrap();
            seen.extend(part.items.into_iter().map(|organisation| organisation.id));
            match part.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((seen.len(), &once), (26, &seen));
    }
}
