//! The rules of this room, attacked: one file per module, over a small world of organisations and people.

mod account;
mod brake;
mod brake_properties;
mod chain;
mod countersignature;
mod countersignature_rows;
mod grant;
mod password;
mod permission;
mod standing;
mod world;
