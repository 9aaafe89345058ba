//! The load of a whole enrolment: profile, SCEP, Authenticate, TokenUpdate, by tablets that are new.

use std::sync::atomic::{AtomicUsize, Ordering};

use tablets::{EnrolmentProfile, Error, Ipad, IpadBuilder, KeyPool, Outcome};

use super::engine::{Connections, Work};
use super::problem::Problem;
use super::task::Laps;
use crate::program::enrol::way::Way;

/// What new tablets enrol by.
#[derive(Debug)]
pub(super) struct ScepWork {
    pub(super) way: Way,
    pub(super) template: IpadBuilder,
    pub(super) keys: KeyPool,
    pub(super) serials: Vec<String>,
    pub(super) next: AtomicUsize,
    pub(super) enrolled: AtomicUsize,
    pub(super) heard: AtomicUsize,
}

/// One connection: a new tablet each time.
#[derive(Debug, Default)]
pub(super) struct ScepWorker {
    ipad: Option<(usize, Box<Ipad>)>,
    /// Connections of earlier tablets.
    opened: u64,
}

impl ScepWork {
    /// The steps that are timed one by one.
    pub(super) const STEPS: &[&str] = &["profile", "scep", "authenticate", "token-update"];

    /// Connections, each with a tablet of its own at a time.
    pub(super) fn workers(&self, connections: usize) -> Vec<ScepWorker> {
        (0..connections.min(self.serials.len())).map(|_number| ScepWorker::default()).collect()
    }

    /// The next tablet that is not enrolled yet.
    fn next_tablet(&self) -> Result<Option<(usize, Box<Ipad>)>, Error> {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(serial) = self.serials.get(place) else { return Ok(None) };
            let builder = self.way.equip(self.template.clone().serial(serial.as_str()), &self.keys)?;
            let ipad = builder.build()?;
            if !ipad.is_enrolled() {
                return Ok(Some((place, Box::new(ipad))));
            }
        }
    }
}

impl Work for ScepWork {
    type Worker = ScepWorker;

    async fn ready(&self, worker: &mut ScepWorker) -> Result<Option<usize>, Problem> {
        worker.leave();
        worker.ipad = self.next_tablet().map_err(Problem::failed("making the tablet"))?;
        Ok(worker.ipad.as_ref().map(|(place, _ipad)| *place))
    }

    async fn perform(&self, worker: &mut ScepWorker, laps: &mut Laps) -> Result<(), Problem> {
        let Some((place, ipad)) = &mut worker.ipad else { return Ok(()) };
        let profile: EnrolmentProfile = laps
            .time("profile", Box::pin(self.way.profile(ipad, *place)))
            .await
            .map_err(Problem::failed("profile"))?;
        laps.time("scep", Box::pin(ipad.identify(&profile, self.way.is_automated())))
            .await
            .map_err(Problem::failed("scep"))?;
        accepted("authenticate", laps.time("authenticate", Box::pin(ipad.authenticate())).await)?;
        accepted("token-update", laps.time("token-update", Box::pin(ipad.token_update())).await)
    }

    fn done(&self, _worker: &mut ScepWorker, _well: bool) {}

    fn measured(&self, _place: usize) {
        self.enrolled.fetch_add(1, Ordering::Relaxed);
    }

    fn heard(&self, _place: usize) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    fn connections(&self, worker: &ScepWorker) -> Connections {
        let here = worker
            .ipad
            .as_ref()
            .map(|(_place, ipad)| (ipad.connection().connections_opened(), ipad.connection().tls_version()));
        let (opened, tls) = here.unwrap_or_default();
        Connections { opened: worker.opened + opened, resumed: 0, tls }
    }
}

impl ScepWorker {
    fn leave(&mut self) {
        if let Some((_place, ipad)) = self.ipad.take() {
            self.opened += ipad.connection().connections_opened();
        }
    }
}

fn accepted(step: &'static str, outcome: Result<Outcome, Error>) -> Result<(), Problem> {
    match outcome.map_err(Problem::failed(step))? {
        Outcome::Accepted(_) => Ok(()),
        Outcome::Refused { status, body } => Err(Problem::Status { step, status, body }),
        Outcome::Unenrolled { status } | Outcome::Unavailable { status } => {
            Err(Problem::Status { step, status, body: String::new() })
        }
    }
}
