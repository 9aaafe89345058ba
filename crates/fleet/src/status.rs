//! How the whole fleet stands, in a few numbers.

use governance::Permission;
use store::enrolments::EnrolmentState;
use store::{alarms, enrolments, push_certificates, tablets};
use types::{Duration, Instant};

use crate::{Fleet, Principal, Refusal};

/// Open alarms beyond this number are not counted one by one.
const ALARMS: u32 = 1_000;
const DAY: Duration = Duration::from_secs(86_400);

/// How the fleet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Tablets of the inventory.
    pub tablets: u64,
    /// Tablets that are managed.
    pub enrolled: u64,
    /// Tablets that said Authenticate and have not sent their push token.
    pub enrolling: u64,
    /// Open alarms, counted up to 1,000.
    pub open_alarms: u64,
    /// Whole days for which the push certificate is still valid; `None` without one.
    pub push_certificate_days_left: Option<u64>,
    /// Whether notices go by mail; else letters are printed and handed over.
    pub notices_by_mail: bool,
}

/// Counts the tablets that whoever asks may see.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn show(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Status, Refusal> {
    let (principal, notices_by_mail) = (principal.clone(), fleet.settings().notices.by_mail);
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewTablets, now)?;
            Ok(Status {
                tablets: tablets::count(tx, &within)?,
                enrolled: enrolments::count(tx, EnrolmentState::Active, &within)?,
                enrolling: enrolments::count(tx, EnrolmentState::Authenticated, &within)?,
                open_alarms: u64::try_from(alarms::open(tx, &within, ALARMS)?.len()).unwrap_or(u64::MAX),
                push_certificate_days_left: push_certificates::current(tx)?
                    .map(|certificate| certificate.not_after.since(now).as_secs() / DAY.as_secs()),
                notices_by_mail,
            })
        })
        .await
}
