//! `/privacy`: the register of processing activities, the DPO's switch, the account of purges.

use ::privacy::{Activity, Language, Validation, content_security_policy};
use actix_web::http::header;
use actix_web::web::{Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use fleet::{Refusal, purges, register as activities};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Done, State, done};
use crate::language;
use crate::problem::{Failure, Problem};
use crate::timestamp::Timestamp;

/// How a document is printed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrintQuery {
    /// `json` unless told, `csv` or `html`.
    format: Option<String>,
}

impl PrintQuery {
    /// What it asks for.
    pub(crate) fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }
}

/// What a DPO validates.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToValidate {
    /// The digest of the entry that was read, as the register shows it.
    entry: String,
}

/// Why a DPO takes a validation back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawalQuery {
    /// For the audit log.
    reason: Option<String>,
}

/// A validation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValidationView {
    /// Its id.
    id: String,
    /// The activity.
    activity: &'static str,
    /// The digest of the entry.
    entry: String,
    /// The DPO's account.
    validated_by: String,
    /// When.
    validated_at: Timestamp,
}

impl From<Validation> for ValidationView {
    fn from(validation: Validation) -> Self {
        Self {
            id: validation.id().to_string(),
            activity: validation.activity().code(),
            entry: validation.digest().to_string(),
            validated_by: validation.by().to_string(),
            validated_at: validation.at().into(),
        }
    }
}

/// The register of what is stored today (C8.1), in both languages as JSON; as CSV and as a page in the language that
/// `Accept-Language` asks for.
#[utoipa::path(get, path = "/api/v1/privacy/register", tag = "privacy", params(PrintQuery), responses(
    (status = 200, description = "The register",
        content((Object = "application/json"), (String = "text/csv"), (String = "text/html"))),
    (status = "default", body = Problem)))]
pub(crate) async fn register(
    state: State,
    caller: Caller,
    request: HttpRequest,
    query: Query<PrintQuery>,
) -> Result<HttpResponse, Failure> {
    let register = activities::show(&state.fleet, caller.principal(), state.now()).await?;
    let language = language::of(request.headers()).choose(Language::English, Language::French);
    Ok(match query.format.as_deref() {
        None | Some("json") => HttpResponse::Ok().json(&register),
        Some("csv") => {
            let text = register.to_csv(language).map_err(Failure::internal)?;
            HttpResponse::Ok().content_type("text/csv; charset=utf-8").body(text)
        }
        Some("html") => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy()))
            .body(register.to_html(language)),
        Some(_) => {
            let problem = "must be `json`, `csv` or `html`".to_owned();
            return Err(Refusal::Invalid { field: "format", problem }.into());
        }
    })
}

/// The notice of information (C7.1; GDPR, art. 13), made of what is stored today, in the language that `Accept-Language`
/// asks for.
#[utoipa::path(get, path = "/api/v1/privacy/notice", tag = "privacy", responses(
    (status = 200, description = "The notice, as Markdown", content((String = "text/markdown"))),
    (status = "default", body = Problem)))]
pub(crate) async fn notice(
    state: State,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let register = activities::show(&state.fleet, caller.principal(), state.now()).await?;
    let language = language::of(request.headers()).choose(Language::English, Language::French);
    Ok(markdown(register.notice(language)))
}

/// The skeleton of the impact assessment of an activity (GDPR, art. 35): what the register knows stands in it, what a person
/// must judge is asked.
#[utoipa::path(get, path = "/api/v1/privacy/assessments/{activity}", tag = "privacy",
    params(("activity" = String, Path, description = "The activity, such as `geolocation`")), responses(
    (status = 200, description = "The skeleton, as Markdown", content((String = "text/markdown"))),
    (status = "default", body = Problem)))]
pub(crate) async fn assessment(
    state: State,
    caller: Caller,
    activity: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let wanted: Activity = input::parse("activity", &activity)?;
    let register = activities::show(&state.fleet, caller.principal(), state.now()).await?;
    let language = language::of(request.headers()).choose(Language::English, Language::French);
    let text = register.assessment(wanted, language).ok_or_else(|| {
        Failure::Refusal(Refusal::Conflict(format!(
            "nothing is stored for `{wanted}`: there is nothing to assess"
        )))
    })?;
    Ok(markdown(text))
}

fn markdown(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(text)
}

/// A DPO validates an entry, exactly as they have read it (C3.1.6): it is on from now on.
#[utoipa::path(put, path = "/api/v1/privacy/register/{activity}/validation", tag = "privacy",
    request_body = ToValidate, params(("activity" = String, Path, description = "The activity, such as `app-inventory`")),
    responses((status = 200, body = ValidationView),
    (status = 409, description = "The entry changed since, stores nothing, or is validated", body = Problem),
    (status = "default", body = Problem)))]
pub(crate) async fn validate(
    state: State,
    caller: Caller,
    activity: Path<String>,
    read: Json<ToValidate>,
) -> Answer<ValidationView> {
    let activity: Activity = input::parse("activity", &activity)?;
    let read = input::field("entry", &read.entry)?;
    let given = activities::validate(&state.fleet, caller.principal(), activity, read, state.now()).await?;
    Ok(Json(given.into()))
}

/// A DPO takes back what was validated: no DPO stands by it any more, and what needs a validation is off from now on. Of what was
/// stored, lists of apps are forgotten within minutes, and the rest when its term is over.
#[utoipa::path(delete, path = "/api/v1/privacy/register/{activity}/validation", tag = "privacy",
    params(("activity" = String, Path, description = "The activity"), WithdrawalQuery), responses(
    (status = 204, description = "No DPO stands by it any more"),
    (status = 409, description = "Nothing of it is validated", body = Problem), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(
    state: State,
    caller: Caller,
    activity: Path<String>,
    query: Query<WithdrawalQuery>,
) -> Done {
    let activity: Activity = input::parse("activity", &activity)?;
    let reason = query.into_inner().reason;
    activities::withdraw(&state.fleet, caller.principal(), activity, reason, state.now()).await?;
    done()
}

/// The account of purges done and due, dated.
#[utoipa::path(get, path = "/api/v1/privacy/purges", tag = "privacy", responses(
    (status = 200, description = "The account", body = Object), (status = "default", body = Problem)))]
pub(crate) async fn prove(state: State, caller: Caller) -> Result<HttpResponse, Failure> {
    let account = purges::prove(&state.fleet, caller.principal(), state.now()).await?;
    Ok(HttpResponse::Ok().json(&account))
}
