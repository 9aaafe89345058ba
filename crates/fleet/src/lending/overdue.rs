//! Tablets whose loan is over, and that nobody has received since: the head's list (C5.2.3). Nothing is erased for it.

use std::collections::HashSet;

use governance::Permission;
use lending::ClassName;
use lending::calendar::{LateMeasure, due_back, late};
use store::{Tx, enrolments, last_decisions, loans, organisations, persons, tablet_modes};
use types::{Day, Instant, LoanId, LoanMode, SerialNumber, Supervision, TabletId, Uai};

use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

/// A tablet that should be back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The loan that is over.
    pub loan: LoanId,
    /// The tablet's serial number.
    pub serial: SerialNumber,
    /// The owner's label of it.
    pub asset_tag: Option<String>,
    /// The class of the pupil who has it.
    pub class: Option<ClassName>,
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
            let loans = || items.iter().map(|(loan, _leaves_on)| loan);
            let tablets = crate::tablets::all(tx, loans().map(|loan| loan.tablet_id))?;
            let classes = persons::classes(tx, loans().map(|loan| loan.person_id))?;
            let live = enrolments::live_of_tablets(tx, loans().map(|loan| loan.tablet_id))?;
            let supervised: HashSet<TabletId> = live
                .into_iter()
                .filter(|enrolment| enrolment.supervision == Supervision::Supervised)
                .filter_map(|enrolment| enrolment.tablet_id)
                .collect();
            let today = Day::of(now);
            let shown = items.iter().map(|(loan, leaves_on)| {
                let tablet = crate::tablets::of(&tablets, loan.tablet_id)?;
                let due_on = due_back(loan.decided()?.state(), *leaves_on).unwrap_or(today);
                let late = late(due_on, supervised.contains(&tablet.id), today);
                Ok(Overdue {
                    loan: loan.id,
                    serial: tablet.serial.clone(),
                    asset_tag: tablet.asset_tag.clone(),
                    class: classes.get(&loan.person_id).cloned(),
                    uai: loan.uai.clone(),
                    due_on,
                    days_late: u32::try_from(due_on.until(today)).unwrap_or(0),
                    propose_incident: late.contains(&LateMeasure::ProposeIncident),
                })
            });
            Ok(Listed { items: shown.collect::<Result<_, Refusal>>()?, next })
        })
        .await
}

/// Where a supervised iPad belongs that should have come back, for its lock screen; `None` for any other.
pub(crate) fn belongs(tx: &mut Tx<'_>, tablet: TabletId, now: Instant) -> Result<Option<String>, Refusal> {
    // What is late is restricted: one read tells most tablets apart.
    let restricted = tablet_modes::get(tx, &tablet)?.filter(|row| row.mode == LoanMode::Restricted);
    let Some(loan) = restricted.map(|row| loans::get(tx, &row.loan_id)).transpose()?.flatten() else {
        return Ok(None);
    };
    if last_decisions::is_given(tx, loan.id)? {
        return Ok(None);
    }
    let leaves_on = persons::get(tx, &loan.person_id)?.and_then(|person| person.leaves_on);
    let due = due_back(loan.decided()?.state(), leaves_on);
    let measures = due.map(|due| late(due, true, Day::of(now))).unwrap_or_default();
    if !measures.contains(&LateMeasure::LockScreenNote) {
        return Ok(None);
    }
    Ok(organisations::by_uai(tx, &loan.uai)?.map(|college| college.name))
}
