//! Who decides on the end of a tablet's life here, and what is read back of it.

use types::{AccountId, IncidentId, Instant, LastDecisionId, LoanId, RuleId, TabletId};

use super::noon;
use crate::Refused;
use crate::last_decision::{About, LastDecision, LastKind};
use crate::list::Signed;

fn at() -> Instant {
    noon("2028-06-20")
}

fn about(loan: Option<LoanId>, incident: Option<IncidentId>) -> About {
    About { tablet: TabletId::new(at()), loan, incident, reason: "fin de 3e".parse().unwrap() }
}

fn begun(kind: LastKind) -> LastDecision {
    let about = about(Some(LoanId::new(at())), Some(IncidentId::new(at())));
    LastDecision::begin(LastDecisionId::new(at()), kind, about).unwrap()
}

#[test]
fn c5_1_2_a_decision_names_whom_or_what_it_is_about() {
    let (loan, theft) = (Some(LoanId::new(at())), Some(IncidentId::new(at())));
    for (kind, loan, incident, rule) in [
        (LastKind::Donation, None, theft, Some(RuleId::C5_1_2)),
        (LastKind::Donation, loan, None, None),
        (LastKind::Theft, loan, None, Some(RuleId::M3)),
        (LastKind::Theft, None, theft, None),
        (LastKind::Retirement, None, None, None),
    ] {
        let begun = LastDecision::begin(LastDecisionId::new(at()), kind, about(loan, incident));
        assert_eq!(begun.as_ref().err().map(Refused::rule), rule, "{kind}");
        let Ok(begun) = begun else { continue };
        assert_eq!((begun.loan(), begun.incident()), (loan, incident), "{kind}");
        assert_eq!((begun.head(), begun.departement(), begun.is_withdrawn()), (None, None, false), "{kind}");
    }
}

#[test]
fn m3_head_and_departement_are_two_persons_whoever_signs_first() {
    let (one, other) = (AccountId::new(at()), AccountId::new(at()));
    let theft = begun(LastKind::Theft);
    let first = theft.sign_as_departement(one, at()).unwrap();
    assert_eq!(first.clone().sign_as_head(one, at()), Err(Refused::SamePerson));
    let whole = first.sign_as_head(other, at()).unwrap();
    assert_eq!(whole.head(), Some(Signed { by: other, at: at() }));
    assert_eq!(whole.departement(), Some(Signed { by: one, at: at() }));
    assert_eq!(whole.in_force_since(), Some(at()));
}

#[test]
fn m3_what_was_taken_back_is_signed_by_nobody_any_more() {
    let person = AccountId::new(at());
    let back = begun(LastKind::Theft).withdraw();
    assert!(back.is_withdrawn());
    assert_eq!(back.clone().sign_as_head(person, at()), Err(Refused::Withdrawn));
    assert_eq!(back.sign_as_departement(person, at()), Err(Refused::Withdrawn));
}

#[test]
fn a_decision_is_read_back_as_it_was_written() {
    let (head, operator) = (AccountId::new(at()), AccountId::new(at()));
    let begun = begun(LastKind::Theft);
    let proposed = begun.clone().sign_as_head(head, at()).unwrap();
    let whole = proposed.clone().sign_as_departement(operator, at()).unwrap();
    for decision in [begun, proposed, whole.clone(), whole.withdraw()] {
        let about = About {
            tablet: decision.tablet(),
            loan: decision.loan(),
            incident: decision.incident(),
            reason: decision.reason().clone(),
        };
        let row = LastDecision::from_row(
            decision.decision(),
            decision.kind(),
            about,
            (decision.head(), decision.departement()),
            decision.is_withdrawn(),
        );
        assert_eq!(row, Ok(decision));
    }
}
