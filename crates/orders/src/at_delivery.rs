//! The last look at a stored payload, just before a tablet gets it.

use apple::command::RequestType;
use apple::plist::{self, Dictionary, Value};

/// Why a stored payload is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDeliverable {
    /// It cannot be read.
    #[error("the stored payload of this {row} cannot be read: {why}")]
    Unreadable {
        /// The kind that its row says.
        row: RequestType,
        /// What is wrong.
        why: String,
    },
    /// It is not of the kind that its row says.
    #[error("the stored payload says `{payload}` where its row says {row}; the row was edited")]
    OfAnotherKind {
        /// The kind that its row says.
        row: RequestType,
        /// The kind that the payload says.
        payload: String,
    },
    /// Its kind is rendered at delivery, and never stored.
    #[error("{row} is never stored; the row was edited")]
    NeverStored {
        /// The kind that its row says.
        row: RequestType,
    },
}

/// Reads a stored `Command` dictionary again, and compares it with its row (M6).
///
/// # Errors
/// [`NotDeliverable`] when the payload is not of the row's kind, or of a kind that is never stored.
pub fn check_stored(row: RequestType, payload: &[u8]) -> Result<Dictionary, NotDeliverable> {
    if matches!(
        row,
        RequestType::EraseDevice
            | RequestType::EnableLostMode
            | RequestType::DeviceLocation
            | RequestType::ClearPasscode
    ) {
        return Err(NotDeliverable::NeverStored { row });
    }
    let dictionary = plist::parse(payload, plist::Limits::CONNECT)
        .map_err(|error| NotDeliverable::Unreadable { row, why: error.to_string() })?;
    match dictionary.get("RequestType").and_then(Value::as_string) {
        Some(kind) if kind == row.as_str() => Ok(dictionary),
        kind => Err(NotDeliverable::OfAnotherKind {
            row,
            payload: kind.unwrap_or("nothing").chars().take(64).collect(),
        }),
    }
}
