//! Random lives of an incident, its papers, its warrants and its tablet, judged by a ledger.
//!
//! The ledger is written from the law, and calls no rule: it notes what happened, and says from that whether a position
//! may be asked for, and kept, at this instant.

use proptest::prelude::*;
use types::{Day, Duration, IncidentKind, Instant, WarrantId};

use super::{asked, declared, hours, person, tablet, validated};
use crate::life::step;
use crate::papers::{Complaint, Letter};
use crate::*;

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    Minutes(u64),
    Complaint,
    Letter,
    Validate(bool),
    Step(Step),
    Reopen,
    /// Who asks, who grants, for how many hours, positions and minutes between them.
    Petition(u64, u64, u64, u32, u64),
    Ask,
    Deliver,
    Answer,
}

fn event() -> impl Strategy<Value = Event> {
    let steps = prop_oneof![Just(Step::TakeUp), Just(Step::Find), Just(Step::GiveUp), Just(Step::Close),];
    prop_oneof![
        6 => (1_u64..600).prop_map(Event::Minutes),
        1 => Just(Event::Minutes(48 * 60)),
        1 => Just(Event::Complaint),
        1 => Just(Event::Letter),
        1 => prop::bool::weighted(0.8).prop_map(Event::Validate),
        1 => steps.prop_map(Event::Step),
        1 => Just(Event::Reopen),
        4 => (1_u64..5, 1_u64..5, 1_u64..200, 1_u32..27, 3_u64..30)
            .prop_map(|(author, second, lasts, fixes, gap)| Event::Petition(author, second, lasts, fixes, gap)),
        8 => Just(Event::Ask),
        3 => Just(Event::Deliver),
        6 => Just(Event::Answer),
    ]
}

/// What the law counts of one warrant.
struct Noted {
    id: WarrantId,
    grant: Grant,
    ended_at: Option<Instant>,
    asked: u32,
    kept: u32,
}

/// The ledger: facts, and what the law makes of them.
struct Ledger {
    now: Instant,
    kind: IncidentKind,
    state: IncidentState,
    complaint: bool,
    letter: bool,
    validated: bool,
    warrants: Vec<Noted>,
    last_asked: Option<Instant>,
    last_kept: Option<Instant>,
}

impl Ledger {
    /// M1: loss, theft or authority request; open; and the tablet still looked for.
    fn is_sought(&self) -> bool {
        let right =
            matches!(self.kind, IncidentKind::Loss | IncidentKind::Theft | IncidentKind::AuthorityRequest);
        right && matches!(self.state, IncidentState::Declared | IncidentState::InProgress)
    }

    /// M1: without its complaint, or its letter, 48 hours from the declaration.
    fn ends_provisionally(&self) -> Option<Instant> {
        let wanting = match self.kind {
            IncidentKind::Theft => !self.complaint,
            IncidentKind::Loss => !self.letter,
            _ => false,
        };
        wanting.then(|| hours(1 + 48))
    }

    fn may_be_granted(&self, author: u64, second: u64, lasts: u64, fixes: u32, gap: u64) -> bool {
        self.is_sought()
            && self.validated
            && second != author
            && second != 1
            && (1..=168).contains(&lasts)
            && (1..=24).contains(&fixes)
            && gap >= 5
            && self.ends_provisionally().is_none_or(|end| self.now < end)
    }

    fn in_force(&self) -> bool {
        let Some(last) = self.warrants.last() else { return false };
        self.is_sought()
            && self.validated
            && last.grant.opens_at <= self.now
            && self.now < last.grant.expires_at
            && last.ended_at.is_none()
    }

    fn passed(&self, since: Option<Instant>) -> bool {
        let Some(last) = self.warrants.last() else { return false };
        since.is_none_or(|at| self.now >= at.plus(last.grant.interval))
    }
}

#[expect(clippy::disallowed_methods, reason = "tests make up the facts of a row")]
fn rows(incident: &Incident, noted: &Noted) -> (RecordedIncident, RecordedWarrant) {
    let Incident { id, tablet, kind, state, opened_at, .. } = *incident;
    (
        RecordedIncident::from_row(id, tablet, kind, state, opened_at, Hands::NOBODYS),
        RecordedWarrant::from_row(noted.id, &noted.grant, noted.ended_at),
    )
}

fn live(kind: IncidentKind, events: Vec<Event>) -> Result<(), TestCaseError> {
    let mut incident = declared(kind);
    let limits = Limits::default();
    let mut ledger = Ledger {
        now: hours(1),
        kind,
        state: incident.state,
        complaint: false,
        letter: false,
        validated: true,
        warrants: Vec::new(),
        last_asked: None,
        last_kept: None,
    };
    for event in events {
        let now = ledger.now;
        let validation = validated().filter(|_id| ledger.validated);
        match event {
            Event::Minutes(count) => ledger.now = now.plus(Duration::from_secs(count * 60)),
            Event::Validate(on) => ledger.validated = on,
            Event::Complaint => {
                let (number, station) = ("1".to_owned(), "Rouen".to_owned());
                incident.papers.complaint =
                    Some(Complaint { number, dated: Day::of(now), station, recorded_at: now });
                ledger.complaint = true;
            }
            Event::Letter => {
                let reference = "1".to_owned();
                incident.papers.letter = Some(Letter { reference, dated: Day::of(now), recorded_at: now });
                ledger.letter = true;
            }
            Event::Step(taken) => {
                let Ok(next) = step(&incident, taken) else { continue };
                (incident.state, ledger.state) = (next.state, next.state);
                if next.consequences.contains(&Consequence::EndWarrants)
                    && let Some(last) = ledger.warrants.last_mut()
                {
                    last.ended_at.get_or_insert(now);
                }
                if next.state == IncidentState::Closed {
                    prop_assert!(next.consequences.contains(&Consequence::TurnLostModeOff));
                    prop_assert!(next.consequences.contains(&Consequence::CancelRequests));
                }
            }
            Event::Reopen => {
                let id = types::IncidentId::new(now);
                let reopened = incident.reopen(id, "too soon", Since::Nothing, now);
                prop_assert_eq!(reopened.is_ok(), ledger.state == IncidentState::Closed);
                let Ok(reopened) = reopened else { continue };
                (incident, ledger.state) = (reopened, IncidentState::InProgress);
                ledger.warrants.clear();
            }
            Event::Petition(author, second, lasts, fixes, gap) => {
                let reason = "seen near the station".to_owned();
                let request = Request { author: person(author), reason, asked: asked(lasts, fixes, gap) };
                let second_person = SecondPerson::Operator { account: person(second) };
                let petition = Petition {
                    incident: &incident,
                    hands: &Hands::NOBODYS,
                    request: &request,
                    second: &second_person,
                    validation,
                    last: ledger.warrants.last().map(|noted| noted.id),
                    limits: &limits,
                };
                let granted =
                    if ledger.warrants.is_empty() { petition.grant(now) } else { petition.extend(now) };
                prop_assert_eq!(
                    granted.is_ok(),
                    ledger.may_be_granted(author, second, lasts, fixes, gap),
                    "{:?}",
                    granted
                );
                let Ok(grant) = granted else { continue };
                prop_assert!(grant.expires_at <= now.plus(Duration::from_secs(168 * 3_600)));
                prop_assert!(ledger.ends_provisionally().is_none_or(|end| grant.expires_at <= end));
                if let Some(last) = ledger.warrants.last_mut() {
                    last.ended_at.get_or_insert(now);
                }
                let id = WarrantId::new(now);
                ledger.warrants.push(Noted { id, grant, ended_at: None, asked: 0, kept: 0 });
            }
            Event::Ask | Event::Deliver | Event::Answer => {
                let Some(noted) = ledger.warrants.last() else { continue };
                let (incident_row, warrant_row) = rows(&incident, noted);
                let basis =
                    Basis { warrant: &warrant_row, incident: &incident_row, validation, tablet: tablet() };
                let (number, asked_so_far, kept_so_far) = (noted.grant.fixes, noted.asked, noted.kept);
                let in_force = ledger.in_force();
                if matches!(event, Event::Deliver) {
                    prop_assert_eq!(basis.at_delivery(now).is_ok(), in_force);
                } else if matches!(event, Event::Ask) {
                    let asking = Asking { under_this_warrant: asked_so_far, last_at: ledger.last_asked };
                    let may = in_force && asked_so_far < number && ledger.passed(ledger.last_asked);
                    prop_assert_eq!(basis.to_ask(asking, now).is_ok(), may);
                    if may {
                        ledger.last_asked = Some(now);
                        ledger.warrants.last_mut().unwrap().asked += 1;
                    }
                } else {
                    let fix = Fix { latitude: 49.0, longitude: 1.0, accuracy: None, measured_at: Some(now) };
                    let kept = Kept { under_this_warrant: kept_so_far, last_at: ledger.last_kept };
                    let may = in_force && kept_so_far < number && ledger.passed(ledger.last_kept);
                    prop_assert_eq!(basis.accept(&fix, kept, now).is_ok(), may);
                    if may {
                        ledger.last_kept = Some(now);
                        ledger.warrants.last_mut().unwrap().kept += 1;
                    }
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn t_c16_no_position_is_asked_for_or_kept_without_a_live_warrant(
        kind in proptest::sample::select(IncidentKind::ALL),
        events in prop::collection::vec(event(), 1..120),
    ) {
        live(kind, events)?;
    }
}
