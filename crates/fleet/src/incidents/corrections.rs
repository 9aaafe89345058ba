//! Papers of an incident that were recorded wrongly are put right, and so is when it was noticed, with a reason; what was said
//! before stays (C5.4.2).
//!
//! A warrant is firm because of a paper (M1). If that paper does not count any more, the warrant ends, and a second person
//! is asked anew.

use governance::Permission;
use incidents::papers::{self, PaperKind};
use incidents::{Footing, Incident};
use serde_json::json;
use store::incident_papers::{self, Paper};
use store::noticed_corrections::{self, NoticedCorrection};
use store::paper_corrections::{self, PaperCorrection};
use store::warrants::OrderState;
use store::{Tx, incident_declarations, loans, warrant_grants};
use types::{Day, IncidentId, Instant, LoanId};

use super::declare::{again, not_to_come};
use super::{LONGEST_REASON, LONGEST_REFERENCE, reached, text, warrants};
use crate::audit::{self, Change};
use crate::countersignatures::Sentence;
use crate::worded::Worded;
use crate::{Fleet, Principal, Refusal};

/// How often a paper is put right or taken back, and how often when an incident was noticed.
const MOST_CORRECTIONS: usize = 20;

/// A paper as it is in truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruePaper {
    /// Where the collège keeps the letter; the number of the complaint.
    pub reference: String,
    /// Its date.
    pub dated: Day,
    /// The police or gendarmerie station, of a complaint.
    pub station: Option<String>,
}

/// Puts a recorded paper right; with nothing in its place, it is taken back.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] for a paper that was never recorded, was taken back before, was put right too
/// often or says that already, and of an incident that goes on in another; [`Refusal::Invalid`]; [`Refusal::Forbidden`] as when
/// it is recorded.
pub async fn put_right(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    (paper, truth): (PaperKind, Option<TruePaper>),
    reason: &str,
    now: Instant,
) -> Result<Incident, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let truth = truth.map(|truth| checked(paper, truth, now)).transpose()?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            must_be_the_last(tx, id)?;
            if !incident_papers::of(tx, id)?.iter().any(|row| row.paper == paper) {
                return Err(Worded::contradicts(
                    format!("no {paper} of this incident was recorded: record it"),
                    format!("{} de ce sinistre n’a pas été enregistrée : enregistrez-la", paper.in_french()),
                )
                .then(
                    format!("`ardoise incident {paper} {id}` records it"),
                    format!("`ardoise incident {paper} {id}` l’enregistre"),
                )
                .into());
            }
            let stands = incident_papers::that_count(tx, id)?.into_iter().find(|row| row.paper == paper);
            must_change_something(paper, stands.as_ref(), truth.as_ref())?;
            if let Some(truth) = &truth {
                papers::admit(&incident, paper, truth.dated)?;
            }
            let before = paper_corrections::of(tx, id)?.iter().filter(|row| row.paper == paper).count();
            if truth.is_some() && is_put_right_too_often(before) {
                return Err(Worded::contradicts(
                    format!(
                        "the {paper} of this incident was put right {before} times, and may be at most {MOST_CORRECTIONS} times, \
                         the last of which takes it back: end the incident and go on in another (`ardoise incident reopen`)"
                    ),
                    format!(
                        "{} de ce sinistre a été rectifiée {before} fois, et peut l’être {MOST_CORRECTIONS} fois au plus, la \
                         dernière pour la retirer : terminez le sinistre et reprenez-le (`ardoise incident reopen`)",
                        paper.in_french()
                    ),
                )
                .then(
                    format!("{}, then `ardoise incident reopen {id}`", ended_by(&incident).english),
                    format!("{}, puis `ardoise incident reopen {id}`", ended_by(&incident).french),
                )
                .into());
            }
            let row = PaperCorrection {
                incident_id: id,
                paper,
                number: i64::try_from(before).unwrap_or(i64::MAX).saturating_add(1),
                reference: truth.as_ref().map(|truth| truth.reference.clone()),
                dated: truth.as_ref().map(|truth| truth.dated),
                station: truth.as_ref().and_then(|truth| truth.station.clone()),
                reason: reason.clone(),
                corrected_at: now,
                corrected_by: principal.person(tx, now)?.standing.account(),
            };
            paper_corrections::insert(tx, &row)?;
            let incident = again(tx, id)?;
            let ended = end_what_rested_on_it(tx, &incident, now)?;
            let detail = json!({
                "incident": id, "paper": paper.as_str(), "dated": row.dated.map(|day| day.to_string()),
                "taken_back": truth.is_none(), "warrants_ended": ended,
            });
            let change = Change::new("incident.correct-paper")
                .tablet(Some(incident.tablet))
                .reason(Some(reason.clone()))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(incident)
        })
        .await
}

/// Puts right when an incident was noticed: the clocks of its papers run from there.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if that was said already, was put right too often, and of an incident that goes
/// on in another; [`Refusal::Forbidden`] for an instant after it was declared, after the day of a paper that it has, or at
/// which it would concern somebody else.
pub async fn put_noticed_right(
    fleet: &Fleet,
    principal: &Principal,
    id: IncidentId,
    noticed_at: Instant,
    reason: &str,
    now: Instant,
) -> Result<Incident, Refusal> {
    let reason = text("reason", reason, LONGEST_REASON)?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let incident = reached(tx, &principal, Permission::HandleIncident, id, now)?;
            must_be_the_last(tx, id)?;
            if incident.noticed_at == noticed_at {
                return Err(Worded::contradicts(
                    format!("this incident was noticed at {noticed_at} already: say what is to be put right"),
                    format!("ce sinistre a déjà été constaté le {noticed_at} : dites ce qui est à rectifier"),
                )
                .then(
                    format!("`ardoise incident show {id}` says when it was noticed"),
                    format!("`ardoise incident show {id}` dit quand il a été constaté"),
                )
                .into());
            }
            let mut had_it = |at| -> Result<Option<LoanId>, Refusal> {
                Ok(loans::with_its_holder_at(tx, incident.tablet, at)?.map(|loan| loan.id))
            };
            let (concerned, instead) = (had_it(incident.noticed_at)?, had_it(noticed_at)?);
            incident.put_noticed_right(noticed_at, concerned, instead)?;
            let before = noticed_corrections::of(tx, id)?.len();
            if before >= MOST_CORRECTIONS {
                return Err(Worded::contradicts(
                    format!(
                        "when this incident was noticed was put right {before} times, and may be at most {MOST_CORRECTIONS} \
                         times: end it and declare it anew"
                    ),
                    format!(
                        "la date du constat a été rectifiée {before} fois, et peut l’être {MOST_CORRECTIONS} fois au plus : \
                         terminez le sinistre et déclarez-le de nouveau"
                    ),
                )
                .then(
                    format!("{}, then `ardoise incident declare`", ended_by(&incident).english),
                    format!("{}, puis `ardoise incident declare`", ended_by(&incident).french),
                )
                .into());
            }
            let row = NoticedCorrection {
                incident_id: id,
                number: i64::try_from(before).unwrap_or(i64::MAX).saturating_add(1),
                noticed_at,
                reason: reason.clone(),
                corrected_at: now,
                corrected_by: principal.person(tx, now)?.standing.account(),
            };
            noticed_corrections::insert(tx, &row)?;
            let detail = json!({ "incident": id, "noticed_at": noticed_at, "before": incident.noticed_at });
            let change = Change::new("incident.correct-noticed")
                .tablet(Some(incident.tablet))
                .reason(Some(reason.clone()))
                .detail(detail);
            audit::record(tx, &principal, change, now)?;
            again(tx, id)
        })
        .await
}

/// Whether a paper is put right no more after so many times. It can be taken back all the same: what is wrong never has to stand.
const fn is_put_right_too_often(before: usize) -> bool {
    before + 1 >= MOST_CORRECTIONS
}

/// The commands that end an incident as it stands: what is missing is found, or given up, before it is closed.
fn ended_by(incident: &Incident) -> Sentence {
    let id = incident.id;
    let (mut english, mut french) = (String::new(), String::new());
    if incident.kind.is_of_a_missing_tablet() && incident.state.is_sought() {
        english = format!("`ardoise incident find {id}` or `give-up`, then ");
        french = format!("`ardoise incident find {id}` ou `give-up`, puis ");
    }
    if incident.state.is_open() {
        english += &format!("`ardoise incident close {id}`");
        french += &format!("`ardoise incident close {id}`");
    } else {
        english += "it is closed";
        french += "il est clos";
    }
    Sentence { english, french }
}

fn checked(paper: PaperKind, truth: TruePaper, now: Instant) -> Result<TruePaper, Refusal> {
    not_to_come(truth.dated, now)?;
    let station = match (paper, truth.station) {
        (PaperKind::Complaint, Some(station)) => Some(text("station", &station, LONGEST_REFERENCE)?),
        (PaperKind::Complaint, None) => {
            return Err(Refusal::invalid("station", "a complaint names the police or gendarmerie station"));
        }
        (PaperKind::Letter, None) => None,
        (PaperKind::Letter, Some(_)) => return Err(Refusal::invalid("station", "a letter has none")),
    };
    let reference = text("reference", &truth.reference, LONGEST_REFERENCE)?;
    Ok(TruePaper { reference, dated: truth.dated, station })
}

fn must_change_something(
    paper: PaperKind,
    stands: Option<&Paper>,
    truth: Option<&TruePaper>,
) -> Result<(), Refusal> {
    match (stands, truth) {
        (None, None) => Err(Worded::contradicts(
            format!("the {paper} of this incident was taken back before"),
            format!("{} de ce sinistre a déjà été retirée", paper.in_french()),
        )
        .then(
            "`ardoise incident show` has what was said of it before",
            "`ardoise incident show` donne ce qui en a été dit avant",
        )
        .into()),
        (Some(stands), Some(truth))
            if stands.reference == truth.reference
                && stands.dated == truth.dated
                && stands.station == truth.station =>
        {
            Err(Worded::contradicts(
                format!(
                    "this is what the {paper} of this incident says already: say what is to be put right"
                ),
                format!("{} de ce sinistre dit déjà cela : dites ce qui est à rectifier", paper.in_french()),
            )
            .then("`ardoise incident show` has the papers", "`ardoise incident show` donne les pièces")
            .into())
        }
        _ => Ok(()),
    }
}

/// Papers go on with an incident that was closed too soon: what is recorded or put right on the closed one would stand there
/// alone.
pub(super) fn must_be_the_last(tx: &mut Tx<'_>, id: IncidentId) -> Result<(), Refusal> {
    let mut last = id;
    while let Some(next) = incident_declarations::goes_on_in(tx, last)? {
        last = next.id;
    }
    if last == id {
        return Ok(());
    }
    Err(Worded::contradicts(
        format!(
            "this incident goes on in incident {last}, and its papers and clocks with it: record them and put them right there"
        ),
        format!(
            "ce sinistre continue dans le sinistre {last}, avec ses pièces et ses délais : enregistrez-les et rectifiez-les là"
        ),
    )
    .then(format!("`ardoise incident show {last}`"), format!("`ardoise incident show {last}`"))
    .into())
}

/// Ends the warrants that were firm because of a paper that does not count any more; says which.
fn end_what_rested_on_it(
    tx: &mut Tx<'_>,
    incident: &Incident,
    now: Instant,
) -> Result<Vec<types::WarrantId>, Refusal> {
    if papers::wanting(incident).is_none() {
        return Ok(Vec::new());
    }
    let mut ended = Vec::new();
    for row in store::warrants::of_incident(tx, incident.id)? {
        let granted = warrant_grants::get(tx, &row.id)?;
        let firm = granted.is_some_and(|granted| granted.footing == Footing::Firm);
        if firm && row.state == OrderState::Open {
            warrants::end_with(tx, incident, row.id, "the paper it rested on does not count any more", now)?;
            ended.push(row.id);
        }
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c5_4_2_the_last_of_twenty_times_is_kept_for_taking_back() {
        assert!(!is_put_right_too_often(MOST_CORRECTIONS - 2));
        assert!(is_put_right_too_often(MOST_CORRECTIONS - 1) && is_put_right_too_often(MOST_CORRECTIONS));
    }
}
