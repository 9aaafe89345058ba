//! CMS EnvelopedData (RFC 5652 §6): content encrypted to the RSA key of a certificate, as SCEP needs it.
//!
//! Whoever can tell *why* a message does not decrypt can, with enough messages, decrypt one that is not
//! theirs. So a wrong padding of the key and a wrong padding of the content end in the same error, and a
//! key that does not decrypt is replaced by a random one (RFC 3218 §2.3.2).

use const_oid::ObjectIdentifier;
use openssl::encrypt::Decrypter;
use openssl::error::ErrorStack;
use openssl::pkey::Id;
use openssl::rsa::Padding;
use openssl::symm::{self, Cipher};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use types::Secret;

use crate::asn1::{
    CONTEXT_0, CONTEXT_0_CONSTRUCTED, CONTEXT_1_CONSTRUCTED, CONTEXT_2_CONSTRUCTED, Cursor, Element, INTEGER,
    NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, UnexpectedStructure, wrap,
};
use crate::certificate::Certificate;
use crate::digest::Digest;
use crate::signed_data::{algorithm, content_of};
use crate::{Authority, oids};

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

    // By hand, with the names as the requester wrote them: the serial numbers of certificates that clients
    // make for themselves keep to no standard (certmonger's have more than 20 octets), and the `cms` crate's
    // types refuse such.
    let recipient = [
        wrap(INTEGER, &[0]),
        wrap(SEQUENCE, &[recipient.issuer.as_slice(), &recipient.serial].concat()),
        wrap(SEQUENCE, &[oid(oids::RSA_ENCRYPTION), wrap(NULL, &[])].concat()),
        wrap(OCTET_STRING, &encrypted_key),
    ];
    let encrypted_content = [
        oid(oids::DATA),
        wrap(SEQUENCE, &[oid(cipher.oid()), wrap(OCTET_STRING, &initialisation_vector)].concat()),
        wrap(CONTEXT_0, &encrypted),
    ];
    let enveloped = [
        wrap(INTEGER, &[0]),
        wrap(SET, &wrap(SEQUENCE, &recipient.concat())),
        wrap(SEQUENCE, &encrypted_content.concat()),
    ];
    let content = wrap(CONTEXT_0_CONSTRUCTED, &wrap(SEQUENCE, &enveloped.concat()));
    Ok(wrap(SEQUENCE, &[oid(oids::ENVELOPED_DATA), content].concat()))
}

fn oid(oid: ObjectIdentifier) -> Vec<u8> {
    wrap(OBJECT_IDENTIFIER, oid.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::wrap;
    use crate::fixtures;

    const PLAIN: &[u8] = b"a certificate request";

    fn block(padding: &[u8], key: &[u8]) -> Vec<u8> {
        [padding, key].concat()
    }

    #[test]
    fn only_a_sound_block_gives_its_key_and_any_other_gives_the_random_one() {
        let key = [7; 16];
        let random = || Secret::new(vec![9; 16]);
        let good = [&[0, 2][..], &[0xFF; 237], &[0]].concat();
        assert_eq!(unpad(&block(&good, &key), &random()).expose(), &key);
        for (at, value) in [(0, 1), (1, 1), (1, 0), (2, 0), (100, 0), (238, 0), (239, 1)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(unpad(&block(&bad, &key), &random()).expose(), random().expose(), "byte {at}");
        }
        let short = [&[0, 2][..], &[0xFF; 7], &[0]].concat();
        assert_eq!(unpad(&block(&short, &key), &random()).expose(), random().expose());
        assert_eq!(unpad(&key[..5], &random()).expose(), random().expose());
    }

    #[test]
    fn a_key_encrypted_with_oaep_is_accepted_with_its_defaults_or_any_digest() {
        let authority = fixtures::authority("Ardoise");
        let sealed = |parameters: &[u8], digest: Option<Digest>| {
            let digest = digest.unwrap_or(Digest::Sha1);
            let key = [3; 32];
            let encrypted =
                openssl::symm::encrypt(Cipher::aes_256_cbc(), &key, Some(&[1; 16]), PLAIN).unwrap();
            let public_key = authority.certificate.public_key().unwrap();
            let mut encrypter = openssl::encrypt::Encrypter::new(&public_key).unwrap();
            encrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
            encrypter.set_rsa_oaep_md(digest.algorithm()).unwrap();
            encrypter.set_rsa_mgf1_md(digest.algorithm()).unwrap();
            let mut encrypted_key = vec![0; encrypter.encrypt_len(&key).unwrap()];
            let written = encrypter.encrypt(&key, &mut encrypted_key).unwrap();
            encrypted_key.truncate(written);
            let name = authority.certificate.x509.subject_key_id().unwrap().as_slice().to_vec();
            let recipient = [
                wrap(INTEGER, &[2]),
                wrap(CONTEXT_0, &name),
                wrap(SEQUENCE, &[&oid(oids::RSAES_OAEP), parameters].concat()),
                wrap(OCTET_STRING, &encrypted_key),
            ];
            let content = [
                oid(oids::DATA),
                wrap(SEQUENCE, &[oid(oids::AES_256_CBC), wrap(OCTET_STRING, &[1; 16])].concat()),
                wrap(CONTEXT_0, &encrypted),
            ];
            let enveloped = [
                wrap(INTEGER, &[2]),
                wrap(SET, &wrap(SEQUENCE, &recipient.concat())),
                wrap(SEQUENCE, &content.concat()),
            ];
            let explicit = wrap(CONTEXT_0_CONSTRUCTED, &wrap(SEQUENCE, &enveloped.concat()));
            wrap(SEQUENCE, &[oid(oids::ENVELOPED_DATA), explicit].concat())
        };
        let digest = |digest: Digest| wrap(SEQUENCE, &oid(digest.oid()));
        let parameters = |hash: Digest| {
            let mask = wrap(SEQUENCE, &[oid(oids::MGF_1), digest(hash)].concat());
            let fields =
                [wrap(CONTEXT_0_CONSTRUCTED, &digest(hash)), wrap(CONTEXT_1_CONSTRUCTED, &mask)].concat();
            wrap(SEQUENCE, &fields)
        };
        for message in [
            sealed(&[], None),
            sealed(&wrap(SEQUENCE, &[]), None),
            sealed(&parameters(Digest::Sha256), Some(Digest::Sha256)),
            sealed(&parameters(Digest::Sha512), Some(Digest::Sha512)),
        ] {
            let plain = Envelope::from_der(&message).unwrap().decrypt(&authority).unwrap();
            assert_eq!(plain.expose(), PLAIN);
        }
        let other_digest = sealed(&parameters(Digest::Sha256), Some(Digest::Sha512));
        assert!(Envelope::from_der(&other_digest).unwrap().decrypt(&authority).is_err());
    }

    #[test]
    fn ciphers_and_transports_that_nobody_should_use_are_refused_by_name() {
        let authority = fixtures::authority("Ardoise");
        let good = seal(PLAIN, &authority.certificate, ContentCipher::Aes128).unwrap();
        let replaced = |from: ObjectIdentifier, last: u8| {
            let mut message = good.clone();
            let at = message.windows(from.as_bytes().len()).position(|w| w == from.as_bytes()).unwrap();
            message[at + from.as_bytes().len() - 1] = last;
            message
        };
        // AES-128-GCM, and a transport that does not exist.
        let gcm = replaced(oids::AES_128_CBC, 6);
        assert!(matches!(Envelope::from_der(&gcm), Err(EnvelopeError::Cipher(_))));
        let transport = replaced(oids::RSA_ENCRYPTION, 99);
        assert!(matches!(Envelope::from_der(&transport), Err(EnvelopeError::Transport(_))));
    }

    #[test]
    fn openssl_decrypts_what_we_seal() {
        let authority = fixtures::authority("Ardoise");
        for cipher in [ContentCipher::Aes128, ContentCipher::Aes256, ContentCipher::TripleDes] {
            let message = seal(PLAIN, &authority.certificate, cipher).unwrap();
            let plain = openssl::cms::CmsContentInfo::from_der(&message)
                .unwrap()
                .decrypt(&authority.key, &authority.certificate.x509)
                .unwrap();
            assert_eq!(plain, PLAIN);
            assert_eq!(Envelope::from_der(&message).unwrap().decrypt(&authority).unwrap().expose(), PLAIN);
        }
        let elliptic = fixtures::Device::self_signed("x", fixtures::ec_key());
        let certificate = Certificate::from_der(&elliptic.der).unwrap();
        assert!(matches!(seal(PLAIN, &certificate, ContentCipher::Aes128), Err(SealError::NotRsa)));
    }
}
