//! What tablets say at check-in: they enrol, tell where to push, leave, ask for tokens.
//!
//! [`receive`] is the one entrance: it reads the message, proves that the certificate and the UDID belong
//! together (T-A1), and hands it to the file of its kind. Whatever is refused is refused here, and what should
//! worry an operator raises an alarm on the way out. Those by which tablets enrol share their commits ([`together`]).

mod authenticate;
mod bootstrap_token;
mod check_out;
mod declarations;
pub(crate) mod together;
mod token_update;

use apple::checkin::{CheckIn, ReturnToServiceResponse};
use pki::{AuthorityKind, DeviceIdentity};
use store::Tx;
use store::certificates::Certificate;
use store::enrolments::{Enrolment, EnrolmentState};
pub(crate) use together::CheckIns;
use types::{Instant, Udid};

use crate::standing::{self, Admission, Facts, Moment};
use crate::{Door, Fleet, Reply, TabletError, takeover_binding, watch};

/// Receives one check-in message.
///
/// # Errors
/// [`TabletError`]; nothing is changed then, but an alarm may have been raised.
pub async fn receive(
    fleet: &Fleet,
    door: Door,
    identity: &DeviceIdentity,
    body: &[u8],
    now: Instant,
) -> Result<Reply, TabletError> {
    let (began, meters) = (std::time::Instant::now(), fleet.meters());
    let outcome = received(fleet, door, identity, body, now).await;
    meters.answered(&meters.check_ins, began, &outcome);
    outcome
}

async fn received(
    fleet: &Fleet,
    door: Door,
    identity: &DeviceIdentity,
    body: &[u8],
    now: Instant,
) -> Result<Reply, TabletError> {
    let message = CheckIn::parse(body)?;
    let claim = watch::Claim::of_message(&message);
    let outcome = match takeover_binding::bind(fleet, door, identity, claim.udid.as_ref(), now).await {
        Ok(()) => answer(fleet, identity, message, now).await,
        Err(refused) => Err(refused),
    };
    if let Err(error) = &outcome {
        watch::report(fleet, identity, &claim, error, now).await;
    }
    outcome
}

/// Hands a message to the file of its kind.
async fn answer(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: CheckIn,
    now: Instant,
) -> Result<Reply, TabletError> {
    match message {
        CheckIn::Authenticate(message) => authenticate::receive(fleet, identity, message, now).await,
        CheckIn::TokenUpdate(message) => token_update::receive(fleet, identity, message, now).await,
        CheckIn::CheckOut(message) => check_out::receive(fleet, identity, message, now).await,
        CheckIn::DeclarativeManagement(message) => declarations::receive(fleet, identity, message, now).await,
        CheckIn::SetBootstrapToken(message) => bootstrap_token::set(fleet, identity, message, now).await,
        CheckIn::GetBootstrapToken(message) => bootstrap_token::get(fleet, identity, message, now).await,
        CheckIn::GetToken(message) => {
            let kind = message.token_service_type;
            known(fleet, identity, message.udid, "GetToken", now)
                .await
                .and_then(|_enrolment| Err(TabletError::NoSuchToken(kind.chars().take(64).collect())))
        }
        CheckIn::ReturnToService(message) => {
            known(fleet, identity, Some(message.udid), "ReturnToService", now)
                .await
                .map(|_enrolment| not_enabled())
        }
        CheckIn::UserAuthenticate(message) => {
            known(fleet, identity, Some(message.udid), "UserAuthenticate", now)
                .await
                .and_then(|_enrolment| Err(TabletError::UserDeclined))
        }
    }
}

/// A tablet asks whether it may erase itself: it may not, without an order (M3).
fn not_enabled() -> Reply {
    Reply::Plist(apple::plist::to_xml(&ReturnToServiceResponse::not_enabled().to_dictionary()))
}

/// A certificate and the enrolment it proves, admitted.
pub(crate) struct Bound {
    pub(crate) certificate: Certificate,
    pub(crate) enrolment: Enrolment,
    pub(crate) admission: Admission,
}

/// Loads what a proven certificate is bound to, and decides whether the tablet is served.
///
/// `claimed` is the UDID that the message names: it must be the enrolment's, except at Authenticate, which
/// says it for the first time.
pub(crate) fn bound(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    claimed: Option<&Udid>,
    moment: Moment,
    now: Instant,
) -> Result<Bound, TabletError> {
    let bound = proven(tx, identity, claimed, moment, now)?;
    if moment != Moment::Authenticate {
        same_tablet(bound.enrolment.udid.as_ref(), claimed)?;
    }
    Ok(bound)
}

/// As [`bound`], by the certificate alone: `claimed` is only for the log.
fn proven(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    claimed: Option<&Udid>,
    moment: Moment,
    now: Instant,
) -> Result<Bound, TabletError> {
    let digest = watch::digest(identity);
    let Some((certificate, enrolment)) = store::enrolments::hold_by_certificate(tx, &digest)? else {
        return Err(unknown(identity, claimed));
    };
    let end = match enrolment.state {
        EnrolmentState::Ended => store::enrolment_ends::recorded(tx, enrolment.id)?,
        _ => None,
    };
    let facts = Facts {
        certificate: certificate.state,
        enrolment: enrolment.id,
        state: enrolment.state,
        end: end.as_ref(),
    };
    let admission = standing::admit(facts, moment, now)?;
    Ok(Bound { certificate, enrolment, admission })
}

/// A certificate that no row knows. One of ours means that the database was restored, and is no reason to
/// unenrol anybody (T-A7); one of a server that was taken over has simply not been imported (T-A6).
pub(crate) fn unknown(identity: &DeviceIdentity, claimed: Option<&Udid>) -> TabletError {
    match identity.authority_kind() {
        AuthorityKind::Current | AuthorityKind::Previous => {
            TabletError::Orphan { fingerprint: identity.fingerprint().to_string(), udid: claimed.cloned() }
        }
        AuthorityKind::TakenOver => TabletError::Foreign("no import names this certificate".into()),
    }
}

/// The certificate's tablet and the one that the message names are the same (T-A1).
pub(crate) fn same_tablet(bound: Option<&Udid>, claimed: Option<&Udid>) -> Result<(), TabletError> {
    match (bound, claimed) {
        (Some(bound), Some(claimed)) if bound == claimed => Ok(()),
        (_, claimed) => Err(TabletError::Mismatch {
            claimed: claimed.map_or_else(|| "no UDID".into(), |udid| udid.as_str().to_owned()),
        }),
    }
}

/// A certificate that is used for the first time after a renewal replaces the older ones from now on.
pub(crate) fn confirm(tx: &mut Tx<'_>, bound: &Bound, now: Instant) -> Result<(), TabletError> {
    if bound.admission == Admission::FirstUse {
        store::certificates::confirm(tx, &bound.certificate.sha256, now)?;
    }
    Ok(())
}

/// An enrolled tablet that says something which changes nothing.
async fn known(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    claimed: Option<Udid>,
    message: &'static str,
    now: Instant,
) -> Result<Enrolment, TabletError> {
    let identity = identity.clone();
    fleet
        .store()
        .write_held(move |tx| {
            let bound = bound(tx, &identity, claimed.as_ref(), Moment::Message(message), now)?;
            confirm(tx, &bound, now)?;
            Ok(bound.enrolment)
        })
        .await
}
