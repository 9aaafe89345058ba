//! The SHA-256 fingerprint of a certificate: how one certificate is named, stored and compared.

use std::fmt;
use std::str::FromStr;

use types::Digest;

/// The SHA-256 digest of a certificate's DER. Shown as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// A text that is not a fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 fingerprint: expected 64 hexadecimal digits, with or without colons")]
pub struct InvalidFingerprint;

impl Fingerprint {
    /// The fingerprint with these bytes, as stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The fingerprint of the certificate with this DER.
    #[must_use]
    pub fn of(certificate_der: &[u8]) -> Self {
        Self(openssl::sha::sha256(certificate_der))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl From<Fingerprint> for Digest {
    fn from(fingerprint: Fingerprint) -> Self {
        Self::from(fingerprint.0)
    }
}

impl From<Digest> for Fingerprint {
    fn from(digest: Digest) -> Self {
        Self(*digest.as_bytes())
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    /// Reads either form in which tools print a fingerprint: `76f27d…` or `76:F2:7D:…`.
    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits: String = match text.contains(':') {
            true if text.split(':').all(|pair| pair.len() == 2) => text.split(':').collect(),
            true => return Err(InvalidFingerprint),
            false => text.to_owned(),
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_invalid| InvalidFingerprint)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_with_or_without_colons() {
        let fingerprint = Fingerprint::of(b"certificate");
        let plain = fingerprint.to_string();
        assert_eq!(plain.parse(), Ok(fingerprint));
        let pairs: Vec<String> = plain
            .to_uppercase()
            .as_bytes()
            .chunks(2)
            .map(|p| String::from_utf8(p.to_vec()).unwrap())
            .collect();
        assert_eq!(pairs.join(":").parse(), Ok(fingerprint));
    }

    #[test]
    fn a_fingerprint_is_a_digest_like_others() {
        let fingerprint = Fingerprint::of(b"certificate");
        assert_eq!(Digest::from(fingerprint), Digest::of(b"certificate"));
        assert_eq!(Fingerprint::from(Digest::of(b"certificate")), fingerprint);
    }

    #[test]
    fn anything_else_is_not_a_fingerprint() {
        let good = Fingerprint::of(b"certificate").to_string();
        let short: String = good.chars().skip(1).collect();
        let not_hexadecimal = format!("g{short}");
        let too_long = format!("{good}00");
        let stray_colon = format!(":{good}");
        for bad in ["", "76f2", &short, &not_hexadecimal, &too_long, &stray_colon] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
    }
}
