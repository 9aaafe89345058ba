//! How a message is described: each key once, with its type and whether it must be there.
//!
//! The macro `message!` turns such a description into the struct, its reading and writing, and the facts
//! ([`KeyFact`]) that a test compares with Apple's schema. Keys that we do not know survive in `extra`.

mod error;
pub(crate) mod message;
mod raw;
mod values;

pub use error::WireError;
pub(crate) use error::bounded;
pub(crate) use message::message;
pub use raw::Raw;

use crate::plist::Value;

/// One key of a message, as Apple's schema describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFact {
    /// The key's name on the wire.
    pub key: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Whether the schema wants it.
    pub presence: Presence,
}

/// Whether the schema wants a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// The schema calls it required.
    Required,
    /// The schema calls it optional.
    Optional,
    /// The schema does not say (answers to queries: there if asked for).
    Unstated,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Real,
    /// True or false.
    Boolean,
    /// A point in time, to the second.
    Date,
    /// Bytes.
    Data,
    /// A dictionary with known keys.
    Dictionary(&'static [KeyFact]),
    /// A dictionary whose keys are names (of apps, of profiles) and whose values are alike.
    Map(&'static Kind),
    /// A dictionary of anything.
    Open,
    /// An array of values that are alike.
    Array(&'static Kind),
    /// A dictionary that is one of several kinds, told apart by one of its keys.
    Choice(&'static [KeyFact]),
}

/// A type that stands for a value of the wire.
pub(crate) trait Wire: Sized {
    /// What the schema calls it.
    const KIND: Kind;

    /// Reads it from a value.
    fn read(value: &Value) -> Result<Self, WireError>;

    /// Writes it as a value.
    fn write(&self) -> Value;
}
