//! Commands over a server's API: one file per noun, each of which asks and shows.

pub(crate) mod account;
pub(crate) mod agreement;
pub(crate) mod alarm;
mod api;
pub(crate) mod app;
pub(crate) mod apple;
pub(crate) mod audit;
pub(crate) mod brake;
pub(crate) mod command;
mod connection;
pub(crate) mod countersignature;
pub(crate) mod incident;
pub(crate) mod inventory;
pub(crate) mod link;
pub(crate) mod list;
pub(crate) mod loan;
pub(crate) mod organisation;
pub(crate) mod person;
pub(crate) mod position;
pub(crate) mod privacy;
mod problem;
pub(crate) mod profile;
pub(crate) mod push_certificate;
pub(crate) mod restitution;
pub(crate) mod role;
pub(crate) mod school_year;
mod secrets;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod tablet;
pub(crate) mod takeover;
pub(crate) mod token;
pub(crate) mod warrant;

pub(crate) use api::{Api, Body};
pub(crate) use connection::Connection;
pub(crate) use problem::Problem;
