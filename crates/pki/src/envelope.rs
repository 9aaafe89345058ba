//! CMS EnvelopedData (RFC 5652 §6): content encrypted to the RSA key of a certificate, as SCEP needs it.
//!
//! Whoever can tell *why* a message does not decrypt can, with enough messages, decrypt one that is not
//! theirs. So a wrong padding of the key and a wrong padding of the content end in the same error, and a
//! key that does not decrypt is replaced by a random one (RFC 3218 §2.3.2).

use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
    RecipientInfos,
};
use const_oid::ObjectIdentifier;
use der::asn1::{Any, OctetString, SetOfVec};
use der::{Decode, Encode, Tag};
use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::pkey::Id;
use openssl::rsa::Padding;
use openssl::symm::{self, Cipher};
use spki::AlgorithmIdentifierOwned;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use types::Secret;

use crate::asn1::{
    CONTEXT_0, CONTEXT_0_CONSTRUCTED, CONTEXT_1_CONSTRUCTED, CONTEXT_2_CONSTRUCTED, Cursor, Element, INTEGER,
    OCTET_STRING, SEQUENCE, SET, UnexpectedStructure,
};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::signed_data::{algorithm, content_of};
use crate::{Authority, cms_sign, oids};

/// How the content of a message is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentCipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    /// Only where legacy clients are admitted: it needs the library's legacy provider.
    Des,
}

impl ContentCipher {
    fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        match oid {
            oids::AES_128_CBC => Some(Self::Aes128),
            oids::AES_192_CBC => Some(Self::Aes192),
            oids::AES_256_CBC => Some(Self::Aes256),
            oids::DES_EDE3_CBC => Some(Self::TripleDes),
            oids::DES_CBC => Some(Self::Des),
            _ => None,
        }
    }

    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Aes128 => oids::AES_128_CBC,
            Self::Aes192 => oids::AES_192_CBC,
            Self::Aes256 => oids::AES_256_CBC,
            Self::TripleDes => oids::DES_EDE3_CBC,
            Self::Des => oids::DES_CBC,
        }
    }

    fn cipher(self) -> Cipher {
        match self {
            Self::Aes128 => Cipher::aes_128_cbc(),
            Self::Aes192 => Cipher::aes_192_cbc(),
            Self::Aes256 => Cipher::aes_256_cbc(),
            Self::TripleDes => Cipher::des_ede3_cbc(),
            Self::Des => Cipher::des_cbc(),
        }
    }
}

/// How the key of the content is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyTransport {
    Pkcs1v15,
    Oaep { digest: Digest, mask: Digest },
}

/// An encrypted message as received.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    recipients: Vec<Recipient<'a>>,
    cipher: ContentCipher,
    initialisation_vector: &'a [u8],
    encrypted_content: Vec<u8>,
}

#[derive(Debug)]
struct Recipient<'a> {
    identifier: Element<'a>,
    transport: KeyTransport,
    encrypted_key: &'a [u8],
}

/// Why an encrypted message cannot even be tried.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("the encrypted message is malformed: {0}")]
    Structure(#[from] UnexpectedStructure),
    #[error("the content is encrypted with {0}, which is not supported")]
    Cipher(ObjectIdentifier),
    #[error("the key is encrypted with {0}, which is not supported")]
    Transport(ObjectIdentifier),
}

/// The message does not decrypt, for whatever reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message does not decrypt with the authority's key")]
pub(crate) struct DoesNotDecrypt;

impl<'a> Envelope<'a> {
    /// Reads the EnvelopedData in a ContentInfo. `der` has been through the transcoder.
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, EnvelopeError> {
        let content = content_of(der, oids::ENVELOPED_DATA, "a CMS EnvelopedData")?;
        let mut fields = Cursor::whole(content, SEQUENCE, "an EnvelopedData")?.inside();
        fields.expect(INTEGER, "the version of an EnvelopedData")?;
        fields.optional(CONTEXT_0_CONSTRUCTED, "an originator")?;
        let mut infos = fields.expect(SET, "recipients")?.inside();
        let mut encrypted = fields.expect(SEQUENCE, "an encrypted content")?.inside();
        fields.optional(CONTEXT_1_CONSTRUCTED, "unprotected attributes")?;
        fields.end("the end of the EnvelopedData")?;

        let mut recipients = Vec::new();
        while !infos.is_empty() {
            let info = infos.next("a recipient")?;
            // Other tags are other ways to give the key than to an RSA key of ours.
            if info.tag == SEQUENCE {
                recipients.push(Recipient::read(info)?);
            }
        }

        encrypted.next("a content type")?.oid("a content type")?;
        let identifier = encrypted.expect(SEQUENCE, "a content encryption algorithm")?;
        let oid = algorithm(identifier)?;
        let cipher = ContentCipher::from_oid(oid).ok_or(EnvelopeError::Cipher(oid))?;
        let mut parameters = identifier.inside();
        parameters.next("an algorithm")?;
        let initialisation_vector = parameters.expect(OCTET_STRING, "an initialisation vector")?.content;
        if Some(initialisation_vector.len()) != cipher.cipher().iv_len() {
            return Err(UnexpectedStructure { expected: "an initialisation vector of one block" }.into());
        }
        let content = encrypted.next("an encrypted content")?;
        let encrypted_content = match content.tag {
            CONTEXT_0 => content.content.to_vec(),
            // In BER the content may come in pieces, which only we know to be pieces.
            CONTEXT_0_CONSTRUCTED => joined(content.inside())?,
            _ => return Err(UnexpectedStructure { expected: "an encrypted content" }.into()),
        };
        Ok(Self { recipients, cipher, initialisation_vector, encrypted_content })
    }

    pub(crate) fn cipher(&self) -> ContentCipher {
        self.cipher
    }

    /// Whether the message is encrypted to this authority's certificate.
    pub(crate) fn is_for(&self, authority: &Authority) -> bool {
        self.recipients.iter().any(|recipient| recipient.is(authority))
    }

    /// Decrypts the content with the authority's key.
    pub(crate) fn decrypt(&self, authority: &Authority) -> Result<Secret<Vec<u8>>, DoesNotDecrypt> {
        let recipient =
            self.recipients.iter().find(|recipient| recipient.is(authority)).ok_or(DoesNotDecrypt)?;
        let cipher = self.cipher.cipher();
        let key = recipient.key(authority, cipher.key_len()).map_err(|_error_stack| DoesNotDecrypt)?;
        symm::decrypt(cipher, key.expose(), Some(self.initialisation_vector), &self.encrypted_content)
            .map(Secret::new)
            .map_err(|_error_stack| DoesNotDecrypt)
    }
}

impl<'a> Recipient<'a> {
    fn read(info: Element<'a>) -> Result<Self, EnvelopeError> {
        let mut fields = info.inside();
        fields.expect(INTEGER, "the version of a recipient")?;
        let identifier = fields.next("the name of a recipient")?;
        let transport = key_transport(fields.expect(SEQUENCE, "a key encryption algorithm")?)?;
        let encrypted_key = fields.expect(OCTET_STRING, "an encrypted key")?.content;
        fields.end("the end of a recipient")?;
        Ok(Self { identifier, transport, encrypted_key })
    }

    fn is(&self, authority: &Authority) -> bool {
        let certificate = &authority.certificate;
        match self.identifier.tag {
            SEQUENCE => {
                let mut fields = self.identifier.inside();
                matches!(
                    (fields.next("an issuer"), fields.next("a serial number")),
                    (Ok(issuer), Ok(serial)) if issuer.raw == certificate.issuer && serial.raw == certificate.serial
                )
            }
            CONTEXT_0 => certificate
                .x509
                .subject_key_id()
                .is_some_and(|identifier| identifier.as_slice() == self.identifier.content),
            _ => false,
        }
    }

    /// The content's key, or a random one when it does not decrypt to `len` bytes.
    fn key(&self, authority: &Authority, len: usize) -> Result<Secret<Vec<u8>>, ErrorStack> {
        let mut random = vec![0; len];
        openssl::rand::rand_bytes(&mut random)?;
        let random = Secret::new(random);
        match self.transport {
            KeyTransport::Pkcs1v15 => {
                let rsa = authority.key.rsa()?;
                let mut block = vec![0; usize::try_from(rsa.size()).unwrap_or(usize::MAX)];
                // Fails only for a number that is not below the modulus, which everyone can see.
                let written = rsa.private_decrypt(self.encrypted_key, &mut block, Padding::NONE);
                let block = Secret::new(block);
                match written {
                    Ok(written) if written == block.expose().len() => Ok(unpad(block.expose(), &random)),
                    _ => Ok(random),
                }
            }
            KeyTransport::Oaep { digest, mask } => {
                let mut decrypter = Decrypter::new(&authority.key)?;
                decrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
                decrypter.set_rsa_oaep_md(digest.algorithm())?;
                decrypter.set_rsa_mgf1_md(mask.algorithm())?;
                let mut key = vec![0; decrypter.decrypt_len(self.encrypted_key)?];
                match decrypter.decrypt(self.encrypted_key, &mut key) {
                    Ok(written) if written == len => {
                        key.truncate(written);
                        Ok(Secret::new(key))
                    }
                    _ => Ok(random),
                }
            }
        }
    }
}

/// Takes a key of the length of `random` out of a PKCS#1 v1.5 block (RFC 8017 §7.2.2), or gives `random`, in
/// the same time whatever the block holds. The length is known, so the position of the separator is too.
fn unpad(block: &[u8], random: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    let random = random.expose();
    let Some((padding, key)) =
        block.len().checked_sub(random.len()).and_then(|at| block.split_at_checked(at))
    else {
        return Secret::new(random.clone());
    };
    let last = padding.len().saturating_sub(1);
    let good = padding.iter().enumerate().fold(Choice::from(1), |good, (at, byte)| {
        good & match at {
            0 => byte.ct_eq(&0),
            1 => byte.ct_eq(&2),
            at if at == last => byte.ct_eq(&0),
            _ => !byte.ct_eq(&0),
        }
    });
    // Eight bytes of padding at least, after 00 02 and before 00.
    let good = good & Choice::from(u8::from(padding.len() >= 11));
    Secret::new(
        random.iter().zip(key).map(|(random, key)| u8::conditional_select(random, key, good)).collect(),
    )
}

fn key_transport(identifier: Element<'_>) -> Result<KeyTransport, EnvelopeError> {
    match algorithm(identifier)? {
        oids::RSA_ENCRYPTION => Ok(KeyTransport::Pkcs1v15),
        oids::RSAES_OAEP => oaep(identifier),
        other => Err(EnvelopeError::Transport(other)),
    }
}

/// The parameters of RSAES-OAEP (RFC 8017 §A.2.1): absent fields mean SHA-1, and only the empty label is known.
fn oaep(identifier: Element<'_>) -> Result<KeyTransport, EnvelopeError> {
    let unsupported = || EnvelopeError::Transport(oids::RSAES_OAEP);
    let mut fields = identifier.inside();
    fields.next("an algorithm")?;
    let (mut digest, mut mask) = (Digest::Sha1, Digest::Sha1);
    if !fields.is_empty() {
        let mut parameters = fields.expect(SEQUENCE, "the parameters of OAEP")?.inside();
        if let Some(field) = parameters.optional(CONTEXT_0_CONSTRUCTED, "a digest")? {
            let oid = algorithm(field.inside().expect(SEQUENCE, "a digest")?)?;
            digest = Digest::from_oid(oid).ok_or_else(unsupported)?;
        }
        if let Some(field) = parameters.optional(CONTEXT_1_CONSTRUCTED, "a mask generation function")? {
            let mut function = field.inside().expect(SEQUENCE, "a mask generation function")?.inside();
            if function.next("a function")?.oid("a function")? != oids::MGF_1 {
                return Err(unsupported());
            }
            let oid = algorithm(function.expect(SEQUENCE, "a digest")?)?;
            mask = Digest::from_oid(oid).ok_or_else(unsupported)?;
        }
        if let Some(field) = parameters.optional(CONTEXT_2_CONSTRUCTED, "a label")? {
            let mut source = field.inside().expect(SEQUENCE, "a label")?.inside();
            let specified = source.next("a label")?.oid("a label")? == oids::P_SPECIFIED;
            if !specified || !source.expect(OCTET_STRING, "a label")?.content.is_empty() {
                return Err(unsupported());
            }
        }
    }
    Ok(KeyTransport::Oaep { digest, mask })
}

fn joined(mut pieces: Cursor<'_>) -> Result<Vec<u8>, UnexpectedStructure> {
    let mut whole = Vec::new();
    while !pieces.is_empty() {
        whole.extend_from_slice(pieces.expect(OCTET_STRING, "a piece of the encrypted content")?.content);
    }
    Ok(whole)
}

/// Why nothing can be encrypted to a certificate.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the requester's key is not RSA: SCEP cannot encrypt the answer to it")]
    NotRsa,
    #[error("the encrypted message cannot be written: {0}")]
    Structure(#[from] der::Error),
    #[error("the answer cannot be encrypted: {0}")]
    Library(#[from] ErrorStack),
}

/// Encrypts `content` to the key of `recipient`. DER of a ContentInfo.
pub(crate) fn seal(
    content: &[u8],
    recipient: &Certificate,
    cipher: ContentCipher,
) -> Result<Vec<u8>, SealError> {
    let public_key = recipient.public_key()?;
    if public_key.id() != Id::RSA {
        return Err(SealError::NotRsa);
    }
    let algorithm = cipher.cipher();
    let mut key = vec![0; algorithm.key_len()];
    openssl::rand::rand_bytes(&mut key)?;
    let key = Secret::new(key);
    let mut initialisation_vector = vec![0; algorithm.iv_len().unwrap_or(0)];
    openssl::rand::rand_bytes(&mut initialisation_vector)?;
    let encrypted = symm::encrypt(algorithm, key.expose(), Some(&initialisation_vector), content)?;
    let rsa = public_key.rsa()?;
    let mut encrypted_key = vec![0; usize::try_from(rsa.size()).unwrap_or(usize::MAX)];
    let written = rsa.public_encrypt(key.expose(), &mut encrypted_key, Padding::PKCS1)?;
    encrypted_key.truncate(written);

    let recipient = KeyTransRecipientInfo {
        version: CmsVersion::V0,
        rid: RecipientIdentifier::IssuerAndSerialNumber(cms_sign::name_of(recipient)?),
        key_enc_alg: AlgorithmIdentifierOwned { oid: oids::RSA_ENCRYPTION, parameters: Some(Any::null()) },
        enc_key: OctetString::new(encrypted_key)?,
    };
    let enveloped = EnvelopedData {
        version: CmsVersion::V0,
        originator_info: None,
        recip_infos: RecipientInfos(SetOfVec::try_from(vec![RecipientInfo::Ktri(recipient)])?),
        encrypted_content: EncryptedContentInfo {
            content_type: oids::DATA,
            content_enc_alg: AlgorithmIdentifierOwned {
                oid: cipher.oid(),
                parameters: Some(Any::new(Tag::OctetString, initialisation_vector)?),
            },
            encrypted_content: Some(OctetString::new(encrypted)?),
        },
        unprotected_attrs: None,
    };
    let content = Any::from_der(&enveloped.to_der()?)?;
    Ok(ContentInfo { content_type: oids::ENVELOPED_DATA, content }.to_der()?)
}
