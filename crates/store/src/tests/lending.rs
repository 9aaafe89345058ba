//! What the tables hold of loans and restitutions, whatever program writes to them (C5.3.1, C5.3.5, M3).

use std::collections::BTreeSet;

use lending::loan::{Ending, Suspension};
use lending::notice::NoticeKind;
use lending::restitution::{Hold, Place, Reenrolment};
use lending::{EraseTerms, Grounds, NotErased, grant};
use orders::{Gate, Queueable};
use types::{
    AccountId, CommandId, DestructionKind, EraseOrderId, IncidentId, LoanId, NoticeId, PersonId,
    RestitutionId, UserKind,
};

use super::fixture::{Enrolled, Fixture, at, command, decided_order, delivery};
use crate::commands::{self, Command, Enqueue};
use crate::incidents::{self, Incident, IncidentState};
use crate::loans::{self, Loan, Standing};
use crate::notices::{self, Channel, Notice, NoticeState};
use crate::restitutions::{self, Restitution, StageName};
use crate::school_years::{self, SchoolYear};
use crate::tests::cast::signer;
use crate::tests::on_both_engines;
use crate::tests::returns::came_back_with_its_token;
use crate::{ConnectWrite, StoreError, Tx, erase_orders, last_decisions, restore};

on_both_engines! {
    c5_3_1_a_tablet_is_lent_to_one_person_and_a_person_holds_one,
    c5_3_5_a_tablet_is_lent_again_once_it_is_proven_erased_and_not_before,
    m3_no_order_is_written_without_its_receipt_its_minute_and_a_notice,
    m3_what_an_erasure_rests_on_is_looked_at_again_when_it_is_sent,
    m3_a_decision_that_is_taken_back_erases_nothing,
    m3_c5_1_2_a_donation_is_erased_after_a_notice_that_counts_and_not_otherwise,
    m3_a_restitution_goes_its_way_step_by_step_and_its_receipt_stays,
    c5_3_5_a_notice_is_said_once_counts_once_and_bounces_for_good,
    t_c24_a_restored_restitution_waits_to_be_ordered_anew,
}

pub(super) const DAY: i64 = 86_400;

/// A school year, and people of one collège on its validated list.
pub(super) async fn school(fixture: &Fixture, people: usize) -> Vec<PersonId> {
    let ids: Vec<PersonId> = (0..people).map(|_one| PersonId::new(at(1))).collect();
    fixture.write(year).await;
    fixture.listed("0760001A", "2026-2027", &ids).await;
    ids
}

/// A school year.
pub(super) fn year(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let day = |text: &str| text.parse().unwrap();
    school_years::insert(
        tx,
        &SchoolYear {
            label: "2026-2027".to_owned(),
            starts_on: day("2026-09-01"),
            ends_on: day("2027-08-31"),
            summer_starts_on: day("2027-07-03"),
            summer_ends_on: day("2027-08-31"),
        },
    )
}

pub(super) fn lent(of: Enrolled, to: PersonId) -> Loan {
    Loan {
        id: LoanId::new(at(10)),
        tablet_id: of.tablet,
        person_id: to,
        holder_kind: UserKind::Pupil,
        uai: "0760001A".parse().unwrap(),
        school_year: "2026-2027".to_owned(),
        state: Standing::Lent,
        suspension: None,
        began_at: at(10),
        changed_at: at(10),
        ended_because: None,
        ended_on: None,
        ended_reference: None,
        handed_over_by: AccountId::new(at(1)),
        accessories: ["charger".to_owned()].into(),
        condition: "neuf".parse().unwrap(),
        reserve: BTreeSet::new(),
        reserve_signed_by: None,
        deposited_since: None,
    }
}

pub(super) fn receipt(loan: &Loan, seconds: i64) -> Restitution {
    Restitution {
        id: RestitutionId::new(at(seconds)),
        tablet_id: loan.tablet_id,
        loan_id: loan.id,
        uai: loan.uai.clone(),
        received_at: at(seconds),
        received_by: AccountId::new(at(1)),
        accessories: BTreeSet::new(),
        condition: "rayée".parse().unwrap(),
        counted_order_id: EraseOrderId::new(at(seconds)),
        saved_at: None,
        saved_by: None,
        held_for_check: false,
        stage: StageName::Received,
        order_id: None,
        acknowledged_at: None,
        proof: None,
        proof_ref: None,
        changed_at: at(seconds),
        loan_stood: None,
        loan_suspension: None,
        loan_since: None,
        loan_deposited_since: None,
    }
    .ending(loan)
}

pub(super) fn notice(loan: LoanId) -> Notice {
    Notice {
        id: NoticeId::new(at(20)),
        loan_id: loan,
        kind: NoticeKind::Reminder,
        occasion: "2027-06-30:21".to_owned(),
        channel: Channel::Mail,
        state: NoticeState::Waiting,
        created_at: at(20),
        counted_at: None,
        counted_by: None,
        addressee: None,
    }
}

/// A tablet that was lent at `at(10)`, whose holder was told at `at(20)`, and that came back after 20 days.
pub(super) async fn came_back(fixture: &Fixture, of: Enrolled, by: PersonId) -> (Loan, Restitution, Notice) {
    let loan = lent(of, by);
    let (receipt, notice) = (receipt(&loan, 20 * DAY), notice(loan.id));
    let rows = (loan.clone(), receipt.clone(), notice.clone());
    fixture
        .write(move |tx| {
            let (loan, receipt, notice) = &rows;
            loans::insert(tx, loan)?;
            assert!(notices::write(tx, notice)?);
            assert!(notices::count(tx, notice.id, None, at(20))?);
            let over = loan.decided()?.end(Ending::GivenBack, receipt.received_at).unwrap();
            assert!(loans::update(tx, &loan.standing(&over, receipt.received_at))?);
            restitutions::insert(tx, receipt)
        })
        .await;
    fixture.count(DestructionKind::Erase, &receipt.counted_order_id.to_string(), 20 * DAY).await;
    (loan, receipt, notice)
}

/// Gives the order that the rules grant a minute after the receipt.
pub(super) async fn ordered(fixture: &Fixture, receipt: &Restitution) -> EraseOrderId {
    let (id, order) = (receipt.id, receipt.counted_order_id);
    fixture
        .write(move |tx| {
            let row = restitutions::get(tx, &id)?.unwrap();
            let decided = row.decided()?;
            let told = erase_orders::told(tx, row.loan_id, row.saved_at)?;
            let present = erase_orders::present(tx, row.tablet_id)?;
            let grounds = Grounds::Restitution(&decided, &told);
            let given = grant(order, &grounds, &present, &EraseTerms::default(), at(20 * DAY + 60)).unwrap();
            erase_orders::give(tx, &given)?;
            let row = row.come_to(&decided.ordered(order).unwrap(), at(20 * DAY + 60));
            assert!(restitutions::update(tx, &row)?);
            assert_eq!(restitutions::get(tx, &id)?, Some(row));
            Ok(order)
        })
        .await
}

pub(super) fn refused<T: std::fmt::Debug>(result: Result<T, StoreError>, why: &str) {
    match result {
        Err(StoreError::Refused { .. } | StoreError::Duplicate { .. }) => {}
        other => panic!("{why}: {other:?}"),
    }
}

async fn c5_3_1_a_tablet_is_lent_to_one_person_and_a_person_holds_one(fixture: Fixture) {
    let (one, two) = (fixture.enrolled(1).await, fixture.enrolled(2).await);
    let people = school(&fixture, 2).await;
    let first = lent(one, people[0]);
    let row = first.clone();
    fixture.write(move |tx| loans::insert(tx, &row)).await;
    let id = first.id;
    assert_eq!(fixture.read(move |tx| loans::get(tx, &id)).await, Some(first.clone()));
    for (of, to) in [(one, people[1]), (two, people[0])] {
        let second = lent(of, to);
        refused(fixture.store.write(move |tx| loans::insert(tx, &second)).await, "lent twice");
    }
    // Suspended by a repair it does not count: a replacement is possible, and the first cannot come back beside it.
    let (rests, back) = (first.decided().unwrap().suspend(Suspension::Repair).unwrap(), first.clone());
    let replacement = lent(two, people[0]);
    fixture
        .write(move |tx| {
            assert!(loans::update(tx, &back.standing(&rests, at(30)))?);
            loans::insert(tx, &replacement)
        })
        .await;
    let both = people[0];
    assert_eq!(fixture.read(move |tx| loans::live_of_person(tx, both)).await.len(), 2);
    let resumed = first.clone();
    refused(fixture.store.write(move |tx| loans::update(tx, &resumed)).await, "two that count");
    let stays = fixture.by_hand(&format!("UPDATE loans SET person_id = '{}' WHERE id = '{id}'", people[1]));
    refused(stays, "a loan is not made another's");
    refused(fixture.by_hand("DELETE FROM loans"), "a loan is never deleted");
}

async fn c5_3_5_a_tablet_is_lent_again_once_it_is_proven_erased_and_not_before(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 2).await;
    let (_, receipt, _) = came_back(&fixture, tablet, people[0]).await;
    let next = lent(tablet, people[1]);
    let again = next.clone();
    refused(fixture.store.write(move |tx| loans::insert(tx, &again)).await, "it holds somebody's data");
    let order = ordered(&fixture, &receipt).await;
    let id = receipt.id;
    let enrolment = came_back_with_its_token(&fixture, tablet, order, 21 * DAY + 1).await;
    fixture
        .write(move |tx| {
            let now = at(21 * DAY);
            let row = restitutions::get(tx, &id)?.unwrap();
            let given = row.come_to(&row.decided()?.delivered(order).unwrap(), now);
            assert!(restitutions::update(tx, &given)?);
            let said = given.come_to(&given.decided()?.acknowledged(order, now).unwrap(), now);
            assert!(restitutions::update(tx, &said)?);
            let fresh = Reenrolment {
                enrolment,
                at: at(21 * DAY + 1),
                token_of: Some(order),
                awaits_configuration: false,
            };
            let empty = said.come_to(&said.decided()?.prove(&fresh).unwrap(), at(21 * DAY + 1));
            assert!(restitutions::update(tx, &empty)?);
            let stock = empty.come_to(&empty.decided()?.shelve(Place::Stock).unwrap(), at(21 * DAY + 2));
            assert!(restitutions::update(tx, &stock)?);
            assert!(restitutions::get(tx, &id)?.unwrap().decided()?.stage().is_proven_erased());
            Ok(())
        })
        .await;
    let again = next.clone();
    refused(fixture.store.write(move |tx| loans::insert(tx, &again)).await, "an order outlives its loan");
    fixture
        .write(move |tx| {
            assert!(erase_orders::end(tx, order)?);
            loans::insert(tx, &next)
        })
        .await;
}

async fn m3_no_order_is_written_without_its_receipt_its_minute_and_a_notice(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (loan, receipt, notice) = came_back(&fixture, tablet, people[0]).await;
    let right = erase_orders::EraseOrder {
        id: receipt.counted_order_id,
        tablet_id: tablet.tablet,
        enrolment_id: Some(tablet.enrolment),
        cause: "restitution".to_owned(),
        state: crate::warrants::OrderState::Open,
        not_before: at(20 * DAY + 60),
        expires_at: at(30 * DAY),
        restitution_id: Some(receipt.id),
        decision_id: None,
        loan_id: Some(loan.id),
    };
    for (why, wrong) in [
        ("no ground", erase_orders::EraseOrder { restitution_id: None, ..right.clone() }),
        ("another cause", erase_orders::EraseOrder { cause: "theft".to_owned(), ..right.clone() }),
        ("another loan", erase_orders::EraseOrder { loan_id: None, ..right.clone() }),
        ("too early", erase_orders::EraseOrder { not_before: at(20 * DAY + 59), ..right.clone() }),
    ] {
        refused(fixture.store.write(move |tx| erase_orders::insert(tx, &wrong)).await, why);
    }
    assert!(fixture.write(move |tx| notices::bounce(tx, notice.id)).await);
    let early = right.clone();
    refused(fixture.store.write(move |tx| erase_orders::insert(tx, &early)).await, "the notice bounced");
    // The holder says that their data is saved.
    let saved =
        Restitution { saved_at: Some(at(20 * DAY + 10)), saved_by: Some(AccountId::new(at(1))), ..receipt };
    let row = right.clone();
    fixture
        .write(move |tx| {
            assert!(restitutions::update(tx, &saved)?);
            erase_orders::insert(tx, &row)
        })
        .await;
    let id = right.id;
    assert_eq!(fixture.read(move |tx| erase_orders::get(tx, &id)).await, Some(right));
    refused(fixture.by_hand("UPDATE erase_orders SET loan_id = NULL"), "an order is frozen");
}

async fn m3_what_an_erasure_rests_on_is_looked_at_again_when_it_is_sent(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (_, receipt, notice) = came_back(&fixture, tablet, people[0]).await;
    let order = ordered(&fixture, &receipt).await;
    let now = at(20 * DAY + 61);
    let erase = fixture
        .write(move |tx| {
            let standing = erase_orders::standing(tx, order)?.unwrap();
            let proof = standing.read_back(&EraseTerms::default(), now).unwrap();
            let how = Enqueue {
                id: CommandId::new(now),
                enrolment: tablet.enrolment,
                tablet: tablet.tablet,
                priority: 0,
                replaces_key: None,
                idempotency_key: None,
                at: now,
                by: "host".to_owned(),
                not_before: None,
                expires_at: None,
            };
            commands::enqueue(tx, &Queueable::Erase(proof), how)
        })
        .await;
    let send = || {
        let write = ConnectWrite {
            deliver: Some(delivery(erase.command())),
            ..ConnectWrite::new(tablet.enrolment, now)
        };
        fixture.store.connect_write(write)
    };
    let looked = || {
        fixture.read(move |tx| {
            let standing = erase_orders::standing(tx, order)?.unwrap();
            Ok(standing.read_back(&EraseTerms::default(), now).map(|proof| proof.order()))
        })
    };
    // An incident is opened, and closed again.
    let incident = Incident {
        id: IncidentId::new(at(1)),
        tablet_id: tablet.tablet,
        kind: types::IncidentKind::Breakage,
        state: IncidentState::Open,
        opened_at: at(1),
        closed_at: None,
    };
    let (open, id) = (incident.clone(), incident.id);
    fixture.write(move |tx| incidents::insert(tx, &open)).await;
    assert!(!matches!(send().await, Ok(sent) if sent.delivered.is_some()), "an incident is open");
    assert_eq!(looked().await, Err(NotErased::Held(Hold::Incident(id))));
    fixture.write(move |tx| incidents::close(tx, id, now)).await;
    // It is called in for a check, and let go.
    for held in [true, false] {
        let id = receipt.id;
        fixture
            .write(move |tx| {
                let row = restitutions::get(tx, &id)?.unwrap();
                restitutions::update(tx, &Restitution { held_for_check: held, ..row })
            })
            .await;
        if held {
            assert!(!matches!(send().await, Ok(sent) if sent.delivered.is_some()), "it is held for a check");
            assert_eq!(looked().await, Err(NotErased::Held(Hold::Check)));
        }
    }
    // The mail comes back.
    assert_eq!(looked().await, Ok(order));
    assert!(fixture.write(move |tx| notices::bounce(tx, notice.id)).await);
    assert!(!matches!(send().await, Ok(sent) if sent.delivered.is_some()), "the notice bounced");
    assert_eq!(looked().await, Err(NotErased::NotTold));
}

async fn m3_a_decision_that_is_taken_back_erases_nothing(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let order = EraseOrderId::new(at(100));
    fixture.count(DestructionKind::Erase, &order.to_string(), 100).await;
    let row = fixture
        .write(move |tx| {
            let row = decided_order(tx, order, (tablet.tablet, None), None, (100, 10_000))?;
            erase_orders::insert(tx, &row)?;
            Ok(row)
        })
        .await;
    let decision = row.decision_id.unwrap();
    let looked = || {
        fixture.read(move |tx| {
            let standing = erase_orders::standing(tx, order)?.unwrap();
            Ok(standing.read_back(&EraseTerms::default(), at(200)).map(|proof| proof.order()))
        })
    };
    assert_eq!(looked().await, Ok(order));
    fixture
        .write(move |tx| {
            let row = last_decisions::get(tx, &decision)?.unwrap();
            let back = row.signed(&row.decided()?.withdraw(), at(150));
            assert!(last_decisions::update(tx, &back)?);
            assert_eq!(last_decisions::get(tx, &decision)?, Some(back));
            Ok(())
        })
        .await;
    assert_eq!(looked().await, Err(NotErased::NotDecided));
    let erase = Command {
        id: CommandId::new(at(200)),
        request_type: "EraseDevice".to_owned(),
        gate: Gate::Erase,
        erase_order_id: Some(order),
        ..command(tablet, 200)
    };
    refused(fixture.store.write(move |tx| commands::queue(tx, erase.clone(), None)).await, "taken back");
    refused(fixture.by_hand("UPDATE last_decisions SET withdrawn_at = NULL"), "for good");
    let again = EraseOrderId::new(at(210));
    let another = erase_orders::EraseOrder { id: again, ..row };
    refused(fixture.store.write(move |tx| erase_orders::insert(tx, &another)).await, "no order rests on it");
}

async fn m3_a_restitution_goes_its_way_step_by_step_and_its_receipt_stays(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (_, receipt, _) = came_back(&fixture, tablet, people[0]).await;
    let technician = AccountId::new(at(1));
    let proven = format!("proof = 'attested', proof_ref = '{technician}'");
    for leap in [
        format!("stage = 'erased', {proven}"),
        "stage = 'delivered'".to_owned(),
        "stage = 'ordered'".to_owned(),
        format!("stage = 'ordered', order_id = '{}'", receipt.counted_order_id),
        "received_at = 0".to_owned(),
        "counted_order_id = 'x'".to_owned(),
    ] {
        refused(fixture.by_hand(&format!("UPDATE restitutions SET {leap}")), &leap);
    }
    let order = ordered(&fixture, &receipt).await;
    for leap in [
        "stage = 'received', order_id = NULL".to_owned(),
        "stage = 'undone', order_id = NULL".to_owned(),
        format!("stage = 'erased', proof = 'reenrolled', proof_ref = '{}'", tablet.enrolment),
        format!("stage = 'acknowledged', acknowledged_at = {}", at(0).as_millis()),
    ] {
        refused(fixture.by_hand(&format!("UPDATE restitutions SET {leap}")), &leap);
    }
    refused(fixture.by_hand("DELETE FROM restitutions"), "a receipt stays");
    fixture.by_hand(&format!("UPDATE restitutions SET stage = 'erased', {proven}")).unwrap();
    refused(fixture.by_hand("UPDATE restitutions SET proof_ref = 'me'"), "a proof stays");
    fixture.write(move |tx| erase_orders::end(tx, order)).await;
    let back = "UPDATE restitutions SET stage = 'received', order_id = NULL, proof = NULL, proof_ref = NULL";
    refused(fixture.by_hand(back), "what is proven is not unproven");
}

async fn c5_3_5_a_notice_is_said_once_counts_once_and_bounces_for_good(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let loan = lent(tablet, people[0]);
    let mail = notice(loan.id);
    let letter = Notice { id: NoticeId::new(at(21)), channel: Channel::Letter, ..mail.clone() };
    let technician = AccountId::new(at(1));
    fixture
        .write(move |tx| {
            loans::insert(tx, &loan)?;
            assert!(notices::write(tx, &mail)? && notices::write(tx, &letter)?);
            let twin = Notice { id: NoticeId::new(at(22)), ..mail.clone() };
            assert!(!notices::write(tx, &twin)?, "it was said");
            assert!(!notices::bounce(tx, mail.id)?, "it did not go");
            assert!(!notices::count(tx, mail.id, Some(technician), at(30))?, "a mail is not handed over");
            assert!(!notices::count(tx, letter.id, None, at(30))?, "no mail server accepts a letter");
            assert!(notices::count(tx, mail.id, None, at(30))?);
            assert!(!notices::count(tx, mail.id, None, at(40))?, "once");
            assert!(notices::count(tx, letter.id, Some(technician), at(30))?);
            assert!(notices::bounce(tx, mail.id)? && !notices::bounce(tx, letter.id)?);
            let said: Vec<_> = notices::of_loan(tx, loan.id)?.iter().map(|one| one.decided()).collect();
            let counts: Vec<_> = said.iter().map(lending::notice::Notice::counts_since).collect();
            assert_eq!(counts, [None, Some(at(30))]);
            Ok(())
        })
        .await;
    for change in
        ["state = 'accepted'", "counted_at = 0", "kind = 'overdue'", "state = 'waiting', counted_at = NULL"]
    {
        let statement = format!("UPDATE notices SET {change} WHERE channel = 'mail'");
        refused(fixture.by_hand(&statement), change);
    }
    refused(fixture.by_hand("DELETE FROM notices"), "what was said stays said");
}

async fn t_c24_a_restored_restitution_waits_to_be_ordered_anew(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let (_, receipt, _) = came_back(&fixture, tablet, people[0]).await;
    ordered(&fixture, &receipt).await;
    let id = receipt.id;
    fixture
        .write(move |tx| {
            let voided = restore::void_after_restore(tx, at(22 * DAY))?;
            assert_eq!(voided.erase_orders, 1);
            let row = restitutions::get(tx, &id)?.unwrap();
            assert_eq!((row.stage, row.order_id), (StageName::Received, None));
            Ok(())
        })
        .await;
}

/// A tablet that is given to its holder is erased like another: they are told before.
async fn m3_c5_1_2_a_donation_is_erased_after_a_notice_that_counts_and_not_otherwise(fixture: Fixture) {
    let tablet = fixture.enrolled(1).await;
    let people = school(&fixture, 1).await;
    let loan = lent(tablet, people[0]);
    let told = notice(loan.id);
    let (head, departement) = (fixture.write(signer).await, fixture.write(signer).await);
    let decision = last_decisions::LastDecision {
        id: types::LastDecisionId::new(at(30)),
        kind: lending::last_decision::LastKind::Donation,
        tablet_id: tablet.tablet,
        loan_id: Some(loan.id),
        incident_id: None,
        reason: "fin de 3e".parse().unwrap(),
        begun_at: at(30),
        head_by: Some(head),
        head_at: Some(at(30)),
        departement_by: None,
        departement_at: None,
        withdrawn_at: None,
    };
    let order = erase_orders::EraseOrder {
        id: EraseOrderId::new(at(40)),
        tablet_id: tablet.tablet,
        enrolment_id: None,
        cause: "donation".to_owned(),
        state: crate::warrants::OrderState::Open,
        not_before: at(20 * DAY),
        expires_at: at(60 * DAY),
        restitution_id: None,
        decision_id: Some(decision.id),
        loan_id: Some(loan.id),
    };
    let id = order.id;
    fixture.count(DestructionKind::Erase, &id.to_string(), 20 * DAY).await;
    let (row, waits, decided) = (loan.clone(), told.clone(), decision.clone());
    fixture
        .write(move |tx| {
            loans::insert(tx, &row)?;
            assert!(notices::write(tx, &waits)?);
            last_decisions::insert(tx, &decided)?;
            let both = last_decisions::LastDecision {
                departement_by: Some(departement),
                departement_at: Some(at(31)),
                ..decided.clone()
            };
            last_decisions::update(tx, &both)
        })
        .await;
    let insert =
        |order: erase_orders::EraseOrder| fixture.store.write(move |tx| erase_orders::insert(tx, &order));
    refused(insert(order.clone()).await, "the notice waits");
    let counted = told.id;
    assert!(fixture.write(move |tx| notices::count(tx, counted, None, at(20 * DAY - 3_600))).await);
    refused(insert(order.clone()).await, "told an hour ago");
    insert(erase_orders::EraseOrder { not_before: at(21 * DAY), ..order }).await.unwrap();
    // It goes, as long as the notice counts.
    let now = at(21 * DAY + 1);
    let erase = Command {
        id: CommandId::new(now),
        request_type: "EraseDevice".to_owned(),
        gate: Gate::Erase,
        erase_order_id: Some(id),
        ..command(tablet, 21 * DAY + 1)
    };
    let (queued, command) = (erase.clone(), erase.id);
    fixture.write(move |tx| commands::queue(tx, queued.clone(), None)).await;
    assert!(fixture.write(move |tx| notices::bounce(tx, counted)).await);
    let write = ConnectWrite { deliver: Some(delivery(command)), ..ConnectWrite::new(tablet.enrolment, now) };
    let sent = fixture.store.connect_write(write).await;
    assert!(!matches!(sent, Ok(sent) if sent.delivered.is_some()), "the mail came back");
    let another = Command { id: CommandId::new(at(21 * DAY + 2)), ..erase };
    refused(
        fixture.store.write(move |tx| commands::queue(tx, another.clone(), None)).await,
        "the notice bounced",
    );
}
