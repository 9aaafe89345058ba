//! `ardoise account invite --on-this-machine`: an account of the département, made by whoever is at the machine, for the
//! day when nobody is left who could (C3.1.7).

use fleet::first_accounts::{self, First};
use serde_json::{Value, json};

use super::{host, now, open_store};
use crate::failure::Failure;
use crate::home::HomeArguments;

/// Invites, and gives what the API gives for an invitation.
pub(crate) async fn invite(
    home: &HomeArguments,
    login: &str,
    name: String,
    email: Option<&str>,
) -> Result<Value, Failure> {
    let usage = |error: types::InvalidName| Failure::Usage(error.to_string());
    let first = First {
        login: login.parse().map_err(usage)?,
        name,
        email: email.map(str::parse).transpose().map_err(usage)?,
    };
    let store = open_store(&home.open()?.existing_config()?).await?;
    let invitation = first_accounts::invite(&store, &host(), first, now()).await?;
    Ok(json!({
        "account_id": invitation.account,
        "invitation": invitation.secret.expose(),
        "expires_at": invitation.expires_at.to_string(),
    }))
}
