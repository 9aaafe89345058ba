//! Certificates that passed the chain check, remembered by what they are.
//!
//! Reading a certificate and checking its signature costs more than everything else that a connect does, and a
//! tablet shows the same one each time. What is remembered is only what follows from its bytes and from the
//! authorities: whether it is valid *now*, and whether its key was used, is asked each time; so is the database,
//! what the certificate is worth. A certificate that failed is never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use types::Instant;

use crate::Fingerprint;

/// How many are remembered at most. Half of it is what a table of 131,072 places holds before it grows: all tablets of a
/// département are remembered at once, in 7 MB.
const MOST: usize = 229_376;

/// What the chain check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Vetted {
    /// Which of the authorities vouched for it, counted from 0.
    pub(crate) authority: u16,
    pub(crate) not_before: Instant,
    pub(crate) not_after: Instant,
}

/// As [`Vetted`], without what alignment would add to a hundred thousand of them.
#[derive(Debug, Clone, Copy)]
struct Packed {
    authority: [u8; 2],
    not_before: [u8; 8],
    not_after: [u8; 8],
}

impl From<Vetted> for Packed {
    fn from(vetted: Vetted) -> Self {
        Self {
            authority: vetted.authority.to_ne_bytes(),
            not_before: vetted.not_before.as_millis().to_ne_bytes(),
            not_after: vetted.not_after.as_millis().to_ne_bytes(),
        }
    }
}

impl From<Packed> for Vetted {
    fn from(packed: Packed) -> Self {
        Self {
            authority: u16::from_ne_bytes(packed.authority),
            not_before: Instant::from_millis(i64::from_ne_bytes(packed.not_before)),
            not_after: Instant::from_millis(i64::from_ne_bytes(packed.not_after)),
        }
    }
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
    recent: HashMap<Fingerprint, Packed>,
    before: HashMap<Fingerprint, Packed>,
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
            return Some((*vetted).into());
        }
        let vetted = halves.before.remove(&certificate)?;
        halves.put(certificate, vetted, self.most);
        Some(vetted.into())
    }

    pub(crate) fn put(&self, certificate: Fingerprint, vetted: Vetted) {
        self.halves.lock().unwrap_or_else(PoisonError::into_inner).put(certificate, vetted.into(), self.most);
    }
}

impl Halves {
    fn put(&mut self, certificate: Fingerprint, vetted: Packed, most: usize) {
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
            authority: u16::from(number),
            not_before: Instant::from_millis(-1),
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

    #[test]
    fn a_fleet_of_100_000_is_remembered_whole_however_often_it_comes() {
        let memo = Memo::default();
        let vetted =
            Vetted { authority: 0, not_before: Instant::from_millis(0), not_after: Instant::from_millis(1) };
        let certificates: Vec<_> =
            (0..100_000_u32).map(|number| Fingerprint::of(&number.to_be_bytes())).collect();
        certificates.iter().for_each(|certificate| memo.put(*certificate, vetted));
        for morning in 0..3 {
            let forgotten =
                certificates.iter().filter(|certificate| memo.get(**certificate).is_none()).count();
            assert_eq!(forgotten, 0, "morning {morning}");
        }
        assert_eq!(size_of::<(Fingerprint, Packed)>(), 50, "nothing is lost to alignment");
    }
}
