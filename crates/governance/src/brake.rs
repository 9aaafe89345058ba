//! The brake on destruction (M5): what one person may destroy in a day, and what waits for a second one.
//!
//! Erase, lost mode and unenrolment share three budgets a day: of the account that decided, of the collège,
//! of the whole fleet. What goes beyond waits for a second person; a campaign, which takes one too, lifts the
//! budgets for restitutions in some collèges; one switch stops everything. Turning lost mode *off* is none of
//! these acts: there is no way to write it down here, and nothing brakes it.
//!
//! Acts count against accounts. What a token does counts against its account, so that a hundred tokens are
//! one budget; and for a day, what a new account does counts against its maker too, so that ten accounts made
//! for the purpose are one budget.

mod act;
mod campaign;
mod decide;
mod drill;
mod ledger;
mod release;
mod switch;

pub use act::{Act, What};
pub use campaign::{Campaign, CampaignPlan, CampaignRow, NotOpened, Running};
pub use decide::{Batch, Budget, Budgets, Decision, Pass, Tally, decide, decide_batch};
pub use drill::{Drill, drill};
pub use ledger::{Ledger, counting_day};
pub use release::{HeldAct, NotReleased, Released, held_question, release};
pub use switch::{DestructionState, Engaged, NotDelivered, Switch, SwitchNotReleased, at_delivery};
