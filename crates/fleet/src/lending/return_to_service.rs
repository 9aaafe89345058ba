//! What an erased tablet is given for its way back: the network of its collège, and a profile that enrols it once, for this
//! order (M3). Rendered when the command is delivered, never stored.

use apple::OsVersion;
use apple::command::EraseDevice;
use apple::parts::ReturnToServiceSettings;
use apple::plist::{Dictionary, Value};
use apple::profile::{Payload, PayloadContent, PayloadHeader, Profile};
use store::enrolments::{self, Enrolment, EnrolmentState};
use store::return_profiles::{self, ReturnProfile};
use store::{Tx, erase_orders, organisations, push_certificates, restitutions, tablets};
use types::{EnrolmentId, EnrolmentKind, EraseOrderId, Instant, Secret, TabletId};
use uuid::Uuid;

use super::erasures::read_back;
use crate::enrol::invitation;
use crate::enrolment_profile::{self, NewChallenge};
use crate::incidents::theft;
use crate::organisations::Network;
use crate::{Fleet, Refusal, TabletError};

/// Tablets return to service by themselves from this system on.
const RETURNS_FROM: OsVersion = OsVersion::new(17, 0);
/// They try again if enrolling fails, from this one on.
const RETRIES_FROM: OsVersion = OsVersion::new(27, 0);
/// What the profile of the network is called.
const NETWORK: &str = "fr.ardoise.return.network";

/// What the way back is made of.
struct WayBack {
    network: Network,
    enrolment: Option<(EnrolmentId, String, NewChallenge)>,
    retries: bool,
}

/// The command of an order, after a last look at it; `Err` says why it does not go.
pub(crate) async fn command(
    fleet: &Fleet,
    enrolment: EnrolmentId,
    order: EraseOrderId,
    now: Instant,
) -> Result<Result<EraseDevice, String>, TabletError> {
    let (context, terms) = (fleet.clone(), fleet.settings().erasures);
    let prepared = fleet
        .store()
        .write_held(move |tx| {
            let Some(present) = enrolments::hold(tx, enrolment)? else {
                return Ok(Err("its enrolment is over".to_owned()));
            };
            restitutions::hold_of_order(tx, order)?;
            let (Some(standing), Some(tablet)) = (erase_orders::standing(tx, order)?, present.tablet_id)
            else {
                return Ok(Err("its order does not stand any more".to_owned()));
            };
            if let Err(why) = read_back(&standing, tablet, &terms, now) {
                return Ok(Err(why.to_string()));
            }
            // Whoever stole it gets neither our network nor a profile.
            if theft::is_of_a_theft(tx, order)? {
                return Ok(Ok(None));
            }
            way_back(tx, &context, &present, tablet, order, now).map(Ok)
        })
        .await;
    let way = match prepared.map_err(TabletError::from)? {
        Ok(way) => way,
        Err(why) => return Ok(Err(why)),
    };
    let mut command = EraseDevice { preserve_data_plan: Some(true), ..EraseDevice::default() };
    if let Some(WayBack { network, enrolment, retries }) = way {
        let mut settings = ReturnToServiceSettings::new(true);
        let wifi = enrolment_profile::sign(fleet, &network_profile(fleet, &network).to_xml());
        settings.wifi_profile_data = Some(Secret::new(wifi.map_err(TabletError::Internal)?));
        if let Some((invited, topic, challenge)) = enrolment {
            let profile = enrolment_profile::signed(fleet, invited, &topic, &challenge);
            settings.mdm_profile_data = Some(Secret::new(profile.map_err(TabletError::Internal)?));
        }
        settings.should_retry_enrollment = retries.then_some(true);
        command.return_to_service = Some(settings);
    }
    Ok(Ok(command))
}

/// The way back, if the tablet can take it: its system knows how, and its collège named a network. Without, it is set up by
/// hand, and a technician attests.
fn way_back(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    present: &Enrolment,
    tablet: TabletId,
    order: EraseOrderId,
    now: Instant,
) -> Result<Option<WayBack>, Refusal> {
    let system = present.os_version.as_deref().and_then(|text| text.parse::<OsVersion>().ok());
    let Some(system) = system.filter(|system| *system >= RETURNS_FROM) else { return Ok(None) };
    let college = match tablets::get(tx, &tablet)?.and_then(|tablet| tablet.uai) {
        Some(uai) => organisations::by_uai(tx, &uai)?,
        None => None,
    };
    let Some(college) = college else { return Ok(None) };
    let Some(network) = crate::organisations::network(tx, college.id)? else { return Ok(None) };
    // An automated enrolment brings its own profile, and awaits its configuration: that is its proof.
    let enrolment = match present.kind {
        EnrolmentKind::Automated => None,
        EnrolmentKind::Link | EnrolmentKind::TakenOver => {
            let invited = invite(tx, fleet, tablet, order, now)?;
            if invited.is_none() {
                return Ok(None);
            }
            invited
        }
    };
    Ok(Some(WayBack { network, enrolment, retries: system >= RETRIES_FROM }))
}

/// The enrolment that this order's profile leads to, with a challenge made now: a command that is given again leads to the
/// same one. `None` once it was used: there is one way back for an order.
fn invite(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    tablet: TabletId,
    order: EraseOrderId,
    now: Instant,
) -> Result<Option<(EnrolmentId, String, NewChallenge)>, Refusal> {
    let topic = push_certificates::current(tx)?.ok_or(Refusal::NoPushCertificate)?.topic;
    let invited = match return_profiles::of_order(tx, order)? {
        Some(rendered) => rendered.enrolment_id,
        None => {
            let new = Enrolment {
                tablet_id: Some(tablet),
                topic: Some(topic.clone()),
                ..invitation(EnrolmentKind::Link, now)
            };
            enrolments::insert(tx, &new)?;
            let rendered = ReturnProfile { enrolment_id: new.id, order_id: order, rendered_at: now };
            return_profiles::insert(tx, &rendered)?;
            new.id
        }
    };
    let row = enrolments::get(tx, &invited)?.filter(|row| row.state == EnrolmentState::Invited);
    let Some(row) = row else { return Ok(None) };
    let challenge = NewChallenge::random();
    challenge.save(tx, fleet, invited, now)?;
    Ok(Some((invited, row.topic.unwrap_or(topic), challenge)))
}

/// The profile that joins the network.
fn network_profile(fleet: &Fleet, network: &Network) -> Profile {
    let uuid = || Uuid::new_v4().hyphenated().to_string().to_ascii_uppercase();
    let mut keys = Dictionary::new();
    keys.insert("SSID_STR".into(), Value::String(network.ssid.clone()));
    keys.insert("HIDDEN_NETWORK".into(), Value::Boolean(network.hidden));
    keys.insert("AutoJoin".into(), Value::Boolean(true));
    match &network.passphrase {
        Some(passphrase) => {
            keys.insert("EncryptionType".into(), Value::String("WPA".into()));
            keys.insert("Password".into(), Value::String(passphrase.expose().clone()));
        }
        None => {
            keys.insert("EncryptionType".into(), Value::String("None".into()));
        }
    }
    let organisation = fleet.settings().organisation.clone();
    let payload = Payload {
        header: PayloadHeader {
            organization: Some(organisation.clone()),
            ..PayloadHeader::new(format!("{NETWORK}.wifi"), uuid(), "com.apple.wifi.managed".into(), 1)
        },
        content: PayloadContent::Other(keys.into()),
    };
    let mut profile = Profile::new(NETWORK.into(), uuid(), "Configuration".into(), 1);
    profile.payloads = Some(vec![payload]);
    profile.display_name = Some(organisation.clone());
    profile.organization = Some(organisation);
    profile
}
