//! Apple's push service: wakes a tablet, so that it comes and asks what waits for it.
//!
//! Token-less provider API over HTTP/2 with the push certificate as client certificate. An accepted push
//! is not a delivered one: Apple also accepts, and drops, pushes for a token of another topic. Only the
//! tablet's own connect proves that it woke up.

mod failure;
mod outcome;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use tokio::sync::Semaphore;
use types::{Instant, Secret};
use url::Url;

use crate::egress::{ClientError, Egress, EgressRefusal, GuardedClient};
use crate::trust::{self, TrustProblem};
use failure::Failure;
pub use outcome::{PushOutcome, backoff, classify};

/// What every MDM topic begins with; Apple takes it from the push certificate's subject UID.
const TOPIC_PREFIX: &str = "com.apple.mgmt.";
/// How long a TCP and TLS handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one push may take, handshake and answer included.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// An idle connection is probed this often, as Apple asks: a dead one is found before a push needs it.
const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// How long a probe may stay without an answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Pushes under way at once. The others wait for a place, so that memory stays bounded.
const CONCURRENT_PUSHES: usize = 500;
/// The most that is read of an answer's body; Apple's are under 100 bytes.
const ANSWER_LIMIT: usize = 4 * 1024;
/// The longest device token that is sent. Apple's have 32 bytes and may grow.
const TOKEN_LIMIT: usize = 100;

/// Which push service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApnsEndpoint {
    /// `api.push.apple.com`, port 443.
    Production,
    /// `api.sandbox.push.apple.com`, port 443: only for enrolments with `UseDevelopmentAPNS`.
    Sandbox,
    /// Another address: a stand-in, or Apple's other port as `https://api.push.apple.com:2197`.
    Other(Url),
}

impl ApnsEndpoint {
    /// The address that requests start from.
    ///
    /// # Errors
    ///
    /// [`url::ParseError`], never for a value that was read from text.
    pub fn url(&self) -> Result<Url, url::ParseError> {
        match self {
            Self::Production => Url::parse("https://api.push.apple.com/"),
            Self::Sandbox => Url::parse("https://api.sandbox.push.apple.com/"),
            Self::Other(url) => Ok(url.clone()),
        }
    }
}

/// A text that names no push service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no push service: expected `production`, `sandbox` or an https address without a path")]
pub struct InvalidEndpoint(String);

impl FromStr for ApnsEndpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let refuse = || InvalidEndpoint(text.chars().take(120).collect());
        match text {
            "production" => Ok(Self::Production),
            "sandbox" => Ok(Self::Sandbox),
            _ => Url::parse(text)
                .ok()
                .filter(|url| {
                    url.scheme() == "https"
                        && url.path() == "/"
                        && url.query().is_none()
                        && url.fragment().is_none()
                })
                .map(Self::Other)
                .ok_or_else(refuse),
        }
    }
}

impl fmt::Display for ApnsEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Production => f.write_str("production"),
            Self::Sandbox => f.write_str("sandbox"),
            Self::Other(url) => url.fmt(f),
        }
    }
}

/// Who we are to the push service.
#[derive(Debug, Clone)]
pub struct PushIdentity {
    /// The push certificate as PEM, first, and the certificates of its issuers, if any, after it.
    pub chain_pem: String,
    /// Its private key as PEM (PKCS#8, PKCS#1 or SEC 1), not encrypted.
    pub key_pem: Secret<String>,
    /// The topic: the UID of the certificate's subject, such as `com.apple.mgmt.External.…`.
    pub topic: String,
}

/// How much the tablet's battery matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushPriority {
    /// Sent at once (10).
    Immediate,
    /// Sent when it suits the tablet's battery (5): for housekeeping.
    PowerConsiderate,
}

impl PushPriority {
    const fn header(self) -> &'static str {
        match self {
            Self::Immediate => "10",
            Self::PowerConsiderate => "5",
        }
    }
}

/// One push to one tablet.
#[derive(Debug, Clone)]
pub struct PushRequest {
    /// The tablet's push token, from its last TokenUpdate.
    pub token: Secret<Vec<u8>>,
    /// The PushMagic of the same TokenUpdate.
    pub magic: Secret<String>,
    /// How urgent it is.
    pub priority: PushPriority,
    /// Until when Apple keeps trying to deliver; `None` leaves it to Apple.
    pub expiration: Option<Instant>,
}

/// Why no push client could be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ApnsSetupError {
    /// The certificate is no readable PEM.
    #[error("the push certificate is not readable as PEM: upload the .pem file from Apple's push portal")]
    Certificate(#[source] Option<rustls::pki_types::pem::Error>),
    /// The key is no readable, unencrypted PEM.
    #[error("the push certificate's key is not readable as PEM: export it without a passphrase")]
    Key(#[source] rustls::pki_types::pem::Error),
    /// The key is not the certificate's (T-B1), or of a kind we cannot use.
    #[error("the push certificate and its key do not go together: upload the key its request was made with")]
    Mismatch(#[source] rustls::Error),
    /// The topic is not an MDM topic.
    #[error("`{topic}` is not a push topic for device management: it must begin with `com.apple.mgmt.`")]
    Topic {
        /// The topic as given.
        topic: String,
    },
    /// The additional authorities are not readable.
    #[error("the trusted authorities for the push service are not readable as PEM: check `apns.trust`")]
    Trust(#[source] Option<rustls::pki_types::pem::Error>),
    /// One of the authorities is not usable.
    #[error("a trusted authority for the push service is not usable: check `apns.trust`")]
    Authority(#[source] rustls::Error),
    /// The machine has no list of public authorities.
    #[error("this machine has no list of public authorities: install the package ca-certificates")]
    NoAuthorities,
    /// TLS cannot be set up.
    #[error("TLS towards the push service cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The endpoint is no address.
    #[error("the push service's address is not valid: check `apns.endpoint`")]
    Endpoint(#[source] url::ParseError),
    /// The endpoint is not in the allow-list.
    #[error("the push service may not be spoken to: {0}")]
    Egress(#[source] EgressRefusal),
    /// The HTTP library refused the settings.
    #[error("the HTTP client for the push service cannot be made")]
    Client(#[source] reqwest::Error),
}

impl From<TrustProblem> for ApnsSetupError {
    fn from(problem: TrustProblem) -> Self {
        match problem {
            TrustProblem::Pem(error) => Self::Trust(error),
            TrustProblem::Authority(error) => Self::Authority(error),
            TrustProblem::None => Self::NoAuthorities,
        }
    }
}

impl From<ClientError> for ApnsSetupError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(refusal) => Self::Egress(refusal),
            ClientError::Build(error) => Self::Client(error),
        }
    }
}

/// A client of the push service for one push certificate.
///
/// Clones share the connections and the bound on pushes under way. It starts no task per push: dropping
/// the future of [`push`](Self::push) ends that push.
#[derive(Debug, Clone)]
pub struct ApnsClient {
    client: GuardedClient,
    devices: Url,
    topic: Arc<str>,
    places: Arc<Semaphore>,
}

impl ApnsClient {
    /// A client for `endpoint` as `identity`. Connects at the first push.
    ///
    /// With `trust`, only the authorities in that PEM are trusted to vouch for the service (a stand-in's own
    /// authority); without it, the machine's public ones.
    ///
    /// # Errors
    ///
    /// [`ApnsSetupError`], among them a key that is not the certificate's and an endpoint that `egress`
    /// does not list.
    pub fn new(
        endpoint: &ApnsEndpoint,
        identity: &PushIdentity,
        trust: Option<&str>,
        egress: &Egress,
    ) -> Result<Self, ApnsSetupError> {
        Self::with_patience(endpoint, identity, trust, egress, ANSWER_TIMEOUT)
    }

    pub(crate) fn with_patience(
        endpoint: &ApnsEndpoint,
        identity: &PushIdentity,
        trust: Option<&str>,
        egress: &Egress,
        patience: Duration,
    ) -> Result<Self, ApnsSetupError> {
        if !is_mdm_topic(&identity.topic) {
            return Err(ApnsSetupError::Topic { topic: identity.topic.chars().take(120).collect() });
        }
        let base = endpoint.url().map_err(ApnsSetupError::Endpoint)?;
        let devices = base.join("/3/device/").map_err(ApnsSetupError::Endpoint)?;
        let tls = tls(identity, trust)?;
        let client = GuardedClient::new(egress, &base, |builder| {
            builder
                .tls_backend_preconfigured(tls)
                .http2_prior_knowledge()
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(patience)
                .pool_idle_timeout(None)
                .http2_keep_alive_interval(PROBE_INTERVAL)
                .http2_keep_alive_timeout(PROBE_TIMEOUT)
                .http2_keep_alive_while_idle(true)
                .user_agent(concat!("ardoise/", env!("CARGO_PKG_VERSION")))
        })
        .map_err(ApnsSetupError::from)?;
        Ok(Self {
            client,
            devices,
            topic: identity.topic.as_str().into(),
            places: Arc::new(Semaphore::new(CONCURRENT_PUSHES)),
        })
    }

    /// The topic of this client's certificate.
    #[must_use]
    pub fn topic(&self) -> &str {
        &self.topic
    }

    /// Sends one push and says what became of it.
    ///
    /// When the connection dies under it (GOAWAY, reset, end of stream) the push is sent once more on a
    /// fresh one: a tablet woken twice comes once. Anything else is the caller's to repeat, after
    /// [`backoff`].
    pub async fn push(&self, request: &PushRequest) -> PushOutcome {
        if request.token.expose().is_empty() || request.token.expose().len() > TOKEN_LIMIT {
            return PushOutcome::TokenInvalid { reason: "MissingDeviceToken".to_owned(), since: None };
        }
        let Ok(_place) = self.places.acquire().await else {
            return PushOutcome::Unavailable { reason: "the push client is shutting down".to_owned() };
        };
        match self.attempt(request).await {
            Ok(outcome) | Err(Failure::Final(outcome)) => outcome,
            Err(Failure::ConnectionLost { reason }) => {
                tracing::debug!(%reason, "push connection lost; trying once more on a fresh one");
                match self.attempt(request).await {
                    Ok(outcome) | Err(Failure::Final(outcome)) => outcome,
                    Err(Failure::ConnectionLost { reason }) => PushOutcome::Unavailable { reason },
                }
            }
        }
    }

    async fn attempt(&self, request: &PushRequest) -> Result<PushOutcome, Failure> {
        let url = self
            .devices
            .join(&hex::encode(request.token.expose()))
            .map_err(|error| Failure::unavailable(error.to_string()))?;
        let mut sending = self
            .client
            .post(url)
            .map_err(|refusal| Failure::unavailable(refusal.to_string()))?
            .header("apns-topic", &*self.topic)
            .header("apns-push-type", "mdm")
            .header("apns-priority", request.priority.header())
            .json(&Payload { mdm: request.magic.expose() });
        if let Some(expiration) = request.expiration {
            sending = sending.header("apns-expiration", expiration.as_seconds().max(0));
        }
        let mut answer = sending.send().await.map_err(Failure::from)?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(Failure::from)? {
            let room = ANSWER_LIMIT.saturating_sub(body.len());
            body.extend(part.iter().take(room));
            if room == 0 {
                break;
            }
        }
        Ok(classify(answer.status().as_u16(), answer.headers(), &body))
    }
}

/// The whole payload of an MDM push.
#[derive(Serialize)]
struct Payload<'a> {
    mdm: &'a str,
}

fn is_mdm_topic(topic: &str) -> bool {
    topic.len() > TOPIC_PREFIX.len()
        && topic.starts_with(TOPIC_PREFIX)
        && topic.bytes().all(|byte| byte.is_ascii_graphic())
}

/// TLS as `identity`: one provider (ring) for the whole program, HTTP/2 only.
fn tls(identity: &PushIdentity, trust: Option<&str>) -> Result<rustls::ClientConfig, ApnsSetupError> {
    let chain = trust::certificates(&identity.chain_pem).map_err(ApnsSetupError::Certificate)?;
    let key =
        PrivateKeyDer::from_pem_slice(identity.key_pem.expose().as_bytes()).map_err(ApnsSetupError::Key)?;
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(ApnsSetupError::Tls)?
            .with_root_certificates(trust::authorities(trust)?)
            .with_client_auth_cert(chain, key)
            .map_err(ApnsSetupError::Mismatch)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    Ok(tls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_reads_back_from_its_text() {
        for text in ["production", "sandbox", "https://127.0.0.1:2197/", "https://api.push.apple.com:2197/"] {
            assert_eq!(text.parse::<ApnsEndpoint>().unwrap().to_string(), text);
        }
        for text in ["", "Production", "http://127.0.0.1:2197", "https://127.0.0.1/3/device", "https://", "x"]
        {
            let error = text.parse::<ApnsEndpoint>().unwrap_err().to_string();
            assert!(error.contains("expected `production`"), "{text}: {error}");
        }
    }

    #[test]
    fn t_b4_a_push_magic_of_any_characters_stays_one_json_string() {
        for magic in
            ["plain", "a\"b", "a\\b", "a\nb", "\",\"aps\":{\"alert\":\"x\"},\"y\":\"", "é\u{2028}\u{0}"]
        {
            let body = serde_json::to_string(&Payload { mdm: magic }).unwrap();
            let read: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(read, serde_json::json!({ "mdm": magic }), "{body}");
        }
    }

    #[test]
    fn only_a_topic_for_device_management_is_taken() {
        assert!(is_mdm_topic("com.apple.mgmt.External.9b6c1d5e-6f3a-4a57-9f7a-0b8f5a3d2c11"));
        for topic in
            ["", "com.apple.mgmt.", "com.example.app", "com.apple.mgmt.x\r\nevil: 1", "com.apple.mgmt.é"]
        {
            assert!(!is_mdm_topic(topic), "{topic:?}");
        }
    }
}
