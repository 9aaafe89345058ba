//! What a collège adds beside what is decided jointly, the apps that layers name, and what waits or is passed over.

#![expect(clippy::disallowed_methods, reason = "tests act as the calendar, too")]

use governance::AccountState;
use store::profile_versions::VersionState as State;
use testkit::people::Employer;
use types::{Day, Instant, Role, RuleId, Secret};

use super::fixture::{days, engines, now};
use super::profiles::{BASE, Cast, EMERGENCY, HERE, PUPIL, base, college, id, waves};
use crate::page::Page;
use crate::profiles::{self, Shown, Wanted, When};
use crate::{Principal, Refusal};

/// A collège's network, and what the base would have to say against it.
fn network(password: &str) -> String {
    format!("\n[[wifi]]\nssid = \"Salle\"\nsecurity = \"wpa2\"\npassword = \"{password}\"\n")
}

/// The base with that network; everything else stays.
fn base_with(network: &str) -> Secret<String> {
    Secret::new(format!("{BASE}{network}"))
}

impl Cast {
    async fn college_publishes(&self, text: Secret<String>) -> Result<Shown, Refusal> {
        let fleet = &self.people.fleet;
        let draft = profiles::draft(fleet, &self.head.1, text, now()).await?;
        profiles::submit(fleet, &self.head.1, id(&draft), "room 4", now()).await?;
        profiles::publish(fleet, &self.head.1, id(&draft), When::default(), now()).await
    }

    async fn suspended(&self, shown: &Shown) -> Option<String> {
        let shown = profiles::show(&self.people.fleet, &self.author, id(shown), now()).await.unwrap();
        shown.line.suspended.map(|(why, _since)| why)
    }

    /// The open alarms that this person sees, by kind.
    async fn alarms(&self, by: &Principal) -> Vec<String> {
        let listed = crate::alarms::list(&self.people.fleet, by, None, now()).await.unwrap();
        listed.into_iter().map(|alarm| alarm.kind).collect()
    }
}

#[tokio::test]
async fn c3_1_3_a_colleges_layer_is_suspended_and_never_keeps_the_joint_base_from_taking_effect() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let first = cast.published(base(1)).await;
        let theirs = cast.college_publishes(college(HERE, &network("quatre-vingts"))).await.unwrap();
        assert_eq!(cast.in_force().await, [id(&first), id(&theirs)]);
        // The new base says something else of the same network: it takes effect, and theirs is suspended in the open.
        let second = cast.published(base_with(&network("une-autre-phrase"))).await;
        assert_eq!(cast.in_force().await, [id(&second)]);
        assert_eq!(cast.state(id(&theirs)).await, State::Published);
        let why = cast.suspended(&theirs).await.unwrap();
        assert!(why.contains("Salle") && !why.contains("quatre-vingts"), "{why}");
        assert_eq!(cast.alarms(&cast.head.1).await, ["layer-suspended"], "its head sees it");
        assert_eq!(cast.alarms(&cast.author).await, ["layer-suspended"], "and the département");
        let of = Employer::College("0767777B".parse().unwrap());
        let (_, neighbour) = cast.people.someone(of, "nora", &[Role::Head]).await;
        assert!(cast.alarms(&neighbour).await.is_empty());
        assert!(cast.people.audit().await.contains(&"profile.suspend".to_owned()));
        // Their own next publication is held against the base, as ever.
        let again = cast.college_publishes(college(HERE, &network("quatre-vingts-dix"))).await;
        assert!(matches!(again, Err(Refusal::DoesNotFit(_))), "{again:?}");
        // Once they go together again, it is given again, and the alarm is over.
        let third = cast.published(base(3)).await;
        assert_eq!(cast.in_force().await, [id(&third), id(&theirs)]);
        assert_eq!(cast.suspended(&theirs).await, None);
        assert!(cast.alarms(&cast.head.1).await.is_empty());
        // Or the collège publishes another.
        cast.published(base_with(&network("une-autre-phrase"))).await;
        assert!(cast.suspended(&theirs).await.is_some());
        let other = cast.college_publishes(college(HERE, "\n# none\n")).await.unwrap();
        assert!(cast.in_force().await.contains(&id(&other)));
        assert!(cast.alarms(&cast.head.1).await.is_empty());
        assert!(cast.suspended(&theirs).await.is_none());
    }
}

#[tokio::test]
async fn c3_1_3_an_ordered_emergency_base_suspends_a_colleges_layer_while_it_is_in_force() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let theirs = cast.college_publishes(college(HERE, &network("quatre-vingts"))).await.unwrap();
        let emergency = Secret::new(format!("{EMERGENCY}{}", network("une-autre-phrase")));
        let prepared = cast.published(emergency).await;
        assert_eq!(cast.suspended(&theirs).await, None, "prepared, it concerns nobody");
        let today = Day::of(now());
        let wanted = |colleges: &[&str]| Wanted {
            base: id(&prepared),
            colleges: colleges.iter().map(|uai| uai.parse().unwrap()).collect(),
            reason: "the schools are closed".into(),
            starts_on: today,
            ends_on: today.plus(9),
            renews: None,
            instead_of: [].into(),
        };
        let order = profiles::order_emergency(fleet, &cast.head.1, wanted(&[HERE]), now()).await.unwrap();
        assert!(cast.suspended(&theirs).await.is_some());
        profiles::end_emergency(fleet, &cast.head.1, order.order.id, "open again", now()).await.unwrap();
        assert_eq!(cast.suspended(&theirs).await, None);
        // One that ends with its last day lets it go with the calendar's next walk.
        profiles::order_emergency(fleet, &cast.head.1, wanted(&[HERE]), now()).await.unwrap();
        assert!(cast.suspended(&theirs).await.is_some());
        let calendar = Principal::calendar();
        crate::segments::follow(fleet, &calendar, now().plus(days(11))).await.unwrap();
        assert_eq!(cast.suspended(&theirs).await, None);
    }
}

#[tokio::test]
async fn c3_1_2_what_two_sign_names_the_apps_that_are_given_out() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let named = |bundle: &str, from: &str| {
            Secret::new(format!("{BASE}\n[[app]]\nbundle = \"{bundle}\"\nname = \"App\"\n{from}\n"))
        };
        let draft = cast.draft(named("fr.example.maths", "store = \"100000001\"")).await;
        let refused = profiles::submit(fleet, &cast.author, id(&draft), "x", now()).await.unwrap_err();
        assert_eq!(refused.rule(), Some(RuleId::C3_1_2));
        let Refusal::DoesNotFit(wrong) = &refused else { panic!("{refused:?}") };
        let line = BASE.lines().count() + 2;
        assert!(wrong[0].to_string().contains(&format!("line {line}")), "{}", wrong[0]);
        assert!(wrong[0].to_string().contains("ardoise app add"), "{}", wrong[0]);
        cast.people.offers(draft.text.expose()).await;
        let shown = profiles::submit(fleet, &cast.author, id(&draft), "x", now()).await.unwrap();
        cast.approves(&cast.departement.1, &shown).await.unwrap();
        // Withdrawn while it waits: nobody signs it any more.
        let listed = crate::apps::list(fleet, &cast.author, false, Page::default(), now()).await.unwrap();
        let app = listed.items.iter().find(|app| app.bundle == "fr.example.maths").unwrap().id;
        crate::apps::withdraw(fleet, &cast.author, app, None, now()).await.unwrap();
        assert!(matches!(cast.approves(&cast.academie.1, &shown).await, Err(Refusal::DoesNotFit(_))));
        cast.people.offers(draft.text.expose()).await;
        let approved = cast.approves(&cast.academie.1, &shown).await.unwrap();
        // And once more before the day: it is not published then, with an alarm.
        let when = When { at: Some(now().plus(days(3))), plan: None };
        cast.publishes(&approved, when).await.unwrap();
        let listed = crate::apps::list(fleet, &cast.author, false, Page::default(), now()).await.unwrap();
        let app = listed.items.iter().find(|app| app.bundle == "fr.example.maths").unwrap().id;
        crate::apps::withdraw(fleet, &cast.author, app, None, now()).await.unwrap();
        let calendar = Principal::calendar();
        assert_eq!(profiles::publish_due(fleet, &calendar, now().plus(days(4))).await.unwrap(), 1);
        assert_eq!(cast.state(id(&approved)).await, State::Withdrawn);
        assert_eq!(cast.alarms(&cast.author).await, ["publication-refused"]);
    }
}

#[tokio::test]
async fn what_tablets_still_have_during_a_roll_out_is_looked_at_too() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        // The base before has a network; the one that comes has not, and tablets elsewhere still have the former.
        let first = cast.published(base_with(&network("quatre-vingts"))).await;
        let second = cast.approved(base(2)).await;
        cast.publishes(&second, When { at: None, plan: Some(waves()) }).await.unwrap();
        let pupils = Secret::new(format!("{PUPIL}{}", network("une-autre-phrase")));
        let draft = cast.draft(pupils).await;
        let refused = profiles::submit(fleet, &cast.author, id(&draft), "x", now()).await;
        assert!(matches!(refused, Err(Refusal::DoesNotFit(_))), "{refused:?}");
        // Once everyone has the second, it fits; and then the first is not gone back to.
        let calendar = Principal::calendar();
        for day in [1, 2] {
            profiles::advance_due(fleet, &calendar, now().plus(days(day))).await.unwrap();
        }
        let shown = profiles::submit(fleet, &cast.author, id(&draft), "x", now()).await.unwrap();
        cast.approves(&cast.departement.1, &shown).await.unwrap();
        let shown = cast.approves(&cast.academie.1, &shown).await.unwrap();
        cast.publishes(&shown, When::default()).await.unwrap();
        let back = profiles::roll_back(fleet, &cast.author, id(&second), "a mistake", now()).await;
        assert!(matches!(back, Err(Refusal::DoesNotFit(_))), "{back:?}");
        assert_eq!(cast.state(id(&first)).await, State::Superseded);
    }
}

#[tokio::test]
async fn a_version_that_waits_for_what_people_decide_says_so_and_does_not_keep_the_others() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let of_both = "layer = \"user\"\nfor = [\"pupil\"]\ntitle = \"Élève\"\npurpose = \"x\"\n";
        let overlapping = of_both.replace("[\"pupil\"]", "[\"pupil\", \"teacher\"]");
        let waits = cast.approved(Secret::new(overlapping)).await;
        let next = cast.approved(base(2)).await;
        let when = |at: Instant| When { at: Some(at), plan: None };
        cast.publishes(&waits, when(now().plus(days(2)))).await.unwrap();
        cast.publishes(&next, when(now().plus(days(3)))).await.unwrap();
        cast.published(Secret::new(of_both.to_owned())).await;
        let calendar = Principal::calendar();
        for _round in 0..3 {
            profiles::publish_due(fleet, &calendar, now().plus(days(4))).await.unwrap();
        }
        assert_eq!(cast.state(id(&waits)).await, State::Approved);
        assert_eq!(cast.state(id(&next)).await, State::Published);
        let alarms = crate::alarms::list(fleet, &cast.author, None, now()).await.unwrap();
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!((alarms[0].kind.as_str(), alarms[0].times), ("publication-waits", 1));
        assert!(alarms[0].detail["why"].as_str().unwrap().contains("one kind of user has one layer"));
    }
}

#[tokio::test]
async fn c3_1_3_what_a_head_scheduled_is_not_published_once_they_may_no_more() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let draft = profiles::draft(fleet, &cast.head.1, college(HERE, &network("quatre-vingts")), now())
            .await
            .unwrap();
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        let when = When { at: Some(now().plus(days(2))), plan: None };
        profiles::publish(fleet, &cast.head.1, id(&draft), when, now()).await.unwrap();
        let head = cast.head.0;
        let (active, suspended) = (AccountState::Active, AccountState::Suspended);
        fleet.store().write(move |tx| store::accounts::turn(tx, head, active, suspended)).await.unwrap();
        let calendar = Principal::calendar();
        assert_eq!(profiles::publish_due(fleet, &calendar, now().plus(days(3))).await.unwrap(), 1);
        assert_eq!(cast.state(id(&draft)).await, State::Withdrawn);
        assert_eq!(cast.alarms(&cast.author).await, ["publication-refused"]);
    }
}

#[tokio::test]
async fn what_contradicts_the_base_in_force_is_not_submitted() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        cast.published(base(1)).await;
        let of_both = "layer = \"user\"\nfor = [\"pupil\"]\ntitle = \"Élève\"\npurpose = \"x\"\n";
        cast.published(Secret::new(of_both.to_owned())).await;
        let overlapping = of_both.replace("[\"pupil\"]", "[\"pupil\", \"teacher\"]");
        let draft = cast.draft(Secret::new(overlapping)).await;
        let refused = profiles::submit(&cast.people.fleet, &cast.author, id(&draft), "x", now()).await;
        assert!(matches!(refused, Err(Refusal::Conflict(_))), "{refused:?}");
    }
}
