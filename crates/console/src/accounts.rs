//! `/accounts`, `/organisations/{id}/first-accounts`: people’s accounts, as the others of their organisation manage them
//! (C3.1.7).

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Query};
use fleet::accounts::{self, Detail, Factor, FirstWanted, NewAccount, State as AccountState};
use fleet::coming_in::invitation::Invitation;
use fleet::page::Page as Part;
use serde::{Deserialize, Serialize};
use store::account_makers::Making;
use store::accounts::Account;
use utoipa::{IntoParams, ToSchema};

use crate::countersignatures::{AskedView, Signed};
use crate::gate::Caller;
use crate::input::{self, Answer, Created, Done, Page, PerhapsWhy, State, field, optional};
use crate::problem::Problem;
use crate::roles::{Question, RoleView};
use crate::timestamp::Timestamp;

/// Which accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountsQuery {
    /// Only those that are `invited`, `active`, `suspended` or `closed`.
    state: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// An account, never what opens it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountView {
    /// Its id.
    id: String,
    /// Its organisation, for good.
    organisation_id: String,
    /// What its holder signs in with.
    login: String,
    /// Its holder’s name.
    name: String,
    /// Its holder’s address.
    email: Option<String>,
    /// `invited`, `active`, `suspended` or `closed`.
    state: String,
    /// The first instant at which a link that waits for its holder is refused.
    link_expires_at: Option<Timestamp>,
    /// When it was made.
    created_at: Timestamp,
    /// When it was closed.
    closed_at: Option<Timestamp>,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id.to_string(),
            organisation_id: account.organisation_id.to_string(),
            login: account.login,
            name: account.name,
            email: account.email,
            state: account.state.to_string(),
            link_expires_at: account.invitation_expires_at.map(Timestamp),
            created_at: account.created_at.into(),
            closed_at: account.closed_at.map(Timestamp),
        }
    }
}

/// What lets one person be another: for 30 days, the two count as one (C3.1.7).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeedView {
    /// `created`, `password-reset`, `second-factor-reset` or `recovered`.
    deed: String,
    /// Who did it.
    by: String,
    /// When.
    at: Timestamp,
}

impl From<Making> for DeedView {
    fn from(making: Making) -> Self {
        Self { deed: making.deed.to_string(), by: making.actor, at: making.at.into() }
    }
}

/// An account with its roles and its makers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountDetail {
    /// The account.
    #[serde(flatten)]
    account: AccountView,
    /// The name of its organisation.
    organisation: String,
    /// Whether it has a second factor.
    has_second_factor: bool,
    /// Every role it was ever given.
    roles: Vec<RoleView>,
    /// Who made it, or reset what opens it.
    makers: Vec<DeedView>,
}

impl From<Detail> for AccountDetail {
    fn from(detail: Detail) -> Self {
        Self {
            account: detail.account.into(),
            organisation: detail.organisation.name,
            has_second_factor: detail.has_second_factor,
            roles: detail.roles.into_iter().map(RoleView::from).collect(),
            makers: detail.makers.into_iter().map(DeedView::from).collect(),
        }
    }
}

/// Whom you invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPerson {
    /// What they sign in with: 3 to 64 of a-z, 0-9, `.`, `-`, `_`, `@`.
    login: String,
    /// Their name.
    name: String,
    /// Their address; one account each.
    email: Option<String>,
}

/// What a second person of the département is asked to sign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstQuestion {
    /// What the holder of the account would sign in with.
    login: String,
    /// Their address.
    email: Option<String>,
    /// Why, in 1 to 500 characters: the second person decides by it.
    reason: String,
}

/// Whom you invite under a second person’s signature.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstPerson {
    /// What they sign in with, as it was signed.
    login: String,
    /// Their name.
    name: String,
    /// Their address, as it was signed.
    email: Option<String>,
    /// The countersignature.
    countersignature: String,
}

/// The link by which the holder of an account chooses a password. It is shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationView {
    /// The account.
    account_id: String,
    /// The link’s secret, for `ardoise join`.
    invitation: String,
    /// The first instant it is refused.
    expires_at: Timestamp,
    /// Present if one person invited everybody who manages that organisation: until then at the latest none of them can confirm
    /// what another decides. Close this account and have somebody else invite its holder, or wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    no_second_person_until: Option<Timestamp>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            account_id: invitation.account.to_string(),
            invitation: invitation.secret.expose().clone(),
            expires_at: invitation.expires_at.into(),
            no_second_person_until: invitation.no_second_person_until.map(Timestamp::from),
        }
    }
}

/// The name and address of an account’s holder.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Person {
    /// Their name.
    name: String,
    /// Their address; left out: none.
    email: Option<String>,
}

/// What is reset.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reset {
    /// `password` or `second-factor`.
    factor: String,
    /// Why, in at most 500 characters: it is recorded.
    reason: Option<String>,
}

/// What a reset gives.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResetView {
    /// The link by which another password is chosen, if it was the password. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<InvitationView>,
}

/// How an account stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingView {
    /// `invited` or `active`.
    state: String,
}

/// The accounts that you may see, in the order of their ids.
#[utoipa::path(get, path = "/api/v1/accounts", tag = "accounts", params(AccountsQuery), responses(
    (status = 200, body = Page<AccountView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    query: Query<AccountsQuery>,
) -> Answer<Page<AccountView>> {
    let wanted: Option<AccountState> = optional("state", query.state.as_deref())?;
    let part = Part::read(query.after.as_deref(), query.limit)?;
    Ok(Json(Page::of(accounts::list(&state.fleet, caller.principal(), wanted, part, state.now()).await?)))
}

/// One account, with its roles and its makers.
#[utoipa::path(get, path = "/api/v1/accounts/{id}", tag = "accounts",
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 200, body = AccountDetail), (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller, id: Path<String>) -> Answer<AccountDetail> {
    let named = input::parse("account", &id)?;
    Ok(Json(accounts::show(&state.fleet, caller.principal(), named, state.now()).await?.into()))
}

/// Invites somebody into your organisation.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "accounts", request_body = NewPerson, responses(
    (status = 201, body = InvitationView), (status = "default", body = Problem)))]
pub(crate) async fn invite(state: State, caller: Caller, new: Json<NewPerson>) -> Created<InvitationView> {
    let NewPerson { login, name, email } = new.into_inner();
    let new =
        NewAccount { login: field("login", &login)?, name, email: optional("email", email.as_deref())? };
    let invitation = accounts::invite(&state.fleet, caller.principal(), new, state.now()).await?;
    Ok((Json(invitation.into()), StatusCode::CREATED))
}

/// Makes another invitation for somebody who has not used theirs, in its place.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/invitation", tag = "accounts",
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 201, body = InvitationView), (status = "default", body = Problem)))]
pub(crate) async fn invite_again(state: State, caller: Caller, id: Path<String>) -> Created<InvitationView> {
    let named = input::parse("account", &id)?;
    let invitation = accounts::invite_again(&state.fleet, caller.principal(), named, state.now()).await?;
    Ok((Json(invitation.into()), StatusCode::CREATED))
}

/// Sets the name and the address of an account’s holder.
#[utoipa::path(put, path = "/api/v1/accounts/{id}", tag = "accounts", request_body = Person,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 204, description = "They are set"), (status = "default", body = Problem)))]
pub(crate) async fn describe(state: State, caller: Caller, id: Path<String>, person: Json<Person>) -> Done {
    let Person { name, email } = person.into_inner();
    let (named, email) = (input::parse("account", &id)?, optional("email", email.as_deref())?);
    accounts::describe(&state.fleet, caller.principal(), named, &name, email, state.now()).await?;
    input::done()
}

/// Suspends an account, at once: its sessions and tokens are worth nothing from now on.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/suspend", tag = "accounts", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 204, description = "It opens nothing"), (status = "default", body = Problem)))]
pub(crate) async fn suspend(state: State, caller: Caller, id: Path<String>, why: Json<PerhapsWhy>) -> Done {
    let (named, reason) = (input::parse("account", &id)?, why.into_inner().reason);
    accounts::suspend(&state.fleet, caller.principal(), named, reason, state.now()).await?;
    input::done()
}

/// Ends a suspension.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/reopen", tag = "accounts", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 200, body = StandingView), (status = "default", body = Problem)))]
pub(crate) async fn reopen(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<PerhapsWhy>,
) -> Answer<StandingView> {
    let (named, reason) = (input::parse("account", &id)?, why.into_inner().reason);
    let next = accounts::reopen(&state.fleet, caller.principal(), named, reason, state.now()).await?;
    Ok(Json(StandingView { state: next.to_string() }))
}

/// Closes an account for good, with its sessions, tokens and roles.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/close", tag = "accounts", request_body = PerhapsWhy,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 204, description = "It is over"), (status = "default", body = Problem)))]
pub(crate) async fn close(state: State, caller: Caller, id: Path<String>, why: Json<PerhapsWhy>) -> Done {
    let (named, reason) = (input::parse("account", &id)?, why.into_inner().reason);
    accounts::close(&state.fleet, caller.principal(), named, reason, state.now()).await?;
    input::done()
}

/// Resets one factor of an account.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/reset", tag = "accounts", request_body = Reset,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 200, body = ResetView), (status = "default", body = Problem)))]
pub(crate) async fn reset(
    state: State,
    caller: Caller,
    id: Path<String>,
    reset: Json<Reset>,
) -> Answer<ResetView> {
    let Reset { factor, reason } = reset.into_inner();
    let factor = match factor.as_str() {
        "password" => Factor::Password,
        "second-factor" => Factor::SecondFactor,
        _ => return Err(input::invalid("factor", "must be `password` or `second-factor`")),
    };
    let named = input::parse("account", &id)?;
    let link = accounts::reset(&state.fleet, caller.principal(), named, factor, reason, state.now()).await?;
    Ok(Json(ResetView { link: link.map(InvitationView::from) }))
}

/// Asks a second person that both factors of an account be reset.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/recovery/ask", tag = "accounts", request_body = Question,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 201, body = AskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask_recovery(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<Question>,
) -> Created<AskedView> {
    let (named, reason) = (input::parse("account", &id)?, why.into_inner().reason);
    let asked = accounts::ask_recovery(&state.fleet, caller.principal(), named, reason, state.now()).await?;
    Ok((Json(AskedView { countersignature: asked.to_string() }), StatusCode::CREATED))
}

/// Resets both factors of an account under the signature of a second person.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/recovery", tag = "accounts", request_body = Signed,
    params(("id" = String, Path, description = "Its id, or its login")), responses(
    (status = 201, body = InvitationView), (status = "default", body = Problem)))]
pub(crate) async fn recover(
    state: State,
    caller: Caller,
    id: Path<String>,
    signed: Json<Signed>,
) -> Created<InvitationView> {
    let named = input::parse("account", &id)?;
    let signed = input::parse("countersignature", &signed.countersignature)?;
    let link = accounts::recover(&state.fleet, caller.principal(), named, signed, state.now()).await?;
    Ok((Json(link.into()), StatusCode::CREATED))
}

/// Asks a second person of the département that another organisation get one of its first two accounts.
#[utoipa::path(post, path = "/api/v1/organisations/{id}/first-accounts/ask", tag = "accounts",
    request_body = FirstQuestion, params(("id" = String, Path, description = "The organisation’s id, or its UAI code")), responses(
    (status = 201, body = AskedView), (status = "default", body = Problem)))]
pub(crate) async fn ask_first(
    state: State,
    caller: Caller,
    id: Path<String>,
    question: Json<FirstQuestion>,
) -> Created<AskedView> {
    let FirstQuestion { login, email, reason } = question.into_inner();
    let wanted = FirstWanted {
        into: input::parse("organisation", &id)?,
        login: field("login", &login)?,
        email: optional("email", email.as_deref())?,
    };
    let asked = accounts::ask_first(&state.fleet, caller.principal(), wanted, reason, state.now()).await?;
    Ok((Json(AskedView { countersignature: asked.to_string() }), StatusCode::CREATED))
}

/// Invites one of the first two who manage accounts in another organisation, under a second person’s signature.
#[utoipa::path(post, path = "/api/v1/organisations/{id}/first-accounts", tag = "accounts",
    request_body = FirstPerson, params(("id" = String, Path, description = "The organisation’s id, or its UAI code")), responses(
    (status = 201, body = InvitationView), (status = "default", body = Problem)))]
pub(crate) async fn invite_first(
    state: State,
    caller: Caller,
    id: Path<String>,
    new: Json<FirstPerson>,
) -> Created<InvitationView> {
    let FirstPerson { login, name, email, countersignature } = new.into_inner();
    let new =
        NewAccount { login: field("login", &login)?, name, email: optional("email", email.as_deref())? };
    let (into, signed) =
        (input::parse("organisation", &id)?, input::parse("countersignature", &countersignature)?);
    let (fleet, principal) = (&state.fleet, caller.principal());
    let link = accounts::invite_first(fleet, principal, into, new, signed, state.now()).await?;
    Ok((Json(link.into()), StatusCode::CREATED))
}
