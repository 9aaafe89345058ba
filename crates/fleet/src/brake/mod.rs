//! The brake on destruction (M5): what one person may destroy in a day, what waits for a second one, and the switch
//! that stops everything.
//!
//! `judge` stands before every act that destroys: it counts, decides and records in the transaction of the act
//! itself. What it holds waits for a second person; [`held`] lets exactly that go. [`switch`] stops everything, queued
//! or not. [`drill`] shows what would be stopped, and stops nothing.

pub mod campaigns;
pub mod drill;
pub mod held;
mod judge;
pub mod status;
pub mod switch;

pub(crate) use judge::{Deed, Judged, judge};
