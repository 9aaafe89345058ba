//! What a second person is asked for: who may ask, who may answer, and for how long.

use types::{
    AccountId, Digest, Duration, IncidentId, InvalidName, OrganisationId, OrganisationKind, RoleGrantId,
    RuleId, TabletId, Uai, WarrantId, text_enum,
};

use crate::Permission;

text_enum! {
    /// What a second person is asked for.
    Purpose: "purpose of a countersignature" {
        /// That somebody may approve (C3.1.7).
        ConfirmApprover = "confirm-approver",
        /// That both the password and the second factor of an account are reset (C3.1.7).
        RecoverAccount = "recover-account",
        /// That an organisation gets an account from outside, with which it manages the rest (C3.1.7).
        FirstAccount = "first-account",
        /// That what the brake holds goes on (M5).
        ExceedBudget = "exceed-budget",
        /// That a campaign of restitutions is opened (M5).
        OpenCampaign = "open-campaign",
        /// That the switch is released (M5).
        ReleaseBrake = "release-brake",
        /// That tablets which a restored database does not know are taken back (M5).
        ReadoptOrphans = "readopt-orphans",
        /// What the département and the académie decide jointly (C3.1.1): one signature of each.
        Approve = "approve",
        /// That a location warrant lasts longer (M1).
        ExtendWarrant = "extend-warrant",
        /// That a tablet is given away (C5.1.2).
        GiveAway = "give-away",
        /// That a tablet is released from its owner's account at Apple or Google, which nobody undoes
        /// (C5.1.2).
        ReleaseTablet = "release-tablet",
        /// That a tablet may be located, under a warrant (M1).
        GrantWarrant = "grant-warrant",
        /// That a stolen tablet is erased wherever it is, as the head proposes (M3).
        EraseStolen = "erase-stolen",
    }
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl Purpose {
    /// The longest that any request waits.
    pub(crate) const LONGEST_WAIT: Duration = DAY.saturating_mul(30);

    /// What whoever asks must be permitted to do, beside asking; `None` where the room of that decision says.
    #[must_use]
    pub const fn asked_with(self) -> Option<Permission> {
        match self {
            Self::ConfirmApprover => Some(Permission::GrantRoles),
            Self::FirstAccount => Some(Permission::ManageOrganisations),
            Self::OpenCampaign => Some(Permission::OpenCampaign),
            Self::ReleaseBrake => Some(Permission::ReleaseBrake),
            Self::ReadoptOrphans => Some(Permission::ReadoptOrphans),
            Self::RecoverAccount => Some(Permission::ManageAccounts),
            Self::GrantWarrant | Self::ExtendWarrant => Some(Permission::AskWarrant),
            Self::EraseStolen => Some(Permission::ProposeErasure),
            Self::ExceedBudget | Self::Approve | Self::GiveAway | Self::ReleaseTablet => None,
        }
    }

    /// How long it waits for an answer. What destroys is asked about while the reason is fresh.
    #[must_use]
    pub const fn waits_for(self) -> Duration {
        match self {
            Self::ExceedBudget
            | Self::ReleaseBrake
            | Self::GrantWarrant
            | Self::ExtendWarrant
            | Self::EraseStolen
            | Self::RecoverAccount => DAY,
            Self::ConfirmApprover | Self::FirstAccount | Self::OpenCampaign | Self::ReadoptOrphans => {
                DAY.saturating_mul(7)
            }
            Self::GiveAway | Self::ReleaseTablet | Self::Approve => Self::LONGEST_WAIT,
        }
    }

    /// How long a signature that was given may wait to be used. Signatures are no stock: what was signed is
    /// done soon, or asked again.
    #[must_use]
    pub const fn good_for(self) -> Duration {
        match self {
            // The other organisation's signature may come weeks later.
            Self::Approve => DAY.saturating_mul(30),
            _ => HOUR.saturating_mul(24),
        }
    }

    /// The rule that asks for a second person.
    #[must_use]
    pub const fn rule(self) -> RuleId {
        match self {
            Self::ConfirmApprover | Self::RecoverAccount | Self::FirstAccount => RuleId::C3_1_7,
            Self::ExceedBudget | Self::OpenCampaign | Self::ReleaseBrake | Self::ReadoptOrphans => RuleId::M5,
            Self::Approve => RuleId::C3_1_1,
            Self::GrantWarrant | Self::ExtendWarrant => RuleId::M1,
            Self::EraseStolen => RuleId::M3,
            Self::GiveAway | Self::ReleaseTablet => RuleId::C5_1_2,
        }
    }

    /// Whether it can be about this.
    #[must_use]
    pub const fn fits(self, subject: &Subject) -> bool {
        matches!(
            (self, subject),
            (Self::ConfirmApprover, Subject::Grant { .. })
                | (Self::RecoverAccount, Subject::Account(_))
                | (Self::FirstAccount, Subject::Organisation(_))
                | (Self::ExceedBudget, Subject::Held)
                | (Self::OpenCampaign, Subject::Campaign)
                | (Self::ReleaseBrake, Subject::Switch)
                | (Self::ReadoptOrphans, Subject::Orphans)
                | (Self::Approve, Subject::Version(_))
                | (Self::GrantWarrant | Self::EraseStolen, Subject::Incident(_))
                | (Self::ExtendWarrant, Subject::Warrant(_))
                | (Self::GiveAway | Self::ReleaseTablet, Subject::Tablet(_))
        )
    }

    /// Whether such a second person may be asked, by somebody of this organisation.
    #[must_use]
    pub fn may_be_answered(self, by: &SecondPerson, asker: (OrganisationId, OrganisationKind)) -> bool {
        let (organisation, kind) = asker;
        match (self, by) {
            (Self::ConfirmApprover, SecondPerson::Manager { organisation: of }) => *of == organisation,
            (Self::RecoverAccount, SecondPerson::Manager { organisation: of }) => *of == organisation,
            // Outside the département, nobody but the département can help where nobody else is left.
            (Self::RecoverAccount, SecondPerson::Departement) => true,
            (Self::FirstAccount, SecondPerson::Departement) => kind == OrganisationKind::Departement,
            (
                Self::ExceedBudget
                | Self::OpenCampaign
                | Self::ReleaseBrake
                | Self::ReadoptOrphans
                | Self::GiveAway
                | Self::ReleaseTablet
                | Self::EraseStolen,
                SecondPerson::Departement,
            ) => true,
            (Self::Approve, SecondPerson::Approver { .. }) => true,
            (Self::GrantWarrant | Self::ExtendWarrant, SecondPerson::HeadOrDepartement { .. }) => true,
            _ => false,
        }
    }
}

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecondPerson {
    /// An operator or administrator of the département, for the whole of it.
    Departement,
    /// Somebody with a right to approve, of this organisation.
    Approver {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// Somebody who manages the accounts of this organisation, or has a right to approve for it.
    Manager {
        /// The organisation.
        organisation: OrganisationId,
    },
    /// The head of this collège, or an operator of the département who reaches it.
    HeadOrDepartement {
        /// The collège.
        uai: Uai,
    },
}

impl SecondPerson {
    /// What a row says: a word, and the organisation or collège where the word needs one.
    ///
    /// # Errors
    /// [`InvalidName`].
    pub fn from_columns(
        role: &str,
        organisation: Option<OrganisationId>,
        uai: Option<Uai>,
    ) -> Result<Self, InvalidName> {
        match (role, organisation, uai) {
            ("departement", None, None) => Ok(Self::Departement),
            ("approver", Some(organisation), None) => Ok(Self::Approver { organisation }),
            ("manager", Some(organisation), None) => Ok(Self::Manager { organisation }),
            ("head-or-departement", None, Some(uai)) => Ok(Self::HeadOrDepartement { uai }),
            _ => Err(InvalidName::new(
                "second person",
                "departement, approver or manager of an organisation, or head-or-departement of a collège",
                role,
            )),
        }
    }

    /// The word that is stored, and shown by the API.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Departement => "departement",
            Self::Approver { .. } => "approver",
            Self::Manager { .. } => "manager",
            Self::HeadOrDepartement { .. } => "head-or-departement",
        }
    }

    /// The organisation it is about, if the word needs one.
    #[must_use]
    pub const fn organisation(&self) -> Option<OrganisationId> {
        match self {
            Self::Approver { organisation } | Self::Manager { organisation } => Some(*organisation),
            Self::Departement | Self::HeadOrDepartement { .. } => None,
        }
    }

    /// The collège it is about, if the word needs one.
    #[must_use]
    pub const fn uai(&self) -> Option<&Uai> {
        match self {
            Self::HeadOrDepartement { uai } => Some(uai),
            Self::Departement | Self::Approver { .. } | Self::Manager { .. } => None,
        }
    }

    /// In words, for whoever is not that person.
    #[must_use]
    pub const fn in_words(&self) -> &'static str {
        match self {
            Self::Departement => "an operator or administrator of the département, for the whole of it",
            Self::Approver { .. } => "somebody with a right to approve for that organisation",
            Self::Manager { .. } => "somebody who manages accounts, or may approve, in that organisation",
            Self::HeadOrDepartement { .. } => "the head of that collège, or an operator of the département",
        }
    }

    /// As [`in_words`](Self::in_words), in French.
    #[must_use]
    pub const fn in_french(&self) -> &'static str {
        match self {
            Self::Departement => "un opérateur ou un administrateur du département, pour tout le département",
            Self::Approver { .. } => "une personne qui peut approuver pour cette organisation",
            Self::Manager { .. } => {
                "une personne qui gère les comptes, ou peut approuver, dans cette organisation"
            }
            Self::HeadOrDepartement { .. } => "le chef de cet établissement, ou un opérateur du département",
        }
    }
}

/// What a countersignature is about. What exactly is said by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A right to approve, and the account it was given to.
    Grant {
        /// The grant.
        grant: RoleGrantId,
        /// Whose right it would be.
        to: AccountId,
    },
    /// An account.
    Account(AccountId),
    /// An organisation.
    Organisation(OrganisationId),
    /// What the brake holds; the content lists it.
    Held,
    /// A campaign; the content is its plan.
    Campaign,
    /// The switch.
    Switch,
    /// Tablets that a restored database does not know; the content lists them.
    Orphans,
    /// A version of what is decided jointly, by its hash.
    Version(Digest),
    /// An incident of a tablet.
    Incident(IncidentId),
    /// A location warrant.
    Warrant(WarrantId),
    /// A tablet.
    Tablet(TabletId),
}

impl Subject {
    /// The account that it would change, if it is about one: its holder is no second person.
    #[must_use]
    pub const fn concerned(&self) -> Option<AccountId> {
        match self {
            Self::Grant { to, .. } => Some(*to),
            Self::Account(account) => Some(*account),
            _ => None,
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Grant { grant, to } => write!(f, "role-grant:{grant}:{to}"),
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Organisation(organisation) => write!(f, "organisation:{organisation}"),
            Self::Held => f.write_str("held"),
            Self::Campaign => f.write_str("campaign"),
            Self::Switch => f.write_str("switch"),
            Self::Orphans => f.write_str("orphans"),
            Self::Version(digest) => write!(f, "version:{digest}"),
            Self::Incident(incident) => write!(f, "incident:{incident}"),
            Self::Warrant(warrant) => write!(f, "warrant:{warrant}"),
            Self::Tablet(tablet) => write!(f, "tablet:{tablet}"),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (noun, id) = text.split_once(':').unwrap_or((text, ""));
        let read = match noun {
            "role-grant" => id.split_once(':').and_then(|(grant, to)| {
                Some(Self::Grant { grant: grant.parse().ok()?, to: to.parse().ok()? })
            }),
            "account" => id.parse().ok().map(Self::Account),
            "organisation" => id.parse().ok().map(Self::Organisation),
            "version" => id.parse().ok().map(Self::Version),
            "incident" => id.parse().ok().map(Self::Incident),
            "warrant" => id.parse().ok().map(Self::Warrant),
            "tablet" => id.parse().ok().map(Self::Tablet),
            "held" => Some(Self::Held),
            "campaign" => Some(Self::Campaign),
            "switch" => Some(Self::Switch),
            "orphans" => Some(Self::Orphans),
            _ => None,
        };
        read.filter(|subject| subject.to_string() == text).ok_or_else(|| {
            InvalidName::new("subject of a countersignature", "a noun and the id of what it is about", text)
        })
    }
}
