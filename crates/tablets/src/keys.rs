//! A pool of RSA keys: making one takes a quarter of a second, so that thousands of tablets share a few.
//! Their certificates are distinct all the same.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::X509Ref;

use crate::Error;

/// Keys to take from. Cloning shares them.
#[derive(Clone)]
pub struct KeyPool(Arc<Pool>);

struct Pool {
    keys: Vec<PKey<Private>>,
    /// Where a key stands, by its public half in DER.
    places: HashMap<Vec<u8>, usize>,
}

impl KeyPool {
    /// How many keys a pool usually has.
    pub const USUAL: usize = 64;
    /// What a tablet's key measures, in bits.
    pub const BITS: u32 = 2048;

    /// Reads the keys kept in `folder`, and makes what is missing up to `count`, on all processors. What it made
    /// is kept there for the next time.
    ///
    /// # Errors
    /// When the folder cannot be written, a key in it cannot be read, or `count` is 0.
    pub fn open(folder: &Path, count: usize) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
        make(count, |index| {
            let path = folder.join(file_name(index));
            match fs::read(&path) {
                Ok(pem) => Ok(PKey::private_key_from_pem(&pem)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let key = generate()?;
                    // Another process may fill the same folder: each writes its own file, then names it at once.
                    let unfinished = folder.join(format!("key-{index:03}.{}", uuid::Uuid::new_v4()));
                    fs::write(&unfinished, key.private_key_to_pem_pkcs8()?)
                        .map_err(|source| Error::file(&unfinished, source))?;
                    fs::rename(&unfinished, &path).map_err(|source| Error::file(&path, source))?;
                    Ok(key)
                }
                Err(source) => Err(Error::file(&path, source)),
            }
        })
    }

    /// Reads all keys kept in `folder`; makes one if there are none.
    ///
    /// # Errors
    /// As [`KeyPool::open`].
    pub fn kept_in(folder: &Path) -> Result<Self, Error> {
        let kept = |number: &usize| folder.join(file_name(*number)).is_file();
        Self::open(folder, (0..).take_while(kept).count().max(1))
    }

    /// Makes `count` keys that are kept nowhere.
    ///
    /// # Errors
    /// When OpenSSL cannot make a key, or `count` is 0.
    pub fn in_memory(count: usize) -> Result<Self, Error> {
        make(count, |_index| generate())
    }

    /// A pool that shares nothing: for reading what was kept, not for taking keys.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(Pool { keys: Vec::new(), places: HashMap::new() }))
    }

    /// The key number `n`, counted around the pool.
    ///
    /// # Panics
    /// Never: a pool that others hold has at least one key.
    #[must_use]
    pub fn key(&self, n: u64) -> PKey<Private> {
        let index = u64::try_from(self.len())
            .ok()
            .and_then(|length| n.checked_rem(length))
            .and_then(|index| usize::try_from(index).ok())
            .unwrap_or_default();
        #[expect(clippy::indexing_slicing, reason = "a remainder is below the length, which is never 0")]
        self.0.keys[index].clone()
    }

    /// The key that a certificate is for, if the pool has it.
    pub(crate) fn of(&self, certificate: &X509Ref) -> Result<Option<PKey<Private>>, Error> {
        if self.is_empty() {
            return Ok(None);
        }
        let public = certificate.public_key()?.public_key_to_der()?;
        Ok(self.0.places.get(&public).and_then(|index| self.0.keys.get(*index)).cloned())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.keys.len()
    }

    /// Whether there are none, which never happens.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.keys.is_empty()
    }
}

impl std::fmt::Debug for KeyPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPool({} keys)", self.len())
    }
}

fn file_name(index: usize) -> String {
    format!("key-{index:03}.pem")
}

fn generate() -> Result<PKey<Private>, Error> {
    Ok(PKey::from_rsa(Rsa::generate(KeyPool::BITS)?)?)
}

/// Makes keys 0 to `count` by `one`, on all processors.
fn make(count: usize, one: impl Fn(usize) -> Result<PKey<Private>, Error> + Sync) -> Result<KeyPool, Error> {
    if count == 0 {
        return Err(Error::Usage("a pool needs at least one key".to_owned()));
    }
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get).min(count);
    let keys = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let one = &one;
                scope.spawn(move || {
                    (worker..count)
                        .step_by(workers)
                        .map(|index| one(index).map(|key| (index, key)))
                        .collect::<Result<Vec<_>, Error>>()
                })
            })
            .collect();
        let mut keys = Vec::with_capacity(count);
        for handle in handles {
            match handle.join() {
                Ok(made) => keys.extend(made?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, Error>(keys)
    });
    let mut keys = keys?;
    keys.sort_by_key(|(index, _key)| *index);
    let keys: Vec<_> = keys.into_iter().map(|(_index, key)| key).collect();
    let places = keys.iter().enumerate().map(|(index, key)| Ok((key.public_key_to_der()?, index)));
    let places = places.collect::<Result<_, Error>>()?;
    Ok(KeyPool(Arc::new(Pool { keys, places })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = KeyPool::open(folder.path(), 2).unwrap();
        let again = KeyPool::open(folder.path(), 2).unwrap();
        for n in 0..2 {
            assert!(first.key(n).public_eq(&again.key(n)));
        }
        assert!(!first.key(0).public_eq(&first.key(1)), "two keys of a pool are two keys");
        assert!(first.key(0).public_eq(&first.key(2)), "the pool is counted around");
    }

    #[test]
    fn an_empty_pool_is_refused() {
        assert!(matches!(KeyPool::in_memory(0), Err(Error::Usage(_))));
    }
}
