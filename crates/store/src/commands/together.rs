//! Different commands for many tablets, in a few statements.

use std::collections::HashSet;

use diesel::sql_types::Text;
use orders::Queueable;
use serde_json::json;
use types::{CommandId, Instant};

use super::for_each::{HAVE, REPLACE};
use super::{Command, Enqueue, Stored};
use crate::many::{Columns, Insertion, Many, many};
use crate::prepared::Row as _;
use crate::{StoreError, Tx};

/// Queues commands as [`enqueue`](super::enqueue) does each, in three statements; the enrolments are held. `None` for one
/// whose tablet has a command of the same idempotency key. Of two for one enrolment with the same `replaces_key` both
/// stand.
///
/// # Errors
/// As [`enqueue`](super::enqueue); then none is queued.
pub fn enqueue_all(
    tx: &mut Tx<'_>,
    queued: Vec<(Queueable, Enqueue)>,
) -> Result<Vec<Option<Command>>, StoreError> {
    let keys = queued.iter().filter_map(|(_, how)| {
        how.idempotency_key.as_ref().map(|key| json!({ "tablet": how.tablet, "key": key }))
    });
    let have: HashSet<(String, String)> =
        HAVE.load::<(Text, Text), _>(tx, keys.collect::<Vec<_>>())?.into_iter().collect();
    let commands: Vec<Option<(Command, Option<Vec<u8>>)>> = queued
        .into_iter()
        .map(|(queueable, how)| {
            let key = how.idempotency_key.as_ref();
            let is_known = key.is_some_and(|key| have.contains(&(how.tablet.to_string(), key.clone())));
            (!is_known).then(|| (Command::of(&queueable, how), queueable.stored_payload()))
        })
        .collect();
    let purposes = commands.iter().flatten().filter_map(|(command, _)| {
        command.replaces_key.as_ref().map(|key| {
            json!({ "owner": command.enrolment_id, "purpose": key, "at": command.queued_at.as_millis() })
        })
    });
    REPLACE.run(tx, purposes.collect::<Vec<_>>())?;
    let rows: Vec<Columns> = commands
        .iter()
        .flatten()
        .map(|(command, payload)| {
            let values = Stored::of(command).values();
            let payload = ("payload", payload.clone().into());
            Stored::COLUMNS.iter().copied().zip(values).chain([payload]).collect()
        })
        .collect();
    if rows.is_empty() {
        return Ok(commands.into_iter().map(|_known| None).collect());
    }
    let (insert, notes) = INSERT.of(rows);
    let inserted: HashSet<String> = insert.load::<Text, String>(tx, notes)?.into_iter().collect();
    Ok(commands
        .into_iter()
        .map(|one| {
            one.map(|(command, _)| command).filter(|command| inserted.contains(&command.id.to_string()))
        })
        .collect())
}

static INSERT: Insertion = Insertion::into("commands", "ON CONFLICT DO NOTHING RETURNING id");

/// As [`put_off`](super::put_off), for many, in one statement.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn put_off_all(
    tx: &mut Tx<'_>,
    put_off: impl IntoIterator<Item = (CommandId, Instant)>,
) -> Result<(), StoreError> {
    let notes =
        put_off.into_iter().map(|(command, until)| json!({ "command": command, "until": until.as_millis() }));
    PUT_OFF.run(tx, notes)
}

const PUT_OFF: Many = many!(
    "UPDATE commands SET retry_at = note.until FROM";
    command text, until bigint;
    "WHERE id = note.command AND pending"
);
