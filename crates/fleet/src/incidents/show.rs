//! What one sees of incidents: where each stands, its papers and their clocks, and lost mode.

use std::collections::{BTreeMap, BTreeSet};

use governance::Permission;
use incidents::Incident;
use incidents::papers::{Clock, PaperKind, clocks};
use store::incident_papers::{self, Paper};
use store::lost_modes::LostMode;
use store::replacements::{self, Replacement};
use store::supplier_repairs::{self, SupplierRepair};
use store::warranty_verdicts::{self, Verdict};
use store::{Tx, incident_confirmations, incident_declarations, lost_modes, noticed_corrections, tablets};
use types::{AccountId, IncidentId, Instant, Secret, SerialNumber};

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
    pub former_papers: Vec<FormerPaper>,
    /// When it was said before that it was noticed, each with what put it right, of one incident that is looked at; in no list.
    pub formerly_noticed: Vec<FormerlyNoticed>,
    /// The names of whoever declared it, decided on its erasure, or put something right, of one incident that is looked at; in no
    /// list.
    pub names: BTreeMap<AccountId, String>,
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

/// What was said of a paper before, and what put it right.
#[derive(Debug, Clone)]
pub struct FormerPaper {
    /// Which paper.
    pub kind: PaperKind,
    /// What was said; nothing, of one that had been taken back.
    pub before: Option<Paper>,
    /// Whether it was taken back.
    pub taken_back: bool,
    /// Why, for whoever handles the incident.
    pub reason: Option<String>,
    /// When.
    pub corrected_at: Instant,
    /// By whom.
    pub corrected_by: AccountId,
}

/// When it was said before that an incident was noticed, and what put it right.
#[derive(Debug, Clone)]
pub struct FormerlyNoticed {
    /// What was said.
    pub noticed_at: Instant,
    /// Why it was put right, for whoever handles the incident.
    pub reason: Option<String>,
    /// When.
    pub corrected_at: Instant,
    /// By whom.
    pub corrected_by: AccountId,
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
            let handles = match reached(tx, &principal, Permission::HandleIncident, id, now) {
                Ok(_handled) => true,
                // Who oversees it needs its papers and its clocks, and no words about people.
                Err(Refusal::NotAllowed(_) | Refusal::NotFound { .. }) => false,
                Err(failure) => return Err(failure),
            };
            let words = if handles { incident_declarations::circumstances(tx, id)? } else { None };
            let words = words.map(|words| String::from_utf8_lossy(words.expose()).into_owned());
            let former_papers = former_papers(tx, id, handles)?;
            let formerly_noticed = formerly_noticed(tx, id, handles)?;
            let circumstances = words.map(Secret::new);
            let line = Line { circumstances, former_papers, formerly_noticed, ..line(tx, incident, now)? };
            Ok(Line { names: names(tx, who_had_a_part(&line))?, ..line })
        })
        .await
}

fn who_had_a_part(line: &Line) -> BTreeSet<AccountId> {
    let decision = line.erasure.as_ref().map(|erasure| &erasure.decision);
    let decided =
        decision.into_iter().flat_map(|decision| [decision.head_by, decision.departement_by]).flatten();
    let papers = line.former_papers.iter().map(|former| former.corrected_by);
    let noticed = line.formerly_noticed.iter().map(|former| former.corrected_by);
    std::iter::once(line.incident.declarant.0).chain(decided).chain(papers).chain(noticed).collect()
}

/// The names of people with an account; not of who was forgotten.
pub(super) fn names(
    tx: &mut Tx<'_>,
    accounts: impl IntoIterator<Item = AccountId>,
) -> Result<BTreeMap<AccountId, String>, Refusal> {
    let mut names = BTreeMap::new();
    for id in accounts {
        if !names.contains_key(&id)
            && let Some(account) = store::accounts::get(tx, &id)?
            && !account.name.is_empty()
        {
            names.insert(id, account.name);
        }
    }
    Ok(names)
}

fn lines(tx: &mut Tx<'_>, listed: Listed<IncidentId>, now: Instant) -> Result<Listed<Line>, Refusal> {
    let mut items = Vec::with_capacity(listed.items.len());
    for id in listed.items {
        let incident = again(tx, id)?;
        items.push(line(tx, incident, now)?);
    }
    Ok(Listed { items, next: listed.next })
}

fn former_papers(tx: &mut Tx<'_>, id: IncidentId, handles: bool) -> Result<Vec<FormerPaper>, Refusal> {
    let former = incident_papers::former(tx, id)?.into_iter().map(|(before, correction)| FormerPaper {
        kind: correction.paper,
        before,
        taken_back: correction.reference.is_none(),
        reason: handles.then_some(correction.reason),
        corrected_at: correction.corrected_at,
        corrected_by: correction.corrected_by,
    });
    Ok(former.collect())
}

/// When it was said before that an incident was noticed, the first time first; why it was put right, for whoever `handles` it.
pub(super) fn formerly_noticed(
    tx: &mut Tx<'_>,
    id: IncidentId,
    handles: bool,
) -> Result<Vec<FormerlyNoticed>, Refusal> {
    let declared = incident_declarations::get(tx, &id)?.map(|declared| declared.noticed_at);
    let corrections = noticed_corrections::of(tx, id)?;
    let said: Vec<Instant> =
        declared.into_iter().chain(corrections.iter().map(|correction| correction.noticed_at)).collect();
    let former = said.into_iter().zip(corrections).map(|(noticed_at, correction)| FormerlyNoticed {
        noticed_at,
        reason: handles.then_some(correction.reason),
        corrected_at: correction.corrected_at,
        corrected_by: correction.corrected_by,
    });
    Ok(former.collect())
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
        names: BTreeMap::new(),
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
