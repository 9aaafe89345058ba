//! A door over an empty database, and clients of each kind.

#![expect(clippy::disallowed_methods, reason = "tests prepare a fleet as the host does")]

use std::sync::Arc;

use actix_web::http::{Method, StatusCode, header};
use actix_web::{App, test, web};
use fleet::pace::{Gate, Rate, RateLimits};
use fleet::{Fleet, Principal, Scope, Settings, TakeoverPolicy, UploadLimits, authorities};
use pki::TrustedProxies;
use serde_json::Value as Json;
use store::role_grants::GrantReach;
use store::{DatabaseUrl, Store, StoreOptions, Vault};
use testkit::people::{self, CodeShown, Employer};
use types::{Clock, Duration, ManualClock, Role};

use crate::ConsoleState;

pub(super) const INVENTORY: &str = "serial,asset_tag,model,platform,uai\n\
    DMPXK1ABCD01,76-0001,iPad (9th generation),ipad,0761234A\n\
    DMPXK1ABCD02,=1+1,iPad (9th generation),ipad,0767777B\n";
pub(super) const SERIAL: &str = "DMPXK1ABCD01";

pub(super) struct Door {
    pub(super) state: ConsoleState,
    pub(super) clock: ManualClock,
    /// A session of hers, in which a code was shown.
    pub(super) operator: String,
    /// A token of hers that may look.
    pub(super) reader: String,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: header::HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The JSON of a success.
    pub(super) fn ok(&self) -> Json {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self.json()
    }
}

impl Door {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::sqlite(folder.path().join("ardoise.db"));
        Store::migrate(url.clone()).await.unwrap();
        let vault = Vault::parse(&Vault::generate_key_line("test")).unwrap();
        let store = Store::open(StoreOptions::new(url), vault).await.unwrap();
        let clock = ManualClock::new();
        let host = Principal::host();
        authorities::init(&store, &host, "Seine-Maritime", clock.now()).await.unwrap();
        let fleet = Fleet::open(store, settings()).await.unwrap();
        let roles = [Role::Operator, Role::Administrator].map(|role| (role, GrantReach::Organisation));
        let (store, now) = (fleet.store(), clock.now());
        let camille =
            people::someone(store, Employer::Departement, "camille", roles.to_vec(), now).await.unwrap();
        let operator = people::session(store, camille, CodeShown::JustNow, now).await.unwrap();
        let reader = people::token(store, camille, Scope::Read, None, now).await.unwrap();
        let pace = Rate::new(1_000, 1_000);
        let pace = RateLimits { per_address: pace, overall: pace, ..RateLimits::default() };
        let state = ConsoleState {
            fleet,
            clock: Arc::new(clock.clone()),
            pace: Arc::new(Gate::new(pace)),
            proxies: TrustedProxies::new(Vec::new()),
        };
        let (operator, reader) = (operator.expose().clone(), reader.expose().clone());
        Self { state, clock, operator, reader, _folder: folder }
    }

    /// With the inventory imported.
    pub(super) async fn stocked() -> Self {
        let door = Self::new().await;
        door.send(door.csv(INVENTORY)).await.ok();
        door
    }

    /// As whoever may act.
    pub(super) fn request(&self, method: Method, path: &str) -> test::TestRequest {
        test::TestRequest::with_uri(path).method(method).insert_header(bearer(&self.operator))
    }

    pub(super) fn get(&self, path: &str) -> test::TestRequest {
        self.request(Method::GET, path)
    }

    pub(super) fn post(&self, path: &str, json: &Json) -> test::TestRequest {
        self.request(Method::POST, path).set_json(json)
    }

    pub(super) fn csv(&self, text: &str) -> test::TestRequest {
        self.request(Method::POST, "/api/v1/inventory")
            .insert_header((header::CONTENT_TYPE, "text/csv"))
            .set_payload(text.to_owned())
    }

    pub(super) async fn send(&self, request: test::TestRequest) -> Seen {
        self.send_limited(64 << 20, request).await
    }

    /// Through a door that takes no body longer than `longest` bytes.
    pub(super) async fn send_limited(&self, longest: usize, request: test::TestRequest) -> Seen {
        self.send_all(longest, [request]).await.remove(0)
    }

    /// One request after the other through a door that is opened once.
    pub(super) async fn send_all(
        &self,
        longest: usize,
        requests: impl IntoIterator<Item = test::TestRequest>,
    ) -> Vec<Seen> {
        let app = App::new().app_data(web::Data::new(self.state.clone())).configure(crate::routes(longest));
        let door = test::init_service(app).await;
        let mut seen = Vec::new();
        for request in requests {
            let response = test::call_service(&door, request.to_request()).await;
            let (status, headers) = (response.status(), response.headers().clone());
            seen.push(Seen { status, headers, body: test::read_body(response).await.to_vec() });
        }
        seen
    }

    /// Enrols a tablet, as if it had sent its push token.
    pub(super) async fn enrol(&self, serial: &str) {
        let (serial, now) = (serial.to_owned(), self.clock.now());
        self.state
            .fleet
            .store()
            .write(move |tx| {
                let tablet = store::tablets::by_serial(tx, &serial.parse().unwrap())?.unwrap();
                store::enrolments::insert(
                    tx,
                    &store::enrolments::Enrolment {
                        id: types::EnrolmentId::new(now),
                        tablet_id: Some(tablet.id),
                        platform: types::Platform::Ipad,
                        state: store::enrolments::EnrolmentState::Active,
                        kind: types::EnrolmentKind::Automated,
                        supervision: types::Supervision::Supervised,
                        udid: None,
                        serial: Some(tablet.serial),
                        topic: Some("com.apple.mgmt.External.test".into()),
                        awaiting_configuration: false,
                        os_version: Some("18.1".into()),
                        build_version: None,
                        product_name: None,
                        access_rights: None,
                        link_id: None,
                        takeover_id: None,
                        segment_id: None,
                        reported_token: None,
                        end_id: None,
                        created_at: now,
                        authenticated_at: Some(now),
                        token_updated_at: Some(now),
                        ended_at: None,
                    },
                )
            })
            .await
            .map_err(|error: store::StoreError| error)
            .unwrap();
    }
}

pub(super) fn bearer(token: &str) -> (header::HeaderName, String) {
    (header::AUTHORIZATION, format!("Bearer {token}"))
}

fn settings() -> Settings {
    Settings {
        organisation: "Seine-Maritime".into(),
        tablets_url: "https://tablettes.example.fr".parse().unwrap(),
        setup_waits: Duration::from_secs(1_800),
        challenge_lifetime: Duration::from_secs(86_400),
        identity_lifetime: Duration::from_secs(365 * 86_400),
        scep_legacy: pki::scep::LegacyPolicy::refuse(),
        minimum_os: None,
        profile_signer: None,
        anchors: Vec::new(),
        takeover: TakeoverPolicy::Closed,
        quiet_hours: None,
        erasures: fleet::EraseTerms::default(),
        notices: fleet::NoticeSettings::default(),
        shared_folder: None,
        warrants: fleet::WarrantLimits::default(),
        lost_mode: fleet::LostModeWords::default(),
        uploads: UploadLimits::default(),
    }
}
