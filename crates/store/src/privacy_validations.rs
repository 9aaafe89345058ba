//! The DPO's validations of entries of the register of processing activities (C3.1.6). Each is of exactly one
//! content, known by its digest: what is stored changes, and the validation is worth nothing for it.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Instant, ValidationId};

use crate::noun::{by_key, noun, read_all};
use crate::schema::privacy_validations;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A validation.
    pub struct Validation in privacy_validations keyed by id {
        /// Its id.
        id: ValidationId,
        /// The activity whose entry was validated.
        activity: String,
        /// SHA-256 of the entry.
        entry_sha256: Digest,
        /// The DPO who validated it.
        validated_by: AccountId,
        /// When.
        validated_at: Instant,
        /// When it was withdrawn.
        withdrawn_at: Option<Instant>,
        /// Who withdrew it.
        withdrawn_by: Option<AccountId>,
    }
}

by_key!(privacy_validations, Validation, id: ValidationId; insert, get);

/// The validation in force of exactly that entry.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn in_force(
    tx: &mut Tx<'_>,
    activity: &str,
    entry_sha256: &Digest,
) -> Result<Option<Validation>, StoreError> {
    tx.run(|connection| {
        privacy_validations::table
            .filter(privacy_validations::activity.eq(activity))
            .filter(privacy_validations::entry_sha256.eq(entry_sha256.to_string()))
            .filter(privacy_validations::withdrawn_at.is_null())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// Every validation that was not withdrawn, whatever entry it was of, in the order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn not_withdrawn(tx: &mut Tx<'_>) -> Result<Vec<Validation>, StoreError> {
    read_all!(tx.run(|connection| {
        privacy_validations::table
            .filter(privacy_validations::withdrawn_at.is_null())
            .order(privacy_validations::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// At most `limit` validations, the newest first, from the first one before `before`; of one activity only, if
/// one is given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    activity: Option<&str>,
    before: Option<ValidationId>,
    limit: u32,
) -> Result<Vec<Validation>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = privacy_validations::table
            .filter(privacy_validations::id.lt(before))
            .order(privacy_validations::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(activity) = activity {
            query = query.filter(privacy_validations::activity.eq(activity));
        }
        query.load::<Stored>(connection)
    }))
}

/// Withdraws a validation: the activity is off from now on. `false` if it was withdrawn before.
///
/// # Errors
/// [`StoreError::Refused`] if it would be withdrawn before it was given.
pub fn withdraw(tx: &mut Tx<'_>, id: ValidationId, by: AccountId, now: Instant) -> Result<bool, StoreError> {
    let withdrawn = tx.run(|connection| {
        diesel::update(
            privacy_validations::table
                .filter(privacy_validations::id.eq(id.to_string()))
                .filter(privacy_validations::withdrawn_at.is_null()),
        )
        .set((
            privacy_validations::withdrawn_at.eq(now.as_millis()),
            privacy_validations::withdrawn_by.eq(by.to_string()),
        ))
        .execute(connection)
    })?;
    Ok(withdrawn == 1)
}
