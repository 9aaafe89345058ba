//! What is on tablets is decided in the open, over the API: nobody alone, exactly what was looked at, and what a collège
//! adds loosens nothing.

use serde_json::{Value, json};
use store::Engine;
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, Patience, TestServer, wait_until};
use types::{Clock as _, Day, Duration, Role};

use crate::support::{COLLEGE, on_both_engines};

on_both_engines! {
    c3_1_1_a_base_is_refused_alone_approved_by_two_and_published_on_its_day,
    c3_1_1_an_edit_voids_what_was_approved,
    c3_1_3_a_college_that_loosens_is_told_which_line,
}

const BASE: &str = include_str!("../../../profiles/socle.toml");

async fn somebody(server: &TestServer, employer: Employer, login: &str, role: Role) -> ApiClient {
    let account = server.someone(employer, login, role, GrantReach::Organisation).await.unwrap();
    server.in_session(account, CodeShown::JustNow).await.unwrap()
}

struct Story {
    server: TestServer,
    author: ApiClient,
    departement: ApiClient,
    academie: ApiClient,
}

impl Story {
    async fn begin(engine: Engine) -> Self {
        let server = TestServer::start(engine).await.unwrap();
        server.offer_apps(BASE).await.unwrap();
        let departement = somebody(&server, Employer::Departement, "denis", Role::Approver).await;
        let academie = somebody(&server, Employer::Academie, "anne", Role::Approver).await;
        let author = server.stepped_up().await.unwrap();
        Self { server, author, departement, academie }
    }

    async fn submitted(&self) -> Value {
        let made = self.author.post("/api/v1/profiles", &json!({ "text": BASE })).await.unwrap();
        assert_eq!((made.status, made.text("/state"), made.text("/layer")), (201, "draft", "base"));
        self.act(&self.author, made.text("/id"), "submit", &json!({ "reason": "september" }))
            .await
            .ok()
            .unwrap()
    }

    async fn act(&self, by: &ApiClient, id: &str, step: &str, body: &Value) -> Answer {
        by.post(&format!("/api/v1/profiles/{id}/{step}"), body).await.unwrap()
    }

    async fn approve(&self, by: &ApiClient, version: &Value) -> Answer {
        let seen = json!({ "text_sha256": version["text_sha256"] });
        self.act(by, version["id"].as_str().unwrap(), "approve", &seen).await
    }
}

async fn c3_1_1_a_base_is_refused_alone_approved_by_two_and_published_on_its_day(engine: Engine) {
    let story = Story::begin(engine).await;
    let version = story.submitted().await;
    let id = version["id"].as_str().unwrap();
    let alone = story.act(&story.author, id, "publish", &json!({})).await;
    assert_eq!((alone.status, alone.text("/code")), (409, "conflict"), "{alone:?}");
    let own = story.approve(&story.author, &version).await;
    assert_eq!((own.status, own.text("/rule")), (409, "C3.1.1"), "{own:?}");
    let stale = json!({ "text_sha256": "0".repeat(64) });
    let stale = story.act(&story.departement, id, "approve", &stale).await;
    assert_eq!((stale.status, stale.text("/code")), (409, "not-decided-so"));
    let once = story.approve(&story.departement, &version).await.ok().unwrap();
    assert_eq!(once["state"], "submitted");
    let twice = story.approve(&story.academie, &version).await.ok().unwrap();
    assert_eq!((&twice["state"], twice["approvals"].as_array().unwrap().len()), (&json!("approved"), 2));
    let plan = story.author.get(&format!("/api/v1/profiles/{id}/plan")).await.unwrap().ok().unwrap();
    assert_eq!((&plan["exact"], &plan["replaces"]), (&json!(true), &Value::Null));
    // The calendar publishes on the day, and not before.
    let day = Day::of(story.server.clock().now()).plus(3);
    let set = story.act(&story.author, id, "publish", &json!({ "on": day.to_string() })).await.ok().unwrap();
    assert_eq!((&set["state"], &set["published_at"]), (&json!("approved"), &Value::Null));
    story.server.advance(Duration::from_secs(4 * 86_400));
    let reader = story.server.api().unwrap();
    wait_until("the day has come", Patience::default(), || async {
        let shown = reader.get(&format!("/api/v1/profiles/{id}")).await?;
        Ok((shown.text("/state") == "published").then_some(()))
    })
    .await
    .unwrap();
    let audit = story.server.fleet().unwrap().store();
    let told =
        audit.read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 1_000)).await.unwrap();
    let published: Vec<String> =
        told.iter().filter(|it| it.action == "profile.publish").map(|it| it.actor.to_string()).collect();
    assert_eq!(published, ["calendar"], "one entry, of whoever did it");
}

async fn c3_1_1_an_edit_voids_what_was_approved(engine: Engine) {
    let story = Story::begin(engine).await;
    let version = story.submitted().await;
    let id = version["id"].as_str().unwrap();
    story.approve(&story.departement, &version).await.ok().unwrap();
    let text = json!({ "text": format!("{BASE}\n# one word more\n") });
    let edited = story.author.put(&format!("/api/v1/profiles/{id}"), &text).await.unwrap().ok().unwrap();
    assert_eq!((&edited["state"], &edited["number"]), (&json!("draft"), &json!(2)));
    assert_eq!((&edited["approvals"], &edited["based_on"]), (&json!([]), &json!(id)));
    let late = story.approve(&story.academie, &version).await;
    assert_eq!(late.status, 409, "{late:?}");
    let history = story.author.get(&format!("/api/v1/profiles/{id}/history")).await.unwrap().ok().unwrap();
    let states: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["draft", "withdrawn"]);
    let other = edited["id"].as_str().unwrap();
    let diff = story.author.get(&format!("/api/v1/profiles/{other}/diff?before={id}")).await.unwrap();
    assert_eq!(diff.ok().unwrap()["changes"], json!([]), "a comment changes no tablet");
}

async fn c3_1_3_a_college_that_loosens_is_told_which_line(engine: Engine) {
    let story = Story::begin(engine).await;
    let head =
        somebody(&story.server, Employer::College(COLLEGE.parse().unwrap()), "helene", Role::Head).await;
    let text = format!(
        "layer = \"college\"\nuai = \"{COLLEGE}\"\ntitle = \"Collège\"\npurpose = \"x\"\n\n[restrictions]\nallowAirDrop = true\n"
    );
    let refused = head.post("/api/v1/profiles", &json!({ "text": text })).await.unwrap();
    assert_eq!((refused.status, refused.text("/code"), refused.text("/rule")), (422, "bad-layer", "C3.1.3"));
    assert_eq!(refused.body.pointer("/lines/0/line"), Some(&json!(6)), "{refused:?}");
    let base = head.post("/api/v1/profiles", &json!({ "text": BASE })).await.unwrap();
    assert_eq!(base.status, 403, "{base:?}");
}
