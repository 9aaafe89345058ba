//! What may go wrong with a simulated tablet, on purpose.

use std::time::Duration;

/// Faults, each with its probability between 0 and 1. The default is a tablet without any.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Faults {
    /// Hangs up in the middle of what it sends.
    pub drop_while_sending: f64,
    /// Hangs up after it sent everything, without reading the answer.
    pub drop_before_reading: f64,
    /// Says NotNow to a command that may wait.
    pub not_now: f64,
    /// Sends a body that breaks off.
    pub malformed_body: f64,
    /// Sends a report twice.
    pub duplicate_report: f64,
    /// Waits this long before everything it sends.
    pub delay: Duration,
    /// By how many seconds its clock is wrong (ahead if positive). Taken when the tablet is built.
    pub clock_offset: i64,
}

/// Chance that can be repeated: two tablets of one seed meet the same faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        // The generator stands still at 0.
        Self(seed | 1)
    }

    /// True with this probability.
    pub(crate) fn falls(&mut self, probability: f64) -> bool {
        if probability <= 0.0 {
            return false;
        }
        // xorshift64*: enough for dice.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let upper = u32::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap_or_default();
        f64::from(upper) / f64::from(u32::MAX) < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_as_often_as_they_should_and_repeat_themselves() {
        let count = |seed| {
            let mut dice = Dice::new(seed);
            (0..10_000).filter(|_throw| dice.falls(0.25)).count()
        };
        assert!((2_300..2_700).contains(&count(42)), "{}", count(42));
        assert_eq!(count(7), count(7));
        let mut dice = Dice::new(1);
        assert!(!dice.falls(0.0));
        assert!(dice.falls(1.1));
    }
}
