//! CheckOut: the user removed the management. The tablet has left by itself; we did not tell it to.

use apple::checkin::CheckOut;
use pki::DeviceIdentity;
use types::Instant;

use super::bound;
use crate::standing::Moment;
use crate::watch::{self, AlarmKind};
use crate::{Fleet, Reply, TabletError, clean_slate};

/// The enrolment ends without a recorded end, so that nothing later tells the tablet it was unenrolled (M4);
/// the unexpected removal raises an alarm (C5.3.2).
pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: CheckOut,
    now: Instant,
) -> Result<Reply, TabletError> {
    let identity = identity.clone();
    fleet
        .store()
        .write(move |tx| {
            let bound = bound(tx, &identity, message.udid.as_ref(), Moment::Message("CheckOut"), now)?;
            clean_slate::left(tx, &bound.enrolment, now)?;
            let subject = watch::Subject::enrolment(&bound.enrolment);
            watch::raise(tx, AlarmKind::ManagementRemoved, &subject, serde_json::json!({}), now)?;
            Ok::<_, TabletError>(())
        })
        .await?;
    Ok(Reply::Empty)
}
