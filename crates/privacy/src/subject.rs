//! What a person may ask about their own data: a copy of it (GDPR, art. 15 and 20), and that it be forgotten where the law
//! allows (art. 17).
//!
//! The copy is made of the declarations that the register is made of, so that it cannot say less than what is stored.

use serde::Serialize;
use serde_json::{Map, Value};
use types::{IncidentId, Instant, LoanId, PersonId, RuleId};

use crate::{Activity, RetentionClass, Text};

/// What one table holds about a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectPart {
    /// The table.
    pub table: &'static str,
    /// What it is kept for.
    pub activities: Vec<Activity>,
    /// How long, by its class.
    pub class: RetentionClass,
    /// The rows, column by column.
    pub rows: Vec<Map<String, Value>>,
}

/// A table that the copy leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The table.
    pub table: &'static str,
    /// Why.
    pub why: Text,
}

/// Everything that is held about one person, as a copy for them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectData {
    /// The person's number.
    pub person: PersonId,
    /// The instant that it tells of.
    pub at: Instant,
    /// What is held; a table without a row about them is not named.
    #[serde(rename = "held")]
    pub parts: Vec<SubjectPart>,
    /// What may tell of them and is not in this copy.
    pub left_out: &'static [LeftOut],
}

/// What stands between a person and their being forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ties {
    /// Whether they were forgotten before.
    pub forgotten: bool,
    /// Whether the validated list of a school year that is not over names them.
    pub listed: bool,
    /// A loan of theirs that goes on.
    pub loan: Option<LoanId>,
    /// A tablet of theirs that was not received, or not proven empty.
    pub tablet_not_back: Option<LoanId>,
    /// An open incident about a tablet that they held.
    pub incident: Option<IncidentId>,
    /// An incident whose replacement they still owe a sum for.
    pub owes_for: Option<IncidentId>,
}

/// Why a person is not forgotten yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotForgotten {
    /// Nothing is left to forget.
    #[error("this person was forgotten already; only their number is left")]
    Already,
    /// They are on a list.
    #[error(
        "this person is on the validated list of users, without which nothing is lent (C4.2): take them off it first; GDPR, art. \
         17(3)(b)"
    )]
    Listed,
    /// They hold a tablet.
    #[error(
        "this person holds a tablet (loan {0}), which stays the département's until it is back: end the loan and receive it \
         first; GDPR, art. 17(3)(b)"
    )]
    Lent(LoanId),
    /// Their tablet is not back, or not empty.
    #[error(
        "the tablet of loan {0} is not back, or not proven empty: until then it may hold their data; GDPR, art. 17(3)(b)"
    )]
    NotBack(LoanId),
    /// An incident is open.
    #[error(
        "incident {0} about their tablet is open: its papers are kept until it is closed; GDPR, art. 17(3)(b) and (e)"
    )]
    Incident(IncidentId),
    /// A sum was fixed and not paid.
    #[error(
        "a sum was fixed after incident {0} and not paid: it is claimed from them or their guardians; GDPR, art. 17(3)(e)"
    )]
    Owes(IncidentId),
}

impl NotForgotten {
    /// The rule behind it.
    #[must_use]
    pub const fn rule(&self) -> RuleId {
        match self {
            Self::Already => RuleId::C3_1_6,
            Self::Listed => RuleId::C4_2,
            Self::Lent(_) => RuleId::C5_1_1,
            Self::NotBack(_) => RuleId::C5_3_5,
            Self::Incident(_) => RuleId::C5_4_2,
            Self::Owes(_) => RuleId::C5_4_4,
        }
    }
}

/// Whether a person may be forgotten before the term of what is kept of them is over: nothing ties them to a tablet, to a
/// list or to an incident any more. Then the reason for keeping who they were is gone, too.
///
/// # Errors
/// [`NotForgotten`] with the first thing that stands in the way.
pub const fn may_forget(ties: &Ties) -> Result<(), NotForgotten> {
    let Ties { forgotten, listed, loan, tablet_not_back, incident, owes_for } = ties;
    if *forgotten {
        return Err(NotForgotten::Already);
    }
    if let Some(loan) = loan {
        return Err(NotForgotten::Lent(*loan));
    }
    if let Some(loan) = tablet_not_back {
        return Err(NotForgotten::NotBack(*loan));
    }
    if let Some(incident) = incident {
        return Err(NotForgotten::Incident(*incident));
    }
    if let Some(incident) = owes_for {
        return Err(NotForgotten::Owes(*incident));
    }
    if *listed {
        return Err(NotForgotten::Listed);
    }
    Ok(())
}
