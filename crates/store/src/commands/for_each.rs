//! One command for many tablets, in a few statements.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use diesel::sql_types::Text;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use orders::Queueable;
use serde_json::json;
use types::{CommandId, EnrolmentId, Platform, TabletId, Uai};

use super::{Command, CommandState, Enqueue, Stored};
use crate::column::{read, read_ids};
use crate::connection::AnyConnection;
use crate::enrolments::EnrolmentState;
use crate::many::{Many, many};
use crate::prepared::{Row as _, Value};
use crate::schema::{commands, enrolments, tablets};
use crate::within::of_tablets_within;
use crate::{StoreError, Tx, Within};

/// A tablet that is enrolled, and its enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The enrolment.
    pub enrolment: EnrolmentId,
    /// Its tablet.
    pub tablet: TabletId,
}

/// The tablets of one step through a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Those that are still enrolled now that they are held.
    pub targets: Vec<Target>,
    /// The last one that was looked at, whether it is still enrolled or not: the next step begins after it. `None` at the end.
    pub last: Option<EnrolmentId>,
}

/// The managed iPads within reach, of one collège if one is named, after `after`, in the order of their enrolments' ids:
/// so that they are found by the primary key from there on, the tablets are asked about only where they decide.
macro_rules! managed {
    ($within:expr, $college:expr, $after:expr) => {{
        let after = $after.map(|id: EnrolmentId| id.to_string()).unwrap_or_default();
        let mut query = enrolments::table
            .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
            .filter(enrolments::platform.eq(Platform::Ipad.as_str()))
            .filter(enrolments::tablet_id.is_not_null())
            .filter(enrolments::id.gt(after))
            .order(enrolments::id.asc())
            .select(enrolments::id)
            .into_boxed();
        if let Some(college) = $college {
            let of_college =
                tablets::table.filter(tablets::uai.eq(college.to_string())).select(tablets::id.nullable());
            query = query.filter(enrolments::tablet_id.eq_any(of_college));
        }
        of_tablets_within!(query, $within, enrolments::tablet_id)
    }};
}

/// Where a walk through the managed iPads within reach may be cut: the `length`th one after `after`, of one collège if one
/// is named, in the order of their enrolments' ids. `None` if fewer are left.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn cut(
    tx: &mut Tx<'_>,
    within: &Within,
    college: Option<&Uai>,
    after: Option<EnrolmentId>,
    length: u32,
) -> Result<Option<EnrolmentId>, StoreError> {
    let found: Option<String> = tx.run(|connection| {
        managed!(within, college, after)
            .offset(i64::from(length.saturating_sub(1)))
            .limit(1)
            .first(connection)
            .optional()
    })?;
    found.map(|id| read(id.clone(), "enrolments", "id", &id)).transpose()
}

/// At most `limit` managed iPads within reach, of one collège if one is named, in the order of their enrolments' ids from
/// the first one after `after`, and up to `until`; held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_targets(
    tx: &mut Tx<'_>,
    within: &Within,
    college: Option<&Uai>,
    (after, until): (Option<EnrolmentId>, Option<EnrolmentId>),
    limit: u32,
) -> Result<Step, StoreError> {
    tx.holds();
    let found: Vec<String> = tx.run(|connection| {
        let mut query = managed!(within, college, after);
        if let Some(until) = until {
            query = query.filter(enrolments::id.le(until.to_string()));
        }
        query.limit(i64::from(limit)).load(connection)
    })?;
    let last = found.last().map(|id| read(id.clone(), "enrolments", "id", id)).transpose()?;
    let rows = enrolments::table
        .filter(enrolments::id.eq_any(found).and(enrolments::state.eq(EnrolmentState::Active.as_str())))
        .order(enrolments::id.asc())
        .select((enrolments::id, enrolments::tablet_id));
    let held: Vec<(String, Option<String>)> = tx.run(|connection| match connection {
        AnyConnection::Postgresql(connection) => rows.for_no_key_update().load(connection),
        AnyConnection::Sqlite(connection) => rows.load(connection),
    })?;
    let mut targets = Vec::with_capacity(held.len());
    for (id, tablet) in held {
        if let Some(tablet) = tablet {
            targets.push(Target {
                tablet: read(tablet, "enrolments", "tablet_id", &id)?,
                enrolment: read(id.clone(), "enrolments", "id", &id)?,
            });
        }
    }
    Ok(Step { targets, last })
}

/// The kind of a command of this idempotency key that is not of this kind, among tablets within reach.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn other_kind_of_key(
    tx: &mut Tx<'_>,
    within: &Within,
    key: &str,
    kind: &str,
) -> Result<Option<String>, StoreError> {
    tx.run(|connection| {
        let query = commands::table
            .filter(commands::idempotency_key.eq(key).and(commands::request_type.ne(kind)))
            .select(commands::request_type)
            .into_boxed();
        of_tablets_within!(query, within, commands::tablet_id.nullable()).first(connection).optional()
    })
}

/// Queues the same command for each of these tablets, as [`enqueue`](super::enqueue) does for one; `how` is how, but for
/// the enrolment, the tablet and the command's id. Those for which it was queued now: one that has a command of the same
/// idempotency key gets no other.
///
/// # Errors
/// [`StoreError::Refused`] for what is not ordinary.
pub fn enqueue_for_each(
    tx: &mut Tx<'_>,
    queueable: &Queueable,
    how: &Enqueue,
    targets: &[Target],
) -> Result<Vec<EnrolmentId>, StoreError> {
    let mut fresh: Vec<Target> = targets.to_vec();
    if let Some(key) = &how.idempotency_key {
        let notes = targets.iter().map(|target| json!({ "tablet": target.tablet, "key": key }));
        let have = HAVE.load::<(Text, Text), (String, String)>(tx, notes)?;
        let have: HashSet<String> = have.into_iter().map(|(tablet, _key)| tablet).collect();
        fresh.retain(|target| !have.contains(&target.tablet.to_string()));
    }
    if let Some(key) = &how.replaces_key {
        let notes = fresh
            .iter()
            .map(|target| json!({ "owner": target.enrolment, "purpose": key, "at": how.at.as_millis() }));
        REPLACE.run(tx, notes.collect::<Vec<_>>())?;
    }
    let payload = queueable.stored_payload();
    let values = || {
        let row = Stored::of(&Command::of(queueable, how.clone()));
        let columns = Stored::COLUMNS.iter().zip(row.values());
        let mut shared: Vec<Value<'static>> =
            columns.filter(|(column, _)| !OWN.contains(column)).map(|(_, value)| value).collect();
        shared.push(payload.clone().into());
        shared
    };
    let notes = fresh.iter().map(|target| {
        json!({ "command": CommandId::new(how.at), "owner": target.enrolment, "tablet": target.tablet })
    });
    let queued: Vec<String> = insert().load_with::<Text, String>(tx, values, notes)?;
    read_ids(queued, "commands", "enrolment_id")
}

pub(super) const HAVE: Many = many!(
    "SELECT tablet_id, idempotency_key FROM commands,";
    tablet text, key text;
    "WHERE tablet_id = note.tablet AND idempotency_key = note.key"
);

/// As for one: what was already given stays, so that its answer finds it, but is not offered again.
///
/// `OFFSET 0` and `LIMIT -1` keep what is found apart, so that the way goes from each note to its commands: flattened, SQLite
/// went through all commands instead.
pub(super) const REPLACE: Many = many!(
    "UPDATE commands SET state = CASE WHEN state = 'sent' THEN state ELSE 'cancelled' END, \
        expires_at = CASE WHEN state = 'sent' THEN found.at ELSE expires_at END FROM (SELECT c.id, note.at FROM";
    owner text, purpose text, at bigint;
    postgresql "CROSS JOIN LATERAL (SELECT c.id FROM commands c WHERE c.enrolment_id = note.owner AND c.pending \
        AND c.replaces_key = note.purpose OFFSET 0) AS c) AS found \
        WHERE commands.id = found.id AND state IN ('queued', 'sent', 'not-now')",
    sqlite "CROSS JOIN commands c WHERE c.enrolment_id = note.owner AND c.pending \
        AND c.replaces_key = note.purpose LIMIT -1) AS found \
        WHERE commands.id = found.id AND state IN ('queued', 'sent', 'not-now')"
);

/// What differs from tablet to tablet.
const OWN: [&str; 3] = ["id", "enrolment_id", "tablet_id"];

/// The statement that inserts a command for each note. What they share comes before them.
fn insert() -> Many {
    static TEXT: OnceLock<(String, String)> = OnceLock::new();
    let (postgresql, sqlite) = TEXT.get_or_init(|| {
        let shared: Vec<&str> = Stored::COLUMNS
            .iter()
            .copied()
            .filter(|column| !OWN.contains(column))
            .chain(["payload"])
            .collect();
        let places = vec!["?"; shared.len()].join(", ");
        let columns = [&OWN[..], &shared].concat().join(", ");
        let head = format!(
            "INSERT INTO commands ({columns}) SELECT note.command, note.owner, note.tablet, {places} FROM "
        );
        let tail = " WHERE true ON CONFLICT DO NOTHING RETURNING enrolment_id";
        (
            format!("{head}json_to_recordset(?::json) AS note (command text, owner text, tablet text){tail}"),
            format!(
                "{head}(SELECT value ->> 'command' AS command, value ->> 'owner' AS owner, \
                 value ->> 'tablet' AS tablet FROM json_each(?)) AS note{tail}"
            ),
        )
    });
    Many { postgresql, sqlite }
}

/// How many commands of an idempotency key stand where, of tablets within reach.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn count_by_state(
    tx: &mut Tx<'_>,
    within: &Within,
    key: &str,
) -> Result<BTreeMap<CommandState, u64>, StoreError> {
    let counted: Vec<(String, i64)> = tx.run(|connection| {
        let query = commands::table
            .filter(commands::idempotency_key.eq(key))
            .group_by(commands::state)
            .select((commands::state, diesel::dsl::count_star()))
            .into_boxed();
        of_tablets_within!(query, within, commands::tablet_id.nullable()).load(connection)
    })?;
    counted
        .into_iter()
        .map(|(state, count)| {
            Ok((read(state, "commands", "state", &key)?, u64::try_from(count).unwrap_or(0)))
        })
        .collect()
}
