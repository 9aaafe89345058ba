//! Chance that can be repeated: one seed, one order of kills.

/// A generator (xorshift64*): enough for dice.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds lie far apart, and the generator never stands still at 0.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x2545_f491_4f6c_dd1d) | 1)
    }

    /// Other dice, for somebody else.
    pub(crate) fn other(&mut self) -> Self {
        Self::new(self.throw())
    }

    fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number of the range, which is not empty.
    pub(crate) fn between(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + (self.throw() >> 16) % (range.end - range.start)
    }

    /// One of so many places.
    pub(crate) fn place(&mut self, of: usize) -> usize {
        usize::try_from(self.between(0..u64::try_from(of).unwrap())).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.between(0..times) == 0
    }

    /// So many milliseconds.
    pub(crate) fn millis(&mut self, range: std::ops::Range<u64>) -> std::time::Duration {
        std::time::Duration::from_millis(self.between(range))
    }

    /// The same things in another order.
    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.place(last + 1));
        }
    }
}

#[test]
fn dice_of_one_seed_fall_alike_and_of_two_do_not() {
    let throws = |seed| {
        let mut dice = Dice::new(seed);
        (0..20).map(|_throw| dice.between(0..1_000)).collect::<Vec<_>>()
    };
    assert_eq!(throws(7), throws(7));
    assert_ne!(throws(7), throws(8));
    let mut order: Vec<u64> = (0..9).collect();
    Dice::new(7).shuffle(&mut order);
    assert_ne!(order, (0..9).collect::<Vec<_>>());
    order.sort_unstable();
    assert_eq!(order, (0..9).collect::<Vec<_>>());
}
