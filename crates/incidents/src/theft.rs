//! Whether a theft may be answered by erasing the tablet, wherever it is (M3).

use types::IncidentKind;

use crate::{Bearing, Hands, Incident, IncidentState, Refusal};

/// Passes a theft whose tablet is not back. Whether head and département both decide it is for `lending` to say, and what
/// keeps the tablet as it is, too; here it is only asked whether this incident is one that the decision may rest on.
///
/// # Errors
/// [`Refusal::NotStolen`] for whatever is no theft, a loss included; [`Refusal::NotAway`] once the tablet was found, or the
/// incident closed, or it was lent anew to whom it was stolen from; [`Refusal::HeldByAnother`]; [`Refusal::OfAnotherCollege`].
pub fn lets_erase(incident: &Incident, hands: &Hands) -> Result<(), Refusal> {
    let Incident { kind, state, .. } = incident;
    match (kind, state) {
        (
            IncidentKind::Theft,
            IncidentState::Declared | IncidentState::InProgress | IncidentState::NotFound,
        ) => match hands.bearing() {
            Bearing::Stands => Ok(()),
            Bearing::LentAnew { .. } => Err(Refusal::NotAway { state: *state }),
            Bearing::HeldByAnother { began_at } => Err(Refusal::HeldByAnother { began_at }),
            Bearing::OfAnotherCollege => Err(Refusal::OfAnotherCollege),
        },
        (IncidentKind::Theft, IncidentState::Found | IncidentState::Closed) => {
            Err(Refusal::NotAway { state: *state })
        }
        _ => Err(Refusal::NotStolen { kind: *kind }),
    }
}
