//! What holders and their guardians are told before an erasure: a letter for now, which somebody prints, hands over, and
//! records as handed over. From that instant it counts (C5.3.5, M3).
//!
//! Nothing is written before the DPO validated the activity (C3.1.6). A holder who says that their data is saved needs no
//! notice.

use ::lending::letter;
use ::lending::notice::NoticeKind;
use governance::Permission;
use privacy::Activity;
use serde_json::json;
use store::notices::{self as rows, Channel, Notice, NoticeState};
use store::restitutions::{Restitution, StageName};
use store::{Tx, loans, persons};
use types::{Day, Instant, NoticeId, RestitutionId, UserKind};

use super::restitutions::{reached, record};
use crate::mail::Letter;
use crate::{Fleet, Principal, Refusal, mail, register};

/// Writes the letter that tells whoever held a tablet that it will be erased, or gives it again.
///
/// # Errors
/// [`Refusal::NotValidated`] as long as notices are off; [`Refusal::Conflict`] for a tablet that is erased or lent again.
pub async fn letter(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Letter<NoticeId>, Refusal> {
    let (principal, context) = (principal.clone(), fleet.clone());
    fleet
        .store()
        .write(move |tx| {
            let row = reached(tx, &principal, Permission::ReceiveTablets, id, now)?;
            let (notice, new) = written(tx, &row, now)?;
            if new {
                let detail = json!({ "restitution": id, "notice": notice.id });
                record(tx, &principal, "notice.write", row.tablet_id, detail, now)?;
            }
            rendered(tx, &context, &row, &notice)
        })
        .await
}

/// Records that somebody handed the letter over: the holder's time runs from now on. What is recorded counts once.
///
/// # Errors
/// As [`letter`](fn@letter).
pub async fn handed_over(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Letter<NoticeId>, Refusal> {
    let (principal, context) = (principal.clone(), fleet.clone());
    fleet
        .store()
        .write(move |tx| {
            let row = reached(tx, &principal, Permission::ReceiveTablets, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let (notice, _new) = written(tx, &row, now)?;
            if rows::count(tx, notice.id, Some(by), now)? {
                let detail = json!({ "restitution": id, "notice": notice.id });
                record(tx, &principal, "notice.hand-over", row.tablet_id, detail, now)?;
            }
            let notice = rows::get(tx, &notice.id)?.unwrap_or(notice);
            rendered(tx, &context, &row, &notice)
        })
        .await
}

/// The letter of a restitution, and whether it was written now.
fn written(tx: &mut Tx<'_>, row: &Restitution, now: Instant) -> Result<(Notice, bool), Refusal> {
    register::may_process(tx, Activity::Notices, now)??;
    let occasion = row.id.to_string();
    let of_this = |notice: &Notice| notice.channel == Channel::Letter && notice.occasion == occasion;
    if let Some(earlier) = rows::of_loan(tx, row.loan_id)?.into_iter().find(of_this) {
        return Ok((earlier, false));
    }
    if row.stage != StageName::Received {
        return Err(Refusal::Conflict(format!(
            "restitution {} is {}: a notice comes before an erasure is ordered",
            row.id, row.stage
        )));
    }
    let notice = Notice {
        id: NoticeId::new(now),
        loan_id: row.loan_id,
        kind: NoticeKind::Received,
        occasion,
        channel: Channel::Letter,
        state: NoticeState::Waiting,
        created_at: now,
        counted_at: None,
        counted_by: None,
        addressee: None,
    };
    rows::write(tx, &notice)?;
    Ok((notice, true))
}

fn rendered(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    row: &Restitution,
    notice: &Notice,
) -> Result<Letter<NoticeId>, Refusal> {
    let loan = loans::get(tx, &row.loan_id)?
        .ok_or_else(|| Refusal::Internal(format!("restitution {} is of no loan", row.id)))?;
    let holder = persons::get(tx, &loan.person_id)?;
    let names = mail::names(tx, &loan, holder.as_ref())?;
    let about = letter::About {
        organisation: &fleet.settings().organisation,
        college: &names.college,
        holder: &names.holder,
        minor: loan.holder_kind == UserKind::Pupil,
        serial: &names.serial,
        dated: Day::of(notice.counted_at.unwrap_or(notice.created_at)),
    };
    let says = letter::Says::Received {
        on: Day::of(row.received_at),
        days: mail::sending::notice_days(fleet.settings()),
    };
    let letter::Text { french, english, .. } = letter::write(&about, says, letter::Way::Letter);
    Ok(Letter { notice: notice.id, handed_over_at: notice.counted_at, french, english })
}
