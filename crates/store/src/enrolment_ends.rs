//! Recorded ends of enrolments (M4). Frozen once decided, except towards their end.

use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::RecordedEnd;
use types::{DestructionKind, EnrolmentEndId, EnrolmentId, Instant};

use crate::noun::{by_key, noun};
use crate::schema::enrolment_ends;
use crate::warrants::OrderState;
use crate::{StoreError, Tx, brake, destructions, enrolments};

noun! {
    /// The recorded decision to end an enrolment.
    pub struct EnrolmentEnd in enrolment_ends keyed by id {
        /// Its id.
        id: EnrolmentEndId,
        /// The only enrolment it ends.
        enrolment_id: EnrolmentId,
        /// Why.
        reason: String,
        /// When it was decided.
        decided_at: Instant,
        /// Who decided, as the audit log names them.
        decided_by: String,
        /// Whether it may still carry a command.
        state: OrderState,
    }
}

by_key!(enrolment_ends, EnrolmentEnd, id: EnrolmentEndId; insert, get);

/// The open end of an enrolment as its row holds it, to be checked by [`lending::EnrolmentEnd::read_back`];
/// `None` if nobody decided one, it is over, or the enrolment has no tablet, and also while the brake stands in
/// its way: its switch is thrown, or it has not counted this end, or holds it (M5).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn recorded(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<RecordedEnd>, StoreError> {
    if brake::switch(tx)? != brake::Switch::Released {
        return Ok(None);
    }
    let_go(tx, enrolment)
}

/// As [`recorded`], however the switch stands: for what a tablet says it has done. To write down what happened destroys
/// nothing, and a tablet that has left must not count as enrolled because the switch was thrown meanwhile.
///
/// # Errors
/// [`StoreError::Corrupt`].
#[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
pub fn let_go(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<Option<RecordedEnd>, StoreError> {
    let row = tx
        .run(|connection| {
            enrolment_ends::table
                .filter(enrolment_ends::enrolment_id.eq(enrolment.to_string()))
                .filter(enrolment_ends::state.eq(OrderState::Open.as_str()))
                .order(enrolment_ends::id.desc())
                .select(Stored::as_select())
                .first(connection)
                .optional()
        })?
        .map(Stored::read)
        .transpose()?;
    if let Some(row) = &row
        && !destructions::is_let_go(tx, DestructionKind::Unenrol, &row.id.to_string())?
    {
        return Ok(None);
    }
    let tablet = enrolments::get(tx, &enrolment)?.and_then(|enrolment| enrolment.tablet_id);
    Ok(row.zip(tablet).map(|(row, tablet)| RecordedEnd::from_row(row.id, enrolment, tablet, row.decided_at)))
}

/// Whether an end of this enrolment was decided and stands, be it that the brake holds it.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_decided(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<bool, StoreError> {
    let open: i64 = tx.run(|connection| {
        enrolment_ends::table
            .filter(enrolment_ends::enrolment_id.eq(enrolment.to_string()))
            .filter(enrolment_ends::state.eq(OrderState::Open.as_str()))
            .count()
            .get_result(connection)
    })?;
    Ok(open > 0)
}

/// Ends it; `false` if it is not open.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn end(tx: &mut Tx<'_>, id: EnrolmentEndId) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(
            enrolment_ends::table
                .filter(enrolment_ends::id.eq(id.to_string()))
                .filter(enrolment_ends::state.eq(OrderState::Open.as_str())),
        )
        .set(enrolment_ends::state.eq(OrderState::Ended.as_str()))
        .execute(connection)
    })?;
    Ok(ended == 1)
}

crate::declared::declares! {
    enrolment_ends kept as Equipment {
        personal(AccountsAndAudit: Acts) { decided_at, decided_by }
        personal(AccountsAndAudit: Reasons) { reason }
        not_personal("which enrolment, and whether it is over") { id, enrolment_id, state }
    }
}
