//! Authenticate: a tablet asks to enrol, and is bound to the certificate it proves.

use apple::checkin::Authenticate;
use pki::DeviceIdentity;
use store::Tx;
use store::enrolments::{Enrolment, EnrolmentState};
use store::links::{Link, LinkKind};
use store::tablets::Tablet;
use types::{EnrolmentKind, Instant, Platform, RuleId, Udid};

use super::{Bound, bound};
use crate::lending::erasures;
use crate::standing::{Admission, Moment};
use crate::{Fleet, Reply, TabletError, clean_slate, watch};

pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: Authenticate,
    now: Instant,
) -> Result<Reply, TabletError> {
    let identity = identity.clone();
    fleet.store().write_held(move |tx| enrol(tx, &identity, &message, now)).await?;
    Ok(Reply::Empty)
}

fn enrol(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    message: &Authenticate,
    now: Instant,
) -> Result<(), TabletError> {
    let Some(udid) = message.udid.clone() else {
        return Err(TabletError::Malformed("UDID is missing: user enrolment is not offered".into()));
    };
    let Some(serial) = message.serial_number.clone() else {
        return Err(TabletError::Malformed(
            "SerialNumber is missing: only known tablets enrol (C3.3.4)".into(),
        ));
    };
    let Bound { certificate, mut enrolment, admission } =
        bound(tx, identity, Some(&udid), Moment::Authenticate, now)?;
    // Whatever else enrols this tablet, or under this UDID, waits until it is seen what became of this one.
    let tablet = store::tablets::hold_by_serial(tx, &serial)?
        .ok_or(TabletError::NotInInventory { serial: serial.clone() })?;
    invited(tx, &enrolment, &tablet)?;
    if enrolment.udid.as_ref().is_some_and(|signed| *signed != udid) {
        // The device that signed its MachineInfo is the one that enrols (T-A9).
        return super::same_tablet(enrolment.udid.as_ref(), Some(&udid));
    }
    store::enrolments::hold_udid(tx, &udid)?;
    free_udid(tx, &udid, &tablet)?;
    wakeable(tx, &enrolment, &message.topic)?;

    if enrolment.state == EnrolmentState::Authenticated {
        // Our answer was lost: the same tablet says the same again.
        return super::same_tablet(enrolment.udid.as_ref(), Some(&udid));
    }
    replace_former(tx, &enrolment, &tablet, now)?;
    if admission == Admission::FirstUse {
        store::certificates::confirm(tx, &certificate.sha256, now)?;
    }
    enrolment.tablet_id = Some(tablet.id);
    enrolment.udid = Some(udid);
    enrolment.serial = Some(serial);
    enrolment.state = EnrolmentState::Authenticated;
    enrolment.os_version.clone_from(&message.os_version);
    enrolment.build_version.clone_from(&message.build_version);
    enrolment.product_name.clone_from(&message.product_name);
    enrolment.authenticated_at = Some(now);
    store::enrolments::update(tx, &enrolment)?;
    Ok(())
}

/// The invitation is for this tablet: its own, or one of a batch for its collège.
fn invited(tx: &mut Tx<'_>, enrolment: &Enrolment, tablet: &Tablet) -> Result<(), TabletError> {
    if tablet.platform != Platform::Ipad {
        return Err(not_admitted(format!(
            "tablet {} is {} in the inventory",
            tablet.serial, tablet.platform
        )));
    }
    if enrolment.tablet_id.is_some_and(|invited| invited != tablet.id) {
        return Err(not_admitted(format!("the invitation is for another tablet than {}", tablet.serial)));
    }
    let link = match enrolment.link_id {
        Some(link) => store::links::get(tx, &link)?,
        None => None,
    };
    match link {
        Some(link) if link.uai.is_some() && link.uai != tablet.uai => Err(not_admitted(format!(
            "the link is for another collège than the one of tablet {}; make one for it",
            tablet.serial
        ))),
        _ => Ok(()),
    }
}

/// The topic is the one of its profile, and still ours: with any other one every push would vanish (T-B1).
fn wakeable(tx: &mut Tx<'_>, enrolment: &Enrolment, topic: &str) -> Result<(), TabletError> {
    if enrolment.topic.as_deref() != Some(topic) {
        return Err(TabletError::Malformed("Topic is not the one of the enrolment profile".into()));
    }
    match store::push_certificates::current(tx)? {
        Some(current) if current.topic != topic => Err(not_admitted(
            "the enrolment profile is of a push certificate that was replaced since; open the link again"
                .into(),
        )),
        _ => Ok(()),
    }
}

/// No other tablet is enrolled under this UDID (T-A1).
fn free_udid(tx: &mut Tx<'_>, udid: &Udid, tablet: &Tablet) -> Result<(), TabletError> {
    match store::enrolments::live_by_udid(tx, udid)? {
        Some(other) if other.tablet_id != Some(tablet.id) => {
            Err(TabletError::Mismatch { claimed: udid.as_str().to_owned() })
        }
        _ => Ok(()),
    }
}

/// A tablet that enrols again starts clean; who may is decided here (“Tablets' door”, C5.3.2).
fn replace_former(
    tx: &mut Tx<'_>,
    enrolment: &Enrolment,
    tablet: &Tablet,
    now: Instant,
) -> Result<(), TabletError> {
    let Some(former) = store::enrolments::live_of_tablet(tx, tablet.id)? else { return Ok(()) };
    if former.id == enrolment.id {
        return Ok(());
    }
    let link = match enrolment.link_id {
        Some(link) => store::links::get(tx, &link)?,
        None => None,
    };
    let may = match enrolment.kind {
        EnrolmentKind::Automated | EnrolmentKind::TakenOver => true,
        EnrolmentKind::Link => {
            link.as_ref().is_some_and(|link| link.kind == LinkKind::Tablet)
                // Its own erase order's profile (“Tablets' door”).
                || erasures::is_return(tx, enrolment.id)?
        }
    };
    if !may {
        return Err(not_admitted(format!(
            "tablet {} is enrolled; to enrol it again, make a link for this tablet alone",
            tablet.serial
        )));
    }
    if enrolment.created_at < former.created_at {
        // A message that was long under way, or a profile that was put aside: the tablet has gone on since.
        return Err(not_admitted(format!(
            "tablet {} has enrolled with a newer profile since; to enrol it again, start from its link",
            tablet.serial
        )));
    }
    // A link that was made since the tablet enrolled says that someone wants it to enrol again. One from before
    // says nothing. (Automated enrolment has raised its alarm when it gave out the profile.)
    let wanted_by = |link: &Link| former.authenticated_at.is_none_or(|enrolled| link.created_at > enrolled);
    if link.is_some_and(|link| !wanted_by(&link)) {
        watch::raise_reenrolment(tx, &former, &tablet.serial, now)?;
    }
    clean_slate::supersede(tx, &former, now)?;
    Ok(())
}

fn not_admitted(why: String) -> TabletError {
    TabletError::NotAdmitted { why, rule: RuleId::C5_3_2 }
}
