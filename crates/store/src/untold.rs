//! Who is to be told something by mail, and was not told yet. Only those whom somebody can write to: the others get a letter,
//! which a person hands over.

use std::fmt;
use std::str::FromStr;

use ::incidents::NoticeOccasion;
use diesel::dsl::{exists, not};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    QueryDsl as _, RunQueryDsl as _,
};
use lending::loan::Ending;
use lending::notice::NoticeKind;
use types::{Day, Instant, LoanId, RestitutionId, Uai, UserKind, WarrantId};

use crate::column::{Column as _, read, read_ids};
use crate::last_decisions::gives_it_away;
use crate::loans::Standing;
use crate::notices::Channel;
use crate::restitutions::StageName;
use crate::schema::{
    incident_declarations, loans, mails, notices, persons, restitutions, warrant_notices, warrants,
};
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

/// Loans of which a notice of that kind was sent.
macro_rules! told {
    ($loan:expr, $kind:expr) => {
        notices::table
            .filter(notices::loan_id.eq($loan))
            .filter(notices::kind.eq($kind.as_str()))
            .filter(notices::channel.eq(Channel::Mail.as_str()))
    };
}

/// At most `limit` loans that go on and are due back from `from` to `until`, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn due_soon(
    tx: &mut Tx<'_>,
    (from, until): (Day, Day),
    after: Option<LoanId>,
    limit: u32,
) -> Result<Vec<LoanId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::leaves_on.between(from.stored(), until.stored()))
            .filter(persons::contacts_sealed.is_not_null())
            .filter(loans::state.ne(Standing::Ended.as_str()))
            .filter(loans::id.gt(after))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(loans::id)
            .load(connection)
    })?;
    read_ids(ids, "loans", "id")
}

/// At most `limit` loans of pupils whose tablets are out, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn to_deposit(tx: &mut Tx<'_>, after: Option<LoanId>, limit: u32) -> Result<Vec<LoanId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::contacts_sealed.is_not_null())
            .filter(loans::state.eq(Standing::Lent.as_str()))
            .filter(loans::holder_kind.eq(UserKind::Pupil.as_str()))
            .filter(loans::id.gt(after))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(loans::id)
            .load(connection)
    })?;
    read_ids(ids, "loans", "id")
}

/// At most `limit` loans that are over, whose tablet was not received, and whose holder was not told that they are, in the
/// order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn over(tx: &mut Tx<'_>, after: Option<LoanId>, limit: u32) -> Result<Vec<LoanId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        let received = restitutions::table
            .filter(restitutions::loan_id.eq(loans::id))
            .filter(restitutions::stage.ne(StageName::Undone.as_str()));
        loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::contacts_sealed.is_not_null())
            .filter(loans::state.eq(Standing::Ended.as_str()))
            .filter(loans::ended_because.ne_all(
                [Ending::GivenBack, Ending::GivenAway, Ending::Replaced].map(|ending| ending.as_str()),
            ))
            .filter(loans::id.gt(after))
            .filter(not(exists(received)))
            .filter(not(exists(gives_it_away!())))
            .filter(not(exists(told!(loans::id, NoticeKind::LoanOver))))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(loans::id)
            .load(connection)
    })?;
    read_ids(ids, "loans", "id")
}

/// At most `limit` restitutions that wait for their notice, and of which nobody was told, in the order of their ids, after
/// `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn received(
    tx: &mut Tx<'_>,
    after: Option<RestitutionId>,
    limit: u32,
) -> Result<Vec<RestitutionId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        restitutions::table
            .inner_join(loans::table.on(loans::id.eq(restitutions::loan_id)))
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::contacts_sealed.is_not_null())
            .filter(restitutions::stage.eq(StageName::Received.as_str()))
            .filter(restitutions::saved_at.is_null())
            .filter(restitutions::id.gt(after))
            .filter(not(exists(
                told!(restitutions::loan_id, NoticeKind::Received)
                    .filter(notices::occasion.eq(restitutions::id)),
            )))
            .order(restitutions::id.asc())
            .limit(i64::from(limit))
            .select(restitutions::id)
            .load(connection)
    })?;
    read_ids(ids, "restitutions", "id")
}

/// At most `limit` loans that go on, of a collège or of all, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn lent(
    tx: &mut Tx<'_>,
    uai: Option<&Uai>,
    after: Option<LoanId>,
    limit: u32,
) -> Result<Vec<LoanId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        let mut query = loans::table.filter(loans::id.gt(after)).into_boxed();
        if let Some(uai) = uai {
            query = query.filter(loans::uai.eq(uai.to_string()));
        }
        query
            .filter(loans::state.ne(Standing::Ended.as_str()))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(loans::id)
            .load(connection)
    })?;
    read_ids(ids, "loans", "id")
}

/// A notice of a warrant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfWarrant {
    /// The warrant.
    pub warrant: WarrantId,
    /// What is told of it.
    pub occasion: NoticeOccasion,
}

impl fmt::Display for OfWarrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.warrant, self.occasion.as_str())
    }
}

impl FromStr for OfWarrant {
    type Err = NotOfWarrant;

    fn from_str(text: &str) -> Result<Self, NotOfWarrant> {
        let (warrant, occasion) = text.split_once(':').ok_or(NotOfWarrant)?;
        let warrant = warrant.parse().map_err(|_not_a_warrant| NotOfWarrant)?;
        Ok(Self { warrant, occasion: occasion.parse().map_err(|_no_occasion| NotOfWarrant)? })
    }
}

/// A text that names no notice of a warrant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a warrant's id and `opened` or `over`, with a colon between")]
pub struct NotOfWarrant;

/// At most `limit` notices of warrants that are due, and that nobody was written for, in the order of the warrants' ids,
/// after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_warrants(
    tx: &mut Tx<'_>,
    now: Instant,
    after: Option<OfWarrant>,
    limit: u32,
) -> Result<Vec<OfWarrant>, StoreError> {
    let (warrant, occasion) =
        after.map(|row| (row.warrant.to_string(), row.occasion.as_str())).unwrap_or_default();
    let rows: Vec<(String, String)> = tx.run(|connection| {
        let written = mails::table
            .filter(mails::warrant_id.eq(warrant_notices::warrant_id.nullable()))
            .filter(mails::occasion.eq(warrant_notices::occasion.nullable()));
        warrant_notices::table
            .inner_join(loans::table.on(loans::id.nullable().eq(warrant_notices::loan_id)))
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::contacts_sealed.is_not_null())
            .filter(warrant_notices::told_at.is_null())
            .filter(warrant_notices::due_at.le(now.as_millis()))
            .filter(not(exists(written)))
            .filter(
                warrant_notices::warrant_id
                    .gt(warrant.clone())
                    .or(warrant_notices::warrant_id.eq(warrant).and(warrant_notices::occasion.gt(occasion))),
            )
            .order((warrant_notices::warrant_id.asc(), warrant_notices::occasion.asc()))
            .limit(i64::from(limit))
            .select((warrant_notices::warrant_id, warrant_notices::occasion))
            .load(connection)
    })?;
    read_of_warrants(rows)
}

/// At most `limit` notices of warrants that are due, that there is somebody to tell of, and that nobody was told of yet, in
/// the order of the warrants' ids, after `after`; only of incidents of collèges within reach. Who was forgotten is told nothing.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_warrants_within(
    tx: &mut Tx<'_>,
    within: &Within,
    now: Instant,
    after: Option<OfWarrant>,
    limit: u32,
) -> Result<Vec<OfWarrant>, StoreError> {
    let (warrant, occasion) =
        after.map(|row| (row.warrant.to_string(), row.occasion.as_str())).unwrap_or_default();
    let rows: Vec<(String, String)> = tx.run(|connection| {
        let query = warrant_notices::table
            .inner_join(loans::table.on(loans::id.nullable().eq(warrant_notices::loan_id)))
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .inner_join(warrants::table.on(warrants::id.eq(warrant_notices::warrant_id)))
            .inner_join(incident_declarations::table.on(incident_declarations::id.eq(warrants::incident_id)))
            .filter(persons::name_sealed.is_not_null())
            .filter(warrant_notices::told_at.is_null())
            .filter(warrant_notices::due_at.le(now.as_millis()))
            .filter(
                warrant_notices::warrant_id
                    .gt(warrant.clone())
                    .or(warrant_notices::warrant_id.eq(warrant).and(warrant_notices::occasion.gt(occasion))),
            )
            .order((warrant_notices::warrant_id.asc(), warrant_notices::occasion.asc()))
            .limit(i64::from(limit))
            .select((warrant_notices::warrant_id, warrant_notices::occasion))
            .into_boxed();
        of_colleges_within!(query, within, incident_declarations::uai.nullable()).load(connection)
    })?;
    read_of_warrants(rows)
}

fn read_of_warrants(rows: Vec<(String, String)>) -> Result<Vec<OfWarrant>, StoreError> {
    rows.into_iter()
        .map(|(warrant, occasion)| {
            let occasion = read(occasion, "warrant_notices", "occasion", &warrant)?;
            Ok(OfWarrant {
                warrant: read(warrant.clone(), "warrant_notices", "warrant_id", &warrant)?,
                occasion,
            })
        })
        .collect()
}
