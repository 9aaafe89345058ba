//! Rotation of the vault's key: everything that an older key sealed is sealed again with the current one, a
//! few rows at a time, after which the older key can leave the key file.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};

use crate::schema::{
    accounts, authorities, enrolments, incident_declarations, list_changes, organisations, persons,
    profile_versions, push_certificates, segment_payloads, takeovers,
};
use crate::{RowName, StoreError, Tx, Vault};

/// Where a rotation stands. Begin with the default, go on with what [`reseal`] returns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The number of the column that is at work.
    column: usize,
    /// The row after which to go on.
    after: String,
    /// How many values were sealed again so far.
    pub resealed: usize,
    /// Whether everything is sealed with the current key.
    pub complete: bool,
}

/// One sealed column: how many there are is what `COLUMNS` says, in the order of `step`.
macro_rules! sealed_columns {
    ($($number:literal => $table:ident.$column:ident,)*) => {
        const COLUMNS: usize = [$($number),*].len();

        fn load(tx: &mut Tx<'_>, column: usize, after: &str, limit: i64) -> Result<Vec<Found>, StoreError> {
            match column {
                $($number => tx.run(|connection| {
                    $table::table
                        .filter($table::id.gt(after))
                        .filter($table::$column.is_not_null())
                        .order($table::id.asc())
                        .limit(limit)
                        .select(($table::id, diesel::NullableExpressionMethods::nullable($table::$column)))
                        .load(connection)
                }),)*
                _ => Ok(Vec::new()),
            }
        }

        fn save(tx: &mut Tx<'_>, column: usize, row: &str, sealed: Vec<u8>) -> Result<(), StoreError> {
            match column {
                $($number => tx.run(|connection| {
                    diesel::update($table::table.find(row)).set($table::$column.eq(sealed)).execute(connection)
                })?,)*
                _ => 0,
            };
            Ok(())
        }

        fn place(column: usize, row: &str) -> Option<RowName> {
            match column {
                $($number => Some(RowName::new(stringify!($table), stringify!($column), &row)),)*
                _ => None,
            }
        }
    };
}

type Found = (String, Option<Vec<u8>>);

sealed_columns! {
    0 => authorities.key_sealed,
    1 => push_certificates.key_sealed,
    2 => enrolments.push_token_sealed,
    3 => enrolments.push_magic_sealed,
    4 => enrolments.unlock_token_sealed,
    5 => enrolments.bootstrap_token_sealed,
    6 => takeovers.push_token_sealed,
    7 => takeovers.push_magic_sealed,
    8 => takeovers.unlock_token_sealed,
    9 => organisations.wifi_sealed,
    10 => accounts.password_sealed,
    11 => accounts.totp_sealed,
    12 => profile_versions.content_sealed,
    13 => incident_declarations.circumstances_sealed,
    14 => segment_payloads.signed_sealed,
    15 => persons.name_sealed,
    16 => persons.contacts_sealed,
    17 => list_changes.entry_sealed,
    18 => list_changes.before_sealed,
}

/// Looks at the next `rows` values at most and seals again those that an older key sealed.
///
/// # Errors
/// [`StoreError::Sealed`] if a value opens with no key of the file: put the older key back below.
pub fn reseal(tx: &mut Tx<'_>, from: &Progress, rows: u32) -> Result<Progress, StoreError> {
    let mut progress = from.clone();
    let found = load(tx, progress.column, &progress.after, i64::from(rows))?;
    if found.is_empty() {
        progress.column += 1;
        progress.after.clear();
        progress.complete = progress.column >= COLUMNS;
        return Ok(progress);
    }
    for (row, sealed) in found {
        if let (Some(sealed), Some(place)) = (sealed, place(progress.column, &row))
            && tx.vault().is_outdated(&sealed)
        {
            let opened = tx.vault().open(&sealed, &place)?;
            let again = tx.vault().seal(opened.expose(), &place)?;
            save(tx, progress.column, &row, again)?;
            progress.resealed += 1;
        }
        progress.after = row;
    }
    Ok(progress)
}

/// How many values each key seals, by the key's id. Looks at everything, a few rows at a time.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn sealed_by(tx: &mut Tx<'_>) -> Result<BTreeMap<String, u64>, StoreError> {
    /// Rows in one read.
    const BATCH: i64 = 1_000;
    let mut counts = BTreeMap::new();
    for column in 0..COLUMNS {
        let mut after = String::new();
        loop {
            let found = load(tx, column, &after, BATCH)?;
            let Some((last, _)) = found.last() else { break };
            after.clone_from(last);
            for id in found.iter().filter_map(|(_row, sealed)| Vault::sealed_by(sealed.as_deref()?)) {
                *counts.entry(id).or_insert(0) += 1;
            }
        }
    }
    Ok(counts)
}
