//! Floor 1: Apple's wire.
//!
//! Bytes of a tablet become typed values here, and typed values become bytes for a tablet. No I/O, no
//! clock. Everything goes through [`plist`], which is bounded, and is described once with its keys and
//! types, which a test compares with Apple's published schema. Keys that we do not know survive in each
//! message's `extra`; secrets, positions and personal numbers never show in `Debug`.
//!
//! - [`checkin`]: what tablets send to the check-in URL, and the answers.
//! - [`connect`]: what tablets report to the connect URL.
//! - [`command`]: what we send them, and what they answer.
//! - [`inventory`]: what we ask, and what we never ask.
//! - [`profile`]: configuration profiles: the one that enrols, and what any can do to a tablet.
//! - [`ddm`], [`status_report`], [`machine_info`], [`refusal`]: the declarative protocol, automated enrolment, Apple's
//!   403.

pub mod checkin;
pub mod command;
pub mod connect;
pub mod ddm;
pub mod inventory;
pub mod machine_info;
mod os_version;
pub mod package;
pub mod parts;
pub mod plist;
pub mod profile;
pub mod refusal;
pub mod status_report;
pub mod wire;

#[cfg(test)]
mod tests;

pub use os_version::{InvalidOsVersion, OsVersion};
pub use wire::{Raw, WireError};
