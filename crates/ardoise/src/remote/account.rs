//! `ardoise account`: people's accounts, as each organisation manages its own.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Body, Connection};
use crate::failure::Failure;
use crate::machine;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise account invite marie.curie \"Marie Curie\"    into your own organisation; then `ardoise role give`
  ardoise account show marie.curie                    her roles, and who made her account
  ardoise account suspend marie.curie --reason \"lost her telephone and her notebook\"
  ardoise account reset marie.curie second-factor
Both factors are lost, and a second person signs:
  ardoise account ask-recovery marie.curie \"she stood before me\"
  ardoise account recover marie.curie --countersignature ID
On the server’s machine, when nobody is left who could invite:
  ardoise account invite marie.curie \"Marie Curie\" --on-this-machine --home /var/lib/ardoise

Whoever invites or resets an account counts as one person with its holder for 30 days.";

/// What is done with accounts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// Where an account is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Its holder has not chosen a password yet.
    Invited,
    /// Its holder can sign in.
    Active,
    /// Its holder cannot sign in for now.
    Suspended,
    /// It is over.
    Closed,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// What is reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Factor {
    /// The password: its holder chooses another one by the link that is shown.
    Password,
    /// The second factor: its holder sets up another one after signing in.
    SecondFactor,
}

impl Factor {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SecondFactor => "second-factor",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the accounts that you may see.
    List {
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One account, with its roles and its makers.
    Show {
        /// Its login or id.
        account: String,
    },
    /// Invite somebody into your organisation. The invitation is shown this once; `ardoise join` uses it.
    Invite {
        /// What they sign in with.
        login: String,
        /// Their name.
        name: String,
        /// Their address.
        #[arg(long)]
        email: Option<String>,
        /// Act as whoever runs the server: an account of the département that manages it, without signing in.
        #[arg(long)]
        on_this_machine: bool,
    },
    /// Make another invitation for somebody who has not used theirs.
    InviteAgain {
        /// Its login or id.
        account: String,
    },
    /// Set the name and the address of its holder.
    Describe {
        /// Its login or id.
        account: String,
        /// Their name.
        name: String,
        /// Their address; none unless given.
        #[arg(long)]
        email: Option<String>,
    },
    /// Suspend it, at once: its sessions and tokens are worth nothing.
    Suspend {
        /// Its login or id.
        account: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// End its suspension.
    Reopen {
        /// Its login or id.
        account: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Close it for good, with its sessions, tokens and roles.
    Close {
        /// Its login or id.
        account: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Reset one of the two things its holder signs in with.
    Reset {
        /// Its login or id.
        account: String,
        /// Which.
        #[arg(value_enum)]
        factor: Factor,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Ask a second person that both be reset.
    AskRecovery {
        /// Its login or id.
        account: String,
        /// Why.
        reason: String,
    },
    /// Reset both, once a second person signed.
    Recover {
        /// Its login or id.
        account: String,
        /// The countersignature.
        #[arg(long, value_name = "ID")]
        countersignature: String,
    },
}

const COLUMNS: &[Column] = &[
    ("login", "/login"),
    ("name", "/name"),
    ("state", "/state"),
    ("e-mail", "/email"),
    ("since", "/created_at"),
    ("id", "/id"),
];

const SHOWN: &[Column] = &[
    ("id", "/id"),
    ("login", "/login"),
    ("name", "/name"),
    ("e-mail", "/email"),
    ("organisation", "/organisation"),
    ("state", "/state"),
    ("second factor", "/has_second_factor"),
    ("since", "/created_at"),
    ("closed", "/closed_at"),
];

pub(super) const ROLES: &[Column] = &[
    ("role", "/role"),
    ("collèges", "/colleges"),
    ("given", "/granted_at"),
    ("by", "/granted_by"),
    ("counts from", "/effective_at"),
    ("taken back", "/revoked_at"),
    ("id", "/id"),
];

const DEEDS: &[Column] = &[("deed", "/deed"), ("by", "/by"), ("when", "/at")];

const INVITED: &[Column] =
    &[("account", "/account_id"), ("invitation", "/invitation"), ("valid until", "/expires_at")];

/// Asks and shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let Arguments { connection, action } = arguments;
    if let Action::Invite { login, name, email, on_this_machine: true } = action {
        let home = connection.home();
        let new = machine::account::invite(home, &login, name, email.as_deref()).await?;
        return output.show(&new, || invited(&new));
    }
    let api = connection.open()?;
    let because = |reason: Option<String>| Body::Json(json!({ "reason": reason }));
    match action {
        Action::List { state, limit } => {
            let query: Vec<(&str, &str)> = state.iter().map(|state| ("state", state.as_str())).collect();
            let found = Value::Array(api.list(&["accounts"], &query, limit).await?);
            output.show(&found, || table(found.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Show { account } => {
            let found = api.get(&["accounts", &account]).await?;
            output.show(&found, || shown(&found))
        }
        Action::Invite { login, name, email, .. } => {
            let body = Body::Json(json!({ "login": login, "name": name, "email": email }));
            let new = api.post(&["accounts"], body).await?;
            output.show(&new, || invited(&new))
        }
        Action::InviteAgain { account } => {
            let new = api.post(&["accounts", &account, "invitation"], Body::Empty).await?;
            output.show(&new, || invited(&new))
        }
        Action::Describe { account, name, email } => {
            let body = Body::Json(json!({ "name": name, "email": email }));
            let done = api.put(&["accounts", &account], body).await?;
            output.show(&done, || format!("`{account}` is described"))
        }
        Action::Suspend { account, reason } => {
            let done = api.post(&["accounts", &account, "suspend"], because(reason)).await?;
            output.show(&done, || format!("`{account}` opens nothing until it is reopened"))
        }
        Action::Reopen { account, reason } => {
            let state = api.post(&["accounts", &account, "reopen"], because(reason)).await?;
            output.show(&state, || sheet(&state, &[("state", "/state")]))
        }
        Action::Close { account, reason } => {
            let done = api.post(&["accounts", &account, "close"], because(reason)).await?;
            output.show(&done, || format!("`{account}` is closed for good"))
        }
        Action::Reset { account, factor, reason } => {
            let body = Body::Json(json!({ "factor": factor.as_str(), "reason": reason }));
            let reset = api.post(&["accounts", &account, "reset"], body).await?;
            output.show(&reset, || match reset.get("link") {
                Some(link) => invited(link),
                None => format!("`{account}` signs in with the password, then `ardoise second-factor`"),
            })
        }
        Action::AskRecovery { account, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let asked = api.post(&["accounts", &account, "recovery", "ask"], body).await?;
            output.show(&asked, || super::countersignature::asked(&asked))
        }
        Action::Recover { account, countersignature } => {
            let body = Body::Json(json!({ "countersignature": countersignature }));
            let link = api.post(&["accounts", &account, "recovery"], body).await?;
            output.show(&link, || invited(&link))
        }
    }
}

/// An invitation or link, and what its bearer does with it.
pub(super) fn invited(invitation: &Value) -> String {
    let warning = match invitation.pointer("/no_second_person_until").and_then(Value::as_str) {
        Some(until) => format!(
            "\nOne person invited everybody who manages this organisation: nobody there can confirm what another decides, a \
             right to approve for one, before {until}. Way out: close this account (`ardoise account close`), and have somebody \
             else, whom you did not invite, invite its holder."
        ),
        None => String::new(),
    };
    format!("{}\nIts holder types `ardoise join`, once.{warning}", sheet(invitation, INVITED))
}

fn shown(account: &Value) -> String {
    let list = |name: &str| account.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut text = sheet(account, SHOWN);
    for (items, columns) in [(list("roles"), ROLES), (list("makers"), DEEDS)] {
        if !items.is_empty() {
            text = format!("{text}\n\n{}", table(items, columns));
        }
    }
    text
}
