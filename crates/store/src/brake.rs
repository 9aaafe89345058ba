//! The switch that stops everything destructive (M5): while it is thrown, no erasure, lost mode or unenrolment is
//! queued or sent, what was queued before included. Turning lost mode off is ordinary, and goes on.

use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
pub use governance::Maker;
use governance::brake::Engaged;
pub use governance::brake::Switch;
use types::Instant;

use crate::schema::brake;
use crate::{StoreError, Tx};

/// The only row.
const THE_SWITCH: i32 = 1;

/// How the switch stands.
///
/// # Errors
/// [`StoreError::Corrupt`] if the table does not say: nothing destructive goes then, either.
pub fn switch(tx: &mut Tx<'_>) -> Result<Switch, StoreError> {
    type Row = (bool, Option<i64>, Option<String>, Option<String>);
    let row: Option<Row> = tx.run(|connection| {
        brake::table
            .find(THE_SWITCH)
            .select((brake::engaged, brake::since, brake::engaged_by, brake::reason))
            .first(connection)
            .optional()
    })?;
    match row {
        Some((false, ..)) => Ok(Switch::Released),
        Some((true, Some(since), Some(by), Some(reason))) => {
            let by = by.parse().map_err(|_nobody| StoreError::Corrupt {
                table: "brake",
                row: THE_SWITCH.to_string(),
                column: "engaged_by",
            })?;
            Ok(Switch::Engaged(Engaged { since: Instant::from_millis(since), by, reason }))
        }
        _ => Err(StoreError::Corrupt { table: "brake", row: THE_SWITCH.to_string(), column: "engaged" }),
    }
}

/// Throws the switch; `false` if it was thrown before, and then it stays as it was. Once the transaction is
/// committed, nothing destructive is sent: what was being sent is waited for.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn throw(tx: &mut Tx<'_>, by: Maker, reason: &str, now: Instant) -> Result<bool, StoreError> {
    let thrown = tx.run(|connection| {
        diesel::update(brake::table.filter(brake::id.eq(THE_SWITCH)).filter(brake::engaged.eq(false)))
            .set((
                brake::engaged.eq(true),
                brake::since.eq(now.as_millis()),
                brake::engaged_by.eq(by.to_string()),
                brake::reason.eq(reason),
            ))
            .execute(connection)
    })?;
    Ok(thrown == 1)
}

/// Releases the switch; `false` if it was not thrown. What waits in the queues goes on then: what should not is
/// to be cancelled before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn release(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let released = tx.run(|connection| {
        diesel::update(brake::table.filter(brake::id.eq(THE_SWITCH)).filter(brake::engaged.eq(true)))
            .set((
                brake::engaged.eq(false),
                brake::since.eq(None::<i64>),
                brake::engaged_by.eq(None::<String>),
                brake::reason.eq(None::<String>),
            ))
            .execute(connection)
    })?;
    Ok(released == 1)
}

crate::declared::declares! {
    brake kept as Evidence {
        personal(AccountsAndAudit: Acts) { since, engaged_by }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("how the switch stands") { id, engaged }
    }
}
