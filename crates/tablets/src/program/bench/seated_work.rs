//! Loads by tablets that have an identity: idle, token-update, cycle, and enrol without SCEP.

use std::sync::Arc;

use super::engine::{Connections, Work};
use super::problem::Problem;
use super::seat::{Room, Seat};
use super::task::{Laps, Task, empty_queue};

/// What tablets do, and where they sit.
#[derive(Debug)]
pub(super) struct SeatedWork {
    pub(super) task: Task,
    pub(super) room: Arc<Room>,
    /// Whether queues are emptied after something went wrong.
    pub(super) empties_queues: bool,
}

/// One connection.
#[derive(Debug)]
pub(super) struct SeatedWorker {
    seat: Seat,
    /// Something went wrong: what was queued may still be.
    dirty: bool,
}

impl SeatedWork {
    /// Connections that share these places.
    pub(super) fn workers(&self, connections: usize, places: &[usize]) -> Vec<SeatedWorker> {
        let shares = (0..connections.min(places.len()))
            .map(|number| places.iter().skip(number).step_by(connections.max(1)).copied().collect());
        shares
            .map(|share| SeatedWorker { seat: Seat::new(Arc::clone(&self.room), share), dirty: false })
            .collect()
    }
}

impl Work for SeatedWork {
    type Worker = SeatedWorker;

    async fn ready(&self, worker: &mut SeatedWorker) -> Result<Option<usize>, Problem> {
        let unreadable = Problem::failed("reading the tablet");
        if matches!(self.task, Task::Enrol) {
            let Some(place) = self.room.next_unused() else { return Ok(None) };
            worker.seat.seat(place).map_err(unreadable)?;
            return Ok(Some(place));
        }
        worker.seat.seat_next().map_err(unreadable)?;
        if std::mem::take(&mut worker.dirty) && self.empties_queues {
            Box::pin(empty_queue(&mut worker.seat)).await?;
        }
        Ok(Some(worker.seat.seated()?.place))
    }

    async fn perform(&self, worker: &mut SeatedWorker, laps: &mut Laps) -> Result<(), Problem> {
        self.task.perform(&mut worker.seat, laps).await
    }

    fn done(&self, worker: &mut SeatedWorker, well: bool) {
        worker.seat.done();
        if !well {
            worker.dirty = true;
            worker.seat.reset();
        }
    }

    fn measured(&self, place: usize) {
        self.room.spoke(place);
    }

    fn heard(&self, place: usize) {
        self.room.heard(place);
    }

    fn connections(&self, worker: &SeatedWorker) -> Connections {
        worker.seat.connections()
    }
}
