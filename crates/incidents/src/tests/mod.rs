//! The rules of incidents, by tables and by random lives.

mod hands;
mod lives;
mod papers;
mod rules;
mod thefts;
mod words;

use types::{AccountId, Duration, IncidentId, IncidentKind, Instant, TabletId, Uai, ValidationId};

use crate::papers::AuthorityReference;
use crate::{Asked, Declarant, Declaration, Incident, Limits, Request, SecondPerson};

const HOUR: u64 = 3_600;

/// So many hours after the beginning.
fn hours(count: u64) -> Instant {
    Instant::from_millis(0).plus(span(count))
}

const fn span(hours: u64) -> Duration {
    Duration::from_secs(hours * HOUR)
}

fn person(number: u64) -> AccountId {
    format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
}

fn college() -> Uai {
    "0761234A".parse().unwrap()
}

fn tablet() -> TabletId {
    "00000000-0000-7000-8000-000000000777".parse().unwrap()
}

/// An incident that person 1 declares an hour after the beginning, noticed at the beginning.
fn declared(kind: IncidentKind) -> Incident {
    let declaration = Declaration {
        tablet: tablet(),
        college: college(),
        kind,
        noticed_at: hours(0),
        declarant: Declarant(person(1)),
        authority: AuthorityReference::new("TJ Rouen 2026/112"),
    };
    Incident::declare(IncidentId::new(hours(1)), declaration, hours(1)).unwrap()
}

fn asks(author: u64) -> Request {
    Request {
        author: person(author),
        reason: "seen near the station".to_owned(),
        asked: Limits::default().usual(),
    }
}

fn asked(lasts: u64, fixes: u32, minutes: u64) -> Asked {
    Asked { lasts: span(lasts), fixes, interval: Duration::from_secs(minutes * 60) }
}

fn head(number: u64) -> SecondPerson {
    SecondPerson::Head { account: person(number), uai: college() }
}

fn operator(number: u64) -> SecondPerson {
    SecondPerson::Operator { account: person(number) }
}

fn validated() -> Option<ValidationId> {
    Some(ValidationId::new(hours(0)))
}
