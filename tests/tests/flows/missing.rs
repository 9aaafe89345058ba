//! A tablet that is missing, and the people around it: what the tests of warrants share.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Engine;
use store::incident_keys::{self, Readable};
use store::role_grants::GrantReach;
use store::shared_folder::SharedFolder;
use tablets::Ipad;
use testkit::people::{CodeShown, Employer};
use testkit::{Answer, ApiClient, TestServer};
use types::{AccountId, Clock as _, Day, Duration, Role};

use crate::support::{COLLEGE, asleep, obey, report, with};

pub(crate) const SERIAL: &str = "DMPX00000001";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// A theft with its complaint, the tablet in lost mode, and whoever has a part in it.
pub(crate) struct Case {
    pub(crate) server: TestServer,
    pub(crate) ipad: Ipad,
    pub(crate) ati: AccountId,
    pub(crate) head: AccountId,
    pub(crate) dpo: AccountId,
    pub(crate) incident: String,
}

impl Case {
    pub(crate) async fn of(engine: Engine, kind: &str) -> Self {
        let server = TestServer::start(engine).await.unwrap();
        let ipad = asleep(&server, SERIAL).await;
        Self::on(server, ipad, kind).await
    }

    /// Of a tablet that is asleep.
    pub(crate) async fn on(server: TestServer, ipad: Ipad, kind: &str) -> Self {
        let college: types::Uai = COLLEGE.parse().unwrap();
        let here = GrantReach::Colleges(BTreeSet::from([college.clone()]));
        let ati = server.someone(Employer::Departement, "lea.petit", Role::Ati, here).await.unwrap();
        let head = (Employer::College(college), "m.moreau", Role::Head, GrantReach::Organisation);
        let head = server.someone(head.0, head.1, head.2, head.3).await.unwrap();
        let dpo = (Employer::Departement, "dpo", Role::Dpo, GrantReach::Organisation);
        let dpo = server.someone(dpo.0, dpo.1, dpo.2, dpo.3).await.unwrap();
        server.validate_activity("incidents").await.unwrap();
        let mut case = Self { server, ipad, ati, head, dpo, incident: String::new() };
        let noticed = case.server.clock().now().to_string();
        let reference = (kind == "authority-request").then_some("PV 2026/7");
        let new = json!({ "kind": kind, "noticed_at": noticed, "authority_reference": reference });
        let path = format!("/api/v1/tablets/{SERIAL}/incidents");
        let declared = case.client(ati).await.post(&path, &new).await.unwrap();
        assert_eq!(declared.status, 201, "{declared:?}");
        case.incident = declared.text("/id").to_owned();
        case
    }

    /// With the DPO's validation, the complaint, and lost mode on.
    pub(crate) async fn lost(engine: Engine) -> Self {
        let mut case = Self::of(engine, "theft").await;
        case.validate().await;
        case.complaint().await;
        case.put_in_lost_mode().await;
        case
    }

    /// With a warrant that lasts 72 hours, for 24 positions, 5 minutes apart.
    pub(crate) async fn granted(engine: Engine) -> Self {
        let case = Self::lost(engine).await;
        let request = case.asked(json!({ "fixes": 24, "interval_minutes": 5 })).await;
        assert_eq!(case.sign(case.head, &request).await.status, 200);
        case
    }

    /// Somebody who has just shown a code.
    pub(crate) async fn client(&self, account: AccountId) -> ApiClient {
        self.server.in_session(account, CodeShown::JustNow).await.unwrap()
    }

    pub(crate) async fn act(&self, account: AccountId, what: &str, body: Value) -> Answer {
        let path = format!("/api/v1/incidents/{}/{what}", self.incident);
        self.client(account).await.post(&path, &body).await.unwrap()
    }

    pub(crate) async fn list(&self, what: &str) -> Vec<Value> {
        let path = format!("/api/v1/incidents/{}/{what}", self.incident);
        let listed = self.client(self.ati).await.get(&path).await.unwrap().ok().unwrap();
        listed["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn validate(&self) {
        let dpo = self.client(self.dpo).await;
        let register = dpo.get("/api/v1/privacy/register").await.unwrap().ok().unwrap();
        let all = register["activities"].as_array().unwrap();
        let entry = all.iter().find(|entry| entry["code"] == "geolocation").unwrap();
        let path = "/api/v1/privacy/register/geolocation/validation";
        dpo.put(path, &json!({ "entry": entry["digest"] })).await.unwrap().ok().unwrap();
    }

    pub(crate) async fn complaint(&self) {
        let today = Day::of(self.server.clock().now()).to_string();
        let complaint = json!({ "number": "2026/1", "dated": today, "station": "Rouen" });
        assert_eq!(self.act(self.ati, "complaint", complaint).await.status, 200);
    }

    pub(crate) async fn put_in_lost_mode(&mut self) {
        let asked = self.act(self.ati, "lost-mode", json!({ "reason": "volée" })).await;
        assert_eq!(asked.status, 201, "{asked:?}");
        obey(&mut self.ipad).await;
        assert_eq!(self.lost_mode().await, "on");
    }

    pub(crate) async fn lost_mode(&self) -> String {
        let path = format!("/api/v1/incidents/{}", self.incident);
        self.client(self.ati).await.get(&path).await.unwrap().text("/lost_mode/state").to_owned()
    }

    /// Asks for a warrant: the request that a second person answers.
    pub(crate) async fn asked(&self, numbers: Value) -> String {
        let asked = self.ask_warrant(numbers).await;
        assert_eq!(asked.status, 201, "{asked:?}");
        asked.text("/countersignature").to_owned()
    }

    pub(crate) async fn ask_warrant(&self, numbers: Value) -> Answer {
        let mut wanted = numbers;
        wanted["reason"] = json!("vue à la gare");
        self.act(self.ati, "warrants", wanted).await
    }

    pub(crate) async fn sign(&self, account: AccountId, request: &str) -> Answer {
        let client = self.client(account).await;
        let path = format!("/api/v1/countersignatures/{request}");
        let shown = client.get(&path).await.unwrap();
        if shown.status != 200 {
            return shown;
        }
        let yes = json!({ "verdict": "give", "content_sha256": shown.text("/content_sha256") });
        client.post(&format!("{path}/answer"), &yes).await.unwrap()
    }

    pub(crate) async fn locate(&self) -> Answer {
        self.act(self.ati, "positions", json!({ "reason": "vue à la gare" })).await
    }

    pub(crate) async fn look(&self, account: AccountId, position: &str) -> Answer {
        let path = format!("/api/v1/positions/{position}/looks");
        self.client(account).await.post(&path, &json!({ "reason": "pour la police" })).await.unwrap()
    }

    /// What became of the request that was made last.
    pub(crate) async fn last(&self) -> (String, String) {
        let last = self.list("positions").await.pop().unwrap();
        let text = |key: &str| last[key].as_str().unwrap_or_default().to_owned();
        (text("outcome"), text("why"))
    }

    /// The last warrant.
    pub(crate) async fn warrant(&self) -> Value {
        self.list("warrants").await.pop().unwrap()
    }

    pub(crate) async fn extend(&self) -> Answer {
        self.extend_with(json!({ "hours": 24 })).await
    }

    pub(crate) async fn extend_with(&self, numbers: Value) -> Answer {
        let id = self.warrant().await["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/warrants/{id}/extend");
        let mut more = numbers;
        more["reason"] = json!("encore");
        self.client(self.ati).await.post(&path, &more).await.unwrap()
    }

    /// The entries of the log for an action.
    pub(crate) async fn audited(&self, action: &str) -> Vec<Value> {
        let path = format!("/api/v1/audit?action={action}&limit=500");
        let listed = self.server.stepped_up().await.unwrap().get(&path).await.unwrap().ok().unwrap();
        listed["items"].as_array().unwrap().clone()
    }

    pub(crate) fn keys(&self) -> incident_keys::IncidentKeys {
        SharedFolder::open(self.server.home().join("shared")).unwrap().incident_keys()
    }

    pub(crate) async fn readable(&self) -> Readable {
        incident_keys::readable(self.server.fleet().unwrap().store(), &self.keys()).await.unwrap()
    }
}

/// What a tablet says of where it is.
pub(crate) fn position(
    udid: &str,
    command: &str,
    latitude: plist::Value,
    timestamp: &str,
) -> plist::Dictionary {
    let answer = report(udid, "Acknowledged", Some(command));
    let answer = with(&answer, "Latitude", latitude);
    let answer = with(&answer, "Longitude", 1.0993.into());
    let answer = with(&answer, "HorizontalAccuracy", 12.5.into());
    with(&answer, "Timestamp", timestamp.into())
}
