//! What makes a sleeping tablet speak, a push or the passing of time, and the tally of what it led to.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, broadcast};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use super::{Fleet, Member};
use crate::answers::Status;
use crate::apns::Push;
use crate::{Conversation, Error};

/// Tablets that speak by themselves; they sleep again when this is dropped.
#[derive(Debug)]
pub struct Waking {
    tally: Arc<Tally>,
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

/// What waking has led to so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Woken {
    /// Pushes for tablets of the fleet.
    pub pushes: u64,
    /// Pushes for nobody here, or without the right `PushMagic`.
    pub strangers: u64,
    /// Conversations held.
    pub conversations: u64,
    /// Commands carried out in them.
    pub commands: u64,
    /// Those of them answered Acknowledged.
    pub acknowledged: u64,
    /// Those answered NotNow.
    pub not_now: u64,
    /// Tablets that erased themselves.
    pub erased: u64,
    /// Tablets that are no longer managed since.
    pub left: u64,
    /// Conversations that failed.
    pub errors: u64,
    /// How many failed in which way ([`Error::kind`]).
    pub errors_by_kind: BTreeMap<&'static str, u64>,
    /// The last failure in words.
    pub last_error: Option<String>,
}

impl Waking {
    /// What it has led to so far.
    #[must_use]
    pub fn so_far(&self) -> Woken {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Woken {
            pushes: read(&self.tally.pushes),
            strangers: read(&self.tally.strangers),
            ..self.tally.rest().clone()
        }
    }

    /// Wakes nobody any more, lets the conversations under way end, and says what it has led to in all.
    pub async fn finish(mut self) -> Woken {
        self.stop.notify_one();
        // It ends by itself; a panic in it has been told already.
        let _ended = (&mut self.task).await;
        self.so_far()
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Default)]
struct Tally {
    pushes: AtomicU64,
    strangers: AtomicU64,
    /// Everything that conversations lead to.
    rest: std::sync::Mutex<Woken>,
}

impl Tally {
    fn rest(&self) -> MutexGuard<'_, Woken> {
        // The tally is whole after every statement that holds it.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, conversation: &Result<Conversation, Error>, left: bool) {
        let mut rest = self.rest();
        rest.left += u64::from(left);
        match conversation {
            Ok(conversation) => {
                let count = |count: usize| u64::try_from(count).unwrap_or_default();
                rest.conversations += 1;
                rest.commands += count(conversation.handled.len());
                rest.acknowledged += count(conversation.count(Status::Acknowledged));
                rest.not_now += count(conversation.count(Status::NotNow));
                rest.erased += u64::from(conversation.erased);
            }
            Err(error) => {
                rest.errors += 1;
                *rest.errors_by_kind.entry(error.kind()).or_default() += 1;
                rest.last_error = Some(error.to_string());
            }
        }
    }
}

/// Conversations under way.
struct Conversations {
    tally: Arc<Tally>,
    turn: Arc<Semaphore>,
    tasks: JoinSet<()>,
}

impl Conversations {
    fn new(tally: Arc<Tally>, at_once: usize) -> Self {
        Self { tally, turn: Arc::new(Semaphore::new(at_once.max(1))), tasks: JoinSet::new() }
    }

    /// Lets a tablet poll, unless it is about to anyway.
    fn begin(&mut self, member: &Member) {
        if member.woken.swap(true, Ordering::Relaxed) {
            return;
        }
        let (ipad, woken) = (Arc::clone(&member.ipad), Arc::clone(&member.woken));
        let (turn, tally) = (Arc::clone(&self.turn), Arc::clone(&self.tally));
        self.tasks.spawn(async move {
            let Ok(_turn) = turn.acquire_owned().await else { return };
            let mut ipad = ipad.lock_owned().await;
            woken.store(false, Ordering::Relaxed);
            if !ipad.is_enrolled() {
                return;
            }
            let conversation = Box::pin(ipad.poll()).await;
            tally.note(&conversation, !ipad.is_enrolled());
        });
    }

    /// Waits until all have ended.
    async fn end(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Wakes tablets when they are pushed.
pub(super) fn on_push(fleet: Fleet, mut pushes: broadcast::Receiver<Push>, at_once: usize) -> Waking {
    let (tally, stop) = (Arc::<Tally>::default(), Arc::<Notify>::default());
    let conversations = Conversations::new(Arc::clone(&tally), at_once);
    let mut waker = Waker { fleet, conversations, tokens: HashMap::new() };
    let told_to_stop = Arc::clone(&stop);
    let task = tokio::spawn(async move {
        loop {
            tokio::select! {
                () = told_to_stop.notified() => break,
                push = pushes.recv() => match push {
                    Ok(push) => waker.wake(&push).await,
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        waker.conversations.tally.strangers.fetch_add(lost, Ordering::Relaxed);
                    }
                    Err(broadcast::error::RecvError::Closed) => break,
                },
                Some(_ended) = waker.conversations.tasks.join_next() => {}
            }
        }
        waker.conversations.end().await;
    });
    Waking { tally, stop, task }
}

/// Lets tablets poll one after the other, all of them once per interval.
pub(super) fn by_interval(fleet: Fleet, interval: Duration, at_once: usize) -> Waking {
    let (tally, stop) = (Arc::<Tally>::default(), Arc::<Notify>::default());
    let mut conversations = Conversations::new(Arc::clone(&tally), at_once);
    let told_to_stop = Arc::clone(&stop);
    let task = tokio::spawn(async move {
        let Ok(members @ 1..) = u32::try_from(fleet.len()) else { return };
        let mut beat = tokio::time::interval((interval / members).max(Duration::from_micros(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for member in fleet.0.iter().cycle() {
            tokio::select! {
                () = told_to_stop.notified() => break,
                _beat = beat.tick() => conversations.begin(member),
            }
            while conversations.tasks.try_join_next().is_some() {}
        }
        conversations.end().await;
    });
    Waking { tally, stop, task }
}

struct Waker {
    fleet: Fleet,
    conversations: Conversations,
    /// Which member a token was for when it was last looked up.
    tokens: HashMap<String, usize>,
}

impl Waker {
    async fn wake(&mut self, push: &Push) {
        let Some(member) = self.find(push).await.and_then(|index| self.fleet.0.get(index)) else {
            self.conversations.tally.strangers.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.conversations.tally.pushes.fetch_add(1, Ordering::Relaxed);
        self.conversations.begin(member);
    }

    /// The member a push is for. Tokens change, so that a miss or a wrong magic reads all of them again.
    async fn find(&mut self, push: &Push) -> Option<usize> {
        if let Some(index) = self.tokens.get(&push.token).copied()
            && self.is_for(push, index).await
        {
            return Some(index);
        }
        self.tokens.clear();
        for (index, member) in self.fleet.0.iter().enumerate() {
            if let Some(enrolment) = member.ipad.lock().await.enrolment() {
                self.tokens.insert(enrolment.push_token.clone(), index);
            }
        }
        let index = self.tokens.get(&push.token).copied()?;
        self.is_for(push, index).await.then_some(index)
    }

    async fn is_for(&self, push: &Push, index: usize) -> bool {
        let Some(member) = self.fleet.0.get(index) else { return false };
        let ipad = member.ipad.lock().await;
        ipad.enrolment()
            .is_some_and(|enrolment| enrolment.push_token == push.token && enrolment.push_magic == push.magic)
    }
}
