//! Hashing passwords, which is slow and takes memory on purpose: a few at once, on threads that may wait.

use std::sync::{Arc, OnceLock};

use governance::sign_in::{Cost, NewPassword, PasswordHash};
use tokio::sync::Semaphore;

use crate::Refusal;

/// How many are hashed at once: each takes 19 MiB, and a thousand strangers who try to sign in take no more.
const AT_ONCE: usize = 2;
/// How many may wait for that: about two seconds' worth. The next one is asked to come back.
const WAITING: usize = 48;
/// What a hash costs.
pub(super) const COST: Cost = Cost::DEFAULT;

/// The room in which passwords are hashed. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    /// Those who are hashed for, and those who wait.
    queue: Arc<Semaphore>,
    room: Arc<Semaphore>,
    decoy: Arc<OnceLock<PasswordHash>>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            queue: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            decoy: Arc::new(OnceLock::new()),
        }
    }

    /// Runs `work` where there is room for a hash. It is given the hash that no password has.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PasswordHash) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let _place = self.queue.try_acquire().map_err(|_full| Refusal::Busy)?;
        let _room = self.room.acquire().await.map_err(|closed| Refusal::Internal(closed.to_string()))?;
        let decoy = Arc::clone(&self.decoy);
        tokio::task::spawn_blocking(move || {
            if decoy.get().is_none() {
                let made = PasswordHash::decoy(COST).map_err(|error| Refusal::Internal(error.to_string()))?;
                // Whoever came first made the same one.
                drop(decoy.set(made));
            }
            let decoy = decoy.get().ok_or_else(|| Refusal::Internal("no decoy".into()))?;
            Ok(work(decoy))
        })
        .await
        .map_err(|panicked| Refusal::Internal(panicked.to_string()))?
    }

    /// Hashes a password under a salt of its own.
    pub(super) async fn hash(&self, password: NewPassword) -> Result<PasswordHash, Refusal> {
        let salt = rand::random::<[u8; 16]>();
        self.with(move |_decoy| PasswordHash::of(&password, salt, COST))
            .await?
            .map_err(|error| Refusal::Internal(error.to_string()))
    }
}
