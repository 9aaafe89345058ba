//! Each organisation manages its own accounts: how the académie gets its first ones, and how a right to approve comes to
//! count (C3.1.7), as its people do it over the API.

use serde_json::{Value, json};
use store::role_grants::GrantReach;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, TestServer};
use types::{AccountId, Clock as _, Duration, Role};

use crate::support::on_both_engines;

on_both_engines! {
    c3_1_7_an_academie_begins_and_one_of_its_people_comes_to_approve,
    t_c14_what_a_demoted_account_asked_is_answered_by_nobody,
    c3_1_7_whoever_invites_both_of_an_organisation_is_told_that_nobody_there_can_confirm,
}

const PASSWORD: &str = "quatre mots sans rapport";
const DAY: Duration = Duration::from_secs(86_400);

/// A département with two administrators and an operator, and an académie that has nobody yet.
struct Story {
    server: TestServer,
    emma: AccountId,
    denis: AccountId,
    academie: String,
}

impl Story {
    async fn begin(engine: store::Engine) -> Self {
        let server = TestServer::start(engine).await.unwrap();
        let someone = async |login, role| {
            server.someone(Employer::Departement, login, role, GrantReach::Organisation).await.unwrap()
        };
        let (emma, denis) =
            (someone("emma", Role::Administrator).await, someone("denis", Role::Operator).await);
        let first = server.stepped_up().await.unwrap();
        let created = first.post("/api/v1/organisations", &json!({ "name": "Normandie" })).await.unwrap();
        let academie = created.text("/id").to_owned();
        assert_eq!((created.status, created.text("/kind")), (201, "academie"));
        Self { server, emma, denis, academie }
    }

    async fn as_first(&self) -> ApiClient {
        self.server.stepped_up().await.unwrap()
    }

    async fn sign_in(&self, account: AccountId) -> ApiClient {
        self.server.in_session(account, CodeShown::JustNow).await.unwrap()
    }

    /// One of the département asks, another signs; whoever was invited chooses a password.
    async fn first_account(&self, asks: &ApiClient, signs: &ApiClient, login: &str) -> AccountId {
        let invited = self.first_invitation(asks, signs, login).await;
        self.joins(&invited).await
    }

    /// One of the département asks, another signs: the invitation.
    async fn first_invitation(&self, asks: &ApiClient, signs: &ApiClient, login: &str) -> Answer {
        let path = format!("/api/v1/organisations/{}/first-accounts", self.academie);
        let question = json!({ "login": login, "reason": "the académie begins" });
        let asked = asks.post(&format!("{path}/ask"), &question).await.unwrap();
        assert_eq!(asked.status, 201, "{:?}", asked.body);
        let id = asked.text("/countersignature");
        let new = json!({ "login": login, "name": login, "countersignature": id });

        let unsigned = asks.post(&path, &new).await.unwrap();
        assert_eq!(unsigned.status, 409, "nothing before the second person signed");
        let oneself = give(asks, id).await;
        assert_eq!((oneself.status, oneself.text("/rule")), (409, "C3.1.7"));
        assert_eq!(give(signs, id).await.ok().unwrap()["state"], "given");
        let theirs = signs.post(&path, &new).await.unwrap();
        assert!(theirs.status >= 400, "only whoever asked uses a signature: {}", theirs.status);

        let invited = asks.post(&path, &new).await.unwrap();
        assert_eq!(invited.status, 201, "{:?}", invited.body);
        invited
    }

    /// Whoever was invited chooses a password.
    async fn joins(&self, invited: &Answer) -> AccountId {
        let body = json!({ "invitation": invited.text("/invitation"), "password": PASSWORD });
        let stranger = self.server.api().unwrap().anonymous();
        stranger.post("/api/v1/invitations/accept", &body).await.unwrap().ok().unwrap();
        invited.text("/account_id").parse().unwrap()
    }

    /// Somebody invites a colleague, who joins.
    async fn colleague(&self, by: &ApiClient, login: &str) -> AccountId {
        let new = json!({ "login": login, "name": login });
        self.joins(&by.post("/api/v1/accounts", &new).await.unwrap()).await
    }

    /// The roles that count now, as their holder sees them.
    async fn roles(&self, account: AccountId) -> Vec<Value> {
        let myself = self.sign_in(account).await.get("/api/v1/session").await.unwrap().ok().unwrap();
        myself["roles"].as_array().cloned().unwrap_or_default()
    }
}

/// Looks at a request, and signs what it shows.
async fn give(by: &ApiClient, id: &str) -> Answer {
    let path = format!("/api/v1/countersignatures/{id}");
    let shown = by.get(&path).await.unwrap();
    if shown.status != 200 {
        return shown;
    }
    let said = json!({ "verdict": "give", "content_sha256": shown.text("/content_sha256") });
    by.post(&format!("{path}/answer"), &said).await.unwrap()
}

async fn give_role(by: &ApiClient, to: AccountId, role: &str) -> Answer {
    let role = json!({ "role": role, "reason": "decided at the meeting of Monday" });
    by.post(&format!("/api/v1/accounts/{to}/roles"), &role).await.unwrap()
}

async fn c3_1_7_whoever_invites_both_of_an_organisation_is_told_that_nobody_there_can_confirm(
    engine: store::Engine,
) {
    let story = Story::begin(engine).await;
    let (first, emma, denis) =
        (story.as_first().await, story.sign_in(story.emma).await, story.sign_in(story.denis).await);
    let warned = |invited: &Answer| invited.body.get("no_second_person_until").cloned();
    let anne = story.first_invitation(&emma, &denis, "anne.roy").await;
    assert_eq!(warned(&anne), None, "there is one only");
    let benoit = story.first_invitation(&emma, &denis, "benoit.morel").await;
    let until: types::Instant = benoit.text("/no_second_person_until").parse().unwrap();
    let days = until.since(story.server.clock().now()).as_secs().div_ceil(86_400);
    assert_eq!(days, 30, "{benoit:?}");

    // It is so: Anne gives, and Benoît cannot confirm.
    let (as_anne, as_benoit) =
        (story.sign_in(story.joins(&anne).await).await, story.sign_in(story.joins(&benoit).await).await);
    let new = json!({ "login": "chloe.dupuis", "name": "Chloé Dupuis" });
    let chloe = as_anne.post("/api/v1/accounts", &new).await.unwrap();
    assert!(warned(&chloe).is_some(), "whoever is invited by them is no second person either: {chloe:?}");
    let given = give_role(&as_anne, story.joins(&chloe).await, "approver").await;
    let refused = give(&as_benoit, given.text("/countersignature")).await;
    assert!(refused.status >= 400, "{refused:?}");

    // The way out: the second one is closed, and somebody else invites its holder.
    let close = format!("/api/v1/accounts/{}/close", benoit.text("/account_id"));
    assert!(
        as_anne.post(&close, &json!({ "reason": "invité par la même personne" })).await.unwrap().status < 300
    );
    let benoit = story.first_invitation(&first, &denis, "benoit.m").await;
    assert_eq!(warned(&benoit), None, "{benoit:?}");
    let as_benoit = story.sign_in(story.joins(&benoit).await).await;
    let again = give(&as_benoit, given.text("/countersignature")).await;
    assert_eq!(again.status, 200, "{again:?}");
}

async fn c3_1_7_an_academie_begins_and_one_of_its_people_comes_to_approve(engine: store::Engine) {
    let story = Story::begin(engine).await;
    let (first, emma, denis) =
        (story.as_first().await, story.sign_in(story.emma).await, story.sign_in(story.denis).await);

    // Two of the département invite one each, so that nobody stands behind both.
    let anne = story.first_account(&first, &denis, "anne.roy").await;
    let benoit = story.first_account(&emma, &first, "benoit.morel").await;
    let third = json!({ "login": "third", "reason": "one more" });
    let path = format!("/api/v1/organisations/{}/first-accounts/ask", story.academie);
    let refused = first.post(&path, &third).await.unwrap();
    assert_eq!((refused.status, refused.text("/rule")), (409, "C3.1.7"), "two manage the others");

    // From now on the académie manages its own, and the département does not even see them.
    let (as_anne, as_benoit) = (story.sign_in(anne).await, story.sign_in(benoit).await);
    let chloe = story.colleague(&as_anne, "chloe.dupuis").await;
    assert_eq!(first.get(&format!("/api/v1/accounts/{chloe}")).await.unwrap().status, 404);
    let from_outside = give_role(&first, chloe, "approver").await;
    assert_eq!(from_outside.status, 404, "{:?}", from_outside.body);
    let oneself = give_role(&as_anne, anne, "approver").await;
    assert_eq!((oneself.status, oneself.text("/rule")), (409, "C3.1.7"));

    // Anne gives, Benoît confirms; neither Anne nor Chloé could, nor anybody of the département.
    let given = give_role(&as_anne, chloe, "approver").await;
    assert_eq!(given.status, 201, "{:?}", given.body);
    let id = given.text("/countersignature");
    for (by, status) in [(&as_anne, 409), (&first, 404), (&denis, 404)] {
        assert_eq!(give(by, id).await.status, status);
    }
    let as_chloe = story.sign_in(chloe).await;
    assert!(give(&as_chloe, id).await.status >= 400);
    give(&as_benoit, id).await.ok().unwrap();

    // It counts 24 hours later, and not a minute earlier.
    assert!(story.roles(chloe).await.is_empty());
    story.server.advance(DAY - Duration::from_secs(60));
    assert!(story.roles(chloe).await.is_empty());
    story.server.advance(Duration::from_secs(60));
    assert_eq!(story.roles(chloe).await, [json!("approver")]);
}

async fn t_c14_what_a_demoted_account_asked_is_answered_by_nobody(engine: store::Engine) {
    let story = Story::begin(engine).await;
    let (first, emma, denis) =
        (story.as_first().await, story.sign_in(story.emma).await, story.sign_in(story.denis).await);
    let path = format!("/api/v1/organisations/{}/first-accounts/ask", story.academie);
    let question = json!({ "login": "mallory", "reason": "trust me" });
    let asked = emma.post(&path, &question).await.unwrap();
    let id = asked.text("/countersignature");

    // Denis has not answered yet when it is found out; the request is over for good, and nobody answers it.
    let account = first.get("/api/v1/accounts/emma").await.unwrap().ok().unwrap();
    let role = account["roles"][0]["id"].as_str().unwrap();
    let why = json!({ "reason": "a stolen session" });
    first.post(&format!("/api/v1/roles/{role}/take-back"), &why).await.unwrap().ok().unwrap();
    assert_eq!(give(&denis, id).await.status, 409);
    let shown = denis.get(&format!("/api/v1/countersignatures/{id}")).await.unwrap();
    assert_eq!(shown.text("/state"), "void");
    let new = json!({ "login": "mallory", "name": "M", "countersignature": id });
    let path = format!("/api/v1/organisations/{}/first-accounts", story.academie);
    assert_eq!(emma.post(&path, &new).await.unwrap().status, 403, "her session goes on, without the right");
    assert!(story.roles(story.emma).await.is_empty());
}
