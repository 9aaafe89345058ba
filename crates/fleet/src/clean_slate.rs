//! What an enrolment leaves behind when it is over: nothing that works.
//!
//! Commands are cancelled, certificates prove nothing, tokens cannot be read, no push goes out (T-A5).

use store::certificates::CertificateState;
use store::enrolments::{Enrolment, EnrolmentState};
use store::{StoreError, Tx};
use types::{EnrolmentEndId, Instant};

/// The same tablet enrols again: the former enrolment is superseded.
pub(crate) fn supersede(tx: &mut Tx<'_>, former: &Enrolment, now: Instant) -> Result<(), StoreError> {
    finish(tx, former, EnrolmentState::Superseded, now)
}

/// The tablet left by itself (CheckOut), or told us that it did.
pub(crate) fn left(tx: &mut Tx<'_>, enrolment: &Enrolment, now: Instant) -> Result<(), StoreError> {
    finish(tx, enrolment, EnrolmentState::Ended, now)
}

/// The tablet left because we decided so: its certificate may be told from now on that it is no longer managed (M4).
pub(crate) fn ended(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    end: EnrolmentEndId,
    now: Instant,
) -> Result<(), StoreError> {
    finish(tx, &Enrolment { end_id: Some(end), ..enrolment.clone() }, EnrolmentState::Ended, now)
}

fn finish(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    state: EnrolmentState,
    now: Instant,
) -> Result<(), StoreError> {
    let over = Enrolment { state, ended_at: Some(now), awaiting_configuration: false, ..enrolment.clone() };
    store::enrolments::update(tx, &over)?;
    store::enrolments::forget_secrets(tx, enrolment.id)?;
    store::certificates::set_state_of_enrolment(tx, enrolment.id, CertificateState::Superseded)?;
    store::commands::cancel_of_enrolment(tx, enrolment.id)?;
    store::push_states::forget(tx, enrolment.id)?;
    store::deliveries::forget(tx, enrolment.id)?;
    Ok(())
}
