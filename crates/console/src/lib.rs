//! Floor 6: the people's door: the JSON API under `/api/v1`.
//!
//! A request passes the [gate], which reads one [table](mod@routes) to know who may enter, then one handler,
//! which calls one use case and shows its answer. Whatever goes wrong is shown as a
//! [problem](problem::Problem) in the reader's language. Nothing is decided here.

mod accounts;
mod alarms;
mod apple_authorities;
mod apps;
mod audit;
mod brake;
mod broadcasts;
mod commands;
mod countersignatures;
mod departures;
mod gate;
mod health;
mod incident_decisions;
mod incident_papers;
mod incidents;
mod input;
mod inventory;
mod language;
mod lending_reports;
mod links;
mod lists;
mod loans;
mod metrics;
mod notices;
mod openapi;
mod organisations;
mod parameters;
mod persons;
mod positions;
mod privacy;
mod problem;
mod profile_rollouts;
mod profiles;
mod push_certificate;
mod repairs;
mod restitutions;
mod roles;
mod routes;
mod school_years;
mod segments;
mod sessions;
mod subject;
mod tablets;
mod takeovers;
mod timestamp;
mod tokens;
mod transfers;
mod warrants;
mod year_page;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use fleet::Fleet;
use fleet::pace::Gate;
use pki::TrustedProxies;
use types::{Clock, Instant};

pub use openapi::document;
pub use routes::{Access, ROUTES, Route, routes};

/// What every handler works with. The assembly hands it over as `web::Data<ConsoleState>`.
#[derive(Clone)]
pub struct ConsoleState {
    /// The use cases.
    pub fleet: Fleet,
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// How fast strangers may try to come in.
    pub pace: Arc<Gate>,
    /// The proxies whose word on an address counts.
    pub proxies: TrustedProxies,
}

impl ConsoleState {
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl std::fmt::Debug for ConsoleState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConsoleState").field("clock", &self.clock).finish_non_exhaustive()
    }
}
