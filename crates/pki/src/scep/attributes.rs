//! The signed attributes of SCEP (RFC 8894 §3.2.1), read and written.

use const_oid::ObjectIdentifier;
use x509_cert::attr::Attribute;

use crate::asn1::{OCTET_STRING, UnexpectedStructure, wrap};
use crate::cms_sign::attribute;
use crate::signed_data::SignedAttributes;

/// PrintableString.
const PRINTABLE_STRING: u8 = 0x13;
/// UTF8String and IA5String, which some clients write in its place.
const OTHER_TEXTS: [u8; 2] = [0x0C, 0x16];

/// The value of an attribute that is a text of 1 to `longest` visible ASCII characters.
pub(super) fn text(
    attributes: SignedAttributes<'_>,
    oid: ObjectIdentifier,
    longest: usize,
    expected: &'static str,
) -> Result<String, UnexpectedStructure> {
    let value = attributes.value(oid)?.ok_or(UnexpectedStructure { expected })?;
    let is_text = value.tag == PRINTABLE_STRING || OTHER_TEXTS.contains(&value.tag);
    let fits = (1..=longest).contains(&value.content.len());
    match std::str::from_utf8(value.content) {
        Ok(text) if is_text && fits && text.bytes().all(|byte| (0x20..0x7F).contains(&byte)) => {
            Ok(text.to_owned())
        }
        _ => Err(UnexpectedStructure { expected }),
    }
}

/// The value of an attribute that is an octet string of 1 to `longest` bytes.
pub(super) fn octets(
    attributes: SignedAttributes<'_>,
    oid: ObjectIdentifier,
    longest: usize,
    expected: &'static str,
) -> Result<Vec<u8>, UnexpectedStructure> {
    let value = attributes.value(oid)?.ok_or(UnexpectedStructure { expected })?;
    if value.tag == OCTET_STRING && (1..=longest).contains(&value.content.len()) {
        Ok(value.content.to_vec())
    } else {
        Err(UnexpectedStructure { expected })
    }
}

/// An attribute with a PrintableString.
pub(crate) fn printable(oid: ObjectIdentifier, text: &str) -> Result<Attribute, der::Error> {
    attribute(oid, &wrap(PRINTABLE_STRING, text.as_bytes()))
}

/// An attribute with an octet string.
pub(crate) fn nonce(oid: ObjectIdentifier, bytes: &[u8]) -> Result<Attribute, der::Error> {
    attribute(oid, &wrap(OCTET_STRING, bytes))
}
