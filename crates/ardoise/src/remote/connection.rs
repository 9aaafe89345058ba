//! Which server is asked, with which token, and who vouches for it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use types::Secret;
use url::Url;

use super::Api;
use crate::failure::Failure;
use crate::home::HomeArguments;

const TOKEN_VARIABLE: &str = "ARDOISE_TOKEN";

const HELP: &str = "\
The token comes from --token-file, or from the variable ARDOISE_TOKEN, or from ~/.config/ardoise/token.
Without --server, the people's door of the home folder is asked, and its own authority is trusted.";

/// How to reach a server's API.
#[derive(Debug, Clone, Args)]
#[command(after_help = HELP)]
pub(crate) struct Connection {
    /// The server's people's door, such as `https://ardoise.example.org`.
    #[arg(long, global = true, env = "ARDOISE_SERVER", value_name = "URL", help_heading = "Server")]
    server: Option<Url>,

    /// A file with nothing but the token, which only you can read.
    #[arg(long, global = true, env = "ARDOISE_TOKEN_FILE", value_name = "FILE", help_heading = "Server")]
    token_file: Option<PathBuf>,

    /// PEM file with the only authorities that may vouch for the server; this machine's usual ones unless told.
    #[arg(long, global = true, env = "ARDOISE_TRUST", value_name = "PEM", help_heading = "Server")]
    trust: Option<PathBuf>,

    #[command(flatten)]
    home: HomeArguments,
}

impl Connection {
    /// A client of the API.
    pub(crate) fn open(&self) -> Result<Api, Failure> {
        let (server, own_authority) = match &self.server {
            Some(server) => (server.clone(), None),
            None => {
                let home = self.home.open()?;
                let config = home.existing_config().map_err(|failure| match failure {
                    Failure::Usage(_) => Failure::Usage(
                        "no server: name it in `--server` or ARDOISE_SERVER, or its home folder in `--home`"
                            .into(),
                    ),
                    other => other,
                })?;
                (config.people.public_url, Some(home.authority_file()).filter(|file| file.is_file()))
            }
        };
        let trust = match self.trust.clone().or(own_authority) {
            Some(file) => Some(std::fs::read(&file).map_err(Failure::reading(&file))?),
            None => None,
        };
        Api::new(server, self.token()?, trust.as_deref())
    }

    fn token(&self) -> Result<Secret<String>, Failure> {
        if let Some(file) = &self.token_file {
            return read_token(file);
        }
        if let Some(token) = std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.trim().is_empty()) {
            return Ok(Secret::new(token.trim().to_owned()));
        }
        match usual_token_file() {
            Some(file) if file.is_file() => read_token(&file),
            _ => Err(Failure::Usage(
                "not signed in: type `ardoise login`, or name a token’s file in `--token-file` or ARDOISE_TOKEN"
                    .into(),
            )),
        }
    }
}

/// `~/.config/ardoise/token`, where the freedesktop base directories put it.
fn usual_token_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some(config.join("ardoise").join("token"))
}

fn read_token(file: &Path) -> Result<Secret<String>, Failure> {
    let bad = |problem: String| Failure::BadFile { path: file.to_owned(), problem };
    let mode = std::fs::metadata(file).map_err(Failure::reading(file))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(bad(format!(
            "others may read this token (mode {mode:03o}): type `chmod 600 {}`",
            file.display()
        )));
    }
    let text = Secret::new(std::fs::read_to_string(file).map_err(Failure::reading(file))?);
    let token = text.expose().trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(bad("expected one token and nothing else".into()));
    }
    Ok(Secret::new(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, file)
    }

    #[test]
    fn a_token_file_holds_one_token_that_only_its_owner_reads() {
        let (_folder, file) = token_file("ardoise_abc\n", 0o600);
        assert_eq!(read_token(&file).unwrap().expose(), "ardoise_abc");
        for (text, mode, words) in [
            ("ardoise_abc", 0o644, "chmod 600"),
            ("ardoise_abc", 0o640, "chmod 600"),
            ("", 0o600, "one token"),
            ("a b", 0o600, "one token"),
        ] {
            let (_folder, file) = token_file(text, mode);
            let message = read_token(&file).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
            assert!(!message.contains("ardoise_abc"), "{message}");
        }
    }
}
