//! What holders and their guardians are told before an erasure: a letter for now, which somebody prints, hands over, and
//! records as handed over. From that instant it counts (C5.3.5, M3).
//!
//! Nothing is written before the DPO validated the activity (C3.1.6). A holder who says that their data is saved needs no
//! notice.

use governance::Permission;
use lending::notice::NoticeKind;
use privacy::Activity;
use serde_json::json;
use store::notices::{self as rows, Channel, Notice, NoticeState};
use store::persons::Known;
use store::restitutions::{Restitution, StageName};
use store::{Tx, loans, persons, tablets};
use types::{Day, Instant, NoticeId, RestitutionId};

use super::restitutions::{reached, record};
use crate::{Fleet, Principal, Refusal, register};

/// A letter to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The notice.
    pub notice: NoticeId,
    /// When it was handed over, if it was.
    pub handed_over_at: Option<Instant>,
    /// Its text in French.
    pub french: String,
    /// Its text in English.
    pub english: String,
}

/// Writes the letter that tells whoever held a tablet that it will be erased, or gives it again.
///
/// # Errors
/// [`Refusal::NotValidated`] as long as notices are off; [`Refusal::Conflict`] for a tablet that is erased or lent again.
pub async fn letter(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Letter, Refusal> {
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
/// As [`letter`].
pub async fn handed_over(
    fleet: &Fleet,
    principal: &Principal,
    id: RestitutionId,
    now: Instant,
) -> Result<Letter, Refusal> {
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
    };
    rows::write(tx, &notice)?;
    Ok((notice, true))
}

fn rendered(tx: &mut Tx<'_>, fleet: &Fleet, row: &Restitution, notice: &Notice) -> Result<Letter, Refusal> {
    let loan = loans::get(tx, &row.loan_id)?;
    let holder = match loan {
        Some(loan) => persons::get(tx, &loan.person_id)?,
        None => None,
    };
    let name = match holder.map(|holder| holder.name) {
        Some(Known::By(name)) => name.as_str().to_owned(),
        Some(Known::Forgotten) | None => String::new(),
    };
    let serial =
        tablets::get(tx, &row.tablet_id)?.map(|tablet| tablet.serial.to_string()).unwrap_or_default();
    let days = fleet.settings().erasures.notice().as_secs() / 86_400;
    let (organisation, received) = (&fleet.settings().organisation, Day::of(row.received_at));
    let dated = Day::of(notice.counted_at.unwrap_or(notice.created_at));
    Ok(Letter {
        notice: notice.id,
        handed_over_at: notice.counted_at,
        french: format!(
            "{organisation}\n{dated}\n\nÀ l’attention de {name}, et de ses représentants légaux\n\nLa tablette {serial} a été rendue \
             le {received}. Toutes les données qu’elle contient seront effacées, au plus tôt {days} jours après la remise de \
             cette lettre. Il n’existe aucune sauvegarde automatique.\n\nSi vous souhaitez garder des données, \
             demandez-les au collège avant cette date. Si elles sont déjà sauvegardées, dites-le : l’effacement n’attendra \
             pas.\n"
        ),
        english: format!(
            "{organisation}\n{dated}\n\nTo {name}, and their guardians\n\nTablet {serial} was given back on {received}. All data \
             on it will be erased, at the earliest {days} days after this letter was handed over. There is no automatic \
             backup.\n\nIf you want to keep data, ask the collège for it before then. If it is saved already, say so: the \
             erasure will not wait.\n"
        ),
    })
}
