//! What a tablet writes: check-in and connect messages, from its memory alone.

use plist::{Dictionary, Value};

use crate::answers::{self, Answer};
use crate::conversation::Handled;
use crate::state::{Enrolment, Stage, State};
use crate::wire::{self, Entries as _};
use crate::{Clock, Error, Identity};

/// Writes a message as an XML property list, as tablets send it.
///
/// # Errors
/// When it holds a value that property lists cannot hold.
pub fn write_message(message: &Dictionary) -> Result<Vec<u8>, Error> {
    wire::write(message)
}

impl State {
    /// The Authenticate message of a tablet that has its identity.
    ///
    /// # Errors
    /// When it is not enrolled, nor about to be.
    pub fn authenticate_message(&self) -> Result<Dictionary, Error> {
        let enrolment = self.wanted_enrolment()?;
        let hardware = &self.hardware;
        let mut message = self.message("Authenticate");
        for (key, value) in [
            ("Topic", &enrolment.mdm.topic),
            ("OSVersion", &hardware.os_version),
            ("BuildVersion", &hardware.build_version),
            ("ProductName", &hardware.product_name),
            ("SerialNumber", &hardware.serial),
            ("Model", &hardware.model),
            ("ModelName", &hardware.model_name),
            ("DeviceName", &self.device_name),
        ] {
            message.insert(key.to_owned(), value.as_str().into());
        }
        Ok(message)
    }

    /// The TokenUpdate message. Once the tablet is enrolled, it leaves the UnlockToken out, as tablets do.
    ///
    /// # Errors
    /// When it is not enrolled, nor about to be.
    pub fn token_update_message(&self) -> Result<Dictionary, Error> {
        let enrolment = self.wanted_enrolment()?;
        let mut message = self.message("TokenUpdate");
        message.insert("Topic".to_owned(), enrolment.mdm.topic.as_str().into());
        message.insert("PushMagic".to_owned(), enrolment.push_magic.as_str().into());
        message.insert("Token".to_owned(), data(&enrolment.push_token));
        if enrolment.stage != Stage::Enrolled {
            message.insert("UnlockToken".to_owned(), data(&enrolment.unlock_token));
        }
        if enrolment.automated {
            message.insert("AwaitingConfiguration".to_owned(), enrolment.awaiting_configuration.into());
        }
        Ok(message)
    }

    /// The connect message of a tablet that asks what there is to do.
    #[must_use]
    pub fn idle_message(&self) -> Dictionary {
        self.connect_message("Idle")
    }

    /// Reads a command as it came, carries it out as far as memory goes, and gives what was understood and the
    /// report to send. What a tablet would do after its report (erase itself, leave, renew its identity, fetch
    /// declarations) is left to [`crate::Ipad`].
    ///
    /// # Errors
    /// When it is no command.
    pub fn obey(
        &mut self,
        command: &[u8],
        clock: &Clock,
        identity: Option<&Identity>,
    ) -> Result<(Handled, Dictionary), Error> {
        let message = wire::read(command, "the command")?;
        let uuid = message.required("CommandUUID", "the command")?;
        let nothing = Dictionary::new();
        let command = message.inner("Command").unwrap_or(&nothing);
        let answer = answers::answer(self, command, clock, identity);
        let handled = Handled {
            command_uuid: uuid.to_owned(),
            request_type: command.text("RequestType").unwrap_or_default().to_owned(),
            status: answer.status,
            error: answer.error_text(),
        };
        let report = self.report_of(uuid, &answer);
        Ok((handled, report))
    }

    pub(crate) fn wanted_enrolment(&self) -> Result<&Enrolment, Error> {
        self.enrolment.as_ref().ok_or_else(|| Error::NotEnrolled { serial: self.hardware.serial.clone() })
    }

    /// A check-in message with what all have.
    pub(crate) fn message(&self, message_type: &str) -> Dictionary {
        wire::dictionary([("MessageType", message_type.into()), ("UDID", self.hardware.udid.as_str().into())])
    }

    /// A connect message with what all have.
    fn connect_message(&self, status: &str) -> Dictionary {
        wire::dictionary([("Status", status.into()), ("UDID", self.hardware.udid.as_str().into())])
    }

    /// The report on a command.
    pub(crate) fn report_of(&self, uuid: &str, answer: &Answer) -> Dictionary {
        let mut report = self.connect_message(answer.status.as_str());
        report.insert("CommandUUID".to_owned(), uuid.into());
        if !answer.errors.is_empty() {
            let chain = answer.errors.iter().map(|error| Value::Dictionary(error.told()));
            report.insert("ErrorChain".to_owned(), Value::Array(chain.collect()));
        }
        for (key, value) in &answer.fields {
            report.insert(key.clone(), value.clone());
        }
        report
    }
}

fn data(hexadecimal: &str) -> Value {
    Value::Data(hex::decode(hexadecimal).unwrap_or_default())
}
