//! The audit log, for those who read it: listed, sealed, verified, taken away, anchored.
//!
//! Entries are written by the use cases themselves ([`crate::audit`]). The calendar seals them every second; whoever
//! reads them gets parts of bounded size, each in a transaction of its own, however long the log is.

pub mod lines;
mod reading;
mod report;
mod seal;

pub use reading::{Export, Exported, Progress, Verification, Verified};
pub use report::{Account, Tail};
pub use seal::{Backlog, seal};

use governance::chain::{Anchor, Seal};
use governance::{Permission, Reach};
use store::Within;
use store::audit::{self, Entry, Filter, Order};
use types::{Actor, Instant, TabletId};

use crate::page::{Listed, Page};
use crate::tablets::{self, Named};
use crate::{Fleet, Principal, Refusal};

/// Which entries are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// By whom.
    pub actor: Option<Actor>,
    /// On which tablet.
    pub tablet: Option<Named>,
    /// What.
    pub action: Option<audit::ActionName>,
    /// Not before this.
    pub since: Option<Instant>,
    /// Before this.
    pub until: Option<Instant>,
    /// Which way.
    pub order: Order,
}

/// One part of the log.
///
/// # Errors
/// [`Refusal::NotFound`] for a tablet that the inventory never knew.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    wanted: Wanted,
    page: Page<i64>,
    now: Instant,
) -> Result<Listed<Entry>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ReadAudit, now)?;
            let tablet = wanted.tablet.as_ref().map(|named| tablet(tx, named, &within)).transpose()?;
            let filter = Filter {
                within,
                tablet,
                actor: wanted.actor,
                action: wanted.action,
                since: wanted.since,
                until: wanted.until,
                order: wanted.order,
            };
            let rows = audit::list(tx, &filter, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |entry| entry.seq.to_string()))
        })
        .await
}

/// A tablet of the log, for whoever reads all of it: an auditor who reads the log need not manage tablets.
fn tablet(tx: &mut store::Tx<'_>, named: &Named, within: &Within) -> Result<TabletId, Refusal> {
    match within {
        Within::Everything => Ok(tablets::find(tx, named, |_any| true)?.id),
        // The table of rights gives the log whole or not at all.
        Within::Organisation(_) | Within::Colleges(_) => Err(Refusal::not_found("tablet", named)),
    }
}

/// The last seal: what to keep of the log elsewhere. `None` until the first entry is sealed.
///
/// # Errors
/// As [`list`].
pub async fn anchor(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<Option<(Anchor, Seal)>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            may_check(tx, &principal, now)?;
            Ok(audit::last_seal(tx)?.map(|seal| (seal.anchor(), seal)))
        })
        .await
}

/// Passes whoever may see whether the log is whole: who reads it, and whoever runs a command on the machine itself,
/// who has the database anyhow.
fn may_check(tx: &mut store::Tx<'_>, principal: &Principal, now: Instant) -> Result<(), Refusal> {
    if principal.must_be_host().is_ok() {
        return Ok(());
    }
    match principal.may(tx, Permission::ReadAudit, now)? {
        Reach::Everything => Ok(()),
        Reach::Organisation(_) | Reach::Colleges(_) | Reach::Own(_) => {
            Err(governance::NotAllowed::OutOfReach { permission: Permission::ReadAudit }.into())
        }
    }
}
