//! Roll-outs and what they never do: take from tablets what two decided, go on untried, or run for what is not in force.

#![expect(clippy::disallowed_methods, reason = "tests act as the calendar, too")]

use std::collections::BTreeMap;

use ::lending::readiness::Obstacle;
use ::profiles::RolloutState;
use store::organisations::OrganisationState;
use store::profile_versions::{self as rows, VersionState as State};
use store::rollouts::{self, Rollout};
use testkit::people::Employer;
use types::{EnrolmentId, Instant, Role, RolloutId, RuleId, Secret, SegmentId};

use super::first_versions::rolled_out;
use super::fixture::{OTHER, SERIAL, days, engines, named, now};
use super::profiles::{Cast, EMERGENCY, HERE, base, college, id, waves};
use crate::profiles::{self, Shown, When};
use crate::segments::{self, Ended, finish, move_by, walk};
use crate::{Principal, Refusal};

impl Cast {
    /// Puts an approved version in force in waves, as the tables took an emergency base before waves were refused for it.
    pub(super) async fn came_in_waves(&self, shown: &Shown) {
        let (of, layer, by) = (id(shown), shown.line.layer.clone(), self.people.camille);
        let plan = waves().to_json();
        let write = move |tx: &mut store::Tx<'_>| {
            let before = rows::published(tx, &layer)?.map(|before| before.id);
            rows::schedule(tx, of, by, (now(), Some(plan.as_str())))?;
            if let Some(before) = before {
                rows::supersede(tx, before, now())?;
            }
            rows::publish(tx, of, now())?;
            let rollout = Rollout {
                id: RolloutId::new(now()),
                version_id: of,
                previous_id: before,
                plan: plan.clone(),
                state: RolloutState::Running,
                wave: 0,
                wave_since: now(),
                reason: None,
                started_by: by,
                started_at: now(),
                ended_at: None,
            };
            rollouts::insert(tx, &rollout)
        };
        self.people.fleet.store().write(write).await.unwrap();
    }

    /// The tablet reported that all it is given is in force.
    pub(super) async fn reports(&self, enrolment: EnrolmentId) {
        let report = move |tx: &mut store::Tx<'_>| {
            let segment = store::segments::of_enrolment(tx, enrolment)?.unwrap();
            store::segments::set_delivered(tx, enrolment, Some(&segment.token))
        };
        self.people.fleet.store().write(report).await.unwrap();
    }

    async fn segment(&self, enrolment: EnrolmentId) -> Option<SegmentId> {
        let found =
            self.people.fleet.store().read(move |tx| store::segments::of_enrolment(tx, enrolment)).await;
        found.unwrap().map(|segment| segment.id)
    }

    /// The versions that the tablet is given.
    async fn given(&self, enrolment: EnrolmentId) -> Vec<types::ProfileVersionId> {
        let segment = self.segment(enrolment).await.unwrap();
        self.people.fleet.store().read(move |tx| store::segments::layers(tx, segment)).await.unwrap()
    }

    /// What the open alarms say of a thing.
    async fn told(&self, of: &str) -> Vec<(String, String)> {
        let listed = crate::alarms::list(&self.people.fleet, &self.author, None, now()).await.unwrap();
        let its = listed.into_iter().filter(|alarm| alarm.subject == of);
        its.map(|alarm| (alarm.kind, alarm.detail["why"].as_str().unwrap_or_default().to_owned())).collect()
    }

    /// What stands in the way of lending it, as its head is told.
    async fn obstacles(&self, head: &Principal, serial: &str) -> Vec<Obstacle> {
        let light =
            crate::lending::handover::readiness(&self.people.fleet, head, named(serial), None, now()).await;
        light.unwrap().obstacles().to_vec()
    }

    /// The head of the other collège.
    async fn neighbour(&self) -> Principal {
        let of = Employer::College("0767777B".parse().unwrap());
        self.people.someone(of, "nora", &[Role::Head]).await.1
    }
}

async fn turns(cast: &Cast, at: Instant) -> usize {
    profiles::advance_due(&cast.people.fleet, &Principal::calendar(), at).await.unwrap()
}

#[tokio::test]
async fn c5_3_7_an_emergency_base_comes_by_its_orders_and_not_by_waves() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let prepared = cast.approved(Secret::new(EMERGENCY.to_owned())).await;
        let planned = profiles::plan(fleet, &cast.author, id(&prepared), Some(waves()), now()).await;
        let published = cast.publishes(&prepared, rolled_out()).await;
        for refused in [planned.unwrap_err(), published.unwrap_err()] {
            assert!(matches!(refused, Refusal::Invalid { field: "waves", .. }), "{refused:?}");
            assert!(refused.to_string().contains("by its orders, not by waves"), "{refused}");
        }
        assert_eq!(cast.state(id(&prepared)).await, State::Approved);
        // One for which waves were planned before that takes effect without them.
        let (of, plan, by) = (id(&prepared), waves().to_json(), cast.people.camille);
        let scheduled =
            move |tx: &mut store::Tx<'_>| rows::schedule(tx, of, by, (now(), Some(plan.as_str())));
        assert!(fleet.store().write(scheduled).await.unwrap());
        let calendar = Principal::calendar();
        assert_eq!(profiles::publish_due(fleet, &calendar, now()).await.unwrap(), 1);
        assert_eq!(cast.state(id(&prepared)).await, State::Published);
        assert_eq!(profiles::progress(fleet, &cast.author, of, now()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn c3_1_1_an_emergency_base_that_came_in_waves_is_taken_back_by_those_who_may_approve() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let prepared = cast.approved(Secret::new(EMERGENCY.to_owned())).await;
        cast.came_in_waves(&prepared).await;
        let (_, operator) = cast.people.someone(Employer::Departement, "oscar", &[Role::Operator]).await;
        for by in [&operator, &cast.author] {
            let refused = profiles::roll_back(fleet, by, id(&prepared), "x", now()).await.unwrap_err();
            assert_eq!(refused.rule(), Some(RuleId::C3_1_1), "{refused}");
        }
        assert_eq!(cast.state(id(&prepared)).await, State::Published);
        profiles::roll_back(fleet, &cast.departement.1, id(&prepared), "old", now()).await.unwrap();
        assert_eq!(cast.state(id(&prepared)).await, State::Withdrawn);
    }
}

#[tokio::test]
async fn c3_1_3_what_a_college_takes_away_comes_to_no_further_tablet() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let draft = profiles::draft(fleet, &cast.head.1, college(HERE, ""), now()).await.unwrap();
        profiles::submit(fleet, &cast.head.1, id(&draft), "room 4", now()).await.unwrap();
        let published = profiles::publish(fleet, &cast.head.1, id(&draft), rolled_out(), now()).await;
        published.unwrap();
        profiles::withdraw(fleet, &cast.head.1, id(&draft), "room 4 is closed", now()).await.unwrap();
        let ended =
            profiles::progress(fleet, &cast.head.1, id(&draft), now()).await.unwrap().unwrap().rollout;
        assert_eq!((ended.state, ended.ended_at), (RolloutState::RolledBack, Some(now())));
        assert_eq!(ended.reason.as_deref(), Some("room 4 is closed"));
        assert_eq!(turns(&cast, now().plus(days(9))).await, 0);
    }
}

#[tokio::test]
async fn c3_1_1_a_walk_that_broke_off_leaves_no_tablet_in_what_was_rolled_back() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, there] = cast.two_tablets().await;
        let first = cast.published(base(1)).await;
        cast.follow(now()).await;
        let second = cast.approved(base(2)).await;
        cast.publishes(&second, rolled_out()).await.unwrap();
        // It moved tablets, and died before it wrote that it had.
        let (walked, ended) = walk(fleet, &Principal::calendar(), now()).await.unwrap();
        assert_eq!(walked.moved, 1);
        assert!(matches!(ended, Ended::Whole { .. }), "{ended:?}");
        assert_eq!(cast.given(here).await, [id(&second)]);
        // What is in force is what it was before.
        profiles::roll_back(fleet, &cast.author, id(&second), "a mistake", now()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!((cast.given(here).await, cast.given(there).await), (vec![id(&first)], vec![id(&first)]));
    }
}

#[tokio::test]
async fn c3_1_1_a_walk_that_another_overtook_does_not_say_that_all_was_walked() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, _there] = cast.two_tablets().await;
        let first = cast.published(base(1)).await;
        let (_, ended) = walk(fleet, &Principal::calendar(), now()).await.unwrap();
        // Before it ends, another one walks by what is in force then; and that is gone back on.
        let second = cast.approved(base(2)).await;
        cast.publishes(&second, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!(cast.given(here).await, [id(&second)]);
        profiles::roll_back(fleet, &cast.author, id(&second), "a mistake", now()).await.unwrap();
        finish(fleet, ended, now()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!(cast.given(here).await, [id(&first)]);
    }
}

#[tokio::test]
async fn c3_1_1_a_slow_walk_moves_nobody_by_what_is_in_force_no_more() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, _there] = cast.two_tablets().await;
        cast.published(base(1)).await;
        cast.follow(now()).await;
        let chosen = cast.segment(here).await.unwrap();
        let (fingerprint, _base) =
            fleet.store().read(move |tx| segments::fingerprint(tx, now())).await.unwrap();
        let second = cast.published(base(2)).await;
        cast.follow(now()).await;
        // It had chosen the segment before.
        let members =
            fleet.store().read(move |tx| store::segments::members_among(tx, &[here])).await.unwrap();
        let moves = BTreeMap::from([(chosen, members)]);
        let moved = fleet.store().write(move |tx| move_by(tx, &fingerprint, &moves, now())).await.unwrap();
        assert_eq!((moved, cast.given(here).await), (None, vec![id(&second)]));
    }
}

#[tokio::test]
async fn c5_3_7_a_tablet_under_an_order_is_neither_counted_nor_moved_for_the_base() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, there] = cast.two_tablets().await;
        let first = cast.published(base(1)).await;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let order = cast.orders(&cast.head.1, &prepared, (0, 9), now()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!(
            (cast.given(here).await, cast.given(there).await),
            (vec![id(&prepared)], vec![id(&first)])
        );
        cast.reports(here).await;
        let (second, before) = (cast.approved(base(2)).await, cast.segment(here).await);
        cast.publishes(&second, rolled_out()).await.unwrap();
        let walked = segments::follow(fleet, &Principal::calendar(), now()).await.unwrap();
        assert_eq!((walked.moved, cast.segment(here).await), (0, before));
        let progress = profiles::progress(fleet, &cast.author, id(&second), now()).await.unwrap().unwrap();
        assert_eq!(progress.tally, ::profiles::Tally::default(), "it has another base");
        profiles::end_emergency(fleet, &cast.head.1, order.order.id, "open again", now()).await.unwrap();
        cast.follow(now()).await;
        assert_eq!(cast.given(here).await, [id(&second)]);
    }
}

#[tokio::test]
async fn c5_3_7_an_order_that_cannot_be_read_keeps_no_tablet_of_others_from_what_is_in_force() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        cast.published(base(1)).await;
        let mut world =
            cast.people.fleet.store().read(move |tx| segments::World::load(tx, now())).await.unwrap();
        let tablet = |uai: &str| segments::TabletFacts {
            tablet: types::TabletId::new(now()),
            uai: Some(uai.parse().unwrap()),
            loan: None,
            kept: Default::default(),
        };
        let stays = |world: &segments::World, uai| segments::layers_of(world, &tablet(uai)).is_err();
        assert!(!stays(&world, HERE) && !stays(&world, "0767777B"));
        world.orders_unread(&[HERE]);
        assert!(stays(&world, HERE) && !stays(&world, "0767777B"));
        world.orders_unread(&[]);
        assert!(stays(&world, "0767777B"), "it is for all");
    }
}

#[tokio::test]
async fn c5_3_4_the_light_asks_for_the_apps_of_the_base_that_the_tablet_is_given() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let [_here, _there] = cast.two_tablets().await;
        cast.published(base(1)).await;
        let app = "\n[[app]]\nbundle = \"fr.example.secours\"\nname = \"Secours\"\nstore = \"100000001\"\n";
        let text = format!("{EMERGENCY}{app}");
        cast.people.offers(&text).await;
        let prepared = cast.published(Secret::new(text)).await;
        cast.orders(&cast.head.1, &prepared, (0, 9), now()).await.unwrap();
        cast.follow(now()).await;
        let neighbour = cast.neighbour().await;
        let asked = async |by: &Principal, serial: &str| -> Vec<String> {
            let of = |it: Obstacle| match it {
                Obstacle::BaseApp { app, .. } => Some(app),
                _ => None,
            };
            cast.obstacles(by, serial).await.into_iter().filter_map(of).collect()
        };
        assert!(asked(&cast.head.1, SERIAL).await.contains(&"Secours".to_owned()));
        let elsewhere = asked(&neighbour, OTHER).await;
        assert!(!elsewhere.contains(&"Secours".to_owned()) && elsewhere.contains(&"Pages".to_owned()));
    }
}

#[tokio::test]
async fn c3_1_5_a_tablet_that_no_base_reached_is_handed_over_by_nobody() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let [_here, _there] = cast.two_tablets().await;
        let shown = cast.approved(base(1)).await;
        cast.publishes(&shown, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        assert!(!cast.obstacles(&cast.head.1, SERIAL).await.contains(&Obstacle::NoBase));
        let there = cast.obstacles(&cast.neighbour().await, OTHER).await;
        assert!(there.contains(&Obstacle::NoBase), "{there:?}");
        assert!(!Obstacle::NoBase.may_be_signed_over());
        assert!(Obstacle::NoBase.to_string().contains("nothing filters it"));
    }
}

#[tokio::test]
async fn c3_1_1_a_wave_that_no_tablet_reported_from_pauses_and_says_so() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, _there] = cast.two_tablets().await;
        cast.published(base(1)).await;
        cast.follow(now()).await;
        let second = cast.approved(base(2)).await;
        cast.publishes(&second, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        let hour = types::Duration::from_secs(3_600);
        assert_eq!(turns(&cast, now().plus(hour)).await, 0, "it has time");
        assert_eq!(turns(&cast, now().plus(days(1))).await, 1);
        let stands = async || {
            let progress =
                profiles::progress(fleet, &cast.author, id(&second), now()).await.unwrap().unwrap();
            (progress.rollout.state, progress.rollout.wave)
        };
        assert_eq!(stands().await, (RolloutState::Paused, 0));
        let told = cast.told(&id(&second).to_string()).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].0 == "rollout-paused" && told[0].1.contains("has reported"), "{told:?}");
        // Somebody looked; and once a tablet of the wave says that it is so, the next one begins in its time.
        profiles::resume(fleet, &cast.author, id(&second), "they were on holiday", now()).await.unwrap();
        cast.reports(here).await;
        assert_eq!(turns(&cast, now().plus(days(1))).await, 1);
        assert_eq!(stands().await, (RolloutState::Running, 1));
    }
}

#[tokio::test]
async fn waves_for_a_college_that_was_closed_meanwhile_wait_and_say_so() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        cast.published(base(1)).await;
        let shown = cast.approved(base(2)).await;
        let when = When { at: Some(now().plus(days(2))), plan: Some(waves()) };
        cast.publishes(&shown, when).await.unwrap();
        let closed = move |tx: &mut store::Tx<'_>| {
            let college = store::organisations::by_uai(tx, &HERE.parse().unwrap())?.unwrap();
            store::organisations::update(
                tx,
                &store::organisations::Organisation { state: OrganisationState::Closed, ..college },
            )
        };
        fleet.store().write(closed).await.unwrap();
        let calendar = Principal::calendar();
        profiles::publish_due(fleet, &calendar, now().plus(days(3))).await.unwrap();
        assert_eq!(cast.state(id(&shown)).await, State::Approved);
        let told = cast.told(&id(&shown).to_string()).await;
        assert!(told.len() == 1 && told[0].0 == "publication-waits", "{told:?}");
        assert!(told[0].1.contains("no collège 0761234A"), "{told:?}");
    }
}

#[tokio::test]
async fn c3_1_1_a_tablet_that_changes_its_college_keeps_the_first_version_that_it_had() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let [here, there] = cast.two_tablets().await;
        let shown = cast.approved(base(1)).await;
        cast.publishes(&shown, rolled_out()).await.unwrap();
        cast.follow(now()).await;
        let given = cast.rules(here).await.unwrap();
        assert!(given > 10 && cast.rules(there).await == Some(0));
        let tablet = cast.people.tablet(SERIAL).await;
        let moves = move |tx: &mut store::Tx<'_>| {
            let before = store::tablets::get(tx, &tablet)?.unwrap();
            let uai = Some("0767777B".parse().unwrap());
            let after = store::tablets::Tablet { uai, ..before.clone() };
            store::tablets::update(tx, &after)?;
            segments::changed(tx, &before, &after, now())
        };
        fleet.store().write(moves).await.unwrap();
        cast.follow(now()).await;
        assert_eq!((cast.rules(here).await, cast.rules(there).await), (Some(given), Some(0)));
        assert_eq!(cast.given(here).await, [id(&shown)]);
        assert!(!cast.obstacles(&cast.neighbour().await, SERIAL).await.contains(&Obstacle::NoBase));
        // Everything is walked again, and once there is another version it has that.
        segments::follow(fleet, &Principal::calendar(), now().plus(days(1))).await.unwrap();
        assert_eq!(cast.given(here).await, [id(&shown)]);
        let next = cast.published(base(2)).await;
        cast.follow(now()).await;
        assert_eq!((cast.given(here).await, cast.given(there).await), (vec![id(&next)], vec![id(&next)]));
    }
}

#[tokio::test]
async fn c5_3_7_a_renewal_begins_with_what_it_renews_or_later_and_what_is_past_is_not_ended() {
    for engine in engines() {
        let cast = Cast::new(engine).await;
        let fleet = &cast.people.fleet;
        let prepared = cast.published(Secret::new(EMERGENCY.to_owned())).await;
        let given = cast.orders(&cast.head.1, &prepared, (3, 6), now()).await.unwrap();
        let today = types::Day::of(now());
        let earlier = profiles::Wanted {
            base: id(&prepared),
            colleges: given.order.uais.clone(),
            reason: "still closed".into(),
            starts_on: today,
            ends_on: today.plus(9),
            renews: Some(given.order.id),
            instead_of: std::collections::BTreeSet::new(),
        };
        let refused = profiles::order_emergency(fleet, &cast.head.1, earlier, now()).await.unwrap_err();
        assert!(matches!(refused, Refusal::Invalid { field: "starts_on", .. }), "{refused:?}");
        assert!(refused.to_string().contains("begins on"), "{refused}");
        let late = now().plus(days(7));
        let head = cast.people.session(cast.head.0, late).await;
        let ended =
            profiles::end_emergency(fleet, &head, given.order.id, "open again", late).await.unwrap_err();
        assert!(matches!(ended, Refusal::Conflict(_)), "{ended:?}");
    }
}
