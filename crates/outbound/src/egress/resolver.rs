//! Name look-ups that refuse private addresses, for one destination.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Destination, EgressRefusal, address};

/// Where names are looked up.
pub(crate) trait Lookup: Debug + Send + Sync {
    /// The addresses of `host`.
    fn lookup(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The machine's own resolver.
#[derive(Debug)]
pub(super) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Resolves the name of one destination, and nothing else.
///
/// An answer that mixes public and private addresses is refused as a whole: no honest name server gives it.
#[derive(Debug, Clone)]
pub(super) struct GuardedResolver {
    destination: Destination,
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(super) fn new(destination: Destination, lookup: Arc<dyn Lookup>) -> Self {
        Self { destination, lookup }
    }

    /// Refuses addresses that the entry does not admit.
    pub(super) fn vet(
        destination: &Destination,
        host: &str,
        addresses: &[IpAddr],
    ) -> Result<(), EgressRefusal> {
        if destination.is_private() {
            return Ok(());
        }
        match addresses.iter().find(|address| !address::is_public(**address)) {
            None => Ok(()),
            Some(address) => Err(EgressRefusal::PrivateAddress {
                host: host.to_owned(),
                port: destination.port(),
                address: *address,
            }),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let destination = self.destination.clone();
        let addresses = self.lookup.lookup(&host);
        Box::pin(async move {
            if !destination.is_named(&host) {
                let destination = format!("{host}:{}", destination.port());
                return Err(EgressRefusal::NotListed { destination }.into());
            }
            let addresses = addresses.await?;
            Self::vet(&destination, &host, &addresses)?;
            // Port 0 stands for the port of the URL.
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            let sockets: Addrs = Box::new(sockets);
            Ok(sockets)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers each look-up with the next list.
    #[derive(Debug)]
    struct Scripted(Mutex<Vec<Vec<&'static str>>>);

    impl Lookup for Scripted {
        fn lookup(&self, _host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
            let answer = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(answer.iter().map(|text| text.parse().unwrap()).collect()) })
        }
    }

    fn resolver(entry: &str, answers: &[&[&'static str]]) -> GuardedResolver {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        GuardedResolver::new(entry.parse().unwrap(), Arc::new(Scripted(Mutex::new(answers))))
    }

    async fn resolve(resolver: &GuardedResolver, name: &str) -> Result<Vec<SocketAddr>, EgressRefusal> {
        match resolver.resolve(name.parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(*error.downcast::<EgressRefusal>().unwrap()),
        }
    }

    #[tokio::test]
    async fn t_b9_a_name_that_is_rebound_to_the_machine_is_refused() {
        let resolver = resolver("hooks.example.org:443", &[&["17.188.143.1"], &["127.0.0.1"]]);
        assert_eq!(resolve(&resolver, "hooks.example.org").await.unwrap().len(), 1);
        let refusal = resolve(&resolver, "hooks.example.org").await.unwrap_err();
        assert!(refusal.to_string().contains("hooks.example.org:443 private"), "{refusal}");
    }

    #[tokio::test]
    async fn t_b9_one_private_address_among_public_ones_refuses_them_all() {
        for private in ["169.254.169.254", "::1", "10.0.0.1", "::ffff:127.0.0.1"] {
            let resolver = resolver("hooks.example.org:443", &[&["17.188.143.1", private]]);
            let refusal = resolve(&resolver, "hooks.example.org").await.unwrap_err();
            assert!(matches!(refusal, EgressRefusal::PrivateAddress { .. }), "{private}");
        }
    }

    #[tokio::test]
    async fn a_name_listed_as_private_may_live_in_a_private_network() {
        let resolver = resolver("mail.college.lan:587 private", &[&["10.0.0.25"]]);
        assert_eq!(resolve(&resolver, "mail.college.lan").await.unwrap(), ["10.0.0.25:0".parse().unwrap()]);
    }

    #[tokio::test]
    async fn t_b9_a_client_resolves_no_other_name_than_its_own() {
        let resolver = resolver("hooks.example.org:443", &[&["17.188.143.1"]]);
        let refusal = resolve(&resolver, "evil.example.org").await.unwrap_err();
        assert!(matches!(refusal, EgressRefusal::NotListed { .. }));
    }
}
