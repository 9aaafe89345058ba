//! SCEP: a tablet asks for its certificate, and later for the next one (RFC 8894).
//!
//! `pki` opens the message and proves what can be proven without a memory; here is decided whether it is
//! granted: by a challenge that was given out for one enrolment and is used once, or by a certificate that is
//! bound and not superseded.
//!
//! A challenge is used once, but its answer may be lost on the way. The same key that asks again with it gets the
//! very certificate it was given, kept beside the challenge, for as long as the challenge lasts and nobody has
//! used that certificate yet. Nothing new comes into the world by it: no second row, no second signature, and
//! whoever heard the challenge but lacks the key is refused (T-A11).

use pki::scep::{FailInfo, Issuance, IssuanceKind, OpenPolicy, PkiRequest, ReplyError, ScepError};
use pki::{ExpiryPolicy, LeafRequest};
use store::certificates::{Certificate, CertificateState};
use store::challenges::Challenge;
use store::enrolments::EnrolmentState;
use store::{Digest, StoreError, Tx};
use types::{Duration, EnrolmentId, Instant};

use crate::{Fleet, TabletError, bearer_secret};

/// How far a certificate reaches back, so that a tablet whose clock is a little late accepts it.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(3_600);

/// How long after its expiry a certificate may still renew itself: a summer, and some.
const RENEWAL_GRACE: Duration = Duration::from_secs(180 * 86_400);

/// The answer to GetCACaps.
#[must_use]
pub fn capabilities(fleet: &Fleet) -> &'static str {
    pki::scep::capabilities(fleet.settings().scep_legacy)
}

/// The answer to GetCACert: its exact content type, and the certificate.
#[must_use]
pub fn ca_certificate(fleet: &Fleet) -> (&'static str, Vec<u8>) {
    pki::scep::get_ca_cert(fleet.authorities().issuing().current())
}

/// Why a request is not granted. The tablet is told no more than `badRequest`.
#[derive(Debug, thiserror::Error)]
enum Ungranted {
    #[error("it brings no challenge")]
    NoChallenge,
    #[error("its challenge was never given out")]
    UnknownChallenge,
    #[error("its challenge has expired")]
    ExpiredChallenge,
    #[error("its challenge was used, for another key or for a certificate that is in use")]
    UsedChallenge,
    #[error("the enrolment it belongs to is {0}")]
    EnrolmentOver(EnrolmentState),
    #[error("the certificate that signs it is not one that may renew")]
    NotRenewable,
    #[error("{0}")]
    Key(#[from] pki::IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out one PKIOperation; the answer is a CertRep, whether the request is granted or refused.
///
/// # Errors
/// [`TabletError::Malformed`] for a message that cannot even be answered, [`TabletError::Store`] when the
/// memory fails: the tablet then asks again.
pub async fn operate(fleet: &Fleet, message: &[u8], now: Instant) -> Result<Vec<u8>, TabletError> {
    let authorities = fleet.authorities();
    let policy = OpenPolicy {
        legacy: fleet.settings().scep_legacy,
        renewal_expiry: ExpiryPolicy::AdmitFor(RENEWAL_GRACE),
    };
    let request = match pki::scep::open(message, authorities.issuing(), now, policy) {
        Ok(request) => request,
        Err(ScepError::Unreadable(unreadable)) => return Err(TabletError::Malformed(unreadable.to_string())),
        Err(ScepError::Library(error)) => return Err(internal(error)),
        Err(ScepError::Refused(refused)) => {
            tracing::warn!(transaction = refused.requester.transaction_id(), reason = %refused.reason, "SCEP refused");
            return pki::scep::certrep_failure(&refused.requester, refused.fail_info, authorities.issuing())
                .map_err(internal);
        }
    };
    let Some(issuance) = request.issuance() else {
        tracing::warn!(kind = %request.message_type(), "SCEP message that obtains nothing");
        return refuse(fleet, &request, FailInfo::BadRequest);
    };
    match grant(fleet, &issuance, now).await {
        Ok(leaf) => match pki::scep::certrep_success(&issuance, &leaf, authorities.issuing()) {
            Ok(answer) => Ok(answer),
            Err(ReplyError::Recipient(reason)) => {
                tracing::warn!(%reason, "SCEP answer cannot be encrypted to its requester");
                refuse(fleet, &request, FailInfo::BadAlg)
            }
            Err(error) => Err(internal(error)),
        },
        Err(Ungranted::Store(error)) => Err(error.into()),
        Err(Ungranted::Key(error)) => {
            tracing::warn!(%error, "SCEP key refused");
            refuse(fleet, &request, FailInfo::BadAlg)
        }
        Err(reason) => {
            tracing::warn!(transaction = request.transaction_id(), %reason, "SCEP request not granted");
            refuse(fleet, &request, FailInfo::BadRequest)
        }
    }
}

fn refuse(fleet: &Fleet, request: &PkiRequest, info: FailInfo) -> Result<Vec<u8>, TabletError> {
    pki::scep::certrep_failure(request.requester(), info, fleet.authorities().issuing()).map_err(internal)
}

fn internal(error: impl std::fmt::Display) -> TabletError {
    TabletError::Internal(error.to_string())
}

/// Issues a certificate on the grounds of the request, or the one that these grounds got before.
async fn grant(fleet: &Fleet, issuance: &Issuance<'_>, now: Instant) -> Result<Vec<u8>, Ungranted> {
    let key = issuance.csr().public_key_info().to_vec();
    let context = fleet.clone();
    match issuance.kind() {
        IssuanceKind::Enrol { challenge: None } => Err(Ungranted::NoChallenge),
        IssuanceKind::Enrol { challenge: Some(challenge) } => {
            let secret = bearer_secret::digest(challenge.expose());
            fleet.store().write_held(move |tx| enrol(tx, &context, &secret, &key, now)).await
        }
        IssuanceKind::Renew { identity } => {
            let signer = Digest::from(*identity.fingerprint().as_bytes());
            fleet.store().write_held(move |tx| renew(tx, &context, &signer, &key, now)).await
        }
    }
}

fn enrol(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    secret: &Digest,
    key: &[u8],
    now: Instant,
) -> Result<Vec<u8>, Ungranted> {
    let challenge = store::challenges::hold_by_secret(tx, secret)?.ok_or(Ungranted::UnknownChallenge)?;
    let key_digest = Digest::from(*pki::Fingerprint::of(key).as_bytes());
    let state = store::enrolments::hold(tx, challenge.enrolment_id)?
        .map_or(EnrolmentState::Lapsed, |enrolment| enrolment.state);
    let open =
        matches!(state, EnrolmentState::Invited | EnrolmentState::Authenticated | EnrolmentState::Active);
    if !open {
        return Err(Ungranted::EnrolmentOver(state));
    }
    if challenge.expires_at <= now {
        return Err(Ungranted::ExpiredChallenge);
    }
    if challenge.used_at.is_some() {
        return given_before(tx, &challenge, &key_digest)?.ok_or(Ungranted::UsedChallenge);
    }
    let certificate = issue(tx, fleet, challenge.enrolment_id, None, key, now)?;
    if !store::challenges::consume(tx, challenge.id, &key_digest, &certificate, now)? {
        return Err(Ungranted::UsedChallenge);
    }
    Ok(certificate)
}

/// The certificate that a used challenge was answered with, if it was for this key and nobody has used it yet.
fn given_before(
    tx: &mut Tx<'_>,
    challenge: &Challenge,
    key_digest: &Digest,
) -> Result<Option<Vec<u8>>, StoreError> {
    let certificate = match &challenge.certificate {
        Some(certificate) if challenge.used_for.as_ref() == Some(key_digest) => certificate,
        _ => return Ok(None),
    };
    let digest = Digest::from(pki::Fingerprint::of(certificate));
    let unconfirmed = store::certificates::get(tx, &digest)?
        .is_some_and(|certificate| certificate.state == CertificateState::Issued);
    Ok(unconfirmed.then(|| certificate.clone()))
}

fn renew(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    signer: &Digest,
    key: &[u8],
    now: Instant,
) -> Result<Vec<u8>, Ungranted> {
    match store::enrolments::hold_by_certificate(tx, signer)? {
        Some((certificate, enrolment))
            if certificate.state == CertificateState::Confirmed
                && enrolment.state == EnrolmentState::Active =>
        {
            issue(tx, fleet, enrolment.id, Some(*signer), key, now)
        }
        _ => Err(Ungranted::NotRenewable),
    }
}

/// The certificate is bound to its enrolment as it is issued, and never rebound.
fn issue(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    enrolment: EnrolmentId,
    renewed_from: Option<Digest>,
    key: &[u8],
    now: Instant,
) -> Result<Vec<u8>, Ungranted> {
    let authorities = fleet.authorities();
    let authority = authorities.issuing().current();
    let issued = authority.issue(&LeafRequest {
        public_key_info: key.to_vec(),
        enrolment,
        not_before: now.minus(CLOCK_TOLERANCE),
        not_after: now.plus(fleet.settings().identity_lifetime),
    })?;
    store::certificates::insert(
        tx,
        &Certificate {
            sha256: Digest::from(*issued.fingerprint.as_bytes()),
            enrolment_id: enrolment,
            authority_fingerprint: Digest::from(*authority.fingerprint().as_bytes()),
            serial_number: issued.serial,
            state: CertificateState::Issued,
            issued_at: now,
            not_after: issued.not_after,
            first_used_at: None,
            renewed_from,
        },
    )?;
    Ok(issued.der)
}
