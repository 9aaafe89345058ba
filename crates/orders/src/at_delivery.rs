//! The last look at a stored payload, just before a tablet gets it.

use apple::command::{Command, RequestType};
use apple::plist::{self, Dictionary, Value};

use crate::{EnrolmentProfile, NotOrdinary, Ordinary};

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
    /// It would not be queued today.
    #[error("{why}; the row was edited, or the rules have changed since it was queued")]
    NotOrdinary {
        /// Why it would not.
        why: NotOrdinary,
    },
}

/// Reads a stored `Command` dictionary again, compares it with its row, and looks into it as when it was queued
/// (M6): what was put in the queue by hand, or under the rules of an older version, goes no further. `profile` is
/// the one that enrols the tablet.
///
/// # Errors
/// [`NotDeliverable`] when the payload is not of the row's kind, of a kind that is never stored, or not ordinary.
pub fn check_stored(
    row: RequestType,
    payload: &[u8],
    profile: &EnrolmentProfile,
) -> Result<Dictionary, NotDeliverable> {
    if matches!(
        row,
        RequestType::EraseDevice
            | RequestType::EnableLostMode
            | RequestType::PlayLostModeSound
            | RequestType::DeviceLocation
            | RequestType::ClearPasscode
    ) {
        return Err(NotDeliverable::NeverStored { row });
    }
    let dictionary = plist::parse(payload, plist::Limits::CONNECT)
        .map_err(|error| NotDeliverable::Unreadable { row, why: error.to_string() })?;
    match dictionary.get("RequestType").and_then(Value::as_string) {
        Some(kind) if kind == row.as_str() => {}
        kind => {
            return Err(NotDeliverable::OfAnotherKind {
                row,
                payload: kind.unwrap_or("nothing").chars().take(64).collect(),
            });
        }
    }
    let command = Command::from_dictionary(row, &dictionary)
        .map_err(|error| NotDeliverable::Unreadable { row, why: error.to_string() })?;
    Ordinary::check(command, profile).map_err(|why| NotDeliverable::NotOrdinary { why })?;
    Ok(dictionary)
}
