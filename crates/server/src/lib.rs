//! Floor 7: configuration, assembly, TLS, shutdown.
//!
//! [`Server::start`] takes a checked [`Config`](config::Config) and a clock, and gives back a [`RunningServer`]:
//! both doors open, the calendar ticking. The program, the tests and the demo all start the same server by the
//! same call; what differs between them stands in [`ServerOptions`].

pub mod config;
mod door;
mod door_certificate;
mod error;
mod fleet_settings;
pub mod log;
mod options;
mod running;
mod start;
#[cfg(test)]
mod tests;
pub mod tls;

pub use error::{DoorName, StartError};
pub use jobs::{Rhythm, Waker};
pub use options::ServerOptions;
pub use running::RunningServer;
pub use start::Server;
