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
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal};

/// Passes an incident that no restore put in doubt.
pub(super) fn must_stand(tx: &mut Tx<'_>, incident: &Incident) -> Result<(), Refusal> {
    match incident_confirmations::awaited(tx, incident.id, incident.opened_at)? {
        None => Ok(()),
        Some(restored_at) => {
            let id = incident.id;
            let doubted = Worded::forbids(
                types::RuleId::M5,
                format!(
                    "the database was restored at {restored_at}, and incident {id} may have been closed since the backup: its \
                     head or an operator confirms it first (`ardoise incident confirm`)"
                ),
                format!(
                    "la base a été restaurée le {restored_at}, et le sinistre {id} est peut-être clos depuis la sauvegarde : le \
                     chef d’établissement ou un opérateur le confirme d’abord (`ardoise incident confirm`)"
                ),
            );
            let (next, suite) = ("ardoise incident confirm", "ardoise incident list --to-confirm");
            Err(doubted
                .then(
                    format!("`{suite}` lists what waits to be confirmed; the head types `{next} {id}`"),
                    format!("`{suite}` donne ce qui attend d’être confirmé ; le chef d’établissement tape `{next} {id}`"),
                )
                .into())
        }
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
                return Err(Worded::contradicts(
                    format!("incident {id} is closed; nothing rests on it"),
                    format!("le sinistre {id} est clos ; rien ne repose sur lui"),
                )
                .into());
            }
            let restored_at =
                incident_confirmations::awaited(tx, id, incident.opened_at)?.ok_or_else(|| {
                    Worded::contradicts(
                        format!("incident {id} stands; nothing put it in doubt"),
                        format!("le sinistre {id} tient ; rien ne l’a mis en doute"),
                    )
                })?;
            let by = principal.person(tx, now)?.standing.account();
            incident_confirmations::record(tx, id, restored_at, by, now)?;
            let detail = json!({ "incident": id, "restored_at": restored_at });
            let change = Change::new("incident.confirm").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, id)
        })
        .await
}
