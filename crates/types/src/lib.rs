//! Floor 0: the words every room speaks.
//!
//! Ids, instants and days, digests, secrets, the names of tablets and schools, the ids of the rules, and the
//! facts that several rules share. No I/O, no clock but the [`Clock`] trait that the top floor implements.

mod actor;
mod day;
mod digest;
mod id;
mod instant;
mod job;
mod loan;
mod organisation;
mod rule;
mod secret;
mod states;
mod tablet;

pub use actor::{Actor, NotAnActor};
pub use day::Day;
pub use digest::Digest;
pub use id::{
    AccountId, AccountMakerId, AlarmId, ApiTokenId, AppId, AuthorityId, CampaignId, ChallengeId, CommandId,
    CountersignatureId, DestructionId, EnrolmentEndId, EnrolmentId, EraseOrderId, IncidentId, InvalidId,
    JobId, LinkId, LoanId, OrganisationId, PurgeId, PushCertificateId, RoleGrantId, SegmentId, SessionId,
    TabletId, TakeoverId, ValidationId, WarrantId,
};
pub use instant::{Clock, Duration, Instant, ManualClock, SystemClock};
pub use job::JobKind;
pub use loan::{LoanMode, UserKind};
pub use organisation::{DestructionKind, OrganisationKind, Role};
pub use rule::RuleId;
pub use secret::Secret;
pub use tablet::{EnrolmentKind, InvalidName, Platform, SerialNumber, Supervision, Uai, Udid};
