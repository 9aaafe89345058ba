//! A fresh PostgreSQL database for each test.
//!
//! The server is the one that `ARDOISE_TEST_POSTGRESQL` names (`make test` starts one and sets it). Where
//! it is unset, the first test of a process starts a server of its own with
//! `scripts/with-postgresql.sh`, which stops when the process ends, however it ends.
//!
//! Everything goes through the `psql` program, because queries of our own are made in `store` only.
//! Calls block for some tens of milliseconds; from async code that is harmless in a test.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The variable that names the server: the URL of an account that may create databases.
pub const SERVER_VARIABLE: &str = "ARDOISE_TEST_POSTGRESQL";

const LAUNCHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/with-postgresql.sh");

/// Why a test has no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresError {
    /// The variable holds something else than a PostgreSQL URL.
    #[error(
        "ARDOISE_TEST_POSTGRESQL is not a `postgresql://` URL: set it to that of an account that may create \
         databases, or unset it"
    )]
    InvalidUrl,
    /// A program could not be run at all.
    #[error("cannot run `{program}`: {cause}; type `make install`")]
    Program {
        /// The program.
        program: String,
        /// What the system said.
        cause: String,
    },
    /// The server of this process did not start.
    #[error("PostgreSQL did not start: {messages}")]
    Start {
        /// What the launcher said.
        messages: String,
    },
    /// `psql` ran and refused.
    #[error("psql refused: {messages}")]
    Refused {
        /// What `psql` said.
        messages: String,
    },
}

/// An empty database, dropped when this value is.
#[derive(Debug)]
pub struct TestDatabase {
    server: ServerUrl,
    name: String,
    url: String,
}

impl TestDatabase {
    /// Creates an empty database on the server of [`server_url`].
    ///
    /// # Errors
    /// When there is no server, or it refuses to create a database.
    pub fn create() -> Result<Self, PostgresError> {
        let server = ServerUrl::parse(server_url()?)?;
        // `template0`, because nobody can be connected to it: tests create databases at the same time.
        let printed = server.psql(
            "SELECT 'ardoise_test_' || replace(gen_random_uuid()::text, '-', '') AS name \\gset\n\
             CREATE DATABASE :\"name\" TEMPLATE template0;\n\
             \\echo :name\n",
        )?;
        let name = printed.trim().to_owned();
        let url = server.with_database(&name);
        Ok(Self { server, name, url })
    }

    /// The URL of this database, `postgresql://…`, as an administrator.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a role that owns nothing, as the one that serves should be, and gives the URL with which it comes
    /// to this database. It goes with the database.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn serving_role(&self) -> Result<ServingRole, PostgresError> {
        let name = format!("{}_serves", self.name);
        let printed = self.server.psql(&format!(
            "SELECT replace(gen_random_uuid()::text, '-', '') AS password \\gset\n\
             CREATE ROLE \"{name}\" LOGIN PASSWORD :'password';\n\
             \\echo :password\n"
        ))?;
        let server = ServerUrl {
            user: Some(name.clone()),
            password: Some(printed.trim().to_owned()),
            ..self.server.clone()
        };
        Ok(ServingRole { url: server.with_database(&self.name), name })
    }

    /// The name of this database, `ardoise_test_…`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A role that may serve a database, and owns nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingRole {
    /// Its name.
    pub name: String,
    /// The database's URL as this role, `postgresql://…`.
    pub url: String,
}

/// Drops the database with its serving role, and ends the sessions that are still open on it.
impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = self.server.psql(&format!(
            "DROP DATABASE IF EXISTS \"{0}\" WITH (FORCE);\nDROP ROLE IF EXISTS \"{0}_serves\";\n",
            self.name
        ));
        if let Err(error) = dropped {
            // The test's own verdict matters more than a database left in a server made for tests.
            eprintln!("the test database {} stays: {error}", self.name);
        }
    }
}

/// The URL of the server where test databases are made: an account that may create databases and roles.
///
/// # Errors
/// When the environment names no server and none can be started.
pub fn server_url() -> Result<&'static str, PostgresError> {
    static SERVER: OnceLock<Result<Server, PostgresError>> = OnceLock::new();
    let server = SERVER.get_or_init(|| match env::var(SERVER_VARIABLE) {
        Ok(url) if !url.is_empty() => Ok(Server { url, _launcher: None }),
        Ok(_) | Err(_) => launch(),
    });
    match server {
        Ok(server) => Ok(&server.url),
        Err(error) => Err(error.clone()),
    }
}

/// A server for this process. A launcher of ours lives until its input ends: the system closes that pipe
/// when the process is gone, so that not even a killed test leaves a server behind.
struct Server {
    url: String,
    _launcher: Option<Child>,
}

fn launch() -> Result<Server, PostgresError> {
    let mut launcher = Command::new(LAUNCHER)
        .args(["sh", "-c", "echo \"$ARDOISE_TEST_POSTGRESQL\"; read -r _ || true"])
        .env_remove(SERVER_VARIABLE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A runner that ends a slow test signals its whole group; the launcher must outlive that to clean up.
        .process_group(0)
        .spawn()
        .map_err(|cause| PostgresError::Program { program: LAUNCHER.to_owned(), cause: cause.to_string() })?;

    let mut url = String::new();
    if let Some(output) = launcher.stdout.take() {
        BufReader::new(output)
            .read_line(&mut url)
            .map_err(|cause| PostgresError::Start { messages: cause.to_string() })?;
    }
    if url.trim().is_empty() {
        let mut messages = String::new();
        if let Some(mut errors) = launcher.stderr.take()
            && let Err(cause) = errors.read_to_string(&mut messages)
        {
            messages = cause.to_string();
        }
        return Err(PostgresError::Start { messages: messages.trim().to_owned() });
    }
    Ok(Server { url: url.trim().to_owned(), _launcher: Some(launcher) })
}

/// A server's URL, taken apart as far as needed to name another database and to keep the password off
/// the command line, where every account of the machine could read it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ServerUrl {
    user: Option<String>,
    password: Option<String>,
    address: String,
    database: String,
    query: Option<String>,
}

impl ServerUrl {
    fn parse(url: &str) -> Result<Self, PostgresError> {
        let rest = url
            .strip_prefix("postgresql://")
            .or_else(|| url.strip_prefix("postgres://"))
            .ok_or(PostgresError::InvalidUrl)?;
        let (base, query) = match rest.split_once('?') {
            Some((base, query)) => (base, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, database) = base.split_once('/').unwrap_or((base, ""));
        let (account, address) = match authority.rsplit_once('@') {
            Some((account, address)) => (Some(account), address),
            None => (None, authority),
        };
        let (user, password) = match account.map(|account| account.split_once(':').unwrap_or((account, ""))) {
            Some((user, "")) => (Some(user.to_owned()), None),
            Some((user, password)) => (Some(user.to_owned()), Some(password.to_owned())),
            None => (None, None),
        };
        let (address, database) = (address.to_owned(), database.to_owned());
        Ok(Self { user, password, address, database, query })
    }

    /// This server's URL for `database`, password included.
    fn with_database(&self, database: &str) -> String {
        self.render(database, self.password.as_deref())
    }

    fn render(&self, database: &str, password: Option<&str>) -> String {
        let account = match (&self.user, password) {
            (Some(user), Some(password)) => format!("{user}:{password}@"),
            (Some(user), None) => format!("{user}@"),
            (None, _) => String::new(),
        };
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("postgresql://{account}{}/{database}{query}", self.address)
    }

    /// Runs `script` on this server, stops at its first error, and gives what it printed.
    fn psql(&self, script: &str) -> Result<String, PostgresError> {
        let mut command = Command::new("psql");
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
                "--no-password",
            ])
            .arg("--dbname")
            .arg(self.render(&self.database, None))
            .env("PGCONNECT_TIMEOUT", "20")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(password) = &self.password {
            command.env("PGPASSWORD", percent_decoded(password));
        }
        let failed = |cause: std::io::Error| PostgresError::Program {
            program: "psql".to_owned(),
            cause: cause.to_string(),
        };
        let mut psql = command.spawn().map_err(failed)?;
        if let Some(mut input) = psql.stdin.take() {
            // A psql that cannot connect closes its input early: its own message says more than ours.
            let _closed_early = input.write_all(script.as_bytes());
        }
        let output = psql.wait_with_output().map_err(failed)?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let messages = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(PostgresError::Refused { messages })
        }
    }
}

/// RFC 3986 §2.1; a `%` that begins no escape stands for itself.
fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', [high, low, tail @ ..]) => hex_pair(*high, *low).map(|byte| (byte, tail)),
            _ => None,
        };
        let (byte, tail) = escaped.unwrap_or((first, after));
        decoded.push(byte);
        rest = tail;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? * 16 + digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_empty_at_first_and_gone_at_the_end() {
        let database = TestDatabase::create().unwrap();
        let here = ServerUrl::parse(database.url()).unwrap();
        assert_eq!(here.psql("SELECT current_database();").unwrap().trim(), database.name());
        let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public';";
        assert_eq!(here.psql(tables).unwrap().trim(), "0");

        let name = database.name().to_owned();
        drop(database);
        let server = ServerUrl::parse(server_url().unwrap()).unwrap();
        let left = server.psql(&format!("SELECT count(*) FROM pg_database WHERE datname = '{name}';"));
        assert_eq!(left.unwrap().trim(), "0");
    }

    #[test]
    fn the_serving_role_comes_in_and_may_nothing_by_itself() {
        let database = TestDatabase::create().unwrap();
        let role = database.serving_role().unwrap();
        let there = ServerUrl::parse(&role.url).unwrap();
        assert_eq!(there.psql("SELECT current_user;").unwrap().trim(), role.name);
        ServerUrl::parse(database.url()).unwrap().psql("CREATE TABLE mine (id int);").unwrap();
        assert!(there.psql("SELECT * FROM mine;").is_err());

        drop(database);
        let server = ServerUrl::parse(server_url().unwrap()).unwrap();
        let left = server.psql(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{}';", role.name));
        assert_eq!(left.unwrap().trim(), "0");
    }

    #[test]
    fn two_tests_never_share_a_database() {
        let (one, other) = (TestDatabase::create().unwrap(), TestDatabase::create().unwrap());
        assert_ne!(one.url(), other.url());
        ServerUrl::parse(one.url()).unwrap().psql("CREATE TABLE mine (id int);").unwrap();
        let seen = ServerUrl::parse(other.url()).unwrap().psql("SELECT to_regclass('mine') IS NULL;");
        assert_eq!(seen.unwrap().trim(), "t");
    }

    #[test]
    fn a_refusal_carries_the_words_of_the_server() {
        let server = ServerUrl::parse(server_url().unwrap()).unwrap();
        let refusal = server.psql("SELECT nothing_of_this_name;").unwrap_err();
        assert!(refusal.to_string().contains("nothing_of_this_name"), "{refusal}");
    }

    #[test]
    fn another_database_keeps_account_address_and_query() {
        let server =
            ServerUrl::parse("postgres://ann:p%40ss@db.example:5433/postgres?sslmode=require").unwrap();
        assert_eq!(
            server.with_database("one"),
            "postgresql://ann:p%40ss@db.example:5433/one?sslmode=require"
        );
        assert_eq!(server.render("one", None), "postgresql://ann@db.example:5433/one?sslmode=require");
        assert_eq!(percent_decoded("p%40ss%zz%4"), "p@ss%zz%4");
        assert_eq!(ServerUrl::parse("sqlite:/tmp/x"), Err(PostgresError::InvalidUrl));
    }
}
