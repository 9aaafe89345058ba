//! What was said to a holder or their guardians, once for each occasion, and whether it counts (C5.3.5, M3).

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use lending::agreement::Signatory;
use lending::notice::{Notice as Decided, NoticeKind, Sent};
use types::{AccountId, Instant, LoanId, NoticeId};

use crate::column::stored_enum;
use crate::noun::{by_key, find_all, noun, on_each_engine, read_all};
use crate::schema::{loans, notices};
use crate::within::of_colleges_within;
use crate::{StoreError, Tx, Within};

stored_enum! {
    /// How a notice goes.
    Channel {
        /// By electronic mail.
        Mail = "mail",
        /// As a letter that somebody hands over.
        Letter = "letter",
    }

    /// What became of a notice.
    NoticeState {
        /// It waits.
        Waiting = "waiting",
        /// A mail server accepted it.
        Accepted = "accepted",
        /// It came back: it counts no more.
        Bounced = "bounced",
        /// It was handed over.
        HandedOver = "handed-over",
    }
}

noun! {
    /// A notice. To whom it goes stands with the person, not here.
    pub struct Notice in notices keyed by id {
        /// Its id.
        id: NoticeId,
        /// The loan.
        loan_id: LoanId,
        /// What it says.
        kind: NoticeKind,
        /// What it is about, so that it is said once: the due day and the step, or the restitution.
        occasion: String,
        /// How it goes.
        channel: Channel,
        /// What became of it.
        state: NoticeState,
        /// When it was written.
        created_at: Instant,
        /// When it was accepted, or handed over.
        counted_at: Option<Instant>,
        /// Who handed it over.
        counted_by: Option<AccountId>,
        /// Whom it is for; `None` for a letter to the household.
        addressee: Option<Signatory>,
    }
}

by_key!(notices, Notice, id: NoticeId; get);

impl Notice {
    /// The notice that the rules decide on.
    #[must_use]
    pub fn decided(&self) -> Decided {
        let sent = match (self.state, self.counted_at) {
            (NoticeState::Accepted, Some(at)) => Sent::MailAccepted(at),
            (NoticeState::HandedOver, Some(at)) => Sent::LetterHandedOver(at),
            (NoticeState::Bounced, _) => Sent::Bounced,
            (NoticeState::Waiting | NoticeState::Accepted | NoticeState::HandedOver, _) => Sent::Waits,
        };
        Decided { loan: self.loan_id, kind: self.kind, sent }
    }
}

/// Writes a notice that waits; `false` if this was said of this occasion, on this channel, to this addressee before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn write(tx: &mut Tx<'_>, notice: &Notice) -> Result<bool, StoreError> {
    let same = |said: &Notice| {
        said.kind == notice.kind
            && said.occasion == notice.occasion
            && said.channel == notice.channel
            && said.addressee == notice.addressee
    };
    if of_loan(tx, notice.loan_id)?.iter().any(same) {
        return Ok(false);
    }
    let stored = Stored::of(notice);
    on_each_engine!(tx, |connection| diesel::insert_into(notices::table).values(stored).execute(connection))?;
    Ok(true)
}

/// A mail server accepted it, or somebody handed it over; `false` if it does not wait, or goes another way.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count(
    tx: &mut Tx<'_>,
    id: NoticeId,
    handed_over_by: Option<AccountId>,
    at: Instant,
) -> Result<bool, StoreError> {
    let (channel, state) = match handed_over_by {
        Some(_) => (Channel::Letter, NoticeState::HandedOver),
        None => (Channel::Mail, NoticeState::Accepted),
    };
    let counted = tx.run(|connection| {
        diesel::update(
            notices::table
                .find(id.to_string())
                .filter(notices::state.eq(NoticeState::Waiting.as_str()))
                .filter(notices::channel.eq(channel.as_str())),
        )
        .set((
            notices::state.eq(state.as_str()),
            notices::counted_at.eq(at.as_millis()),
            notices::counted_by.eq(handed_over_by.map(|account| account.to_string())),
        ))
        .execute(connection)
    })?;
    Ok(counted == 1)
}

/// It came back: it counts no more. `false` if no mail server had accepted it.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn bounce(tx: &mut Tx<'_>, id: NoticeId) -> Result<bool, StoreError> {
    let bounced = tx.run(|connection| {
        diesel::update(
            notices::table.find(id.to_string()).filter(notices::state.eq(NoticeState::Accepted.as_str())),
        )
        .set(notices::state.eq(NoticeState::Bounced.as_str()))
        .execute(connection)
    })?;
    Ok(bounced == 1)
}

/// Every notice of a loan, the first written first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loan(tx: &mut Tx<'_>, loan: LoanId) -> Result<Vec<Notice>, StoreError> {
    read_all!(tx.run(|connection| {
        notices::table
            .filter(notices::loan_id.eq(loan.to_string()))
            .order(notices::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// As [`of_loan`], of many loans: one statement, or none for no loan.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_loans(tx: &mut Tx<'_>, loans: impl IntoIterator<Item = LoanId>) -> Result<Vec<Notice>, StoreError> {
    let loans = loans.into_iter().map(|one| one.to_string()).collect();
    let mut found: Vec<Notice> = find_all!(tx, notices, loans, notices::loan_id)?;
    found.sort_by_key(|notice| notice.id);
    Ok(found)
}

/// At most `limit` notices of loans of collèges within reach, the newest first, from the first one before `before`; only those
/// of one loan, or those that count for nothing, if that is wanted.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    (loan, unreached): (Option<LoanId>, bool),
    before: Option<NoticeId>,
    limit: u32,
) -> Result<Vec<Notice>, StoreError> {
    // `g` sorts after every hexadecimal digit.
    let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
    read_all!(tx.run(|connection| {
        let mut query = notices::table
            .inner_join(loans::table.on(loans::id.eq(notices::loan_id)))
            .filter(notices::id.lt(before))
            .order(notices::id.desc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(loan) = loan {
            query = query.filter(notices::loan_id.eq(loan.to_string()));
        }
        if unreached {
            query = query.filter(
                notices::state.eq_any([NoticeState::Waiting.as_str(), NoticeState::Bounced.as_str()]),
            );
        }
        of_colleges_within!(query, within, loans::uai.nullable()).load::<Stored>(connection)
    }))
}

crate::declared::declares! {
    notices kept as Loans {
        personal(Notices: NoticeDelivery) { loan_id, kind, occasion, channel, state, created_at, counted_at, addressee }
        personal(AccountsAndAudit: Acts) { counted_by }
        not_personal("a number of ours") { id }
    }
}
