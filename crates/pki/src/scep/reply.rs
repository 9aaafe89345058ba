//! The answers of SCEP (RFC 8894 §3.3.2): a certificate, or a reason.

use openssl::error::ErrorStack;

use super::attributes::{nonce, printable};
use super::{FailInfo, Issuance, MessageType, Requester};
use crate::certificate::{Certificate, MalformedCertificate};
use crate::cms_sign::{self, Carried, SigningError, SigningKey};
use crate::envelope::{self, SealError};
use crate::{Authorities, oids};

const SUCCESS: &str = "0";
const FAILURE: &str = "2";
/// RFC 8894 §3.2.1.5.
const NONCE_BYTES: usize = 16;

/// Why no answer can be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReplyError {
    /// The certificate to send is malformed.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// The requester's key cannot be encrypted to: it is not RSA. Answer with [`FailInfo::BadAlg`].
    #[error("the certificate cannot be encrypted to the requester: {0}")]
    Recipient(String),
    /// The answer cannot be signed.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The cryptographic library failed.
    #[error("the answer cannot be made: {0}")]
    Library(#[from] ErrorStack),
}

impl From<SealError> for ReplyError {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Library(error) => Self::Library(error),
            SealError::NotRsa => Self::Recipient(error.to_string()),
        }
    }
}

/// The answer that grants a request: the new certificate, alone, encrypted to the requester as strongly as
/// it asked, signed by the authority it asked. DER.
///
/// # Errors
/// [`ReplyError`], when the certificate cannot be encrypted to the requester's key.
pub fn certrep_success(
    issuance: &Issuance<'_>,
    leaf_der: &[u8],
    authorities: &Authorities,
) -> Result<Vec<u8>, ReplyError> {
    let alone = cms_sign::certificate_alone(&Certificate::from_der(leaf_der)?)?;
    let sealed = envelope::seal(&alone, issuance.recipient, issuance.cipher)?;
    reply(issuance.requester, SUCCESS, None, &sealed, authorities)
}

/// The answer that refuses a request, with the reason that the client is told. DER.
///
/// # Errors
/// [`ReplyError`], when the library fails.
pub fn certrep_failure(
    requester: &Requester,
    fail_info: FailInfo,
    authorities: &Authorities,
) -> Result<Vec<u8>, ReplyError> {
    reply(requester, FAILURE, Some(fail_info), &[], authorities)
}

fn reply(
    requester: &Requester,
    status: &str,
    fail_info: Option<FailInfo>,
    content: &[u8],
    authorities: &Authorities,
) -> Result<Vec<u8>, ReplyError> {
    let mut own_nonce = [0; NONCE_BYTES];
    openssl::rand::rand_bytes(&mut own_nonce)?;
    let attributes = || {
        let mut attributes = vec![
            printable(oids::SCEP_TRANSACTION_ID, &requester.transaction_id)?,
            printable(oids::SCEP_MESSAGE_TYPE, MessageType::CertRep.code())?,
            printable(oids::SCEP_PKI_STATUS, status)?,
            nonce(oids::SCEP_RECIPIENT_NONCE, &requester.sender_nonce)?,
            nonce(oids::SCEP_SENDER_NONCE, &own_nonce)?,
        ];
        if let Some(fail_info) = fail_info {
            attributes.push(printable(oids::SCEP_FAIL_INFO, fail_info.code())?);
        }
        Ok::<_, der::Error>(attributes)
    };
    let attributes = attributes().map_err(SigningError::from)?;
    // A client that still knows the authority before a rotation verifies the answer with that one.
    let authority = requester
        .addressed
        .and_then(|fingerprint| authorities.find(fingerprint))
        .unwrap_or_else(|| authorities.current());
    let key = SigningKey::of_authority(authority);
    // A failure has no envelope (RFC 8894 §3.3.2.2). Its content is empty rather than absent, as clients that
    // verify with OpenSSL's PKCS7_verify (certmonger) find no signature where there is no content.
    Ok(cms_sign::sign(content, Carried::Attached, &key, requester.digest, attributes)?)
}
