//! What the head attached to replacements, and what it does to what follows: it speaks against a donation, or keeps the
//! replacement at school (C5.1.2, C5.4.4).

use ::incidents::{Counterpart, Effect};
use ::lending::loan::Suspension;
use governance::{Permission, Place};
use store::loans::{self, Loan, Standing};
use store::{Tx, replacements};
use types::{IncidentId, Instant, LoanId, PersonId, TabletId};

use super::modes;
use crate::{Fleet, Principal, Refusal};

/// A counterpart that somebody has to bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Borne {
    /// The incident after which it was attached.
    pub incident: IncidentId,
    /// What it is.
    pub counterpart: Counterpart,
    /// What it does now; nothing any more, once a sum was paid.
    pub effect: Option<Effect>,
}

/// The counterparts of whoever a loan was made to, the first one first: facts for whoever proposes or decides a donation.
///
/// # Errors
/// [`Refusal::NotFound`] for a loan out of reach.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    id: LoanId,
    now: Instant,
) -> Result<Vec<Borne>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let reach = principal.may(tx, Permission::ViewLoans, now)?;
            let loan =
                loans::get(tx, &id)?.filter(|loan| reach.covers(&Place::College(Some(loan.uai.clone()))));
            let loan = loan.ok_or_else(|| Refusal::not_found("loan", id))?;
            of(tx, loan.person_id)
        })
        .await
}

/// The counterparts that a person bears.
pub(crate) fn of(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Borne>, Refusal> {
    let mut borne = Vec::new();
    for (row, _at) in replacements::attached_to(tx, person)? {
        if let Some(counterpart) = row.attached()? {
            borne.push(Borne { incident: row.incident_id, counterpart, effect: counterpart.effect() });
        }
    }
    Ok(borne)
}

/// The head grants a replacement for this tablet: its loan rests, so that its holder may be lent another, and where the other
/// stands follows from what was attached (C5.3.1, C5.4.4). Says which loan rests.
pub(crate) fn granted(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<Option<LoanId>, Refusal> {
    let Some(loan) = loans::live_of_tablet(tx, tablet)? else { return Ok(None) };
    let mut rests = None;
    // One that is confiscated stays so: nobody gets another tablet by losing that one.
    if let Ok(suspended) = loan.decided()?.suspend(Suspension::Incident) {
        loans::update(tx, &loan.standing(&suspended, now))?;
        rests = Some(loan.id);
    }
    stand_anew(tx, loan.person_id, now)?;
    Ok(rests)
}

/// An incident was closed, and the tablet is there: its loan goes on, unless another incident of it is open, or the holder was
/// lent another tablet that counts.
pub(crate) fn goes_on(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<Option<LoanId>, Refusal> {
    let rests =
        |loan: &Loan| loan.state == Standing::Suspended && loan.suspension == Some(Suspension::Incident);
    let Some(loan) = loans::live_of_tablet(tx, tablet)?.filter(rests) else { return Ok(None) };
    // As long as another incident of the tablet is open, it rests for that one (C5.3.1).
    if !store::incidents::open_of_tablet(tx, tablet)?.is_empty() {
        return Ok(None);
    }
    let mut another = None;
    for held in loans::live_of_person(tx, loan.person_id)? {
        if held.id != loan.id && held.decided()?.counts() {
            another = Some(held.id);
        }
    }
    // With another in their hands they bring one of the two back first; the head says then that this one goes on.
    let Ok(resumed) = loan.decided()?.resume(another) else { return Ok(None) };
    loans::update(tx, &loan.standing(&resumed, now))?;
    stand_anew(tx, loan.person_id, now)?;
    Ok(Some(loan.id))
}

/// Where each tablet that a person holds stands, made anew.
fn stand_anew(tx: &mut Tx<'_>, person: PersonId, now: Instant) -> Result<(), Refusal> {
    for held in loans::live_of_person(tx, person)? {
        modes::refresh(tx, held.tablet_id, now)?;
    }
    Ok(())
}
