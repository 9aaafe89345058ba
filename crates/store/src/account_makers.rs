//! Who created an account, or reset what opens it. Appended, never edited: for 30 days such a person may not
//! approve by another's hand (C3.1.7).

use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _};
use types::{AccountId, AccountMakerId, Actor, Instant};

pub use governance::Deed;
use governance::{Hands, Maker, Newcomers};

use crate::noun::{noun, read_all};
use crate::schema::account_makers;
use crate::{StoreError, Tx};

noun! {
    /// A deed, and who did it.
    pub struct Making in account_makers keyed by id {
        /// Its id.
        id: AccountMakerId,
        /// The account it was done to.
        account_id: AccountId,
        /// What was done.
        deed: Deed,
        /// Who did it, as the audit log names them.
        actor: String,
        /// Their account, if they have one.
        by_account: Option<AccountId>,
        /// When.
        at: Instant,
    }
}

/// Records a deed.
///
/// # Errors
/// [`StoreError::Refused`] if the account did it to itself: that makes nobody its maker.
pub fn record(
    tx: &mut Tx<'_>,
    account: AccountId,
    deed: Deed,
    actor: &Actor,
    now: Instant,
) -> Result<(), StoreError> {
    let stored = Stored::of(&Making {
        id: AccountMakerId::new(now),
        account_id: account,
        deed,
        actor: actor.to_string(),
        by_account: match actor {
            Actor::Account(account) => Some(*account),
            Actor::Token(_) | Actor::Tablet(_) | Actor::Calendar | Actor::Host => None,
        },
        at: now,
    });
    tx.run(|connection| diesel::insert_into(account_makers::table).values(stored).execute(connection))?;
    Ok(())
}

/// Every deed on any account at or after `since`, oldest first: who stands behind whom is read from all of them.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn since(tx: &mut Tx<'_>, since: Instant) -> Result<Vec<Making>, StoreError> {
    read_all!(tx.run(|connection| {
        account_makers::table
            .filter(account_makers::at.ge(since.as_millis()))
            .order((account_makers::at.asc(), account_makers::id.asc()))
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// Every deed on an account, oldest first.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Making>, StoreError> {
    read_all!(tx.run(|connection| {
        account_makers::table
            .filter(account_makers::account_id.eq(account.to_string()))
            .order(account_makers::id.asc())
            .select(Stored::as_select())
            .load::<Stored>(connection)
    }))
}

/// The deeds of the last `window`, as decisions read them.
fn makings(
    tx: &mut Tx<'_>,
    window: types::Duration,
    now: Instant,
) -> Result<Vec<governance::Making>, StoreError> {
    let making = |row: Making| governance::Making {
        account: row.account_id,
        deed: row.deed,
        // Nobody's account: someone at the machine itself.
        by: row.by_account.map_or(Maker::Host, Maker::Account),
        at: row.at,
    };
    Ok(since(tx, now.minus(window))?.into_iter().map(making).collect())
}

/// Who stands behind whom at `now` (C3.1.7).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn hands(tx: &mut Tx<'_>, now: Instant) -> Result<Hands, StoreError> {
    Ok(Hands::of(&makings(tx, governance::TIED_FOR, now)?, now))
}

/// Which accounts are so new at `now` that their acts count together (M5).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn newcomers(tx: &mut Tx<'_>, now: Instant) -> Result<Newcomers, StoreError> {
    Ok(Newcomers::of(&makings(tx, governance::NEW_FOR, now)?, now))
}

crate::declared::declares! {
    account_makers kept as Evidence {
        personal(AccountsAndAudit: Acts) { account_id, deed, actor, by_account, at }
        not_personal("a number of ours") { id }
    }
}
