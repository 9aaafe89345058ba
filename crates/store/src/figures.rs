//! The figures of a collège and school year (C6.1): counts, never names. Each is one statement over an index.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    QueryDsl as _, RunQueryDsl as _,
};
use types::{Duration, Instant, Uai};

use crate::enrolments::EnrolmentState;
use crate::loans::Standing;
use crate::restitutions::StageName;
use crate::schema::{enrolments, incident_declarations, loans, presence, restitutions, tablets};
use crate::{StoreError, Tx, lists};

/// How long ago a tablet that works was seen.
const LATELY: Duration = Duration::from_secs(7 * 86_400);

/// How long after its end a loan's tablet still comes back on time, in milliseconds.
const A_DAY: i64 = 86_400_000;

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Tablets of its inventory.
    pub tablets: u64,
    /// Those that are managed.
    pub managed: u64,
    /// Those that were seen within the seven days before.
    pub seen_lately: u64,
    /// People on the validated list.
    pub listed: u64,
    /// Loans that began in the year.
    pub loans_begun: u64,
    /// Loans that go on.
    pub loans_going_on: u64,
    /// Loans that ended in the year.
    pub loans_ended: u64,
    /// Tablets that came back in the year.
    pub returns: u64,
    /// Those that came back within a day of the end of their loan, or before.
    pub returns_on_time: u64,
    /// Incidents that were declared in the year.
    pub incidents: u64,
}

/// Counts for a collège and the span of a year; `today` begins the day of the report.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn of(
    tx: &mut Tx<'_>,
    uai: &Uai,
    school_year: &str,
    (from, until): (Instant, Instant),
    today: Instant,
) -> Result<Figures, StoreError> {
    let listed = u64::try_from(lists::count(tx, uai, school_year)?).unwrap_or(u64::MAX);
    let code = uai.to_string();
    let (from, until) = (from.as_millis(), until.as_millis());
    tx.run(|connection| {
        let its_tablets = || tablets::table.filter(tablets::uai.eq(&code));
        let tablets: i64 = its_tablets().count().get_result(connection)?;
        let managed = || {
            its_tablets()
                .inner_join(enrolments::table.on(enrolments::tablet_id.eq(tablets::id.nullable())))
                .filter(enrolments::state.eq(EnrolmentState::Active.as_str()))
        };
        let managed_now: i64 = managed().count().get_result(connection)?;
        let seen: i64 = managed()
            .inner_join(presence::table.on(presence::enrolment_id.eq(enrolments::id)))
            .filter(presence::last_seen_at.ge(today.minus(LATELY).as_millis()))
            .count()
            .get_result(connection)?;
        let its_loans = || loans::table.filter(loans::uai.eq(&code));
        let begun: i64 = its_loans()
            .filter(loans::began_at.ge(from).and(loans::began_at.lt(until)))
            .count()
            .get_result(connection)?;
        let going_on: i64 =
            its_loans().filter(loans::state.ne(Standing::Ended.as_str())).count().get_result(connection)?;
        let ended: i64 = its_loans()
            .filter(loans::state.eq(Standing::Ended.as_str()))
            .filter(loans::changed_at.ge(from).and(loans::changed_at.lt(until)))
            .count()
            .get_result(connection)?;
        let returns = || {
            restitutions::table
                .inner_join(loans::table.on(loans::id.eq(restitutions::loan_id)))
                .filter(restitutions::uai.eq(&code))
                .filter(restitutions::stage.ne(StageName::Undone.as_str()))
                .filter(restitutions::received_at.ge(from).and(restitutions::received_at.lt(until)))
        };
        let came_back: i64 = returns().count().get_result(connection)?;
        let on_time: i64 = returns()
            .filter(restitutions::received_at.le(loans::changed_at + A_DAY))
            .count()
            .get_result(connection)?;
        let incidents: i64 = incident_declarations::table
            .filter(incident_declarations::uai.eq(&code))
            .filter(
                incident_declarations::declared_at.ge(from).and(incident_declarations::declared_at.lt(until)),
            )
            .count()
            .get_result(connection)?;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Figures {
            tablets: count(tablets),
            managed: count(managed_now),
            seen_lately: count(seen),
            listed,
            loans_begun: count(begun),
            loans_going_on: count(going_on),
            loans_ended: count(ended),
            returns: count(came_back),
            returns_on_time: count(on_time),
            incidents: count(incidents),
        })
    })
}
