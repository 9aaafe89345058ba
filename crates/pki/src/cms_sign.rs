//! Makes CMS signatures (RFC 5652 §5): signed configuration profiles, and the replies of SCEP.

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignatureValue, SignedAttributes, SignedData, SignerIdentifier,
    SignerInfo, SignerInfos,
};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Tag};
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;
use spki::AlgorithmIdentifierOwned;
use types::Secret;
use x509_cert::attr::Attribute;

use crate::Authority;
use crate::asn1::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, wrap};
use crate::certificate::{Certificate, MalformedCertificate};
use crate::digest::Digest;
use crate::oids;

/// A certificate with its key and its chain, to sign with.
#[derive(Clone)]
pub struct SigningKey {
    certificate: Certificate,
    key: PKey<Private>,
    chain: Vec<Certificate>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("fingerprint", &self.certificate.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Why nothing can be signed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SigningError {
    /// A certificate is malformed.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// Key and certificate are not of one another, or the key is neither RSA nor EC.
    #[error("the signing key does not belong to its certificate, or is neither RSA nor EC")]
    Key,
    /// A structure cannot be written.
    #[error("the signed message cannot be written: {0}")]
    Structure(#[from] der::Error),
    /// The cryptographic library failed.
    #[error("the message cannot be signed: {0}")]
    Library(#[from] ErrorStack),
}

impl SigningKey {
    /// A key to sign with, from DER: a certificate, its key (PKCS#8 or traditional), and the certificates
    /// between it and its root.
    ///
    /// # Errors
    /// [`SigningError`], when they are malformed or not of one another.
    pub fn from_der(
        certificate: &[u8],
        key: &Secret<Vec<u8>>,
        chain: &[Vec<u8>],
    ) -> Result<Self, SigningError> {
        let certificate = Certificate::from_der(certificate)?;
        let key = PKey::private_key_from_der(key.expose())?;
        let chain = chain.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>()?;
        Self::checked(certificate, key, chain)
    }

    /// A key to sign with, from PEM: a certificate followed by its chain, and its key.
    ///
    /// # Errors
    /// [`SigningError`], when they are malformed or not of one another.
    pub fn from_pem(chain_pem: &str, key_pem: &Secret<String>) -> Result<Self, SigningError> {
        let mut certificates = Vec::new();
        for x509 in openssl::x509::X509::stack_from_pem(chain_pem.as_bytes())? {
            certificates.push(Certificate::from_der(&x509.to_der()?)?);
        }
        let key = PKey::private_key_from_pem(key_pem.expose().as_bytes())?;
        let mut certificates = certificates.into_iter();
        let certificate = certificates.next().ok_or(SigningError::Key)?;
        Self::checked(certificate, key, certificates.collect())
    }

    /// Signs as the authority itself: tablets trust it once they have its certificate.
    #[must_use]
    pub fn of_authority(authority: &Authority) -> Self {
        Self { certificate: authority.certificate.clone(), key: authority.key.clone(), chain: Vec::new() }
    }

    fn checked(
        certificate: Certificate,
        key: PKey<Private>,
        chain: Vec<Certificate>,
    ) -> Result<Self, SigningError> {
        let known = matches!(key.id(), Id::RSA | Id::EC);
        if known && certificate.public_key()?.public_eq(&key) {
            Ok(Self { certificate, key, chain })
        } else {
            Err(SigningError::Key)
        }
    }
}

/// Signs `content` with SHA-256; the message carries it, the signer's certificate and its chain. DER.
///
/// # Errors
/// [`SigningError`], when the library fails.
pub fn sign_attached(content: &[u8], key: &SigningKey) -> Result<Vec<u8>, SigningError> {
    sign(content, Carried::Attached, key, Digest::Sha256, Vec::new())
}

/// Signs `content` with SHA-256; the message carries the signer's certificate and its chain, not the content. DER.
///
/// # Errors
/// [`SigningError`], when the library fails.
pub fn sign_detached(content: &[u8], key: &SigningKey) -> Result<Vec<u8>, SigningError> {
    sign(content, Carried::Detached, key, Digest::Sha256, Vec::new())
}

/// Whether a signed message carries its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    Attached,
    Detached,
}

/// Signs `content` as plain data, with the given attributes beside the two that RFC 5652 demands.
pub(crate) fn sign(
    content: &[u8],
    carried: Carried,
    key: &SigningKey,
    digest: Digest,
    further_attributes: Vec<Attribute>,
) -> Result<Vec<u8>, SigningError> {
    let mut attributes = further_attributes;
    attributes.push(attribute(oids::CONTENT_TYPE, &wrap(OBJECT_IDENTIFIER, oids::DATA.as_bytes()))?);
    attributes.push(attribute(oids::MESSAGE_DIGEST, &wrap(OCTET_STRING, &digest.of(content)?))?);
    let attributes = SignedAttributes::try_from(attributes)?;
    let mut signer = Signer::new(digest.algorithm(), &key.key)?;
    let signature = signer.sign_oneshot_to_vec(&attributes.to_der()?)?;

    let digest_algorithm = AlgorithmIdentifierOwned { oid: digest.oid(), parameters: None };
    let signature_algorithm = match key.key.id() {
        Id::EC => AlgorithmIdentifierOwned { oid: digest.ecdsa_oid(), parameters: None },
        _ => AlgorithmIdentifierOwned { oid: oids::RSA_ENCRYPTION, parameters: Some(Any::null()) },
    };
    let signer_info = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(name_of(&key.certificate)?),
        digest_alg: digest_algorithm.clone(),
        signed_attrs: Some(attributes),
        signature_algorithm,
        signature: SignatureValue::new(signature)?,
        unsigned_attrs: None,
    };
    let econtent = match carried {
        Carried::Attached => Some(Any::new(Tag::OctetString, content)?),
        Carried::Detached => None,
    };
    let certificates = std::iter::once(&key.certificate).chain(&key.chain);
    signed_data(SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![digest_algorithm])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: oids::DATA, econtent },
        certificates: Some(certificate_set(certificates)?),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![signer_info])?),
    })
}

/// A message without signers that carries one certificate alone (RFC 8894 §3.4): clients take the first one
/// they find, so there must be no other.
pub(crate) fn certificate_alone(leaf: &Certificate) -> Result<Vec<u8>, SigningError> {
    signed_data(SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::new(),
        encap_content_info: EncapsulatedContentInfo { econtent_type: oids::DATA, econtent: None },
        certificates: Some(certificate_set(std::iter::once(leaf))?),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::new()),
    })
}

/// An attribute with one value, given in DER.
pub(crate) fn attribute(oid: ObjectIdentifier, value_der: &[u8]) -> Result<Attribute, der::Error> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![Any::from_der(value_der)?])? })
}

/// How messages name a certificate.
pub(crate) fn name_of(certificate: &Certificate) -> Result<IssuerAndSerialNumber, der::Error> {
    let fields = [certificate.issuer.as_slice(), certificate.serial.as_slice()].concat();
    IssuerAndSerialNumber::from_der(&wrap(SEQUENCE, &fields))
}

fn certificate_set<'a>(
    certificates: impl Iterator<Item = &'a Certificate>,
) -> Result<CertificateSet, der::Error> {
    let choices: Vec<CertificateChoices> = certificates
        .map(|certificate| {
            x509_cert::Certificate::from_der(&certificate.der).map(CertificateChoices::Certificate)
        })
        .collect::<Result<_, _>>()?;
    Ok(CertificateSet(SetOfVec::try_from(choices)?))
}

fn signed_data(signed: SignedData) -> Result<Vec<u8>, SigningError> {
    let content = Any::from_der(&signed.to_der()?)?;
    Ok(ContentInfo { content_type: oids::SIGNED_DATA, content }.to_der()?)
}
