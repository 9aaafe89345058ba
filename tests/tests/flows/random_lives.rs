//! Random lives of an incident, its warrants, its decisions and its tablet, against the whole server: somebody who knows only
//! the law keeps beside it what ought to be, and whatever is asked, delivered or kept is held against that (M1, M3, T-C16,
//! T-C17). Nothing of it, neither a position nor a name, is in the log or in what anybody is refused with (T-C11).

use serde_json::json;
use store::Engine;
use tablets::Ipad;
use types::{AccountId, Clock as _, Instant};

use crate::by_hand::ByHand;
use crate::missing::{Case, HOUR, MINUTE, position};
use crate::support::{fetched, on_both_engines, report};
use crate::thefts::{decide, operator};

on_both_engines! {
    t_c11_t_c16_t_c17_m3_in_no_random_life_is_a_tablet_located_lost_or_erased_without_a_live_proof,
}

/// How many acts a life has before the tablet is found, and after.
const BEFORE: usize = 150;
const AFTER: usize = 8;

/// What somebody does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Asks where the tablet is.
    Locate,
    /// The tablet comes, and takes what there is.
    Fetch,
    /// The tablet answers what it took, which may be long ago.
    Answer,
    /// A few minutes pass.
    Minutes,
    /// Hours pass.
    Hours,
    /// Somebody ends the warrant.
    End,
    /// Two persons extend it.
    Extend,
    /// The DPO switches geolocation off, or on.
    Switch,
    /// Head and département decide that it is erased.
    Decide,
    /// The head takes that back.
    TakeBack,
    /// Whoever may has it erased again.
    Repeat,
    /// The tablet is found.
    Find,
    /// The incident is closed.
    Close,
}

/// How often each comes, roughly.
const ACTS: [Act; 24] = [
    Act::Locate,
    Act::Locate,
    Act::Locate,
    Act::Locate,
    Act::Locate,
    Act::Fetch,
    Act::Fetch,
    Act::Fetch,
    Act::Answer,
    Act::Answer,
    Act::Answer,
    Act::Minutes,
    Act::Minutes,
    Act::Minutes,
    Act::Minutes,
    Act::Minutes,
    Act::Hours,
    Act::End,
    Act::Extend,
    Act::Extend,
    Act::Switch,
    Act::Decide,
    Act::TakeBack,
    Act::Repeat,
];

/// Numbers that look random, the same ones from the same seed, in which much happens.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(most).unwrap()).unwrap()
    }
}

/// A request that a tablet took and has not answered.
struct Taken {
    command: String,
    /// Whether the warrant that it was asked under goes on.
    lives: bool,
}

/// What ought to be.
struct Law {
    validated: bool,
    sought: bool,
    closed: bool,
    /// Until when the last warrant lasts; `None` once it was ended.
    until: Option<Instant>,
    left: u32,
    asked_at: Option<Instant>,
    kept_at: Option<Instant>,
    kept: usize,
    /// Whether something was asked for and not taken.
    waits: bool,
    taken: Option<Taken>,
    /// Whether it was decided that the tablet is erased; and then, whether the command waits for it.
    erasure: Option<bool>,
    /// Who decides for the département.
    operator: AccountId,
    /// Where the tablet says that it is.
    latitude: f64,
    /// What people were refused with.
    told: Vec<String>,
}

impl Law {
    fn in_force(&self, now: Instant) -> bool {
        self.validated && self.sought && self.until.is_some_and(|until| now < until)
    }

    fn lets_ask(&self, now: Instant) -> bool {
        self.in_force(now) && self.left > 0 && self.asked_at.is_none_or(|at| at.plus(5 * MINUTE) <= now)
    }

    fn lets_keep(&self, taken: &Taken, now: Instant) -> bool {
        taken.lives && self.in_force(now) && self.kept_at.is_none_or(|at| at.plus(5 * MINUTE) <= now)
    }

    /// Nothing rests on the warrant any more.
    fn warrant_ends(&mut self) {
        (self.until, self.waits) = (None, false);
        if let Some(taken) = &mut self.taken {
            taken.lives = false;
        }
    }
}

/// How often each of the interesting things happened: a life in which nothing does proves nothing.
#[derive(Debug, Default)]
struct Seen {
    asked: usize,
    refused: usize,
    delivered: usize,
    kept: usize,
    dropped: usize,
    erasures: usize,
}

/// The tablet takes what there is: a request for a position, if there is one; whatever else comes first it does.
async fn takes(case: &mut Case, udid: &str, law: &mut Law, counts: &mut Seen, seen: &str) -> Option<String> {
    while let Some(given) = fetched(&mut case.ipad).await {
        let command = case.server.show_command(&given).await.unwrap();
        let kind = command["request_type"].as_str().unwrap_or_default().to_owned();
        let now = case.server.clock().now();
        assert!(kind != "DeviceLocation" || law.in_force(now), "{seen}: asked without a live warrant");
        assert!(kind != "EnableLostMode" || !law.closed, "{seen}: lost without an open incident");
        assert!(kind != "EraseDevice" || law.erasure == Some(true), "{seen}: erased without a decision");
        if kind == "DeviceLocation" {
            return Some(given);
        }
        if kind == "EraseDevice" {
            // It cannot: its life goes on, and it may be told again.
            case.ipad.report(&report(udid, "Error", Some(&given))).await.unwrap();
            law.erasure = Some(false);
            counts.erasures += 1;
            continue;
        }
        done(&mut case.ipad, udid, &given).await;
    }
    None
}

async fn done(ipad: &mut Ipad, udid: &str, command: &str) {
    ipad.report(&report(udid, "Acknowledged", Some(command))).await.unwrap();
}

async fn lives(case: &mut Case, law: &mut Law, act: Act, counts: &mut Seen, seen: &str) {
    let now = case.server.clock().now();
    let udid = case.ipad.udid().to_owned();
    match act {
        Act::Locate => {
            let lets = law.lets_ask(now);
            let asked = case.locate().await;
            assert_eq!(asked.status == 201, lets, "{seen}: {asked:?}");
            if lets {
                (law.left, law.asked_at, law.waits) = (law.left - 1, Some(now), true);
                counts.asked += 1;
            } else {
                law.told.push(asked.body.to_string());
                counts.refused += 1;
            }
        }
        Act::Fetch if law.taken.is_none() => {
            let expected = law.in_force(now) && law.waits;
            let given = takes(case, &udid, law, counts, seen).await;
            assert!(!expected || given.is_some(), "{seen}: what waits under a live warrant is delivered");
            law.waits = false;
            counts.delivered += usize::from(given.is_some());
            law.taken = given.map(|command| Taken { command, lives: true });
        }
        Act::Answer => {
            let Some(taken) = law.taken.take() else { return };
            let lets = law.lets_keep(&taken, now);
            let answer = position(&udid, &taken.command, law.latitude.into(), &now.to_string());
            case.ipad.report(&answer).await.unwrap();
            if lets {
                (law.kept, law.kept_at) = (law.kept + 1, Some(now));
                counts.kept += 1;
            } else {
                counts.dropped += 1;
            }
        }
        Act::Minutes => case.server.advance(6 * MINUTE),
        Act::Hours => case.server.advance(3 * HOUR),
        Act::End if law.until.is_some_and(|until| now < until) => {
            let id = case.warrant().await["id"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/warrants/{id}/end");
            let ended = case.client(case.ati).await.post(&path, &json!({ "reason": "assez" })).await.unwrap();
            assert_eq!(ended.status, 200, "{seen}: {ended:?}");
            law.warrant_ends();
        }
        Act::Extend => {
            let asked = case.extend_with(json!({ "hours": 4, "fixes": 4, "interval_minutes": 5 })).await;
            assert_eq!(asked.status == 201, law.validated && law.sought, "{seen}: {asked:?}");
            if asked.status == 201 {
                let signed = case.sign(case.head, asked.text("/countersignature")).await;
                assert_eq!(signed.status, 200, "{seen}: {signed:?}");
                law.warrant_ends();
                (law.until, law.left) = (Some(case.server.clock().now().plus(4 * HOUR)), 4);
            }
        }
        Act::Switch if law.validated => {
            let path = "/api/v1/privacy/register/geolocation/validation";
            assert_eq!(case.client(case.dpo).await.delete(path).await.unwrap().status, 204, "{seen}");
            // Nobody is located meanwhile; then it is switched on again, or the life would be a dull one.
            assert_eq!(case.locate().await.status, 403, "{seen}");
            law.validated = false;
            assert_eq!(takes(case, &udid, law, counts, seen).await, None, "{seen}");
            law.waits = false;
            if let Some(Taken { command, .. }) = law.taken.take() {
                let answer = position(&udid, &command, law.latitude.into(), &now.to_string());
                case.ipad.report(&answer).await.unwrap();
                counts.dropped += 1;
            }
            case.validate().await;
            law.validated = true;
        }
        Act::Decide => {
            let decided = decide(case, law.operator).await;
            // What was decided is not decided again.
            assert_eq!(decided, law.erasure.is_none() && law.sought, "{seen}");
            if decided {
                law.erasure = Some(true);
            }
        }
        Act::TakeBack => {
            let why = json!({ "reason": "vue ailleurs" });
            let taken = case.act(case.head, "erasure/take-back", why).await;
            assert_eq!(taken.status == 200, law.erasure.is_some(), "{seen}: {taken:?}");
            law.erasure = None;
        }
        Act::Repeat => {
            let repeated = case.act(law.operator, "erasure/repeat", json!({})).await;
            assert_eq!(repeated.status == 200, law.erasure == Some(false), "{seen}: {repeated:?}");
            match repeated.status {
                200 => law.erasure = Some(true),
                _refused => law.told.push(repeated.body.to_string()),
            }
        }
        Act::Find | Act::Close => {
            let step = if act == Act::Find { "find" } else { "close" };
            assert_eq!(case.act(case.ati, "steps", json!({ "step": step })).await.status, 200, "{seen}");
            law.warrant_ends();
            (law.sought, law.closed, law.erasure) = (false, act == Act::Close, None);
        }
        Act::Fetch | Act::End | Act::Switch => {}
    }
}

/// Whatever happened: what waits has its proof, no warrant was used too often, and no more is kept than may be.
async fn holds(case: &Case, law: &Law, seen: &str) {
    let by_hand = ByHand::of(&case.server);
    let orphans = "commands c WHERE c.gate = 'locate' AND c.pending AND NOT EXISTS (SELECT 1 FROM warrants w \
                   JOIN incidents i ON i.id = w.incident_id JOIN warrant_grants g ON g.warrant_id = w.id \
                   WHERE w.id = c.warrant_id AND w.state = 'open' AND i.state = 'open')";
    assert_eq!(by_hand.count(orphans), 0, "{seen}");
    let undecided = "commands c WHERE c.gate = 'erase' AND c.pending AND NOT EXISTS (SELECT 1 FROM erase_orders o \
                     JOIN last_decisions d ON d.id = o.decision_id JOIN incidents i ON i.id = d.incident_id \
                     WHERE o.id = c.erase_order_id AND o.state = 'open' AND i.state = 'open' AND d.withdrawn_at IS NULL \
                     AND d.head_by IS NOT NULL AND d.departement_by IS NOT NULL AND d.head_by <> d.departement_by)";
    assert_eq!(by_hand.count(undecided), 0, "{seen}");
    assert_eq!(
        by_hand.count("commands WHERE gate = 'erase' AND pending") > 0,
        law.erasure == Some(true),
        "{seen}"
    );
    let beyond = "warrants w WHERE (SELECT count(*) FROM commands c WHERE c.warrant_id = w.id) > w.fixes";
    assert_eq!(by_hand.count(beyond), 0, "{seen}");
    let found = case.readable().await;
    assert_eq!((found.kept, found.readable), (law.kept, law.kept), "{seen}");
}

async fn t_c11_t_c16_t_c17_m3_in_no_random_life_is_a_tablet_located_lost_or_erased_without_a_live_proof(
    engine: Engine,
) {
    crate::log::listen();
    let mut case = Case::lost(engine).await;
    let operator = operator(&case).await;
    // Numbers of this test alone: tests of one process share the log.
    let latitude = match engine {
        Engine::Sqlite => 49.447_731_25,
        Engine::Postgresql => 49.447_832_25,
    };
    let request = case.asked(json!({ "hours": 4, "fixes": 4, "interval_minutes": 5 })).await;
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    let mut law = Law {
        validated: true,
        sought: true,
        closed: false,
        until: Some(case.server.clock().now().plus(4 * HOUR)),
        left: 4,
        asked_at: None,
        kept_at: None,
        kept: 0,
        waits: false,
        taken: None,
        erasure: None,
        operator,
        latitude,
        told: Vec::new(),
    };
    let (mut dice, mut counts, mut told) = (Dice(393), Seen::default(), Vec::new());
    for step in 0..BEFORE + AFTER {
        let act = match step {
            BEFORE => Act::Find,
            step if step == BEFORE + AFTER / 2 => Act::Close,
            _ => ACTS[dice.below(ACTS.len())],
        };
        told.push(act);
        let seen = format!("step {step} of {told:?}");
        lives(&mut case, &mut law, act, &mut counts, &seen).await;
        holds(&case, &law, &seen).await;
    }
    let Seen { asked, refused, delivered, kept, dropped, erasures } = counts;
    let enough = asked > 5 && refused > 1 && delivered > 4 && kept > 2 && dropped > 2 && erasures > 1;
    assert!(enough, "nothing much happened: {counts:?} in {told:?}");
    case.ipad.poll().await.unwrap();
    assert_eq!(case.lost_mode().await, "off", "{told:?}");
    // What people were refused with, the audit and the server's log hold neither where it was nor who anybody is.
    let audit = case.server.stepped_up().await.unwrap().get("/api/v1/audit?limit=500").await.unwrap();
    law.told.push(audit.body.to_string());
    assert!(!crate::log::lines_with("").is_empty(), "the log is heard");
    let place = latitude.to_string();
    for secret in [&*place, "1.0993", "lea.petit", "m.moreau", "vue à la gare", "en vente sur internet"] {
        assert_eq!(crate::log::lines_with(secret), Vec::<String>::new(), "{secret} is in the log");
    }
    for secret in [&*place, "lea.petit", "m.moreau"] {
        let telling = law.told.iter().filter(|told| told.contains(secret));
        assert_eq!(telling.collect::<Vec<_>>(), Vec::<&String>::new(), "{secret} is in an answer");
    }
}
