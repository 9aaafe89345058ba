//! The tasks: started, woken, stopped.

use std::future::Future;
use std::sync::Arc;

use fleet::Fleet;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use types::{Clock, Duration};

use crate::calendar::Calendar;
use crate::messenger::{Messenger, PushService};
use crate::postman::{MailService, Postman};
use crate::sealer::Sealer;

/// How often the tasks look for work by themselves.
///
/// These are spans of the machine's own time: a demo that travels through the calendar looks no more often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Between two looks for tablets to wake, when nobody says that there are some.
    pub messenger: Duration,
    /// Between two looks at the clock for work that is due.
    pub calendar: Duration,
    /// Between two looks for entries of the audit log that have no seal yet.
    pub sealer: Duration,
    /// Between two looks for mail to send, and for mail that came back.
    pub postman: Duration,
}

impl Default for Rhythm {
    /// Every second; every ten seconds; every second; every five seconds.
    fn default() -> Self {
        Self {
            messenger: Duration::from_secs(1),
            calendar: Duration::from_secs(10),
            sealer: Duration::from_secs(1),
            postman: Duration::from_secs(5),
        }
    }
}

/// Tells the tasks that there may be work, so that they look now. Cheap to clone and to call.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Woken>);

#[derive(Debug, Default)]
struct Woken {
    messenger: Notify,
    calendar: Notify,
    postman: Notify,
}

impl Waker {
    /// There may be tablets to wake.
    pub fn wake(&self) {
        self.0.messenger.notify_one();
    }

    /// The clock was moved: something may be due.
    pub fn clock_moved(&self) {
        self.0.calendar.notify_one();
        self.0.messenger.notify_one();
        self.0.postman.notify_one();
    }
}

/// The running tasks. Dropping it tells them to stop and does not wait; [`Runner::stop`] waits.
#[derive(Debug)]
pub struct Runner {
    waker: Waker,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts the messenger, the calendar and the sealer on the current runtime; and the postman, if there is a mail server.
#[must_use]
pub fn start(
    fleet: &Fleet,
    clock: &Arc<dyn Clock>,
    service: PushService,
    mail: Option<MailService>,
    rhythm: Rhythm,
) -> Runner {
    let (stop, stopping) = watch::channel(false);
    let waker = Waker::default();

    let messenger = Messenger::new(fleet.clone(), Arc::clone(clock), service, waker.clone());
    let calendar = Calendar::new(fleet.clone(), Arc::clone(clock), waker.clone());
    let sealer = Sealer::new(fleet.clone(), Arc::clone(clock));
    let mut tasks = vec![
        tokio::spawn(messengers_rounds(messenger, waker.clone(), rhythm.messenger, stopping.clone())),
        tokio::spawn(calendars_rounds(calendar, waker.clone(), rhythm.calendar, stopping.clone())),
        tokio::spawn(sealers_rounds(sealer, rhythm.sealer, stopping.clone())),
    ];
    if let Some(mail) = mail {
        let postman = Postman::new(fleet.clone(), Arc::clone(clock), mail);
        tasks.push(tokio::spawn(postmans_rounds(postman, waker.clone(), rhythm.postman, stopping)));
    }
    Runner { waker, stop, tasks }
}

/// A mail under way when the server stops is given up: its lease runs out, and whoever claims it then knows whether it was in
/// hand.
async fn postmans_rounds(
    mut postman: Postman,
    waker: Waker,
    interval: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let mut stopped = stopping.clone();
        let more = tokio::select! {
            more = postman.round() => more,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let pause = if more { Duration::ZERO } else { interval };
        if rest(pause, waker.0.postman.notified(), &mut stopping).await.is_stop() {
            return;
        }
    }
}

/// Pushes under way when the server stops are given up: their leases run out, and a tablet pushed twice comes
/// once.
async fn messengers_rounds(
    mut messenger: Messenger,
    waker: Waker,
    interval: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let mut stopped = stopping.clone();
        let more = tokio::select! {
            more = messenger.round() => more,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let pause = if more { Duration::ZERO } else { interval };
        if rest(pause, waker.0.messenger.notified(), &mut stopping).await.is_stop() {
            return;
        }
    }
}

/// What the calendar was at when the server stops is given up between two transactions, and found again by the
/// next round, here or on another node.
async fn calendars_rounds(
    mut calendar: Calendar,
    waker: Waker,
    interval: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        let mut stopped = stopping.clone();
        tokio::select! {
            () = calendar.round() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if rest(interval, waker.0.calendar.notified(), &mut stopping).await.is_stop() {
            return;
        }
    }
}

/// Nobody waits for a seal, so nobody wakes the sealer. A batch under way when the server stops is given up whole.
async fn sealers_rounds(mut sealer: Sealer, interval: Duration, mut stopping: watch::Receiver<bool>) {
    loop {
        let mut stopped = stopping.clone();
        let more = tokio::select! {
            more = sealer.round() => more,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let pause = if more { Duration::ZERO } else { interval };
        if rest(pause, std::future::pending(), &mut stopping).await.is_stop() {
            return;
        }
    }
}

/// What ended a rest.
enum Rested {
    GoOn,
    Stop,
}

impl Rested {
    const fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// Rests until there may be work again. A runner that was dropped counts as stopped.
async fn rest(
    interval: Duration,
    woken: impl Future<Output = ()>,
    stopping: &mut watch::Receiver<bool>,
) -> Rested {
    tokio::select! {
        biased;
        _ = stopping.wait_for(|stop| *stop) => Rested::Stop,
        () = woken => Rested::GoOn,
        () = tokio::time::sleep(interval) => Rested::GoOn,
    }
}

impl Runner {
    /// What tells the tasks to look now.
    #[must_use]
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Stops the tasks, and waits until they have.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await
                && error.is_panic()
            {
                tracing::error!(%error, "a task of the calendar had panicked");
            }
        }
    }
}
