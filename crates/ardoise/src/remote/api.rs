//! A client of the JSON API under `/api/v1`.

use std::time::Duration;

use reqwest::header::{
    ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::{Value, json};
use types::Secret;
use url::Url;

use super::Problem;
use crate::failure::Failure;
use crate::words::Language;

/// The most items in one part of a list, as the API allows.
const PART: &str = "500";
/// The longest that an answer may take: an import of 200,000 lines on a slow disk.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest that a whole audit log may take.
const LONG_PATIENCE: Duration = Duration::from_secs(24 * 3_600);
/// The longest that a connection may take to be made.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// A client of one server's API, for one person. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    base: Url,
    http: Client,
}

/// What a request carries.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// Bytes of another kind.
    Bytes(&'static str, Vec<u8>),
}

impl Api {
    /// A client of the server at `base`. `trust` holds the only authorities, PEM, that may vouch for it; the
    /// machine's usual ones unless given.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address or a token that cannot be used, or one over plain HTTP to another
    /// machine: the token would cross the network in clear.
    pub(crate) fn new(
        base: Url,
        bearer: Option<Secret<String>>,
        code: Option<Secret<String>>,
        trust: Option<&[u8]>,
    ) -> Result<Self, Failure> {
        let local = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if base.cannot_be_a_base() || !(base.scheme() == "https" || base.scheme() == "http" && local) {
            return Err(Failure::Usage(format!(
                "`{base}` is not the address of a server: it must begin with `https://`"
            )));
        }
        let mut headers =
            HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(Language::here().tag()))]);
        if let Some(bearer) = bearer {
            let bearer = Secret::new(format!("Bearer {}", bearer.expose()));
            headers.insert(AUTHORIZATION, sensitive(&bearer, "token")?);
        }
        if let Some(code) = code {
            headers.insert(CODE, sensitive(&code, "code")?);
        }
        let mut builder = Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .user_agent(concat!("ardoise/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = trust {
            let authorities = Certificate::from_pem_bundle(pem).map_err(Failure::Client)?;
            if authorities.is_empty() {
                return Err(Failure::Usage("the file in `--trust` holds no certificate in PEM".into()));
            }
            builder = builder.tls_certs_only(authorities);
        }
        if local {
            builder = builder.no_proxy();
        }
        Ok(Self { base, http: builder.build().map_err(Failure::Client)? })
    }

    /// Asks for what stands at `path` below `/api/v1`.
    pub(crate) async fn get(&self, path: &[&str]) -> Result<Value, Failure> {
        self.send(Method::GET, path, &[], Body::Empty).await
    }

    /// As [`get`](Self::get), with a query.
    pub(crate) async fn get_with(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.send(Method::GET, path, query, Body::Empty).await
    }

    /// As [`get`](Self::get), for what another kind of text stands for: `Accept: text/csv`.
    pub(crate) async fn get_text(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        accept: &'static str,
    ) -> Result<String, Failure> {
        let request = self.http.get(self.url(path, query)?).header(reqwest::header::ACCEPT, accept);
        let (_status, body) = self.answered(request).await?;
        String::from_utf8(body).map_err(|_not_text| self.foreign("a text that is not UTF-8"))
    }

    /// Reads an answer line by line as it comes, however long it takes and is.
    pub(crate) async fn lines(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        mut told: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let unreachable = |source: reqwest::Error| self.unreachable(source);
        let request = self.http.get(self.url(path, query)?).timeout(LONG_PATIENCE);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if !status.is_success() {
            let body = response.bytes().await.map_err(unreachable)?;
            return Err(Failure::Problem(Box::new(Problem::read(status.as_u16(), &body))));
        }
        let mut rest = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            rest.extend_from_slice(&chunk);
            let mut open = Vec::new();
            for line in rest.split_inclusive(|byte| *byte == b'\n') {
                match line.strip_suffix(b"\n") {
                    Some(line) => {
                        let line = std::str::from_utf8(line)
                            .map_err(|_not_text| self.foreign("a line that is not UTF-8"))?;
                        told(line)?;
                    }
                    None => open = line.to_vec(),
                }
            }
            rest = open;
        }
        if rest.is_empty() { Ok(()) } else { Err(self.foreign("a line without an end")) }
    }

    /// A text for people, in the language they asked for: the register as CSV or as a page.
    pub(crate) async fn document(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        language: &'static str,
    ) -> Result<String, Failure> {
        let request = self.http.get(self.url(path, query)?).header(ACCEPT_LANGUAGE, language);
        let (_status, body) = self.answered(request).await?;
        String::from_utf8(body).map_err(|_not_text| self.foreign("a text that is not UTF-8"))
    }

    /// As [`delete`](Self::delete), with a query.
    pub(crate) async fn delete_with(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, query, Body::Empty).await
    }

    /// Makes something.
    pub(crate) async fn post(&self, path: &[&str], body: Body) -> Result<Value, Failure> {
        self.send(Method::POST, path, &[], body).await
    }

    /// Sends a file of `length` bytes as it is read, however long it takes.
    pub(crate) async fn upload(
        &self,
        path: &[&str],
        length: u64,
        body: reqwest::Body,
    ) -> Result<Value, Failure> {
        let request = self
            .http
            .post(self.url(path, &[])?)
            .timeout(LONG_PATIENCE)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, length)
            .body(body);
        let (_status, answer) = self.answered(request).await?;
        serde_json::from_slice(&answer).map_err(|error| self.foreign(&error.to_string()))
    }

    /// Sets something.
    pub(crate) async fn put(&self, path: &[&str], body: Body) -> Result<Value, Failure> {
        self.send(Method::PUT, path, &[], body).await
    }

    /// Ends something.
    pub(crate) async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.send(Method::DELETE, path, &[], Body::Empty).await
    }

    /// The first `limit` items of a list, part by part.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        limit: Option<usize>,
    ) -> Result<Vec<Value>, Failure> {
        let limit = limit.unwrap_or(usize::MAX);
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut part = query.to_vec();
            part.push(PART_QUERY);
            part.extend(after.as_deref().map(|after| ("after", after)));
            let answer = self.send(Method::GET, path, &part, Body::Empty).await?;
            let found = answer
                .get("items")
                .and_then(Value::as_array)
                .ok_or_else(|| self.foreign("a list without items"))?;
            items.extend(found.iter().cloned());
            let next = answer.get("next").and_then(Value::as_str).map(str::to_owned);
            if items.len() >= limit || next.is_none() || next == after {
                items.truncate(limit);
                return Ok(items);
            }
            after = next;
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Value, Failure> {
        let request = self.http.request(method, self.url(path, query)?);
        let request = match body {
            Body::Empty => request,
            Body::Json(document) => request.json(&document),
            Body::Bytes(kind, bytes) => request.header(CONTENT_TYPE, kind).body(bytes),
        };
        let (status, body) = self.answered(request).await?;
        if status == StatusCode::NO_CONTENT || body.is_empty() {
            return Ok(json!({ "done": true }));
        }
        serde_json::from_slice(&body).map_err(|error| self.foreign(&error.to_string()))
    }

    async fn answered(&self, request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), Failure> {
        let unreachable = |source: reqwest::Error| self.unreachable(source);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        if status.is_success() {
            Ok((status, body))
        } else {
            Err(Failure::Problem(Box::new(Problem::read(status.as_u16(), &body))))
        }
    }

    /// The address of `path`: segments are escaped, so that no id of a file or of a person leads elsewhere.
    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Usage(format!("`{}` is not the address of a server", self.base)))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn unreachable(&self, source: reqwest::Error) -> Failure {
        Failure::Unreachable { server: self.base.to_string(), source: source.without_url() }
    }

    fn foreign(&self, what: &str) -> Failure {
        Failure::Foreign { server: self.base.to_string(), what: what.to_owned() }
    }
}

/// A value that no log of a client shows.
fn sensitive(secret: &Secret<String>, what: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(secret.expose())
        .map_err(|_invalid| Failure::Usage(format!("the {what} holds characters that none of ours has")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header in which a code of the second factor comes with a request.
const CODE: HeaderName = HeaderName::from_static("ardoise-code");

/// How much of a list is asked for at a time.
pub(crate) const PART_QUERY: (&str, &str) = ("limit", PART);

#[cfg(test)]
mod tests {
    use super::*;

    fn api(base: &str) -> Result<Api, Failure> {
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        Api::new(base.parse().unwrap(), Some(Secret::new("ardoise_x".to_owned())), None, None)
    }

    #[test]
    fn an_id_never_leads_to_another_address() {
        let api = api("https://ardoise.example.org").unwrap();
        let url = api.url(&["tablets", "../tokens?x#y", "commands"], &[("after", "a&b")]).unwrap();
        assert_eq!(
            url.as_str(),
            "https://ardoise.example.org/api/v1/tablets/..%2Ftokens%3Fx%23y/commands?after=a%26b"
        );
    }

    #[test]
    fn a_token_crosses_no_network_in_clear() {
        for base in ["http://ardoise.example.org", "ftp://localhost", "mailto:a@example.org"] {
            assert!(matches!(api(base), Err(Failure::Usage(_))), "{base}");
        }
        assert!(api("http://127.0.0.1:9443").is_ok());
    }

    #[test]
    fn t_c11_a_client_does_not_show_its_token() {
        let shown = format!("{:?}", api("https://localhost:1").unwrap());
        assert!(!shown.contains("ardoise_x"), "{shown}");
    }
}
