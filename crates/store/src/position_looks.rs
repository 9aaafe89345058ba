//! Each look at a position that was kept: who, when and why (M1). It stays when the position cannot be read any more.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, CommandId, Instant, PositionLookId};

use crate::noun::{by_key, noun, read_all};
use crate::schema::position_looks;
use crate::{StoreError, Tx};

noun! {
    /// A look at a position.
    pub struct PositionLook in position_looks keyed by id {
        /// Its id.
        id: PositionLookId,
        /// The position, by the command that asked for it.
        command_id: CommandId,
        /// Who looked.
        looked_by: AccountId,
        /// Why.
        reason: String,
        /// When.
        looked_at: Instant,
    }
}

by_key!(position_looks, PositionLook, id: PositionLookId; insert);

/// The looks at a position, the first one first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, position: CommandId) -> Result<Vec<PositionLook>, StoreError> {
    read_all!(tx.run(|connection| {
        position_looks::table
            .filter(position_looks::command_id.eq(position.to_string()))
            .order(position_looks::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    position_looks kept as Orders {
        personal(Geolocation: LocationMeasures) { looked_by, reason, looked_at }
        not_personal("numbers of ours") { id, command_id }
    }
}
