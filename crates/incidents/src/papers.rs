//! The papers of an incident and their clocks: 48 hours for the letter, and for the complaint after a theft (C5.4.2).
//!
//! What is late or missing is shown as such, and refused nowhere. What it costs is the warrant: without them a
//! provisional one ends 48 hours after the declaration (M1).

use types::{Day, Duration, IncidentKind, Instant, text_enum};

use crate::{Incident, Refusal};

/// How long after it was noticed the papers are due, in elapsed time (C5.4.2).
pub const DUE_WITHIN: Duration = Duration::from_secs(48 * 3_600);

text_enum! {
    /// A paper that an incident needs.
    PaperKind: "paper of an incident" {
        /// The letter to the collège, which gives the circumstances.
        Letter = "letter",
        /// The complaint (dépôt de plainte).
        Complaint = "complaint",
    }
}

impl PaperKind {
    /// Its name in French, with the article.
    #[must_use]
    pub const fn in_french(self) -> &'static str {
        match self {
            Self::Letter => "la déclaration écrite",
            Self::Complaint => "la plainte",
        }
    }
}

/// The letter to the collège.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Where the collège keeps it.
    pub reference: String,
    /// Its date.
    pub dated: Day,
    /// When it was recorded here.
    pub recorded_at: Instant,
}

/// A complaint about a theft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Its number.
    pub number: String,
    /// Its date.
    pub dated: Day,
    /// The police or gendarmerie station.
    pub station: String,
    /// When it was recorded here.
    pub recorded_at: Instant,
}

/// How an authority names its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityReference(String);

impl AuthorityReference {
    /// The most characters that one has.
    pub const LONGEST: usize = 200;

    /// A reference that says something; `None` for blanks, and for what is longer than [`Self::LONGEST`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let length = text.chars().count();
        ((1..=Self::LONGEST).contains(&length) && !text.chars().any(char::is_control))
            .then(|| Self(text.to_owned()))
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What was handed in for an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers {
    /// The letter.
    pub letter: Option<Letter>,
    /// The complaint.
    pub complaint: Option<Complaint>,
    /// The reference of the authority's request.
    pub authority: Option<AuthorityReference>,
}

/// Where a paper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is there, and was in time.
    InTime,
    /// It is there, and came this much late.
    CameLate(Duration),
    /// It is awaited.
    Awaited,
    /// It is missing, and this much late.
    Missing(Duration),
}

/// A paper that an incident needs: until when, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Which.
    pub paper: PaperKind,
    /// The last instant at which it is in time.
    pub due_at: Instant,
    /// Where it stands.
    pub standing: Standing,
}

/// Which papers such an incident needs (C5.4.2).
#[must_use]
pub const fn needed(kind: IncidentKind) -> &'static [PaperKind] {
    match kind {
        IncidentKind::Theft => &[PaperKind::Letter, PaperKind::Complaint],
        IncidentKind::Loss | IncidentKind::Breakage | IncidentKind::Damage | IncidentKind::Fault => {
            &[PaperKind::Letter]
        }
        // The one needs its reference before it is declared; the other needs a new code.
        IncidentKind::AuthorityRequest | IncidentKind::CompromisedCode => &[],
    }
}

/// Passes a paper of that date for such an incident: one that it asks for, and not from before anything was noticed. One of
/// the very day may be: papers have a date and no hour.
///
/// # Errors
/// [`Refusal::PaperNotAsked`]; [`Refusal::PaperBefore`], with both dates.
pub fn admit(incident: &Incident, paper: PaperKind, dated: Day) -> Result<(), Refusal> {
    if !needed(incident.kind).contains(&paper) {
        return Err(Refusal::PaperNotAsked { paper, kind: incident.kind });
    }
    let noticed_on = Day::of(incident.noticed_at);
    if dated < noticed_on { Err(Refusal::PaperBefore { paper, dated, noticed_on }) } else { Ok(()) }
}

/// The clocks of an incident's papers, at this instant.
#[must_use]
pub fn clocks(incident: &Incident, now: Instant) -> Vec<Clock> {
    let due_at = incident.noticed_at.plus(DUE_WITHIN);
    let clock = |paper: &PaperKind| {
        let recorded_at = match paper {
            PaperKind::Letter => incident.papers.letter.as_ref().map(|letter| letter.recorded_at),
            PaperKind::Complaint => incident.papers.complaint.as_ref().map(|complaint| complaint.recorded_at),
        };
        let standing = match recorded_at {
            Some(at) if at <= due_at => Standing::InTime,
            Some(at) => Standing::CameLate(at.since(due_at)),
            None if now <= due_at => Standing::Awaited,
            None => Standing::Missing(now.since(due_at)),
        };
        Clock { paper: *paper, due_at, standing }
    };
    needed(incident.kind).iter().map(clock).collect()
}

/// The paper for want of which a warrant is only provisional: the complaint after a theft, the letter after a loss
/// (M1). One that is dated before anything was noticed is about something else.
#[must_use]
pub fn wanting(incident: &Incident) -> Option<PaperKind> {
    let Papers { letter, complaint, .. } = &incident.papers;
    let (paper, dated) = match incident.kind {
        IncidentKind::Theft => (PaperKind::Complaint, complaint.as_ref().map(|complaint| complaint.dated)),
        IncidentKind::Loss => (PaperKind::Letter, letter.as_ref().map(|letter| letter.dated)),
        _ => return None,
    };
    let counts = dated.is_some_and(|dated| admit(incident, paper, dated).is_ok());
    (!counts).then_some(paper)
}
