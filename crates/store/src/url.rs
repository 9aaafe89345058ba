//! Where the database is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use types::Secret;

use crate::StoreError;

/// Which engine keeps the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// SQLite: one file, one machine.
    Sqlite,
    /// PostgreSQL: any number of machines.
    Postgresql,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgresql => "PostgreSQL",
        })
    }
}

/// The address of a database: `sqlite:PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/NAME?…`.
///
/// Shown without its password.
#[derive(Clone)]
pub struct DatabaseUrl(Address);

#[derive(Clone)]
enum Address {
    Sqlite(PathBuf),
    Postgresql(Secret<String>),
}

impl DatabaseUrl {
    /// The SQLite database in the file at `path`.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Address::Sqlite(path.into()))
    }

    /// The engine it names.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.0 {
            Address::Sqlite(_) => Engine::Sqlite,
            Address::Postgresql(_) => Engine::Postgresql,
        }
    }

    /// SQLite's file.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Address::Sqlite(path) => Some(path),
            Address::Postgresql(_) => None,
        }
    }

    /// PostgreSQL's connection string, which may hold a password.
    #[must_use]
    pub fn postgresql_url(&self) -> Option<&Secret<String>> {
        match &self.0 {
            Address::Sqlite(_) => None,
            Address::Postgresql(url) => Some(url),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgresql://") || text.starts_with("postgres://") {
            return Ok(Self(Address::Postgresql(Secret::new(text.to_owned()))));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:"));
        match path {
            Some(path) if !path.is_empty() => Ok(Self::sqlite(path)),
            _ => Err(StoreError::InvalidUrl(without_password(text))),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Address::Postgresql(url) => f.write_str(&without_password(url.expose())),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The URL without what stands between the first colon of its user and the `@`, and without its query, where
/// libpq admits a `password` too.
fn without_password(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(before, _query)| before);
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, place)) => {
            let name = user.split_once(':').map_or(user, |(name, _password)| name);
            format!("{scheme}://{name}@{place}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c11_a_database_url_is_shown_without_its_password() {
        let url: DatabaseUrl =
            "postgresql://ardoise:s3:cr@et@db.example:5432/fleet?password=s3cret&sslmode=require"
                .parse()
                .unwrap();
        assert_eq!(url.to_string(), "postgresql://ardoise@db.example:5432/fleet");
        assert_eq!(format!("{url:?}"), url.to_string());
    }

    #[test]
    fn an_unknown_scheme_is_refused_with_what_is_expected() {
        let error = "mysql://root:secret@host/db".parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(error.contains("sqlite:PATH"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert!("sqlite:".parse::<DatabaseUrl>().is_err());
    }

    #[test]
    fn a_sqlite_path_is_relative_or_absolute() {
        for (text, path) in
            [("sqlite:a.db", "a.db"), ("sqlite:///var/a.db", "/var/a.db"), ("sqlite:/b.db", "/b.db")]
        {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.sqlite_path(), Some(Path::new(path)));
            assert_eq!(url.engine(), Engine::Sqlite);
        }
    }
}
