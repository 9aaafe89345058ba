//! Which incident a decision to erase the tablet may rest on (M3).

use types::{IncidentKind, RuleId};

use super::declared;
use crate::life::{Consequence, Step, step};
use crate::{Hands, Incident, IncidentState, Refusal, lets_erase};

#[test]
fn m3_only_a_theft_whose_tablet_is_away_is_answered_by_erasing_it() {
    for kind in IncidentKind::ALL {
        for state in IncidentState::ALL {
            let incident = Incident { state: *state, ..declared(*kind) };
            let away = matches!(
                state,
                IncidentState::Declared | IncidentState::InProgress | IncidentState::NotFound
            );
            let expected = match (kind, away) {
                (IncidentKind::Theft, true) => Ok(()),
                (IncidentKind::Theft, false) => Err(Refusal::NotAway { state: *state }),
                (kind, _) => Err(Refusal::NotStolen { kind: *kind }),
            };
            assert_eq!(lets_erase(&incident, &Hands::NOBODYS), expected, "{kind}, {state}");
        }
    }
    let back = Refusal::NotAway { state: IncidentState::Found };
    assert_eq!(
        (back.rule(), Refusal::NotStolen { kind: IncidentKind::Loss }.rule()),
        (RuleId::M3, RuleId::M3)
    );
}

#[test]
fn m3_what_was_decided_on_a_theft_falls_when_the_tablet_is_found_or_its_incident_closed_and_not_before() {
    let theft = declared(IncidentKind::Theft);
    let falls = |incident: &Incident, taken| {
        step(incident, taken).unwrap().consequences.contains(&Consequence::CallOffErasure)
    };
    assert!(!falls(&theft, Step::TakeUp));
    assert!(!falls(&theft, Step::GiveUp), "what is never found may be erased all the same");
    assert!(falls(&theft, Step::Find));
    for state in [IncidentState::Found, IncidentState::NotFound] {
        assert!(falls(&Incident { state, ..theft.clone() }, Step::Close), "{state}");
    }
    assert_eq!(Consequence::CallOffErasure.rule(), RuleId::M3);
}
