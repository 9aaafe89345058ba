//! The egress guards with a real client: look-ups, redirects, proxies (T-B9).

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use types::Secret;

use super::authority::Authority;
use super::push_service::{Behaviour, PushService};
use crate::egress::{Egress, Lookup};
use crate::{ApnsClient, ApnsEndpoint, PushOutcome, PushPriority, PushRequest};

/// A name server that says every name is this machine.
#[derive(Debug)]
struct EverythingIsHere;

impl Lookup for EverythingIsHere {
    fn lookup(&self, _host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    }
}

const NAME: &str = "push.example.org";

async fn push_by_name(behaviour: Behaviour, suffix: &str) -> (PushOutcome, PushService) {
    let authority = Authority::new("test push authority");
    let service = PushService::start(&authority, &authority, &[NAME], &[behaviour]).await;
    let port = service.address.port();
    let entry = format!("{NAME}:{port}{suffix}").parse().unwrap();
    let egress = Egress::with_lookup([entry], Arc::new(EverythingIsHere));
    let endpoint: ApnsEndpoint = format!("https://{NAME}:{port}").parse().unwrap();
    let identity = authority.push_identity();
    let client = ApnsClient::new(&endpoint, &identity, Some(&authority.certificate_pem), &egress).unwrap();
    let request = PushRequest {
        token: Secret::new(vec![1; 32]),
        magic: Secret::new("magic".to_owned()),
        priority: PushPriority::Immediate,
        expiration: None,
    };
    (client.push(&request).await, service)
}

#[tokio::test]
async fn t_b9_an_allowed_name_that_resolves_to_this_machine_is_not_connected_to() {
    let (outcome, service) = push_by_name(Behaviour::Apple, "").await;
    let PushOutcome::Unavailable { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("127.0.0.1") && reason.contains(" private`"), "{reason}");
    assert_eq!(service.connections(), 0);
}

#[tokio::test]
async fn a_name_that_is_listed_as_private_is_connected_to() {
    let (outcome, service) = push_by_name(Behaviour::Apple, " private").await;
    assert!(matches!(outcome, PushOutcome::Accepted { .. }), "{outcome:?}");
    assert_eq!(service.connections(), 1);
}

#[tokio::test]
async fn t_b9_a_redirect_is_never_followed() {
    let here = &[("location", "/3/device/00")];
    let (outcome, service) = push_by_name(Behaviour::Answer(307, here, ""), " private").await;
    assert!(matches!(outcome, PushOutcome::Rejected { status: 307, .. }), "{outcome:?}");
    assert_eq!(service.received().len(), 1);
    let metadata = &[("location", "https://169.254.169.254/latest/meta-data/")];
    let (outcome, service) = push_by_name(Behaviour::Answer(302, metadata, ""), " private").await;
    assert!(matches!(outcome, PushOutcome::Rejected { status: 302, .. }), "{outcome:?}");
    assert_eq!(service.received().len(), 1);
}
