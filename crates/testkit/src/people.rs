//! People of the tests: their organisations, accounts and roles, and what they come in with.
//!
//! They stand in the database as the use cases would have left them; signing in has tests of its own, and costs a
//! hash of a password each time.

use std::collections::BTreeSet;

use fleet::Scope;
use store::accounts::{self, Account, AccountState};
use store::api_tokens::{self, ApiToken};
use store::organisations::{self, HomeUse, Organisation, OrganisationState};
use store::role_grants::{self, GrantReach, NewGrant};
use store::sessions::{self, Session};
use store::{Digest, Store, StoreError, Tx};
use types::{
    AccountId, ApiTokenId, Duration, Instant, OrganisationId, OrganisationKind, Role, RoleGrantId, Secret,
    SessionId, Uai,
};

/// How long a token of the tests lasts: they travel through a year.
const TOKEN_LIFETIME: Duration = Duration::from_secs(366 * 86_400);
/// How long a session lasts.
const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3_600);
/// How long before now people of the tests got their roles: a right to approve counts by then (C3.1.7).
const SINCE: Duration = Duration::from_secs(60 * 86_400);

/// For whom somebody works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Employer {
    /// The département.
    Departement,
    /// The académie.
    Academie,
    /// A collège.
    College(Uai),
}

impl Employer {
    fn kind(&self) -> OrganisationKind {
        match self {
            Self::Departement => OrganisationKind::Departement,
            Self::Academie => OrganisationKind::Academie,
            Self::College(_) => OrganisationKind::College,
        }
    }
}

/// Somebody who has an account of an organisation, made if there is none, with these roles; all of them in force.
///
/// # Errors
/// [`StoreError`], for roles that the database does not admit.
pub async fn someone(
    store: &Store,
    employer: Employer,
    login: &str,
    roles: Vec<(Role, GrantReach)>,
    now: Instant,
) -> Result<AccountId, StoreError> {
    let login = login.to_owned();
    store
        .write(move |tx| {
            let since = now.minus(SINCE);
            let organisation = organisation(tx, &employer, since)?;
            let id = account(tx, organisation, &login, since)?;
            for (role, reach) in &roles {
                grant(tx, (organisation, id), *role, reach, since)?;
            }
            Ok(id)
        })
        .await
}

fn organisation(tx: &mut Tx<'_>, employer: &Employer, now: Instant) -> Result<OrganisationId, StoreError> {
    let uai = match employer {
        Employer::College(uai) => Some(uai.clone()),
        Employer::Departement | Employer::Academie => None,
    };
    let found = match &uai {
        Some(uai) => organisations::by_uai(tx, uai)?,
        None => organisations::of_kind(tx, employer.kind())?,
    };
    if let Some(found) = found {
        return Ok(found.id);
    }
    let name = uai.as_ref().map_or_else(|| employer.kind().to_string(), |uai| format!("collège {uai}"));
    let row = Organisation {
        id: OrganisationId::new(now),
        kind: employer.kind(),
        name,
        uai,
        state: OrganisationState::Active,
        home_use: HomeUse::Undecided,
        charter_adopted_on: None,
        referent_account_id: None,
        created_at: now,
        updated_at: now,
    };
    organisations::insert(tx, &row)?;
    Ok(row.id)
}

fn account(
    tx: &mut Tx<'_>,
    organisation_id: OrganisationId,
    login: &str,
    now: Instant,
) -> Result<AccountId, StoreError> {
    let row = Account {
        id: AccountId::new(now),
        organisation_id,
        login: login.to_owned(),
        name: login.to_owned(),
        email: None,
        state: AccountState::Active,
        totp_used_step: None,
        invitation_sha256: None,
        invitation_expires_at: None,
        failed_attempts: 0,
        locked_until: None,
        created_at: now,
        closed_at: None,
    };
    accounts::insert(tx, &row)?;
    Ok(row.id)
}

/// A right to approve takes two colleagues: one gives it, the other confirms it.
fn grant(
    tx: &mut Tx<'_>,
    (organisation, account_id): (OrganisationId, AccountId),
    role: Role,
    reach: &GrantReach,
    since: Instant,
) -> Result<(), StoreError> {
    let id = RoleGrantId::new(since);
    let approves = role == Role::Approver;
    let by =
        if approves { Some(account(tx, organisation, &format!("giver-{account_id}"), since)?) } else { None };
    role_grants::grant(tx, &NewGrant { id, account: account_id, role, reach: reach.clone(), by, at: since })?;
    if approves {
        let second = account(tx, organisation, &format!("second-{account_id}"), since)?;
        role_grants::confirm(tx, id, second, since, since.plus(Duration::from_secs(86_400)))?;
    }
    Ok(())
}

/// A token of this account, whose programs may look or act.
///
/// # Errors
/// [`StoreError`].
pub async fn token(
    store: &Store,
    account: AccountId,
    scope: Scope,
    colleges: Option<BTreeSet<Uai>>,
    now: Instant,
) -> Result<Secret<String>, StoreError> {
    let secret = Secret::new(format!("ardoise_{}", random()));
    let row = ApiToken {
        id: ApiTokenId::new(now),
        secret_sha256: Digest::of(secret.expose().as_bytes()),
        name: "test kit".to_owned(),
        scope: scope.to_string(),
        created_at: now,
        expires_at: Some(now.plus(TOKEN_LIFETIME)),
        revoked_at: None,
        last_used_at: None,
        account_id: Some(account),
        reach: colleges,
    };
    store.write(move |tx| api_tokens::insert(tx, &row)).await?;
    Ok(secret)
}

/// A session of this account that has just begun; stepped up, if a code was shown in it.
///
/// # Errors
/// [`StoreError`].
pub async fn session(
    store: &Store,
    account: AccountId,
    code_shown: CodeShown,
    now: Instant,
) -> Result<Secret<String>, StoreError> {
    let secret = Secret::new(format!("ardoise_session_{}", random()));
    let row = Session {
        id: SessionId::new(now),
        account_id: account,
        secret_sha256: Digest::of(secret.expose().as_bytes()),
        created_at: now,
        last_used_at: now,
        expires_at: now.plus(SESSION_LIFETIME),
        stepped_up_at: (code_shown == CodeShown::JustNow).then_some(now),
        revoked_at: None,
    };
    store.write(move |tx| sessions::insert(tx, &row)).await?;
    Ok(secret)
}

/// Whether a code of the second factor was shown in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeShown {
    /// A moment ago.
    JustNow,
    /// Never.
    Never,
}

/// A secret that nobody guesses.
fn random() -> String {
    format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple())
}
