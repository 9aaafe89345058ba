//! The commands and their answers, one file each, and the facts that hold for each kind.

mod activation_lock_bypass_code;
mod apply_redemption_code;
mod available_os_updates;
mod cancel_enhanced_log_collection;
mod certificate_list;
mod clear_activation_lock_bypass_code;
mod clear_passcode;
mod clear_restrictions_password;
mod declarative_management;
mod delete_user;
mod device_configured;
mod device_information;
mod device_location;
mod device_lock;
mod disable_lost_mode;
mod enable_lost_mode;
mod erase_device;
mod install_application;
mod install_media;
mod install_profile;
mod install_provisioning_profile;
mod installed_application_list;
mod invite_to_program;
mod log_out_user;
mod managed_application_attributes;
mod managed_application_configuration;
mod managed_application_feedback;
mod managed_application_list;
mod managed_media_list;
mod os_update_status;
mod play_lost_mode_sound;
mod profile_list;
mod provisioning_profile_list;
mod refresh_cellular_plans;
mod remove_application;
mod remove_media;
mod remove_profile;
mod remove_provisioning_profile;
mod request_mirroring;
mod request_unlock_token;
mod restart_device;
mod restrictions;
mod schedule_os_update;
mod security_info;
mod settings;
mod shut_down_device;
mod stop_mirroring;
mod trigger_enhanced_log_collection;
mod user_configured;
mod user_list;
mod validate_applications;
use crate::connect::ENVELOPE;
use crate::os_version::OsVersion;
use crate::plist::{self, Dictionary, Limits, Value};
use crate::wire::{Raw, WireError, bounded, message};

pub use activation_lock_bypass_code::{ActivationLockBypassCode, ActivationLockBypassCodeAnswer};
pub use apply_redemption_code::ApplyRedemptionCode;
pub use available_os_updates::{AvailableOSUpdates, AvailableOSUpdatesAnswer, AvailableUpdate};
pub use cancel_enhanced_log_collection::CancelEnhancedLogCollection;
pub use certificate_list::{CertificateList, CertificateListAnswer, InstalledCertificate};
pub use clear_activation_lock_bypass_code::ClearActivationLockBypassCode;
pub use clear_passcode::ClearPasscode;
pub use clear_restrictions_password::ClearRestrictionsPassword;
pub use declarative_management::DeclarativeManagement;
pub use delete_user::DeleteUser;
pub use device_configured::DeviceConfigured;
pub use device_information::{
    DeviceInformation, DeviceInformationAnswer, QueryResponses, ReportedMdmOptions, ReportedOrganization,
    ReportedSoftwareUpdateSettings, ServiceSubscription,
};
pub use device_location::{DeviceLocation, DeviceLocationAnswer};
pub use device_lock::{DeviceLock, DeviceLockAnswer};
pub use disable_lost_mode::DisableLostMode;
pub use enable_lost_mode::EnableLostMode;
pub use erase_device::EraseDevice;
pub use install_application::{InstallApplication, InstallApplicationAnswer, InstallOptions};
pub use install_media::{InstallMedia, InstallMediaAnswer};
pub use install_profile::InstallProfile;
pub use install_provisioning_profile::InstallProvisioningProfile;
pub use installed_application_list::{
    InstalledApplication, InstalledApplicationList, InstalledApplicationListAnswer,
};
pub use invite_to_program::{InviteToProgram, InviteToProgramAnswer};
pub use log_out_user::LogOutUser;
pub use managed_application_attributes::{
    AttributesOfApplication, ManagedApplicationAttributes, ManagedApplicationAttributesAnswer,
};
pub use managed_application_configuration::{
    ConfigurationOfApplication, ManagedApplicationConfiguration, ManagedApplicationConfigurationAnswer,
};
pub use managed_application_feedback::{
    FeedbackOfApplication, ManagedApplicationFeedback, ManagedApplicationFeedbackAnswer,
};
pub use managed_application_list::{
    ManagedApplication, ManagedApplicationList, ManagedApplicationListAnswer,
};
pub use managed_media_list::{ManagedBook, ManagedMediaList, ManagedMediaListAnswer};
pub use os_update_status::{OSUpdateStatus, OSUpdateStatusAnswer, UpdateProgress};
pub use play_lost_mode_sound::PlayLostModeSound;
pub use profile_list::{InstalledPayload, InstalledProfile, ProfileList, ProfileListAnswer};
pub use provisioning_profile_list::{
    InstalledProvisioningProfile, ProvisioningProfileList, ProvisioningProfileListAnswer,
};
pub use refresh_cellular_plans::RefreshCellularPlans;
pub use remove_application::RemoveApplication;
pub use remove_media::RemoveMedia;
pub use remove_profile::RemoveProfile;
pub use remove_provisioning_profile::RemoveProvisioningProfile;
pub use request_mirroring::{RequestMirroring, RequestMirroringAnswer};
pub use request_unlock_token::{RequestUnlockToken, RequestUnlockTokenAnswer};
pub use restart_device::RestartDevice;
pub use restrictions::{
    RestrictedBool, RestrictedValue, RestrictedValues, RestrictionSet, Restrictions, RestrictionsAnswer,
};
pub use schedule_os_update::{ScheduleOSUpdate, ScheduleOSUpdateAnswer, ScheduledUpdate, UpdateResult};
pub use security_info::{ManagementStatus, SecurityInfo, SecurityInfoAnswer, SecurityState};
pub use settings::*;
pub use shut_down_device::ShutDownDevice;
pub use stop_mirroring::StopMirroring;
pub use trigger_enhanced_log_collection::TriggerEnhancedLogCollection;
pub use user_configured::UserConfigured;
pub use user_list::{ResidentUser, UserList, UserListAnswer};
pub use validate_applications::ValidateApplications;

/// The key that tells commands apart.
const REQUEST_TYPE: &str = "RequestType";

message! {
    /// The answer of a command that has nothing to say but its status.
    pub struct Done {}
}

macro_rules! commands {
    ($($name:ident: $answer:ident, since($major:literal, $minor:literal), supervised($supervised:literal);)*) => {
        /// The kinds of commands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RequestType {
            $(
                #[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")]
                $name,
            )*
        }

        impl RequestType {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }

            /// The first version of the system that knows it.
            #[must_use]
            pub const fn min_os(self) -> OsVersion {
                match self { $(Self::$name => OsVersion::new($major, $minor),)* }
            }

            /// Whether only supervised tablets carry it out.
            #[must_use]
            pub const fn needs_supervision(self) -> bool {
                match self { $(Self::$name => $supervised,)* }
            }
        }

        /// A command.
        #[derive(Debug, Clone)]
        pub enum Command {
            $(
                #[doc = concat!("See [`", stringify!($name), "`](struct@", stringify!($name), ").")]
                $name($name),
            )*
        }

        impl Command {
            /// Its kind.
            #[must_use]
            pub const fn request_type(&self) -> RequestType {
                match self { $(Self::$name(_) => RequestType::$name,)* }
            }

            /// Reads the keys of a command of the given kind; `RequestType` may be among them.
            ///
            /// # Errors
            /// A key is missing or has the wrong type, or `RequestType` is another.
            pub fn from_dictionary(request_type: RequestType, dictionary: &Dictionary) -> Result<Self, WireError> {
                if let Some(name) = message::optional::<String>(dictionary, REQUEST_TYPE)?
                    && name != request_type.as_str()
                {
                    return Err(WireError::invalid("the RequestType asked for").within(REQUEST_TYPE));
                }
                Ok(match request_type {
                    $(RequestType::$name => {
                        let mut command = $name::from_dictionary(dictionary)?;
                        command.extra.forget(REQUEST_TYPE);
                        Self::$name(command)
                    })*
                })
            }

            /// Its keys, without `RequestType`.
            #[must_use]
            pub fn to_dictionary(&self) -> Dictionary {
                match self { $(Self::$name(command) => command.to_dictionary(),)* }
            }
        }

        $(
            impl From<$name> for Command {
                fn from(command: $name) -> Self {
                    Self::$name(command)
                }
            }
        )*

        /// What a tablet answers to a command that it carried out.
        #[derive(Debug, Clone)]
        pub enum Answer {
            $(
                #[doc = concat!("To [`", stringify!($name), "`](struct@", stringify!($name), ").")]
                $name($answer),
            )*
        }

        impl Answer {
            /// Reads the body of an `Acknowledged` report about a command of the given kind.
            ///
            /// The keys that every report has are left to [`crate::connect::Report`].
            ///
            /// # Errors
            /// A key is missing or has the wrong type.
            pub fn parse(request_type: RequestType, body: &Dictionary) -> Result<Self, WireError> {
                Ok(match request_type {
                    $(RequestType::$name => {
                        let mut answer = $answer::from_dictionary(body)?;
                        for key in ENVELOPE {
                            answer.extra.forget(key);
                        }
                        Self::$name(answer)
                    })*
                })
            }

            /// The kind of command it answers.
            #[must_use]
            pub const fn request_type(&self) -> RequestType {
                match self { $(Self::$name(_) => RequestType::$name,)* }
            }

            /// Its keys, without those that every report has.
            #[must_use]
            pub fn to_dictionary(&self) -> Dictionary {
                match self { $(Self::$name(answer) => answer.to_dictionary(),)* }
            }
        }

        /// The keys of each command and of its answer, for the comparison with Apple's schema.
        #[cfg(test)]
        pub(crate) const FACTS: &[(RequestType, &[crate::wire::KeyFact], &[crate::wire::KeyFact])] =
            &[$((RequestType::$name, $name::KEYS, $answer::KEYS)),*];
    };
}

commands! {
    InstallApplication: InstallApplicationAnswer, since(5, 0), supervised(false);
    InstalledApplicationList: InstalledApplicationListAnswer, since(5, 0), supervised(false);
    InviteToProgram: InviteToProgramAnswer, since(7, 0), supervised(false);
    ManagedApplicationList: ManagedApplicationListAnswer, since(5, 0), supervised(false);
    ApplyRedemptionCode: Done, since(5, 0), supervised(false);
    RemoveApplication: Done, since(5, 0), supervised(false);
    ValidateApplications: Done, since(9, 2), supervised(false);
    CancelEnhancedLogCollection: Done, since(27, 0), supervised(true);
    CertificateList: CertificateListAnswer, since(4, 0), supervised(false);
    DeclarativeManagement: Done, since(15, 0), supervised(false);
    ActivationLockBypassCode: ActivationLockBypassCodeAnswer, since(7, 1), supervised(true);
    ClearActivationLockBypassCode: Done, since(7, 1), supervised(true);
    DeviceConfigured: Done, since(9, 0), supervised(true);
    EraseDevice: Done, since(4, 0), supervised(false);
    RefreshCellularPlans: Done, since(13, 0), supervised(false);
    DeviceLock: DeviceLockAnswer, since(4, 0), supervised(false);
    DisableLostMode: Done, since(9, 3), supervised(true);
    EnableLostMode: Done, since(9, 3), supervised(true);
    DeviceLocation: DeviceLocationAnswer, since(9, 3), supervised(true);
    PlayLostModeSound: Done, since(10, 3), supervised(true);
    RestartDevice: Done, since(10, 3), supervised(true);
    ClearRestrictionsPassword: Done, since(8, 0), supervised(true);
    Restrictions: RestrictionsAnswer, since(4, 0), supervised(false);
    ShutDownDevice: Done, since(10, 3), supervised(true);
    DeviceInformation: DeviceInformationAnswer, since(4, 0), supervised(false);
    SecurityInfo: SecurityInfoAnswer, since(4, 0), supervised(false);
    ManagedApplicationAttributes: ManagedApplicationAttributesAnswer, since(7, 0), supervised(false);
    ManagedApplicationConfiguration: ManagedApplicationConfigurationAnswer, since(7, 0), supervised(false);
    ManagedApplicationFeedback: ManagedApplicationFeedbackAnswer, since(7, 0), supervised(false);
    InstallMedia: InstallMediaAnswer, since(8, 0), supervised(false);
    ManagedMediaList: ManagedMediaListAnswer, since(8, 0), supervised(false);
    RemoveMedia: Done, since(8, 0), supervised(false);
    RequestMirroring: RequestMirroringAnswer, since(7, 0), supervised(false);
    StopMirroring: Done, since(7, 0), supervised(true);
    ClearPasscode: Done, since(4, 0), supervised(false);
    RequestUnlockToken: RequestUnlockTokenAnswer, since(5, 0), supervised(true);
    InstallProfile: Done, since(4, 0), supervised(false);
    ProfileList: ProfileListAnswer, since(4, 0), supervised(false);
    InstallProvisioningProfile: Done, since(4, 0), supervised(false);
    ProvisioningProfileList: ProvisioningProfileListAnswer, since(4, 0), supervised(false);
    RemoveProvisioningProfile: Done, since(4, 0), supervised(false);
    RemoveProfile: Done, since(4, 0), supervised(false);
    Settings: SettingsAnswer, since(5, 0), supervised(false);
    AvailableOSUpdates: AvailableOSUpdatesAnswer, since(9, 0), supervised(true);
    ScheduleOSUpdate: ScheduleOSUpdateAnswer, since(9, 0), supervised(true);
    OSUpdateStatus: OSUpdateStatusAnswer, since(9, 0), supervised(true);
    TriggerEnhancedLogCollection: Done, since(27, 0), supervised(true);
    UserConfigured: Done, since(17, 0), supervised(true);
    DeleteUser: Done, since(9, 3), supervised(false);
    UserList: UserListAnswer, since(9, 3), supervised(false);
    LogOutUser: Done, since(9, 3), supervised(false);
}

impl RequestType {
    /// The version of the system that no longer knows it.
    #[must_use]
    pub const fn removed_in(self) -> Option<OsVersion> {
        match self {
            Self::AvailableOSUpdates | Self::ScheduleOSUpdate | Self::OSUpdateStatus => {
                Some(OsVersion::new(27, 0))
            }
            _ => None,
        }
    }

    /// Whether it is offered in a conversation where the tablet has already said NotNow: a locked tablet
    /// puts off much, never these.
    #[must_use]
    pub const fn may_be_offered_after_not_now(self) -> bool {
        matches!(
            self,
            Self::EraseDevice
                | Self::DeviceLock
                | Self::ClearPasscode
                | Self::EnableLostMode
                | Self::DisableLostMode
                | Self::DeviceLocation
                | Self::PlayLostModeSound
        )
    }
}

impl std::fmt::Display for RequestType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for RequestType {
    type Err = WireError;

    fn from_str(name: &str) -> Result<Self, WireError> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| WireError::UnknownRequestType { name: bounded(name) })
    }
}

impl Command {
    /// The document that a tablet gets: `{Command: {RequestType, …}, CommandUUID}`.
    #[must_use]
    pub fn to_plist(&self, uuid: &str) -> Vec<u8> {
        let mut command = Dictionary::new();
        command.insert(REQUEST_TYPE.to_owned(), Value::from(self.request_type().as_str()));
        command.extend(self.to_dictionary());
        let mut document = Dictionary::new();
        document.insert("Command".to_owned(), Value::Dictionary(command));
        document.insert("CommandUUID".to_owned(), Value::from(uuid));
        plist::to_xml(&document)
    }

    /// Reads such a document: the command and its `CommandUUID`.
    ///
    /// # Errors
    /// It is not an acceptable property list, the `RequestType` is unknown (T-C23), or a key is missing or
    /// has the wrong type.
    pub fn parse(bytes: &[u8]) -> Result<(Self, String), WireError> {
        let document = plist::parse(bytes, Limits::PROFILE)?;
        let uuid = message::required(&document, "CommandUUID")?;
        let command: Raw = message::required(&document, "Command")?;
        let request_type: String =
            message::required(&command, REQUEST_TYPE).map_err(|error| error.within("Command"))?;
        let command = Self::from_dictionary(request_type.parse()?, &command)
            .map_err(|error| error.within("Command"))?;
        Ok((command, uuid))
    }
}
