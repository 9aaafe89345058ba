//! The tables refuse what lacks its order, whatever program sends it (M6).

use diesel::connection::SimpleConnection as _;
use orders::Gate;
use types::{
    CommandId, DestructionKind, EnrolmentEndId, EraseOrderId, IncidentId, IncidentKind, Instant, WarrantId,
};

use super::fixture::{Enrolled, Fixture, at, command, decided_order, delivery};
use super::missing::People;
use crate::commands::{self, Command, CommandState};
use crate::enrolment_ends::{self, EnrolmentEnd};
use crate::erase_orders;
use crate::incidents;
use crate::tests::on_both_engines;
use crate::warrants::{self, OrderState};
use crate::{CommandOutcome, CommandReport, ConnectWrite, StoreError};

on_both_engines! {
    a_gated_command_without_its_order_is_refused,
    an_order_carries_only_its_own_tablet_kind_and_window,
    t_a19_an_erasure_whose_order_ended_is_not_delivered,
    orders_are_frozen_except_towards_their_end,
    an_answer_to_a_locate_command_is_never_stored,
    a_queued_command_cannot_be_made_another,
    a_stored_payload_of_a_gated_command_is_refused,
    the_end_of_an_enrolment_is_read_back_from_its_row,
}

/// Everything open for one tablet from `at(100)`, until `at(1000)` where it expires.
#[derive(Debug, Clone, Copy)]
struct Orders {
    incident: IncidentId,
    warrant: WarrantId,
    people: People,
    erase: EraseOrderId,
    end: EnrolmentEndId,
}

async fn given(fixture: &Fixture, enrolled: Enrolled) -> Orders {
    let (incident, warrant, people) = fixture.sought(enrolled.tablet, 1_000).await;
    let orders = Orders {
        incident,
        warrant,
        people,
        erase: EraseOrderId::new(at(100)),
        end: EnrolmentEndId::new(at(100)),
    };
    fixture
        .write(move |tx| {
            decided_order(
                tx,
                orders.erase,
                (enrolled.tablet, Some(enrolled.enrolment)),
                Some(orders.incident),
                (100, 1000),
            )
            .and_then(|order| erase_orders::insert(tx, &order))?;
            enrolment_ends::insert(
                tx,
                &EnrolmentEnd {
                    id: orders.end,
                    enrolment_id: enrolled.enrolment,
                    reason: "released".to_owned(),
                    decided_at: at(100),
                    decided_by: "host".to_owned(),
                    state: OrderState::Open,
                },
            )
        })
        .await;
    for (kind, reference) in [
        (DestructionKind::LostMode, orders.incident.to_string()),
        (DestructionKind::Erase, orders.erase.to_string()),
        (DestructionKind::Unenrol, orders.end.to_string()),
    ] {
        fixture.count(kind, &reference, 100).await;
    }
    orders
}

fn gated(enrolled: Enrolled, gate: Gate, orders: Orders, queued_at: Instant) -> Command {
    let bare = Command { id: CommandId::new(queued_at), queued_at, gate, ..command(enrolled, 0) };
    match gate {
        Gate::Ordinary => bare,
        Gate::LostMode => {
            Command { request_type: "EnableLostMode".to_owned(), incident_id: Some(orders.incident), ..bare }
        }
        Gate::Locate => {
            Command { request_type: "DeviceLocation".to_owned(), warrant_id: Some(orders.warrant), ..bare }
        }
        Gate::Erase => {
            Command { request_type: "EraseDevice".to_owned(), erase_order_id: Some(orders.erase), ..bare }
        }
        Gate::Unenrol => {
            Command { request_type: "RemoveProfile".to_owned(), enrolment_end_id: Some(orders.end), ..bare }
        }
    }
}

const GATED: [Gate; 4] = [Gate::LostMode, Gate::Locate, Gate::Erase, Gate::Unenrol];

async fn try_queue(fixture: &Fixture, command: Command) -> Result<CommandId, StoreError> {
    fixture
        .store
        .write(move |tx| commands::queue(tx, command.clone(), None).map(|queued| queued.command()))
        .await
}

async fn assert_refused(fixture: &Fixture, command: Command) {
    let shown = format!("{command:?}");
    let refused = try_queue(fixture, command).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?} for {shown}");
}

async fn a_gated_command_without_its_order_is_refused(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let orders = given(&fixture, enrolled).await;
    for gate in GATED {
        let with = gated(enrolled, gate, orders, at(200));
        assert_refused(
            &fixture,
            Command {
                incident_id: None,
                warrant_id: None,
                erase_order_id: None,
                enrolment_end_id: None,
                ..with.clone()
            },
        )
        .await;
        if gate != Gate::Unenrol {
            // Called ordinary, it is still what it is. RemoveProfile of another profile is ordinary.
            let request_type = with.request_type.clone();
            assert_refused(
                &fixture,
                Command { request_type, ..gated(enrolled, Gate::Ordinary, orders, at(200)) },
            )
            .await;
        }
        assert_refused(&fixture, Command { request_type: "ProfileList".to_owned(), ..with.clone() }).await;
        try_queue(&fixture, with).await.unwrap();
    }
}

async fn an_order_carries_only_its_own_tablet_kind_and_window(fixture: Fixture) {
    let mine = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    let orders = given(&fixture, mine).await;
    for gate in GATED {
        assert_refused(&fixture, gated(other, gate, orders, at(200))).await;
        assert_refused(&fixture, gated(mine, gate, orders, at(99))).await;
    }
    for gate in [Gate::Locate, Gate::Erase] {
        assert_refused(&fixture, gated(mine, gate, orders, at(1000))).await;
        try_queue(&fixture, gated(mine, gate, orders, at(999))).await.unwrap();
    }
    // An enrolment and a tablet that do not belong together.
    let mixed = Command { tablet_id: other.tablet, ..command(mine, 0) };
    assert_refused(&fixture, mixed).await;
    // An incident that carries no lost mode.
    let damage = fixture.declared(mine.tablet, IncidentKind::Damage, orders.people.author).await;
    let about_damage = Orders { incident: damage, ..orders };
    assert_refused(&fixture, gated(mine, Gate::LostMode, about_damage, at(200))).await;
    // Closing the incident ends what rests on it.
    assert!(fixture.write(move |tx| incidents::close(tx, orders.incident, at(300))).await);
    assert_refused(&fixture, gated(mine, Gate::LostMode, orders, at(400))).await;
    assert_refused(&fixture, gated(mine, Gate::Locate, orders, at(400))).await;
}

async fn t_a19_an_erasure_whose_order_ended_is_not_delivered(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let orders = given(&fixture, enrolled).await;
    let late = try_queue(&fixture, gated(enrolled, Gate::Erase, orders, at(200))).await.unwrap();
    let write = |command, seconds| ConnectWrite {
        deliver: Some(delivery(command)),
        ..ConnectWrite::new(enrolled.enrolment, at(seconds))
    };
    // Queued in its window, offered after it.
    let refused = fixture.store.connect_write(write(late, 1000)).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    // Delivered in time: what it rests on comes with it, and its payload does not.
    let delivered = fixture.store.connect_write(write(late, 999)).await.unwrap().delivered.unwrap();
    assert_eq!(delivered.order, Some(orders::Order::Erase(orders.erase)));
    assert_eq!((delivered.payload, delivered.gate), (None, Gate::Erase));

    assert!(fixture.write(move |tx| erase_orders::end(tx, orders.erase)).await);
    let again = fixture.store.connect_write(write(late, 998)).await;
    assert!(matches!(again, Err(StoreError::Refused { .. })), "{again:?}");
    // The answer to what was delivered in time is recorded all the same.
    let report = ConnectWrite {
        report: Some(CommandReport {
            command: late,
            outcome: CommandOutcome::Acknowledged,
            result: None,
            raw: None,
        }),
        ..ConnectWrite::new(enrolled.enrolment, at(1001))
    };
    fixture.store.connect_write(report).await.unwrap();
    assert_eq!(fixture.state(late).await, CommandState::Acknowledged);
}

async fn orders_are_frozen_except_towards_their_end(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let orders = given(&fixture, enrolled).await;
    for edit in [
        "UPDATE erase_orders SET expires_at = expires_at + 1",
        "UPDATE erase_orders SET cause = 'donation'",
        "UPDATE warrants SET opens_at = opens_at - 1",
        "UPDATE incidents SET kind = 'loss'",
        "UPDATE enrolment_ends SET reason = 'other'",
    ] {
        let refused = fixture.by_hand(edit);
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{edit}: {refused:?}");
    }
    assert!(fixture.write(move |tx| warrants::end(tx, orders.warrant, at(300))).await);
    assert!(!fixture.write(move |tx| warrants::end(tx, orders.warrant, at(300))).await);
    let reopened = fixture.by_hand("UPDATE warrants SET state = 'open'");
    assert!(matches!(reopened, Err(StoreError::Refused { .. })), "{reopened:?}");
}

async fn an_answer_to_a_locate_command_is_never_stored(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let orders = given(&fixture, enrolled).await;
    let locate = try_queue(&fixture, gated(enrolled, Gate::Locate, orders, at(200))).await.unwrap();
    fixture.recorded_request(locate, orders.people).await.unwrap();
    assert!(fixture.deliver(enrolled, locate, 201).await);
    let write = |result, raw| ConnectWrite {
        report: Some(CommandReport { command: locate, outcome: CommandOutcome::Acknowledged, result, raw }),
        ..ConnectWrite::new(enrolled.enrolment, at(202))
    };
    let position = serde_json::json!({ "Latitude": 49.44 });
    for refused in [write(Some(position), None), write(None, Some(b"49.44".to_vec()))] {
        let refused = fixture.store.connect_write(refused).await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    }
    fixture.store.connect_write(write(None, None)).await.unwrap();
    assert_eq!(fixture.state(locate).await, CommandState::Acknowledged);
}

async fn a_queued_command_cannot_be_made_another(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let id = fixture.queue(enrolled, 10).await;
    let other_payload = match fixture.store.engine() {
        crate::Engine::Sqlite => "UPDATE commands SET payload = x'00'",
        crate::Engine::Postgresql => "UPDATE commands SET payload = '\\x00'",
    };
    for edit in [
        "UPDATE commands SET request_type = 'EraseDevice'",
        other_payload,
        "UPDATE commands SET queued_at = 0",
        "UPDATE commands SET queued_by = 'someone'",
    ] {
        let refused = fixture.by_hand(edit);
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{edit}: {refused:?}");
    }
    assert!(fixture.write(move |tx| commands::cancel(tx, id)).await);
    let revived = fixture.by_hand("UPDATE commands SET state = 'queued'");
    assert!(matches!(revived, Err(StoreError::Refused { .. })), "{revived:?}");
}

async fn a_stored_payload_of_a_gated_command_is_refused(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let orders = given(&fixture, enrolled).await;
    for gate in GATED {
        let command = gated(enrolled, gate, orders, at(200));
        let refused = fixture
            .store
            .write(move |tx| commands::queue(tx, command.clone(), Some(b"<plist/>".to_vec())))
            .await;
        assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    }
    // The same by hand, past every function of the program.
    let mut connection = crate::database::connect(&fixture.url).unwrap();
    let by_hand = connection.batch_execute(&format!(
        "INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, priority, urgent, state, \
         queued_at, queued_by, sent_count, not_now_count) VALUES ('x', '{}', '{}', 'EraseDevice', 'erase', 0, \
         (1 = 0), 'queued', 0, 'me', 0, 0)",
        enrolled.enrolment, enrolled.tablet
    ));
    assert!(by_hand.is_err());
}

async fn the_end_of_an_enrolment_is_read_back_from_its_row(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let other = fixture.enrolled(2).await;
    let orders = given(&fixture, enrolled).await;
    let recorded = fixture.read(move |tx| enrolment_ends::recorded(tx, enrolled.enrolment)).await.unwrap();
    let proof = lending::EnrolmentEnd::read_back(&recorded, enrolled.enrolment, at(200)).unwrap();
    assert_eq!((proof.end(), proof.tablet()), (orders.end, enrolled.tablet));
    assert_eq!(fixture.read(move |tx| enrolment_ends::recorded(tx, other.enrolment)).await, None);
    fixture.write(move |tx| enrolment_ends::end(tx, orders.end)).await;
    assert_eq!(fixture.read(move |tx| enrolment_ends::recorded(tx, enrolled.enrolment)).await, None);
}
