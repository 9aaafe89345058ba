//! The door's routes: one table, from which actix is told what to serve.
//!
//! A route says what its callers must prove. A path reaches its handler only when it is written exactly as in
//! the table: no escapes, doubled slashes, parameters, other case or trailing dots (T-C5). Whatever is not in
//! the table is not found.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{Handler, HttpRequest, HttpResponse};

use fleet::apps::names::NAME_LENGTH;

use crate::DoorState;
use crate::pipeline::serve;

/// What a caller must prove before anything is done for it. Nothing here is open to anyone: what SCEP tells
/// everyone (its capabilities, the authority's certificate) is part of [`AuthClass::ScepMessage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthClass {
    /// Nothing but the knowledge of an enrolment link, which expires and is counted.
    LinkToken,
    /// A `MachineInfo` signed by a tablet's maker-issued certificate.
    SignedMachineInfo,
    /// A SCEP message with its own proof: a single-use challenge, or the certificate to renew.
    ScepMessage,
    /// A signed name that was given to one enrolment, and expires.
    SignedName,
    /// The identity certificate of a tablet, with proof of its key.
    DeviceIdentity,
}

impl AuthClass {
    /// Whether callers have proven nothing when they arrive, and are therefore slowed down.
    #[must_use]
    pub const fn is_slowed_down(self) -> bool {
        match self {
            Self::LinkToken | Self::SignedMachineInfo | Self::ScepMessage => true,
            // A name proves itself before anything is done for it; and all tablets of a school download at once, from one
            // address.
            Self::SignedName | Self::DeviceIdentity => false,
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Gives the enrolment profile of a link.
    EnrolByLink,
    /// Gives the enrolment profile of Apple's automated enrolment.
    EnrolAutomated,
    /// Gives an app of the département's own, or its manifest.
    App,
    /// Issues and renews identity certificates (RFC 8894).
    Scep,
    /// Takes check-in messages.
    CheckIn,
    /// Takes the answers to commands and gives the next one.
    Connect,
    /// Both of the above, for the tablets of another server.
    TakenOver,
}

impl Endpoint {
    /// Its name in logs and metrics. A path is no name: it may hold a link's token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnrolByLink => "enrol-by-link",
            Self::EnrolAutomated => "enrol-automated",
            Self::App => "app",
            Self::Scep => "scep",
            Self::CheckIn => "check-in",
            Self::Connect => "connect",
            Self::TakenOver => "taken-over",
        }
    }
}

/// One method on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; `{token}` or `{name}` stands for one segment.
    pub path: Cow<'static, str>,
    /// What its callers must prove.
    pub class: AuthClass,
    /// What it does.
    pub endpoint: Endpoint,
}

/// Where a link's token stands in its path.
const LINK: &str = "/enrol/";
/// Where a signed name stands in its path.
const APP: &str = "/apps/";

impl Route {
    fn new(method: Method, path: &'static str, class: AuthClass, endpoint: Endpoint) -> Self {
        Self { method, path: Cow::Borrowed(path), class, endpoint }
    }

    /// The route of a taken-over path.
    pub(crate) fn taken_over(path: String) -> Self {
        let class = AuthClass::DeviceIdentity;
        Self { method: Method::PUT, path: Cow::Owned(path), class, endpoint: Endpoint::TakenOver }
    }

    /// Whether `path`, as it stood in the request, is written exactly as this route is.
    pub(crate) fn admits(&self, path: &str) -> bool {
        match self.endpoint {
            Endpoint::EnrolByLink => link_token(path).is_some(),
            Endpoint::App => app_name(path).is_some(),
            _ => path == self.path,
        }
    }
}

/// The token of a link's path, if it can be one.
pub(crate) fn link_token(path: &str) -> Option<&str> {
    path.strip_prefix(LINK).filter(|token| {
        (16..=128).contains(&token.len())
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

/// The signed name of an app's path, if it can be one.
pub(crate) fn app_name(path: &str) -> Option<&str> {
    path.strip_prefix(APP).filter(|name| {
        name.len() == NAME_LENGTH
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

/// Whether a path is one of the table's, in whatever case.
pub(crate) fn is_own_path(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.starts_with(LINK) || path.starts_with(APP) || table().iter().any(|route| route.path == path)
}

/// Every route of the door, but those of taken-over paths. Where two match, the first one serves.
#[must_use]
pub fn table() -> Vec<Route> {
    use AuthClass::{DeviceIdentity, LinkToken, ScepMessage, SignedMachineInfo, SignedName};
    vec![
        Route::new(Method::GET, "/enrol/automated", SignedMachineInfo, Endpoint::EnrolAutomated),
        Route::new(Method::POST, "/enrol/automated", SignedMachineInfo, Endpoint::EnrolAutomated),
        Route::new(Method::GET, "/enrol/{token}", LinkToken, Endpoint::EnrolByLink),
        Route::new(Method::GET, "/apps/{name}", SignedName, Endpoint::App),
        Route::new(Method::GET, "/scep", ScepMessage, Endpoint::Scep),
        Route::new(Method::POST, "/scep", ScepMessage, Endpoint::Scep),
        Route::new(Method::PUT, "/mdm/checkin", DeviceIdentity, Endpoint::CheckIn),
        Route::new(Method::PUT, "/mdm/connect", DeviceIdentity, Endpoint::Connect),
    ]
}

/// Opens the door in an actix application: its routes, and 404 for everything else.
///
/// ```text
/// let door = Arc::new(DoorState::new(fleet, clock, settings)?);
/// HttpServer::new(move || App::new().configure(checkin::routes(&door)))
///     .on_connect(|io, data| { /* insert a PeerCertificate */ })
/// ```
pub fn routes(door: &Arc<DoorState>) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let door = Arc::clone(door);
    move |config| {
        for route in door.routes() {
            config.route(&route.path, web::method(route.method.clone()).to(handler(&door, Some(route))));
        }
        config.default_service(web::to(handler(&door, None)));
    }
}

/// The actix handler of a route, or of whatever has none. It takes only what can always be taken, so that no
/// extractor can answer in our place.
fn handler(
    door: &Arc<DoorState>,
    route: Option<&Arc<Route>>,
) -> impl Handler<(HttpRequest, Payload), Output = HttpResponse> + use<> {
    let (door, route) = (Arc::clone(door), route.cloned());
    move |request: HttpRequest, payload: Payload| {
        let (door, route) = (Arc::clone(&door), route.clone());
        async move { serve(&door, route.as_deref(), &request, payload).await }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The class that the table gives a request, found without actix.
    fn class_of(method: &Method, path: &str) -> Option<AuthClass> {
        table()
            .into_iter()
            .find(|route| route.method == *method && route.admits(path))
            .map(|route| route.class)
    }

    #[test]
    fn t_c5_every_route_has_its_class_and_no_other_route_exists() {
        let listed: Vec<String> = table()
            .iter()
            .map(|route| format!("{} {} {:?}", route.method, route.path, route.class))
            .collect();
        assert_eq!(
            listed,
            [
                "GET /enrol/automated SignedMachineInfo",
                "POST /enrol/automated SignedMachineInfo",
                "GET /enrol/{token} LinkToken",
                "GET /apps/{name} SignedName",
                "GET /scep ScepMessage",
                "POST /scep ScepMessage",
                "PUT /mdm/checkin DeviceIdentity",
                "PUT /mdm/connect DeviceIdentity",
            ]
        );
    }

    #[test]
    fn only_the_exact_path_is_admitted() {
        for route in table().iter().filter(|route| !route.path.contains('{')) {
            assert!(route.admits(&route.path));
            assert!(!route.admits(&route.path.to_uppercase()));
            for suffix in ["/", ".", "%2e", ";a=b", "//", "/.", "%00", "%20"] {
                assert!(!route.admits(&format!("{}{suffix}", route.path)), "{}{suffix}", route.path);
            }
        }
    }

    #[test]
    fn a_fixed_path_is_never_taken_for_a_link() {
        assert_eq!(class_of(&Method::GET, "/enrol/automated"), Some(AuthClass::SignedMachineInfo));
        for path in
            ["/enrol/Automated", "/enrol/automated.", "/enrol/%61utomated", "/enrol/automated;x", "/enrol/"]
        {
            assert_eq!(class_of(&Method::GET, path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn t_c5_whatever_is_not_written_as_in_the_table_has_no_class(path in "/[a-zA-Z/.;%2e]{0,24}") {
            let exact = table().iter().any(|route| route.path == path);
            let link = link_token(&path).is_some();
            prop_assert_eq!(class_of(&Method::GET, &path).or(class_of(&Method::PUT, &path)).is_some(), exact || link);
        }
    }
}
