//! What an iPad answers to each command. Pure: a memory and a command in, an answer out, and what to do after it.

mod apps;
mod device;
mod inventory;
mod lost_mode;
mod profiles;
mod settings;
mod updates;

use plist::{Dictionary, Value};

use crate::check_ins::ReturnToService;
use crate::profile::EnrolmentProfile;
use crate::state::State;
use crate::wire::{self, Entries as _};
use crate::{Clock, Identity};

/// The status of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Done.
    Acknowledged,
    /// Not done; the report says why.
    Error,
    /// The command cannot be understood.
    CommandFormatError,
    /// Not now: the tablet comes back by itself.
    NotNow,
}

impl Status {
    /// As the wire has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "Acknowledged",
            Self::Error => "Error",
            Self::CommandFormatError => "CommandFormatError",
            Self::NotNow => "NotNow",
        }
    }
}

/// A code of an error chain. Apple documents few; 12021 and 12078 are among them, the others stand for their kind.
pub(crate) type Code = (&'static str, i64);
/// The request type is unknown.
pub(crate) const UNKNOWN_REQUEST: Code = ("MCMDMErrorDomain", 12021);
/// The command cannot be carried out in lost mode.
pub(crate) const IN_LOST_MODE: Code = ("MCMDMErrorDomain", 12078);
/// The command needs lost mode.
pub(crate) const NOT_IN_LOST_MODE: Code = ("MCMDMErrorDomain", 12067);
/// The command needs supervision.
pub(crate) const NOT_SUPERVISED: Code = ("MCMDMErrorDomain", 12064);
/// Something in the command is missing or wrong.
pub(crate) const INVALID_COMMAND: Code = ("MCMDMErrorDomain", 12023);
/// The profile cannot be installed.
pub(crate) const INSTALLATION_FAILED: Code = ("MCInstallationErrorDomain", 4001);
/// The profile is not there.
pub(crate) const NO_SUCH_PROFILE: Code = ("MCMDMErrorDomain", 12008);
/// The app is not there, or is not managed.
pub(crate) const NO_SUCH_APP: Code = ("MCMDMErrorDomain", 12024);
/// The unlock token is not this tablet's.
pub(crate) const WRONG_UNLOCK_TOKEN: Code = ("MCPasscodeErrorDomain", 5013);

/// One link of an error chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorLink {
    code: Code,
    text: String,
}

impl ErrorLink {
    pub(crate) fn told(&self) -> Dictionary {
        let (domain, code) = self.code;
        wire::dictionary([
            ("ErrorCode", code.into()),
            ("ErrorDomain", domain.into()),
            ("LocalizedDescription", self.text.as_str().into()),
            ("USEnglishDescription", self.text.as_str().into()),
        ])
    }
}

/// What happens once the answer was sent, or (a renewal) before.
#[derive(Debug, Clone)]
pub(crate) enum After {
    Nothing,
    Erase(Option<ReturnToService>),
    Unenrol,
    Declarations,
    Configured,
    Renew(Box<EnrolmentProfile>),
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: Status,
    pub(crate) fields: Dictionary,
    pub(crate) errors: Vec<ErrorLink>,
    pub(crate) after: After,
}

impl Answer {
    pub(crate) fn done() -> Self {
        Self::with(Dictionary::new())
    }

    pub(crate) const fn with(fields: Dictionary) -> Self {
        Self { status: Status::Acknowledged, fields, errors: Vec::new(), after: After::Nothing }
    }

    pub(crate) fn then(after: After) -> Self {
        Self { after, ..Self::done() }
    }

    pub(crate) fn not_now() -> Self {
        Self { status: Status::NotNow, ..Self::done() }
    }

    pub(crate) fn error(code: Code, text: &str) -> Self {
        let link = ErrorLink { code, text: text.to_owned() };
        Self { status: Status::Error, errors: vec![link], ..Self::done() }
    }

    fn format_error(request_type: &str) -> Self {
        let text = format!("“{request_type}” is not a valid request type.");
        Self { status: Status::CommandFormatError, ..Self::error(UNKNOWN_REQUEST, &text) }
    }

    pub(crate) fn error_text(&self) -> Option<String> {
        self.errors.first().map(|error| error.text.clone())
    }
}

/// What a locked iPad says NotNow to.
const NEEDS_UNLOCKING: [&str; 5] =
    ["InstallProfile", "InstallProvisioningProfile", "SecurityInfo", "CertificateList", "InstallApplication"];
/// What is carried out even when other commands must wait.
const NEVER_WAITS: [&str; 7] = [
    "EraseDevice",
    "DeviceLock",
    "ClearPasscode",
    "EnableLostMode",
    "DisableLostMode",
    "DeviceLocation",
    "PlayLostModeSound",
];
/// What cannot be done in lost mode: Apple documents the error, not the list; these need the screen or the user.
const NOT_IN_LOST: [&str; 7] = [
    "DeviceLock",
    "ClearPasscode",
    "InstallApplication",
    "InstallMedia",
    "RequestMirroring",
    "StopMirroring",
    "TriggerEnhancedLogCollection",
];
/// What only supervised iPads do.
const SUPERVISED_ONLY: [&str; 15] = [
    "ActivationLockBypassCode",
    "AvailableOSUpdates",
    "CancelEnhancedLogCollection",
    "ClearActivationLockBypassCode",
    "ClearRestrictionsPassword",
    "DeviceLocation",
    "DisableLostMode",
    "EnableLostMode",
    "OSUpdateStatus",
    "PlayLostModeSound",
    "RestartDevice",
    "ScheduleOSUpdate",
    "ShutDownDevice",
    "StopMirroring",
    "TriggerEnhancedLogCollection",
];
/// What 27.0 no longer knows.
const GONE_IN_27: [&str; 3] = ["AvailableOSUpdates", "OSUpdateStatus", "ScheduleOSUpdate"];

/// Whether a tablet may answer NotNow to a command.
pub(crate) fn may_wait(request_type: &str) -> bool {
    !NEVER_WAITS.contains(&request_type)
}

/// Carries out a command.
pub(crate) fn answer(
    state: &mut State,
    command: &Dictionary,
    clock: &Clock,
    identity: Option<&Identity>,
) -> Answer {
    let request_type = command.text("RequestType").unwrap_or_default();
    if state.lost_mode.is_some() && NOT_IN_LOST.contains(&request_type) {
        return Answer::error(IN_LOST_MODE, "The command is invalid while the device is in lost mode.");
    }
    if SUPERVISED_ONLY.contains(&request_type) && !state.hardware.supervised {
        return Answer::error(NOT_SUPERVISED, "The device must be supervised to carry out this command.");
    }
    if GONE_IN_27.contains(&request_type) && inventory::major(&state.hardware.os_version) >= 27 {
        return Answer::format_error(request_type);
    }
    if state.locked && NEEDS_UNLOCKING.contains(&request_type) {
        return Answer::not_now();
    }
    match request_type {
        "DeviceInformation" => inventory::device_information(state, command),
        "SecurityInfo" => inventory::security_info(state),
        "CertificateList" => inventory::certificate_list(identity),
        "Restrictions" => inventory::restrictions(),
        "AvailableOSUpdates" => inventory::empty_list("AvailableOSUpdates"),
        "OSUpdateStatus" => updates::status(state),
        "ScheduleOSUpdate" => updates::schedule(state, command),
        "ProfileList" => profiles::list(state, command),
        "InstallProfile" => profiles::install(state, command),
        "RemoveProfile" => profiles::remove(state, command),
        "ProvisioningProfileList" => inventory::empty_list("ProvisioningProfileList"),
        "InstalledApplicationList" => apps::installed(state, command),
        "ManagedApplicationList" => apps::managed(state, command),
        "InstallApplication" => apps::install(state, command),
        "RemoveApplication" => apps::remove(state, command),
        "ManagedApplicationAttributes" => inventory::empty_list("ApplicationAttributes"),
        "ManagedApplicationConfiguration" => inventory::empty_list("ApplicationConfigurations"),
        "ManagedApplicationFeedback" => inventory::empty_list("ManagedApplicationFeedback"),
        "ManagedMediaList" => inventory::empty_list("Books"),
        "Settings" => settings::apply(state, command),
        "DeviceLock" => device::lock(state, command),
        "ClearPasscode" => device::clear_passcode(state, command),
        "RestartDevice" | "ShutDownDevice" => device::restart(state),
        "EraseDevice" => device::erase(command),
        "DeviceConfigured" => Answer::then(After::Configured),
        "ActivationLockBypassCode" => Answer::error(INVALID_COMMAND, "There is no bypass code any more."),
        "ClearActivationLockBypassCode"
        | "ClearRestrictionsPassword"
        | "ValidateApplications"
        | "RefreshCellularPlans"
        | "TriggerEnhancedLogCollection"
        | "CancelEnhancedLogCollection"
        | "StopMirroring" => Answer::done(),
        "EnableLostMode" => lost_mode::enable(state, command),
        "DisableLostMode" => lost_mode::disable(state),
        "DeviceLocation" => lost_mode::location(state, clock),
        "PlayLostModeSound" => lost_mode::play_sound(state),
        "DeclarativeManagement" => Answer::then(After::Declarations),
        unknown => Answer::format_error(unknown),
    }
}

/// A list of dictionaries as a value.
fn array(items: impl IntoIterator<Item = Dictionary>) -> Value {
    Value::Array(items.into_iter().map(Value::Dictionary).collect())
}

#[cfg(test)]
mod tests;
