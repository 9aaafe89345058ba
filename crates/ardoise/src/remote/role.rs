//! `ardoise role`: who may do what, and where.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::account::ROLES;
use super::{Body, Connection};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::sheet;

const EXAMPLES: &str = "\
  ardoise role give lea.petit ati --colleges 0761234A,0767777B
  ardoise role give paul.roux operator
  ardoise role give anne.roy approver --reason \"replaces Mme Blin\"
                                           a second person is asked; it counts 24 hours after their answer
  ardoise role take-back ROLE              `ardoise account show` names the roles of an account

Nobody gives a role to themselves, and each organisation gives its own.";

/// What is done with roles.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Runs the fleet for the département, day by day.
    Operator,
    /// Manages the accounts of the département or of the académie.
    Administrator,
    /// Approves what the département and the académie decide together.
    Approver,
    /// The head of a collège.
    Head,
    /// The référent numérique of a collège.
    Referent,
    /// The technician of one collège or several.
    Ati,
    /// The data protection officer.
    Dpo,
    /// Reads, to audit.
    Auditor,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Approver => "approver",
            Self::Head => "head",
            Self::Referent => "referent",
            Self::Ati => "ati",
            Self::Dpo => "dpo",
            Self::Auditor => "auditor",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Give a role to somebody of your organisation.
    Give {
        /// The account, by its login or id.
        account: String,
        /// The role.
        #[arg(value_enum)]
        role: Role,
        /// The UAI codes of the only collèges it is for, separated by commas: an ATI’s, or an operator’s.
        #[arg(long, value_name = "UAI,…", value_delimiter = ',')]
        colleges: Option<Vec<String>>,
        /// Why; the second person of a right to approve decides by it.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Ask again for the confirmation of a right to approve that you gave.
    AskConfirmation {
        /// The role’s id.
        role: String,
        /// Why.
        reason: String,
    },
    /// Take a role back, at once.
    TakeBack {
        /// The role’s id.
        role: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Gives, asks or takes back.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action {
        Action::Give { account, role, colleges, reason } => {
            let body = json!({ "role": role.as_str(), "colleges": colleges, "reason": reason });
            let given = api.post(&["accounts", &account, "roles"], Body::Json(body)).await?;
            output.show(&given, || match given.get("countersignature") {
                Some(_asked) => {
                    format!("{}\n{}", sheet(&given, ROLES), super::countersignature::asked(&given))
                }
                None => sheet(&given, ROLES),
            })
        }
        Action::AskConfirmation { role, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let asked = api.post(&["roles", &role, "confirmation"], body).await?;
            output.show(&asked, || super::countersignature::asked(&asked))
        }
        Action::TakeBack { role, reason } => {
            let body = Body::Json(json!({ "reason": reason }));
            let revoked = api.post(&["roles", &role, "take-back"], body).await?;
            output.show(&revoked, || sheet(&revoked, ROLES))
        }
    }
}
