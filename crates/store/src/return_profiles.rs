//! The profile with which a tablet that was erased by order returns to service: whoever enrols with it brings the token of
//! that order (M3). Frozen once rendered.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{EnrolmentId, EraseOrderId, Instant};

use crate::noun::{by_key, find_all, find_first, noun};
use crate::schema::return_profiles;
use crate::{StoreError, Tx};

noun! {
    /// The profile of a return to service.
    pub struct ReturnProfile in return_profiles keyed by enrolment_id {
        /// The enrolment that its challenge leads to.
        enrolment_id: EnrolmentId,
        /// The order that it was rendered for.
        order_id: EraseOrderId,
        /// When it was first rendered. Its challenges come and go; the enrolment stays.
        rendered_at: Instant,
    }
}

by_key!(return_profiles, ReturnProfile, enrolment_id: EnrolmentId; insert, get);

/// The profile of an order, if one was rendered.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_order(tx: &mut Tx<'_>, order: EraseOrderId) -> Result<Option<ReturnProfile>, StoreError> {
    find_first!(tx, return_profiles::table.filter(return_profiles::order_id.eq(order.to_string())))
}

/// As [`of_order`], for many, in no order: one statement, or none for no order.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_orders(
    tx: &mut Tx<'_>,
    orders: impl IntoIterator<Item = EraseOrderId>,
) -> Result<Vec<ReturnProfile>, StoreError> {
    let orders = orders.into_iter().map(|one| one.to_string()).collect();
    find_all!(tx, return_profiles, orders, return_profiles::order_id)
}

crate::declared::declares! {
    return_profiles kept as Orders {
        not_personal("which order leads to which enrolment") { enrolment_id, order_id, rendered_at }
    }
}
