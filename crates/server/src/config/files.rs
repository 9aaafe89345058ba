//! The files a configuration names, opened to see whether they can be used: for `ardoise config check`.

use std::error::Error;
use std::path::Path;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::problem::{ConfigError, Origin, Problem};
use super::settings::DoorTls;
use super::{Config, Setting};
use crate::tls::{ServerIdentity, people_tls};

impl Config {
    /// Opens every file that the configuration names: the key file, the doors' certificates and keys, the
    /// stand-in's authorities. Starts nothing, and keeps nothing open.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every file that cannot be used.
    pub fn check_files(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut note = |key: &str, result: Result<(), String>| {
            if let Err(fault) = result {
                problems.push(self.file_problem(key, fault));
            }
        };
        note("keys.file", self.open_vault().map(|_vault| ()).map_err(|error| with_causes(&error)));
        note("tablets.tls.certificate", check_door(&self.tablets.tls));
        note("people.tls.certificate", check_door(&self.people.tls));
        note("apns.trust", self.apns.trust.as_deref().map_or(Ok(()), check_authorities));
        if let Some(mail) = &self.mail {
            note("mail.trust", mail.trust.as_deref().map_or(Ok(()), check_authorities));
            note("mail.password_file", mail.login().map(|_login| ()).map_err(|error| with_causes(&error)));
        }
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::new(problems)) }
    }

    fn file_problem(&self, key: &str, fault: String) -> Problem {
        let setting: Option<&Setting> = self.settings.iter().find(|setting| setting.key.name == key);
        Problem {
            subject: key.to_owned(),
            value: setting.map(|setting| setting.value.clone()),
            origin: setting.map_or(Origin::Default, |setting| setting.origin.clone()),
            fault,
            next: "then type `ardoise config check` again".to_owned(),
        }
    }
}

fn check_door(tls: &DoorTls) -> Result<(), String> {
    let DoorTls::Files { certificate, key } = tls else { return Ok(()) };
    let identity = ServerIdentity::from_files(certificate, key).map_err(|error| with_causes(&error))?;
    people_tls(identity).map(|_usable| ()).map_err(|error| {
        format!("`{}` and `{}` do not go together ({error})", certificate.display(), key.display())
    })
}

fn check_authorities(path: &Path) -> Result<(), String> {
    let pem = std::fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    let found = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("`{}` is not PEM: {error}", path.display()))?;
    if found.is_empty() { Err(format!("`{}` holds no certificate", path.display())) } else { Ok(()) }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text} ({next})");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rcgen::{CertificateParams, KeyPair};
    use store::Vault;

    use super::super::Sources;
    use super::*;

    fn config(home: &Path, flags: &[&str]) -> Config {
        let flags = ["tablets.public_url=https://mdm.example.org"].iter().chain(flags);
        let flags = flags.map(|flag| (*flag).to_owned());
        Config::load(&Sources::read(home, [], flags).unwrap()).unwrap()
    }

    fn write_key_file(home: &Path) {
        let path = home.join("ardoise.keys");
        std::fs::write(&path, Vault::generate_key_line("k1").expose()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    const FILES: [&str; 5] = [
        "tablets.tls.certificate=door.pem",
        "tablets.tls.key=door.key",
        "apns.endpoint=https://127.0.0.1:2197",
        "egress.allow=127.0.0.1:2197",
        "apns.trust=stand-in.pem",
    ];

    #[test]
    fn every_missing_file_is_named_with_its_key() {
        let home = tempfile::tempdir().unwrap();
        let error = config(home.path(), &FILES).check_files().unwrap_err();
        let subjects: Vec<_> = error.problems().iter().map(|problem| problem.subject.as_str()).collect();
        assert_eq!(subjects, ["keys.file", "tablets.tls.certificate", "apns.trust"]);
        let message = error.to_string();
        for word in ["ardoise.keys", "door.pem", "stand-in.pem", "ardoise init", "(--set)"] {
            assert!(message.contains(word), "{word}: {message}");
        }
    }

    #[test]
    fn good_files_pass_and_a_key_of_another_certificate_does_not() {
        let home = tempfile::tempdir().unwrap();
        write_key_file(home.path());
        let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let params = CertificateParams::new(["mdm.example.org".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        for (name, text) in
            [("door.pem", &certificate), ("stand-in.pem", &certificate), ("door.key", &key.serialize_pem())]
        {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        let config = config(home.path(), &FILES);
        config.check_files().unwrap();
        std::fs::write(home.path().join("door.key"), other.serialize_pem()).unwrap();
        let message = config.check_files().unwrap_err().to_string();
        assert!(message.contains("do not go together"), "{message}");
        std::fs::write(home.path().join("stand-in.pem"), "nothing").unwrap();
        let message = config.check_files().unwrap_err().to_string();
        assert!(message.contains("2 mistakes") && message.contains("holds no certificate"), "{message}");
    }

    #[test]
    fn t_c6_a_key_file_that_others_can_read_does_not_pass() {
        let home = tempfile::tempdir().unwrap();
        write_key_file(home.path());
        let config = config(home.path(), &[]);
        config.check_files().unwrap();
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&config.keys_file, open).unwrap();
        assert!(config.check_files().unwrap_err().to_string().contains("chmod 600"));
        assert!(config.open_vault().is_err());
    }
}
