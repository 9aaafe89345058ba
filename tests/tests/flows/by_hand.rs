//! The database, worked on past the program: as a failing disk, a careless administrator or a restore does.

use std::path::PathBuf;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, SqliteConnection};
use testkit::{TestServer, postgres};

/// Someone who owns the tables.
#[derive(Debug, Clone)]
pub(crate) struct ByHand {
    url: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

/// A connection of theirs.
pub(crate) enum Link {
    Sqlite(SqliteConnection),
    Postgresql(PgConnection),
}

impl ByHand {
    pub(crate) fn of(server: &TestServer) -> Self {
        Self { url: server.owner_url().to_owned() }
    }

    /// The file, on SQLite.
    fn file(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite:").map(PathBuf::from)
    }

    fn link(&self) -> Link {
        match self.file() {
            Some(file) => {
                let mut link = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
                link.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                Link::Sqlite(link)
            }
            None => Link::Postgresql(PgConnection::establish(&self.url).unwrap()),
        }
    }

    /// Runs statements, and keeps the connection: what was begun on it lasts until it is dropped.
    pub(crate) fn hold(&self, sql: &str) -> Link {
        let mut link = self.link();
        match &mut link {
            Link::Sqlite(link) => link.batch_execute(sql),
            Link::Postgresql(link) => link.batch_execute(sql),
        }
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
        link
    }

    /// Runs statements.
    pub(crate) fn run(&self, sql: &str) {
        drop(self.hold(sql));
    }

    /// What a query counts.
    pub(crate) fn count(&self, from_and_where: &str) -> i64 {
        let query = diesel::sql_query(format!("SELECT count(*) AS number FROM {from_and_where}"));
        let found: Number = match &mut self.link() {
            Link::Sqlite(link) => query.get_result(link),
            Link::Postgresql(link) => query.get_result(link),
        }
        .unwrap();
        found.number
    }

    /// The texts that a query finds: `column`, then what follows `FROM`.
    pub(crate) fn texts(&self, column: &str, from_and_where: &str) -> Vec<String> {
        let query = diesel::sql_query(format!("SELECT CAST({column} AS text) AS text FROM {from_and_where}"));
        let found: Vec<Line> = match &mut self.link() {
            Link::Sqlite(link) => query.load(link),
            Link::Postgresql(link) => query.load(link),
        }
        .unwrap();
        found.into_iter().map(|line| line.text).collect()
    }

    /// The tables, whatever they hold.
    pub(crate) fn tables(&self) -> Vec<String> {
        match self.file() {
            Some(_file) => self.texts(
                "name",
                "sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'",
            ),
            None => self.texts("tablename", "pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_%'"),
        }
    }

    /// Empties it for a restore, as its administrator does. On SQLite the server must be stopped.
    pub(crate) fn empty(&self) {
        match self.file() {
            Some(file) => {
                for suffix in ["", "-wal", "-shm"] {
                    let mut name = file.clone().into_os_string();
                    name.push(suffix);
                    let _absent = std::fs::remove_file(name);
                }
            }
            None => self.run(
                "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC",
            ),
        }
    }

    /// Lets nobody connect any more, and ends every session; or lets them again (PostgreSQL).
    pub(crate) fn accept_connections(&self, accept: bool) {
        let (_server, name) = self.url.rsplit_once('/').unwrap();
        let mut postgres = PgConnection::establish(postgres::server_url().unwrap()).unwrap();
        postgres.batch_execute(&format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS {accept}")).unwrap();
        if !accept {
            postgres
                .batch_execute(&format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                ))
                .unwrap();
        }
    }

    /// Ends every session of the server under test (PostgreSQL).
    pub(crate) fn end_sessions(&self) {
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }
}
