//! What is decided about a tablet after an incident: whether the warranty covers it, what the supplier does, whether there is
//! a replacement and with which counterpart (C5.4.4, C5.4.5).

use governance::Permission;
use incidents::{Counterpart, Finding, WarrantyVerdict};
use serde_json::json;
use store::replacements::{self, Replacement};
use store::supplier_repairs::{self, SupplierRepair};
use store::warranty_verdicts::{self, Verdict};
use types::{Day, IncidentId, Instant, SerialNumber};

use super::{LONGEST_REFERENCE, reached, text};
use crate::audit::{self, Change};
use crate::lending::counterparts;
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal};

/// Records what was found on the tablet; the verdict follows from it by the rule, and is given once.
///
/// # Errors
/// [`Refusal::Conflict`] if it was judged; [`Refusal::NotFound`].
pub async fn judge(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    finding: Finding,
    now: Instant,
) -> Result<WarrantyVerdict, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            if let Some(before) = warranty_verdicts::get(tx, &id)? {
                let verdict = before.verdict;
                return Err(Worded::contradicts(
                    format!("the warranty was judged before: {verdict}"),
                    format!("la garantie a déjà été jugée : {verdict}"),
                )
                .into());
            }
            let verdict = WarrantyVerdict::of(incident.kind, finding);
            let judged_by = principal.person(tx, now)?.standing.account();
            let row = Verdict { incident_id: id, finding, verdict, judged_at: now, judged_by };
            warranty_verdicts::insert(tx, &row)?;
            let detail = json!({ "incident": id, "finding": finding, "verdict": verdict });
            let change = Change::new("incident.judge-warranty").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(verdict)
        })
        .await
}

/// Records how the supplier names the repair, and what came back, if it is another tablet. Written again, it is corrected.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`].
pub async fn supplier(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    reference: &str,
    exchanged_serial: Option<SerialNumber>,
    now: Instant,
) -> Result<(), Refusal> {
    let reference = text("reference", reference, LONGEST_REFERENCE)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            let row = SupplierRepair {
                incident_id: id,
                reference: reference.clone(),
                exchanged_serial: exchanged_serial.clone(),
                recorded_at: now,
                recorded_by: principal.person(tx, now)?.standing.account(),
            };
            if !supplier_repairs::update(tx, &row)? {
                supplier_repairs::insert(tx, &row)?;
            }
            let detail =
                json!({ "incident": id, "reference": row.reference, "exchanged_serial": row.exchanged_serial });
            let change = Change::new("incident.supplier").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// The head decides whether there is a replacement, and with which counterpart. If there is one, the loan of the tablet in
/// question rests, so that its holder may be lent another (C5.3.1).
///
/// # Errors
/// [`Refusal::Conflict`] if it was decided; [`Refusal::Invalid`] for a counterpart without a replacement, or a sum that was
/// fixed on a day to come.
pub async fn replace(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    granted: bool,
    counterpart: Option<Counterpart>,
    now: Instant,
) -> Result<(), Refusal> {
    if !granted && counterpart.is_some() {
        return Err(Refusal::invalid("counterpart", "is attached to a replacement, and none is granted"));
    }
    if let Some(Counterpart::Sum { cents, fixed_on, .. }) = &counterpart {
        if *cents == 0 {
            return Err(Refusal::invalid("sum_cents", "must be more than 0"));
        }
        if *fixed_on > Day::of(now) {
            return Err(Refusal::invalid("fixed_on", "must not be a day to come: the board has fixed it"));
        }
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::DecideReplacement, id, now)?;
            if replacements::get(tx, &id)?.is_some() {
                return Err(Worded::contradicts(
                    "a replacement was decided on before",
                    "le remplacement a déjà été décidé",
                )
                .into());
            }
            let by = principal.person(tx, now)?.standing.account();
            let row = Replacement::decided(id, granted, counterpart, by, now);
            replacements::insert(tx, &row)?;
            let rests = if granted { counterparts::granted(tx, incident.tablet, now)? } else { None };
            let detail = json!({
                "incident": id, "granted": granted, "counterpart": row.counterpart, "sum_cents": row.sum_cents,
                "loan_rests": rests,
            });
            let change =
                Change::new("incident.decide-replacement").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// Records that the sum of a counterpart was paid: it speaks against nothing any more.
///
/// # Errors
/// [`Refusal::Conflict`] if nothing is to be paid; [`Refusal::Invalid`] for a day to come.
pub async fn pay(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    on: Day,
    now: Instant,
) -> Result<(), Refusal> {
    if on > Day::of(now) {
        return Err(Refusal::invalid("paid_on", "must not be a day to come"));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::DecideReplacement, id, now)?;
            if !replacements::pay(tx, id, on)? {
                return Err(Worded::contradicts(
                    "no sum is to be paid, or it was paid before",
                    "aucune somme n’est à payer, ou elle l’a déjà été",
                )
                .into());
            }
            let detail = json!({ "incident": id, "paid_on": on.to_string() });
            let change = Change::new("incident.pay").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)
        })
        .await
}
