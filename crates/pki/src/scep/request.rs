//! Opens a SCEP request: signature, encryption, certificate request (RFC 8894 §3.2, §3.3).

use openssl::error::ErrorStack;
use types::{Instant, Secret};

use super::attributes::{octets, text};
use super::{Csr, FailInfo, LegacyPolicy, MessageType};
use crate::asn1::UnexpectedStructure;
use crate::ber::{self, BerError, Limits};
use crate::certificate::Certificate;
use crate::cms_verify::{self, SignatureError};
use crate::digest::Digest;
use crate::envelope::{ContentCipher, Envelope, EnvelopeError};
use crate::identity::{DeviceIdentity, ExpiryPolicy, IdentityError, Proof};
use crate::signed_data::SignedData;
use crate::{Authorities, Authority, Fingerprint, oids};

/// The longest message that is read, in bytes. A request with an RSA 4096 key needs about 8 kB.
pub const LONGEST_MESSAGE: usize = 256 * 1024;
/// The longest transaction id and the longest nonce, in bytes.
const LONGEST_NAME: usize = 256;
const LONGEST_NONCE: usize = 64;

/// What to accept.
#[derive(Debug, Clone, Copy)]
pub struct OpenPolicy {
    /// Which algorithms.
    pub legacy: LegacyPolicy,
    /// Whether a certificate that has expired may still renew itself.
    pub renewal_expiry: ExpiryPolicy,
}

/// What an answer needs of a request, whatever became of the rest.
#[derive(Debug, Clone)]
pub struct Requester {
    pub(super) transaction_id: String,
    pub(super) sender_nonce: Vec<u8>,
    pub(super) message_type: MessageType,
    /// The digest to sign the answer with: the request's own, if it can be had.
    pub(super) digest: Digest,
    /// The authority of ours that the message is encrypted to, where that is known.
    pub(super) addressed: Option<Fingerprint>,
}

impl Requester {
    /// The client's name for this exchange.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        &self.transaction_id
    }

    /// The nonce to send back.
    #[must_use]
    pub fn sender_nonce(&self) -> &[u8] {
        &self.sender_nonce
    }

    /// What the message asks for.
    #[must_use]
    pub fn message_type(&self) -> &MessageType {
        &self.message_type
    }
}

/// A request that was opened: signed by the key it is about, and, where it carries a certificate request,
/// decrypted.
#[derive(Debug, Clone)]
pub struct PkiRequest {
    requester: Requester,
    signer: Signer,
    signer_certificate: Certificate,
    body: Body,
}

/// Who signed a request.
#[derive(Debug, Clone)]
pub enum Signer {
    /// The new key itself, under a certificate of its own making, which proves nothing but the key.
    SelfSigned,
    /// A tablet with a certificate of ours. Whether that is bound and not revoked is for the database to say.
    Identified(DeviceIdentity),
    /// Someone with a certificate of others, DER.
    Certificate(Vec<u8>),
}

#[derive(Debug, Clone)]
enum Body {
    Request {
        csr: Csr,
        cipher: ContentCipher,
    },
    /// A kind that is never granted, so that nothing in it was looked at.
    Unread,
}

/// A request that may lead to a certificate. Only [`PkiRequest::issuance`] makes one (T-A12).
#[derive(Debug, Clone, Copy)]
pub struct Issuance<'a> {
    pub(super) requester: &'a Requester,
    pub(super) recipient: &'a Certificate,
    pub(super) cipher: ContentCipher,
    csr: &'a Csr,
    kind: IssuanceKind<'a>,
}

/// On what grounds a certificate is asked for.
#[derive(Debug, Clone, Copy)]
pub enum IssuanceKind<'a> {
    /// A first certificate, on the strength of a challenge that was given out, still to be checked and
    /// consumed. `None`: there is none, so the request must be refused.
    Enrol {
        /// The challenge password.
        challenge: Option<&'a Secret<String>>,
    },
    /// A new certificate for the tablet that this one identifies, if it is bound and not revoked.
    Renew {
        /// Whose certificate it replaces.
        identity: &'a DeviceIdentity,
    },
}

impl<'a> Issuance<'a> {
    /// The certificate request.
    #[must_use]
    pub fn csr(&self) -> &'a Csr {
        self.csr
    }

    /// On what grounds.
    #[must_use]
    pub fn kind(&self) -> IssuanceKind<'a> {
        self.kind
    }
}

impl PkiRequest {
    /// What an answer needs.
    #[must_use]
    pub fn requester(&self) -> &Requester {
        &self.requester
    }

    /// The client's name for this exchange.
    #[must_use]
    pub fn transaction_id(&self) -> &str {
        &self.requester.transaction_id
    }

    /// What the message asks for.
    #[must_use]
    pub fn message_type(&self) -> &MessageType {
        &self.requester.message_type
    }

    /// Who signed it.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The certificate request, for the two kinds that carry one.
    #[must_use]
    pub fn csr(&self) -> Option<&Csr> {
        match &self.body {
            Body::Request { csr, .. } => Some(csr),
            Body::Unread => None,
        }
    }

    /// The grounds on which it could be granted: a PKCSReq signed by the new key itself, or a renewal signed
    /// by a tablet of ours. Every other message is refused, whatever it carries.
    #[must_use]
    pub fn issuance(&self) -> Option<Issuance<'_>> {
        let Body::Request { csr, cipher } = &self.body else { return None };
        let kind = match (&self.requester.message_type, &self.signer) {
            (MessageType::PkcsReq, Signer::SelfSigned) => IssuanceKind::Enrol { challenge: csr.challenge() },
            // Before RFC 8894 a renewal was a PKCSReq too, told apart by its signer; certmonger still does so.
            (MessageType::RenewalReq | MessageType::PkcsReq, Signer::Identified(identity)) => {
                IssuanceKind::Renew { identity }
            }
            _ => return None,
        };
        let (requester, recipient) = (&self.requester, &self.signer_certificate);
        Some(Issuance { requester, recipient, cipher: *cipher, csr, kind })
    }
}

/// Why a message is not a request to decide on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ScepError {
    /// Not even its sender's nonce can be read: the door answers 400.
    #[error(transparent)]
    Unreadable(#[from] UnreadableMessage),
    /// It cannot be granted: the door answers 200 with [`certrep_failure`](super::certrep_failure).
    #[error("the request of transaction {} is refused: {}", .0.requester.transaction_id, .0.reason)]
    Refused(Box<Refused>),
    /// The cryptographic library failed: the door answers 503.
    #[error("the request cannot be opened: {0}")]
    Library(#[from] ErrorStack),
}

/// Why a message is not SCEP.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UnreadableMessage {
    /// There is none. Old clients send an empty body to a server they take for another.
    #[error("the message is empty")]
    Empty,
    /// It is not BER within its bounds.
    #[error(transparent)]
    Ber(#[from] BerError),
    /// It is not a signed message with SCEP's attributes.
    #[error("the message is not SCEP: {0}")]
    Structure(#[from] UnexpectedStructure),
    /// Nobody signed it, or several did.
    #[error("the message has {0} signers, expected exactly one")]
    Signers(usize),
}

/// A request that cannot be granted, and what the client is told.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Whom to answer.
    pub requester: Requester,
    /// What to answer.
    pub fail_info: FailInfo,
    /// Why, for the log.
    pub reason: RefusalReason,
}

/// Why a request cannot be granted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RefusalReason {
    /// Its signature is not valid.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is signed with SHA-1, and legacy clients are not admitted.
    #[error("it is signed with SHA-1: such a client needs scep.allow_legacy = true")]
    LegacyDigest,
    /// It is encrypted with single DES, and legacy clients are not admitted.
    #[error("it is encrypted with single DES: such a client needs scep.allow_legacy = true")]
    LegacyCipher,
    /// It is encrypted in a way we do not support.
    #[error("{0}")]
    Encryption(String),
    /// It is encrypted to nobody here.
    #[error("it is encrypted to another authority: the client must fetch ours again (GetCACert)")]
    OtherAuthority,
    /// It does not decrypt to a certificate request that its own key signed. One reason for all the ways,
    /// as the client must not learn which.
    #[error("it does not decrypt to a valid certificate request")]
    Undecipherable,
    /// A PKCSReq must be signed by the new key under a certificate of its own making, or by one of ours.
    #[error("its signer is neither the key to certify nor a tablet of ours")]
    NotSelfSigned,
    /// A RenewalReq must be signed by a certificate of ours.
    #[error("its signer may not renew: {0}")]
    Renewal(#[from] IdentityError),
}

/// Opens a request: everything that can be proven without the database.
///
/// # Errors
/// [`ScepError`]: `Unreadable` (answer 400) when not even the transaction is known, `Refused` (answer with a
/// failure) when it is.
pub fn open(
    message: &[u8],
    authorities: &Authorities,
    now: Instant,
    policy: OpenPolicy,
) -> Result<PkiRequest, ScepError> {
    if message.is_empty() {
        return Err(UnreadableMessage::Empty.into());
    }
    let der = ber::to_der(message, Limits::bytes(LONGEST_MESSAGE)).map_err(UnreadableMessage::from)?;
    let signed = SignedData::from_der(&der).map_err(UnreadableMessage::from)?;
    let mut requester = requester(&signed)?;

    let content = signed.content.unwrap_or_default();
    let signer = match cms_verify::verify(&signed, content) {
        Ok(signer) => signer,
        Err(SignatureError::Library(error)) => return Err(error.into()),
        Err(error @ (SignatureError::Digest(_) | SignatureError::Algorithm(_))) => {
            return Err(refused(requester, FailInfo::BadAlg, error.into()));
        }
        Err(error) => return Err(refused(requester, FailInfo::BadMessageCheck, error.into())),
    };
    if signer.digest == Digest::Sha1 && !policy.legacy.is_admitted() {
        return Err(refused(requester, FailInfo::BadAlg, RefusalReason::LegacyDigest));
    }
    requester.digest = signer.digest;
    let certificate = signer.certificate;

    let who = match authorities.trusted().identify(&certificate, Proof::Signature, now, policy.renewal_expiry)
    {
        Ok(identity) => Ok(Signer::Identified(identity)),
        // Its own signature on it would prove nothing that the message's does not.
        Err(_) if certificate.is_self_issued() => Ok(Signer::SelfSigned),
        Err(error) => Err(error),
    };
    let who = match (&requester.message_type, who) {
        (MessageType::PkcsReq, Ok(signer)) => signer,
        (MessageType::PkcsReq, Err(_foreign)) => {
            return Err(refused(requester, FailInfo::BadRequest, RefusalReason::NotSelfSigned));
        }
        (MessageType::RenewalReq, Ok(Signer::Identified(identity))) => Signer::Identified(identity),
        (MessageType::RenewalReq, Ok(_)) => {
            return Err(refused(requester, FailInfo::BadRequest, IdentityError::SelfSigned.into()));
        }
        (MessageType::RenewalReq, Err(error)) => {
            return Err(refused(requester, FailInfo::BadRequest, error.into()));
        }
        (_, who) => {
            let signer = who.unwrap_or_else(|_foreign| Signer::Certificate(certificate.der.clone()));
            return Ok(PkiRequest { requester, signer, signer_certificate: certificate, body: Body::Unread });
        }
    };

    let (csr, cipher) = decrypt(content, authorities, &mut requester, policy.legacy)?;
    if matches!(who, Signer::SelfSigned) && !same_key(&csr, &certificate)? {
        return Err(refused(requester, FailInfo::BadRequest, RefusalReason::NotSelfSigned));
    }
    Ok(PkiRequest {
        requester,
        signer: who,
        signer_certificate: certificate,
        body: Body::Request { csr, cipher },
    })
}

/// Reads what an answer needs, before anything is proven.
fn requester(signed: &SignedData<'_>) -> Result<Requester, UnreadableMessage> {
    let [info] = signed.signers.as_slice() else {
        return Err(UnreadableMessage::Signers(signed.signers.len()));
    };
    let attributes = info.signed_attributes.ok_or(UnexpectedStructure { expected: "signed attributes" })?;
    let code = text(attributes, oids::SCEP_MESSAGE_TYPE, LONGEST_NAME, "a message type")?;
    Ok(Requester {
        transaction_id: text(attributes, oids::SCEP_TRANSACTION_ID, LONGEST_NAME, "a transaction id")?,
        sender_nonce: octets(attributes, oids::SCEP_SENDER_NONCE, LONGEST_NONCE, "a sender's nonce")?,
        message_type: MessageType::from_code(&code),
        digest: Digest::Sha256,
        addressed: None,
    })
}

fn decrypt(
    content: &[u8],
    authorities: &Authorities,
    requester: &mut Requester,
    legacy: LegacyPolicy,
) -> Result<(Csr, ContentCipher), ScepError> {
    let refuse = |fail_info, reason| refused(requester.clone(), fail_info, reason);
    // The envelope is BER inside an octet string, which the first pass took as it was.
    let der = match ber::to_der(content, Limits::bytes(LONGEST_MESSAGE)) {
        Ok(der) => der,
        Err(error) => {
            return Err(refuse(FailInfo::BadMessageCheck, RefusalReason::Encryption(error.to_string())));
        }
    };
    let envelope = match Envelope::from_der(&der) {
        Ok(envelope) => envelope,
        Err(error) => {
            let fail_info = match error {
                EnvelopeError::Structure(_) => FailInfo::BadMessageCheck,
                EnvelopeError::Cipher(_) | EnvelopeError::Transport(_) => FailInfo::BadAlg,
            };
            return Err(refuse(fail_info, RefusalReason::Encryption(error.to_string())));
        }
    };
    if envelope.cipher() == ContentCipher::Des && !legacy.is_admitted() {
        return Err(refuse(FailInfo::BadAlg, RefusalReason::LegacyCipher));
    }
    let Some(authority) = authorities.ours().find(|authority| envelope.is_for(authority)) else {
        return Err(refuse(FailInfo::BadMessageCheck, RefusalReason::OtherAuthority));
    };
    let csr = envelope.decrypt(authority).ok().and_then(|plain| certificate_request(plain.expose()));
    let Some(csr) = csr else {
        return Err(refuse(FailInfo::BadMessageCheck, RefusalReason::Undecipherable));
    };
    requester.addressed = Some(Authority::fingerprint(authority));
    Ok((csr, envelope.cipher()))
}

fn certificate_request(plain: &[u8]) -> Option<Csr> {
    let der = Secret::new(ber::to_der(plain, Limits::bytes(LONGEST_MESSAGE)).ok()?);
    Csr::from_der(der.expose())
}

/// Whether the key to certify is the one that signed. Compared as keys: the two may be encoded differently.
fn same_key(csr: &Csr, signer: &Certificate) -> Result<bool, ErrorStack> {
    let requested = openssl::pkey::PKey::public_key_from_der(csr.public_key_info())?;
    let signing = signer.public_key()?;
    Ok(requested.public_eq(&signing))
}

fn refused(requester: Requester, fail_info: FailInfo, reason: RefusalReason) -> ScepError {
    ScepError::Refused(Box::new(Refused { requester, fail_info, reason }))
}
