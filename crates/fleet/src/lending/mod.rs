//! Lending: a tablet that was given back, from its receipt to the proof that it is empty (C5.3.5, M3).
//!
//! | file | what it does |
//! |---|---|
//! | [`restitutions`] | receives tablets, takes slips back, records what the holder and the technician say |
//! | [`calendar`] | ends the loans of whoever has left |
//! | [`overdue`] | lists what should be back and is not |
//! | [`notices`] | writes the letter that tells whoever held it, and records its handing over |
//! | [`waits`] | says why a restitution is where it is, and what to do |
//! | [`orders`] | gives erase orders, and ends them |
//! | `erasures` | looks again at an order when its tablet connects, and at what the tablet says and does then |
//! | `return_to_service` | renders the command, with the way back |

pub mod calendar;
pub(crate) mod erasures;
pub mod notices;
pub mod orders;
pub mod overdue;
mod refusals;
pub mod restitutions;
pub(crate) mod return_to_service;
pub mod waits;
