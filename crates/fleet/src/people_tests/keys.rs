//! What opens doors: tokens, push certificates, Apple's authorities.

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use types::{Duration, Secret};

use super::fixture::{OTHER, People, SERIAL, days, engines, now};
use crate::coming_in::{
    identify,
    tokens::{self, Wanted},
};
use crate::push_certificate::{self, Shown};
use crate::{Refusal, Scope, apple_authorities};

fn wanted(name: &str, lifetime: Duration) -> Wanted {
    Wanted { name: name.to_owned(), scope: Scope::Operate, colleges: None, lifetime }
}

/// A push certificate and its key, as Apple's portal would give them.
fn push_pem(topic: &str, years: std::ops::Range<i32>) -> (String, String) {
    const USER_ID: &[u64] = &[0, 9, 2342, 19_200_300, 100, 1, 1];
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CustomDnType(USER_ID.to_vec()), topic);
    params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

async fn set(people: &People, (certificate, key): (String, String)) -> Result<Shown, Refusal> {
    let texts = [Secret::new(certificate), Secret::new(key)];
    push_certificate::set(&people.fleet, &people.operator, &texts, None, now()).await
}

pub(super) async fn install_push_certificate(people: &People, topic: &str) {
    set(people, push_pem(topic, 2026..2028)).await.unwrap();
}

#[tokio::test]
async fn t_b1_a_push_certificate_of_another_topic_is_refused_with_the_number_it_would_lose() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        people.enrol(SERIAL).await;
        people.enrol(OTHER).await;
        let refusal = set(&people, push_pem("com.apple.mgmt.External.other", 2026..2028)).await.unwrap_err();
        assert!(matches!(&refusal, Refusal::Conflict(why) if why.starts_with("2 tablet(s)")), "{refusal}");
        assert_eq!(push_certificate::show(&people.fleet, &people.operator, now()).await.unwrap(), None);

        set(&people, push_pem("com.apple.mgmt.External.test", 2026..2028)).await.unwrap();
        let shown = push_certificate::show(&people.fleet, &people.operator, now()).await.unwrap().unwrap();
        assert_eq!(shown.topic, "com.apple.mgmt.External.test");
        assert!((400..800).contains(&shown.days_left), "{}", shown.days_left);
        assert_eq!(people.audit().await, ["inventory.import", "push-certificate.set"]);
    }
}

#[tokio::test]
async fn t_b1_a_key_of_another_certificate_and_an_expired_certificate_are_refused() {
    let people = People::new(store::Engine::Sqlite).await;
    let topic = "com.apple.mgmt.External.test";
    let (certificate, _) = push_pem(topic, 2026..2028);
    let (_, other_key) = push_pem(topic, 2026..2028);
    let cases = [
        ((certificate.clone(), other_key), "does not belong"),
        (push_pem(topic, 2020..2021), "expired"),
        (push_pem("org.example.mail", 2026..2028), "not for device management"),
        ((certificate, String::new()), "no private key"),
    ];
    for (pem, words) in cases {
        let refusal = set(&people, pem).await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::Invalid { .. }) && refusal.to_string().contains(words),
            "{refusal}"
        );
    }
    assert!(people.audit().await.is_empty());
}

#[tokio::test]
async fn a_token_opens_until_it_expires_or_is_revoked() {
    for engine in engines() {
        let people = People::new(engine).await;
        let given = tokens::create(&people.fleet, &people.operator, wanted("the référent", days(30)), now())
            .await
            .unwrap();
        let open = |at| identify(&people.fleet, given.secret.expose(), at);
        // What a token does counts against its account (M5).
        assert_eq!(open(now()).await.unwrap().actor(), types::Actor::Account(people.camille));
        assert!(matches!(open(now().plus(days(30))).await, Err(Refusal::NotAuthenticated)));

        let listed = tokens::list(&people.fleet, &people.operator, now()).await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(now()));
        tokens::revoke(&people.fleet, &people.operator, given.token.id, now()).await.unwrap();
        tokens::revoke(&people.fleet, &people.operator, given.token.id, now()).await.unwrap();
        assert!(matches!(open(now()).await, Err(Refusal::NotAuthenticated)));
        assert_eq!(people.audit().await, ["token.create", "token.revoke"]);
    }
}

#[tokio::test]
async fn only_the_hash_of_a_token_is_stored() {
    let people = People::new(store::Engine::Sqlite).await;
    let given = tokens::create(&people.fleet, &people.operator, wanted("x", days(1)), now()).await.unwrap();
    let secret = given.secret.expose();
    let entries = people
        .fleet
        .store()
        .read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 100))
        .await
        .unwrap();
    let stored =
        format!("{:?} {entries:?}", tokens::list(&people.fleet, &people.operator, now()).await.unwrap());
    assert!(!stored.contains(secret.as_str()));
    for guess in [
        "",
        "ardoise_",
        secret.get(..secret.len() - 1).unwrap(),
        &given.token.secret_sha256.to_string(),
        &secret.to_uppercase(),
    ] {
        assert!(
            matches!(identify(&people.fleet, guess, now()).await, Err(Refusal::NotAuthenticated)),
            "{guess}"
        );
    }
}

#[tokio::test]
async fn t_c14_a_token_has_a_name_and_an_end_and_no_token_makes_another() {
    let people = People::new(store::Engine::Sqlite).await;
    for (name, lifetime) in [("", days(1)), ("a\nb", days(1)), ("x", days(0)), ("x", days(367))] {
        let refused = tokens::create(&people.fleet, &people.operator, wanted(name, lifetime), now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { .. })), "{name:?}");
    }
    let reader = people.reader().await;
    let refused = tokens::create(&people.fleet, &reader, wanted("x", days(1)), now()).await;
    assert!(matches!(refused, Err(Refusal::NotAllowed { .. })));
    assert!(matches!(tokens::list(&people.fleet, &reader, now()).await, Err(Refusal::NotAllowed { .. })));
}

#[tokio::test]
async fn only_apples_own_authorities_are_admitted() {
    let people = People::new(store::Engine::Sqlite).await;
    let (other, _) = push_pem("com.apple.mgmt.External.test", 2026..2028);
    for file in [other.as_bytes(), b"not a certificate", b""] {
        let refused = apple_authorities::add(&people.fleet, &people.operator, file, now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { field: "file", .. })));
    }
    let listed = apple_authorities::list(&people.fleet, &people.operator, now()).await.unwrap();
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|authority| !authority.present));
}

#[tokio::test]
async fn a_stored_authority_that_was_changed_by_hand_is_noticed() {
    let people = People::new(store::Engine::Sqlite).await;
    let name = format!("apple-authority.{}", pki::AppleAuthority::RootCa.fingerprint());
    people.fleet.store().write(move |tx| store::settings::set(tx, &name, "AQID")).await.unwrap();
    let refused = apple_authorities::list(&people.fleet, &people.operator, now()).await;
    assert!(matches!(refused, Err(Refusal::Internal(why)) if why.contains("Apple Root CA")));
}
