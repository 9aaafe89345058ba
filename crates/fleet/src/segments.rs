//! What tablets are given, and how it comes to them: segments, the walk that puts tablets into them, the steps by
//! which each comes to have what its segment is given, and what is shown of it.

mod advance;
mod commands;
mod ensure;
mod given;
mod shown;
mod walk;
mod world;

use profiles::render::Frame;

pub(crate) use advance::{Told, advance, answered};
pub(crate) use given::{declaration, declared, installation};
pub use shown::{RuleLine, SegmentLine, Shown, TabletRules, failing, list, rules_of};
pub(crate) use walk::is_for;
#[cfg(test)]
pub(crate) use walk::{Ended, finish, move_by, move_into, walk};
pub use walk::{Walked, follow, wake_due};
pub use world::{LoanFacts, TabletFacts, World, layers_of};
pub(crate) use world::{fingerprint, of_tablet};

use store::tablets::Tablet;
use store::{StoreError, Tx, deliveries, enrolments};
use types::Instant;

use crate::Fleet;

/// What the names of everything that tablets are given begin with. The profile that enrols them has another name.
const PREFIX: &str = "fr.ardoise.configuration";

/// Whose configuration it is.
pub(crate) fn frame(fleet: &Fleet) -> Result<Frame, String> {
    let organisation = &fleet.settings().organisation;
    Frame::new(PREFIX, organisation)
        .or_else(|_odd| Frame::new(PREFIX, "Ardoise"))
        .map_err(|error| error.to_string())
}

/// A row of the inventory was changed. A tablet that moves to another collège leaves its segment, and the walk finds it
/// another, with the first versions that it had; one that is labelled anew is given its new label.
///
/// # Errors
/// When the memory fails.
pub(crate) fn changed(
    tx: &mut Tx<'_>,
    before: &Tablet,
    after: &Tablet,
    now: Instant,
) -> Result<(), StoreError> {
    let moved = before.uai != after.uai;
    if !moved && before.asset_tag == after.asset_tag {
        return Ok(());
    }
    let Some(enrolment) = enrolments::live_of_tablet(tx, after.id)? else { return Ok(()) };
    if moved {
        store::segments::keep_first_versions(tx, enrolment.id)?;
        store::segments::assign(tx, &[enrolment.id], None)?;
    }
    deliveries::look_again(tx, enrolment.id, now)
}
