//! How a tablet is invited: by a link that someone opens on it, or by Apple's automated enrolment.
//!
//! Both end in a signed profile with a single-use challenge. What it leads to is decided again at SCEP and at
//! Authenticate: an invitation lets nobody in by itself.

use apple::OsVersion;
use apple::machine_info::MachineInfo;
use store::enrolments::{Enrolment, EnrolmentState};
use store::{StoreError, Tx};
use types::{EnrolmentId, EnrolmentKind, Instant, Platform, RuleId, Supervision};

use crate::enrolment_profile::{self, NewChallenge};
use crate::lending::departures::is_ours;
use crate::lending::erasures;
use crate::{Fleet, TabletError, bearer_secret, watch};

/// A CMS-signed configuration profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedProfile(pub Vec<u8>);

/// Why a link gives no profile. Shown to whoever holds the tablet.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such link.
    #[error("this enrolment link does not exist; ask for a new one")]
    Unknown,
    /// It expired.
    #[error("this enrolment link has expired; ask for a new one")]
    Expired,
    /// It gave out as many profiles as it was made for.
    #[error("this enrolment link has been used as often as it may; ask for a new one")]
    UsedUp,
    /// Someone revoked it.
    #[error("this enrolment link was revoked; ask for a new one")]
    Revoked,
    /// There is no push certificate, without which no tablet can be managed.
    #[error(
        "tablets cannot be enrolled yet: there is no push certificate; install one with `ardoise push-certificate set`"
    )]
    NoPushCertificate,
    /// The memory failed.
    #[error("the database could not do this")]
    Unavailable(#[from] StoreError),
    /// Something that should never fail did.
    #[error("internal failure: {0}")]
    Internal(String),
}

/// Gives out the profile of a link, and counts it.
///
/// # Errors
/// [`LinkError`].
pub async fn by_link(fleet: &Fleet, token: &str, now: Instant) -> Result<SignedProfile, LinkError> {
    let digest = bearer_secret::digest(token);
    let context = fleet.clone();
    let (enrolment, topic, challenge) = fleet
        .store()
        .write_held(move |tx| {
            let link = store::links::hold_by_token(tx, &digest)?.ok_or(LinkError::Unknown)?;
            if link.revoked_at.is_some() {
                return Err(LinkError::Revoked);
            }
            if link.expires_at <= now {
                return Err(LinkError::Expired);
            }
            let topic = topic(tx)?.ok_or(LinkError::NoPushCertificate)?;
            if !store::links::use_once(tx, link.id, now)? {
                return Err(LinkError::UsedUp);
            }
            let enrolment = Enrolment {
                tablet_id: link.tablet_id,
                link_id: Some(link.id),
                topic: Some(topic.clone()),
                ..invitation(EnrolmentKind::Link, now)
            };
            let challenge = NewChallenge::random();
            store::enrolments::insert(tx, &enrolment)?;
            challenge.save(tx, &context, enrolment.id, now)?;
            Ok((enrolment.id, topic, challenge))
        })
        .await?;
    enrolment_profile::signed(fleet, enrolment, &topic, &challenge)
        .map(SignedProfile)
        .map_err(LinkError::Internal)
}

/// Answers a tablet in its Setup Assistant: a MachineInfo that the tablet signed with the key Apple gave it.
///
/// A serial number alone opens nothing (T-A9): the signature must chain to Apple's device authority, and the
/// serial must be in the inventory. A tablet that is enrolled may enrol again, with an alarm (C5.3.2).
///
/// # Errors
/// [`TabletError::Foreign`], [`TabletError::NotInInventory`], [`TabletError::UpdateRequired`].
pub async fn by_machine_info(fleet: &Fleet, cms: &[u8], now: Instant) -> Result<SignedProfile, TabletError> {
    let signed = pki::verify_machine_info(cms, fleet.authorities().apple(), now)
        .map_err(|error| TabletError::Foreign(error.to_string()))?;
    let info = MachineInfo::parse(signed.content())?;
    recent_enough(&info, fleet.settings().minimum_os)?;
    let context = fleet.clone();
    let invited = fleet
        .store()
        .write_held(move |tx| {
            let tablet = store::tablets::hold_by_serial(tx, &info.serial)?
                .ok_or_else(|| TabletError::NotInInventory { serial: info.serial.clone() })?;
            if tablet.platform != Platform::Ipad {
                return Err(TabletError::NotAdmitted {
                    why: format!("tablet {} is {} in the inventory", tablet.serial, tablet.platform),
                    rule: RuleId::C3_3_4,
                });
            }
            if let Err(why) = is_ours(tx, &tablet)? {
                return Err(TabletError::NotAdmitted { why, rule: RuleId::C3_3_4 });
            }
            if let Some(former) = store::enrolments::live_of_tablet(tx, tablet.id)?
                && !erasures::is_expected_back(tx, tablet.id)?
            {
                watch::raise_reenrolment(tx, &former, &info.serial, now)?;
            }
            let topic = topic(tx)?.ok_or_else(|| {
                TabletError::Internal("there is no push certificate to enrol tablets with".into())
            })?;
            let enrolment = Enrolment {
                tablet_id: Some(tablet.id),
                udid: Some(info.udid.clone()),
                topic: Some(topic.clone()),
                os_version: info.os_version.clone(),
                build_version: Some(info.version.clone()),
                product_name: Some(info.product.clone()),
                ..invitation(EnrolmentKind::Automated, now)
            };
            let challenge = NewChallenge::random();
            store::enrolments::insert(tx, &enrolment)?;
            challenge.save(tx, &context, enrolment.id, now)?;
            Ok((enrolment.id, topic, challenge))
        })
        .await;
    if let Err(error) = &invited {
        tracing::warn!(%error, "automated enrolment refused");
    }
    if let Err(TabletError::NotInInventory { serial }) = &invited {
        watch::report_stranger(fleet, serial, now).await;
    }
    let (enrolment, topic, challenge) = invited?;
    enrolment_profile::signed(fleet, enrolment, &topic, &challenge)
        .map(SignedProfile)
        .map_err(TabletError::Internal)
}

/// An enrolment of which nothing is known yet but how it comes about.
pub(crate) fn invitation(kind: EnrolmentKind, now: Instant) -> Enrolment {
    Enrolment {
        id: EnrolmentId::new(now),
        tablet_id: None,
        platform: Platform::Ipad,
        state: EnrolmentState::Invited,
        kind,
        supervision: Supervision::Unknown,
        udid: None,
        serial: None,
        topic: None,
        awaiting_configuration: false,
        os_version: None,
        build_version: None,
        product_name: None,
        access_rights: Some(8191),
        link_id: None,
        takeover_id: None,
        segment_id: None,
        reported_token: None,
        end_id: None,
        created_at: now,
        authenticated_at: None,
        token_updated_at: None,
        ended_at: None,
    }
}

fn topic(tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
    Ok(store::push_certificates::current(tx)?.map(|certificate| certificate.topic))
}

/// A tablet that can be asked to update first is; one that cannot is let in as it is.
fn recent_enough(info: &MachineInfo, minimum: Option<OsVersion>) -> Result<(), TabletError> {
    let Some(minimum) = minimum else { return Ok(()) };
    let version = info.os_version.as_deref().and_then(|text| text.parse::<OsVersion>().ok());
    let too_old = version.is_some_and(|version| version < minimum);
    if too_old && info.can_request_software_update == Some(true) {
        return Err(TabletError::UpdateRequired { required: minimum.to_string() });
    }
    Ok(())
}
