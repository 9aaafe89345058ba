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

pub mod checkin;
pub mod command;
pub mod connect;
mod os_version;
pub mod parts;
pub mod plist;
pub mod wire;

pub use os_version::{InvalidOsVersion, OsVersion};
pub use wire::{Raw, WireError};
