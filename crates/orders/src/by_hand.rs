//! What one person may ask of a tablet by hand, and what only a layer says: everything that decides what is on a tablet is
//! decided by two organisations (C3.1.1), and no command of anybody's goes round that.
//!
//! Questions are ordinary; so is what is done once and decides nothing: restart it, lock it, clear its access code. A
//! Settings command is not, whatever its items: a picture or a name on many tablets is decided by nobody alone.

use apple::command::{Command, RequestType};
use types::RuleId;

use crate::{EnrolmentProfile, NotOrdinary, Ordinary};

/// How a layer says what a command would.
const BY_PROFILES: &str =
    "write it into a layer, and the profiles of the tablets follow once two organisations approved it";
const BY_APPS: &str =
    "name the app in a layer: the base’s by two organisations, a collège’s additions by its head";
const BY_UPDATES: &str =
    "name the version and its day in a layer, and the tablets follow once two organisations approved it";
const BY_BOOKS: &str = "link to it by a web clip of a layer; books are not given out";
const BY_UPLOADS: &str = "upload the app with its profile, then name it in a layer";
const BY_SETTINGS: &str = "write what a layer can say into one, and the tablets follow once two organisations approved it; \
                           whom a tablet belongs to is on its lock screen, from the inventory";
const BY_ITSELF: &str = "nothing needs to be sent: a tablet is told by itself when its layers change";

impl Ordinary {
    /// Looks at a command that a person asks for: as [`Ordinary::check`] does, and whether it goes round the layers.
    ///
    /// What destroys, unenrols or looks into a tablet is refused as that, whatever else it would do.
    ///
    /// # Errors
    /// [`NotOrdinary`] says what would be dangerous, or what decides it instead, and the rule.
    pub fn asked_by_hand(command: Command, profile: &EnrolmentProfile) -> Result<Self, NotOrdinary> {
        let round = goes_round_the_layers(&command);
        match (Self::check(command, profile), round) {
            // What cannot be looked into would not be sent if it could.
            (Ok(_) | Err(NotOrdinary::Opaque { .. }), Some(refused)) => Err(refused),
            (checked, _) => checked,
        }
    }
}

/// Why a command is not sent by hand; `None` for one that decides nothing that a layer does (C3.1.1).
#[must_use]
pub fn goes_round_the_layers(command: &Command) -> Option<NotOrdinary> {
    let kind = command.request_type();
    let instead = decided_kind(kind)?;
    Some(NotOrdinary::DecidedInLayers { what: kind.to_string(), instead, rule: RuleId::C3_1_1 })
}

/// What to do instead of sending a kind by hand; `None` if it may be sent.
const fn decided_kind(kind: RequestType) -> Option<&'static str> {
    match kind {
        RequestType::InstallProfile | RequestType::RemoveProfile => Some(BY_PROFILES),
        // A code or an invitation brings apps, too.
        RequestType::InstallApplication
        | RequestType::RemoveApplication
        | RequestType::ApplyRedemptionCode
        | RequestType::InviteToProgram => Some(BY_APPS),
        // They say which apps of one's own may run.
        RequestType::InstallProvisioningProfile | RequestType::RemoveProvisioningProfile => Some(BY_UPLOADS),
        RequestType::InstallMedia | RequestType::RemoveMedia => Some(BY_BOOKS),
        RequestType::ScheduleOSUpdate => Some(BY_UPDATES),
        RequestType::DeclarativeManagement => Some(BY_ITSELF),
        RequestType::Settings => Some(BY_SETTINGS),
        // Questions: what is on it is not changed by telling.
        RequestType::ActivationLockBypassCode
        | RequestType::AvailableOSUpdates
        | RequestType::CertificateList
        | RequestType::DeviceInformation
        | RequestType::InstalledApplicationList
        | RequestType::ManagedApplicationAttributes
        | RequestType::ManagedApplicationConfiguration
        | RequestType::ManagedApplicationFeedback
        | RequestType::ManagedApplicationList
        | RequestType::ManagedMediaList
        | RequestType::OSUpdateStatus
        | RequestType::ProfileList
        | RequestType::ProvisioningProfileList
        | RequestType::RequestUnlockToken
        | RequestType::Restrictions
        | RequestType::SecurityInfo => None,
        // Help at the tablet, done once: the code that its user forgot, a restart, an app of ours that is checked again, the
        // end of setting it up. DeviceLock may show a message, and asks for the code that is there.
        RequestType::CancelEnhancedLogCollection
        | RequestType::ClearActivationLockBypassCode
        | RequestType::ClearPasscode
        | RequestType::ClearRestrictionsPassword
        | RequestType::DeviceConfigured
        | RequestType::DeviceLock
        | RequestType::RefreshCellularPlans
        | RequestType::RestartDevice
        | RequestType::ShutDownDevice
        | RequestType::StopMirroring
        | RequestType::UserConfigured
        | RequestType::ValidateApplications => None,
        // These rest on an order, or are refused for what they are: `Ordinary::check` says so.
        RequestType::DeleteUser
        | RequestType::DeviceLocation
        | RequestType::DisableLostMode
        | RequestType::EnableLostMode
        | RequestType::EraseDevice
        | RequestType::LogOutUser
        | RequestType::PlayLostModeSound
        | RequestType::RequestMirroring
        | RequestType::TriggerEnhancedLogCollection
        | RequestType::UserList => None,
    }
}

#[cfg(test)]
mod tests;
