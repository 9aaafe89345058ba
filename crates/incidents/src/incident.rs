//! An incident as it is declared, and as it stands.

use types::{IncidentId, IncidentKind, Instant, LoanId, TabletId, Uai, text_enum};

use crate::papers::{self, AuthorityReference, PaperKind, Papers};
use crate::{Declarant, Refusal, Since};

text_enum! {
    /// Where an incident stands. All but the last are open.
    IncidentState: "state of an incident" {
        /// It was declared, and nobody has taken it up yet.
        Declared = "declared",
        /// Someone deals with it.
        InProgress = "in-progress",
        /// The tablet was found; it may not be back yet.
        Found = "found",
        /// The search was given up.
        NotFound = "not-found",
        /// It is over.
        Closed = "closed",
    }
}

impl IncidentState {
    /// Whether lost mode may rest on it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }

    /// Whether the tablet is still looked for. One that was found is located by nobody, open or not: a position would
    /// serve nothing any more (C5.4.3).
    #[must_use]
    pub const fn is_sought(self) -> bool {
        matches!(self, Self::Declared | Self::InProgress)
    }
}

/// An incident of one tablet, as far as the rules need it. What happened in words is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// The tablet.
    pub tablet: TabletId,
    /// The collège it belonged to when it was declared.
    pub college: Uai,
    /// What happened.
    pub kind: IncidentKind,
    /// When the user noticed it: the clocks of the papers run from here (C5.4.2).
    pub noticed_at: Instant,
    /// Since when it is open: since it was declared, or reopened.
    pub opened_at: Instant,
    /// The incident that was closed too soon, which it goes on from.
    pub reopens: Option<IncidentId>,
    /// When it was declared here: a provisional warrant is counted from here (M1).
    pub declared_at: Instant,
    /// Who declared it.
    pub declarant: Declarant,
    /// Where it stands.
    pub state: IncidentState,
    /// What was handed in.
    pub papers: Papers,
}

/// What is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The tablet.
    pub tablet: TabletId,
    /// Its collège.
    pub college: Uai,
    /// What happened.
    pub kind: IncidentKind,
    /// When the user noticed it.
    pub noticed_at: Instant,
    /// Who declares.
    pub declarant: Declarant,
    /// The reference of the authority, for its request.
    pub authority: Option<AuthorityReference>,
}

impl Incident {
    /// Declares an incident. However late, it is admitted, and that it is late is shown (C5.4.2); a day to come is not. What may
    /// rest on it is another matter ([`Hands`](crate::Hands)).
    ///
    /// # Errors
    /// [`Refusal::NoticedLater`]; [`Refusal::NoReference`] for an authority's request without one (M1).
    pub fn declare(id: IncidentId, declaration: Declaration, now: Instant) -> Result<Self, Refusal> {
        let Declaration { tablet, college, kind, noticed_at, declarant, authority } = declaration;
        if noticed_at > now {
            return Err(Refusal::NoticedLater { noticed_at, now });
        }
        if kind == IncidentKind::AuthorityRequest && authority.is_none() {
            return Err(Refusal::NoReference);
        }
        Ok(Self {
            id,
            tablet,
            college,
            kind,
            noticed_at,
            opened_at: now,
            reopens: None,
            declared_at: now,
            declarant,
            state: IncidentState::Declared,
            papers: Papers { letter: None, complaint: None, authority },
        })
    }

    /// Puts right when it was noticed; the clocks of its papers run from there (C5.4.2). That is never after it was declared,
    /// nor after the day of a paper that it has, nor so that it would concern somebody else: `concerned` had the tablet when it
    /// was said to have been noticed, `instead` at that other instant.
    ///
    /// # Errors
    /// [`Refusal::NoticedAfterDeclared`]; [`Refusal::ConcernsAnother`]; [`Refusal::PaperBefore`], with both dates.
    pub fn put_noticed_right(
        &self,
        noticed_at: Instant,
        concerned: Option<LoanId>,
        instead: Option<LoanId>,
    ) -> Result<Self, Refusal> {
        if noticed_at > self.declared_at {
            return Err(Refusal::NoticedAfterDeclared { noticed_at, declared_at: self.declared_at });
        }
        if concerned != instead {
            return Err(Refusal::ConcernsAnother { noticed_at });
        }
        let right = Self { noticed_at, ..self.clone() };
        let letter = self.papers.letter.as_ref().map(|letter| (PaperKind::Letter, letter.dated));
        let complaint =
            self.papers.complaint.as_ref().map(|complaint| (PaperKind::Complaint, complaint.dated));
        for (paper, dated) in [letter, complaint].into_iter().flatten() {
            papers::admit(&right, paper, dated)?;
        }
        Ok(right)
    }

    /// Goes on from one that was closed too soon. Its papers and its dates are kept, so that no clock starts again; what
    /// rested on the closed one does not rest on this one. Once the tablet was received, lent anew or moved, what is missing is
    /// declared anew: an old paper says nothing of whoever has it now (M1).
    ///
    /// # Errors
    /// [`Refusal::NotNow`] if it is open; [`Refusal::NoReason`]; [`Refusal::WentOn`].
    pub fn reopen(&self, id: IncidentId, reason: &str, since: Since, now: Instant) -> Result<Self, Refusal> {
        if self.state.is_open() {
            return Err(Refusal::NotNow { step: "reopen", state: self.state, kind: self.kind });
        }
        if reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        if since != Since::Nothing {
            return Err(Refusal::WentOn { since });
        }
        let state = IncidentState::InProgress;
        Ok(Self { id, state, opened_at: now, reopens: Some(self.id), ..self.clone() })
    }
}
