//! The decision: the program states facts, the head proposes, the département decides. None of it follows by itself (C5.1.2).

use std::collections::BTreeMap;

use ::incidents::Counterpart;
use ::lending::Reason;
use ::lending::last_decision::{About, DonationFacts, LastDecision as Decided, LastKind};
use governance::Permission;
use serde_json::json;
use store::departures::{self as ways, Departure};
use store::last_decisions::{self as rows, LastDecision};
use store::loan_years::{self, LoanYear};
use store::loans::{self, Loan, Standing};
use store::repairs::{self, RepairState};
use store::tablets::Tablet;
use store::{Tx, incidents, restitutions, school_years};
use types::{EraseOrderId, Instant, LastDecisionId, LoanId, UserKind};

use super::super::handover::is_received_and_empty;
use super::super::{counterparts, loans as acts, orders};
use super::{Case, case, departure, reached, record};
use crate::audit::{self, Change};
use crate::tablets::Named;
use crate::{Fleet, Principal, Refusal};

/// What is known of a pupil's years with a tablet, year by year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The facts that the rules name.
    pub facts: DonationFacts,
    /// The school years of the pupil's loans, that before a swap or a replacement among them, each with the word that was said
    /// about it.
    pub years: Vec<(String, bool)>,
}

/// The facts that are shown to whoever proposes or decides on a donation. They decide nothing.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn facts(
    fleet: &Fleet,
    principal: &Principal,
    loan: LoanId,
    now: Instant,
) -> Result<Facts, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let (loan, _who) = acts::reached(tx, &principal, Permission::ViewLoans, loan, now)?;
            facts_of(tx, &loan)
        })
        .await
}

fn facts_of(tx: &mut Tx<'_>, loan: &Loan) -> Result<Facts, Refusal> {
    // A year in which they had two tablets was managed responsibly if both were.
    let mut words: BTreeMap<String, bool> = BTreeMap::new();
    for word in loan_years::of_person(tx, loan.person_id)? {
        *words.entry(word.school_year).or_insert(true) &= word.responsible;
    }
    let years: Vec<(String, bool)> = words.into_iter().collect();
    let (mut donation_ruled_out, mut counterpart_unpaid) = (false, false);
    for borne in counterparts::of(tx, loan.person_id)? {
        match borne.counterpart {
            Counterpart::NoDonation => donation_ruled_out = true,
            Counterpart::Sum { paid_on: None, .. } => counterpart_unpaid = true,
            Counterpart::Sum { paid_on: Some(_), .. } | Counterpart::StaysAtSchool => {}
        }
    }
    let incident_open = !incidents::open_of_tablet(tx, loan.tablet_id)?.is_empty()
        || incidents::open_of_holder(tx, loan.person_id)?;
    let words = years.iter().map(|(_year, responsible)| *responsible).collect();
    Ok(Facts {
        facts: DonationFacts { donation_ruled_out, incident_open, counterpart_unpaid, years: words },
        years,
    })
}

/// The head says, yes or no, whether a tablet was managed responsibly in a year of its loan. What happened is not recorded.
///
/// # Errors
/// [`Refusal::NotFound`] for the loan or the year; [`Refusal::Conflict`] for a year before the loan began.
pub async fn say_of_year(
    fleet: &Fleet,
    principal: &Principal,
    loan: LoanId,
    (year, responsible): (String, bool),
    now: Instant,
) -> Result<Facts, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (loan, by) = acts::reached(tx, &principal, Permission::ProposeDonation, loan, now)?;
            if loan.holder_kind != UserKind::Pupil {
                return Err(::lending::Refused::GivenToPupils.into());
            }
            let dated = school_years::get(tx, &year)?.ok_or_else(|| {
                Refusal::not_found("school year", year.chars().take(16).collect::<String>())
            })?;
            if dated.ends_on.ends_at() <= loan.began_at || now < dated.starts_on.starts_at() {
                return Err(Refusal::Conflict(format!("school year {year} is none of this loan’s")));
            }
            let word = LoanYear {
                loan_id: loan.id,
                school_year: year.clone(),
                responsible,
                recorded_at: now,
                recorded_by: by,
            };
            loan_years::put(tx, &word)?;
            let detail = json!({ "loan": loan.id, "school_year": year, "responsible": responsible });
            let change = Change::new("loan.say-of-year").tablet(Some(loan.tablet_id)).detail(detail);
            audit::record(tx, &principal, change, now)?;
            facts_of(tx, &loan)
        })
        .await
}

/// The head proposes that a tablet is given to the pupil who holds it.
///
/// # Errors
/// [`Refusal::Forbidden`] for anybody but a pupil; [`Refusal::Conflict`] for a loan that does not go on, or a tablet that was
/// decided about; [`Refusal::NotFound`].
pub async fn propose(
    fleet: &Fleet,
    principal: &Principal,
    loan: LoanId,
    reason: Reason,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (loan, by) = acts::reached(tx, &principal, Permission::ProposeDonation, loan, now)?;
            if loan.holder_kind != UserKind::Pupil {
                return Err(::lending::Refused::GivenToPupils.into());
            }
            if !matches!(loan.state, Standing::Lent | Standing::Deposited) {
                return Err(Refusal::Conflict(format!(
                    "loan {} does not go on: its tablet is given to nobody",
                    loan.id
                )));
            }
            let about =
                About { tablet: loan.tablet_id, loan: Some(loan.id), incident: None, reason: reason.clone() };
            let begun = begin(tx, LastKind::Donation, about, now)?.sign_as_head(by, now)?;
            let row = insert(tx, &begun, now)?;
            record(tx, &principal, "donation.propose", &row, json!({}), now)?;
            case(tx, row)
        })
        .await
}

/// The département decides that a tablet is retired: it is lent to nobody, is erased, and leaves the stock.
///
/// # Errors
/// [`Refusal::Conflict`] for a tablet that is lent, that holds somebody's data, or that was decided about;
/// [`Refusal::NotFound`].
pub async fn retire(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: Reason,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let tablet = crate::tablets::reached(tx, &principal, Permission::DecideDeparture, &named, now)?;
            let by = principal.person(tx, now)?.standing.account();
            if let Some(loan) = loans::live_of_tablet(tx, tablet.id)? {
                return Err(Refusal::Conflict(format!(
                    "tablet {} is lent (loan {}): receive it, then retire it",
                    tablet.serial, loan.id
                )));
            }
            holds_nobodys_data(tx, &tablet)?;
            let about = About { tablet: tablet.id, loan: None, incident: None, reason: reason.clone() };
            let begun = begin(tx, LastKind::Retirement, about, now)?;
            let row = insert(tx, &begun, now)?;
            let row = in_force(tx, &row, begun.sign_as_departement(by, now)?, now)?;
            record(tx, &principal, "retirement.decide", &row, json!({}), now)?;
            case(tx, row)
        })
        .await
}

/// Passes a tablet that was received from whoever held it last, and proven empty: nobody's data is erased by a retirement,
/// which waits for no notice (C5.3.5). What the supplier kept comes back to nobody.
fn holds_nobodys_data(tx: &mut Tx<'_>, tablet: &Tablet) -> Result<(), Refusal> {
    let Some(last) = loans::last_of_tablet(tx, tablet.id)? else { return Ok(()) };
    let kept = repairs::standing_of_tablet(tx, tablet.id)?
        .is_some_and(|repair| repair.state == RepairState::Exchanged);
    let receipt = restitutions::of_loan(tx, last.id)?;
    if kept || is_received_and_empty(Some(&last), receipt.as_ref()) {
        return Ok(());
    }
    Err(Refusal::Conflict(match receipt {
        None => format!(
            "tablet {} was lent (loan {}), and nobody has received it since: receive it first",
            tablet.serial, last.id
        ),
        Some(receipt) => format!(
            "tablet {} was given back and is not proven empty (restitution {}): finish that first",
            tablet.serial, receipt.id
        ),
    }))
}

/// The département decides on a donation that the head proposed: yes; a no is [`withdraw`].
///
/// # Errors
/// [`Refusal::Forbidden`] for whoever proposed it, or one that was taken back; [`Refusal::Conflict`] for one that was decided;
/// [`Refusal::NotFound`].
pub async fn decide(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, _tablet) = reached(tx, &principal, Permission::DecideDeparture, id, now)?;
            if row.departement_at.is_some() {
                return Err(Refusal::Conflict(format!("decision {id} was taken before")));
            }
            let by = principal.person(tx, now)?.standing.account();
            let row = in_force(tx, &row, row.decided()?.sign_as_departement(by, now)?, now)?;
            record(tx, &principal, "donation.decide", &row, json!({}), now)?;
            case(tx, row)
        })
        .await
}

/// The département takes a decision back, or refuses what was proposed, as long as no second person has signed. An order
/// that rests on it ends.
///
/// # Errors
/// [`Refusal::Forbidden`] for one whose tablet was let go, or that was taken back; [`Refusal::NotFound`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    over(fleet, principal, (Permission::DecideDeparture, id), now).await
}

/// The head takes back what they proposed, as long as the département has not decided.
///
/// # Errors
/// [`Refusal::Conflict`] once it has; [`Refusal::Forbidden`] for what was taken back; [`Refusal::NotFound`].
pub async fn take_back(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    now: Instant,
) -> Result<Case, Refusal> {
    over(fleet, principal, (Permission::ProposeDonation, id), now).await
}

async fn over(
    fleet: &Fleet,
    principal: &Principal,
    (permission, id): (Permission, LastDecisionId),
    now: Instant,
) -> Result<Case, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, _tablet) = reached(tx, &principal, permission, id, now)?;
            if row.withdrawn_at.is_some() {
                return Err(::lending::Refused::Withdrawn.into());
            }
            if row.departement_at.is_some() {
                if permission == Permission::ProposeDonation {
                    return Err(Refusal::Conflict(format!(
                        "the département has decided ({id}): it takes that back"
                    )));
                }
                let way = departure(tx, &row)?;
                way.decided()?.take_back()?;
                if let Some(order) = way.order_id {
                    orders::end(tx, order, None, ("the decision was taken back", principal.actor()), now)?;
                }
            }
            let row = row.signed(&row.decided()?.withdraw(), now);
            rows::update(tx, &row)?;
            record(tx, &principal, "departure.withdraw", &row, json!({}), now)?;
            case(tx, row)
        })
        .await
}

fn begin(tx: &mut Tx<'_>, kind: LastKind, about: About, now: Instant) -> Result<Decided, Refusal> {
    if let Some(before) = rows::standing_of_tablet(tx, about.tablet)? {
        return Err(Refusal::Conflict(format!(
            "something was decided about this tablet, or proposed ({} {}): carry it out, or take it back",
            before.kind, before.id
        )));
    }
    Ok(Decided::begin(LastDecisionId::new(now), kind, about)?)
}

fn insert(tx: &mut Tx<'_>, decided: &Decided, now: Instant) -> Result<LastDecision, Refusal> {
    let bare = LastDecision {
        id: decided.decision(),
        kind: decided.kind(),
        tablet_id: decided.tablet(),
        loan_id: decided.loan(),
        incident_id: decided.incident(),
        reason: decided.reason().clone(),
        begun_at: now,
        head_by: None,
        head_at: None,
        departement_by: None,
        departement_at: None,
        withdrawn_at: None,
    };
    let row = bare.signed(decided, now);
    rows::insert(tx, &row)?;
    Ok(row)
}

/// The département has signed: from now on it is carried out.
fn in_force(
    tx: &mut Tx<'_>,
    row: &LastDecision,
    decided: Decided,
    now: Instant,
) -> Result<LastDecision, Refusal> {
    let row = row.signed(&decided, now);
    rows::update(tx, &row)?;
    ways::insert(tx, &Departure::begun(row.id, EraseOrderId::new(now)))?;
    Ok(row)
}
