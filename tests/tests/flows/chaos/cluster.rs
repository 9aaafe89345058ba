//! A PostgreSQL of this test's own, as durable as it comes, whose processes can be killed one by one.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::{Patience, wait_until};

/// The role that owns the tables, and the database.
const OWNER: &str = "ardoise_owner";
/// The role that serves them.
pub(crate) const SERVES: &str = "ardoise_serves";

/// A cluster. What it promised to keep it keeps: `fsync` and `synchronous_commit` are on, as PostgreSQL ships.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    /// What makes root the account that PostgreSQL insists on.
    becomes: Vec<String>,
    port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// Makes it, starts it, and makes an empty database with its two roles.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let becomes = becoming(folder.path());
        let mut cluster = Self { programs: programs(), folder, becomes, port: 0, postmaster: None };
        let data = cluster.data();
        let made = cluster
            .program("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg(format!("--pgdata={}", data.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        cluster.port = free_port();
        cluster.up().await;
        let mut superuser =
            PgConnection::establish(&cluster.url("postgres", "postgres", cluster.port)).unwrap();
        superuser.batch_execute(&format!("CREATE ROLE {OWNER} LOGIN")).unwrap();
        superuser.batch_execute(&format!("CREATE ROLE {SERVES} LOGIN")).unwrap();
        superuser.batch_execute(&format!("CREATE DATABASE ardoise OWNER {OWNER}")).unwrap();
        cluster
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match self.becomes.split_first() {
            None => Command::new(&program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(&program);
                command
            }
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn url(&self, role: &str, database: &str, port: u16) -> String {
        format!("postgresql://{role}@127.0.0.1:{port}/{database}")
    }

    /// Where it listens.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The database, as the owner of its tables comes to it.
    pub(crate) fn owner_url(&self) -> String {
        self.url(OWNER, "ardoise", self.port)
    }

    /// The database, as the server comes to it, through another port.
    pub(crate) fn serving_url(&self, port: u16) -> String {
        self.url(SERVES, "ardoise", port)
    }

    /// Starts the postmaster, again and again until it serves: one whose predecessor was killed waits until the
    /// last of that one's processes has gone.
    pub(crate) async fn up(&mut self) {
        let cluster = std::sync::Mutex::new(self);
        let up = wait_until("PostgreSQL is up", Patience::default(), || async {
            let mut cluster = cluster.lock().unwrap();
            let ended = cluster.postmaster.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some());
            if ended {
                let started = cluster.spawn();
                cluster.postmaster = Some(started);
            }
            let url = cluster.url("postgres", "postgres", cluster.port);
            Ok(PgConnection::establish(&url).is_ok().then_some(()))
        });
        if let Err(error) = up.await {
            let cluster = cluster.lock().unwrap();
            panic!("{error}: {}", fs::read_to_string(cluster.log()).unwrap_or_default());
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("postgresql.log")
    }

    fn spawn(&self) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        self.program("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=100", "-c", "shared_buffers=32MB"])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Kills the postmaster with SIGKILL; its children see it and go.
    pub(crate) fn kill_postmaster(&mut self) {
        if let Some(mut postmaster) = self.postmaster.take() {
            postmaster.kill().unwrap();
            postmaster.wait().unwrap();
        }
    }

    /// Kills one process that works for the server under test with SIGKILL, the one that `choose` picks out of so
    /// many. The postmaster then ends all others, and recovers as after a crash; it serves again when this returns.
    pub(crate) async fn kill_backend(&mut self, choose: impl FnOnce(usize) -> usize) {
        let before = wait_until("somebody works for the server", Patience::default(), || async {
            Ok(Some(self.backends()).filter(|backends| !backends.is_empty()))
        });
        let before = before.await.unwrap();
        let chosen = before[choose(before.len())];
        // One that has just gone by itself needs no killing.
        let _status = Command::new("kill").args(["-9", &chosen.to_string()]).status().unwrap();
        wait_until("the others have gone too", Patience::default(), || async {
            let left = self.backends();
            Ok((!before.iter().any(|one| left.contains(one))).then_some(()))
        })
        .await
        .unwrap();
        self.up().await;
    }

    /// The children of the postmaster that serve the role under test, by what they call themselves.
    fn backends(&self) -> Vec<u32> {
        let Some(postmaster) = self.postmaster.as_ref().map(Child::id) else { return Vec::new() };
        let mine = |process: &PathBuf| {
            let parent = fs::read_to_string(process.join("stat")).ok()?;
            // The name, in parentheses, may hold anything; the state and the parent follow it.
            let parent = parent.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<u32>().ok()?;
            let called = fs::read_to_string(process.join("cmdline")).ok()?;
            (parent == postmaster && called.contains(SERVES)).then_some(())
        };
        let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
        let number = |process: PathBuf| process.file_name()?.to_str()?.parse().ok();
        let mut found: Vec<u32> =
            processes.filter(|process| mine(process).is_some()).filter_map(number).collect();
        found.sort_unstable();
        found
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill_postmaster();
    }
}

/// Where PostgreSQL's programs are: Debian keeps the server's off the PATH, one folder per version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            Some((version, path.join("bin")))
        })
        .filter(|(_version, folder)| folder.join("initdb").is_file())
        .collect();
    folders.sort_unstable();
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file())
    };
    folders.pop().map(|(_version, folder)| folder).or_else(on_path).expect("PostgreSQL: type `make install`")
}

/// PostgreSQL refuses to run as root: then it becomes `postgres`, to whom the folder is given.
fn becoming(folder: &Path) -> Vec<String> {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Vec::new();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Command::new("chown").arg("postgres:").arg(folder).status().unwrap().success());
    ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"].map(str::to_owned).to_vec()
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
