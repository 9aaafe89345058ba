//! Group commit: at 8:00 all tablets answer at once, and a commit costs a disk flush. What waits together shares one,
//! and its few statements; each is answered after it.
//!
//! A batch is sorted by whose it is, so that two batches hold rows in one order. A batch that fails, or panics, is run
//! again one by one: only the culprit gets an error. On PostgreSQL some threads share the work by whose it is, so that
//! what one of them asks keeps its order; on SQLite there is one writer.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::database::Database;
use crate::transaction::Mode;
use crate::vitals::Meters;
use crate::{Engine, StoreError, Tx};

/// How many share a commit at most. More would make the last of them wait for the first.
const BATCH: usize = 64;

/// How long one waits for the commit, and is then told to come back: what is written after all is found
/// written then.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many threads share the work of one kind on PostgreSQL. While one waits for the flush, the other gathers: more of
/// them would have smaller batches, and as many more statements.
const LANES: usize = 2;
/// How many kinds there are: [`Connects`](crate::report::Connects), and those of the use cases.
const KINDS: usize = 3;

/// How many connections all kinds keep busy at most.
pub(crate) const fn connections(engine: Engine) -> usize {
    lanes(engine) * KINDS
}

const fn lanes(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgresql => LANES,
    }
}

/// A kind of work that many ask for at the same moment: decided one by one, committed together.
pub trait Together: Send + Sync + 'static {
    /// What one of them asks.
    type Ask: Send + 'static;
    /// What became of it.
    type Answer: Send + 'static;

    /// Whose it is: a batch is in this order, and what one of them asks in the order in which they asked.
    fn whose(ask: &Self::Ask) -> Uuid;

    /// Carries them out in a transaction, which may be run again; an answer for each, in their order. Each statement
    /// states its own conditions, or is about rows that an earlier one holds: nothing is compared at the commit.
    ///
    /// # Errors
    /// Nothing is saved then, and each of them is carried out by itself.
    fn carry_out(&self, tx: &mut Tx<'_>, asks: &[&Self::Ask]) -> Result<Vec<Self::Answer>, StoreError>;
}

pub(crate) struct Waiting<K: Together> {
    pub(crate) ask: K::Ask,
    pub(crate) answer: oneshot::Sender<Result<K::Answer, StoreError>>,
}

/// The threads that carry out one kind of work. When it is dropped, what waits is carried out first.
pub struct GroupCommit<K: Together> {
    queues: Vec<mpsc::Sender<Waiting<K>>>,
    threads: Vec<JoinHandle<()>>,
    database: Arc<Database>,
}

impl<K: Together> GroupCommit<K> {
    pub(crate) fn start(database: &Arc<Database>, kind: K, queue_length: usize) -> Result<Self, StoreError> {
        let (count, kind) = (lanes(database.engine()), Arc::new(kind));
        let mut started = Self { queues: Vec::new(), threads: Vec::new(), database: Arc::clone(database) };
        for number in 0..count {
            let (queue, waiting) = mpsc::channel((queue_length / count).max(1));
            let (database, kind) = (Arc::clone(database), Arc::clone(&kind));
            let thread = std::thread::Builder::new()
                .name(format!("group-commit-{number}"))
                .spawn(move || serve(waiting, |batch| commit(&database, &*kind, batch)))
                .map_err(|error| StoreError::Unavailable(format!("no thread could be started: {error}")))?;
            started.queues.push(queue);
            started.threads.push(thread);
        }
        Ok(started)
    }

    /// How many were ever taken in, of all kinds, carried out or still waiting.
    pub(crate) fn taken_in(&self) -> u64 {
        self.database.meters().taken_in.get()
    }

    /// Has it carried out with whatever else waits; answers once it is committed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once if too many wait; what [`Together::carry_out`] fails with for this one alone.
    pub async fn submit(&self, ask: K::Ask) -> Result<K::Answer, StoreError> {
        let (answer, answered) = oneshot::channel();
        let lane = K::whose(&ask).as_bytes().last().map_or(0, |byte| usize::from(*byte));
        let queue = self.queues.get(lane % self.queues.len().max(1)).ok_or(StoreError::Stopped)?;
        let (began, meters) = (Instant::now(), self.database.meters());
        queue.try_send(Waiting { ask, answer }).map_err(|refused| match refused {
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

impl<K: Together> fmt::Debug for GroupCommit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupCommit").field("lanes", &self.queues.len()).finish_non_exhaustive()
    }
}

impl<K: Together> Drop for GroupCommit<K> {
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
fn serve<K: Together>(mut waiting: mpsc::Receiver<Waiting<K>>, mut commit: impl FnMut(Vec<Waiting<K>>)) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match waiting.try_recv() {
                Ok(next) => batch.push(next),
                Err(_none_left) => break,
            }
        }
        // A stable sort: two asks of one keep their order.
        batch.sort_by_key(|waiting| K::whose(&waiting.ask));
        commit(batch);
    }
}

/// Runs a transaction. One that panics is a defect of ours, is rolled back like any that fails, and whoever asked is
/// told to come back.
fn isolated<T>(meters: &Meters, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    // Unwind safety: a transaction that panics is rolled back, and the locks recover from poison.
    std::panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_told_by_the_hook| {
        meters.panics.one();
        Err(StoreError::Panicked)
    })
}

/// Carries out a batch in one commit, or each alone if the batch fails, and then answers each.
pub(crate) fn commit<K: Together>(database: &Database, kind: &K, batch: Vec<Waiting<K>>) {
    let meters = database.meters();
    let answers = batch.len();
    commit_by(batch, meters, |batch| {
        database.transact(Mode::Group, |tx| {
            let asks: Vec<&K::Ask> = batch.iter().map(|waiting| &waiting.ask).collect();
            kind.carry_out(tx, &asks)
        })
    });
    meters.answered.add(u64::try_from(answers).unwrap_or(0));
}

/// As [`commit`]; `transact` carries out some of them in one transaction.
fn commit_by<K: Together>(
    batch: Vec<Waiting<K>>,
    meters: &Meters,
    mut transact: impl FnMut(&[Waiting<K>]) -> Result<Vec<K::Answer>, StoreError>,
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
                    tracing::error!(%error, of = %K::whose(&waiting.ask), "the answer of a tablet is not written");
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

fn answer<K: Together>(waiting: Waiting<K>, written: Result<K::Answer, StoreError>) {
    let of = K::whose(&waiting.ask);
    // A tablet that has hung up meanwhile asks again.
    if waiting.answer.send(written).is_err() {
        tracing::debug!(%of, "the tablet did not wait for its answer");
    }
}

#[cfg(test)]
mod unit {
    use types::{EnrolmentId, Instant};

    use super::*;
    use crate::report::{ConnectWrite, ConnectWritten, Connects};

    type Answered = oneshot::Receiver<Result<ConnectWritten, StoreError>>;

    fn waiting(enrolment: EnrolmentId, at: Instant) -> (Waiting<Connects>, Answered) {
        let (answer, answered) = oneshot::channel();
        (Waiting { ask: ConnectWrite::new(enrolment, at), answer }, answered)
    }

    fn nothing(asks: &[Waiting<Connects>]) -> Vec<ConnectWritten> {
        asks.iter().map(|_| ConnectWritten { report: None, delivered: None }).collect()
    }

    #[test]
    fn t_c4_one_that_panics_in_a_batch_of_64_costs_the_other_63_nothing() {
        let now = Instant::from_millis(1);
        let (batch, answers): (Vec<_>, Vec<_>) = (0..64).map(|_| waiting(EnrolmentId::new(now), now)).unzip();
        let (culprit, meters) = (batch[40].ask.enrolment, Meters::default());
        commit_by(batch, &meters, |asks| {
            assert!(asks.iter().all(|one| one.ask.enrolment != culprit), "a defect");
            Ok(nothing(asks))
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
                commit_by(batch, &meters, |asks| {
                    assert!(batches > 1, "a defect");
                    Ok(nothing(asks))
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
