//! Texts of the agreement of loan, by school year (C5.2.1, C9.1). Published once, never changed: another is another text.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::agreement::GuardiansNeeded;
use types::{AccountId, AgreementTextId, Digest, Instant};

use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::agreement_texts;
use crate::{StoreError, Tx};

noun! {
    /// A text.
    pub struct AgreementText in agreement_texts keyed by id {
        /// Its id.
        id: AgreementTextId,
        /// Its school year.
        school_year: String,
        /// Its number in that year, from 1.
        number: i32,
        /// What it is called.
        title: String,
        /// What is signed.
        body: String,
        /// The digest of that.
        body_sha256: Digest,
        /// How many of a pupil's guardians must sign it.
        guardians_needed: GuardiansNeeded,
        /// Who published it.
        published_by: AccountId,
        /// When.
        published_at: Instant,
    }
}

by_key!(agreement_texts, AgreementText, id: AgreementTextId; insert, get);

/// The text of a year that was published last: the one that counts.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn in_force(tx: &mut Tx<'_>, school_year: &str) -> Result<Option<AgreementText>, StoreError> {
    find_first!(
        tx,
        agreement_texts::table
            .filter(agreement_texts::school_year.eq(school_year))
            .order(agreement_texts::number.desc())
    )
}

/// At most `limit` texts in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    after: Option<AgreementTextId>,
    limit: u32,
) -> Result<Vec<AgreementText>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        agreement_texts::table
            .filter(agreement_texts::id.gt(after))
            .order(agreement_texts::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    agreement_texts kept as Organisations {
        personal(AccountsAndAudit: Acts) { published_by, published_at }
        not_personal("what everybody is asked to sign") {
            id, school_year, number, title, body, body_sha256, guardians_needed,
        }
    }
}
