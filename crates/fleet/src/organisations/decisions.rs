//! What a collège decides for itself: tablets at home (C3.3.3), charter (C3.3.5), référent (C3.3.1), and the network that
//! its tablets join after an erasure.

use std::borrow::Cow;

use governance::{AccountState, HomeUse, Permission};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::organisations::{self as rows, Organisation};
use store::{Tx, accounts};
use types::{AccountId, Day, Instant, OrganisationId, OrganisationKind, RuleId, Secret};

use super::{Named, reached};
use crate::audit::{self, Change};
use crate::{Fleet, Principal, Refusal, accounts as people};

/// The longest name of a wireless network, in bytes (IEEE 802.11).
const LONGEST_SSID: usize = 32;
/// How long the passphrase of one is, in bytes (IEEE 802.11i).
const PASSPHRASE: std::ops::RangeInclusive<usize> = 8..=63;

/// What changes of a collège's decisions; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// Whether tablets may be used at home at all (C3.3.3).
    pub home_use: Option<HomeUse>,
    /// The day the charter was adopted (C3.3.5); `Some(None)`: it is adopted no more.
    pub charter_adopted_on: Option<Option<Day>>,
    /// The référent, one of the collège's own accounts (C3.3.1); `Some(None)`: nobody for now.
    pub referent: Option<Option<people::Named>>,
}

/// Records what a collège decided.
///
/// # Errors
/// [`Refusal::Forbidden`] for a référent of another organisation (C3.3.1); [`Refusal::Invalid`] for a charter of
/// tomorrow; [`Refusal::NotFound`].
pub async fn decide(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    decisions: Decisions,
    now: Instant,
) -> Result<Organisation, Refusal> {
    if decisions.charter_adopted_on.flatten().is_some_and(|day| day > Day::of(now)) {
        return Err(Refusal::invalid("charter_adopted_on", "this day is yet to come"));
    }
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let before = college(tx, &principal, Permission::ManageCollege, &named, now)?;
            let mut after = before.clone();
            after.home_use = decisions.home_use.unwrap_or(after.home_use);
            after.charter_adopted_on = decisions.charter_adopted_on.unwrap_or(after.charter_adopted_on);
            if let Some(referent) = &decisions.referent {
                let account = referent.as_ref().map(|referent| its_own(tx, &before, referent)).transpose()?;
                after.referent_account_id = account;
            }
            if after == before {
                return Ok(before);
            }
            after.updated_at = now;
            rows::update(tx, &after)?;
            if after.home_use != before.home_use {
                // The modes of its loans follow: the calendar makes them anew (C5.2.1).
                store::tablet_modes::look_again(tx, after.uai.as_ref())?;
            }
            let detail = json!({
                "organisation": after.id, "home_use": after.home_use,
                "charter_adopted_on": after.charter_adopted_on, "referent": after.referent_account_id,
            });
            audit::record(tx, &principal, Change::new("organisation.decide").detail(detail), now)?;
            Ok(after)
        })
        .await
}

/// A wireless network. Once named it is sealed, and never shown again.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its name (SSID).
    pub ssid: String,
    /// Its passphrase; `None` for an open one.
    pub passphrase: Option<Secret<String>>,
    /// Whether it does not announce itself.
    pub hidden: bool,
}

/// What is sealed of it.
#[derive(Serialize, Deserialize)]
struct Sealed<'a> {
    ssid: Cow<'a, str>,
    passphrase: Option<Cow<'a, str>>,
    hidden: bool,
}

/// The network that the tablets of a collège join after an erasure, if it named one.
pub(crate) fn network(tx: &mut Tx<'_>, college: OrganisationId) -> Result<Option<Network>, Refusal> {
    let Some(sealed) = rows::wifi(tx, college)? else { return Ok(None) };
    let Sealed { ssid, passphrase, hidden } = serde_json::from_slice(sealed.expose())
        .map_err(|error| Refusal::Internal(format!("the network of organisation {college}: {error}")))?;
    let passphrase = passphrase.map(|passphrase| Secret::new(passphrase.into_owned()));
    Ok(Some(Network { ssid: ssid.into_owned(), passphrase, hidden }))
}

/// Names the network that a collège's tablets join after an erasure, so that they come back by themselves.
///
/// # Errors
/// [`Refusal::Invalid`] for a name or a passphrase that no network has; [`Refusal::NotFound`].
pub async fn set_network(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    network: Network,
    now: Instant,
) -> Result<(), Refusal> {
    let Network { ssid, passphrase, hidden } = &network;
    if ssid.is_empty() || ssid.len() > LONGEST_SSID || ssid.chars().any(char::is_control) {
        return Err(Refusal::invalid("ssid", format!("must have 1 to {LONGEST_SSID} bytes")));
    }
    let plain = |secret: &Secret<String>| {
        PASSPHRASE.contains(&secret.expose().len())
            && secret.expose().bytes().all(|byte| (32..127).contains(&byte))
    };
    if !passphrase.as_ref().is_none_or(plain) {
        return Err(Refusal::invalid("passphrase", "must have 8 to 63 characters of ASCII"));
    }
    let passphrase = passphrase.as_ref().map(|secret| Cow::from(secret.expose().as_str()));
    let sealed = serde_json::to_vec(&Sealed { ssid: Cow::from(ssid), passphrase, hidden: *hidden })
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    remember(fleet, principal, named, Some(Secret::new(sealed)), now).await
}

/// Forgets the network of a collège: its tablets are set up by hand after an erasure.
///
/// # Errors
/// [`Refusal::NotFound`].
pub async fn forget_network(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    now: Instant,
) -> Result<(), Refusal> {
    remember(fleet, principal, named, None, now).await
}

async fn remember(
    fleet: &Fleet,
    principal: &Principal,
    named: Named,
    network: Option<Secret<Vec<u8>>>,
    now: Instant,
) -> Result<(), Refusal> {
    let principal = principal.clone();
    fleet
        .store()
        .write(move |tx| {
            let college = college(tx, &principal, Permission::ManageNetwork, &named, now)?;
            rows::set_wifi(tx, college.id, network.as_ref(), now)?;
            let action = match &network {
                Some(_) => "organisation.set-network",
                None => "organisation.forget-network",
            };
            let change = Change::new(action).detail(json!({ "organisation": college.id }));
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// A collège, for whoever has this right there: only collèges decide.
fn college(
    tx: &mut Tx<'_>,
    principal: &Principal,
    permission: Permission,
    named: &Named,
    now: Instant,
) -> Result<Organisation, Refusal> {
    let organisation = reached(tx, principal, permission, named, now)?;
    if organisation.kind == OrganisationKind::College {
        Ok(organisation)
    } else {
        Err(Refusal::Conflict(format!("{} is no collège; only collèges decide this", organisation.name)))
    }
}

/// An account of the collège itself that is not closed (C3.3.1).
fn its_own(tx: &mut Tx<'_>, college: &Organisation, named: &people::Named) -> Result<AccountId, Refusal> {
    let account = match named {
        people::Named::Id(id) => accounts::get(tx, id)?,
        people::Named::Login(login) => accounts::by_login(tx, login.as_str())?,
    };
    account
        .filter(|account| account.organisation_id == college.id && account.state != AccountState::Closed)
        .map(|account| account.id)
        .ok_or_else(|| Refusal::Forbidden {
            rule: RuleId::C3_3_1,
            what: format!("the référent is one of the collège’s own accounts; `{named}` is none of them"),
        })
}
