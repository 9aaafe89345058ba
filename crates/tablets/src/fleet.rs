//! Many tablets at once, and tablets that wake up when they are pushed.

mod waking;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{Apns, Conversation, Error, Ipad};

pub use waking::{Waking, Woken};

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
        waking::on_push(self.clone(), apns.subscribe(), at_once)
    }

    /// From now on, every tablet polls by itself once per `interval`, one after the other, `at_once` of them at a
    /// time. A tablet that is still busy leaves its turn out. Ends when the value returned is dropped.
    #[must_use]
    pub fn poll_every(&self, interval: Duration, at_once: usize) -> Waking {
        waking::by_interval(self.clone(), interval, at_once)
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fleet({} tablets)", self.len())
    }
}
