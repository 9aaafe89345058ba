//! Many tablets at once, and tablets that wake up when they are pushed.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt as _, stream};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, broadcast};
use tokio::task::JoinHandle;

use crate::apns::Push;
use crate::{Apns, Conversation, Error, Ipad};

/// Many tablets. Cloning shares them.
#[derive(Clone)]
pub struct Fleet(Arc<Vec<Member>>);

struct Member {
    serial: String,
    ipad: Arc<Mutex<Ipad>>,
    /// A push came that it has not followed yet: further ones say nothing new.
    woken: Arc<AtomicBool>,
}

impl Fleet {
    /// A fleet of these tablets.
    #[must_use]
    pub fn new(ipads: impl IntoIterator<Item = Ipad>) -> Self {
        let members = ipads.into_iter().map(|ipad| Member {
            serial: ipad.serial().to_owned(),
            ipad: Arc::new(Mutex::new(ipad)),
            woken: Arc::default(),
        });
        Self(Arc::new(members.collect()))
    }

    /// How many tablets it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The serial numbers, in the order in which the tablets were given.
    pub fn serials(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|member| member.serial.as_str())
    }

    /// Takes one tablet in hand, once nobody else has it.
    pub async fn tablet(&self, serial: &str) -> Option<OwnedMutexGuard<Ipad>> {
        let member = self.0.iter().find(|member| member.serial == serial)?;
        Some(Arc::clone(&member.ipad).lock_owned().await)
    }

    /// Does something with every tablet, `at_once` of them at a time. What it gave comes in the tablets' order.
    ///
    /// ```no_run
    /// # async fn example(fleet: tablets::Fleet) {
    /// let enrolled = fleet
    ///     .each(16, |mut ipad| async move { ipad.enrol_by_link("https://localhost:8443/enrol/kJ8x").await })
    ///     .await;
    /// # }
    /// ```
    pub async fn each<F, Fut, T>(&self, at_once: usize, action: F) -> Vec<T>
    where
        F: Fn(OwnedMutexGuard<Ipad>) -> Fut,
        Fut: Future<Output = T>,
    {
        let action = &action;
        stream::iter(self.0.iter())
            .map(|member| async move { action(Arc::clone(&member.ipad).lock_owned().await).await })
            .buffered(at_once.max(1))
            .collect()
            .await
    }

    /// Every tablet polls once, `at_once` of them at a time.
    pub async fn poll(&self, at_once: usize) -> Vec<Result<Conversation, Error>> {
        self.each(at_once, |mut ipad| async move { Box::pin(ipad.poll()).await }).await
    }

    /// From now on, a push wakes the tablet it is for: it polls, `at_once` tablets at a time. Ends when the value
    /// returned is dropped.
    #[must_use]
    pub fn wake_on_push(&self, apns: &Apns, at_once: usize) -> Waking {
        let tally = Arc::new(Tally::default());
        let waker = Waker {
            fleet: self.clone(),
            tally: Arc::clone(&tally),
            turn: Arc::new(Semaphore::new(at_once.max(1))),
            tokens: HashMap::new(),
        };
        Waking { tally, task: tokio::spawn(waker.listen(apns.subscribe())) }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fleet({} tablets)", self.len())
    }
}

/// Tablets that wake when pushed; sleep again when this is dropped.
#[derive(Debug)]
pub struct Waking {
    tally: Arc<Tally>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Tally {
    pushes: AtomicU64,
    strangers: AtomicU64,
    conversations: AtomicU64,
    commands: AtomicU64,
    errors: AtomicU64,
    last_error: std::sync::Mutex<Option<String>>,
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
    /// Conversations that failed.
    pub errors: u64,
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
            conversations: read(&self.tally.conversations),
            commands: read(&self.tally.commands),
            errors: read(&self.tally.errors),
            last_error: self.tally.last_error.lock().map(|last| last.clone()).unwrap_or_default(),
        }
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Waker {
    fleet: Fleet,
    tally: Arc<Tally>,
    turn: Arc<Semaphore>,
    /// Which member a token was for when it was last looked up.
    tokens: HashMap<String, usize>,
}

impl Waker {
    async fn listen(mut self, mut pushes: broadcast::Receiver<Push>) {
        let mut conversations = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                push = pushes.recv() => match push {
                    Ok(push) => self.wake(&push, &mut conversations).await,
                    Err(broadcast::error::RecvError::Lagged(lost)) => {
                        self.tally.strangers.fetch_add(lost, Ordering::Relaxed);
                    }
                    Err(broadcast::error::RecvError::Closed) => return,
                },
                Some(_ended) = conversations.join_next() => {}
            }
        }
    }

    async fn wake(&mut self, push: &Push, conversations: &mut tokio::task::JoinSet<()>) {
        let Some(member) = self.find(push).await.and_then(|index| self.fleet.0.get(index)) else {
            self.tally.strangers.fetch_add(1, Ordering::Relaxed);
            return;
        };
        self.tally.pushes.fetch_add(1, Ordering::Relaxed);
        if member.woken.swap(true, Ordering::Relaxed) {
            return;
        }
        let (ipad, woken) = (Arc::clone(&member.ipad), Arc::clone(&member.woken));
        let (turn, tally) = (Arc::clone(&self.turn), Arc::clone(&self.tally));
        conversations.spawn(async move {
            let Ok(_turn) = turn.acquire_owned().await else { return };
            let mut ipad = ipad.lock_owned().await;
            woken.store(false, Ordering::Relaxed);
            tally.note(&Box::pin(ipad.poll()).await);
        });
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

impl Tally {
    fn note(&self, conversation: &Result<Conversation, Error>) {
        match conversation {
            Ok(conversation) => {
                self.conversations.fetch_add(1, Ordering::Relaxed);
                let commands = u64::try_from(conversation.handled.len()).unwrap_or_default();
                self.commands.fetch_add(commands, Ordering::Relaxed);
            }
            Err(error) => {
                self.errors.fetch_add(1, Ordering::Relaxed);
                if let Ok(mut last) = self.last_error.lock() {
                    *last = Some(error.to_string());
                }
            }
        }
    }
}
