//! What a push that got no HTTP answer stands for.
//!
//! The reasons are spread over a chain of errors of several libraries; this is the one place that reads it.
//! Texts never carry the request's address, because the address holds the tablet's token.

use std::error::Error;
use std::io;

use rustls::AlertDescription;

use super::PushOutcome;
use crate::egress::EgressRefusal;

/// Why an attempt got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The connection ended under the push: worth one more attempt on a fresh one.
    ConnectionLost {
        /// What happened, for the log.
        reason: String,
    },
    /// The outcome is known.
    Final(PushOutcome),
}

impl Failure {
    pub(super) fn unavailable(reason: String) -> Self {
        Self::Final(PushOutcome::Unavailable { reason })
    }
}

/// The reasons for which Apple closes a whole connection because of its certificate.
const CERTIFICATE_REASONS: [&str; 4] =
    ["BadCertificate", "BadCertificateEnvironment", "Forbidden", "TopicDisallowed"];

/// The TLS alerts that speak of our certificate (RFC 8446 §6.2).
const ALERTS_ABOUT_US: [AlertDescription; 9] = [
    AlertDescription::NoCertificate,
    AlertDescription::BadCertificate,
    AlertDescription::UnsupportedCertificate,
    AlertDescription::CertificateRevoked,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateUnknown,
    AlertDescription::UnknownCA,
    AlertDescription::AccessDenied,
    AlertDescription::CertificateRequired,
];

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        let (timeout, connecting) = (error.is_timeout(), error.is_connect());
        let error = error.without_url();
        let causes = causes(&error);
        if let Some(reason) = causes.iter().find_map(|cause| certificate_refusal(*cause)) {
            return Self::Final(PushOutcome::CertificateRefused { reason });
        }
        if causes.iter().any(|cause| is_calm_down(*cause)) {
            return Self::Final(PushOutcome::Throttled { retry_after: None });
        }
        if let Some(refusal) = causes.iter().find_map(|cause| cause.downcast_ref::<EgressRefusal>()) {
            return Self::unavailable(refusal.to_string());
        }
        let text = causes.iter().map(ToString::to_string).collect::<Vec<_>>().join(": ");
        let reason: String = text.chars().filter(|character| !character.is_control()).take(300).collect();
        if timeout {
            Self::unavailable(format!("no answer in time: {reason}"))
        } else if connecting {
            Self::unavailable(reason)
        } else {
            Self::ConnectionLost { reason }
        }
    }
}

/// `error` and what caused it, outermost first. An [`io::Error`] skips the error it wraps when asked for its
/// source, so that one is taken out by hand.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut found = Vec::new();
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(cause) = next.filter(|_| found.len() < 32) {
        found.push(cause);
        let wrapped = cause
            .downcast_ref::<io::Error>()
            .or_else(|| cause.downcast_ref::<h2::Error>().and_then(h2::Error::get_io))
            .and_then(io::Error::get_ref)
            .map(|wrapped| {
                let wrapped: &(dyn Error + 'static) = wrapped;
                wrapped
            });
        next = wrapped.or_else(|| cause.source());
    }
    found
}

fn certificate_refusal(cause: &(dyn Error + 'static)) -> Option<String> {
    if let Some(rustls::Error::AlertReceived(alert)) = cause.downcast_ref() {
        return ALERTS_ABOUT_US.contains(alert).then(|| format!("TLS alert {alert:?}"));
    }
    let text = cause.to_string();
    if cause.is::<io::Error>() {
        // In TLS 1.3 the alert arrives after the handshake, on a connection that h2 already reads: of the
        // error it keeps the kind and the text.
        let alert =
            ALERTS_ABOUT_US.iter().find(|alert| text == rustls::Error::AlertReceived(**alert).to_string())?;
        return Some(format!("TLS alert {alert:?}"));
    }
    let http2 = cause.downcast_ref::<h2::Error>()?;
    if !(http2.is_go_away() && http2.is_remote()) {
        return None;
    }
    // The debug data of a GOAWAY holds Apple's reason as JSON, and h2 gives it out only in its text.
    CERTIFICATE_REASONS
        .iter()
        .find(|reason| text.contains(&format!("\\\"{reason}\\\"")))
        .map(|reason| (*reason).to_owned())
}

fn is_calm_down(cause: &(dyn Error + 'static)) -> bool {
    cause
        .downcast_ref::<h2::Error>()
        .is_some_and(|error| error.is_remote() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}
