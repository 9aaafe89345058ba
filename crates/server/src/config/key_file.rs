//! The key file: the keys that seal secrets at rest, refused when anyone else could read or guess them
//! (T-C6).

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use store::{Vault, VaultError};
use types::Secret;

/// The key of the documentation, which everyone can read.
const EXAMPLE_KEY: &str = "QXJkb2lzZSBleGFtcGxlIGtleSwgbm90IGZvciB1c2U=";
/// The longest key file that is read: some hundreds of rotations.
const LONGEST: u64 = 64 * 1024;
/// How many different bytes a key of 32 random bytes has at least; fewer is a one in 10¹⁵ chance.
const DIFFERENT_BYTES: usize = 16;

/// Why a key file is not used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is no such file, or it cannot be read.
    #[error("the key file `{}` cannot be read: restore it from where you keep it, or make a home folder with `ardoise init`", path.display())]
    Unreadable {
        /// The file, as configured in `keys.file`.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder, a device, or too long.
    #[error("the key file `{}` is not a text file of keys: check `keys.file`", path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
    },
    /// Others may read or change it.
    #[error("the key file `{}` is open to other users (mode {mode:03o}): type `chmod 600 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key is one that can be guessed: the documentation's, a typed text, a pattern.
    #[error(
        "the key on line {line} of the key file `{}` can be guessed: {why}; make a new key file with \
         `ardoise init`, and never take a key from a text",
        path.display()
    )]
    Guessable {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What gives it away.
        why: &'static str,
    },
    /// Its lines are not keys.
    #[error("the key file `{}` cannot be used", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// Which line, and why.
        source: VaultError,
    },
}

/// Opens the key file at `path`.
///
/// # Errors
///
/// [`KeyFileError`]: it is missing, open to others, unreadable as keys, or its keys can be guessed.
pub fn open_key_file(path: &Path) -> Result<Vault, KeyFileError> {
    let unreadable = |source| KeyFileError::Unreadable { path: path.to_owned(), source };
    // The permissions are those of the opened file: a path could be exchanged in between.
    let file = File::open(path).map_err(unreadable)?;
    let facts = file.metadata().map_err(unreadable)?;
    if !facts.is_file() || facts.len() > LONGEST {
        return Err(KeyFileError::NotAKeyFile { path: path.to_owned() });
    }
    let mode = facts.permissions().mode() & 0o777;
    if mode & 0o027 != 0 {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(unreadable)?;
    let text = Secret::new(text);
    let vault = Vault::parse(&text).map_err(|source| KeyFileError::Keys { path: path.to_owned(), source })?;
    for (index, line) in text.expose().lines().enumerate() {
        if let Some(why) = guessable(line) {
            return Err(KeyFileError::Guessable { path: path.to_owned(), line: index + 1, why });
        }
    }
    Ok(vault)
}

/// What gives the key on `line` away, if anything does.
fn guessable(line: &str) -> Option<&'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let (_id, encoded) = line.split_once(':')?;
    let encoded = encoded.trim();
    if encoded == EXAMPLE_KEY {
        return Some("it is the documentation's example");
    }
    let key = Secret::new(STANDARD.decode(encoded).ok()?);
    let bytes = key.expose();
    let mut different = bytes.clone();
    different.sort_unstable();
    different.dedup();
    let steps: Vec<u8> =
        bytes.iter().zip(bytes.iter().skip(1)).map(|(this, next)| next.wrapping_sub(*this)).collect();
    if bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        Some("it is a text")
    } else if different.len() < DIFFERENT_BYTES {
        Some("it repeats itself")
    } else if steps.iter().zip(steps.iter().skip(1)).all(|(this, next)| this == next) {
        Some("it is a series")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ardoise.keys");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    fn refusal(text: &str, mode: u32) -> String {
        let (_folder, path) = key_file(text, mode);
        open_key_file(&path).err().unwrap().to_string()
    }

    #[test]
    fn a_fresh_key_file_is_taken() {
        let line = Vault::generate_key_line("k1");
        for mode in [0o600, 0o400, 0o640, 0o440] {
            let (_folder, path) = key_file(&format!("# current first\n{}\n", line.expose()), mode);
            assert!(open_key_file(&path).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn t_c6_a_key_file_that_others_may_read_or_change_is_refused() {
        let line = Vault::generate_key_line("k1");
        for mode in [0o644, 0o604, 0o602, 0o601, 0o660, 0o666, 0o777] {
            let message = refusal(line.expose(), mode);
            assert!(message.contains("chmod 600"), "{mode:o}: {message}");
            assert!(!message.contains(line.expose().as_str()));
        }
    }

    #[test]
    fn t_c6_a_key_that_can_be_guessed_is_refused() {
        let encode = |bytes: &[u8]| format!("k1:{}", STANDARD.encode(bytes));
        let series: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).map(|step: u8| 200 - step * 3).collect();
        let cases = [
            (format!("k1:{EXAMPLE_KEY}"), "documentation"),
            (encode(&[0; 32]), "repeats"),
            (encode(&[0xff; 32]), "repeats"),
            (encode(b"changeme-changeme-changeme-chang"), "text"),
            (encode(&b"\x00\x01\x02\x03\x04\x05\x06\x07".repeat(4)), "repeats"),
            (encode(&series), "series"),
            (encode(&falling), "series"),
        ];
        for (line, why) in cases {
            let good = Vault::generate_key_line("k0");
            let message = refusal(&format!("{}\n\n{line}\n", good.expose()), 0o600);
            assert!(message.contains(why) && message.contains("line 3"), "{line}: {message}");
        }
    }

    #[test]
    fn t_c6_a_missing_or_empty_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(open_key_file(&folder.path().join("none")), Err(KeyFileError::Unreadable { .. })));
        assert!(matches!(open_key_file(folder.path()), Err(KeyFileError::NotAKeyFile { .. })));
        let (_folder, path) = key_file("# nothing\n", 0o600);
        assert!(matches!(open_key_file(&path), Err(KeyFileError::Keys { .. })));
        let (_folder, path) = key_file("k1:c2hvcnQ=\n", 0o600);
        assert!(matches!(open_key_file(&path), Err(KeyFileError::Keys { .. })));
    }
}
