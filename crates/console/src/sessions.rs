//! `/sessions`, `/session`, `/invitations`: how people come in, and what they see to for themselves.
//!
//! A session is a bearer secret like a token, never a cookie: a page of another site cannot make a browser send it
//! (T-C12).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::coming_in::{self, factors, invitation, sessions};
use serde::{Deserialize, Serialize};
use store::sessions::Session;
use types::Secret;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, PageQuery, State};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// What somebody signs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The login.
    login: String,
    /// The password.
    password: String,
    /// The code that the authenticator shows, for an account that has a second factor.
    code: Option<String>,
}

/// A session that has just begun. Its secret is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct BegunView {
    /// Its id.
    id: String,
    /// The secret, to be sent as `Authorization: Bearer …`.
    session: String,
    /// The first instant it is refused, however much it is used. Unused, it ends after half an hour.
    expires_at: Timestamp,
    /// Whether the account has a second factor. Without one, set it up within five minutes.
    has_second_factor: bool,
}

/// A session of one's own.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// Its id.
    id: String,
    /// When it began.
    created_at: Timestamp,
    /// When it was last used, to the minute.
    last_used_at: Timestamp,
    /// The first instant it is refused.
    expires_at: Timestamp,
    /// When a code was last shown in it.
    stepped_up_at: Option<Timestamp>,
    /// When it was ended.
    ended_at: Option<Timestamp>,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            expires_at: session.expires_at.into(),
            stepped_up_at: session.stepped_up_at.map(Timestamp),
            ended_at: session.revoked_at.map(Timestamp),
        }
    }
}

/// Who somebody is here, and what they may do now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MyselfView {
    /// The account.
    account_id: String,
    /// What they sign in with.
    login: String,
    /// Their name.
    name: String,
    /// The organisation’s id.
    organisation_id: String,
    /// The organisation’s name.
    organisation: String,
    /// What the organisation is: `departement`, `academie` or `college`.
    kind: String,
    /// The roles that count now.
    roles: Vec<String>,
    /// What they may do somewhere, now.
    permissions: Vec<String>,
    /// Whether they have a second factor.
    has_second_factor: bool,
    /// Whether a code was shown in the last five minutes.
    stepped_up: bool,
}

/// A code of the second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    /// The six digits.
    code: String,
}

/// A second factor to be set up.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposedView {
    /// The secret, as a person types it into an authenticator.
    secret: String,
    /// The same as an address, for a QR code.
    address: String,
}

/// The second factor that was proposed, and a code that shows that an authenticator knows it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The secret that was proposed.
    secret: String,
    /// The code that the authenticator shows for it.
    code: String,
}

/// A change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The present password.
    current: String,
    /// The new one: at least 12 characters.
    new: String,
}

/// The link of an invitation or reset, and the password its bearer chooses.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// The link’s secret.
    invitation: String,
    /// The password: at least 12 characters.
    password: String,
}

/// An account that is active now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcceptedView {
    /// What to sign in with.
    login: String,
}

/// Signs in.
#[utoipa::path(post, path = "/api/v1/sessions", tag = "sessions", security(()), request_body = SignIn, responses(
    (status = 201, body = BegunView), (status = "default", body = Problem)))]
pub(crate) async fn sign_in(state: State, wanted: Json<SignIn>) -> Created<BegunView> {
    let SignIn { login, password, code } = wanted.into_inner();
    let (password, code) = (Secret::new(password), code.map(Secret::new));
    let begun = coming_in::sign_in(&state.fleet, &login, password, code, state.now()).await?;
    let view = BegunView {
        id: begun.id.to_string(),
        session: begun.secret.expose().clone(),
        expires_at: begun.expires_at.into(),
        has_second_factor: begun.has_second_factor,
    };
    Ok((Json(view), StatusCode::CREATED))
}

/// Uses an invitation, or a reset: its bearer chooses a password, and can sign in.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "sessions", security(()), request_body = Acceptance,
    responses((status = 200, body = AcceptedView), (status = "default", body = Problem)))]
pub(crate) async fn accept_invitation(state: State, accepted: Json<Acceptance>) -> Answer<AcceptedView> {
    let Acceptance { invitation, password } = accepted.into_inner();
    let (link, password) = (Secret::new(invitation), Secret::new(password));
    let login = invitation::accept(&state.fleet, link, password, state.now()).await?;
    Ok(Json(AcceptedView { login }))
}

/// Who asks, and what they may do now.
#[utoipa::path(get, path = "/api/v1/session", tag = "sessions", responses(
    (status = 200, body = MyselfView), (status = "default", body = Problem)))]
pub(crate) async fn myself(state: State, caller: Caller) -> Answer<MyselfView> {
    let myself = sessions::myself(&state.fleet, caller.principal(), state.now()).await?;
    Ok(Json(MyselfView {
        account_id: myself.account.id.to_string(),
        login: myself.account.login,
        name: myself.account.name,
        organisation_id: myself.organisation.id.to_string(),
        organisation: myself.organisation.name,
        kind: myself.organisation.kind.to_string(),
        roles: myself.roles.iter().map(ToString::to_string).collect(),
        permissions: myself.permissions.iter().map(ToString::to_string).collect(),
        has_second_factor: myself.has_second_factor,
        stepped_up: myself.stepped_up,
    }))
}

/// Signs out: this session ends.
#[utoipa::path(delete, path = "/api/v1/session", tag = "sessions", responses(
    (status = 204, description = "It is over"), (status = "default", body = Problem)))]
pub(crate) async fn sign_out(state: State, caller: Caller) -> Done {
    sessions::end(&state.fleet, caller.principal(), None, state.now()).await?;
    input::done()
}

/// Shows a code of the second factor: for five minutes, what needs one is open in this session.
#[utoipa::path(post, path = "/api/v1/session/step-up", tag = "sessions", request_body = Code, responses(
    (status = 204, description = "It is open"), (status = "default", body = Problem)))]
pub(crate) async fn step_up(state: State, caller: Caller, code: Json<Code>) -> Done {
    let code = Secret::new(code.into_inner().code);
    sessions::step_up(&state.fleet, caller.principal(), code, state.now()).await?;
    input::done()
}

/// Proposes a second factor; nothing changes until it is confirmed.
#[utoipa::path(post, path = "/api/v1/session/second-factor", tag = "sessions", responses(
    (status = 200, body = ProposedView), (status = "default", body = Problem)))]
pub(crate) async fn propose_second_factor(state: State, caller: Caller) -> Answer<ProposedView> {
    let proposed = factors::propose(&state.fleet, caller.principal(), state.now()).await?;
    Ok(Json(ProposedView {
        secret: proposed.secret.expose().clone(),
        address: proposed.address.expose().clone(),
    }))
}

/// Sets the second factor that was proposed. Every other session of the account ends.
#[utoipa::path(put, path = "/api/v1/session/second-factor", tag = "sessions", request_body = Confirmation, responses(
    (status = 204, description = "It counts from now on"), (status = "default", body = Problem)))]
pub(crate) async fn confirm_second_factor(
    state: State,
    caller: Caller,
    confirmation: Json<Confirmation>,
) -> Done {
    let Confirmation { secret, code } = confirmation.into_inner();
    let (secret, code) = (Secret::new(secret), Secret::new(code));
    factors::confirm(&state.fleet, caller.principal(), secret, code, state.now()).await?;
    input::done()
}

/// Changes one’s own password. Every other session of the account ends.
#[utoipa::path(put, path = "/api/v1/session/password", tag = "sessions", request_body = PasswordChange, responses(
    (status = 204, description = "It counts from now on"), (status = "default", body = Problem)))]
pub(crate) async fn change_password(state: State, caller: Caller, change: Json<PasswordChange>) -> Done {
    let PasswordChange { current, new } = change.into_inner();
    let (current, new) = (Secret::new(current), Secret::new(new));
    factors::change_password(&state.fleet, caller.principal(), current, new, state.now()).await?;
    input::done()
}

/// One’s own sessions, the newest first; those that are over included.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", params(PageQuery), responses(
    (status = 200, body = Page<SessionView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller, query: Query<PageQuery>) -> Answer<Page<SessionView>> {
    let part = fleet::page::Page::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(sessions::list(&state.fleet, caller.principal(), part, state.now()).await?)))
}

/// Ends one of one’s own sessions.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sessions",
    params(("id" = String, Path, description = "The session")), responses(
    (status = 204, description = "It is over"), (status = "default", body = Problem)))]
pub(crate) async fn end(state: State, caller: Caller, id: Path<String>) -> Done {
    let id = input::parse("session", &id)?;
    sessions::end(&state.fleet, caller.principal(), Some(id), state.now()).await?;
    input::done()
}
