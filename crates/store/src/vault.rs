//! The vault: what is secret is sealed before it is stored (XChaCha20-Poly1305), and bound to its place.
//!
//! The name of the row and column is the associated data, so that a sealed value copied to another tablet's
//! row does not open. Keys have ids: the first of the key file seals, all of them open, which is how a key is
//! rotated (add the new one on top, reseal, then remove the old one).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use types::Secret;
use zeroize::Zeroizing;

type HmacSha256 = Hmac<Sha256>;

/// The first byte of every sealed value: this layout.
const LAYOUT: u8 = 1;
const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;
/// The length of an authentication tag, in bytes.
pub const TAG_LENGTH: usize = 32;

/// A key or a sealed value that is of no use. Never says what is inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key file has no key.
    #[error("the key file holds no key: expected lines `id:base64`, the first of them the current one")]
    NoKey,
    /// A line of the key file is not a key.
    #[error(
        "line {line} of the key file is not a key: expected `id:base64` with 32 bytes and an id of letters, digits and hyphens"
    )]
    BadKey {
        /// The line, from 1.
        line: usize,
    },
    /// Two keys have the same id.
    #[error("line {line} of the key file repeats the id of an earlier key")]
    RepeatedKey {
        /// The line, from 1.
        line: usize,
    },
    /// The value was sealed with a key that is not in the file.
    #[error(
        "{place} is sealed with the key `{key}`, which is not in the key file: put it back below the current key"
    )]
    UnknownKey {
        /// Where the value stands.
        place: RowName,
        /// The id of the missing key.
        key: String,
    },
    /// The value is cut, altered, or was moved from another row.
    #[error(
        "{place} does not open: it was altered, or sealed for another place or with another key of the same id"
    )]
    DoesNotOpen {
        /// Where the value stands.
        place: RowName,
    },
    /// The value could not be sealed.
    #[error("{place} could not be sealed")]
    NotSealed {
        /// Where the value would stand.
        place: RowName,
    },
}

/// The place of a sealed value, which it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowName {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's primary key.
    pub row: String,
}

impl RowName {
    /// The place in `column` of the row `row` of `table`.
    #[must_use]
    pub fn new(table: &'static str, column: &'static str, row: &impl fmt::Display) -> Self {
        Self { table, column, row: row.to_string() }
    }

    /// As associated data. Tables and columns hold no NUL, so no two places give the same bytes.
    fn associated(&self) -> Vec<u8> {
        format!("{}\0{}\0{}", self.table, self.column, self.row).into_bytes()
    }
}

impl fmt::Display for RowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of row `{}` of table `{}`", self.column, self.row, self.table)
    }
}

struct Key {
    id: String,
    secret: Secret<[u8; KEY_LENGTH]>,
}

/// The keys that seal and open stored secrets. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    keys: Arc<Vec<Key>>,
}

impl Vault {
    /// A line for a key file: a new key under `id` (letters, digits and hyphens).
    #[must_use]
    pub fn generate_key_line(id: &str) -> Secret<String> {
        let key = Zeroizing::new(rand::random::<[u8; KEY_LENGTH]>());
        Secret::new(format!("{id}:{}", BASE64.encode(key.as_slice())))
    }

    /// The keys of a key file: lines `id:base64`, the first one current; empty lines and `#` lines are skipped.
    ///
    /// # Errors
    /// [`VaultError::NoKey`], [`VaultError::BadKey`] or [`VaultError::RepeatedKey`].
    pub fn parse(key_file: &Secret<String>) -> Result<Self, VaultError> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, text) in key_file.expose().lines().enumerate() {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let line = index + 1;
            let key = parse_key(text).ok_or(VaultError::BadKey { line })?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(VaultError::RepeatedKey { line });
            }
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(VaultError::NoKey);
        }
        Ok(Self { keys: Arc::new(keys) })
    }

    /// Seals `plaintext` for its place, with the current key and a random nonce.
    ///
    /// # Errors
    /// [`VaultError::NotSealed`] if the plaintext is too long for the cipher (256 GB).
    pub fn seal(&self, plaintext: &[u8], place: &RowName) -> Result<Vec<u8>, VaultError> {
        let not_sealed = || VaultError::NotSealed { place: place.clone() };
        let key = self.keys.first().ok_or_else(not_sealed)?;
        let nonce = rand::random::<[u8; NONCE_LENGTH]>();
        let payload = Payload { msg: plaintext, aad: &place.associated() };
        let ciphertext =
            key.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_too_long| not_sealed())?;
        let id_length = u8::try_from(key.id.len()).map_err(|_too_long| not_sealed())?;
        Ok([&[LAYOUT, id_length], key.id.as_bytes(), &nonce, &ciphertext].concat())
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// [`VaultError::UnknownKey`] or [`VaultError::DoesNotOpen`].
    pub fn open(&self, sealed: &[u8], place: &RowName) -> Result<Secret<Vec<u8>>, VaultError> {
        let does_not_open = || VaultError::DoesNotOpen { place: place.clone() };
        let (id, nonce, ciphertext) = split(sealed).ok_or_else(does_not_open)?;
        let key = self.keys.iter().find(|key| key.id.as_bytes() == id).ok_or_else(|| {
            VaultError::UnknownKey { place: place.clone(), key: String::from_utf8_lossy(id).into_owned() }
        })?;
        key.cipher()
            .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: &place.associated() })
            .map(Secret::new)
            .map_err(|_altered| does_not_open())
    }

    /// An authentication tag over `message` (HMAC-SHA256, RFC 2104), for one purpose: what one purpose tags is
    /// worth nothing to another, and nothing is learnt from a tag about the key that seals. Made with the current key.
    ///
    /// # Errors
    /// [`VaultError::NoKey`], which a vault that was opened never has.
    pub fn tag(&self, purpose: &'static str, message: &[u8]) -> Result<[u8; TAG_LENGTH], VaultError> {
        let key = self.keys.first().ok_or(VaultError::NoKey)?;
        Ok(key.mac(purpose, message).ok_or(VaultError::NoKey)?.finalize().into_bytes().into())
    }

    /// Whether `tag` is that of `message` for this purpose, under any key of the file. Takes the same time wherever they
    /// differ.
    #[must_use]
    pub fn is_tagged(&self, purpose: &'static str, message: &[u8], tag: &[u8]) -> bool {
        self.keys.iter().any(|key| key.mac(purpose, message).is_some_and(|mac| mac.verify_slice(tag).is_ok()))
    }

    /// The ids of the keys, the current one first. Ids are no secret.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.id.as_str())
    }

    /// The id of the key that sealed the value; `None` if it is no sealed value.
    #[must_use]
    pub(crate) fn sealed_by(sealed: &[u8]) -> Option<String> {
        split(sealed).map(|(id, ..)| String::from_utf8_lossy(id).into_owned())
    }

    /// Whether the value is sealed with another key than the current one.
    #[must_use]
    pub fn is_outdated(&self, sealed: &[u8]) -> bool {
        let current = self.keys.first().map(|key| key.id.as_bytes());
        split(sealed).map(|(id, ..)| id) != current
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("Vault").field("keys", &ids).finish_non_exhaustive()
    }
}

impl Key {
    /// A key of its own for each purpose, drawn from this one; then the message under it. No length of key is refused.
    fn mac(&self, purpose: &'static str, message: &[u8]) -> Option<HmacSha256> {
        let drawn = HmacSha256::new_from_slice(self.secret.expose()).ok()?.chain_update(purpose.as_bytes());
        let drawn = Zeroizing::new(<[u8; TAG_LENGTH]>::from(drawn.finalize().into_bytes()));
        Some(HmacSha256::new_from_slice(drawn.as_slice()).ok()?.chain_update(message))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.secret.expose().into())
    }
}

fn parse_key(text: &str) -> Option<Key> {
    let (id, encoded) = text.split_once(':')?;
    let named =
        (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let bytes = Zeroizing::new(BASE64.decode(encoded.trim()).ok()?);
    let secret = <[u8; KEY_LENGTH]>::try_from(bytes.as_slice()).ok()?;
    named.then(|| Key { id: id.to_owned(), secret: Secret::new(secret) })
}

/// Key id, nonce and ciphertext of a sealed value.
fn split(sealed: &[u8]) -> Option<(&[u8], &[u8; NONCE_LENGTH], &[u8])> {
    let (&[LAYOUT, id_length], rest) = sealed.split_first_chunk::<2>()? else {
        return None;
    };
    let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>()?;
    Some((id, nonce, ciphertext))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault(lines: &[&Secret<String>]) -> Vault {
        let text: Vec<&str> = lines.iter().map(|line| line.expose().as_str()).collect();
        Vault::parse(&Secret::new(text.join("\n"))).unwrap()
    }

    fn place(row: &str) -> RowName {
        RowName::new("enrolments", "unlock_token_sealed", &row)
    }

    #[test]
    fn a_sealed_value_opens_only_in_its_place() {
        let vault = vault(&[&Vault::generate_key_line("k1")]);
        let sealed = vault.seal(b"unlock", &place("a")).unwrap();
        assert_eq!(vault.open(&sealed, &place("a")).unwrap().expose(), b"unlock");
        assert_eq!(
            vault.open(&sealed, &place("b")).unwrap_err(),
            VaultError::DoesNotOpen { place: place("b") }
        );
        let column = RowName::new("enrolments", "push_magic_sealed", &"a");
        assert!(vault.open(&sealed, &column).is_err());
    }

    #[test]
    fn a_rotated_key_still_opens_and_the_new_one_seals() {
        let (old, new) = (Vault::generate_key_line("2026"), Vault::generate_key_line("2027"));
        let before = vault(&[&old]).seal(b"secret", &place("a")).unwrap();
        let rotated = vault(&[&new, &old]);
        assert_eq!(rotated.open(&before, &place("a")).unwrap().expose(), b"secret");
        assert!(rotated.is_outdated(&before));
        let after = rotated.seal(b"secret", &place("a")).unwrap();
        assert!(!rotated.is_outdated(&after));
        let error = vault(&[&new]).open(&before, &place("a")).unwrap_err();
        assert!(error.to_string().contains("`2026`"), "{error}");
    }

    #[test]
    fn a_tag_is_for_one_message_and_one_purpose_and_outlives_a_rotation() {
        let (old, new) = (Vault::generate_key_line("2026"), Vault::generate_key_line("2027"));
        let before = vault(&[&old]).tag("names", b"message").unwrap();
        let rotated = vault(&[&new, &old]);
        assert!(rotated.is_tagged("names", b"message", &before));
        assert!(!rotated.is_tagged("names", b"messagf", &before));
        assert!(!rotated.is_tagged("others", b"message", &before));
        assert!(!rotated.is_tagged("names", b"message", &before[..31]), "a shortened tag");
        assert!(!rotated.is_tagged("names", b"message", &[]));
        assert!(!vault(&[&new]).is_tagged("names", b"message", &before), "the key was taken away");
    }

    #[test]
    fn two_sealings_of_one_value_differ() {
        let vault = vault(&[&Vault::generate_key_line("k")]);
        assert_ne!(vault.seal(b"x", &place("a")).unwrap(), vault.seal(b"x", &place("a")).unwrap());
    }

    #[test]
    fn a_bad_key_file_names_its_line() {
        let good = Vault::generate_key_line("k");
        for (text, expected) in [
            (String::new(), VaultError::NoKey),
            ("# only words".to_owned(), VaultError::NoKey),
            (format!("{}\n\nk2:AAAA", good.expose()), VaultError::BadKey { line: 3 }),
            (format!("{0}\n{0}", good.expose()), VaultError::RepeatedKey { line: 2 }),
        ] {
            assert_eq!(Vault::parse(&Secret::new(text)).unwrap_err(), expected);
        }
    }

    #[test]
    fn t_c11_a_vault_does_not_show_its_keys() {
        let line = Vault::generate_key_line("k1");
        let shown = format!("{:?}", vault(&[&line]));
        let (_, key) = line.expose().split_once(':').unwrap();
        assert!(shown.contains("k1") && !shown.contains(key), "{shown}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn an_altered_value_never_opens(plaintext: Vec<u8>, at: prop::sample::Index, flip in 1_u8..) {
            let vault = vault(&[&Vault::generate_key_line("k")]);
            let mut sealed = vault.seal(&plaintext, &place("a")).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(vault.open(&sealed, &place("a")).is_err());
        }

        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            let vault = vault(&[&Vault::generate_key_line("k")]);
            prop_assert!(vault.open(&bytes, &place("a")).is_err());
        }
    }
}
