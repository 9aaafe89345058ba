//! Forgetting in time (C3.1.6): each class of data is purged once a day, leaves a row that says so, and is accounted for.

use governance::Permission;
use privacy::{Activity, Left, NotValidated, PurgeAccount, PurgeDone, RetentionClass, cut_off};
use store::purges::Purge;
use store::{StoreError, Tx, observations, purge, purges};
use types::{Duration, Instant, PurgeId};

use crate::{Fleet, Principal, Refusal, register};

/// Between two purges of a class, whichever node did the last.
const EVERY: Duration = Duration::from_secs(86_400);
/// How many rows share a transaction.
const BATCH: u32 = 500;
/// How many recorded purges of a class are accounted for, the newest first: thirteen years of them.
const ACCOUNTED: u32 = 5_000;

/// Purges every class that was not purged for a day. Says how many rows went.
///
/// A class that fails keeps none of the others from being forgotten; it is due again in the next round.
///
/// # Errors
/// The first [`Refusal::Store`]. What a purge that failed had forgotten stays forgotten, and is not counted: only a whole
/// purge leaves its row.
pub async fn run(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let (mut all, mut failure) = (0, None);
    for class in RetentionClass::ALL {
        match one(fleet, *class, now).await {
            Ok(removed) => all += removed,
            Err(error) => {
                tracing::warn!(class = class.code(), %error, "a class of data could not be purged");
                failure = failure.or(Some(error));
            }
        }
    }
    match failure {
        None => Ok(all),
        Some(error) => Err(error),
    }
}

async fn one(fleet: &Fleet, class: RetentionClass, now: Instant) -> Result<usize, Refusal> {
    let (Some(how), Some(older_than)) = (purge::of(class), cut_off(class, now)) else { return Ok(0) };
    let last = fleet.store().read(move |tx| Ok::<_, Refusal>(purges::last(tx, class.code())?)).await?;
    if last.is_some_and(|last| last.ran_at <= now && now.since(last.ran_at) < EVERY) {
        return Ok(0);
    }
    let mut removed = 0_usize;
    loop {
        let (batch, before) = (how.batch, removed);
        // The row goes with the last batch: it is there only if all of it was done.
        let done = fleet
            .store()
            .write(move |tx| {
                let done = batch(tx, older_than, BATCH)?;
                if is_last(done) {
                    let row = Purge {
                        id: PurgeId::new(now),
                        class: class.code().to_owned(),
                        ran_at: now,
                        older_than,
                        removed: i64::try_from(before.saturating_add(done)).unwrap_or(i64::MAX),
                    };
                    purges::insert(tx, &row)?;
                }
                Ok::<_, Refusal>(done)
            })
            .await?;
        removed += done;
        if is_last(done) {
            return Ok(removed);
        }
    }
}

/// A batch that was not full was the last one.
fn is_last(done: usize) -> bool {
    u32::try_from(done).is_ok_and(|done| done < BATCH)
}

/// Forgets the lists of apps that were stored, when no DPO ever validated their storing, or one took that back: what is
/// off keeps nothing (C3.1.6). After an upgrade that only voided a validation they stay, and die with their term.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn forget_what_is_off(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    let mut all = 0;
    loop {
        let done = fleet
            .store()
            .write(move |tx| {
                match register::may_process(tx, Activity::AppInventory, now)? {
                    Err(NotValidated::Never { .. } | NotValidated::Withdrawn { .. }) => {}
                    Ok(_) | Err(NotValidated::Voided { .. } | NotValidated::InTheFuture { .. }) => {
                        return Ok(0);
                    }
                }
                Ok::<_, Refusal>(observations::forget(tx, crate::answers::APP_LISTS, BATCH)?)
            })
            .await?;
        all += done;
        if is_last(done) {
            return Ok(all);
        }
    }
}

/// The account of purges done and due, as it stands now.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn prove(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<PurgeAccount, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may_everywhere(tx, Permission::ProvePurges, now)?;
            let (mut recorded, mut left) = (Vec::new(), Vec::new());
            for class in RetentionClass::ALL {
                recorded.extend(done(tx, *class)?);
                if let Some(how) = purge::of(*class) {
                    left.push(Left { class: *class, oldest: (how.oldest)(tx)? });
                }
            }
            Ok(privacy::prove(&store::declarations(), &recorded, &left, now))
        })
        .await
}

fn done(tx: &mut Tx<'_>, class: RetentionClass) -> Result<Vec<PurgeDone>, StoreError> {
    let rows = purges::list(tx, Some(class.code()), None, ACCOUNTED)?;
    let done = |row: Purge| PurgeDone {
        class,
        ran_at: row.ran_at,
        older_than: row.older_than,
        removed: u64::try_from(row.removed).unwrap_or(0),
    };
    Ok(rows.into_iter().map(done).collect())
}
