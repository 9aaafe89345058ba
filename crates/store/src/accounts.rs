//! People's accounts. What opens one is sealed or hashed; an account never leaves its organisation (C3.1.7); a
//! closed one stays closed, opens no more, and its holder can be forgotten.
//!
//! There is no way to write a whole row: each function changes what it names and nothing else (T-C15).

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Instant, OrganisationId, Secret};

pub use governance::AccountState;

use crate::column::{Column as _, read};
use crate::noun::{by_key, find_first, noun, read_all};
use crate::schema::{accounts, organisations};
use crate::{Digest, RowName, StoreError, Tx, Within};

noun! {
    /// An account, without what opens it.
    pub struct Account in accounts keyed by id {
        /// Its id.
        id: AccountId,
        /// Its organisation, for good (C3.1.7).
        organisation_id: OrganisationId,
        /// What its holder signs in with, in lower case; one account each.
        login: String,
        /// Its holder's name; empty once they are forgotten.
        name: String,
        /// Its holder's address.
        email: Option<String>,
        /// How it stands.
        state: AccountState,
        /// The step of the last code that was used: no earlier one is accepted.
        totp_used_step: Option<i64>,
        /// SHA-256 of the invitation or reset token that waits for its holder.
        invitation_sha256: Option<Digest>,
        /// The first instant that token is refused.
        invitation_expires_at: Option<Instant>,
        /// How often signing in failed since it last succeeded.
        failed_attempts: i32,
        /// The first instant at which signing in may be tried again.
        locked_until: Option<Instant>,
        /// When it was made.
        created_at: Instant,
        /// When it was closed.
        closed_at: Option<Instant>,
    }
}

by_key!(accounts, Account, id: AccountId; insert, get);

/// The account with that login, however it stands. Logins are compared in lower case.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_login(tx: &mut Tx<'_>, login: &str) -> Result<Option<Account>, StoreError> {
    find_first!(tx, accounts::table.filter(accounts::login.eq(login.to_lowercase())))
}

/// The account with that address, however it stands: whoever reads one mailbox is one person.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<Account>, StoreError> {
    find_first!(tx, accounts::table.filter(accounts::email.eq(email.to_lowercase())))
}

/// At most `limit` accounts in the order of their ids, from the first one after `after`; of one state only, if
/// one is given. Within collèges: the accounts of those collèges.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    state: Option<AccountState>,
    after: Option<AccountId>,
    limit: u32,
) -> Result<Vec<Account>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    read_all!(tx.run(|connection| {
        let mut query = accounts::table
            .filter(accounts::id.gt(after))
            .order(accounts::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .into_boxed();
        if let Some(state) = state {
            query = query.filter(accounts::state.eq(state.as_str()));
        }
        let query = match within {
            Within::Everything => query,
            Within::Organisation(id) => query.filter(accounts::organisation_id.eq(id.to_string())),
            Within::Colleges(colleges) => query.filter(
                accounts::organisation_id.eq_any(
                    organisations::table
                        .filter(organisations::uai.eq_any(Within::codes(colleges)))
                        .select(organisations::id),
                ),
            ),
        };
        query.load::<Stored>(connection)
    }))
}

/// How many accounts an organisation has, closed ones left out: the first one of another organisation takes a
/// second person.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn count_of(tx: &mut Tx<'_>, organisation: OrganisationId) -> Result<u64, StoreError> {
    let count: i64 = tx.run(|connection| {
        accounts::table
            .filter(accounts::organisation_id.eq(organisation.to_string()))
            .filter(accounts::state.ne(AccountState::Closed.as_str()))
            .count()
            .get_result(connection)
    })?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Sets the name and address of an account's holder; `false` if it is closed, or there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn describe(tx: &mut Tx<'_>, id: AccountId, name: &str, email: Option<&str>) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(open(id)).set((accounts::name.eq(name), accounts::email.eq(email))).execute(connection)
    })?;
    Ok(changed == 1)
}

/// Turns an account from one state to another; `false` if it does not stand in the first. A suspended account's
/// sessions and tokens are to be revoked with it.
///
/// # Errors
/// [`StoreError::Refused`] to close it, which is [`close`]'s, or to open a closed one again.
pub fn turn(
    tx: &mut Tx<'_>,
    id: AccountId,
    from: AccountState,
    to: AccountState,
) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(
            accounts::table.filter(accounts::id.eq(id.to_string())).filter(accounts::state.eq(from.as_str())),
        )
        .set(accounts::state.eq(to.as_str()))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Closes an account for good, with everything that opened it; `false` if it was closed before. Its sessions,
/// tokens and roles are to be revoked with it.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn close(tx: &mut Tx<'_>, id: AccountId, now: Instant) -> Result<bool, StoreError> {
    let closed = tx.run(|connection| {
        diesel::update(open(id))
            .set((
                accounts::state.eq(AccountState::Closed.as_str()),
                accounts::closed_at.eq(now.as_millis()),
                accounts::password_sealed.eq(None::<Vec<u8>>),
                accounts::totp_sealed.eq(None::<Vec<u8>>),
                accounts::totp_used_step.eq(None::<i64>),
                accounts::invitation_sha256.eq(None::<String>),
                accounts::invitation_expires_at.eq(None::<i64>),
            ))
            .execute(connection)
    })?;
    Ok(closed == 1)
}

/// Lets an invitation or reset token wait for the holder, in the place of any earlier one; `false` if the
/// account is closed, or there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn invite(
    tx: &mut Tx<'_>,
    id: AccountId,
    token_sha256: &Digest,
    expires_at: Instant,
) -> Result<bool, StoreError> {
    let invited = tx.run(|connection| {
        diesel::update(open(id))
            .set((
                accounts::invitation_sha256.eq(token_sha256.to_string()),
                accounts::invitation_expires_at.eq(expires_at.as_millis()),
            ))
            .execute(connection)
    })?;
    Ok(invited == 1)
}

/// The account for whose holder that invitation or reset token waits, in time or not.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn by_invitation(tx: &mut Tx<'_>, token_sha256: &Digest) -> Result<Option<Account>, StoreError> {
    find_first!(tx, accounts::table.filter(accounts::invitation_sha256.eq(token_sha256.to_string())))
}

/// Uses an invitation or reset token: the account it was for, now active. `None` if no account waits for it, it
/// has expired, or the account is suspended. One token opens once.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn accept_invitation(
    tx: &mut Tx<'_>,
    token_sha256: &Digest,
    now: Instant,
) -> Result<Option<Account>, StoreError> {
    let admitted = [AccountState::Invited.as_str(), AccountState::Active.as_str()];
    let id: Option<String> = tx.run(|connection| {
        diesel::update(
            accounts::table
                .filter(accounts::invitation_sha256.eq(token_sha256.to_string()))
                .filter(accounts::invitation_expires_at.gt(now.as_millis()))
                .filter(accounts::state.eq_any(admitted)),
        )
        .set((
            accounts::state.eq(AccountState::Active.as_str()),
            accounts::invitation_sha256.eq(None::<String>),
            accounts::invitation_expires_at.eq(None::<i64>),
        ))
        .returning(accounts::id)
        .get_result(connection)
        .optional()
    })?;
    let Some(id) = id else { return Ok(None) };
    let id = crate::column::read(id.clone(), "accounts", "id", &id)?;
    get(tx, &id)
}

/// What opens an account. Printing it prints nothing of it.
#[derive(Debug, Default)]
pub struct AccountSecrets {
    /// The hash of its password.
    pub password: Option<Secret<Vec<u8>>>,
    /// The secret of its second factor.
    pub totp: Option<Secret<Vec<u8>>>,
}

fn place(column: &'static str, id: AccountId) -> RowName {
    RowName::new("accounts", column, &id)
}

/// Opens what opens an account; nothing if there is no such account.
///
/// # Errors
/// [`StoreError::Sealed`] if a value does not open.
pub fn secrets(tx: &mut Tx<'_>, id: AccountId) -> Result<AccountSecrets, StoreError> {
    type Sealed = (Option<Vec<u8>>, Option<Vec<u8>>);
    let sealed: Option<Sealed> = tx.run(|connection| {
        accounts::table
            .find(id.to_string())
            .select((accounts::password_sealed, accounts::totp_sealed))
            .first(connection)
            .optional()
    })?;
    let (password, totp) = sealed.unwrap_or_default();
    let open = |sealed: Option<Vec<u8>>, column| {
        sealed.map(|sealed| tx.vault().open(&sealed, &place(column, id))).transpose()
    };
    Ok(AccountSecrets { password: open(password, "password_sealed")?, totp: open(totp, "totp_sealed")? })
}

/// Seals the hash of a password, forgets failed attempts, and voids a waiting token; `None` leaves the account
/// without a password. `false` if it is closed, or there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set_password(
    tx: &mut Tx<'_>,
    id: AccountId,
    password_hash: Option<&Secret<Vec<u8>>>,
) -> Result<bool, StoreError> {
    let sealed = password_hash
        .map(|hash| tx.vault().seal(hash.expose(), &place("password_sealed", id)))
        .transpose()?;
    let changed = tx.run(|connection| {
        diesel::update(open(id))
            .set((
                accounts::password_sealed.eq(sealed),
                accounts::failed_attempts.eq(0),
                accounts::locked_until.eq(None::<i64>),
                accounts::invitation_sha256.eq(None::<String>),
                accounts::invitation_expires_at.eq(None::<i64>),
            ))
            .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Seals the secret of a second factor in the place of any earlier one, and forgets failed codes; `None` leaves the account
/// without.
/// `false` if it is closed, or there is none.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn set_totp(
    tx: &mut Tx<'_>,
    id: AccountId,
    secret: Option<&Secret<Vec<u8>>>,
) -> Result<bool, StoreError> {
    let sealed =
        secret.map(|secret| tx.vault().seal(secret.expose(), &place("totp_sealed", id))).transpose()?;
    let changed = tx.run(|connection| {
        diesel::update(open(id))
            .set((
                accounts::totp_sealed.eq(sealed),
                accounts::totp_used_step.eq(None::<i64>),
                accounts::failed_codes.eq(0),
                accounts::codes_locked_until.eq(None::<i64>),
            ))
            .execute(connection)
    })?;
    Ok(changed == 1)
}

/// Uses the code of a step. `true` once a step, and never again for that one or an earlier one.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn use_totp_step(tx: &mut Tx<'_>, id: AccountId, step: i64) -> Result<bool, StoreError> {
    let used = tx.run(|connection| {
        diesel::update(
            accounts::table
                .filter(accounts::id.eq(id.to_string()))
                .filter(accounts::totp_sealed.is_not_null())
                .filter(accounts::totp_used_step.is_null().or(accounts::totp_used_step.lt(step))),
        )
        .set(accounts::totp_used_step.eq(step))
        .execute(connection)
    })?;
    Ok(used == 1)
}

/// What somebody tries on an account. Each is counted apart: whoever knows a login cannot lock out its holder, who is
/// signed in already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trying {
    /// To sign in, or to change the password by the one before.
    Password,
    /// To show a code of the second factor, in a session or with a token.
    Code,
}

/// How often that has failed since it last succeeded, and until when it may not be tried; `None` without an account.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn attempts(
    tx: &mut Tx<'_>,
    id: AccountId,
    trying: Trying,
) -> Result<Option<(i32, Option<Instant>)>, StoreError> {
    let found: Option<(i32, Option<i64>)> = tx.run(|connection| {
        let account = accounts::table.find(id.to_string());
        match trying {
            Trying::Password => {
                account.select((accounts::failed_attempts, accounts::locked_until)).first(connection)
            }
            Trying::Code => {
                account.select((accounts::failed_codes, accounts::codes_locked_until)).first(connection)
            }
        }
        .optional()
    })?;
    found.map(|(failed, until)| Ok((failed, read(until, "accounts", "locked_until", &id)?))).transpose()
}

/// Notes how often that has failed, and until when it may not be tried.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn note_attempts(
    tx: &mut Tx<'_>,
    id: AccountId,
    trying: Trying,
    failed: i32,
    locked_until: Option<Instant>,
) -> Result<(), StoreError> {
    let locked_until = locked_until.stored();
    tx.run(|connection| {
        let account = diesel::update(accounts::table.find(id.to_string()));
        match trying {
            Trying::Password => account
                .set((accounts::failed_attempts.eq(failed), accounts::locked_until.eq(locked_until)))
                .execute(connection),
            Trying::Code => account
                .set((accounts::failed_codes.eq(failed), accounts::codes_locked_until.eq(locked_until)))
                .execute(connection),
        }
    })?;
    Ok(())
}

type Open = diesel::dsl::Filter<
    diesel::dsl::Filter<accounts::table, diesel::dsl::Eq<accounts::id, String>>,
    diesel::dsl::NotEq<accounts::state, &'static str>,
>;

/// The row of an account that is not closed.
fn open(id: AccountId) -> Open {
    accounts::table
        .filter(accounts::id.eq(id.to_string()))
        .filter(accounts::state.ne(AccountState::Closed.as_str()))
}

crate::declared::declares! {
    accounts kept as Accounts {
        personal(AccountsAndAudit: AccountIdentity) { organisation_id, login, name, email, state }
        personal(AccountsAndAudit: Credentials) {
            password_sealed, totp_sealed, totp_used_step, invitation_sha256, invitation_expires_at,
        }
        personal(AccountsAndAudit: Connections) {
            failed_attempts, locked_until, failed_codes, codes_locked_until, created_at, closed_at,
        }
        not_personal("a number of ours") { id }
    }
}
