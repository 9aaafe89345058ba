//! The pace of requests that prove nothing yet: enrolment, SCEP, signing in. Enrolled tablets are never slowed down.
//!
//! A whole school comes out of one public address, so the pace by address is generous; the overall pace
//! bounds what signatures and certificates may cost the machine. Time is the machine's monotonic clock, not
//! the calendar's: a demo that travels in time must not open the gate.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota, RateLimiter};
use types::Duration;

/// A pace: so many a second, and so many at once after a quiet while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second, sustained.
    pub per_second: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// `per_second` requests a second, `burst` at once; zero counts as one.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Self {
        let at_least_one = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self { per_second: at_least_one(per_second), burst: at_least_one(burst) }
    }

    fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

/// How fast unauthenticated requests may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// From one address (IPv4), or one network of 64 bits (IPv6).
    pub per_address: Rate,
    /// From everywhere.
    pub overall: Rate,
    /// How many addresses are remembered; the rest share one pace, so that memory stays flat.
    pub addresses: usize,
}

impl Default for RateLimits {
    /// 50/s with bursts of 400 from one school; 1,000/s with bursts of 4,000 from everywhere; 20,000 addresses.
    fn default() -> Self {
        Self { per_address: Rate::new(50, 400), overall: Rate::new(1_000, 4_000), addresses: 20_000 }
    }
}

type Direct<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;
type ByAddress<C> = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// Lets unauthenticated requests pass at a bounded pace, in bounded memory.
#[derive(Debug)]
pub struct Gate<C: Clock = DefaultClock> {
    clock: C,
    by_address: ByAddress<C>,
    /// Shared by the addresses that do not fit in the table.
    crowd: Direct<C>,
    overall: Direct<C>,
    /// Forgetting quiet addresses walks the whole table: once a second is enough.
    sweeps: Direct<C>,
    addresses: usize,
}

impl Gate<DefaultClock> {
    /// A gate on the machine's monotonic clock.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Gate<C> {
    fn with_clock(limits: RateLimits, clock: C) -> Self {
        let direct = |rate: Rate| RateLimiter::direct_with_clock(rate.quota(), clock.clone());
        Self {
            by_address: RateLimiter::dashmap_with_clock(limits.per_address.quota(), clock.clone()),
            crowd: direct(limits.per_address),
            overall: direct(limits.overall),
            sweeps: direct(Rate::new(1, 1)),
            addresses: limits.addresses,
            clock,
        }
    }

    /// Lets one request of `client` pass, or says how long to wait.
    ///
    /// The pace by address comes first: a noisy address does not use up everyone's.
    ///
    /// # Errors
    /// How long to wait.
    pub fn admit(&self, client: IpAddr) -> Result<(), Duration> {
        if self.has_room() {
            self.by_address.check_key(&network(client)).map_err(|until| self.wait(&until))?;
        } else {
            self.crowd.check().map_err(|until| self.wait(&until))?;
        }
        self.overall.check().map_err(|until| self.wait(&until))
    }

    fn has_room(&self) -> bool {
        if self.by_address.len() >= self.addresses && self.sweeps.check().is_ok() {
            self.by_address.retain_recent();
        }
        self.by_address.len() < self.addresses
    }

    fn wait(&self, until: &NotUntil<C::Instant>) -> Duration {
        until.wait_time_from(self.clock.now())
    }
}

/// One subscriber has a whole IPv6 network of 64 bits: its addresses count as one.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn gate(
        per_address: Rate,
        overall: Rate,
        addresses: usize,
    ) -> (Gate<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Gate::with_clock(RateLimits { per_address, overall, addresses }, clock.clone()), clock)
    }

    #[test]
    fn a_burst_passes_then_the_pace_holds_and_the_wait_is_told() {
        let (gate, clock) = gate(Rate::new(2, 4), Rate::new(1_000, 1_000), 10);
        for _ in 0..4 {
            assert_eq!(gate.admit(ip("192.0.2.1")), Ok(()));
        }
        assert_eq!(gate.admit(ip("192.0.2.1")), Err(Duration::from_millis(500)));
        assert_eq!(gate.admit(ip("192.0.2.2")), Ok(()), "another school is not slowed");
        clock.advance(Duration::from_millis(500));
        assert_eq!(gate.admit(ip("192.0.2.1")), Ok(()));
    }

    #[test]
    fn the_overall_pace_holds_however_many_addresses_ask() {
        let (gate, _clock) = gate(Rate::new(10, 10), Rate::new(1, 20), 1_000);
        let passed = (0..200).filter(|host| gate.admit(ip(&format!("192.0.2.{host}"))).is_ok()).count();
        assert_eq!(passed, 20);
    }

    #[test]
    fn a_noisy_address_does_not_use_up_the_overall_pace() {
        let (gate, _clock) = gate(Rate::new(1, 5), Rate::new(1, 10), 1_000);
        for _ in 0..1_000 {
            let _limited = gate.admit(ip("192.0.2.1"));
        }
        assert_eq!(gate.admit(ip("192.0.2.2")), Ok(()));
    }

    #[test]
    fn t_a16_a_flood_of_addresses_does_not_grow_the_table() {
        let (gate, clock) = gate(Rate::new(1, 5), Rate::new(1_000_000, 1_000_000), 100);
        for a in 0..40 {
            for b in 0..250 {
                let _either = gate.admit(ip(&format!("198.51.{a}.{b}")));
            }
        }
        assert_eq!(gate.by_address.len(), 100);
        clock.advance(Duration::from_secs(60));
        assert_eq!(gate.admit(ip("192.0.2.1")), Ok(()));
        assert_eq!(gate.by_address.len(), 1, "quiet addresses are forgotten");
    }

    #[test]
    fn the_addresses_of_one_ipv6_subscriber_count_as_one() {
        let (gate, _clock) = gate(Rate::new(1, 1), Rate::new(100, 100), 10);
        assert_eq!(gate.admit(ip("2001:db8:1:2::1")), Ok(()));
        assert!(gate.admit(ip("2001:db8:1:2:ffff::9")).is_err());
        assert_eq!(gate.admit(ip("2001:db8:1:3::1")), Ok(()));
    }
}
