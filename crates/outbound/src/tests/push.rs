//! Pushes: what goes over the wire, and what becomes of every kind of refusal (T-B1, T-B2, T-B4).

use std::time::Duration;

use types::{Instant, Secret};

use super::authority::{Authority, TOPIC};
use super::push_service::{Behaviour, PushService};
use crate::{
    ApnsClient, ApnsEndpoint, ApnsSetupError, Egress, EgressRefusal, PushIdentity, PushOutcome, PushPriority,
    PushRequest,
};

/// A push service and a client of it.
struct Push {
    service: PushService,
    client: ApnsClient,
}

impl Push {
    async fn with(script: &[Behaviour]) -> Self {
        let authority = Authority::new("test push authority");
        let service = PushService::start(&authority, &authority, &["127.0.0.1"], script).await;
        let client = client(&service, &authority, &authority.push_identity());
        Self { service, client }
    }

    async fn push(&self) -> PushOutcome {
        self.client.push(&request("magic")).await
    }
}

fn client(service: &PushService, authority: &Authority, identity: &PushIdentity) -> ApnsClient {
    let egress = Egress::new([service.address.to_string().parse().unwrap()]);
    let endpoint: ApnsEndpoint = service.url().parse().unwrap();
    ApnsClient::new(&endpoint, identity, Some(&authority.certificate_pem), &egress).unwrap()
}

fn request(magic: &str) -> PushRequest {
    PushRequest {
        token: Secret::new(vec![0xab; 32]),
        magic: Secret::new(magic.to_owned()),
        priority: PushPriority::Immediate,
        expiration: Some(Instant::from_millis(1_790_000_000_999)),
    }
}

fn unavailable(outcome: &PushOutcome) -> &str {
    match outcome {
        PushOutcome::Unavailable { reason } => reason,
        other => panic!("expected Unavailable, saw {other:?}"),
    }
}

#[tokio::test]
async fn a_push_says_what_apple_asks_for_and_nothing_more() {
    let push = Push::with(&[Behaviour::Apple]).await;
    let accepted = PushOutcome::Accepted { apns_id: Some("5f7e9a7c-0b1d-4f4e-8d0a-3c1b2a190807".to_owned()) };
    assert_eq!(push.push().await, accepted);
    let received = push.service.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].path, format!("/3/device/{}", "ab".repeat(32)));
    assert_eq!(received[0].body, r#"{"mdm":"magic"}"#);
    let header = |name: &str| received[0].headers[name].to_str().unwrap();
    assert_eq!(header("apns-topic"), TOPIC);
    assert_eq!(header("apns-push-type"), "mdm");
    assert_eq!(header("apns-priority"), "10");
    assert_eq!(header("apns-expiration"), "1790000000");
}

#[tokio::test]
async fn housekeeping_is_sent_with_low_priority_and_without_an_expiry() {
    let push = Push::with(&[Behaviour::Apple]).await;
    let quiet =
        PushRequest { priority: PushPriority::PowerConsiderate, expiration: None, ..request("magic") };
    assert!(matches!(push.client.push(&quiet).await, PushOutcome::Accepted { .. }));
    let received = push.service.received();
    assert_eq!(received[0].headers["apns-priority"], "5");
    assert!(!received[0].headers.contains_key("apns-expiration"));
}

#[tokio::test]
async fn t_b4_a_push_magic_cannot_break_out_of_the_payload() {
    let push = Push::with(&[Behaviour::Apple]).await;
    for magic in ["a\"b", "a\\b", "a\nb", "\",\"aps\":{\"alert\":\"x\"},\"y\":\""] {
        assert!(matches!(push.client.push(&request(magic)).await, PushOutcome::Accepted { .. }), "{magic}");
        let body = push.service.received().last().unwrap().body.clone();
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(read, serde_json::json!({ "mdm": magic }));
    }
}

#[tokio::test]
async fn many_pushes_at_once_share_one_connection() {
    let push = Push::with(&[Behaviour::Apple]).await;
    let mut together = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let client = push.client.clone();
        together.spawn(async move { client.push(&request("magic")).await });
    }
    while let Some(outcome) = together.join_next().await {
        assert!(matches!(outcome.unwrap(), PushOutcome::Accepted { .. }));
    }
    assert_eq!(push.service.received().len(), 600);
    assert_eq!(push.service.connections(), 1);
}

#[tokio::test]
async fn t_b2_a_silent_service_is_given_up_and_gives_its_places_back() {
    let authority = Authority::new("test push authority");
    let service = PushService::start(&authority, &authority, &["127.0.0.1"], &[Behaviour::Silence]).await;
    let egress = Egress::new([service.address.to_string().parse().unwrap()]);
    let client = ApnsClient::with_patience(
        &service.url().parse().unwrap(),
        &authority.push_identity(),
        Some(&authority.certificate_pem),
        &egress,
        // Long enough for the handshake on a busy machine, which is given up in other words.
        Duration::from_secs(3),
    )
    .unwrap();
    let mut together = tokio::task::JoinSet::new();
    // More than there are places: the last ones are sent only because the first ones are given up.
    for _ in 0..700 {
        let client = client.clone();
        together.spawn(async move { client.push(&request("magic")).await });
    }
    while let Some(outcome) = together.join_next().await {
        assert!(unavailable(&outcome.unwrap()).contains("no answer in time"));
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    let long: &'static str = Box::leak("x".repeat(1_000_000).into_boxed_str());
    let push = Push::with(&[Behaviour::Answer(400, &[], long)]).await;
    let expected = PushOutcome::Rejected { status: 400, reason: "HTTP 400".to_owned() };
    assert_eq!(push.push().await, expected);
}

#[tokio::test]
async fn t_b2_an_unregistered_token_is_reported_with_its_date() {
    let body = r#"{"reason":"Unregistered","timestamp":1790000000000}"#;
    let push = Push::with(&[Behaviour::Answer(410, &[], body)]).await;
    let since = Some(Instant::from_millis(1_790_000_000_000));
    let expected = PushOutcome::TokenInvalid { reason: "Unregistered".to_owned(), since };
    assert_eq!(push.push().await, expected);
    assert_eq!(push.service.received().len(), 1, "not repeated");
}

#[tokio::test]
async fn t_b2_a_throttled_push_is_not_repeated_at_once() {
    let answer = Behaviour::Answer(429, &[("retry-after", "30")], r#"{"reason":"TooManyRequests"}"#);
    let push = Push::with(&[answer]).await;
    let expected = PushOutcome::Throttled { retry_after: Some(Duration::from_secs(30)) };
    assert_eq!(push.push().await, expected);
    assert_eq!(push.service.received().len(), 1, "not repeated");
}

#[tokio::test]
async fn t_b2_a_push_whose_connection_goes_away_is_sent_again_on_a_fresh_one() {
    for first in [
        Behaviour::GoAway(0, r#"{"reason":"Shutdown"}"#),
        Behaviour::GoAway(2, ""),
        Behaviour::Drop,
        Behaviour::Reset(h2::Reason::REFUSED_STREAM),
    ] {
        let push = Push::with(&[first.clone(), Behaviour::Apple]).await;
        let outcome = push.push().await;
        if matches!(first, Behaviour::Reset(_)) {
            // The connection itself is alive and behaves the same.
            assert!(unavailable(&outcome).contains("refused stream"), "{outcome:?}");
        } else {
            assert!(matches!(outcome, PushOutcome::Accepted { .. }), "{first:?}: {outcome:?}");
            assert_eq!(push.service.connections(), 2, "{first:?}");
            assert_eq!(push.service.received().len(), 1, "{first:?}");
        }
    }
}

#[tokio::test]
async fn t_b2_a_service_that_always_goes_away_is_tried_twice_and_no_more() {
    for behaviour in [Behaviour::GoAway(0, r#"{"reason":"Shutdown"}"#), Behaviour::Drop] {
        let push = Push::with(std::slice::from_ref(&behaviour)).await;
        let outcome = push.push().await;
        assert!(!unavailable(&outcome).contains("abab"), "the token is no part of a reason: {outcome:?}");
        assert_eq!(push.service.connections(), 2, "{behaviour:?}");
    }
}

#[tokio::test]
async fn t_b2_a_graceful_end_of_a_connection_loses_no_push() {
    let push = Push::with(&[Behaviour::GoAwayAfter(3), Behaviour::GoAwayAfter(3), Behaviour::Apple]).await;
    for _ in 0..20 {
        assert!(matches!(push.push().await, PushOutcome::Accepted { .. }));
    }
    assert!(push.service.received().len() >= 20);
    assert_eq!(push.service.connections(), 3);
}

#[tokio::test]
async fn t_b2_a_service_that_asks_for_calm_is_left_alone() {
    let push = Push::with(&[Behaviour::GoAway(11, "too_many_pings")]).await;
    assert_eq!(push.push().await, PushOutcome::Throttled { retry_after: None });
    assert_eq!(push.service.connections(), 1);
}

#[tokio::test]
async fn t_b2_a_service_that_is_down_is_unavailable() {
    let push = Push::with(&[Behaviour::Refuse]).await;
    unavailable(&push.push().await);
    let client = {
        let authority = Authority::new("gone");
        let gone = PushService::start(&authority, &authority, &["127.0.0.1"], &[Behaviour::Apple]).await;
        client(&gone, &authority, &authority.push_identity())
    };
    tokio::task::yield_now().await;
    unavailable(&client.push(&request("magic")).await);
}

#[tokio::test]
async fn a_push_certificate_that_the_service_does_not_know_is_refused_as_such() {
    let (apple, foreign) = (Authority::new("apple"), Authority::new("foreign"));
    let service = PushService::start(&apple, &apple, &["127.0.0.1"], &[Behaviour::Apple]).await;
    let outcome = client(&service, &apple, &foreign.push_identity()).push(&request("magic")).await;
    assert!(matches!(outcome, PushOutcome::CertificateRefused { .. }), "{outcome:?}");
    assert!(service.received().is_empty());
}

#[tokio::test]
async fn a_connection_closed_because_of_the_certificate_says_so() {
    let push = Push::with(&[Behaviour::GoAway(0, r#"{"reason":"BadCertificate"}"#)]).await;
    let expected = PushOutcome::CertificateRefused { reason: "BadCertificate".to_owned() };
    assert_eq!(push.push().await, expected);
    assert_eq!(push.service.connections(), 1, "not repeated");
}

#[tokio::test]
async fn a_service_that_its_authority_does_not_vouch_for_learns_no_token() {
    let (apple, impostor) = (Authority::new("apple"), Authority::new("impostor"));
    let service = PushService::start(&impostor, &apple, &["127.0.0.1"], &[Behaviour::Apple]).await;
    let outcome = client(&service, &apple, &apple.push_identity()).push(&request("magic")).await;
    assert!(unavailable(&outcome).contains("certificate"), "{outcome:?}");
    assert!(service.received().is_empty());
}

#[tokio::test]
async fn a_service_of_another_name_learns_no_token() {
    let apple = Authority::new("apple");
    let service = PushService::start(&apple, &apple, &["push.example.org"], &[Behaviour::Apple]).await;
    let outcome = client(&service, &apple, &apple.push_identity()).push(&request("magic")).await;
    assert!(unavailable(&outcome).contains("certificate"), "{outcome:?}");
    assert!(service.received().is_empty());
}

#[tokio::test]
async fn an_impossible_token_is_not_sent() {
    let push = Push::with(&[Behaviour::Apple]).await;
    for token in [vec![], vec![0; 101]] {
        let impossible = PushRequest { token: Secret::new(token), ..request("magic") };
        assert!(matches!(push.client.push(&impossible).await, PushOutcome::TokenInvalid { since: None, .. }));
    }
    assert_eq!(push.service.connections(), 0);
}

#[test]
fn t_b1_a_key_that_is_not_the_certificates_is_refused() {
    let authority = Authority::new("apple");
    let (ours, other) = (authority.push_identity(), authority.push_identity());
    let mixed = PushIdentity { key_pem: other.key_pem, ..ours };
    let error = setup(&mixed, &Authority::new("trust").certificate_pem).unwrap_err();
    assert!(matches!(error, ApnsSetupError::Mismatch(_)), "{error:?}");
}

#[test]
fn t_b1_a_certificate_without_a_management_topic_is_refused() {
    let authority = Authority::new("apple");
    let app = PushIdentity { topic: "com.example.app".to_owned(), ..authority.push_identity() };
    let error = setup(&app, &authority.certificate_pem).unwrap_err();
    assert!(error.to_string().contains("com.example.app"), "{error}");
}

#[test]
fn what_is_not_pem_is_named() {
    let authority = Authority::new("apple");
    let good = authority.push_identity();
    let trust = &authority.certificate_pem;
    let no_chain = PushIdentity { chain_pem: "not PEM".to_owned(), ..good.clone() };
    assert!(matches!(setup(&no_chain, trust), Err(ApnsSetupError::Certificate(None))));
    let no_key = PushIdentity { key_pem: Secret::new(good.chain_pem.clone()), ..good.clone() };
    assert!(matches!(setup(&no_key, trust), Err(ApnsSetupError::Key(_))));
    assert!(matches!(setup(&good, ""), Err(ApnsSetupError::Trust(None))));
}

#[test]
fn t_b9_a_push_service_outside_the_allow_list_is_refused() {
    let authority = Authority::new("apple");
    let identity = authority.push_identity();
    let endpoint = "https://127.0.0.1:2197".parse().unwrap();
    let egress = Egress::new(Egress::apple());
    let error = ApnsClient::new(&endpoint, &identity, Some(&authority.certificate_pem), &egress).unwrap_err();
    assert!(matches!(error, ApnsSetupError::Egress(EgressRefusal::NotListed { .. })), "{error:?}");
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let shown = format!("{:?} {:?}", request("the-magic"), Authority::new("apple").push_identity());
    assert!(
        !shown.contains("the-magic") && !shown.contains("171, 171") && !shown.contains("PRIVATE KEY"),
        "{shown}"
    );
}

fn setup(identity: &PushIdentity, trust: &str) -> Result<ApnsClient, ApnsSetupError> {
    let egress = Egress::new(Egress::apple());
    ApnsClient::new(&ApnsEndpoint::Production, identity, Some(trust), &egress)
}
