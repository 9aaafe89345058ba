//! CMS `SignedData`, written by hand as tablets write it: DER or BER, SHA-1 or SHA-2, with or without algorithm
//! parameters, detached or not (RFC 5652 §5). Reading leaves the signature to OpenSSL.

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::{MessageDigest, hash};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Ref};

use crate::der::{self, element, indefinite, object, oid, sequence, set, tag};
use crate::error::forget_openssl_errors;
use crate::{Clock, Error, Identity};

/// The digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Digest {
    /// Old tablets.
    Sha1,
    /// Usual.
    #[default]
    Sha256,
    /// Where a SCEP server prefers it.
    Sha512,
}

impl Digest {
    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    const fn identifier(self) -> &'static [u8] {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// RSA with this digest, as certificates and requests name it.
    pub(crate) const fn rsa_signature(self) -> &'static [u8] {
        match self {
            Self::Sha1 => oid::RSA_SHA1,
            Self::Sha256 => oid::RSA_SHA256,
            Self::Sha512 => oid::RSA_SHA512,
        }
    }
}

/// How lengths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// Definite, shortest: DER.
    #[default]
    Der,
    /// Indefinite, strings in pieces: BER, which real tablets send too.
    Ber,
}

/// What stands after the identifier of an algorithm that has no parameters. Both are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parameters {
    /// A `NULL`.
    #[default]
    Null,
    /// Nothing.
    Absent,
}

/// How a tablet signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SignatureStyle {
    /// The digest.
    pub digest: Digest,
    /// How lengths are written.
    pub encoding: Encoding,
    /// What follows the algorithms' identifiers.
    pub parameters: Parameters,
}

impl SignatureStyle {
    /// Signs `body` and leaves it out: what `Mdm-Signature` carries, before base64.
    ///
    /// # Errors
    /// When OpenSSL cannot sign.
    pub fn detached(self, signer: &Identity, body: &[u8], clock: &Clock) -> Result<Vec<u8>, Error> {
        self.sign(signer, body, false, vec![signing_time(clock)])
    }

    /// Signs `body` and carries it: what a `MachineInfo` is sent as.
    ///
    /// # Errors
    /// When OpenSSL cannot sign.
    pub fn attached(self, signer: &Identity, body: &[u8], clock: &Clock) -> Result<Vec<u8>, Error> {
        self.sign(signer, body, true, vec![signing_time(clock)])
    }

    /// Signs with further attributes, each an encoded `Attribute`.
    pub(crate) fn sign(
        self,
        signer: &Identity,
        body: &[u8],
        carry: bool,
        attributes: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let digest_algorithm = self.algorithm(self.digest.identifier());
        let signer_info = self.signer_info(signer, body, attributes)?;
        let content = if carry { self.carried(body) } else { Vec::new() };
        let signed_data = [
            der::unsigned(&[1]),
            set(std::slice::from_ref(&digest_algorithm)),
            self.holder(tag::SEQUENCE, &[object(oid::DATA), content].concat()),
            element(tag::CONTEXT_0, &signer.certificate_der()?),
            set(&[signer_info]),
        ]
        .concat();
        let content = self.holder(tag::CONTEXT_0, &self.holder(tag::SEQUENCE, &signed_data));
        Ok(self.holder(tag::SEQUENCE, &[object(oid::SIGNED_DATA), content].concat()))
    }

    fn signer_info(
        self,
        signer: &Identity,
        body: &[u8],
        mut attributes: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let digest = hash(self.digest.openssl(), body)?;
        attributes.push(attribute(oid::CONTENT_TYPE, &object(oid::DATA)));
        attributes.push(attribute(oid::MESSAGE_DIGEST, &element(tag::OCTET_STRING, &digest)));
        // What is signed is tagged SET; what is sent is tagged [0] (RFC 5652 §5.4).
        let mut signature = Signer::new(self.digest.openssl(), signer.key())?;
        signature.update(&set(&attributes))?;
        let certificate = signer.certificate();
        Ok(sequence(&[
            der::unsigned(&[1]),
            sequence(&[
                certificate.issuer_name().to_der()?,
                der::unsigned(&certificate.serial_number().to_bn()?.to_vec()),
            ]),
            self.algorithm(self.digest.identifier()),
            element(tag::CONTEXT_0, &der::sorted(&attributes)),
            self.algorithm(oid::RSA),
            element(tag::OCTET_STRING, &signature.sign_to_vec()?),
        ]))
    }

    fn algorithm(self, identifier: &[u8]) -> Vec<u8> {
        match self.parameters {
            Parameters::Null => sequence(&[object(identifier), element(tag::NULL, &[])]),
            Parameters::Absent => sequence(&[object(identifier)]),
        }
    }

    fn holder(self, tag: u8, content: &[u8]) -> Vec<u8> {
        match self.encoding {
            Encoding::Der => element(tag, content),
            Encoding::Ber => indefinite(tag, content),
        }
    }

    fn carried(self, body: &[u8]) -> Vec<u8> {
        let octets = match self.encoding {
            Encoding::Der => element(tag::OCTET_STRING, body),
            Encoding::Ber => {
                let pieces: Vec<Vec<u8>> =
                    body.chunks(1000).map(|piece| element(tag::OCTET_STRING, piece)).collect();
                indefinite(tag::CONSTRUCTED_OCTET_STRING, &pieces.concat())
            }
        };
        self.holder(tag::CONTEXT_0, &octets)
    }
}

/// An `Attribute` with one value.
pub(crate) fn attribute(identifier: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[object(identifier), element(tag::SET, value)])
}

fn signing_time(clock: &Clock) -> Vec<u8> {
    attribute(oid::SIGNING_TIME, &element(tag::UTC_TIME, clock.utc_time().as_bytes()))
}

/// A signed message whose signature was found right. Whether its signer deserves trust is another question.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What was signed.
    pub(crate) content: Vec<u8>,
    /// The message in DER, whatever it came in.
    pub(crate) der: Vec<u8>,
    /// The certificates it carried, in its order.
    pub(crate) certificates: Vec<X509>,
}

/// Opens a signed message that carries its content, and checks its signature.
pub(crate) fn open(message: &[u8], further: &[X509], what: &'static str) -> Result<Opened, Error> {
    let mut cms = CmsContentInfo::from_der(message)
        .map_err(|error| Error::malformed(what, format!("it is not CMS: {error}")))?;
    let mut stack = openssl::stack::Stack::new()?;
    for certificate in further {
        stack.push(certificate.clone())?;
    }
    let mut content = Vec::new();
    cms.verify(
        Some(&stack),
        None,
        None,
        Some(&mut content),
        CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY,
    )
    .map_err(|error| Error::malformed(what, format!("its signature is wrong: {error}")))?;
    let der = cms.to_der()?;
    let certificates = certificates(&der)?;
    Ok(Opened { content, der, certificates })
}

/// Whether `bytes` begin like a CMS message and not like a property list.
pub(crate) fn looks_signed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&tag::SEQUENCE)
}

/// The `SignedData` of a message in DER.
fn signed_data(message: &[u8]) -> Result<der::Reader<'_>, Error> {
    let mut outer = der::Reader::new(message).expect(tag::SEQUENCE)?.inside();
    outer.expect(tag::OID)?;
    Ok(outer.expect(tag::CONTEXT_0)?.inside().expect(tag::SEQUENCE)?.inside())
}

/// The certificates a message carries, in its order.
pub(crate) fn certificates(message: &[u8]) -> Result<Vec<X509>, Error> {
    let mut found = Vec::new();
    for part in signed_data(message)?.all()?.iter().filter(|part| part.tag == tag::CONTEXT_0) {
        for certificate in part.inside().all()? {
            found.push(X509::from_der(certificate.whole)?);
        }
    }
    Ok(found)
}

/// The value of a signed attribute of the first signer, without its tag.
pub(crate) fn signed_attribute<'a>(message: &'a [u8], identifier: &[u8]) -> Result<Option<&'a [u8]>, Error> {
    let parts = signed_data(message)?.all()?;
    let Some(signers) = parts.iter().rev().find(|part| part.tag == tag::SET) else { return Ok(None) };
    let signer = signers.inside().expect(tag::SEQUENCE)?;
    let Some(attributes) = signer.inside().all()?.into_iter().find(|part| part.tag == tag::CONTEXT_0) else {
        return Ok(None);
    };
    for attribute in attributes.inside().all()? {
        let mut parts = attribute.inside();
        if parts.expect(tag::OID)?.content == identifier {
            return Ok(parts.expect(tag::SET)?.inside().read()?.map(|value| value.content));
        }
    }
    Ok(None)
}

/// Whether a certificate was issued by one of `anchors`, directly or through `between`.
pub(crate) fn chains_to(certificate: &X509Ref, between: &[X509], anchors: &[X509]) -> bool {
    let verify = || -> Result<bool, openssl::error::ErrorStack> {
        let mut store = openssl::x509::store::X509StoreBuilder::new()?;
        for anchor in anchors {
            store.add_cert(anchor.clone())?;
        }
        store.set_flags(openssl::x509::verify::X509VerifyFlags::PARTIAL_CHAIN)?;
        let store = store.build();
        let mut chain = openssl::stack::Stack::new()?;
        for certificate in between {
            chain.push(certificate.clone())?;
        }
        openssl::x509::X509StoreContext::new()?.init(
            &store,
            certificate,
            &chain,
            openssl::x509::X509StoreContextRef::verify_cert,
        )
    };
    let chains = verify().unwrap_or(false);
    forget_openssl_errors();
    chains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyPool;
    use crate::identity::name;

    fn signer() -> Identity {
        let key = KeyPool::in_memory(1).unwrap().key(0);
        Identity::self_signed(&name(&[("CN", "a tablet")]).unwrap(), key, Clock::system().now()).unwrap()
    }

    #[test]
    fn openssl_accepts_every_way_of_signing() {
        let signer = signer();
        let clock = Clock::system();
        let body = vec![b'x'; 100_000];
        for digest in [Digest::Sha1, Digest::Sha256, Digest::Sha512] {
            for encoding in [Encoding::Der, Encoding::Ber] {
                for parameters in [Parameters::Null, Parameters::Absent] {
                    let style = SignatureStyle { digest, encoding, parameters };
                    let carried = style.attached(&signer, &body, &clock).unwrap();
                    assert_eq!(open(&carried, &[], "a test").unwrap().content, body, "{style:?}");
                    let detached = style.detached(&signer, &body, &clock).unwrap();
                    let mut cms = CmsContentInfo::from_der(&detached).unwrap();
                    let flags = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
                    cms.verify(None, None, Some(&body), None, flags).unwrap();
                    assert!(cms.verify(None, None, Some(b"another body"), None, flags).is_err());
                }
            }
        }
    }

    #[test]
    fn a_changed_message_is_refused() {
        let mut message =
            SignatureStyle::default().attached(&signer(), b"<plist>true</plist>", &Clock::system()).unwrap();
        let place = message.windows(4).position(|four| four == b"true").unwrap();
        message[place] = b'T';
        let error = open(&message, &[], "a profile").unwrap_err().to_string();
        assert!(error.contains("its signature is wrong"), "{error}");
    }

    #[test]
    fn attributes_are_found_by_their_identifier() {
        let message = SignatureStyle::default().attached(&signer(), b"x", &Clock::system()).unwrap();
        assert_eq!(signed_attribute(&message, oid::CONTENT_TYPE).unwrap(), Some(oid::DATA));
        assert_eq!(signed_attribute(&message, oid::SCEP_FAIL_INFO).unwrap(), None);
        assert_eq!(certificates(&message).unwrap().len(), 1);
    }
}
