//! What people see to for themselves: their sessions, and what they may do.

use governance::{Permission, Place};
use serde_json::json;
use store::organisations::{self, Organisation};
use store::sessions::{self, Session};
use store::{accounts, accounts::Account};
use types::{Instant, Secret, SessionId};

use super::admission::show_code;
use super::{Principal, Way};
use crate::audit::{self, Change};
use crate::page::{Listed, Page};
use crate::{Fleet, Refusal};

/// Who somebody is here, and what they may do now.
#[derive(Debug)]
pub struct Myself {
    /// Their account.
    pub account: Account,
    /// Its organisation.
    pub organisation: Organisation,
    /// The roles that count now.
    pub roles: Vec<types::Role>,
    /// What they may do somewhere, now.
    pub permissions: Vec<Permission>,
    /// Whether they have a second factor.
    pub has_second_factor: bool,
    /// Whether a code was shown a moment ago.
    pub stepped_up: bool,
}

/// Who asks, and what they may do.
///
/// # Errors
/// [`Refusal::NotAuthenticated`]; [`Refusal::NotAllowed`] for an account that is not in use.
pub async fn myself(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Myself, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.in_use()?;
            let id = person.standing.account();
            let account = accounts::get(tx, &id)?.ok_or(Refusal::NotAuthenticated)?;
            let organisation =
                organisations::get(tx, &account.organisation_id)?.ok_or(Refusal::NotAuthenticated)?;
            let may = |permission: &Permission| person.standing.may(*permission, &person.access, now).is_ok();
            Ok(Myself {
                roles: person.standing.in_force(now).map(governance::RoleGrant::role).collect(),
                permissions: Permission::ALL.iter().copied().filter(may).collect(),
                has_second_factor: accounts::secrets(tx, id)?.totp.is_some(),
                stepped_up: person.access.stepped_up(now),
                account,
                organisation,
            })
        })
        .await
}

/// Shows a code in one's session: for five minutes, what needs one is open.
///
/// # Errors
/// [`Refusal::CodeRefused`]; [`Refusal::OtherHands`] with a token, which shows its code at each request.
pub async fn step_up(
    fleet: &Fleet,
    principal: &Principal,
    code: Secret<String>,
    now: Instant,
) -> Result<(), Refusal> {
    let Some((account, Way::Session(session))) = principal.account() else {
        return Err(Refusal::OtherHands("in a session; with a token, the code comes with the request"));
    };
    show_code(fleet, account, code, now).await?;
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            if !sessions::step_up(tx, session, now)? {
                return Err(Refusal::NotAuthenticated);
            }
            let change = Change::new("session.step-up").detail(json!({ "session": session }));
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// One's own sessions, the newest first; those that are over included.
///
/// # Errors
/// [`Refusal::NotAllowed`] with a token.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<SessionId>,
    now: Instant,
) -> Result<Listed<Session>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            principal.may(tx, Permission::ManageOwnSessions, now)?;
            let (account, _way) = principal.account().ok_or(Refusal::NotAuthenticated)?;
            let rows = sessions::of_account(tx, account, page.after, page.with_one_more())?;
            Ok(page.cut(rows, |session| session.id.to_string()))
        })
        .await
}

/// Ends one of one's own sessions; `None` ends the one that asks: signing out.
///
/// # Errors
/// [`Refusal::NotFound`] for a session of somebody else (T-C1).
pub async fn end(
    fleet: &Fleet,
    principal: &Principal,
    id: Option<SessionId>,
    now: Instant,
) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (account, organisation) = (person.standing.account(), person.standing.organisation().id());
            let place = Place::Account { account, organisation };
            person.standing.may_at(Permission::ManageOwnSessions, &place, &person.access, now)?;
            let (Some((_, Way::Session(own))), id) = (principal.account(), id) else {
                return Err(Refusal::NotAuthenticated);
            };
            let id = id.unwrap_or(own);
            sessions::get(tx, &id)?
                .filter(|session| session.account_id == account)
                .ok_or_else(|| Refusal::not_found("session", id))?;
            if sessions::revoke(tx, id, now)? {
                let change = Change::new("session.end").detail(json!({ "session": id }));
                audit::record(tx, &principal, change, now)?;
            }
            Ok(())
        })
        .await
}
