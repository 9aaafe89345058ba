//! Positions die: the key of an incident is destroyed 30 days after its closing, and at the latest 90 days after the last
//! position (M2).

use incidents::{AFTER_THE_LAST_FIX, key_dies_at};
use serde_json::json;
use store::{incidents as rows, position_requests};
use types::{IncidentId, Instant, TabletId};

use crate::apps::sweep::blocking;
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal};

/// Destroys the keys whose time has come. The calendar's work; says how many.
///
/// The ledger in the shared folder says it before the key goes, and the audit log after.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar; [`Refusal::Internal`] if the folder cannot be used.
pub async fn destroy_due(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let keys = fleet.shared_folder()?.incident_keys();
    let looked = keys.clone();
    let mut destroyed = 0;
    for incident in blocking(move || looked.all()).await? {
        let Some(tablet) = is_due(fleet, incident, now).await? else { continue };
        let keys = keys.clone();
        if !blocking(move || keys.destroy(incident, now)).await? {
            continue;
        }
        let principal = principal.clone();
        fleet
            .store()
            .write(move |tx| {
                let detail = json!({ "incident": incident });
                let change = Change::new("incident.destroy-key").tablet(tablet).detail(detail);
                audit::record(tx, &principal, change, now)
            })
            .await?;
        destroyed += 1;
    }
    Ok(destroyed)
}

/// Whether the key of an incident has lived its time: `Some` then, with its tablet if the database knows it. One that a
/// restored database does not know opens nothing there: it dies as if its last position had come when it was declared.
async fn is_due(
    fleet: &Fleet,
    incident: IncidentId,
    now: Instant,
) -> Result<Option<Option<TabletId>>, Refusal> {
    let (row, last) = fleet
        .store()
        .read(move |tx| {
            Ok::<_, Refusal>((rows::get(tx, &incident)?, position_requests::last_kept(tx, incident)?))
        })
        .await?;
    let (dies_at, tablet) = match row {
        Some(row) => (key_dies_at(row.closed_at, last), Some(row.tablet_id)),
        None => (declared_at(incident).map(|at| at.plus(AFTER_THE_LAST_FIX)), None),
    };
    Ok(dies_at.is_some_and(|at| at <= now).then_some(tablet))
}

/// When an incident was declared, as its id says.
fn declared_at(incident: IncidentId) -> Option<Instant> {
    let (seconds, _nanos) = incident.as_uuid().get_timestamp()?.to_unix();
    Some(Instant::from_millis(i64::try_from(seconds).ok()?.saturating_mul(1_000)))
}
