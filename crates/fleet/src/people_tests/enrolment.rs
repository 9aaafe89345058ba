//! How tablets come: links, and the takeover of another server's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::Authority;
use types::Duration;

use super::fixture::{INVENTORY, OTHER, People, SERIAL, days, engines, named, now};
use crate::links::{self, Audience};
use crate::page::Page;
use crate::takeover::{self, Handover};
use crate::{Refusal, TakeoverPolicy, bearer_secret, inventory};

#[tokio::test]
async fn a_link_is_shown_once_and_only_its_hash_is_kept() {
    for engine in engines() {
        let people = People::stocked(engine).await;
        let audience = Audience::Tablet(named(SERIAL));
        let made = links::create(&people.fleet, &people.operator, audience, links::USUAL_LIFETIME, now())
            .await
            .unwrap();
        let token = made.url.expose().strip_prefix("https://tablettes.example.fr/enrol/").unwrap().to_owned();
        assert_eq!(token.len(), 43);
        assert_eq!(made.link.token_sha256, bearer_secret::digest(&token));
        let listed = links::list(&people.fleet, &people.operator, Page::default(), now()).await.unwrap();
        assert_eq!(listed.items, std::slice::from_ref(&made.link));
        assert!(!format!("{listed:?}").contains(&token));

        for _ in 0..2 {
            links::revoke(&people.fleet, &people.operator, made.link.id, now()).await.unwrap();
        }
        let listed = links::list(&people.fleet, &people.operator, Page::default(), now()).await.unwrap();
        assert_eq!(listed.items[0].revoked_at, Some(now()));
        assert_eq!(people.audit().await, ["inventory.import", "link.create", "link.revoke"]);
    }
}

#[tokio::test]
async fn a_link_out_of_bounds_or_for_a_stranger_is_refused() {
    let people = People::stocked(store::Engine::Sqlite).await;
    let batch = |max_uses| Audience::Batch { uai: "0761234A".parse().unwrap(), max_uses };
    type Expected = fn(&Refusal) -> bool;
    let cases: [(Audience, Duration, Expected); 7] = [
        (batch(0), days(7), |refusal| matches!(refusal, Refusal::Invalid { field: "max_uses", .. })),
        (batch(-1), days(7), |refusal| matches!(refusal, Refusal::Invalid { field: "max_uses", .. })),
        (batch(10_001), days(7), |refusal| matches!(refusal, Refusal::Invalid { field: "max_uses", .. })),
        (batch(30), days(0), |refusal| matches!(refusal, Refusal::Invalid { field: "expires_in_days", .. })),
        (batch(30), days(91), |refusal| matches!(refusal, Refusal::Invalid { field: "expires_in_days", .. })),
        (Audience::Tablet(named("DMPXK1ZZZZ99")), days(7), |refusal| {
            matches!(refusal, Refusal::NotFound { .. })
        }),
        (Audience::Tablet(named("R52N10ABCDE")), days(7), |refusal| refusal.to_string().contains("Android")),
    ];
    for (audience, lifetime, expected) in cases {
        let refusal =
            links::create(&people.fleet, &people.operator, audience, lifetime, now()).await.unwrap_err();
        assert!(expected(&refusal), "{refusal}");
    }
    let reader = people.reader().await;
    let refused = links::create(&people.fleet, &reader, batch(30), days(7), now()).await;
    assert!(matches!(refused, Err(Refusal::NotAllowed { .. })));
}

/// The file of another server: its authority, and one line for each serial.
fn handover(serials: &[&str], window: Duration) -> Handover {
    let authority = Authority::generate("Other server", now(), days(3650)).unwrap();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        STANDARD.encode(authority.certificate_der())
    );
    let mut tablets =
        String::from("udid,serial,topic,push_token,push_magic,unlock_token,certificate_sha256\n");
    for serial in serials {
        let certificate = pki::Fingerprint::of(serial.as_bytes());
        tablets.push_str(&format!(
            "00008020-000915083C80012E,{serial},com.apple.mgmt.External.old,AQID,magic,,{certificate}\n"
        ));
    }
    Handover { authority: pem.into_bytes(), tablets, window }
}

async fn open(engine: store::Engine) -> People {
    let people = People::with(engine, TakeoverPolicy::Open).await;
    inventory::import(&people.fleet, &people.operator, INVENTORY.as_bytes(), now()).await.unwrap();
    people
}

#[tokio::test]
async fn t_a6_nothing_is_taken_over_unless_the_settings_open_it() {
    let people = People::stocked(store::Engine::Sqlite).await;
    let refused =
        takeover::import(&people.fleet, &people.operator, handover(&[SERIAL], days(7)), now()).await;
    assert!(
        matches!(&refused, Err(Refusal::Conflict(why)) if why.contains("takeover.enabled")),
        "{refused:?}"
    );
    assert_eq!(people.fleet.authorities().issuing().trusted().iter().count(), 1);
}

#[tokio::test]
async fn t_a6_an_import_is_audited_for_each_tablet_and_ends_by_itself() {
    for engine in engines() {
        let people = open(engine).await;
        let imported =
            takeover::import(&people.fleet, &people.operator, handover(&[SERIAL, OTHER], days(30)), now())
                .await
                .unwrap();
        assert_eq!((imported.tablets, imported.new_authority), (2, true));
        assert_eq!(people.fleet.authorities().issuing().trusted().iter().count(), 2);
        assert_eq!(people.audit().await, ["inventory.import", "takeover.import", "takeover.import"]);

        let first =
            takeover::list(&people.fleet, &people.operator, Page::read(None, Some(1)).unwrap(), now())
                .await
                .unwrap();
        let page = Page::read(first.next.as_deref(), None).unwrap();
        let second = takeover::list(&people.fleet, &people.operator, page, now()).await.unwrap();
        assert_eq!((first.items.len(), second.items.len(), second.next), (1, 1, None));
        assert_ne!(first.items[0].serial, second.items[0].serial);
        assert_eq!(first.items[0].window_ends_at, now().plus(days(30)));
    }
}

#[tokio::test]
async fn t_a6_a_window_is_at_most_90_days_and_a_certificate_is_imported_once() {
    for engine in engines() {
        let people = open(engine).await;
        let import = |handover| takeover::import(&people.fleet, &people.operator, handover, now());
        for window in [days(0), days(91)] {
            let refused = import(handover(&[SERIAL], window)).await;
            assert!(matches!(refused, Err(Refusal::Invalid { field: "window_days", .. })));
        }
        import(handover(&[SERIAL], days(90))).await.unwrap();
        let refused = import(handover(&[SERIAL, OTHER, "DMPXK1ZZZZ99"], days(90))).await;
        let Err(Refusal::BadInventory(lines)) = refused else { panic!("{refused:?}") };
        assert_eq!(lines.iter().map(|bad| bad.line).collect::<Vec<_>>(), [2, 4]);
        let listed = takeover::list(&people.fleet, &people.operator, Page::default(), now()).await.unwrap();
        assert_eq!(listed.items.len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_authority_is_not_trusted() {
    let people = open(store::Engine::Sqlite).await;
    for authority in ["", "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"] {
        let handover = Handover { authority: authority.into(), ..handover(&[SERIAL], days(7)) };
        let refused = takeover::import(&people.fleet, &people.operator, handover, now()).await;
        assert!(matches!(refused, Err(Refusal::Invalid { field: "authority", .. })));
    }
}
