//! The arithmetic of the audit chain: digests of bodies, entries and seals, and what is wrong with a link. Pure:
//! rows in, findings out.
//!
//! Every field is written with its length before it, and every digest begins with what it is of, so that no two
//! different rows give the same bytes.

use types::Digest;

use super::{Link, Row, Seal};

/// What the first seal names as the one before it.
pub const NO_SEAL: [u8; 32] = [0; 32];

/// Fields in the one way they are written.
struct Fields(Vec<u8>);

impl Fields {
    fn of(what: &str) -> Self {
        Self(Vec::new()).bytes(Some(what.as_bytes()))
    }

    fn bytes(mut self, field: Option<&[u8]>) -> Self {
        match field {
            None => self.0.push(0),
            Some(bytes) => {
                self.0.push(1);
                // No field is longer than 2⁶⁴ bytes.
                self.0.extend(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                self.0.extend(bytes);
            }
        }
        self
    }

    fn text(self, field: Option<&str>) -> Self {
        self.bytes(field.map(str::as_bytes))
    }

    fn number(self, field: i64) -> Self {
        self.bytes(Some(&field.to_be_bytes()))
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

/// The digest of a body under its salt: the reason and the detail, as their columns hold them.
#[must_use]
pub fn body_digest(salt: &[u8], reason: Option<&str>, detail: Option<&str>) -> Digest {
    Fields::of("audit body 1").bytes(Some(salt)).text(reason).text(detail).digest()
}

/// The digest of an entry: everything but its body, and the body's digest.
#[must_use]
pub fn row_digest(row: &Row, body_digest: &Digest) -> Digest {
    Fields::of("audit entry 1")
        .number(row.seq)
        .text(Some(&row.id))
        .number(row.at.as_millis())
        .text(Some(&row.actor))
        .text(Some(&row.action))
        .text(row.tablet.as_deref())
        .text(row.enrolment.as_deref())
        .text(row.order.as_deref())
        .bytes(Some(body_digest.as_bytes()))
        .digest()
}

/// The digest of a batch: its entries' digests, in the order of their places in the log.
#[must_use]
pub fn root(rows: &[Digest]) -> Digest {
    let mut fields = Fields::of("audit batch 1");
    for row in rows {
        fields = fields.bytes(Some(row.as_bytes()));
    }
    fields.digest()
}

/// The digest of a seal, which the next one names.
#[must_use]
pub fn seal_digest(seal: &Seal) -> Digest {
    Fields::of("audit seal 1")
        .number(seal.number)
        .number(i64::from(seal.row_count))
        .number(seal.first_seq)
        .number(seal.last_seq)
        .bytes(Some(seal.root.as_bytes()))
        .bytes(Some(seal.previous.as_bytes()))
        .number(seal.at.as_millis())
        .digest()
}

/// What is wrong with a link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A seal is missing before this one.
    #[error("seal {found} follows where seal {expected} should: seals are missing")]
    SealMissing {
        /// The number that should come.
        expected: i64,
        /// The number that comes.
        found: i64,
    },
    /// The seal names another one before it than the one that stands there.
    #[error("seal {seal} does not follow from the seal before it: one of the two was edited or replaced")]
    SealDoesNotFollow {
        /// Its number.
        seal: i64,
    },
    /// The seal's own digest is not that of its fields.
    #[error("seal {seal} was edited")]
    SealEdited {
        /// Its number.
        seal: i64,
    },
    /// The entries under the seal are not those it was put on.
    #[error(
        "the entries under seal {seal} are not those it was put on: {found} stand there of {sealed}, or one was edited"
    )]
    EntriesDiffer {
        /// Its number.
        seal: i64,
        /// How many were sealed.
        sealed: i32,
        /// How many stand there.
        found: usize,
    },
    /// An entry's body is not the one it was appended with.
    #[error("the reason or detail of entry {seq}, under seal {seal}, was edited")]
    BodyEdited {
        /// The seal's number.
        seal: i64,
        /// The entry's place in the log.
        seq: i64,
    },
}

/// What is wrong with a link, given the seal before it.
#[must_use]
pub fn flaws(previous: Option<&Seal>, link: &Link) -> Vec<Flaw> {
    let Link { seal, rows } = link;
    let mut flaws = Vec::new();
    let expected = previous.map_or(1, |previous| previous.number.saturating_add(1));
    if seal.number != expected {
        flaws.push(Flaw::SealMissing { expected, found: seal.number });
    } else if seal.previous != previous.map_or(Digest::from(NO_SEAL), |previous| previous.digest) {
        flaws.push(Flaw::SealDoesNotFollow { seal: seal.number });
    }
    if seal.digest != seal_digest(seal) {
        flaws.push(Flaw::SealEdited { seal: seal.number });
    }
    for row in rows.iter().filter(|row| !has_its_body(row)) {
        flaws.push(Flaw::BodyEdited { seal: seal.number, seq: row.seq });
    }
    let digests: Vec<Digest> =
        rows.iter().filter_map(|row| row.body_digest.as_ref().map(|body| row_digest(row, body))).collect();
    let bounds = (rows.first().map(|row| row.seq), rows.last().map(|row| row.seq));
    if root(&digests) != seal.root
        || i32::try_from(rows.len()) != Ok(seal.row_count)
        || bounds != (Some(seal.first_seq), Some(seal.last_seq))
    {
        flaws.push(Flaw::EntriesDiffer { seal: seal.number, sealed: seal.row_count, found: rows.len() });
    }
    flaws
}

/// Whether a row holds the body that its digest is of, or none since it was purged.
fn has_its_body(row: &Row) -> bool {
    match (&row.salt, &row.body_digest) {
        (Some(salt), Some(digest)) => {
            body_digest(salt, row.reason.as_deref(), row.detail.as_deref()) == *digest
        }
        (None, Some(_kept)) => row.reason.is_none() && row.detail.is_none(),
        (_, None) => false,
    }
}
