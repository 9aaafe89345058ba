//! How to start a server, beyond what its operators configure.

use std::sync::Arc;

use checkin::{Rate, RateLimits};
use jobs::Rhythm;
use types::{Clock, Duration};

use crate::config::Config;

/// How long a tablet's identity lasts: a year, so that one that spends a summer in a cupboard can still renew.
const IDENTITY_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// How to start a server. [`ServerOptions::new`] gives what `ardoise serve` uses; tests and the demo, which run
/// on one machine and travel in time, change some of it.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// What its operators decided.
    pub config: Config,
    /// What tells the time, to every part of it.
    pub clock: Arc<dyn Clock>,
    /// How many threads serve each door; `None`: one per processor.
    pub workers: Option<usize>,
    /// Serve although the PostgreSQL role owns the tables. Only for a database made for the occasion: an owner
    /// can drop the triggers that refuse a destructive command without its order (M6).
    pub owner_may_serve: bool,
    /// How often the calendar and the messenger look for work.
    pub rhythm: Rhythm,
    /// The pace of tablets that prove nothing yet. A demo's tablets all come from one address.
    pub unauthenticated: RateLimits,
    /// How fast strangers may try to come in at the people’s door.
    pub coming_in: RateLimits,
    /// How long a tablet's identity lasts.
    pub identity_lifetime: Duration,
}

impl ServerOptions {
    /// What `ardoise serve` uses.
    #[must_use]
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        Self {
            config,
            clock,
            workers: None,
            owner_may_serve: false,
            rhythm: Rhythm::default(),
            unauthenticated: RateLimits::default(),
            // A staff room behind one address signs in at 8:00; a guesser gets no further than that.
            coming_in: RateLimits {
                per_address: Rate::new(1, 30),
                overall: Rate::new(20, 60),
                ..RateLimits::default()
            },
            identity_lifetime: IDENTITY_LIFETIME,
        }
    }

    /// The number of threads of each door.
    pub(crate) fn worker_count(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.workers.unwrap_or_else(processors).max(1)
    }
}
