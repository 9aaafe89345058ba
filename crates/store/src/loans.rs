//! Loans (C5.2, C5.3.1). What was handed over, and to whom, is frozen; where the loan stands is not, until it ended.

use std::collections::{BTreeMap, BTreeSet};

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use lending::loan::{Ending, LetterWriter, Loan as Decided, LoanState, Suspension};
use lending::{Condition, Reason, Reference};
use serde_json::json;
use types::{AccountId, Day, Instant, LoanId, PersonId, TabletId, Uai, UserKind};

use crate::column::{Column as _, read, read_ids, stored_enum};
use crate::last_decisions::gives_it_away;
use crate::many::{Many, many};
use crate::noun::{by_key, find_all, noun, read_all};
use crate::restitutions::StageName;
use crate::schema::{loans, persons, repairs, restitutions};
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

stored_enum! {
    /// Where a loan stands.
    Standing {
        /// The holder has the tablet.
        Lent = "lent",
        /// The collège keeps it over the summer (C5.2.2).
        Deposited = "deposited",
        /// It rests.
        Suspended = "suspended",
        /// It is over.
        Ended = "ended",
    }
}

noun! {
    /// A loan.
    pub struct Loan in loans keyed by id {
        /// Its id.
        id: LoanId,
        /// The tablet.
        tablet_id: TabletId,
        /// The holder.
        person_id: PersonId,
        /// Who the holder is to the programme.
        holder_kind: UserKind,
        /// The collège.
        uai: Uai,
        /// The school year in which it began (C9.1).
        school_year: String,
        /// Where it stands.
        state: Standing,
        /// Why it rests, if it does.
        suspension: Option<Suspension>,
        /// When the tablet was handed over.
        began_at: Instant,
        /// Since when it stands so.
        changed_at: Instant,
        /// Why it ended, if it did, by the word of [`Ending::as_str`].
        ended_because: Option<String>,
        /// The day of the departure, or of the letter.
        ended_on: Option<Day>,
        /// The letter's reference, or the département's reason.
        ended_reference: Option<String>,
        /// Who handed it over.
        handed_over_by: AccountId,
        /// What went over the counter with it.
        accessories: BTreeSet<String>,
        /// The state it was in.
        condition: Condition,
        /// What the head signed over, in words, as long as it is not in order (C5.3.4).
        reserve: BTreeSet<String>,
        /// The head who signed that.
        reserve_signed_by: Option<AccountId>,
        /// Since when its tablet lay in deposit, if it did when the loan began to rest (C5.2.2).
        deposited_since: Option<Instant>,
    }
}

by_key!(loans, Loan, id: LoanId; insert, get, get_all, update);

/// In SQL: whether the tablet of a loan was with its holder at an instant. It is until the loan ends, and after that until
/// somebody receives it, or it is lent to another: a loan that is over does not bring a tablet back.
macro_rules! with_its_holder {
    ($loan:literal, $($at:tt)+) => {
        concat!(
            "(",
            $loan,
            ".began_at <= ",
            $($at)+,
            " AND (",
            $loan,
            ".state <> 'ended' OR ",
            $($at)+,
            " <= ",
            $loan,
            ".changed_at OR (",
            $loan,
            ".ended_because NOT IN ('given-back', 'given-away', 'replaced') AND NOT EXISTS (SELECT 1 FROM restitutions r \
             WHERE r.loan_id = ",
            $loan,
            ".id AND r.stage <> 'undone' AND r.received_at <= ",
            $($at)+,
            ") AND NOT EXISTS (SELECT 1 FROM loans later WHERE later.tablet_id = ",
            $loan,
            ".tablet_id AND later.began_at > ",
            $loan,
            ".began_at AND later.began_at <= ",
            $($at)+,
            "))))"
        )
    };
}
pub(crate) use with_its_holder;

/// In SQL: when an incident was noticed, as that was put right last; when it was opened, of one that nobody declared.
macro_rules! noticed {
    ($incident:literal) => {
        concat!(
            "COALESCE((SELECT c.noticed_at FROM noticed_corrections c WHERE c.incident_id = ",
            $incident,
            ".id ORDER BY c.number DESC LIMIT 1), (SELECT d.noticed_at FROM incident_declarations d WHERE d.id = ",
            $incident,
            ".id), ",
            $incident,
            ".opened_at)"
        )
    };
}
pub(crate) use noticed;

/// In SQL, of `loans` and `incidents`: whether the tablet was with the loan's holder when the incident was noticed, however late
/// it was declared. Whoever had given it back by then has nothing to do with it.
macro_rules! befell_its_holder {
    () => {
        crate::loans::with_its_holder!("loans", crate::loans::noticed!("incidents"))
    };
}
pub(crate) use befell_its_holder;

impl Loan {
    /// The loan that the rules decide on.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if its end is none of ours.
    #[expect(clippy::disallowed_methods, reason = "this is where the facts come from their row")]
    pub fn decided(&self) -> Result<Decided, StoreError> {
        let corrupt = |column| StoreError::Corrupt { table: "loans", row: self.id.to_string(), column };
        let state = match (self.state, self.suspension) {
            (Standing::Lent, _) => LoanState::Lent,
            (Standing::Deposited, _) => LoanState::Deposited { since: self.changed_at },
            (Standing::Suspended, Some(why)) => LoanState::Suspended { why, deposited: self.deposited_since },
            (Standing::Suspended, None) => return Err(corrupt("suspension")),
            (Standing::Ended, _) => LoanState::Ended {
                at: self.changed_at,
                because: self.ending().ok_or_else(|| corrupt("ended_because"))?,
            },
        };
        Ok(Decided::from_row(self.id, self.tablet_id, self.person_id, self.holder_kind, state))
    }

    fn ending(&self) -> Option<Ending> {
        let letter = |from| {
            let reference: Reference = self.ended_reference.as_ref()?.parse().ok()?;
            Some(Ending::Letter { from, dated: self.ended_on?, reference })
        };
        match self.ended_because.as_deref()? {
            "left" => Some(Ending::Left(self.ended_on?)),
            "no-longer-listed" => Some(Ending::NoLongerListed),
            "departement" => {
                let reason: Reason = self.ended_reference.as_ref()?.parse().ok()?;
                Some(Ending::Departement(reason))
            }
            "letter-of-the-user" => letter(LetterWriter::User),
            "letter-of-the-guardians" => letter(LetterWriter::Guardians),
            "breach" => Some(Ending::Breach),
            "given-back" => Some(Ending::GivenBack),
            "replaced" => Some(Ending::Replaced),
            "given-away" => Some(Ending::GivenAway),
            _ => None,
        }
    }

    /// The row, once the rules decided where the loan stands from `at` on.
    #[must_use]
    pub fn standing(&self, decided: &Decided, at: Instant) -> Self {
        let bare = Self {
            suspension: None,
            deposited_since: None,
            changed_at: at,
            ended_because: None,
            ended_on: None,
            ended_reference: None,
            ..self.clone()
        };
        match decided.state() {
            LoanState::Lent => Self { state: Standing::Lent, ..bare },
            LoanState::Deposited { since } => Self { state: Standing::Deposited, changed_at: *since, ..bare },
            LoanState::Suspended { why, deposited } => Self {
                state: Standing::Suspended,
                suspension: Some(*why),
                deposited_since: *deposited,
                ..bare
            },
            LoanState::Ended { at, because } => {
                let (ended_on, ended_reference) = match because {
                    Ending::Left(day) => (Some(*day), None),
                    Ending::Letter { dated, reference, .. } => {
                        (Some(*dated), Some(reference.as_str().to_owned()))
                    }
                    Ending::Departement(reason) => (None, Some(reason.as_str().to_owned())),
                    Ending::NoLongerListed
                    | Ending::Breach
                    | Ending::GivenBack
                    | Ending::Replaced
                    | Ending::GivenAway => (None, None),
                };
                Self {
                    state: Standing::Ended,
                    changed_at: *at,
                    ended_because: Some(because.as_str().to_owned()),
                    ended_on,
                    ended_reference,
                    ..bare
                }
            }
        }
    }
}

/// The loan that goes on with a tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Loan>, StoreError> {
    tx.run(|connection| {
        loans::table
            .filter(loans::tablet_id.eq(tablet.to_string()))
            .filter(loans::state.ne(Standing::Ended.as_str()))
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// Every loan of a person that goes on: at most one that counts, and those that rest.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_of_person(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Loan>, StoreError> {
    read_all!(tx.run(|connection| {
        loans::table
            .filter(loans::person_id.eq(person.to_string()))
            .filter(loans::state.ne(Standing::Ended.as_str()))
            .order(loans::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The loan whose holder had a tablet at an instant: until it was given back, whatever became of the loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn with_its_holder_at(
    tx: &mut Tx<'_>,
    tablet: TabletId,
    at: Instant,
) -> Result<Option<Loan>, StoreError> {
    let had_it = with_its_holder!("loans", "{at}").replace("{at}", &at.as_millis().to_string());
    tx.run(|connection| {
        loans::table
            .filter(loans::tablet_id.eq(tablet.to_string()))
            .filter(sql::<Bool>(&had_it))
            .order(loans::id.desc())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// The loan that a tablet was last lent by.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_of_tablet(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<Loan>, StoreError> {
    tx.run(|connection| {
        loans::table
            .filter(loans::tablet_id.eq(tablet.to_string()))
            .order(loans::id.desc())
            .select(Stored::as_select())
            .first(connection)
            .optional()
    })?
    .map(Stored::read)
    .transpose()
}

/// As [`live_of_tablet`], for many, in no order: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn live_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<Vec<Loan>, StoreError> {
    find_all!(
        tx,
        loans,
        tablets.into_iter().map(|one| one.to_string()).collect(),
        loans::tablet_id,
        loans::state.ne(Standing::Ended.as_str())
    )
}

/// As [`last_of_tablet`], for many: one statement, or none for no tablet.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_of_tablets(
    tx: &mut Tx<'_>,
    tablets: impl IntoIterator<Item = TabletId>,
) -> Result<BTreeMap<TabletId, Loan>, StoreError> {
    let tablets = tablets.into_iter().map(|one| one.to_string()).collect();
    let mut found: Vec<Loan> = find_all!(tx, loans, tablets, loans::tablet_id)?;
    found.sort_by_key(|loan| loan.id);
    Ok(found.into_iter().map(|loan| (loan.tablet_id, loan)).collect())
}

/// Writes down where each of these loans stands, as the rules decided ([`Loan::standing`]): one statement, or none for no loan.
///
/// # Errors
/// [`StoreError::Refused`] if a trigger of the tables forbids one of the changes.
pub fn stand_all(tx: &mut Tx<'_>, rows: &[Loan]) -> Result<(), StoreError> {
    let notes = rows.iter().map(Stored::of).map(|stored| {
        json!({
            "id": stored.id, "state": stored.state, "suspension": stored.suspension, "at": stored.changed_at,
            "because": stored.ended_because, "ended_on": stored.ended_on, "reference": stored.ended_reference,
            "deposited": stored.deposited_since,
        })
    });
    STAND.run(tx, notes)
}

const STAND: Many = many!(
    "UPDATE loans SET state = note.state, suspension = note.suspension, changed_at = note.at, ended_because = note.because, \
     ended_on = note.ended_on, ended_reference = note.reference, deposited_since = note.deposited FROM";
    id text, state text, suspension text, at bigint, because text, ended_on text, reference text, deposited bigint;
    "WHERE loans.id = note.id"
);

/// Which loans a list shows; what is `None` admits all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those that are over too.
    pub over: bool,
    /// Those that a head signed over, and that are not in order yet.
    pub under_reserve: bool,
    /// Those of this person.
    pub person: Option<PersonId>,
}

/// At most `limit` loans of collèges within reach, in the order of their ids, after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    filter: Filter,
    after: Option<LoanId>,
    limit: u32,
) -> Result<Vec<Loan>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = loans::table.filter(loans::id.gt(after)).into_boxed();
        if !filter.over {
            query = query.filter(loans::state.ne(Standing::Ended.as_str()));
        }
        if filter.under_reserve {
            query = query.filter(loans::reserve.ne("[]"));
        }
        if let Some(person) = filter.person {
            query = query.filter(loans::person_id.eq(person.to_string()));
        }
        of_colleges_within!(query, within, loans::uai.nullable())
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// At most `limit` loans that go on although their holder's last day of attendance is over (C5.2.3), in the order of their
/// ids, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_who_left(
    tx: &mut Tx<'_>,
    today: Day,
    after: Option<LoanId>,
    limit: u32,
) -> Result<Vec<LoanId>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = tx.run(|connection| {
        loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(persons::leaves_on.lt(today.stored()))
            .filter(loans::state.ne(Standing::Ended.as_str()))
            .filter(loans::id.gt(after))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select(loans::id)
            .load(connection)
    })?;
    read_ids(ids, "loans", "id")
}

/// A loan with its holder's last day of attendance, if that is known.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn with_last_day(tx: &mut Tx<'_>, id: LoanId) -> Result<Option<(Loan, Option<Day>)>, StoreError> {
    let row: Option<(Stored, Option<String>)> = tx.run(|connection| {
        loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(loans::id.eq(id.to_string()))
            .select((Stored::as_select(), persons::leaves_on))
            .first(connection)
            .optional()
    })?;
    row.map(|(stored, leaves_on)| {
        let loan = stored.read()?;
        let leaves_on = read(leaves_on, "persons", "leaves_on", &loan.person_id)?;
        Ok((loan, leaves_on))
    })
    .transpose()
}

/// At most `limit` loans within reach that are over, and whose tablet was neither received since nor is given to its holder, in the
/// order of their ids, from the first one after `after`; each with its holder's last day of attendance, if that is known.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn awaited(
    tx: &mut Tx<'_>,
    within: &Within,
    after: Option<LoanId>,
    limit: u32,
) -> Result<Vec<(Loan, Option<Day>)>, StoreError> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows: Vec<(Stored, Option<String>)> = tx.run(|connection| {
        let received = restitutions::table
            .filter(restitutions::loan_id.eq(loans::id))
            .filter(restitutions::stage.ne(StageName::Undone.as_str()));
        // What the supplier kept comes back to nobody.
        let kept = repairs::table
            .filter(repairs::loan_id.eq(loans::id.nullable()))
            .filter(repairs::state.eq("exchanged"));
        let query = loans::table
            .inner_join(persons::table.on(persons::id.eq(loans::person_id)))
            .filter(loans::state.eq(Standing::Ended.as_str()))
            .filter(loans::ended_because.ne_all([Ending::GivenBack.as_str(), Ending::GivenAway.as_str()]))
            .filter(diesel::dsl::not(diesel::dsl::exists(kept)))
            .filter(diesel::dsl::not(diesel::dsl::exists(gives_it_away!())))
            .filter(loans::id.gt(after))
            .filter(diesel::dsl::not(diesel::dsl::exists(received)))
            .order(loans::id.asc())
            .limit(i64::from(limit))
            .select((Stored::as_select(), persons::leaves_on))
            .into_boxed();
        of_colleges_within!(query, within, loans::uai.nullable()).load(connection)
    })?;
    rows.into_iter()
        .map(|(stored, leaves_on)| {
            let loan = stored.read()?;
            let leaves_on = read(leaves_on, "persons", "leaves_on", &loan.person_id)?;
            Ok((loan, leaves_on))
        })
        .collect()
}

crate::declared::declares! {
    loans kept as Loans {
        personal(Lending: Loans) {
            tablet_id, person_id, holder_kind, uai, school_year, state, suspension, began_at, changed_at, ended_because,
            ended_on, accessories, condition, reserve, deposited_since,
        }
        personal(Lending: Reasons) { ended_reference }
        personal(AccountsAndAudit: Acts) { handed_over_by, reserve_signed_by }
        not_personal("a number of ours") { id }
    }
}
