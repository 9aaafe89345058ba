//! A mail server for tests: a real one (`aiosmtpd`, of the distribution), on loopback, which does what it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Patience, TestkitError, wait_until};

/// The distribution's Python, which has the distribution's packages.
const PYTHON: &str = "/usr/bin/python3";
const PROGRAM: &str = include_str!("mail_server.py");

/// A message that the server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailed {
    /// Its envelope's sender.
    pub from: String,
    /// Its envelope's recipients.
    pub to: Vec<String>,
    /// Whether the connection was protected.
    pub protected: bool,
    /// The message as it came over the wire.
    pub text: String,
}

/// How its connections are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Not at all.
    None,
    /// By STARTTLS, without which it takes nothing.
    StartTls,
    /// From the first byte on.
    Tls,
}

/// The running server. It ends with this.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    child: Child,
    orders: ChildStdin,
    said: Arc<Mutex<Vec<Value>>>,
    authority: Option<String>,
    folder: TempDir,
}

impl MailServer {
    /// Starts one that takes everything in clear, and asks nobody's name.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start() -> Result<Self, TestkitError> {
        Self::start_as(Protection::None, false).await
    }

    /// Starts one. One that asks for a login knows `ardoise` with the password `sesame`.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn start_as(protection: Protection, asks_for_a_login: bool) -> Result<Self, TestkitError> {
        let folder = tempfile::tempdir().map_err(TestkitError::file("making a folder"))?;
        let program = folder.path().join("mail_server.py");
        std::fs::write(&program, PROGRAM).map_err(TestkitError::file("writing the mail server"))?;
        let mut command = Command::new(PYTHON);
        command.arg(&program).arg("0");
        let mut authority = None;
        if protection != Protection::None {
            let (pem, certificate, key) = certificate(folder.path())?;
            authority = Some(pem);
            command.arg(certificate).arg(key);
        }
        if protection == Protection::Tls {
            command.arg("tls");
        }
        if asks_for_a_login {
            command.arg("--login");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(TestkitError::file("starting the mail server: is python3-aiosmtpd installed?"))?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(TestkitError::other("the mail server has no pipes"));
        };
        let said: Arc<Mutex<Vec<Value>>> = Arc::default();
        let heard = Arc::clone(&said);
        // It ends with the server, whose output is then closed.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(word) = serde_json::from_str(&line) {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(word);
                }
            }
        });
        let mut server = Self { port: 0, child, orders, said, authority, folder };
        let port = wait_until("the mail server listens", Patience::default(), || {
            let port = server.words().iter().find_map(|word| word.get("listening")?.as_u64());
            async move { Ok(port) }
        });
        server.port = u16::try_from(port.await?).map_err(TestkitError::other)?;
        Ok(server)
    }

    /// The port it listens on, of 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The authority that vouches for it, PEM; it is called `localhost`.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// A Maildir into which a test delivers what comes back.
    ///
    /// # Errors
    /// [`TestkitError::File`].
    pub fn returns(&self) -> Result<PathBuf, TestkitError> {
        let folder = self.folder.path().join("returns");
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(folder.join(part)).map_err(TestkitError::file("making a Maildir"))?;
        }
        Ok(folder)
    }

    /// What a server's configuration says of it: no TLS, since both are on this machine.
    ///
    /// # Errors
    /// [`TestkitError::File`].
    pub fn flags(&self) -> Result<Vec<String>, TestkitError> {
        Ok(vec![
            "mail.host=127.0.0.1".to_owned(),
            format!("mail.port={}", self.port),
            "mail.tls=none".to_owned(),
            "mail.from=Département de l’Exemple <tablettes@exemple.fr>".to_owned(),
            "mail.returns_to=retours@exemple.fr".to_owned(),
            format!("mail.returns_folder={}", self.returns()?.display()),
        ])
    }

    /// Tells it what to do from now on, and waits until it has heard: refuse addressees (`*` for all), cut the connection of so
    /// many messages that it took before it says so, or of so many before it takes them.
    ///
    /// # Errors
    /// [`TestkitError`].
    pub async fn tell(
        &mut self,
        refuse: &[(&str, &str)],
        cut: u32,
        cut_before: u32,
    ) -> Result<(), TestkitError> {
        let refuse: serde_json::Map<String, Value> =
            refuse.iter().map(|(address, word)| ((*address).to_owned(), json!(word))).collect();
        let heard = self.count("told");
        let line = json!({ "refuse": refuse, "cut": cut, "cut_before": cut_before });
        writeln!(self.orders, "{line}").map_err(TestkitError::file("telling the mail server"))?;
        wait_until("the mail server has heard", Patience::default(), || {
            let more = self.count("told") > heard;
            async move { Ok(more.then_some(())) }
        })
        .await
    }

    /// The messages that it took, in their order.
    #[must_use]
    pub fn mailed(&self) -> Vec<Mailed> {
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let words = self.words();
        let mails = words.iter().filter_map(|word| word.get("mail"));
        mails
            .map(|mail| Mailed {
                from: text(mail, "from"),
                to: mail
                    .get("to")
                    .and_then(Value::as_array)
                    .map(|all| all.iter().filter_map(|to| to.as_str().map(str::to_owned)).collect())
                    .unwrap_or_default(),
                protected: mail.get("protected").and_then(Value::as_bool).unwrap_or_default(),
                text: text(mail, "text"),
            })
            .collect()
    }

    /// Waits until it has taken so many messages, and gives them.
    ///
    /// # Errors
    /// [`TestkitError::TimedOut`].
    pub async fn has_taken(&self, count: usize) -> Result<Vec<Mailed>, TestkitError> {
        wait_until(&format!("the mail server took {count} messages"), Patience::default(), || {
            let mailed = self.mailed();
            async move { Ok((mailed.len() >= count).then_some(mailed)) }
        })
        .await
    }

    /// How often something happened: `refused`, `cut`, `cut-before`.
    #[must_use]
    pub fn count(&self, event: &str) -> usize {
        let words = self.words();
        words.iter().filter(|word| word.get("event").and_then(Value::as_str) == Some(event)).count()
    }

    /// Delivers a report that a message failed for good, as Postfix writes one, to where it came from.
    ///
    /// # Errors
    /// [`TestkitError::File`].
    pub fn bounce(&self, mail: &Mailed, status: &str) -> Result<(), TestkitError> {
        let (to, who) = (&mail.from, mail.to.first().map_or("", String::as_str));
        let report = format!(
            "Return-Path: <>\nDelivered-To: {to}\nDate: Thu, 26 Nov 2026 10:00:00 +0100 (CET)\nFrom: MAILER-DAEMON@mx.exemple.fr \
             (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\nTo: {to}\nAuto-Submitted: \
             auto-replied\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\
             \tboundary=\"4A1B2C.1795683600/mx.exemple.fr\"\n\nThis is a MIME-encapsulated \
             message.\n\n--4A1B2C.1795683600/mx.exemple.fr\nContent-Description: Notification\nContent-Type: text/plain; \
             charset=us-ascii\n\nThis is the mail system at host mx.exemple.fr.\n\n<{who}>: host mx.ailleurs.fr said: 550 \
             5.1.1 unknown\n\n--4A1B2C.1795683600/mx.exemple.fr\nContent-Description: Delivery report\nContent-Type: \
             message/delivery-status\n\nReporting-MTA: dns; mx.exemple.fr\nX-Postfix-Sender: rfc822; \
             {to}\n\nFinal-Recipient: rfc822; {who}\nAction: failed\nStatus: {status}\nRemote-MTA: dns; \
             mx.ailleurs.fr\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n\n--4A1B2C.1795683600/mx.exemple.fr\n\
             Content-Description: Undelivered Message\nContent-Type: message/rfc822\n\n{}\n\
             --4A1B2C.1795683600/mx.exemple.fr--\n",
            mail.text
        );
        self.deliver("report", report.as_bytes())
    }

    /// Delivers a file into the Maildir as a mail server does: written elsewhere, then moved.
    ///
    /// # Errors
    /// [`TestkitError::File`].
    pub fn deliver(&self, name: &str, content: &[u8]) -> Result<(), TestkitError> {
        let folder = self.returns()?;
        let name = format!("{name}.{}", uuid::Uuid::new_v4().simple());
        let (written, delivered) = (folder.join("tmp").join(&name), folder.join("new").join(&name));
        std::fs::write(&written, content).map_err(TestkitError::file("writing a mail"))?;
        std::fs::rename(written, delivered).map_err(TestkitError::file("delivering a mail"))
    }

    fn words(&self) -> Vec<Value> {
        let said: MutexGuard<'_, Vec<Value>> = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A certificate for `localhost`, of an authority of its own: the authority as PEM, and the two files.
fn certificate(folder: &Path) -> Result<(String, PathBuf, PathBuf), TestkitError> {
    use openssl::asn1::Asn1Time;
    use openssl::bn::BigNum;
    use openssl::hash::MessageDigest;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
    use openssl::x509::{X509, X509NameBuilder};

    let made = || {
        let key = || {
            let group = openssl::ec::EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            PKey::from_ec_key(openssl::ec::EcKey::generate(&group)?)
        };
        let name = |text: &str| {
            let mut name = X509NameBuilder::new()?;
            name.append_entry_by_text("CN", text)?;
            Ok::<_, openssl::error::ErrorStack>(name.build())
        };
        let (authority_key, server_key) = (key()?, key()?);
        let builder = |serial: u32, subject: &str| {
            let mut builder = X509::builder()?;
            builder.set_version(2)?;
            builder.set_serial_number(&*BigNum::from_u32(serial)?.to_asn1_integer()?)?;
            builder.set_subject_name(&*name(subject)?)?;
            builder.set_issuer_name(&*name("a mail server's authority")?)?;
            builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
            builder.set_not_after(&*Asn1Time::days_from_now(30)?)?;
            Ok::<_, openssl::error::ErrorStack>(builder)
        };
        let mut authority = builder(1, "a mail server's authority")?;
        authority.set_pubkey(&authority_key)?;
        authority.append_extension(BasicConstraints::new().critical().ca().build()?)?;
        authority.sign(&authority_key, MessageDigest::sha256())?;
        let mut server = builder(2, "localhost")?;
        server.set_pubkey(&server_key)?;
        let context = server.x509v3_context(None, None);
        let names = SubjectAlternativeName::new().dns("localhost").build(&context)?;
        server.append_extension(names)?;
        server.sign(&authority_key, MessageDigest::sha256())?;
        let pem = authority.build().to_pem()?;
        Ok::<_, openssl::error::ErrorStack>((
            pem,
            server.build().to_pem()?,
            server_key.private_key_to_pem_pkcs8()?,
        ))
    };
    let (authority, server, key) = made().map_err(TestkitError::other)?;
    let (certificate, key_file) = (folder.join("server.pem"), folder.join("server.key"));
    std::fs::write(&certificate, server).map_err(TestkitError::file("writing a certificate"))?;
    std::fs::write(&key_file, key).map_err(TestkitError::file("writing a key"))?;
    Ok((String::from_utf8_lossy(&authority).into_owned(), certificate, key_file))
}
