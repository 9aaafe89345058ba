//! A client of the API: with a token or without, over TLS, trusting one authority only.

use std::sync::Arc;

use reqwest::{Client, Method, RequestBuilder, header};
use rustls::crypto::ring;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use serde_json::Value;
use types::{Clock as _, Duration, ManualClock, Secret};
use url::Url;

use crate::TestkitError;

/// A client of the API, for one role.
#[derive(Debug, Clone)]
pub struct ApiClient {
    client: Client,
    base: Url,
    token: Option<Arc<Secret<String>>>,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The JSON of the body; a text for any other body, null for none.
    pub body: Value,
    asked: (Method, String),
}

impl Answer {
    /// The body, if the status says that all went well.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] with everything that was answered.
    pub fn ok(self) -> Result<Value, TestkitError> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        let (method, path) = self.asked;
        let body = self.body.to_string();
        Err(TestkitError::Answer { method: method.to_string(), path, status: self.status, body })
    }

    /// A field of the body, by its JSON pointer (RFC 6901), as text; empty if it is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The test's clock, as TLS asks for it.
#[derive(Debug)]
struct TestTime(ManualClock);

impl TimeProvider for TestTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl ApiClient {
    /// A client of the server at `base`, which trusts the authority `trust` (DER) alone and goes by `clock`: a door
    /// that is opened in next year shows a certificate of next year.
    pub(crate) fn new(
        base: Url,
        trust: &[Vec<u8>],
        token: Option<Secret<String>>,
        clock: &ManualClock,
    ) -> Result<Self, TestkitError> {
        let mut roots = rustls::RootCertStore::empty();
        for authority in trust {
            roots.add(authority.clone().into()).map_err(TestkitError::other)?;
        }
        let time = Arc::new(TestTime(clock.clone()));
        let tls = rustls::ClientConfig::builder_with_details(Arc::new(ring::default_provider()), time)
            .with_safe_default_protocol_versions()
            .map_err(TestkitError::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().build()?;
        Ok(Self { client, base, token: token.map(Arc::new) })
    }

    /// The same client without a token.
    #[must_use]
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: Secret<String>) -> Self {
        Self { token: Some(Arc::new(token)), ..self.clone() }
    }

    /// The same client, with the token of another.
    #[must_use]
    pub fn as_whoever(&self, other: &Self) -> Self {
        Self { token: other.token.clone(), ..self.clone() }
    }

    /// The same client, asking at another port of the same host.
    pub(crate) fn at_port(&self, port: u16) -> Result<Self, TestkitError> {
        let mut base = self.base.clone();
        base.set_port(Some(port)).map_err(|()| TestkitError::other("the address has no port"))?;
        Ok(Self { base, ..self.clone() })
    }

    /// `GET path`, such as `/api/v1/status`.
    ///
    /// # Errors
    /// [`TestkitError::Http`] when there is no answer; any status is an answer.
    pub async fn get(&self, path: &str) -> Result<Answer, TestkitError> {
        self.send(Method::GET, path, |request| request).await
    }

    /// As [`get`](Self::get), in the language that is asked for (`Accept-Language`).
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn get_in(&self, language: &str, path: &str) -> Result<Answer, TestkitError> {
        self.send(Method::GET, path, |request| request.header("Accept-Language", language)).await
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, TestkitError> {
        self.send(Method::POST, path, |request| request.json(body)).await
    }

    /// As [`Self::post`], with headers that whoever asks invents.
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn post_with(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&'static str, String)],
    ) -> Result<Answer, TestkitError> {
        let with_headers = |request: RequestBuilder| {
            headers.iter().fold(request.json(body), |request, (name, value)| request.header(*name, value))
        };
        self.send(Method::POST, path, with_headers).await
    }

    /// `PUT path` with a JSON body.
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, TestkitError> {
        self.send(Method::PUT, path, |request| request.json(body)).await
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn delete(&self, path: &str) -> Result<Answer, TestkitError> {
        self.send(Method::DELETE, path, |request| request).await
    }

    /// `POST path` with a body of another kind.
    ///
    /// # Errors
    /// As [`ApiClient::get`].
    pub async fn upload(
        &self,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, TestkitError> {
        self.send(Method::POST, path, |request| request.header(header::CONTENT_TYPE, content_type).body(body))
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        prepare: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Answer, TestkitError> {
        let url = self.base.join(path).map_err(TestkitError::other)?;
        let mut request = self.client.request(method.clone(), url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose());
        }
        let response = prepare(request).send().await?;
        let status = response.status().as_u16();
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let text = response.text().await?;
        let body = if content_type.ends_with("json") || content_type.contains("json;") {
            serde_json::from_str(&text).map_err(TestkitError::other)?
        } else if text.is_empty() {
            Value::Null
        } else {
            Value::String(text)
        };
        Ok(Answer { status, content_type, body, asked: (method, path.to_owned()) })
    }
}
