//! What one tablet is given out of what its segment shares: without what is withheld from it now, and with the addresses
//! that are its own.

use apple::command::InstallApplication;
use apple::ddm::DeclarationKind;
use profiles::segment::Plan;
use store::{StoreError, Tx, apps, deliveries, segments};
use types::{EnrolmentId, Instant, Platform};

use crate::apps::delivery;
use crate::{Fleet, TabletError};

/// What is declared for a tablet, and since when; `None` if it is in no segment.
///
/// # Errors
/// When the memory fails.
pub(crate) fn declared(
    tx: &mut Tx<'_>,
    enrolment: EnrolmentId,
) -> Result<Option<(Plan, Instant)>, TabletError> {
    let Some(segment) = segments::of_enrolment(tx, enrolment)? else { return Ok(None) };
    let Some(delivery) = deliveries::get(tx, enrolment)? else {
        return Ok(Some((segment.plan()?, segment.changed_at)));
    };
    let known = delivery.known()?;
    let changed_at = if known.withheld.is_empty() { segment.changed_at } else { delivery.updated_at };
    Ok(Some((segment.plan()?.without(&known.withheld), changed_at)))
}

/// A declaration of that kind and name, as this tablet is answered; `None` if it is given none, or an app is not given
/// out as it was decided.
///
/// # Errors
/// When the memory fails.
pub(crate) fn declaration(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    enrolment: EnrolmentId,
    (kind, identifier): (DeclarationKind, &str),
    now: Instant,
) -> Result<Option<Vec<u8>>, TabletError> {
    let Some((mut plan, _at)) = declared(tx, enrolment)? else { return Ok(None) };
    if let Some(decided) = plan.declared_apps.get(identifier) {
        let app = apps::by_bundle(tx, Platform::Ipad, &decided.bundle)?;
        let found = plan.declarations.iter_mut().find(|one| one.identifier == identifier);
        let Some(shared) = found else { return Ok(None) };
        let payload = shared.payload.clone();
        match delivery::managed_payload(fleet, app.as_ref(), decided, payload, enrolment, now) {
            Ok(payload) => shared.payload = payload,
            Err(why) => {
                tracing::warn!(enrolment = %enrolment, %why, "an app is not given out as it was decided");
                return Ok(None);
            }
        }
    }
    Ok(plan.declaration(kind, identifier))
}

/// The command that installs an app of the segment that the tablet is in now; or why it is not sent.
///
/// # Errors
/// When the memory fails.
pub(crate) fn installation(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    enrolment: EnrolmentId,
    bundle: &str,
    now: Instant,
) -> Result<Result<InstallApplication, String>, StoreError> {
    let Some(segment) = segments::of_enrolment(tx, enrolment)? else {
        return Ok(Err("the tablet is in no segment any more".to_owned()));
    };
    let plan = segment.plan()?;
    let Some(decided) = plan.apps.iter().find(|app| app.bundle == bundle) else {
        return Ok(Err("the tablet is no longer given this app".to_owned()));
    };
    let app = apps::by_bundle(tx, Platform::Ipad, bundle)?;
    Ok(delivery::install_body(fleet, app.as_ref(), decided, enrolment, now).map_err(|why| why.to_string()))
}
