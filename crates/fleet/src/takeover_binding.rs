//! A tablet of another server shows up at the address we took over: it is bound to its import, or to nothing.

use pki::{AuthorityKind, DeviceIdentity};
use store::Tx;
use store::certificates::{Certificate, CertificateState};
use store::enrolments::{Enrolment, EnrolmentSecrets, EnrolmentState};
use store::takeovers::Takeover;
use types::{Actor, Duration, EnrolmentKind, Instant, RuleId, Udid};

use crate::first_commands::Newcomer;
use crate::incidents::lost_mode;
use crate::lending::departures::is_ours;
use crate::{Door, Fleet, TabletError, TakeoverPolicy, first_commands, watch};

/// Binds the tablet if this is its first message at the address we took over; does nothing if it is bound already,
/// or came through our own door.
///
/// No import row, no binding; the row names the certificate, the UDID and the serial, and its window is the
/// tablet's own (T-A6).
///
/// # Errors
/// [`TabletError::Foreign`] for a certificate that no import names, [`TabletError::Mismatch`] for another UDID.
pub(crate) async fn bind(
    fleet: &Fleet,
    door: Door,
    identity: &DeviceIdentity,
    claimed: Option<&Udid>,
    now: Instant,
) -> Result<(), TabletError> {
    if door != Door::TakenOver || identity.authority_kind() != AuthorityKind::TakenOver {
        return Ok(());
    }
    // A tablet that has moved comes this way with every message: it costs a read, and no turn among the writers.
    let digest = watch::digest(identity);
    let has_moved = move |tx: &mut Tx<'_>| store::certificates::get(tx, &digest).map(|row| row.is_some());
    if fleet.store().read(has_moved).await? {
        return Ok(());
    }
    let (identity, claimed) = (identity.clone(), claimed.cloned());
    let policy = fleet.settings().takeover;
    fleet.store().write_held(move |tx| import(tx, policy, &identity, claimed.as_ref(), now)).await
}

fn import(
    tx: &mut Tx<'_>,
    policy: TakeoverPolicy,
    identity: &DeviceIdentity,
    claimed: Option<&Udid>,
    now: Instant,
) -> Result<(), TabletError> {
    let digest = watch::digest(identity);
    let takeover = store::takeovers::hold_by_certificate(tx, &digest)?;
    if store::certificates::get(tx, &digest)?.is_some() {
        // It has moved, a moment ago: whether others still may is nothing to it.
        return Ok(());
    }
    if policy == TakeoverPolicy::Closed {
        return Err(TabletError::Foreign("no tablets are taken over here (takeover.enabled = false)".into()));
    }
    let Some(takeover) = takeover else {
        return Err(TabletError::Foreign("no import names this certificate".into()));
    };
    if claimed != Some(&takeover.udid) {
        return Err(TabletError::Mismatch { claimed: claimed.map(Udid::to_string).unwrap_or_default() });
    }
    if takeover.used_at.is_some() || takeover.window_ends_at <= now {
        return Err(TabletError::NotAdmitted {
            why: format!("the window in which tablet {} may move here is over", takeover.serial),
            rule: RuleId::C3_3_4,
        });
    }
    let tablet = store::tablets::hold_by_serial(tx, &takeover.serial)?
        .ok_or_else(|| TabletError::NotInInventory { serial: takeover.serial.clone() })?;
    if let Err(why) = is_ours(tx, &tablet)? {
        return Err(TabletError::NotAdmitted { why, rule: RuleId::C3_3_4 });
    }
    if store::enrolments::live_of_tablet(tx, tablet.id)?.is_some() {
        return Err(TabletError::NotAdmitted {
            why: format!("tablet {} is enrolled here already", takeover.serial),
            rule: RuleId::C5_3_2,
        });
    }
    adopt(tx, identity, &takeover, tablet.id, now)
}

fn adopt(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    takeover: &Takeover,
    tablet: types::TabletId,
    now: Instant,
) -> Result<(), TabletError> {
    let enrolment = Enrolment {
        tablet_id: Some(tablet),
        state: EnrolmentState::Active,
        udid: Some(takeover.udid.clone()),
        serial: Some(takeover.serial.clone()),
        topic: Some(takeover.topic.clone()),
        takeover_id: Some(takeover.id),
        authenticated_at: Some(now),
        token_updated_at: Some(now),
        ..crate::enrol::invitation(EnrolmentKind::TakenOver, now)
    };
    store::enrolments::insert(tx, &enrolment)?;
    let secrets = store::takeovers::secrets(tx, takeover.id)?;
    store::enrolments::set_secrets(
        tx,
        enrolment.id,
        &EnrolmentSecrets {
            push_token: secrets.push_token,
            push_magic: secrets.push_magic,
            unlock_token: secrets.unlock_token,
            bootstrap_token: None,
        },
    )?;
    store::certificates::insert(
        tx,
        &Certificate {
            sha256: watch::digest(identity),
            enrolment_id: enrolment.id,
            authority_fingerprint: store::Digest::from(*identity.authority().as_bytes()),
            serial_number: String::new(),
            state: CertificateState::Confirmed,
            issued_at: now,
            not_after: identity.not_after(),
            first_used_at: Some(now),
            renewed_from: None,
        },
    )?;
    store::takeovers::use_once(tx, takeover.id, enrolment.id, now)?;
    // It is set up already: nothing waits.
    let by = Actor::Tablet(enrolment.id);
    let newcomer = [Newcomer { enrolment, by, wait: Duration::from_secs(0), now }];
    first_commands::queue(tx, &newcomer)?;
    let [Newcomer { enrolment, by, .. }] = &newcomer;
    Ok(lost_mode::enrolled_again(tx, enrolment, by, now)?)
}
