//! What an erasure waits for, what an order rests on, and what proves that a tablet is empty.

use proptest::prelude::*;
use types::{
    AccountId, Duration, EnrolmentId, EraseOrderId, IncidentId, Instant, LastDecisionId, LoanId,
    RestitutionId, RuleId, TabletId,
};

use super::{DAY, noon};
use crate::last_decision::{About, LastDecision, LastKind};
use crate::notice::{Notice, NoticeKind, Sent, Told, Wait};
use crate::restitution::{Hold, Place, Proof, Reenrolment, Restitution, SECOND_THOUGHTS, Stage};
use crate::{Cause, EraseOrder, EraseTerms, Grounds, NotErased, Present, RecordedOrder, Refused, grant};

struct Scene {
    receipt: Restitution,
    present: Present,
    told: Told,
    at: Instant,
}

fn scene() -> Scene {
    let at = noon("2028-06-20");
    let (tablet, loan) = (TabletId::new(at), LoanId::new(at));
    let sent = Sent::MailAccepted(at.minus(DAY * 21));
    Scene {
        receipt: Restitution::receive(RestitutionId::new(at), tablet, loan, at),
        present: Present { tablet, enrolment: Some(EnrolmentId::new(at)), loan: None, holds: vec![] },
        told: Told { notices: vec![Notice { loan, kind: NoticeKind::Reminder, sent }], saved_at: None },
        at,
    }
}

impl Scene {
    fn ask(&self, now: Instant) -> Result<crate::NewOrder, NotErased> {
        let grounds = Grounds::Restitution(&self.receipt, &self.told);
        grant(EraseOrderId::new(now), &grounds, &self.present, &EraseTerms::default(), now)
    }

    fn notice(&self, kind: NoticeKind, sent: Sent) -> Notice {
        Notice { loan: self.receipt.loan(), kind, sent }
    }
}

#[test]
fn m3_an_erasure_is_not_offered_within_60_seconds_of_the_receipt() {
    let scene = scene();
    let offered = scene.at.plus(SECOND_THOUGHTS);
    assert_eq!(scene.ask(offered.minus(Duration::from_millis(1))), Err(NotErased::SecondThoughts(offered)));
    let order = scene.ask(offered).unwrap();
    assert_eq!((order.tablet(), order.enrolment()), (scene.present.tablet, scene.present.enrolment));
    assert_eq!(order.not_before(), offered);
    assert_eq!(order.expires_at(), offered.plus(DAY * 30));
    assert_eq!(order.cause().loan(), Some(scene.receipt.loan()));
}

#[test]
fn c5_3_5_an_erasure_waits_14_days_from_the_first_notice_that_counts_or_for_saved_data() {
    let mut scene = scene();
    let at = scene.at;
    let late = scene.notice(NoticeKind::Received, Sent::MailAccepted(at));
    let later = scene.notice(NoticeKind::Received, Sent::LetterHandedOver(at.plus(DAY * 5)));
    let elapsed = at.plus(DAY * 14);

    scene.told.notices = vec![later, late];
    assert_eq!(scene.ask(elapsed.minus(Duration::from_millis(1))), Err(NotErased::WithinNotice(elapsed)));
    assert!(scene.ask(elapsed).is_ok(), "the first that counts counts, not the last");

    scene.told.saved_at = Some(at.plus(DAY));
    assert!(scene.ask(at.plus(DAY)).is_ok(), "whoever saved their data need not wait");
    assert_eq!(scene.ask(at.plus(DAY).minus(Duration::from_millis(1))).unwrap_err().rule(), RuleId::C5_3_5);
}

#[test]
fn m3_a_notice_that_waits_bounced_says_something_else_or_is_anothers_counts_for_nothing() {
    let mut scene = scene();
    let at = scene.at;
    let accepted = Sent::MailAccepted(at.minus(DAY * 20));
    let mut anothers = scene.notice(NoticeKind::Reminder, accepted);
    anothers.loan = LoanId::new(at);
    for notice in [
        scene.notice(NoticeKind::Received, Sent::Waits),
        scene.notice(NoticeKind::Received, Sent::Bounced),
        scene.notice(NoticeKind::RulesChanged, accepted),
        scene.notice(NoticeKind::Deposit, accepted),
        scene.notice(NoticeKind::Reminder, Sent::MailAccepted(at.minus(DAY * 300))),
        anothers,
    ] {
        scene.told.notices = vec![notice];
        assert_eq!(scene.ask(at.plus(DAY * 300)), Err(NotErased::NotTold), "{notice:?}");
    }
    let own = scene.notice(NoticeKind::LoanOver, accepted);
    scene.told.notices.push(own);
    assert!(scene.ask(at.plus(DAY)).is_ok());
}

#[test]
fn c5_4_1_a_check_an_incident_or_an_authority_keeps_a_tablet_as_it_is() {
    let mut scene = scene();
    let incident = IncidentId::new(scene.at);
    for (hold, rule) in [
        (Hold::Check, RuleId::C5_4_1),
        (Hold::Incident(incident), RuleId::C5_4_2),
        (Hold::Authority(incident), RuleId::M1),
    ] {
        scene.present.holds = vec![hold];
        let refused = scene.ask(scene.at.plus(DAY)).unwrap_err();
        assert_eq!((refused.clone(), refused.rule()), (NotErased::Held(hold), rule));
    }
}

#[test]
fn m3_no_order_is_given_for_a_tablet_that_is_lent_or_another_or_twice() {
    let mut scene = scene();
    let now = scene.at.plus(DAY);
    let next = LoanId::new(now);
    scene.present.loan = Some(next);
    assert_eq!(scene.ask(now), Err(NotErased::Lent(next)));
    scene.present.loan = None;
    let right = std::mem::replace(&mut scene.present.tablet, TabletId::new(now));
    assert_eq!(scene.ask(now), Err(NotErased::Another));
    scene.present.tablet = right;
    let order = scene.ask(now).unwrap();
    scene.receipt = scene.receipt.ordered(order.order()).unwrap();
    assert_eq!(scene.ask(now), Err(NotErased::Stands("ordered")));
    assert!(scene.receipt.undo().is_err(), "what was ordered is not a slip any more");
}

fn recorded(order: &crate::NewOrder, open: bool) -> RecordedOrder {
    RecordedOrder::from_row(
        order.order(),
        (order.tablet(), order.enrolment()),
        order.cause(),
        open,
        (order.not_before(), order.expires_at()),
    )
}

#[test]
fn t_a19_an_order_erases_only_the_tablet_and_loan_it_was_given_for_and_in_its_time() {
    let scene = scene();
    let now = scene.at.plus(DAY);
    let order = scene.ask(now).unwrap();
    let (row, receipt) = (recorded(&order, true), scene.receipt.ordered(order.order()).unwrap());
    let look = |row: &RecordedOrder, receipt: &Restitution, present: &Present, at| {
        let grounds = Grounds::Restitution(receipt, &scene.told);
        EraseOrder::read_back(row, &grounds, present, &EraseTerms::default(), at)
    };
    let proof = look(&row, &receipt, &scene.present, now).unwrap();
    assert_eq!((proof.order(), proof.tablet()), (order.order(), scene.present.tablet));
    assert_eq!((proof.not_before(), proof.expires_at()), (now, now.plus(DAY * 30)));
    let delivered = receipt.delivered(order.order()).unwrap();
    assert!(look(&row, &delivered, &scene.present, now).is_ok(), "a report that was lost: it is given again");

    let refused = |row: &RecordedOrder, present: &Present, at| look(row, &receipt, present, at).unwrap_err();
    let present = &scene.present;
    assert_eq!(refused(&recorded(&order, false), present, now), NotErased::Ended);
    let outside = NotErased::OutsideWindow { from: now, until: now.plus(DAY * 30) };
    assert_eq!(refused(&row, present, now.plus(DAY * 30)), outside);
    assert_eq!(refused(&row, present, now.minus(Duration::from_millis(1))), outside);
    let again = LoanId::new(now);
    assert_eq!(refused(&row, &Present { loan: Some(again), ..present.clone() }, now), NotErased::Lent(again));
    for enrolment in [None, Some(EnrolmentId::new(now))] {
        assert_eq!(refused(&row, &Present { enrolment, ..present.clone() }, now), NotErased::Another);
    }
    let other = Present { tablet: TabletId::new(now), ..present.clone() };
    assert_eq!(refused(&row, &other, now), NotErased::Another);
    let held = Present { holds: vec![Hold::Check], ..present.clone() };
    assert_eq!(refused(&row, &held, now), NotErased::Held(Hold::Check));

    // What it rests on: this receipt, at this order, and no other.
    let anothers = scene.receipt.ordered(EraseOrderId::new(now)).unwrap();
    let proven = receipt.attest(AccountId::new(now), true).unwrap();
    let later = Restitution::receive(RestitutionId::new(now), present.tablet, LoanId::new(now), now);
    let later = later.ordered(order.order()).unwrap();
    let twin = Restitution::receive(RestitutionId::new(now), present.tablet, scene.receipt.loan(), scene.at);
    let twin = twin.ordered(order.order()).unwrap();
    for gone in [&scene.receipt, &scene.receipt.undo().unwrap(), &anothers, &proven, &later, &twin] {
        assert_eq!(look(&row, gone, present, now), Err(NotErased::GroundsGone), "{gone:?}");
    }
}

#[test]
fn m3_a_mail_that_bounces_after_the_order_was_given_stops_the_erasure() {
    let mut scene = scene();
    let now = scene.at.plus(DAY);
    let order = scene.ask(now).unwrap();
    let receipt = scene.receipt.ordered(order.order()).unwrap();
    scene.told.notices = vec![scene.notice(NoticeKind::Reminder, Sent::Bounced)];
    let grounds = Grounds::Restitution(&receipt, &scene.told);
    let row = recorded(&order, true);
    let looked = EraseOrder::read_back(&row, &grounds, &scene.present, &EraseTerms::default(), now);
    assert_eq!(looked, Err(NotErased::NotTold));
}

fn decision(kind: LastKind, scene: &Scene) -> LastDecision {
    let about = About {
        tablet: scene.present.tablet,
        loan: (kind != LastKind::Retirement).then(|| scene.receipt.loan()),
        incident: (kind == LastKind::Theft).then(|| IncidentId::new(scene.at)),
        reason: "casse".parse().unwrap(),
    };
    LastDecision::begin(LastDecisionId::new(scene.at), kind, about).unwrap()
}

fn by_decision(
    decision: &LastDecision,
    scene: &Scene,
    present: &Present,
    now: Instant,
) -> Result<Cause, NotErased> {
    let grounds = Grounds::Decision(decision, &scene.told);
    grant(EraseOrderId::new(now), &grounds, present, &EraseTerms::default(), now).map(|order| order.cause())
}

#[test]
fn m3_a_stolen_tablet_is_erased_when_head_and_departement_both_decide_and_without_waiting() {
    let mut scene = scene();
    scene.told.notices.clear();
    let (head, operator) = (AccountId::new(scene.at), AccountId::new(scene.at));
    let begun = decision(LastKind::Theft, &scene);
    // It was stolen from its holder: the loan goes on, suspended, and its incident is open.
    let incident = begun.incident().unwrap();
    let present = Present {
        loan: Some(scene.receipt.loan()),
        holds: vec![Hold::Incident(incident)],
        ..scene.present.clone()
    };
    let ask = |decision: &LastDecision, present: &Present| by_decision(decision, &scene, present, scene.at);
    assert_eq!(ask(&begun, &present), Err(NotErased::NotDecided));
    let by_head = begun.clone().sign_as_head(head, scene.at).unwrap();
    assert_eq!(ask(&by_head, &present), Err(NotErased::NotDecided));
    let by_operator = begun.sign_as_departement(operator, scene.at).unwrap();
    assert_eq!(ask(&by_operator, &present), Err(NotErased::NotDecided));
    assert_eq!(by_head.clone().sign_as_departement(head, scene.at), Err(Refused::SamePerson));

    let whole = by_head.sign_as_departement(operator, scene.at).unwrap();
    assert!(matches!(ask(&whole, &present), Ok(Cause::Theft { .. })));
    let both = vec![Hold::Incident(incident), Hold::Authority(IncidentId::new(scene.at))];
    let authority = Present { holds: both, ..present.clone() };
    let closed = Present { holds: vec![], ..present.clone() };
    assert_eq!(ask(&whole, &closed), Err(NotErased::GroundsGone), "its incident is over");
    let back = Present { holds: vec![Hold::Found(incident)], ..present.clone() };
    assert_eq!(ask(&whole, &back), Err(NotErased::GroundsGone), "it was found");
    let checked = Present { holds: vec![Hold::Incident(incident), Hold::Check], ..present.clone() };
    assert_eq!(ask(&whole, &checked), Err(NotErased::Held(Hold::Check)), "what is on it is still looked at");
    let other = Hold::Found(IncidentId::new(scene.at));
    let of_another = Present { holds: vec![Hold::Incident(incident), other], ..present.clone() };
    assert_eq!(ask(&whole, &of_another), Err(NotErased::Held(other)), "it is back from something else");
    assert!(matches!(ask(&whole, &authority), Err(NotErased::Held(_))), "an authority’s request goes before");
    let found = Present { loan: Some(LoanId::new(scene.at)), ..present.clone() };
    assert!(matches!(ask(&whole, &found), Err(NotErased::Lent(_))), "found, and lent again");
    assert_eq!(ask(&whole.withdraw(), &present), Err(NotErased::NotDecided));
}

#[test]
fn c5_1_2_a_donation_is_proposed_by_the_head_decided_by_the_departement_and_waits_for_the_pupil() {
    let mut scene = scene();
    scene.told.notices.clear();
    let (head, operator) = (AccountId::new(scene.at), AccountId::new(scene.at));
    let begun = decision(LastKind::Donation, &scene);
    assert_eq!(begun.clone().sign_as_departement(operator, scene.at), Err(Refused::NotProposed));
    let whole = begun.sign_as_head(head, scene.at).unwrap().sign_as_departement(operator, scene.at).unwrap();
    let theirs = Present { loan: Some(scene.receipt.loan()), ..scene.present.clone() };
    assert_eq!(by_decision(&whole, &scene, &theirs, scene.at.plus(DAY * 90)), Err(NotErased::NotTold));
    scene.told.saved_at = Some(scene.at);
    assert!(matches!(by_decision(&whole, &scene, &theirs, scene.at), Ok(Cause::Donation { .. })));
    let about = About {
        tablet: scene.present.tablet,
        loan: None,
        incident: None,
        reason: "fin de 3e".parse().unwrap(),
    };
    let nobodys = LastDecision::begin(LastDecisionId::new(scene.at), LastKind::Donation, about);
    assert_eq!(nobodys.unwrap_err().rule(), RuleId::C5_1_2);
}

#[test]
fn m3_a_retirement_names_its_decision_and_takes_no_lent_tablet() {
    let scene = scene();
    let operator = AccountId::new(scene.at);
    let begun = decision(LastKind::Retirement, &scene);
    assert_eq!(begun.clone().sign_as_head(operator, scene.at), Err(Refused::NotTheirDecision));
    let whole = begun.sign_as_departement(operator, scene.at).unwrap();
    let cause = by_decision(&whole, &scene, &scene.present, scene.at).unwrap();
    assert_eq!(cause, Cause::Retirement { decision: whole.decision() });
    // The order stands as long as its own decision does, and no other's.
    let grounds = Grounds::Decision(&whole, &scene.told);
    let terms = EraseTerms::default();
    let order = grant(EraseOrderId::new(scene.at), &grounds, &scene.present, &terms, scene.at).unwrap();
    let look = |decision: &LastDecision| {
        let grounds = Grounds::Decision(decision, &scene.told);
        EraseOrder::read_back(&recorded(&order, true), &grounds, &scene.present, &terms, scene.at).map(drop)
    };
    assert_eq!(look(&whole), Ok(()));
    let other = decision(LastKind::Retirement, &scene).sign_as_departement(operator, scene.at).unwrap();
    assert_eq!(look(&other), Err(NotErased::GroundsGone));
    assert_eq!(look(&whole.clone().withdraw()), Err(NotErased::NotDecided));
    let lent = Present { loan: Some(scene.receipt.loan()), ..scene.present.clone() };
    assert!(matches!(by_decision(&whole, &scene, &lent, scene.at), Err(NotErased::Lent(_))));
}

#[test]
fn m3_acknowledged_is_not_erased_and_only_two_facts_prove_it() {
    let scene = scene();
    let order = EraseOrderId::new(scene.at);
    let acknowledged = scene
        .receipt
        .ordered(order)
        .and_then(|one| one.delivered(order))
        .and_then(|one| one.acknowledged(order, scene.at))
        .unwrap();
    assert!(!acknowledged.stage().is_proven_erased());
    assert!(acknowledged.shelve(Place::Stock).is_err());

    let again = |token_of, awaits_configuration, later| Reenrolment {
        enrolment: EnrolmentId::new(scene.at),
        at: scene.at.plus(Duration::from_millis(later)),
        token_of,
        awaits_configuration,
    };
    let mine = again(Some(order), false, 1);
    let proven = acknowledged.prove(&mine).unwrap();
    assert_eq!(*proven.stage(), Stage::Erased { order, proof: Proof::Reenrolled(mine.enrolment) });
    assert!(acknowledged.prove(&again(None, true, 1)).is_some());
    assert!(acknowledged.prove(&again(None, false, 1)).is_none(), "a link proves nothing");
    assert!(acknowledged.prove(&again(Some(EraseOrderId::new(scene.at)), false, 1)).is_none());
    assert!(acknowledged.prove(&again(Some(order), true, 0)).is_none(), "it must follow the Acknowledged");
    for earlier in [scene.receipt.clone(), scene.receipt.ordered(order).unwrap()] {
        assert!(earlier.prove(&mine).is_none(), "nothing was acknowledged");
    }
    let technician = AccountId::new(scene.at);
    let attested = acknowledged.attest(technician, false).unwrap();
    let late = scene.receipt.ordered(order).unwrap().attest(technician, false).unwrap_err().to_string();
    assert!(late.contains("ordered again"), "an order that is over, and nothing acknowledged: {late}");
    assert!(scene.receipt.ordered(order).unwrap().attest(technician, true).is_ok());
    assert_eq!(*attested.stage(), Stage::Erased { order, proof: Proof::Attested(technician) });
    assert!(
        scene.receipt.attest(technician, true).is_err(),
        "nobody erases without an order, by hand neither"
    );
    assert_eq!(attested.shelve(Place::Repair).unwrap().stage().as_str(), "in-repair");
    assert!(attested.stage().is_proven_erased());
    assert!(attested.shelve(Place::Stock).unwrap().stage().is_proven_erased());
}

#[test]
fn m3_an_order_that_ended_gives_the_restitution_back_and_another_orders_news_changes_nothing() {
    let scene = scene();
    let (order, other) = (EraseOrderId::new(scene.at), EraseOrderId::new(scene.at));
    let delivered = scene.receipt.ordered(order).and_then(|one| one.delivered(order)).unwrap();
    for refused in [
        delivered.acknowledged(other, scene.at),
        delivered.delivered(other),
        delivered.failed(other),
        delivered.order_ended(other),
    ] {
        assert_eq!(refused.unwrap_err().rule(), RuleId::M3);
    }
    assert_eq!(*delivered.failed(order).unwrap().stage(), Stage::Ordered(order));
    // What is heard twice is heard once; what another order says is not heard.
    let acknowledged = delivered.acknowledged(order, scene.at).unwrap();
    assert_eq!(acknowledged.acknowledged(order, scene.at.plus(DAY)), Ok(acknowledged.clone()));
    assert_eq!(acknowledged.delivered(order), Ok(acknowledged.clone()));
    assert!(acknowledged.acknowledged(other, scene.at).is_err() && acknowledged.delivered(other).is_err());
    let back = delivered.order_ended(order).unwrap();
    assert_eq!(back, scene.receipt);
    assert!(back.undo().unwrap().ordered(other).is_err(), "what was undone is not ordered");
}

#[test]
fn terms_that_would_be_no_notice_are_refused() {
    for (notice, lasts) in [(0, 30), (61, 30), (14, 0), (14, 91)] {
        assert!(EraseTerms::new(notice, lasts).is_err());
    }
    assert_eq!(EraseTerms::new(14, 30).unwrap(), EraseTerms::default());
    assert_eq!(EraseTerms::default().notice(), DAY * 14);
}

proptest! {
    #[test]
    fn c5_3_5_the_wait_is_never_shorter_than_the_first_counted_notice_and_its_time(
        sent in proptest::collection::vec((0_u8..4, -80_i64..80), 0..6),
        saved in proptest::option::of(0_i64..80),
    ) {
        let scene = scene();
        let at = |days: i64| Instant::from_millis(scene.at.as_millis() + days * 86_400_000);
        let notices: Vec<Notice> = sent.iter().map(|(what, days)| {
            scene.notice(NoticeKind::Received, match what {
                0 => Sent::Waits,
                1 => Sent::Bounced,
                2 => Sent::MailAccepted(at(*days)),
                _ => Sent::LetterHandedOver(at(*days)),
            })
        }).collect();
        let told = Told { notices, saved_at: saved.map(at) };
        let first = sent.iter().filter(|(what, _)| *what >= 2).map(|(_, days)| days + 14).min();
        let expected = [first, saved].into_iter().flatten().min();
        let wait = told.wait(scene.receipt.loan(), scene.at, DAY * 14);
        prop_assert_eq!(wait, expected.map_or(Wait::ForANotice, |days| Wait::Until(at(days))));
    }
}
