//! Floor 0: the words every room speaks.
//!
//! Ids, instants, secrets, the names of tablets and schools, the ids of the rules, and the facts that
//! several rules share. No I/O, no clock but the [`Clock`] trait that the top floor implements.

mod actor;
mod id;
mod instant;
mod job;
mod rule;
mod secret;
mod tablet;

pub use actor::Actor;
pub use id::{
    AccountId, AlarmId, ApiTokenId, AuthorityId, ChallengeId, CommandId, EnrolmentEndId, EnrolmentId,
    EraseOrderId, IncidentId, InvalidId, JobId, LinkId, LoanId, PushCertificateId, SegmentId, TabletId,
    TakeoverId, WarrantId,
};
pub use instant::{Clock, Duration, Instant, ManualClock, SystemClock};
pub use job::JobKind;
pub use rule::RuleId;
pub use secret::Secret;
pub use tablet::{EnrolmentKind, InvalidName, Platform, SerialNumber, Supervision, Uai, Udid};
