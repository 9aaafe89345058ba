//! Authenticate: a tablet asks to enrol, and is bound to the certificate it proves.

use std::collections::HashSet;

use apple::checkin::Authenticate;
use pki::DeviceIdentity;
use store::enrolments::{Enrolment, EnrolmentState};
use store::links::{Link, LinkKind};
use store::push_certificates::PushCertificate;
use store::tablets::Tablet;
use store::{StoreError, Tx};
use types::{EnrolmentKind, Instant, Platform, RuleId, SerialNumber, TabletId, Udid};

use super::together::{self, Said, Served, by, confirm};
use super::{Bound, bound};
use crate::lending::departures::is_ours;
use crate::lending::erasures;
use crate::standing::{Admission, Moment};
use crate::{Fleet, Reply, TabletError, clean_slate, watch};

pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: Authenticate,
    now: Instant,
) -> Result<Reply, TabletError> {
    together::receive(fleet, identity, Said::Authenticate(message), now).await?;
    Ok(Reply::Empty)
}

/// Those who enrol, and whose tablets are not enrolled: what each of them is asked is what [`enrol`] asks. The places of
/// those that are done.
pub(super) fn together(
    tx: &mut Tx<'_>,
    mut asked: Vec<(usize, &Authenticate, Served<'_>)>,
) -> Result<Vec<usize>, StoreError> {
    let (mut udids, mut serials) = (HashSet::new(), HashSet::new());
    // Of two who claim to be one tablet, the second one waits until it is seen what became of the first.
    asked.retain(|(_, message, _)| {
        named(message).is_ok_and(|(udid, serial)| udids.insert(udid) & serials.insert(serial))
    });
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    // Whatever else enrols these tablets, or under these UDIDs, waits until it is seen what became of them.
    let tablets = by(store::tablets::hold_by_serials(tx, serials)?, |row| Some(row.serial.clone()));
    let gone = store::departures::gone(tx, tablets.values().map(|row| row.id))?;
    let links = asked.iter().filter_map(|(_, _, served)| served.enrolment.link_id).collect::<HashSet<_>>();
    let links = by(store::links::get_all(tx, links)?, |row| Some(row.id));
    store::enrolments::hold_udids(tx, &udids)?;
    let live = by(store::enrolments::live_by_udids(tx, &udids)?, |row| row.udid.clone());
    let of_tablets = tablets.values().map(|row| row.id).collect::<Vec<_>>();
    let former = by(store::enrolments::live_of_tablets(tx, of_tablets)?, |row| row.tablet_id);
    let current = store::push_certificates::current(tx)?;
    let enrols = |message: &Authenticate, served: &mut Served<'_>| -> Result<bool, TabletError> {
        let (udid, serial) = named(message)?;
        let Some(tablet) = tablets.get(&serial) else { return Ok(false) };
        let enrolment = &served.enrolment;
        invited(enrolment, tablet, enrolment.link_id.and_then(|id| links.get(&id)))?;
        signed(enrolment, &udid)?;
        free_udid(live.get(&udid), &udid, tablet)?;
        wakeable(enrolment, current.as_ref(), &message.topic)?;
        if enrolment.state == EnrolmentState::Authenticated
            || former.contains_key(&tablet.id)
            || gone.contains(&tablet.id)
        {
            return Ok(false);
        }
        served.enrolment = enrolled(enrolment, message, tablet.id, udid, served.heard.now);
        Ok(true)
    };
    asked.retain_mut(|(_, message, served)| enrols(message, served).is_ok_and(|enrols| enrols));
    confirm(tx, asked.iter().map(|(_, _, served)| served))?;
    store::enrolments::authenticated(tx, asked.iter().map(|(_, _, served)| &served.enrolment))?;
    Ok(asked.into_iter().map(|(place, ..)| place).collect())
}

/// Who it says it is.
fn named(message: &Authenticate) -> Result<(Udid, SerialNumber), TabletError> {
    let Some(udid) = message.udid.clone() else {
        return Err(TabletError::Malformed("UDID is missing: user enrolment is not offered".into()));
    };
    let Some(serial) = message.serial_number.clone() else {
        return Err(TabletError::Malformed(
            "SerialNumber is missing: only known tablets enrol (C3.3.4)".into(),
        ));
    };
    Ok((udid, serial))
}

/// The enrolment once the tablet has asked for it.
fn enrolled(
    invited: &Enrolment,
    message: &Authenticate,
    tablet: TabletId,
    udid: Udid,
    now: Instant,
) -> Enrolment {
    Enrolment {
        tablet_id: Some(tablet),
        udid: Some(udid),
        serial: message.serial_number.clone(),
        state: EnrolmentState::Authenticated,
        os_version: message.os_version.clone(),
        build_version: message.build_version.clone(),
        product_name: message.product_name.clone(),
        authenticated_at: Some(now),
        ..invited.clone()
    }
}

/// One tablet, whatever that takes.
pub(super) fn enrol(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    message: &Authenticate,
    now: Instant,
) -> Result<(), TabletError> {
    let (udid, serial) = named(message)?;
    let Bound { certificate, enrolment, admission } =
        bound(tx, identity, Some(&udid), Moment::Authenticate, now)?;
    // Whatever else enrols this tablet, or under this UDID, waits until it is seen what became of this one.
    let tablet = store::tablets::hold_by_serial(tx, &serial)?
        .ok_or(TabletError::NotInInventory { serial: serial.clone() })?;
    if let Err(why) = is_ours(tx, &tablet)? {
        return Err(TabletError::NotAdmitted { why, rule: RuleId::C3_3_4 });
    }
    let link = match enrolment.link_id {
        Some(link) => store::links::get(tx, &link)?,
        None => None,
    };
    invited(&enrolment, &tablet, link.as_ref())?;
    signed(&enrolment, &udid)?;
    store::enrolments::hold_udid(tx, &udid)?;
    free_udid(store::enrolments::live_by_udid(tx, &udid)?.as_ref(), &udid, &tablet)?;
    wakeable(&enrolment, store::push_certificates::current(tx)?.as_ref(), &message.topic)?;

    if enrolment.state == EnrolmentState::Authenticated {
        // Our answer was lost: the same tablet says the same again.
        return super::same_tablet(enrolment.udid.as_ref(), Some(&udid));
    }
    replace_former(tx, &enrolment, &tablet, link, now)?;
    if admission == Admission::FirstUse {
        store::certificates::confirm(tx, &certificate.sha256, now)?;
    }
    store::enrolments::authenticated(tx, [&enrolled(&enrolment, message, tablet.id, udid, now)])?;
    Ok(())
}

/// The device that signed its MachineInfo is the one that enrols (T-A9).
fn signed(enrolment: &Enrolment, udid: &Udid) -> Result<(), TabletError> {
    match &enrolment.udid {
        Some(signed) => super::same_tablet(Some(signed), Some(udid)),
        None => Ok(()),
    }
}

/// The invitation is for this tablet: its own, or one of a batch for its collège.
fn invited(enrolment: &Enrolment, tablet: &Tablet, link: Option<&Link>) -> Result<(), TabletError> {
    if tablet.platform != Platform::Ipad {
        return Err(not_admitted(format!(
            "tablet {} is {} in the inventory",
            tablet.serial, tablet.platform
        )));
    }
    if enrolment.tablet_id.is_some_and(|invited| invited != tablet.id) {
        return Err(not_admitted(format!("the invitation is for another tablet than {}", tablet.serial)));
    }
    match link {
        Some(link) if link.uai.is_some() && link.uai != tablet.uai => Err(not_admitted(format!(
            "the link is for another collège than the one of tablet {}; make one for it",
            tablet.serial
        ))),
        _ => Ok(()),
    }
}

/// The topic is the one of its profile, and still ours: with any other one every push would vanish (T-B1).
fn wakeable(
    enrolment: &Enrolment,
    current: Option<&PushCertificate>,
    topic: &str,
) -> Result<(), TabletError> {
    if enrolment.topic.as_deref() != Some(topic) {
        return Err(TabletError::Malformed("Topic is not the one of the enrolment profile".into()));
    }
    match current {
        Some(current) if current.topic != topic => Err(not_admitted(
            "the enrolment profile is of a push certificate that was replaced since; open the link again"
                .into(),
        )),
        _ => Ok(()),
    }
}

/// No other tablet is enrolled under this UDID (T-A1).
fn free_udid(live: Option<&Enrolment>, udid: &Udid, tablet: &Tablet) -> Result<(), TabletError> {
    match live {
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
    link: Option<Link>,
    now: Instant,
) -> Result<(), TabletError> {
    let Some(former) = store::enrolments::live_of_tablet(tx, tablet.id)? else { return Ok(()) };
    if former.id == enrolment.id {
        return Ok(());
    }
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
