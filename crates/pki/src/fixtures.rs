//! What tests need: authorities, devices, and messages made by hand, odd ones included.

use const_oid::ObjectIdentifier;
use openssl::asn1::Asn1Integer;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509Builder};
use types::{Duration, EnrolmentId, Instant, Secret};

use crate::asn1::{
    CONTEXT_0_CONSTRUCTED, Cursor, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, wrap,
};
use crate::certificate::{Certificate, asn1_time};
use crate::digest::Digest;
use crate::{Authority, AuthorityKey, LeafRequest, SigningKey, oids};

/// 2026-11-23T22:00:00Z.
pub(crate) const NOW: Instant = Instant::from_millis(1_795_471_200_000);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// An authority valid for ten years from [`NOW`].
pub(crate) fn authority(name: &str) -> Authority {
    Authority::generate_with(name, NOW, YEAR * 10, AuthorityKey::Rsa2048).unwrap()
}

pub(crate) fn rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

pub(crate) fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A tablet with a certificate of ours.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) key: PKey<Private>,
    pub(crate) der: Vec<u8>,
}

impl Device {
    /// With a certificate valid for a year from [`NOW`].
    pub(crate) fn issued_by(authority: &Authority, key: PKey<Private>) -> Self {
        let request = LeafRequest {
            public_key_info: key.public_key_to_der().unwrap(),
            enrolment: EnrolmentId::new(NOW),
            not_before: NOW,
            not_after: NOW.plus(YEAR),
        };
        let der = authority.issue(&request).unwrap().der;
        Self { key, der }
    }

    /// With a certificate of its own making.
    pub(crate) fn self_signed(common_name: &str, key: PKey<Private>) -> Self {
        let der = certificate(common_name, common_name, &key, &key, |_builder| {});
        Self { key, der }
    }

    pub(crate) fn signing_key(&self) -> SigningKey {
        let key = Secret::new(self.key.private_key_to_der().unwrap());
        SigningKey::from_der(&self.der, &key, &[]).unwrap()
    }

    pub(crate) fn x509(&self) -> X509 {
        X509::from_der(&self.der).unwrap()
    }
}

/// A certificate valid for a year from [`NOW`], with whatever `adjust` adds or changes.
pub(crate) fn certificate(
    subject: &str,
    issuer: &str,
    key: &PKeyRef<Private>,
    issuer_key: &PKeyRef<Private>,
    adjust: impl FnOnce(&mut X509Builder),
) -> Vec<u8> {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial: Asn1Integer = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&crate::authority::common_name_only(subject).unwrap()).unwrap();
    builder.set_issuer_name(&crate::authority::common_name_only(issuer).unwrap()).unwrap();
    builder.set_pubkey(key).unwrap();
    builder.set_not_before(&asn1_time(NOW).unwrap()).unwrap();
    builder.set_not_after(&asn1_time(NOW.plus(YEAR)).unwrap()).unwrap();
    adjust(&mut builder);
    builder.sign(issuer_key, MessageDigest::sha256()).unwrap();
    builder.build().to_der().unwrap()
}

/// The same value in BER as loose as it gets: every length indefinite that may be, every octet string in
/// pieces, and every other length longer than needed.
pub(crate) fn to_loose_ber(der: &[u8]) -> Vec<u8> {
    let mut cursor = Cursor::new(der);
    let mut ber = Vec::new();
    while !cursor.is_empty() {
        let element = cursor.next("an element").unwrap();
        if element.tag == OCTET_STRING {
            ber.extend([0x24, 0x80]);
            for piece in element.content.chunks(500) {
                ber.extend(wrap(OCTET_STRING, piece));
            }
            ber.extend([0, 0]);
        } else if element.tag & 0x20 != 0 {
            ber.extend([element.tag, 0x80]);
            ber.extend(to_loose_ber(element.content));
            ber.extend([0, 0]);
        } else {
            ber.extend([element.tag, 0x84]);
            ber.extend(u32::try_from(element.content.len()).unwrap().to_be_bytes());
            ber.extend(element.content);
        }
    }
    ber
}

/// A signer of a message made by hand. Starts out right; tests make it wrong.
pub(crate) struct HandmadeSigner<'a> {
    pub(crate) device: &'a Device,
    pub(crate) digest: ObjectIdentifier,
    pub(crate) signature_algorithm: ObjectIdentifier,
    /// The digest that the key really signs with.
    pub(crate) signs_with: MessageDigest,
    /// The signed attributes in DER, in this order; none for a signature of the content itself.
    pub(crate) attributes: Option<Vec<Vec<u8>>>,
}

impl<'a> HandmadeSigner<'a> {
    pub(crate) fn of(device: &'a Device, content: &[u8]) -> Self {
        let signature_algorithm =
            if device.key.id() == Id::EC { oids::ECDSA_WITH_SHA_256 } else { oids::SHA_256_WITH_RSA };
        Self {
            device,
            digest: oids::SHA_256,
            signature_algorithm,
            signs_with: MessageDigest::sha256(),
            attributes: Some(vec![
                content_type_attribute(oids::DATA),
                digest_attribute(&Digest::Sha256.of(content).unwrap()),
            ]),
        }
    }

    fn info(&self, content: &[u8]) -> Vec<u8> {
        let certificate = Certificate::from_der(&self.device.der).unwrap();
        let signed = match &self.attributes {
            Some(attributes) => wrap(SET, &attributes.concat()),
            None => content.to_vec(),
        };
        let mut signer = Signer::new(self.signs_with, &self.device.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(&signed).unwrap();
        let attributes = self.attributes.as_ref().map(|list| wrap(CONTEXT_0_CONSTRUCTED, &list.concat()));
        let fields = [
            wrap(INTEGER, &[1]),
            wrap(SEQUENCE, &[certificate.issuer, certificate.serial].concat()),
            algorithm(self.digest),
            attributes.unwrap_or_default(),
            algorithm(self.signature_algorithm),
            wrap(OCTET_STRING, &signature),
        ];
        wrap(SEQUENCE, &fields.concat())
    }
}

/// A signed message made by hand: these signers, these certificates, and the content if `attached`.
pub(crate) fn handmade(
    content: &[u8],
    attached: bool,
    signers: &[HandmadeSigner<'_>],
    certificates: &[&[u8]],
) -> Vec<u8> {
    let infos: Vec<Vec<u8>> = signers.iter().map(|signer| signer.info(content)).collect();
    let econtent =
        if attached { wrap(CONTEXT_0_CONSTRUCTED, &wrap(OCTET_STRING, content)) } else { Vec::new() };
    let certificates = if certificates.is_empty() {
        Vec::new()
    } else {
        wrap(CONTEXT_0_CONSTRUCTED, &certificates.concat())
    };
    let fields = [
        wrap(INTEGER, &[1]),
        wrap(SET, &algorithm(oids::SHA_256)),
        wrap(SEQUENCE, &[oid(oids::DATA), econtent].concat()),
        certificates,
        wrap(SET, &infos.concat()),
    ];
    let signed = wrap(SEQUENCE, &fields.concat());
    wrap(SEQUENCE, &[oid(oids::SIGNED_DATA), wrap(CONTEXT_0_CONSTRUCTED, &signed)].concat())
}

pub(crate) fn content_type_attribute(content_type: ObjectIdentifier) -> Vec<u8> {
    attribute(oids::CONTENT_TYPE, &oid(content_type))
}

pub(crate) fn digest_attribute(digest: &[u8]) -> Vec<u8> {
    attribute(oids::MESSAGE_DIGEST, &wrap(OCTET_STRING, digest))
}

pub(crate) fn attribute(of: ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    wrap(SEQUENCE, &[oid(of), wrap(SET, value)].concat())
}

/// An algorithm identifier without parameters, as some tablets write it.
pub(crate) fn algorithm(of: ObjectIdentifier) -> Vec<u8> {
    wrap(SEQUENCE, &oid(of))
}

pub(crate) fn oid(of: ObjectIdentifier) -> Vec<u8> {
    wrap(OBJECT_IDENTIFIER, of.as_bytes())
}
