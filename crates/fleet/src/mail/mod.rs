//! Notices by mail: who is told what, sent once, and what came of it (C5.2.6, C5.3.5, C7.1, M1, M3).
//!
//! The calendar writes what is due ([`writing`]): one notice for each occasion and addressee, and its mail with it. The
//! messenger claims mails, has them written out ([`sending`]), hands them to the mail server, and records its word. What comes
//! back uncounts the notice ([`returns`]). Without a mail server nothing is written here, and letters remain; while the DPO
//! has not validated the activity, nothing is written and nothing is sent (C3.1.6).
//!
//! Between the server's word and our row the machine may die. Then the mail goes once more, as the same Message-ID, and
//! never a third time ([`lending::mail`]).

pub mod returns;
pub mod sending;
pub mod shown;
pub mod writing;

use privacy::Activity;
use store::loans::Loan;
use store::persons::{Known, Person};
use store::{Tx, loans, organisations, persons, tablets};
use types::{Instant, LoanId};

use crate::{Refusal, register};

/// Whether mail may be written and sent now.
pub(crate) fn is_on(tx: &mut Tx<'_>, now: Instant) -> Result<bool, Refusal> {
    Ok(register::may_process(tx, Activity::Notices, now)?.is_ok())
}

/// A loan, and whose it is.
pub(crate) fn loan_and_holder(tx: &mut Tx<'_>, id: LoanId) -> Result<(Loan, Person), Refusal> {
    let missing = || Refusal::Internal(format!("loan {id} is of nobody"));
    let loan = loans::get(tx, &id)?.ok_or_else(missing)?;
    let person = persons::get(tx, &loan.person_id)?.ok_or_else(missing)?;
    Ok((loan, person))
}

/// A letter to print, for whoever is told by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<Notice> {
    /// The notice.
    pub notice: Notice,
    /// When it was handed over, or told otherwise.
    pub handed_over_at: Option<Instant>,
    /// Its text in French.
    pub french: String,
    /// Its text in English.
    pub english: String,
}

/// The names that a letter needs: the collège's, the holder's, the tablet's.
pub(crate) struct Names {
    pub(crate) college: String,
    pub(crate) holder: String,
    pub(crate) serial: String,
}

/// Reads them.
pub(crate) fn names(tx: &mut Tx<'_>, loan: &Loan, person: Option<&Person>) -> Result<Names, Refusal> {
    let college = organisations::by_uai(tx, &loan.uai)?.map(|college| college.name);
    let holder = match person.map(|person| &person.name) {
        Some(Known::By(name)) => name.as_str().to_owned(),
        Some(Known::Forgotten) | None => String::new(),
    };
    let serial = tablets::get(tx, &loan.tablet_id)?.map(|tablet| tablet.serial.to_string());
    Ok(Names {
        college: college.unwrap_or_else(|| loan.uai.to_string()),
        holder,
        serial: serial.unwrap_or_default(),
    })
}
