//! What went wrong, as people and programs are told: `application/problem+json` (RFC 9457).
//!
//! Errors of this door are [`Failure`]s. They, and whatever actix itself refuses (a body that is too long, a
//! field that is not known), are turned into a [`Problem`] in one place: [`shown`].

use std::borrow::Cow;
use std::fmt;

use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use fleet::Refusal;
use fleet::countersignatures::Sentence;
use serde::Serialize;
use types::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::language::Language;

/// What a problem is sent as.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The kind of problem, as a URI.
    #[schema(example = "urn:ardoise:problem:not-found")]
    r#type: String,
    /// The kind of problem, in the reader's language.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened here.
    detail: String,
    /// What to do next, in the reader's language.
    next_step: Cow<'static, str>,
    /// The kind of problem, for programs.
    code: String,
    /// The rule of the lending programme that decided, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'static str>,
    /// The bad lines of an import.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<ProblemLine>,
    /// What to quote when asking for help; the log names it too.
    request_id: String,
}

/// One bad line of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemLine {
    /// Its number, the first being 1; 0 for what concerns no line.
    line: u64,
    /// What is wrong with it.
    problem: String,
}

/// What a handler fails with.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A use case refused.
    Refusal(Refusal),
    /// There is no such route.
    NoRoute,
    /// The database does not answer.
    NotReady,
    /// Too many attempts to come in from one address.
    TooFast(Duration),
    /// The body is of another kind.
    UnsupportedMediaType {
        /// The kind that is taken.
        expected: &'static str,
    },
}

impl Failure {
    /// Something that should never fail did.
    pub(crate) fn internal(error: impl fmt::Display) -> Self {
        Self::Refusal(Refusal::Internal(error.to_string()))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refusal(refusal) => refusal.fmt(f),
            Self::NoRoute => f.write_str("there is nothing at this address"),
            Self::NotReady => f.write_str("the database does not answer"),
            Self::TooFast(wait) => {
                write!(f, "too many attempts from this address; wait {} s", wait.as_secs().max(1))
            }
            Self::UnsupportedMediaType { expected } => {
                write!(f, "send the body as `Content-Type: {expected}`")
            }
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooFast(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Refusal(refusal) => match refusal {
                Refusal::NotAuthenticated | Refusal::NotSignedIn(_) => StatusCode::UNAUTHORIZED,
                Refusal::NotAllowed(_)
                | Refusal::OtherHands(_)
                | Refusal::NotValidated(_)
                | Refusal::CodeRefused(_)
                | Refusal::Forbidden { .. } => StatusCode::FORBIDDEN,
                Refusal::Worded(said) if said.rule().is_some() => StatusCode::FORBIDDEN,
                Refusal::NotFound { .. } | Refusal::NoPushCertificate => StatusCode::NOT_FOUND,
                Refusal::BadInventory(_)
                | Refusal::BadScans(_)
                | Refusal::BadLayer(_)
                | Refusal::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
                Refusal::NotValidatedSo(_)
                | Refusal::DoesNotFit(_)
                | Refusal::NotApproved(_)
                | Refusal::Conflict(_)
                | Refusal::Worded(_)
                | Refusal::Stopped(_)
                | Refusal::NotReleased(_)
                | Refusal::NotOpened(_)
                | Refusal::NotManaged(_)
                | Refusal::NotGranted(_)
                | Refusal::NotRevoked(_)
                | Refusal::NotConfirmed(_)
                | Refusal::NotAsked(_)
                | Refusal::NotCountersigned { .. } => StatusCode::CONFLICT,
                Refusal::Busy | Refusal::UploadsBusy { .. } | Refusal::Store(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                Refusal::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
                Refusal::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// The same response, its failure shown as a problem.
pub(crate) fn shown(response: ServiceResponse, id: Uuid, language: Language) -> ServiceResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let problem = match response.response().error() {
        Some(error) => match error.as_error::<Failure>() {
            Some(failure) => Problem::of_failure(failure, id, language),
            None => Problem::of_status(status, error.to_string(), id, language),
        },
        None => Problem::of_status(status, String::new(), id, language),
    };
    let (request, old) = response.into_parts();
    let mut new = HttpResponse::build(status).content_type(MEDIA_TYPE).json(&problem);
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = old.headers().get(&name) {
            new.headers_mut().insert(name, value.clone());
        }
    }
    let headers = new.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"ardoise\""));
        }
        StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        _ => {}
    }
    ServiceResponse::new(request, new)
}

fn in_language(words: &Sentence, language: Language) -> String {
    language.choose(words.english.clone(), words.french.clone())
}

impl Problem {
    fn of_failure(failure: &Failure, id: Uuid, language: Language) -> Self {
        let (code, rule, mut lines) = match failure {
            Failure::NoRoute => ("no-route", None, Vec::new()),
            Failure::NotReady => ("unavailable", None, Vec::new()),
            Failure::TooFast(_) => ("too-fast", None, Vec::new()),
            Failure::UnsupportedMediaType { .. } => ("unsupported-media-type", None, Vec::new()),
            Failure::Refusal(refusal) => (refusal.code(), refusal.rule(), lines_of(refusal)),
        };
        let mut detail = failure.to_string();
        let mut next_step = None;
        match failure {
            // What is said of incidents names what helps, in both languages.
            Failure::Refusal(Refusal::Worded(said)) => {
                detail = in_language(&said.in_words(), language);
                next_step = said.next_step().map(|words| Cow::Owned(in_language(words, language)));
            }
            Failure::Refusal(Refusal::NotValidated(why)) => {
                detail = language.choose(detail, why.in_words(privacy::Language::French));
            }
            // What failed inside is for the log: it may name what the reader should not see.
            Failure::Refusal(Refusal::Internal(cause)) => {
                tracing::error!(request = %id, cause, "a request failed inside");
                detail = "internal failure; nothing more can be said here".into();
            }
            Failure::Refusal(Refusal::Store(cause)) => {
                tracing::error!(request = %id, %cause, "the database failed a request");
            }
            _ => {}
        }
        // A file of 200,000 bad lines should not come back as one answer.
        lines.truncate(1_000);
        let words = words(code, language);
        Self {
            r#type: format!("urn:ardoise:problem:{code}"),
            title: words.0,
            next_step: next_step.unwrap_or(Cow::Borrowed(words.1)),
            status: failure.status_code().as_u16(),
            detail,
            code: code.into(),
            rule: rule.map(|rule| rule.as_str()),
            lines,
            request_id: id.to_string(),
        }
    }

    /// What actix refused before a handler ran.
    fn of_status(status: StatusCode, detail: String, id: Uuid, language: Language) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "no-route",
            StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported-media-type",
            _ if status.is_server_error() => "internal",
            _ => "malformed",
        };
        let (title, next_step) = words(code, language);
        Self {
            r#type: format!("urn:ardoise:problem:{code}"),
            title,
            next_step: Cow::Borrowed(next_step),
            status: status.as_u16(),
            // actix quotes what it could not read; a bound keeps a hostile body from echoing back whole.
            detail: if detail.is_empty() { title.to_owned() } else { detail.chars().take(500).collect() },
            code: code.into(),
            rule: None,
            lines: Vec::new(),
            request_id: id.to_string(),
        }
    }
}

fn lines_of(refusal: &Refusal) -> Vec<ProblemLine> {
    match refusal {
        Refusal::BadInventory(lines) | Refusal::BadScans(lines) => {
            lines.iter().map(|bad| ProblemLine { line: bad.line, problem: bad.problem.clone() }).collect()
        }
        Refusal::BadLayer(problems) => problems
            .iter()
            .map(|wrong| ProblemLine {
                line: u64::try_from(wrong.line).unwrap_or(0),
                // The line stands beside it, and the text has no name of a file here.
                problem: wrong.to_string().splitn(3, ':').last().unwrap_or_default().trim().to_owned(),
            })
            .collect(),
        Refusal::DoesNotFit(refusals) => {
            refusals.iter().map(|refused| ProblemLine { line: 0, problem: refused.to_string() }).collect()
        }
        _ => Vec::new(),
    }
}

/// A title and what to do next, for each code.
fn words(code: &str, language: Language) -> (&'static str, &'static str) {
    let (english, french) = match code {
        "not-authenticated" => (
            (
                "you are not signed in",
                "sign in, and send the session or a token as `Authorization: Bearer …`",
            ),
            (
                "vous n’êtes pas connecté",
                "connectez-vous, et envoyez la session ou un jeton dans `Authorization: Bearer …`",
            ),
        ),
        "not-signed-in" => (
            (
                "signing in failed",
                "check login, password and code; after several attempts, wait a quarter of an hour",
            ),
            (
                "la connexion a échoué",
                "vérifiez identifiant, mot de passe et code ; après plusieurs essais, attendez un quart d’heure",
            ),
        ),
        "step-up" => (
            (
                "this needs a code of your second factor",
                "show a code in your session (`ardoise step-up`), or send one with the token as `Ardoise-Code`",
            ),
            (
                "il faut un code de votre second facteur",
                "donnez un code dans votre session (`ardoise step-up`), ou envoyez-le avec le jeton dans \
                 `Ardoise-Code`",
            ),
        ),
        "code-refused" => (
            (
                "the code was not accepted",
                "wait for the next code of your authenticator, and check its clock",
            ),
            (
                "le code n’a pas été accepté",
                "attendez le code suivant de votre authentificateur, et vérifiez son heure",
            ),
        ),
        "no-second-factor" => (
            (
                "this account has no second factor yet",
                "sign in again, and set one up within five minutes: `ardoise second-factor`",
            ),
            (
                "ce compte n’a pas encore de second facteur",
                "reconnectez-vous, et installez-en un dans les cinq minutes : `ardoise second-factor`",
            ),
        ),
        "takes-a-session" => (
            ("no token does this", "sign in; a session can do it"),
            ("aucun jeton ne permet cela", "connectez-vous ; une session le permet"),
        ),
        "too-fast" => (
            ("too many attempts from this address", "wait as long as `Retry-After` says"),
            ("trop d’essais depuis cette adresse", "attendez le temps indiqué par `Retry-After`"),
        ),
        "disk-full" => (
            (
                "there is no room for this file",
                "withdraw apps that nobody uses, or give the shared folder a larger disk; then upload again",
            ),
            (
                "il n’y a pas de place pour ce fichier",
                "retirez les apps dont personne ne se sert, ou donnez un disque plus grand au dossier partagé ; puis \
                 recommencez l’envoi",
            ),
        ),
        "stopped" => (
            (
                "the switch is thrown: nothing destructive goes",
                "`ardoise brake show` says since when and why; two persons release it",
            ),
            (
                "l’interrupteur est actionné : rien de destructeur ne part",
                "`ardoise brake show` dit depuis quand et pourquoi ; deux personnes le relâchent",
            ),
        ),
        "not-decided-so" => (
            (
                "this cannot be decided so",
                "somebody else has to decide it, or to sign: the reason says who, and whether time has to pass",
            ),
            (
                "cela ne peut pas être décidé ainsi",
                "une autre personne doit le décider ou le signer : la raison dit laquelle, et si un délai doit passer",
            ),
        ),
        "not-allowed" => (
            (
                "you may not do this",
                "ask somebody whose role allows it; `ardoise session` shows what you may do",
            ),
            (
                "vous n’avez pas ce droit",
                "demandez à une personne dont le rôle le permet ; `ardoise session` montre vos droits",
            ),
        ),
        "not-found" => (
            ("there is no such thing", "check the identifier; lists show what there is"),
            ("cela n’existe pas", "vérifiez l’identifiant ; les listes montrent ce qui existe"),
        ),
        "no-push-certificate" => (
            (
                "there is no push certificate",
                "ask Apple for one and install it with `ardoise push-certificate set`",
            ),
            (
                "il n’y a pas de certificat de notification",
                "demandez-en un à Apple et installez-le avec `ardoise push-certificate set`",
            ),
        ),
        "bad-inventory" => (
            (
                "the file has lines that cannot be imported",
                "correct the lines that are named, and send the whole file again",
            ),
            (
                "le fichier contient des lignes inexploitables",
                "corrigez les lignes indiquées et renvoyez le fichier entier",
            ),
        ),
        "bad-scans" => (
            (
                "some of these tablets cannot be taken",
                "look at each line that is named; scan the others without them, and these once each is settled",
            ),
            (
                "certaines de ces tablettes ne peuvent pas être prises",
                "regardez chaque ligne indiquée ; scannez les autres sans elles, puis celles-ci une fois le point réglé",
            ),
        ),
        "bad-layer" => (
            (
                "this text is not a layer that can be used",
                "correct the lines that are named and send the text again; `ardoise profile lint` says the same without a server",
            ),
            (
                "ce texte n’est pas une couche utilisable",
                "corrigez les lignes indiquées et renvoyez le texte ; `ardoise profile lint` le dit aussi sans serveur",
            ),
        ),
        "does-not-fit" => (
            (
                "this layer contradicts what is in force",
                "change what is named, here or in the other layer, and submit it again",
            ),
            (
                "cette couche contredit ce qui est en vigueur",
                "changez ce qui est nommé, ici ou dans l’autre couche, et soumettez-la de nouveau",
            ),
        ),
        "invalid" => (
            ("a field is not valid", "correct the field and send the request again"),
            ("un champ n’est pas valide", "corrigez le champ et renvoyez la demande"),
        ),
        "forbidden-by-rule" => (
            (
                "a rule of the lending programme forbids it",
                "read the rule; what it asks for must be recorded first",
            ),
            (
                "une règle de la convention l’interdit",
                "lisez la règle ; ce qu’elle demande doit d’abord être enregistré",
            ),
        ),
        "not-validated" => (
            (
                "this processing of personal data is off",
                "ask the DPO to read its entry (`ardoise privacy register`) and to validate it",
            ),
            (
                "ce traitement de données personnelles n’est pas activé",
                "demandez au délégué à la protection des données de lire l’entrée du registre et de la valider",
            ),
        ),
        "conflict" => (
            ("it contradicts what is already there", "look at the present state, then decide again"),
            ("cela contredit l’état actuel", "regardez l’état actuel, puis décidez de nouveau"),
        ),
        "unavailable" => (
            ("the server cannot do this now", "try again in a moment; nothing was changed"),
            (
                "le serveur ne peut pas le faire maintenant",
                "réessayez dans un instant ; rien n’a été modifié",
            ),
        ),
        "no-route" => (
            ("there is nothing at this address", "read /api/v1/openapi.json, which lists every address"),
            ("il n’y a rien à cette adresse", "lisez /api/v1/openapi.json, qui donne toutes les adresses"),
        ),
        "method-not-allowed" => (
            ("this address does not take this method", "read /api/v1/openapi.json, which lists the methods"),
            (
                "cette adresse n’accepte pas cette méthode",
                "lisez /api/v1/openapi.json, qui donne les méthodes",
            ),
        ),
        "too-large" => (
            ("the body is too long", "send less in one request"),
            ("le corps de la demande est trop long", "envoyez-en moins à la fois"),
        ),
        "unsupported-media-type" => (
            ("this address does not take this kind of body", "set Content-Type as /api/v1/openapi.json says"),
            (
                "cette adresse n’accepte pas ce type de contenu",
                "réglez Content-Type comme l’indique /api/v1/openapi.json",
            ),
        ),
        "internal" => (
            ("the server failed", "tell an administrator the id of the request"),
            ("le serveur a échoué", "communiquez à un administrateur l’identifiant de la demande"),
        ),
        _ => (
            ("the request cannot be understood", "compare it with /api/v1/openapi.json"),
            ("la demande n’est pas compréhensible", "comparez-la à /api/v1/openapi.json"),
        ),
    };
    language.choose(english, french)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_next_step_points_to_what_may_not_stand_there() {
        let source = include_str!("problem.rs");
        let (_, table) = source.split_once("fn words(code").unwrap();
        let (table, _) = table.split_once("#[cfg(test)]").unwrap();
        for pointing in ["below", "ci-dessous", "above", "ci-dessus"] {
            assert!(!table.contains(pointing), "what stands where is the reader’s program’s: `{pointing}`");
        }
        assert!(words("not-decided-so", Language::English).1.contains("the reason says who"));
    }
}
