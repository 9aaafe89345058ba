//! A fleet over an empty database, and what tests do with it.

#![expect(clippy::disallowed_methods, reason = "tests prepare a fleet as the host does")]

use std::process::{Command, Stdio};

use store::enrolments::{Enrolment, EnrolmentState};
use store::role_grants::GrantReach;
use store::shared_folder::SharedFolder;
use store::{DatabaseUrl, Engine, Store, StoreOptions, Vault};
use testkit::people::{self, CodeShown, Employer};
use types::{
    AccountId, Duration, EnrolmentId, EnrolmentKind, Instant, Platform, Role, Secret, Supervision, TabletId,
};

use crate::coming_in::identify;
use crate::page::Page;
use crate::tablets::{self, Filter, Named};
use crate::{Fleet, Principal, Scope, Settings, TakeoverPolicy, UploadLimits, inventory};

/// The server on which tests on PostgreSQL make their databases.
const SERVER: &str = "ARDOISE_TEST_POSTGRESQL";

pub(super) const SERIAL: &str = "DMPXK1ABCD01";
pub(super) const OTHER: &str = "DMPXK1ABCD02";
pub(super) const INVENTORY: &str = "serial,asset_tag,model,platform,uai\n\
    DMPXK1ABCD01,76-0001,iPad (9th generation),ipad,0761234A\n\
    DMPXK1ABCD02,76-0002,iPad (9th generation),ipad,0767777B\n\
    R52N10ABCDE,76-0003,Galaxy Tab,android,0761234A\n";

pub(super) fn now() -> Instant {
    Instant::from_millis(1_790_000_000_000)
}

pub(super) fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

pub(super) fn calendar() -> Principal {
    Principal::calendar()
}

pub(super) fn named(serial: &str) -> Named {
    serial.parse().unwrap()
}

/// SQLite, and PostgreSQL where there is a server for tests.
pub(super) fn engines() -> Vec<Engine> {
    match server() {
        Some(_) => vec![Engine::Sqlite, Engine::Postgresql],
        None => vec![Engine::Sqlite],
    }
}

fn server() -> Option<url::Url> {
    std::env::var(SERVER).ok().filter(|text| !text.is_empty()).map(|text| text.parse().unwrap())
}

pub(super) struct People {
    pub(super) fleet: Fleet,
    /// In a session of hers, in which a code was shown.
    pub(super) operator: Principal,
    pub(super) camille: AccountId,
    url: DatabaseUrl,
    folder: tempfile::TempDir,
    _database: Option<Database>,
}

impl People {
    pub(super) async fn new(engine: Engine) -> Self {
        Self::with(engine, TakeoverPolicy::Closed).await
    }

    pub(super) async fn with(engine: Engine, takeover: TakeoverPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = (engine == Engine::Postgresql).then(Database::create);
        let url = match &database {
            Some(database) => database.url.clone(),
            None => DatabaseUrl::sqlite(folder.path().join("ardoise.db")),
        };
        Store::migrate(url.clone()).await.unwrap();
        let vault = Vault::parse(&Vault::generate_key_line("test")).unwrap();
        let store = Store::open(StoreOptions::new(url.clone()), vault).await.unwrap();
        let host = Principal::host();
        crate::authorities::init(&store, &host, "Seine-Maritime", now()).await.unwrap();
        let settings = Settings {
            organisation: "Seine-Maritime".into(),
            tablets_url: "https://tablettes.example.fr".parse().unwrap(),
            setup_waits: days(1),
            challenge_lifetime: days(1),
            identity_lifetime: days(365),
            scep_legacy: pki::scep::LegacyPolicy::refuse(),
            minimum_os: None,
            profile_signer: None,
            anchors: Vec::new(),
            takeover,
            quiet_hours: None,
            erasures: lending::EraseTerms::default(),
            notices: crate::NoticeSettings::default(),
            shared_folder: Some(SharedFolder::open(folder.path().join("shared")).unwrap()),
            warrants: incidents::Limits::default(),
            lost_mode: crate::LostModeWords::default(),
            uploads: UploadLimits {
                longest: 8 << 20,
                at_once: 4,
                within: Duration::from_secs(60),
                stays_free: 0,
            },
        };
        let fleet = Fleet::open(store, settings).await.unwrap();
        let roles = [Role::Operator, Role::Administrator].map(|role| (role, GrantReach::Organisation));
        let camille = people::someone(fleet.store(), Employer::Departement, "camille", roles.to_vec(), now())
            .await
            .unwrap();
        let session = people::session(fleet.store(), camille, CodeShown::JustNow, now()).await.unwrap();
        let operator = identify(&fleet, session.expose(), now()).await.unwrap();
        Self { fleet, operator, camille, url, folder, _database: database }
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Makes the uploaded files as old as if they had been written long before the present of the tests.
    pub(super) fn let_files_age(&self) {
        let written = std::time::UNIX_EPOCH + days(10_000);
        for entry in std::fs::read_dir(self.folder().join("shared/apps")).unwrap() {
            std::fs::File::open(entry.unwrap().path()).unwrap().set_modified(written).unwrap();
        }
    }

    /// The same database, opened with the key file of someone else.
    pub(super) async fn with_another_key(&self) -> Store {
        let vault = Vault::parse(&Vault::generate_key_line("another")).unwrap();
        Store::open(StoreOptions::new(self.url.clone()), vault).await.unwrap()
    }

    /// With the inventory imported.
    pub(super) async fn stocked(engine: Engine) -> Self {
        let people = Self::new(engine).await;
        inventory::import(&people.fleet, &people.operator, INVENTORY.as_bytes(), now()).await.unwrap();
        people
    }

    /// The catalogue has the apps of the App Store that this layer names.
    pub(super) async fn offers(&self, text: &str) {
        let layer = ::profiles::parse("layer", text).unwrap();
        self.fleet.store().write(move |tx| testkit::offer_apps(tx, &layer, now())).await.unwrap();
    }

    /// The operator in a session of another day.
    pub(super) async fn operator_at(&self, at: Instant) -> Principal {
        let session =
            people::session(self.fleet.store(), self.camille, CodeShown::JustNow, at).await.unwrap();
        identify(&self.fleet, session.expose(), at).await.unwrap()
    }

    /// Somebody else, and a session of theirs in which a code was shown a moment ago.
    pub(super) async fn someone(
        &self,
        employer: Employer,
        login: &str,
        roles: &[Role],
    ) -> (AccountId, Principal) {
        let roles = roles.iter().map(|role| (*role, GrantReach::Organisation)).collect();
        let account = people::someone(self.fleet.store(), employer, login, roles, now()).await.unwrap();
        (account, self.session(account, now()).await)
    }

    /// A session of theirs that began at that instant, with a code.
    pub(super) async fn session(&self, account: AccountId, at: Instant) -> Principal {
        let session = people::session(self.fleet.store(), account, CodeShown::JustNow, at).await.unwrap();
        identify(&self.fleet, session.expose(), at).await.unwrap()
    }

    /// A token of the operator's.
    pub(super) async fn token(&self, scope: Scope) -> Secret<String> {
        people::token(self.fleet.store(), self.camille, scope, None, now()).await.unwrap()
    }

    /// Someone who may only look.
    pub(super) async fn reader(&self) -> Principal {
        let token = self.token(Scope::Read).await;
        identify(&self.fleet, token.expose(), now()).await.unwrap()
    }

    pub(super) async fn tablet(&self, serial: &str) -> TabletId {
        tablets::show(&self.fleet, &self.operator, named(serial), now()).await.unwrap().line.tablet.id
    }

    pub(super) async fn count(&self, filter: Filter) -> usize {
        tablets::list(&self.fleet, &self.operator, filter, Page::default(), now()).await.unwrap().items.len()
    }

    /// Enrols the tablet, as if it had sent its push token.
    pub(super) async fn enrol(&self, serial: &str) -> EnrolmentId {
        self.enrol_with(serial, |_| {}).await
    }

    pub(super) async fn enrol_with(&self, serial: &str, change: impl FnOnce(&mut Enrolment)) -> EnrolmentId {
        let mut enrolment = Enrolment {
            id: EnrolmentId::new(now()),
            tablet_id: Some(self.tablet(serial).await),
            platform: Platform::Ipad,
            state: EnrolmentState::Active,
            kind: EnrolmentKind::Link,
            supervision: Supervision::Supervised,
            udid: Some("00008020-000915083C80012E".parse().unwrap()),
            serial: Some(serial.parse().unwrap()),
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
            created_at: now(),
            authenticated_at: Some(now()),
            token_updated_at: Some(now()),
            ended_at: None,
        };
        change(&mut enrolment);
        let id = enrolment.id;
        self.fleet.store().write(move |tx| store::enrolments::insert(tx, &enrolment)).await.unwrap();
        id
    }

    /// The actions that the audit log tells, in order, without those of the fixture.
    pub(super) async fn audit(&self) -> Vec<String> {
        let entries = self
            .fleet
            .store()
            .read(|tx| store::audit::list(tx, &store::audit::Filter::default(), None, 1_000))
            .await
            .unwrap();
        entries.into_iter().map(|entry| entry.action).filter(|action| action != "authority.create").collect()
    }
}

/// A database of its own on the server for tests, dropped with it.
struct Database {
    name: String,
    url: DatabaseUrl,
}

impl Database {
    fn create() -> Self {
        let name = format!("fleet_{}", uuid::Uuid::new_v4().simple());
        psql(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        let mut url = server().unwrap();
        url.set_path(&name);
        Self { url: url.as_str().parse().unwrap(), name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        psql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

fn psql(statement: &str) {
    let status = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--dbname", server().unwrap().as_str(), "--command", statement])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "psql: {statement}");
}
