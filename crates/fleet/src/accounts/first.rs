//! The accounts with which another organisation begins: invited by the département, one person asking and another
//! signing, until two people manage accounts there (C3.1.7).

use governance::account::{FirstAccount, NotManaged, OtherManagers, first_account};
use governance::countersignature::{Purpose, Question, SecondPerson};
use governance::{Deed, Email, Login, OrganisationState, Permission, RoleGrant};
use serde_json::json;
use store::organisations::{self, Organisation};
use store::{Tx, account_makers, accounts, role_grants, standings};
use types::{CountersignatureId, Instant, OrganisationId, OrganisationKind, RoleGrantId};

use super::NewAccount;
use crate::audit::{self, Change};
use crate::coming_in::invitation::Invitation;
use crate::countersignatures::{self, Use};
use crate::first_accounts::{checked_name, give, new_account, no_second_person_until, organisation, taken};
use crate::organisations::Named;
use crate::{Fleet, Principal, Refusal};

/// How many people an organisation needs who manage accounts.
const ENOUGH_MANAGERS: u32 = 2;

/// What a second person is asked about: these very names.
#[derive(Debug, Clone)]
pub struct FirstWanted {
    /// The organisation that would get the account.
    pub into: Named,
    /// What its holder would sign in with.
    pub login: Login,
    /// Their address.
    pub email: Option<Email>,
}

/// Asks a second person of the département that another organisation get one of its first two accounts.
///
/// # Errors
/// [`Refusal::NotManaged`] for an organisation that manages itself, or a name that is taken; [`Refusal::NotAsked`];
/// [`Refusal::NotFound`].
pub async fn ask_first(
    fleet: &Fleet,
    principal: &Principal,
    wanted: FirstWanted,
    reason: String,
    now: Instant,
) -> Result<CountersignatureId, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ManageOrganisations, &person.access, now)?;
            let row = exists(tx, &wanted.into)?;
            if row.state == OrganisationState::Closed {
                return Err(NotManaged::OrganisationClosed.into());
            }
            if row.kind == OrganisationKind::Departement || managers(tx, row.id, now)?.0 >= ENOUGH_MANAGERS {
                return Err(NotManaged::ManagesItself.into());
            }
            let taken = taken(tx, &wanted.login, wanted.email.as_ref())?;
            if taken.login {
                return Err(NotManaged::LoginTaken.into());
            }
            if taken.email {
                return Err(NotManaged::EmailTaken.into());
            }
            let (subject, content) = FirstAccount::question(row.id, &wanted.login, wanted.email.as_ref());
            let (purpose, second) = (Purpose::FirstAccount, SecondPerson::Departement);
            let question = Question { purpose, subject, content, second, reason: reason.clone() };
            countersignatures::ask(tx, &person, question, now)
        })
        .await
}

/// Invites one of the first two who manage accounts in another organisation, under the signature of a second person of
/// the département: a head into a collège, an administrator into the académie.
///
/// # Errors
/// [`Refusal::NotCountersigned`]; as [`ask_first`].
pub async fn invite_first(
    fleet: &Fleet,
    principal: &Principal,
    into: Named,
    new: NewAccount,
    countersignature: CountersignatureId,
    now: Instant,
) -> Result<Invitation, Refusal> {
    let NewAccount { login, name, email } = new;
    let (name, principal) = (checked_name("name", &name)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let person = principal.person(tx, now)?;
            person.standing.may(Permission::ManageOrganisations, &person.access, now)?;
            let into = organisation(&exists(tx, &into)?)?;
            let (row, invitation) = new_account(into.id(), &login, &name, email.as_ref(), now);
            let (subject, content) = FirstAccount::question(into.id(), &login, email.as_ref());
            let (purpose, used_for) = (Purpose::FirstAccount, format!("account:{}", row.id));
            let used = Use { purpose, subject: &subject, content: &content, used_for: &used_for };
            let proof = countersignatures::proof(tx, countersignature, &used, now)?;
            let names = (&login, email.as_ref(), taken(tx, &login, email.as_ref())?);
            let managers = managers(tx, into.id(), now)?;
            let (by, access) = (&person.standing, &person.access);
            let decided = first_account(&into, names, managers, proof, by, access, now)?;
            accounts::insert(tx, &row)?;
            account_makers::record(tx, row.id, Deed::Created, &principal.actor(), now)?;
            let standing = standings::of_account(tx, row.id)?.ok_or(Refusal::NotAuthenticated)?;
            let ids = [RoleGrantId::new(now), RoleGrantId::new(now)];
            for grant in RoleGrant::give_first(ids, standing.whose(), &decided, now)? {
                give(tx, &grant)?;
            }
            let detail = json!({
                "account": row.id, "organisation": into.id(), "countersignature": countersignature,
            });
            audit::record(tx, &principal, Change::new("account.invite-first").detail(detail), now)?;
            let no_second_person_until = no_second_person_until(tx, into.id(), row.id, now)?;
            Ok(Invitation { no_second_person_until, ..invitation })
        })
        .await
}

fn exists(tx: &mut Tx<'_>, named: &Named) -> Result<Organisation, Refusal> {
    let found = match named {
        Named::Id(id) => organisations::get(tx, id)?,
        Named::Uai(uai) => organisations::by_uai(tx, uai)?,
    };
    found.ok_or_else(|| Refusal::not_found("organisation", named))
}

/// How many manage accounts there, or hold an invitation with which they would.
fn managers(tx: &mut Tx<'_>, id: OrganisationId, now: Instant) -> Result<OtherManagers, Refusal> {
    let managers = role_grants::managers(tx, id, now)?.len();
    Ok(OtherManagers(u32::try_from(managers).unwrap_or(u32::MAX)))
}
