//! Seals, and the anchors that are kept of them elsewhere.

use std::fmt;
use std::str::FromStr;

use types::{Digest, Instant, InvalidName};

use super::row::{Fields, Row};
use crate::BadRow;

/// What binds a batch of rows to everything before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its number; the first is 1.
    pub number: i64,
    /// How many rows it binds.
    pub row_count: u32,
    /// The lowest number among them.
    pub first_seq: i64,
    /// The highest.
    pub last_seq: i64,
    /// The digest of the digests of its rows, in the order of their numbers.
    pub root: Digest,
    /// The digest of the seal before it; of 32 zero bytes for the first.
    pub previous: Digest,
    /// The digest of all the other fields.
    pub digest: Digest,
    /// When it was set.
    pub at: Instant,
}

/// What stands before the first seal.
pub(super) fn nothing_before() -> Digest {
    Digest::from([0; 32])
}

impl Seal {
    /// The seal that comes next: over rows that were committed and have none. `None` if there are none.
    ///
    /// # Errors
    /// [`BadRow`] for a row without a body digest: it is given one first.
    pub fn next(previous: Option<&Self>, rows: &[Row], at: Instant) -> Result<Option<Self>, BadRow> {
        let rows = in_order(rows);
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
        if let Some(row) = rows.iter().find(|row| row.body_digest.is_none()) {
            return Err(BadRow::new("audit entry", row.seq, "its body has no digest"));
        }
        let mut seal = Self {
            number: previous.map_or(1, |seal| seal.number.saturating_add(1)),
            row_count: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            first_seq: first.seq,
            last_seq: last.seq,
            root: root(&rows),
            previous: previous.map_or_else(nothing_before, |seal| seal.digest),
            digest: nothing_before(),
            at,
        };
        seal.digest = seal.computed();
        Ok(Some(seal))
    }

    /// The digest that its other fields have.
    #[must_use]
    pub fn computed(&self) -> Digest {
        let mut fields = Fields::of("audit seal 1");
        fields.number(self.number);
        fields.number(i64::from(self.row_count));
        fields.number(self.first_seq);
        fields.number(self.last_seq);
        fields.bytes(self.root.as_bytes());
        fields.bytes(self.previous.as_bytes());
        fields.number(self.at.as_millis());
        fields.digest()
    }

    /// What to keep of it elsewhere: on paper, with the académie, in another building.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        Anchor { number: self.number, digest: self.digest }
    }
}

pub(super) fn in_order(rows: &[Row]) -> Vec<&Row> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|row| row.seq);
    rows
}

pub(super) fn root(rows: &[&Row]) -> Digest {
    let mut fields = Fields::of("audit batch 1");
    for digest in rows.iter().filter_map(|row| row.digest()) {
        fields.bytes(digest.as_bytes());
    }
    fields.digest()
}

/// The number and digest of a seal, kept elsewhere. Shown as `42:9f86d0…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Of the seal.
    pub number: i64,
    /// Of the seal.
    pub digest: Digest,
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.digest)
    }
}

impl FromStr for Anchor {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let read = text.trim().split_once(':').and_then(|(number, digest)| {
            Some(Self {
                number: number.parse().ok().filter(|number| *number >= 1)?,
                digest: digest.parse().ok()?,
            })
        });
        read.ok_or_else(|| InvalidName::new("anchor", "a number, a colon and 64 hexadecimal digits", text))
    }
}
