//! The brake, whatever the sequence of acts (M5, T-C14).

use std::collections::BTreeMap;

use proptest::prelude::*;
use types::{AccountId, ApiTokenId, CampaignId, Day, Instant, Role, Uai};

use super::world::*;
use crate::brake::{
    Act, Batch, Budgets, Campaign, CampaignPlan, Decision, Ledger, Pass, Running, Switch, What, counting_day,
    decide, decide_batch,
};
use crate::countersignature::{Parties, Purpose, SecondPerson};
use crate::{Deed, Maker, Making, Newcomers};

/// Something that happens.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody, through one of their many tokens or a session, does something to a tablet.
    Act { person: usize, token: usize, what: What, college: Option<u32> },
    /// Somebody asks for many at once.
    Batch { person: usize, what: What, college: u32, count: u32 },
    /// Somebody makes an account, and goes on with it.
    Make { person: usize },
    /// The clock goes on, or is set back, by so many minutes.
    Time(i64),
    /// The switch is thrown, or released.
    Switch(bool),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let what =
        || prop::sample::select(vec![What::Restitution, What::Erasure, What::LostMode, What::Unenrolment]);
    let event = prop_oneof![
        60 => (0_usize..6, 0_usize..100, what(), prop::option::weighted(0.9, 0_u32..4))
            .prop_map(|(person, token, what, college)| Event::Act { person, token, what, college }),
        6 => (0_usize..6, what(), 0_u32..4, 1_u32..30)
            .prop_map(|(person, what, college, count)| Event::Batch { person, what, college, count }),
        3 => (0_usize..6).prop_map(|person| Event::Make { person }),
        6 => (-2_000_i64..2_500).prop_map(Event::Time),
        1 => any::<bool>().prop_map(Event::Switch),
    ];
    prop::collection::vec(event, 1..400)
}

/// A fleet as the database would keep it: who acts through what, and what passed on which day.
struct Fleet {
    now: Instant,
    switch: Switch,
    budgets: Budgets,
    people: Vec<AccountId>,
    /// Each token, and whose it is.
    tokens: BTreeMap<ApiTokenId, AccountId>,
    makings: Vec<Making>,
    passed: Vec<(Day, Act, Pass)>,
    latest: Option<Day>,
}

impl Fleet {
    fn ledger(&self, day: Day) -> Ledger {
        let mut ledger = Ledger::default();
        for (_, act, pass) in
            self.passed.iter().filter(|(on, _, pass)| *on == day && *pass == Pass::WithinBudgets)
        {
            ledger.pass(act, *pass, &mut []);
        }
        ledger
    }

    fn day(&self) -> Day {
        counting_day(self.now, self.latest)
    }

    fn act(&mut self, act: &Act, campaign: &Campaign) {
        let used = self.under(campaign);
        let running = [Running { campaign, used }];
        let newcomers = Newcomers::of(&self.makings, self.now);
        let tally = self.ledger(self.day()).tally(act, &newcomers);
        if let Decision::Go(pass) = decide(act, tally, self.budgets, &running, &self.switch, self.now) {
            self.write_down(act.clone(), pass);
        }
    }

    fn batch(&mut self, acts: &[Act], campaign: &Campaign) {
        let running = [Running { campaign, used: self.under(campaign) }];
        let (ledger, newcomers) = (self.ledger(self.day()), Newcomers::of(&self.makings, self.now));
        let decided = decide_batch(acts, &ledger, &newcomers, self.budgets, &running, &self.switch, self.now);
        if let Batch::Go(passes) = decided {
            for (act, pass) in acts.iter().zip(passes) {
                self.write_down(act.clone(), pass);
            }
        }
    }

    fn write_down(&mut self, act: Act, pass: Pass) {
        let day = self.day();
        self.latest = Some(day);
        self.passed.push((day, act, pass));
    }

    fn under(&self, campaign: &Campaign) -> u32 {
        let passed = self.passed.iter().filter(|(.., pass)| *pass == Pass::UnderCampaign(campaign.id()));
        u32::try_from(passed.count()).unwrap()
    }

    fn most<K: Ord>(&self, key: impl Fn(&Act) -> K) -> u32 {
        let mut counts: BTreeMap<(Day, K), u32> = BTreeMap::new();
        for (day, act, _) in self.passed.iter().filter(|(.., pass)| *pass == Pass::WithinBudgets) {
            *counts.entry((*day, key(act))).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }
}

const CEILING: u32 = 25;

fn campaign() -> Campaign {
    let ours = departement();
    let (asker, second) = (someone(&ours, Role::Operator), someone(&ours, Role::Administrator));
    let plan = CampaignPlan {
        colleges: uais(&[1, 2]),
        starts_on: Day::of(now()),
        ends_on: Day::of(now()).plus(3),
        ceiling: CEILING,
        reason: "restitutions".to_owned(),
    };
    let parties = Parties { asker: &asker, second: &second, hands: &nobody_made_anybody() };
    let question = question(Purpose::OpenCampaign, plan.question(), SecondPerson::Departement);
    let proof = countersigned(question, parties, now()).unwrap();
    Campaign::open(CampaignId::new(now()), plan, proof, &asker, &session(now()), now()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever does what, by whatever token, in whatever order, alone or at once, while the clock jumps and
    /// accounts are made: on no day do more acts pass without a second person than the budgets of account,
    /// collège and fleet say, and under the campaign no more than its ceiling.
    #[test]
    fn t_c14_on_no_day_more_passes_than_the_budgets_say(events in events()) {
        let budgets = Budgets { actor: 8, college: 12, fleet: 20 };
        let people: Vec<_> = (0..6).map(|_person| AccountId::new(now())).collect();
        // A hundred tokens each: what matters is whose they are.
        let hundred = || (0..100).map(|_token| ApiTokenId::new(now())).collect::<Vec<_>>();
        let tokens: Vec<_> = people.iter().map(|_person| hundred()).collect();
        let owned = people.iter().zip(&tokens);
        let owners = owned.flat_map(|(person, tokens)| tokens.iter().map(|token| (*token, *person)));
        let mut fleet = Fleet {
            now: now(),
            switch: Switch::Released,
            budgets,
            tokens: owners.collect(),
            people,
            makings: Vec::new(),
            passed: Vec::new(),
            latest: None,
        };
        let campaign = campaign();
        for event in events {
            let passed = fleet.passed.len();
            match event {
                Event::Act { person, token, what, college } => {
                    // Whoever goes on with an account that they made comes by a session, or by a token of
                    // old.
                    let by_token = fleet.tokens[&tokens[person][token]];
                    let account = if token % 2 == 0 { by_token } else { fleet.people[person] };
                    let act = Act { what, account, college: college.map(uai) };
                    fleet.act(&act, &campaign);
                }
                Event::Batch { person, what, college, count } => {
                    let act = Act { what, account: fleet.people[person], college: Some(uai(college)) };
                    fleet.batch(&vec![act; usize::try_from(count).unwrap()], &campaign);
                    let more = fleet.passed.len() - passed;
                    prop_assert!(more == 0 || more == usize::try_from(count).unwrap(), "all or nothing");
                }
                Event::Make { person } => {
                    let account = AccountId::new(fleet.now);
                    let by = Maker::Account(fleet.people[person]);
                    fleet.makings.push(Making { account, deed: Deed::Created, by, at: fleet.now });
                    fleet.people[person] = account;
                }
                Event::Time(minutes) => {
                    let span = MINUTE * u32::try_from(minutes.abs()).unwrap();
                    fleet.now = if minutes < 0 { fleet.now.minus(span) } else { fleet.now.plus(span) };
                }
                Event::Switch(thrown) => {
                    fleet.switch = match thrown {
                        true => Switch::Released.engage(Maker::Host, "stop".to_owned(), fleet.now),
                        false => Switch::Released,
                    };
                }
            }
            if fleet.switch != Switch::Released {
                prop_assert_eq!(fleet.passed.len(), passed, "something passed while the switch was thrown");
            }
        }
        prop_assert!(fleet.most(|act| act.account) <= budgets.actor);
        prop_assert!(fleet.most(|act| act.college.clone()) <= budgets.college);
        prop_assert!(fleet.most(|_act| ()) <= budgets.fleet);
        prop_assert!(fleet.under(&campaign) <= CEILING);
        for (day, act, pass) in &fleet.passed {
            if *pass == Pass::UnderCampaign(campaign.id()) {
                prop_assert!(act.what == What::Restitution);
                let named = |uai: &Uai| campaign.plan().colleges.contains(uai);
                prop_assert!(act.college.as_ref().is_some_and(named));
                prop_assert!(campaign.plan().starts_on <= *day);
            }
        }
    }

    /// In one day without jumps of the clock, whoever makes accounts gets no more out of all of them than
    /// alone.
    #[test]
    fn t_c14_whoever_makes_accounts_today_destroys_no_more_today(
        turns in prop::collection::vec((0_usize..5, any::<bool>()), 1..200)
    ) {
        let budgets = Budgets { actor: 8, college: 1_000, fleet: 1_000 };
        let mut accounts = vec![AccountId::new(now())];
        let (mut makings, mut ledger, mut passed) = (Vec::new(), Ledger::default(), 0);
        for (turn, (which, make)) in turns.into_iter().enumerate() {
            let at = now().plus(MINUTE * u32::try_from(turn).unwrap());
            let person = accounts[which % accounts.len()];
            if make {
                let account = AccountId::new(at);
                makings.push(Making { account, deed: Deed::Created, by: Maker::Account(person), at });
                accounts.push(account);
            } else {
                let act = Act { what: What::Erasure, account: person, college: None };
                let tally = ledger.tally(&act, &Newcomers::of(&makings, at));
                if let Decision::Go(pass) = decide(&act, tally, budgets, &[], &Switch::Released, at) {
                    ledger.pass(&act, pass, &mut []);
                    passed += 1;
                }
            }
        }
        prop_assert!(passed <= budgets.actor, "{passed} acts passed");
    }
}
