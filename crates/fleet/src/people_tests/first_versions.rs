//! The first version of a layer, and what else a new user of layers meets: waves, collèges that there are not, who takes
//! back what waits, orders that would stand side by side, apps in vain.

#![expect(clippy::disallowed_methods, reason = "tests act as the calendar, too")]

use std::collections::BTreeSet;

use ::profiles::{LayerKey, RolloutPlan, RolloutState, Wave};
use store::profile_versions::{self as rows, VersionState as State};
use testkit::people::Employer;
use types::{Day, EnrolmentId, Instant, Role, RuleId, Secret};

use super::fixture::{OTHER, SERIAL, days, engines, now};
use super::profiles::{BASE, Cast, EMERGENCY, HERE, PUPIL, base, college, id, waves};
use crate::profiles::{self, NotThisOne, Order, Shown, Wanted, When};
use crate::{Principal, Refusal, segments};

pub(super) fn rolled_out() -> When {
    When { at: None, plan: Some(waves()) }
}

impl Cast {
    /// The names of the layers that the two tablets have now: the one of the canary collège, and the other.
    pub(super) async fn have(&self) -> [Vec<LayerKey>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        for (serial, found) in [SERIAL, OTHER].iter().zip(&mut found) {
            let tablet = self.people.tablet(serial).await;
            let of = if *serial == SERIAL { HERE } else { "0767777B" };
            let (store, uai) = (self.people.fleet.store(), of.parse().unwrap());
            let layers = store.read(move |tx| rows::in_force_for(tx, tablet, Some(&uai))).await.unwrap();
            found.extend(layers.into_iter().map(|(layer, _version)| layer));
        }
        found
    }

    /// How many rules the tablet is given; `None` while it is in no segment.
    pub(super) async fn rules(&self, enrolment: EnrolmentId) -> Option<usize> {
        let found =
            self.people.fleet.store().read(move |tx| store::segments::of_enrolment(tx, enrolment)).await;
        found.unwrap().map(|segment| segment.plan().unwrap().rules.len())
    }

    pub(super) async fn follow(&self, at: Instant) {
        segments::follow(&self.people.fleet, &Principal::calendar(), at).await.unwrap();
    }

    /// An enrolled tablet of the canary collège, and one of another.
    pub(super) async fn two_tablets(&self) -> [EnrolmentId; 2] {
        let here = self.people.enrol(SERIAL).await;
        let there = self.people.enrol_with(OTHER, |enrolment| {
            enrolment.udid = Some("00008020-000915083C80012F".parse().unwrap());
        });
        [here, there.await]
    }

    pub(super) async fn orders(
        &self,
        by: &Principal,
        base: &Shown,
        on: (i32, i32),
        at: Instant,
    ) -> Result<Order, Refusal> {
        let today = Day::of(now());
        let wanted = Wanted {
            base: id(base),
            colleges: BTreeSet::from([HERE.parse().unwrap()]),
            reason: "the schools are closed".into(),
            starts_on: today.plus(on.0),
            ends_on: today.plus(on.1),
            renews: None,
            instead_of: [].into(),
        };
        profiles::order_emergency(&self.people.fleet, by, wanted, at).await
    }
}

#[tokio::test]
async fn c3_1_1_a_first_version_that_two_decided_is_taken_away_by_nobody_alone() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let pupils = LayerKey::of(&::profiles::parse("layer", PUPIL).unwrap());
        let shown = cast.approved(Secret::new(PUPIL.to_owned())).await;
        cast.publishes(&shown, rolled_out()).await.unwrap();
        let both = vec![LayerKey::Base, pupils];
        let first_wave = [both.clone(), vec![LayerKey::Base]];
        assert_eq!(cast.have().await, first_wave);
        let rollout =
            profiles::progress(fleet, &cast.author, id(&shown), now()).await.unwrap().unwrap().rollout;
        assert_eq!((rollout.previous_id, rollout.state), (None, RolloutState::Running));
        // While it runs, halted, and once it reached everyone: nothing takes its place but what two decide.
        let refused = async |at: Instant| {
            let back = profiles::roll_back(fleet, &cast.author, id(&shown), "a mistake", at).await;
            let refused = back.unwrap_err();
            assert_eq!(refused.rule(), Some(RuleId::C3_1_1), "{refused}");
            assert!(
                refused.to_string().contains("publish a corrected version that both approved"),
                "{refused}"
            );
            refused.to_string()
        };
        assert!(refused(now()).await.contains(&format!("ardoise profile rollout {} halt", id(&shown))));
        profiles::halt(fleet, &cast.author, id(&shown), "a mistake", now()).await.unwrap();
        assert!(!refused(now()).await.contains("halt"));
        assert_eq!(cast.have().await, first_wave);
        profiles::resume(fleet, &cast.author, id(&shown), "none", now()).await.unwrap();
        for day in [1, 2] {
            profiles::advance_due(fleet, &Principal::calendar(), now().plus(days(day))).await.unwrap();
        }
        refused(now()).await;
        assert_eq!(cast.have().await, [both.clone(), both]);
        assert_eq!(cast.state(id(&shown)).await, State::Published);
    }
}

#[tokio::test]
async fn c3_1_3_a_college_rolls_its_own_first_version_back_and_names_no_other_in_its_waves() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let network = "\n[[wifi]]\nssid = \"Salle\"\nsecurity = \"wpa2\"\npassword = \"quatre-vingts\"\n";
        let draft = profiles::draft(fleet, &cast.head.1, college(HERE, network), now()).await.unwrap();
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        let other = Employer::College("0767777B".parse().unwrap());
        cast.people.someone(other, "hugo", &[Role::Head]).await;
        let named = |uai: &str| {
            let wave = Wave::Colleges(BTreeSet::from([uai.parse().unwrap()]));
            RolloutPlan::new(vec![wave, Wave::Everyone], 24, 100, 1).unwrap()
        };
        let published = |plan: RolloutPlan| {
            profiles::publish(fleet, &cast.head.1, id(&draft), When { at: None, plan: Some(plan) }, now())
        };
        let refused = published(named("0767777B")).await.unwrap_err();
        assert!(matches!(refused, Refusal::Invalid { field: "waves", .. }), "{refused:?}");
        assert!(refused.to_string().contains("its own tablets only: leave out 0767777B"), "{refused}");
        published(named(HERE)).await.unwrap();
        let theirs = LayerKey::College(HERE.parse().unwrap());
        assert_eq!(cast.have().await[0], [LayerKey::Base, theirs]);
        profiles::roll_back(fleet, &cast.head.1, id(&draft), "a mistake", now()).await.unwrap();
        assert_eq!(cast.have().await[0], [LayerKey::Base]);
        assert_eq!(cast.state(id(&draft)).await, State::Withdrawn);
    }
}

#[tokio::test]
async fn c3_1_1_a_corrected_base_replaces_a_halted_first_one_everywhere_and_no_tablet_is_without_what_it_had()
{
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, there] = cast.two_tablets().await;
        cast.follow(now()).await;
        assert_eq!(
            (cast.rules(here).await, cast.rules(there).await),
            (None, None),
            "nothing was ever decided"
        );
        let bad = cast.approved(base(1)).await;
        let plan = profiles::plan(fleet, &cast.author, id(&bad), Some(waves()), now()).await.unwrap();
        assert_eq!((plan.waves[0], plan.waves[2], plan.in_force), (1, 2, false));
        assert!(!plan.everywhere_at_once);
        cast.publishes(&bad, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        let given = cast.rules(here).await.unwrap();
        assert!(given > 10, "{given}");
        assert_eq!(cast.rules(there).await, Some(0), "as the plan said");
        profiles::halt(fleet, &cast.author, id(&bad), "a mistake", now()).await.unwrap();
        // The next one goes to everyone at once, and waves for it are refused.
        let corrected = cast.approved(base(2)).await;
        let planned = profiles::plan(fleet, &cast.author, id(&corrected), Some(waves()), now()).await;
        let published = cast.publishes(&corrected, rolled_out()).await;
        for refused in [planned.unwrap_err(), published.unwrap_err()] {
            assert!(matches!(refused, Refusal::Conflict(_)), "{refused:?}");
            assert!(refused.to_string().contains("publish it without waves"), "{refused}");
        }
        let plan = profiles::plan(fleet, &cast.author, id(&corrected), None, now()).await.unwrap();
        assert!(plan.everywhere_at_once);
        cast.follow(now()).await;
        assert_eq!(cast.rules(here).await, Some(given));
        cast.publishes(&corrected, When::default()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!((cast.rules(here).await, cast.rules(there).await), (Some(given), Some(given)));
        assert_eq!(cast.in_force().await, [id(&corrected)]);
        assert_eq!(cast.state(id(&bad)).await, State::Superseded);
        let ended = profiles::progress(fleet, &cast.author, id(&bad), now()).await.unwrap().unwrap().rollout;
        assert_eq!((ended.state, ended.ended_at), (RolloutState::Replaced, Some(now())));
        assert_eq!(profiles::progress(fleet, &cast.author, id(&corrected), now()).await.unwrap(), None);
        // What stands still no more is neither resumed nor rolled back.
        let resumed = profiles::resume(fleet, &cast.author, id(&bad), "x", now()).await;
        assert!(matches!(resumed, Err(Refusal::Conflict(_))), "{resumed:?}");
        // And the one after it comes in waves again.
        let next = cast.approved(base(3)).await;
        cast.publishes(&next, rolled_out()).await.unwrap();
    }
}

#[tokio::test]
async fn c5_3_7_an_emergency_order_is_in_force_on_tablets_that_the_first_base_has_not_reached() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let [here, there] = cast.two_tablets().await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        cast.orders(&cast.head.1, &prepared, (0, 9), now()).await.unwrap();
        // Before there is a base at all, and while one is rolled out.
        cast.follow(now()).await;
        let ordered = cast.rules(here).await.unwrap();
        assert!(ordered > 10, "{ordered}");
        assert_eq!(cast.rules(there).await, Some(0), "the order is for the other collège");
        let shown = cast.approved(base(1)).await;
        cast.publishes(&shown, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!((cast.rules(here).await, cast.rules(there).await), (Some(ordered), Some(0)));
    }
}

#[tokio::test]
async fn a_college_that_there_is_not_is_in_no_wave() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let shown = cast.approved(base(1)).await;
        let nowhere = Wave::Colleges(BTreeSet::from([HERE.parse().unwrap(), "0760000Z".parse().unwrap()]));
        let plan = RolloutPlan::new(vec![nowhere, Wave::Everyone], 24, 100, 1).unwrap();
        let planned = profiles::plan(fleet, &cast.author, id(&shown), Some(plan.clone()), now()).await;
        let published = cast.publishes(&shown, When { at: None, plan: Some(plan) }).await;
        for refused in [planned.unwrap_err(), published.unwrap_err()] {
            assert!(matches!(refused, Refusal::Invalid { field: "waves", .. }), "{refused:?}");
            assert!(refused.to_string().contains("no collège 0760000Z"), "{refused}");
        }
        assert_eq!(cast.state(id(&shown)).await, State::Approved);
    }
}

#[tokio::test]
async fn c3_1_1_what_waits_for_two_is_taken_back_by_its_author_or_who_may_approve() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let (_, administrator) =
            cast.people.someone(Employer::Academie, "armand", &[Role::Administrator]).await;
        let (_, operator) = cast.people.someone(Employer::Departement, "oscar", &[Role::Operator]).await;
        let submitted = cast.submitted(base(1)).await;
        let approved = cast.approved(base(2)).await;
        let emergency = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        for shown in [&submitted, &approved, &emergency] {
            for by in [&administrator, &operator] {
                let refused = profiles::withdraw(fleet, by, id(shown), "x", now()).await.unwrap_err();
                assert_eq!(refused.rule(), Some(RuleId::C3_1_1), "{refused}");
                assert!(refused.to_string().contains("somebody who may approve"), "{refused}");
            }
        }
        // Nor does writing another text over it.
        for shown in [&submitted, &approved] {
            let edited = profiles::edit(fleet, &administrator, id(shown), base(9), now()).await;
            assert_eq!(edited.unwrap_err().rule(), Some(RuleId::C3_1_1));
        }
        assert_eq!(cast.state(id(&submitted)).await, State::Submitted);
        assert_eq!(cast.state(id(&approved)).await, State::Approved);
        profiles::withdraw(fleet, &cast.author, id(&submitted), "a slip", now()).await.unwrap();
        profiles::withdraw(fleet, &cast.academie.1, id(&approved), "not yet", now()).await.unwrap();
        profiles::withdraw(fleet, &cast.departement.1, id(&emergency), "old", now()).await.unwrap();
        // A draft is nobody's decision: a colleague goes on with it.
        let draft = cast.draft(base(3)).await;
        let theirs = profiles::edit(fleet, &operator, id(&draft), base(4), now()).await.unwrap();
        assert_eq!(
            (cast.state(id(&draft)).await, theirs.line.version.state),
            (State::Withdrawn, State::Draft)
        );
    }
}

#[tokio::test]
async fn a_version_that_waits_says_who_may_approve_it_and_from_when_on() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let both = [Role::Operator, Role::Approver];
        let (_, writer) = cast.people.someone(Employer::Departement, "wilfried", &both).await;
        let fleet = &cast.people.fleet;
        let draft = profiles::draft(fleet, &writer, base(1), now()).await.unwrap();
        let told = |shown: &Shown| {
            let of = |it: &profiles::MayApprove| (it.login.clone(), it.but);
            shown.may_approve.iter().map(of).collect::<Vec<_>>()
        };
        let elsewhere = |shown: &Shown| {
            let of = |it: &profiles::ElsewhereApprove| (it.organisation.clone(), it.now);
            shown.elsewhere_approve.iter().map(of).collect::<Vec<_>>()
        };
        // Of their own organisation people are named; of the other, it is said how many.
        let all = [("denis".to_owned(), None), ("wilfried".to_owned(), Some(NotThisOne::Author))];
        let one = [("academie".to_owned(), 1)];
        assert_eq!((told(&draft), elsewhere(&draft)), (all.to_vec(), one.to_vec()));
        assert!(draft.elsewhere_approve[0].from.is_some_and(|from| from <= now()));
        assert!(draft.may_approve.iter().all(|it| it.from.is_some_and(|from| from <= now())));
        let shown = profiles::submit(fleet, &writer, id(&draft), "september", now()).await.unwrap();
        assert_eq!((told(&shown), elsewhere(&shown)), (all.to_vec(), one.to_vec()));
        cast.approves(&cast.departement.1, &shown).await.unwrap();
        let half = profiles::show(fleet, &writer, id(&shown), now()).await.unwrap();
        assert_eq!((told(&half), elsewhere(&half)), (Vec::new(), one.to_vec()));
        // Whoever writes no such layer is not told who works where; and once it is decided, nobody needs to be.
        let seen = profiles::show(fleet, &cast.head.1, id(&shown), now()).await.unwrap();
        assert!(seen.may_approve.is_empty() && seen.elsewhere_approve.is_empty());
        cast.approves(&cast.academie.1, &shown).await.unwrap();
        let decided = profiles::show(fleet, &writer, id(&shown), now()).await.unwrap();
        assert!(decided.may_approve.is_empty() && decided.elsewhere_approve.is_empty());
    }
}

#[tokio::test]
async fn c5_3_7_of_two_orders_for_one_college_the_second_is_a_renewal_or_refused() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let given = cast.orders(&cast.head.1, &prepared, (0, 19), now()).await.unwrap();
        // Neither the head nor the académie gives another beside it; nor for all collèges.
        for by in [&cast.head.1, &cast.academie.1] {
            let refused = cast.orders(by, &prepared, (5, 30), now()).await.unwrap_err();
            assert_eq!(refused.rule(), Some(RuleId::C5_3_7));
            assert!(refused.to_string().contains(&format!("--renews {}", given.order.id)), "{refused}");
        }
        let today = Day::of(now());
        let everywhere = Wanted {
            base: id(&prepared),
            colleges: BTreeSet::new(),
            reason: "everywhere".into(),
            starts_on: today,
            ends_on: today.plus(1),
            renews: None,
            instead_of: [].into(),
        };
        let refused =
            profiles::order_emergency(fleet, &cast.academie.1, everywhere, now()).await.unwrap_err();
        assert_eq!(refused.rule(), Some(RuleId::C5_3_7));
        // The day after it, thirty days in all are left without a renewal.
        let late = now().plus(days(14));
        let chief = cast.people.session(cast.academie.0, late).await;
        let long = cast.orders(&chief, &prepared, (20, 30), late).await.unwrap_err();
        assert!(long.to_string().contains("31 days on end"), "{long}");
        // A renewal may; and whoever ends the first is told that it goes on by the other.
        let renewal = Wanted {
            base: id(&prepared),
            colleges: given.order.uais.clone(),
            reason: "still closed".into(),
            starts_on: today.plus(18),
            ends_on: today.plus(40),
            renews: Some(given.order.id),
            instead_of: [].into(),
        };
        let renewal = profiles::order_emergency(fleet, &chief, renewal, late).await.unwrap();
        let ended = profiles::end_emergency(fleet, &chief, given.order.id, "open again", late).await.unwrap();
        assert_eq!(ended.goes_on_by, [renewal.order.id]);
        let ended =
            profiles::end_emergency(fleet, &chief, renewal.order.id, "open again", late).await.unwrap();
        assert_eq!(ended.goes_on_by, []);
    }
}

#[tokio::test]
async fn c3_1_3_a_college_adds_no_app_that_the_base_blocks() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let blocked = ::profiles::parse("layer", BASE).unwrap().blocked().keys().next().unwrap().to_string();
        let app = |bundle: &str| {
            let app = format!("\n[[app]]\nbundle = \"{bundle}\"\nname = \"App\"\nstore = \"100000001\"\n");
            college(HERE, &app)
        };
        let text = app(&blocked);
        cast.people.offers(text.expose()).await;
        let draft = profiles::draft(fleet, &cast.head.1, text, now()).await.unwrap();
        // Before there is a base nothing is blocked.
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        cast.published(base(1)).await;
        let published = profiles::publish(fleet, &cast.head.1, id(&draft), When::default(), now()).await;
        let again = profiles::draft(fleet, &cast.head.1, app(&blocked), now()).await.unwrap();
        let submitted = profiles::submit(fleet, &cast.head.1, id(&again), "room 4", now()).await;
        for refused in [published.unwrap_err(), submitted.unwrap_err()] {
            assert_eq!(refused.rule(), Some(RuleId::C3_1_3));
            let Refusal::DoesNotFit(wrong) = &refused else { panic!("{refused:?}") };
            let told = wrong[0].to_string();
            assert!(
                told.contains(&blocked) && told.contains("collège") && told.contains("the base"),
                "{told}"
            );
        }
        // A base that blocks it later takes it from everyone, and leaves the collège's layer as it is.
        let other = app("fr.example.maths");
        cast.people.offers(other.expose()).await;
        let draft = profiles::draft(fleet, &cast.head.1, other, now()).await.unwrap();
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        profiles::publish(fleet, &cast.head.1, id(&draft), When::default(), now()).await.unwrap();
        let list = "[blocked-apps]\nbundles = [\n";
        let more = BASE.replacen(list, &format!("{list}    \"fr.example.maths\",\n"), 1);
        assert_ne!(more, BASE);
        cast.published(Secret::new(more)).await;
        assert_eq!(cast.in_force().await.len(), 2);
    }
}

#[tokio::test]
async fn what_differs_from_nothing_is_everything_and_what_is_in_force_differs_from_nothing_else() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let shown = cast.approved(base(1)).await;
        let diff = || profiles::diff(fleet, &cast.author, (None, id(&shown)), now());
        let before = diff().await.unwrap();
        assert_eq!((before.before, before.in_force), (None, false));
        assert!(before.changes.len() > 10, "{:?}", before.changes);
        cast.publishes(&shown, When::default()).await.unwrap();
        let after = diff().await.unwrap();
        assert_eq!((after.before, after.in_force, after.changes.len()), (None, true, 0));
        let plan = profiles::plan(fleet, &cast.author, id(&shown), None, now()).await.unwrap();
        assert_eq!((plan.in_force, plan.replaces), (true, None));
        let next = cast.draft(base(2)).await;
        let plan = profiles::plan(fleet, &cast.author, id(&next), None, now()).await.unwrap();
        assert_eq!((plan.in_force, plan.replaces), (false, Some(id(&shown))));
    }
}
