//! How the program's types stand in columns: ids, names and states as text, instants as milliseconds.

use std::fmt::Display;
use std::str::FromStr;

use crate::StoreError;

/// A type that a column can hold.
pub(crate) trait Column: Sized {
    /// What the engine stores.
    type Stored;

    /// The value to store.
    fn stored(&self) -> Self::Stored;

    /// The stored value, if it is one that [`Column::stored`] could have given.
    fn read(stored: Self::Stored) -> Option<Self>;
}

/// Reads one column, naming the place where the value is not one of ours.
pub(crate) fn read<C: Column>(
    stored: C::Stored,
    table: &'static str,
    column: &'static str,
    row: &impl Display,
) -> Result<C, StoreError> {
    C::read(stored).ok_or_else(|| StoreError::Corrupt { table, row: row.to_string(), column })
}

/// Reads a column that names each row: a list of ids, and nothing else of the rows, so that one that cannot be read keeps no
/// other from being looked at.
pub(crate) fn read_ids<C: Column<Stored = String>>(
    ids: Vec<String>,
    table: &'static str,
    column: &'static str,
) -> Result<Vec<C>, StoreError> {
    ids.into_iter().map(|id| read(id.clone(), table, column, &id)).collect()
}

impl<C: Column> Column for Option<C> {
    type Stored = Option<C::Stored>;

    fn stored(&self) -> Self::Stored {
        self.as_ref().map(C::stored)
    }

    fn read(stored: Self::Stored) -> Option<Self> {
        match stored {
            None => Some(None),
            Some(stored) => C::read(stored).map(Some),
        }
    }
}

impl Column for types::Instant {
    type Stored = i64;

    fn stored(&self) -> i64 {
        self.as_millis()
    }

    fn read(stored: i64) -> Option<Self> {
        Some(Self::from_millis(stored))
    }
}

impl Column for privacy::StoredColumns {
    type Stored = String;

    fn stored(&self) -> String {
        // Names of columns and kinds of data: writing them as JSON does not fail.
        serde_json::to_string(self).unwrap_or_else(|_unwritable| "{}".to_owned())
    }

    fn read(stored: String) -> Option<Self> {
        serde_json::from_str(&stored).ok()
    }
}

impl Column for serde_json::Value {
    type Stored = String;

    fn stored(&self) -> String {
        self.to_string()
    }

    fn read(stored: String) -> Option<Self> {
        serde_json::from_str(&stored).ok()
    }
}

/// A set stands in a column as a JSON list, in order.
impl<T: serde::Serialize + serde::de::DeserializeOwned + Ord> Column for std::collections::BTreeSet<T> {
    type Stored = String;

    fn stored(&self) -> String {
        // Codes and words alone are kept in sets: writing them as JSON does not fail.
        serde_json::to_string(self).unwrap_or_else(|_unwritable| "[]".to_owned())
    }

    fn read(stored: String) -> Option<Self> {
        serde_json::from_str(&stored).ok()
    }
}

macro_rules! as_they_are {
    ($($type:ty,)*) => {$(
        impl Column for $type {
            type Stored = $type;

            fn stored(&self) -> $type {
                self.clone()
            }

            fn read(stored: $type) -> Option<Self> {
                Some(stored)
            }
        }
    )*};
}

as_they_are! { String, Vec<u8>, bool, i32, i64, }

/// Types whose text form is what is stored.
macro_rules! as_text {
    ($($type:ty,)*) => {$(
        impl Column for $type {
            type Stored = String;

            fn stored(&self) -> String {
                self.to_string()
            }

            fn read(stored: String) -> Option<Self> {
                Self::from_str(&stored).ok()
            }
        }
    )*};
}

as_text! {
    types::TabletId, types::EnrolmentId, types::CommandId, types::LinkId, types::AuthorityId, types::ChallengeId,
    types::PushCertificateId, types::TakeoverId, types::AlarmId, types::ApiTokenId, types::JobId,
    types::SegmentId, types::IncidentId, types::WarrantId, types::EraseOrderId, types::EnrolmentEndId,
    types::SerialNumber, types::Udid, types::Uai, types::Platform, types::EnrolmentKind, types::Supervision,
    types::JobKind, types::OrganisationId, types::AccountId, types::AccountMakerId, types::RoleGrantId,
    types::SessionId, types::CountersignatureId, types::DestructionId, types::CampaignId, types::ValidationId,
    types::PurgeId, types::ProfileVersionId, types::RolloutId,
    types::EmergencyOrderId, types::NoticeId, crate::profile_versions::VersionState, profiles::RolloutState, types::OrganisationKind, types::Role, types::DestructionKind, types::Day, crate::Digest,
    crate::authorities::AuthorityKind, crate::authorities::AuthorityState, crate::links::LinkKind,
    crate::enrolments::EnrolmentState, crate::certificates::CertificateState, crate::commands::CommandState, crate::incidents::IncidentState, crate::warrants::OrderState,
    crate::push_certificates::PushCertificateState, crate::audit::AuditId,
    crate::organisations::OrganisationState, crate::organisations::HomeUse, crate::accounts::AccountState,
    crate::account_makers::Deed, crate::countersignatures::CountersignatureState,
    crate::countersignatures::SecondRole,
    types::IncidentKind, ::incidents::IncidentState, ::incidents::papers::PaperKind, ::incidents::Footing,
    ::incidents::LostModeState, crate::position_requests::Outcome,
    crate::destructions::DestructionState, privacy::Activity,
    types::AppId, crate::apps::AppSource, crate::apps::AppLicence, crate::apps::AppUpdates,
    crate::app_files::AppFormat,
    types::PersonId, types::LoanId, types::RestitutionId, types::LastDecisionId, types::UserKind,
    crate::loans::Standing, crate::restitutions::StageName, crate::restitutions::ProofKind, crate::notices::Channel,
    crate::notices::NoticeState, lending::loan::Suspension, lending::notice::NoticeKind,
    types::ListId, types::ListChangeId, types::AgreementTextId, types::SignatureId, types::RestrictionId,
    types::ExceptionId, types::LoanMode, lending::list::ListStep, lending::list::Scope, lending::agreement::GuardiansNeeded,
    lending::agreement::Stance, lending::agreement::Signatory, crate::lists::ListState,
    crate::signatures::EvidenceKind,
    lending::last_decision::LastKind, types::PositionLookId, types::RepairId, crate::repairs::RepairState, crate::transfers::TransferState, types::TransferId, ::incidents::NoticeOccasion, ::incidents::Finding,
    ::incidents::WarrantyVerdict, crate::replacements::CounterpartName,
    types::MailId, crate::mails::MailState, crate::warrant_notices::ToldHow,
}

/// Lines that people wrote, which say nothing of themselves in a log.
macro_rules! as_written {
    ($($type:ty,)*) => {$(
        impl Column for $type {
            type Stored = String;

            fn stored(&self) -> String {
                self.as_str().to_owned()
            }

            fn read(stored: String) -> Option<Self> {
                stored.parse().ok()
            }
        }
    )*};
}

as_written! { lending::ClassName, lending::Condition, lending::Reason, lending::Reference, }

impl Column for orders::Gate {
    type Stored = String;

    fn stored(&self) -> String {
        match self {
            Self::Ordinary => "ordinary",
            Self::LostMode => "lost-mode",
            Self::Locate => "locate",
            Self::Erase => "erase",
            Self::Unenrol => "unenrol",
        }
        .to_owned()
    }

    fn read(stored: String) -> Option<Self> {
        [Self::Ordinary, Self::LostMode, Self::Locate, Self::Erase, Self::Unenrol]
            .into_iter()
            .find(|gate| gate.stored() == stored)
    }
}

/// An enum whose values are stored as text; the text is the API's too.
macro_rules! stored_enum {
    ($($(#[$doc:meta])* $name:ident { $($variants:tt)* })*) => {$(
        types::text_enum! { $(#[$doc])* $name: "stored value" { $($variants)* } }
    )*};
}
pub(crate) use stored_enum;
