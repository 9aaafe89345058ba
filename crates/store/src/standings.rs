//! What whoever asks may do: their account, its organisation and every role it was ever given, with the session or token
//! they bear, in one statement. Every request of people's door begins with it, and every use case of theirs.

use std::collections::{BTreeSet, HashMap};

use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _,
};
use governance::Standing;
use types::{AccountId, ApiTokenId, OrganisationId, SessionId};
use uuid::Uuid;

use crate::api_tokens::{self, ApiToken};
use crate::column::read;
use crate::group_commit::Work;
use crate::role_grants;
use crate::schema::{
    accounts, api_tokens as api_tokens_table, organisations, role_grant_colleges,
    role_grants as role_grants_table, sessions as sessions_table,
};
use crate::sessions::{self, Session};
use crate::vitals::{self, About};
use crate::{Digest, StoreError, Together, Tx};

/// A session or token, and what its account may do.
#[derive(Debug, Clone)]
pub struct Bearer<Credential> {
    /// What they bear, as its row stands.
    pub credential: Credential,
    /// What their account may do.
    pub standing: Standing,
}

/// How a session or token is found.
#[derive(Debug, Clone, Copy)]
pub enum Named<Id> {
    /// By its row.
    Id(Id),
    /// By the SHA-256 of what is shown.
    Secret(Digest),
}

/// A row for each role and each collège that the role names; one without a role.
type Row<Credential> = (Credential, AccountRow, OrganisationRow, Option<role_grants::Stored>, Option<String>);
type AccountRow = (String, String);
type OrganisationRow = (String, String, Option<String>, String);

/// The rows of what `$credential` selects. `$from` names the accounts.
macro_rules! rows {
    ($tx:expr, $from:expr, $credential:expr, $is_it:expr) => {{
        let query = $from
            .inner_join(organisations::table.on(organisations::id.eq(accounts::organisation_id)))
            .left_join(role_grants_table::table.on(role_grants_table::account_id.eq(accounts::id)))
            .left_join(
                role_grant_colleges::table
                    .on(role_grant_colleges::grant_id.nullable().eq(role_grants_table::id.nullable())),
            )
            .filter($is_it)
            .order(role_grants_table::id.asc())
            .select((
                $credential,
                (accounts::id, accounts::state),
                (organisations::id, organisations::kind, organisations::uai, organisations::state),
                Option::<role_grants::Stored>::as_select(),
                role_grant_colleges::uai.nullable(),
            ));
        $tx.run(|connection| query.load(connection))?
    }};
}

/// What an account may do now; `None` if there is none.
///
/// # Errors
/// [`StoreError::Edited`] for rows that no decision can have written; [`StoreError::Corrupt`].
pub fn of_account(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Standing>, StoreError> {
    let rows: Vec<Row<String>> = rows!(tx, accounts::table, accounts::id, accounts::id.eq(id.to_string()));
    Ok(read_rows(rows)?.map(|(_id, standing)| standing))
}

/// The session, revoked and expired ones included, and what its account may do.
///
/// # Errors
/// As [`of_account`].
pub fn of_session(tx: &mut Tx<'_>, named: Named<SessionId>) -> Result<Option<Bearer<Session>>, StoreError> {
    let of_accounts =
        sessions_table::table.inner_join(accounts::table.on(accounts::id.eq(sessions_table::account_id)));
    let row = sessions::Stored::as_select();
    let rows: Vec<Row<sessions::Stored>> = match named {
        Named::Id(id) => rows!(tx, of_accounts, row, sessions_table::id.eq(id.to_string())),
        Named::Secret(sha256) => {
            rows!(tx, of_accounts, row, sessions_table::secret_sha256.eq(sha256.to_string()))
        }
    };
    let Some((session, standing)) = read_rows(rows)? else { return Ok(None) };
    Ok(Some(Bearer { credential: session.read()?, standing }))
}

/// The token, revoked and expired ones included, and what its account may do. One without an account opens nothing, and is
/// not found.
///
/// # Errors
/// As [`of_account`].
pub fn of_token(tx: &mut Tx<'_>, named: Named<ApiTokenId>) -> Result<Option<Bearer<ApiToken>>, StoreError> {
    let of_accounts = api_tokens_table::table
        .inner_join(accounts::table.on(accounts::id.nullable().eq(api_tokens_table::account_id)));
    let row = api_tokens::Stored::as_select();
    let rows: Vec<Row<api_tokens::Stored>> = match named {
        Named::Id(id) => rows!(tx, of_accounts, row, api_tokens_table::id.eq(id.to_string())),
        Named::Secret(sha256) => {
            rows!(tx, of_accounts, row, api_tokens_table::secret_sha256.eq(sha256.to_string()))
        }
    };
    let Some((token, standing)) = read_rows(rows)? else { return Ok(None) };
    Ok(Some(Bearer { credential: token.read()?, standing }))
}

/// Tokens of the API are looked up together: programs send many requests at the same moment, often with one token.
pub(crate) struct Tokens;

impl Together for Tokens {
    /// The hash of what is shown.
    type Ask = Digest;
    type Answer = Option<Bearer<ApiToken>>;
    const WORK: Work = Work::Looks;

    fn whose(sha256: &Digest) -> Uuid {
        let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *sha256.as_bytes();
        Uuid::from_bytes(start)
    }

    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        hashes: &[&Digest],
    ) -> Result<Vec<Option<Bearer<ApiToken>>>, StoreError> {
        vitals::about(About::Nobody);
        let mut rows: HashMap<String, Vec<Row<api_tokens::Stored>>> = HashMap::new();
        for row in token_rows(tx, hashes)? {
            rows.entry(row.0.sha256().to_owned()).or_default().push(row);
        }
        let mut bearers: HashMap<String, Bearer<ApiToken>> = HashMap::new();
        for (sha256, rows) in rows {
            if let Some((token, standing)) = read_rows(rows)? {
                bearers.insert(sha256, Bearer { credential: token.read()?, standing });
            }
        }
        Ok(hashes.iter().map(|sha256| bearers.get(&sha256.to_string()).cloned()).collect())
    }
}

/// The rows of these tokens.
fn token_rows(tx: &mut Tx<'_>, hashes: &[&Digest]) -> Result<Vec<Row<api_tokens::Stored>>, StoreError> {
    let of_accounts = api_tokens_table::table
        .inner_join(accounts::table.on(accounts::id.nullable().eq(api_tokens_table::account_id)));
    let row = api_tokens::Stored::as_select();
    // One token has one text of the statement, which is kept; as have several of them.
    if let [first] = hashes.iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().as_slice() {
        return Ok(rows!(tx, of_accounts, row, api_tokens_table::secret_sha256.eq(first.to_string())));
    }
    let hashes: Vec<String> = hashes.iter().map(ToString::to_string).collect();
    Ok(rows!(tx, of_accounts, row, api_tokens_table::secret_sha256.eq_any(hashes)))
}

/// The credential, and what the rows say of its account.
fn read_rows<Credential>(rows: Vec<Row<Credential>>) -> Result<Option<(Credential, Standing)>, StoreError> {
    let mut found = None;
    let mut grants = role_grants::Gathered::default();
    for (credential, account, organisation, grant, college) in rows {
        found.get_or_insert((credential, account, organisation));
        if let Some(grant) = grant {
            grants.add(grant, college)?;
        }
    }
    let Some((credential, (id, state), (organisation, kind, uai, participation))) = found else {
        return Ok(None);
    };
    let of: OrganisationId = read(organisation.clone(), "organisations", "id", &organisation)?;
    let organisation = governance::Organisation::new(
        of,
        read(kind, "organisations", "kind", &organisation)?,
        read(uai, "organisations", "uai", &organisation)?,
        read(participation, "organisations", "state", &organisation)?,
    )?;
    let account: AccountId = read(id.clone(), "accounts", "id", &id)?;
    #[expect(clippy::disallowed_methods, reason = "this is the row")]
    let account =
        governance::Account::from_row(account, organisation, read(state, "accounts", "state", &id)?);
    Ok(Some((credential, Standing::new(account, grants.proven()?)?)))
}
