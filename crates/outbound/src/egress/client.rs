//! An HTTP client that can speak to one destination only.

use reqwest::{Client, ClientBuilder, RequestBuilder};
use url::Url;

use super::resolver::GuardedResolver;
use super::{Destination, Egress, EgressRefusal};

/// A client for one destination of the allow-list, with a connection pool of its own.
///
/// It follows no redirect, obeys no proxy of the environment, and repeats no request by itself.
#[derive(Debug, Clone)]
pub(crate) struct GuardedClient {
    client: Client,
    destination: Destination,
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The destination is not allowed.
    #[error(transparent)]
    Refused(#[from] EgressRefusal),
    /// The HTTP library refused the settings.
    #[error("the HTTP client cannot be made")]
    Build(#[from] reqwest::Error),
}

impl GuardedClient {
    /// A client for the host and port of `url`. What `configure` sets cannot undo the guards, which are
    /// applied after it.
    pub(crate) fn new(
        egress: &Egress,
        url: &Url,
        configure: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, ClientError> {
        let destination = egress.admit(url)?.clone();
        let resolver = GuardedResolver::new(destination.clone(), egress.lookup.clone());
        let client = configure(Client::builder())
            .https_only(true)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .dns_resolver(resolver)
            .build()?;
        Ok(Self { client, destination })
    }

    /// A POST to `url`, which must be on this client's destination.
    pub(crate) fn post(&self, url: Url) -> Result<RequestBuilder, EgressRefusal> {
        if url.scheme() == "https" && self.destination.matches(&url) {
            Ok(self.client.post(url))
        } else {
            let host = url.host_str().unwrap_or_default();
            let port = url.port_or_known_default().unwrap_or_default();
            Err(EgressRefusal::NotListed { destination: format!("{host}:{port}") })
        }
    }
}
