//! A SCEP client that signs whatever it is given: what stands inside a signed message is reached only so.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509Name, X509ReqBuilder};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const PRINTABLE_STRING: u8 = 0x13;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0xA0;

const DATA: &[u32] = &[1, 2, 840, 113549, 1, 7, 1];
const SIGNED_DATA: &[u32] = &[1, 2, 840, 113549, 1, 7, 2];
const CONTENT_TYPE: &[u32] = &[1, 2, 840, 113549, 1, 9, 3];
const MESSAGE_DIGEST: &[u32] = &[1, 2, 840, 113549, 1, 9, 4];
const SHA_256: &[u32] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
const SHA_256_WITH_RSA: &[u32] = &[1, 2, 840, 113549, 1, 1, 11];
const MESSAGE_TYPE: &[u32] = &[2, 16, 840, 1, 113733, 1, 9, 2];
const SENDER_NONCE: &[u32] = &[2, 16, 840, 1, 113733, 1, 9, 5];
const TRANSACTION_ID: &[u32] = &[2, 16, 840, 1, 113733, 1, 9, 7];

/// A client with a certificate of its own making.
#[derive(Debug)]
pub struct Client {
    key: PKey<Private>,
    certificate: X509,
    authority: X509,
}

impl Client {
    /// A client that asks `authority`.
    #[must_use]
    pub fn new(key: PKey<Private>, certificate: X509, authority: X509) -> Self {
        Self { key, certificate, authority }
    }

    /// A PKCSReq with this content, signed as it must be. DER.
    ///
    /// # Panics
    /// When OpenSSL fails.
    #[must_use]
    pub fn sign(&self, content: &[u8]) -> Vec<u8> {
        let digest = hash(MessageDigest::sha256(), content).expect("a digest");
        let attributes = [
            attribute(CONTENT_TYPE, &oid(DATA)),
            attribute(MESSAGE_DIGEST, &wrap(OCTET_STRING, &digest)),
            attribute(MESSAGE_TYPE, &wrap(PRINTABLE_STRING, b"19")),
            attribute(SENDER_NONCE, &wrap(OCTET_STRING, b"0123456789abcdef")),
            attribute(TRANSACTION_ID, &wrap(PRINTABLE_STRING, b"5E1F00DCAFE")),
        ]
        .concat();
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).expect("a signer");
        let signature = signer.sign_oneshot_to_vec(&wrap(SET, &attributes)).expect("a signature");
        let mut serial = self.certificate.serial_number().to_bn().expect("a number").to_vec();
        if serial.first().is_none_or(|first| *first >= 0x80) {
            serial.insert(0, 0);
        }
        let issuer = self.certificate.issuer_name().to_der().expect("a name");
        let info = [
            wrap(INTEGER, &[1]),
            wrap(SEQUENCE, &[issuer, wrap(INTEGER, &serial)].concat()),
            wrap(SEQUENCE, &oid(SHA_256)),
            wrap(CONTEXT_0, &attributes),
            wrap(SEQUENCE, &oid(SHA_256_WITH_RSA)),
            wrap(OCTET_STRING, &signature),
        ];
        let signed = [
            wrap(INTEGER, &[1]),
            wrap(SET, &wrap(SEQUENCE, &oid(SHA_256))),
            wrap(SEQUENCE, &[oid(DATA), wrap(CONTEXT_0, &wrap(OCTET_STRING, content))].concat()),
            wrap(CONTEXT_0, &self.certificate.to_der().expect("a certificate")),
            wrap(SET, &wrap(SEQUENCE, &info.concat())),
        ];
        wrap(SEQUENCE, &[oid(SIGNED_DATA), wrap(CONTEXT_0, &wrap(SEQUENCE, &signed.concat()))].concat())
    }

    /// This content, encrypted to the authority. DER.
    ///
    /// # Panics
    /// When OpenSSL fails.
    #[must_use]
    pub fn envelope(&self, content: &[u8]) -> Vec<u8> {
        let mut recipients = Stack::new().expect("a list");
        recipients.push(self.authority.clone()).expect("a list");
        CmsContentInfo::encrypt(&recipients, content, Cipher::aes_128_cbc(), CMSOptions::BINARY)
            .and_then(|envelope| envelope.to_der())
            .expect("an envelope")
    }

    /// A certificate request of this client. DER.
    ///
    /// # Panics
    /// When OpenSSL fails.
    #[must_use]
    pub fn certificate_request(&self) -> Vec<u8> {
        let mut name = X509Name::builder().expect("a name");
        name.append_entry_by_text("CN", "iPad").expect("a name");
        let mut request = X509ReqBuilder::new().expect("a request");
        request.set_subject_name(&name.build()).expect("a request");
        request.set_pubkey(&self.key).expect("a request");
        request.sign(&self.key, MessageDigest::sha256()).expect("a request");
        request.build().to_der().expect("a request")
    }
}

fn attribute(of: &[u32], value: &[u8]) -> Vec<u8> {
    wrap(SEQUENCE, &[oid(of), wrap(SET, value)].concat())
}

fn oid(arcs: &[u32]) -> Vec<u8> {
    let [first, second, rest @ ..] = arcs else { return Vec::new() };
    let mut bytes = Vec::new();
    for arc in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
        let groups = (1..5).take_while(|group| arc >> (7 * group) != 0).count();
        for group in (0..=groups).rev() {
            let seven = u8::try_from(arc >> (7 * group) & 0x7F).expect("seven bits");
            bytes.push(if group == 0 { seven } else { seven | 0x80 });
        }
    }
    wrap(OBJECT_IDENTIFIER, &bytes)
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut element = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => element.push(short),
        _ => {
            let bytes: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            element.push(0x80 | u8::try_from(bytes.len()).expect("a few bytes"));
            element.extend(bytes);
        }
    }
    element.extend_from_slice(content);
    element
}
