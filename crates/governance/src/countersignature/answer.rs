//! The second person's answer: who may give it, and when it is none.

use types::{AccountId, Digest, Instant, OrganisationKind, Role, RuleId};

use super::{Asked, CountersignatureState, Purpose, SecondPerson};
use crate::hands::TIED_FOR;
use crate::{Access, GrantReach, Hands, Maker, NotAllowed, Organisation, Permission, RoleGrant, Standing};

/// What the second person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes: they sign.
    Give,
    /// No.
    Refuse,
}

/// Both persons as they are now, and who has a hand in whom.
#[derive(Debug, Clone, Copy)]
pub struct Parties<'a> {
    /// Whoever asked.
    pub asker: &'a Standing,
    /// Whoever answers, or did.
    pub second: &'a Standing,
    /// Who made or reset whom of late.
    pub hands: &'a Hands,
}

/// An answer that may be stored: on a row that still waits, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    state: CountersignatureState,
    by: AccountId,
    at: Instant,
}

impl Answer {
    /// What the countersignature becomes.
    #[must_use]
    pub fn state(&self) -> CountersignatureState {
        self.state
    }

    /// Who answered.
    #[must_use]
    pub fn by(&self) -> AccountId {
        self.by
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Instant {
        self.at
    }
}

/// Why a second person's word does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCountersigned {
    /// Whoever answers may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// It no longer waits, or was never given.
    #[error("this request is {state}")]
    Ended {
        /// What became of it.
        state: CountersignatureState,
    },
    /// Now is earlier than what comes before: the clock was set back.
    #[error("this request, or its answer, is dated {at}, later than now; check the clock")]
    InTheFuture {
        /// The later instant.
        at: Instant,
    },
    /// Nobody signs for themselves.
    #[error("whoever asked cannot answer; a second person must")]
    Oneself,
    /// Nor for what is done to their own account.
    #[error("whoever it is about cannot answer; a third person must")]
    Concerned,
    /// One person may stand behind both accounts.
    #[error(
        "both accounts were made or reset by one hand in the last 30 days, or one of them by the other's; \
         somebody else must answer (C3.1.7)"
    )]
    OneHand,
    /// The role that would let them answer was given by whoever asks, or could be them.
    #[error(
        "the role that would let you answer was given by whoever asked, or by one hand with them, less than 30 \
         days ago (C3.1.7)"
    )]
    RoleFromTheAsker,
    /// Somebody else answers this.
    #[error("this is answered by {}", .second.in_words())]
    NotTheSecond {
        /// Who may.
        second: SecondPerson,
    },
    /// A token that is limited to collèges signs for nothing beyond them.
    #[error("this token is limited to some collèges, and cannot answer for what lies beyond them; sign in")]
    BeyondTheToken,
    /// Whoever asked could no longer ask.
    #[error("whoever asked has lost the right to since; the request goes no further")]
    AskerLeft,
    /// What the second person saw is not what was asked.
    #[error("what you looked at is not what is asked now; look at it again")]
    NotSeen,
    /// It was signed for something else.
    #[error("this was signed for something else ({what} differs)")]
    ForAnother {
        /// Purpose, subject or content.
        what: &'static str,
    },
    /// It was signed too long ago.
    #[error("this was signed at {at}, too long ago; ask again")]
    Stale {
        /// When.
        at: Instant,
    },
    /// It was used before.
    #[error("this was used at {at}; a signature serves once")]
    Used {
        /// When.
        at: Instant,
    },
    /// The persons at hand are not those of the row.
    #[error("this was asked or answered by somebody else")]
    OtherParties,
}

impl NotCountersigned {
    /// The rule that decided, for a request of this purpose.
    #[must_use]
    pub const fn rule(&self, purpose: Purpose) -> RuleId {
        match self {
            Self::OneHand | Self::RoleFromTheAsker => RuleId::C3_1_7,
            _ => purpose.rule(),
        }
    }
}

impl Asked {
    /// The second person's answer to what they looked at, which `seen` names by its digest.
    ///
    /// Signing takes more than refusing: nobody signs for somebody who lost the right to ask, and anybody who
    /// may answer may refuse.
    ///
    /// # Errors
    /// [`NotCountersigned`].
    pub fn answer(
        &self,
        verdict: Verdict,
        seen: Digest,
        parties: Parties<'_>,
        access: &Access,
        now: Instant,
    ) -> Result<Answer, NotCountersigned> {
        parties.second.may(Permission::AnswerCountersignature, access, now)?;
        self.within_reach_of(access)?;
        match self.state(now) {
            CountersignatureState::Waiting => {}
            state => return Err(NotCountersigned::Ended { state }),
        }
        if now < self.asked_at {
            return Err(NotCountersigned::InTheFuture { at: self.asked_at });
        }
        if parties.asker.account() != self.asked_by {
            return Err(NotCountersigned::OtherParties);
        }
        self.may_answer(parties, now)?;
        if seen != self.question.content.digest() {
            return Err(NotCountersigned::NotSeen);
        }
        let state = match verdict {
            Verdict::Give => {
                self.may_still_ask(parties.asker, now)?;
                CountersignatureState::Given
            }
            Verdict::Refuse => CountersignatureState::Refused,
        };
        Ok(Answer { state, by: parties.second.account(), at: now })
    }

    /// Passes whoever could be the second person now: to answer, or to stand by what they signed.
    ///
    /// # Errors
    /// [`NotCountersigned`].
    pub fn may_answer(&self, parties: Parties<'_>, now: Instant) -> Result<(), NotCountersigned> {
        let Parties { second, hands, .. } = parties;
        second.in_use()?;
        if second.account() == self.asked_by {
            return Err(NotCountersigned::Oneself);
        }
        if self.question.subject.concerned() == Some(second.account()) {
            return Err(NotCountersigned::Concerned);
        }
        let who = &self.question.second;
        let mut titles =
            second.in_force(now).filter(|grant| is_title(who, second.organisation(), grant)).peekable();
        if titles.peek().is_none() {
            return Err(NotCountersigned::NotTheSecond { second: who.clone() });
        }
        if !hands.independent(second.account(), self.asked_by) {
            return Err(NotCountersigned::OneHand);
        }
        let from_the_asker = |grant: &RoleGrant| match grant.granted_by() {
            Maker::Host => false,
            Maker::Account(giver) => {
                !hands.independent(giver, self.asked_by) && now.since(grant.granted_at()) <= TIED_FOR
            }
        };
        if titles.all(from_the_asker) {
            return Err(NotCountersigned::RoleFromTheAsker);
        }
        Ok(())
    }

    /// Passes whoever could sign it now, coming in this way: who may answer, for an asker who could still ask. That a code must be
    /// shown first is said when they sign.
    ///
    /// # Errors
    /// [`NotCountersigned`].
    pub fn may_be_signed(
        &self,
        parties: Parties<'_>,
        access: &Access,
        now: Instant,
    ) -> Result<(), NotCountersigned> {
        match parties.second.may(Permission::AnswerCountersignature, access, now) {
            // Whoever has no role that answers is told below who does.
            Ok(_) | Err(NotAllowed::StepUp { .. } | NotAllowed::NoRole { .. }) => {}
            Err(why) => return Err(why.into()),
        }
        self.within_reach_of(access)?;
        self.may_answer(parties, now)?;
        self.may_still_ask(parties.asker, now)
    }

    /// A token never reaches further than its limits: what is asked must be the matter of a collège it reaches.
    fn within_reach_of(&self, access: &Access) -> Result<(), NotCountersigned> {
        let Some(only) = access.only() else { return Ok(()) };
        match &self.question.second {
            SecondPerson::HeadOrDepartement { uai } if only.contains(uai) => Ok(()),
            _ => Err(NotCountersigned::BeyondTheToken),
        }
    }

    /// Passes an asker who could still ask.
    pub(super) fn may_still_ask(&self, asker: &Standing, now: Instant) -> Result<(), NotCountersigned> {
        let needed = [Some(Permission::AskCountersignature), self.question.purpose.asked_with()];
        if needed.into_iter().flatten().all(|permission| asker.reach(permission, now).is_some()) {
            Ok(())
        } else {
            Err(NotCountersigned::AskerLeft)
        }
    }

    /// Takes it back, which only whoever asked can do.
    ///
    /// # Errors
    /// [`NotCountersigned::Ended`] if it no longer waits, [`NotCountersigned::OtherParties`] for anybody
    /// else.
    pub fn withdraw(&self, by: &Standing, now: Instant) -> Result<CountersignatureState, NotCountersigned> {
        by.in_use()?;
        if by.account() != self.asked_by {
            return Err(NotCountersigned::OtherParties);
        }
        match self.state(now) {
            CountersignatureState::Waiting => Ok(CountersignatureState::Withdrawn),
            state => Err(NotCountersigned::Ended { state }),
        }
    }
}

/// Whether a role makes its bearer, of this organisation, that second person.
fn is_title(who: &SecondPerson, of: &Organisation, grant: &RoleGrant) -> bool {
    match who {
        SecondPerson::Departement => {
            of.kind() == OrganisationKind::Departement
                && matches!(grant.role(), Role::Operator | Role::Administrator)
                && *grant.reach() == GrantReach::Organisation
        }
        SecondPerson::Approver { organisation } => of.id() == *organisation && grant.role() == Role::Approver,
        SecondPerson::Manager { organisation } => {
            of.id() == *organisation
                && matches!(grant.role(), Role::Administrator | Role::Head | Role::Approver)
        }
        SecondPerson::HeadOrDepartement { uai } => match (grant.role(), grant.reach()) {
            (Role::Head, _) => of.uai() == Some(uai),
            (Role::Operator, GrantReach::Organisation) => true,
            (Role::Operator, GrantReach::Colleges(colleges)) => colleges.contains(uai),
            _ => false,
        },
    }
}
