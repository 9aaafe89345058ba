//! After a restore an incident may have been closed since the backup: somebody who knows says that it still stands, before
//! anything new rests on it (M5).

use governance::Permission;
use incidents::Incident;
use serde_json::json;
use store::{Tx, incident_confirmations};
use types::{IncidentId, Instant};

use super::declare::again;
use super::reached;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// Passes an incident that no restore put in doubt.
pub(super) fn must_stand(tx: &mut Tx<'_>, incident: &Incident) -> Result<(), Refusal> {
    match incident_confirmations::awaited(tx, incident.id, incident.opened_at)? {
        None => Ok(()),
        Some(restored_at) => Err(Refusal::Forbidden {
            rule: types::RuleId::M5,
            what: format!(
                "the database was restored at {restored_at}, and incident {} may have been closed since the backup: its head \
                 or an operator confirms it first (`ardoise incident confirm`)",
                incident.id
            ),
        }),
    }
}

/// Whether nothing stands in its way.
pub(super) fn stands(tx: &mut Tx<'_>, incident: &Incident) -> Result<bool, Refusal> {
    Ok(incident_confirmations::awaited(tx, incident.id, incident.opened_at)?.is_none())
}

/// Says that an incident still stands.
///
/// # Errors
/// [`Refusal::Conflict`] for one that nothing put in doubt, or that is closed; [`Refusal::NotFound`].
pub async fn confirm(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    now: Instant,
) -> Result<Incident, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::ConfirmIncident, id, now)?;
            if !incident.state.is_open() {
                return Err(Refusal::Conflict(format!("incident {id} is closed; nothing rests on it")));
            }
            let restored_at = incident_confirmations::awaited(tx, id, incident.opened_at)?
                .ok_or_else(|| Refusal::Conflict(format!("incident {id} stands; nothing put it in doubt")))?;
            let by = principal.person(tx, now)?.standing.account();
            incident_confirmations::record(tx, id, restored_at, by, now)?;
            let detail = json!({ "incident": id, "restored_at": restored_at });
            let change = Change::new("incident.confirm").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, id)
        })
        .await
}
