//! Floor 1: Android's wire.
//!
//! What the open agent (Headwind MDM's, as it is published) sends becomes typed values here, and what was decided becomes the
//! bytes that it expects. No I/O, no clock, no chance: whoever calls hands them in. What a tablet sends is bounded before it
//! is read, and no error repeats a value of it.
//!
//! - [`agent`]: the agent's requests and answers, its signatures, and the code that enrols it.
//! - [`command`]: what it is told to do once, from the queue to its confirmation.
//! - [`capability`]: what it does of what a département wants, and the reason for what it does not.
//! - [`json`]: the bounded reader.
//!
//! Google's management API has its place beside [`agent`], in a module of its own.

pub mod agent;
mod api_level;
pub mod capability;
pub mod command;
mod error;
pub mod json;
mod words;

#[cfg(test)]
mod tests;

pub use api_level::{ApiLevel, NotAnAndroid};
pub use error::WireError;
pub use words::Words;
