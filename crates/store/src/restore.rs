//! After a restore: what destroys and is older than the restore is void (M5, T-C24). A database of last week
//! must not wipe a tablet that was found and lent again since.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use types::Instant;

use crate::column::read;
use crate::commands::CommandState;
use crate::schema::{commands, enrolment_ends, erase_orders, warrants};
use crate::warrants::OrderState;
use crate::{StoreError, Tx, settings};

const RESTORED_AT: &str = "restored_at";

/// What a restore made void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Voided {
    /// Pending commands that rest on an order. Turning lost mode *off* is ordinary, and is not among them.
    pub commands: usize,
    /// Erase orders that were open.
    pub erase_orders: usize,
    /// Warrants that were open.
    pub warrants: usize,
    /// Recorded ends of enrolments that were not carried out.
    pub enrolment_ends: usize,
}

/// Voids what destroys, and records the instant of the restore. Run once on a restored database, before it is
/// served.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn void_after_restore(tx: &mut Tx<'_>, now: Instant) -> Result<Voided, StoreError> {
    let open = OrderState::Open.as_str();
    let ended = OrderState::Ended.as_str();
    let voided = tx.run(|connection| {
        Ok(Voided {
            commands: diesel::update(
                commands::table.filter(commands::pending.and(commands::gate.ne("ordinary"))),
            )
            .set(commands::state.eq(CommandState::Void.as_str()))
            .execute(connection)?,
            erase_orders: diesel::update(erase_orders::table.filter(erase_orders::state.eq(open)))
                .set(erase_orders::state.eq(ended))
                .execute(connection)?,
            warrants: diesel::update(warrants::table.filter(warrants::state.eq(open)))
                .set(warrants::state.eq(ended))
                .execute(connection)?,
            enrolment_ends: diesel::update(enrolment_ends::table.filter(enrolment_ends::state.eq(open)))
                .set(enrolment_ends::state.eq(ended))
                .execute(connection)?,
        })
    })?;
    settings::set(tx, RESTORED_AT, &now.as_millis().to_string())?;
    Ok(voided)
}

/// When this database was last restored.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn restored_at(tx: &mut Tx<'_>) -> Result<Option<Instant>, StoreError> {
    let Some(text) = settings::get(tx, RESTORED_AT)? else {
        return Ok(None);
    };
    let corrupt = || StoreError::Corrupt { table: "settings", row: RESTORED_AT.to_owned(), column: "value" };
    let millis = text.parse::<i64>().map_err(|_not_a_number| corrupt())?;
    read(millis, "settings", "value", &RESTORED_AT).map(Some)
}
