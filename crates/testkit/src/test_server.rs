//! The server under test, with everything around it.

mod memory;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use checkin::{Rate, RateLimits};
use fleet::{Fleet, Scope};
use openssl::x509::X509;
use serde_json::json;
use server::{Rhythm, RunningServer, Server, ServerOptions};
use store::role_grants::GrantReach;
use tablets::{Ipad, IpadBuilder, KeyPool, Trust};
use tempfile::TempDir;
use types::{AccountId, Clock as _, Duration, ManualClock, Role, Secret};
use url::Url;

use crate::database::Prepared;
use crate::people::{self, CodeShown, Employer};
use crate::push_service::PushService;
use crate::{ApiClient, Database, MailServer, TestkitError, home, inventory_csv};

/// Without anything said, nobody slows the tablets down: they all come from one address.
const NO_PACE: u32 = 1_000_000;
/// The operator's login.
const OPERATOR: &str = "camille";
/// How many keys the tablets of one process share.
const KEYS: usize = 4;

/// How a test server is to be. [`Setup::start`] starts it.
#[derive(Debug, Clone)]
#[must_use]
pub struct Setup {
    database: Database,
    flags: Vec<String>,
    rates: RateLimits,
    coming_in: RateLimits,
    workers: usize,
    keys: Option<KeyPool>,
    identity_lifetime: Option<Duration>,
    push_certificate: bool,
    spoken_to: Vec<String>,
    calendar: Duration,
}

impl Setup {
    /// A server on this database, with the default configuration, on free ports of loopback.
    pub fn new(database: impl Into<Database>) -> Self {
        let everything = Rate::new(NO_PACE, NO_PACE);
        let no_pace = RateLimits { per_address: everything, overall: everything, ..RateLimits::default() };
        Self {
            database: database.into(),
            flags: Vec::new(),
            rates: no_pace,
            coming_in: no_pace,
            workers: 2,
            keys: None,
            identity_lifetime: None,
            push_certificate: true,
            spoken_to: Vec::new(),
            calendar: Duration::from_millis(500),
        }
    }

    /// Sends its notices through this mail server.
    ///
    /// # Errors
    /// [`TestkitError::File`].
    pub fn mail(mut self, server: &MailServer) -> Result<Self, TestkitError> {
        self.flags.extend(server.flags()?);
        self.spoken_to.push(format!("127.0.0.1:{}", server.port()));
        Ok(self)
    }

    /// Says a key of the configuration, such as `takeover.enabled=true`.
    pub fn flag(mut self, key_and_value: impl Into<String>) -> Self {
        self.flags.push(key_and_value.into());
        self
    }

    /// Slows down tablets that prove nothing yet.
    pub const fn pace(mut self, rates: RateLimits) -> Self {
        self.rates = rates;
        self
    }

    /// Slows down people who try to come in.
    pub const fn coming_in(mut self, rates: RateLimits) -> Self {
        self.coming_in = rates;
        self
    }

    /// How many threads serve each door; 2 unless told.
    pub const fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// How often its calendar looks by itself: seldom, for a test that is the calendar.
    pub const fn calendar(mut self, every: Duration) -> Self {
        self.calendar = every;
        self
    }

    /// The keys that its tablets share; a few made for the process unless told.
    pub fn keys(mut self, keys: KeyPool) -> Self {
        self.keys = Some(keys);
        self
    }

    /// How long the identities last that it issues.
    pub const fn identity_lifetime(mut self, lifetime: Duration) -> Self {
        self.identity_lifetime = Some(lifetime);
        self
    }

    /// Leaves out the push certificate: nothing can be pushed, and no tablet enrols.
    pub const fn without_push_certificate(mut self) -> Self {
        self.push_certificate = false;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start(self) -> Result<TestServer, TestkitError> {
        let clock = ManualClock::new();
        let folder = tempfile::tempdir().map_err(TestkitError::file("making a folder"))?;
        let database = self.database.prepare(folder.path()).await?;
        home::make_key_file(&folder.path().join("ardoise.keys"))?;
        let push_service = PushService::start(clock.now(), folder.path()).await?;

        let mut flags = vec![
            format!("database.url={}", database.url),
            "tablets.listen=127.0.0.1:0".to_owned(),
            "tablets.public_url=https://localhost:0".to_owned(),
            "people.listen=127.0.0.1:0".to_owned(),
            "people.public_url=https://localhost:0".to_owned(),
        ];
        flags.extend(push_service.flags());
        for flag in flags.iter_mut().filter(|flag| flag.starts_with("egress.allow=")) {
            *flag = std::iter::once(flag.clone())
                .chain(self.spoken_to.iter().cloned())
                .collect::<Vec<_>>()
                .join(", ");
        }
        flags.extend(self.flags.iter().cloned());
        home::make_authority(&home::config(folder.path(), &flags)?, clock.now()).await?;

        let keys = match &self.keys {
            Some(keys) => keys.clone(),
            None => shared_keys()?,
        };
        let mut server = TestServer {
            setup: self,
            clock,
            keys,
            folder,
            database,
            push_service,
            flags,
            running: None,
            api: None,
            operator: None,
            trust: Trust::system()?,
            urls: None,
        };
        server.run().await?;
        server.let_operator_in().await?;
        if server.setup.push_certificate {
            server.install_push_certificate().await?;
        }
        Ok(server)
    }
}

/// The real server on loopback, with a stand-in push service, a clock that can be moved, and a token.
#[derive(Debug)]
pub struct TestServer {
    setup: Setup,
    clock: ManualClock,
    keys: KeyPool,
    running: Option<RunningServer>,
    api: Option<ApiClient>,
    operator: Option<AccountId>,
    trust: Trust,
    urls: Option<Urls>,
    push_service: PushService,
    flags: Vec<String>,
    database: Prepared,
    folder: TempDir,
}

/// Where it is reached, also while it is stopped.
#[derive(Debug, Clone)]
struct Urls {
    tablets: Url,
    people: Url,
}

impl TestServer {
    /// A server on this database, as it comes.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start(database: impl Into<Database>) -> Result<Self, TestkitError> {
        Setup::new(database).start().await
    }

    /// A server to be told more about before it starts.
    pub fn setup(database: impl Into<Database>) -> Setup {
        Setup::new(database)
    }

    async fn run(&mut self) -> Result<(), TestkitError> {
        let config = home::config(self.folder.path(), &self.flags)?;
        let mut options = ServerOptions::new(config, Arc::new(self.clock.clone()));
        options.workers = Some(self.setup.workers);
        options.owner_may_serve = self.database.owner_serves;
        options.unauthenticated = self.setup.rates;
        options.coming_in = self.setup.coming_in;
        options.rhythm = Rhythm {
            messenger: Duration::from_millis(100),
            calendar: self.setup.calendar,
            sealer: Duration::from_millis(100),
            postman: Duration::from_millis(200),
        };
        if let Some(lifetime) = self.setup.identity_lifetime {
            options.identity_lifetime = lifetime;
        }
        let running = Server::start(options).await?;
        if self.urls.is_none() {
            // Started again, it listens where it was: tablets do not forget an address.
            self.flags.push(format!("tablets.listen={}", running.tablets_addr()));
            self.flags.push(format!("people.listen={}", running.people_addr()));
            self.urls =
                Some(Urls { tablets: running.tablets_url().clone(), people: running.people_url().clone() });
        }
        self.trust = trust(running.own_authorities())?;
        self.running = Some(running);
        Ok(())
    }

    /// Lets the operator in anew: a restore has ended every session and token.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn sign_in_again(&mut self) -> Result<(), TestkitError> {
        self.let_operator_in().await
    }

    async fn let_operator_in(&mut self) -> Result<(), TestkitError> {
        let running = self.running.as_ref().ok_or(TestkitError::Stopped)?;
        let (fleet, now) = (running.fleet(), self.clock.now());
        let roles = [Role::Operator, Role::Administrator].map(|role| (role, GrantReach::Organisation));
        // A server over a database of before has its operator.
        let before = fleet.store().read(|tx| store::accounts::by_login(tx, OPERATOR)).await?;
        let account = match before {
            Some(account) => account.id,
            None => {
                people::someone(fleet.store(), Employer::Departement, OPERATOR, roles.to_vec(), now).await?
            }
        };
        let token = people::token(fleet.store(), account, Scope::Operate, None, now).await?;
        let client = ApiClient::new(
            running.people_url().clone(),
            running.own_authorities(),
            Some(token),
            &self.clock,
        )?;
        (self.api, self.operator) = (Some(client), Some(account));
        Ok(())
    }

    /// Installs the push certificate of the stand-in, as an operator does.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] with the refusal.
    pub async fn install_push_certificate(&self) -> Result<(), TestkitError> {
        let (certificate_pem, key_pem) = self.push_service.certificate();
        let wanted = json!({ "certificate_pem": certificate_pem, "key_pem": key_pem });
        self.stepped_up().await?.put("/api/v1/push-certificate", &wanted).await?.ok().map(|_shown| ())
    }

    /// What its configuration says, `key=value`; the later holds.
    pub(crate) fn flags(&self) -> &[String] {
        &self.flags
    }

    /// The clock of the server and of its tablets.
    #[must_use]
    pub const fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Moves the clock forwards, and lets the calendar look at it.
    pub fn advance(&self, span: Duration) {
        self.clock.advance(span);
        if let Some(running) = &self.running {
            running.waker().clock_moved();
        }
    }

    /// The keys that its tablets share.
    #[must_use]
    pub const fn keys(&self) -> &KeyPool {
        &self.keys
    }

    /// The running server.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub fn running(&self) -> Result<&RunningServer, TestkitError> {
        self.running.as_ref().ok_or(TestkitError::Stopped)
    }

    /// The use cases of the running server, for what no API offers.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub fn fleet(&self) -> Result<&Fleet, TestkitError> {
        self.running().map(RunningServer::fleet)
    }

    /// The address tablets use: `https://localhost:…`.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`], if it never ran.
    pub fn tablets_url(&self) -> Result<&Url, TestkitError> {
        self.urls.as_ref().map(|urls| &urls.tablets).ok_or(TestkitError::Stopped)
    }

    /// The address people use.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`], if it never ran.
    pub fn people_url(&self) -> Result<&Url, TestkitError> {
        self.urls.as_ref().map(|urls| &urls.people).ok_or(TestkitError::Stopped)
    }

    /// A client of the API with a token that may act.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`], if it never ran.
    pub fn api(&self) -> Result<&ApiClient, TestkitError> {
        self.api.as_ref().ok_or(TestkitError::Stopped)
    }

    /// Another token of the operator.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub async fn new_token(&self, scope: Scope) -> Result<Secret<String>, TestkitError> {
        Ok(people::token(self.fleet()?.store(), self.operator()?, scope, None, self.clock.now()).await?)
    }

    /// The database of the server, as its configuration names it.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    /// The account that [`Self::api`] acts for: operator and administrator of the département, as the first one is.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`], if it never ran.
    pub fn operator(&self) -> Result<AccountId, TestkitError> {
        self.operator.ok_or(TestkitError::Stopped)
    }

    /// A client of the API in a session of the operator, in which a code was shown a moment ago.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub async fn stepped_up(&self) -> Result<ApiClient, TestkitError> {
        self.in_session(self.operator()?, CodeShown::JustNow).await
    }

    /// A client of the API in a new session of an account.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub async fn in_session(&self, account: AccountId, code: CodeShown) -> Result<ApiClient, TestkitError> {
        let session = people::session(self.fleet()?.store(), account, code, self.clock.now()).await?;
        Ok(self.api()?.with_token(session))
    }

    /// Somebody with one role, in one organisation, which is made if there is none.
    ///
    /// # Errors
    /// [`TestkitError::Store`] for a role that does not fit.
    pub async fn someone(
        &self,
        employer: Employer,
        login: &str,
        role: Role,
        reach: GrantReach,
    ) -> Result<AccountId, TestkitError> {
        let roles = vec![(role, reach)];
        Ok(people::someone(self.fleet()?.store(), employer, login, roles, self.clock.now()).await?)
    }

    /// Whom a tablet must trust to come in.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Our authorities as PEM, for clients that read files.
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub fn trust_pem(&self) -> Result<String, TestkitError> {
        pem(self.running()?.own_authorities())
    }

    /// The stand-in push service.
    #[must_use]
    pub const fn push_service(&self) -> &PushService {
        &self.push_service
    }

    /// The home folder: the key file, SQLite's file.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// A simulated iPad that trusts this server, goes by its clock, and shares keys with others. Its UDID
    /// follows from its serial number.
    pub fn ipad(&self, serial: &str) -> IpadBuilder {
        let clock = self.clock.clone();
        Ipad::builder()
            .serial(serial)
            .trust(self.trust.clone())
            .keys(self.keys.clone())
            .clock(tablets::Clock::reading(move || clock.now().as_seconds()))
    }

    /// An iPad that enrolled by a link of its own, after its serial number was imported for collège `0761234A`.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn enrolled_ipad(&self, serial: &str) -> Result<Ipad, TestkitError> {
        self.import_inventory(&inventory_csv([serial], "0761234A")).await?;
        let mut ipad = self.ipad(serial).build()?;
        ipad.enrol_by_link(&self.link_for(serial).await?).await?;
        Ok(ipad)
    }

    /// Believes simulated devices in place of Apple's, whose authorities these are (DER).
    ///
    /// # Errors
    /// [`TestkitError::Stopped`].
    pub fn believe_simulated_devices(
        &self,
        authority: pki::DeviceCertificateAuthorities,
    ) -> Result<(), TestkitError> {
        #[expect(clippy::disallowed_methods, reason = "this is the test kit")]
        self.fleet()?.believe_simulated_devices(authority);
        Ok(())
    }

    /// Stops the server in order. Its database and its address stay.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Stops the server as a crash does, as far as one process can: nothing under way ends, nothing noted is
    /// written on purpose.
    pub async fn crash(&mut self) {
        if let Some(running) = self.running.take() {
            running.abandon().await;
        }
    }

    /// Starts the server again, on the same database, at the same address.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start_again(&mut self) -> Result<(), TestkitError> {
        self.stop().await;
        self.run().await
    }

    /// As [`TestServer::start_again`], with more said of the configuration.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start_again_with(&mut self, flags: &[&str]) -> Result<(), TestkitError> {
        self.flags.extend(flags.iter().map(|flag| (*flag).to_owned()));
        self.start_again().await
    }
}

/// Keys take a quarter of a second each: one process makes a few.
fn shared_keys() -> Result<KeyPool, TestkitError> {
    static KEYS_OF_PROCESS: OnceLock<KeyPool> = OnceLock::new();
    if let Some(keys) = KEYS_OF_PROCESS.get() {
        return Ok(keys.clone());
    }
    let folder = std::env::temp_dir().join("ardoise-test-keys");
    let made = KeyPool::open(&folder, KEYS)?;
    Ok(KEYS_OF_PROCESS.get_or_init(|| made).clone())
}

fn pem(authorities: &[Vec<u8>]) -> Result<String, TestkitError> {
    let pem = |der: &Vec<u8>| X509::from_der(der).and_then(|certificate| certificate.to_pem());
    let pems = authorities.iter().map(pem).collect::<Result<Vec<_>, _>>().map_err(TestkitError::other)?;
    Ok(String::from_utf8_lossy(&pems.concat()).into_owned())
}

fn trust(authorities: &[Vec<u8>]) -> Result<Trust, TestkitError> {
    Ok(Trust::only(&pem(authorities)?)?)
}
