//! Tablets that are not supervised, and that the département lets be lent nevertheless: their user can remove them from
//! management, and they cannot be put in lost mode, which is shown.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, ExceptionId, Instant, TabletId};

use crate::noun::{by_key, find_first, noun};
use crate::schema::supervision_exceptions;
use crate::{StoreError, Tx};

noun! {
    /// An exception.
    pub struct SupervisionException in supervision_exceptions keyed by id {
        /// Its id.
        id: ExceptionId,
        /// The tablet.
        tablet_id: TabletId,
        /// Why.
        reason: String,
        /// Who granted it for the département.
        granted_by: AccountId,
        /// When.
        granted_at: Instant,
        /// When it ended.
        ended_at: Option<Instant>,
    }
}

by_key!(supervision_exceptions, SupervisionException, id: ExceptionId; insert, update);

/// The exception that holds for a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<SupervisionException>, StoreError> {
    find_first!(
        tx,
        supervision_exceptions::table
            .filter(supervision_exceptions::tablet_id.eq(tablet.to_string()))
            .filter(supervision_exceptions::ended_at.is_null())
    )
}

crate::declared::declares! {
    supervision_exceptions kept as Equipment {
        personal(AccountsAndAudit: Acts) { granted_by, granted_at, ended_at }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("a number of ours, and a tablet") { id, tablet_id }
    }
}
