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
        tokio::spawn(rounds(messenger, waker.clone(), rhythm.messenger, stopping.clone())),
        tokio::spawn(rounds(calendar, waker.clone(), rhythm.calendar, stopping.clone())),
        tokio::spawn(rounds(sealer, waker.clone(), rhythm.sealer, stopping.clone())),
    ];
    if let Some(mail) = mail {
        let postman = Postman::new(fleet.clone(), Arc::clone(clock), mail);
        tasks.push(tokio::spawn(rounds(postman, waker.clone(), rhythm.postman, stopping)));
    }
    Runner { waker, stop, tasks }
}

/// A task that goes round after round, and holds nothing that matters between two of them.
trait Task: Send + 'static {
    /// How long after a round it is not woken yet: what many ask for meanwhile is found by one round.
    const GATHERS: Duration = Duration::ZERO;

    /// One round. `true` if there may be more to do at once. It may be given up wherever it waits: the server stops.
    fn round(&mut self) -> impl Future<Output = bool> + Send;

    /// What wakes it before its time.
    fn woken(waker: &Waker) -> Option<&Notify>;
}

/// Pushes under way are given up: their leases run out, and a tablet pushed twice comes once.
impl Task for Messenger {
    /// Commands come by the hundred a second, and each wakes it.
    const GATHERS: Duration = Duration::from_millis(50);

    async fn round(&mut self) -> bool {
        Messenger::round(self).await
    }

    fn woken(waker: &Waker) -> Option<&Notify> {
        Some(&waker.0.messenger)
    }
}

/// What it was at is given up between two transactions, and found again by the next round, here or on another node.
impl Task for Calendar {
    async fn round(&mut self) -> bool {
        Calendar::round(self).await;
        false
    }

    fn woken(waker: &Waker) -> Option<&Notify> {
        Some(&waker.0.calendar)
    }
}

/// A batch under way is given up whole. Nobody waits for a seal, so nobody wakes the sealer.
impl Task for Sealer {
    async fn round(&mut self) -> bool {
        Sealer::round(self).await
    }

    fn woken(_waker: &Waker) -> Option<&Notify> {
        None
    }
}

/// A mail under way is given up: its lease runs out, and whoever claims it then knows whether it was in hand.
impl Task for Postman {
    async fn round(&mut self) -> bool {
        Postman::round(self).await
    }

    fn woken(waker: &Waker) -> Option<&Notify> {
        Some(&waker.0.postman)
    }
}

async fn rounds<T: Task>(mut task: T, waker: Waker, interval: Duration, mut stopping: watch::Receiver<bool>) {
    loop {
        let mut stopped = stopping.clone();
        let more = tokio::select! {
            more = task.round() => more,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let pause = if more { Duration::ZERO } else { interval };
        let woken = async {
            match T::woken(&waker) {
                Some(woken) => {
                    tokio::time::sleep(T::GATHERS).await;
                    woken.notified().await;
                }
                None => std::future::pending().await,
            }
        };
        if rest(pause, woken, &mut stopping).await.is_stop() {
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
