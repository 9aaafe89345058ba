//! What a tablet is told to do once: from the queue, over its configuration, to its confirmation.
//!
//! ```text
//! queued ──fetched──▶ fetched ──confirmed──▶ confirmed
//!    ▲                  │  │
//!    └───── held ───────┘  └─▶ failed          queued, fetched ──order gone, too late, enrolled again──▶ void
//! ```
//!
//! The agent finds a flag in its configuration, asks whether it may (the *confirmation*), and wipes or starts again only when
//! that is taken with a 2xx. So the confirmation is the delivery: order, brake and switch are looked at again then, in the
//! transaction that clears the flag, and whatever is not a first confirmation under an order that stands gets 503 (M3, M5).
//! One command is taken once: a tablet that never heard the answer is not wiped by a second one, and says by speaking again
//! that it was not wiped ([`Command::spoke`]).
//!
//! A code is different: the tablet has changed it before it confirms, so that it is told of it a few times at most.

mod decide;
mod state;

#[cfg(test)]
mod tests;

pub use decide::{Confirmation, GRACE, MOST_FETCHES, Reply, Settled, next};
pub use state::{Command, Failure, Gone, Held, Kind, Standing, State, Voided};
