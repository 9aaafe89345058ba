//! Group commit: at 8:00 all tablets answer at once, and a commit costs a disk flush. What waits together shares one,
//! and its few statements; each is answered after it.
//!
//! A batch is sorted by whose it is, so that two batches hold rows in one order. A batch that fails, or panics, is run
//! again one by one: only the culprit gets an error. On PostgreSQL some threads share the work by whose it is, so that
//! what one of them asks keeps its order; on SQLite there is one writer.
//!
//! What many look up at the same moment goes the same way, by one statement and without a commit.

use std::fmt;
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::database::Database;
use crate::store::blocking;
use crate::transaction::Mode;
use crate::vitals::Meters;
use crate::{Engine, StoreError, Tx};

/// How many share a commit at most. More would make the last of them wait for the first.
const BATCH: usize = 64;

/// How long one waits for its turn, and is then told to come back: nothing is done for whoever was told so.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much longer one waits whose turn has come: whether it is done is known only to the database then.
const LONGEST: Duration = Duration::from_secs(10);

/// How many threads share the work of one kind on PostgreSQL at most. More of them have smaller batches, and as many more
/// statements.
const MOST_LANES: usize = 4;
/// How many kinds there are: [`Looks`](crate::connect::Looks) and [`Connects`](crate::report::Connects) of tablets,
/// [`Tokens`](crate::standings::Tokens) of people, and those of the use cases.
const KINDS: usize = 5;

/// How many connections all kinds keep busy at most.
pub(crate) fn connections(engine: Engine) -> usize {
    lanes(engine) * KINDS
}

/// SQLite has one writer. Beside PostgreSQL, while one batch waits for the flush, those of other kinds go on: a second
/// thread of one kind pays only where there are processors left for it.
fn lanes(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 1,
        Engine::Postgresql => {
            let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
            (processors / 2).clamp(1, MOST_LANES)
        }
    }
}

/// What kind of work it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// It is written, and answered once it is committed.
    Writes,
    /// It is looked up by one statement, which sees one state without a transaction around it.
    Looks,
}

/// A kind of work that many ask for at the same moment: decided one by one, committed together.
pub trait Together: Send + Sync + 'static {
    /// What one of them asks.
    type Ask: Send + 'static;
    /// What became of it.
    type Answer: Send + 'static;
    /// Whether they write, or look.
    const WORK: Work = Work::Writes;

    /// Whose it is: a batch is in this order, and what one of them asks in the order in which they asked.
    fn whose(ask: &Self::Ask) -> Uuid;

    /// Carries them out, perhaps more than once; an answer for each, in their order. What writes does so in a transaction,
    /// each statement of which states its own conditions, or is about rows that an earlier one holds: nothing is compared
    /// at the commit.
    ///
    /// # Errors
    /// Nothing is saved then, and each of them is carried out by itself.
    fn carry_out(&self, tx: &mut Tx<'_>, asks: &[&Self::Ask]) -> Result<Vec<Self::Answer>, StoreError>;
}

pub(crate) struct Waiting<K: Together> {
    pub(crate) ask: K::Ask,
    pub(crate) answer: oneshot::Sender<Result<K::Answer, StoreError>>,
    pub(crate) turn: Arc<Turn>,
}

type Answered<K> = oneshot::Receiver<Result<<K as Together>::Answer, StoreError>>;

/// What is asked, as it waits, and where its answer comes.
pub(crate) fn waiting_for<K: Together>(ask: K::Ask) -> (Waiting<K>, Answered<K>) {
    let (answer, answered) = oneshot::channel();
    (Waiting { ask, answer, turn: Arc::default() }, answered)
}

/// Whether it is carried out or given up: what comes first.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicBool);

impl Turn {
    /// `true` for whoever comes first.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The threads that carry out one kind of work. When it is dropped, what waits is carried out first.
pub struct GroupCommit<K: Together> {
    queues: Vec<mpsc::Sender<Waiting<K>>>,
    threads: Vec<JoinHandle<()>>,
    database: Arc<Database>,
    kind: Arc<K>,
}

impl<K: Together> GroupCommit<K> {
    pub(crate) fn start(database: &Arc<Database>, kind: K, queue_length: usize) -> Result<Self, StoreError> {
        let (count, kind) = (lanes(database.engine()), Arc::new(kind));
        let mut started = Self {
            queues: Vec::new(),
            threads: Vec::new(),
            database: Arc::clone(database),
            kind: Arc::clone(&kind),
        };
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

    /// Has these carried out as one batch, whatever else waits: what becomes of many is so the same each time. Who asks alone
    /// asks by [`GroupCommit::submit`].
    ///
    /// # Errors
    /// Of each, as [`GroupCommit::submit`].
    pub async fn submit_as_one(
        &self,
        asks: Vec<K::Ask>,
    ) -> Result<Vec<Result<K::Answer, StoreError>>, StoreError> {
        let (database, kind) = (Arc::clone(&self.database), Arc::clone(&self.kind));
        blocking(move || {
            let (mut batch, answers): (Vec<_>, Vec<_>) = asks.into_iter().map(waiting_for::<K>).unzip();
            batch.sort_by_key(|waiting| K::whose(&waiting.ask));
            if K::WORK == Work::Writes {
                database.meters().taken_in.add(u64::try_from(batch.len()).unwrap_or(0));
            }
            commit(&database, &*kind, batch);
            answers
                .into_iter()
                .map(|answered| answered.blocking_recv().unwrap_or(Err(StoreError::Stopped)))
                .collect()
        })
        .await
    }

    /// Has it carried out with whatever else waits; answers once it is committed.
    ///
    /// # Errors
    /// [`StoreError::Busy`] at once if too many wait, or if its turn does not come: then nothing is done.
    /// [`StoreError::Unanswered`] if its turn came and does not end; what [`Together::carry_out`] fails with for this one
    /// alone.
    pub async fn submit(&self, ask: K::Ask) -> Result<K::Answer, StoreError> {
        let lane = K::whose(&ask).as_bytes().last().map_or(0, |byte| usize::from(*byte));
        let queue = self.queues.get(lane % self.queues.len().max(1)).ok_or(StoreError::Stopped)?;
        let (began, meters) = (Instant::now(), self.database.meters());
        let (waiting, mut answered) = waiting_for(ask);
        let turn = Arc::clone(&waiting.turn);
        queue.try_send(waiting).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => {
                meters.busy.one();
                StoreError::Busy
            }
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        if K::WORK == Work::Writes {
            meters.taken_in.one();
        }
        let done = match tokio::time::timeout(PATIENCE, &mut answered).await {
            Ok(done) => done,
            Err(_elapsed) if turn.take() => {
                meters.busy.one();
                if K::WORK == Work::Writes {
                    meters.answered.one();
                }
                return Err(StoreError::Busy);
            }
            Err(_elapsed) => match tokio::time::timeout(LONGEST, answered).await {
                Ok(done) => done,
                Err(_elapsed) => return Err(StoreError::Unanswered),
            },
        };
        match K::WORK {
            Work::Writes => meters.commits.took(began.elapsed()),
            Work::Looks => meters.looks.took(began.elapsed()),
        }
        done.map_err(|_thread_died| StoreError::Stopped)?
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

/// Gathers what waits into batches and commits them, until the queue is closed. Whoever was told to come back meanwhile
/// is left out.
fn serve<K: Together>(mut waiting: mpsc::Receiver<Waiting<K>>, mut commit: impl FnMut(Vec<Waiting<K>>)) {
    while let Some(first) = waiting.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH {
            match waiting.try_recv() {
                Ok(next) => batch.push(next),
                Err(_none_left) => break,
            }
        }
        batch.retain(|waiting| waiting.turn.take());
        if batch.is_empty() {
            continue;
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
        let asks: Vec<&K::Ask> = batch.iter().map(|waiting| &waiting.ask).collect();
        match K::WORK {
            Work::Writes => database.transact(Mode::Group, |tx| kind.carry_out(tx, &asks)),
            Work::Looks => database.look(&mut |tx| kind.carry_out(tx, &asks)),
        }
    });
    if K::WORK == Work::Writes {
        meters.answered.add(u64::try_from(answers).unwrap_or(0));
    }
}

/// As [`commit`]; `transact` carries out some of them in one transaction.
fn commit_by<K: Together>(
    batch: Vec<Waiting<K>>,
    meters: &Meters,
    mut transact: impl FnMut(&[Waiting<K>]) -> Result<Vec<K::Answer>, StoreError>,
) {
    match K::WORK {
        Work::Writes => meters.batches.one(),
        Work::Looks => meters.look_batches.one(),
    }
    match isolated(meters, || transact(&batch)) {
        Ok(written) => {
            for (waiting, written) in batch.into_iter().zip(written) {
                answer(waiting, Ok(written));
            }
        }
        Err(error) if batch.len() > 1 && (!error.is_passing() || matches!(error, StoreError::Held)) => {
            tracing::warn!(%error, answers = batch.len(), "a batch of answers failed; each is now written alone");
            meters.batches_retried.one();
            for waiting in batch {
                let alone = isolated(meters, || transact(std::slice::from_ref(&waiting)));
                let alone = alone.and_then(|written| written.into_iter().next().ok_or(StoreError::Stopped));
                if let Err(error) = &alone {
                    tracing::error!(%error, of = %K::whose(&waiting.ask), "what a tablet or a person asks is not done");
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

    fn waiting(enrolment: EnrolmentId, at: Instant) -> (Waiting<Connects>, Answered<Connects>) {
        waiting_for(ConnectWrite::new(enrolment, at))
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

    #[test]
    fn whoever_was_told_to_come_back_finds_nothing_done() {
        let now = Instant::from_millis(1);
        let (queue, taken) = mpsc::channel(3);
        let ((first, _), (given_up, _), (third, _)) = (
            waiting(EnrolmentId::new(now), now),
            waiting(EnrolmentId::new(now), now),
            waiting(EnrolmentId::new(now), now),
        );
        let left_out = given_up.ask.enrolment;
        assert!(given_up.turn.take(), "its turn had not come when its patience ended");
        let begun = Arc::clone(&third.turn);
        for one in [first, given_up, third] {
            assert!(queue.try_send(one).is_ok());
        }
        drop(queue);
        let mut carried_out = Vec::new();
        serve(taken, |batch| carried_out.extend(batch.iter().map(|one| one.ask.enrolment)));
        assert_eq!(carried_out.len(), 2);
        assert!(!carried_out.contains(&left_out));
        assert!(!begun.take(), "whose turn has come is waited for");
    }
}
