//! The postman: hands notices to the mail server, and reads what comes back.
//!
//! Mails go one after the other over one connection. Before each is handed over a row says so, and after it what the server
//! said: whatever dies in between, the next round knows what is known. What comes back lies in a folder into which the mail
//! server delivers (a Maildir). A report about one of our mails is recorded and its file deleted, since it names people;
//! whatever else lies there is put aside, once, for a person to look at.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fleet::mail::returns;
use fleet::mail::sending::{self, Claimed};
use fleet::{Fleet, Principal, Refusal};
use outbound::mail::{
    LONGEST_RETURN, MailAnswer, MailClient, MailSession, MailTrouble, ReturnToken, Returned, read_returned,
};
use types::{Clock, Duration, MailAddress, MailId};

/// Mails that one round claims.
const CLAIM: u32 = 20;
/// How long a claim keeps other nodes away: longer than a server may take for one answer.
const LEASE: Duration = Duration::from_secs(900);
/// Files that one round reads.
const FILES: usize = 100;
/// The folder beside `new` and `cur` into which goes what nobody understands.
const ASIDE: &str = "aside";

/// The mail server, and where mail comes back.
#[derive(Debug, Clone)]
pub struct MailService {
    /// Who takes mail.
    pub client: MailClient,
    /// The folder (a Maildir) into which what comes back is delivered; `None`: nobody reads it here.
    pub returns: Option<PathBuf>,
}

/// Sends what is due and reads what came back, round after round.
#[derive(Debug)]
pub(crate) struct Postman {
    fleet: Fleet,
    clock: Arc<dyn Clock>,
    service: MailService,
    /// What went wrong last, so that the log says it once and not at every round.
    said: Option<String>,
}

impl Postman {
    pub(crate) fn new(fleet: Fleet, clock: Arc<dyn Clock>, service: MailService) -> Self {
        Self { fleet, clock, service, said: None }
    }

    /// Does what is due. `true` if there may be more to do at once.
    pub(crate) async fn round(&mut self) -> bool {
        #[expect(clippy::disallowed_methods, reason = "the postman is part of the calendar")]
        let calendar = Principal::calendar();
        // Neither stops the other: mail goes while the folder cannot be used, and what came back is read while none goes.
        let both = [self.send(&calendar).await, self.read_returns(&calendar).await];
        let more = both.iter().any(|done| matches!(done, Ok(true)));
        let problems: Vec<String> = both.into_iter().filter_map(Result::err).collect();
        let problem = (!problems.is_empty()).then(|| problems.join("; "));
        if let Some(problem) = &problem
            && self.said.as_ref() != Some(problem)
        {
            tracing::warn!(problem, "mail does not go as it should; trying again");
        }
        self.said = problem;
        more
    }

    async fn send(&self, calendar: &Principal) -> Result<bool, String> {
        let claimed = sending::claim(&self.fleet, calendar, (CLAIM, LEASE), self.clock.now());
        let claimed = claimed.await.map_err(in_words)?;
        let mut session = None;
        let mut trouble = None;
        for (place, mail) in claimed.iter().enumerate() {
            let said = match self.send_one(calendar, *mail, &mut session).await {
                Ok(said) => said,
                // Its lease keeps it away for a while, and what is known of it stands in its row. The others go on.
                Err(problem) => {
                    tracing::warn!(mail = %mail.id, problem, "a mail is passed over for now");
                    continue;
                }
            };
            // The server's trouble is every mail's: the others are not even offered.
            if let Some(MailAnswer::NotNow(now)) = said
                && session.is_none()
            {
                trouble = Some((place, now));
                break;
            }
        }
        if let Some(session) = session {
            session.quit().await;
        }
        match trouble {
            None => Ok(u32::try_from(claimed.len()).is_ok_and(|claimed| claimed >= CLAIM)),
            Some((place, trouble)) => {
                // Not those before it: of one that was passed over nobody may know whether it went.
                self.put_off(calendar, claimed.get(place..).unwrap_or_default(), &trouble).await?;
                Err(trouble.to_string())
            }
        }
    }

    /// Sends one mail; what the server said, if it was asked.
    async fn send_one(
        &self,
        calendar: &Principal,
        mail: Claimed,
        session: &mut Option<MailSession>,
    ) -> Result<Option<MailAnswer>, String> {
        let (fleet, now) = (&self.fleet, self.clock.now());
        let Some(letter) = sending::written(fleet, calendar, mail, now).await.map_err(in_words)? else {
            return Ok(None);
        };
        let mut open = match session.take().filter(MailSession::is_open) {
            Some(open) => open,
            None => match self.service.client.connect().await {
                Ok(open) => open,
                Err(trouble) => return Ok(Some(MailAnswer::NotNow(trouble))),
            },
        };
        let mut answer = open.offer(&letter).await;
        if answer == MailAnswer::Taken {
            let ours = sending::handing(fleet, calendar, mail, LEASE, self.clock.now());
            if !ours.await.map_err(in_words)? {
                // Another node has it by now. What was offered and not given is nothing.
                return Ok(None);
            }
            answer = open.hand_over(&letter).await;
        }
        if open.is_open() {
            *session = Some(open);
        }
        note(mail.id, &answer);
        sending::record(fleet, calendar, mail, answer.clone(), self.clock.now()).await.map_err(in_words)?;
        Ok(Some(answer))
    }

    /// Puts claimed mails off that the server's trouble kept from being offered.
    async fn put_off(
        &self,
        calendar: &Principal,
        claimed: &[Claimed],
        trouble: &MailTrouble,
    ) -> Result<(), String> {
        for mail in claimed {
            let answer = MailAnswer::NotNow(trouble.clone());
            sending::record(&self.fleet, calendar, *mail, answer, self.clock.now())
                .await
                .map_err(in_words)?;
        }
        Ok(())
    }

    /// Reads what came back. `true` if there may be more.
    async fn read_returns(&self, calendar: &Principal) -> Result<bool, String> {
        let Some(folder) = &self.service.returns else { return Ok(false) };
        let found = {
            let (folder, base) = (folder.clone(), self.service.client.returns_to().clone());
            blocking(move || look(&folder, &base)).await?
        };
        let more = found.len() >= FILES;
        let mut problem = None;
        for one in found {
            // It stays where it is, and keeps no other from being read.
            if let Err(failed) = self.read_one(calendar, folder, one).await {
                problem.get_or_insert(failed);
            }
        }
        problem.map_or(Ok(more), Err)
    }

    /// Records what one file says, and clears it away.
    async fn read_one(
        &self,
        calendar: &Principal,
        folder: &Path,
        Found { path, says }: Found,
    ) -> Result<(), String> {
        let known = match says {
            Returned::Failed(token, status) => self.record(calendar, token, status).await?,
            Returned::Otherwise(_) => true,
            Returned::Unknown => false,
        };
        let folder = folder.to_owned();
        blocking(move || if known { std::fs::remove_file(&path) } else { put_aside(&folder, &path) }).await
    }

    async fn record(&self, calendar: &Principal, token: ReturnToken, status: String) -> Result<bool, String> {
        let recorded = returns::record(&self.fleet, calendar, token, status, self.clock.now());
        Ok(recorded.await.map_err(in_words)? != returns::Known::Unknown)
    }
}

/// A file of the folder, and what it says.
struct Found {
    path: PathBuf,
    says: Returned,
}

/// The first files of a Maildir. What is no plain file, or too long, says nothing that we know.
fn look(folder: &Path, base: &MailAddress) -> io::Result<Vec<Found>> {
    let mut found = Vec::new();
    for part in ["new", "cur"] {
        let entries = match std::fs::read_dir(folder.join(part)) {
            Ok(entries) => entries,
            // Whoever delivers makes them with the first mail.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            if found.len() >= FILES {
                return Ok(found);
            }
            let entry = entry?;
            let path = entry.path();
            // A link is not followed: it could point anywhere.
            let says = if entry.file_type()?.is_file() {
                let mut bytes = Vec::new();
                let most = u64::try_from(LONGEST_RETURN).unwrap_or(u64::MAX).saturating_add(1);
                match std::fs::File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
                    Ok(_) => read_returned(&bytes, base),
                    // Another node was quicker.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    // One file that cannot be read keeps no other from being read.
                    Err(_unreadable) => Returned::Unknown,
                }
            } else {
                Returned::Unknown
            };
            found.push(Found { path, says });
        }
    }
    Ok(found)
}

/// Moves a file to where it is not read again.
fn put_aside(folder: &Path, path: &Path) -> io::Result<()> {
    let aside = folder.join(ASIDE);
    std::fs::create_dir_all(&aside)?;
    let Some(name) = path.file_name() else { return Ok(()) };
    tracing::warn!(
        "something came back by mail that is no report about our mail; it lies in the folder `aside`"
    );
    std::fs::rename(path, aside.join(name))
}

/// Does something with files, off the threads that serve. A file that is gone was another node's.
async fn blocking<T: Send + 'static + Default>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await.map_err(|panic| panic.to_string())? {
        Ok(done) => Ok(done),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => {
            Err(format!("the folder of returned mail cannot be used ({error}): check `mail.returns_folder`"))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn in_words(refusal: Refusal) -> String {
    match &refusal {
        Refusal::Store(cause) => format!("{refusal}: {cause}"),
        _ => refusal.to_string(),
    }
}

/// What operators should see of a mail; to whom it goes is not among it.
fn note(id: MailId, answer: &MailAnswer) {
    match answer {
        MailAnswer::Taken => tracing::debug!(mail = %id, "mailed"),
        MailAnswer::Never(code) => {
            tracing::info!(mail = %id, code, "the mail server refuses this mail for good")
        }
        MailAnswer::NotNow(trouble) => tracing::info!(mail = %id, %trouble, "not mailed now"),
        MailAnswer::Unknown => {
            tracing::warn!(mail = %id, "handed to the mail server, which gave no word: it is sent once more");
        }
    }
}
