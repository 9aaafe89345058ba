//! How a command is queued on any server: a request made from templates.
//!
//! `{serial}`, `{udid}` and `{uuid}` (new for each command) stand in the address and in the body; `{secret}` and
//! `{basic:USER}` in headers, so that what must not be seen in a list of processes comes from a file or the
//! environment.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;
use tablets::{Error, Hardware, Reply, Request};
use url::Url;

use super::dialect::Dialect;
use super::problem::Problem;
use crate::program::failure::Failure;

/// How commands are queued.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "How commands are queued")]
pub(super) struct EnqueueArguments {
    /// A server whose way to queue commands is known; what follows changes it.
    #[arg(long, value_enum, requires = "api")]
    pub(super) dialect: Option<Dialect>,
    /// The address of its API, with --dialect: https://localhost:9443
    #[arg(long, value_name = "URL")]
    api: Option<Url>,
    /// Where a command is queued; {serial}, {udid} and {uuid} are filled in.
    #[arg(long, value_name = "TEMPLATE", required_unless_present = "dialect")]
    enqueue_url: Option<String>,
    /// The method: POST, PUT … POST unless the dialect says otherwise.
    #[arg(long, value_name = "METHOD", value_parser = method)]
    enqueue_method: Option<Method>,
    /// A header of that request, 'Name: value'; {secret} and {basic:USER} are filled in. May be repeated.
    #[arg(long, value_name = "HEADER")]
    enqueue_header: Vec<String>,
    /// Its body, or @FILE; {serial}, {udid} and {uuid} are filled in.
    #[arg(long, value_name = "TEMPLATE", required_unless_present = "dialect")]
    enqueue_body: Option<String>,
    /// Where the JSON answer names the command (RFC 6901: /id). Without it, {uuid} is the command's CommandUUID.
    #[arg(long, value_name = "POINTER")]
    enqueue_uuid_at: Option<String>,
    /// The secret of the API: env:NAME or file:PATH. With a dialect it becomes the right Authorization.
    #[arg(long, value_name = "SOURCE")]
    secret: Option<SecretSource>,
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SecretSource {
    Environment(String),
    File(PathBuf),
}

impl std::str::FromStr for SecretSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            _ => Err("write env:NAME or file:PATH; a secret itself would be seen in a list of processes"
                .to_owned()),
        }
    }
}

impl SecretSource {
    fn read(&self) -> Result<String, Failure> {
        let secret = match self {
            Self::Environment(name) => std::env::var(name).map_err(|_unset| {
                Failure::Usage(format!("`--secret env:{name}`: the environment has no {name}"))
            })?,
            Self::File(path) => std::fs::read_to_string(path).map_err(Failure::reading(path))?,
        };
        Ok(secret.trim().to_owned())
    }
}

/// What the templates are filled with, for one command.
#[derive(Debug)]
pub(super) struct Place {
    serial: String,
    udid: String,
    uuid: String,
}

impl Place {
    /// For a tablet, with a new UUID.
    pub(super) fn of(hardware: &Hardware) -> Self {
        Self {
            serial: hardware.serial.clone(),
            udid: hardware.udid.clone(),
            uuid: uuid::Uuid::new_v4().to_string().to_uppercase(),
        }
    }

    fn fill(&self, template: &str) -> String {
        template.replace("{serial}", &self.serial).replace("{udid}", &self.udid).replace("{uuid}", &self.uuid)
    }
}

/// How a command is queued, ready to be filled in.
pub(super) struct Order {
    method: Method,
    url: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: String,
    uuid_at: Option<String>,
}

/// The headers may hold a secret.
impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({} {})", self.method, self.url)
    }
}

impl Order {
    /// What was typed, over what the dialect says.
    ///
    /// # Errors
    /// When something is missing, or cannot be filled in.
    pub(super) fn read(arguments: &EnqueueArguments) -> Result<Self, Failure> {
        let dialect = arguments.dialect;
        let api = arguments.api.as_ref().map(|url| url.as_str().trim_end_matches('/')).unwrap_or_default();
        let url = match (&arguments.enqueue_url, dialect) {
            (Some(url), _) => url.clone(),
            (None, Some(dialect)) => format!("{api}{}", dialect.path()),
            (None, None) => {
                return Err(Failure::Usage(
                    "say where commands are queued: `--enqueue-url`, or `--dialect`".into(),
                ));
            }
        };
        let body = match (&arguments.enqueue_body, dialect) {
            (Some(body), _) => contents(body)?,
            (None, Some(dialect)) => dialect.body().to_owned(),
            (None, None) => {
                return Err(Failure::Usage("say what is queued: `--enqueue-body`, or `--dialect`".into()));
            }
        };
        let uuid_at = arguments.enqueue_uuid_at.clone().or_else(|| dialect?.uuid_at().map(str::to_owned));
        if uuid_at.is_none() && !body.contains("{uuid}") && !url.contains("{uuid}") {
            return Err(Failure::Usage(
                "nothing says which CommandUUID a queued command has: put {uuid} into `--enqueue-body`, or say where \
                 the answer names it with `--enqueue-uuid-at`"
                    .into(),
            ));
        }
        check_url(&url)?;
        Ok(Self {
            method: arguments
                .enqueue_method
                .clone()
                .or_else(|| Some(dialect?.method()))
                .unwrap_or(Method::POST),
            url,
            headers: headers(arguments)?,
            body,
            uuid_at,
        })
    }

    /// The request that queues a command.
    pub(super) fn request(&self, place: &Place) -> Result<Request, Error> {
        let url = place.fill(&self.url);
        let url =
            Url::parse(&url).map_err(|error| Error::Usage(format!("“{url}” is no address: {error}")))?;
        let body = place.fill(&self.body).into_bytes();
        Ok(Request { method: self.method.clone(), url, headers: self.headers.clone(), body })
    }

    /// Which `CommandUUID` the queued command has.
    pub(super) fn command_uuid(&self, place: &Place, reply: &Reply) -> Result<String, Problem> {
        let Some(pointer) = &self.uuid_at else { return Ok(place.uuid.clone()) };
        let answer: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let uuid = answer.as_ref().and_then(|answer| answer.pointer(pointer)?.as_str());
        uuid.map(str::to_owned)
            .ok_or_else(|| Problem::NoCommandUuid { pointer: pointer.clone(), body: reply.excerpt() })
    }
}

fn headers(arguments: &EnqueueArguments) -> Result<Vec<(HeaderName, HeaderValue)>, Failure> {
    let secret = arguments.secret.as_ref().map(SecretSource::read).transpose()?;
    let mut headers = Vec::new();
    if let Some(dialect) = arguments.dialect {
        headers.push((CONTENT_TYPE, HeaderValue::from_static(dialect.content_type())));
        if secret.is_some() {
            add(&mut headers, dialect.authorization(), secret.as_deref())?;
        }
    }
    for header in &arguments.enqueue_header {
        add(&mut headers, header, secret.as_deref())?;
    }
    Ok(headers)
}

/// Adds a header as it was typed; one of that name is replaced.
fn add(
    headers: &mut Vec<(HeaderName, HeaderValue)>,
    header: &str,
    secret: Option<&str>,
) -> Result<(), Failure> {
    let odd = |problem: &str| Failure::Usage(format!("`--enqueue-header`: {problem}"));
    let (name, value) = header.split_once(':').ok_or_else(|| odd("write 'Name: value'"))?;
    let name: HeaderName = name.trim().parse().map_err(|_odd| odd("the name is no header's"))?;
    let mut value = value.trim().to_owned();
    let secret_for = |_placeholder| {
        secret
            .ok_or_else(|| odd("{secret} and {basic:USER} need `--secret env:NAME` or `--secret file:PATH`"))
    };
    if value.contains("{secret}") {
        value = value.replace("{secret}", secret_for("secret")?);
    }
    if let Some((before, rest)) = value.split_once("{basic:")
        && let Some((user, after)) = rest.split_once('}')
    {
        let encoded = STANDARD.encode(format!("{user}:{}", secret_for("basic")?));
        value = format!("{before}{encoded}{after}");
    }
    let mut value =
        HeaderValue::from_str(&value).map_err(|_odd| odd("the value holds a line break or worse"))?;
    value.set_sensitive(true);
    headers.retain(|(known, _value)| *known != name);
    headers.push((name, value));
    Ok(())
}

/// The text itself, or that of a file.
fn contents(text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(Failure::reading(Path::new(path))),
        None => Ok(text.to_owned()),
    }
}

fn check_url(template: &str) -> Result<(), Failure> {
    let example = Place { serial: "S".to_owned(), udid: "U".to_owned(), uuid: "I".to_owned() };
    let filled = example.fill(template);
    let odd = |problem: String| Failure::Usage(format!("`--enqueue-url {template}`: {problem}"));
    if filled.contains(['{', '}']) {
        return Err(odd("only {serial}, {udid} and {uuid} are filled in".to_owned()));
    }
    match Url::parse(&filled) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(()),
        Ok(_other) => Err(odd("expected https://… or http://…".to_owned())),
        Err(error) => Err(odd(error.to_string())),
    }
}

fn method(text: &str) -> Result<Method, String> {
    let known = [Method::POST, Method::PUT, Method::PATCH, Method::GET];
    known
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
        .ok_or_else(|| "expected POST, PUT, PATCH or GET".to_owned())
}

#[cfg(test)]
mod tests;
