//! One row of the audit log, and what is computed from it.

use sha2::{Digest as _, Sha256};
use types::{Digest, Instant};

/// The body of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// As it was written.
    Kept {
        /// Random bytes, at least 16, without which the digest tells nothing.
        salt: Vec<u8>,
        /// Why, in the actor's words.
        reason: Option<String>,
        /// What else, as the text of the JSON that is stored: byte for byte, not another spelling of it.
        detail: Option<String>,
    },
    /// Emptied, salt and all, because retention said so.
    Purged,
    /// Partly emptied: what no purge does.
    HalfPurged,
}

impl Body {
    /// The body that a row's columns hold.
    #[must_use]
    pub fn from_columns(salt: Option<Vec<u8>>, reason: Option<String>, detail: Option<String>) -> Self {
        match (salt, reason, detail) {
            (Some(salt), reason, detail) => Self::Kept { salt, reason, detail },
            (None, None, None) => Self::Purged,
            (None, _, _) => Self::HalfPurged,
        }
    }
}

/// A row as it is stored, texts as they stand in their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number. Gaps are transactions that were rolled back.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// When it happened.
    pub at: Instant,
    /// Who acted.
    pub actor: String,
    /// What they did.
    pub action: String,
    /// On which tablet.
    pub tablet: Option<String>,
    /// On which enrolment.
    pub enrolment: Option<String>,
    /// Under which warrant, order or decision.
    pub order: Option<String>,
    /// Its reason and detail, if they are still there.
    pub body: Body,
    /// The salted digest of the body, which stays. None only for a row of a program that knew no digests,
    /// until it is sealed.
    pub body_digest: Option<Digest>,
    /// The seal that binds it; none until the sealer has seen it.
    pub seal_number: Option<i64>,
}

/// The digest of a body under its salt: stored with the row, and never changed.
#[must_use]
pub fn body_digest(salt: &[u8], reason: Option<&str>, detail: Option<&str>) -> Digest {
    let mut fields = Fields::of("audit body 1");
    fields.bytes(salt);
    fields.optional(reason);
    fields.optional(detail);
    fields.digest()
}

impl Row {
    /// The digest of the row, body digest and all; none as long as it has no body digest.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        let mut fields = Fields::of("audit entry 1");
        fields.number(self.seq);
        fields.text(&self.id);
        fields.number(self.at.as_millis());
        fields.text(&self.actor);
        fields.text(&self.action);
        fields.optional(self.tablet.as_deref());
        fields.optional(self.enrolment.as_deref());
        fields.optional(self.order.as_deref());
        fields.bytes(self.body_digest?.as_bytes());
        Some(fields.digest())
    }
}

/// SHA-256 over fields. Each says whether it is there and how long it is before what it is, so that no two
/// lists of fields run together alike and nothing is not the empty text; the name of what is digested comes
/// first, so that a row is never taken for a seal.
pub(super) struct Fields(Sha256);

impl Fields {
    pub(super) fn of(what: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(what);
        fields
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        // No memory holds 2^64 bytes.
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update([1]);
        self.0.update(length.to_be_bytes());
        self.0.update(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    pub(super) fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.0.update([0]),
        }
    }

    pub(super) fn digest(self) -> Digest {
        Digest::from(<[u8; 32]>::from(self.0.finalize()))
    }
}
