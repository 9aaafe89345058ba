//! Erase orders (M3). Frozen once given, except towards their end.

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use types::{EnrolmentId, EraseOrderId, Instant, TabletId};

use crate::noun::{by_key, noun};
use crate::schema::erase_orders;
use crate::warrants::OrderState;
use crate::{StoreError, Tx};

noun! {
    /// An order to erase one tablet.
    pub struct EraseOrder in erase_orders keyed by id {
        /// Its id.
        id: EraseOrderId,
        /// The only tablet it erases.
        tablet_id: TabletId,
        /// The only enrolment of it, if the order names one: a tablet that was lent again is another.
        enrolment_id: Option<EnrolmentId>,
        /// `restitution`, `donation`, `retirement` or `theft`.
        cause: String,
        /// Whether it may still carry a command.
        state: OrderState,
        /// The first instant at which the tablet may be erased.
        not_before: Instant,
        /// The first instant at which it no longer may.
        expires_at: Instant,
    }
}

by_key!(erase_orders, EraseOrder, id: EraseOrderId; insert, get);

/// Ends it; `false` if it is not open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: EraseOrderId) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            erase_orders::table
                .filter(erase_orders::id.eq(id.to_string()))
                .filter(erase_orders::state.eq(OrderState::Open.as_str())),
        )
        .set(erase_orders::state.eq(OrderState::Ended.as_str()))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

crate::declared::declares! {
    erase_orders kept as Orders {
        personal(Lending: Loans) { cause, not_before, expires_at }
        not_personal("which tablet, and whether it is over") { id, tablet_id, enrolment_id, state }
    }
}
