//! In whose hands the tablet of an incident was when that was noticed, and in whose it is (C5.4.2, M1): put together from its
//! loans and receipts, for [`::incidents::Hands`] to judge.

use ::incidents::{Bearing, Hands, Holding, Home, Incident, Since};
use diesel::dsl::exists;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use lending::loan::Ending;
use types::{Instant, LoanId, TabletId, Uai};

use crate::restitutions::StageName;
use crate::schema::{loans as loan_rows, restitutions};
use crate::{StoreError, Tx, incident_declarations, loans, tablets};

/// In whose hands the tablet of an incident was, and is.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, incident: &Incident) -> Result<Hands, StoreError> {
    of_tablet(tx, incident.tablet, incident.noticed_at, &incident.college)
}

pub(crate) fn of_tablet(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    noticed_at: Instant,
    college: &Uai,
) -> Result<Hands, StoreError> {
    let then = loans::with_its_holder_at(tx, tablet, noticed_at)?;
    // Whatever the clock of the machine that lent it said.
    let now = loans::with_its_holder_at(tx, tablet, Instant::from_millis(i64::MAX))?;
    Ok(Hands { then: then.map(holding), now: now.map(holding), home: home(tx, tablet, college)? })
}

#[expect(clippy::needless_pass_by_value, reason = "it is mapped over what was read")]
fn holding(loan: loans::Loan) -> Holding {
    Holding { loan: loan.id, person: loan.person_id, began_at: loan.began_at }
}

fn home(tx: &mut Tx<'_>, tablet: TabletId, college: &Uai) -> Result<Home, StoreError> {
    let same = tablets::get(tx, &tablet)?.is_some_and(|tablet| tablet.uai.as_ref() == Some(college));
    Ok(if same { Home::Same } else { Home::Another })
}

/// The open incident of a tablet for which it is missing from whoever has it: not one that befell somebody else before.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn missing(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Incident>, StoreError> {
    let Some(open) = incident_declarations::missing(tx, tablet)? else { return Ok(None) };
    let Some(incident) = incident_declarations::load(tx, open)? else { return Ok(None) };
    let elsewhere = matches!(of(tx, &incident)?.bearing(), Bearing::HeldByAnother { .. });
    Ok((!elsewhere).then_some(incident))
}

/// What became of the tablet of an incident since that was noticed.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn since(tx: &mut Tx<'_>, incident: &Incident) -> Result<Since, StoreError> {
    let (tablet, noticed_at) = (incident.tablet, incident.noticed_at);
    if home(tx, tablet, &incident.college)? == Home::Another {
        return Ok(Since::Moved);
    }
    let lent: bool = tx.run(|connection| {
        let later = loan_rows::table
            .filter(loan_rows::tablet_id.eq(tablet.to_string()))
            .filter(loan_rows::began_at.gt(noticed_at.as_millis()));
        diesel::select(exists(later)).get_result(connection)
    })?;
    if lent {
        return Ok(Since::Lent);
    }
    match loans::with_its_holder_at(tx, tablet, noticed_at)? {
        Some(loan) if is_back(&loan) || was_received(tx, loan.id)? => Ok(Since::Received),
        _ => Ok(Since::Nothing),
    }
}

fn is_back(loan: &loans::Loan) -> bool {
    let ended = loan.ended_because.as_deref();
    ended == Some(Ending::GivenBack.as_str()) || ended == Some(Ending::GivenAway.as_str())
}

fn was_received(tx: &mut Tx<'_>, loan: LoanId) -> Result<bool, StoreError> {
    tx.run(|connection| {
        let received = restitutions::table
            .filter(restitutions::loan_id.eq(loan.to_string()))
            .filter(restitutions::stage.ne(StageName::Undone.as_str()));
        diesel::select(exists(received)).get_result(connection)
    })
}
