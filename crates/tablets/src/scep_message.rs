//! SCEP messages: a request in an envelope in a signature, and the answer unpacked (RFC 8894 §3).

use std::sync::OnceLock;

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::{MessageDigest, hash};
use openssl::provider::Provider;
use openssl::sign::Signer;
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509KeyUsage};

use crate::der::{self, element, object, oid, sequence, tag};
use crate::scep::{CertificateRequest, EnvelopeCipher};
use crate::signed_message::{self, Digest, Encoding, Parameters, SignatureStyle, attribute};
use crate::{Error, Identity};

const ANSWER: &str = "the SCEP answer";

/// A renewal, signed by the certificate to renew (RFC 8894 §3.2.1.2).
pub(crate) const RENEWAL_REQ: &str = "17";
/// A first request, with a challenge.
pub(crate) const PKCS_REQ: &str = "19";

/// All that a message is made from.
pub(crate) struct Parcel<'a> {
    /// Its type, as the wire has it.
    pub(crate) message_type: &'a str,
    pub(crate) signer: &'a Identity,
    pub(crate) request: &'a CertificateRequest<'a>,
    pub(crate) authorities: &'a [X509],
    pub(crate) digest: Digest,
    pub(crate) cipher: EnvelopeCipher,
    pub(crate) parameters: Parameters,
}

/// A message ready to send, and what its answer must repeat.
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    transaction: String,
    nonce: [u8; 16],
}

impl Parcel<'_> {
    pub(crate) fn write(&self) -> Result<Message, Error> {
        let envelope = self.envelope(&self.certification_request()?)?;
        // The transaction is named after the key (RFC 8894 §3.2.1.1).
        let transaction =
            hex::encode_upper(hash(MessageDigest::sha1(), &self.request.key.public_key_to_der()?)?);
        let mut nonce = [0; 16];
        openssl::rand::rand_bytes(&mut nonce)?;
        let printable =
            |identifier, text: &str| attribute(identifier, &element(tag::PRINTABLE_STRING, text.as_bytes()));
        let attributes = vec![
            printable(oid::SCEP_MESSAGE_TYPE, self.message_type),
            printable(oid::SCEP_TRANSACTION, &transaction),
            attribute(oid::SCEP_SENDER_NONCE, &element(tag::OCTET_STRING, &nonce)),
        ];
        let style =
            SignatureStyle { digest: self.digest, encoding: Encoding::Der, parameters: self.parameters };
        let bytes = style.sign(self.signer, &envelope, true, attributes)?;
        Ok(Message { bytes, transaction, nonce })
    }

    /// PKCS #10 (RFC 2986), with the challenge, the key usage and the further extensions asked for.
    fn certification_request(&self) -> Result<Vec<u8>, Error> {
        let mut attributes = Vec::new();
        if let Some(challenge) = self.request.challenge {
            let value = element(string_tag(challenge), challenge.as_bytes());
            attributes.push(attribute(oid::CHALLENGE_PASSWORD, &value));
        }
        let usage = key_usage(self.request.key_usage);
        let extensions: Vec<Vec<u8>> = usage.into_iter().chain(self.request.wishes.iter().cloned()).collect();
        if !extensions.is_empty() {
            attributes.push(attribute(oid::EXTENSION_REQUEST, &sequence(&extensions)));
        }
        let information = sequence(&[
            der::unsigned(&[0]),
            self.request.subject.to_der()?,
            self.request.key.public_key_to_der()?,
            element(tag::CONTEXT_0, &der::sorted(&attributes)),
        ]);
        let mut signer = Signer::new(self.digest.openssl(), self.request.key)?;
        signer.update(&information)?;
        let algorithm = match self.parameters {
            Parameters::Null => sequence(&[object(self.digest.rsa_signature()), element(tag::NULL, &[])]),
            Parameters::Absent => sequence(&[object(self.digest.rsa_signature())]),
        };
        Ok(sequence(&[information, algorithm, der::bit_string(&signer.sign_to_vec()?)]))
    }

    fn envelope(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        let cipher = match self.cipher {
            EnvelopeCipher::Aes128 => Cipher::aes_128_cbc(),
            EnvelopeCipher::Aes256 => Cipher::aes_256_cbc(),
            EnvelopeCipher::TripleDes => Cipher::des_ede3_cbc(),
            EnvelopeCipher::SingleDes => {
                load_legacy()?;
                Cipher::des_cbc()
            }
        };
        let mut recipients = Stack::new()?;
        recipients.push(self.recipient()?.clone())?;
        Ok(CmsContentInfo::encrypt(&recipients, content, cipher, CMSOptions::BINARY)?.to_der()?)
    }

    /// The certificate to encrypt to: a registration authority's if there is one, else the authority's own.
    fn recipient(&self) -> Result<&X509, Error> {
        let may =
            |certificate: &X509, what| certificate.key_usage().is_some_and(|usage| usage.contains(what));
        let encrypts = |certificate: &&X509| may(certificate, X509KeyUsage::KEY_ENCIPHERMENT);
        let is_authority = |certificate: &&X509| may(certificate, X509KeyUsage::KEY_CERT_SIGN);
        self.authorities
            .iter()
            .filter(|certificate| !is_authority(certificate))
            .find(encrypts)
            .or_else(|| self.authorities.iter().find(encrypts))
            .or_else(|| self.authorities.first())
            .ok_or_else(|| Error::malformed("the SCEP authority's certificate", "there is none"))
    }
}

/// The key usage extension for Apple's bits (1 signing, 4 encryption), or none.
fn key_usage(bits: u64) -> Option<Vec<u8>> {
    let signing = if bits & 1 == 1 { 0x80 } else { 0 };
    let encryption = if bits & 4 == 4 { 0x20 } else { 0 };
    let unused = if encryption == 0 { 7 } else { 5 };
    (bits & 5 != 0).then(|| {
        let usage = element(tag::BIT_STRING, &[unused, signing | encryption]);
        sequence(&[object(oid::KEY_USAGE), element(tag::OCTET_STRING, &usage)])
    })
}

/// `PrintableString` where the text fits (X.680 §41.4), else `UTF8String`.
fn string_tag(text: &str) -> u8 {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte);
    if text.bytes().all(fits) { tag::PRINTABLE_STRING } else { tag::UTF8_STRING }
}

/// Makes single DES available beside everything else, once for the whole process.
fn load_legacy() -> Result<(), Error> {
    static LEGACY: OnceLock<Option<Provider>> = OnceLock::new();
    match LEGACY.get_or_init(|| Provider::try_load(None, "legacy", true).ok()) {
        Some(_loaded) => Ok(()),
        None => Err(Error::Usage(
            "single DES needs OpenSSL's legacy provider, which this machine does not have".to_owned(),
        )),
    }
}

/// The certificates of a message that carries nothing else.
pub(crate) fn certificates_of(message: &[u8]) -> Result<Vec<X509>, Error> {
    let message = CmsContentInfo::from_der(message)
        .map_err(|error| Error::malformed("a bag of certificates", format!("it is not CMS: {error}")))?
        .to_der()?;
    signed_message::certificates(&message)
}

/// Opens the server's CertRep: checks who signed it and that it answers this message. Gives its certificates in
/// its order; the first, which clients take, must be for our key.
pub(crate) fn read_answer(answer: &[u8], message: &Message, parcel: &Parcel<'_>) -> Result<Vec<X509>, Error> {
    let opened = open_answer(answer, parcel.authorities)?;
    let attribute = |identifier| signed_message::signed_attribute(&opened.der, identifier);
    let text = |identifier| -> Result<String, Error> {
        Ok(String::from_utf8_lossy(attribute(identifier)?.unwrap_or_default()).into_owned())
    };
    if text(oid::SCEP_MESSAGE_TYPE)? != "3" {
        return Err(Error::malformed(ANSWER, "its messageType is not CertRep (3)"));
    }
    if text(oid::SCEP_TRANSACTION)? != message.transaction {
        return Err(Error::malformed(ANSWER, "it answers another transaction"));
    }
    if attribute(oid::SCEP_RECIPIENT_NONCE)? != Some(message.nonce.as_slice()) {
        return Err(Error::malformed(ANSWER, "it does not repeat the nonce that was sent"));
    }
    match text(oid::SCEP_PKI_STATUS)?.as_str() {
        "0" => {}
        "2" => return Err(Error::ScepRefused { fail_info: text(oid::SCEP_FAIL_INFO)? }),
        "3" => return Err(Error::ScepPending),
        other => return Err(Error::malformed(ANSWER, format!("its pkiStatus is “{other}”"))),
    }
    if parcel.cipher == EnvelopeCipher::SingleDes {
        load_legacy()?;
    }
    let bag = CmsContentInfo::from_der(&opened.content)?
        .decrypt(parcel.signer.key(), &parcel.signer.certificate().to_owned())
        .map_err(|error| Error::malformed(ANSWER, format!("its envelope is not for us: {error}")))?;
    let certificates = certificates_of(&bag)?;
    let first = certificates.first().ok_or_else(|| Error::malformed(ANSWER, "it brings no certificate"))?;
    if first.public_key()?.public_eq(parcel.request.key) {
        Ok(certificates)
    } else {
        Err(Error::malformed(ANSWER, "its first certificate is for another key"))
    }
}

/// Checks the signature of a CertRep and that its signer is one of the authorities.
fn open_answer(answer: &[u8], authorities: &[X509]) -> Result<signed_message::Opened, Error> {
    let mut cms = CmsContentInfo::from_der(answer)
        .map_err(|error| Error::malformed(ANSWER, format!("it is not CMS: {error}")))?;
    let mut known = Stack::new()?;
    for authority in authorities {
        known.push(authority.clone())?;
    }
    let mut content = Vec::new();
    // NOINTERN: the signer must be among the certificates that GetCACert gave, not any that came along.
    cms.verify(
        Some(&known),
        None,
        None,
        Some(&mut content),
        CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::NOINTERN | CMSOptions::BINARY,
    )
    .map_err(|error| Error::malformed(ANSWER, format!("the authority did not sign it: {error}")))?;
    let der = cms.to_der()?;
    Ok(signed_message::Opened { content, certificates: signed_message::certificates(&der)?, der })
}
