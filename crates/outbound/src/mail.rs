//! Mail: hands messages to one server (RFC 5321), which sends them on, and reads what comes back.
//!
//! A message is handed over in two steps, so that whoever sends it can write down in between that it is about to go:
//! [`MailSession::offer`] names the addressee, whom the server may refuse; [`MailSession::hand_over`] gives the text. After
//! that only the server's word says whether it took it. Each message has one addressee, so that each answer is about one.
//!
//! `lettre` writes messages and speaks SMTP. The connection and its TLS are ours ([`stream`]), under the egress list and the
//! trust of every other client. No failure repeats what the server said: it likes to repeat addresses.

mod bounce;
mod stream;

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::{Address, transport::smtp};
use types::{Instant, MailAddress, MailId, Secret};

use crate::egress::{Egress, EgressRefusal};
pub use bounce::{LONGEST_RETURN, Returned, read_returned};
pub use stream::MailTls;

/// How long a connection, with its TLS, may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the server may take for one answer (RFC 5321 §4.5.3.2 allows it minutes).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// How long it may take to say whether it took a message.
const TAKEN_TIMEOUT: Duration = Duration::from_secs(600);

/// A server that takes our mail, and who we are to it.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name, or its address by number.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// PEM with the only authorities that vouch for it; `None` for the machine's public ones.
    pub trust: Option<String>,
    /// The name and password that it asks for, if it does.
    pub login: Option<(String, Secret<String>)>,
    /// Whom mail is from.
    pub from: Sender,
    /// Where it comes back to; what tells one from another is put before the `@`.
    pub returns_to: MailAddress,
}

/// Whom mail is from: an address, perhaps with a name, such as `Département <tablettes@exemple.fr>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

impl std::str::FromStr for Sender {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sender: Mailbox = text
            .parse()
            .map_err(|_invalid| "expected an address, such as `Nom <nom@exemple.fr>`".to_owned())?;
        let named = sender.name.as_deref().unwrap_or_default();
        if named.chars().any(char::is_control) {
            return Err("the name must stand on one line".to_owned());
        }
        Ok(Self(sender))
    }
}

/// The part of a return address that tells one mail from all others: 32 hexadecimal digits, which mean nothing to anybody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReturnToken(String);

impl ReturnToken {
    /// As it stands in the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for ReturnToken {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

/// A message for one addressee.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its number, which is its Message-ID: whoever gets it twice sees that it is one.
    pub id: MailId,
    /// What tells its return from others'.
    pub token: ReturnToken,
    /// To whom.
    pub to: MailAddress,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub written_at: Instant,
}

/// Why no session could be had, or what it did not do. It names nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailTrouble {
    /// The server may not be spoken to.
    #[error(transparent)]
    Egress(#[from] EgressRefusal),
    /// It cannot be reached, or hung up, or took too long.
    #[error("the mail server cannot be reached ({0})")]
    Unreachable(String),
    /// It is not who it should be, or knows no TLS.
    #[error("the connection to the mail server cannot be protected ({0}): check `mail.tls` and `mail.trust`")]
    Tls(String),
    /// It refuses us, whomever we write to.
    #[error("the mail server refuses us (code {0}): check `mail.user`, `mail.password_file` and `mail.from`")]
    RefusesUs(u16),
    /// It asks us to come back.
    #[error("the mail server asks us to come back later (code {0})")]
    Later(u16),
}

/// What became of an offer, or of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailAnswer {
    /// The server takes it.
    Taken,
    /// The server refuses this addressee, or this message, for good (5xx).
    Never(u16),
    /// It refuses for now (4xx), or something is wrong that is not this message's fault.
    NotNow(MailTrouble),
    /// The message was given, and no word came back: nobody knows.
    Unknown,
}

/// Why no client could be made.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// The authorities are not readable.
    #[error("the trusted authorities for the mail server cannot be used: check `mail.trust` ({0})")]
    Trust(String),
    /// TLS cannot be set up.
    #[error("TLS towards the mail server cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// A client of one mail server. Cheap to clone.
#[derive(Clone)]
pub struct MailClient {
    server: Arc<MailServer>,
    egress: Egress,
    tls: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for MailClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailClient").field("server", &self.server).finish_non_exhaustive()
    }
}

impl MailClient {
    /// A client for this server. Connects when it is told to.
    ///
    /// # Errors
    /// [`MailSetupError`].
    pub fn new(server: MailServer, egress: Egress) -> Result<Self, MailSetupError> {
        let tls = Arc::new(stream::tls(server.trust.as_deref())?);
        Ok(Self { server: Arc::new(server), egress, tls })
    }

    /// Where mail comes back to.
    #[must_use]
    pub fn returns_to(&self) -> &MailAddress {
        &self.server.returns_to
    }

    /// Connects, protects the connection, and says who we are.
    ///
    /// # Errors
    /// [`MailTrouble`]: whatever it is, no mail was offered.
    pub async fn connect(&self) -> Result<MailSession, MailTrouble> {
        let server = &self.server;
        let stream = within(CONNECT_TIMEOUT, stream::open(server, &self.egress, &self.tls)).await??;
        let hello = ClientId::Domain(self.server.from.0.email.domain().to_owned());
        let mut connection =
            within(ANSWER_TIMEOUT, AsyncSmtpConnection::connect_with_transport(stream, &hello))
                .await?
                .map_err(|error| trouble(&error))?;
        if let Some((user, password)) = &server.login {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            within(ANSWER_TIMEOUT, connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials))
                .await?
                .map_err(|error| trouble(&error))?;
        }
        Ok(MailSession { connection, server: Arc::clone(&self.server), used: false })
    }
}

/// A conversation with the server.
pub struct MailSession {
    connection: AsyncSmtpConnection,
    server: Arc<MailServer>,
    used: bool,
}

impl fmt::Debug for MailSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSession").finish_non_exhaustive()
    }
}

impl MailSession {
    /// Whether another message may be offered.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.connection.has_broken()
    }

    /// Names the addressee. [`MailAnswer::Taken`]: the text may be given now.
    pub async fn offer(&mut self, letter: &Letter) -> MailAnswer {
        let Ok(to) = letter.to.as_str().parse::<Address>() else { return MailAnswer::Never(553) };
        let Ok(from) = self.returns(&letter.token) else {
            return MailAnswer::NotNow(MailTrouble::RefusesUs(553));
        };
        if self.used
            && let Err(refused) = self.say(Rset).await
        {
            return MailAnswer::NotNow(refused.unwrap_or_else(Refused::of_us));
        }
        self.used = true;
        let mut parameters = Vec::new();
        if !letter.to.as_str().is_ascii() {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return MailAnswer::Never(553);
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        match self.say(Mail::new(Some(from), parameters)).await {
            Ok(()) => {}
            Err(refused) => return MailAnswer::NotNow(refused.unwrap_or_else(Refused::of_us)),
        }
        match self.say(Rcpt::new(to, Vec::new())).await {
            Ok(()) => {}
            Err(Err(refused)) if refused.code >= 500 && !refused.means_us => {
                return MailAnswer::Never(refused.code);
            }
            Err(Err(refused)) => return MailAnswer::NotNow(refused.of_us()),
            Err(Ok(trouble)) => return MailAnswer::NotNow(trouble),
        }
        match self.say(Data).await {
            Ok(()) => MailAnswer::Taken,
            Err(refused) => MailAnswer::NotNow(refused.unwrap_or_else(Refused::of_us)),
        }
    }

    /// Gives the text of a letter that was offered, and waits for the server's word.
    pub async fn hand_over(&mut self, letter: &Letter) -> MailAnswer {
        let Some(text) = written(&self.server.from, letter) else { return MailAnswer::Never(554) };
        let said = within(TAKEN_TIMEOUT, self.connection.message(&text)).await;
        match said {
            Ok(Ok(_taken)) => MailAnswer::Taken,
            Ok(Err(error)) => match error.status() {
                Some(code) if error.is_permanent() => MailAnswer::Never(code.into()),
                Some(code) => MailAnswer::NotNow(MailTrouble::Later(code.into())),
                None => self.unknown().await,
            },
            Err(_late) => self.unknown().await,
        }
    }

    async fn unknown(&mut self) -> MailAnswer {
        self.connection.abort().await;
        MailAnswer::Unknown
    }

    /// Ends it. What was taken stays taken, whatever the server says to that.
    pub async fn quit(mut self) {
        let _parting = within(Duration::from_secs(5), self.connection.quit()).await;
    }

    /// Where this letter comes back to.
    fn returns(&self, token: &ReturnToken) -> Result<Address, ()> {
        return_address(&self.server.returns_to, token).parse().map_err(|_invalid| ())
    }

    /// Says one line; the server's refusal of it, or anything else, which is a trouble.
    async fn say(&mut self, line: impl fmt::Display) -> Result<(), Result<MailTrouble, Refused>> {
        let said: Result<Response, smtp::Error> =
            within(ANSWER_TIMEOUT, self.connection.command(line)).await.map_err(Ok)?;
        match said {
            Ok(_positive) => Ok(()),
            Err(error) => match error.status() {
                Some(code) => {
                    let words = error.source().map(ToString::to_string).unwrap_or_default();
                    Err(Err(Refused::new(code.into(), &words)))
                }
                None => {
                    self.connection.abort().await;
                    Err(Ok(trouble(&error)))
                }
            },
        }
    }
}

/// The address to which one mail comes back: `retours+0123…@exemple.fr`.
#[must_use]
pub fn return_address(base: &MailAddress, token: &ReturnToken) -> String {
    let (who, place) = base.as_str().split_once('@').unwrap_or((base.as_str(), ""));
    format!("{who}+{}@{place}", token.as_str())
}

/// The message as it goes over the wire; `None` if it cannot be one.
fn written(from: &Sender, letter: &Letter) -> Option<Vec<u8>> {
    let to: Address = letter.to.as_str().parse().ok()?;
    let millis = u64::try_from(letter.written_at.as_millis()).ok()?;
    let by_no_person = HeaderName::new_from_ascii("Auto-Submitted".to_owned()).ok()?;
    // One line, whatever it was made of (T-C9).
    let subject: String = letter.subject.chars().filter(|letter| !letter.is_control()).collect();
    let message = Message::builder()
        .from(from.0.clone())
        .to(Mailbox::new(None, to))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(format!("<{}@{}>", letter.id, from.0.email.domain())))
        .raw_header(HeaderValue::new(by_no_person, "auto-generated".to_owned()))
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text.clone())
        .ok()?;
    Some(message.formatted())
}

async fn within<T>(limit: Duration, what: impl Future<Output = T>) -> Result<T, MailTrouble> {
    tokio::time::timeout(limit, what)
        .await
        .map_err(|_elapsed| MailTrouble::Unreachable(format!("no answer within {} s", limit.as_secs())))
}

/// A line that the server refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused {
    code: u16,
    /// Whether it is us that it refuses, whatever the line: a login is missing or wrong (RFC 4954), or its rules forbid us
    /// what we ask, such as to pass mail on (the enhanced status 5.7.x of RFC 3463).
    means_us: bool,
}

impl Refused {
    fn new(code: u16, words: &str) -> Self {
        let status = words.split_whitespace().next().unwrap_or_default();
        Self { code, means_us: matches!(code, 530 | 535 | 538) || status.starts_with("5.7.") }
    }

    /// When it is not the addressee's fault.
    fn of_us(self) -> MailTrouble {
        refused_us(self.code)
    }
}

/// What the server refuses before it knows to whom we write is not the addressee's fault.
const fn refused_us(code: u16) -> MailTrouble {
    if code >= 500 { MailTrouble::RefusesUs(code) } else { MailTrouble::Later(code) }
}

/// A failure in our words: the server's own may hold an address.
fn trouble(error: &smtp::Error) -> MailTrouble {
    match error.status() {
        Some(code) => refused_us(code.into()),
        None if error.is_timeout() => MailTrouble::Unreachable("timeout".to_owned()),
        None if error.is_client() => MailTrouble::Unreachable("it does not offer what we need".to_owned()),
        None => MailTrouble::Unreachable("it hung up, or does not speak SMTP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, text: &str) -> Letter {
        Letter {
            id: MailId::new(Instant::from_millis(1_800_000_000_000)),
            token: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            to: "a.martin@exemple.fr".parse().unwrap(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            written_at: Instant::from_millis(1_800_000_000_000),
        }
    }

    fn sender() -> Sender {
        "Département de l’Exemple <tablettes@exemple.fr>".parse().unwrap()
    }

    #[test]
    fn t_c9_neither_a_subject_nor_a_text_makes_a_header() {
        let nasty =
            letter("Tablette\r\nBcc: voleur@exemple.fr", "À Zoé\r\nBcc: voleur@exemple.fr\r\n.\r\nQUIT\r\n");
        let wire = written(&sender(), &nasty).unwrap();
        let wire = String::from_utf8(wire).unwrap();
        let (head, _body) = wire.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
        assert!(head.is_ascii() && head.lines().all(|line| line.len() <= 998), "{head}");
        let message = mail_parser::MessageParser::default().parse(wire.as_bytes()).unwrap();
        assert!(message.bcc().is_none());
        assert_eq!(message.subject(), Some("TabletteBcc: voleur@exemple.fr"));
        assert!(message.body_text(0).unwrap().contains("Zoé"));
    }

    #[test]
    fn a_letter_keeps_its_message_id_and_says_that_no_person_wrote_it() {
        let one = letter("Tablette prêtée", "Bonjour");
        let head = String::from_utf8(written(&sender(), &one).unwrap()).unwrap();
        assert_eq!(written(&sender(), &one), written(&sender(), &one), "sent twice, it is the same");
        assert!(head.contains(&format!("Message-ID: <{}@exemple.fr>", one.id)), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
    }

    #[test]
    fn a_server_that_asks_for_a_login_or_passes_nothing_on_does_not_mean_the_addressee() {
        for (code, words) in
            [(530, "Authentication required"), (535, ""), (538, ""), (554, "5.7.1 Relay denied")]
        {
            assert!(Refused::new(code, words).means_us, "{code} {words}");
            assert_eq!(Refused::new(code, words).of_us(), MailTrouble::RefusesUs(code));
        }
        for (code, words) in
            [(550, "5.1.1 No such user"), (550, "No such user 5.7.1"), (552, "5.2.2 Full"), (553, "")]
        {
            assert!(!Refused::new(code, words).means_us, "{code} {words}");
        }
        assert_eq!(Refused::new(450, "4.7.1 Greylisted").of_us(), MailTrouble::Later(450));
    }

    #[test]
    fn a_return_address_holds_a_token_and_no_name() {
        let returns = return_address(&"retours@exemple.fr".parse().unwrap(), &letter("", "").token);
        assert_eq!(returns, "retours+0123456789abcdef0123456789abcdef@exemple.fr");
        for bad in ["", "0123", "0123456789ABCDEF0123456789ABCDEF", "g123456789abcdef0123456789abcdef"] {
            assert!(bad.parse::<ReturnToken>().is_err(), "{bad}");
        }
    }
}
