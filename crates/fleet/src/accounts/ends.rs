//! How accounts end, for a while or for good: with their sessions, their tokens, and what they asked and signed.

use governance::account::{NotManaged, may_close, may_reopen, may_suspend};
use governance::{AccountState, Permission};
use serde_json::{Value as Json, json};
use store::organisations::{self, Organisation};
use store::{Tx, accounts, api_tokens, role_grants, sessions};
use types::{AccountId, Instant};

use super::{Named, checked_reason, reached};
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, countersignatures};

/// Suspends an account, at once and alone: it is how a stolen one is stopped. Its sessions and tokens are revoked, and
/// what it asked or signed and nothing came of yet is void. Its roles count again when it is reopened.
///
/// # Errors
/// [`Refusal::NotManaged`] says why not; [`Refusal::NotFound`].
pub async fn suspend(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: Option<String>,
    now: Instant,
) -> Result<(), Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            let next = may_suspend(standing.whose(), &person.standing, &person.access, now)?;
            turn(tx, &row, next)?;
            let ended = end_everything(tx, row.id, now)?;
            let change = Change::new("account.suspend").reason(reason.clone()).detail(ended);
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// Ends a suspension. The account is as it was: with its roles, and with its password if it had one.
///
/// # Errors
/// As [`suspend`].
pub async fn reopen(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: Option<String>,
    now: Instant,
) -> Result<AccountState, Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            let has_password = accounts::secrets(tx, row.id)?.password.is_some();
            let next = may_reopen(standing.whose(), has_password, &person.standing, &person.access, now)?;
            turn(tx, &row, next)?;
            let detail = json!({ "account": row.id, "state": next });
            let change = Change::new("account.reopen").reason(reason.clone()).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(next)
        })
        .await
}

/// Closes an account for good: with its sessions, tokens and roles. What it did stays readable under its name. A
/// collège whose référent it was names another one (C3.3.1).
///
/// # Errors
/// As [`suspend`].
pub async fn close(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    reason: Option<String>,
    now: Instant,
) -> Result<(), Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, standing) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            may_close(standing.whose(), &person.standing, &person.access, now)?;
            let mut ended = end_everything(tx, row.id, now)?;
            let roles = role_grants::revoke_of_account(tx, row.id, principal.actor_account(), now)?;
            accounts::close(tx, row.id, now)?;
            if let Some(college) = organisations::get(tx, &row.organisation_id)?
                && college.referent_account_id == Some(row.id)
            {
                let without = Organisation { referent_account_id: None, updated_at: now, ..college };
                organisations::update(tx, &without)?;
            }
            if let Some(ended) = ended.as_object_mut() {
                ended.insert("roles".into(), json!(roles));
            }
            let change = Change::new("account.close").reason(reason.clone()).detail(ended);
            audit::record(tx, &principal, change, now)
        })
        .await
}

fn turn(tx: &mut Tx<'_>, row: &accounts::Account, next: AccountState) -> Result<(), Refusal> {
    if accounts::turn(tx, row.id, row.state, next)? {
        Ok(())
    } else {
        Err(NotManaged::State { from: row.state, to: next }.into())
    }
}

/// Whatever opened the account is worth nothing from now on, nor is what it asked and signed. Says how much that was.
pub(super) fn end_everything(tx: &mut Tx<'_>, account: AccountId, now: Instant) -> Result<Json, Refusal> {
    let sessions = sessions::revoke_of_account(tx, account, None, now)?;
    let tokens = api_tokens::revoke_of_account(tx, account, now)?;
    let void = countersignatures::void_of_account(tx, account, now)?;
    Ok(json!({ "account": account, "sessions": sessions, "tokens": tokens, "countersignatures": void }))
}
