//! Random years of loans, lived by simulated tablets, and judged by a ledger (C5.2.2, C5.3.1, C5.3.5, M3).
//!
//! Two halves that share nothing. People act over the API, at random, and most of what they try is refused. The *ledger* is
//! written from the rules of the programme: it hears what was accepted, in the words of anybody in the collège, sees what
//! tablets did, and says whether the rules allow it. It calls no function of the program's.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use store::Engine;
use tablets::Ipad;
use testkit::{ApiClient, TestServer, rows};
use types::{Clock as _, Duration, Role};

use crate::chaos::dice::Dice;
use crate::returns::{act, here, network, notices_are_validated, receive, shown};
use crate::support::{COLLEGE, asleep, on_both_engines};

on_both_engines! {
    m3_t_a19_in_random_years_of_simulated_tablets_none_is_erased_against_the_rules,
}

const TABLETS: usize = 3;
const MINUTE: i64 = 60_000;
const FOURTEEN_DAYS: i64 = 14 * 86_400_000;

/// What a reader of the rules remembers of a tablet.
#[derive(Debug, Default, Clone)]
struct Page {
    lent: bool,
    /// Since when it lies in the collège, given back.
    given_back: Option<i64>,
    told: Option<i64>,
    saved: bool,
    incident: bool,
    check: bool,
    /// Whether it lies in the collège for the summer, and is somebody's all the same.
    deposited: bool,
    /// Whether the supplier has it.
    away: bool,
    /// Whether somebody's data may be on it.
    data: bool,
    /// How often it erased itself since it was last lent.
    erased: u32,
}

/// The rules, as far as they are about erasing.
#[derive(Debug, Default)]
struct Ledger {
    pages: BTreeMap<usize, Page>,
    erased: usize,
    lent: usize,
    proven: usize,
}

impl Ledger {
    fn page(&mut self, tablet: usize) -> &mut Page {
        self.pages.entry(tablet).or_default()
    }

    fn was_lent(&mut self, tablet: usize) {
        self.lent += 1;
        let page = self.page(tablet);
        assert!(!page.lent, "C5.3.1: lent to two");
        assert!(!page.data, "C5.3.5: lent with somebody’s data on it");
        assert!(!page.away, "C5.4.5: lent while the supplier has it");
        *page = Page { lent: true, data: true, incident: page.incident, ..Page::default() };
    }

    fn erased_itself(&mut self, tablet: usize, now: i64) {
        self.erased += 1;
        let page = self.page(tablet);
        assert!(!page.deposited, "C5.2.2: a deposit was erased");
        assert!(!page.lent, "M3: erased while it is lent");
        assert!(!page.incident, "C5.4.2: erased while an incident is open");
        assert!(!page.check, "C5.4.1: erased while a check keeps it");
        let given_back = page.given_back.expect("M3: erased without a receipt");
        assert!(now - given_back >= MINUTE, "a slip of the scanner could not be undone");
        let told = page.told.is_some_and(|told| now - told >= FOURTEEN_DAYS);
        assert!(told || page.saved, "C5.3.5: erased without notice");
        page.erased += 1;
        assert_eq!(page.erased, 1, "it was erased once already, and nobody had it since");
        page.data = false;
    }

    fn is_said_to_be_empty(&mut self, tablet: usize) {
        self.proven += 1;
        assert!(!self.page(tablet).data, "M3: said to be empty, with somebody’s data on it");
    }
}

/// A collège with its tablets, and what the API knows of them.
struct College {
    server: TestServer,
    ipads: Vec<Ipad>,
    receipts: Vec<Option<String>>,
    incidents: Vec<Option<String>>,
    repairs: Vec<Option<String>>,
    ledger: Ledger,
    said_empty: Vec<String>,
    repaired: usize,
    /// Who acts, and since when they are signed in.
    ati: Option<(ApiClient, i64)>,
    /// What was accepted, in the words of the log.
    changes: BTreeMap<&'static str, usize>,
}

fn serial(tablet: usize) -> String {
    format!("DMPX{tablet:08}")
}

impl College {
    async fn new(engine: Engine) -> Self {
        let server = TestServer::start(engine).await.unwrap();
        let mut ipads = Vec::new();
        for tablet in 0..TABLETS {
            ipads.push(asleep(&server, &serial(tablet)).await);
        }
        network(&server).await;
        notices_are_validated(&server).await;
        for activity in ["lending", "incidents"] {
            server.validate_activity(activity).await.unwrap();
        }
        let nothing = || vec![None; TABLETS];
        let ledger = Ledger::default();
        Self {
            server,
            ipads,
            receipts: nothing(),
            incidents: nothing(),
            repairs: nothing(),
            ledger,
            said_empty: Vec::new(),
            repaired: 0,
            ati: None,
            changes: BTreeMap::new(),
        }
    }

    fn now(&self) -> i64 {
        self.server.clock().now().as_millis()
    }

    /// One thing is tried.
    async fn attempt(&mut self, dice: &mut Dice) {
        let tablet = dice.place(TABLETS);
        let (ati, signed_in) = self.signed_in().await;
        match dice.place(24) {
            0..=2 => {
                let span = [70, 3_600, 5 * 86_400, 15 * 86_400];
                self.server.advance(Duration::from_secs(span[dice.place(span.len())]));
            }
            3..=5 => self.lend(tablet).await,
            6..=8 => self.receive(&ati, tablet, dice.once_in(2)).await,
            9..=10 => self.connect(tablet).await,
            11..=18 => self.on_the_receipt(&ati, tablet, dice).await,
            19 => self.incident(&ati, tablet).await,
            20..=21 => self.summer(&ati, tablet).await,
            _ => self.repair(&ati, tablet).await,
        }
        self.look(&ati).await;
        self.ati = Some((ati, signed_in));
    }

    /// Whoever tries it, signed in a moment ago: what erases asks for a code of the last minutes.
    async fn signed_in(&mut self) -> (ApiClient, i64) {
        let now = self.now();
        match self.ati.take() {
            Some((ati, at)) if now - at < 4 * MINUTE => (ati, at),
            _ => (here(&self.server, "ati", Role::Ati).await, now),
        }
    }

    async fn lend(&mut self, tablet: usize) {
        let (store, now) = (self.server.fleet().unwrap().store(), self.server.clock().now());
        let lent =
            rows::lent(store, &[serial(tablet).parse().unwrap()], &COLLEGE.parse().unwrap(), now).await;
        if lent.is_ok() {
            self.ledger.was_lent(tablet);
            self.receipts[tablet] = None;
        }
    }

    async fn receive(&mut self, ati: &ApiClient, tablet: usize, saved: bool) {
        let receipt = receive(ati, &[&serial(tablet)], saved).await;
        if receipt.status != 201 || receipt.body["tablets"][0]["already"] == json!(true) {
            return;
        }
        self.receipts[tablet] = Some(receipt.text("/tablets/0/restitution/id").to_owned());
        self.changed("restitution.receive");
        let now = self.now();
        let page = self.ledger.page(tablet);
        assert!(!page.away, "C5.4.5: received while the supplier has it");
        // What the holder was told before a slip was undone, they were told.
        (page.lent, page.given_back, page.saved, page.check) = (false, Some(now), saved, false);
        page.deposited = false;
    }

    async fn on_the_receipt(&mut self, ati: &ApiClient, tablet: usize, dice: &mut Dice) {
        let Some(id) = self.receipts[tablet].clone() else { return };
        let now = self.now();
        match dice.place(8) {
            0 => {
                if act(ati, &id, "undo", json!({})).await.status == 200 {
                    self.receipts[tablet] = None;
                    self.changed("restitution.undo");
                    let page = self.ledger.page(tablet);
                    (page.lent, page.given_back, page.saved) = (true, None, false);
                }
            }
            1 => {
                if act(ati, &id, "saved", json!({})).await.status == 200 {
                    self.ledger.page(tablet).saved = true;
                }
            }
            2 => {
                let before = act(ati, &id, "letter", json!({})).await;
                let handed_over = act(ati, &id, "letter/handed-over", json!({})).await;
                if before.body["handed_over_at"] == Value::Null && handed_over.status == 200 {
                    self.ledger.page(tablet).told.get_or_insert(now);
                }
            }
            3 => {
                let held = dice.once_in(2);
                let path = format!("/api/v1/restitutions/{id}/check");
                if ati.put(&path, &json!({ "held": held })).await.unwrap().status == 200 {
                    self.ledger.page(tablet).check = held;
                }
            }
            // A technician attests what they see: a tablet that greets as a new one.
            4 if self.ledger.page(tablet).erased > 0 => {
                act(ati, &id, "attest", json!({})).await;
            }
            5 => {
                if act(ati, &id, "shelve", json!({ "place": "in-stock" })).await.status == 200 {
                    self.changed("restitution.shelve");
                }
            }
            _ => {
                act(ati, &id, "order", json!({})).await;
            }
        }
    }

    fn changed(&mut self, what: &'static str) {
        *self.changes.entry(what).or_default() += 1;
    }

    /// The tablet is handed in for the summer, or its pupil gets it again: whose it is changes by neither.
    async fn summer(&mut self, ati: &ApiClient, tablet: usize) {
        let deposited = self.ledger.page(tablet).deposited;
        let (way, what) =
            if deposited { ("hand-outs", "loan.hand-out") } else { ("deposits", "loan.deposit") };
        let path = format!("/api/v1/{way}");
        let gone = ati.post(&path, &json!({ "tablets": [serial(tablet)] })).await.unwrap();
        if gone.status != 200 {
            return;
        }
        let page = self.ledger.page(tablet);
        assert!(page.lent, "C5.2.2: nobody’s tablet is no deposit");
        assert_eq!(gone.body[0]["already"], json!(false), "it went once");
        page.deposited = !deposited;
        self.changed(what);
    }

    /// Every change has one entry of the log, and nothing that was refused has any.
    async fn reads_the_log(&self) {
        let log = self.server.fleet().unwrap().store();
        let log = log
            .read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 100_000))
            .await
            .unwrap();
        let words = [
            "restitution.receive",
            "restitution.undo",
            "restitution.shelve",
            "loan.deposit",
            "loan.hand-out",
        ];
        for word in words {
            let said = log.iter().filter(|entry| entry.action == word).count();
            assert_eq!(said, self.changes.get(word).copied().unwrap_or_default(), "{word}");
        }
    }

    async fn incident(&mut self, ati: &ApiClient, tablet: usize) {
        if let Some(id) = self.incidents[tablet].take() {
            let path = format!("/api/v1/incidents/{id}/steps");
            for step in ["take-up", "close"] {
                assert_eq!(ati.post(&path, &json!({ "step": step })).await.unwrap().status, 200, "{step}");
            }
            self.ledger.page(tablet).incident = false;
            return;
        }
        let what = json!({ "kind": "damage", "noticed_at": self.server.clock().now().to_string() });
        let path = format!("/api/v1/tablets/{}/incidents", serial(tablet));
        let declared = ati.post(&path, &what).await.unwrap();
        assert_eq!(declared.status, 201, "{declared:?}");
        self.incidents[tablet] = Some(declared.text("/id").to_owned());
        self.ledger.page(tablet).incident = true;
    }

    /// The tablet goes to its supplier, or is back. Whoever held it holds it still.
    async fn repair(&mut self, ati: &ApiClient, tablet: usize) {
        if let Some(id) = self.repairs[tablet].take() {
            let path = format!("/api/v1/repairs/{id}/back");
            let back = ati.post(&path, &json!({})).await.unwrap();
            assert_eq!(back.status, 200, "{back:?}");
            let page = self.ledger.page(tablet);
            page.away = false;
            self.repaired += 1;
            let lent = if page.lent { json!("lent") } else { back.body["repair"]["loan_state"].clone() };
            assert_eq!(back.body["repair"]["loan_state"], lent, "C5.4.5: its holder has it again: {back:?}");
            return;
        }
        let path = format!("/api/v1/tablets/{}/repairs", serial(tablet));
        let sent = ati.post(&path, &json!({ "reference": "SAV-118" })).await.unwrap();
        if sent.status == 201 {
            self.repairs[tablet] = Some(sent.text("/id").to_owned());
            self.ledger.page(tablet).away = true;
        }
    }

    /// The tablet connects, and does what it is told.
    async fn connect(&mut self, tablet: usize) {
        if !self.ipads[tablet].is_enrolled() {
            let link = self.server.link_for(&serial(tablet)).await.unwrap();
            self.ipads[tablet].enrol_by_link(&link).await.unwrap();
        }
        let talk = self.ipads[tablet].poll().await.unwrap();
        if talk.erased {
            let now = self.now();
            self.ledger.erased_itself(tablet, now);
        }
    }

    /// Whatever the server says is proven empty is.
    async fn look(&mut self, ati: &ApiClient) {
        for tablet in 0..TABLETS {
            let Some(id) = self.receipts[tablet].clone() else { continue };
            let proven = shown(ati, &id).await;
            if proven.body["proof"] != Value::Null && !self.said_empty.contains(&id) {
                self.ledger.is_said_to_be_empty(tablet);
                self.said_empty.push(id);
            }
        }
    }
}

async fn m3_t_a19_in_random_years_of_simulated_tablets_none_is_erased_against_the_rules(engine: Engine) {
    let years: u64 = std::env::var("ARDOISE_YEARS").ok().and_then(|years| years.parse().ok()).unwrap_or(3);
    let first: u64 = std::env::var("ARDOISE_YEARS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0);
    let (mut erased, mut lent, mut proven, mut repaired, mut deposited) = (0, 0, 0, 0, 0);
    for seed in first..first + years {
        // Printed when it fails: it is repeated by the same number.
        println!("year {seed}");
        let mut dice = Dice::new(seed);
        let mut college = College::new(engine).await;
        for _attempt in 0..120 {
            college.attempt(&mut dice).await;
        }
        college.reads_the_log().await;
        deposited += college.changes.get("loan.deposit").copied().unwrap_or_default();
        assert_eq!(
            college.server.alarm_kinds().await.unwrap().iter().filter(|kind| *kind != "re-enrolment").count(),
            0
        );
        erased += college.ledger.erased;
        lent += college.ledger.lent;
        proven += college.ledger.proven;
        repaired += college.repaired;
        println!("year {seed} passed");
    }
    println!(
        "{years} years: lent {lent}, erased {erased}, proven empty {proven}, repaired {repaired}, deposited {deposited}"
    );
    // A house in which nothing ever happens would pass as well.
    assert!(
        years < 3 || erased > 0 && proven > 0 && repaired > 0 && lent > TABLETS,
        "erased {erased}, proven {proven}, repaired {repaired}, lent {lent}"
    );
}
