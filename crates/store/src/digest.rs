//! SHA-256 digests, by which certificates, tokens and challenges are known: what is secret is not stored.

use std::fmt;
use std::str::FromStr;

/// A SHA-256 digest; stored and shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is not a SHA-256 digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: expected 64 hexadecimal digits")]
pub struct InvalidDigest;

impl Digest {
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<pki::Fingerprint> for Digest {
    fn from(fingerprint: pki::Fingerprint) -> Self {
        Self(*fingerprint.as_bytes())
    }
}

impl From<Digest> for pki::Fingerprint {
    fn from(digest: Digest) -> Self {
        Self::from_bytes(digest.0)
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_invalid| InvalidDigest)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_text() {
        let digest = Digest::from([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("ab".parse::<Digest>(), Err(InvalidDigest));
        assert_eq!("zz".repeat(32).parse::<Digest>(), Err(InvalidDigest));
    }

    #[test]
    fn a_certificate_is_stored_under_its_fingerprint() {
        let fingerprint = pki::Fingerprint::from_bytes([7; 32]);
        assert_eq!(Digest::from(fingerprint).to_string(), fingerprint.to_string());
        assert_eq!(pki::Fingerprint::from(Digest::from(fingerprint)), fingerprint);
    }
}
