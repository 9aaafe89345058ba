//! Rows that no decision of ours can have written.

use std::fmt::Display;

/// A row that proves nothing: it was edited, or something else wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row of {noun} {id} proves nothing: {why}; it was edited")]
pub struct BadRow {
    noun: &'static str,
    id: String,
    why: &'static str,
}

impl BadRow {
    pub(crate) fn new(noun: &'static str, id: impl Display, why: &'static str) -> Self {
        Self { noun, id: id.to_string(), why }
    }
}
