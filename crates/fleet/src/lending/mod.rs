//! Lending: a tablet that was given back, from its receipt to the proof that it is empty (C5.3.5, M3).
//!
//! | file | what it does |
//! |---|---|
//! | [`restitutions`] | receives tablets, takes slips back, records what the holder and the technician say |
//! | [`calendar`] | ends the loans of whoever has left |
//! | [`notices`] | writes the letter that tells whoever held it, and records its handing over |
//! | [`waits`] | says why a restitution is where it is, and what to do |
//! | [`orders`] | gives erase orders, and ends them |
//! | `erasures` | looks again at an order when its tablet connects, and at what the tablet says and does then |
//! | `return_to_service` | renders the command, with the way back |

pub mod calendar;
pub(crate) mod erasures;
pub mod notices;
pub mod orders;
pub mod restitutions;
pub(crate) mod return_to_service;
pub mod waits;

use crate::Refusal;

/// A decision of the rules that was not taken, as a person is told: what is elsewhere by now is no matter of rights.
pub(crate) fn refused(why: &lending::Refused) -> Refusal {
    match why {
        lending::Refused::RestitutionStands { .. } | lending::Refused::LoanStands { .. } => {
            Refusal::Conflict(why.to_string())
        }
        _ => Refusal::Forbidden { rule: why.rule(), what: why.to_string() },
    }
}

/// Why no erasure is ordered, as a person is told.
pub(crate) fn not_erased(why: &lending::NotErased) -> Refusal {
    if let lending::NotErased::Stands(_) = why {
        return Refusal::Conflict(why.to_string());
    }
    Refusal::Forbidden { rule: why.rule(), what: why.to_string() }
}
