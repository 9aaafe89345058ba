//! What second persons read of a warrant before they sign it: what it rests on, whether they may, and why not (M1).

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::TestServer;
use testkit::people::Employer;
use types::{AccountId, Clock as _, Role};

use crate::missing::{Case, HOUR, MINUTE, SERIAL};
use crate::support::{OTHER_COLLEGE, asleep, on_both_engines};

on_both_engines! {
    m1_whoever_reads_a_request_is_told_whether_they_may_sign_it_and_why_not,
    m1_whoever_signs_a_warrant_reads_what_it_rests_on_in_both_languages,
    m1_who_may_not_sign_a_request_finds_it_in_their_list_and_why,
    m1_a_refusal_says_what_happened_and_which_command_helps_in_the_readers_language,
}

/// The request as that person reads it.
pub(crate) async fn seen(case: &Case, account: AccountId, request: &str) -> Value {
    let client = case.client(account).await;
    client.get(&format!("/api/v1/countersignatures/{request}")).await.unwrap().ok().unwrap()
}

async fn m1_whoever_signs_a_warrant_reads_what_it_rests_on_in_both_languages(engine: Engine) {
    // It was there an hour before it was stolen: when that was noticed can be put right.
    let server = TestServer::start(engine).await.unwrap();
    let ipad = asleep(&server, SERIAL).await;
    server.advance(HOUR);
    let case = Case::on(server, ipad, "theft").await;
    case.validate().await;
    let request = case.asked(json!({ "fixes": 8 })).await;
    let path = format!("/api/v1/countersignatures/{request}");
    let in_language = async |language: &str| {
        let head = case.client(case.head).await;
        let shown = head.get_in(language, &path).await.unwrap().ok().unwrap();
        shown["rests_on"].to_string()
    };
    let shown =
        case.client(case.head).await.get(&format!("/api/v1/incidents/{}", case.incident)).await.unwrap();
    let second = |pointer: &str| shown.text(pointer).split('.').next().unwrap().to_owned();
    let (first_said, declared) = (second("/noticed_at"), second("/declared_at"));
    let (english, french) = (in_language("en").await, in_language("fr").await);
    for text in [&english, &french] {
        for part in [&*first_said, &*declared, "lea.petit", " 8 positions", "15 minutes"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(english.contains("no complaint yet") && english.contains("provisional"), "{english}");
    assert!(french.contains("la plainte manque encore") && french.contains("provisoire"), "{french}");
    let read_first = seen(&case, case.head, &request).await["content_sha256"].clone();
    // It is put right, and the complaint comes: whoever signs reads both, in their list, too.
    let noticed = first_said.clone() + "Z";
    let noticed: types::Instant = noticed.parse().unwrap();
    let right = json!({ "noticed_at": noticed.minus(10 * MINUTE).to_string(), "reason": "au car de 8 h" });
    assert_eq!(case.act(case.ati, "noticed", right).await.status, 200);
    case.complaint().await;
    let (english, french) = (in_language("en").await, in_language("fr").await);
    let put_right = noticed.minus(10 * MINUTE).to_string();
    for text in [&english, &french] {
        for part in [&*first_said, &put_right, "2026/1", "Rouen"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert!(
        english.contains("firm") && english.contains("until") && english.contains("put that right"),
        "{english}"
    );
    assert!(french.contains("ferme") && french.contains("jusqu’à la rectification"), "{french}");
    let listed = case.client(case.head).await.get("/api/v1/countersignatures").await.unwrap();
    assert_eq!(listed.body["items"][0]["rests_on"].as_array().unwrap().len(), 6, "{listed:?}");
    // A yes to what it rested on before is none.
    let yes = json!({ "verdict": "give", "content_sha256": read_first });
    let unseen = case.client(case.head).await.post(&format!("{path}/answer"), &yes).await.unwrap();
    assert!(unseen.status != 200 && unseen.text("/detail").contains("look at it again"), "{unseen:?}");
    assert_eq!(case.sign(case.head, &request).await.status, 200);
    assert_eq!(seen(&case, case.head, &request).await.get("rests_on"), None, "it waits no more");
    // An extension says what it goes on from.
    let extended = case.extend().await;
    let read = seen(&case, case.head, extended.text("/countersignature")).await["rests_on"].to_string();
    let warrant = case.warrant().await["id"].as_str().unwrap().to_owned();
    assert!(read.contains(&warrant) && read.contains("0 of 8") && read.contains("12 more"), "{read}");
}

async fn m1_who_may_not_sign_a_request_finds_it_in_their_list_and_why(engine: Engine) {
    let case = Case::of(engine, "theft").await;
    case.validate().await;
    let request = case.asked(json!({})).await;
    // Of another collège, there is no such request.
    let employer = Employer::College(OTHER_COLLEGE.parse().unwrap());
    let other = (employer, "head-elsewhere", Role::Head, GrantReach::Organisation);
    let other = case.server.someone(other.0, other.1, other.2, other.3).await.unwrap();
    let listed = async |case: &Case, account| {
        let listed = case.client(account).await.get("/api/v1/countersignatures").await.unwrap().ok().unwrap();
        listed["items"].as_array().unwrap().clone()
    };
    assert_eq!(listed(&case, other).await, Vec::<Value>::new());
    assert_eq!(listed(&case, case.dpo).await, Vec::<Value>::new(), "nor is it a DPO's");
    assert_eq!(listed(&case, case.head).await[0]["id"], request);
    // Whoever asked made the head's account: it stands in the head's list, and so does why they do not sign it.
    let (head, ati, now) = (case.head, case.ati, case.server.clock().now());
    let made = case.server.fleet().unwrap().store().write(move |tx| {
        let by = types::Actor::Account(ati);
        store::account_makers::record(tx, head, store::account_makers::Deed::Created, &by, now)
    });
    made.await.unwrap();
    let theirs = listed(&case, case.head).await.into_iter().find(|one| one["id"] == *request).unwrap();
    assert_eq!(theirs["signable"], false, "{theirs}");
    assert!(theirs["not_signable_because"].as_str().unwrap().contains("one hand"), "{theirs}");
    assert_eq!(case.sign(case.head, &request).await.text("/code"), "not-decided-so");
}

async fn m1_whoever_reads_a_request_is_told_whether_they_may_sign_it_and_why_not(engine: Engine) {
    let case = Case::of(engine, "theft").await;
    case.validate().await;
    let request = case.asked(json!({})).await;
    let reads = async |account| {
        let read = seen(&case, account, &request).await;
        (read["signable"].as_bool().unwrap(), read["not_signable_because"].as_str().map(str::to_owned))
    };
    assert_eq!(reads(case.head).await, (true, None));
    let own = "whoever asked cannot answer; a second person must".to_owned();
    assert_eq!(reads(case.ati).await, (false, Some(own.clone())));
    let head = case.client(case.head).await;
    let listed = head.get("/api/v1/countersignatures").await.unwrap();
    assert_eq!(listed.body["items"][0]["signable"], true, "in lists, too: {listed:?}");
    let asked = case.client(case.ati).await.get("/api/v1/countersignatures?which=asked").await.unwrap();
    assert_eq!(asked.text("/items/0/not_signable_because"), own);
    // What the rules of incidents say is told before anybody tries, and then again.
    let path = "/api/v1/privacy/register/geolocation/validation";
    assert_eq!(case.client(case.dpo).await.delete(path).await.unwrap().status, 204);
    let (signable, why) = reads(case.head).await;
    let why = why.unwrap();
    assert!(!signable && why.contains("geolocation is off") && why.ends_with("(C3.1.6)"), "{why}");
    assert_eq!(case.sign(case.head, &request).await.text("/rule"), "C3.1.6");
    case.validate().await;
    assert_eq!(reads(case.head).await, (true, None));
    assert_eq!(case.act(case.ati, "steps", json!({ "step": "find" })).await.status, 200);
    let (_, why) = reads(case.head).await;
    assert!(why.as_ref().is_some_and(|why| why.contains("no longer looked for")), "{why:?}");
    // What waits no more is neither signed nor explained: its state says it.
    let shown = seen(&case, case.head, &request).await;
    let no = json!({ "verdict": "refuse", "content_sha256": shown["content_sha256"], "reason": "retrouvée" });
    let path = format!("/api/v1/countersignatures/{request}/answer");
    assert_eq!(case.client(case.head).await.post(&path, &no).await.unwrap().status, 200);
    assert_eq!(reads(case.head).await, (false, None));
}

async fn m1_a_refusal_says_what_happened_and_which_command_helps_in_the_readers_language(engine: Engine) {
    let case = Case::of(engine, "theft").await;
    let refused = async |language: &'static str, what: &str, body: Value| {
        let path = format!("/api/v1/incidents/{}/{what}", case.incident);
        let ati = case.client(case.ati).await;
        ati.post_with(&path, &body, &[("Accept-Language", language.to_owned())]).await.unwrap()
    };
    let why = || json!({ "reason": "vue à la gare" });
    let later = case.server.clock().now().plus(MINUTE).to_string();
    for (what, body, rule, french, helps) in [
        ("positions", why(), "M1", "personne n’est géolocalisé sans autorisation", "ardoise warrant ask"),
        (
            "warrants",
            why(),
            "C3.1.6",
            "la géolocalisation est arrêtée",
            "ardoise privacy validate geolocation",
        ),
        ("reopen", why(), "C5.4.2", "on ne peut pas rouvrir un sinistre (vol)", "ardoise incident show"),
        (
            "noticed",
            json!({ "noticed_at": later, "reason": "?" }),
            "C5.4.2",
            "ce qui est après la déclaration",
            "ardoise incident show",
        ),
        (
            "complaint",
            json!({ "number": "1", "dated": "2020-01-01", "station": "Rouen" }),
            "C5.4.2",
            "la plainte est datée du 2020-01-01",
            "ardoise incident correct-noticed",
        ),
    ] {
        let said = refused("fr", what, body.clone()).await;
        assert_eq!(
            (said.status, said.text("/code"), said.text("/rule")),
            (403, "forbidden-by-rule", rule),
            "{said:?}"
        );
        assert!(said.text("/detail").contains(french), "{said:?}");
        assert!(said.text("/detail").ends_with(&format!("({rule})")), "{said:?}");
        assert!(said.text("/next_step").contains(helps), "{said:?}");
        let said = refused("en", what, body).await;
        assert!(
            !said.text("/detail").contains(french) && said.text("/next_step").contains(helps),
            "{said:?}"
        );
    }
    // What contradicts what is there speaks French, too.
    let path = format!("/api/v1/tablets/{SERIAL}/incidents");
    let again = json!({ "kind": "loss", "noticed_at": case.server.clock().now().to_string() });
    let ati = case.client(case.ati).await;
    let twice = ati.post_with(&path, &again, &[("Accept-Language", "fr".to_owned())]).await.unwrap();
    assert_eq!((twice.status, twice.text("/code")), (409, "conflict"), "{twice:?}");
    assert!(twice.text("/detail").contains("a déjà disparu"), "{twice:?}");
    assert!(
        twice.text("/next_step").contains(&format!("ardoise incident show {}", case.incident)),
        "{twice:?}"
    );
}
