//! A PostgreSQL server for tests: the one that `ARDOISE_TEST_POSTGRESQL` names, else one of our own that ends
//! with this process.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use diesel::connection::SimpleConnection as _;

use crate::DatabaseUrl;
use crate::database::connect;

/// A database of its own for one test, dropped with it.
pub(crate) struct TestDatabase {
    name: String,
}

impl TestDatabase {
    pub(crate) fn create() -> Self {
        let name = format!("store_{}", uuid::Uuid::new_v4().simple());
        connect(&admin()).unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        Self { name }
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        self.url_as(None)
    }

    /// The same database, as another role without a password.
    pub(crate) fn url_as(&self, role: Option<&str>) -> DatabaseUrl {
        let mut url = url::Url::parse(admin_text()).unwrap();
        url.set_path(&self.name);
        if let Some(role) = role {
            url.set_username(role).unwrap();
        }
        url.as_str().parse().unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Ok(mut connection) = connect(&admin()) {
            let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

fn admin() -> DatabaseUrl {
    admin_text().parse().unwrap()
}

fn admin_text() -> &'static str {
    static ADMIN: OnceLock<(String, Option<Child>)> = OnceLock::new();
    &ADMIN
        .get_or_init(|| match std::env::var("ARDOISE_TEST_POSTGRESQL") {
            Ok(url) if !url.is_empty() => (url, None),
            _ => start(),
        })
        .0
}

/// Starts a cluster whose shell waits on our end of a pipe: when this process ends, however it ends, the shell
/// stops the server and removes its files.
fn start() -> (String, Option<Child>) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let bin = std::fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| versions.filter_map(Result::ok).map(|entry| entry.path().join("bin")).max())
        .expect("no PostgreSQL in /usr/lib/postgresql: install it, or set ARDOISE_TEST_POSTGRESQL");
    let script = format!(
        r#"set -e
dir=$(mktemp -d /tmp/ardoise-store-XXXXXX)
{bin}/initdb -D "$dir/data" -U postgres -A trust --no-sync >"$dir/initdb.log" 2>&1
{bin}/postgres -D "$dir/data" -p {port} -k "$dir" -c listen_addresses=127.0.0.1 -c fsync=off \
    -c max_connections=200 >"$dir/server.log" 2>&1 </dev/null &
server=$!
until {bin}/pg_isready -q -h 127.0.0.1 -p {port}; do kill -0 $server; done
echo ready
read -r _ || true
kill -INT $server
wait $server || true
rm -rf "$dir""#,
        bin = bin.display()
    );
    // PostgreSQL refuses to be run by root.
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if root {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]);
        command.arg("sh");
        command
    } else {
        Command::new("sh")
    };
    let mut child = command
        .args(["-c", &script])
        .current_dir("/tmp")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "PostgreSQL did not start");
    (format!("postgresql://postgres@127.0.0.1:{port}/postgres"), Some(child))
}
