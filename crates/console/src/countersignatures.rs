//! `/countersignatures`: what second persons are asked, and how they answer.

use actix_web::HttpRequest;
use actix_web::web::{Json, Path, Query};
use fleet::countersignatures::{self, Line, Said, Sentence, Signable, Somebody, Which};
use fleet::page::Page as Part;
use governance::countersignature::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::gate::Caller;
use crate::input::{self, Answer, Done, Page, State, field};
use crate::language::{self, Language};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// What a second person was asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedView {
    /// The countersignature that waits.
    pub(crate) countersignature: String,
}

/// The answer of a second person that is used.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signed {
    /// The countersignature.
    pub(crate) countersignature: String,
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestsQuery {
    /// `to-answer`: those that wait and that your roles let you answer, with the reason where you may not sign, the oldest first;
    /// `asked`: those that you asked, the newest first.
    /// `to-answer` unless told.
    which: Option<String>,
    /// The `next` of the part before; none for the first part.
    after: Option<String>,
    /// How many at most: 1 to 500, 100 unless told.
    limit: Option<u32>,
}

/// A person, as others see them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SomebodyView {
    /// Their account.
    account_id: String,
    /// What they sign in with.
    login: String,
    /// Their name; empty once they are forgotten.
    name: String,
    /// The name of their organisation.
    organisation: String,
}

impl From<Somebody> for SomebodyView {
    fn from(somebody: Somebody) -> Self {
        let Somebody { account, login, name, organisation } = somebody;
        Self { account_id: account.to_string(), login, name, organisation }
    }
}

/// A request for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountersignatureView {
    /// Its id.
    id: String,
    /// What it is for.
    purpose: String,
    /// What it is about.
    subject: String,
    /// What is asked, in a sentence, in the language that `Accept-Language` asks for.
    in_words: String,
    /// What a warrant would rest on, as it is recorded now, in sentences in that language: when it was noticed, whether that was put
    /// right, the papers, whether it would be firm and until when, and what it goes on from. Absent once it waits no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rests_on: Vec<String>,
    /// What exactly is asked, as JSON in the one spelling that is signed; absent once it was purged.
    content: Option<String>,
    /// SHA-256 of the content, and of a warrant that waits also of what it rests on: an answer names it.
    content_sha256: String,
    /// Why, in the words of whoever asked.
    reason: Option<String>,
    /// Who asked.
    asked_by: SomebodyView,
    /// When.
    asked_at: Timestamp,
    /// Who may answer.
    who_may_answer: String,
    /// The first instant at which it is answered no more.
    expires_at: Timestamp,
    /// What became of it: `waiting`, `given`, `refused`, `withdrawn`, `expired` or `void`.
    state: String,
    /// Whether you could answer it now.
    answerable: bool,
    /// Whether you could sign it now: a yes takes more than a no. Absent where more than who you are judges your yes, and is tried
    /// only when you sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    signable: Option<bool>,
    /// Why you could not sign it, while it waits, in the language that `Accept-Language` asks for.
    not_signable_because: Option<String>,
    /// Who answered.
    answered_by: Option<SomebodyView>,
    /// When.
    answered_at: Option<Timestamp>,
    /// What they said to it.
    answer_reason: Option<String>,
    /// When the signature was used.
    used_at: Option<Timestamp>,
}

impl CountersignatureView {
    fn of(line: Line, language: Language) -> Self {
        let said = |Sentence { english, french }: Sentence| language.choose(english, french);
        let (signable, not_signable_because) = match line.signable {
            Signable::Yes => (Some(true), None),
            Signable::No(why) => (Some(false), Some(said(why))),
            Signable::Untried => (None, None),
            Signable::Over => (Some(false), None),
        };
        Self {
            id: line.id.to_string(),
            purpose: line.purpose,
            subject: line.subject,
            in_words: said(line.in_words),
            rests_on: line.rests_on.into_iter().map(said).collect(),
            content: line.content,
            content_sha256: line.content_sha256.to_string(),
            reason: line.reason,
            asked_by: line.asked_by.into(),
            asked_at: line.asked_at.into(),
            who_may_answer: said(line.who_may_answer),
            expires_at: line.expires_at.into(),
            state: line.state.to_string(),
            answerable: line.answerable,
            signable,
            not_signable_because,
            answered_by: line.answered_by.map(SomebodyView::from),
            answered_at: line.answered_at.map(Timestamp),
            answer_reason: line.answer_reason,
            used_at: line.used_at.map(Timestamp),
        }
    }
}

/// What the second person says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerGiven {
    /// `give` or `refuse`.
    verdict: String,
    /// The `content_sha256` of what you looked at: you answer that, and nothing else.
    content_sha256: String,
    /// Why; whoever refuses says it.
    reason: Option<String>,
}

/// The requests that your roles let you answer, or that you asked.
#[utoipa::path(get, path = "/api/v1/countersignatures", tag = "countersignatures", params(RequestsQuery), responses(
    (status = 200, body = Page<CountersignatureView>), (status = "default", body = Problem)))]
pub(crate) async fn list(
    state: State,
    caller: Caller,
    request: HttpRequest,
    query: Query<RequestsQuery>,
) -> Answer<Page<CountersignatureView>> {
    let which = match query.which.as_deref() {
        None | Some("to-answer") => Which::ToAnswer,
        Some("asked") => Which::Asked,
        Some(_) => return Err(input::invalid("which", "must be `to-answer` or `asked`")),
    };
    let part = Part::read(query.after.as_deref(), query.limit)?;
    let listed = countersignatures::list(&state.fleet, caller.principal(), which, part, state.now()).await?;
    let language = language::of(request.headers());
    let items = listed.items.into_iter().map(|line| CountersignatureView::of(line, language));
    Ok(Json(Page { items: items.collect(), next: listed.next }))
}

/// One request: what exactly, who may answer, until when, and what became of it.
#[utoipa::path(get, path = "/api/v1/countersignatures/{id}", tag = "countersignatures",
    params(("id" = String, Path, description = "The countersignature")), responses(
    (status = 200, body = CountersignatureView), (status = "default", body = Problem)))]
pub(crate) async fn show(
    state: State,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
) -> Answer<CountersignatureView> {
    let id = input::parse("countersignature", &id)?;
    let line = countersignatures::show(&state.fleet, caller.principal(), id, state.now()).await?;
    Ok(Json(CountersignatureView::of(line, language::of(request.headers()))))
}

/// Answers as the second person, to exactly what you looked at.
#[utoipa::path(post, path = "/api/v1/countersignatures/{id}/answer", tag = "countersignatures",
    request_body = AnswerGiven, params(("id" = String, Path, description = "The countersignature")), responses(
    (status = 200, body = CountersignatureView), (status = "default", body = Problem)))]
pub(crate) async fn answer(
    state: State,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
    given: Json<AnswerGiven>,
) -> Answer<CountersignatureView> {
    let AnswerGiven { verdict, content_sha256, reason } = given.into_inner();
    let verdict = match verdict.as_str() {
        "give" => Verdict::Give,
        "refuse" => Verdict::Refuse,
        _ => return Err(input::invalid("verdict", "must be `give` or `refuse`")),
    };
    let said = Said { verdict, seen: field("content_sha256", &content_sha256)?, reason };
    let id = input::parse("countersignature", &id)?;
    let answered = countersignatures::answer(&state.fleet, caller.principal(), id, said, state.now()).await?;
    Ok(Json(CountersignatureView::of(answered, language::of(request.headers()))))
}

/// Takes back what you asked, as long as it waits.
#[utoipa::path(delete, path = "/api/v1/countersignatures/{id}", tag = "countersignatures",
    params(("id" = String, Path, description = "The countersignature")), responses(
    (status = 204, description = "It is answered no more"), (status = "default", body = Problem)))]
pub(crate) async fn withdraw(state: State, caller: Caller, id: Path<String>) -> Done {
    let id = input::parse("countersignature", &id)?;
    countersignatures::withdraw(&state.fleet, caller.principal(), id, state.now()).await?;
    input::done()
}
