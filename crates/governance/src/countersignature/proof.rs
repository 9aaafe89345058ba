//! A second person's signature, at the moment it is used.

use types::{AccountId, CountersignatureId, Digest, Instant};

use crate::Hands;

use super::{Asked, Content, CountersignatureState, NotCountersigned, Parties, Purpose, Subject};

/// Proof that a second person signed exactly this: what everything takes that needs two persons.
///
/// It is consumed by what it unlocks, and its row says so: a signature serves once.
#[derive(Debug, PartialEq, Eq)]
pub struct Countersigned {
    id: CountersignatureId,
    purpose: Purpose,
    subject: Subject,
    content: Digest,
    asked_by: AccountId,
    answered_by: AccountId,
    answered_at: Instant,
}

impl Countersigned {
    /// Looks at a given countersignature again, for the use at hand.
    ///
    /// It counts only while both persons could still do their part. Whoever signed and was suspended since,
    /// or lost the role, no longer stands by it: a stolen account is found out by what it signed, and
    /// suspending it must stop what was not done yet. Since signatures are used within a day, whoever merely
    /// changed their work costs one more question.
    ///
    /// # Errors
    /// [`NotCountersigned`] when it was not given, was used, is stale or from the future, is for another
    /// purpose, subject or content, or when either person could not do it again now.
    pub fn read_back(
        asked: &Asked,
        purpose: Purpose,
        subject: &Subject,
        content: &Content,
        parties: Parties<'_>,
        now: Instant,
    ) -> Result<Self, NotCountersigned> {
        let (answered_by, answered_at) = match (asked.state(now), asked.answered) {
            (CountersignatureState::Given, Some(answered)) => answered,
            (state, _) => return Err(NotCountersigned::Ended { state }),
        };
        if let Some((at, _what)) = asked.used() {
            return Err(NotCountersigned::Used { at });
        }
        if asked.question.purpose != purpose {
            return Err(NotCountersigned::ForAnother { what: "purpose" });
        }
        if asked.question.subject != *subject {
            return Err(NotCountersigned::ForAnother { what: "subject" });
        }
        if asked.question.content != *content {
            return Err(NotCountersigned::ForAnother { what: "content" });
        }
        if now < answered_at {
            return Err(NotCountersigned::InTheFuture { at: answered_at });
        }
        if now >= answered_at.plus(purpose.good_for()) {
            return Err(NotCountersigned::Stale { at: answered_at });
        }
        if parties.asker.account() != asked.asked_by || parties.second.account() != answered_by {
            return Err(NotCountersigned::OtherParties);
        }
        asked.may_still_ask(parties.asker, now)?;
        asked.may_answer(parties, now)?;
        Ok(Self {
            id: asked.id,
            purpose,
            subject: subject.clone(),
            content: content.digest(),
            asked_by: asked.asked_by,
            answered_by,
            answered_at,
        })
    }

    /// Whether it was signed for exactly this.
    #[must_use]
    pub fn is_for(&self, purpose: Purpose, subject: &Subject, content: &Content) -> bool {
        self.purpose == purpose && self.subject == *subject && self.content == content.digest()
    }

    /// Whether this and another signature are two persons': where the département and the académie both sign,
    /// nobody may stand behind both (C3.1.7).
    #[must_use]
    pub fn is_independent_of(&self, other: &Self, hands: &Hands) -> bool {
        hands.independent(self.answered_by, other.answered_by)
    }

    /// The countersignature, whose row is marked as used.
    #[must_use]
    pub fn id(&self) -> CountersignatureId {
        self.id
    }

    /// What it was signed for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The digest of what exactly was signed.
    #[must_use]
    pub fn content(&self) -> Digest {
        self.content
    }

    /// Who asked.
    #[must_use]
    pub fn asked_by(&self) -> AccountId {
        self.asked_by
    }

    /// Who signed.
    #[must_use]
    pub fn answered_by(&self) -> AccountId {
        self.answered_by
    }

    /// When.
    #[must_use]
    pub fn answered_at(&self) -> Instant {
        self.answered_at
    }
}
