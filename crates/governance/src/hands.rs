//! Who could be whom: an account that one person made, or reset, is that person's for a while (C3.1.7).
//!
//! Whoever creates an account sees its invitation, and whoever resets a password knows the next one. Two
//! signatures by two such accounts may be one person's. So the accounts behind an account are itself, whoever
//! made or reset it in the last 30 days, whoever made those, and so on; two accounts count as two persons
//! only if nobody stands behind both.

use std::collections::{BTreeMap, BTreeSet};

use types::{AccountId, Duration, Instant};

use crate::Making;

/// How long a deed ties an account to whoever did it (C3.1.7).
pub const TIED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// How long what a new account destroys counts against its maker, too (M5).
pub const NEW_FOR: Duration = Duration::from_secs(86_400);

/// Who made or reset whom in the last 30 days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hands(Graph);

impl Hands {
    /// Reads what was done in the last 30 days; older deeds may be among them, and are left out. A deed dated
    /// in the future counts: the clock was set back since.
    #[must_use]
    pub fn of<'a>(makings: impl IntoIterator<Item = &'a Making>, now: Instant) -> Self {
        Self(Graph::within(TIED_FOR, makings, now))
    }

    /// The account itself, and everybody who could sign in with it.
    #[must_use]
    pub fn behind(&self, account: AccountId) -> BTreeSet<AccountId> {
        self.0.behind(account)
    }

    /// Whether two accounts count as two persons: nobody stands behind both.
    #[must_use]
    pub fn independent(&self, one: AccountId, other: AccountId) -> bool {
        self.behind(one).is_disjoint(&self.behind(other))
    }

    /// Whether two of these accounts count as two persons.
    #[must_use]
    pub fn are_two_among(&self, accounts: &[AccountId]) -> bool {
        accounts.iter().enumerate().any(|(place, one)| {
            accounts.iter().skip(place + 1).any(|other| one != other && self.independent(*one, *other))
        })
    }
}

/// Which accounts are so new that their acts count together: a thief who makes ten accounts has one budget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newcomers(Graph);

impl Newcomers {
    /// Reads what was done in the last 24 hours; older deeds may be among them, and are left out.
    #[must_use]
    pub fn of<'a>(makings: impl IntoIterator<Item = &'a Making>, now: Instant) -> Self {
        Self(Graph::within(NEW_FOR, makings, now))
    }

    /// The accounts whose acts count against one budget with this one's, itself among them: all behind which
    /// somebody stands who stands behind this one.
    #[must_use]
    pub fn family(&self, account: AccountId) -> BTreeSet<AccountId> {
        closure(&self.0.made, self.0.behind(account))
    }
}

/// Each account with whoever had a hand in it, and with those it had a hand in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Graph {
    makers: Edges,
    made: Edges,
}

type Edges = BTreeMap<AccountId, BTreeSet<AccountId>>;

impl Graph {
    fn within<'a>(window: Duration, makings: impl IntoIterator<Item = &'a Making>, now: Instant) -> Self {
        let mut graph = Self::default();
        for making in makings {
            if let (Some(maker), true) = (making.by.account(), now.since(making.at) <= window) {
                graph.makers.entry(making.account).or_default().insert(maker);
                graph.made.entry(maker).or_default().insert(making.account);
            }
        }
        graph
    }

    fn behind(&self, account: AccountId) -> BTreeSet<AccountId> {
        closure(&self.makers, BTreeSet::from([account]))
    }
}

/// These accounts, and all that edges lead to from them.
fn closure(edges: &Edges, from: BTreeSet<AccountId>) -> BTreeSet<AccountId> {
    let (mut next, mut reached): (Vec<_>, _) = (from.iter().copied().collect(), from);
    while let Some(one) = next.pop() {
        for other in edges.get(&one).into_iter().flatten() {
            if reached.insert(*other) {
                next.push(*other);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Deed, Maker};

    const DAY: Duration = Duration::from_secs(86_400);

    fn now() -> Instant {
        Instant::from_millis(1_795_000_000_000)
    }

    fn made(account: AccountId, by: AccountId, days_ago: u32) -> Making {
        Making { account, deed: Deed::Created, by: Maker::Account(by), at: now().minus(DAY * days_ago) }
    }

    fn accounts<const N: usize>() -> [AccountId; N] {
        [(); N].map(|()| AccountId::new(now()))
    }

    #[test]
    fn c3_1_7_two_accounts_made_by_one_hand_are_one_person() {
        let [maker, first, second, stranger] = accounts();
        let hands = Hands::of(&[made(first, maker, 3), made(second, maker, 2)], now());
        assert!(!hands.independent(first, second));
        assert!(!hands.independent(maker, first));
        assert!(hands.independent(first, stranger));
        assert!(!hands.independent(stranger, stranger), "nobody is a second person to themselves");
    }

    #[test]
    fn c3_1_7_a_chain_of_makers_is_one_hand() {
        let [maker, second, third, fourth] = accounts();
        let makings = [made(second, maker, 20), made(third, second, 10), made(fourth, third, 1)];
        let hands = Hands::of(&makings, now());
        assert!(!hands.independent(maker, fourth));
        assert_eq!(hands.behind(fourth), BTreeSet::from([maker, second, third, fourth]));
    }

    #[test]
    fn c3_1_7_two_persons_who_reset_the_same_account_stay_two() {
        let [one, other, reset] = accounts();
        let hands = Hands::of(&[made(reset, one, 1), made(reset, other, 1)], now());
        assert!(hands.independent(one, other));
        assert!(!hands.independent(one, reset) && !hands.independent(other, reset));
    }

    #[test]
    fn c3_1_7_a_deed_ties_for_thirty_days_and_a_clock_set_back_does_not_untie() {
        let [maker, made_by_it] = accounts();
        let at = |at: Instant| Hands::of(&[made(made_by_it, maker, 0)], at).independent(maker, made_by_it);
        assert!(!at(now().plus(TIED_FOR)));
        assert!(at(now().plus(TIED_FOR).plus(Duration::from_millis(1))));
        assert!(!at(now().minus(DAY * 365)));
    }

    #[test]
    fn c3_1_7_what_the_host_made_is_nobodys_creature() {
        let [one, other] = accounts();
        let by_host = |account| Making { by: Maker::Host, ..made(account, account, 1) };
        assert!(Hands::of(&[by_host(one), by_host(other)], now()).independent(one, other));
    }

    #[test]
    fn accounts_made_today_share_one_family_and_older_ones_do_not() {
        let [maker, new, newer, old] = accounts();
        let newcomers =
            Newcomers::of(&[made(new, maker, 0), made(newer, new, 1), made(old, maker, 2)], now());
        let all = BTreeSet::from([maker, new, newer]);
        for one in &all {
            assert_eq!(newcomers.family(*one), all);
        }
        assert_eq!(newcomers.family(old), BTreeSet::from([old]));
    }

    proptest! {
        /// Whatever was made by whom, what one person made is never a second person to them, and being two is
        /// mutual.
        #[test]
        fn c3_1_7_nobody_is_independent_of_their_maker(
            edges in prop::collection::vec((0_usize..8, 0_usize..8, 0_u32..31), 0..20)
        ) {
            let people: [AccountId; 8] = accounts();
            let making = |(to, by, days): &(usize, usize, u32)| made(people[*to], people[*by], *days);
            let makings: Vec<_> = edges.iter().map(making).collect();
            let hands = Hands::of(&makings, now());
            let families = Newcomers(Graph::within(TIED_FOR, &makings, now()));
            for one in people {
                let dependent = people.into_iter().filter(|other| !hands.independent(one, *other));
                prop_assert_eq!(families.family(one), dependent.collect::<BTreeSet<_>>());
            }
            for making in &makings {
                prop_assert!(!hands.independent(making.account, making.by.account().unwrap()));
            }
            for one in people {
                for other in people {
                    prop_assert_eq!(hands.independent(one, other), hands.independent(other, one));
                }
            }
        }
    }
}
