//! The bootstrap token, which an iPad leaves with us and asks for again (iPadOS 26, automated enrolment).

use apple::checkin::{GetBootstrapToken, GetBootstrapTokenResponse, SetBootstrapToken};
use pki::DeviceIdentity;
use store::Tx;
use store::enrolments::EnrolmentSecrets;
use types::{Instant, Udid};

use super::{Bound, confirm, proven, same_tablet};
use crate::standing::Moment;
use crate::{Fleet, Reply, TabletError};

/// The enrolment that the certificate proves. Apple's schema lists no UDID for these two messages: where one is,
/// it must be the enrolment's.
fn speaks(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    claimed: Option<&Udid>,
    message: &'static str,
    now: Instant,
) -> Result<Bound, TabletError> {
    let bound = proven(tx, identity, claimed, Moment::Message(message), now)?;
    if claimed.is_some() {
        same_tablet(bound.enrolment.udid.as_ref(), claimed)?;
    }
    confirm(tx, &bound, now)?;
    Ok(bound)
}

/// Keeps the token, sealed; an empty one forgets it.
pub(super) async fn set(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: SetBootstrapToken,
    now: Instant,
) -> Result<Reply, TabletError> {
    let identity = identity.clone();
    fleet
        .store()
        .write_held(move |tx| {
            let bound = speaks(tx, &identity, message.udid.as_ref(), "SetBootstrapToken", now)?;
            match &message.bootstrap_token {
                Some(token) if !token.expose().is_empty() => {
                    let secrets = EnrolmentSecrets {
                        bootstrap_token: Some(token.clone()),
                        ..EnrolmentSecrets::default()
                    };
                    store::enrolments::set_secrets(tx, bound.enrolment.id, &secrets)?;
                }
                _ => store::enrolments::forget_bootstrap_token(tx, bound.enrolment.id)?,
            }
            Ok::<_, TabletError>(())
        })
        .await?;
    Ok(Reply::Empty)
}

/// Gives it back; without one, the answer is a success with no token.
pub(super) async fn get(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: GetBootstrapToken,
    now: Instant,
) -> Result<Reply, TabletError> {
    let identity = identity.clone();
    let secrets = fleet
        .store()
        .write_held(move |tx| {
            let bound = speaks(tx, &identity, message.udid.as_ref(), "GetBootstrapToken", now)?;
            Ok::<_, TabletError>(store::enrolments::secrets(tx, bound.enrolment.id)?)
        })
        .await?;
    let response = GetBootstrapTokenResponse {
        bootstrap_token: secrets.bootstrap_token,
        ..GetBootstrapTokenResponse::default()
    };
    Ok(Reply::Plist(apple::plist::to_xml(&response.to_dictionary())))
}
