//! SCEP (RFC 8894): how a tablet asks for its certificate, and how it asks for the next one.
//!
//! The door hands in bytes and sends out bytes. [`open`] reads a request as far as it can be proven: its
//! signature, its encryption, its certificate request; whether to grant it (a challenge that was given out,
//! a signer that is bound and not revoked) is decided by those who have the database. Only
//! [`PkiRequest::issuance`] leads to [`certrep_success`], and it exists for two kinds of message alone, so
//! that no other can obtain a certificate (T-A12).

mod attributes;
mod capabilities;
mod csr;
mod legacy;
mod message_type;
mod reply;
mod request;

pub use capabilities::{CA_CERTIFICATE_CONTENT_TYPE, CAPABILITIES_CONTENT_TYPE, MESSAGE_CONTENT_TYPE};
pub use capabilities::{capabilities, get_ca_cert};
pub use csr::Csr;
pub use legacy::{LegacyPolicy, LegacyUnavailable};
pub use message_type::{FailInfo, MessageType};
pub use reply::{ReplyError, certrep_failure, certrep_success};
pub use request::{
    Issuance, IssuanceKind, LONGEST_MESSAGE, OpenPolicy, PkiRequest, RefusalReason, Refused, Requester,
    ScepError, Signer, UnreadableMessage, open,
};

#[cfg(test)]
pub(crate) mod client;
#[cfg(test)]
mod tests;
