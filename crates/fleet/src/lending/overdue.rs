//! Tablets whose loan is over, and that nobody has received since: the head's list (C5.2.3). Nothing is erased for it.

use governance::Permission;
use lending::calendar::{LateMeasure, due_back, late};
use store::{Tx, enrolments, loans, tablets};
use types::{Day, Instant, LoanId, SerialNumber, Supervision, Uai};

use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// A tablet that should be back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The loan that is over.
    pub loan: LoanId,
    /// The tablet's serial number.
    pub serial: SerialNumber,
    /// The collège that lent it.
    pub uai: Uai,
    /// The day on which it was due.
    pub due_on: Day,
    /// How many days ago that was; 0 on the day itself.
    pub days_late: u32,
    /// Whether it is time to ask whether an incident is to be declared. A person decides.
    pub propose_incident: bool,
}

/// The tablets within reach that should be back, in the order of their loans.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<LoanId>,
    now: Instant,
) -> Result<Listed<Overdue>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewRestitutions, now)?;
            let awaited = loans::awaited(tx, &within, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(awaited, |(loan, _leaves_on)| loan.id.to_string());
            let shown = items.iter().map(|(loan, leaves_on)| overdue(tx, loan, *leaves_on, Day::of(now)));
            Ok(Listed { items: shown.collect::<Result<_, Refusal>>()?, next })
        })
        .await
}

fn overdue(
    tx: &mut Tx<'_>,
    loan: &loans::Loan,
    leaves_on: Option<Day>,
    today: Day,
) -> Result<Overdue, Refusal> {
    let tablet = tablets::get(tx, &loan.tablet_id)?
        .ok_or_else(|| Refusal::Internal(format!("loan {} names no tablet", loan.id)))?;
    let supervised = enrolments::live_of_tablet(tx, tablet.id)?
        .is_some_and(|enrolment| enrolment.supervision == Supervision::Supervised);
    let due_on = due_back(loan.decided()?.state(), leaves_on).unwrap_or(today);
    Ok(Overdue {
        loan: loan.id,
        serial: tablet.serial,
        uai: loan.uai.clone(),
        due_on,
        days_late: u32::try_from(due_on.until(today)).unwrap_or(0),
        propose_incident: late(due_on, supervised, today).contains(&LateMeasure::ProposeIncident),
    })
}
