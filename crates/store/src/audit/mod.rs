//! The audit log: who did what, on which tablet, why, under which order. Appended, never edited; never a
//! secret, never a position.
//!
//! An entry's body (its reason and detail) is known by a salted digest, which is made when it is appended. Batches
//! of entries are sealed afterwards, each seal over the one before it ([`seal_batch`]). A body can be emptied
//! ([`purge::audit`](crate::purge::audit)) and the chain still holds: without its salt, its digest tells nothing.

pub(crate) mod seals;

use std::fmt;
use std::str::FromStr;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, TextExpressionMethods as _};
use types::{Actor, EnrolmentId, Instant, TabletId};

pub use governance::chain::{Row, Seal};
pub use seals::{Link, count_seals, last_seal, links, seal_batch, seals, unsealed, without_a_seal};

use crate::column::{Column as _, read};
use crate::many::{Columns, Insertion};
use crate::schema::audit;
use crate::within::of_tablets_within;
use crate::{Digest, StoreError, Tx, Within};

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
    let (statement, notes) = INSERT.of(vec![columns(id, entry)]);
    statement.run(tx, notes)?;
    Ok(id)
}

/// Appends entries in their order, in one statement, or none for none.
///
/// # Errors
/// As [`append`].
pub fn append_all<'e>(
    tx: &mut Tx<'_>,
    entries: impl IntoIterator<Item = &'e NewEntry>,
) -> Result<(), StoreError> {
    let rows: Vec<Columns> =
        entries.into_iter().map(|entry| columns(AuditId(uuid::Uuid::new_v4()), entry)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let (statement, notes) = INSERT.of(rows);
    statement.run(tx, notes)
}

static INSERT: Insertion = Insertion::into("audit", "");

fn columns(id: AuditId, entry: &NewEntry) -> Columns {
    let detail = entry.detail.stored();
    let body = SaltedBody::of(entry.reason.as_deref(), detail.as_deref());
    vec![
        ("id", id.to_string().into()),
        ("at", entry.at.as_millis().into()),
        ("actor", entry.actor.to_string().into()),
        ("action", entry.action.clone().into()),
        ("tablet_id", entry.tablet.stored().into()),
        ("enrolment_id", entry.enrolment.stored().into()),
        ("order_ref", entry.order.clone().into()),
        ("reason", entry.reason.clone().into()),
        ("detail", detail.into()),
        ("salt", body.salt.to_vec().into()),
        ("body_digest", body.digest.stored().into()),
    ]
}

/// The salt of a body and its digest under it.
struct SaltedBody {
    salt: [u8; 16],
    digest: Digest,
}

impl SaltedBody {
    fn of(reason: Option<&str>, detail: Option<&str>) -> Self {
        let salt: [u8; 16] = rand::random();
        Self { digest: governance::chain::body_digest(&salt, reason, detail), salt }
    }
}

/// Which entries are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// How far whoever asks reaches: within an organisation or collèges, the entries on their tablets.
    pub within: Within,
    /// On this tablet only.
    pub tablet: Option<TabletId>,
    /// By this actor only.
    pub actor: Option<Actor>,
    /// Of this kind only.
    pub action: Option<ActionName>,
    /// Not before this.
    pub since: Option<Instant>,
    /// Before this.
    pub until: Option<Instant>,
    /// Which way.
    pub order: Order,
}

/// Which way the log is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// As it was written.
    #[default]
    OldestFirst,
    /// The latest entry first.
    NewestFirst,
}

/// What was done, as entries name it: `link.create`; or `link`, for all that is done with links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionName(String);

/// What is no name of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an action is named in small letters, such as `link.create`; `link` names all that is done with links"
)]
pub struct NotAnAction;

impl FromStr for ActionName {
    type Err = NotAnAction;

    fn from_str(text: &str) -> Result<Self, NotAnAction> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-')
        };
        let words = text.split('.').count();
        if text.len() > 64 || words > 2 || !text.split('.').all(word) {
            return Err(NotAnAction);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Default for Filter {
    /// Everything.
    fn default() -> Self {
        Self {
            within: Within::Everything,
            tablet: None,
            actor: None,
            action: None,
            since: None,
            until: None,
            order: Order::OldestFirst,
        }
    }
}

type Listed = (
    (i64, String, i64, String, String),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>),
);

/// At most `limit` entries in order, from the one that follows `after`; from the first, without. One whose transaction ended late may
/// appear before others that were listed already: what must be complete reads the sealed ones ([`links`]).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    filter: &Filter,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<Listed> = tx.run(|connection| {
        let mut query = audit::table
            .limit(i64::from(limit))
            .select((
                (audit::seq, audit::id, audit::at, audit::actor, audit::action),
                (audit::tablet_id, audit::enrolment_id, audit::order_ref, audit::reason, audit::detail),
            ))
            .into_boxed();
        if let Some(tablet) = filter.tablet {
            query = query.filter(audit::tablet_id.eq(tablet.to_string()));
        }
        if let Some(actor) = filter.actor {
            query = query.filter(audit::actor.eq(actor.to_string()));
        }
        if let Some(ActionName(action)) = &filter.action {
            // A name holds nothing that a pattern could mean.
            query = if action.contains('.') {
                query.filter(audit::action.eq(action))
            } else {
                query.filter(audit::action.like(format!("{action}.%")))
            };
        }
        if let Some(since) = filter.since {
            query = query.filter(audit::at.ge(since.as_millis()));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit::at.lt(until.as_millis()));
        }
        query = match (filter.order, after) {
            (Order::OldestFirst, None) => query.order(audit::seq.asc()),
            (Order::OldestFirst, Some(after)) => query.filter(audit::seq.gt(after)).order(audit::seq.asc()),
            (Order::NewestFirst, None) => query.order(audit::seq.desc()),
            (Order::NewestFirst, Some(after)) => query.filter(audit::seq.lt(after)).order(audit::seq.desc()),
        };
        of_tablets_within!(query, &filter.within, audit::tablet_id).load(connection)
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
        not_personal("the entry's place in the log, and what shows that nobody changed it") {
            seq, id, salt, body_digest, seal_number,
        }
    }
}
