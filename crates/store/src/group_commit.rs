//! Group commit: at 8:00 all tablets answer at once, and a commit costs a disk flush. Answers that wait
//! together share one, and each tablet is answered after it.
//!
//! A batch is sorted by enrolment, so that two batches lock rows in one order. A batch that fails, or panics, is run
//! again row by row: only the culprit gets an error. On PostgreSQL some threads share the work by enrolment, so that
//! one tablet's answers keep their order; on SQLite there is one writer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::database::Database;
use crate::report::{ConnectWrite, ConnectWritten, apply};
use crate::transaction::Mode;
use crate::vitals::{self, About, Meters};
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
        Engine::Postgresql => 2,
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
    database: Arc<Database>,
}

impl GroupCommit {
    pub(crate) fn start(database: &Arc<Database>, queue_length: usize) -> Result<Self, StoreError> {
        let count = lanes(database.engine());
        let mut started = Self { queues: Vec::new(), threads: Vec::new(), database: Arc::clone(database) };
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
        self.database.meters().taken_in.get()
    }

    pub(crate) async fn submit(&self, write: ConnectWrite) -> Result<ConnectWritten, StoreError> {
        let (answer, answered) = oneshot::channel();
        let lane = write.enrolment.as_uuid().as_bytes().last().map_or(0, |byte| usize::from(*byte));
        let queue = self.queues.get(lane % self.queues.len().max(1)).ok_or(StoreError::Stopped)?;
        let (began, meters) = (Instant::now(), self.database.meters());
        queue.try_send(Waiting { write, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                meters.busy.one();
                StoreError::Busy
            }
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        meters.taken_in.one();
        match tokio::time::timeout(PATIENCE, answered).await {
            Ok(written) => {
                meters.commits.took(began.elapsed());
                written.map_err(|_thread_died| StoreError::Stopped)?
            }
            Err(_elapsed) => {
                meters.busy.one();
                Err(StoreError::Busy)
            }
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

/// Gathers what waits into batches and commits them, until the queue is closed.
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
        commit(batch);
    }
}

/// Runs a transaction. One that panics is a defect of ours, is rolled back like any that fails, and its tablets are
/// told to come back.
fn isolated<T>(meters: &Meters, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Unwind safety: a transaction that panics is rolled back, and the locks recover from poison.
    std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_told_by_the_hook| {
        meters.panics.one();
        Err(StoreError::Panicked)
    })
}

/// Writes a batch in one commit, or each alone if the batch fails, and then answers each.
pub(crate) fn commit(database: &Database, batch: Vec<Waiting>) {
    let meters = database.meters();
    let answers = batch.len();
    commit_by(batch, meters, |writes| {
        database.transact(Mode::Group, |tx| {
            if let [first, others @ ..] = writes {
                vitals::about(About::Batch(first.write.enrolment, others.len()));
            }
            let writes: Vec<&ConnectWrite> = writes.iter().map(|waiting| &waiting.write).collect();
            apply(tx, &writes)
        })
    });
    meters.answered.add(u64::try_from(answers).unwrap_or(0));
}

/// As [`commit`]; `transact` writes some of them in one transaction.
fn commit_by(
    batch: Vec<Waiting>,
    meters: &Meters,
    mut transact: impl FnMut(&[Waiting]) -> Result<Vec<ConnectWritten>, StoreError>,
) {
    meters.batches.one();
    match isolated(meters, || transact(&batch)) {
        Ok(written) => {
            for (waiting, written) in batch.into_iter().zip(written) {
                answer(waiting, Ok(written));
            }
        }
        Err(error) if batch.len() > 1 && !error.is_passing() => {
            tracing::warn!(%error, answers = batch.len(), "a batch of answers failed; each is now written alone");
            meters.batches_retried.one();
            for waiting in batch {
                let alone = isolated(meters, || transact(std::slice::from_ref(&waiting)));
                let alone = alone.and_then(|written| written.into_iter().next().ok_or(StoreError::Stopped));
                if let Err(error) = &alone {
                    tracing::error!(%error, enrolment = %waiting.write.enrolment, "the answer of a tablet is not written");
                }
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

    fn waiting(
        enrolment: EnrolmentId,
        at: Instant,
    ) -> (Waiting, oneshot::Receiver<Result<ConnectWritten, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        (Waiting { write: ConnectWrite::new(enrolment, at), answer }, answered)
    }

    #[test]
    fn t_c4_one_that_panics_in_a_batch_of_64_costs_the_other_63_nothing() {
        let now = Instant::from_millis(1);
        let (batch, answers): (Vec<_>, Vec<_>) = (0..64).map(|_| waiting(EnrolmentId::new(now), now)).unzip();
        let (culprit, meters) = (batch[40].write.enrolment, Meters::default());
        commit_by(batch, &meters, |writes| {
            assert!(writes.iter().all(|one| one.write.enrolment != culprit), "a defect");
            Ok(writes.iter().map(|_| ConnectWritten { report: None, delivered: None }).collect())
        });
        for (place, answered) in answers.into_iter().enumerate() {
            let answered = answered.blocking_recv().unwrap();
            assert_eq!(matches!(answered, Err(StoreError::Panicked)), place == 40, "{place}: {answered:?}");
            assert_eq!(answered.is_ok(), place != 40);
        }
        assert_eq!((meters.batches.get(), meters.batches_retried.get(), meters.panics.get()), (1, 1, 2));
    }

    #[test]
    fn t_c4_the_thread_goes_on_after_a_panic() {
        let now = Instant::from_millis(1);
        let (queue, taken) = mpsc::channel(1);
        let serving = std::thread::spawn(move || {
            let (mut batches, meters) = (0, Meters::default());
            serve(taken, |batch| {
                batches += 1;
                commit_by(batch, &meters, |writes| {
                    assert!(batches > 1, "a defect");
                    Ok(writes.iter().map(|_| ConnectWritten { report: None, delivered: None }).collect())
                });
            });
        });
        let ((culprit, its_answer), (next, next_answer)) =
            (waiting(EnrolmentId::new(now), now), waiting(EnrolmentId::new(now), now));
        queue.blocking_send(culprit).unwrap();
        assert!(matches!(its_answer.blocking_recv().unwrap(), Err(StoreError::Panicked)));
        queue.blocking_send(next).unwrap();
        assert!(next_answer.blocking_recv().unwrap().is_ok());
        drop(queue);
        serving.join().unwrap();
    }
}
