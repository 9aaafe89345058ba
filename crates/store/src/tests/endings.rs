//! What the tables hold of repairs, transfers and ways out, whatever program writes to them (C3.3.2, C5.1.2, C5.4.5).

use lending::loan::Suspension;
use types::{
    CountersignatureId, DestructionKind, Digest, EraseOrderId, LastDecisionId, RepairId, TransferId,
};

use super::fixture::{Enrolled, Fixture, at, decided_order, two_who_decide};
use super::lending::{lent, refused, school};
use crate::countersignatures::{self, Answer, Question, SecondRole};
use crate::departures::{self, Departure};
use crate::loans::{self, Loan};
use crate::repairs::{self, Repair, RepairState};
use crate::restitutions::ProofKind;
use crate::tests::cast::signer;
use crate::tests::on_both_engines;
use crate::transfers::{self, Transfer, TransferState};
use crate::{StoreError, Tx, erase_orders, last_decisions, tablets};

on_both_engines! {
    c5_4_5_a_tablet_in_repair_is_lent_to_nobody_stays_where_it_is_and_its_loan_rests,
    c3_3_2_a_transfer_is_of_the_tablets_college_and_done_by_two_persons,
    c5_1_2_what_cannot_be_undone_takes_a_decision_and_a_second_person,
    c5_1_2_m3_a_second_person_signs_for_this_decision_and_a_technician_attests_under_an_order_that_stands,
    a_decision_is_signed_by_whoever_has_an_account,
}

fn repair(of: Enrolled, loan: Option<&Loan>, by: types::AccountId) -> Repair {
    Repair {
        id: RepairId::new(at(20)),
        tablet_id: of.tablet,
        loan_id: loan.map(|loan| loan.id),
        loaner_loan_id: None,
        uai: "0760001A".parse().unwrap(),
        reference: "SAV-118".parse().unwrap(),
        state: RepairState::AtSupplier,
        sent_at: at(20),
        sent_by: by,
        closed_at: None,
        closed_by: None,
        exchanged_tablet_id: None,
        loan_rested: false,
    }
}

async fn c5_4_5_a_tablet_in_repair_is_lent_to_nobody_stays_where_it_is_and_its_loan_rests(fixture: Fixture) {
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let people = school(&fixture, 2).await;
    let by = fixture.write(signer).await;
    let loan = lent(one, people[0]);
    let row = loan.clone();
    fixture.write(move |tx| loans::insert(tx, &row)).await;
    let send = |row: Repair| fixture.store.write(move |tx| repairs::insert(tx, &row));
    refused(send(repair(one, Some(&loan), by)).await, "its loan does not rest");
    refused(send(repair(one, None, by)).await, "it is lent, and the repair says nothing of it");
    let rests = loan.standing(&loan.decided().unwrap().suspend(Suspension::Repair).unwrap(), at(20));
    let row = rests.clone();
    assert!(fixture.write(move |tx| loans::update(tx, &row)).await);
    let sent = repair(one, Some(&loan), by);
    send(sent.clone()).await.unwrap();
    refused(send(Repair { id: RepairId::new(at(21)), ..sent.clone() }).await, "one at a time");
    refused(fixture.by_hand("UPDATE repairs SET loan_rested = NOT loan_rested"), "how the loan stood stays");
    // The loan does not go on before the tablet is back, and the tablet moves nowhere.
    let again = loan.clone();
    refused(fixture.store.write(move |tx| loans::update(tx, &again)).await, "the supplier has it");
    let moves = fixture.store.write(move |tx| {
        let tablet = tablets::get(tx, &one.tablet)?.unwrap();
        tablets::update(tx, &tablets::Tablet { uai: Some("0769999Z".parse().unwrap()), ..tablet })
    });
    refused(moves.await, "it is lent, and away");
    // Nor is one lent that was lent to nobody.
    send(Repair { id: RepairId::new(at(22)), ..repair(two, None, by) }).await.unwrap();
    let other = lent(two, people[1]);
    refused(fixture.store.write(move |tx| loans::insert(tx, &other)).await, "the supplier has it");
    // It is back once, and what it was stays.
    let back = Repair { state: RepairState::Back, closed_at: Some(at(30)), closed_by: Some(by), ..sent };
    let row = back.clone();
    assert!(fixture.write(move |tx| repairs::update(tx, &row)).await);
    let twice = Repair { closed_at: Some(at(31)), ..back.clone() };
    refused(fixture.store.write(move |tx| repairs::update(tx, &twice)).await, "it is over");
    let goes_on = loan.clone();
    assert!(fixture.write(move |tx| loans::update(tx, &goes_on)).await);
    refused(fixture.by_hand("DELETE FROM repairs"), "a repair is closed, never deleted");
}

async fn c3_3_2_a_transfer_is_of_the_tablets_college_and_done_by_two_persons(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let (head, other) = (fixture.write(signer).await, fixture.write(signer).await);
    let from = fixture
        .write(move |tx| {
            let tablet = tablets::get(tx, &one.tablet)?.unwrap();
            let uai = tablet.uai.clone().unwrap_or_else(|| "0760001A".parse().unwrap());
            tablets::update(tx, &tablets::Tablet { uai: Some(uai.clone()), ..tablet })?;
            Ok(uai)
        })
        .await;
    let row = Transfer {
        id: TransferId::new(at(20)),
        tablet_id: one.tablet,
        from_uai: from.clone(),
        to_uai: "0769999Z".parse().unwrap(),
        reason: "ouverture d’une classe".parse().unwrap(),
        state: TransferState::Proposed,
        proposed_at: at(20),
        proposed_by: head,
        given_at: None,
        given_by: None,
        taken_at: None,
        taken_by: None,
        ended_at: None,
    };
    let propose = |row: Transfer| fixture.store.write(move |tx| transfers::insert(tx, &row));
    let swapped = Transfer { from_uai: row.to_uai.clone(), to_uai: row.from_uai.clone(), ..row.clone() };
    refused(propose(swapped).await, "it is of another collège");
    propose(row.clone()).await.unwrap();
    refused(propose(Transfer { id: TransferId::new(at(21)), ..row.clone() }).await, "one at a time");
    let update = |row: Transfer| fixture.store.write(move |tx| transfers::update(tx, &row));
    let alone = Transfer {
        given_at: Some(at(22)),
        given_by: Some(head),
        state: TransferState::Done,
        ended_at: Some(at(22)),
        ..row.clone()
    };
    refused(update(alone.clone()).await, "one side has not consented");
    refused(
        update(Transfer { taken_at: Some(at(22)), taken_by: Some(head), ..alone.clone() }).await,
        "one person",
    );
    let done = Transfer { taken_at: Some(at(22)), taken_by: Some(other), ..alone };
    assert!(update(done.clone()).await.unwrap());
    refused(update(Transfer { taken_by: Some(head), ..done }).await, "what was done stays done");
}

async fn c5_1_2_what_cannot_be_undone_takes_a_decision_and_a_second_person(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let order = EraseOrderId::new(at(100));
    let decided =
        fixture.write(move |tx| decided_order(tx, order, (one.tablet, None), None, (100, 10_000))).await;
    let decision = decided.decision_id.unwrap();
    let begun = Departure::begun(decision, order);
    let row = begun.clone();
    fixture.write(move |tx| departures::insert(tx, &row)).await;
    let update = |row: Departure| fixture.store.write(move |tx| departures::update(tx, &row));
    refused(update(Departure { order_id: Some(order), ..begun.clone() }).await, "no such order was given");
    let asked = types::CountersignatureId::new(at(101));
    let gone = Departure { countersignature_id: Some(asked), let_go_at: Some(at(200)), ..begun.clone() };
    refused(update(gone).await, "it is not proven empty, and nobody signed");
    refused(
        fixture.by_hand("UPDATE departures SET released_at = 5, released_by = 'x', release_reference = 'y', lock_reference = 'z'"),
        "a release comes after a second person",
    );
    refused(fixture.by_hand("DELETE FROM departures"), "what was done stays done");
    let account =
        fixture.read(move |tx| last_decisions::get(tx, &decision)).await.unwrap().departement_by.unwrap();
    let saved = Departure { saved_at: Some(at(150)), saved_by: Some(account), ..begun.clone() };
    refused(update(saved).await, "nobody’s data is on a tablet that is retired");
    let taken_in = Departure {
        taken_in_at: Some(at(150)),
        taken_in_by: Some(account),
        taken_in_because: Some("rendue".parse().unwrap()),
        ..begun.clone()
    };
    refused(update(taken_in).await, "it has not left");
    assert_eq!(fixture.read(move |tx| departures::gone(tx, [one.tablet])).await.len(), 0);
    let people = school(&fixture, 1).await;
    let loan = lent(one, people[0]);
    refused(fixture.store.write(move |tx| loans::insert(tx, &loan)).await, "it is retired");
}

/// A second person of the département has signed for a tablet, and their word was used for something.
fn signed_for(
    tx: &mut Tx<'_>,
    (purpose, subject, used_for): (&str, &str, &str),
    when: i64,
) -> Result<CountersignatureId, StoreError> {
    let (asks, answers) = two_who_decide(tx, LastDecisionId::new(at(when)))?;
    let content = format!("{{\"at\":{when}}}");
    let question = Question {
        id: CountersignatureId::new(at(when)),
        purpose: purpose.to_owned(),
        subject: subject.to_owned(),
        content_sha256: Digest::of(content.as_bytes()),
        content,
        reason: "worn out".to_owned(),
        asked_by: asks,
        asked_at: at(when),
        answer_organisation: None,
        answer_role: SecondRole::Departement,
        answer_uai: None,
        expires_at: at(when + 1_000),
    };
    countersignatures::ask(tx, &question)?;
    let yes = Answer { given: true, by: answers, at: at(when), reason: None };
    assert!(countersignatures::answer(tx, question.id, &yes)?);
    assert!(countersignatures::use_once(tx, question.id, used_for, at(when))?);
    Ok(question.id)
}

async fn c5_1_2_m3_a_second_person_signs_for_this_decision_and_a_technician_attests_under_an_order_that_stands(
    fixture: Fixture,
) {
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let update = |row: Departure| fixture.store.write(move |tx| departures::update(tx, &row));
    let mut begun = Vec::new();
    for (tablet, from) in [(one.tablet, 100), (two.tablet, 101)] {
        let order = EraseOrderId::new(at(from));
        fixture.count(DestructionKind::Erase, &order.to_string(), from).await;
        let ordered = fixture
            .write(move |tx| {
                let row = decided_order(tx, order, (tablet, None), None, (from, 10_000))?;
                erase_orders::insert(tx, &row)?;
                let begun = Departure::begun(row.decision_id.unwrap(), order);
                departures::insert(tx, &begun)?;
                let ordered = Departure { order_id: Some(order), ..begun };
                assert!(departures::update(tx, &ordered)?);
                Ok(ordered)
            })
            .await;
        begun.push(ordered);
    }
    let empty = |row: &Departure| Departure {
        erased_at: Some(at(200)),
        proof: Some(ProofKind::Attested),
        proof_ref: Some(types::AccountId::new(at(1)).to_string()),
        ..row.clone()
    };
    let over = begun[0].order_id.unwrap();
    fixture.write(move |tx| erase_orders::end(tx, over)).await;
    refused(update(empty(&begun[0])).await, "its order is over, and the tablet said nothing");
    let proven = empty(&begun[1]);
    assert!(update(proven.clone()).await.unwrap());
    // Signed for the tablet, and for another decision, or for another purpose.
    let (subject, own, other) =
        (format!("tablet:{}", two.tablet), proven.decision_id.to_string(), begun[0].decision_id.to_string());
    for (when, purpose, used_for, counts) in [
        (210, "release-tablet", &other, false),
        (220, "give-away", &own, false),
        (230, "release-tablet", &own, true),
    ] {
        let (subject, used_for) = (subject.clone(), used_for.clone());
        let signed = fixture.write(move |tx| signed_for(tx, (purpose, &subject, &used_for), when)).await;
        let gone =
            Departure { countersignature_id: Some(signed), let_go_at: Some(at(when)), ..proven.clone() };
        let gone = update(gone).await;
        if counts {
            assert!(gone.unwrap());
        } else {
            refused(gone, "what was signed is something else");
        }
    }
}

async fn a_decision_is_signed_by_whoever_has_an_account(fixture: Fixture) {
    let one = fixture.enrolled(1).await;
    let order = EraseOrderId::new(at(100));
    fixture.write(move |tx| decided_order(tx, order, (one.tablet, None), None, (100, 10_000))).await;
    let two = fixture.enrolled(2).await;
    let nobody = types::AccountId::new(at(1));
    let unsigned = fixture.store.write(move |tx| {
        let row = last_decisions::in_force_of_tablet(tx, one.tablet)?.unwrap();
        let id = types::LastDecisionId::new(at(101));
        let bare = last_decisions::LastDecision {
            id,
            tablet_id: two.tablet,
            departement_by: None,
            departement_at: None,
            ..row
        };
        last_decisions::insert(tx, &bare)?;
        let signed = last_decisions::LastDecision {
            departement_by: Some(nobody),
            departement_at: Some(at(102)),
            ..bare
        };
        last_decisions::update(tx, &signed)
    });
    assert!(unsigned.await.is_err(), "nobody signed that");
}
