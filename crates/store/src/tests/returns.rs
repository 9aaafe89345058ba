//! How a tablet comes back that was erased by order, and what of it the tables take for a proof (M3).

use lending::last_decision::LastKind;
use orders::Gate;
use types::{DestructionKind, EnrolmentId, EraseOrderId, LastDecisionId, LoanId};

use super::fixture::{Enrolled, Fixture, at, command, delivery};
use super::lending::{DAY, came_back, lent, notice, ordered, refused, school};
use crate::commands::{self, Command};
use crate::enrolments::{self, EnrolmentState};
use crate::erase_orders::{self, EraseOrder};
use crate::last_decisions::{self, LastDecision};
use crate::return_profiles::{self, ReturnProfile};
use crate::tests::cast::signer;
use crate::tests::on_both_engines;
use crate::warrants::OrderState;
use crate::{ConnectWrite, loans, notices};

on_both_engines! {
    m3_c5_1_2_a_donation_erases_nothing_before_its_holder_was_told,
    m3_only_an_enrolment_that_an_erased_tablet_makes_after_its_acknowledged_proves_anything,
}

/// The tablet enrols by the return to service of this order, at that second; its new enrolment.
pub(super) async fn came_back_with_its_token(
    fixture: &Fixture,
    of: Enrolled,
    order: EraseOrderId,
    seconds: i64,
) -> EnrolmentId {
    let id = EnrolmentId::new(at(20 * DAY));
    fixture
        .write(move |tx| {
            let former = enrolments::get(tx, &of.enrolment)?.unwrap();
            let invited = enrolments::Enrolment {
                id,
                state: EnrolmentState::Invited,
                created_at: at(20 * DAY),
                authenticated_at: None,
                ..former.clone()
            };
            enrolments::insert(tx, &invited)?;
            let profile = ReturnProfile { enrolment_id: id, order_id: order, rendered_at: at(20 * DAY) };
            return_profiles::insert(tx, &profile)?;
            let over = enrolments::Enrolment { state: EnrolmentState::Superseded, ..former };
            assert!(enrolments::update(tx, &over)?);
            let back = enrolments::Enrolment {
                state: EnrolmentState::Active,
                authenticated_at: Some(at(seconds)),
                ..invited
            };
            assert!(enrolments::update(tx, &back)?);
            Ok(id)
        })
        .await
}

async fn m3_only_an_enrolment_that_an_erased_tablet_makes_after_its_acknowledged_proves_anything(
    fixture: Fixture,
) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (_, receipt, _) = came_back(&fixture, tablet, people[0]).await;
    let order = ordered(&fixture, &receipt).await;
    // What is rendered for another tablet, or for the very enrolment that is erased, is no way back.
    let other = fixture.enrolled(2).await;
    for enrolment_id in [other.enrolment, tablet.enrolment] {
        let wrong = ReturnProfile { enrolment_id, order_id: order, rendered_at: at(20 * DAY) };
        refused(fixture.store.write(move |tx| return_profiles::insert(tx, &wrong)).await, "not its way back");
    }
    let id = receipt.id;
    let set = |what: &str| format!("UPDATE restitutions SET {what} WHERE id = '{id}'");
    let said = at(21 * DAY).as_millis();
    fixture.by_hand(&set("stage = 'delivered'")).unwrap();
    fixture.by_hand(&set(&format!("stage = 'acknowledged', acknowledged_at = {said}"))).unwrap();
    let proven =
        |by: EnrolmentId| set(&format!("stage = 'erased', proof = 'reenrolled', proof_ref = '{by}'"));
    refused(fixture.by_hand(&proven(tablet.enrolment)), "the enrolment before");
    let back = came_back_with_its_token(&fixture, tablet, order, 21 * DAY).await;
    refused(fixture.by_hand(&proven(back)), "it does not follow");
    let of_back = |what: &str| format!("UPDATE enrolments SET {what} WHERE id = '{back}'");
    let later = at(21 * DAY + 1).as_millis();
    // Without the token, a link proves nothing, nor an automated one that does not wait for its configuration.
    let link = EnrolmentId::new(at(22 * DAY));
    fixture
        .write(move |tx| {
            let row = enrolments::get(tx, &back)?.unwrap();
            let over = enrolments::Enrolment { state: EnrolmentState::Superseded, ..row.clone() };
            assert!(enrolments::update(tx, &over)?);
            let later = at(22 * DAY);
            enrolments::insert(
                tx,
                &enrolments::Enrolment { id: link, created_at: later, authenticated_at: Some(later), ..row },
            )
        })
        .await;
    refused(fixture.by_hand(&proven(link)), "a link");
    let of_link = |what: &str| format!("UPDATE enrolments SET {what} WHERE id = '{link}'");
    fixture.by_hand(&of_link("kind = 'automated'")).unwrap();
    refused(fixture.by_hand(&proven(link)), "it does not wait for its configuration");
    // A token that was superseded is no proof either; brought again, it is.
    fixture.by_hand(&of_back(&format!("authenticated_at = {later}"))).unwrap();
    refused(fixture.by_hand(&proven(back)), "it is not in force");
    fixture.by_hand(&of_link("state = 'superseded'")).unwrap();
    fixture.by_hand(&of_back("state = 'active'")).unwrap();
    fixture.by_hand(&proven(back)).unwrap();
    for change in ["order_id = order_id", "rendered_at = 0"] {
        refused(fixture.by_hand(&format!("UPDATE return_profiles SET {change}")), "it stays what it was");
    }
    refused(fixture.by_hand("DELETE FROM return_profiles"), "it is kept");
}

/// The decision to give a lent tablet away, signed by both, and the order that would rest on it.
async fn given_away(fixture: &Fixture, of: Enrolled, loan: LoanId, order: EraseOrderId) -> EraseOrder {
    fixture
        .write(move |tx| {
            let (head, id) = (signer(tx)?, LastDecisionId::new(at(20)));
            let decision = LastDecision {
                id,
                kind: LastKind::Donation,
                tablet_id: of.tablet,
                loan_id: Some(loan),
                incident_id: None,
                reason: "well kept".parse().unwrap(),
                begun_at: at(20),
                head_by: Some(head),
                head_at: Some(at(20)),
                departement_by: None,
                departement_at: None,
                withdrawn_at: None,
            };
            last_decisions::insert(tx, &decision)?;
            let departement_by = Some(signer(tx)?);
            let signed = LastDecision { departement_by, departement_at: Some(at(20)), ..decision };
            assert!(last_decisions::update(tx, &signed)?);
            Ok(EraseOrder {
                id: order,
                tablet_id: of.tablet,
                enrolment_id: Some(of.enrolment),
                cause: "donation".to_owned(),
                state: OrderState::Open,
                not_before: at(20 * DAY),
                expires_at: at(40 * DAY),
                restitution_id: None,
                decision_id: Some(id),
                loan_id: Some(loan),
            })
        })
        .await
}

async fn m3_c5_1_2_a_donation_erases_nothing_before_its_holder_was_told(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (loan, order) = (lent(tablet, people[0]), EraseOrderId::new(at(20)));
    let row = loan.clone();
    fixture.write(move |tx| loans::insert(tx, &row)).await;
    fixture.count(DestructionKind::Erase, &order.to_string(), 20 * DAY).await;
    let given = given_away(&fixture, tablet, loan.id, order).await;
    let untold = given.clone();
    refused(fixture.store.write(move |tx| erase_orders::insert(tx, &untold)).await, "nobody told the holder");
    let told = notice(loan.id);
    let written = told.clone();
    fixture.write(move |tx| notices::write(tx, &written).map(|new| assert!(new))).await;
    let waiting = given.clone();
    refused(fixture.store.write(move |tx| erase_orders::insert(tx, &waiting)).await, "the notice waits");
    fixture
        .write(move |tx| {
            assert!(notices::count(tx, told.id, None, at(20))?);
            erase_orders::insert(tx, &given)
        })
        .await;
    let queued = |seconds| Command {
        request_type: "EraseDevice".to_owned(),
        gate: Gate::Erase,
        erase_order_id: Some(order),
        ..command(tablet, seconds)
    };
    let first = queued(20 * DAY + 1);
    let id = first.id;
    fixture.write(move |tx| commands::queue(tx, first.clone(), None)).await;
    // The mail comes back: nothing is queued any more, nor is what is queued given to the tablet.
    assert!(fixture.write(move |tx| notices::bounce(tx, told.id)).await);
    let second = queued(20 * DAY + 2);
    refused(fixture.store.write(move |tx| commands::queue(tx, second.clone(), None)).await, "it bounced");
    let write =
        ConnectWrite { deliver: Some(delivery(id)), ..ConnectWrite::new(tablet.enrolment, at(21 * DAY)) };
    let sent = fixture.store.connect_write(write).await;
    assert!(!matches!(sent, Ok(sent) if sent.delivered.is_some()), "it bounced");
}
