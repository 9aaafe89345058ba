//! A tablet goes from one collège to another: proposed by somebody who looks after it, consented to by both heads, done with
//! the second consent. It stays the département's, and nobody's data goes with it (C3.3.2, C5.3.5).

use ::lending::Reason;
use ::lending::transfer::{Side, ToMove, Transfer as Decided};
use governance::{Permission, Place, Reach};
use serde_json::json;
use store::loans::{self, Standing};
use store::tablets::Tablet;
use store::transfers::{self as rows, Transfer, TransferState};
use store::{Tx, incidents, last_decisions, organisations, repairs, restitutions, tablets};
use types::{Instant, SerialNumber, TabletId, TransferId, Uai};

use super::handover::is_clean;
use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::tablets::Named;
use crate::{Fleet, Principal, Refusal, segments};

/// A transfer, with what people know its tablet by.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The transfer.
    pub transfer: Transfer,
    /// The tablet's serial number.
    pub serial: SerialNumber,
}

/// Proposes that a tablet goes to another collège, which must exist. Whoever decides for either consents by a word of their
/// own ([`consent`]).
///
/// # Errors
/// [`Refusal::Forbidden`] says why the tablet stays; [`Refusal::Conflict`] while another transfer of it waits;
/// [`Refusal::NotFound`].
pub async fn propose(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    (to, reason): (Uai, Reason),
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let tablet = crate::tablets::reached(tx, &principal, Permission::ProposeTransfer, &named, now)?;
            let from = super::handover::college_of(&tablet)?;
            if organisations::by_uai(tx, &to)?.is_none() {
                return Err(Refusal::not_found("organisation", &to));
            }
            if let Some(waits) = rows::proposed_of_tablet(tx, tablet.id)? {
                return Err(Refusal::Conflict(format!(
                    "transfer {} of tablet {} waits: consent to it, or take it back",
                    waits.id, tablet.serial
                )));
            }
            let what = what(tx, &tablet)?;
            let proposed = Decided::propose(TransferId::new(now), from.clone(), to.clone(), &what)?;
            let row = Transfer {
                id: proposed.transfer(),
                tablet_id: tablet.id,
                from_uai: from,
                to_uai: to.clone(),
                reason: reason.clone(),
                state: TransferState::Proposed,
                proposed_at: now,
                proposed_by: principal.person(tx, now)?.standing.account(),
                given_at: None,
                given_by: None,
                taken_at: None,
                taken_by: None,
                ended_at: None,
            };
            rows::insert(tx, &row)?;
            record(tx, &principal, "transfer.propose", &row, now)?;
            Ok(Shown { transfer: row, serial: tablet.serial })
        })
        .await
}

/// Consents for the collège that one decides for. With the second consent the tablet is the other collège's.
///
/// # Errors
/// [`Refusal::Forbidden`] for whoever consented for the other side, or a tablet that cannot go by now; [`Refusal::Conflict`] for
/// one that is no more of the collège that would give it; [`Refusal::NotFound`] for a transfer of neither side.
pub async fn consent(
    fleet: &Fleet,
    principal: &Principal,
    id: TransferId,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, reach) = reached(tx, &principal, Permission::ConsentTransfer, id, now)?;
            let by = principal.person(tx, now)?.standing.account();
            let before = of(tx, row.tablet_id)?;
            let decided = row.decided();
            let side = decided.side(|uai| reach.covers(&place(uai)))?;
            if row.state == TransferState::Proposed {
                still_there(&row, &before)?;
            }
            let decided = decided.consent(side, by, &what(tx, &before)?, now)?;
            let row = row.consented(&decided, now);
            rows::update(tx, &row)?;
            if decided.is_agreed() {
                let after = Tablet { uai: Some(row.to_uai.clone()), updated_at: now, ..before.clone() };
                tablets::update(tx, &after)?;
                segments::changed(tx, &before, &after, now)?;
            }
            let action = match side {
                Side::Gives => "transfer.give",
                Side::Takes => "transfer.take",
            };
            record(tx, &principal, action, &row, now)?;
            Ok(Shown { transfer: row, serial: before.serial })
        })
        .await
}

/// Takes a transfer back, or refuses it: whoever may propose one on either side.
///
/// # Errors
/// [`Refusal::Forbidden`] for one that was done or taken back; [`Refusal::NotFound`].
pub async fn withdraw(
    fleet: &Fleet,
    principal: &Principal,
    id: TransferId,
    now: Instant,
) -> Result<Shown, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let (row, _reach) = reached(tx, &principal, Permission::ProposeTransfer, id, now)?;
            row.decided().withdraw()?;
            let row = Transfer { state: TransferState::Withdrawn, ended_at: Some(now), ..row };
            rows::update(tx, &row)?;
            record(tx, &principal, "transfer.withdraw", &row, now)?;
            Ok(Shown { serial: of(tx, row.tablet_id)?.serial, transfer: row })
        })
        .await
}

/// Transfers from or to collèges within reach, in the order they were proposed: those that wait, or all.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    all: bool,
    page: Page<TransferId>,
    now: Instant,
) -> Result<Listed<Shown>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ProposeTransfer, now)?;
            let found = rows::list(tx, &within, all, page.after, page.with_one_more())?;
            let Listed { items, next } = page.cut(found, |row| row.id.to_string());
            let tablets = crate::tablets::all(tx, items.iter().map(|row| row.tablet_id))?;
            let shown = items.into_iter().map(|transfer| {
                let serial = crate::tablets::of(&tablets, transfer.tablet_id)?.serial.clone();
                Ok(Shown { serial, transfer })
            });
            Ok(Listed { items: shown.collect::<Result<_, Refusal>>()?, next })
        })
        .await
}

/// Ends the transfer of a tablet that waits for a consent, because the tablet was moved another way.
pub(crate) fn moved(
    tx: &mut Tx<'_>,
    principal: &Principal,
    tablet: TabletId,
    now: Instant,
) -> Result<(), Refusal> {
    let Some(waits) = rows::proposed_of_tablet(tx, tablet)? else { return Ok(()) };
    let row = Transfer { state: TransferState::Withdrawn, ended_at: Some(now), ..waits };
    rows::update(tx, &row)?;
    record(tx, principal, "transfer.withdraw", &row, now)
}

/// Whether the tablet is still of the collège that would give it.
fn still_there(row: &Transfer, tablet: &Tablet) -> Result<(), Refusal> {
    if tablet.uai.as_ref() == Some(&row.from_uai) {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "tablet {} is no more of collège {}: take transfer {} back, and propose it from where the tablet is",
        tablet.serial, row.from_uai, row.id
    )))
}

/// A tablet as it is now, for whoever would have it go.
fn what(tx: &mut Tx<'_>, tablet: &Tablet) -> Result<ToMove, Refusal> {
    let last = loans::last_of_tablet(tx, tablet.id)?;
    let receipt = match &last {
        None => None,
        Some(loan) => restitutions::of_loan(tx, loan.id)?,
    };
    Ok(ToMove {
        lent: last.as_ref().is_some_and(|loan| loan.state != Standing::Ended),
        clean: is_clean(tx, tablet.id, last.as_ref(), receipt.as_ref())?,
        incident_open: !incidents::open_of_tablet(tx, tablet.id)?.is_empty(),
        set_aside: repairs::standing_of_tablet(tx, tablet.id)?.is_some()
            || last_decisions::in_force_of_tablet(tx, tablet.id)?.is_some(),
    })
}

fn of(tx: &mut Tx<'_>, id: TabletId) -> Result<Tablet, Refusal> {
    tablets::get(tx, &id)?.ok_or_else(|| Refusal::Internal(format!("tablet {id} is not in the inventory")))
}

fn place(uai: &Uai) -> Place {
    Place::College(Some(uai.clone()))
}

/// The transfer, for whoever has this right on one of its sides (T-C1); and how far they reach.
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    id: TransferId,
    now: Instant,
) -> Result<(Transfer, Reach), Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let of_theirs = |row: &Transfer| reach.covers(&place(&row.from_uai)) || reach.covers(&place(&row.to_uai));
    let row = rows::get(tx, &id)?.filter(of_theirs);
    Ok((row.ok_or_else(|| Refusal::not_found("transfer", id))?, reach))
}

fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    action: &'static str,
    row: &Transfer,
    now: Instant,
) -> Result<(), Refusal> {
    let detail = json!({ "transfer": row.id, "from": row.from_uai, "to": row.to_uai, "state": row.state });
    let change = Change::new(action)
        .tablet(Some(row.tablet_id))
        .reason((action == "transfer.propose").then(|| row.reason.as_str().to_owned()));
    audit::record(tx, principal, change.detail(detail), now)
}
