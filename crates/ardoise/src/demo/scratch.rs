//! A scratch database for a demo on PostgreSQL: made beside the one that was named, and dropped at the end.
//! Where the role may not create databases, a scratch schema inside that one. Nothing else there is touched.
//!
//! Everything goes through the `psql` program, because queries of our own are made in `store` only.

use std::process::Stdio;

use tokio::process::Command;
use types::Secret;
use url::Url;
use uuid::Uuid;

use crate::failure::Failure;
use crate::machine::percent_decoded;
use crate::output::Output;

/// What was made for the demo, to be dropped after it.
pub(super) struct Scratch {
    /// The database that was named: where it was made from.
    server: Url,
    url: Secret<String>,
    drop: String,
}

impl Scratch {
    /// Makes it.
    ///
    /// # Errors
    /// [`Failure::Usage`] for something else than a PostgreSQL URL; [`Failure::Story`] with what `psql` said.
    pub(super) async fn make(server: &str) -> Result<Self, Failure> {
        let wrong =
            || Failure::Usage("`--database` takes a URL such as `postgresql://me@localhost/postgres`".into());
        let parsed = Url::parse(server).map_err(|_invalid| wrong())?;
        if !matches!(parsed.scheme(), "postgresql" | "postgres") {
            return Err(wrong());
        }
        // Letters and digits only: it needs no quoting anywhere.
        let name = format!("ardoise_demo_{}", Uuid::new_v4().simple());
        // `template0`, because nobody can be connected to it.
        let refused = match psql(&parsed, &format!("CREATE DATABASE {name} TEMPLATE template0;")).await {
            Ok(()) => {
                let url = Secret::new(in_database(&parsed, &name));
                return Ok(Self {
                    server: parsed,
                    url,
                    drop: format!("DROP DATABASE IF EXISTS {name} WITH (FORCE);"),
                });
            }
            Err(refused @ Psql::Absent(_)) => refused,
            Err(Psql::Refused(messages)) => match psql(&parsed, &format!("CREATE SCHEMA {name};")).await {
                Ok(()) => {
                    let url = Secret::new(in_schema(&parsed, &name));
                    return Ok(Self {
                        server: parsed,
                        url,
                        drop: format!("DROP SCHEMA IF EXISTS {name} CASCADE;"),
                    });
                }
                Err(Psql::Refused(further)) => Psql::Refused(format!("{messages}; {further}")),
                Err(absent) => absent,
            },
        };
        Err(Failure::Story(format!("there is no scratch database: {refused}")))
    }

    /// The URL of the scratch database.
    pub(super) fn url(&self) -> &str {
        self.url.expose()
    }

    /// Drops it. A scratch database that stays is told, and changes no verdict.
    pub(super) async fn drop(self, output: Output) {
        if let Err(problem) = psql(&self.server, &self.drop).await {
            output.note(&format!("the scratch database stays ({problem}); drop it by hand: {}", self.drop));
        }
    }
}

fn in_database(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    url.set_path(name);
    url.to_string()
}

fn in_schema(server: &Url, name: &str) -> String {
    let mut url = server.clone();
    // libpq reads `%20`, and not the `+` that a form would have; there is no space here, so both agree.
    url.query_pairs_mut().append_pair("options", &format!("-csearch_path={name}"));
    url.to_string()
}

/// Why a statement was not carried out.
#[derive(Debug, thiserror::Error)]
enum Psql {
    #[error("`psql` cannot be run ({0}): install PostgreSQL's client programs")]
    Absent(std::io::Error),
    #[error("{0}")]
    Refused(String),
}

/// Runs one statement. The password goes by the environment: arguments are shown to every account.
async fn psql(server: &Url, statement: &str) -> Result<(), Psql> {
    let (shown, password) = without_password(server);
    let mut command = Command::new("psql");
    command
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--set=ON_ERROR_STOP=1", "--no-password"])
        .arg("--dbname")
        .arg(shown)
        .arg("--command")
        .arg(statement)
        .env("PGCONNECT_TIMEOUT", "20")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(password) = &password {
        command.env("PGPASSWORD", password.expose());
    }
    let output = command.output().await.map_err(Psql::Absent)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Psql::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The URL without its password, and the password: before the `@` or in the query, where libpq admits it too.
fn without_password(server: &Url) -> (String, Option<Secret<String>>) {
    let mut shown = server.clone();
    // Only a URL without a host refuses; it has no password there either.
    let _has_none = shown.set_password(None);
    let pairs: Vec<(String, String)> = server.query_pairs().into_owned().collect();
    let (hidden, kept): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _value)| name == "password");
    if !hidden.is_empty() {
        shown.set_query(None);
        if !kept.is_empty() {
            shown.query_pairs_mut().extend_pairs(kept);
        }
    }
    let before_the_host = server.password().filter(|password| !password.is_empty()).and_then(percent_decoded);
    let password = before_the_host.or_else(|| hidden.into_iter().next().map(|(_name, value)| value));
    (shown.to_string(), password.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c11_the_password_is_no_argument() {
        for (url, shown) in [
            ("postgresql://me:p%40ss@db.example:5433/postgres", "postgresql://me@db.example:5433/postgres"),
            ("postgresql://me@db.example/postgres?password=p%40ss", "postgresql://me@db.example/postgres"),
            (
                "postgresql://me@db.example/postgres?password=p%40ss&sslmode=require",
                "postgresql://me@db.example/postgres?sslmode=require",
            ),
        ] {
            let (without, password) = without_password(&Url::parse(url).unwrap());
            assert_eq!((without.as_str(), password.unwrap().expose().as_str()), (shown, "p@ss"));
        }
    }

    #[test]
    fn the_scratch_database_is_reached_as_the_one_beside_it() {
        let server = Url::parse("postgresql://me:p%40ss@db.example:5433/postgres?sslmode=require").unwrap();
        assert_eq!(
            in_database(&server, "ardoise_demo_1"),
            "postgresql://me:p%40ss@db.example:5433/ardoise_demo_1?sslmode=require"
        );
        let inside = in_schema(&server, "ardoise_demo_1");
        assert!(inside.ends_with("sslmode=require&options=-csearch_path%3Dardoise_demo_1"), "{inside}");
    }
}
