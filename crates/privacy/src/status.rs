//! The switch: whether an activity may process personal data now (C3.1.6).

use types::{AccountId, Digest, Instant, RuleId, ValidationId};

use crate::{Activity, Change, Entry, Gate, Language, Validation, Withdrawal};

/// The proof that a DPO validated the present entry of an activity, and that this stands: what a feature that
/// processes personal data asks for. It comes from [`check`] only, also when the validation is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated {
    activity: Activity,
    validation: ValidationId,
    digest: Digest,
    by: AccountId,
    at: Instant,
}

impl Validated {
    /// The only activity it lets process.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activity
    }

    /// The validation it rests on.
    #[must_use]
    pub fn validation(&self) -> ValidationId {
        self.validation
    }

    /// The digest of the entry, which is the present one.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The DPO's account.
    #[must_use]
    pub fn by(&self) -> AccountId {
        self.by
    }

    /// Since when.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }
}

/// Why an activity is not validated, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotValidated {
    /// No DPO ever validated it.
    #[error(
        "`{activity}` was never validated by a DPO: ask one to read its entry (`ardoise privacy register`) and to validate it (C3.1.6)"
    )]
    Never {
        /// The activity.
        activity: Activity,
    },
    /// A DPO took the validation back.
    #[error(
        "the validation of `{activity}` was withdrawn at {} by a DPO: ask them why; only a new validation puts it back (C3.1.6)",
        withdrawal.at
    )]
    Withdrawn {
        /// The activity.
        activity: Activity,
        /// Who took it back, and when.
        withdrawal: Withdrawal,
    },
    /// What was validated is not what stands in the register now.
    #[error(
        "the validation of `{activity}` of {validated_at} is void, because its entry is another now ({change}): ask a DPO to read it again (`ardoise privacy register`) and to validate it (C3.1.6)"
    )]
    Voided {
        /// The activity.
        activity: Activity,
        /// When it was validated.
        validated_at: Instant,
        /// What changed since.
        change: Change,
    },
    /// The validation is dated later than now.
    #[error(
        "the validation of `{activity}` is dated {validated_at}, later than now ({now}): set the machine's clock, then try again (C3.1.6)"
    )]
    InTheFuture {
        /// The activity.
        activity: Activity,
        /// The date it bears.
        validated_at: Instant,
        /// The present.
        now: Instant,
    },
}

impl NotValidated {
    /// The rule behind the refusal.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        RuleId::C3_1_6
    }

    /// A code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Never { .. } => "never-validated",
            Self::Withdrawn { .. } => "validation-withdrawn",
            Self::Voided { .. } => "validation-void",
            Self::InTheFuture { .. } => "validation-in-the-future",
        }
    }

    /// The reason in a language of the register.
    #[must_use]
    pub fn in_words(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Never { activity } => format!(
                "`{activity}` n'a jamais été validé par un délégué à la protection des données : demandez-lui de lire \
                 l'entrée (`ardoise privacy register`) et de la valider (C3.1.6)"
            ),
            Self::Withdrawn { activity, withdrawal } => format!(
                "la validation de `{activity}` a été retirée le {} par un délégué à la protection des données : \
                 demandez-lui-en la raison ; seule une nouvelle validation la rétablit (C3.1.6)",
                withdrawal.at
            ),
            Self::Voided { activity, validated_at, change } => format!(
                "la validation de `{activity}` du {validated_at} est caduque, car l'entrée n'est plus la même ({}) : \
                 demandez au délégué de la relire (`ardoise privacy register`) et de la valider (C3.1.6)",
                change.in_french()
            ),
            Self::InTheFuture { activity, validated_at, now } => format!(
                "la validation de `{activity}` est datée du {validated_at}, après l'instant présent ({now}) : mettez \
                 l'horloge de la machine à l'heure, puis réessayez (C3.1.6)"
            ),
        }
    }
}

/// Whether an activity's present entry is validated.
///
/// `validations` are all that were ever recorded, of this activity and of others, in any order. One counts if
/// it is of exactly the present entry, was not withdrawn, and was given after the last withdrawal: whoever
/// takes one back takes back all that came before it, so that no forgotten older one keeps the activity on.
/// An older one of the present entry counts though a newer one is of another entry: nodes of two versions
/// serve side by side during an upgrade, and each is right about what it stores.
///
/// # Errors
/// [`NotValidated`], with what to do next.
pub fn check(entry: &Entry, validations: &[Validation], now: Instant) -> Result<Validated, NotValidated> {
    let activity = entry.activity();
    let mut ours: Vec<&Validation> = validations.iter().filter(|it| it.activity() == activity).collect();
    ours.sort_by_key(|validation| (validation.at(), validation.id()));
    let withdrawal = ours.iter().filter_map(|it| it.withdrawn()).max_by_key(|withdrawal| withdrawal.at);
    let stands = |validation: &&Validation| {
        validation.withdrawn().is_none()
            && withdrawal.is_none_or(|withdrawal| withdrawal.at < validation.at())
    };
    let standing: Vec<&Validation> = ours.into_iter().filter(stands).collect();

    let present = entry.digest();
    let of_this = standing.iter().rev().find(|validation| validation.digest() == present);
    match (of_this, standing.last(), withdrawal) {
        (Some(validation), ..) if validation.at() > now => {
            Err(NotValidated::InTheFuture { activity, validated_at: validation.at(), now })
        }
        (Some(validation), ..) => Ok(Validated {
            activity,
            validation: validation.id(),
            digest: present,
            by: validation.by(),
            at: validation.at(),
        }),
        (None, Some(last), _) => Err(NotValidated::Voided {
            activity,
            validated_at: last.at(),
            change: entry.stored().since(last.stored()),
        }),
        (None, None, Some(withdrawal)) => Err(NotValidated::Withdrawn { activity, withdrawal }),
        (None, None, None) => Err(NotValidated::Never { activity }),
    }
}

/// Where an activity stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing is stored for it.
    NothingStored,
    /// It runs from the start; whether the DPO has looked is said all the same.
    FromTheStart(Result<Validated, NotValidated>),
    /// It is on.
    On(Validated),
    /// It is off.
    Off(NotValidated),
}

impl Status {
    /// Where the activity of an entry stands now.
    #[must_use]
    pub fn of(entry: &Entry, validations: &[Validation], now: Instant) -> Self {
        let checked = check(entry, validations, now);
        match (entry.wording().gate, checked) {
            _ if entry.stores_nothing() => Self::NothingStored,
            (Gate::FromTheStart(_), checked) => Self::FromTheStart(checked),
            (Gate::OffUntilValidated, Ok(validated)) => Self::On(validated),
            (Gate::OffUntilValidated, Err(reason)) => Self::Off(reason),
        }
    }

    /// A code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NothingStored => "nothing-stored",
            Self::FromTheStart(_) => "from-the-start",
            Self::On(_) => "on",
            Self::Off(_) => "off",
        }
    }

    /// The validation that stands, if one does.
    #[must_use]
    pub fn validated(&self) -> Option<&Validated> {
        match self {
            Self::On(validated) | Self::FromTheStart(Ok(validated)) => Some(validated),
            Self::NothingStored | Self::FromTheStart(Err(_)) | Self::Off(_) => None,
        }
    }

    /// Why none stands, if something is stored and none does.
    #[must_use]
    pub fn not_validated(&self) -> Option<&NotValidated> {
        match self {
            Self::Off(reason) | Self::FromTheStart(Err(reason)) => Some(reason),
            Self::NothingStored | Self::FromTheStart(Ok(_)) | Self::On(_) => None,
        }
    }
}
