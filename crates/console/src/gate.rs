//! The gate: names the request, lets in whoever the [table](crate::routes) admits, and shows what went wrong.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, web};
use fleet::{Principal, Refusal, coming_in};
use std::future::{Ready, ready};
use std::net::Ipv4Addr;

use types::Secret;

use crate::problem::{self, Failure};
use crate::routes::{self, Access};
use crate::{ConsoleState, language};

/// The header that names a request in answers and in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header in which a code of the second factor comes with a token.
const CODE: HeaderName = HeaderName::from_static("ardoise-code");
/// No code is longer, blanks included.
const LONGEST_CODE: usize = 16;

/// Whoever the gate let in. Only the gate makes one.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Principal);

impl Caller {
    /// Who asks, for the use cases.
    pub(crate) fn principal(&self) -> &Principal {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(Failure::Refusal(Refusal::NotAuthenticated)))
    }
}

/// Wraps every route: authenticates before anything of the body is read.
pub(crate) async fn pass(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = uuid::Uuid::new_v4();
    let language = language::of(request.headers());
    let response = match admit(&request).await {
        Err(failure) => request.error_response(failure),
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.call(request).await?.map_into_boxed_body()
        }
    };
    let mut response = problem::shown(response, id, language);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    // Answers hold serial numbers and, once, secrets: no cache on the way may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// What answers where the table has no route.
pub(crate) fn nothing_here() -> Ready<Result<HttpResponse, Failure>> {
    ready(Err(Failure::NoRoute))
}

/// Lets in whoever the table admits. A request that no route stands for gets no further than its answer, so
/// it needs no token: it learns that there is nothing, as anyone may from the description of the API.
async fn admit(request: &ServiceRequest) -> Result<Option<Caller>, Failure> {
    let pattern = request.match_pattern().unwrap_or_default();
    let Some(route) = routes::find(request.method(), &pattern) else { return Ok(None) };
    let state = request.app_data::<web::Data<ConsoleState>>().ok_or_else(|| {
        Failure::Refusal(Refusal::Internal("the door was assembled without its state".into()))
    })?;
    let bearer = || bearer(request).ok_or(Failure::Refusal(Refusal::NotAuthenticated));
    let principal = match route.access {
        Access::Anonymous => return Ok(None),
        Access::ComingIn => {
            let peer = request.peer_addr().map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.ip());
            let lines = request.headers().get_all("x-forwarded-for");
            let client = state.proxies.client(peer, lines.filter_map(|line| line.to_str().ok()));
            state.pace.admit(client).map_err(Failure::TooFast)?;
            return Ok(None);
        }
        Access::Oneself => coming_in::identify(&state.fleet, bearer()?, state.now()).await?,
        Access::May(permission) => {
            let code = code(request);
            coming_in::admit(&state.fleet, bearer()?, code, permission, state.now()).await?
        }
    };
    Ok(Some(Caller(principal)))
}

/// The code of the second factor that came with a request.
fn code(request: &ServiceRequest) -> Option<Secret<String>> {
    let value = request.headers().get(CODE)?.to_str().ok()?;
    Some(Secret::new(value.chars().take(LONGEST_CODE).collect()))
}

/// The token of the one `Authorization` header (RFC 6750 §2.1). Two of them are none: which one counts
/// should not depend on who reads.
fn bearer(request: &ServiceRequest) -> Option<&str> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
