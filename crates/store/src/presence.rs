//! When each tablet last spoke. Every tablet speaks often, so that this is written in batches, apart from what
//! must not be lost: the newest tenth of a second may be gone after a crash.

use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::{OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use types::{EnrolmentId, Instant};

use crate::database::Database;
use crate::many::{Many, many};
use crate::schema::presence;
use crate::transaction::Mode;
use crate::{StoreError, Tx};

/// How long a note waits for others.
const PERIOD: Duration = Duration::from_millis(100);

/// When the tablet of an enrolment last spoke, to a tenth of a second.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn last_seen(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<Instant>, StoreError> {
    let millis: Option<i64> = tx.run(|connection| {
        presence::table
            .find(enrolment.to_string())
            .select(presence::last_seen_at)
            .first(connection)
            .optional()
    })?;
    Ok(millis.map(Instant::from_millis))
}

/// What was noted and is not yet written.
#[derive(Default)]
struct Notes {
    latest: Mutex<HashMap<EnrolmentId, Instant>>,
    /// Held while a batch is written, so that a flush also waits for the batch before it.
    writing: Mutex<()>,
}

/// Collects notes and writes them every 100 ms.
pub(crate) struct LastSeen {
    notes: Arc<Notes>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LastSeen {
    pub(crate) fn start(database: &Arc<Database>) -> Result<Self, StoreError> {
        let notes = Arc::new(Notes::default());
        let (stop, stopped) = channel::<()>();
        let (database, shared) = (Arc::clone(database), Arc::clone(&notes));
        let thread = std::thread::Builder::new()
            .name("last-seen".to_owned())
            .spawn(move || {
                loop {
                    let last = stopped.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout);
                    if let Err(error) = write(&database, &shared) {
                        tracing::warn!(%error, "last-seen times were not written; they are noted again when the tablets come back");
                    }
                    if last {
                        return;
                    }
                }
            })
            .map_err(|error| StoreError::Unavailable(format!("no thread could be started: {error}")))?;
        Ok(Self { notes, stop: Some(stop), thread: Some(thread) })
    }

    pub(crate) fn note(&self, enrolment: EnrolmentId, at: Instant) {
        let mut notes = self.notes.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = notes.entry(enrolment).or_insert(at);
        *latest = at.max(*latest);
    }

    pub(crate) fn flush(&self, database: &Database) -> Result<(), StoreError> {
        write(database, &self.notes)
    }
}

impl Drop for LastSeen {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of last-seen times had died");
        }
    }
}

fn write(database: &Database, notes: &Notes) -> Result<(), StoreError> {
    let _one_at_a_time = notes.writing.lock().unwrap_or_else(PoisonError::into_inner);
    let taken = std::mem::take(&mut *notes.latest.lock().unwrap_or_else(PoisonError::into_inner));
    if taken.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<(String, i64)> =
        taken.into_iter().map(|(enrolment, at)| (enrolment.to_string(), at.as_millis())).collect();
    rows.sort();
    database.transact(Mode::Group, |tx| {
        SEEN.run(tx, rows.iter().map(|(id, at)| serde_json::json!({ "id": id, "at": at })))
    })
}

/// One statement for the whole batch, whatever its size; a clock set back does not make a tablet unseen.
const SEEN: Many = many!(
    "UPDATE presence SET last_seen_at = note.at FROM";
    id text, at bigint;
    "WHERE presence.enrolment_id = note.id AND presence.last_seen_at < note.at"
);

crate::declared::declares! {
    presence kept as Equipment {
        personal(DeviceManagement: ContactTimes) { last_seen_at }
        not_personal("a number of ours") { enrolment_id }
    }
}
