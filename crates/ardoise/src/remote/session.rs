//! Coming in: `ardoise join`, `login`, `logout`, `step-up`, `session`, `second-factor`, `password`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};
use types::Secret;

use super::{Api, Body, Connection, secrets};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{Column, sheet, table};

const JOIN_EXAMPLES: &str = "\
  ardoise join                                          asks for the invitation, a password, and a code
  ardoise join --invitation-file i --password-file p    without a terminal: then `login`, then `second-factor`

A password has at least 12 characters: a few words that only you would put together. The second factor is any
authenticator that reads a QR code (TOTP).";

/// How an invitation is used.
#[derive(Debug, Args)]
#[command(after_help = JOIN_EXAMPLES)]
pub(crate) struct Join {
    /// A file with nothing but the invitation; asked for unless given.
    #[arg(long, value_name = "FILE")]
    invitation_file: Option<PathBuf>,
    /// A file with nothing but the password that you choose; asked for unless given.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

const LOGIN_EXAMPLES: &str = "\
  ardoise login marie.curie                             asks for the password, and for a code
  ardoise login marie.curie --password-file p --code 123456

The session is kept in ~/.config/ardoise/sessions, for this server only. It ends after half an hour without use,
after 12 hours, or with `ardoise logout`.";

/// How somebody signs in.
#[derive(Debug, Args)]
#[command(after_help = LOGIN_EXAMPLES)]
pub(crate) struct Login {
    /// What you sign in with.
    login: String,
    /// A file with nothing but the password; asked for unless given.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    connection: Connection,
}

/// Which server.
#[derive(Debug, Args)]
pub(crate) struct StepUp {
    #[command(flatten)]
    connection: Connection,
}

/// What is done with sessions.
#[derive(Debug, Args)]
pub(crate) struct Sessions {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Option<SessionAction>,
}

#[derive(Debug, Subcommand)]
enum SessionAction {
    /// Who you are here, and what you may do now (as without a word).
    Show,
    /// Your sessions, the newest first.
    List,
    /// End one of your sessions.
    End {
        /// The session’s id.
        id: String,
    },
}

/// How a second factor is set up.
#[derive(Debug, Args)]
pub(crate) struct SecondFactor {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Option<FactorAction>,
}

#[derive(Debug, Subcommand)]
enum FactorAction {
    /// Show a QR code, and ask for the code that your authenticator makes of it (as without a word).
    Set,
    /// Only propose a secret: nothing changes until it is confirmed.
    Propose,
    /// Confirm the secret that was proposed, with a code of it in `--new-code`.
    Confirm {
        /// A file with nothing but the proposed secret.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        /// The code that the authenticator shows for the proposed secret.
        #[arg(long, value_name = "CODE")]
        new_code: String,
    },
}

/// How a password is changed.
#[derive(Debug, Args)]
pub(crate) struct Password {
    /// A file with nothing but the present password; asked for unless given.
    #[arg(long, value_name = "FILE")]
    current_file: Option<PathBuf>,
    /// A file with nothing but the new password; asked for unless given.
    #[arg(long, value_name = "FILE")]
    new_file: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

const MYSELF: &[Column] = &[
    ("login", "/login"),
    ("name", "/name"),
    ("organisation", "/organisation"),
    ("roles", "/roles"),
    ("second factor", "/has_second_factor"),
    ("code shown lately", "/stepped_up"),
    ("may", "/permissions"),
];

const SESSIONS: &[Column] = &[
    ("id", "/id"),
    ("began", "/created_at"),
    ("last used", "/last_used_at"),
    ("ends", "/expires_at"),
    ("ended", "/ended_at"),
];

/// Uses an invitation: a password, and at a terminal a second factor too.
pub(crate) async fn join(arguments: Join, output: Output) -> Result<(), Failure> {
    let connection = arguments.connection;
    let anonymous = connection.anonymous()?;
    let invitation = secrets::ask(arguments.invitation_file.as_deref(), "invitation", "--invitation-file")?;
    let password = chosen(arguments.password_file, "password", "--password-file")?;
    let body = json!({ "invitation": invitation.expose(), "password": password.expose() });
    let accepted = anonymous.post(&["invitations", "accept"], Body::Json(body)).await?;
    let login = accepted.get("login").and_then(Value::as_str).unwrap_or_default().to_owned();
    if output.is_json() || !secrets::at_a_terminal() {
        return output.show(&accepted, || {
            format!(
                "the account `{login}` is yours\nNext, within five minutes of each other:\n  ardoise login {login} \
                 --password-file FILE\n  ardoise second-factor propose\n  ardoise second-factor confirm --secret-file \
                 FILE --new-code CODE"
            )
        });
    }
    output.note(&format!("The account `{login}` is yours. Now its second factor."));
    let session = begin(&connection, &anonymous, &login, &password, None).await?;
    if session.get("has_second_factor") == Some(&Value::Bool(false)) {
        set_second_factor(&connection.open()?, output).await?;
    }
    output.show(&accepted, || format!("`{login}` is signed in; `ardoise session` shows what you may do"))
}

/// Signs in, and keeps the session.
pub(crate) async fn login(arguments: Login, output: Output) -> Result<(), Failure> {
    let connection = arguments.connection;
    let anonymous = connection.anonymous()?;
    let password = secrets::ask(arguments.password_file.as_deref(), "password", "--password-file")?;
    let code = connection.code();
    let begun = begin(&connection, &anonymous, &arguments.login, &password, code).await?;
    let told = match begun.get("has_second_factor") {
        Some(Value::Bool(true)) => "signed in; what needs a code is open for five minutes",
        _ => "signed in; set up a second factor within five minutes: `ardoise second-factor`",
    };
    output.show(&begun, || told.to_owned())
}

/// Begins a session and keeps it; what is returned no longer holds its secret. A code is asked for at a terminal when
/// the account has a second factor, or may have one: the server does not say which.
async fn begin(
    connection: &Connection,
    anonymous: &Api,
    login: &str,
    password: &Secret<String>,
    code: Option<Secret<String>>,
) -> Result<Value, Failure> {
    let sign_in = async |code: Option<&Secret<String>>| {
        let body = json!({
            "login": login, "password": password.expose(), "code": code.map(Secret::expose),
        });
        anonymous.post(&["sessions"], Body::Json(body)).await
    };
    let begun = match sign_in(code.as_ref()).await {
        Err(Failure::Problem(problem))
            if code.is_none() && problem.code.as_deref() == Some("not-signed-in") =>
        {
            match secrets::ask_code() {
                Ok(code) => sign_in(Some(&code)).await?,
                // No terminal: what was answered is what there is to say.
                Err(_no_terminal) => return Err(Failure::Problem(problem)),
            }
        }
        other => other?,
    };
    let secret = begun.get("session").and_then(Value::as_str).unwrap_or_default();
    secrets::keep_session(&connection.server()?, &Secret::new(secret.to_owned()))?;
    let mut shown = begun;
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("session");
    }
    Ok(shown)
}

/// Ends the session, here and on the server.
pub(crate) async fn logout(arguments: Logout, output: Output) -> Result<(), Failure> {
    let done = arguments.connection.open()?.delete(&["session"]).await?;
    secrets::forget_session(&arguments.connection.server()?)?;
    output.show(&done, || "signed out".to_owned())
}

/// Shows a code in the session.
pub(crate) async fn step_up(arguments: StepUp, output: Output) -> Result<(), Failure> {
    let connection = arguments.connection;
    let code = match connection.code() {
        Some(code) => code,
        None => secrets::ask_code()?,
    };
    let body = Body::Json(json!({ "code": code.expose() }));
    let done = connection.without_code().open()?.post(&["session", "step-up"], body).await?;
    output.show(&done, || "what needs a code is open for five minutes".to_owned())
}

/// Shows who one is; lists and ends sessions.
pub(crate) async fn sessions(arguments: Sessions, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action.unwrap_or(SessionAction::Show) {
        SessionAction::Show => {
            let myself = api.get(&["session"]).await?;
            output.show(&myself, || sheet(&myself, MYSELF))
        }
        SessionAction::List => {
            let sessions = Value::Array(api.list(&["sessions"], &[], None).await?);
            output.show(&sessions, || table(sessions.as_array().map_or(&[], Vec::as_slice), SESSIONS))
        }
        SessionAction::End { id } => {
            let done = api.delete(&["sessions", &id]).await?;
            output.show(&done, || format!("session {id} is over"))
        }
    }
}

/// Sets up a second factor.
pub(crate) async fn second_factor(arguments: SecondFactor, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    match arguments.action.unwrap_or(FactorAction::Set) {
        FactorAction::Set => {
            set_second_factor(&api, output).await?;
            output.show(&json!({ "done": true }), || "the second factor counts from now on".to_owned())
        }
        FactorAction::Propose => {
            let proposed = api.post(&["session", "second-factor"], Body::Empty).await?;
            output.show(&proposed, || drawn(&proposed))
        }
        FactorAction::Confirm { secret_file, new_code } => {
            let secret = secrets::private(&secret_file)?;
            confirm(&api, secret.expose(), &new_code).await?;
            output.show(&json!({ "done": true }), || "the second factor counts from now on".to_owned())
        }
    }
}

async fn set_second_factor(api: &Api, output: Output) -> Result<(), Failure> {
    let proposed = api.post(&["session", "second-factor"], Body::Empty).await?;
    output.note(&drawn(&proposed));
    let code = secrets::ask_code()?;
    let secret = proposed.get("secret").and_then(Value::as_str).unwrap_or_default();
    confirm(api, secret, code.expose()).await
}

async fn confirm(api: &Api, secret: &str, code: &str) -> Result<(), Failure> {
    let body = Body::Json(json!({ "secret": secret, "code": code }));
    api.put(&["session", "second-factor"], body).await.map(|_done| ())
}

/// The proposed secret as a QR code, and as a person types it.
fn drawn(proposed: &Value) -> String {
    let field = |name: &str| proposed.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = QrCode::new(field("address"))
        .map(|code| code.render::<Dense1x2>().quiet_zone(true).build())
        .unwrap_or_default();
    format!("{code}\nScan it with your authenticator, or type the secret: {}", field("secret"))
}

/// Changes one’s own password.
pub(crate) async fn password(arguments: Password, output: Output) -> Result<(), Failure> {
    let api = arguments.connection.open()?;
    let current = secrets::ask(arguments.current_file.as_deref(), "present password", "--current-file")?;
    let new = chosen(arguments.new_file, "new password", "--new-file")?;
    let body = Body::Json(json!({ "current": current.expose(), "new": new.expose() }));
    let done = api.put(&["session", "password"], body).await?;
    output.show(&done, || "the new password counts from now on; your other sessions are over".to_owned())
}

/// A password that is chosen: typed twice at a terminal.
fn chosen(file: Option<PathBuf>, what: &str, option: &str) -> Result<Secret<String>, Failure> {
    let first = secrets::ask(file.as_deref(), what, option)?;
    if file.is_none() && secrets::ask(None, "once more", option)?.expose() != first.expose() {
        return Err(Failure::Usage(format!("{what}: the two are not the same; nothing was changed")));
    }
    Ok(first)
}
