//! Notices on their way: each row is one mail to one addressee, until a server takes it or it ends otherwise.
//!
//! A node claims what is due, with a lease. Right before it hands a mail to the server it writes that down
//! (`handing_at`): whoever claims it again and finds that set knows that nobody knows whether it went. To which address it
//! goes, and what it says, stands elsewhere.

use ::incidents::NoticeOccasion;
use diesel::dsl::{count_star, min};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use lending::agreement::Signatory;
use types::{Instant, MailId, NoticeId, PersonId, WarrantId};

use crate::column::{read, stored_enum};
use crate::connection::AnyConnection;
use crate::noun::{by_key, find_all, find_first, hold_first, noun, read_all};
use crate::schema::mails;
use crate::{StoreError, Tx, warrant_notices};

stored_enum! {
    /// How far a mail has come.
    MailState {
        /// It waits to be sent.
        Waiting = "waiting",
        /// The mail server took it.
        Accepted = "accepted",
        /// The mail server refused it for good.
        Refused = "refused",
        /// It is not tried any more.
        GivenUp = "given-up",
        /// The mail server took it, and it came back.
        Bounced = "bounced",
    }
}

noun! {
    /// A notice on its way to one addressee.
    pub struct Mail in mails keyed by id {
        /// Its id, which is its Message-ID.
        id: MailId,
        /// What tells its return from others'.
        token: String,
        /// Whom it is about.
        person_id: PersonId,
        /// To whom of theirs it goes.
        addressee: Signatory,
        /// The notice of a loan.
        notice_id: Option<NoticeId>,
        /// Else the warrant,
        warrant_id: Option<WarrantId>,
        /// and what is told of it.
        occasion: Option<NoticeOccasion>,
        /// How far it has come.
        state: MailState,
        /// When it was written.
        created_at: Instant,
        /// When it is to be tried.
        due_at: Instant,
        /// Until when a node is at it.
        lease_until: Option<Instant>,
        /// How often it was tried.
        attempts: i32,
        /// Since when it is being handed to the server.
        handing_at: Option<Instant>,
        /// How often nobody knew whether it went.
        doubts: i32,
        /// Why it did not go, in words that name nobody.
        reason: Option<String>,
        /// When it was taken, refused, given up, or came back.
        ended_at: Option<Instant>,
    }
}

by_key!(mails, Mail, id: MailId; insert, get);

impl Mail {
    /// A mail that is due at once.
    #[must_use]
    pub fn new(person: PersonId, addressee: Signatory, about: About, now: Instant) -> Self {
        let (notice_id, warrant_id, occasion) = match about {
            About::Notice(notice) => (Some(notice), None, None),
            About::Warrant(warrant, occasion) => (None, Some(warrant), Some(occasion)),
        };
        Self {
            id: MailId::new(now),
            token: uuid::Uuid::new_v4().simple().to_string(),
            person_id: person,
            addressee,
            notice_id,
            warrant_id,
            occasion,
            state: MailState::Waiting,
            created_at: now,
            due_at: now,
            lease_until: None,
            attempts: 0,
            handing_at: None,
            doubts: 0,
            reason: None,
            ended_at: None,
        }
    }
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A notice of a loan.
    Notice(NoticeId),
    /// A warrant that opened, or is over.
    Warrant(WarrantId, NoticeOccasion),
}

/// Whether a mail is due that no node is at: a look that writes nothing, before the claim.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn is_due(tx: &mut Tx<'_>, now: Instant) -> Result<bool, StoreError> {
    let now = now.as_millis();
    let due = mails::table
        .filter(mails::state.eq(MailState::Waiting.as_str()))
        .filter(mails::due_at.le(now))
        .filter(mails::lease_until.is_null().or(mails::lease_until.le(now)));
    tx.run(|connection| diesel::select(diesel::dsl::exists(due)).get_result(connection))
}

/// A mail that a node claimed: it is that node's until another claims it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Which.
    pub id: MailId,
    /// How often it was claimed, this time included: whoever claims it later has a higher number.
    pub attempt: i32,
}

/// Claims at most `limit` mails that are due until `lease_until`, the longest due first. Two nodes never claim the same one;
/// one whose node died is claimed again when its lease has passed. What is claimed is held until the end of the transaction.
///
/// # Errors
/// [`StoreError::Contended`], after which the next round claims; [`StoreError::Corrupt`].
pub fn claim(
    tx: &mut Tx<'_>,
    now: Instant,
    lease_until: Instant,
    limit: u32,
) -> Result<Vec<Claimed>, StoreError> {
    tx.holds();
    let now = now.as_millis();
    let due = mails::table
        .filter(mails::state.eq(MailState::Waiting.as_str()))
        .filter(mails::due_at.le(now))
        .filter(mails::lease_until.is_null().or(mails::lease_until.le(now)))
        .order((mails::due_at.asc(), mails::id.asc()))
        .limit(i64::from(limit))
        .select(mails::id);
    let rows: Vec<(String, i32)> = tx.run(|connection| {
        let ids: Vec<String> = match connection {
            AnyConnection::Postgresql(connection) => {
                due.for_no_key_update().skip_locked().load(connection)?
            }
            AnyConnection::Sqlite(connection) => due.load(connection)?,
        };
        diesel::update(mails::table.filter(mails::id.eq_any(&ids)))
            .set((mails::lease_until.eq(lease_until.as_millis()), mails::attempts.eq(mails::attempts + 1)))
            .execute(connection)?;
        mails::table
            .filter(mails::id.eq_any(&ids))
            .order((mails::due_at.asc(), mails::id.asc()))
            .select((mails::id, mails::attempts))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(id, attempt)| Ok(Claimed { id: read(id.clone(), "mails", "id", &id)?, attempt }))
        .collect()
}

/// The mail of that id, held until the end of the transaction. Before it, the notice of the warrant that it is about is held:
/// whether anybody was told depends on how the other mails of that notice ended.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold(tx: &mut Tx<'_>, id: MailId) -> Result<Option<Mail>, StoreError> {
    let mail = get(tx, &id)?;
    hold_its_notice(tx, mail)?;
    hold_first!(tx, mails, mails::id.eq(id.to_string()))
}

/// The mail whose return address had this token, held as [`hold`] holds it.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hold_by_token(tx: &mut Tx<'_>, token: &str) -> Result<Option<Mail>, StoreError> {
    let mail = find_first!(tx, mails::table.filter(mails::token.eq(token.to_owned())))?;
    hold_its_notice(tx, mail)?;
    hold_first!(tx, mails, mails::token.eq(token.to_owned()))
}

/// What a mail is about never changes: it may be read before the mail is held.
fn hold_its_notice(tx: &mut Tx<'_>, mail: Option<Mail>) -> Result<(), StoreError> {
    if let Some((warrant, occasion)) = mail.and_then(|mail| mail.warrant_id.zip(mail.occasion)) {
        warrant_notices::hold(tx, warrant, occasion)?;
    }
    Ok(())
}

/// Writes how far a mail has come; who it is about, and what, stays.
///
/// # Errors
/// [`StoreError::Refused`] for one that has ended.
pub fn put(tx: &mut Tx<'_>, mail: &Mail) -> Result<(), StoreError> {
    let stored = Stored::of(mail);
    tx.run(|connection| {
        diesel::update(mails::table.find(stored.id))
            .set((
                mails::state.eq(stored.state),
                mails::due_at.eq(stored.due_at),
                mails::lease_until.eq(stored.lease_until),
                mails::attempts.eq(stored.attempts),
                mails::handing_at.eq(stored.handing_at),
                mails::doubts.eq(stored.doubts),
                mails::reason.eq(stored.reason),
                mails::ended_at.eq(stored.ended_at),
            ))
            .execute(connection)
    })?;
    Ok(())
}

/// The mail of a notice of a loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_notice(tx: &mut Tx<'_>, notice: NoticeId) -> Result<Option<Mail>, StoreError> {
    find_first!(tx, mails::table.filter(mails::notice_id.eq(notice.to_string())))
}

/// The mails of a warrant, the first written first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_warrant(tx: &mut Tx<'_>, warrant: WarrantId) -> Result<Vec<Mail>, StoreError> {
    read_all!(tx.run(|connection| {
        mails::table
            .filter(mails::warrant_id.eq(warrant.to_string()))
            .order(mails::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The mails of these warrants, in no order: one statement.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_warrants(
    tx: &mut Tx<'_>,
    warrants: impl IntoIterator<Item = WarrantId>,
) -> Result<Vec<Mail>, StoreError> {
    let warrants: Vec<String> = warrants.into_iter().map(|id| id.to_string()).collect();
    find_all!(tx, mails, warrants, mails::warrant_id)
}

/// What waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub waiting: u64,
    /// When the first of them was written.
    pub oldest: Option<Instant>,
}

/// Counts what waits to be sent.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn backlog(tx: &mut Tx<'_>) -> Result<Backlog, StoreError> {
    let (waiting, oldest): (i64, Option<i64>) = tx.run(|connection| {
        mails::table
            .filter(mails::state.eq(MailState::Waiting.as_str()))
            .select((count_star(), min(mails::created_at)))
            .first(connection)
    })?;
    Ok(Backlog { waiting: u64::try_from(waiting).unwrap_or(0), oldest: oldest.map(Instant::from_millis) })
}

crate::declared::declares! {
    mails kept as Loans {
        personal(Notices: NoticeDelivery) {
            person_id, addressee, notice_id, warrant_id, occasion, state, created_at, due_at, attempts, handing_at, doubts,
            reason, ended_at,
        }
        not_personal("numbers of ours, and which node is at it") { id, token, lease_until }
    }
}
