//! The one road of every request, from its route to its answer.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use fleet::{Door, TabletError};
use futures_util::FutureExt as _;
use pki::DeviceIdentity;
use tracing::{Instrument as _, Span};
use types::Instant;
use uuid::Uuid;

use crate::answer::{self, Asked, Failure};
use crate::body::{self, Body, Bounds};
use crate::identity::Evidence;
use crate::page::Language;
use crate::routes::{AuthClass, Endpoint, Route};
use crate::{DoorState, apps, checkin, connect, enrol, scep, takeover};

/// Serves one request. Whatever happens on the way, this answers: nothing is left to actix's own errors.
pub(crate) async fn serve(
    door: &DoorState,
    route: Option<&Route>,
    request: &HttpRequest,
    mut payload: Payload,
) -> HttpResponse {
    let asked = Asked {
        request: Uuid::new_v4(),
        class: route.map(|route| route.class),
        language: Language::preferred(request.headers()),
    };
    let endpoint = route.map_or("none", |route| route.endpoint.as_str());
    // Neither the path, which may hold a link's token, nor an address, which may be a home's.
    let span = tracing::info_span!("tablet", request = %asked.request, endpoint, certificate = tracing::field::Empty);
    let handled = contain(handle(door, route, request, &mut payload)).instrument(span.clone()).await;
    let refused = handled.is_err();
    let response = span.in_scope(|| answer::finish(handled, &asked));
    // A body that was not read to its end stays in hand until the answer is out: actix closes the connection then.
    // Of one that was let go it would wait for the rest, for ever if that is how long the client takes.
    if refused { response.map_body(|_head, body| body::in_hand(body, payload)) } else { response }
}

/// Runs a handler to its end. If it panics, the caller is told to try again, and no other request notices.
pub(crate) async fn contain(
    handler: impl Future<Output = Result<HttpResponse, Failure>>,
) -> Result<HttpResponse, Failure> {
    // Unwind safety: what handlers share are transactions, atomics and locks that recover from poison.
    AssertUnwindSafe(handler).catch_unwind().await.unwrap_or(Err(Failure::Panicked))
}

async fn handle(
    door: &DoorState,
    route: Option<&Route>,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<HttpResponse, Failure> {
    let refused = match route.filter(|route| route.admits(request.uri().path())) {
        None => Err(Failure::NotFound),
        Some(route) => admit(door, route, request).map(|evidence| (route, evidence)),
    };
    let (route, evidence) = match refused {
        Ok(admitted) => admitted,
        Err(failure) => {
            body::drain(&mut *payload, door.limits.body_within).await;
            return Err(failure);
        }
    };
    let body = read(door, route, request, payload).await?;
    let now = door.clock.now();
    match (route.endpoint, evidence) {
        (Endpoint::EnrolByLink, _) => enrol::by_link(door, request, now).await,
        (Endpoint::EnrolAutomated, _) => enrol::automated(door, request.headers(), &body, now).await,
        (Endpoint::App, evidence) => apps::get(door, request, evidence, now).await,
        (Endpoint::Scep, _) => scep::operate(door, request, &body, now).await,
        (Endpoint::CheckIn | Endpoint::Connect | Endpoint::TakenOver, None) => {
            Err(TabletError::NoIdentity.into())
        }
        (Endpoint::CheckIn, Some(evidence)) => {
            checkin::put(door, Door::Own, &FromTablet { evidence, body, now }).await
        }
        (Endpoint::Connect, Some(evidence)) => {
            connect::put(door, Door::Own, &FromTablet { evidence, body, now }).await
        }
        (Endpoint::TakenOver, Some(evidence)) => {
            let check_in = takeover::is_check_in(request.headers());
            takeover::put(door, &FromTablet { evidence, body, now }, check_in).await
        }
    }
}

/// What can be refused before a byte of the body is kept: the pace, and the lack of any evidence.
fn admit(door: &DoorState, route: &Route, request: &HttpRequest) -> Result<Option<Evidence>, Failure> {
    if route.class.is_slowed_down() {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|line| line.to_str().ok());
        let client = door.proxies.client(peer, forwarded);
        door.gate.admit(client).map_err(|wait| Failure::TooMany { wait })?;
    }
    match route.class {
        AuthClass::DeviceIdentity => Ok(Some(Evidence::of(request, &door.proxies)?)),
        // Whoever shows an identity besides the name must be who the name is for; most show none.
        AuthClass::SignedName => match Evidence::of(request, &door.proxies) {
            Ok(evidence) => Ok(Some(evidence)),
            Err(TabletError::NoIdentity) => Ok(None),
            Err(_ambiguous) => Err(Failure::NotFound),
        },
        AuthClass::LinkToken | AuthClass::SignedMachineInfo | AuthClass::ScepMessage => Ok(None),
    }
}

async fn read(
    door: &DoorState,
    route: &Route,
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<Body, Failure> {
    let limits = &door.limits;
    let bytes = match route.endpoint {
        Endpoint::EnrolByLink | Endpoint::App => 0,
        Endpoint::EnrolAutomated => limits.machine_info_bytes,
        Endpoint::Scep => limits.scep_bytes,
        Endpoint::CheckIn => limits.check_in_bytes,
        Endpoint::TakenOver if takeover::is_check_in(request.headers()) => limits.check_in_bytes,
        Endpoint::Connect | Endpoint::TakenOver => limits.connect_bytes,
    };
    let declared =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let bounds = Bounds { bytes, declared, within: limits.body_within };
    Ok(body::read(payload, bounds, &door.budget).await?)
}

/// What came from a tablet: its evidence, and a body that has been read whole.
#[derive(Debug)]
pub(crate) struct FromTablet {
    evidence: Evidence,
    pub(crate) body: Body,
    pub(crate) now: Instant,
}

impl FromTablet {
    /// The identity that the evidence proves. From here on the log names the certificate.
    ///
    /// # Errors
    /// Why it proves none.
    pub(crate) fn identity(&self, door: &DoorState) -> Result<DeviceIdentity, TabletError> {
        let identity = self.evidence.prove(&door.fleet, &self.body, self.now)?;
        Span::current().record("certificate", tracing::field::display(identity.fingerprint()));
        Ok(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn t_a7_a_panicking_handler_answers_503() {
        let contained = contain(async {
            if Language::preferred(&actix_web::http::header::HeaderMap::new()) == Language::French {
                panic!("a defect");
            }
            Ok(HttpResponse::Ok().finish())
        });
        let failure = contained.await.unwrap_err();
        assert!(matches!(failure, Failure::Panicked), "{failure}");
        let asked = Asked {
            request: Uuid::from_u128(7),
            class: Some(AuthClass::DeviceIdentity),
            language: Language::French,
        };
        assert_eq!(answer::refuse(&failure, &asked).status().as_u16(), 503);
    }
}
