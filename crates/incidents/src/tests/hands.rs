//! In whose hands a tablet was and is, and what rests on its incidents then (C5.4.2, M1, M3).

use types::{IncidentId, IncidentKind, LoanId, PersonId, RuleId, WarrantId};

use super::rules::complaint;
use super::{asks, declared, head, hours, tablet, validated};
use crate::*;

fn held(loan: u64, person: u64, since: u64) -> Option<Holding> {
    let id = |number: u64| format!("00000000-0000-7000-8000-{number:012}");
    let (loan, person): (LoanId, PersonId) = (id(loan).parse().unwrap(), id(person).parse().unwrap());
    Some(Holding { loan, person, began_at: hours(since) })
}

fn theft() -> Incident {
    let mut theft = declared(IncidentKind::Theft);
    theft.papers.complaint = complaint(2);
    // The same one, however often it is asked for.
    theft.id = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    theft
}

fn grant(hands: &Hands, at: u64) -> Result<Grant, Refusal> {
    let (incident, request, second, limits) = (theft(), asks(2), head(3), Limits::default());
    let petition = Petition {
        incident: &incident,
        hands,
        request: &request,
        second: &second,
        validation: validated(),
        last: None,
        limits: &limits,
    };
    petition.grant(hours(at))
}

const HERE: Home = Home::Same;

#[test]
fn m1_an_incident_bears_on_whoever_had_the_tablet_when_it_was_noticed_and_on_nobody_else() {
    let (anne, again, bruno) = (held(1, 1, 0), held(2, 1, 5), held(3, 2, 5));
    let bearing = |then, now| Hands { then, now, home: HERE }.bearing();
    for (then, now) in [(None, None), (anne, anne), (anne, None)] {
        assert_eq!(bearing(then, now), Bearing::Stands);
    }
    assert_eq!(bearing(anne, again), Bearing::LentAnew { began_at: hours(5) });
    for then in [anne, None] {
        assert_eq!(bearing(then, bruno), Bearing::HeldByAnother { began_at: hours(5) });
    }
    let moved = Hands { then: anne, now: anne, home: Home::Another };
    assert_eq!(moved.bearing(), Bearing::OfAnotherCollege);
}

#[test]
fn m1_no_warrant_is_granted_on_a_tablet_that_somebody_else_has_and_none_is_firm_by_what_was_before_the_loan()
{
    let (anne, again, bruno) = (held(1, 1, 0), held(2, 1, 1), held(3, 2, 1));
    let of = |then, now| Hands { then, now, home: HERE };
    for then in [anne, None] {
        let refused = grant(&of(then, bruno), 2).unwrap_err();
        assert_eq!(refused, Refusal::HeldByAnother { began_at: hours(1) });
        assert_eq!(refused.rule(), RuleId::M1);
    }
    let moved = Hands { home: Home::Another, ..of(anne, anne) };
    assert_eq!(grant(&moved, 2), Err(Refusal::OfAnotherCollege));
    for then in [anne, None] {
        assert_eq!(grant(&of(then, None), 2).unwrap().footing, Footing::Firm);
    }
    assert_eq!(grant(&of(anne, anne), 2).unwrap().footing, Footing::Firm);
    // The same pupil has it anew: the complaint of before makes nothing firm, and 48 hours are the most.
    let anew = of(anne, again);
    let provisional = grant(&anew, 2).unwrap();
    assert_eq!((provisional.footing, provisional.expires_at), (Footing::Provisional, hours(49)));
    let (noticed_at, began_at, since) = (hours(0), hours(1), hours(49));
    assert_eq!(grant(&anew, 49), Err(Refusal::NoticedBeforeTheLoan { noticed_at, began_at, since }));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn m1_a_warrant_and_lost_mode_are_looked_at_again_in_whose_hands_the_tablet_is() {
    let (anne, again, bruno) = (held(1, 1, 0), held(2, 1, 3), held(3, 2, 3));
    let granted = |then, now| grant(&Hands { then, now, home: HERE }, 2).unwrap();
    let row = |hands| {
        let Incident { id, tablet, kind, state, opened_at, .. } = theft();
        RecordedIncident::from_row(id, tablet, kind, state, opened_at, hands)
    };
    let warrant = WarrantId::new(hours(2));
    let looked = |grant: &Grant, then, now, home| {
        let recorded = RecordedWarrant::from_row(warrant, grant, None);
        let incident = row(Hands { then, now, home });
        let basis =
            Basis { warrant: &recorded, incident: &incident, validation: validated(), tablet: tablet() };
        (basis.to_ask(Asking::default(), hours(4)).err(), basis.at_delivery(hours(4)).err())
    };
    let firm = granted(anne, anne);
    assert_eq!(looked(&firm, anne, anne, HERE), (None, None));
    let incident = theft().id;
    let by_another = Some(NotInForce::NotOpen(NotOpen::HeldByAnother { incident, began_at: hours(3) }));
    assert_eq!(looked(&firm, anne, bruno, HERE), (by_another.clone(), by_another));
    let not_firm = Some(NotInForce::NotFirm { warrant, began_at: hours(3) });
    assert_eq!(looked(&firm, anne, again, HERE), (not_firm.clone(), not_firm));
    let moved = Some(NotInForce::NotOpen(NotOpen::OfAnotherCollege { incident }));
    assert_eq!(looked(&firm, anne, anne, Home::Another), (moved.clone(), moved));
    let provisional = Grant { footing: Footing::Provisional, ..firm };
    assert_eq!(looked(&provisional, anne, again, HERE), (None, None));
    // Lost mode, too.
    let open = |then, now| OpenIncident::read_back(&row(Hands { then, now, home: HERE }), tablet(), hours(4));
    assert!(open(anne, anne).is_ok() && open(anne, again).is_ok() && open(None, None).is_ok());
    assert_eq!(open(None, bruno), Err(NotOpen::HeldByAnother { incident, began_at: hours(3) }));
}

#[test]
fn m3_a_stolen_tablet_that_was_lent_again_is_not_erased_because_of_that_theft() {
    let (anne, again, bruno) = (held(1, 1, 0), held(2, 1, 3), held(3, 2, 3));
    let lets = |then, now, home| lets_erase(&theft(), &Hands { then, now, home });
    assert_eq!(lets(anne, anne, HERE), Ok(()));
    assert_eq!(lets(anne, None, HERE), Ok(()));
    assert_eq!(lets(anne, bruno, HERE), Err(Refusal::HeldByAnother { began_at: hours(3) }));
    assert_eq!(lets(anne, again, HERE), Err(Refusal::NotAway { state: IncidentState::Declared }));
    assert_eq!(lets(anne, anne, Home::Another), Err(Refusal::OfAnotherCollege));
}

#[test]
fn m1_an_incident_does_not_go_on_once_its_tablet_was_received_lent_anew_or_moved() {
    let closed = Incident { state: IncidentState::Closed, ..theft() };
    for since in Since::ALL {
        let reopened = closed.reopen(IncidentId::new(hours(9)), "seen on the market", *since, hours(9));
        match since {
            Since::Nothing => assert!(reopened.is_ok()),
            Since::Received | Since::Lent | Since::Moved => {
                let refused = reopened.unwrap_err();
                assert_eq!(refused, Refusal::WentOn { since: *since });
                assert_eq!(refused.rule(), RuleId::C5_4_2);
                assert!(refused.to_string().contains("declared anew"), "{refused}");
            }
        }
    }
}
