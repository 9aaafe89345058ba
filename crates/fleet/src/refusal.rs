//! What a person is told when something cannot be done: what happened, to which tablet, what to do next.

use governance::account::NotManaged;
use governance::brake::{Engaged, NotOpened, NotReleased};
use governance::countersignature::{NotAsked, NotCountersigned, Purpose};
use governance::sign_in::{NotSignedIn, NotSteppedUp};
use governance::{NotAllowed, NotConfirmed, NotGranted, NotRevoked};
use privacy::{NotGiven, NotValidated};
use store::StoreError;
use types::RuleId;

use crate::csv_import::BadLine;
use crate::worded::Worded;

/// A request of a person that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Who asks is not who they say, or no longer.
    #[error("this session or token is not valid: it is unknown, over or revoked; sign in again")]
    NotAuthenticated,

    /// Login, password or code are not right, or the account cannot sign in: which one is not told (T-C12).
    #[error(transparent)]
    NotSignedIn(#[from] NotSignedIn),

    /// The code of the second factor is not right, or there is none.
    #[error(transparent)]
    CodeRefused(#[from] NotSteppedUp),

    /// Too many people come in at once.
    #[error("too many people are signing in at this moment; nothing was changed")]
    Busy,

    /// As many uploads run on this node as may.
    #[error(
        "{at_once} upload(s) run already, as many as may at once (`limits.app_uploads`); nothing was taken in"
    )]
    UploadsBusy {
        /// How many may.
        at_once: u32,
    },

    /// The disk of the shared folder would be too full.
    #[error(
        "the disk of the shared folder has {free} bytes free, and {stays_free} are to stay (`limits.free_megabytes`); \
             nothing was kept"
    )]
    DiskFull {
        /// How much is free, in bytes.
        free: u64,
        /// How much is to stay, in bytes.
        stays_free: u64,
    },

    /// Who asks may not do this.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),

    /// An account is not managed so.
    #[error(transparent)]
    NotManaged(NotManaged),

    /// A role is not given so.
    #[error(transparent)]
    NotGranted(NotGranted),

    /// A role is not taken back so.
    #[error(transparent)]
    NotRevoked(NotRevoked),

    /// A right to approve is not confirmed so.
    #[error(transparent)]
    NotConfirmed(#[from] NotConfirmed),

    /// Nothing is asked of a second person so.
    #[error(transparent)]
    NotAsked(NotAsked),

    /// A second person's word does not count.
    #[error("{why}")]
    NotCountersigned {
        /// What they were asked for.
        purpose: Purpose,
        /// Why it does not count.
        why: NotCountersigned,
    },

    /// The switch of the brake is thrown: nothing destructive goes (M5).
    #[error("the switch was thrown at {since}: {reason}; nothing is erased, put in lost mode or unenrolled (M5)",
        since = .0.since, reason = .0.reason)]
    Stopped(Engaged),

    /// What the brake holds does not go.
    #[error(transparent)]
    NotReleased(#[from] NotReleased),

    /// No campaign is opened.
    #[error(transparent)]
    NotOpened(NotOpened),

    /// It is not done by whoever asks, whatever their rights.
    #[error("this is done {0}")]
    OtherHands(&'static str),

    /// There is no such thing, or none that the person may see.
    #[error("there is no {noun} `{id}`")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// As it was asked for.
        id: String,
    },

    /// Nothing identifies us to Apple's push service yet.
    #[error("there is no push certificate yet; without one no tablet can enrol or be woken")]
    NoPushCertificate,

    /// A file has bad lines; nothing of it was imported.
    #[error("{} line(s) of the file cannot be imported; nothing was changed", .0.len())]
    BadInventory(Vec<BadLine>),

    /// Of tablets that were scanned, some cannot be taken; nothing was done with any.
    #[error("{} of the tablets that were scanned cannot be taken; nothing was changed", .0.len())]
    BadScans(Vec<BadLine>),

    /// A layer's text is wrong; nothing of it was kept.
    #[error("{} thing(s) in this layer are wrong; nothing was changed", .0.len())]
    BadLayer(Vec<profiles::Problem>),

    /// A layer does not go together with those in force.
    #[error("this layer does not go together with those in force; nothing was changed")]
    DoesNotFit(Vec<profiles::Refusal>),

    /// It was not decided by those who decide it.
    #[error(transparent)]
    NotApproved(#[from] profiles::NotApproved),

    /// What was sent cannot be understood.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },

    /// A rule of the lending programme forbids it.
    #[error("{what} ({rule})")]
    Forbidden {
        /// The rule.
        rule: RuleId,
        /// What it forbids here, and what would be allowed.
        what: String,
    },

    /// A rule of incidents, of warrants or of their notices forbids it, or it contradicts what is there: told in both languages.
    #[error("{0}")]
    Worded(Box<Worded>),

    /// The processing is off: no DPO validated its entry as it stands (C3.1.6).
    #[error(transparent)]
    NotValidated(#[from] NotValidated),

    /// An entry of the register is not validated so.
    #[error(transparent)]
    NotValidatedSo(#[from] NotGiven),

    /// It contradicts what is already there.
    #[error("{0}")]
    Conflict(String),

    /// The memory failed; nothing was changed.
    #[error("the database could not do this; nothing was changed")]
    Store(#[from] StoreError),

    /// Something that should never fail did.
    #[error("internal failure: {0}")]
    Internal(String),
}

impl Refusal {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not-authenticated",
            Self::NotSignedIn(_) => "not-signed-in",
            Self::CodeRefused(NotSteppedUp::NoSecondFactor) => "no-second-factor",
            Self::CodeRefused(_) => "code-refused",
            Self::NotAllowed(NotAllowed::StepUp { .. }) => "step-up",
            Self::NotAllowed(NotAllowed::TakesASession { .. }) => "takes-a-session",
            Self::NotAllowed(_) | Self::OtherHands(_) => "not-allowed",
            Self::Stopped(_) => "stopped",
            Self::NotReleased(_)
            | Self::NotOpened(_)
            | Self::NotManaged(_)
            | Self::NotGranted(_)
            | Self::NotRevoked(_)
            | Self::NotConfirmed(_)
            | Self::NotAsked(_)
            | Self::NotCountersigned { .. } => "not-decided-so",
            Self::NotFound { .. } => "not-found",
            Self::NoPushCertificate => "no-push-certificate",
            Self::BadInventory(_) => "bad-inventory",
            Self::BadScans(_) => "bad-scans",
            Self::BadLayer(_) => "bad-layer",
            Self::DoesNotFit(_) => "does-not-fit",
            Self::NotApproved(_) => "not-decided-so",
            Self::Invalid { .. } => "invalid",
            Self::Forbidden { .. } => "forbidden-by-rule",
            Self::NotValidated(_) => "not-validated",
            Self::NotValidatedSo(_) => "not-decided-so",
            Self::Worded(worded) if worded.rule().is_some() => "forbidden-by-rule",
            Self::Worded(_) | Self::Conflict(_) => "conflict",
            Self::Busy | Self::UploadsBusy { .. } | Self::Store(_) => "unavailable",
            Self::DiskFull { .. } => "disk-full",
            Self::Internal(_) => "internal",
        }
    }

    /// The rule that decided, if one did.
    #[must_use]
    pub fn rule(&self) -> Option<RuleId> {
        match self {
            Self::Forbidden { rule, .. } => Some(*rule),
            Self::Worded(worded) => worded.rule(),
            Self::Stopped(_) | Self::NotReleased(_) | Self::NotOpened(_) => Some(RuleId::M5),
            Self::BadLayer(problems) => problems.iter().find_map(|problem| problem.rule),
            Self::DoesNotFit(refusals) => refusals.iter().find_map(profiles::Refusal::rule),
            Self::NotApproved(error) => Some(error.rule()),
            Self::NotManaged(error) => error.rule(),
            Self::NotGranted(error) => error.rule(),
            Self::NotRevoked(NotRevoked::AnotherOrganisation) => Some(RuleId::C3_1_7),
            Self::NotConfirmed(error) => Some(error.rule()),
            Self::NotCountersigned { purpose, why } => Some(why.rule(*purpose)),
            Self::NotValidated(error) => Some(error.rule()),
            Self::NotValidatedSo(error) => Some(error.rule()),
            _ => None,
        }
    }

    /// Why the word of a second person, asked for this purpose, does not count.
    pub(crate) fn not_countersigned(purpose: Purpose, why: NotCountersigned) -> Self {
        match why {
            NotCountersigned::NotAllowed(missing) => Self::NotAllowed(missing),
            why => Self::NotCountersigned { purpose, why },
        }
    }

    pub(crate) fn invalid(field: &'static str, problem: impl std::fmt::Display) -> Self {
        Self::Invalid { field, problem: problem.to_string() }
    }

    pub(crate) fn not_found(noun: &'static str, id: impl std::fmt::Display) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }
}

/// A missing right is told as such, whatever was to be decided: a program knows by its code that a code of the
/// second factor is missing.
macro_rules! of_decisions {
    ($($error:ident),*) => {$(
        impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                match error {
                    $error::NotAllowed(missing) => Self::NotAllowed(missing),
                    error => Self::$error(error),
                }
            }
        }
    )*};
}
of_decisions!(NotManaged, NotGranted, NotRevoked, NotAsked, NotOpened);
