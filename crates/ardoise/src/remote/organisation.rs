//! `ardoise organisation`: the département, the académie, the collèges, and what each collège decides for itself.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::{Body, Connection, inventory, secrets};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const EXAMPLES: &str = "\
  ardoise organisation import colleges.csv            columns uai and name: all of it, or nothing
  ardoise organisation create \"Académie de Normandie\"
  ardoise organisation create \"Collège Georges-Brassens\" --uai 0761234A
  ardoise organisation show 0761234A                  its head, its référent, its technicians, what it decided
What a collège decides, by its head:
  ardoise organisation decide 0761234A --home-use allowed --charter 2026-09-15 --referent m.moreau
  ardoise organisation network 0761234A --ssid Tablettes --passphrase-file p
The accounts with which another organisation begins, two persons of the département together:
  ardoise organisation ask-first-account 0761234A head.brassens \"start of the year\"
  ardoise organisation first-account 0761234A head.brassens \"Anne Roy\" --countersignature ID";

/// What is done with organisations.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// What a collège decides about tablets at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HomeUse {
    /// They may be used there.
    Allowed,
    /// They may not.
    NotAllowed,
    /// Nothing was decided: they may not.
    Undecided,
}

impl HomeUse {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NotAllowed => "not-allowed",
            Self::Undecided => "undecided",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the organisations that you may see.
    List {
        /// How many at most.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// One organisation, and who leads the way there.
    Show {
        /// Its id, or its UAI code.
        organisation: String,
    },
    /// Create a collège, or the académie.
    Create {
        /// Its name.
        name: String,
        /// The collège’s code; the académie has none.
        #[arg(long)]
        uai: Option<String>,
    },
    /// Import collèges from a CSV: all of it, or nothing.
    Import {
        /// The file; `-` for standard input.
        file: PathBuf,
    },
    /// Give it another name.
    Rename {
        /// Its id, or its UAI code.
        organisation: String,
        /// The name.
        name: String,
    },
    /// Close it: its accounts can do nothing from now on.
    Close {
        /// Its id, or its UAI code.
        organisation: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Let it take part again.
    Reopen {
        /// Its id, or its UAI code.
        organisation: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Record what a collège decided; what is left out stays.
    #[command(group(ArgGroup::new("decision").required(true).multiple(true)
        .args(["home_use", "charter", "no_charter", "referent", "no_referent"])))]
    Decide {
        /// The collège, by its UAI code or id.
        organisation: String,
        /// Whether tablets may be used at home at all.
        #[arg(long, value_enum)]
        home_use: Option<HomeUse>,
        /// The day the IT charter was adopted.
        #[arg(long, value_name = "DAY", conflicts_with = "no_charter")]
        charter: Option<String>,
        /// The charter is adopted no more.
        #[arg(long)]
        no_charter: bool,
        /// The référent: an account of the collège, by its login or id.
        #[arg(long, value_name = "ACCOUNT", conflicts_with = "no_referent")]
        referent: Option<String>,
        /// There is no référent for now.
        #[arg(long)]
        no_referent: bool,
    },
    /// Name the network that the collège’s tablets join after an erasure. It is sealed, and never shown again.
    Network {
        /// The collège, by its UAI code or id.
        organisation: String,
        /// The name of the network.
        #[arg(long, required_unless_present = "forget", conflicts_with = "forget")]
        ssid: Option<String>,
        /// A file with nothing but its passphrase; asked for unless given.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["open", "forget"])]
        passphrase_file: Option<PathBuf>,
        /// The network is open: it has no passphrase.
        #[arg(long, conflicts_with = "forget")]
        open: bool,
        /// The network does not announce itself.
        #[arg(long, conflicts_with = "forget")]
        hidden: bool,
        /// Forget the network instead.
        #[arg(long)]
        forget: bool,
    },
    /// Ask a second person of the département that it get one of its first two accounts.
    AskFirstAccount {
        /// Its id, or its UAI code.
        organisation: String,
        /// What the holder would sign in with.
        login: String,
        /// Why.
        reason: String,
        /// The holder’s address.
        #[arg(long)]
        email: Option<String>,
    },
    /// Invite one of the first two who manage its accounts, once a second person signed.
    FirstAccount {
        /// Its id, or its UAI code.
        organisation: String,
        /// What they sign in with, as it was signed.
        login: String,
        /// Their name.
        name: String,
        /// Their address, as it was signed.
        #[arg(long)]
        email: Option<String>,
        /// The countersignature.
        #[arg(long, value_name = "ID")]
        countersignature: String,
    },
}

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("kind", "/kind"),
    ("uai", "/uai"),
    ("name", "/name"),
    ("state", "/state"),
    ("at home", "/home_use"),
    ("charter", "/charter_adopted_on"),
];

const SHOWN: &[Column] = &[
    ("id", "/id"),
    ("kind", "/kind"),
    ("uai", "/uai"),
    ("name", "/name"),
    ("state", "/state"),
    ("tablets at home", "/home_use"),
    ("charter adopted on", "/charter_adopted_on"),
    ("network named", "/has_network"),
];

const LEADERS: &[Column] =
    &[("role", "/role"), ("login", "/login"), ("name", "/name"), ("account", "/account_id")];

const IMPORTED: &[Column] = &[("created", "/created"), ("renamed", "/renamed"), ("unchanged", "/unchanged")];

/// Asks and shows.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::List { limit } => {
            let found = Value::Array(api.list(&["organisations"], &[], limit).await?);
            output.show(&found, || table(found.as_array().map_or(&[], Vec::as_slice), COLUMNS))
        }
        Action::Show { organisation } => {
            let found = api.get(&["organisations", &organisation]).await?;
            output.show(&found, || shown(&found))
        }
        Action::Create { name, uai } => {
            let body = Body::Json(json!({ "name": name, "uai": uai }));
            let made = api.post(&["organisations"], body).await?;
            output.show(&made, || sheet(&made, COLUMNS))
        }
        Action::Import { file } => {
            let csv = Body::Bytes("text/csv", inventory::read(&file)?);
            let imported = api.post(&["organisations", "import"], csv).await?;
            output.show(&imported, || sheet(&imported, IMPORTED))
        }
        Action::Rename { organisation, name } => {
            let body = Body::Json(json!({ "name": name }));
            let renamed = api.put(&["organisations", &organisation], body).await?;
            output.show(&renamed, || sheet(&renamed, COLUMNS))
        }
        Action::Close { organisation, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let closed = api.post(&["organisations", &organisation, "close"], body).await?;
            output.show(&closed, || sheet(&closed, COLUMNS))
        }
        Action::Reopen { organisation, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let reopened = api.post(&["organisations", &organisation, "reopen"], body).await?;
            output.show(&reopened, || sheet(&reopened, COLUMNS))
        }
        Action::Decide { organisation, home_use, charter, no_charter, referent, no_referent } => {
            let mut made = Map::new();
            made.extend(home_use.map(|home_use| ("home_use".into(), json!(home_use.as_str()))));
            if charter.is_some() || no_charter {
                made.insert("charter_adopted_on".into(), json!(charter));
            }
            if referent.is_some() || no_referent {
                made.insert("referent".into(), json!(referent));
            }
            let body = Body::Json(Value::Object(made));
            let decided = api.put(&["organisations", &organisation, "decisions"], body).await?;
            output.show(&decided, || sheet(&decided, COLUMNS))
        }
        Action::Network { organisation, forget: true, .. } => {
            let done = api.delete(&["organisations", &organisation, "network"]).await?;
            output.show(&done, || format!("the network of {organisation} is forgotten"))
        }
        Action::Network { organisation, ssid, passphrase_file, open, hidden, .. } => {
            let passphrase = if open {
                None
            } else {
                Some(secrets::ask(passphrase_file.as_deref(), "passphrase", "--passphrase-file")?)
            };
            let body = json!({
                "ssid": ssid, "passphrase": passphrase.as_ref().map(|secret| secret.expose()), "hidden": hidden,
            });
            let done = api.put(&["organisations", &organisation, "network"], Body::Json(body)).await?;
            output.show(&done, || format!("the network of {organisation} is sealed; it is not shown again"))
        }
        Action::AskFirstAccount { organisation, login, reason, email } => {
            let body = Body::Json(json!({ "login": login, "email": email, "reason": reason }));
            let asked = api.post(&["organisations", &organisation, "first-accounts", "ask"], body).await?;
            output.show(&asked, || super::countersignature::asked(&asked))
        }
        Action::FirstAccount { organisation, login, name, email, countersignature } => {
            let body = Body::Json(json!({
                "login": login, "name": name, "email": email, "countersignature": countersignature,
            }));
            let invited = api.post(&["organisations", &organisation, "first-accounts"], body).await?;
            output.show(&invited, || super::account::invited(&invited))
        }
    }
}

fn shown(organisation: &Value) -> String {
    let leaders = organisation.get("leaders").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let below = if leaders.is_empty() { String::new() } else { format!("\n\n{}", table(leaders, LEADERS)) };
    format!("{}{below}", sheet(organisation, SHOWN))
}
