//! `tablets apns`: a stand-in for Apple's push service, for any server that can be told where to push.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tablets::{Apns, Clock, Push};
use tokio::sync::broadcast::error::RecvError;

use super::failure::Failure;
use super::interruption::Interruption;
use super::output::{Output, sheet};
use super::push_files::{PushFiles, TOPIC};
use super::span;

const HELP: &str = "\
It speaks TLS and HTTP/2, wants a push certificate, and refuses what Apple refuses. FOLDER then has
  push-root.pem          whom the server must trust in place of Apple
  push-certificate.pem   the push certificate to give to the server, with
  push-key.pem           its key
and keeps them: started again with the same folder, everything stays valid.

  tablets apns --listen 127.0.0.1:2197 --write push --verbose
Ardoise, in its configuration:
  apns.endpoint = \"https://localhost:2197\"
  apns.trust = \"push/push-root.pem\"
  egress.allow = [\"localhost:2197 private\"]
and then
  ardoise push-certificate set --certificate push/push-certificate.pem --key push/push-key.pem

Pushes that shall wake simulated tablets go to `tablets run --apns`, which has this service inside.";

/// Where it listens, and what it leaves.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The folder for whom to trust, the push certificate and its key.
    #[arg(long, value_name = "FOLDER")]
    write: PathBuf,
    /// The topic of the push certificate that is written.
    #[arg(long, value_name = "TOPIC", default_value = TOPIC)]
    topic: String,
    /// Stop after this long instead of at Ctrl-C.
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse_some)]
    limit: Option<Duration>,
    /// Print every push that is accepted, one a line.
    #[arg(long, short)]
    verbose: bool,
}

/// What a server is told.
#[derive(Debug, Serialize)]
pub(crate) struct Listening {
    address: SocketAddr,
    url: String,
    #[serde(flatten)]
    files: PushFiles,
}

/// How it went.
#[derive(Debug, Serialize)]
struct Tally {
    accepted: u64,
    refused: u64,
    connections: u64,
}

/// Listens until told to stop.
pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<(), Failure> {
    let mut interruption = Interruption::listen()?;
    let (apns, listening) = start(arguments.listen, &arguments.write, &arguments.topic).await?;
    apns.keep_no_pushes();
    let mut pushes = apns.subscribe();
    output.show(&listening, Listening::told)?;
    let printing = async {
        loop {
            match pushes.recv().await {
                Ok(push) if arguments.verbose => output.show(&push, line)?,
                Ok(_quiet) => {}
                Err(RecvError::Lagged(lost)) => {
                    output.note(&format!("{lost} pushes came too fast to be printed"))
                }
                Err(RecvError::Closed) => return Ok::<_, Failure>(()),
            }
        }
    };
    tokio::select! {
        printed = printing => printed?,
        () = interruption.comes_or_after(arguments.limit) => {}
    }
    let (accepted, refused) = apns.counts();
    let tally = Tally { accepted, refused, connections: apns.connections() };
    output.show(&tally, |tally| {
        sheet(&[
            ("accepted", tally.accepted.to_string()),
            ("refused", tally.refused.to_string()),
            ("connections", tally.connections.to_string()),
        ])
    })
}

/// Starts the service with the files of a folder.
pub(crate) async fn start(
    listen: SocketAddr,
    folder: &std::path::Path,
    topic: &str,
) -> Result<(Apns, Listening), Failure> {
    let (authority, files) = PushFiles::open(folder, topic)?;
    let apns = Apns::start(&authority, listen, Clock::system()).await?;
    let listening = Listening { address: apns.address(), url: apns.url(), files };
    Ok((apns, listening))
}

impl Listening {
    pub(crate) fn told(&self) -> String {
        let path = |path: &PathBuf| path.display().to_string();
        sheet(&[
            ("push service", self.url.clone()),
            ("whom to trust", path(&self.files.root)),
            ("push certificate", path(&self.files.certificate)),
            ("its key", path(&self.files.key)),
            ("its topic", self.files.topic.clone()),
        ])
    }
}

fn line(push: &Push) -> String {
    let mut line = format!("push to {} on {}", push.token, push.topic);
    if let Some(priority) = &push.priority {
        // Writing to a string never fails.
        let _written = write!(line, ", priority {priority}");
    }
    line
}
