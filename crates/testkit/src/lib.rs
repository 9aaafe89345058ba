//! Test servers, a database per test, a client per role, tablets that trust them.
//!
//! [`TestServer`] is the real server, both doors over TLS on loopback, with a push service that stands in for
//! Apple's and a clock that can be moved. Tests and the demo start it; what they say of it they read through
//! the API, as anyone would.

mod api;
mod database;
mod error;
mod home;
mod lent;
mod mail_server;
mod package;
mod patience;
pub mod people;
pub mod postgres;
mod program;
pub mod published;
mod push_service;
pub mod rows;
mod school;
mod server_process;
mod test_server;

pub use api::{Answer, ApiClient};
pub use database::Database;
pub use error::TestkitError;
pub use mail_server::{MailServer, Mailed, Protection};
pub use package::ipa;
pub use patience::{Patience, wait_until};
pub use program::program;
pub use published::offer_apps;
pub use push_service::PushService;
pub use school::inventory_csv;
pub use server_process::ServerProcess;
pub use test_server::{Setup, TestServer};
