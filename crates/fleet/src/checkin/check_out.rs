//! CheckOut: the management was removed, by our decision or by the user.

use apple::checkin::CheckOut;
use pki::DeviceIdentity;
use types::Instant;

use super::bound;
use crate::standing::Moment;
use crate::watch::{self, AlarmKind};
use crate::{Fleet, Reply, TabletError, clean_slate, unenrolment};

/// After our decision, the enrolment is over by it. Otherwise it ends without a recorded end, so that nothing later tells
/// the tablet it was unenrolled (M4); the unexpected removal raises an alarm (C5.3.2).
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
            if unenrolment::finish(tx, &bound.enrolment, now)? {
                return Ok(());
            }
            clean_slate::left(tx, &bound.enrolment, now)?;
            let subject = watch::Subject::enrolment(&bound.enrolment);
            watch::raise(tx, AlarmKind::ManagementRemoved, &subject, serde_json::json!({}), now)?;
            Ok::<_, TabletError>(())
        })
        .await?;
    Ok(Reply::Empty)
}
