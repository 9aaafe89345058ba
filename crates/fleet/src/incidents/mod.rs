//! Incidents of tablets: declared, followed through their papers and steps, closed, reopened (C5.4.*); and lost mode, that
//! rests on an open one (M1).
//!
//! A location warrant rests on one, too ([`warrants`]), and a request for a position on that ([`positions`]); positions die
//! with their key ([`keys`]). A stolen tablet is erased if head and département both decide it ([`theft`]).
//!
//! What each step brings with it is carried out in its own transaction: whoever closes an incident ends its warrants, calls
//! off what was asked for under them, and turns lost mode off, which nothing brakes.

mod confirm;
mod corrections;
pub mod decisions;
mod declare;
pub mod keys;
pub(crate) mod lost_mode;
pub mod notices;
pub mod positions;
mod reconcile;
mod show;
mod steps;
pub mod telling;
pub mod theft;
pub mod warrants;

use governance::Permission;
use incidents::Incident;
use store::{Tx, incident_declarations};
use types::{IncidentId, Instant};

use crate::{Principal, Refusal};

pub use confirm::confirm;
pub use corrections::{TruePaper, put_noticed_right, put_right};
pub use declare::{NewComplaint, NewIncident, NewLetter, complaint, declare, letter};
pub use lost_mode::{Asked, lose, sound};
pub use reconcile::reconcile;
pub use show::{FormerPaper, FormerlyNoticed, Line, list, show, unconfirmed};
pub use steps::{reopen, step};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The longest reference of a paper, and the longest name of a station, in characters.
const LONGEST_REFERENCE: usize = 200;

/// The incident, if whoever asks may do this to its tablet; to others it does not exist (T-C1).
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: IncidentId,
    now: Instant,
) -> Result<Incident, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let incident = incident_declarations::load(tx, id)?.ok_or_else(|| Refusal::not_found("incident", id))?;
    if reach.covers(&governance::Place::College(Some(incident.college.clone()))) {
        Ok(incident)
    } else {
        Err(Refusal::not_found("incident", id))
    }
}

/// A text of a person, trimmed, that says something and is not too long.
fn text(field: &'static str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(field, format!("must have 1 to {most} characters on one line")));
    }
    Ok(text.to_owned())
}
