//! What the brake stops at the queue and on the wire: commands that destroy, and the answer that unenrols (M5).

use orders::Gate;
use types::{
    Actor, CommandId, DestructionId, DestructionKind, EnrolmentEndId, EraseOrderId, IncidentId, WarrantId,
};

use super::cast::Cast;
use super::fixture::{Enrolled, Fixture, at, command, decided_order, delivery, destruction};
use super::second_persons::question;
use crate::commands::{self, Command, CommandState};
use crate::destructions::{Fate, NewDestruction};
use crate::enrolment_ends::{self, EnrolmentEnd};
use crate::erase_orders;
use crate::tests::on_both_engines;
use crate::warrants::OrderState;
use crate::{ConnectWrite, Engine, StoreError, brake, destructions};

on_both_engines! {
    t_c14_nothing_destructive_is_queued_that_the_brake_has_not_counted,
    t_c14_a_thrown_switch_stops_what_is_queued_and_what_would_be,
    a_thrown_switch_holds_up_no_ordinary_command,
    t_c14_a_held_destruction_is_neither_queued_nor_sent_until_it_is_released,
    t_c14_nobody_is_unenrolled_while_the_switch_is_thrown_or_uncounted,
    what_the_switch_stops_is_listed_and_cancelled,
}

/// Everything that a tablet's dangerous commands rest on.
#[derive(Debug, Clone, Copy)]
struct Rests {
    incident: IncidentId,
    warrant: WarrantId,
    erase: EraseOrderId,
    end: EnrolmentEndId,
}

async fn rests(fixture: &Fixture, enrolled: Enrolled) -> Rests {
    let (incident, warrant, _people) = fixture.sought(enrolled.tablet, 10_000).await;
    let rests =
        Rests { incident, warrant, erase: EraseOrderId::new(at(100)), end: EnrolmentEndId::new(at(100)) };
    fixture
        .write(move |tx| {
            decided_order(tx, rests.erase, (enrolled.tablet, None), Some(rests.incident), (100, 10_000))
                .and_then(|order| erase_orders::insert(tx, &order))?;
            enrolment_ends::insert(
                tx,
                &EnrolmentEnd {
                    id: rests.end,
                    enrolment_id: enrolled.enrolment,
                    reason: "released".to_owned(),
                    decided_at: at(100),
                    decided_by: "host".to_owned(),
                    state: OrderState::Open,
                },
            )
        })
        .await;
    rests
}

fn gated(enrolled: Enrolled, gate: Gate, rests: Rests, seconds: i64) -> Command {
    let bare = Command { gate, ..command(enrolled, seconds) };
    match gate {
        Gate::Ordinary => bare,
        Gate::LostMode => {
            Command { request_type: "EnableLostMode".to_owned(), incident_id: Some(rests.incident), ..bare }
        }
        Gate::Locate => {
            Command { request_type: "DeviceLocation".to_owned(), warrant_id: Some(rests.warrant), ..bare }
        }
        Gate::Erase => {
            Command { request_type: "EraseDevice".to_owned(), erase_order_id: Some(rests.erase), ..bare }
        }
        Gate::Unenrol => {
            Command { request_type: "RemoveProfile".to_owned(), enrolment_end_id: Some(rests.end), ..bare }
        }
    }
}

const DESTRUCTIVE: [(Gate, DestructionKind); 3] = [
    (Gate::LostMode, DestructionKind::LostMode),
    (Gate::Erase, DestructionKind::Erase),
    (Gate::Unenrol, DestructionKind::Unenrol),
];

impl Rests {
    fn reference(&self, kind: DestructionKind) -> String {
        match kind {
            DestructionKind::LostMode => self.incident.to_string(),
            DestructionKind::Erase => self.erase.to_string(),
            DestructionKind::Unenrol => self.end.to_string(),
        }
    }
}

async fn try_queue(fixture: &Fixture, command: &Command) -> Result<CommandId, StoreError> {
    let command = command.clone();
    fixture
        .store
        .write(move |tx| commands::queue(tx, command.clone(), None).map(|queued| queued.command()))
        .await
}

async fn try_deliver(
    fixture: &Fixture,
    enrolled: Enrolled,
    id: CommandId,
    seconds: i64,
) -> Result<bool, StoreError> {
    let write =
        ConnectWrite { deliver: Some(delivery(id)), ..ConnectWrite::new(enrolled.enrolment, at(seconds)) };
    Ok(fixture.store.connect_write(write).await?.delivered.is_some())
}

fn assert_refused<T: std::fmt::Debug>(refused: &Result<T, StoreError>, by: &str) {
    match refused {
        Err(StoreError::Refused { rule }) => assert!(rule.contains(by), "{rule}"),
        other => panic!("{by}: {other:?}"),
    }
}

async fn throw(fixture: &Fixture) {
    assert!(fixture.write(|tx| brake::throw(tx, brake::Maker::Host, "a stolen token", at(300))).await);
}

async fn t_c14_nothing_destructive_is_queued_that_the_brake_has_not_counted(fixture: Fixture) {
    let (mine, other) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let rests = rests(&fixture, mine).await;
    for (gate, kind) in DESTRUCTIVE {
        let command = gated(mine, gate, rests, 200);
        assert_refused(&try_queue(&fixture, &command).await, "has not counted");
        // Counted under another kind, or for another tablet, it is not this one.
        let another =
            if kind == DestructionKind::Erase { DestructionKind::Unenrol } else { DestructionKind::Erase };
        let elsewhere =
            NewDestruction { tablet: Some(other.tablet), ..destruction(kind, &command.id.to_string(), 150) };
        fixture.write(move |tx| destructions::record(tx, &elsewhere)).await;
        let wrong = destruction(another, &command.id.to_string(), 150);
        fixture.write(move |tx| destructions::record(tx, &wrong)).await;
        assert_refused(&try_queue(&fixture, &command).await, "has not counted");
        // Counted by what it rests on, or by its own id.
        fixture.count(kind, &rests.reference(kind), 150).await;
        try_queue(&fixture, &command).await.unwrap();
    }
    // A position destroys nothing, and neither does a sound.
    try_queue(&fixture, &gated(mine, Gate::Locate, rests, 200)).await.unwrap();
    let sound =
        Command { request_type: "PlayLostModeSound".to_owned(), ..gated(mine, Gate::LostMode, rests, 201) };
    try_queue(&fixture, &sound).await.unwrap();
}

async fn t_c14_a_thrown_switch_stops_what_is_queued_and_what_would_be(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    let mut queued = Vec::new();
    for (gate, kind) in DESTRUCTIVE {
        fixture.count(kind, &rests.reference(kind), 150).await;
        // The same act first succeeds.
        let first = try_queue(&fixture, &gated(enrolled, gate, rests, 200)).await.unwrap();
        assert!(try_deliver(&fixture, enrolled, first, 210).await.unwrap());
        queued.push((gate, first, try_queue(&fixture, &gated(enrolled, gate, rests, 220)).await.unwrap()));
    }
    throw(&fixture).await;
    for (gate, sent, waiting) in &queued {
        assert_refused(&try_queue(&fixture, &gated(enrolled, *gate, rests, 310)).await, "switch is thrown");
        assert_refused(&try_deliver(&fixture, enrolled, *waiting, 320).await, "switch is thrown");
        assert_refused(&try_deliver(&fixture, enrolled, *sent, 320).await, "switch is thrown");
        for edit in ["state = 'sent'", "sent_at = 5", "state = 'sent', sent_at = 5"] {
            let id = if edit.starts_with("sent_at") { sent } else { waiting };
            fixture.refused_by_hand(&format!("UPDATE commands SET {edit} WHERE id = '{id}'"));
        }
    }
    // A position is not what the switch is for, and turning lost mode off is ordinary.
    try_queue(&fixture, &gated(enrolled, Gate::Locate, rests, 330)).await.unwrap();
    let off = Command { request_type: "DisableLostMode".to_owned(), ..command(enrolled, 331) };
    let off = try_queue(&fixture, &off).await.unwrap();
    assert!(try_deliver(&fixture, enrolled, off, 340).await.unwrap());
    // The answer to what was sent before is recorded, and what waits can be cancelled.
    let (_, answered, cancelled) = queued[0];
    let report = ConnectWrite {
        report: Some(crate::CommandReport {
            command: answered,
            outcome: crate::CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        ..ConnectWrite::new(enrolled.enrolment, at(350))
    };
    fixture.store.connect_write(report).await.unwrap();
    assert_eq!(fixture.state(answered).await, CommandState::Acknowledged);
    assert!(fixture.write(move |tx| commands::cancel(tx, cancelled)).await);
    // Released, the rest goes on.
    assert!(fixture.write(brake::release).await);
    let (_, _, goes_on) = queued[1];
    assert!(try_deliver(&fixture, enrolled, goes_on, 400).await.unwrap());
    // A table that does not say is not a switch that lets go.
    let without = match fixture.store.engine() {
        Engine::Sqlite => "DROP TRIGGER brake_before_delete_1; DELETE FROM brake",
        Engine::Postgresql => "ALTER TABLE brake DISABLE TRIGGER USER; DELETE FROM brake",
    };
    fixture.by_hand(without).unwrap();
    assert_refused(&try_deliver(&fixture, enrolled, goes_on, 410).await, "switch is thrown");
    assert_refused(&try_queue(&fixture, &gated(enrolled, Gate::Erase, rests, 420)).await, "switch is thrown");
    let switch = fixture.store.read(brake::switch).await;
    assert!(matches!(switch, Err(StoreError::Corrupt { table: "brake", .. })), "{switch:?}");
}

async fn a_thrown_switch_holds_up_no_ordinary_command(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    fixture.count(DestructionKind::Erase, &rests.erase.to_string(), 150).await;
    let erase = try_queue(&fixture, &Command { priority: 9, ..gated(enrolled, Gate::Erase, rests, 200) })
        .await
        .unwrap();
    let harmless = fixture.queue(enrolled, 210).await;
    assert_eq!(fixture.offered(enrolled, 220).await, Some(erase));
    throw(&fixture).await;
    assert_eq!(fixture.offered(enrolled, 310).await, Some(harmless));
    let locate = try_queue(&fixture, &Command { priority: 5, ..gated(enrolled, Gate::Locate, rests, 320) })
        .await
        .unwrap();
    assert_eq!(fixture.offered(enrolled, 330).await, Some(locate));
    assert!(fixture.write(brake::release).await);
    assert_eq!(fixture.offered(enrolled, 340).await, Some(erase));
}

async fn t_c14_a_held_destruction_is_neither_queued_nor_sent_until_it_is_released(fixture: Fixture) {
    let cast: Cast = fixture.cast().await;
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    let request = fixture.ask(&question(&cast)).await;
    let held = NewDestruction {
        actor: Actor::Account(cast.alice),
        fate: Fate::Held(request),
        ..destruction(DestructionKind::Erase, &rests.erase.to_string(), 150)
    };
    fixture.write(move |tx| destructions::record(tx, &held)).await;
    let erase = gated(enrolled, Gate::Erase, rests, 200);
    assert_refused(&try_queue(&fixture, &erase).await, "holds it");
    assert!(fixture.answer(request, cast.bruno, true, 160).await.unwrap());
    assert_refused(&try_queue(&fixture, &erase).await, "holds it");
    assert_eq!(fixture.write(move |tx| destructions::release(tx, request)).await, 1);
    let id = try_queue(&fixture, &erase).await.unwrap();
    assert!(try_deliver(&fixture, enrolled, id, 210).await.unwrap());
}

async fn t_c14_nobody_is_unenrolled_while_the_switch_is_thrown_or_uncounted(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    let recorded = || fixture.read(move |tx| Ok(enrolment_ends::recorded(tx, enrolled.enrolment)?.is_some()));
    assert!(!recorded().await, "the brake has not counted it");
    let new = NewDestruction {
        id: DestructionId::new(at(150)),
        ..destruction(DestructionKind::Unenrol, &rests.end.to_string(), 150)
    };
    fixture.write(move |tx| destructions::record(tx, &new)).await;
    assert!(recorded().await);
    throw(&fixture).await;
    assert!(!recorded().await);
    assert!(fixture.write(brake::release).await);
    assert!(recorded().await);
}

async fn what_the_switch_stops_is_listed_and_cancelled(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    let mut expected = Vec::new();
    for (number, (gate, kind)) in (0_i64..).zip(DESTRUCTIVE) {
        fixture.count(kind, &rests.reference(kind), 150).await;
        expected.push(try_queue(&fixture, &gated(enrolled, gate, rests, 200 + number)).await.unwrap());
    }
    let locate = try_queue(&fixture, &gated(enrolled, Gate::Locate, rests, 210)).await.unwrap();
    let harmless = fixture.queue(enrolled, 211).await;
    throw(&fixture).await;
    let listed = fixture.read(|tx| commands::pending_destructive(tx, None, 10)).await;
    assert_eq!(listed.iter().map(|command| command.id).collect::<Vec<_>>(), expected);
    let after = Some(expected[0]);
    assert_eq!(fixture.read(move |tx| commands::pending_destructive(tx, after, 1)).await[0].id, expected[1]);
    assert_eq!(fixture.write(commands::cancel_destructive).await, 3);
    for id in expected {
        assert_eq!(fixture.state(id).await, CommandState::Cancelled);
    }
    for id in [locate, harmless] {
        assert_eq!(fixture.state(id).await, CommandState::Queued);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn throwing_the_switch_waits_for_what_is_being_sent() {
    use diesel::connection::SimpleConnection as _;

    let fixture = Fixture::new(Engine::Postgresql).await;
    let enrolled = fixture.enrolled(1).await;
    let rests = rests(&fixture, enrolled).await;
    fixture.count(DestructionKind::Erase, &rests.erase.to_string(), 150).await;
    let erase = try_queue(&fixture, &gated(enrolled, Gate::Erase, rests, 200)).await.unwrap();
    // A node is about to send: its transaction is open.
    let mut sending = crate::database::connect(&fixture.url).unwrap();
    sending
        .batch_execute(&format!(
            "BEGIN; UPDATE commands SET state = 'sent', sent_at = 5 WHERE id = '{erase}'"
        ))
        .unwrap();
    let store = fixture.store.clone();
    let throwing = tokio::spawn(async move {
        store.write(|tx| brake::throw(tx, brake::Maker::Host, "a stolen token", at(300))).await.unwrap()
    });
    // It is seen to wait for the row of the switch, and only then does the node commit.
    while fixture
        .by_hand("DO $$ BEGIN ASSERT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()); END $$")
        .is_err()
    {
        assert!(!throwing.is_finished(), "the switch was thrown while a node was sending");
        tokio::task::yield_now().await;
    }
    sending.batch_execute("COMMIT").unwrap();
    assert!(throwing.await.unwrap());
    assert_refused(&try_deliver(&fixture, enrolled, erase, 310).await, "switch is thrown");
}
