//! Certificates that passed the chain check, remembered by what they are.
//!
//! Reading a certificate and checking its signature costs more than everything else that a connect does, and a
//! tablet shows the same one each time. What is remembered is only what follows from its bytes and from the
//! authorities: whether it is valid *now*, and whether its key was used, is asked each time; so is the database,
//! what the certificate is worth. A certificate that failed is never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use types::Instant;

use crate::{AuthorityKind, Fingerprint};

/// How many are remembered at most, at about 100 bytes each: a département's tablets.
const MOST: usize = 131_072;

/// What the chain check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vetted {
    pub(crate) authority: Fingerprint,
    pub(crate) authority_kind: AuthorityKind,
    pub(crate) not_before: Instant,
    pub(crate) not_after: Instant,
}

/// What was found, by the SHA-256 of the certificate. Those that were not seen for the longest time are forgotten,
/// a half at a time.
#[derive(Debug)]
pub(crate) struct Memo {
    halves: Mutex<Halves>,
    most: usize,
}

#[derive(Debug, Default)]
struct Halves {
    recent: HashMap<Fingerprint, Vetted>,
    before: HashMap<Fingerprint, Vetted>,
}

impl Default for Memo {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Memo {
    fn of(most: usize) -> Self {
        Self { halves: Mutex::default(), most }
    }

    pub(crate) fn get(&self, certificate: Fingerprint) -> Option<Vetted> {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vetted) = halves.recent.get(&certificate) {
            return Some(*vetted);
        }
        let vetted = halves.before.remove(&certificate)?;
        halves.put(certificate, vetted, self.most);
        Some(vetted)
    }

    pub(crate) fn put(&self, certificate: Fingerprint, vetted: Vetted) {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner).put(certificate, vetted, self.most);
    }
}

impl Halves {
    fn put(&mut self, certificate: Fingerprint, vetted: Vetted, most: usize) {
        if self.recent.len() >= most / 2 {
            self.before = std::mem::take(&mut self.recent);
        }
        self.recent.insert(certificate, vetted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_seen_again_stays() {
        let memo = Memo::of(8);
        let vetted = |number: u8| Vetted {
            authority: Fingerprint::of(&[number]),
            authority_kind: AuthorityKind::Current,
            not_before: Instant::from_millis(0),
            not_after: Instant::from_millis(i64::from(number)),
        };
        let certificate = |number: u8| Fingerprint::of(&[number, 1]);
        memo.put(certificate(0), vetted(0));
        for number in 1..100 {
            memo.put(certificate(number), vetted(number));
            assert_eq!(memo.get(certificate(0)), Some(vetted(0)), "seen each time, after {number} others");
            let halves = memo.halves.lock().unwrap();
            assert!(halves.recent.len() + halves.before.len() <= 8);
        }
        assert_eq!(memo.get(certificate(99)), Some(vetted(99)));
        assert_eq!(memo.get(certificate(50)), None);
    }
}
