//! A SCEP client for tests: made by hand, or with OpenSSL's own CMS where it has one.

use const_oid::ObjectIdentifier;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::pkcs7::Pkcs7;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509NameRef};

use super::attributes::{nonce, printable};
use crate::asn1::{CONTEXT_0_CONSTRUCTED, Cursor, INTEGER, SEQUENCE, wrap};
use crate::cms_sign::{Carried, sign};
use crate::digest::Digest;
use crate::fixtures::{Device, algorithm, attribute, content_type_attribute, digest_attribute, rsa_key};
use crate::signed_data::SignedData;
use crate::{Authority, cms_verify, oids};

pub(crate) const TRANSACTION: &str = "5E1F00DCAFE";
pub(crate) const NONCE: [u8; 16] = *b"0123456789abcdef";

/// What a client asks, and how.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) message_type: &'static str,
    pub(crate) challenge: Option<Vec<u8>>,
    pub(crate) cipher: Cipher,
    pub(crate) digest: Digest,
    /// Further attributes of the certificate request, DER.
    pub(crate) wishes: Vec<u8>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            message_type: "19",
            challenge: Some(wrap(0x13, b"one-time")),
            cipher: Cipher::aes_128_cbc(),
            digest: Digest::Sha256,
            wishes: Vec::new(),
        }
    }
}

/// The message in which the holder of `key` asks `authority` to certify it, signed by `signer`.
pub(crate) fn message(authority: &Authority, signer: &Device, key: &PKey<Private>, ask: &Ask) -> Vec<u8> {
    let csr = certificate_request(key, ask);
    enveloped(authority, signer, &csr, ask)
}

/// A first request: the new key, under a certificate of its own making.
pub(crate) fn first_request(authority: &Authority, ask: &Ask) -> (Device, Vec<u8>) {
    let device = Device::self_signed("iPad", rsa_key());
    let message = message(authority, &device, &device.key, ask);
    (device, message)
}

/// Any content, encrypted by OpenSSL and signed as a SCEP message.
pub(crate) fn enveloped(authority: &Authority, signer: &Device, content: &[u8], ask: &Ask) -> Vec<u8> {
    let mut recipients = Stack::new().unwrap();
    recipients.push(X509::from_der(authority.certificate_der()).unwrap()).unwrap();
    let envelope = CmsContentInfo::encrypt(&recipients, content, ask.cipher, CMSOptions::BINARY).unwrap();
    signed(signer, &envelope.to_der().unwrap(), ask)
}

/// Any content, signed as a SCEP message.
pub(crate) fn signed(signer: &Device, content: &[u8], ask: &Ask) -> Vec<u8> {
    let attributes = vec![
        printable(oids::SCEP_TRANSACTION_ID, TRANSACTION).unwrap(),
        printable(oids::SCEP_MESSAGE_TYPE, ask.message_type).unwrap(),
        nonce(oids::SCEP_SENDER_NONCE, &NONCE).unwrap(),
    ];
    sign(content, Carried::Attached, &signer.signing_key(), ask.digest, attributes).unwrap()
}

/// The signed attributes of a message made by hand, DER.
pub(crate) fn attributes(content: &[u8], ask: &Ask) -> Vec<Vec<u8>> {
    vec![
        content_type_attribute(oids::DATA),
        digest_attribute(&Digest::Sha256.of(content).unwrap()),
        attribute(oids::SCEP_TRANSACTION_ID, &wrap(0x13, TRANSACTION.as_bytes())),
        attribute(oids::SCEP_MESSAGE_TYPE, &wrap(0x13, ask.message_type.as_bytes())),
        attribute(oids::SCEP_SENDER_NONCE, &wrap(0x04, &NONCE)),
    ]
}

pub(crate) fn certificate_request(key: &PKey<Private>, ask: &Ask) -> Vec<u8> {
    let subject: &X509NameRef = &crate::authority::common_name_only("what the tablet wants").unwrap();
    let challenge =
        ask.challenge.as_ref().map(|value| attribute(oids::CHALLENGE_PASSWORD, value)).unwrap_or_default();
    let info = wrap(
        SEQUENCE,
        &[
            wrap(INTEGER, &[0]),
            subject.to_der().unwrap(),
            key.public_key_to_der().unwrap(),
            wrap(CONTEXT_0_CONSTRUCTED, &[challenge, ask.wishes.clone()].concat()),
        ]
        .concat(),
    );
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    let signature = [&[0][..], &signer.sign_oneshot_to_vec(&info).unwrap()].concat();
    // No parameters: some tablets leave them out.
    wrap(SEQUENCE, &[info, algorithm(oids::SHA_256_WITH_RSA), wrap(0x03, &signature)].concat())
}

/// An answer as the client understands it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The certificates, as OpenSSL takes them out of the message.
    Granted(Vec<Vec<u8>>),
    /// The reason's code.
    Refused(String),
}

/// Opens an answer: verifies it against the authority, checks the nonce and the transaction, decrypts.
pub(crate) fn open_answer(answer: &[u8], authority: &Authority, client: &Device) -> Answer {
    let signed = SignedData::from_der(answer).unwrap();
    let content = signed.content.unwrap_or_default();
    let signer = cms_verify::verify(&signed, content).unwrap();
    assert_eq!(signer.certificate.fingerprint, authority.fingerprint());

    let attributes = signed.signers[0].signed_attributes.unwrap();
    let value = |oid: ObjectIdentifier| attributes.value(oid).unwrap().map(|value| value.content.to_vec());
    assert_eq!(value(oids::SCEP_TRANSACTION_ID).unwrap(), TRANSACTION.as_bytes());
    assert_eq!(value(oids::SCEP_MESSAGE_TYPE).unwrap(), b"3");
    assert_eq!(value(oids::SCEP_RECIPIENT_NONCE).unwrap(), NONCE);
    let own_nonce = value(oids::SCEP_SENDER_NONCE).unwrap();
    assert!(own_nonce.len() == 16 && own_nonce != NONCE);
    match value(oids::SCEP_PKI_STATUS).unwrap().as_slice() {
        b"0" => {
            assert_eq!(value(oids::SCEP_FAIL_INFO), None);
            let envelope = CmsContentInfo::from_der(content).unwrap();
            let degenerate = envelope.decrypt(&client.key, &client.x509()).unwrap();
            let certificates = Pkcs7::from_der(&degenerate).unwrap();
            let certificates = certificates.signed().unwrap().certificates().unwrap();
            Answer::Granted(certificates.iter().map(|x509| x509.to_der().unwrap()).collect())
        }
        b"2" => {
            assert_eq!(signed.content, Some(&[][..]));
            Answer::Refused(String::from_utf8(value(oids::SCEP_FAIL_INFO).unwrap()).unwrap())
        }
        other => panic!("status {other:?}"),
    }
}

/// The content encryption algorithm of an answer that grants.
pub(crate) fn cipher_of(answer: &[u8]) -> ObjectIdentifier {
    let signed = SignedData::from_der(answer).unwrap();
    let enveloped =
        crate::signed_data::content_of(signed.content.unwrap(), oids::ENVELOPED_DATA, "an envelope").unwrap();
    let mut fields = Cursor::whole(enveloped, SEQUENCE, "an envelope").unwrap().inside();
    fields.next("a version").unwrap();
    fields.next("recipients").unwrap();
    let mut encrypted = fields.next("an encrypted content").unwrap().inside();
    encrypted.next("a content type").unwrap();
    crate::signed_data::algorithm(encrypted.next("an algorithm").unwrap()).unwrap()
}
