//! The audit log's entries: one for each change that a person causes, in the transaction that makes it.

use serde_json::Value as Json;
use store::Tx;
use store::audit::NewEntry;
use types::{Actor, EnrolmentId, Instant, TabletId};

use crate::{Principal, Refusal};

/// What changed. Never holds a secret or a position.
#[derive(Debug)]
pub(crate) struct Change {
    action: &'static str,
    tablet: Option<TabletId>,
    enrolment: Option<EnrolmentId>,
    reason: Option<String>,
    detail: Option<Json>,
}

impl Change {
    /// A change named `noun.verb`.
    pub(crate) const fn new(action: &'static str) -> Self {
        Self { action, tablet: None, enrolment: None, reason: None, detail: None }
    }

    /// On this tablet.
    pub(crate) fn tablet(mut self, tablet: Option<TabletId>) -> Self {
        self.tablet = tablet;
        self
    }

    /// In this enrolment.
    pub(crate) fn enrolment(mut self, enrolment: Option<EnrolmentId>) -> Self {
        self.enrolment = enrolment;
        self
    }

    /// For this reason, in the words of whoever acted.
    pub(crate) fn reason(mut self, reason: Option<String>) -> Self {
        self.reason = reason;
        self
    }

    /// With these particulars.
    pub(crate) fn detail(mut self, detail: Json) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The entry of whoever caused it.
    pub(crate) fn entry(self, actor: Actor, now: Instant) -> NewEntry {
        NewEntry {
            tablet: self.tablet,
            enrolment: self.enrolment,
            reason: self.reason,
            detail: self.detail,
            ..NewEntry::new(now, actor, self.action)
        }
    }
}

/// Appends one entry.
pub(crate) fn record(
    tx: &mut Tx<'_>,
    principal: &Principal,
    change: Change,
    now: Instant,
) -> Result<(), Refusal> {
    record_by(tx, principal.actor(), change, now)
}

/// Appends entries in their order: one statement, or none for none.
pub(crate) fn record_all(
    tx: &mut Tx<'_>,
    principal: &Principal,
    changes: Vec<Change>,
    now: Instant,
) -> Result<(), Refusal> {
    let actor = principal.actor();
    let entries: Vec<NewEntry> = changes.into_iter().map(|change| change.entry(actor, now)).collect();
    store::audit::append_all(tx, &entries)?;
    Ok(())
}

/// Appends one entry of somebody who has not come in yet.
pub(crate) fn record_by(tx: &mut Tx<'_>, actor: Actor, change: Change, now: Instant) -> Result<(), Refusal> {
    store::audit::append(tx, &change.entry(actor, now))?;
    Ok(())
}
