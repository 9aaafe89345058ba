//! What an iPad says of itself when it enrols by automated enrolment: a plist, signed with the certificate
//! that Apple put in it.

use types::Instant;

use crate::ber::Limits;
use crate::cms_verify::{self, SignatureError};
use crate::{AppleAuthority, DeviceCertificateAuthorities, Fingerprint};

/// The longest signed MachineInfo that is read, in bytes.
pub const LONGEST_MACHINE_INFO: usize = 256 * 1024;

/// A statement of a device, signed with a certificate that vouches for it.
///
/// It proves that a device of Apple's wrote it, not which: the serial number in it is the device's word.
#[derive(Debug, Clone)]
pub struct SignedMachineInfo {
    content: Vec<u8>,
    device_certificate: Fingerprint,
}

impl SignedMachineInfo {
    /// The plist, still to be parsed within bounds.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The SHA-256 of the device's certificate.
    #[must_use]
    pub fn device_certificate(&self) -> Fingerprint {
        self.device_certificate
    }
}

/// Why a MachineInfo is not believed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MachineInfoError {
    /// Apple's authorities have not all been added.
    #[error("automated enrolment needs Apple's authorities of device certificates; still missing: {}", names(.0))]
    AuthoritiesMissing(Vec<AppleAuthority>),
    /// Its signature is not valid.
    #[error("the device's MachineInfo: {0}")]
    Signature(#[from] SignatureError),
    /// Its signer is not a device that the authorities vouch for.
    #[error("the device's MachineInfo is not signed by a device that Apple vouches for")]
    Foreign,
    /// The device's own certificate is not valid now.
    #[error(
        "the device's certificate is valid from {not_before} to {not_after} only: check the device's clock and ours"
    )]
    Validity {
        /// Its first instant.
        not_before: Instant,
        /// Its last instant.
        not_after: Instant,
    },
}

fn names(missing: &[AppleAuthority]) -> String {
    missing.iter().map(|authority| authority.name()).collect::<Vec<_>>().join(", ")
}

/// Verifies a signed MachineInfo, BER or DER.
///
/// The message carries the device's certificate alone. It must be issued by *Apple iPhone Device CA* itself:
/// the authorities above also issue to others than devices. The authority has expired, so its dates are
/// not looked at; the device's are (T-A9).
///
/// # Errors
/// [`MachineInfoError`], for anything but a device that `authorities` vouch for.
pub fn verify_machine_info(
    message: &[u8],
    authorities: &DeviceCertificateAuthorities,
    now: Instant,
) -> Result<SignedMachineInfo, MachineInfoError> {
    let issuer = authorities
        .issuer()
        .ok_or_else(|| MachineInfoError::AuthoritiesMissing(authorities.missing().to_vec()))?;
    let message = cms_verify::verify_attached(message, Limits::bytes(LONGEST_MACHINE_INFO))?;
    let device = &message.signer.certificate;
    if device.is_authority() || device.is_self_issued() || !device.is_issued_by(issuer) {
        return Err(MachineInfoError::Foreign);
    }
    if now < device.not_before || now > device.not_after {
        return Err(MachineInfoError::Validity {
            not_before: device.not_before,
            not_after: device.not_after,
        });
    }
    let device_certificate = device.fingerprint;
    Ok(SignedMachineInfo { content: message.into_content(), device_certificate })
}
