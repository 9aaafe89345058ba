//! What was asked of a second person. Once asked, none of it changes.

use types::{AccountId, CountersignatureId, Digest, Instant, OrganisationId, Uai, text_enum};

use super::{Content, Purpose, SecondPerson, Subject};
use crate::{Access, BadRow, NotAllowed, Permission, Standing};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

text_enum! {
    /// Where a countersignature is in its life.
    CountersignatureState: "state of a countersignature" {
        /// It waits for its second person.
        Waiting = "waiting",
        /// The second person signed. It is used once.
        Given = "given",
        /// The second person refused.
        Refused = "refused",
        /// Whoever asked took it back.
        Withdrawn = "withdrawn",
        /// Nobody answered in time.
        Expired = "expired",
        /// It is of before a restore, and counts for nothing (M5).
        Void = "void",
    }
}

impl CountersignatureState {
    /// Whether it may go from this state to that one. Only what waits is answered; what was given and not
    /// used is voided by a restore; what ended stays ended.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Waiting, Self::Given | Self::Refused | Self::Withdrawn | Self::Expired | Self::Void)
                | (Self::Given, Self::Void)
        )
    }
}

/// What somebody wants to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What for.
    pub purpose: Purpose,
    /// About what.
    pub subject: Subject,
    /// What exactly.
    pub content: Content,
    /// Who may answer.
    pub second: SecondPerson,
    /// Why, in the words of whoever asks.
    pub reason: String,
}

/// Why nothing is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAsked {
    /// Whoever asks may not.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// The purpose is about something else.
    #[error("a countersignature for `{purpose}` is not about `{subject}`")]
    AnotherSubject {
        /// The purpose.
        purpose: Purpose,
        /// What it was asked about.
        subject: String,
    },
    /// The purpose is answered by somebody else.
    #[error("`{purpose}` is not answered by {second}", second = second.in_words())]
    AnotherSecond {
        /// The purpose.
        purpose: Purpose,
        /// Who was to answer.
        second: SecondPerson,
    },
    /// A second person cannot judge without a reason.
    #[error("say why, in 1 to {LONGEST_REASON} characters: the second person decides by it")]
    NoReason,
}

/// What a row says of a countersignature, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the columns are named as the accessors of `Asked`, which say what they hold"
)]
pub struct CountersignatureRow {
    pub id: CountersignatureId,
    pub purpose: Purpose,
    pub subject: String,
    pub content_sha256: Digest,
    pub content: String,
    pub reason: String,
    pub asked_by: AccountId,
    pub asked_at: Instant,
    pub answer_organisation: Option<OrganisationId>,
    pub answer_role: String,
    pub answer_uai: Option<Uai>,
    pub expires_at: Instant,
    pub state: CountersignatureState,
    pub answered_by: Option<AccountId>,
    pub answered_at: Option<Instant>,
    pub answer_reason: Option<String>,
    pub used_at: Option<Instant>,
    pub used_for: Option<String>,
}

/// A countersignature that was asked for, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub(super) id: CountersignatureId,
    pub(super) question: Question,
    pub(super) asked_by: AccountId,
    pub(super) asked_at: Instant,
    pub(super) expires_at: Instant,
    pub(super) state: CountersignatureState,
    pub(super) answered: Option<(AccountId, Instant)>,
    pub(super) answer_reason: Option<String>,
    pub(super) used: Option<(Instant, String)>,
}

impl Asked {
    /// Asks.
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn ask(
        id: CountersignatureId,
        question: Question,
        by: &Standing,
        access: &Access,
        now: Instant,
    ) -> Result<Self, NotAsked> {
        let purpose = question.purpose;
        by.may(Permission::AskCountersignature, access, now)?;
        if let Some(permission) = purpose.asked_with() {
            by.may(permission, access, now)?;
        }
        if !purpose.fits(&question.subject) {
            return Err(NotAsked::AnotherSubject { purpose, subject: question.subject.to_string() });
        }
        if !purpose.may_be_answered(&question.second, (by.organisation().id(), by.organisation().kind())) {
            return Err(NotAsked::AnotherSecond { purpose, second: question.second });
        }
        let reason = question.reason.trim().to_owned();
        if reason.is_empty()
            || reason.chars().count() > LONGEST_REASON
            || reason.chars().any(char::is_control)
        {
            return Err(NotAsked::NoReason);
        }
        Ok(Self {
            id,
            question: Question { reason, ..question },
            asked_by: by.account(),
            asked_at: now,
            expires_at: now.plus(purpose.waits_for()),
            state: CountersignatureState::Waiting,
            answered: None,
            answer_reason: None,
            used: None,
        })
    }

    /// The countersignature of one row, checked again. Only `store` reads rows: `clippy.toml` bans this
    /// function elsewhere.
    ///
    /// # Errors
    /// [`BadRow`] when its content is no longer what its hash says, or for what no decision of ours can have
    /// written: an answer by whoever asked, one out of time, one to a question that waits.
    pub fn from_row(row: CountersignatureRow) -> Result<Self, BadRow> {
        let bad = |why| BadRow::new("countersignature", row.id, why);
        let content = Content::read(&row.content).map_err(|_not_plain| bad("its content cannot be read"))?;
        if content.digest() != row.content_sha256 {
            return Err(bad("its content is not what was asked about"));
        }
        let subject: Subject = row.subject.parse().map_err(|_unknown| bad("its subject cannot be read"))?;
        if !row.purpose.fits(&subject) {
            return Err(bad("its subject is not one of its purpose"));
        }
        let second =
            SecondPerson::from_columns(&row.answer_role, row.answer_organisation, row.answer_uai.clone())
                .map_err(|_unknown| bad("nobody could answer it"))?;
        if row.expires_at <= row.asked_at || row.asked_at.plus(Purpose::LONGEST_WAIT) < row.expires_at {
            return Err(bad("no request waits as long as it does"));
        }
        let answered = match (row.state, row.answered_by, row.answered_at) {
            (CountersignatureState::Given | CountersignatureState::Refused, Some(by), Some(at)) => {
                Some((by, at))
            }
            // A restore voids what was given, too.
            (CountersignatureState::Void, Some(by), Some(at)) => Some((by, at)),
            (CountersignatureState::Given | CountersignatureState::Refused, _, _) => {
                return Err(bad("it was answered by nobody"));
            }
            (_, None, None) => None,
            _ => return Err(bad("it has an answer and says that it has none")),
        };
        if let Some((by, at)) = answered {
            if by == row.asked_by {
                return Err(bad("whoever asked answered it"));
            }
            if at < row.asked_at || row.expires_at <= at {
                return Err(bad("it was answered out of time"));
            }
        }
        let used = match (row.state, row.used_at, row.used_for) {
            (_, None, None) => None,
            (CountersignatureState::Given, Some(at), Some(used_for)) => Some((at, used_for)),
            _ => return Err(BadRow::new("countersignature", row.id, "it was used and not given")),
        };
        let question = Question { purpose: row.purpose, subject, content, second, reason: row.reason };
        Ok(Self {
            id: row.id,
            question,
            asked_by: row.asked_by,
            asked_at: row.asked_at,
            expires_at: row.expires_at,
            state: row.state,
            answered,
            answer_reason: row.answer_reason,
            used,
        })
    }

    /// What is stored of it.
    #[must_use]
    pub fn to_row(&self) -> CountersignatureRow {
        CountersignatureRow {
            id: self.id,
            purpose: self.question.purpose,
            subject: self.question.subject.to_string(),
            content_sha256: self.question.content.digest(),
            content: self.question.content.text().to_owned(),
            reason: self.question.reason.clone(),
            asked_by: self.asked_by,
            asked_at: self.asked_at,
            answer_organisation: self.question.second.organisation(),
            answer_role: self.question.second.as_str().to_owned(),
            answer_uai: self.question.second.uai().cloned(),
            expires_at: self.expires_at,
            state: self.state,
            answered_by: self.answered_by(),
            answered_at: self.answered_at(),
            answer_reason: self.answer_reason.clone(),
            used_at: self.used.as_ref().map(|(at, _what)| *at),
            used_for: self.used.as_ref().map(|(_at, what)| what.clone()),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> CountersignatureId {
        self.id
    }

    /// What was asked, of whom, and why.
    #[must_use]
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// Who asked.
    #[must_use]
    pub fn asked_by(&self) -> AccountId {
        self.asked_by
    }

    /// When.
    #[must_use]
    pub fn asked_at(&self) -> Instant {
        self.asked_at
    }

    /// The first instant at which nobody can answer any more.
    #[must_use]
    pub fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// What became of it by now: one that nobody answered in time has expired, whatever its row says.
    #[must_use]
    pub fn state(&self, now: Instant) -> CountersignatureState {
        match self.state {
            CountersignatureState::Waiting if now >= self.expires_at => CountersignatureState::Expired,
            state => state,
        }
    }

    /// Who answered, if somebody did.
    #[must_use]
    pub fn answered_by(&self) -> Option<AccountId> {
        self.answered.map(|(by, _at)| by)
    }

    /// When they did.
    #[must_use]
    pub fn answered_at(&self) -> Option<Instant> {
        self.answered.map(|(_by, at)| at)
    }

    /// When it was used, and for what, if it was.
    #[must_use]
    pub fn used(&self) -> Option<(Instant, &str)> {
        self.used.as_ref().map(|(at, what)| (*at, what.as_str()))
    }
}
