//! The egress allow-list: which hosts and ports this server may speak to, and at which addresses.
//!
//! Two gates, because one is not enough. The list is compared with the URL before a client is built and
//! before each request; the resolver then refuses addresses of private networks for a listed *name*, so
//! that a name server cannot turn an allowed name into a way to the machines next door (DNS rebinding).
//! The addresses that were checked are the ones that are connected to: there is no second look-up.

mod address;
mod client;
mod destination;
mod resolver;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use url::Url;

pub(crate) use client::{ClientError, GuardedClient};
pub use destination::{Destination, InvalidDestination};
pub(crate) use resolver::Lookup;
use resolver::{GuardedResolver, SystemLookup};

/// Why a request may not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressRefusal {
    /// The URL is not `https`: `file:`, `http:`, `ftp:` and the like never leave.
    #[error("`{scheme}:` addresses are refused: only https leaves this server")]
    Scheme {
        /// The scheme of the refused URL.
        scheme: String,
    },
    /// The URL carries a user name or password, which would travel and be logged.
    #[error("an address with a user name or password is refused: remove it from the URL")]
    Credentials,
    /// The host and port are not on the list.
    #[error("`{destination}` is not in the egress allow-list: add it to `egress.allow` if it is meant")]
    NotListed {
        /// `host:port` of the refused URL.
        destination: String,
    },
    /// A listed name resolves into a private network.
    #[error(
        "`{host}` resolves to {address}, inside a private network: if that is meant, list it as \
         `{host}:{port} private` in `egress.allow`"
    )]
    PrivateAddress {
        /// The name that was looked up.
        host: String,
        /// The port that was to be connected to.
        port: u16,
        /// The first address that is not public.
        address: IpAddr,
    },
}

/// The allow-list. Cheap to clone: clones share the list.
#[derive(Debug, Clone)]
pub struct Egress {
    allowed: Arc<[Destination]>,
    lookup: Arc<dyn Lookup>,
}

impl Egress {
    /// A list of exactly these destinations.
    #[must_use]
    pub fn new(allowed: impl IntoIterator<Item = Destination>) -> Self {
        Self::with_lookup(allowed, Arc::new(SystemLookup))
    }

    /// What a production server speaks to without being told: Apple's push service, on both of its ports,
    /// production and sandbox.
    #[must_use]
    pub fn apple() -> Vec<Destination> {
        ["api.push.apple.com", "api.sandbox.push.apple.com"]
            .into_iter()
            .flat_map(|host| [443, 2197].map(|port| Destination::public_name(host, port)))
            .collect()
    }

    pub(crate) fn with_lookup(
        allowed: impl IntoIterator<Item = Destination>,
        lookup: Arc<dyn Lookup>,
    ) -> Self {
        Self { allowed: allowed.into_iter().collect(), lookup }
    }

    /// The destinations on the list.
    #[must_use]
    pub fn destinations(&self) -> &[Destination] {
        &self.allowed
    }

    /// Whether a request to `url` may leave, as far as the URL itself tells: scheme, credentials, host and
    /// port. The addresses of a name are checked when it is resolved.
    ///
    /// # Errors
    ///
    /// [`EgressRefusal`] with what to change.
    pub fn admit(&self, url: &Url) -> Result<&Destination, EgressRefusal> {
        if url.scheme() != "https" {
            return Err(EgressRefusal::Scheme { scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressRefusal::Credentials);
        }
        self.allowed.iter().find(|destination| destination.matches(url)).ok_or_else(|| {
            EgressRefusal::NotListed {
                destination: format!(
                    "{}:{}",
                    url.host_str().unwrap_or_default(),
                    url.port_or_known_default().unwrap_or_default()
                ),
            }
        })
    }

    /// The addresses at which this host and port may be connected to, looked up now: connect to these, and to no others.
    ///
    /// # Errors
    /// [`EgressRefusal`]; inside, that the name could not be looked up.
    pub(crate) async fn connectable(
        &self,
        host: &str,
        port: u16,
    ) -> Result<io::Result<Vec<SocketAddr>>, EgressRefusal> {
        let not_listed = || EgressRefusal::NotListed { destination: format!("{host}:{port}") };
        let destination = self.allowed.iter().find(|one| one.is_at(host, port)).ok_or_else(not_listed)?;
        let addresses = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_a_name) => match self.lookup.lookup(host).await {
                Ok(addresses) => {
                    GuardedResolver::vet(destination, host, &addresses)?;
                    addresses
                }
                Err(error) => return Ok(Err(error)),
            },
        };
        Ok(Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()))
    }

    /// Whether the list names this host and port, as far as that can be told without looking the name up.
    #[must_use]
    pub fn lists(&self, host: &str, port: u16) -> bool {
        self.allowed.iter().any(|one| one.is_at(host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(entries: &[&str]) -> Egress {
        Egress::new(entries.iter().map(|entry| entry.parse().unwrap()))
    }

    fn refusal(egress: &Egress, url: &str) -> EgressRefusal {
        egress.admit(&url.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn apple_is_reachable_by_default_and_nothing_else() {
        let egress = Egress::new(Egress::apple());
        for url in [
            "https://api.push.apple.com/3/device/00",
            "https://api.push.apple.com:443/",
            "https://API.push.apple.com:2197/",
            "https://api.sandbox.push.apple.com/",
        ] {
            assert!(egress.admit(&url.parse().unwrap()).is_ok(), "{url}");
        }
        for url in [
            "https://push.apple.com/",
            "https://api.push.apple.com:8443/",
            "https://api.push.apple.com.example.org/",
            "https://api.push.apple.com./",
            "https://example.org/https://api.push.apple.com/",
        ] {
            assert!(matches!(refusal(&egress, url), EgressRefusal::NotListed { .. }), "{url}");
        }
    }

    #[test]
    fn t_b9_addresses_of_the_machine_and_of_cloud_metadata_are_refused() {
        let egress = Egress::new(Egress::apple());
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://localhost/",
            "https://10.0.0.1:443/",
            "https://0.0.0.0/",
        ] {
            assert!(matches!(refusal(&egress, url), EgressRefusal::NotListed { .. }), "{url}");
        }
    }

    #[test]
    fn t_b9_only_https_leaves() {
        let egress = egress(&["api.push.apple.com:443", "api.push.apple.com:80", "127.0.0.1:80"]);
        for url in [
            "file:///etc/passwd",
            "http://api.push.apple.com/",
            "http://127.0.0.1/",
            "ftp://api.push.apple.com/",
            "gopher://127.0.0.1:80/",
            "data:text/plain,hello",
        ] {
            assert!(matches!(refusal(&egress, url), EgressRefusal::Scheme { .. }), "{url}");
        }
    }

    #[test]
    fn t_b9_credentials_in_an_address_are_refused() {
        let egress = Egress::new(Egress::apple());
        for url in ["https://user@api.push.apple.com/", "https://api.push.apple.com:x@api.push.apple.com/"] {
            assert_eq!(refusal(&egress, url), EgressRefusal::Credentials, "{url}");
        }
    }

    #[test]
    fn an_address_that_is_listed_by_number_is_admitted_on_its_port_only() {
        let egress = egress(&["127.0.0.1:8443", "[::1]:8443"]);
        assert!(egress.admit(&"https://127.0.0.1:8443/".parse().unwrap()).is_ok());
        assert!(egress.admit(&"https://[::1]:8443/".parse().unwrap()).is_ok());
        for url in ["https://127.0.0.1:8444/", "https://127.0.0.2:8443/", "https://localhost:8443/"] {
            assert!(matches!(refusal(&egress, url), EgressRefusal::NotListed { .. }), "{url}");
        }
    }

    #[test]
    fn a_refusal_names_what_was_asked_for_and_the_key_to_change() {
        let message = refusal(&Egress::new([]), "https://hooks.example.org:8443/x?secret=1").to_string();
        assert!(message.contains("hooks.example.org:8443") && message.contains("egress.allow"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
}
