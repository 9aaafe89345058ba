//! Notices as people see them, and whether mail goes at all.

use governance::Permission;
use serde_json::json;
use store::mails::{self, Mail};
use store::notices::{self, Notice};
use store::{Tx, alarms, tablets};
use types::{Duration, Instant, LoanId, NoticeId, SerialNumber};

use super::loan_and_holder;
use crate::page::{Listed, Page};
use crate::watch::{self, AlarmKind, Subject};
use crate::{Fleet, Principal, Refusal};

/// Mail that waits longer raises an alarm.
const LATE: Duration = Duration::from_secs(4 * 3_600);
/// What that alarm is about.
const SUBJECT: &str = "mail";

/// A notice, and its mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The notice.
    pub notice: Notice,
    /// The tablet's serial number.
    pub serial: Option<SerialNumber>,
    /// Its mail, if it goes by mail.
    pub mail: Option<Mail>,
}

/// Which notices a list shows; what is `None` admits all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those of one loan.
    pub loan: Option<LoanId>,
    /// Those that count for nothing: they wait, were refused, or came back.
    pub unreached: bool,
}

/// The notices of loans within reach, the newest first.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    filter: Filter,
    page: Page<NoticeId>,
    now: Instant,
) -> Result<Listed<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewRestitutions, now)?;
            let found = notices::list(
                tx,
                &within,
                (filter.loan, filter.unreached),
                page.after,
                page.with_one_more(),
            )?;
            let Listed { items, next } = page.cut(found, |notice| notice.id.to_string());
            let shown = items.into_iter().map(|notice| shown(tx, notice));
            Ok(Listed { items: shown.collect::<Result<_, Refusal>>()?, next })
        })
        .await
}

fn shown(tx: &mut Tx<'_>, notice: Notice) -> Result<Shown, Refusal> {
    let (loan, _) = loan_and_holder(tx, notice.loan_id)?;
    let serial = tablets::get(tx, &loan.tablet_id)?.map(|tablet| tablet.serial);
    let mail = mails::of_notice(tx, notice.id)?;
    Ok(Shown { notice, serial, mail })
}

/// Raises an alarm while mail waits for hours, and settles it when none does. The calendar's work; says whether one was
/// raised.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the calendar.
pub async fn watch(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write(move |tx| {
            let mails::Backlog { waiting, oldest } = mails::backlog(tx)?;
            let kind = AlarmKind::MailWaits;
            if oldest.is_none_or(|oldest| now.since(oldest) < LATE) {
                alarms::settle_about(tx, kind.as_str(), SUBJECT, now)?;
                return Ok(0);
            }
            let detail = json!({ "waiting": waiting, "since": oldest.map(|oldest| oldest.to_string()) });
            watch::raise(tx, kind, &Subject::thing(SUBJECT.to_owned()), detail, now)?;
            Ok::<_, Refusal>(1)
        })
        .await
}
