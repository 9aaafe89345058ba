//! The DPO's validations of entries of the register of processing activities (C3.1.6). Each is of exactly one
//! content, known by its digest: what is stored changes, and the validation is worth nothing for it.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use privacy::{Activity, StoredColumns, Validation, Withdrawal};
use types::{AccountId, Instant, ValidationId};

use crate::column::Column as _;
use crate::noun::noun;
use crate::schema::privacy_validations;
use crate::{Digest, StoreError, Tx};

noun! {
    /// A validation, column by column.
    pub(crate) struct Row in privacy_validations keyed by id {
        /// Its id.
        id: ValidationId,
        /// The activity whose entry was validated.
        activity: Activity,
        /// SHA-256 of the entry.
        entry_sha256: Digest,
        /// What the entry stored then, so that one can say what changed since.
        stored: StoredColumns,
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

fn typed(stored: Stored) -> Result<Validation, StoreError> {
    let row = stored.read()?;
    let withdrawn = row.withdrawn_by.zip(row.withdrawn_at).map(|(by, at)| Withdrawal { by, at });
    #[expect(clippy::disallowed_methods, reason = "this is the row")]
    let validation = Validation::from_row(
        row.id,
        row.activity,
        row.entry_sha256,
        row.stored,
        row.validated_by,
        row.validated_at,
        withdrawn,
    );
    Ok(validation)
}

/// Records a validation that a DPO has just decided.
///
/// # Errors
/// [`StoreError::Duplicate`] if that very entry is validated; [`StoreError::Refused`] if it is not a DPO's.
pub fn insert(tx: &mut Tx<'_>, validation: &Validation) -> Result<(), StoreError> {
    let withdrawn = validation.withdrawn();
    let stored = Stored::of(&Row {
        id: validation.id(),
        activity: validation.activity(),
        entry_sha256: validation.digest(),
        stored: validation.stored().clone(),
        validated_by: validation.by(),
        validated_at: validation.at(),
        withdrawn_at: withdrawn.map(|withdrawal| withdrawal.at),
        withdrawn_by: withdrawn.map(|withdrawal| withdrawal.by),
    });
    tx.run(|connection| diesel::insert_into(privacy_validations::table).values(stored).execute(connection))?;
    Ok(())
}

/// The validation with that id.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn get(tx: &mut Tx<'_>, id: ValidationId) -> Result<Option<Validation>, StoreError> {
    tx.run(|connection| {
        privacy_validations::table
            .find(id.to_string())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(typed)
    .transpose()
}

/// The validation in force of exactly that entry.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn in_force(
    tx: &mut Tx<'_>,
    activity: Activity,
    entry_sha256: &Digest,
) -> Result<Option<Validation>, StoreError> {
    tx.run(|connection| {
        privacy_validations::table
            .filter(privacy_validations::activity.eq(activity.stored()))
            .filter(privacy_validations::entry_sha256.eq(entry_sha256.to_string()))
            .filter(privacy_validations::withdrawn_at.is_null())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(typed)
    .transpose()
}

/// Every validation that was not withdrawn, whatever entry it was of, in the order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn not_withdrawn(tx: &mut Tx<'_>) -> Result<Vec<Validation>, StoreError> {
    let rows = tx.run(|connection| {
        privacy_validations::table
            .filter(privacy_validations::withdrawn_at.is_null())
            .order(privacy_validations::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    })?;
    rows.into_iter().map(typed).collect()
}

/// At most `limit` validations, the newest first, from the first one before `before`; of one activity only, if
/// one is given.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    activity: Option<Activity>,
    before: Option<ValidationId>,
    limit: u32,
) -> Result<Vec<Validation>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    let rows = tx.run(|connection| {
        let mut query = privacy_validations::table
            .filter(privacy_validations::id.lt(before))
            .order(privacy_validations::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(activity) = activity {
            query = query.filter(privacy_validations::activity.eq(activity.stored()));
        }
        query.load::<Stored>(connection)
    })?;
    rows.into_iter().map(typed).collect()
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

crate::declared::declares! {
    privacy_validations kept as Evidence {
        personal(AccountsAndAudit: Acts) { validated_by, validated_at, withdrawn_at, withdrawn_by }
        not_personal("which entry, and what it stored") { id, activity, entry_sha256, stored }
    }
}
