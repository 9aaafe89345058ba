//! Secrets that a person carries: tokens of the API and of enrolment links. Shown once; only their hash stays.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::Digest;
use types::Secret;

/// The longest text that is looked up.
const LONGEST: usize = 128;

/// A new secret: 256 random bits as base64url, after a prefix by which scanners for leaked secrets know it.
pub(crate) fn generate(prefix: &str) -> Secret<String> {
    let bits = rand::random::<[u8; 32]>();
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
}

/// What is stored of it, and by what it is found again: SHA-256 of the whole text.
///
/// A lookup by the hash of 256 random bits tells a guesser nothing by the time it takes.
pub(crate) fn digest(secret: &str) -> Digest {
    Digest::from(*pki::Fingerprint::of(secret.as_bytes()).as_bytes())
}

/// The digest of what someone presents; `None` if it cannot be one of ours.
pub(crate) fn presented(secret: &str) -> Option<Digest> {
    (!secret.is_empty() && secret.len() <= LONGEST).then(|| digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_never_comes_twice() {
        let (one, two) = (generate("ardoise_"), generate("ardoise_"));
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.expose().len(), "ardoise_".len() + 43);
        assert_eq!(presented(one.expose()), Some(digest(one.expose())));
        assert_eq!(presented(""), None);
        assert_eq!(presented(&"x".repeat(LONGEST + 1)), None);
    }
}
