//! Repairs, transfers and ways out, case by case.

use types::{
    AccountId, EnrolmentId, EraseOrderId, Instant, LastDecisionId, LoanId, PersonId, RepairId, TabletId,
    TransferId, UserKind,
};

use super::noon;
use crate::Refused;
use crate::departure::{Departure, Way};
use crate::list::Signed;
use crate::loan::{Ending, Loan, LoanState, Suspension};
use crate::repair::{Afterwards, Outcome, Repair, ToSend};
use crate::restitution::{Proof, Reenrolment};
use crate::transfer::{Side, ToMove, Transfer};

fn now() -> Instant {
    noon("2027-11-03")
}

fn loan(state: LoanState) -> Loan {
    Loan::from_row(LoanId::new(now()), TabletId::new(now()), PersonId::new(now()), UserKind::Pupil, state)
}

fn rests_for(why: Suspension) -> LoanState {
    LoanState::Suspended { why, deposited: None }
}

fn to_send(loan: Option<&Loan>) -> ToSend<'_> {
    let tablet = loan.map_or_else(|| TabletId::new(now()), Loan::tablet);
    ToSend { tablet, going_on: loan, awaited: false, away: false, missing: false, asked_for: false }
}

#[test]
fn c5_4_5_a_loan_rests_while_its_tablet_is_at_the_suppliers_and_its_holder_may_be_lent_another() {
    let lent = loan(LoanState::Lent);
    let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&lent))).unwrap();
    let rests = rests.unwrap();
    assert_eq!((repair.loan(), rests.state()), (Some(lent.loan()), &rests_for(Suspension::Repair)));
    assert!(!rests.counts());
    let (over, afterwards) = repair.back(Some(&rests), (None, false), (None, now())).unwrap();
    assert_eq!(over.outcome(), Some(Outcome::Back));
    assert_eq!(afterwards, Afterwards::Resumes(lent.clone()));
    // While they hold another that counts, they do not get this one.
    let other = LoanId::new(now());
    let both = repair.back(Some(&rests), (Some(other), false), (None, now()));
    assert_eq!(both, Err(Refused::HoldsAnother(other)));
    // Once over, it does not end another way.
    assert!(matches!(over.back(Some(&lent), (None, false), (None, now())), Err(Refused::RepairOver { .. })));
    assert!(matches!(over.exchanged(TabletId::new(now()), None, now()), Err(Refused::RepairOver { .. })));
}

#[test]
fn c5_4_5_what_is_not_there_or_asked_for_is_not_sent() {
    let lent = loan(LoanState::Lent);
    let cases = [
        ToSend { away: true, ..to_send(Some(&lent)) },
        ToSend { awaited: true, ..to_send(None) },
        ToSend { asked_for: true, ..to_send(Some(&lent)) },
        ToSend { missing: true, ..to_send(Some(&lent)) },
    ];
    for what in cases {
        let refused = Repair::send(RepairId::new(now()), &what);
        assert!(matches!(refused, Err(Refused::NotSent(_))), "{what:?}: {refused:?}");
    }
    let asked_for = ToSend { asked_for: true, missing: true, ..to_send(Some(&lent)) };
    let refused = Repair::send(RepairId::new(now()), &asked_for);
    assert_eq!(
        refused,
        Err(Refused::NotSent("an authority asked for it")),
        "it lies there, and is not missing"
    );
    let confiscated = loan(rests_for(Suspension::Confiscated));
    let refused = Repair::send(RepairId::new(now()), &to_send(Some(&confiscated)));
    assert!(matches!(refused, Err(Refused::LoanStands { .. })), "whoever confiscated it gives it back first");
}

#[test]
fn c5_3_5_a_loan_that_ended_meanwhile_stays_over_when_its_tablet_is_back() {
    let lent = loan(LoanState::Lent);
    let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&lent))).unwrap();
    let ended = rests.unwrap().end(Ending::NoLongerListed, now()).unwrap();
    assert_eq!(repair.back(Some(&ended), (None, false), (None, now())).unwrap().1, Afterwards::ToBeReceived);
    let (stock, none) = Repair::send(RepairId::new(now()), &to_send(None)).unwrap();
    assert_eq!(
        (stock.back(None, (None, false), (None, now())).unwrap().1, none),
        (Afterwards::InStock, None)
    );
}

#[test]
fn c5_2_2_what_comes_back_from_repair_in_summer_is_kept_until_it_is_over() {
    let year = crate::SchoolYear::new(
        "2026-2027",
        "2026-09-01".parse().unwrap(),
        "2027-07-06".parse().unwrap(),
        ("2027-07-07".parse().unwrap(), "2027-08-31".parse().unwrap()),
    )
    .unwrap();
    let back = |before: LoanState, day: &str| {
        let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&loan(before)))).unwrap();
        match repair.back(rests.as_ref(), (None, false), (Some(&year), noon(day))).unwrap().1 {
            Afterwards::Resumes(loan) => loan.state().clone(),
            other => panic!("{other:?}"),
        }
    };
    // What was handed in before it broke stays in deposit, whenever it is back, until it is handed out.
    let handed_in = LoanState::Deposited { since: noon("2027-07-01") };
    for day in ["2027-07-02", "2027-08-02", "2027-09-01"] {
        assert_eq!(back(handed_in.clone(), day), handed_in, "{day}");
    }
    // What was not is handed in by coming back in summer, and not before or after.
    let since = noon("2027-08-02");
    assert_eq!(back(LoanState::Lent, "2027-08-02"), LoanState::Deposited { since });
    for day in ["2027-07-02", "2027-09-01"] {
        assert_eq!(back(LoanState::Lent, day), LoanState::Lent, "{day}");
    }
    let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&loan(LoanState::Lent)))).unwrap();
    let rests = rests.unwrap();
    // A teacher keeps theirs.
    let of_a_teacher = Loan::from_row(
        rests.loan(),
        rests.tablet(),
        rests.holder(),
        UserKind::Teacher,
        rests_for(Suspension::Repair),
    );
    let (_over, resumed) = repair.back(Some(&of_a_teacher), (None, false), (Some(&year), since)).unwrap();
    assert!(matches!(resumed, Afterwards::Resumes(loan) if loan.state() == &LoanState::Lent));
}

#[test]
fn c5_4_5_what_broke_goes_to_its_supplier_and_its_loan_rests_for_its_incident_again_while_that_is_open() {
    let since = noon("2027-07-01");
    for deposited in [None, Some(since)] {
        let broken = loan(LoanState::Suspended { why: Suspension::Incident, deposited });
        let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&broken))).unwrap();
        let rests = rests.unwrap();
        assert!(repair.rested());
        assert_eq!(*rests.state(), LoanState::Suspended { why: Suspension::Repair, deposited });
        // Whoever has a replacement keeps it as long as the incident is open.
        let other = LoanId::new(now());
        let (_over, again) = repair.back(Some(&rests), (Some(other), true), (None, now())).unwrap();
        assert_eq!(again, Afterwards::Rests(broken.clone()));
        let (_over, two) = repair.back(Some(&rests), (Some(other), false), (None, now())).unwrap();
        assert_eq!(two, Afterwards::Rests(broken.clone()), "closed meanwhile: the head says which goes on");
        let (_over, again) = repair.back(Some(&rests), (None, false), (None, now())).unwrap();
        assert_eq!(again, Afterwards::Resumes(broken.resume(None).unwrap()));
    }
    // One that did not rest before does not by coming back, whatever is open.
    let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&loan(LoanState::Lent)))).unwrap();
    let (_over, again) = repair.back(rests.as_ref(), (None, true), (None, now())).unwrap();
    assert!(matches!(again, Afterwards::Resumes(lent) if *lent.state() == LoanState::Lent));
}

#[test]
fn c5_4_4_an_exchange_ends_the_loan_of_what_was_kept() {
    let lent = loan(LoanState::Lent);
    let (repair, rests) = Repair::send(RepairId::new(now()), &to_send(Some(&lent))).unwrap();
    let came = TabletId::new(now());
    let (over, ended) = repair.exchanged(came, rests.as_ref(), now()).unwrap();
    assert_eq!(over.outcome(), Some(Outcome::Exchanged { by: came }));
    let replaced = LoanState::Ended { at: now(), because: Ending::Replaced };
    assert_eq!(ended.as_ref().map(Loan::state), Some(&replaced));
    // One that was over before stays what it was.
    let before = lent.end(Ending::Breach, now()).unwrap();
    assert_eq!(repair.exchanged(came, Some(&before), now()).unwrap().1, None);
}

const FREE: ToMove = ToMove { lent: false, clean: true, incident_open: false, set_aside: false };

fn transfer() -> Transfer {
    let (from, to) = ("0761234A".parse().unwrap(), "0765678B".parse().unwrap());
    Transfer::propose(TransferId::new(now()), from, to, &FREE).unwrap()
}

#[test]
fn c3_3_2_a_transfer_takes_both_sides_in_two_persons_and_a_tablet_that_nobody_has_data_on() {
    let (one, two) = (AccountId::new(now()), AccountId::new(now()));
    let given = transfer().consent(Side::Gives, one, &FREE, now()).unwrap();
    assert!(!given.is_agreed());
    assert_eq!(given.consent(Side::Takes, one, &FREE, now()), Err(Refused::SamePerson));
    // A word of the same side again is the same word.
    assert_eq!(given.consent(Side::Gives, two, &FREE, now()).unwrap(), given);
    let both = given.consent(Side::Takes, two, &FREE, now()).unwrap();
    assert!(both.is_agreed());
    let signed = |by| Some(Signed { by, at: now() });
    assert_eq!(given.consents(), (signed(one), None));
    assert_eq!(both.consents(), (signed(one), signed(two)));
    for what in [
        ToMove { lent: true, ..FREE },
        ToMove { clean: false, ..FREE },
        ToMove { incident_open: true, ..FREE },
        ToMove { set_aside: true, ..FREE },
    ] {
        let late = given.consent(Side::Takes, two, &what, now());
        assert!(matches!(late, Err(Refused::StaysHere(_))), "{what:?}");
    }
    let over = transfer().withdraw().unwrap();
    assert_eq!(over.consent(Side::Gives, one, &FREE, now()), Err(Refused::TransferOver));
    assert_eq!(over.withdraw(), Err(Refused::TransferOver));
}

#[test]
fn c3_3_2_each_consents_for_the_college_that_they_decide_for() {
    let proposed = transfer();
    let of = |code: &'static str| move |uai: &types::Uai| uai.to_string() == code;
    assert_eq!(proposed.side(of("0761234A")), Ok(Side::Gives));
    assert_eq!(proposed.side(of("0765678B")), Ok(Side::Takes));
    assert!(matches!(proposed.side(of("0769999Z")), Err(Refused::NotTheirSide { .. })));
    let given = proposed.consent(Side::Gives, AccountId::new(now()), &FREE, now()).unwrap();
    assert_eq!((proposed.side(|_both| true), given.side(|_both| true)), (Ok(Side::Gives), Ok(Side::Takes)));
}

#[test]
fn c5_1_2_what_cannot_be_undone_comes_last_on_the_way_out() {
    let (order, technician) = (EraseOrderId::new(now()), AccountId::new(now()));
    let begun = Departure::begin(LastDecisionId::new(now()));
    assert!(
        begun.attest(technician, true).is_err() && begun.let_go().is_err() && begun.release(false).is_err()
    );
    let ordered = begun.ordered(order).unwrap();
    assert!(ordered.let_go().is_err() && ordered.take_back().is_ok());
    let again = ordered.ordered(EraseOrderId::new(now())).unwrap();
    assert_ne!(again, ordered, "an order that ended is followed by another");
    let late = ordered.attest(technician, false).unwrap_err().to_string();
    assert!(late.contains("ordered again"), "under an order that is over: {late}");
    let empty = ordered.attest(technician, true).unwrap();
    assert!(empty.ordered(order).is_err() && empty.release(false).is_err() && empty.take_back().is_ok());
    let gone = empty.let_go().unwrap();
    assert!(gone.take_back().is_err(), "a second person has signed");
    assert!(gone.release(true).is_err(), "it is still managed");
    assert_eq!(gone.release(false).unwrap().way(), Way::Released);
    let over = gone.release(false).unwrap();
    assert!(over.release(false).is_err(), "once");
    // Data can be saved until there is none.
    assert!(begun.keeps_its_data().is_ok() && ordered.keeps_its_data().is_ok());
    assert!([&empty, &gone, &over].iter().all(|late| late.keeps_its_data().is_err()));
    // Only what has left is taken in again, and then another decision begins.
    assert!([&begun, &ordered, &empty, &gone].iter().all(|ours| ours.take_in().is_err()));
    let back = over.take_in().unwrap();
    assert_eq!((back.way(), back.way().as_str()), (Way::TakenIn, "taken-in"));
    assert!(back.take_in().is_err() && back.ordered(order).is_err() && back.release(false).is_err());
    assert!(back.take_back().is_err() && back.keeps_its_data().is_err());
    let shown = [begun, ordered, empty, gone, over].map(|it| it.way().as_str());
    assert_eq!(shown, ["decided", "ordered", "erased", "let-go", "released"]);
}

#[test]
fn m3_an_enrolment_proves_the_erasure_of_what_leaves_as_of_what_was_given_back() {
    let order = EraseOrderId::new(now());
    let ordered = Departure::begin(LastDecisionId::new(now())).ordered(order).unwrap();
    let later = now().plus(super::DAY);
    let again = Reenrolment {
        enrolment: EnrolmentId::new(later),
        at: later,
        token_of: Some(order),
        awaits_configuration: false,
    };
    assert_eq!(ordered.prove(None, &again), None, "it said nothing");
    assert_eq!(ordered.prove(Some(later), &again), None, "it does not follow");
    assert_eq!(
        ordered.prove(Some(now()), &Reenrolment { token_of: None, ..again }),
        None,
        "a link proves nothing"
    );
    let proof = Proof::Reenrolled(again.enrolment);
    let proven = ordered.prove(Some(now()), &again).unwrap();
    assert_eq!(proven.way(), Way::Erased { order, proof });
    let automated = Reenrolment { token_of: None, awaits_configuration: true, ..again };
    assert!(ordered.prove(Some(now()), &automated).is_some());
    assert_eq!(proven.prove(Some(now()), &again), None, "once");
}
