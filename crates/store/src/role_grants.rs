//! Roles given to accounts. A grant is frozen, except towards its confirmation and its end; a right to approve
//! takes effect 24 hours after a second person of the organisation confirmed it (C3.1.7).

use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _,
    OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, Instant, OrganisationId, Role, RoleGrantId, Uai};

pub use governance::GrantReach;
use governance::{AccountState, Maker};

use crate::column::{Column as _, read};
use crate::schema::{accounts, role_grant_colleges, role_grants};
use crate::{StoreError, Tx};

/// A role given to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleGrant {
    /// Its id.
    pub id: RoleGrantId,
    /// Whose it is.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// Where it counts.
    pub reach: GrantReach,
    /// Who gave it; `None`: someone at the machine itself.
    pub granted_by: Option<AccountId>,
    /// When it was given.
    pub granted_at: Instant,
    /// Who confirmed it, and when.
    pub confirmed: Option<(AccountId, Instant)>,
    /// The first instant a right to approve counts; `None` while it waits for its confirmation. Other roles
    /// count from when they were given.
    pub effective_at: Option<Instant>,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
    /// Who revoked it; `None`: nobody, or someone at the machine itself.
    pub revoked_by: Option<AccountId>,
}

impl RoleGrant {
    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_in_force(&self, now: Instant) -> bool {
        let from = if self.role == Role::Approver { self.effective_at } else { Some(self.granted_at) };
        self.revoked_at.is_none() && from.is_some_and(|from| from <= now)
    }
}

#[derive(diesel::Queryable, diesel::Selectable, diesel::Insertable)]
#[diesel(table_name = role_grants)]
pub(crate) struct Stored {
    id: String,
    account_id: String,
    role: String,
    reach: String,
    colleges: i32,
    granted_by: Option<String>,
    granted_at: i64,
    confirmed_by: Option<String>,
    confirmed_at: Option<i64>,
    effective_at: Option<i64>,
    revoked_at: Option<i64>,
    revoked_by: Option<String>,
}

const ORGANISATION: &str = "organisation";
const COLLEGES: &str = "colleges";

/// A role to give.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// The grant's id.
    pub id: RoleGrantId,
    /// Whose it is.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// Where it counts.
    pub reach: GrantReach,
    /// Who gives it; `None`: someone at the machine itself.
    pub by: Option<AccountId>,
    /// When.
    pub at: Instant,
}

/// Gives a role. It counts at once, except a right to approve, which waits for its confirmation (C3.1.7).
///
/// # Errors
/// [`StoreError::Duplicate`] if the account has it already; [`StoreError::Refused`] if such a role is not given
/// in such an organisation, to oneself, or with such a reach, or, a right to approve, by another organisation.
pub fn grant(tx: &mut Tx<'_>, new: &NewGrant) -> Result<(), StoreError> {
    let (reach, named) = match &new.reach {
        GrantReach::Organisation => (ORGANISATION, Vec::new()),
        GrantReach::Colleges(colleges) => (COLLEGES, colleges.iter().map(Uai::to_string).collect()),
    };
    let stored = Stored {
        id: new.id.stored(),
        account_id: new.account.stored(),
        role: new.role.stored(),
        reach: reach.to_owned(),
        colleges: i32::try_from(named.len()).unwrap_or(i32::MAX),
        granted_by: new.by.stored(),
        granted_at: new.at.stored(),
        confirmed_by: None,
        confirmed_at: None,
        effective_at: None,
        revoked_at: None,
        revoked_by: None,
    };
    tx.run(|connection| {
        diesel::insert_into(role_grants::table).values(stored).execute(connection)?;
        for uai in named {
            diesel::insert_into(role_grant_colleges::table)
                .values((
                    role_grant_colleges::grant_id.eq(new.id.to_string()),
                    role_grant_colleges::uai.eq(uai),
                ))
                .execute(connection)?;
        }
        Ok(())
    })
}

/// Confirms a right to approve, which counts from `effective_at`; `false` if it was confirmed or revoked before.
///
/// # Errors
/// [`StoreError::Refused`] for another role, if whoever confirms gave or holds it, or is of another organisation,
/// or if it would count before 24 hours have passed (C3.1.7).
pub fn confirm(
    tx: &mut Tx<'_>,
    id: RoleGrantId,
    by: AccountId,
    at: Instant,
    effective_at: Instant,
) -> Result<bool, StoreError> {
    let confirmed = tx.run(|connection| {
        diesel::update(
            role_grants::table
                .filter(role_grants::id.eq(id.to_string()))
                .filter(role_grants::confirmed_at.is_null())
                .filter(role_grants::revoked_at.is_null()),
        )
        .set((
            role_grants::confirmed_by.eq(by.to_string()),
            role_grants::confirmed_at.eq(at.as_millis()),
            role_grants::effective_at.eq(effective_at.as_millis()),
        ))
        .execute(connection)
    })?;
    Ok(confirmed == 1)
}

/// Revokes a grant, at once and for good; `false` if it was revoked before.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke(
    tx: &mut Tx<'_>,
    id: RoleGrantId,
    by: Option<AccountId>,
    at: Instant,
) -> Result<bool, StoreError> {
    let revoked = tx.run(|connection| {
        diesel::update(
            role_grants::table
                .filter(role_grants::id.eq(id.to_string()))
                .filter(role_grants::revoked_at.is_null()),
        )
        .set((role_grants::revoked_at.eq(at.as_millis()), role_grants::revoked_by.eq(by.stored())))
        .execute(connection)
    })?;
    Ok(revoked == 1)
}

/// Revokes every role of an account: it was closed. Returns how many.
///
/// # Errors
/// [`StoreError::Unavailable`] and its like.
pub fn revoke_of_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    by: Option<AccountId>,
    at: Instant,
) -> Result<usize, StoreError> {
    tx.run(|connection| {
        diesel::update(
            role_grants::table
                .filter(role_grants::account_id.eq(account.to_string()))
                .filter(role_grants::revoked_at.is_null()),
        )
        .set((role_grants::revoked_at.eq(at.as_millis()), role_grants::revoked_by.eq(by.stored())))
        .execute(connection)
    })
}

/// The grant with that id.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn get(tx: &mut Tx<'_>, id: RoleGrantId) -> Result<Option<RoleGrant>, StoreError> {
    let found: Option<Stored> = tx.run(|connection| {
        role_grants::table.find(id.to_string()).select(Stored::as_select()).first(connection).optional()
    })?;
    Ok(with_colleges(tx, found.into_iter().collect())?.pop())
}

/// Every grant that an account ever had, in the order of their ids.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<RoleGrant>, StoreError> {
    let found = tx.run(|connection| {
        role_grants::table
            .filter(role_grants::account_id.eq(account.to_string()))
            .order(role_grants::id.asc())
            .select(Stored::as_select())
            .load(connection)
    })?;
    with_colleges(tx, found)
}

/// The grants that count at an instant, as [`RoleGrant::is_in_force`] says of one.
macro_rules! counts_at {
    ($now:expr) => {
        role_grants::revoked_at.is_null().and(
            role_grants::effective_at.le($now.as_millis()).assume_not_null().or(role_grants::role
                .ne(Role::Approver.as_str())
                .and(role_grants::granted_at.le($now.as_millis()))),
        )
    };
}

/// The roles that count at `now`: what an account may do rests on them.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn in_force(tx: &mut Tx<'_>, account: AccountId, now: Instant) -> Result<Vec<RoleGrant>, StoreError> {
    let found = tx.run(|connection| {
        role_grants::table
            .filter(role_grants::account_id.eq(account.to_string()))
            .filter(counts_at!(now))
            .order(role_grants::id.asc())
            .select(Stored::as_select())
            .load(connection)
    })?;
    with_colleges(tx, found)
}

/// At most `limit` rights to approve of an organisation's accounts that wait for a second person, in the order of their
/// ids, from the first one after `after`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn unconfirmed(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    after: Option<RoleGrantId>,
    limit: u32,
) -> Result<Vec<RoleGrant>, StoreError> {
    // Every id sorts after the empty text.
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let found = tx.run(|connection| {
        role_grants::table
            .inner_join(accounts::table.on(accounts::id.eq(role_grants::account_id)))
            .filter(accounts::organisation_id.eq(organisation.to_string()))
            .filter(role_grants::role.eq(Role::Approver.as_str()))
            .filter(role_grants::confirmed_at.is_null())
            .filter(role_grants::revoked_at.is_null())
            .filter(role_grants::id.gt(after))
            .order(role_grants::id.asc())
            .limit(i64::from(limit))
            .select(Stored::as_select())
            .load(connection)
    })?;
    with_colleges(tx, found)
}

/// Who manages the accounts of an organisation at `now`, or is invited to: each once, with the state of the account.
/// An invitation that expired is none.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn managers(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    now: Instant,
) -> Result<Vec<(AccountId, AccountState)>, StoreError> {
    let manage = [Role::Administrator.as_str(), Role::Head.as_str()];
    let active = accounts::state.eq(AccountState::Active.as_str());
    let invited = accounts::state
        .eq(AccountState::Invited.as_str())
        .and(accounts::invitation_expires_at.gt(now.as_millis()).assume_not_null());
    let found: Vec<(String, String)> = tx.run(|connection| {
        role_grants::table
            .inner_join(accounts::table.on(accounts::id.eq(role_grants::account_id)))
            .filter(accounts::organisation_id.eq(organisation.to_string()))
            .filter(role_grants::role.eq_any(manage))
            .filter(counts_at!(now))
            .filter(active.or(invited))
            .select((accounts::id, accounts::state))
            .distinct()
            .order(accounts::id.asc())
            .load(connection)
    })?;
    found
        .into_iter()
        .map(|(id, state)| {
            Ok((read(id.clone(), "accounts", "id", &id)?, read(state, "accounts", "state", &id)?))
        })
        .collect()
}

/// The rights to approve of an organisation's accounts that are in use, those too that do not count yet: by login, with the
/// account and the first instant they count; `None` while they wait for a second person. At most `limit`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn approvers(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    limit: u32,
) -> Result<Vec<(String, AccountId, Option<Instant>)>, StoreError> {
    let found: Vec<(String, String, Option<i64>)> = tx.run(|connection| {
        role_grants::table
            .inner_join(accounts::table.on(accounts::id.eq(role_grants::account_id)))
            .filter(accounts::organisation_id.eq(organisation.to_string()))
            .filter(accounts::state.eq(AccountState::Active.as_str()))
            .filter(role_grants::role.eq(Role::Approver.as_str()))
            .filter(role_grants::revoked_at.is_null())
            .order(accounts::login.asc())
            .limit(i64::from(limit))
            .select((accounts::login, accounts::id, role_grants::effective_at))
            .load(connection)
    })?;
    let read_one = |(login, id, from): (String, String, Option<i64>)| {
        Ok((login, read(id.clone(), "accounts", "id", &id)?, from.map(Instant::from_millis)))
    };
    found.into_iter().map(read_one).collect()
}

/// The roles that count at `now` in that collège because they name it: its technicians.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn naming_college(tx: &mut Tx<'_>, uai: &Uai, now: Instant) -> Result<Vec<RoleGrant>, StoreError> {
    let found = tx.run(|connection| {
        role_grants::table
            .inner_join(role_grant_colleges::table.on(role_grant_colleges::grant_id.eq(role_grants::id)))
            .filter(role_grant_colleges::uai.eq(uai.to_string()))
            .filter(counts_at!(now))
            .order(role_grants::id.asc())
            .select(Stored::as_select())
            .load(connection)
    })?;
    with_colleges(tx, found)
}

/// Reads the rows, each with the collèges it names.
fn with_colleges(tx: &mut Tx<'_>, rows: Vec<Stored>) -> Result<Vec<RoleGrant>, StoreError> {
    let ids: Vec<&str> = rows.iter().filter(|row| row.reach == COLLEGES).map(|row| row.id.as_str()).collect();
    let mut colleges: BTreeMap<String, BTreeSet<Uai>> = BTreeMap::new();
    if !ids.is_empty() {
        let named: Vec<(String, String)> = tx.run(|connection| {
            role_grant_colleges::table
                .filter(role_grant_colleges::grant_id.eq_any(&ids))
                .select((role_grant_colleges::grant_id, role_grant_colleges::uai))
                .load(connection)
        })?;
        for (grant, uai) in named {
            let uai = read(uai, "role_grant_colleges", "uai", &grant)?;
            colleges.entry(grant).or_default().insert(uai);
        }
    }
    rows.into_iter()
        .map(|row| {
            let named = colleges.remove(&row.id).unwrap_or_default();
            typed(row, named)
        })
        .collect()
}

/// Grants as a joined query returns them: once for each collège they name, and once without any.
#[derive(Default)]
pub(crate) struct Gathered(BTreeMap<String, (Stored, BTreeSet<Uai>)>);

impl Gathered {
    /// Adds one of those rows.
    pub(crate) fn add(&mut self, grant: Stored, college: Option<String>) -> Result<(), StoreError> {
        let college: Option<Uai> = read(college, "role_grant_colleges", "uai", &grant.id)?;
        let (_grant, named) = self.0.entry(grant.id.clone()).or_insert((grant, BTreeSet::new()));
        named.extend(college);
        Ok(())
    }

    /// The grants in the order of their ids, each checked again.
    pub(crate) fn proven(self) -> Result<Vec<governance::RoleGrant>, StoreError> {
        self.0.into_values().map(|(grant, named)| checked(typed(grant, named)?)).collect()
    }
}

fn typed(row: Stored, named: BTreeSet<Uai>) -> Result<RoleGrant, StoreError> {
    const TABLE: &str = "role_grants";
    let corrupt = |column| StoreError::Corrupt { table: TABLE, row: row.id.clone(), column };
    let reach = match row.reach.as_str() {
        ORGANISATION => GrantReach::Organisation,
        COLLEGES if i32::try_from(named.len()) == Ok(row.colleges) => GrantReach::Colleges(named),
        COLLEGES => return Err(corrupt("colleges")),
        _ => return Err(corrupt("reach")),
    };
    let confirmed_by: Option<AccountId> = read(row.confirmed_by, TABLE, "confirmed_by", &row.id)?;
    Ok(RoleGrant {
        account: read(row.account_id, TABLE, "account_id", &row.id)?,
        role: read(row.role, TABLE, "role", &row.id)?,
        reach,
        granted_by: read(row.granted_by, TABLE, "granted_by", &row.id)?,
        granted_at: Instant::from_millis(row.granted_at),
        confirmed: confirmed_by.zip(row.confirmed_at.map(Instant::from_millis)),
        effective_at: row.effective_at.map(Instant::from_millis),
        revoked_at: row.revoked_at.map(Instant::from_millis),
        revoked_by: read(row.revoked_by, TABLE, "revoked_by", &row.id)?,
        id: read(row.id.clone(), TABLE, "id", &row.id)?,
    })
}

/// A grant that a decision can have written: what a [`Standing`](governance::Standing) rests on.
fn checked(grant: RoleGrant) -> Result<governance::RoleGrant, StoreError> {
    // Nobody's account: someone at the machine itself.
    let maker = |account: Option<AccountId>| account.map_or(Maker::Host, Maker::Account);
    #[expect(clippy::disallowed_methods, reason = "this is the row")]
    let proven = governance::RoleGrant::from_row(governance::GrantRow {
        id: grant.id,
        account: grant.account,
        role: grant.role,
        reach: grant.reach,
        granted_by: maker(grant.granted_by),
        granted_at: grant.granted_at,
        confirmed_by: grant.confirmed.map(|(by, _at)| by),
        confirmed_at: grant.confirmed.map(|(_by, at)| at),
        effective_at: grant.effective_at,
        revoked_at: grant.revoked_at,
        revoked_by: grant.revoked_at.map(|_at| maker(grant.revoked_by)),
    })?;
    Ok(proven)
}

crate::declared::declares! {
    role_grants kept as Evidence {
        personal(AccountsAndAudit: AccountIdentity) { account_id, role, reach, colleges }
        personal(AccountsAndAudit: Acts) {
            granted_by, granted_at, confirmed_by, confirmed_at, effective_at, revoked_at, revoked_by,
        }
        not_personal("a number of ours") { id }
    }
    role_grant_colleges kept as Evidence {
        personal(AccountsAndAudit: AccountIdentity) { uai }
        not_personal("a number of ours") { grant_id }
    }
}
