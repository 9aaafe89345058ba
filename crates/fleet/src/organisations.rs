//! Organisations: the académie and the collèges beside the département, and what each collège decides for itself.
//!
//! The département creates, names, closes and reopens them; a collège's own head decides for it ([`decide`]). What is
//! out of reach looks as if it did not exist (T-C1).

mod colleges_csv;
mod decisions;
mod import;

use std::fmt;
use std::str::FromStr;

use governance::{AccountState, HomeUse, OrganisationState, Permission, Place};
use serde_json::json;
use store::organisations::{self as rows, Organisation};
use store::{Tx, accounts, role_grants};
use types::{AccountId, Instant, InvalidId, OrganisationId, OrganisationKind, Role, Uai};

use crate::accounts::checked_reason;
use crate::audit::{self, Change};
use crate::first_accounts::checked_name;
use crate::page::{Listed, Page};
use crate::{Fleet, Principal, Refusal};

pub use colleges_csv::COLUMNS;
pub(crate) use decisions::network;
pub use decisions::{Decisions, Network, decide, forget_network, set_network};
pub use import::{Imported, import};

/// An organisation, as people name it: by its id, or a collège by its UAI code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(OrganisationId),
    /// A collège, by its code.
    Uai(Uai),
}

impl FromStr for Named {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self::Uai).or_else(|_not_a_code| text.parse().map(Self::Id))
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Uai(uai) => uai.fmt(f),
        }
    }
}

/// Somebody who leads the way in a collège.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// Their role there.
    pub role: Role,
    /// Their account.
    pub account: AccountId,
    /// What they sign in with.
    pub login: String,
    /// Their name.
    pub name: String,
}

/// An organisation, and who leads the way there.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The organisation.
    pub organisation: Organisation,
    /// Whether a network was named that its tablets join after an erasure. Which one is never shown again.
    pub has_network: bool,
    /// Its head, its référent (C3.3.1), its technicians: those that have an account in use.
    pub leaders: Vec<Leader>,
}

/// The organisations that whoever asks may see, in the order of their ids.
///
/// # Errors
/// [`Refusal::NotAllowed`].
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    page: Page<OrganisationId>,
    now: Instant,
) -> Result<Listed<Organisation>, Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .read(move |tx| {
            let within = principal.may_list(tx, Permission::ViewOrganisations, now)?;
            let found = rows::list(tx, &within, page.after, page.with_one_more())?;
            Ok(page.cut(found, |organisation| organisation.id.to_string()))
        })
        .await
}

/// One organisation.
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
            let organisation = reached(tx, &principal, Permission::ViewOrganisations, &named, now)?;
            Ok(Detail {
                has_network: rows::wifi(tx, organisation.id)?.is_some(),
                leaders: leaders(tx, &organisation, now)?,
                organisation,
            })
        })
        .await
}

/// What is to be created: there is one département, from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The académie; there is one.
    Academie,
    /// A collège.
    College(Uai),
}

/// Creates the académie, or a collège.
///
/// # Errors
/// [`Refusal::Conflict`] if there is such a one; [`Refusal::Invalid`] for its name.
pub async fn create(
    fleet: &Fleet,
    principal: &Principal,
    kind: Kind,
    name: &str,
    now: Instant,
) -> Result<Organisation, Refusal> {
    let (name, principal) = (checked_name("name", name)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            principal.may_everywhere(tx, Permission::ManageOrganisations, now)?;
            let (there, kind, uai) = match &kind {
                Kind::Academie => {
                    (rows::of_kind(tx, OrganisationKind::Academie)?, OrganisationKind::Academie, None)
                }
                Kind::College(uai) => (rows::by_uai(tx, uai)?, OrganisationKind::College, Some(uai.clone())),
            };
            if let Some(there) = there {
                let (name, id) = (there.name, there.id);
                return Err(Refusal::Conflict(format!("there is one already: {name} (`{id}`)")));
            }
            let organisation = new_row(kind, &name, uai, now);
            rows::insert(tx, &organisation)?;
            let detail = json!({ "organisation": organisation.id, "kind": kind, "uai": organisation.uai });
            audit::record(tx, &principal, Change::new("organisation.create").detail(detail), now)?;
            Ok(organisation)
        })
        .await
}

/// Gives an organisation another name.
///
/// # Errors
/// [`Refusal::Invalid`] for the name; [`Refusal::NotFound`].
pub async fn rename(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    name: &str,
    now: Instant,
) -> Result<Organisation, Refusal> {
    let (name, principal) = (checked_name("name", name)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let before = reached(tx, &principal, Permission::ManageOrganisations, &named, now)?;
            if before.name == name {
                return Ok(before);
            }
            let detail = json!({ "organisation": before.id, "from": before.name, "to": name });
            let after = Organisation { name: name.clone(), updated_at: now, ..before };
            rows::update(tx, &after)?;
            audit::record(tx, &principal, Change::new("organisation.rename").detail(detail), now)?;
            Ok(after)
        })
        .await
}

/// Closes an organisation, whose accounts can then do nothing; or lets it take part again.
///
/// # Errors
/// [`Refusal::Conflict`] for the département, or where nothing would change; [`Refusal::NotFound`].
pub async fn turn(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    state: OrganisationState,
    reason: Option<String>,
    now: Instant,
) -> Result<Organisation, Refusal> {
    let (reason, principal) = (checked_reason(reason)?, principal.clone());
    fleet
        .store()
        .write(move |tx| {
            let before = reached(tx, &principal, Permission::ManageOrganisations, &named, now)?;
            if before.kind == OrganisationKind::Departement {
                return Err(Refusal::Conflict(
                    "the département owns the tablets; it cannot be closed".into(),
                ));
            }
            if before.state == state {
                return Err(Refusal::Conflict(format!("{} is {state} already", before.name)));
            }
            let action = match state {
                OrganisationState::Closed => "organisation.close",
                OrganisationState::Active => "organisation.reopen",
            };
            let detail = json!({ "organisation": before.id });
            let after = Organisation { state, updated_at: now, ..before };
            rows::update(tx, &after)?;
            let change = Change::new(action).reason(reason.clone()).detail(detail);
            audit::record(tx, &principal, change, now)?;
            Ok(after)
        })
        .await
}

/// The organisation, for whoever has this right there.
///
/// # Errors
/// [`Refusal::NotFound`] for one that is out of reach (T-C1); [`Refusal::NotAllowed`] without the right anywhere.
fn reached(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    named: &Named,
    now: Instant,
) -> Result<Organisation, Refusal> {
    let reach = principal.may(tx, permission, now)?;
    let found = match named {
        Named::Id(id) => rows::get(tx, id)?,
        Named::Uai(uai) => rows::by_uai(tx, uai)?,
    };
    let is_reached = |organisation: &Organisation| {
        let college = organisation.uai.is_some() && reach.covers(&Place::College(organisation.uai.clone()));
        college || reach.covers(&Place::Organisation(organisation.id))
    };
    found.filter(is_reached).ok_or_else(|| Refusal::not_found("organisation", named))
}

/// The row of an organisation that begins, and has decided nothing.
fn new_row(kind: OrganisationKind, name: &str, uai: Option<Uai>, now: Instant) -> Organisation {
    Organisation {
        id: OrganisationId::new(now),
        kind,
        name: name.to_owned(),
        uai,
        state: OrganisationState::Active,
        home_use: HomeUse::Undecided,
        charter_adopted_on: None,
        referent_account_id: None,
        created_at: now,
        updated_at: now,
    }
}

fn leaders(tx: &mut Tx<'_>, organisation: &Organisation, now: Instant) -> Result<Vec<Leader>, Refusal> {
    let Some(uai) = &organisation.uai else { return Ok(Vec::new()) };
    let mut accounts: Vec<(Role, AccountId)> = role_grants::managers(tx, organisation.id, now)?
        .into_iter()
        .filter(|(_, state)| *state == AccountState::Active)
        .map(|(account, _)| (Role::Head, account))
        .collect();
    accounts.extend(organisation.referent_account_id.map(|account| (Role::Referent, account)));
    let naming = role_grants::naming_college(tx, uai, now)?;
    accounts.extend(
        naming.into_iter().filter(|grant| grant.role == Role::Ati).map(|grant| (Role::Ati, grant.account)),
    );
    let mut leaders = Vec::with_capacity(accounts.len());
    for (role, id) in accounts {
        let account = accounts::get(tx, &id)?.filter(|account| account.state == AccountState::Active);
        leaders.extend(account.map(|account| Leader {
            role,
            account: id,
            login: account.login,
            name: account.name,
        }));
    }
    Ok(leaders)
}
