//! The one place where outcomes become HTTP.
//!
//! 401 and 403 make a tablet leave management. Neither can be written here except in two arms: the
//! `com.apple.unrecognized.device` of an enrolment that was ended on purpose, which travels with its proof
//! (M4), and the refusal of a tablet that must update before it enrols, which is not managed yet.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use apple::refusal::{self, Refusal};
use fleet::enrol::{LinkError, SignedProfile};
use fleet::{Reply, TabletError, Told};
use types::Duration;
use uuid::Uuid;

use crate::body::BodyError;
use crate::page::{self, Language, Reason};
use crate::routes::AuthClass;

/// How long a caller is asked to wait when we failed. A tablet takes it as advice and comes back by itself.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// The longest text that goes out with a refusal, in characters.
const LONGEST_TEXT: usize = 300;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no such route, or not by this method or in this spelling.
    #[error("there is nothing at this address")]
    NotFound,
    /// Too many requests of this kind come at once.
    #[error("too many requests; try again in {} s", seconds(*.wait))]
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// The body was not read.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// An enrolment link does not work.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A tablet is not served.
    #[error(transparent)]
    Tablet(#[from] TabletError),
    /// A handler panicked: a defect of ours.
    #[error("a handler panicked")]
    Panicked,
}

/// What is known of a request when its answer is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Its id, in the log and in the answer.
    pub(crate) request: Uuid,
    /// The class of its route, if it has one.
    pub(crate) class: Option<AuthClass>,
    /// The language of its pages.
    pub(crate) language: Language,
}

/// What a tablet gets when it is served: always status 200.
pub(crate) fn reply(reply: Reply) -> HttpResponse {
    let (content_type, body) = match reply {
        Reply::Empty => return HttpResponse::Ok().finish(),
        Reply::Plist(body) => ("application/xml; charset=utf-8", body),
        Reply::Json(body) => ("application/json", body),
    };
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, content_type)).body(body)
}

/// An enrolment profile.
pub(crate) fn profile(SignedProfile(profile): SignedProfile) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "application/x-apple-aspen-config")).body(profile)
}

/// The answer to a request, whatever came of it; failures are logged here, once each.
pub(crate) fn finish(handled: Result<HttpResponse, Failure>, asked: &Asked) -> HttpResponse {
    let mut response = match handled {
        Ok(response) => {
            tracing::debug!(status = response.status().as_u16(), "served");
            response
        }
        Err(failure) => {
            let response = refuse(&failure, asked);
            log(&failure, asked.class, response.status());
            response
        }
    };
    let headers = response.headers_mut();
    // Profiles and commands are one tablet's own; addresses hold tokens.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(request) = HeaderValue::from_str(&asked.request.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), request);
    }
    response
}

/// The response to a failure.
pub(crate) fn refuse(failure: &Failure, asked: &Asked) -> HttpResponse {
    let mut response = match asked.class {
        Some(AuthClass::LinkToken) => {
            let (status, reason) = for_a_person(failure);
            page::page(status, reason, asked.language, asked.request)
        }
        class => for_a_tablet(failure, class),
    };
    let status = response.status();
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
        let wait = if let Failure::TooMany { wait } = failure { *wait } else { RETRY_AFTER };
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    }
    if matches!(failure, Failure::Body(_)) {
        // What is left of the body must not be taken for the next request.
        response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    }
    response
}

/// Whole seconds, rounded up: waiting a little less would be refused again.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn for_a_person(failure: &Failure) -> (StatusCode, Reason) {
    match failure {
        Failure::NotFound | Failure::Link(LinkError::Unknown) => (StatusCode::NOT_FOUND, Reason::Unknown),
        Failure::Link(LinkError::Expired) => (StatusCode::GONE, Reason::Expired),
        Failure::Link(LinkError::UsedUp) => (StatusCode::GONE, Reason::UsedUp),
        Failure::Link(LinkError::Revoked) => (StatusCode::GONE, Reason::Revoked),
        Failure::Link(LinkError::NoPushCertificate) => (StatusCode::SERVICE_UNAVAILABLE, Reason::NotReady),
        Failure::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, Reason::TooMany),
        Failure::Body(error) => (body_status(error), Reason::Refused),
        Failure::Link(LinkError::Unavailable(_) | LinkError::Internal(_))
        | Failure::Tablet(_)
        | Failure::Panicked => (StatusCode::SERVICE_UNAVAILABLE, Reason::Unavailable),
    }
}

fn for_a_tablet(failure: &Failure, class: Option<AuthClass>) -> HttpResponse {
    match failure {
        Failure::NotFound => text(StatusCode::NOT_FOUND, failure),
        Failure::TooMany { .. } => text(StatusCode::TOO_MANY_REQUESTS, failure),
        Failure::Body(error) => text(body_status(error), error),
        Failure::Tablet(error) => tablet(error, class),
        Failure::Link(_) | Failure::Panicked => unavailable(),
    }
}

/// What a tablet is told of an error, by the class of the route on which it happened.
fn tablet(error: &TabletError, class: Option<AuthClass>) -> HttpResponse {
    match (error.told(), class) {
        (Told::BadRequest, _) => text(StatusCode::BAD_REQUEST, error),
        (Told::NotFound, _) => text(StatusCode::NOT_FOUND, error),
        (Told::Gone, _) => text(StatusCode::GONE, error),
        (Told::Unrecognized, Some(AuthClass::DeviceIdentity)) => forbidden(&Refusal::UnrecognizedDevice {
            description: Some("this enrolment was ended on purpose".to_owned()),
            message: Some("Cette tablette n’est plus gérée par le département.".to_owned()),
        }),
        (Told::UpdateRequired, Some(AuthClass::SignedMachineInfo)) => update_required(error),
        // On any other route these two would be a defect of ours, and a defect unenrols nobody.
        (Told::Unrecognized | Told::UpdateRequired | Told::Unavailable, _) => unavailable(),
    }
}

const fn body_status(error: &BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
        BodyError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        BodyError::Broken(_) => StatusCode::BAD_REQUEST,
    }
}

/// The tablet updates itself to the version, then enrols.
fn update_required(error: &TabletError) -> HttpResponse {
    let TabletError::UpdateRequired { required } = error else { return unavailable() };
    match required.parse() {
        Ok(os_version) => {
            forbidden(&Refusal::SoftwareUpdateRequired { os_version, build_version: None, message: None })
        }
        Err(_not_a_version) => unavailable(),
    }
}

/// Apple's JSON with status 403. Without its content type a tablet would not understand it.
fn forbidden(refusal: &Refusal) -> HttpResponse {
    HttpResponse::Forbidden()
        .insert_header((header::CONTENT_TYPE, refusal::CONTENT_TYPE))
        .body(refusal.to_json())
}

/// We failed: nothing about why, which is in the log under the request's id.
fn unavailable() -> HttpResponse {
    text(StatusCode::SERVICE_UNAVAILABLE, &"the server cannot answer now; try again later")
}

/// A short text for whoever reads the tablet's log.
fn text(status: StatusCode, message: &dyn std::fmt::Display) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(line(message))
}

/// One line without control characters, of bounded length: parts of it come from outside.
fn line(message: &dyn std::fmt::Display) -> String {
    let message = message.to_string();
    let plain = message.chars().map(|char| if char.is_control() { ' ' } else { char });
    plain.take(LONGEST_TEXT).collect()
}

/// Logs a failure at the level of what it asks of us: nothing, a look, or an alarm.
fn log(failure: &Failure, class: Option<AuthClass>, status: StatusCode) {
    let status = status.as_u16();
    let reason = line(failure);
    match failure {
        Failure::NotFound => tracing::debug!(status, "{reason}"),
        Failure::Panicked => tracing::error!(status, "{reason}"),
        Failure::Link(LinkError::NoPushCertificate | LinkError::Unavailable(_) | LinkError::Internal(_)) => {
            tracing::error!(status, "{reason}")
        }
        Failure::TooMany { .. } | Failure::Body(_) | Failure::Link(_) => tracing::info!(status, "{reason}"),
        Failure::Tablet(error) => match error.told() {
            Told::Unavailable => tracing::error!(status, "{reason}"),
            Told::Unrecognized => tracing::warn!(status, "{reason}"),
            // A proven tablet that is refused deserves a look; strangers at the other routes do not.
            Told::BadRequest if class == Some(AuthClass::DeviceIdentity) => {
                tracing::warn!(status, "{reason}")
            }
            Told::BadRequest | Told::NotFound | Told::Gone | Told::UpdateRequired => {
                tracing::info!(status, "{reason}");
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use lending::{EnrolmentEnd, RecordedEnd};
    use types::{EnrolmentEndId, EnrolmentId, Instant, RuleId, TabletId};

    use super::*;

    const CLASSES: [Option<AuthClass>; 6] = [
        None,
        Some(AuthClass::LinkToken),
        Some(AuthClass::SignedMachineInfo),
        Some(AuthClass::ScepMessage),
        Some(AuthClass::SignedName),
        Some(AuthClass::DeviceIdentity),
    ];

    fn asked(class: Option<AuthClass>) -> Asked {
        Asked { request: Uuid::from_u128(7), class, language: Language::French }
    }

    #[expect(clippy::disallowed_methods, reason = "a test stands in for the row of an end")]
    fn ended() -> TabletError {
        let now = Instant::from_millis(1_000_000);
        let enrolment = EnrolmentId::new(now);
        let row = RecordedEnd::from_row(EnrolmentEndId::new(now), enrolment, TabletId::new(now), now);
        TabletError::Ended(EnrolmentEnd::read_back(&row, enrolment, now).unwrap())
    }

    /// One error of each variant; the match below fails to compile when one is added and not listed here.
    fn every_tablet_error() -> Vec<TabletError> {
        let text = || "a reason".to_owned();
        let listed = vec![
            TabletError::NoIdentity,
            TabletError::Foreign(text()),
            TabletError::Mismatch { claimed: text() },
            TabletError::Superseded,
            TabletError::OutOfOrder { message: "TokenUpdate", state: "invited" },
            TabletError::Malformed(text()),
            TabletError::NotInInventory { serial: "DMPXK1ABCD12".parse().unwrap() },
            TabletError::NotAdmitted { why: text(), rule: RuleId::C3_3_4 },
            TabletError::UserDeclined,
            TabletError::NoSuchToken(text()),
            TabletError::NoSuchDeclaration,
            TabletError::UpdateRequired { required: "17.4".to_owned() },
            ended(),
            TabletError::Orphan { fingerprint: text(), udid: None },
            TabletError::Store(store_error()),
            TabletError::Internal(text()),
        ];
        for error in &listed {
            match error {
                TabletError::NoIdentity
                | TabletError::Foreign(_)
                | TabletError::Mismatch { .. }
                | TabletError::Superseded
                | TabletError::OutOfOrder { .. }
                | TabletError::Malformed(_)
                | TabletError::NotInInventory { .. }
                | TabletError::NotAdmitted { .. }
                | TabletError::UserDeclined
                | TabletError::NoSuchToken(_)
                | TabletError::NoSuchDeclaration
                | TabletError::UpdateRequired { .. }
                | TabletError::Ended(_)
                | TabletError::Orphan { .. }
                | TabletError::Store(_)
                | TabletError::Internal(_) => {}
            }
        }
        let kinds: std::collections::HashSet<_> = listed.iter().map(std::mem::discriminant).collect();
        assert_eq!(kinds.len(), 16, "each variant is listed once");
        listed
    }

    fn store_error() -> store::StoreError {
        store::StoreError::Busy
    }

    fn every_other_failure() -> Vec<Failure> {
        vec![
            Failure::NotFound,
            Failure::TooMany { wait: Duration::from_millis(1) },
            Failure::Body(BodyError::TooLarge { limit: 64 }),
            Failure::Body(BodyError::TooSlow { within: Duration::from_secs(1) }),
            Failure::Body(BodyError::Busy),
            Failure::Body(BodyError::Broken(actix_web::error::PayloadError::Incomplete(None))),
            Failure::Link(LinkError::Unknown),
            Failure::Link(LinkError::Expired),
            Failure::Link(LinkError::UsedUp),
            Failure::Link(LinkError::Revoked),
            Failure::Link(LinkError::NoPushCertificate),
            Failure::Link(LinkError::Unavailable(store_error())),
            Failure::Link(LinkError::Internal("a reason".to_owned())),
            Failure::Panicked,
        ]
    }

    fn body(response: HttpResponse) -> String {
        String::from_utf8(response.into_body().try_into_bytes().unwrap().to_vec()).unwrap()
    }

    fn content_type(response: &HttpResponse) -> &str {
        response.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap()
    }

    #[test]
    fn t_a7_no_failure_but_a_proven_end_unenrols_a_tablet() {
        for class in CLASSES {
            let tablet_failures = every_tablet_error().into_iter().map(Failure::Tablet);
            for failure in tablet_failures.chain(every_other_failure()) {
                let status = finish(Err(failure), &asked(class)).status();
                assert_ne!(status, StatusCode::UNAUTHORIZED);
                assert!(status.is_client_error() || status.is_server_error(), "{status}");
            }
            for error in every_tablet_error() {
                let may_forbid = matches!(
                    (&error, class),
                    (TabletError::Ended(_), Some(AuthClass::DeviceIdentity))
                        | (TabletError::UpdateRequired { .. }, Some(AuthClass::SignedMachineInfo))
                );
                let words = error.to_string();
                let status = refuse(&Failure::Tablet(error), &asked(class)).status();
                assert_eq!(status == StatusCode::FORBIDDEN, may_forbid, "{class:?}: {words}");
            }
            for failure in every_other_failure() {
                assert_ne!(
                    refuse(&failure, &asked(class)).status(),
                    StatusCode::FORBIDDEN,
                    "{class:?}: {failure}"
                );
            }
        }
    }

    #[test]
    fn t_a7_our_own_failures_ask_the_tablet_to_come_back_and_say_nothing_else() {
        let ours = [
            Failure::Tablet(TabletError::Orphan { fingerprint: "76f27d".to_owned(), udid: None }),
            Failure::Tablet(TabletError::Internal("secret reason".to_owned())),
            Failure::Tablet(TabletError::Store(store_error())),
            Failure::Panicked,
        ];
        for failure in ours {
            let response = refuse(&failure, &asked(Some(AuthClass::DeviceIdentity)));
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "60");
            assert_eq!(body(response), "the server cannot answer now; try again later");
        }
    }

    #[test]
    fn a_tablet_is_told_what_its_error_says() {
        let cases = [
            (TabletError::NoIdentity, 400),
            (TabletError::Superseded, 400),
            (TabletError::NoSuchDeclaration, 404),
            (TabletError::UserDeclined, 410),
            (TabletError::Internal(String::new()), 503),
        ];
        for (error, status) in cases {
            let response = refuse(&Failure::Tablet(error), &asked(Some(AuthClass::DeviceIdentity)));
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(content_type(&response), "text/plain; charset=utf-8");
        }
    }

    #[test]
    fn the_two_forbidden_answers_are_apples_json_with_its_content_type() {
        let response = refuse(&Failure::Tablet(ended()), &asked(Some(AuthClass::DeviceIdentity)));
        assert_eq!(content_type(&response), "application/json");
        assert!(body(response).contains(r#""com.apple.unrecognized.device""#));

        let error = TabletError::UpdateRequired { required: "17.4".to_owned() };
        let response = refuse(&Failure::Tablet(error), &asked(Some(AuthClass::SignedMachineInfo)));
        assert_eq!(content_type(&response), "application/json");
        let json = body(response);
        assert!(
            json.contains(r#""com.apple.softwareupdate.required""#) && json.contains(r#""17.4""#),
            "{json}"
        );
    }

    #[test]
    fn a_text_from_outside_cannot_break_the_line_nor_fill_the_log() {
        let error = TabletError::Malformed(format!("\r\nforged: line\u{1b}[31m{}", "x".repeat(10_000)));
        let response = refuse(&Failure::Tablet(error), &asked(None));
        let text = body(response);
        assert!(!text.contains(char::is_control), "{text:?}");
        assert_eq!(text.chars().count(), LONGEST_TEXT);
    }

    #[test]
    fn a_link_that_does_not_work_is_explained_on_a_page() {
        let cases = [
            (LinkError::Unknown, 404),
            (LinkError::Expired, 410),
            (LinkError::UsedUp, 410),
            (LinkError::Revoked, 410),
            (LinkError::NoPushCertificate, 503),
            (LinkError::Internal(String::new()), 503),
        ];
        for (error, status) in cases {
            let response = refuse(&Failure::Link(error), &asked(Some(AuthClass::LinkToken)));
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(content_type(&response), "text/html; charset=utf-8");
            assert_eq!(response.headers().contains_key(header::RETRY_AFTER), status == 503);
        }
    }

    #[test]
    fn a_caller_who_comes_too_fast_is_told_how_long_to_wait() {
        let failure = Failure::TooMany { wait: Duration::from_millis(1_200) };
        let response = refuse(&failure, &asked(Some(AuthClass::ScepMessage)));
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "2");
    }

    #[test]
    fn every_answer_is_kept_out_of_caches_and_names_its_request() {
        for handled in [Ok(reply(Reply::Empty)), Err(Failure::NotFound)] {
            let response = finish(handled, &asked(None));
            assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
            assert_eq!(response.headers().get("x-request-id").unwrap(), &Uuid::from_u128(7).to_string());
        }
    }

    #[test]
    fn a_served_tablet_gets_status_200_and_the_type_of_its_answer() {
        let empty = reply(Reply::Empty);
        assert_eq!(empty.status(), StatusCode::OK);
        assert_eq!(body(empty), "");
        let plist = reply(Reply::Plist(b"<plist/>".to_vec()));
        assert_eq!(
            (plist.status(), content_type(&plist)),
            (StatusCode::OK, "application/xml; charset=utf-8")
        );
        let json = reply(Reply::Json(b"{}".to_vec()));
        assert_eq!((json.status(), content_type(&json)), (StatusCode::OK, "application/json"));
    }
}
