//! The section `mail`: the server that takes our mail. Its password stands in a file of its own, as keys do.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use outbound::mail::{MailTls, Sender};
use outbound::{Destination, Egress};
use types::{MailAddress, Secret};

use super::reader::{Reader, Reported};

/// The longest password file, in bytes.
const LONGEST_PASSWORD: usize = 1_024;

/// The server that takes our mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// Its name, or its address by number.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// PEM file with the only authorities that vouch for it; `None` for the public ones.
    pub trust: Option<PathBuf>,
    /// The name that it asks for, and the file with the password.
    pub user: Option<(String, PathBuf)>,
    /// Whom mail is from.
    pub from: Sender,
    /// Where it comes back.
    pub returns_to: MailAddress,
    /// The folder into which what comes back is delivered.
    pub returns_folder: Option<PathBuf>,
}

/// Why a file that the mail server needs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MailFileError {
    /// It cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read the password.
    #[error("`{}` can be read by others: type `chmod 600 {}`", path.display(), path.display())]
    Open {
        /// Which.
        path: PathBuf,
    },
    /// It holds no password.
    #[error("`{}` holds no password: one line of at most {LONGEST_PASSWORD} bytes is expected", path.display())]
    NoPassword {
        /// Which.
        path: PathBuf,
    },
}

impl MailSettings {
    /// The name and password, read from its file.
    ///
    /// # Errors
    /// [`MailFileError`].
    pub fn login(&self) -> Result<Option<(String, Secret<String>)>, MailFileError> {
        let Some((user, path)) = &self.user else { return Ok(None) };
        let read = |source| MailFileError::Unreadable { path: path.clone(), source };
        let mode = std::fs::metadata(path).map_err(read)?.mode();
        if mode & 0o077 != 0 {
            return Err(MailFileError::Open { path: path.clone() });
        }
        let text = Secret::new(std::fs::read_to_string(path).map_err(read)?);
        let password = text.expose().trim_end_matches(['\r', '\n']);
        let one_line = !password.is_empty() && !password.chars().any(char::is_control);
        if !one_line || password.len() > LONGEST_PASSWORD {
            return Err(MailFileError::NoPassword { path: path.clone() });
        }
        Ok(Some((user.clone(), Secret::new(password.to_owned()))))
    }

    /// The authorities that vouch for the server, as PEM.
    ///
    /// # Errors
    /// [`MailFileError::Unreadable`].
    pub fn authorities(&self) -> Result<Option<String>, MailFileError> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path)
                .map_err(|source| MailFileError::Unreadable { path: path.clone(), source })
        };
        self.trust.as_ref().map(read).transpose()
    }
}

pub(super) fn mail(
    reader: &mut Reader<'_>,
    allowed: &[Destination],
) -> Result<Option<MailSettings>, Reported> {
    let host = reader.optional("mail.host", |text| {
        let plain = text.len() <= 253 && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
        if plain { Ok(text.to_owned()) } else { Err("expected a name, or an address by number".to_owned()) }
    });
    let port = reader.number("mail.port", 1, 65_535);
    let tls = reader.one("mail.tls", |text| match text {
        "starttls" => Ok(MailTls::StartTls),
        "tls" => Ok(MailTls::Tls),
        "none" => Ok(MailTls::None),
        _ => Err("expected `starttls`, `tls` or `none`".to_owned()),
    });
    let trust = reader.path("mail.trust");
    let user = reader.optional("mail.user", |text| Ok(text.to_owned()));
    let password = reader.path("mail.password_file");
    let from = reader.optional("mail.from", |text| text.parse::<Sender>());
    let returns_to = reader
        .optional("mail.returns_to", |text| text.parse::<MailAddress>().map_err(|error| error.to_string()));
    let returns_folder = reader.path("mail.returns_folder");
    let Some(host) = host? else { return Ok(None) };
    let (port, tls) = (u16::try_from(port?).unwrap_or(u16::MAX), tls?);
    if tls == MailTls::None && !is_this_machine(&host) {
        let fault = "mail, and the password, would cross the network in clear".to_owned();
        let next = "say `starttls` or `tls`, or name a server on this machine".to_owned();
        return Err(reader.refuse_with("mail.tls", fault, next));
    }
    if !Egress::new(allowed.iter().cloned()).lists(&host, port) {
        let fault = "it is not in the egress allow-list".to_owned();
        let next = format!("add `{host}:{port}` to `egress.allow`");
        return Err(reader.refuse_with("mail.host", fault, next));
    }
    let user = match (user?, password?) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            return Err(
                reader.refuse("mail.user", "its password is missing in `mail.password_file`".to_owned())
            );
        }
        (None, Some(_)) => {
            return Err(reader.refuse("mail.password_file", "there is no `mail.user`".to_owned()));
        }
    };
    let missing = |reader: &mut Reader<'_>, name| reader.refuse(name, "`mail.host` needs it".to_owned());
    let Some(from) = from? else { return Err(missing(reader, "mail.from")) };
    let Some(returns_to) = returns_to? else { return Err(missing(reader, "mail.returns_to")) };
    let (trust, returns_folder) = (trust?, returns_folder?);
    Ok(Some(MailSettings { host, port, tls, trust, user, from, returns_to, returns_folder }))
}

/// Whether a host can only be this machine.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::super::{Config, Sources};
    use super::*;

    const WHOLE: [&str; 4] = [
        "mail.host=smtp.example.org",
        "egress.allow=smtp.example.org:587",
        "mail.from=Ardoise <tablettes@example.org>",
        "mail.returns_to=retours@example.org",
    ];

    fn load(home: &Path, flags: &[&str]) -> Result<Config, String> {
        let flags = ["tablets.public_url=https://mdm.example.org"].iter().chain(flags);
        let sources = Sources::read(home, [], flags.map(|flag| (*flag).to_owned())).unwrap();
        Config::load(&sources).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_host_nothing_is_mailed_and_with_one_what_is_missing_is_named() {
        let home = Path::new("/srv/ardoise");
        assert_eq!(load(home, &[]).unwrap().mail, None);
        let mail = load(home, &WHOLE).unwrap().mail.unwrap();
        assert_eq!((mail.port, mail.tls, mail.user), (587, MailTls::StartTls, None));
        for (flags, said) in [
            (vec![WHOLE[0], WHOLE[2], WHOLE[3]], "smtp.example.org:587"),
            (vec![WHOLE[0], WHOLE[1], WHOLE[3]], "mail.from"),
            (vec![WHOLE[0], WHOLE[1], WHOLE[2]], "mail.returns_to"),
            ([&WHOLE[..], &["mail.tls=none"]].concat(), "in clear"),
            ([&WHOLE[..], &["mail.user=ardoise"]].concat(), "mail.password_file"),
            ([&WHOLE[..], &["mail.returns_to=a@b.fr\r\nBcc: x@y.fr"]].concat(), "mail.returns_to"),
        ] {
            let refused = load(home, &flags).unwrap_err();
            assert!(refused.contains(said), "{said}: {refused}");
        }
    }

    #[test]
    fn t_c6_t_c11_a_password_stands_in_a_file_that_others_cannot_read_and_in_no_log() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("smtp.password");
        std::fs::write(&path, "un mot de passe\n").unwrap();
        let flags = [&WHOLE[..], &["mail.user=ardoise", "mail.password_file=smtp.password"]].concat();
        let mail = load(home.path(), &flags).unwrap().mail.unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(mail.login().unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let login = mail.login().unwrap().unwrap();
        assert_eq!((login.0.as_str(), login.1.expose().as_str()), ("ardoise", "un mot de passe"));
        assert!(!format!("{login:?}{mail:?}").contains("mot de passe"));
        std::fs::write(&path, "\n").unwrap();
        assert!(mail.login().unwrap_err().to_string().contains("holds no password"));
    }
}
