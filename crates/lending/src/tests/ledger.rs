//! Random years, judged by a ledger.
//!
//! Two halves that share no code. The *house* acts: it asks this room before it does anything, and does what it is let
//! do. The *ledger* is written from the rules of the programme: it only hears what happened, one line after the other
//! (lent, given back, told, ordered, erased), knows no function of this room, and says what the rules say of it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use types::{
    AccountId, Duration, EnrolmentId, EraseOrderId, IncidentId, Instant, LoanId, PersonId, RestitutionId,
    TabletId, UserKind,
};

use super::{day, noon, year};
use crate::loan::{Ending, Loan, LoanState, Suspension};
use crate::notice::{Notice, NoticeKind, Sent, Told};
use crate::readiness::{Held, HolderFacts, Reported, TabletFacts, light};
use crate::restitution::{Hold, Place, Reenrolment, Restitution};
use crate::{EraseOrder, EraseTerms, Grounds, NewOrder, Present, RecordedOrder, grant};

const TABLETS: usize = 3;
const PEOPLE: usize = 4;

/// What happened, as anybody in the collège would write it down.
#[derive(Debug, Clone, Copy)]
enum Line {
    Lent { tablet: usize, person: usize },
    Deposited { tablet: usize },
    Replaceable { tablet: usize },
    BackWithHolder { tablet: usize },
    GivenBack { tablet: usize },
    ReceiptUndone { tablet: usize },
    Told { tablet: usize },
    NoticeBounced { tablet: usize },
    Saved { tablet: usize },
    IncidentOpened { tablet: usize },
    IncidentClosed { tablet: usize },
    Erased { tablet: usize },
    ProvenEmpty { tablet: usize },
}

/// What a reader of the rules remembers of a tablet.
#[derive(Debug, Default, Clone)]
struct Page {
    holder: Option<usize>,
    replaceable: bool,
    deposited: bool,
    given_back: Option<(Instant, usize)>,
    told: Vec<Instant>,
    saved: Option<Instant>,
    incident: bool,
    /// Whose data may be on it.
    data_of: Option<usize>,
}

#[derive(Debug, Default)]
struct Ledger {
    pages: BTreeMap<usize, Page>,
    erased: usize,
    lent: usize,
}

impl Ledger {
    /// Writes a line, or says which rule it breaks.
    fn write(&mut self, line: Line, at: Instant) -> Result<(), String> {
        let holders: Vec<(usize, bool)> =
            self.pages.values().filter_map(|page| Some((page.holder?, page.replaceable))).collect();
        let hours = |from: Instant| at.as_millis() - from.as_millis();
        let pages = &mut self.pages;
        match line {
            Line::Lent { tablet, person } => {
                self.lent += 1;
                let page = page_of(pages, tablet);
                if page.holder.is_some() {
                    return Err("C5.3.1: a tablet is lent to one person".into());
                }
                if holders.contains(&(person, false)) {
                    return Err("C5.3.1: a person holds at most one tablet".into());
                }
                if page.data_of.is_some() {
                    return Err("C5.3.5: lent with somebody’s data on it".into());
                }
                *page = Page { holder: Some(person), data_of: Some(person), ..Page::default() };
            }
            Line::Deposited { tablet } => page_of(pages, tablet).deposited = true,
            Line::Replaceable { tablet } => page_of(pages, tablet).replaceable = true,
            Line::BackWithHolder { tablet } => {
                let page = page_of(pages, tablet);
                if page.replaceable && page.holder.is_some_and(|holder| holders.contains(&(holder, false))) {
                    return Err("C5.3.1: the holder has another tablet".into());
                }
                if page.data_of != page.holder {
                    return Err("C5.2.2: the same pupil does not find the same data".into());
                }
                page.replaceable = false;
                page.deposited = false;
            }
            Line::GivenBack { tablet } => {
                let page = page_of(pages, tablet);
                if let Some(holder) = page.holder.take() {
                    page.given_back = Some((at, holder));
                    page.deposited = false;
                }
            }
            Line::ReceiptUndone { tablet } => {
                let page = page_of(pages, tablet);
                page.holder = page.given_back.take().map(|(_, holder)| holder);
                page.saved = None;
            }
            Line::Told { tablet } => page_of(pages, tablet).told.push(at),
            Line::NoticeBounced { tablet } => {
                page_of(pages, tablet).told.pop();
            }
            Line::Saved { tablet } => page_of(pages, tablet).saved = Some(at),
            Line::IncidentOpened { tablet } => page_of(pages, tablet).incident = true,
            Line::IncidentClosed { tablet } => page_of(pages, tablet).incident = false,
            Line::Erased { tablet } => {
                self.erased += 1;
                let page = page_of(pages, tablet);
                if page.holder.is_some() {
                    return Err("M3: erased while it is lent".into());
                }
                if page.deposited {
                    return Err("C5.2.2: a deposit is erased".into());
                }
                if page.incident {
                    return Err("C5.4: erased while it is held by an incident".into());
                }
                let Some((received, _)) = page.given_back else {
                    return Err("M3: erased without a receipt".into());
                };
                if hours(received) < 60_000 {
                    return Err("a slip of the scanner could not be undone".into());
                }
                let told = page.told.iter().any(|told| hours(*told) >= 14 * 86_400_000);
                let saved = page.saved.is_some_and(|saved| saved <= at);
                if !told && !saved {
                    return Err("C5.3.5: erased without notice".into());
                }
                page.data_of = None;
            }
            Line::ProvenEmpty { tablet } => {
                if page_of(pages, tablet).data_of.is_some() {
                    return Err("M3: called empty, and is not".into());
                }
            }
        }
        Ok(())
    }
}

fn page_of(pages: &mut BTreeMap<usize, Page>, tablet: usize) -> &mut Page {
    pages.entry(tablet).or_default()
}

/// What somebody tries. Most of it is refused at most moments, and must be.
#[derive(Debug, Clone, Copy)]
enum Try {
    Wait(u32),
    HandOver(usize, usize),
    Deposit(usize),
    HandOut(usize),
    Suspend(usize, u8),
    Resume(usize),
    Receive(usize),
    Undo(usize),
    Notify(usize),
    Bounce(usize),
    Save(usize),
    OpenIncident(usize),
    CloseIncident(usize),
    Order(usize),
    /// A tablet connects, and is given what the queue holds, however old: the last order, if it still stands.
    Connect(usize),
    /// As above, with the oldest order that was ever given for it.
    ConnectWithTheOldest(usize),
    Reenrol(usize, bool),
    Attest(usize),
    Shelve(usize),
}

fn tries() -> impl Strategy<Value = Try> {
    let tablet = || 0..TABLETS;
    prop_oneof![
        4 => (1_u32..2_000_000).prop_map(Try::Wait),
        2 => Just(Try::Wait(86_400 * 15)),
        6 => (tablet(), 0..PEOPLE).prop_map(|(tablet, person)| Try::HandOver(tablet, person)),
        1 => tablet().prop_map(Try::Deposit),
        1 => tablet().prop_map(Try::HandOut),
        1 => (tablet(), 0_u8..3).prop_map(|(tablet, why)| Try::Suspend(tablet, why)),
        1 => tablet().prop_map(Try::Resume),
        5 => tablet().prop_map(Try::Receive),
        1 => tablet().prop_map(Try::Undo),
        4 => tablet().prop_map(Try::Notify),
        1 => tablet().prop_map(Try::Bounce),
        2 => tablet().prop_map(Try::Save),
        1 => tablet().prop_map(Try::OpenIncident),
        1 => tablet().prop_map(Try::CloseIncident),
        6 => tablet().prop_map(Try::Order),
        6 => tablet().prop_map(Try::Connect),
        2 => tablet().prop_map(Try::ConnectWithTheOldest),
        3 => (tablet(), any::<bool>()).prop_map(|(tablet, token)| Try::Reenrol(tablet, token)),
        2 => tablet().prop_map(Try::Attest),
        2 => tablet().prop_map(Try::Shelve),
    ]
}

/// The house's own memory of one tablet: rows, as a database would hold them.
#[derive(Debug)]
struct Row {
    tablet: TabletId,
    enrolment: EnrolmentId,
    loans: Vec<(Loan, usize)>,
    receipt: Option<Restitution>,
    stood: LoanState,
    notices: Vec<Notice>,
    saved_at: Option<Instant>,
    incident: Option<IncidentId>,
    orders: Vec<(NewOrder, bool)>,
    /// By which order the real tablet erased itself, if nobody has used it since.
    really_empty: bool,
}

struct House {
    now: Instant,
    rows: Vec<Row>,
    people: Vec<PersonId>,
    ledger: Ledger,
}

impl House {
    fn new() -> Self {
        let now = noon("2028-05-01");
        let row = |_index| Row {
            tablet: TabletId::new(now),
            enrolment: EnrolmentId::new(now),
            loans: vec![],
            receipt: None,
            stood: LoanState::Lent,
            notices: vec![],
            saved_at: None,
            incident: None,
            orders: vec![],
            really_empty: true,
        };
        Self {
            now,
            rows: (0..TABLETS).map(row).collect(),
            people: (0..PEOPLE).map(|_index| PersonId::new(now)).collect(),
            ledger: Ledger::default(),
        }
    }

    fn write(&mut self, line: Line) -> Result<(), TestCaseError> {
        self.ledger.write(line, self.now).map_err(|broken| TestCaseError::fail(format!("{broken}: {line:?}")))
    }

    fn live(&self, tablet: usize) -> Option<Loan> {
        self.rows[tablet].loans.last().map(|(loan, _)| loan.clone()).filter(Loan::goes_on)
    }

    fn set(&mut self, tablet: usize, loan: Loan) {
        if let Some(last) = self.rows[tablet].loans.last_mut() {
            last.0 = loan;
        }
    }

    fn present(&self, tablet: usize) -> Present {
        let row = &self.rows[tablet];
        Present {
            tablet: row.tablet,
            enrolment: Some(row.enrolment),
            loan: self.live(tablet).map(|loan| loan.loan()),
            holds: row.incident.map(Hold::Incident).into_iter().collect(),
        }
    }

    fn holds(&self, person: usize) -> Option<LoanId> {
        let mut loans = self.rows.iter().flat_map(|row| &row.loans);
        loans.find(|(loan, of)| *of == person && loan.counts()).map(|(loan, _)| loan.loan())
    }

    fn attempt(&mut self, what: Try) -> Result<(), TestCaseError> {
        let now = self.now;
        match what {
            Try::Wait(seconds) => self.now = now.plus(Duration::from_secs(seconds.into())),
            Try::HandOver(tablet, person) => self.hand_over(tablet, person)?,
            Try::Deposit(tablet) => {
                if let Some(Ok(kept)) = self.live(tablet).map(|loan| loan.deposit(&year(), now)) {
                    self.set(tablet, kept);
                    self.write(Line::Deposited { tablet })?;
                }
            }
            Try::HandOut(tablet) => {
                let summer = year();
                if let Some(Ok(out)) = self.live(tablet).map(|loan| loan.hand_out_again(Some(&summer), now)) {
                    self.set(tablet, out);
                    self.write(Line::BackWithHolder { tablet })?;
                }
            }
            Try::Suspend(tablet, why) => {
                let why = Suspension::ALL[usize::from(why)];
                if let Some(Ok(rests)) = self.live(tablet).map(|loan| loan.suspend(why)) {
                    self.set(tablet, rests);
                    if !why.counts() {
                        self.write(Line::Replaceable { tablet })?;
                    }
                }
            }
            Try::Resume(tablet) => {
                let person = self.rows[tablet].loans.last().map(|(_, person)| *person);
                let other = person.and_then(|person| self.holds(person));
                let other = other.filter(|loan| self.live(tablet).is_none_or(|own| own.loan() != *loan));
                if let Some(Ok(again)) = self.live(tablet).map(|loan| loan.resume(other)) {
                    self.goes_on(tablet, again)?;
                }
            }
            Try::Receive(tablet) => {
                if let Some(loan) = self.live(tablet) {
                    let ended = loan.end(Ending::GivenBack, now).unwrap();
                    let id = RestitutionId::new(now);
                    self.rows[tablet].stood = loan.state().clone();
                    self.rows[tablet].receipt =
                        Some(Restitution::receive(id, loan.tablet(), loan.loan(), now));
                    self.rows[tablet].saved_at = None;
                    self.set(tablet, ended);
                    self.write(Line::GivenBack { tablet })?;
                }
            }
            Try::Undo(tablet) => self.undo(tablet)?,
            Try::Notify(tablet) => {
                if let Some((loan, _)) = self.rows[tablet].loans.last() {
                    let (kind, sent) = (NoticeKind::LoanOver, Sent::MailAccepted(now));
                    let notice = Notice { loan: loan.loan(), kind, sent };
                    self.rows[tablet].notices.push(notice);
                    self.write(Line::Told { tablet })?;
                }
            }
            Try::Bounce(tablet) => {
                let last = self.rows[tablet].loans.last().map(|(loan, _)| loan.loan());
                let mut notices = self.rows[tablet].notices.iter_mut().rev();
                if let Some(notice) = notices.find(|one| Some(one.loan) == last && one.sent != Sent::Bounced)
                {
                    notice.sent = Sent::Bounced;
                    self.write(Line::NoticeBounced { tablet })?;
                }
            }
            Try::Save(tablet) => {
                if self.rows[tablet].receipt.is_some() && self.live(tablet).is_none() {
                    self.rows[tablet].saved_at = Some(now);
                    self.write(Line::Saved { tablet })?;
                }
            }
            Try::OpenIncident(tablet) => {
                self.rows[tablet].incident = Some(IncidentId::new(now));
                self.write(Line::IncidentOpened { tablet })?;
            }
            Try::CloseIncident(tablet) => {
                self.rows[tablet].incident = None;
                self.write(Line::IncidentClosed { tablet })?;
            }
            Try::Order(tablet) => self.order(tablet),
            Try::Connect(tablet) => self.connect(tablet, self.rows[tablet].orders.len().checked_sub(1))?,
            Try::ConnectWithTheOldest(tablet) => self.connect(tablet, Some(0))?,
            Try::Reenrol(tablet, with_token) => self.reenrol(tablet, with_token)?,
            Try::Attest(tablet) => {
                // A technician erases by hand only what is ordered, and attests what they saw.
                let attested = self.rows[tablet]
                    .receipt
                    .as_ref()
                    .and_then(|one| one.attest(AccountId::new(now), true).ok());
                if let Some(attested) = attested.filter(|_| self.rows[tablet].really_empty) {
                    self.rows[tablet].receipt = Some(attested);
                    self.write(Line::ProvenEmpty { tablet })?;
                }
            }
            Try::Shelve(tablet) => {
                let shelved =
                    self.rows[tablet].receipt.as_ref().and_then(|one| one.shelve(Place::Stock).ok());
                if let Some(shelved) = shelved {
                    self.rows[tablet].receipt = Some(shelved);
                    self.write(Line::ProvenEmpty { tablet })?;
                }
            }
        }
        Ok(())
    }

    fn hand_over(&mut self, tablet: usize, person: usize) -> Result<(), TestCaseError> {
        let (now, row) = (self.now, &self.rows[tablet]);
        let seen = Reported::Present(now);
        let holder = HolderFacts {
            lending_validated: true,
            in_a_school_year: true,
            listed: true,
            leaves_on: None,
            holds: self.holds(person).map(|loan| Held { loan, serial: "DMPX00000001".parse().unwrap() }),
            charter_adopted_on: Some(day("2027-09-01")),
        };
        let facts = TabletFacts {
            of_the_college: true,
            lent: self.live(tablet).map(|loan| loan.loan()),
            clean: row.loans.is_empty()
                || row.receipt.as_ref().is_some_and(|receipt| receipt.stage().is_proven_erased()),
            incident_open: row.incident.is_some(),
            set_aside: false,
            enrolled: true,
            supervised_or_excepted: true,
            base_profile: seen,
            base_apps: vec![],
            complementary_apps: vec![],
        };
        let Ok(ready) = light(&holder, &facts, now).hand_over(false) else { return Ok(()) };
        let row = &mut self.rows[tablet];
        let loan = Loan::begin(&ready, LoanId::new(now), row.tablet, self.people[person], UserKind::Pupil);
        row.loans.push((loan, person));
        row.receipt = None;
        row.really_empty = false;
        self.write(Line::Lent { tablet, person })
    }

    fn undo(&mut self, tablet: usize) -> Result<(), TestCaseError> {
        let undone = self.rows[tablet].receipt.as_ref().and_then(|receipt| receipt.undo().ok());
        let Some((ended, person)) = self.rows[tablet].loans.last().cloned() else { return Ok(()) };
        // The loan goes on as it stood, if its holder was lent no other tablet meanwhile.
        let (open, other) = (self.rows[tablet].incident.is_some(), self.holds(person));
        let again = ended.goes_on_after_a_slip(&self.rows[tablet].stood, open, other);
        let Some((undone, again)) = undone.zip(again.ok()) else { return Ok(()) };
        self.rows[tablet].receipt = Some(undone);
        self.rows[tablet].saved_at = None;
        self.write(Line::ReceiptUndone { tablet })?;
        self.goes_on(tablet, again)
    }

    /// A loan that rested, or that a slip had ended, goes on.
    fn goes_on(&mut self, tablet: usize, loan: Loan) -> Result<(), TestCaseError> {
        let state = loan.state().clone();
        self.set(tablet, loan);
        match state {
            LoanState::Lent => self.write(Line::BackWithHolder { tablet }),
            LoanState::Deposited { .. } => {
                self.write(Line::BackWithHolder { tablet })?;
                self.write(Line::Deposited { tablet })
            }
            LoanState::Suspended { .. } | LoanState::Ended { .. } => Ok(()),
        }
    }

    fn order(&mut self, tablet: usize) {
        let (now, present) = (self.now, self.present(tablet));
        let row = &mut self.rows[tablet];
        let told = Told { notices: row.notices.clone(), saved_at: row.saved_at };
        let Some(receipt) = &row.receipt else { return };
        let grounds = Grounds::Restitution(receipt, &told);
        let Ok(order) = grant(EraseOrderId::new(now), &grounds, &present, &EraseTerms::default(), now) else {
            return;
        };
        row.receipt = Some(receipt.ordered(order.order()).unwrap());
        row.orders.push((order, true));
    }

    /// The tablet is given the command of an order, if the order stands at this moment, and erases itself.
    fn connect(&mut self, tablet: usize, order: Option<usize>) -> Result<(), TestCaseError> {
        let (now, present) = (self.now, self.present(tablet));
        let Some((order, open)) = order.and_then(|index| self.rows[tablet].orders.get(index)).cloned() else {
            return Ok(());
        };
        let recorded = RecordedOrder::from_row(
            order.order(),
            (order.tablet(), order.enrolment()),
            order.cause(),
            open,
            (order.not_before(), order.expires_at()),
        );
        let row = &mut self.rows[tablet];
        let told = Told { notices: row.notices.clone(), saved_at: row.saved_at };
        let Some(receipt) = &row.receipt else { return Ok(()) };
        let grounds = Grounds::Restitution(receipt, &told);
        if EraseOrder::read_back(&recorded, &grounds, &present, &EraseTerms::default(), now).is_err() {
            return Ok(());
        }
        row.really_empty = true;
        if let Some(receipt) = &row.receipt
            && let Ok(said) =
                receipt.delivered(order.order()).and_then(|one| one.acknowledged(order.order(), now))
        {
            row.receipt = Some(said);
        }
        self.write(Line::Erased { tablet })
    }

    fn reenrol(&mut self, tablet: usize, with_token: bool) -> Result<(), TestCaseError> {
        let row = &mut self.rows[tablet];
        row.enrolment = EnrolmentId::new(self.now);
        let token_of =
            row.orders.last().map(|(order, _)| order.order()).filter(|_| with_token && row.really_empty);
        let again =
            Reenrolment { enrolment: row.enrolment, at: self.now, token_of, awaits_configuration: false };
        if let Some(proven) = row.receipt.as_ref().and_then(|receipt| receipt.prove(&again)) {
            row.receipt = Some(proven);
            self.write(Line::ProvenEmpty { tablet })?;
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn m3_t_a19_in_no_random_year_is_a_tablet_erased_lent_or_called_empty_against_the_rules(
        tries in proptest::collection::vec(tries(), 1..120),
    ) {
        let mut house = House::new();
        for what in tries {
            house.attempt(what)?;
        }
    }
}

/// The property above would hold of a house in which nothing ever happens. This one counts.
#[test]
fn random_years_do_lend_erase_and_lend_again() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut lent, mut erased, mut again, mut proven) = (0, 0, 0, BTreeSet::new());
    for _year in 0..300 {
        let tries = proptest::collection::vec(tries(), 120).new_tree(&mut runner).unwrap().current();
        let mut house = House::new();
        for what in tries {
            house.attempt(what).unwrap();
        }
        lent += house.ledger.lent;
        erased += house.ledger.erased;
        again += house.rows.iter().filter(|row| row.loans.len() > 1).count();
        proven
            .extend(house.rows.iter().filter_map(|row| row.receipt.as_ref().map(|one| one.stage().as_str())));
    }
    assert!(lent > 500 && erased > 100 && again > 20, "lent {lent}, erased {erased}, lent again {again}");
    assert!(
        proven.contains("erased") && proven.contains("in-stock") && proven.contains("undone"),
        "{proven:?}"
    );
}
