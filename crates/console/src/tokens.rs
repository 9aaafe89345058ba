//! `/tokens`: one’s own tokens, for one’s programs.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path};
use fleet::coming_in::tokens::{self, Wanted};
use serde::{Deserialize, Serialize};
use store::api_tokens::ApiToken;
use types::Duration;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, Created, Page, State, days, field};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// How long a token lasts unless told.
const USUAL_LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// A token to give out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What uses it.
    name: String,
    /// `read` or `operate`, within what the account may.
    scope: String,
    /// The UAI codes of the only collèges it reaches; as far as the account unless told.
    colleges: Option<Vec<String>>,
    /// How many days it lasts: 1 to 366, 90 unless told.
    expires_in_days: Option<u32>,
}

/// A token that was given out; never the token itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its id.
    id: String,
    /// What uses it.
    name: String,
    /// `read` or `operate`.
    scope: String,
    /// The only collèges it reaches.
    colleges: Option<Vec<String>>,
    /// When it was made.
    created_at: Timestamp,
    /// The first instant it is refused.
    expires_at: Option<Timestamp>,
    /// When it was revoked.
    revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    last_used_at: Option<Timestamp>,
}

/// A token that was just given out. It is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct GivenToken {
    /// What is remembered of it.
    #[serde(flatten)]
    view: TokenView,
    /// The token itself, to be sent as `Authorization: Bearer …`.
    token: String,
}

impl From<ApiToken> for TokenView {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name,
            scope: token.scope,
            colleges: token.reach.map(|uais| uais.iter().map(ToString::to_string).collect()),
            created_at: token.created_at.into(),
            expires_at: token.expires_at.map(Timestamp),
            revoked_at: token.revoked_at.map(Timestamp),
            last_used_at: token.last_used_at.map(Timestamp),
        }
    }
}

/// Makes a token for one’s own account.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken, responses(
    (status = 201, body = GivenToken), (status = "default", body = Problem)))]
pub(crate) async fn create(state: State, caller: Caller, new: Json<NewToken>) -> Created<GivenToken> {
    let NewToken { name, scope, colleges, expires_in_days } = new.into_inner();
    let lifetime = days(expires_in_days).unwrap_or(USUAL_LIFETIME);
    let colleges = colleges
        .map(|colleges| colleges.iter().map(|uai| field("colleges", uai)).collect::<Result<_, _>>())
        .transpose()?;
    let wanted = Wanted { name, scope: field("scope", &scope)?, colleges, lifetime };
    let given = tokens::create(&state.fleet, caller.principal(), wanted, state.now()).await?;
    Ok((
        Json(GivenToken { view: given.token.into(), token: given.secret.expose().clone() }),
        StatusCode::CREATED,
    ))
}

/// One’s own tokens, oldest first; those that are over included.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", responses(
    (status = 200, body = Page<TokenView>), (status = "default", body = Problem)))]
pub(crate) async fn list(state: State, caller: Caller) -> Answer<Page<TokenView>> {
    let tokens = tokens::list(&state.fleet, caller.principal(), state.now()).await?;
    Ok(Json(Page { items: tokens.into_iter().map(TokenView::from).collect(), next: None }))
}

/// Revokes a token, at once.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token")), responses(
    (status = 204, description = "It is refused from now on"), (status = "default", body = Problem)))]
pub(crate) async fn revoke(state: State, caller: Caller, id: Path<String>) -> input::Done {
    tokens::revoke(&state.fleet, caller.principal(), input::parse("token", &id)?, state.now()).await?;
    input::done()
}
