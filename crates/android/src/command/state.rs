//! A command and where it stands.

use types::{CommandId, EnrolmentId, Instant};

use crate::words::{Words, words};

types::text_enum! {
    /// What a tablet is told to do once.
    Kind: "command of the agent" {
        /// To erase itself: only by an erase order (M3).
        Wipe = "wipe",
        /// To start again.
        Reboot = "reboot",
        /// To take another access code, or none (C5.3.3).
        ClearCode = "clear-code",
    }

    /// Why a command came to nothing before it was confirmed.
    Voided: "end of a command" {
        /// What it rested on ended.
        OrderGone = "order-gone",
        /// Its time passed.
        TooLate = "too-late",
        /// The tablet enrolled again: what was queued for the former enrolment is not for this one (T-A5, T-A19).
        EnrolledAgain = "enrolled-again",
        /// Somebody took it back.
        Withdrawn = "withdrawn",
    }

    /// Why a command that reached the tablet did nothing.
    Failure: "failure of a command" {
        /// The agent is no longer device administrator, and cannot wipe.
        NotAdministrator = "not-administrator",
        /// It was taken, and the tablet speaks as before: the answer was lost, or the tablet refused.
        SpokeAgain = "spoke-again",
        /// The tablet fetched it several times and never confirmed it.
        NeverConfirmed = "never-confirmed",
    }
}

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The tablet has not seen it.
    Queued,
    /// The tablet has it in its configuration, and has not confirmed it.
    Fetched {
        /// When it last fetched it.
        at: Instant,
        /// How often.
        times: u8,
    },
    /// The tablet asked, and was told to go on: once.
    Confirmed {
        /// When.
        at: Instant,
    },
    /// It reached the tablet and did nothing.
    Failed {
        /// When that was known.
        at: Instant,
        /// Why.
        why: Failure,
    },
    /// It came to nothing.
    Void {
        /// When.
        at: Instant,
        /// Why.
        why: Voided,
    },
}

/// A command for one enrolment of a tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Which one.
    pub id: CommandId,
    /// For which enrolment, and no other.
    pub enrolment: EnrolmentId,
    /// What.
    pub kind: Kind,
    /// When it was queued.
    pub queued_at: Instant,
    /// The first instant at which it may no longer be carried out; each command has one.
    pub not_after: Instant,
    /// Where it stands.
    pub state: State,
}

/// What a command rests on, looked at now. A wipe stands only while its `EraseOrder` can be read back; the others rest on
/// themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It may be carried out.
    Stands,
    /// Not now.
    Held(Held),
    /// Never again.
    Gone(Gone),
}

/// Why a command that stands is not carried out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The switch stops everything that destroys (M5).
    Switch,
    /// The day's budget is spent, and no second person has answered (M5).
    Brake,
    /// Its order waits: it is too early, its holder was not told, or something keeps the tablet as it is.
    Order,
}

/// Why a command is never carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// What it rested on ended: the order was called off, or the tablet found or lent again (T-A19).
    Order,
    /// Somebody took it back.
    Withdrawn,
}

impl State {
    /// Whether anything can still become of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Fetched { .. })
    }

    /// A word for programs, and what is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Fetched { .. } => "fetched",
            Self::Confirmed { .. } => "confirmed",
            Self::Failed { .. } => "failed",
            Self::Void { .. } => "void",
        }
    }
}

impl Failure {
    /// What happened, and what to do next.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::NotAdministrator => words(
                "the agent is no longer device administrator of this tablet and cannot carry it out: set the tablet up again with its code",
                "l’agent n’est plus administrateur de cette tablette et ne peut pas l’exécuter : réinstallez la tablette avec son code",
            ),
            Self::SpokeAgain => words(
                "the tablet confirmed it and then spoke as before: it did not do it. Have it in hand, and ask again",
                "la tablette l’a confirmé puis a continué comme avant : elle ne l’a pas fait. Prenez-la en main et redemandez",
            ),
            Self::NeverConfirmed => words(
                "the tablet fetched it several times and never confirmed it: look at it on the tablet",
                "la tablette l’a reçu plusieurs fois sans jamais le confirmer : vérifiez sur la tablette",
            ),
        }
    }
}

impl Voided {
    /// What happened.
    #[must_use]
    pub const fn words(self) -> Words {
        match self {
            Self::OrderGone => words("what it rested on has ended", "ce sur quoi cela reposait a pris fin"),
            Self::TooLate => words(
                "the tablet did not come for it in time: ask again",
                "la tablette ne s’est pas connectée à temps : redemandez",
            ),
            Self::EnrolledAgain => words(
                "the tablet was set up again in the meantime: ask again if it is still wanted",
                "la tablette a été réinstallée entre-temps : redemandez si c’est encore voulu",
            ),
            Self::Withdrawn => words("somebody took it back", "quelqu’un l’a retiré"),
        }
    }
}
