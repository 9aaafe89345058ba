//! Tokens given out on the machine itself: the first one, and one when none is left.

use fleet::{Fleet, Scope, tokens};
use serde_json::{Value, json};
use types::Duration;

use super::{host, now, open_fleet};
use crate::failure::Failure;
use crate::home::Home;

/// How long the first token lasts.
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// A token for a database that has never given one out.
pub(super) async fn if_none(fleet: &Fleet) -> Result<Option<String>, Failure> {
    if !tokens::list(fleet, &host()).await?.is_empty() {
        return Ok(None);
    }
    let given =
        tokens::create(fleet, &host(), "first token, from `ardoise init`", Scope::Operate, LIFETIME, now())
            .await?;
    Ok(Some(given.secret.expose().clone()))
}

/// A token, as the API would show it.
pub(crate) async fn give(home: &Home, name: &str, scope: &str, days: u32) -> Result<Value, Failure> {
    let config = home.existing_config()?;
    let fleet = open_fleet(&config).await?;
    let lifetime = Duration::from_secs(u64::from(days) * 86_400);
    let given = tokens::create(&fleet, &host(), name, scope.parse()?, lifetime, now()).await?;
    Ok(json!({
        "token": given.secret.expose(),
        "id": given.token.id.to_string(),
        "name": given.token.name,
        "scope": given.token.scope,
        "created_at": given.token.created_at.to_string(),
        "expires_at": given.token.expires_at.map(|instant| instant.to_string()),
    }))
}
