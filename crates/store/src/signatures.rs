//! What users and guardians said to a text of the agreement: they signed it, or object (C5.2.1). Never changed; the latest
//! word of each counts.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use lending::agreement::{Evidence, Signatory, Signature as Said, Stance};
use types::{AccountId, AgreementTextId, Day, Instant, PersonId, SignatureId};

use crate::column::stored_enum;
use crate::noun::{by_key, noun, read_all};
use crate::schema::signatures;
use crate::{StoreError, Tx};

stored_enum! {
    /// What is kept of the paper.
    EvidenceKind {
        /// The reference under which the collège keeps it.
        Kept = "kept",
        /// The digest of its scan.
        Scan = "scan",
    }
}

noun! {
    /// A signature, or an opposition.
    pub struct Signature in signatures keyed by id {
        /// Its id.
        id: SignatureId,
        /// The text.
        text_id: AgreementTextId,
        /// The user whom it is about.
        person_id: PersonId,
        /// Who spoke.
        signatory: Signatory,
        /// What they said.
        stance: Stance,
        /// On which day.
        signed_on: Day,
        /// What is kept of the paper.
        evidence_kind: EvidenceKind,
        /// The reference, or the digest; empty once the person is forgotten.
        evidence: String,
        /// Who recorded it.
        recorded_by: AccountId,
        /// When.
        recorded_at: Instant,
    }
}

by_key!(signatures, Signature, id: SignatureId; insert);

impl Signature {
    /// The row of what somebody said.
    #[must_use]
    pub fn of(
        id: SignatureId,
        person: PersonId,
        said: &Said,
        (recorded_by, recorded_at): (AccountId, Instant),
    ) -> Self {
        let (evidence_kind, evidence) = match &said.evidence {
            Evidence::Kept(reference) => (EvidenceKind::Kept, reference.as_str().to_owned()),
            Evidence::Scan(digest) => (EvidenceKind::Scan, digest.to_string()),
        };
        Self {
            id,
            text_id: said.text,
            person_id: person,
            signatory: said.signatory,
            stance: said.stance,
            signed_on: said.on,
            evidence_kind,
            evidence,
            recorded_by,
            recorded_at,
        }
    }

    /// What was said, as the rules look at it; `None` once its evidence is forgotten.
    #[must_use]
    pub fn said(&self) -> Option<Said> {
        let evidence = match self.evidence_kind {
            EvidenceKind::Kept => Evidence::Kept(self.evidence.parse().ok()?),
            EvidenceKind::Scan => Evidence::Scan(self.evidence.parse().ok()?),
        };
        Some(Said {
            text: self.text_id,
            signatory: self.signatory,
            stance: self.stance,
            on: self.signed_on,
            evidence,
        })
    }
}

/// What was said of a person, text by text, in the order it was recorded.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Signature>, StoreError> {
    read_all!(tx.run(|connection| {
        signatures::table
            .filter(signatures::person_id.eq(person.to_string()))
            .order(signatures::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    signatures kept as Loans {
        personal(Lending: Loans) { text_id, person_id, signatory, stance, signed_on, evidence_kind }
        personal(Lending: Reasons) { evidence }
        personal(AccountsAndAudit: Acts) { recorded_by, recorded_at }
        not_personal("a number of ours") { id }
    }
}
