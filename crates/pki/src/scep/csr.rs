//! The certificate request inside a SCEP message (PKCS #10, RFC 2986).
//!
//! Only two things are taken from it: the public key, and the challenge. Subject and extensions are the
//! authority's to decide (T-A13).

use openssl::x509::X509Req;
use types::Secret;

use crate::asn1::{CONTEXT_0_CONSTRUCTED, Cursor, INTEGER, SEQUENCE};
use crate::oids;
use crate::signed_data::attribute;

/// A certificate request whose signature verified with the key it names.
#[derive(Debug, Clone)]
pub struct Csr {
    public_key_info: Vec<u8>,
    challenge: Option<Secret<String>>,
}

impl Csr {
    /// The public key to certify: a SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn public_key_info(&self) -> &[u8] {
        &self.public_key_info
    }

    /// The challenge password, if it names one.
    #[must_use]
    pub fn challenge(&self) -> Option<&Secret<String>> {
        self.challenge.as_ref()
    }

    /// Reads a request in DER. `None` for anything that is not one, or that its own key did not sign: the
    /// reason stays inside, since it would tell what a message decrypted to.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let outer = Cursor::whole(der, SEQUENCE, "a certificate request").ok()?;
        let mut info = outer.inside().expect(SEQUENCE, "its body").ok()?.inside();
        info.expect(INTEGER, "a version").ok()?;
        info.expect(SEQUENCE, "a subject").ok()?;
        let public_key_info = info.expect(SEQUENCE, "a public key").ok()?.raw.to_vec();
        let challenge = match info.optional(CONTEXT_0_CONSTRUCTED, "attributes").ok()? {
            Some(attributes) => match attribute(attributes.inside(), oids::CHALLENGE_PASSWORD).ok()? {
                Some(value) => Some(Secret::new(directory_string(value.tag, value.content)?)),
                None => None,
            },
            None => None,
        };
        let request = X509Req::from_der(der).ok()?;
        let key = request.public_key().ok()?;
        request.verify(&key).unwrap_or(false).then_some(Self { public_key_info, challenge })
    }
}

/// A text of any of the kinds that clients write a challenge in (RFC 2985 §5.4.1).
fn directory_string(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, PrintableString, T61String, IA5String: all ASCII in practice.
        0x0C | 0x13 | 0x14 | 0x16 => String::from_utf8(content.to_vec()).ok(),
        // BMPString: UTF-16 without surrogates, big end first.
        0x1E => {
            let units = content.chunks_exact(2);
            if !units.remainder().is_empty() {
                return None;
            }
            char::decode_utf16(
                units.map(|unit| unit.iter().fold(0, |value, byte| value << 8 | u16::from(*byte))),
            )
            .collect::<Result<_, _>>()
            .ok()
        }
        _ => None,
    }
}
