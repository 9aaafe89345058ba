//! Second persons: who asked, exactly what (bound by its digest), who may answer, until when, and what was
//! answered. The one mechanism for everything that two persons decide.
//!
//! What was asked is frozen. An answer comes once, in time, from another account that holds the role; it is used
//! once. The tables refuse everything else, whoever sends it.

use diesel::sql_types::Bool;
use diesel::{
    BoolExpressionMethods as _, BoxableExpression, ExpressionMethods as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, CountersignatureId, Instant, OrganisationId, OrganisationKind, Role, Uai};

pub use governance::countersignature::CountersignatureState;
use governance::countersignature::{Asked, CountersignatureRow};

use crate::accounts::AccountState;
use crate::column::stored_enum;
use crate::connection::AnyConnection;
use crate::noun::{by_key, find_first, noun, read_all};
use crate::organisations::{self, Organisation, OrganisationState};
use crate::role_grants::{self, GrantReach, RoleGrant};
use crate::schema::{accounts, countersignatures};
use crate::{Digest, StoreError, Tx, Within};

stored_enum! {
    /// Who may answer as the second person.
    SecondRole {
        /// An operator or administrator of the département, for the whole of it.
        Departement = "departement",
        /// Somebody with a right to approve, of the organisation that is named.
        Approver = "approver",
        /// Somebody who manages the accounts of the organisation that is named, or may approve for it.
        Manager = "manager",
        /// The head of the collège that is named, or an operator of the département who reaches it.
        HeadOrDepartement = "head-or-departement",
    }
}

noun! {
    /// A request for a second person.
    pub struct Countersignature in countersignatures keyed by id {
        /// Its id.
        id: CountersignatureId,
        /// What it is for, such as `exceed-a-budget`.
        purpose: String,
        /// What it is about: the id of a grant, an order, a campaign.
        subject: String,
        /// SHA-256 of exactly what was asked; the answer is worth nothing for anything else.
        content_sha256: Digest,
        /// What was asked, byte by byte as its digest has it; `None` once it was purged.
        content: Option<String>,
        /// Why, in the asker's words; `None` once it was purged.
        reason: Option<String>,
        /// Who asked.
        asked_by: AccountId,
        /// When.
        asked_at: Instant,
        /// The only organisation whose accounts may answer, if there is one.
        answer_organisation: Option<OrganisationId>,
        /// Who may answer.
        answer_role: SecondRole,
        /// The collège it concerns, where that matters for who may answer.
        answer_uai: Option<Uai>,
        /// The first instant at which it is answered no more.
        expires_at: Instant,
        /// How far it has come.
        state: CountersignatureState,
        /// Who answered.
        answered_by: Option<AccountId>,
        /// When.
        answered_at: Option<Instant>,
        /// What they said to it.
        answer_reason: Option<String>,
        /// When the answer was used.
        used_at: Option<Instant>,
        /// For what.
        used_for: Option<String>,
    }
}

by_key!(countersignatures, Countersignature, id: CountersignatureId; get);

/// Something to ask of a second person.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The request's id.
    pub id: CountersignatureId,
    /// What it is for.
    pub purpose: String,
    /// What it is about.
    pub subject: String,
    /// SHA-256 of exactly what is asked.
    pub content_sha256: Digest,
    /// What is asked, byte by byte as its digest has it; never a secret.
    pub content: String,
    /// Why, in the asker's words.
    pub reason: String,
    /// Who asks.
    pub asked_by: AccountId,
    /// When.
    pub asked_at: Instant,
    /// The only organisation whose accounts may answer, if there is one.
    pub answer_organisation: Option<OrganisationId>,
    /// Who may answer.
    pub answer_role: SecondRole,
    /// The collège it concerns, where that matters for who may answer.
    pub answer_uai: Option<Uai>,
    /// The first instant at which it is answered no more.
    pub expires_at: Instant,
}

/// Asks a second person.
///
/// # Errors
/// [`StoreError::Refused`] if it would expire before it is asked, or nobody could answer it.
pub fn ask(tx: &mut Tx<'_>, question: &Question) -> Result<(), StoreError> {
    let stored = Stored::of(&Countersignature {
        id: question.id,
        purpose: question.purpose.clone(),
        subject: question.subject.clone(),
        content_sha256: question.content_sha256,
        content: Some(question.content.clone()),
        reason: Some(question.reason.clone()),
        asked_by: question.asked_by,
        asked_at: question.asked_at,
        answer_organisation: question.answer_organisation,
        answer_role: question.answer_role,
        answer_uai: question.answer_uai.clone(),
        expires_at: question.expires_at,
        state: CountersignatureState::Waiting,
        answered_by: None,
        answered_at: None,
        answer_reason: None,
        used_at: None,
        used_for: None,
    });
    tx.run(|connection| diesel::insert_into(countersignatures::table).values(stored).execute(connection))?;
    Ok(())
}

/// A second person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether they agree.
    pub given: bool,
    /// Who answers.
    pub by: AccountId,
    /// When.
    pub at: Instant,
    /// What they say to it.
    pub reason: Option<String>,
}

/// Records the answer to a request; `false` if it waits no more: of two persons who answer at once, one does.
///
/// # Errors
/// [`StoreError::Refused`] if whoever answers asked, comes too late or too early, or lacks the role.
pub fn answer(tx: &mut Tx<'_>, id: CountersignatureId, answer: &Answer) -> Result<bool, StoreError> {
    let state = if answer.given { CountersignatureState::Given } else { CountersignatureState::Refused };
    let answered = tx.run(|connection| {
        diesel::update(waiting(id))
            .set((
                countersignatures::state.eq(state.as_str()),
                countersignatures::answered_by.eq(answer.by.to_string()),
                countersignatures::answered_at.eq(answer.at.as_millis()),
                countersignatures::answer_reason.eq(&answer.reason),
            ))
            .execute(connection)
    })?;
    Ok(answered == 1)
}

/// Takes a request back; `false` if it waits no more.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn withdraw(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<bool, StoreError> {
    end(tx, id, CountersignatureState::Withdrawn)
}

/// Gives up a request whose subject is no more, answered or not; `false` if it is over or its answer was used.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn void(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<bool, StoreError> {
    let unused = countersignatures::state
        .eq(CountersignatureState::Given.as_str())
        .and(countersignatures::used_at.is_null());
    let voided = tx.run(|connection| {
        diesel::update(
            countersignatures::table
                .filter(countersignatures::id.eq(id.to_string()))
                .filter(countersignatures::state.eq(CountersignatureState::Waiting.as_str()).or(unused)),
        )
        .set(countersignatures::state.eq(CountersignatureState::Void.as_str()))
        .execute(connection)
    })?;
    Ok(voided == 1)
}

/// Gives up every request that an account asked, and every answer it gave, as far as nothing came of them: its
/// holder lost the right, or may be somebody else from now on. Returns which.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn void_of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<CountersignatureId>, StoreError> {
    let id = account.to_string();
    let unused = countersignatures::state
        .eq(CountersignatureState::Given.as_str())
        .and(countersignatures::used_at.is_null());
    let waits = countersignatures::state.eq(CountersignatureState::Waiting.as_str());
    let theirs =
        countersignatures::asked_by.eq(id.clone()).nullable().or(countersignatures::answered_by.eq(id));
    let found: Vec<String> = tx.run(|connection| {
        countersignatures::table
            .filter(waits.or(unused))
            .filter(theirs)
            .order(countersignatures::id.asc())
            .select(countersignatures::id)
            .load(connection)
    })?;
    let mut voided = Vec::with_capacity(found.len());
    for id in found {
        let id = crate::column::read(id.clone(), "countersignatures", "id", &id)?;
        if void(tx, id)? {
            voided.push(id);
        }
    }
    Ok(voided)
}

/// Ends what nobody answered in time. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn expire(tx: &mut Tx<'_>, now: Instant) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            countersignatures::table
                .filter(countersignatures::state.eq(CountersignatureState::Waiting.as_str()))
                .filter(countersignatures::expires_at.le(now.as_millis())),
        )
        .set(countersignatures::state.eq(CountersignatureState::Expired.as_str()))
        .execute(connection)
    })
}

/// Uses an answer that was given. `true` exactly once.
///
/// # Errors
/// [`StoreError::Refused`] if it would be used before it was given: the clock was set back.
pub fn use_once(
    tx: &mut Tx<'_>,
    id: CountersignatureId,
    used_for: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let used = tx.run(|connection| {
        diesel::update(
            countersignatures::table
                .filter(countersignatures::id.eq(id.to_string()))
                .filter(countersignatures::state.eq(CountersignatureState::Given.as_str()))
                .filter(countersignatures::used_at.is_null()),
        )
        .set((countersignatures::used_at.eq(now.as_millis()), countersignatures::used_for.eq(used_for)))
        .execute(connection)
    })?;
    Ok(used == 1)
}

/// The last request for this purpose that was about this.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn last_about(
    tx: &mut Tx<'_>,
    purpose: &str,
    subject: &str,
) -> Result<Option<Countersignature>, StoreError> {
    find_first!(
        tx,
        countersignatures::table
            .filter(countersignatures::purpose.eq(purpose))
            .filter(countersignatures::subject.eq(subject))
            .order(countersignatures::id.desc())
    )
}

/// At most `limit` requests, the newest first, from the first one before `before`; in one state only, if one is
/// given. Within an organisation: those that its accounts asked or may answer; within collèges: those that are
/// to be answered there.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    state: Option<CountersignatureState>,
    before: Option<CountersignatureId>,
    limit: u32,
) -> Result<Vec<Countersignature>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = countersignatures::table
            .filter(countersignatures::id.lt(before))
            .order(countersignatures::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(countersignatures::state.eq(state.as_str()));
        }
        let query = match within {
            Within::Everything => query,
            Within::Organisation(organisation) => {
                let id = organisation.to_string();
                let theirs =
                    accounts::table.filter(accounts::organisation_id.eq(id.clone())).select(accounts::id);
                query.filter(
                    countersignatures::asked_by
                        .eq_any(theirs)
                        .nullable()
                        .or(countersignatures::answer_organisation.eq(id)),
                )
            }
            Within::Colleges(colleges) => {
                query.filter(countersignatures::answer_uai.eq_any(Within::codes(colleges)))
            }
        };
        query.load::<Stored>(connection)
    }))
}

/// At most `limit` requests that an account asked, the newest first, from the first one before `before`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_asker(
    tx: &mut Tx<'_>,
    account: AccountId,
    before: Option<CountersignatureId>,
    limit: u32,
) -> Result<Vec<Countersignature>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        countersignatures::table
            .filter(countersignatures::asked_by.eq(account.to_string()))
            .filter(countersignatures::id.lt(before))
            .order(countersignatures::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The request of that account, for exactly that, which waits at `now`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn waiting_same(
    tx: &mut Tx<'_>,
    purpose: &str,
    asked_by: AccountId,
    content_sha256: &Digest,
    now: Instant,
) -> Result<Option<CountersignatureId>, StoreError> {
    let id: Option<String> = tx.run(|connection| {
        countersignatures::table
            .filter(countersignatures::purpose.eq(purpose))
            .filter(countersignatures::asked_by.eq(asked_by.to_string()))
            .filter(countersignatures::content_sha256.eq(content_sha256.to_string()))
            .filter(countersignatures::state.eq(CountersignatureState::Waiting.as_str()))
            .filter(countersignatures::expires_at.gt(now.as_millis()))
            .order(countersignatures::id.desc())
            .select(countersignatures::id)
            .first(connection)
            .optional()
    })?;
    id.map(|id| crate::column::read(id.clone(), "countersignatures", "id", &id)).transpose()
}

/// Every request about that subject, the newest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn about(tx: &mut Tx<'_>, purpose: &str, subject: &str) -> Result<Vec<Countersignature>, StoreError> {
    read_all!(tx.run(|connection| {
        countersignatures::table
            .filter(countersignatures::purpose.eq(purpose))
            .filter(countersignatures::subject.eq(subject))
            .order(countersignatures::id.desc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// A condition on the requests.
type Condition = Box<
    dyn BoxableExpression<
            countersignatures::table,
            <AnyConnection as diesel::Connection>::Backend,
            SqlType = Bool,
        >,
>;

/// At most `limit` requests that the roles of an account let it answer at `now`, in the order of their ids, from
/// the first one after `after`. Its own are not among them. The rules have the last word: whoever made the
/// asker's account may be among those who hold the role.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn answerable(
    tx: &mut Tx<'_>,
    account: AccountId,
    now: Instant,
    after: Option<CountersignatureId>,
    limit: u32,
) -> Result<Vec<Countersignature>, StoreError> {
    let Some(account) = crate::accounts::get(tx, &account)? else { return Ok(Vec::new()) };
    let Some(organisation) = organisations::get(tx, &account.organisation_id)? else { return Ok(Vec::new()) };
    let in_use = account.state == AccountState::Active && organisation.state == OrganisationState::Active;
    if !in_use {
        return Ok(Vec::new());
    }
    let roles = role_grants::in_force(tx, account.id, now)?;
    let conditions = roles.iter().flat_map(|grant| may_be_answered_by(grant, &organisation));
    let Some(any) = conditions.reduce(|one, other| Box::new(one.or(other))) else { return Ok(Vec::new()) };
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        countersignatures::table
            .filter(countersignatures::state.eq(CountersignatureState::Waiting.as_str()))
            .filter(countersignatures::expires_at.gt(now.as_millis()))
            .filter(countersignatures::asked_by.ne(account.id.to_string()))
            .filter(any)
            .filter(countersignatures::id.gt(after))
            .order(countersignatures::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// What a role in an organisation lets its bearer answer; the tables' trigger says the same.
fn may_be_answered_by(grant: &RoleGrant, organisation: &Organisation) -> Vec<Condition> {
    let word = |role: SecondRole| countersignatures::answer_role.eq(role.as_str());
    let ours = countersignatures::answer_organisation.eq(organisation.id.to_string()).assume_not_null();
    let there = |codes: Vec<String>| countersignatures::answer_uai.eq_any(codes).assume_not_null();
    let manager = || -> Condition { Box::new(word(SecondRole::Manager).and(ours.clone())) };
    match (grant.role, &grant.reach) {
        (Role::Approver, _) => {
            vec![manager(), Box::new(word(SecondRole::Approver).and(ours.clone()))]
        }
        (Role::Administrator, _) if organisation.kind == OrganisationKind::Departement => {
            vec![manager(), Box::new(word(SecondRole::Departement))]
        }
        (Role::Administrator, _) => vec![manager()],
        (Role::Head, _) => {
            let own = organisation.uai.iter().map(Uai::to_string).collect();
            vec![manager(), Box::new(word(SecondRole::HeadOrDepartement).and(there(own)))]
        }
        (Role::Operator, GrantReach::Organisation) => {
            vec![Box::new(word(SecondRole::Departement).or(word(SecondRole::HeadOrDepartement)))]
        }
        (Role::Operator, GrantReach::Colleges(colleges)) => {
            vec![Box::new(word(SecondRole::HeadOrDepartement).and(there(Within::codes(colleges))))]
        }
        (Role::Ati | Role::Referent | Role::Dpo | Role::Auditor, _) => Vec::new(),
    }
}

fn end(tx: &mut Tx<'_>, id: CountersignatureId, state: CountersignatureState) -> Result<bool, StoreError> {
    let ended = tx.run(|connection| {
        diesel::update(waiting(id)).set(countersignatures::state.eq(state.as_str())).execute(connection)
    })?;
    Ok(ended == 1)
}

type Waiting = diesel::dsl::Filter<
    diesel::dsl::Filter<countersignatures::table, diesel::dsl::Eq<countersignatures::id, String>>,
    diesel::dsl::Eq<countersignatures::state, &'static str>,
>;

/// The row of a request that waits.
fn waiting(id: CountersignatureId) -> Waiting {
    countersignatures::table
        .filter(countersignatures::id.eq(id.to_string()))
        .filter(countersignatures::state.eq(CountersignatureState::Waiting.as_str()))
}

/// What was asked, checked again: its content is what its digest says, and its answer one that could be given.
/// `None` if there is no such request, or it was emptied: then nothing rests on it any more.
///
/// # Errors
/// [`StoreError::Edited`] for a row that no decision can have written; [`StoreError::Corrupt`].
pub fn asked(tx: &mut Tx<'_>, id: CountersignatureId) -> Result<Option<Asked>, StoreError> {
    let Some(row) = get(tx, &id)? else { return Ok(None) };
    let (Some(content), Some(reason)) = (row.content, row.reason) else { return Ok(None) };
    let purpose = row.purpose.parse().map_err(|_unknown| StoreError::Corrupt {
        table: "countersignatures",
        row: id.to_string(),
        column: "purpose",
    })?;
    #[expect(clippy::disallowed_methods, reason = "this is the row")]
    let asked = Asked::from_row(CountersignatureRow {
        id,
        purpose,
        subject: row.subject,
        content_sha256: row.content_sha256,
        content,
        reason,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        answer_organisation: row.answer_organisation,
        answer_role: row.answer_role.to_string(),
        answer_uai: row.answer_uai,
        expires_at: row.expires_at,
        state: row.state,
        answered_by: row.answered_by,
        answered_at: row.answered_at,
        answer_reason: row.answer_reason,
        used_at: row.used_at,
        used_for: row.used_for,
    })?;
    Ok(Some(asked))
}

/// Records what was asked of a second person, as it waits.
///
/// # Errors
/// As [`ask`].
pub fn record(tx: &mut Tx<'_>, asked: &Asked) -> Result<(), StoreError> {
    let row = asked.to_row();
    let answer_role = crate::column::read(row.answer_role, "countersignatures", "answer_role", &row.id)?;
    let question = Question {
        id: row.id,
        purpose: row.purpose.to_string(),
        subject: row.subject,
        content_sha256: row.content_sha256,
        content: row.content,
        reason: row.reason,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        answer_organisation: row.answer_organisation,
        answer_role,
        answer_uai: row.answer_uai,
        expires_at: row.expires_at,
    };
    ask(tx, &question)
}

crate::declared::declares! {
    countersignatures kept as Countersignatures {
        personal(AccountsAndAudit: Acts) {
            purpose, subject, content_sha256, content, asked_by, asked_at, state, answered_by, answered_at, used_at,
            used_for,
        }
        personal(AccountsAndAudit: Reasons) { reason, answer_reason }
        not_personal("who may answer, and until when") {
            id, answer_organisation, answer_role, answer_uai, expires_at,
        }
    }
}
