//! CMS SignedData as received (RFC 5652 §5): every part that a signature or a name rests on stays raw.
//!
//! The `cms` crate's types sort sets when they decode them and refuse certificates that deviate from RFC
//! 5280, so they serve for what we write (`cms_sign`), not for what tablets send.

use const_oid::ObjectIdentifier;

use crate::asn1::{
    CONTEXT_0, CONTEXT_0_CONSTRUCTED, CONTEXT_1_CONSTRUCTED, Cursor, Element, INTEGER, OCTET_STRING,
    SEQUENCE, SET, UnexpectedStructure, wrap,
};
use crate::certificate::Certificate;
use crate::oids;

/// A signed message.
#[derive(Debug)]
pub(crate) struct SignedData<'a> {
    pub(crate) content_type: ObjectIdentifier,
    /// The signed bytes, absent from a detached signature and from a bag of certificates.
    pub(crate) content: Option<&'a [u8]>,
    /// The certificates, each as an element.
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) signers: Vec<SignerInfo<'a>>,
}

/// Who signed, how, and what.
#[derive(Debug)]
pub(crate) struct SignerInfo<'a> {
    pub(crate) signer: SignerIdentifier<'a>,
    pub(crate) digest: ObjectIdentifier,
    pub(crate) signed_attributes: Option<SignedAttributes<'a>>,
    pub(crate) signature_algorithm: ObjectIdentifier,
    pub(crate) signature: &'a [u8],
}

/// How a signer's certificate is named (RFC 5652 §5.3).
#[derive(Debug)]
pub(crate) enum SignerIdentifier<'a> {
    IssuerAndSerialNumber { issuer: &'a [u8], serial: &'a [u8] },
    SubjectKeyIdentifier(&'a [u8]),
}

/// The attributes that a signature covers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SignedAttributes<'a> {
    /// What is inside `[0] IMPLICIT SET OF Attribute`.
    content: &'a [u8],
}

impl<'a> SignedData<'a> {
    /// Reads the SignedData in a ContentInfo. `der` has been through the transcoder.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, UnexpectedStructure> {
        let content = content_of(der, oids::SIGNED_DATA, "a CMS SignedData")?;
        let mut fields = Cursor::whole(content, SEQUENCE, "a SignedData")?.inside();
        fields.expect(INTEGER, "the version of a SignedData")?;
        fields.expect(SET, "digest algorithms")?;
        let mut encapsulated = fields.expect(SEQUENCE, "an encapsulated content")?.inside();
        let content_type = encapsulated.next("a content type")?.oid("a content type")?;
        let content = match encapsulated.optional(CONTEXT_0_CONSTRUCTED, "a content")? {
            Some(explicit) => {
                Some(Cursor::whole(explicit.content, OCTET_STRING, "a content in an octet string")?.content)
            }
            None => None,
        };
        encapsulated.end("the end of the encapsulated content")?;

        let mut certificates = Vec::new();
        if let Some(set) = fields.optional(CONTEXT_0_CONSTRUCTED, "certificates")? {
            let mut set = set.inside();
            while !set.is_empty() {
                let element = set.next("a certificate")?;
                // Other tags are kinds of certificate that nobody issues any more (RFC 5652 §10.2.2).
                if element.tag == SEQUENCE {
                    certificates.push(element.raw);
                }
            }
        }
        fields.optional(CONTEXT_1_CONSTRUCTED, "revocation lists")?;
        let mut infos = fields.expect(SET, "signers")?.inside();
        let mut signers = Vec::new();
        while !infos.is_empty() {
            signers.push(SignerInfo::read(infos.expect(SEQUENCE, "a SignerInfo")?)?);
        }
        fields.end("the end of the SignedData")?;
        Ok(Self { content_type, content, certificates, signers })
    }

    /// The certificate that a signer is named by, among those the message carries.
    pub(crate) fn certificate_of(&self, signer: &SignerInfo<'_>) -> Option<Certificate> {
        self.certificates
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .find(|certificate| signer.signer.names(certificate))
    }
}

impl<'a> SignerInfo<'a> {
    fn read(info: Element<'a>) -> Result<Self, UnexpectedStructure> {
        let mut fields = info.inside();
        fields.expect(INTEGER, "the version of a SignerInfo")?;
        let identifier = fields.next("the name of a signer")?;
        let signer = match identifier.tag {
            SEQUENCE => {
                let mut fields = identifier.inside();
                let issuer = fields.expect(SEQUENCE, "a signer's issuer")?.raw;
                let serial = fields.expect(INTEGER, "a signer's serial number")?.raw;
                fields.end("the end of a signer's name")?;
                SignerIdentifier::IssuerAndSerialNumber { issuer, serial }
            }
            CONTEXT_0 => SignerIdentifier::SubjectKeyIdentifier(identifier.content),
            _ => return Err(UnexpectedStructure { expected: "the name of a signer" }),
        };
        let digest = algorithm(fields.expect(SEQUENCE, "a digest algorithm")?)?;
        let signed_attributes = fields
            .optional(CONTEXT_0_CONSTRUCTED, "signed attributes")?
            .map(|element| SignedAttributes { content: element.content });
        let signature_algorithm = algorithm(fields.expect(SEQUENCE, "a signature algorithm")?)?;
        let signature = fields.expect(OCTET_STRING, "a signature")?.content;
        fields.optional(CONTEXT_1_CONSTRUCTED, "unsigned attributes")?;
        fields.end("the end of the SignerInfo")?;
        Ok(Self { signer, digest, signed_attributes, signature_algorithm, signature })
    }
}

impl SignerIdentifier<'_> {
    fn names(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerialNumber { issuer, serial } => {
                certificate.issuer == *issuer && certificate.serial == *serial
            }
            Self::SubjectKeyIdentifier(identifier) => {
                certificate.x509.subject_key_id().is_some_and(|own| own.as_slice() == *identifier)
            }
        }
    }
}

impl<'a> SignedAttributes<'a> {
    /// The bytes that the signature covers: the attributes under the tag of a SET (RFC 5652 §5.4).
    pub(crate) fn signed_bytes(self) -> Vec<u8> {
        wrap(SET, self.content)
    }

    /// The only value of the only attribute of this type; `None` if there is none.
    ///
    /// An attribute given twice, or with two values, is an error: readers would disagree on which counts.
    pub(crate) fn value(self, oid: ObjectIdentifier) -> Result<Option<Element<'a>>, UnexpectedStructure> {
        attribute(Cursor::new(self.content), oid)
    }
}

/// The only value of the only attribute with type `oid` in a series of attributes.
pub(crate) fn attribute(
    mut attributes: Cursor<'_>,
    oid: ObjectIdentifier,
) -> Result<Option<Element<'_>>, UnexpectedStructure> {
    let mut found = None;
    while !attributes.is_empty() {
        let mut fields = attributes.expect(SEQUENCE, "an attribute")?.inside();
        if fields.next("an attribute's type")?.oid("an attribute's type")? != oid {
            continue;
        }
        let mut values = fields.expect(SET, "an attribute's values")?.inside();
        let value = values.next("an attribute's value")?;
        values.end("a single value of the attribute")?;
        if found.replace(value).is_some() {
            return Err(UnexpectedStructure { expected: "each attribute once" });
        }
    }
    Ok(found)
}

/// The content of a ContentInfo of this type (RFC 5652 §3).
pub(crate) fn content_of<'a>(
    der: &'a [u8],
    content_type: ObjectIdentifier,
    expected: &'static str,
) -> Result<&'a [u8], UnexpectedStructure> {
    let mut info = Cursor::whole(der, SEQUENCE, expected)?.inside();
    if info.next(expected)?.oid(expected)? != content_type {
        return Err(UnexpectedStructure { expected });
    }
    let content = info.expect(CONTEXT_0_CONSTRUCTED, expected)?.content;
    info.end(expected)?;
    Ok(content)
}

/// The identifier of an algorithm. Its parameters may be NULL or absent: clients do both.
pub(crate) fn algorithm(identifier: Element<'_>) -> Result<ObjectIdentifier, UnexpectedStructure> {
    identifier.inside().next("an algorithm")?.oid("an algorithm")
}
