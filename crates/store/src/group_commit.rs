//! Group commit: at 8:00 all tablets answer at once, and a commit costs a disk flush. Answers that wait
//! together share one, and each tablet is answered after it.
//!
//! A batch is sorted by enrolment, so that two batches lock rows in one order. A batch that fails is run again
//! row by row: only the culprit gets an error. On PostgreSQL some threads share the work by enrolment, so that
//! one tablet's answers keep their order; on SQLite there is one writer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::database::Database;
use crate::report::{ConnectWrite, ConnectWritten, apply};
use crate::transaction::Mode;
use crate::{Engine, StoreError};

/// How many answers share a commit at most. More would make the last of them wait for the first.
const BATCH: usize = 64;

/// How long a tablet waits for its commit. It is then told to come back: what is written after all is found
/// written when it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many threads share the work. On PostgreSQL each waits for the server most of the time.
pub(crate) const fn lanes(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgresql => 4,
    }
}

pub(crate) struct Waiting {
    pub(crate) write: ConnectWrite,
    pub(crate) answer: oneshot::Sender<Result<ConnectWritten, StoreError>>,
}

/// The threads that write for tablets.
pub(crate) struct GroupCommit {
    queues: Vec<mpsc::Sender<Waiting>>,
    threads: Vec<JoinHandle<()>>,
    taken_in: AtomicU64,
}

impl GroupCommit {
    pub(crate) fn start(database: &Arc<Database>, queue_length: usize) -> Result<Self, StoreError> {
        let count = lanes(database.engine());
        let mut started = Self { queues: Vec::new(), threads: Vec::new(), taken_in: AtomicU64::new(0) };
        for number in 0..count {
            let (queue, waiting) = mpsc::channel((queue_length / count).max(1));
            let database = Arc::clone(database);
            let thread = std::thread::Builder::new()
                .name(format!("group-commit-{number}"))
                .spawn(move || serve(waiting, |batch| commit(&database, batch)))
                .map_err(|error| StoreError::Unavailable(format!("no thread could be started: {error}")))?;
            started.queues.push(queue);
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// How many writes were ever taken in, written or still waiting.
    pub(crate) fn taken_in(&self) -> u64 {
        self.taken_in.load(Ordering::Relaxed)
    }

    pub(crate) async fn submit(&self, write: ConnectWrite) -> Result<ConnectWritten, StoreError> {
        let (answer, answered) = oneshot::channel();
        let lane = write.enrolment.as_uuid().as_bytes().last().map_or(0, |byte| usize::from(*byte));
        let queue = self.queues.get(lane % self.queues.len().max(1)).ok_or(StoreError::Stopped)?;
        queue.try_send(Waiting { write, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        self.taken_in.fetch_add(1, Ordering::Relaxed);
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(written) => written.map_err(|_thread_died| StoreError::Stopped)?,
            Err(_elapsed) => Err(StoreError::Busy),
        }
    }
}

impl Drop for GroupCommit {
    /// Closes the queues and waits until what they hold is written.
    fn drop(&mut self) {
        self.queues.clear();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the group commit had died");
            }
        }
    }
}

/// Gathers what waits into batches and commits them, until the queue is closed. A panic costs its own batch: those
/// tablets are told that we failed, and come back.
fn serve(mut waiting: mpsc::Receiver<Waiting>, mut commit: impl FnMut(Vec<Waiting>)) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match waiting.try_recv() {
                Ok(next) => batch.push(next),
                Err(_none_left) => break,
            }
        }
        // A stable sort: two answers of one tablet keep their order.
        batch.sort_by_key(|waiting| waiting.write.enrolment);
        // Unwind safety: a transaction that panics is rolled back, and the locks recover from poison.
        if std::panic::catch_unwind(AssertUnwindSafe(|| commit(batch))).is_err() {
            tracing::error!("a batch of answers panicked: a defect; its tablets are told to come back");
        }
    }
}

/// Writes a batch in one commit, or each alone if the batch fails, and then answers each.
pub(crate) fn commit(database: &Database, batch: Vec<Waiting>) {
    let together = database.transact(Mode::Group, |tx| {
        batch.iter().map(|waiting| apply(tx, &waiting.write)).collect::<Result<Vec<_>, StoreError>>()
    });
    match together {
        Ok(written) => {
            for (waiting, written) in batch.into_iter().zip(written) {
                answer(waiting, Ok(written));
            }
        }
        Err(error) if batch.len() > 1 && !error.is_passing() => {
            tracing::warn!(%error, answers = batch.len(), "a batch of answers failed; each is now written alone");
            for waiting in batch {
                let alone = database.transact(Mode::Group, |tx| apply(tx, &waiting.write));
                answer(waiting, alone);
            }
        }
        // Alone, or all in the same trouble: no row is the culprit.
        Err(error) => {
            let reason = error.to_string();
            let mut error = Some(error);
            for waiting in batch {
                let error = error.take().unwrap_or_else(|| StoreError::Unavailable(reason.clone()));
                answer(waiting, Err(error));
            }
        }
    }
}

fn answer(waiting: Waiting, written: Result<ConnectWritten, StoreError>) {
    // A tablet that has hung up meanwhile asks again.
    if waiting.answer.send(written).is_err() {
        tracing::debug!(enrolment = %waiting.write.enrolment, "the tablet did not wait for its answer");
    }
}

#[cfg(test)]
mod unit {
    use types::{EnrolmentId, Instant};

    use super::*;

    #[test]
    fn t_c4_a_batch_that_panics_costs_no_other_batch() {
        let now = Instant::from_millis(1);
        let wait = || {
            let (answer, answered) = oneshot::channel();
            (Waiting { write: ConnectWrite::new(EnrolmentId::new(now), now), answer }, answered)
        };
        let (queue, waiting) = mpsc::channel(1);
        let serving = std::thread::spawn(move || {
            let mut batches = 0;
            serve(waiting, |batch| {
                batches += 1;
                assert!(batches > 1, "a defect");
                let written = ConnectWritten { report: None, delivered: None };
                batch.into_iter().for_each(|waiting| answer(waiting, Ok(written.clone())));
            });
        });
        let ((culprit, its_answer), (next, next_answer)) = (wait(), wait());
        queue.blocking_send(culprit).unwrap();
        assert!(its_answer.blocking_recv().is_err());
        queue.blocking_send(next).unwrap();
        assert!(next_answer.blocking_recv().unwrap().is_ok());
        drop(queue);
        serving.join().unwrap();
    }
}
