//! Floor 2: who may do what, on which tablets, with whom, and how much in a day (C3.1.7, M5).
//!
//! Everything here is a decision over values: no clock, no chance, no database. Read it in this order:
//!
//! - [`permission`](Permission): what can be done, and the roles that let a person do it, as one table;
//! - [`Standing`]: what an account may do now, and where; [`Access`]: how its holder comes in;
//! - [`RoleGrant`] and [`account`]: who gives roles and manages accounts (C3.1.7);
//! - [`Hands`]: which accounts may be one person's;
//! - [`countersignature`]: the one mechanism for every second person;
//! - [`brake`]: what one person may destroy in a day (M5);
//! - [`chain`]: the arithmetic of the audit log;
//! - [`sign_in`]: passwords, second factors, sessions.
//!
//! A [`Standing`], a [`countersignature::Countersigned`] and a [`brake::Campaign`] have private fields and
//! come from rows that only `store` reads; each is checked again when it is read.

mod access;
pub mod account;
mod bad_row;
pub mod brake;
pub mod chain;
pub mod countersignature;
mod grant;
mod hands;
mod organisation;
mod permission;
pub mod sign_in;
mod standing;

#[cfg(test)]
mod tests;

pub use access::{Access, STEP_UP_LASTS, Scope};
pub use account::{Account, AccountState, Deed, Email, Login, Maker, Making};
pub use bad_row::BadRow;
pub use grant::{
    APPROVERS_WAIT, GrantReach, GrantRow, NotConfirmed, NotGranted, NotInForce, NotRevoked, RoleGrant,
};
pub use hands::{Hands, NEW_FOR, Newcomers, TIED_FOR};
pub use organisation::{HomeUse, Organisation, OrganisationState};
pub use permission::{Permission, needs_step_up};
pub use standing::{NotAllowed, Place, Reach, Standing};
