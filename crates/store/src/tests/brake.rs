//! The brake: what is counted, what is held, and the switch that stops it all (M5).

use std::collections::BTreeSet;

use types::{
    AccountId, Actor, ApiTokenId, CampaignId, CountersignatureId, Day, DestructionId, DestructionKind,
    EnrolmentId, Instant, TabletId,
};

use super::cast::{Cast, HERE, THERE, uai};
use super::fixture::{Fixture, at, destruction};
use super::second_persons::question;
use crate::brake::{self, Maker, Switch};
use crate::campaigns::{self, Campaign};
use crate::countersignatures::Question;
use crate::destructions::{self, DayTally, DestructionState, Fate, NewDestruction};
use crate::tests::on_both_engines;
use crate::{Engine, StoreError, Within};

on_both_engines! {
    a_destruction_counts_against_its_actor_its_college_and_the_fleet,
    the_day_of_a_destruction_is_the_one_in_paris,
    one_order_counts_once_and_never_against_the_calendar,
    t_c14_of_two_orders_that_meet_at_the_end_of_a_budget_one_is_held,
    what_was_counted_stays_counted,
    t_c14_a_held_destruction_is_released_by_a_second_person_only,
    t_c1_destructions_are_listed_within_reach,
    the_tally_uses_its_indexes,
    a_campaign_is_opened_by_two_persons_and_frozen,
    a_campaign_covers_its_colleges_on_its_days_up_to_its_ceiling,
    the_last_place_of_a_campaign_is_taken_once,
    the_switch_is_thrown_once_and_names_who_threw_it,
}

fn ordered(actor: Actor, code: Option<&str>, seconds: i64) -> NewDestruction {
    NewDestruction {
        actor,
        uai: code.map(uai),
        ..destruction(DestructionKind::Erase, &DestructionId::new(at(seconds)).to_string(), seconds)
    }
}

async fn record(fixture: &Fixture, new: &NewDestruction) -> Result<(), StoreError> {
    let new = new.clone();
    fixture.store.write(move |tx| destructions::record(tx, &new)).await
}

async fn tally(fixture: &Fixture, actors: &[Actor], code: Option<&str>, seconds: i64) -> DayTally {
    let (actors, code, day) = (actors.to_vec(), code.map(uai), Day::of(at(seconds)));
    fixture.read(move |tx| destructions::tally(tx, day, &actors, code.as_ref())).await
}

async fn a_destruction_counts_against_its_actor_its_college_and_the_fleet(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (alice, bruno) = (Actor::Account(cast.alice), Actor::Account(cast.bruno));
    let token = Actor::Token(ApiTokenId::new(at(0)));
    let request = fixture.ask(&question(&cast)).await;
    let all = [
        ordered(alice, Some(HERE), 10),
        NewDestruction { kind: DestructionKind::LostMode, ..ordered(alice, Some(THERE), 10) },
        NewDestruction { kind: DestructionKind::Unenrol, ..ordered(bruno, Some(HERE), 10) },
        ordered(token, None, 10),
        // What is held, and what another day had, does not count.
        NewDestruction { fate: Fate::Held(request), ..ordered(alice, Some(HERE), 10) },
        ordered(alice, Some(HERE), 10 - 86_400),
    ];
    for new in &all {
        record(&fixture, new).await.unwrap();
    }
    for (actors, code, expected) in [
        (vec![alice], Some(HERE), (2, 2, 4)),
        (vec![bruno], Some(THERE), (1, 1, 4)),
        (vec![alice, bruno], Some(THERE), (3, 1, 4)),
        (vec![token], None, (1, 0, 4)),
        (vec![Actor::Host], Some("0769999Z"), (0, 0, 4)),
        (vec![], None, (0, 0, 4)),
    ] {
        let found = tally(&fixture, &actors, code, 10).await;
        assert_eq!((found.actors, found.college, found.fleet), expected, "{actors:?} {code:?}");
    }
    let day = Day::of(at(10));
    let by_actor = fixture.read(move |tx| destructions::by_actor(tx, day)).await;
    assert_eq!(by_actor[0], (alice.to_string(), 2));
    assert_eq!(by_actor.len(), 3);
    let by_college = fixture.read(move |tx| destructions::by_college(tx, day)).await;
    assert_eq!(by_college[0], (Some(uai(HERE)), 2));
    assert!(by_college.contains(&(None, 1)) && by_college.contains(&(Some(uai(THERE)), 1)));
    let id = all[0].id;
    let found = fixture.read(move |tx| destructions::get(tx, &id)).await.unwrap();
    assert_eq!((found.actor, found.account_id), (alice.to_string(), Some(cast.alice)));
    assert_eq!((found.state, found.uai, found.day), (DestructionState::Counted, Some(uai(HERE)), day));
}

async fn the_day_of_a_destruction_is_the_one_in_paris(fixture: Fixture) {
    // 23:30 UTC on the 25th of November is half past midnight on the 26th in Paris.
    let late = Instant::from_millis(1_795_649_400_000);
    assert_eq!(late.to_string(), "2026-11-25T23:30:00Z");
    let new = NewDestruction { day: Day::of(late), at: late, ..ordered(Actor::Host, None, 0) };
    record(&fixture, &new).await.unwrap();
    for (day, expected) in [("2026-11-25", 0), ("2026-11-26", 1)] {
        let day: Day = day.parse().unwrap();
        let found = fixture.read(move |tx| destructions::tally(tx, day, &[Actor::Host], None)).await;
        assert_eq!(found.actors, expected, "{day}");
    }
}

async fn one_order_counts_once_and_never_against_the_calendar(fixture: Fixture) {
    let cast = fixture.cast().await;
    let new = ordered(Actor::Host, Some(HERE), 10);
    record(&fixture, &new).await.unwrap();
    let again = NewDestruction { id: DestructionId::new(at(11)), ..new.clone() };
    let twice = record(&fixture, &again).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "{twice:?}");
    // The same reference in another kind is another order.
    let lost = NewDestruction { kind: DestructionKind::LostMode, ..again };
    record(&fixture, &lost).await.unwrap();
    for nobody in [Actor::Calendar, Actor::Tablet(EnrolmentId::new(at(0)))] {
        let refused = record(&fixture, &ordered(nobody, Some(HERE), 10)).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    }
    // No account hides behind another word.
    for (actor, account) in [
        (format!("account:{}", cast.alice), "NULL".to_owned()),
        ("host".to_owned(), format!("'{}'", cast.alice)),
        (format!("account:{}", cast.alice), format!("'{}'", cast.bruno)),
    ] {
        fixture.refused_by_hand(&format!(
            "INSERT INTO destructions (id, kind, day, at, actor, account_id, ref, state) \
             VALUES ('x', 'erase', '2026-11-25', 0, '{actor}', {account}, 'x', 'counted')"
        ));
    }
}

/// A use case in short: one more destruction by Alice here, counted within a budget of three, else held.
async fn order(fixture: &Fixture, by: AccountId, request: CountersignatureId) -> Fate {
    const BUDGET: u64 = 3;
    let store = fixture.store.clone();
    store
        .write(move |tx| {
            let actor = Actor::Account(by);
            let day = Day::of(at(10));
            let tally = destructions::tally(tx, day, &[actor], Some(&uai(HERE)))?;
            let within = tally.actors < BUDGET && tally.college < BUDGET && tally.fleet < BUDGET;
            let fate = if within { Fate::Counted } else { Fate::Held(request) };
            destructions::record(tx, &NewDestruction { fate, ..ordered(actor, Some(HERE), 10) })?;
            Ok::<_, StoreError>(fate)
        })
        .await
        .unwrap()
}

async fn t_c14_of_two_orders_that_meet_at_the_end_of_a_budget_one_is_held(fixture: Fixture) {
    let cast = fixture.cast().await;
    let request = fixture.ask(&question(&cast)).await;
    assert_eq!(order(&fixture, cast.alice, request).await, Fate::Counted);
    assert_eq!(order(&fixture, cast.bruno, request).await, Fate::Counted);
    // One place is left, in the collège and in the fleet, and eight orders meet there, by two persons.
    let fixture = std::sync::Arc::new(fixture);
    let orders: Vec<_> = (0..8)
        .map(|number| {
            let fixture = std::sync::Arc::clone(&fixture);
            let by = if number % 2 == 0 { cast.alice } else { cast.bruno };
            tokio::spawn(async move { order(&fixture, by, request).await })
        })
        .collect();
    let mut counted = 0;
    for order in orders {
        counted += u32::from(order.await.unwrap() == Fate::Counted);
    }
    assert_eq!(counted, 1);
    let found =
        tally(&fixture, &[Actor::Account(cast.alice), Actor::Account(cast.bruno)], Some(HERE), 10).await;
    assert_eq!((found.actors, found.college, found.fleet), (3, 3, 3));
    let held = Some(DestructionState::Held);
    let waiting =
        fixture.read(move |tx| destructions::list(tx, &Within::Everything, held, None, None, 20)).await;
    assert_eq!(waiting.len(), 7);
}

async fn what_was_counted_stays_counted(fixture: Fixture) {
    let cast = fixture.cast().await;
    let request = fixture.ask(&question(&cast)).await;
    let new = ordered(Actor::Account(cast.alice), Some(HERE), 10);
    record(&fixture, &new).await.unwrap();
    for edit in [
        "state = 'void'",
        "state = 'held'",
        &format!("state = 'released', countersignature_id = '{request}'"),
        "day = '2020-01-01'",
        "at = 0",
        "kind = 'lost-mode'",
        &format!("actor = 'account:{0}', account_id = '{0}'", cast.bruno),
        "uai = '0765678B'",
        "uai = NULL",
        "ref = 'other'",
        "id = 'x'",
        &format!("tablet_id = '{}'", TabletId::new(at(0))),
    ] {
        fixture.refused_by_hand(&format!("UPDATE destructions SET {edit}"));
    }
    fixture.refused_by_hand("DELETE FROM destructions");
    let reference = new.reference.clone();
    let written_over = |id: &str| {
        format!(
            "destructions (id, kind, day, at, actor, ref, state) VALUES ('{id}', 'erase', '2020-01-01', 0, 'host', \
             '{reference}', 'counted')"
        )
    };
    match fixture.store.engine() {
        Engine::Sqlite => {
            for id in [new.id.to_string(), "other".to_owned()] {
                fixture.refused_by_hand(&format!(
                    "PRAGMA foreign_keys = OFF; INSERT OR REPLACE INTO {}",
                    written_over(&id)
                ));
            }
        }
        Engine::Postgresql => {
            fixture.refused_by_hand(&format!(
                "INSERT INTO {} ON CONFLICT (id) DO UPDATE SET day = EXCLUDED.day",
                written_over(&new.id.to_string())
            ));
            fixture.refused_by_hand("TRUNCATE destructions");
        }
    }
    // Nothing begins released.
    fixture.refused_by_hand(&format!(
        "INSERT INTO destructions (id, kind, day, at, actor, ref, state, countersignature_id) \
         VALUES ('x', 'erase', '2026-11-25', 0, 'host', 'x', 'released', '{request}')"
    ));
}

async fn t_c14_a_held_destruction_is_released_by_a_second_person_only(fixture: Fixture) {
    let cast = fixture.cast().await;
    let request = fixture.ask(&question(&cast)).await;
    let (by_alice, by_bruno) = (
        NewDestruction { fate: Fate::Held(request), ..ordered(Actor::Account(cast.alice), Some(HERE), 110) },
        NewDestruction { fate: Fate::Held(request), ..ordered(Actor::Account(cast.bruno), Some(HERE), 110) },
    );
    record(&fixture, &by_alice).await.unwrap();
    let release = || fixture.store.write(move |tx| destructions::release(tx, request));
    let early = release().await;
    assert!(matches!(early, Err(StoreError::Refused { .. })), "nobody has answered: {early:?}");
    assert!(fixture.answer(request, cast.bruno, true, 150).await.unwrap());
    // Whoever answers does not release what they ordered themselves.
    record(&fixture, &by_bruno).await.unwrap();
    let own = release().await;
    assert!(matches!(own, Err(StoreError::Refused { .. })), "{own:?}");
    // Nor is it released by an answer to something else.
    let other = Question { id: CountersignatureId::new(at(100)), asked_by: cast.bruno, ..question(&cast) };
    let other = fixture.ask(&other).await;
    assert!(fixture.answer(other, cast.alice, true, 150).await.unwrap());
    fixture.refused_by_hand(&format!(
        "UPDATE destructions SET state = 'released', countersignature_id = '{other}' WHERE ref = '{}'",
        by_bruno.reference
    ));
    fixture
        .by_hand(&format!("UPDATE destructions SET state = 'void' WHERE ref = '{}'", by_bruno.reference))
        .unwrap();
    let before = tally(&fixture, &[Actor::Account(cast.alice)], Some(HERE), 110).await;
    assert_eq!((before.actors, before.fleet), (0, 0));
    let reference = by_alice.reference.clone();
    let goes = |reference: String| {
        fixture.read(move |tx| destructions::is_let_go(tx, DestructionKind::Erase, &reference))
    };
    assert!(!goes(reference.clone()).await);
    assert_eq!(release().await.unwrap(), 1);
    assert_eq!(release().await.unwrap(), 0);
    assert!(goes(reference).await && !goes(by_bruno.reference.clone()).await);
    let after = tally(&fixture, &[Actor::Account(cast.alice)], Some(HERE), 110).await;
    assert_eq!((after.actors, after.fleet), (0, 0), "the budgets are of what goes without a second person");
    // Refused, it is given up, and may be ordered again.
    let second = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
    let second = fixture.ask(&second).await;
    let refused =
        NewDestruction { id: DestructionId::new(at(110)), fate: Fate::Held(second), ..by_bruno.clone() };
    record(&fixture, &refused).await.unwrap();
    assert!(fixture.answer(second, cast.bruno, false, 150).await.unwrap());
    assert_eq!(fixture.write(move |tx| destructions::give_up(tx, second)).await, 1);
    let again = NewDestruction { id: DestructionId::new(at(111)), fate: Fate::Counted, ..by_bruno };
    record(&fixture, &again).await.unwrap();
    assert!(goes(again.reference).await);
}

async fn t_c1_destructions_are_listed_within_reach(fixture: Fixture) {
    let cast = fixture.cast().await;
    for code in [Some(HERE), Some(THERE), None] {
        record(&fixture, &ordered(Actor::Host, code, 10)).await.unwrap();
    }
    for (within, expected) in [
        (Within::Everything, 3),
        (Within::Organisation(cast.here), 1),
        (Within::Organisation(cast.academie), 0),
        (Within::Colleges(BTreeSet::from([uai(HERE), uai(THERE)])), 2),
        (Within::Colleges(BTreeSet::new()), 0),
    ] {
        let shown = format!("{within:?}");
        let listed = fixture.read(move |tx| destructions::list(tx, &within, None, None, None, 10)).await;
        assert_eq!(listed.len(), expected, "{shown}");
    }
    let (day, other) = (Day::of(at(10)), Day::of(at(10 + 86_400)));
    for (day, expected) in [(day, 3), (other, 0)] {
        let listed = fixture
            .read(move |tx| destructions::list(tx, &Within::Everything, None, Some(day), None, 10))
            .await;
        assert_eq!(listed.len(), expected);
    }
}

async fn the_tally_uses_its_indexes(fixture: Fixture) {
    use diesel::sql_types::Text;
    use diesel::{QueryableByName, RunQueryDsl as _};

    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let counts = [
        "actor IN ('host') AND day = '2026-11-25' AND state IN ('counted', 'released') AND campaign_id IS NULL",
        "uai = '0761234A' AND day = '2026-11-25' AND state IN ('counted', 'released') AND campaign_id IS NULL",
        "day = '2026-11-25' AND state IN ('counted', 'released') AND campaign_id IS NULL",
    ];
    for condition in counts {
        let count = format!("SELECT count(*) FROM destructions WHERE {condition}");
        let plan: Vec<Step> = match crate::database::connect(&fixture.url).unwrap() {
            crate::connection::AnyConnection::Sqlite(mut connection) => {
                diesel::sql_query(format!("EXPLAIN QUERY PLAN {count}")).load(&mut connection).unwrap()
            }
            crate::connection::AnyConnection::Postgresql(mut connection) => {
                use diesel::connection::SimpleConnection as _;
                // A table this small is read whole unless that is made dear.
                connection.batch_execute("SET enable_seqscan = off").unwrap();
                diesel::sql_query(format!("EXPLAIN {count}"))
                    .load::<Explained>(&mut connection)
                    .unwrap()
                    .into_iter()
                    .map(|line| Step { detail: line.plan })
                    .collect()
            }
        };
        let plan: Vec<String> = plan.into_iter().map(|step| step.detail).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("destructions_by_"), "{condition}\n{plan}");
        assert!(!plan.contains("SCAN destructions") && !plan.contains("Seq Scan"), "{condition}\n{plan}");
    }

    #[derive(QueryableByName)]
    struct Explained {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        plan: String,
    }
}

/// A campaign here for three tablets on the 25th and 26th, which Alice opens and Bruno countersigned.
async fn campaign(fixture: &Fixture, cast: &Cast) -> Campaign {
    let request = Question { id: CountersignatureId::new(at(100)), ..question(cast) };
    let request = fixture.ask(&request).await;
    assert!(fixture.answer(request, cast.bruno, true, 150).await.unwrap());
    Campaign {
        id: CampaignId::new(at(160)),
        uais: BTreeSet::from([uai(HERE)]),
        starts_on: Day::of(at(160)),
        ends_on: Day::of(at(160)).plus(1),
        ceiling: 3,
        opened_by: cast.alice,
        countersignature_id: request,
        reason: "end of year".to_owned(),
        created_at: at(160),
        ended_at: None,
    }
}

async fn open(fixture: &Fixture, campaign: &Campaign) -> Result<(), StoreError> {
    let campaign = campaign.clone();
    fixture.store.write(move |tx| campaigns::insert(tx, &campaign)).await
}

async fn a_campaign_is_opened_by_two_persons_and_frozen(fixture: Fixture) {
    let cast = fixture.cast().await;
    let good = campaign(&fixture, &cast).await;
    let unanswered = Question { id: CountersignatureId::new(at(100)), ..question(&cast) };
    let unanswered = fixture.ask(&unanswered).await;
    for wrong in [
        Campaign { opened_by: cast.bruno, ..good.clone() },
        Campaign { countersignature_id: unanswered, ..good.clone() },
        Campaign { created_at: at(149), ..good.clone() },
        Campaign { ended_at: Some(at(170)), ..good.clone() },
        Campaign { ceiling: 0, ..good.clone() },
        Campaign { ends_on: good.starts_on.plus(-1), ..good.clone() },
    ] {
        let shown = format!("{wrong:?}");
        let refused = open(&fixture, &wrong).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?} for {shown}");
    }
    open(&fixture, &good).await.unwrap();
    let id = good.id;
    assert_eq!(fixture.read(move |tx| campaigns::get(tx, &id)).await, Some(good.clone()));
    let twice = open(&fixture, &Campaign { id: CampaignId::new(at(161)), ..good.clone() }).await;
    assert!(matches!(twice, Err(StoreError::Duplicate { .. })), "one answer opens one campaign: {twice:?}");
    for edit in [
        "ceiling = 13000",
        "uais = '[\"0765678B\"]'",
        "ends_on = '2099-12-31'",
        "starts_on = '2000-01-01'",
        &format!("opened_by = '{}'", cast.bruno),
        &format!("countersignature_id = '{unanswered}'"),
        "reason = 'other'",
    ] {
        fixture.refused_by_hand(&format!("UPDATE campaigns SET {edit}"));
    }
    assert!(fixture.write(move |tx| campaigns::end(tx, id, at(200))).await);
    assert!(!fixture.write(move |tx| campaigns::end(tx, id, at(201))).await);
    fixture.refused_by_hand("UPDATE campaigns SET ended_at = NULL");
    fixture.refused_by_hand("DELETE FROM campaigns");
    assert_eq!(fixture.read(|tx| campaigns::list(tx, None, 10)).await.len(), 1);
    assert_eq!(fixture.read(move |tx| campaigns::list(tx, Some(id), 10)).await.len(), 0);
}

async fn a_campaign_covers_its_colleges_on_its_days_up_to_its_ceiling(fixture: Fixture) {
    let cast = fixture.cast().await;
    let good = campaign(&fixture, &cast).await;
    open(&fixture, &good).await.unwrap();
    let (id, day) = (good.id, good.starts_on);
    let running =
        |code: &'static str, day: Day| fixture.read(move |tx| campaigns::running(tx, &uai(code), day));
    assert_eq!(running(HERE, day).await.len(), 1);
    assert_eq!(running(THERE, day).await.len(), 0);
    assert_eq!(running(HERE, day.plus(2)).await.len(), 0);
    let alice = Actor::Account(cast.alice);
    let within = || NewDestruction { fate: Fate::InCampaign(id), ..ordered(alice, Some(HERE), 170) };
    for (what, wrong) in [
        ("elsewhere", NewDestruction { uai: Some(uai(THERE)), ..within() }),
        ("nowhere", NewDestruction { uai: None, ..within() }),
        ("later", NewDestruction { day: day.plus(2), ..within() }),
        ("earlier", NewDestruction { day: day.plus(-1), ..within() }),
        ("another kind", NewDestruction { kind: DestructionKind::Unenrol, ..within() }),
    ] {
        let refused = record(&fixture, &wrong).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{what}: {refused:?}");
    }
    for _ in 0..3 {
        record(&fixture, &within()).await.unwrap();
    }
    let full = record(&fixture, &within()).await;
    assert!(matches!(full, Err(StoreError::Refused { .. })), "{full:?}");
    assert_eq!(running(HERE, day).await[0].used, 3);
    // Outside the budgets: the day's other work goes on.
    assert_eq!(tally(&fixture, &[alice], Some(HERE), 170).await, DayTally::default());
    fixture.write(|tx| campaigns::end_past(tx, at(170 + 86_400))).await;
    assert_eq!(running(HERE, day).await.len(), 1, "its last day is not past");
    assert_eq!(fixture.write(|tx| campaigns::end_past(tx, at(170 + 2 * 86_400))).await, 1);
    assert_eq!(running(HERE, day).await.len(), 0);
    let ended = record(&fixture, &within()).await;
    assert!(matches!(ended, Err(StoreError::Refused { .. })), "{ended:?}");
}

async fn the_last_place_of_a_campaign_is_taken_once(fixture: Fixture) {
    let cast = fixture.cast().await;
    let good = campaign(&fixture, &cast).await;
    open(&fixture, &good).await.unwrap();
    let fate = Fate::InCampaign(good.id);
    let orders: Vec<_> = (0..8)
        .map(|_| {
            let store = fixture.store.clone();
            let new = NewDestruction { fate, ..ordered(Actor::Account(cast.alice), Some(HERE), 170) };
            tokio::spawn(async move { store.write(move |tx| destructions::record(tx, &new)).await })
        })
        .collect();
    let mut taken = 0;
    for order in orders {
        match order.await.unwrap() {
            Ok(()) => taken += 1,
            refused => assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}"),
        }
    }
    assert_eq!(taken, 3);
}

async fn the_switch_is_thrown_once_and_names_who_threw_it(fixture: Fixture) {
    let cast = fixture.cast().await;
    let (alice, bruno) = (Maker::Account(cast.alice), Maker::Account(cast.bruno));
    assert_eq!(fixture.read(brake::switch).await, Switch::Released);
    assert!(!fixture.write(brake::release).await);
    assert!(fixture.write(move |tx| brake::throw(tx, alice, "a stolen token", at(10))).await);
    assert!(!fixture.write(move |tx| brake::throw(tx, bruno, "me too", at(20))).await);
    let thrown = Switch::Engaged(governance::brake::Engaged {
        since: at(10),
        by: alice,
        reason: "a stolen token".to_owned(),
    });
    assert_eq!(fixture.read(brake::switch).await, thrown);
    for edit in [
        "UPDATE brake SET engaged_by = 'host'",
        "UPDATE brake SET since = 0",
        "UPDATE brake SET reason = ''",
        "UPDATE brake SET engaged = (1 = 0)",
        "UPDATE brake SET id = 2",
        "DELETE FROM brake",
        "INSERT INTO brake (id, engaged) VALUES (2, (1 = 0))",
    ] {
        fixture.refused_by_hand(edit);
    }
    match fixture.store.engine() {
        Engine::Sqlite => fixture.refused_by_hand("REPLACE INTO brake (id, engaged) VALUES (1, 0)"),
        Engine::Postgresql => {
            fixture.refused_by_hand(
                "INSERT INTO brake (id, engaged) VALUES (1, FALSE) ON CONFLICT (id) DO UPDATE SET engaged = FALSE",
            );
            fixture.refused_by_hand("TRUNCATE brake");
        }
    }
    assert!(fixture.write(brake::release).await);
    assert_eq!(fixture.read(brake::switch).await, Switch::Released);
}
