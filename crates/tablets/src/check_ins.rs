//! The check-in messages beside Authenticate and TokenUpdate.

use plist::{Dictionary, Value};

use crate::wire::{self, Entries as _};
use crate::{Error, Ipad, Outcome};

/// What a server says when a tablet asks whether it shall return to service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnToService {
    /// Whether the tablet enrols again after its erase.
    pub enabled: bool,
    /// The profile to enrol with, unless automated enrolment brings one.
    pub mdm_profile: Option<Vec<u8>>,
    /// The profile of the network.
    pub wifi_profile: Option<Vec<u8>>,
    /// Whether the tablet tries again when enrolling fails (27.0).
    pub should_retry: bool,
}

impl ReturnToService {
    /// Reads the dictionary of the command or the answer.
    pub(crate) fn read(dictionary: &Dictionary) -> Self {
        Self {
            enabled: dictionary.flag("Enabled").unwrap_or(false),
            mdm_profile: dictionary.bytes("MDMProfileData").map(<[u8]>::to_vec),
            wifi_profile: dictionary.bytes("WiFiProfileData").map(<[u8]>::to_vec),
            should_retry: dictionary.flag("ShouldRetryEnrollment").unwrap_or(false),
        }
    }
}

impl Ipad {
    /// Its user removes management: it tells the server if the profile says so, and forgets it either way.
    ///
    /// # Errors
    /// When the tablet is not enrolled, or its memory cannot be kept. An unreachable server is not an error: the
    /// message is sent once, as tablets do.
    pub async fn check_out(&mut self) -> Result<Option<Outcome>, Error> {
        let enrolment = self.state.wanted_enrolment()?;
        let mut outcome = None;
        if enrolment.mdm.check_out_when_removed {
            let mut message = self.state.message("CheckOut");
            message.insert("Topic".to_owned(), enrolment.mdm.topic.as_str().into());
            outcome = self.check_in(&message).await.ok();
        }
        self.forget_enrolment()?;
        Ok(outcome)
    }

    /// Asks for the bootstrap token; none and an empty one are the same.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn get_bootstrap_token(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut message = self.state.message("GetBootstrapToken");
        message.insert("AwaitingConfiguration".to_owned(), self.is_awaiting_configuration().into());
        let answer = self.ask("GetBootstrapToken", &message).await?;
        Ok(answer.bytes("BootstrapToken").filter(|token| !token.is_empty()).map(<[u8]>::to_vec))
    }

    /// Gives the server a bootstrap token to keep.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_bootstrap_token(&mut self, token: &[u8]) -> Result<(), Error> {
        let mut message = self.state.message("SetBootstrapToken");
        message.insert("BootstrapToken".to_owned(), Value::Data(token.to_vec()));
        message.insert("AwaitingConfiguration".to_owned(), self.is_awaiting_configuration().into());
        self.ask("SetBootstrapToken", &message).await.map(drop)
    }

    /// Asks for the token of a service, such as `com.apple.maid`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses, which is how it says that it has none.
    pub async fn get_token(&mut self, service: &str) -> Result<Vec<u8>, Error> {
        let mut message = self.state.message("GetToken");
        message.insert("TokenServiceType".to_owned(), service.into());
        let answer = self.ask("GetToken", &message).await?;
        answer
            .bytes("TokenData")
            .map(<[u8]>::to_vec)
            .ok_or_else(|| Error::malformed("the answer to GetToken", "its TokenData is missing"))
    }

    /// Asks whether it shall return to service, as its user or its idle timer makes it ask.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn ask_return_to_service(&mut self) -> Result<ReturnToService, Error> {
        let message = self.state.message("ReturnToService");
        let answer = self.ask("ReturnToService", &message).await?;
        answer.inner("ReturnToService").map(ReturnToService::read).ok_or_else(|| {
            Error::malformed("the answer to ReturnToService", "its ReturnToService is missing")
        })
    }

    /// A user signs in: tablets that are not shared never send it, and servers decline it.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn user_authenticate(&mut self, user_id: &str) -> Result<Outcome, Error> {
        let mut message = self.state.message("UserAuthenticate");
        message.insert("UserID".to_owned(), user_id.into());
        self.check_in(&message).await
    }

    /// Sends a message whose answer is a property list or nothing.
    async fn ask(&mut self, step: &'static str, message: &Dictionary) -> Result<Dictionary, Error> {
        match self.check_in(message).await? {
            Outcome::Accepted(body) if body.is_empty() => Ok(Dictionary::new()),
            Outcome::Accepted(body) => wire::read(&body, "the answer to a check-in message"),
            Outcome::Refused { status, body } => Err(Error::Refused { step, status, body }),
            Outcome::Unenrolled { status } | Outcome::Unavailable { status } => {
                Err(Error::Refused { step, status, body: String::new() })
            }
        }
    }

    /// Whether it waits in the setup assistant.
    #[must_use]
    pub fn is_awaiting_configuration(&self) -> bool {
        self.state.enrolment.as_ref().is_some_and(|enrolment| enrolment.awaiting_configuration)
    }
}
