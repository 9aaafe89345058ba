//! How the agent updates, in the order of its code: lift the restrictions, fetch, rules of the log, move, push, wipe, restart,
//! code, files, apps, restrictions again.

use serde_json::{Value, json};

use super::config::{self, Config, Read, flag, number, text};
use super::requests::{AgentReply, device_info, encoded};
use super::state::{AgentServer, Did, InstalledApp};
use super::{Agent, HOUR, Next, QUARTER, Wanted};

/// What waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    /// The first configuration.
    Enrol,
    /// The configuration.
    Fetch,
    Rules,
    /// Whether there is a configuration at the new address.
    Move(AgentServer),
    Wipe,
    Reboot,
    Code,
    Download,
    Report,
    Log,
}

/// Where an update goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Move,
    Push,
    Wipe,
    Reboot,
    Code,
    Downloads,
    Restrict,
}

/// Something to be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Download {
    File { url: String, path: String, last_update: i64 },
    App { url: String, package: String, app: InstalledApp },
}

impl Download {
    fn url(&self) -> &str {
        match self {
            Self::File { url, .. } | Self::App { url, .. } => url,
        }
    }
}

/// The rows that one request carries.
const ROWS: usize = 10;

impl Agent {
    pub(super) fn next_step(&mut self, server: &AgentServer, now: i64) -> Next {
        if now < self.not_before {
            return Next::Wait { until: self.not_before };
        }
        if self.step == Step::Idle {
            self.begin(now);
        }
        let at = |rest: &str| Self::address(server, self.via, rest);
        let of = |rest: &str| at(&format!("{rest}/{}", encoded(&server.number)));
        let info = |wipe| device_info(&self.state, now, wipe);
        let request = match &self.step {
            Step::Idle => return Next::Wait { until: self.next_due() },
            Step::Enrol => self.configuration(server, of("rest/public/sync/configuration"), true),
            Step::Fetch => self.configuration(server, of("rest/public/sync/configuration"), false),
            Step::Rules => Self::plain("GET", of("rest/plugins/devicelog/log/rules"), None),
            Step::Move(new) => {
                let rest = format!("rest/public/sync/configuration/{}", encoded(&server.number));
                self.configuration(server, Self::address(new, self.via, &rest), false)
            }
            Step::Wipe => Self::plain("POST", of("rest/plugins/devicereset/public"), Some(&info(true))),
            Step::Reboot => {
                Self::plain("POST", of("rest/plugins/devicereset/public/reboot"), Some(&info(false)))
            }
            Step::Code => {
                Self::plain("POST", of("rest/plugins/devicereset/public/password"), Some(&info(false)))
            }
            Step::Download => match self.downloads.front() {
                Some(download) => self.download(download.url()),
                None => return Next::Wait { until: now },
            },
            Step::Report => Self::plain("POST", at("rest/public/sync/info"), Some(&info(false))),
            Step::Log => {
                let rows = Value::Array(self.rows());
                Self::plain("POST", of("rest/plugins/devicelog/log/list"), Some(&rows))
            }
        };
        Next::Send(Box::new(request))
    }

    /// What is due when nothing is on its way.
    fn begin(&mut self, now: i64) {
        if now >= self.next_look {
            self.next_look = now.saturating_add(QUARTER);
            let since = now.saturating_sub(self.last_update.unwrap_or(now));
            // Without a push option the worker that would refresh dies.
            let alive = self.config().is_some_and(|config| config.text("pushOptions").is_some());
            if since > HOUR && alive {
                self.wanted = Some(self.wanted.unwrap_or(Wanted::Silently));
            }
        }
        if let Some(wanted) = self.wanted.take() {
            self.making = wanted;
            self.attempts = 0;
            self.step = if self.config().is_some() { Step::Fetch } else { Step::Enrol };
            self.lift();
        } else if self.next_log.is_some_and(|at| now >= at) {
            self.step = Step::Log;
        } else if self.config().is_some() && self.next_report.is_some_and(|at| now >= at) {
            self.step = Step::Report;
        }
    }

    fn next_due(&self) -> i64 {
        [Some(self.next_look), self.next_report, self.next_log]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.next_look)
    }

    pub(super) fn step_answered(&mut self, reply: &AgentReply, now: i64) {
        match std::mem::replace(&mut self.step, Step::Idle) {
            Step::Idle => {}
            Step::Enrol => self.enrolled(reply, now),
            Step::Fetch => self.fetched(reply, now),
            Step::Rules => {
                if let AgentReply::Http { status, body, .. } = reply {
                    self.state.rules = config::rules(*status, body);
                }
                self.go_on(Stage::Move, now);
            }
            Step::Move(new) => self.moved(new, reply, now),
            Step::Wipe if reply.is_success() && self.state.administrator => self.erase(),
            Step::Wipe => self.go_on(Stage::Reboot, now),
            Step::Reboot if reply.is_success() => {
                self.did.push(Did::Rebooted);
                self.restart(now);
            }
            Step::Reboot => self.go_on(Stage::Code, now),
            // Whatever was answered: the code is set already.
            Step::Code => self.go_on(Stage::Downloads, now),
            Step::Download => {
                self.downloaded(reply);
                self.next_download(now);
            }
            Step::Report => self.next_report = Some(now.saturating_add(QUARTER)),
            Step::Log => self.logged(reply, now),
        }
    }

    /// A configuration out of an answer, for an agent that looks at its signature if it was built to.
    fn read(&self, reply: &AgentReply) -> Result<Config, Read> {
        let AgentReply::Http { status, signature, body } = reply else {
            return Err(Read::Trouble("no answer".to_owned()));
        };
        let data = match config::frame(*status, body) {
            Read::Data(data) => data,
            other => return Err(other),
        };
        if !self.believes(signature.as_deref(), body) {
            return Err(Read::Trouble("the signature is wrong".to_owned()));
        }
        Config::read(&data).map_err(Read::Trouble)
    }

    /// The first configuration: it is stored, and the first whole update fetches it again.
    fn enrolled(&mut self, reply: &AgentReply, now: i64) {
        match self.read(reply) {
            Ok(config) => {
                self.take(config);
                if let Some(server) = &mut self.state.server {
                    server.options.clear();
                }
                self.attempts = 0;
                self.step = Step::Fetch;
            }
            Err(why) => self.trouble(why, Step::Enrol, now),
        }
    }

    fn fetched(&mut self, reply: &AgentReply, now: i64) {
        match self.read(reply) {
            Ok(config) => {
                self.take(config);
                self.last_update = Some(now);
                self.step = Step::Rules;
            }
            Err(why) => self.trouble(why, Step::Fetch, now),
        }
    }

    fn take(&mut self, config: Config) {
        // At once: every later call uses the new number.
        if let (Some(number), Some(server)) = (config.text("newNumber"), &mut self.state.server) {
            number.clone_into(&mut server.number);
        }
        self.state.config = Some(config);
        self.did.push(Did::TookConfiguration);
    }

    /// It is tried again some times; then the tablet keeps what it has. One that has an address to move to, moves all the same.
    fn trouble(&mut self, why: Read, step: Step, now: i64) {
        let why = match why {
            Read::NotFound => {
                self.state.asks_for_number = true;
                return self.did.push(Did::AskedForNumber);
            }
            Read::Trouble(why) => why,
            Read::Data(_) => String::new(),
        };
        self.did.push(Did::Choked(why));
        let (retries, delay) =
            self.state.server.as_ref().map_or((1, 15_000), |server| (server.retries, server.retry_delay));
        self.attempts = self.attempts.saturating_add(1);
        if self.attempts <= retries {
            self.not_before = now.saturating_add(delay);
            self.step = step;
        } else if step == Step::Fetch {
            self.last_update = Some(now);
            match self.new_server() {
                Some(new) => self.step = Step::Move(new),
                None => self.restrict(),
            }
        } else {
            // Its screen offers to try again; a quarter of an hour stands for whoever taps.
            self.not_before = now.saturating_add(QUARTER);
            self.wanted = Some(Wanted::AndTell);
        }
    }

    /// Where the configuration sends it, if that is elsewhere.
    fn new_server(&self) -> Option<AgentServer> {
        let server = self.state.server.as_ref()?;
        let url = url::Url::parse(self.config()?.text("newServerUrl")?.trim()).ok()?;
        let base = url.origin().ascii_serialization();
        let project = url.path().trim_matches('/').to_owned();
        let same = base.eq_ignore_ascii_case(&server.base) && project.eq_ignore_ascii_case(&server.project);
        let new = AgentServer { base: base.clone(), secondary: base, project, ..server.clone() };
        (!same).then_some(new)
    }

    fn moved(&mut self, new: AgentServer, reply: &AgentReply, now: i64) {
        // What it is given there is fetched again, by an update from the beginning.
        if self.read(reply).is_ok() {
            self.did.push(Did::Moved(format!("{}/{}", new.base, new.project)));
            self.state.server = Some(new);
            self.attempts = 0;
            self.lift();
            self.step = Step::Fetch;
        } else {
            self.did.push(Did::Stayed);
            self.go_on(Stage::Push, now);
        }
    }

    /// Goes on until something must be asked.
    fn go_on(&mut self, from: Stage, now: i64) {
        let Some(config) = self.config() else { return };
        let told = |name: &str| config.flag(name);
        match from {
            Stage::Move => match self.new_server() {
                Some(new) => self.step = Step::Move(new),
                None => self.go_on(Stage::Push, now),
            },
            Stage::Push => {
                match config.text("pushOptions") {
                    Some("mqttWorker" | "mqttAlarm") => {}
                    Some(_) if !self.polling => {
                        self.polling = true;
                        self.next_poll = now;
                        self.did.push(Did::StartedPush);
                    }
                    Some(_) => {}
                    None => self.did.push(Did::Choked("pushOptions is null".to_owned())),
                }
                self.go_on(Stage::Wipe, now);
            }
            Stage::Wipe if told("factoryReset") => self.step = Step::Wipe,
            Stage::Wipe => self.go_on(Stage::Reboot, now),
            Stage::Reboot if told("reboot") => self.step = Step::Reboot,
            Stage::Reboot => self.go_on(Stage::Code, now),
            Stage::Code => match config.text("passwordReset").map(str::to_owned) {
                Some(code) => {
                    self.set_code(code, now);
                    self.step = Step::Code;
                }
                None => self.go_on(Stage::Downloads, now),
            },
            Stage::Downloads => {
                self.plan_downloads();
                self.next_download(now);
            }
            Stage::Restrict => {
                self.restrict();
                self.did.push(Did::Completed);
                if self.making == Wanted::AndTell {
                    self.next_report = Some(now);
                }
                if !self.rows().is_empty() && self.next_log.is_none() {
                    self.next_log = Some(now);
                }
            }
        }
    }

    fn set_code(&mut self, code: String, now: i64) {
        if self.state.token_active {
            self.state.passcode = Some(code).filter(|code| !code.is_empty());
            self.state.note(now, 3, "Password successfully changed");
            self.did.push(Did::SetCode);
        } else {
            self.state.note(now, 2, "Failed to reset password");
            self.did.push(Did::CouldNotSetCode);
        }
    }

    /// Files first, then apps: removals before installations.
    fn plan_downloads(&mut self) {
        let Some(config) = self.state.config.clone() else { return };
        self.downloads.clear();
        for file in config.list("files") {
            let (Some(path), url) = (text(file, "path"), text(file, "url").unwrap_or_default()) else {
                continue;
            };
            let last_update = number(file, "lastUpdate");
            if flag(file, "remove") {
                self.state.files.remove(path);
            } else if self.state.files.get(path).is_none_or(|known| *known < last_update) {
                let (url, path) = (url.to_owned(), path.to_owned());
                self.downloads.push_back(Download::File { url, path, last_update });
            }
        }
        for app in config.list("applications").iter().filter(|app| flag(app, "remove")) {
            let (package, version) =
                (text(app, "pkg").unwrap_or_default(), text(app, "version").unwrap_or_default());
            let is_it = |installed: &InstalledApp| version == "0" || installed.version == version;
            if self.state.apps.get(package).is_some_and(is_it) {
                self.state.apps.remove(package);
                self.did.push(Did::Removed(package.to_owned()));
            }
        }
        for app in config.list("applications").iter().filter(|app| !flag(app, "remove")) {
            let is_app = matches!(text(app, "type"), None | Some("app"));
            let (package, url) = (text(app, "pkg").unwrap_or_default(), text(app, "url").unwrap_or_default());
            let version = text(app, "version").unwrap_or_default().to_owned();
            let wanted = InstalledApp { version, code: number(app, "code") };
            let there = self.state.apps.get(package).is_some_and(|installed| is_same(installed, &wanted));
            let given_up = self.state.failed_downloads.contains(url);
            if is_app && !url.is_empty() && !there && !given_up {
                let (url, package) = (url.to_owned(), package.to_owned());
                self.downloads.push_back(Download::App { url, package, app: wanted });
            }
        }
    }

    fn next_download(&mut self, now: i64) {
        if self.downloads.is_empty() {
            self.go_on(Stage::Restrict, now);
        } else {
            self.step = Step::Download;
        }
    }

    fn downloaded(&mut self, reply: &AgentReply) {
        let Some(download) = self.downloads.pop_front() else { return };
        // Nothing else than 200, and no digest is looked at.
        if !matches!(reply, AgentReply::Http { status: 200, .. }) {
            self.state.failed_downloads.insert(download.url().to_owned());
            return self.did.push(Did::DownloadFailed(download.url().to_owned()));
        }
        match download {
            Download::File { path, last_update, .. } => {
                self.state.files.insert(path.clone(), last_update);
                self.did.push(Did::Put(path));
            }
            Download::App { package, app, .. } => {
                self.state.apps.insert(package.clone(), app);
                self.did.push(Did::Installed(package));
            }
        }
    }

    /// Restrictions are lifted while the agent updates.
    fn lift(&mut self) {
        self.state.restrictions.clear();
        self.did.push(Did::Lifted);
    }

    fn restrict(&mut self) {
        let Some(config) = &self.state.config else { return };
        let names = config.text("restrictions").unwrap_or_default();
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        self.state.restrictions = names.collect();
        self.state.restrictions.insert("no_safe_boot".to_owned());
        if config.flag("usbStorage") {
            self.state.restrictions.extend(["no_usb_file_transfer", "no_physical_media"].map(str::to_owned));
        }
        let packages = |name: &str| -> Vec<String> {
            let said = config.own_setting(name).unwrap_or_default();
            // Spaces are part of a name, which is then nobody's.
            said.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let (locked, unlocked) = (packages("locked_packages"), packages("unlocked_packages"));
        self.state.suspended.extend(locked);
        for package in unlocked {
            self.state.suspended.remove(&package);
        }
        self.did.push(Did::Restricted);
    }

    /// The next rows that somebody asked for.
    fn rows(&self) -> Vec<Value> {
        let asked = |level: i64, message: &str| {
            self.state.rules.iter().any(|rule| {
                let mine = rule.package == "com.hmdm.launcher" && rule.level >= level;
                mine && (rule.filter.is_empty() || message.contains(&rule.filter))
            })
        };
        let rows = self.state.log.iter().filter(|(_, level, message)| asked(*level, message)).take(ROWS);
        let row = |(at, level, message): &(i64, i64, String)| json!({ "timestamp": at, "logLevel": level, "packageId": "com.hmdm.launcher", "message": message });
        rows.map(row).collect()
    }

    fn logged(&mut self, reply: &AgentReply, now: i64) {
        if !reply.is_success() {
            self.next_log = Some(now.saturating_add(QUARTER));
            return;
        }
        let sent = self.rows();
        let is_sent = |(at, level, message): &(i64, i64, String)| {
            sent.iter().any(|row| {
                number(row, "timestamp") == *at
                    && number(row, "logLevel") == *level
                    && text(row, "message") == Some(message)
            })
        };
        self.state.log.retain(|row| !is_sent(row));
        self.next_log = (!self.rows().is_empty()).then_some(now);
    }
}

/// By version code where there is one, else by digits and dots of the version; `0` is any.
fn is_same(installed: &InstalledApp, wanted: &InstalledApp) -> bool {
    let digits = |version: &str| -> String {
        version.chars().filter(|letter| letter.is_ascii_digit() || *letter == '.').collect()
    };
    if wanted.code != 0 {
        installed.code == wanted.code
    } else {
        wanted.version == "0" || digits(&installed.version) == digits(&wanted.version)
    }
}
