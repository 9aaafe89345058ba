//! Coming in through the people's door: passwords, codes, sessions, and whoever tries without (T-C2, T-C3, T-C12).

use fleet::first_accounts::{self, First};
use fleet::pace::{Rate, RateLimits};
use serde_json::{Value, json};
use store::Engine;
use testkit::people::CodeShown;
use testkit::{ApiClient, TestServer};
use types::{Clock as _, Duration, Instant};

use crate::support::on_both_engines;

on_both_engines! {
    t_c12_an_invited_person_comes_in_and_only_with_password_and_code,
    t_c12_a_session_ends_by_itself_by_its_holder_and_with_the_password,
    t_c12_whoever_guesses_is_told_nothing_and_waits_longer_and_longer,
    t_c3_a_stranger_who_knows_a_login_keeps_nobody_from_showing_a_code,
    t_c14_a_code_opens_what_needs_one_once_and_for_five_minutes,
}

const PASSWORD: &str = "quatre tortues lisent dehors";

/// The code that an authenticator shows at an instant.
fn code(secret: &str, at: Instant) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret.as_bytes()).build().unwrap();
    totp.generate(u64::try_from(at.as_seconds()).unwrap()).to_string()
}

/// The invitation of somebody of the département, as the machine's owner makes it.
async fn invitation(server: &TestServer, login: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "as `ardoise init` does")]
    let host = fleet::Principal::host();
    let first = First { login: login.parse().unwrap(), name: "Ada Martin".into(), email: None };
    let store = server.fleet().unwrap().store();
    let invited = first_accounts::invite(store, &host, first, server.clock().now()).await.unwrap();
    invited.secret.expose().clone()
}

async fn sign_in(server: &TestServer, login: &str, password: &str, code: Option<&str>) -> testkit::Answer {
    let wanted = json!({ "login": login, "password": password, "code": code });
    server.api().unwrap().anonymous().post("/api/v1/sessions", &wanted).await.unwrap()
}

fn with(server: &TestServer, answer: &testkit::Answer) -> ApiClient {
    server.api().unwrap().with_token(types::Secret::new(answer.text("/session").to_owned()))
}

/// Somebody who has chosen a password and a second factor: the secret of the latter.
async fn joined(server: &TestServer, login: &str) -> String {
    let link = invitation(server, login).await;
    let accepted = json!({ "invitation": link, "password": PASSWORD });
    let anonymous = server.api().unwrap().anonymous();
    anonymous.post("/api/v1/invitations/accept", &accepted).await.unwrap().ok().unwrap();
    let session = with(server, &sign_in(server, login, PASSWORD, None).await);
    let proposed = session.post("/api/v1/session/second-factor", &Value::Null).await.unwrap();
    let secret = proposed.text("/secret").to_owned();
    let confirmed = json!({ "secret": secret, "code": code(&secret, server.clock().now()) });
    session.put("/api/v1/session/second-factor", &confirmed).await.unwrap().ok().unwrap();
    server.advance(Duration::from_secs(60));
    secret
}

async fn t_c12_an_invited_person_comes_in_and_only_with_password_and_code(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let link = invitation(&server, "ada.martin").await;
    let anonymous = server.api().unwrap().anonymous();
    let accept = async |password: &str| {
        let wanted = json!({ "invitation": link, "password": password });
        anonymous.post("/api/v1/invitations/accept", &wanted).await.unwrap()
    };
    // A weak password costs nothing but another try; the link is used once.
    assert_eq!(accept("ada.martin.1").await.status, 422);
    assert_eq!(accept(PASSWORD).await.text("/login"), "ada.martin");
    assert_eq!(accept(PASSWORD).await.status, 409);

    let first = sign_in(&server, "Ada.Martin", PASSWORD, None).await;
    assert_eq!((first.status, &first.body["has_second_factor"]), (201, &Value::Bool(false)), "{first:?}");
    let session = with(&server, &first);
    // Without a second factor, nothing that needs one; it is set up at once.
    let token = session.post("/api/v1/tokens", &json!({ "name": "x", "scope": "read" })).await.unwrap();
    assert_eq!((token.status, token.text("/code")), (403, "step-up"), "{token:?}");
    let proposed = session.post("/api/v1/session/second-factor", &Value::Null).await.unwrap();
    let secret = proposed.text("/secret").to_owned();
    assert!(proposed.text("/address").starts_with("otpauth://totp/"), "{proposed:?}");
    let wrong = json!({ "secret": secret, "code": "000000" });
    assert_eq!(session.put("/api/v1/session/second-factor", &wrong).await.unwrap().status, 403);
    let used = code(&secret, server.clock().now());
    let right = json!({ "secret": secret, "code": used });
    assert_eq!(session.put("/api/v1/session/second-factor", &right).await.unwrap().status, 204);
    let myself = session.get("/api/v1/session").await.unwrap().ok().unwrap();
    assert_eq!(
        (&myself["has_second_factor"], &myself["stepped_up"]),
        (&Value::Bool(true), &Value::Bool(true))
    );

    // From then on the password alone opens nothing, nor does a code that was used.
    assert_eq!(sign_in(&server, "ada.martin", PASSWORD, None).await.status, 401);
    assert_eq!(sign_in(&server, "ada.martin", PASSWORD, Some(&used)).await.status, 401);
    server.advance(Duration::from_secs(60));
    let fresh = code(&secret, server.clock().now());
    assert_eq!(sign_in(&server, "ada.martin", PASSWORD, Some(&fresh)).await.status, 201);
}

async fn t_c12_a_session_ends_by_itself_by_its_holder_and_with_the_password(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let camille = server.operator().unwrap();
    let status = async |client: &ApiClient| client.get("/api/v1/session").await.unwrap().status;

    let idle = server.in_session(camille, CodeShown::Never).await.unwrap();
    server.advance(Duration::from_secs(29 * 60));
    assert_eq!(status(&idle).await, 200);
    server.advance(Duration::from_secs(31 * 60));
    assert_eq!(status(&idle).await, 401, "nobody used it for half an hour");

    let left = server.in_session(camille, CodeShown::Never).await.unwrap();
    assert_eq!(left.delete("/api/v1/session").await.unwrap().status, 204);
    assert_eq!(status(&left).await, 401, "its holder left");

    let secret = joined(&server, "ada.martin").await;
    let now = code(&secret, server.clock().now());
    let one = with(&server, &sign_in(&server, "ada.martin", PASSWORD, Some(&now)).await);
    server.advance(Duration::from_secs(60));
    let now = code(&secret, server.clock().now());
    let other = with(&server, &sign_in(&server, "ada.martin", PASSWORD, Some(&now)).await);
    let change = json!({ "current": PASSWORD, "new": "sept rivières dorment encore" });
    assert_eq!(other.put("/api/v1/session/password", &change).await.unwrap().status, 204);
    assert_eq!((status(&one).await, status(&other).await), (401, 200), "the others end with the password");
}

async fn t_c12_whoever_guesses_is_told_nothing_and_waits_longer_and_longer(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    joined(&server, "ada.martin").await;
    let guess = async |login: &str| {
        let answer = sign_in(&server, login, "not the password at all", Some("123456")).await;
        (answer.status, answer.text("/code").to_owned(), answer.text("/detail").to_owned())
    };
    // A login that exists, one that does not, and one that could not: word for word the same.
    let told = guess("ada.martin").await;
    assert_eq!((told.0, told.1.as_str()), (401, "not-signed-in"));
    assert_eq!(guess("nobody.here").await, told);
    assert_eq!(guess("<b>ob").await, told);
    for _further in 0..5 {
        assert_eq!(guess("ada.martin").await, told, "a lock is not told either");
    }
    // Nor does the time tell: an unknown login costs a committed write, too.
    let store = server.fleet().unwrap().store();
    let noted = store.read(|tx| store::settings::get(tx, "sign-in.last-unknown-login")).await.unwrap();
    assert!(noted.is_some());
    // Locked: the right password opens nothing, until the wait is over.
    let account = server
        .fleet()
        .unwrap()
        .store()
        .read(|tx| store::accounts::by_login(tx, "ada.martin"))
        .await
        .unwrap()
        .unwrap();
    assert!(account.failed_attempts >= 5);
    assert!(account.locked_until.is_some_and(|until| until > server.clock().now()), "{account:?}");
}

async fn t_c3_a_stranger_who_knows_a_login_keeps_nobody_from_showing_a_code(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let secret = joined(&server, "ada.martin").await;
    let now = code(&secret, server.clock().now());
    let session = with(&server, &sign_in(&server, "ada.martin", PASSWORD, Some(&now)).await);
    server.advance(Duration::from_secs(301));
    for _attempt in 0..7 {
        sign_in(&server, "ada.martin", "not the password at all", Some("123456")).await;
    }
    let show =
        async |code: &str| session.post("/api/v1/session/step-up", &json!({ "code": code })).await.unwrap();
    let now = code(&secret, server.clock().now());
    assert_eq!(show(&now).await.status, 204, "her session is no stranger's");
    // Who guesses codes in a session is locked out of codes.
    let wrong = if now == "000000" { "000001" } else { "000000" };
    for _attempt in 0..7 {
        assert_eq!(show(wrong).await.status, 403);
    }
    let next = code(&secret, server.clock().now().plus(Duration::from_secs(30)));
    let waits = show(&next).await;
    assert_eq!((waits.status, waits.text("/code")), (403, "code-refused"), "even the right one waits now");
    server.advance(Duration::from_secs(3_600));
    let later = code(&secret, server.clock().now());
    assert_ne!(show(&later).await.status, 403, "an hour later it opens again");
}

async fn t_c14_a_code_opens_what_needs_one_once_and_for_five_minutes(engine: Engine) {
    let server = TestServer::start(engine).await.unwrap();
    let secret = joined(&server, "ada.martin").await;
    let now = code(&secret, server.clock().now());
    let session = with(&server, &sign_in(&server, "ada.martin", PASSWORD, Some(&now)).await);
    let wanted = json!({ "name": "atelier", "scope": "operate" });
    let token = session.post("/api/v1/tokens", &wanted).await.unwrap();
    assert_eq!(token.status, 201, "signing in showed a code: {token:?}");
    server.advance(Duration::from_secs(301));
    assert_eq!(session.post("/api/v1/tokens", &wanted).await.unwrap().text("/code"), "step-up");
    let now = code(&secret, server.clock().now());
    let shown = json!({ "code": now });
    assert_eq!(session.post("/api/v1/session/step-up", &shown).await.unwrap().status, 204);
    assert_eq!(session.post("/api/v1/tokens", &wanted).await.unwrap().status, 201);
    let again = session.post("/api/v1/session/step-up", &shown).await.unwrap();
    assert_eq!((again.status, again.text("/code")), (403, "code-refused"), "a code is used once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_c3_inventing_addresses_does_not_make_guessing_faster() {
    let pace = RateLimits { per_address: Rate::new(1, 5), ..RateLimits::default() };
    let server = TestServer::setup(Engine::Sqlite).coming_in(pace).start().await.unwrap();
    let client = server.api().unwrap().anonymous();
    let wanted = json!({ "login": "nobody.here", "password": "x", "code": null });
    let mut told = Vec::new();
    for number in 0..12_u8 {
        let forged = [
            ("x-forwarded-for", format!("203.0.113.{number}")),
            ("forwarded", format!("for=203.0.113.{number}")),
        ];
        told.push(client.post_with("/api/v1/sessions", &wanted, &forged).await.unwrap().status);
    }
    assert_eq!(told[..5], [401; 5], "{told:?}");
    assert!(told[5..].contains(&429), "{told:?}");
    assert_eq!(
        server.api().unwrap().get("/api/v1/status").await.unwrap().status,
        200,
        "others are not slowed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t_c2_a_token_that_nobody_signed_opens_nothing() {
    let server = TestServer::start(Engine::Sqlite).await.unwrap();
    let encoded = |json: &str| openssl::base64::encode_block(json.as_bytes()).replace('=', "");
    let unsigned = [
        format!(
            "{}.{}.",
            encoded(r#"{"alg":"none","typ":"JWT"}"#),
            encoded(r#"{"sub":"camille","role":"administrator"}"#)
        ),
        format!(
            "{}.{}.AAAA",
            encoded(r#"{"alg":"HS256"}"#),
            encoded(r#"{"sub":"camille","exp":99999999999}"#)
        ),
        format!("ardoise_{}", encoded(&server.operator().unwrap().to_string())),
        format!("ardoise_session_{}", server.operator().unwrap()),
        server.operator().unwrap().to_string(),
    ];
    for token in unsigned {
        let client = server.api().unwrap().with_token(types::Secret::new(token.clone()));
        assert_eq!(client.get("/api/v1/tablets").await.unwrap().status, 401, "{token}");
    }
}
