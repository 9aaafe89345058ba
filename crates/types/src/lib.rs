//! Floor 0: the words every room speaks.
//!
//! Ids, instants and days, digests, secrets, the names of tablets and schools, the ids of the rules, and the
//! facts that several rules share. No I/O, no clock but the [`Clock`] trait that the top floor implements.

mod actor;
mod day;
mod digest;
mod id;
mod incident;
mod instant;
mod job;
mod loan;
mod mail_address;
pub mod meter;
mod organisation;
mod quiet;
mod rule;
mod secret;
mod tablet;
mod text;

pub use actor::{Actor, NotAnActor};
pub use day::Day;
pub use digest::Digest;
pub use id::{
    AccountId, AccountMakerId, AgreementTextId, AlarmId, ApiTokenId, AppId, AuthorityId, CampaignId,
    ChallengeId, CommandId, CountersignatureId, DestructionId, EmergencyOrderId, EnrolmentEndId, EnrolmentId,
    EraseOrderId, ExceptionId, IncidentId, InvalidId, JobId, LastDecisionId, LinkId, ListChangeId, ListId,
    LoanId, MailId, NoticeId, OrganisationId, PersonId, PositionLookId, ProfileVersionId, PurgeId,
    PushCertificateId, RepairId, RestitutionId, RestrictionId, RoleGrantId, RolloutId, SegmentId, SessionId,
    SignatureId, TabletId, TakeoverId, TransferId, ValidationId, WarrantId,
};
pub use incident::IncidentKind;
pub use instant::{Clock, Duration, Instant, InvalidInstant, ManualClock, SystemClock};
pub use job::JobKind;
pub use loan::{LoanMode, UserKind};
pub use mail_address::{InvalidMailAddress, MailAddress};
pub use organisation::{DestructionKind, OrganisationKind, Role};
pub use quiet::QuietHours;
pub use rule::RuleId;
pub use secret::Secret;
pub use tablet::{EnrolmentKind, Platform, SerialNumber, Supervision, Uai, Udid};
pub use text::InvalidName;
