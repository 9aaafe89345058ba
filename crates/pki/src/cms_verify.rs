//! Verifies CMS signatures (RFC 5652 §5.4 to §5.6): that a key signed these bytes. Whom to trust is decided
//! elsewhere, from what this proves.

use openssl::error::ErrorStack;
use openssl::pkey::Id;
use openssl::sign::Verifier;

use crate::asn1::{Cursor, OCTET_STRING, SET, UnexpectedStructure};
use crate::ber::{self, BerError, Limits};
use crate::certificate::Certificate;
use crate::digest::{Digest, SignatureScheme};
use crate::oids;
use crate::signed_data::{SignedData, attribute};

/// Why a signature proves nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignatureError {
    /// The message is not BER within its bounds.
    #[error(transparent)]
    Ber(#[from] BerError),
    /// The message is not a signed CMS message.
    #[error("the message is malformed: {0}")]
    Structure(#[from] UnexpectedStructure),
    /// Nobody signed, or several did.
    #[error("the message has {0} signers, expected exactly one")]
    Signers(usize),
    /// The signer's certificate is not in the message.
    #[error("the message does not carry its signer's certificate")]
    CertificateAbsent,
    /// The content is not plain data.
    #[error("the message is not signed as plain data")]
    ContentType,
    /// A detached signature was expected to carry its content, or the reverse.
    #[error("the signed content is missing, or given twice")]
    Content,
    /// The digest algorithm is unknown or too weak.
    #[error("the digest algorithm {0} is not accepted: expected SHA-1, SHA-256, SHA-384 or SHA-512")]
    Digest(const_oid::ObjectIdentifier),
    /// The signature algorithm is unknown, or is for another kind of key, or names another digest.
    #[error("the signature algorithm {0} is not accepted with this key and digest")]
    Algorithm(const_oid::ObjectIdentifier),
    /// The signed attributes do not say what was signed.
    #[error("the signed attributes lack the content type or the digest of the content")]
    AttributeAbsent,
    /// The signature is of another content.
    #[error("the signature is of another content")]
    OtherContent,
    /// The signature was not made by the key of the signer's certificate.
    #[error("the signature does not verify with the signer's key")]
    Signature,
    /// The cryptographic library failed.
    #[error("the signature cannot be checked: {0}")]
    Library(#[from] ErrorStack),
}

/// What a signature that verified proves: the holder of this certificate's key signed the content.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) certificate: Certificate,
    pub(crate) digest: Digest,
}

/// Checks that exactly one key signed `content`, with its certificate in the message.
///
/// The order matters: what is cheap and needs no trust comes first, and the signature is only looked at
/// when it would be of this content.
pub(crate) fn verify(signed: &SignedData<'_>, content: &[u8]) -> Result<Signer, SignatureError> {
    let [info] = signed.signers.as_slice() else {
        return Err(SignatureError::Signers(signed.signers.len()));
    };
    let certificate = signed.certificate_of(info).ok_or(SignatureError::CertificateAbsent)?;
    if signed.content_type != oids::DATA {
        return Err(SignatureError::ContentType);
    }
    let digest = Digest::from_oid(info.digest).ok_or(SignatureError::Digest(info.digest))?;
    let (scheme, named) = SignatureScheme::from_oid(info.signature_algorithm)
        .ok_or(SignatureError::Algorithm(info.signature_algorithm))?;
    if named.is_some_and(|named| named != digest) {
        return Err(SignatureError::Algorithm(info.signature_algorithm));
    }

    let attributes_der;
    let signed_bytes = match info.signed_attributes {
        Some(attributes) => {
            let content_type =
                attributes.value(oids::CONTENT_TYPE)?.ok_or(SignatureError::AttributeAbsent)?;
            if content_type.oid("a content type")? != oids::DATA {
                return Err(SignatureError::ContentType);
            }
            let claimed = attributes.value(oids::MESSAGE_DIGEST)?.ok_or(SignatureError::AttributeAbsent)?;
            if claimed.tag != OCTET_STRING || claimed.content != digest.of(content)? {
                return Err(SignatureError::OtherContent);
            }
            attributes_der = attributes.signed_bytes();
            attributes_der.as_slice()
        }
        None if is_signed_attributes(content) => return Err(SignatureError::OtherContent),
        None => content,
    };

    let key = certificate.public_key()?;
    let key_fits = match scheme {
        SignatureScheme::Rsa => key.id() == Id::RSA,
        SignatureScheme::Ecdsa => key.id() == Id::EC,
    };
    if !key_fits {
        return Err(SignatureError::Algorithm(info.signature_algorithm));
    }
    let mut verifier = Verifier::new(digest.algorithm(), &key)?;
    // The library reports a signature of the wrong form as an error, not as `false`.
    if verifier.verify_oneshot(info.signature, signed_bytes).unwrap_or(false) {
        Ok(Signer { certificate, digest })
    } else {
        Err(SignatureError::Signature)
    }
}

/// Whether a content is itself what a signature with attributes covers. Someone who takes the attributes out
/// of a captured message could otherwise pass them off as a content that was signed without any.
fn is_signed_attributes(content: &[u8]) -> bool {
    Cursor::whole(content, SET, "attributes")
        .and_then(|set| attribute(set.inside(), oids::MESSAGE_DIGEST))
        .is_ok_and(|digest| digest.is_some())
}

/// A signed message with its content inside, whose signature verified. Whether its signer is trusted is
/// still to be decided.
#[derive(Debug, Clone)]
pub struct VerifiedMessage {
    content: Vec<u8>,
    pub(crate) signer: Signer,
}

impl VerifiedMessage {
    /// The signed bytes.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The signed bytes, taken out.
    #[must_use]
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }

    /// The DER of the certificate whose key signed.
    #[must_use]
    pub fn signer_der(&self) -> &[u8] {
        &self.signer.certificate.der
    }

    /// The digest that was signed.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.signer.digest
    }
}

/// Verifies the signature of a message that carries its content. `ber` is the message, in BER or DER.
///
/// # Errors
/// [`SignatureError`], for anything but exactly one valid signature by a certificate in the message.
pub fn verify_attached(ber: &[u8], limits: Limits) -> Result<VerifiedMessage, SignatureError> {
    let der = ber::to_der(ber, limits)?;
    let signed = SignedData::from_der(&der)?;
    let content = signed.content.ok_or(SignatureError::Content)?;
    let signer = verify(&signed, content)?;
    Ok(VerifiedMessage { content: content.to_vec(), signer })
}

/// The content of a signed configuration profile, *without* verifying who signed it: for looking inside at
/// what it would do. `None` for bytes that are not a signed message, such as a profile that is not signed.
///
/// # Errors
/// [`SignatureError`], when the bytes are a signed message whose content cannot be reached: such a profile
/// must be refused, since a tablet might still open it.
pub fn open_signed_profile(bytes: &[u8], limits: Limits) -> Result<Option<Vec<u8>>, SignatureError> {
    // A profile in plain text starts with `<`, `b` or white space; a CMS message with a SEQUENCE.
    if bytes.first() != Some(&crate::asn1::SEQUENCE) {
        return Ok(None);
    }
    let der = ber::to_der(bytes, limits)?;
    let signed = SignedData::from_der(&der)?;
    let content = signed.content.ok_or(SignatureError::Content)?;
    Ok(Some(content.to_vec()))
}
