//! Secrets that people type, and the session that is kept between two commands.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use terminal::Term;
use types::Secret;
use url::Url;

use crate::failure::Failure;

/// What a file holds, or what a person types at a terminal; `option` is how to name the file where there is none.
pub(crate) fn ask(file: Option<&Path>, question: &str, option: &str) -> Result<Secret<String>, Failure> {
    if let Some(file) = file {
        return private(file);
    }
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err(Failure::Usage(format!(
            "{question}: there is no terminal to ask at; name a file in `{option}`"
        )));
    }
    let asked = terminal.write_str(&format!("{question}: ")).and_then(|()| terminal.read_secure_line());
    let answer = asked.map_err(|error| Failure::Usage(format!("{question}: {error}")))?;
    filled(answer, question)
}

/// What a person types in the open: a code is worth nothing a minute later.
pub(crate) fn ask_code() -> Result<Secret<String>, Failure> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err(Failure::Usage("there is no terminal to ask for a code at; give it in `--code`".into()));
    }
    let asked = terminal.write_str("code of your authenticator: ").and_then(|()| terminal.read_line());
    let answer = asked.map_err(|error| Failure::Usage(format!("code: {error}")))?;
    filled(answer, "code")
}

/// Whether there is somebody to ask.
pub(crate) fn at_a_terminal() -> bool {
    Term::stderr().is_term()
}

fn filled(answer: String, question: &str) -> Result<Secret<String>, Failure> {
    let answer = Secret::new(answer);
    if answer.expose().trim().is_empty() {
        return Err(Failure::Usage(format!("{question}: nothing was typed")));
    }
    Ok(answer)
}

/// The only line of a file that nobody else can read.
pub(crate) fn private(file: &Path) -> Result<Secret<String>, Failure> {
    let bad = |problem: String| Failure::BadFile { path: file.to_owned(), problem };
    let mode = std::fs::metadata(file).map_err(Failure::reading(file))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(bad(format!(
            "others may read this secret (mode {mode:03o}): type `chmod 600 {}`",
            file.display()
        )));
    }
    let text = Secret::new(std::fs::read_to_string(file).map_err(Failure::reading(file))?);
    let line = text.expose().trim_end_matches(['\n', '\r']);
    if line.is_empty() || line.contains('\n') {
        return Err(bad("expected one line and nothing else".into()));
    }
    Ok(Secret::new(line.to_owned()))
}

/// Keeps the session with a server for the commands that follow.
pub(crate) fn keep_session(server: &Url, session: &Secret<String>) -> Result<(), Failure> {
    let Some(file) = session_file(server) else {
        return Err(Failure::Usage("there is no HOME to keep the session in".into()));
    };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(Failure::writing(folder))?;
    }
    forget_session(server)?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut open| open.write_all(session.expose().as_bytes()))
        .map_err(Failure::writing(&file))
}

/// Forgets the session with a server.
pub(crate) fn forget_session(server: &Url) -> Result<(), Failure> {
    let Some(file) = session_file(server) else { return Ok(()) };
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::writing(&file)(error)),
        _ => Ok(()),
    }
}

/// The session that `ardoise login` left for this server, and for no other.
pub(crate) fn kept_session(server: &Url) -> Result<Option<Secret<String>>, Failure> {
    match session_file(server) {
        Some(file) if file.is_file() => private(&file).map(Some),
        _ => Ok(None),
    }
}

/// A file for each server: a session is shown to the one that gave it.
fn session_file(server: &Url) -> Option<PathBuf> {
    let host = server.host_str()?.replace(['[', ']'], "");
    let port = server.port_or_known_default()?;
    Some(configuration_folder()?.join("sessions").join(format!("{}_{host}_{port}", server.scheme())))
}

/// `~/.config/ardoise`, where the freedesktop base directories put it.
pub(crate) fn configuration_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")))?;
    Some(config.join("ardoise"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t_c11_a_secret_is_read_only_from_a_file_that_nobody_else_reads() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let read = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            private(&file)
        };
        assert_eq!(read("a few words \n", 0o600).unwrap().expose(), "a few words ");
        for (text, mode, words) in
            [("ardoise_abc", 0o644, "chmod 600"), ("", 0o600, "one line"), ("a\nb", 0o600, "one line")]
        {
            let message = read(text, mode).unwrap_err().to_string();
            assert!(message.contains(words) && !message.contains("ardoise_abc"), "{message}");
        }
    }

    #[test]
    fn a_session_is_kept_for_one_server() {
        let name =
            |url: &str| session_file(&url.parse().unwrap()).map(|file| file.file_name().unwrap().to_owned());
        assert_eq!(name("https://a.example.org"), name("https://a.example.org:443/x"));
        assert_ne!(name("https://a.example.org"), name("https://b.example.org"));
        assert_ne!(name("https://a.example.org"), name("https://a.example.org:9443"));
        assert_ne!(name("https://localhost:80"), name("http://localhost:80"));
    }
}
