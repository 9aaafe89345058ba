//! How somebody comes to have an account: invited by somebody who manages those of their organisation.

use governance::account::{NotManaged, may_invite};
use governance::sign_in::OneTimeUse;
use governance::{AccountState, Deed, Email, Login, Permission};
use serde_json::json;
use store::{account_makers, accounts};
use types::Instant;

use super::{Named, reached};
use crate::audit::{self, Change};
use crate::coming_in::invitation::{self, Invitation};
use crate::first_accounts::{checked_name, new_account, no_second_person_until, taken};
use crate::{Fleet, Principal, Refusal};

/// Whom somebody invites.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What they sign in with.
    pub login: Login,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: Option<Email>,
}

/// Invites somebody into one's own organisation. They have no role yet.
///
/// # Errors
/// [`Refusal::NotManaged`] says why not.
pub async fn invite(
    fleet: &Fleet,
    principal: &Principal,
    new: NewAccount,
    now: Instant,
) -> Result<Invitation, Refusal> {
    let NewAccount { login, name, email } = new;
    let (name, principal) = (checked_name("name", &name)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let into = person.standing.organisation();
            let taken = taken(tx, &login, email.as_ref())?;
            may_invite(into, taken, &person.standing, &person.access, now)?;
            let (row, invitation) = new_account(into.id(), &login, &name, email.as_ref(), now);
            accounts::insert(tx, &row)?;
            account_makers::record(tx, row.id, Deed::Created, &principal.actor(), now)?;
            let detail = json!({ "account": row.id, "organisation": into.id() });
            audit::record(tx, &principal, Change::new("account.invite").detail(detail), now)?;
            let no_second_person_until = no_second_person_until(tx, into.id(), row.id, now)?;
            Ok(Invitation { no_second_person_until, ..invitation })
        })
        .await
}

/// Makes another invitation for somebody who has not used theirs, in its place. Whoever sees it counts as a maker of
/// the account, as whoever saw the first one does.
///
/// # Errors
/// [`Refusal::NotManaged`] for an account that is in use; [`Refusal::NotFound`].
pub async fn invite_again(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<Invitation, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            let (row, _) = reached(tx, &person, Permission::ManageAccounts, &named, now)?;
            if row.id == person.standing.account() {
                return Err(NotManaged::Oneself.into());
            }
            if row.state != AccountState::Invited {
                let stays = NotManaged::State { from: row.state, to: AccountState::Invited };
                return Err(stays.into());
            }
            let (invitation, kept) = invitation::new(row.id, OneTimeUse::Invitation, now);
            accounts::invite(tx, row.id, &kept.sha256, kept.expires_at)?;
            account_makers::record(tx, row.id, Deed::Created, &principal.actor(), now)?;
            let change = Change::new("account.invite-again").detail(json!({ "account": row.id }));
            audit::record(tx, &principal, change, now)?;
            Ok(invitation)
        })
        .await
}
