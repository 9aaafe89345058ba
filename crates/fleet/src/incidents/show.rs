//! What one sees of incidents: where each stands, its papers and their clocks, and lost mode.

use governance::Permission;
use incidents::Incident;
use incidents::papers::{Clock, clocks};
use store::incident_papers::{self, Paper};
use store::lost_modes::LostMode;
use store::noticed_corrections::{self, NoticedCorrection};
use store::paper_corrections::PaperCorrection;
use store::replacements::{self, Replacement};
use store::supplier_repairs::{self, SupplierRepair};
use store::warranty_verdicts::{self, Verdict};
use store::{Tx, incident_confirmations, incident_declarations, lost_modes, tablets};
use types::{IncidentId, Instant, Secret, SerialNumber};

use super::theft::{self, Erasure};
use super::{confirm, declare::again, reached};
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// An incident, and what runs.
#[derive(Debug, Clone)]
pub struct Line {
    /// The incident.
    pub incident: Incident,
    /// The tablet's serial number.
    pub serial: SerialNumber,
    /// The clocks of its papers, at this instant.
    pub clocks: Vec<Clock>,
    /// What was said of its papers before it was put right, each with what put it right, of one incident that is looked at; in
    /// no list.
    pub former_papers: Vec<(Option<Paper>, PaperCorrection)>,
    /// When it was said before that it was noticed, each with what put it right, of one incident that is looked at; in no list.
    pub formerly_noticed: Vec<(Instant, NoticedCorrection)>,
    /// What happened, in words, of one incident that is looked at by whoever handles it; in no list.
    pub circumstances: Option<Secret<String>>,
    /// Lost mode, if it rests or rested on this incident.
    pub lost_mode: Option<LostMode>,
    /// The incident that goes on from this one.
    pub goes_on_in: Option<IncidentId>,
    /// Whether it waits to be confirmed, because the database was restored since it was opened (M5).
    pub to_confirm: bool,
    /// Whether the warranty covers it, once that was judged (C5.4.5).
    pub warranty: Option<Verdict>,
    /// What the supplier does (C5.4.5).
    pub supplier: Option<SupplierRepair>,
    /// What the head decided on a replacement (C5.4.4).
    pub replacement: Option<Replacement>,
    /// How far its erasure has come, if the head proposed one (M3).
    pub erasure: Option<Erasure>,
}

/// Incidents of tablets within reach, the oldest first; only those that are open, if `open`.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    open: bool,
    page: Page<IncidentId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewIncidents, now)?;
            let ids = incident_declarations::list(tx, &within, open, page.after, page.with_one_more())?;
            lines(tx, page.cut(ids, ToString::to_string), now)
        })
        .await
}

/// Incidents of tablets within reach that wait to be confirmed after a restore, the oldest first (M5).
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn unconfirmed(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<IncidentId>,
    now: Instant,
) -> Result<Listed<Line>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewIncidents, now)?;
            let ids = incident_confirmations::waiting(tx, &within, page.after, page.with_one_more())?;
            lines(tx, page.cut(ids, ToString::to_string), now)
        })
        .await
}

/// One incident; what happened, in words, for whoever handles it.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    now: Instant,
) -> Result<Line, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let incident = reached(tx, &principal, Permission::ViewIncidents, id, now)?;
            let words = match reached(tx, &principal, Permission::HandleIncident, id, now) {
                Ok(_handled) => incident_declarations::circumstances(tx, id)?,
                // Who oversees it needs its papers and its clocks, and no words about people.
                Err(Refusal::NotAllowed(_) | Refusal::NotFound { .. }) => None,
                Err(failure) => return Err(failure),
            };
            let words = words.map(|words| String::from_utf8_lossy(words.expose()).into_owned());
            let former_papers = incident_papers::former(tx, id)?;
            let formerly_noticed = formerly_noticed(tx, id)?;
            let circumstances = words.map(Secret::new);
            Ok(Line { circumstances, former_papers, formerly_noticed, ..line(tx, incident, now)? })
        })
        .await
}

fn lines(tx: &mut Tx<'_>, listed: Listed<IncidentId>, now: Instant) -> Result<Listed<Line>, Refusal> {
    let mut items = Vec::with_capacity(listed.items.len());
    for id in listed.items {
        let incident = again(tx, id)?;
        items.push(line(tx, incident, now)?);
    }
    Ok(Listed { items, next: listed.next })
}

fn formerly_noticed(tx: &mut Tx<'_>, id: IncidentId) -> Result<Vec<(Instant, NoticedCorrection)>, Refusal> {
    let declared = incident_declarations::get(tx, &id)?.map(|declared| declared.noticed_at);
    let corrections = noticed_corrections::of(tx, id)?;
    let said: Vec<Instant> =
        declared.into_iter().chain(corrections.iter().map(|correction| correction.noticed_at)).collect();
    Ok(said.into_iter().zip(corrections).collect())
}

fn line(tx: &mut Tx<'_>, incident: Incident, now: Instant) -> Result<Line, Refusal> {
    let tablet = tablets::get(tx, &incident.tablet)?
        .ok_or_else(|| Refusal::Internal(format!("incident {} is of no tablet", incident.id)))?;
    let lost_mode = lost_modes::get(tx, &incident.tablet)?.filter(|mode| mode.incident_id == incident.id);
    let goes_on_in = incident_declarations::goes_on_in(tx, incident.id)?.map(|other| other.id);
    let to_confirm = incident.state.is_open() && !confirm::stands(tx, &incident)?;
    let clocks = clocks(&incident, now);
    let warranty = warranty_verdicts::get(tx, &incident.id)?;
    let supplier = supplier_repairs::get(tx, &incident.id)?;
    let replacement = replacements::get(tx, &incident.id)?;
    let erasure = theft::shown(tx, &incident, now)?;
    Ok(Line {
        clocks,
        former_papers: Vec::new(),
        formerly_noticed: Vec::new(),
        circumstances: None,
        serial: tablet.serial,
        lost_mode,
        goes_on_in,
        to_confirm,
        warranty,
        supplier,
        replacement,
        erasure,
        incident,
    })
}
