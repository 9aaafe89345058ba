//! The real `ardoise serve`, as a process of its own: what can be ended as a machine ends it, with SIGKILL.

use std::fs::{File, OpenOptions};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{ApiClient, Patience, TestServer, TestkitError, wait_until};

/// The program, over the home, the database and the addresses of a test server that has stopped.
#[derive(Debug)]
pub struct ServerProcess {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    api: ApiClient,
    child: Option<Child>,
}

impl TestServer {
    /// Stops this server, and gives the program `ardoise` that goes on in its place: same home, same database,
    /// same addresses. It goes by the machine's clock. Start it with [`ServerProcess::start`].
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn hand_over(&mut self) -> Result<ServerProcess, TestkitError> {
        self.stop().await;
        self.process(&[], self.api()?.clone()).await
    }

    /// The program `ardoise` as a second node beside this server, with doors of its own: same home, same database,
    /// which must be PostgreSQL.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn another_node(&self) -> Result<ServerProcess, TestkitError> {
        let free = || -> std::io::Result<u16> {
            Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
        };
        let port = free().map_err(TestkitError::file("looking for a free port"))?;
        let doors = ["tablets.listen=127.0.0.1:0".to_owned(), format!("people.listen=127.0.0.1:{port}")];
        self.process(&doors, self.api()?.at_port(port)?).await
    }

    async fn process(&self, further: &[String], api: ApiClient) -> Result<ServerProcess, TestkitError> {
        let program = tokio::task::spawn_blocking(|| crate::program("ardoise", &["crates", "migrations"]))
            .await
            .map_err(TestkitError::other)??;
        // `serve` wants a home that `ardoise init` made; everything that the file would say is said by flags.
        let file = self.home().join(server::config::FILE_NAME);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .map_err(TestkitError::file("writing the configuration"))?;
        let mut arguments = vec!["serve".to_owned(), "--home".to_owned(), self.home().display().to_string()];
        for flag in self.flags().iter().chain(further) {
            arguments.extend(["--set".to_owned(), flag.clone()]);
        }
        Ok(ServerProcess { program, arguments, log: self.home().join("serve.log"), api, child: None })
    }
}

impl ServerProcess {
    /// Starts it. It may take a while to serve: see [`ServerProcess::ready`].
    ///
    /// # Errors
    /// [`TestkitError::File`] when the system starts no process.
    pub fn start(&mut self) -> Result<(), TestkitError> {
        self.kill();
        let log =
            || -> std::io::Result<File> { OpenOptions::new().create(true).append(true).open(&self.log) };
        let (out, errors) = log()
            .and_then(|out| Ok((out, log()?)))
            .map_err(TestkitError::file("opening the server's log"))?;
        let mut command = Command::new(&self.program);
        for (name, _value) in std::env::vars_os() {
            // The configuration is the test's alone.
            if name.to_string_lossy().starts_with("ARDOISE_") {
                command.env_remove(name);
            }
        }
        command.args(&self.arguments).stdin(Stdio::null()).stdout(out).stderr(errors);
        self.child = Some(command.spawn().map_err(TestkitError::file("starting `ardoise serve`"))?);
        Ok(())
    }

    /// A client of its API, with the token of the test.
    #[must_use]
    pub const fn api(&self) -> &ApiClient {
        &self.api
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Waits until it serves: `/readyz` says so. One that ends before is started again, as whatever supervises a
    /// server does.
    ///
    /// # Errors
    /// [`TestkitError::TimedOut`], with the end of its log in [`ServerProcess::log`].
    pub async fn ready(&mut self) -> Result<(), TestkitError> {
        let api = self.api.clone();
        let this = std::sync::Mutex::new(self);
        wait_until("`ardoise serve` is ready", Patience::default(), || async {
            {
                let mut this = this.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if this.has_ended() {
                    this.start()?;
                }
            }
            // A door that is still closed is no reason to give up.
            let ready = api.get("/readyz").await.is_ok_and(|answer| answer.status == 204);
            Ok(ready.then_some(()))
        })
        .await
    }

    /// Whether there is no process, or it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Ends it with SIGKILL: nothing under way ends, nothing is written on purpose.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only for a process that is gone.
            let _killed = child.kill();
            let _reaped = child.wait();
        }
    }

    /// What it said of itself, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}
