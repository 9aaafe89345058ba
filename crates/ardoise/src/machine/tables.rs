//! Who makes the tables: on PostgreSQL their owner, who is never the role that serves.

use clap::Args;
use server::config::Config;
use store::{DatabaseUrl, Engine, Migrated, Store};
use types::Secret;
use url::Url;

use crate::failure::Failure;

/// The owner of the tables.
#[derive(Debug, Clone, Args)]
pub(crate) struct OwnerArguments {
    /// PostgreSQL only: the URL of the role that owns the tables; best said in the environment, where `ps` does
    /// not show it. The role of `database.url` only gets what serving needs.
    #[arg(long, env = "ARDOISE_OWNER_URL", value_name = "URL", hide_env_values = true)]
    owner: Option<String>,
}

impl OwnerArguments {
    /// Creates or upgrades the tables, and lets the role that serves use them.
    pub(crate) async fn migrate(&self, config: &Config) -> Result<Migrated, Failure> {
        let url = self.of(config)?;
        let migrated = Store::migrate(url.clone()).await?;
        self.grant(config).await?;
        Ok(migrated)
    }

    /// Lets the role that serves use the tables.
    pub(crate) async fn grant(&self, config: &Config) -> Result<(), Failure> {
        if config.database.url.engine() == Engine::Postgresql {
            Store::grant(self.of(config)?, role(&config.database.url)?).await?;
        }
        Ok(())
    }

    /// Whether the tables can be made now.
    pub(crate) fn is_known(&self, config: &Config) -> bool {
        self.owner.is_some() || config.database.url.engine() == Engine::Sqlite
    }

    /// The database as its owner opens it.
    pub(crate) fn of(&self, config: &Config) -> Result<DatabaseUrl, Failure> {
        let serving = &config.database.url;
        match (&self.owner, serving.engine()) {
            (None, Engine::Sqlite) => Ok(serving.clone()),
            (Some(_), Engine::Sqlite) => {
                Err(Failure::Usage("`--owner` is for PostgreSQL; the database of this home folder is SQLite".into()))
            }
            (None, Engine::Postgresql) => Err(Failure::Usage(
                "name the URL of the tables' owner in ARDOISE_OWNER_URL or `--owner`: the role that serves must not \
                 own them, so that it cannot drop the triggers that protect people"
                    .into(),
            )),
            (Some(owner), Engine::Postgresql) => {
                let owner: DatabaseUrl = owner.parse()?;
                if owner.engine() != Engine::Postgresql || role(&owner)? == role(serving)? {
                    return Err(Failure::Usage(
                        "the owner must be another PostgreSQL role than the one of `database.url`, which serves".into(),
                    ));
                }
                Ok(owner)
            }
        }
    }
}

/// The role that a PostgreSQL URL names.
fn role(url: &DatabaseUrl) -> Result<String, Failure> {
    let nameless = || Failure::Usage(format!("`{url}` names no role: write `postgresql://ROLE@HOST/NAME`"));
    let text = url.postgresql_url().map(Secret::expose).ok_or_else(nameless)?;
    let parsed = Url::parse(text).map_err(|_invalid| nameless())?;
    let in_query = || {
        parsed.query_pairs().find(|(name, _value)| name == "user").map(|(_name, value)| value.into_owned())
    };
    let named = match parsed.username() {
        "" => in_query(),
        name => percent_decoded(name),
    };
    named.filter(|name| !name.is_empty()).ok_or_else(nameless)
}

/// A part of a URL as libpq reads it; the form decoder also turns `+` into a space, which a URL's user keeps.
pub(crate) fn percent_decoded(part: &str) -> Option<String> {
    let query = format!("part={}", part.replace('+', "%2B"));
    let url = Url::parse(&format!("postgresql://host/?{query}")).ok()?;
    url.query_pairs().next().map(|(_name, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_read_where_libpq_reads_it() {
        for (url, name) in [
            ("postgresql://ardoise@db/fleet", "ardoise"),
            ("postgresql://ar%20do+ise:secret@db/fleet", "ar do+ise"),
            ("postgresql:///fleet?host=/run/postgresql&user=ardoise", "ardoise"),
        ] {
            assert_eq!(role(&url.parse().unwrap()).unwrap(), name, "{url}");
        }
        let error = role(&"postgresql://db/fleet?password=s3cret".parse().unwrap()).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
