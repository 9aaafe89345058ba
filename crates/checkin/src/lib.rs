//! Floor 6: the tablets' door.
//!
//! Whatever a tablet sends comes in here: the links and the automated enrolment, SCEP, check-in and connect.
//! The door proves who speaks, bounds what it says, hands it to one use case of `fleet` and writes the answer
//! out; it decides nothing else.
//!
//! A request takes one road, in `pipeline`: its route is found in one table ([`table`]), by its exact path;
//! an unauthenticated route is rate-limited; the body is read within bounds; the handler runs, its panics
//! contained; and whatever fails becomes HTTP in one place, `answer`. A status that unenrols a tablet can
//! come from nowhere else (M4).

mod answer;
mod apps;
mod body;
mod checkin;
mod connect;
mod door;
mod enrol;
mod identity;
mod page;
mod pipeline;
mod range;
mod routes;
mod scep;
mod takeover;
#[cfg(test)]
mod tests;

pub use door::{DoorError, DoorSettings, DoorState, Limits};
pub use fleet::pace::{Rate, RateLimits};
pub use identity::PeerCertificate;
pub use routes::{AuthClass, Endpoint, Route, routes, table};
