//! The house's certificate authority. It gives each tablet its identity, and it is also the authority that
//! SCEP messages are signed and encrypted to, hence an RSA key.
//!
//! What a request asks for as subject or extension is ignored: the authority decides both (T-A13).

use openssl::asn1::Asn1Integer;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef, X509Ref};
use types::{Duration, EnrolmentId, Instant, Secret};

use crate::Fingerprint;
use crate::certificate::{Certificate, MalformedCertificate, asn1_time};

/// How far before its making an authority's certificate begins: tablets' clocks are not ours.
const BACKDATING: Duration = Duration::from_secs(3600);
/// The RSA keys we certify, in bits: shorter ones are weak, longer ones only cost time.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=8192;

/// The size of an authority's RSA key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthorityKey {
    /// 2048 bits: quick to make, for tests and demonstrations.
    Rsa2048,
    /// 3072 bits: for an authority that lives for decades.
    #[default]
    Rsa3072,
}

/// A certificate authority of ours, with its key.
#[derive(Clone)]
pub struct Authority {
    pub(crate) certificate: Certificate,
    pub(crate) key: PKey<Private>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &self.certificate.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Why an authority cannot be made or loaded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthorityError {
    /// Its certificate is malformed.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// Its certificate is not an authority's.
    #[error("the authority's certificate may not issue certificates (no CA:TRUE or no certificate signing)")]
    NotAnAuthority,
    /// Its key is of the wrong kind.
    #[error("the authority's key is not RSA with 2048 bits or more, which SCEP needs")]
    Key,
    /// Key and certificate are not of one another.
    #[error(
        "the authority's key does not belong to its certificate: check that both come from the same backup"
    )]
    KeyMismatch,
    /// The cryptographic library failed.
    #[error("the authority cannot be made or loaded: {0}")]
    Library(#[from] ErrorStack),
}

/// What a tablet's certificate is to say. Everything else the authority decides.
#[derive(Debug, Clone)]
pub struct LeafRequest {
    /// The tablet's public key: a SubjectPublicKeyInfo in DER.
    pub public_key_info: Vec<u8>,
    /// The enrolment it is bound to; it becomes the common name.
    pub enrolment: EnrolmentId,
    /// The first instant of validity.
    pub not_before: Instant,
    /// The last instant of validity; cut at the authority's own end.
    pub not_after: Instant,
}

/// A certificate that was just issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedCertificate {
    /// Its DER.
    pub der: Vec<u8>,
    /// The SHA-256 of its DER, under which it is bound.
    pub fingerprint: Fingerprint,
    /// Its serial number: 32 lower-case hexadecimal digits.
    pub serial: String,
    /// The last instant of validity, as written in it.
    pub not_after: Instant,
}

/// Why a certificate is not issued.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IssueError {
    /// The public key cannot be read.
    #[error("the public key of the request cannot be read: {0}")]
    UnreadableKey(ErrorStack),
    /// The public key is too weak, or of a kind we do not certify.
    #[error(
        "the public key of the request is refused ({0}): expected RSA from 2048 bits, or EC P-256 or P-384"
    )]
    WeakKey(String),
    /// The validity is empty, perhaps because the authority has expired.
    #[error("the certificate would never be valid: check the authority's end, {authority_end}")]
    EmptyValidity {
        /// The authority's own end.
        authority_end: Instant,
    },
    /// A name cannot be put in a certificate.
    #[error("`{0}` is not a host name or an address")]
    Name(String),
    /// The finished certificate does not read back.
    #[error(transparent)]
    Malformed(#[from] MalformedCertificate),
    /// The cryptographic library failed.
    #[error("the certificate cannot be issued: {0}")]
    Library(#[from] ErrorStack),
}

impl Authority {
    /// Makes a new authority with an RSA key of 3072 bits, valid for `validity` from `now`.
    ///
    /// # Errors
    /// [`AuthorityError`], when the library fails or `common_name` does not fit (64 characters).
    pub fn generate(common_name: &str, now: Instant, validity: Duration) -> Result<Self, AuthorityError> {
        Self::generate_with(common_name, now, validity, AuthorityKey::default())
    }

    /// [`Authority::generate`] with a key of the given size.
    ///
    /// # Errors
    /// As [`Authority::generate`].
    pub fn generate_with(
        common_name: &str,
        now: Instant,
        validity: Duration,
        key: AuthorityKey,
    ) -> Result<Self, AuthorityError> {
        let bits = match key {
            AuthorityKey::Rsa2048 => 2048,
            AuthorityKey::Rsa3072 => 3072,
        };
        let key = PKey::from_rsa(Rsa::generate(bits)?)?;
        let name = common_name_only(common_name)?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&random_serial()?.1)?;
        builder.set_subject_name(&name)?;
        builder.set_issuer_name(&name)?;
        builder.set_pubkey(&key)?;
        builder.set_not_before(asn1_time(now.minus(BACKDATING))?.as_ref())?;
        builder.set_not_after(asn1_time(now.plus(validity))?.as_ref())?;
        // A path of 0: it issues to tablets and doors, never to another authority.
        builder.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
        builder.append_extension(
            KeyUsage::new()
                .critical()
                .key_cert_sign()
                .crl_sign()
                .digital_signature()
                .key_encipherment()
                .build()?,
        )?;
        let key_identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
        builder.append_extension(key_identifier)?;
        builder.sign(&key, MessageDigest::sha256())?;
        Ok(Self { certificate: Certificate::from_der(&builder.build().to_der()?)?, key })
    }

    /// Loads an authority from its certificate (DER) and key (PKCS#8 DER), as stored.
    ///
    /// # Errors
    /// [`AuthorityError`], when they are not an authority's, or not of one another.
    pub fn from_parts(certificate_der: &[u8], key_der: &Secret<Vec<u8>>) -> Result<Self, AuthorityError> {
        let certificate = Certificate::from_der(certificate_der)?;
        let key = PKey::private_key_from_der(key_der.expose())?;
        if key.id() != Id::RSA || key.bits() < *RSA_BITS.start() {
            return Err(AuthorityError::Key);
        }
        if !certificate.public_key()?.public_eq(&key) {
            return Err(AuthorityError::KeyMismatch);
        }
        if !certificate.is_authority() {
            return Err(AuthorityError::NotAnAuthority);
        }
        Ok(Self { certificate, key })
    }

    /// The authority's certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate.der
    }

    /// The authority's key, PKCS#8 DER, not encrypted: whoever stores it encrypts it.
    ///
    /// # Errors
    /// [`ErrorStack`], when the library cannot write the key.
    pub fn key_der(&self) -> Result<Secret<Vec<u8>>, ErrorStack> {
        self.key.private_key_to_pkcs8().map(Secret::new)
    }

    /// The SHA-256 of the authority's certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint
    }

    /// The last instant at which the authority is valid.
    #[must_use]
    pub fn not_after(&self) -> Instant {
        self.certificate.not_after
    }

    /// Issues a tablet's certificate: common name = the enrolment, for client authentication, with a random
    /// 128-bit serial number.
    ///
    /// # Errors
    /// [`IssueError`], for a weak key or an empty validity.
    pub fn issue(&self, request: &LeafRequest) -> Result<IssuedCertificate, IssueError> {
        let key = PKey::public_key_from_der(&request.public_key_info).map_err(IssueError::UnreadableKey)?;
        check_strength(&key)?;
        let name = common_name_only(&request.enrolment.to_string())?;
        let purpose = ExtendedKeyUsage::new().client_auth().build()?;
        let key_usage = KeyUsage::new().critical().digital_signature().key_encipherment().build()?;
        let mut leaf = Leaf::begin(self, &name, &key, request.not_before, request.not_after)?;
        leaf.builder.append_extension(key_usage)?;
        leaf.builder.append_extension(purpose)?;
        leaf.finish()
    }
}

/// A certificate in the making, with what every certificate of ours has.
pub(crate) struct Leaf<'a> {
    authority: &'a Authority,
    pub(crate) builder: X509Builder,
    serial: String,
}

impl<'a> Leaf<'a> {
    pub(crate) fn begin(
        authority: &'a Authority,
        subject: &X509NameRef,
        key: &PKey<Public>,
        not_before: Instant,
        not_after: Instant,
    ) -> Result<Self, IssueError> {
        let not_after = not_after.min(authority.not_after());
        if not_after <= not_before {
            return Err(IssueError::EmptyValidity { authority_end: authority.not_after() });
        }
        let issuer: &X509Ref = &authority.certificate.x509;
        let (serial, serial_number) = random_serial()?;
        let mut builder = X509::builder()?;
        builder.set_version(2)?;
        builder.set_serial_number(&serial_number)?;
        builder.set_subject_name(subject)?;
        builder.set_issuer_name(issuer.subject_name())?;
        builder.set_pubkey(key)?;
        builder.set_not_before(asn1_time(not_before)?.as_ref())?;
        builder.set_not_after(asn1_time(not_after)?.as_ref())?;
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        let key_identifier =
            SubjectKeyIdentifier::new().build(&builder.x509v3_context(Some(issuer), None))?;
        builder.append_extension(key_identifier)?;
        let authority_identifier =
            AuthorityKeyIdentifier::new().keyid(true).build(&builder.x509v3_context(Some(issuer), None))?;
        builder.append_extension(authority_identifier)?;
        Ok(Self { authority, builder, serial })
    }

    pub(crate) fn finish(mut self) -> Result<IssuedCertificate, IssueError> {
        self.builder.sign(&self.authority.key, MessageDigest::sha256())?;
        let certificate = Certificate::from_der(&self.builder.build().to_der()?)?;
        Ok(IssuedCertificate {
            fingerprint: certificate.fingerprint,
            serial: self.serial,
            not_after: certificate.not_after,
            der: certificate.der,
        })
    }
}

/// RSA from 2048 bits with a sound exponent, EC on P-256 or P-384. The library has checked that the point is on
/// its curve.
fn check_strength(key: &PKey<Public>) -> Result<(), IssueError> {
    match key.id() {
        Id::RSA => {
            let rsa = key.rsa()?;
            let exponent = rsa.e();
            if !RSA_BITS.contains(&key.bits()) {
                return Err(IssueError::WeakKey(format!("RSA with {} bits", key.bits())));
            }
            if !exponent.is_bit_set(0) || exponent.num_bits() < 2 {
                return Err(IssueError::WeakKey(format!("RSA with exponent {exponent}")));
            }
            Ok(())
        }
        Id::EC => match key.ec_key()?.group().curve_name() {
            Some(Nid::X9_62_PRIME256V1 | Nid::SECP384R1) => Ok(()),
            curve => {
                let name = curve.and_then(|curve| curve.short_name().ok()).unwrap_or("of its own");
                Err(IssueError::WeakKey(format!("EC on curve {name}")))
            }
        },
        _ => Err(IssueError::WeakKey(String::from("neither RSA nor EC"))),
    }
}

pub(crate) fn common_name_only(common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509Name::builder()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

/// A serial number of 128 bits, 126 of them random: positive, and always of the same length.
fn random_serial() -> Result<(String, Asn1Integer), ErrorStack> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7F) | 0x40;
    }
    Ok((hex::encode(bytes), BigNum::from_slice(&bytes)?.to_asn1_integer()?))
}
