//! People's accounts, as the others of their organisation manage them (C3.1.7).
//!
//! - [`list`], [`show`], [`describe`]: who is there;
//! - [`invite`], [`invite_again`]: how somebody comes to have an account;
//! - [`suspend`], [`reopen`], [`close`]: how one ends, with everything that opened it;
//! - [`reset`], [`ask_recovery`], [`recover`]: what its holder lost, given anew by one person or by two;
//! - [`ask_first`], [`invite_first`]: the accounts with which another organisation begins.
//!
//! Whatever lets one person be another is recorded as a deed: for 30 days the two count as one. An account that is
//! out of reach looks as if it did not exist (T-C1).

mod ends;
mod first;
mod invite;
mod resets;

use std::fmt;
use std::str::FromStr;

use governance::account::{NotManaged, OtherManagers};
use governance::{AccountState, Login, Permission, Place, RoleGrant, Standing};
use serde_json::json;
use store::account_makers::{self, Making};
use store::accounts::{self, Account};
use store::organisations::{self, Organisation};
use store::{Tx, role_grants, standings};
use types::{AccountId, Instant, InvalidId, OrganisationId};

use crate::audit::{self, Change};
use crate::coming_in::Person;
use crate::first_accounts::checked_name;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

pub use ends::{close, reopen, suspend};
pub use first::{FirstWanted, ask_first, invite_first};
pub use governance::account::Factor;
pub use governance::{AccountState as State, Email};
pub use invite::{NewAccount, invite, invite_again};
pub use resets::{ask_recovery, recover, reset};

/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// An account, as people name it: by its id, or by what its holder signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(AccountId),
    /// By its login.
    Login(Login),
}

impl FromStr for Named {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // A login that looks like an id names nobody: the id comes first.
        match (text.parse(), text.parse()) {
            (Ok(id), _) => Ok(Self::Id(id)),
            (Err(_), Ok(login)) => Ok(Self::Login(login)),
            (Err(neither), Err(_)) => Err(neither),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Login(login) => login.fmt(f),
        }
    }
}

/// An account with all that others may know of it.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The account.
    pub account: Account,
    /// Its organisation.
    pub organisation: Organisation,
    /// Every role it was ever given.
    pub roles: Vec<RoleGrant>,
    /// Who made it, or reset what opens it.
    pub makers: Vec<Making>,
    /// Whether it has a second factor.
    pub has_second_factor: bool,
}

/// The accounts that whoever asks may see, in the order of their ids; of one state only, if one is given.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    state: Option<AccountState>,
    page: Page<AccountId>,
    now: Instant,
) -> Result<Listed<Account>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewAccounts, now)?;
            let rows = accounts::list(tx, &within, state, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |account| account.id.to_string()))
        })
        .await
}

/// One account, with its roles and its makers.
///
/// # Errors
/// [`Refusal::NotFound`] for one that is out of reach (T-C1).
pub async fn show(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<Detail, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            let (account, standing) = reached(tx, &person, Permission::ViewAccounts, &named, now)?;
            let organisation = organisations::get(tx, &account.organisation_id)?
                .ok_or_else(|| Refusal::Internal("an account has no organisation".into()))?;
            Ok(Detail {
                roles: standing.grants().to_vec(),
                makers: account_makers::of_account(tx, account.id)?,
                has_second_factor: accounts::secrets(tx, account.id)?.totp.is_some(),
                account,
                organisation,
            })
        })
        .await
}

/// Sets the name and the address of an account's holder.
///
/// # Errors
/// [`Refusal::NotManaged`] for an address that another account has; [`Refusal::Conflict`] for a closed account;
/// [`Refusal::NotFound`].
pub async fn describe(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    name: &str,
    email: Option<Email>,
    now: Instant,
) -> Result<(), Refusal> {
    let (name, principal) = (checked_name("name", name)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (account, _) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            let address = email.as_ref().map(Email::as_str);
            if let Some(address) = address
                && accounts::by_email(tx, address)?.is_some_and(|other| other.id != account.id)
            {
                return Err(NotManaged::EmailTaken.into());
            }
            if !accounts::describe(tx, account.id, &name, address)? {
                return Err(Refusal::Conflict("this account is closed; it stays as it was".into()));
            }
            let change = Change::new("account.describe").detail(json!({ "account": account.id }));
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// The account and what it may do, for whoever has this right where it belongs.
///
/// # Errors
/// [`Refusal::NotFound`] for one that is out of reach (T-C1); [`Refusal::NotAllowed`] without the right anywhere.
pub(crate) fn reached(
    tx: &mut Tx<'_>,
    person: &Person,
    permission: Permission,
    named: &Named,
    now: Instant,
) -> Result<(Account, Standing), Refusal> {
    let reach = person.standing.may(permission, &person.access, now)?;
    found(tx, named)?
        .filter(|(row, _)| {
            reach.covers(&Place::Account { account: row.id, organisation: row.organisation_id })
        })
        .ok_or_else(|| Refusal::not_found("account", named))
}

fn found(tx: &mut Tx<'_>, named: &Named) -> Result<Option<(Account, Standing)>, Refusal> {
    let row = match named {
        Named::Id(id) => accounts::get(tx, id)?,
        Named::Login(login) => accounts::by_login(tx, login.as_str())?,
    };
    let Some(row) = row else { return Ok(None) };
    let standing = standings::of_account(tx, row.id)?;
    Ok(standing.map(|standing| (row, standing)))
}

/// How many others manage accounts there, beside these.
pub(crate) fn other_managers(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    beside: [AccountId; 2],
    now: Instant,
) -> Result<OtherManagers, Refusal> {
    let managers = role_grants::managers(tx, organisation, now)?;
    let others =
        managers.iter().filter(|(id, state)| *state == AccountState::Active && !beside.contains(id)).count();
    Ok(OtherManagers(u32::try_from(others).unwrap_or(u32::MAX)))
}

/// A reason in the words of whoever acts, if they gave one.
pub(crate) fn checked_reason(reason: Option<String>) -> Result<Option<String>, Refusal> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    match &reason {
        Some(text) if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) => {
            Err(Refusal::invalid("reason", format!("must have at most {LONGEST_REASON} characters")))
        }
        _ => Ok(reason),
    }
}
