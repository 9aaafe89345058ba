//! How a département begins here: its own organisation, and the accounts that someone at the machine invites, as long
//! as nobody else can (C3.1.7).

use governance::account::{DepartementPeople, OtherManagers, Taken, first_account_by_host};
use governance::sign_in::OneTimeUse;
use governance::{AccountState, Deed, Email, HomeUse, Login, OrganisationState, RoleGrant};
use serde_json::json;
use store::accounts::{self, Account};
use store::organisations::{self, Organisation};
use store::{Store, Tx, Within, account_makers, role_grants, standings};
use types::{AccountId, Instant, OrganisationId, OrganisationKind, RoleGrantId};

use crate::audit::{self, Change};
use crate::coming_in::invitation::{self, Invitation};
use crate::watch::{self, AlarmKind};
use crate::{Principal, Refusal};

/// Rows in one read of an organisation's accounts.
const BATCH: u32 = 500;
/// The longest name of a person or an organisation, in characters.
pub(crate) const LONGEST_NAME: usize = 100;

/// Whom the host invites.
#[derive(Debug, Clone)]
pub struct First {
    /// What they sign in with.
    pub login: Login,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: Option<Email>,
}

/// Founds the département, if there is none yet. `false` if there is.
///
/// # Errors
/// [`Refusal::OtherHands`] for anyone but the host.
pub async fn found_departement(
    store: &Store,
    principal: &Principal,
    name: &str,
    now: Instant,
) -> Result<bool, Refusal> {
    principal.must_be_host()?;
    let (name, principal) = (checked_name("organisation", name)?, principal.clone());
    store
        .write(move |tx| {
            if organisations::of_kind(tx, OrganisationKind::Departement)?.is_some() {
                return Ok(false);
            }
            let organisation = Organisation {
                id: OrganisationId::new(now),
                kind: OrganisationKind::Departement,
                name: name.clone(),
                uai: None,
                state: OrganisationState::Active,
                home_use: HomeUse::Undecided,
                charter_adopted_on: None,
                referent_account_id: None,
                created_at: now,
                updated_at: now,
            };
            organisations::insert(tx, &organisation)?;
            let detail = json!({ "organisation": organisation.id, "kind": organisation.kind });
            audit::record(tx, &principal, Change::new("organisation.create").detail(detail), now)?;
            Ok(true)
        })
        .await
}

/// Invites one of the first people of the département, who manages its accounts and its tablets. Whoever is at the
/// machine does this when it begins, and when nobody is left who could: it is audited, and everyone sees it.
///
/// # Errors
/// [`Refusal::NotManaged`] says why not; [`Refusal::OtherHands`] for anyone but the host.
pub async fn invite(
    store: &Store,
    principal: &Principal,
    first: First,
    now: Instant,
) -> Result<Invitation, Refusal> {
    principal.must_be_host()?;
    let First { login, name, email } = first;
    let (name, principal) = (checked_name("name", &name)?, principal.clone());
    store
        .write(move |tx| {
            let departement =
                organisations::of_kind(tx, OrganisationKind::Departement)?.ok_or_else(|| {
                    Refusal::Conflict("there is no département yet: run `ardoise init` first".into())
                })?;
            let organisation = organisation(&departement)?;
            let taken = taken(tx, &login, email.as_ref())?;
            let people = DepartementPeople(people_in_use(tx, departement.id)?);
            if accounts::count_of(tx, departement.id)? > 0 {
                // The machine speaks for a département that has people: they are to look at why.
                let detail = json!({ "login": login.as_str() });
                let subject = watch::Subject::named(departement.id.to_string());
                watch::raise(tx, AlarmKind::AccountByTheMachine, &subject, detail, now)?;
            }
            let decided = first_account_by_host(&organisation, taken, OtherManagers(0), people)?;
            let (row, invitation) = new_account(departement.id, &login, &name, email.as_ref(), now);
            accounts::insert(tx, &row)?;
            account_makers::record(tx, row.id, Deed::Created, &principal.actor(), now)?;
            let standing = standings::of_account(tx, row.id)?.ok_or(Refusal::NotAuthenticated)?;
            let ids = [RoleGrantId::new(now), RoleGrantId::new(now)];
            for grant in RoleGrant::give_first(ids, standing.whose(), &decided, now)? {
                give(tx, &grant)?;
            }
            let detail = json!({ "account": row.id, "organisation": departement.id });
            audit::record(tx, &principal, Change::new("account.invite").detail(detail), now)?;
            Ok(invitation)
        })
        .await
}

/// Whether anyone has an account of the département.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn exist(store: &Store) -> Result<bool, Refusal> {
    store
        .read(|tx| {
            let Some(departement) = organisations::of_kind(tx, OrganisationKind::Departement)? else {
                return Ok(false);
            };
            Ok(accounts::count_of(tx, departement.id)? > 0)
        })
        .await
}

/// The row of somebody who is invited, and the invitation itself.
pub(crate) fn new_account(
    organisation: OrganisationId,
    login: &Login,
    name: &str,
    email: Option<&Email>,
    now: Instant,
) -> (Account, Invitation) {
    let id = AccountId::new(now);
    let (invitation, kept) = invitation::new(id, OneTimeUse::Invitation, now);
    let row = Account {
        id,
        organisation_id: organisation,
        login: login.to_string(),
        name: name.to_owned(),
        email: email.map(Email::to_string),
        state: AccountState::Invited,
        totp_used_step: None,
        invitation_sha256: Some(kept.sha256),
        invitation_expires_at: Some(kept.expires_at),
        failed_attempts: 0,
        locked_until: None,
        created_at: now,
        closed_at: None,
    };
    (row, invitation)
}

/// Until when at the latest an organisation has nobody who could be another's second person, once `new` was invited: as long
/// as one person stands behind all who manage it and whoever is new. `None` if two of them count as two, or there is one only.
pub(crate) fn no_second_person_until(
    tx: &mut Tx<'_>,
    organisation: OrganisationId,
    new: AccountId,
    now: Instant,
) -> Result<Option<Instant>, Refusal> {
    let mut people: Vec<AccountId> =
        role_grants::managers(tx, organisation, now)?.into_iter().map(|(account, _)| account).collect();
    if !people.contains(&new) {
        people.push(new);
    }
    let two = people.len() < 2 || account_makers::hands(tx, now)?.are_two_among(&people);
    Ok((!two).then(|| now.plus(governance::TIED_FOR)))
}

/// Writes a grant that was decided.
pub(crate) fn give(tx: &mut Tx<'_>, grant: &RoleGrant) -> Result<(), Refusal> {
    let new = role_grants::NewGrant {
        id: grant.id(),
        account: grant.account(),
        role: grant.role(),
        reach: grant.reach().clone(),
        by: grant.granted_by().account(),
        at: grant.granted_at(),
    };
    Ok(role_grants::grant(tx, &new)?)
}

/// Which of the two is another account's already.
pub(crate) fn taken(tx: &mut Tx<'_>, login: &Login, email: Option<&Email>) -> Result<Taken, Refusal> {
    Ok(Taken {
        login: accounts::by_login(tx, login.as_str())?.is_some(),
        email: match email {
            Some(email) => accounts::by_email(tx, email.as_str())?.is_some(),
            None => false,
        },
    })
}

/// An organisation as the rules know it.
pub(crate) fn organisation(row: &Organisation) -> Result<governance::Organisation, Refusal> {
    governance::Organisation::new(row.id, row.kind, row.uai.clone(), row.state)
        .map_err(|error| Refusal::Internal(error.to_string()))
}

/// How many accounts in use an organisation has that could be a second person.
fn people_in_use(tx: &mut Tx<'_>, organisation: OrganisationId) -> Result<u32, Refusal> {
    let (mut people, mut after) = (0, None);
    let within = Within::Organisation(organisation);
    loop {
        let rows = accounts::list(tx, &within, Some(AccountState::Active), after, BATCH)?;
        let Some(last) = rows.last() else { return Ok(people) };
        after = Some(last.id);
        people += u32::try_from(rows.len()).unwrap_or(u32::MAX);
    }
}

/// A name that a person reads: some letters that are seen, none of which moves the others about.
pub(crate) fn checked_name(field: &'static str, name: &str) -> Result<String, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || !name.chars().any(char::is_alphanumeric) {
        return Err(Refusal::invalid(
            field,
            format!("must have 1 to {LONGEST_NAME} characters, a letter among them"),
        ));
    }
    if name.chars().any(deceives) {
        return Err(Refusal::invalid(
            field,
            "must have no control character, and none that is invisible or turns the text around",
        ));
    }
    Ok(name.to_owned())
}

/// Whether a character is not seen, or makes others seem to stand elsewhere: a second person signs what they read.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character, '`' | '\u{ad}' | '\u{61c}' | '\u{feff}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c9_a_name_that_a_second_person_reads_is_what_it_seems() {
        for good in ["Éloïse d’Aubigné-Łukasz", "Collège Jean-Moulin (annexe)", "李 小龍"] {
            assert_eq!(checked_name("name", good).unwrap(), good);
        }
        for bad in ["", "\u{200b}\u{200b}", "x\u{202e}live", "a\nb", "a\u{1b}[2Jb", "Léa` may NOT", "…"] {
            assert!(
                matches!(checked_name("name", bad), Err(Refusal::Invalid { field: "name", .. })),
                "{bad:?}"
            );
        }
    }
}
