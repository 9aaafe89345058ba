//! A stolen tablet is erased by two decisions, while it is away, and by no statement that somebody has up their sleeve (M3).

use ::incidents::IncidentState as Stage;
use types::{DestructionKind, EraseOrderId, IncidentId, IncidentKind, LastDecisionId};

use super::fixture::{Enrolled, Fixture, answered_yes, at, command, decided_order, delivery, two_who_decide};
use crate::commands::{self, Command};
use crate::last_decisions::{self, LastDecision};
use crate::tests::lending::{DAY, came_back, school};
use crate::tests::on_both_engines;
use crate::{ConnectWrite, Engine, StoreError, erase_orders, incident_declarations, incidents};
use lending::last_decision::LastKind;
use lending::restitution::Hold;
use orders::Gate;

on_both_engines! {
    m3_the_departement_decides_on_a_theft_only_by_answering_its_head,
    m3_t_a19_a_stolen_tablet_is_erased_only_while_it_is_away,
    m3_t_a19_a_stolen_tablet_that_was_handed_in_is_erased_by_no_theft,
    m3_m6_no_single_statement_makes_an_erasure_of_a_stolen_tablet,
    m5_after_a_restore_a_theft_is_confirmed_before_its_tablet_is_erased,
}

async fn stolen(fixture: &Fixture) -> (Enrolled, IncidentId) {
    let enrolled = fixture.enrolled(1).await;
    let people = fixture.people_of_a_warrant().await;
    (enrolled, fixture.declared(enrolled.tablet, IncidentKind::Theft, people.author).await)
}

fn proposed(enrolled: Enrolled, theft: IncidentId, head: types::AccountId) -> LastDecision {
    LastDecision {
        id: LastDecisionId::new(at(110)),
        kind: LastKind::Theft,
        tablet_id: enrolled.tablet,
        loan_id: None,
        incident_id: Some(theft),
        reason: "seen for sale".parse().unwrap(),
        begun_at: at(110),
        head_by: Some(head),
        head_at: Some(at(110)),
        departement_by: None,
        departement_at: None,
        withdrawn_at: None,
    }
}

async fn m3_the_departement_decides_on_a_theft_only_by_answering_its_head(fixture: Fixture) {
    let (enrolled, theft) = stolen(&fixture).await;
    let (decision, head, operator) = fixture
        .write(move |tx| {
            let (head, operator) = two_who_decide(tx, LastDecisionId::new(at(110)))?;
            let decision = proposed(enrolled, theft, head);
            last_decisions::insert(tx, &decision)?;
            Ok((decision, head, operator))
        })
        .await;
    let sign = |by: types::AccountId| {
        let signed =
            LastDecision { departement_by: Some(by), departement_at: Some(at(120)), ..decision.clone() };
        let store = fixture.store.clone();
        async move { store.write(move |tx| last_decisions::update(tx, &signed)).await }
    };
    let refused = |outcome: Result<bool, StoreError>, what: &str| {
        assert!(matches!(outcome, Err(StoreError::Refused { .. })), "{what}: {outcome:?}");
    };
    refused(sign(operator).await, "nobody was asked");
    // Answers that are about something else.
    let elsewhere = IncidentId::new(at(100));
    let another = LastDecisionId::new(at(111));
    fixture.write(move |tx| answered_yes(tx, decision.id, elsewhere, (head, operator), at(115))).await;
    refused(sign(operator).await, "of another incident");
    fixture.write(move |tx| answered_yes(tx, another, theft, (head, operator), at(115))).await;
    refused(sign(operator).await, "used for another decision");
    let somebody = fixture
        .write(move |tx| {
            let (_head, somebody) = two_who_decide(tx, another)?;
            answered_yes(tx, decision.id, theft, (somebody, operator), at(115))?;
            Ok(somebody)
        })
        .await;
    refused(sign(operator).await, "asked by somebody else than the head who proposes");
    fixture.write(move |tx| answered_yes(tx, decision.id, theft, (head, operator), at(115))).await;
    refused(sign(somebody).await, "signed by somebody else than whoever answered");
    assert!(sign(operator).await.unwrap());
}

/// The order of two who decided, from `at(100)` to `at(10_000)`, counted by the brake.
async fn ordered(fixture: &Fixture, enrolled: Enrolled, theft: IncidentId) -> EraseOrderId {
    let order = EraseOrderId::new(at(100));
    fixture
        .write(move |tx| {
            let row = decided_order(tx, order, (enrolled.tablet, None), Some(theft), (100, 10_000))?;
            erase_orders::insert(tx, &row)
        })
        .await;
    fixture.count(DestructionKind::Erase, &order.to_string(), 100).await;
    order
}

fn erase(enrolled: Enrolled, order: EraseOrderId, seconds: i64) -> Command {
    Command {
        gate: Gate::Erase,
        request_type: "EraseDevice".to_owned(),
        erase_order_id: Some(order),
        ..command(enrolled, seconds)
    }
}

async fn m3_t_a19_a_stolen_tablet_is_erased_only_while_it_is_away(fixture: Fixture) {
    let (enrolled, theft) = stolen(&fixture).await;
    let order = ordered(&fixture, enrolled, theft).await;
    let queue = |seconds| {
        let (store, row) = (fixture.store.clone(), erase(enrolled, order, seconds));
        async move { store.write(move |tx| commands::queue(tx, row.clone(), None)).await }
    };
    let goes_on =
        |from, to| fixture.write(move |tx| incident_declarations::go_on(tx, theft, from, to, at(300)));
    let queued = queue(200).await.unwrap().command();
    // The search was given up: it is away all the same.
    assert!(goes_on(Stage::Declared, Stage::NotFound).await);
    queue(210).await.unwrap();
    assert!(goes_on(Stage::NotFound, Stage::Found).await);
    let refused = queue(310).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "it was found: {refused:?}");
    let write =
        ConnectWrite { deliver: Some(delivery(queued)), ..ConnectWrite::new(enrolled.enrolment, at(320)) };
    let sent = fixture.store.connect_write(write).await;
    assert!(
        !matches!(&sent, Ok(written) if written.delivered.is_some()),
        "what was queued before is not sent: {sent:?}"
    );
    let again = fixture
        .store
        .write(move |tx| {
            let order = EraseOrderId::new(at(320));
            let row = decided_order(tx, order, (enrolled.tablet, None), Some(theft), (320, 10_000))?;
            erase_orders::insert(tx, &row)
        })
        .await;
    assert!(matches!(again, Err(StoreError::Refused { .. })), "nor ordered: {again:?}");
}

async fn m3_t_a19_a_stolen_tablet_that_was_handed_in_is_erased_by_no_theft(fixture: Fixture) {
    let enrolled = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let by = fixture.write(|tx| two_who_decide(tx, LastDecisionId::new(at(1)))).await.0;
    let theft = fixture.declared(enrolled.tablet, IncidentKind::Theft, by).await;
    let order = |from: i64| {
        let store = fixture.store.clone();
        async move {
            store
                .write(move |tx| {
                    let order = EraseOrderId::new(at(from));
                    let window = (from, from + 10_000);
                    let row = decided_order(tx, order, (enrolled.tablet, None), Some(theft), window)?;
                    erase_orders::insert(tx, &row)
                })
                .await
        }
    };
    let (_, receipt, _) = came_back(&fixture, enrolled, people[0]).await;
    // Nobody said that it was found: its receipt says so.
    let present = fixture.read(move |tx| erase_orders::present(tx, enrolled.tablet)).await;
    assert_eq!(present.holds, [Hold::Found(theft)]);
    let refused = order(20 * DAY + 100).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    // A slip is undone: it is still away.
    fixture
        .write(move |tx| {
            let row = crate::restitutions::get(tx, &receipt.id)?.unwrap();
            let undone = crate::restitutions::StageName::Undone;
            crate::restitutions::update(tx, &crate::restitutions::Restitution { stage: undone, ..row })
        })
        .await;
    let present = fixture.read(move |tx| erase_orders::present(tx, enrolled.tablet)).await;
    assert_eq!(present.holds, [Hold::Incident(theft)]);
    order(20 * DAY + 200).await.unwrap();
}

async fn m3_m6_no_single_statement_makes_an_erasure_of_a_stolen_tablet(fixture: Fixture) {
    let (enrolled, theft) = stolen(&fixture).await;
    let (decision, operator) = fixture
        .write(move |tx| {
            let (head, operator) = two_who_decide(tx, LastDecisionId::new(at(110)))?;
            let decision = proposed(enrolled, theft, head);
            last_decisions::insert(tx, &decision)?;
            // The most that an attacker may find: the answer was given, and the decision not yet written.
            answered_yes(tx, decision.id, theft, (head, operator), at(115))?;
            Ok((decision.id, operator))
        })
        .await;
    fixture.count(DestructionKind::Erase, "made-by-hand", 100).await;
    let Enrolled { tablet, enrolment, .. } = enrolled;
    let head = operator;
    let decide = format!(
        "INSERT INTO last_decisions (id, kind, tablet_id, incident_id, reason, begun_at, head_by, head_at, departement_by, \
         departement_at) VALUES ('d', 'theft', '{tablet}', '{theft}', 'x', 0, '{head}', 0, '{operator}', 0)"
    );
    let order = format!(
        "INSERT INTO erase_orders (id, tablet_id, cause, state, not_before, expires_at, decision_id) \
         VALUES ('made-by-hand', '{tablet}', 'theft', 'open', 0, 9000000000000, '{decision}')"
    );
    let command = format!(
        "INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, erase_order_id, priority, urgent, state, \
         queued_at, queued_by, sent_count, not_now_count) SELECT 'c', '{enrolment}', '{tablet}', 'EraseDevice', 'erase', \
         'made-by-hand', 0, (1 = 0), 'queued', 200000, 'me', 0, 0"
    );
    let sign = format!(
        "UPDATE last_decisions SET departement_by = '{operator}', departement_at = 1800000000000 WHERE id = '{decision}'"
    );
    for statement in [&decide, &order, &command] {
        fixture.refused_by_hand(statement);
    }
    if fixture.store.engine() == Engine::Postgresql {
        // In one statement, the rows that a row rests on are made by its common table expressions.
        fixture.refused_by_hand(&format!("WITH d AS ({sign} RETURNING id) {order}"));
        fixture.refused_by_hand(&format!(
            "WITH d AS ({sign} RETURNING id), o AS ({order} RETURNING id) {command}"
        ));
        fixture.refused_by_hand(&format!("WITH o AS ({order} RETURNING id) {command}"));
        fixture.by_hand(&sign).unwrap();
        fixture.refused_by_hand(&format!("WITH o AS ({order} RETURNING id) {command}"));
    } else {
        fixture.by_hand(&sign).unwrap();
    }
    fixture.by_hand(&order).unwrap();
}

async fn m5_after_a_restore_a_theft_is_confirmed_before_its_tablet_is_erased(fixture: Fixture) {
    let (enrolled, theft) = stolen(&fixture).await;
    let restored = at(150).as_millis();
    fixture
        .by_hand(&format!("INSERT INTO settings (name, value) VALUES ('restored_at', '{restored}')"))
        .unwrap();
    let give = |seconds| {
        let store = fixture.store.clone();
        async move {
            store
                .write(move |tx| {
                    let order = EraseOrderId::new(at(seconds));
                    let row =
                        decided_order(tx, order, (enrolled.tablet, None), Some(theft), (seconds, 10_000))?;
                    erase_orders::insert(tx, &row)
                })
                .await
        }
    };
    let refused = give(200).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    let by = fixture.write(|tx| two_who_decide(tx, LastDecisionId::new(at(1)))).await.1;
    fixture.write(move |tx| crate::incident_confirmations::record(tx, theft, at(150), by, at(160))).await;
    give(210).await.unwrap();
    assert!(fixture.read(move |tx| incidents::get(tx, &theft)).await.is_some());
}
