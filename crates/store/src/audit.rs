//! The audit log: who did what, on which tablet, why, under which order. Appended, never edited; never a
//! secret, never a position.

use std::fmt;
use std::str::FromStr;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use types::{Actor, EnrolmentId, Instant, TabletId};

use crate::column::{Column as _, read};
use crate::schema::audit;
use crate::{StoreError, Tx};

/// The id of an entry of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AuditId(uuid::Uuid);

impl fmt::Display for AuditId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for AuditId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A change, as the audit log tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: Actor,
    /// What, such as `link.create`.
    pub action: String,
    /// On which tablet.
    pub tablet: Option<TabletId>,
    /// On which enrolment.
    pub enrolment: Option<EnrolmentId>,
    /// Under which warrant, order or decision.
    pub order: Option<String>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// What else is to be known.
    pub detail: Option<serde_json::Value>,
}

impl NewEntry {
    /// An entry that says who did what when; the rest is filled in as needed.
    #[must_use]
    pub fn new(at: Instant, actor: Actor, action: impl Into<String>) -> Self {
        Self {
            at,
            actor,
            action: action.into(),
            tablet: None,
            enrolment: None,
            order: None,
            reason: None,
            detail: None,
        }
    }
}

/// A stored entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the log. Gaps are transactions that were rolled back.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Instant,
    /// Who, as text.
    pub actor: String,
    /// What.
    pub action: String,
    /// On which tablet.
    pub tablet: Option<TabletId>,
    /// On which enrolment.
    pub enrolment: Option<EnrolmentId>,
    /// Under which warrant, order or decision.
    pub order: Option<String>,
    /// Why; `None` if none was given or it was emptied.
    pub reason: Option<String>,
    /// What else; `None` if there was nothing or it was emptied.
    pub detail: Option<serde_json::Value>,
}

/// Appends an entry, in the transaction of the change it tells.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn append(tx: &mut Tx<'_>, entry: &NewEntry) -> Result<AuditId, StoreError> {
    let id = AuditId(uuid::Uuid::new_v4());
    tx.run(|connection| {
        diesel::insert_into(audit::table)
            .values((
                audit::id.eq(id.to_string()),
                audit::at.eq(entry.at.as_millis()),
                audit::actor.eq(entry.actor.to_string()),
                audit::action.eq(&entry.action),
                audit::tablet_id.eq(entry.tablet.stored()),
                audit::enrolment_id.eq(entry.enrolment.stored()),
                audit::order_ref.eq(&entry.order),
                audit::reason.eq(&entry.reason),
                audit::detail.eq(entry.detail.stored()),
            ))
            .execute(connection)
    })?;
    Ok(id)
}

type Row = (
    (i64, String, i64, String, String),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
);

/// At most `limit` entries in order, from the first one after `after`; of one tablet only, if one is given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    tablet: Option<TabletId>,
    after: i64,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<Row> = tx.run(|connection| {
        let mut query = audit::table
            .filter(audit::seq.gt(after))
            .order(audit::seq.asc())
            .limit(i64::from(limit))
            .select((
                (audit::seq, audit::id, audit::at, audit::actor, audit::action),
                (audit::tablet_id, audit::enrolment_id, audit::order_ref, audit::reason, audit::detail),
            ))
            .into_boxed();
        if let Some(tablet) = tablet {
            query = query.filter(audit::tablet_id.eq(tablet.to_string()));
        }
        query.load(connection)
    })?;
    rows.into_iter()
        .map(|((seq, id, at, actor, action), (tablet, enrolment, order, reason, detail))| {
            Ok(Entry {
                seq,
                id: read(id, "audit", "id", &seq)?,
                at: Instant::from_millis(at),
                actor,
                action,
                tablet: read(tablet, "audit", "tablet_id", &seq)?,
                enrolment: read(enrolment, "audit", "enrolment_id", &seq)?,
                order,
                reason,
                detail: read(detail, "audit", "detail", &seq)?,
            })
        })
        .collect()
}

crate::declared::declares! {
    audit kept as Audit {
        personal(AccountsAndAudit: Acts) { at, actor, action, tablet_id, enrolment_id, order_ref }
        personal(AccountsAndAudit: Reasons) { reason, detail }
        not_personal("the entry's place in the log") { seq, id }
    }
}
