//! `/persons/{id}`: what a person asks about their own data (GDPR, art. 15 to 17 and 20).

use std::collections::BTreeMap;

use ::privacy::{Language, content_security_policy};
use actix_web::http::header;
use actix_web::web::{Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use fleet::Refusal;
use fleet::lending::subject::{self, Corrected, Correction};
use serde::{Deserialize, Serialize};
use types::PersonId;
use utoipa::ToSchema;

use crate::gate::Caller;
use crate::input::{self, Answer, State, field, optional};
use crate::language;
use crate::privacy::PrintQuery;
use crate::problem::{Failure, Problem};

/// What is to be put right; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonCorrected {
    /// What they are called.
    name: Option<String>,
    /// Their class.
    class: Option<String>,
    /// Their number in the school’s register.
    number: Option<String>,
    /// Their first day, such as `2026-09-01`.
    arrives_on: Option<String>,
    /// Their last day of attendance, such as `2027-07-03`.
    leaves_on: Option<String>,
    /// Where they are written to: the address of `user` (an adult), or of `guardian-1` to `guardian-4` (of a pupil); `null` for
    /// one that there is not any more.
    #[serde(default)]
    contacts: BTreeMap<String, Option<String>>,
}

/// What became of a correction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonCorrectionView {
    /// Whether it counts already.
    corrected: bool,
    /// The change of the list that it is otherwise: the head settles it, and the académie validates it (C4.2).
    list: Option<String>,
}

/// Why a person is forgotten.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForgetReason {
    /// In at most 500 characters, without a name: it is recorded.
    reason: String,
}

/// The copy of everything that is held about a person, as JSON or as a page to print, in the language that
/// `Accept-Language` asks for. Whoever draws it up is recorded.
#[utoipa::path(get, path = "/api/v1/persons/{id}/data", tag = "lending",
    params(("id" = String, Path, description = "The person’s number"), PrintQuery), responses(
    (status = 200, description = "The copy", content((Object = "application/json"), (String = "text/html"))),
    (status = "default", body = Problem)))]
pub(crate) async fn copy(
    state: State,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    query: Query<PrintQuery>,
) -> Result<HttpResponse, Failure> {
    let id: PersonId = input::parse("person", &id)?;
    let page = match query.format() {
        None | Some("json") => false,
        Some("html") => true,
        Some(_) => {
            return Err(
                Refusal::Invalid { field: "format", problem: "must be `json` or `html`".to_owned() }.into()
            );
        }
    };
    let copy = subject::copy(&state.fleet, caller.principal(), id, state.now()).await?;
    if !page {
        return Ok(HttpResponse::Ok().json(&copy));
    }
    let language = language::of(request.headers()).choose(Language::English, Language::French);
    Ok(HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy()))
        .body(copy.to_html(language)))
}

/// Puts right what is held about a person. What a validated list says becomes a change of that list (C4.2).
#[utoipa::path(post, path = "/api/v1/persons/{id}/corrections", tag = "lending", request_body = PersonCorrected,
    params(("id" = String, Path, description = "The person’s number")), responses(
    (status = 200, body = PersonCorrectionView), (status = "default", body = Problem)))]
pub(crate) async fn correct(
    state: State,
    caller: Caller,
    id: Path<String>,
    wanted: Json<PersonCorrected>,
) -> Answer<PersonCorrectionView> {
    let id = input::parse("person", &id)?;
    let PersonCorrected { name, class, number, arrives_on, leaves_on, contacts } = wanted.into_inner();
    let contacts = contacts
        .iter()
        .map(|(who, address)| Ok((field("contacts", who)?, optional("contacts", address.as_deref())?)));
    let correction = Correction {
        name,
        class,
        number,
        arrives_on: optional("arrives_on", arrives_on.as_deref())?,
        leaves_on: optional("leaves_on", leaves_on.as_deref())?,
        contacts: contacts.collect::<Result<_, Failure>>()?,
    };
    let corrected = subject::correct(&state.fleet, caller.principal(), id, correction, state.now()).await?;
    Ok(Json(match corrected {
        Corrected::Now => PersonCorrectionView { corrected: true, list: None },
        Corrected::Proposed(list) => PersonCorrectionView { corrected: false, list: Some(list.to_string()) },
    }))
}

/// Forgets who a person was, if nothing ties them to the programme any more; otherwise it says what does, and the clause.
#[utoipa::path(post, path = "/api/v1/persons/{id}/forget", tag = "lending", request_body = ForgetReason,
    params(("id" = String, Path, description = "The person’s number")), responses(
    (status = 204, description = "They are forgotten"), (status = "default", body = Problem)))]
pub(crate) async fn forget(
    state: State,
    caller: Caller,
    id: Path<String>,
    why: Json<ForgetReason>,
) -> Result<HttpResponse, Failure> {
    let id = input::parse("person", &id)?;
    subject::forget(&state.fleet, caller.principal(), id, &why.reason, state.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}
