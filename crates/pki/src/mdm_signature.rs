//! The `Mdm-Signature` header: a detached CMS signature of the request's body by the tablet's identity.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use types::Instant;

use crate::ber::{self, Limits};
use crate::cms_verify::{self, SignatureError};
use crate::identity::{DeviceIdentity, ExpiryPolicy, IdentityError, SignedBody, TrustedAuthorities};
use crate::signed_data::SignedData;

/// The longest header value that is read, in bytes. A signature with an RSA 4096 certificate needs about 5 kB.
pub const LONGEST_HEADER: usize = 64 * 1024;

/// Why a signed request identifies nobody.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MdmSignatureError {
    /// The header is too long.
    #[error("the Mdm-Signature header has {0} bytes, more than the {LONGEST_HEADER} that are read")]
    TooLong(usize),
    /// The header is not base64.
    #[error("the Mdm-Signature header is not base64")]
    Base64(#[source] base64::DecodeError),
    /// The signature is not a valid signature of the body.
    #[error("the Mdm-Signature header: {0}")]
    Signature(#[from] SignatureError),
    /// The signer is nobody of ours.
    #[error("the Mdm-Signature header: {0}")]
    Identity(#[from] IdentityError),
}

/// Checks that the holder of some certificate's key signed exactly this body. Who that is,
/// [`TrustedAuthorities::identify_signed`] decides.
///
/// # Errors
/// [`MdmSignatureError`], for anything but one valid detached signature.
pub fn check(header: &str, body: &[u8]) -> Result<SignedBody, MdmSignatureError> {
    if header.len() > LONGEST_HEADER {
        return Err(MdmSignatureError::TooLong(header.len()));
    }
    let ber = STANDARD.decode(header.trim_ascii()).map_err(MdmSignatureError::Base64)?;
    let der = ber::to_der(&ber, Limits::bytes(LONGEST_HEADER)).map_err(SignatureError::from)?;
    let signed = SignedData::from_der(&der).map_err(SignatureError::from)?;
    // Content of its own would be a second candidate for what was signed.
    if signed.content.is_some() {
        return Err(SignatureError::Content.into());
    }
    Ok(SignedBody { signer: cms_verify::verify(&signed, body)? })
}

/// Identifies the tablet that signed `body`: [`check`], then the chain and the expiry policy.
///
/// # Errors
/// [`MdmSignatureError`], when the signature or its signer proves nobody of ours.
pub fn verify(
    header: &str,
    body: &[u8],
    trusted: &TrustedAuthorities,
    now: Instant,
    expiry: ExpiryPolicy,
) -> Result<DeviceIdentity, MdmSignatureError> {
    Ok(trusted.identify_signed(&check(header, body)?, now, expiry)?)
}
