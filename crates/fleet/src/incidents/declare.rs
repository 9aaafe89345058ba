//! An incident is declared, and its papers are recorded: late is shown, never refused (C5.4.2).

use governance::{Permission, Place, Reach};
use incidents::papers::{self, AuthorityReference, Complaint, Letter};
use incidents::{Declarant, Declaration, Incident};
use privacy::Activity;
use serde_json::json;
use store::incident_papers::{self, Paper};
use store::tablets::Tablet;
use store::{StoreError, Tx, incident_declarations, incident_hands, loans};
use types::{Day, IncidentId, IncidentKind, Instant, Secret, Uai};

use super::corrections::must_be_the_last;
use super::{LONGEST_REFERENCE, reached, text};
use crate::audit::{self, Change};
use crate::tablets::{self, Named};
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal, register};

/// The longest circumstances, in characters.
const LONGEST_CIRCUMSTANCES: usize = 4_000;

/// What is declared.
#[derive(Debug, Clone)]
pub struct NewIncident {
    /// What happened.
    pub kind: IncidentKind,
    /// When the user noticed it.
    pub noticed_at: Instant,
    /// What happened in words, if somebody said so already. Sealed; in no log.
    pub circumstances: Option<Secret<String>>,
    /// How the authority names its request.
    pub authority_reference: Option<String>,
}

/// A letter, as it is recorded.
#[derive(Debug, Clone)]
pub struct NewLetter {
    /// Where the collège keeps it.
    pub reference: String,
    /// Its date.
    pub dated: Day,
}

/// A complaint, as it is recorded.
#[derive(Debug, Clone)]
pub struct NewComplaint {
    /// Its number.
    pub number: String,
    /// Its date.
    pub dated: Day,
    /// The police or gendarmerie station.
    pub station: String,
}

/// Declares what happened to a tablet of one's collège, however late, once a DPO validated that incidents are kept (C3.1.6). Those that are
/// open are followed whatever becomes of that.
///
/// # Errors
/// [`Refusal::NotValidated`]; [`Refusal::NotFound`] for a tablet out of reach (T-C1); [`Refusal::Forbidden`] says which rule; [`Refusal::Conflict`]
/// for a tablet that is missing already, that no collège has, or that one out of reach lent then.
pub async fn declare(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    new: NewIncident,
    now: Instant,
) -> Result<Incident, Refusal> {
    let circumstances = match &new.circumstances {
        None => None,
        Some(words) if words.expose().trim().is_empty() => None,
        Some(words) if words.expose().chars().count() > LONGEST_CIRCUMSTANCES => {
            let most = format!("must have at most {LONGEST_CIRCUMSTANCES} characters");
            return Err(Refusal::invalid("circumstances", most));
        }
        Some(words) => Some(Secret::new(words.expose().trim().as_bytes().to_vec())),
    };
    let authority = match &new.authority_reference {
        None => None,
        Some(reference) => Some(AuthorityReference::new(reference).ok_or_else(|| {
            let most = AuthorityReference::LONGEST;
            Refusal::invalid("authority_reference", format!("must have 1 to {most} characters on one line"))
        })?),
    };
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let reach = person.standing.may(Permission::DeclareIncident, &person.access, now)?;
            let tablet = tablets::within(tx, &named, &reach)?;
            register::may_process(tx, Activity::Incidents, now)??;
            let college = college_of(tx, &tablet, new.noticed_at, &reach)?;
            if new.kind.is_of_a_missing_tablet() {
                must_not_be_missing(tx, &tablet)?;
            }
            let declaration = Declaration {
                tablet: tablet.id,
                college,
                kind: new.kind,
                noticed_at: new.noticed_at,
                declarant: Declarant(person.standing.account()),
                authority: authority.clone(),
            };
            let incident = Incident::declare(IncidentId::new(now), declaration, now)?;
            incident_declarations::record(tx, &incident, circumstances.as_ref())?;
            let detail = json!({ "incident": incident.id, "kind": incident.kind.as_str() });
            let change = Change::new("incident.declare").tablet(Some(tablet.id)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(incident)
        })
        .await
}

/// The collège that an incident is of: the tablet's, or, of what befell it while another lent it, that one, for whoever may act
/// there (T-C1).
fn college_of(tx: &mut Tx<'_>, tablet: &Tablet, noticed_at: Instant, reach: &Reach) -> Result<Uai, Refusal> {
    let serial = &tablet.serial;
    let now = tablet.uai.clone().ok_or_else(|| {
        Worded::contradicts(
            format!("tablet {serial} is of no collège: give it to one first"),
            format!("la tablette {serial} n’est d’aucun collège : affectez-la d’abord"),
        )
    })?;
    let lent_by = loans::with_its_holder_at(tx, tablet.id, noticed_at)?.map(|loan| loan.uai);
    match lent_by {
        Some(then) if then != now && !reach.covers(&Place::College(Some(then.clone()))) => {
            Err(Worded::contradicts(
                format!("at {noticed_at} tablet {serial} was lent by another collège"),
                format!("le {noticed_at}, la tablette {serial} était prêtée par un autre établissement"),
            )
            .then(
                "the département declares it: `ardoise incident declare`, with when it was noticed",
                "le département le déclare : `ardoise incident declare`, avec la date du constat",
            )
            .into())
        }
        Some(then) => Ok(then),
        None => Ok(now),
    }
}

/// Passes a tablet that is not missing already.
fn must_not_be_missing(tx: &mut Tx<'_>, tablet: &Tablet) -> Result<(), Refusal> {
    let Some(open) = incident_declarations::missing(tx, tablet.id)? else { return Ok(()) };
    let serial = &tablet.serial;
    if incident_hands::missing(tx, tablet.id)?.is_none() {
        return Err(Worded::contradicts(
            format!("incident {open} of tablet {serial} is open, and concerns somebody who had it before: end it first"),
            format!(
                "le sinistre {open} de la tablette {serial} est ouvert, et concerne une personne qui l’avait avant : terminez-le \
                 d’abord"
            ),
        )
        .then(
            format!("`ardoise incident find {open}`, then `ardoise incident close {open}`; then declare this one"),
            format!("`ardoise incident find {open}`, puis `ardoise incident close {open}` ; puis déclarez celui-ci"),
        )
        .into());
    }
    Err(Worded::contradicts(
        format!("tablet {serial} is missing already: incident {open} is open; go on with that one"),
        format!("la tablette {serial} a déjà disparu : le sinistre {open} est ouvert ; poursuivez celui-là"),
    )
    .then(format!("`ardoise incident show {open}`"), format!("`ardoise incident show {open}`"))
    .into())
}

/// Records the letter that gives the circumstances.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Invalid`] for a date to come; [`Refusal::Conflict`] if it was recorded, and of
/// an incident that goes on in another; [`Refusal::Forbidden`] for a paper that such an incident takes none of, or from before it was noticed.
pub async fn letter(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    new: NewLetter,
    now: Instant,
) -> Result<Incident, Refusal> {
    let reference = text("reference", &new.reference, LONGEST_REFERENCE)?;
    not_to_come(new.dated, now)?;
    let letter = Letter { reference, dated: new.dated, recorded_at: now };
    paper(fleet, principal, id, move |by| Paper::letter(id, &letter, by), now).await
}

/// Records the complaint about a theft.
///
/// # Errors
/// As [`letter`].
pub async fn complaint(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    new: NewComplaint,
    now: Instant,
) -> Result<Incident, Refusal> {
    let number = text("number", &new.number, LONGEST_REFERENCE)?;
    let station = text("station", &new.station, LONGEST_REFERENCE)?;
    not_to_come(new.dated, now)?;
    let complaint = Complaint { number, dated: new.dated, station, recorded_at: now };
    paper(fleet, principal, id, move |by| Paper::complaint(id, &complaint, by), now).await
}

async fn paper(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    row: impl Fn(types::AccountId) -> Paper + Send + 'static,
    now: Instant,
) -> Result<Incident, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            must_be_the_last(tx, id)?;
            let row = row(principal.person(tx, now)?.standing.account());
            if incident_papers::of(tx, id)?.iter().any(|paper| paper.paper == row.paper) {
                let paper = row.paper;
                return Err(Worded::contradicts(
                    format!(
                        "the {paper} of this incident was recorded before; if it is not right, put it right \
                         (`ardoise incident correct`)"
                    ),
                    format!(
                        "{} de ce sinistre est déjà enregistrée ; si elle n’est pas juste, rectifiez-la (`ardoise incident \
                         correct`)",
                        paper.in_french()
                    ),
                )
                .then(
                    format!("`ardoise incident correct {id} {paper}`, with the reason"),
                    format!("`ardoise incident correct {id} {paper}`, avec le motif"),
                )
                .into());
            }
            papers::admit(&incident, row.paper, row.dated)?;
            incident_papers::insert(tx, &row)?;
            let detail =
                json!({ "incident": id, "paper": row.paper.as_str(), "dated": row.dated.to_string() });
            let change = Change::new("incident.paper").tablet(Some(incident.tablet)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, id)
        })
        .await
}

/// The incident as it stands now.
pub(super) fn again(tx: &mut Tx<'_>, id: IncidentId) -> Result<Incident, Refusal> {
    let gone = || StoreError::Corrupt { table: "incidents", row: id.to_string(), column: "id" };
    Ok(incident_declarations::load(tx, id)?.ok_or_else(gone)?)
}

pub(super) fn not_to_come(dated: Day, now: Instant) -> Result<(), Refusal> {
    if dated > Day::of(now) {
        return Err(Refusal::invalid("dated", "must not be a day to come"));
    }
    Ok(())
}
