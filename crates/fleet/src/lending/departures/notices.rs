//! The letter to the pupil who is given their tablet: it is erased before, and there is no backup (C5.1.2, C5.3.5). From its
//! handing over it counts.

use ::lending::last_decision::LastKind;
use ::lending::notice::NoticeKind;
use governance::Permission;
use privacy::Activity;
use serde_json::json;
use store::last_decisions::LastDecision;
use store::notices::{self as rows, Channel, Notice, NoticeState};
use store::persons::{self, Known};
use store::tablets::Tablet;
use store::{Tx, loans};
use types::{Day, Instant, LastDecisionId, LoanId, NoticeId};

use super::{departure, reached, record};
use crate::mail::Letter;
use crate::{Fleet, Principal, Refusal, register};

/// Writes the letter, or gives it again; and records its handing over, if that is said. What is recorded counts once.
///
/// # Errors
/// [`Refusal::NotValidated`] as long as notices are off; [`Refusal::Conflict`] for anything but a donation that was decided, or
/// one that was taken back; [`Refusal::Forbidden`] once the tablet is proven empty.
pub async fn letter(
    fleet: &Fleet,
    principal: &Principal,
    id: LastDecisionId,
    handed_over: bool,
    now: Instant,
) -> Result<Letter<NoticeId>, Refusal> {
    let (principal, context) = (principal.clone(), fleet.clone());
    fleet
        .store()
        .write(move |tx| {
            let (row, tablet) = reached(tx, &principal, Permission::ReceiveTablets, id, now)?;
            register::may_process(tx, Activity::Notices, now)??;
            let (LastKind::Donation, Some(loan), Some(_)) = (row.kind, row.loan_id, row.departement_at)
            else {
                return Err(Refusal::Conflict(format!(
                    "decision {id} is no donation that was decided: nobody is to be told of it"
                )));
            };
            // One that was taken back erases nothing, and what is empty holds nothing to be saved.
            departure(tx, &row)?.decided()?.keeps_its_data()?;
            let mut notice = written(tx, &principal, (&row, loan), now)?;
            if handed_over {
                let by = principal.person(tx, now)?.standing.account();
                if rows::count(tx, notice.id, Some(by), now)? {
                    record(tx, &principal, "notice.hand-over", &row, json!({ "notice": notice.id }), now)?;
                }
                notice = rows::get(tx, &notice.id)?.unwrap_or(notice);
            }
            rendered(tx, &context, (loan, &tablet), &notice)
        })
        .await
}

fn written(
    tx: &mut Tx<'_>,
    principal: &Principal,
    (row, loan): (&LastDecision, LoanId),
    now: Instant,
) -> Result<Notice, Refusal> {
    let occasion = row.id.to_string();
    let of_this = |notice: &Notice| notice.channel == Channel::Letter && notice.occasion == occasion;
    if let Some(earlier) = rows::of_loan(tx, loan)?.into_iter().find(of_this) {
        return Ok(earlier);
    }
    let notice = Notice {
        id: NoticeId::new(now),
        loan_id: loan,
        kind: NoticeKind::LoanOver,
        occasion,
        channel: Channel::Letter,
        state: NoticeState::Waiting,
        created_at: now,
        counted_at: None,
        counted_by: None,
        addressee: None,
    };
    rows::write(tx, &notice)?;
    record(tx, principal, "notice.write", row, json!({ "notice": notice.id }), now)?;
    Ok(notice)
}

fn rendered(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    (loan, tablet): (LoanId, &Tablet),
    notice: &Notice,
) -> Result<Letter<NoticeId>, Refusal> {
    let loan = loans::get(tx, &loan)?;
    let holder = loan.map(|loan| persons::get(tx, &loan.person_id)).transpose()?.flatten();
    let name = match holder.map(|holder| holder.name) {
        Some(Known::By(name)) => name.as_str().to_owned(),
        Some(Known::Forgotten) | None => String::new(),
    };
    let days = fleet.settings().erasures.notice().as_secs() / 86_400;
    let (organisation, serial) = (&fleet.settings().organisation, &tablet.serial);
    let dated = Day::of(notice.counted_at.unwrap_or(notice.created_at));
    Ok(Letter {
        notice: notice.id,
        handed_over_at: notice.counted_at,
        french: format!(
            "{organisation}\n{dated}\n\nÀ l’attention de {name}, et de ses représentants légaux\n\nLe département a décidé de \
             vous donner la tablette {serial}. Avant cela, toutes les données qu’elle contient seront effacées, au plus tôt \
             {days} jours après la remise de cette lettre. Il n’existe aucune sauvegarde automatique : sauvegardez avant cette \
             date ce que vous souhaitez garder.\n"
        ),
        english: format!(
            "{organisation}\n{dated}\n\nTo {name}, and their guardians\n\nThe département has decided to give you tablet \
             {serial}. Before that, all data on it will be erased, at the earliest {days} days after this letter was handed over. \
             There is no automatic backup: save before then what you want to keep.\n"
        ),
    })
}
