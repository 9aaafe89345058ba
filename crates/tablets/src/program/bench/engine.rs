//! The engine of every load: workers that do one operation after the other, when the schedule says so.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::problem::Problem;
use super::schedule::{Schedule, Slot};
use super::tally::Tally;
use super::task::Laps;

/// How long a worker pauses after something went wrong: a server that refuses connections is not to be asked a
/// hundred thousand times a second.
const PAUSE: Duration = Duration::from_millis(10);

/// What the workers of a load do.
pub(super) trait Work: Send + Sync + 'static {
    /// One connection.
    type Worker: Send + 'static;

    /// Makes the worker ready for its next operation, outside of what is measured; the place of the tablet whose
    /// turn it is, or none when there is no further one.
    fn ready(&self, worker: &mut Self::Worker)
    -> impl Future<Output = Result<Option<usize>, Problem>> + Send;

    /// Does it once.
    fn perform(
        &self,
        worker: &mut Self::Worker,
        laps: &mut Laps,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// It was done, well or not.
    fn done(&self, worker: &mut Self::Worker, well: bool);

    /// Remembers that a tablet was measured.
    fn measured(&self, place: usize);

    /// Remembers that a tablet got a right answer, measured or not.
    fn heard(&self, place: usize);

    /// The connections that a worker has opened so far.
    fn connections(&self, worker: &Self::Worker) -> Connections;
}

/// Connections that were opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Connections {
    pub(super) opened: u64,
    /// Those that went on with a TLS session.
    pub(super) resumed: u64,
    /// The version of TLS that the last one speaks.
    pub(super) tls: Option<&'static str>,
}

/// Runs the workers until the schedule is over.
pub(super) async fn run<W: Work>(
    work: &Arc<W>,
    workers: Vec<W::Worker>,
    schedule: &Arc<Schedule>,
    tally: &Arc<Tally>,
) {
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(go_on(Arc::clone(work), worker, Arc::clone(schedule), Arc::clone(tally)));
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    schedule.count_the_missed();
}

async fn go_on<W: Work>(work: Arc<W>, mut worker: W::Worker, schedule: Arc<Schedule>, tally: Arc<Tally>) {
    // What was opened before the first operation that counts.
    let mut before: Option<Connections> = None;
    loop {
        let ready = match work.ready(&mut worker).await {
            Ok(Some(place)) => Ok(place),
            Ok(None) => break,
            Err(problem) => Err(problem),
        };
        let Slot::Begin { meant, measured } = schedule.next().await else { break };
        if measured && before.is_none() {
            before = Some(work.connections(&worker));
        }
        let mut laps = Laps::default();
        let result = match ready {
            Ok(place) => {
                if measured {
                    work.measured(place);
                }
                let performed = work.perform(&mut worker, &mut laps).await;
                if performed.is_ok() {
                    tally.answered();
                    work.heard(place);
                }
                performed
            }
            Err(problem) => Err(problem),
        };
        let now = Instant::now();
        tally.speaks(work.connections(&worker).tls);
        match &result {
            Ok(()) if measured => tally.right(now.saturating_duration_since(meant), &laps, now),
            Err(problem) if measured => tally.wrong(problem, now),
            _ => {}
        }
        work.done(&mut worker, result.is_ok());
        if result.is_err() {
            if tally.is_hopeless() {
                schedule.stop();
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    if let Some(before) = before {
        let Connections { opened, resumed, .. } = work.connections(&worker);
        tally.opened(opened.saturating_sub(before.opened), resumed.saturating_sub(before.resumed));
    }
}
