//! Why something about a loan is not done so.

use types::{Day, LoanId, RepairId, RestitutionId, RuleId, Uai};

use crate::readiness::{Obstacle, in_words};

/// A decision of this room that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A change of a list is elsewhere.
    #[error("this change of the list cannot be {to}: it is {is}")]
    ListStep {
        /// What was asked for.
        to: &'static str,
        /// Where it is, and what comes next.
        is: &'static str,
    },
    /// Two steps that take two persons.
    #[error("this takes two different persons: ask somebody else to sign")]
    SamePerson,
    /// A handover that must wait.
    #[error("the tablet cannot be handed over: {}", in_words(.0))]
    NotReady(Vec<Obstacle>),
    /// A loan is elsewhere.
    #[error("loan {loan} cannot be {what}: it is {is}")]
    LoanStands {
        /// The loan.
        loan: LoanId,
        /// What was asked for.
        what: &'static str,
        /// Where it is.
        is: &'static str,
        /// The rule.
        rule: RuleId,
    },
    /// The holder has another tablet.
    #[error("the holder was lent another tablet meanwhile (loan {0}): take that one back first")]
    HoldsAnother(LoanId),
    /// A measure that outlasts what it is about.
    #[error(
        "a restriction ends at the latest with the school year, and with its holder’s attendance: until {last}, or lift it \
         before"
    )]
    RestrictedTooLong {
        /// The last day that it may have.
        last: Day,
    },
    /// Deposits are for pupils.
    #[error("only pupils deposit their tablets for the summer")]
    NotAPupil,
    /// It is too early, or too late, for a deposit.
    #[error("tablets are deposited from 14 days before the summer break on, which begins on {summer}")]
    NotSummer {
        /// The first day of the break.
        summer: Day,
    },
    /// The summer is not over.
    #[error("the summer break is not over: in every case pupils’ tablets stay in the collège until then")]
    StillSummer,
    /// A letter of tomorrow.
    #[error("the letter is dated {0}, which is later than today")]
    LetterFromTheFuture(Day),
    /// Guardians of somebody who has none here.
    #[error("only a pupil’s guardians end a loan by letter; another user’s loan is ended by themselves")]
    NotTheirs,
    /// A restitution is elsewhere.
    #[error("restitution {restitution} cannot be {what}: it is {is}")]
    RestitutionStands {
        /// The restitution.
        restitution: RestitutionId,
        /// What was asked for.
        what: &'static str,
        /// Where it is.
        is: &'static str,
    },
    /// A decision without its subject.
    #[error("the decision does not name {names}")]
    NoSubject {
        /// What is missing.
        names: &'static str,
        /// The rule.
        rule: RuleId,
    },
    /// A retirement is the département's.
    #[error("a retirement is decided by the département, which owns the tablet")]
    NotTheirDecision,
    /// A donation begins with the head.
    #[error("the head proposes a donation first; then the département decides")]
    NotProposed,
    /// It was taken back.
    #[error("the decision was taken back: begin another")]
    Withdrawn,
    /// Only pupils are given a tablet.
    #[error("a tablet is given to the 3e pupil who holds it, and to nobody else")]
    GivenToPupils,
    /// A tablet is not sent to its supplier so.
    #[error("the tablet cannot be sent to its supplier: {0}")]
    NotSent(&'static str),
    /// A repair is over.
    #[error("repair {repair} is over: {is}")]
    RepairOver {
        /// The repair.
        repair: RepairId,
        /// How it ended.
        is: &'static str,
    },
    /// A tablet is not given to another collège so.
    #[error("the tablet cannot go to another collège: {0}")]
    StaysHere(&'static str),
    /// A transfer is over.
    #[error("the transfer was done, or taken back: propose another")]
    TransferOver,
    /// Somebody of neither side.
    #[error("the transfer is from {from} to {to}: one person of each consents")]
    NotTheirSide {
        /// Who gives.
        from: Uai,
        /// Who takes.
        to: Uai,
    },
    /// A departure is elsewhere.
    #[error("the tablet cannot be {what}: {is}")]
    DepartureStands {
        /// What was asked for.
        what: &'static str,
        /// Where it is, and what comes next.
        is: &'static str,
    },
}

impl Refused {
    /// The rule behind the refusal.
    #[must_use]
    pub fn rule(&self) -> RuleId {
        match self {
            Self::ListStep { .. } => RuleId::C4_2,
            Self::SamePerson => RuleId::C3_1_7,
            // The first that stands in the way; each says its own.
            Self::NotReady(obstacles) => obstacles.first().map_or(RuleId::C5_3_4, Obstacle::rule),
            Self::LoanStands { rule, .. } | Self::NoSubject { rule, .. } => *rule,
            Self::HoldsAnother(_) => RuleId::C5_3_1,
            Self::RestrictedTooLong { .. } => RuleId::C5_2_5,
            Self::NotAPupil | Self::NotSummer { .. } | Self::StillSummer => RuleId::C5_2_2,
            Self::LetterFromTheFuture(_) | Self::NotTheirs => RuleId::C5_2_4,
            Self::RestitutionStands { .. } => RuleId::M3,
            Self::NotTheirDecision => RuleId::C3_3_2,
            Self::NotProposed | Self::Withdrawn | Self::GivenToPupils | Self::DepartureStands { .. } => {
                RuleId::C5_1_2
            }
            Self::NotSent(_) | Self::RepairOver { .. } => RuleId::C5_4_5,
            Self::StaysHere(_) | Self::TransferOver | Self::NotTheirSide { .. } => RuleId::C3_3_2,
        }
    }
}
