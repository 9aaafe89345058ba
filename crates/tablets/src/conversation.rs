//! A conversation: the tablet says Idle, the server gives a command, the tablet answers, until nothing is left.

use plist::Dictionary;

use crate::answers::{self, After, Answer, Status};
use crate::check_ins::ReturnToService;
use crate::profile::Profile;
use crate::wire::{self, Entries as _};
use crate::{Error, Ipad, Outcome};

/// A tablet ends a conversation that does not.
const LONGEST_CONVERSATION: usize = 1000;

/// How a conversation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// The commands, in the order they came.
    pub handled: Vec<Handled>,
    /// What the last answer of the server meant.
    pub outcome: Outcome,
    /// Whether the tablet erased itself.
    pub erased: bool,
    /// Whether it returned to service after that: none when it was not told to; else whether it worked, and
    /// what went wrong.
    pub returned_to_service: Option<Result<(), String>>,
}

impl Conversation {
    /// The commands answered with a status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.handled.iter().filter(|handled| handled.status == status).count()
    }

    /// The types of the commands, in the order they came.
    #[must_use]
    pub fn request_types(&self) -> Vec<&str> {
        self.handled.iter().map(|handled| handled.request_type.as_str()).collect()
    }
}

/// One command, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handled {
    /// Its `CommandUUID`.
    pub command_uuid: String,
    /// Its `RequestType`.
    pub request_type: String,
    /// The status of the answer.
    pub status: Status,
    /// The text of the first error, if there was one.
    pub error: Option<String>,
}

impl Ipad {
    /// Connects as a push makes it: says Idle, and carries out what the server gives it until nothing is left.
    ///
    /// # Errors
    /// When the tablet is not enrolled, the server cannot be reached, or what it sends is no command.
    pub async fn poll(&mut self) -> Result<Conversation, Error> {
        let idle = self.state.idle_message();
        let talk = Box::pin(self.begin(&idle)).await;
        if self.hang_up_after_conversation {
            self.http.close();
        }
        talk
    }

    async fn begin(&mut self, idle: &Dictionary) -> Result<Conversation, Error> {
        let outcome = self.report(idle).await?;
        Box::pin(self.converse(outcome)).await
    }

    /// Goes on from an answer of the server.
    async fn converse(&mut self, outcome: Outcome) -> Result<Conversation, Error> {
        let mut talk =
            Conversation { handled: Vec::new(), outcome, erased: false, returned_to_service: None };
        while let Some(command) = next(&talk.outcome)? {
            if talk.handled.len() >= LONGEST_CONVERSATION {
                return Err(Error::malformed("the conversation", "the server gives commands without end"));
            }
            self.carry_out(&command, &mut talk).await?;
            if talk.erased || self.state.enrolment.is_none() {
                break;
            }
        }
        self.save()?;
        Ok(talk)
    }

    async fn carry_out(&mut self, message: &Dictionary, talk: &mut Conversation) -> Result<(), Error> {
        let uuid = message.text("CommandUUID").unwrap_or_default().to_owned();
        let nothing = Dictionary::new();
        let command = message.inner("Command").unwrap_or(&nothing);
        let request_type = command.text("RequestType").unwrap_or_default().to_owned();
        let mut answer = if answers::may_wait(&request_type) && self.dice.falls(self.faults.not_now) {
            Answer::not_now()
        } else {
            answers::answer(&mut self.state, command, &self.clock, self.identity.as_ref())
        };
        if let After::Renew(profile) = &answer.after {
            let profile = profile.clone();
            if let Err(error) = Box::pin(self.renew(&profile)).await {
                answer = Answer::error(answers::INSTALLATION_FAILED, &error.to_string());
            }
        }
        let report = self.state.report_of(&uuid, &answer);
        talk.handled.push(Handled {
            command_uuid: uuid,
            request_type,
            status: answer.status,
            error: answer.error_text(),
        });
        let sent = self.report(&report).await;
        // An erase does not wait to hear whether its answer arrived.
        if let After::Erase(return_to_service) = answer.after {
            self.erase(return_to_service, talk).await?;
            talk.outcome = sent?;
            return Ok(());
        }
        talk.outcome = sent?;
        if !talk.outcome.is_accepted() {
            return Ok(());
        }
        match answer.after {
            After::Nothing | After::Erase(_) | After::Renew(_) => {}
            After::Unenrol => {
                self.check_out().await?;
            }
            After::Declarations => Box::pin(self.fetch_declarations()).await?,
            After::Configured => {
                if let Some(enrolment) = &mut self.state.enrolment {
                    enrolment.awaiting_configuration = false;
                }
                Box::pin(self.token_update()).await?;
            }
        }
        Ok(())
    }

    /// Forgets everything, and enrols again if it was told to.
    async fn erase(
        &mut self,
        return_to_service: Option<ReturnToService>,
        talk: &mut Conversation,
    ) -> Result<(), Error> {
        self.state.erase();
        self.identity = None;
        self.http.close();
        self.save()?;
        talk.erased = true;
        let Some(order) = return_to_service.filter(|order| order.enabled) else { return Ok(()) };
        // "The device does not retry if the first attempt fails", unless 27.0's key says so.
        let mut attempts = if order.should_retry && self.major_version() >= 27 { 3 } else { 1 };
        let returned = loop {
            attempts -= 1;
            let returned = Box::pin(self.return_to_service(&order)).await;
            if returned.is_ok() || attempts == 0 {
                break returned;
            }
        };
        talk.returned_to_service = Some(returned.map_err(|error| error.to_string()));
        Ok(())
    }

    /// Joins the network that came with the command (it has neither a cable nor a mobile network), then enrols.
    async fn return_to_service(&mut self, order: &ReturnToService) -> Result<(), Error> {
        let lacks = |what| Error::Lacks { serial: self.serial().to_owned(), what };
        let network = order
            .wifi_profile
            .as_deref()
            .ok_or_else(|| lacks("network to return to service by: WiFiProfileData was absent"))?;
        let joins = Profile::open(network)?
            .payload("com.apple.wifi.managed")
            .is_some_and(|wifi| wifi.text("SSID_STR").is_some_and(|name| !name.is_empty()));
        if !joins {
            return Err(lacks("network to return to service by: WiFiProfileData names none"));
        }
        match (&order.mdm_profile, self.state.hardware.automated_enrolment_url.clone()) {
            (Some(profile), _) => self.enrol_with_profile(profile).await,
            (None, Some(url)) => self.enrol_by_machine_info(&url).await,
            (None, None) => Err(Error::Lacks {
                serial: self.serial().to_owned(),
                what: "profile to return to service with: MDMProfileData was absent, and no automated enrolment \
                       is known",
            }),
        }
    }
}

/// The next command, or none when there is nothing left or the message was not taken.
fn next(outcome: &Outcome) -> Result<Option<Dictionary>, Error> {
    match outcome.body() {
        None | Some([]) => Ok(None),
        Some(body) => wire::read(body, "the command").map(Some),
    }
}
