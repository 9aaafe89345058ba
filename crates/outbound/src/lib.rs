//! Floor 4: clients of the outside, through one egress allow-list.
//!
//! Nothing else in the house sends a request outside. [`Egress`] says which hosts and ports may be
//! spoken to at all; every client is built through it, so that an address given by a person, a file or a
//! name server can never reach a machine that was not listed. [`ApnsClient`] wakes tablets through Apple's push
//! service; [`mail::MailClient`] hands letters to a mail server.
//!
//! Architecture invariant: no client is built except through `Egress`, so none follows redirects, obeys a
//! proxy of the environment, speaks plain HTTP or keeps a resolved address that the list does not admit.

mod apns;
mod egress;
pub mod mail;
mod trust;

pub use apns::{
    ApnsClient, ApnsEndpoint, ApnsSetupError, InvalidEndpoint, PushIdentity, PushOutcome, PushPriority,
    PushRequest, backoff, classify,
};
pub use egress::{Destination, Egress, EgressRefusal, InvalidDestination};

#[cfg(test)]
mod tests;
