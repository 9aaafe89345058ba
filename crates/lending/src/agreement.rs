//! Who signed the agreement of loan, and what that allows (C5.2.1, C7.1, C9.1).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use types::{AgreementTextId, Day, Digest, InvalidName, UserKind, text_enum};

use crate::Reference;

text_enum! {
    /// How many of a pupil's guardians must sign: the département's setting (C5.2.1).
    GuardiansNeeded: "guardians who must sign" {
        /// One of them, as long as no opposition is recorded.
        OneWithoutOpposition = "one-without-opposition",
        /// All of them.
        All = "all",
    }

    /// What somebody said to a text.
    Stance: "stance" {
        /// They signed it.
        Signed = "signed",
        /// They object to it.
        Opposed = "opposed",
    }
}

/// Who speaks: the user, or one of the guardians that the collège knows of, by number. Their names are on the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Signatory {
    /// The user.
    User,
    /// A guardian, from 1.
    Guardian(u8),
}

/// The most guardians that are recorded of one pupil.
pub const MOST_GUARDIANS: u8 = 4;

impl fmt::Display for Signatory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Guardian(number) => write!(f, "guardian-{number}"),
        }
    }
}

impl FromStr for Signatory {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let guardian = || {
            let number = text.strip_prefix("guardian-")?.parse().ok()?;
            (1..=MOST_GUARDIANS).contains(&number).then_some(Self::Guardian(number))
        };
        match text {
            "user" => Ok(Self::User),
            _ => guardian().ok_or_else(|| {
                InvalidName::new("signatory", "`user`, or `guardian-1` to `guardian-4`", text)
            }),
        }
    }
}

impl TryFrom<String> for Signatory {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Signatory> for String {
    fn from(signatory: Signatory) -> Self {
        signatory.to_string()
    }
}

/// Where the paper can be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The reference under which the collège keeps it.
    Kept(Reference),
    /// The digest of its scan.
    Scan(Digest),
}

/// What was recorded of one signatory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Under which text.
    pub text: AgreementTextId,
    /// Who.
    pub signatory: Signatory,
    /// What they said.
    pub stance: Stance,
    /// On which day.
    pub on: Day,
    /// Where the paper is.
    pub evidence: Evidence,
}

/// Why the agreement does not let a tablet out of the collège. The loan is then in-school only (C5.2.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAgreed {
    /// The year has no text yet (C9.1).
    #[error("there is no text of the agreement for this school year yet")]
    NoText,
    /// A pupil whose guardians are not known.
    #[error("no guardian is recorded: a pupil’s agreement is signed by the guardians")]
    NoGuardian,
    /// Not enough signed.
    #[error("{signed} of {needed} signatures are there")]
    Unsigned {
        /// How many who count signed.
        signed: usize,
        /// How many must.
        needed: usize,
    },
    /// Somebody objects.
    #[error("an opposition is recorded")]
    Opposed,
}

/// Whether the agreement of this year is signed as it must be, as of `today`: by the user, or for every pupil, whatever
/// their age, by the guardians. Of each signatory the latest word counts, and only on this year's text (C9.1).
///
/// # Errors
/// [`NotAgreed`] says what is missing.
pub fn agreed(
    kind: UserKind,
    guardians: u8,
    needed: GuardiansNeeded,
    text: Option<AgreementTextId>,
    signatures: &[Signature],
    today: Day,
) -> Result<(), NotAgreed> {
    let text = text.ok_or(NotAgreed::NoText)?;
    let pupil = kind == UserKind::Pupil;
    let counts = |signatory: Signatory| match signatory {
        Signatory::User => !pupil,
        Signatory::Guardian(number) => pupil && (1..=guardians).contains(&number),
    };
    let mut latest: BTreeMap<Signatory, (Day, Stance)> = BTreeMap::new();
    for said in
        signatures.iter().filter(|said| said.text == text && said.on <= today && counts(said.signatory))
    {
        let newest = latest.entry(said.signatory).or_insert((said.on, said.stance));
        // Of two words of one day the opposition counts: what is doubtful keeps the tablet at school.
        if said.on > newest.0 || (said.on == newest.0 && said.stance == Stance::Opposed) {
            *newest = (said.on, said.stance);
        }
    }
    if pupil && guardians == 0 {
        return Err(NotAgreed::NoGuardian);
    }
    if latest.values().any(|(_, stance)| *stance == Stance::Opposed) {
        return Err(NotAgreed::Opposed);
    }
    let signed = latest.len();
    let needed = match needed {
        GuardiansNeeded::All if pupil => usize::from(guardians),
        GuardiansNeeded::All | GuardiansNeeded::OneWithoutOpposition => 1,
    };
    if signed < needed { Err(NotAgreed::Unsigned { signed, needed }) } else { Ok(()) }
}
