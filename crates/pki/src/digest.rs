//! The digests we verify and make, and how algorithm identifiers name them.

use const_oid::ObjectIdentifier;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;

use crate::oids;

/// A digest algorithm. MD5 is not among them: it is refused wherever a signature counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1, which old tablets still sign with.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        match oid {
            oids::SHA_1 => Some(Self::Sha1),
            oids::SHA_256 => Some(Self::Sha256),
            oids::SHA_384 => Some(Self::Sha384),
            oids::SHA_512 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(crate) const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oids::SHA_1,
            Self::Sha256 => oids::SHA_256,
            Self::Sha384 => oids::SHA_384,
            Self::Sha512 => oids::SHA_512,
        }
    }

    /// The identifier of ECDSA with this digest.
    pub(crate) const fn ecdsa_oid(self) -> ObjectIdentifier {
        match self {
            Self::Sha1 => oids::ECDSA_WITH_SHA_1,
            Self::Sha256 => oids::ECDSA_WITH_SHA_256,
            Self::Sha384 => oids::ECDSA_WITH_SHA_384,
            Self::Sha512 => oids::ECDSA_WITH_SHA_512,
        }
    }

    pub(crate) fn algorithm(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        Ok(openssl::hash::hash(self.algorithm(), bytes)?.to_vec())
    }
}

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5.
    Rsa,
    /// ECDSA over a named curve.
    Ecdsa,
}

impl SignatureScheme {
    /// The scheme of a signature algorithm, and the digest where its identifier names one.
    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<(Self, Option<Digest>)> {
        Some(match oid {
            oids::RSA_ENCRYPTION => (Self::Rsa, None),
            oids::SHA_1_WITH_RSA => (Self::Rsa, Some(Digest::Sha1)),
            oids::SHA_256_WITH_RSA => (Self::Rsa, Some(Digest::Sha256)),
            oids::SHA_384_WITH_RSA => (Self::Rsa, Some(Digest::Sha384)),
            oids::SHA_512_WITH_RSA => (Self::Rsa, Some(Digest::Sha512)),
            oids::EC_PUBLIC_KEY => (Self::Ecdsa, None),
            oids::ECDSA_WITH_SHA_1 => (Self::Ecdsa, Some(Digest::Sha1)),
            oids::ECDSA_WITH_SHA_256 => (Self::Ecdsa, Some(Digest::Sha256)),
            oids::ECDSA_WITH_SHA_384 => (Self::Ecdsa, Some(Digest::Sha384)),
            oids::ECDSA_WITH_SHA_512 => (Self::Ecdsa, Some(Digest::Sha512)),
            _ => return None,
        })
    }
}
