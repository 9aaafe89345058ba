//! Settings: set what is not in a profile.

mod items;

pub use items::{
    AppAnalyticsSetting, ApplicationConfigurationSetting, AttributesSetting, AwaitUserConfiguration,
    BluetoothSetting, DataRoamingSetting, DefaultApplicationsSetting, DeviceNameSetting,
    DiagnosticSubmissionSetting, MaximumResidentUsersSetting, MdmOptionValues, MdmOptionsSetting,
    Organization, OrganizationInfoSetting, PasscodeLockGracePeriodSetting, PasscodePolicy,
    PersonalHotspotSetting, SharedDeviceConfigurationSetting, SoftwareUpdateSettingsSetting, TimeZoneSetting,
    VoiceRoamingSetting, WallpaperSetting,
};

use crate::parts::{AccessibilitySettings, ErrorLink};
use crate::plist::{Dictionary, Value};
use crate::wire::{KeyFact, Kind, Presence, Raw, Wire, WireError, message};

message! {
    /// Set what is not in a profile.
    ///
    /// The tablet answers for each item.
    pub struct Settings {
        required {
            /// The items, carried out in their order.
            settings: Vec<Setting> = "Settings",
        }
    }
}

message! {
    /// What the tablet answers.
    pub struct SettingsAnswer {
        optional {
            /// One outcome per item.
            settings: SettingOutcomes = "Settings",
        }
    }
}

message! {
    /// What became of an item.
    pub struct SettingOutcome {
        required {
            /// `Acknowledged`, `Error`, `CommandFormatError` or `NotNow`.
            status: String = "Status",
        }
        optional {
            /// Why it failed.
            error_chain: Vec<ErrorLink> = "ErrorChain",
            /// The app, for an item that names one (7.0).
            identifier: String = "Identifier",
        }
    }
}

/// The outcomes of a Settings command. The schema says one dictionary, tablets send an array of them;
/// both are read, and written as they came.
#[derive(Debug, Clone)]
pub enum SettingOutcomes {
    /// As the schema says.
    One(Box<SettingOutcome>),
    /// As tablets do.
    Many(Vec<SettingOutcome>),
}

impl SettingOutcomes {
    /// All of them, in the order of the items.
    #[must_use]
    pub fn as_slice(&self) -> &[SettingOutcome] {
        match self {
            Self::One(outcome) => std::slice::from_ref(outcome),
            Self::Many(outcomes) => outcomes,
        }
    }
}

impl Wire for SettingOutcomes {
    const KIND: Kind = Kind::Dictionary(SettingOutcome::KEYS);

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Array(_) => Vec::read(value).map(Self::Many),
            other => Box::read(other).map(Self::One),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::One(outcome) => outcome.write(),
            Self::Many(outcomes) => outcomes.write(),
        }
    }
}

/// The key that tells items apart.
const ITEM: &str = "Item";

macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident($type:ty) = $item:literal,)*) => {
        /// One item of a Settings command.
        #[derive(Debug, Clone)]
        pub enum Setting {
            $($(#[$doc])* $variant(Box<$type>),)*
            /// An item that this version does not know, with all its keys.
            Unknown(Raw),
        }

        impl Setting {
            /// The keys of each item, `Item` itself apart.
            pub const ITEMS: &'static [KeyFact] = &[$(KeyFact {
                key: $item,
                kind: Kind::Dictionary(<$type>::KEYS),
                presence: Presence::Optional,
            }),*];

            fn from_dictionary(dictionary: &Dictionary) -> Result<Self, WireError> {
                let item: String = message::required(dictionary, ITEM)?;
                match item.as_str() {
                    $($item => {
                        let mut setting = <$type>::from_dictionary(dictionary)?;
                        setting.extra.forget(ITEM);
                        Ok(Self::$variant(Box::new(setting)))
                    })*
                    _ => Ok(Self::Unknown(dictionary.clone().into())),
                }
            }

            fn to_dictionary(&self) -> Dictionary {
                let (item, setting) = match self {
                    $(Self::$variant(setting) => ($item, setting.to_dictionary()),)*
                    Self::Unknown(raw) => return raw.clone().into_inner(),
                };
                let mut dictionary = Dictionary::new();
                dictionary.insert(ITEM.to_owned(), Value::from(item));
                dictionary.extend(setting);
                dictionary
            }
        }
    };
}

settings! {
    /// The picture behind the icons.
    Wallpaper(WallpaperSetting) = "Wallpaper",
    /// Data abroad.
    DataRoaming(DataRoamingSetting) = "DataRoaming",
    /// Voice abroad.
    VoiceRoaming(VoiceRoamingSetting) = "VoiceRoaming",
    /// Sharing of the network.
    PersonalHotspot(PersonalHotspotSetting) = "PersonalHotspot",
    /// Bluetooth.
    Bluetooth(BluetoothSetting) = "Bluetooth",
    /// The settings a managed app reads.
    ApplicationConfiguration(ApplicationConfigurationSetting) = "ApplicationConfiguration",
    /// What a managed app may and may not do.
    ApplicationAttributes(AttributesSetting) = "ApplicationAttributes",
    /// The tablet's name.
    DeviceName(DeviceNameSetting) = "DeviceName",
    /// Who owns the tablet.
    OrganizationInfo(OrganizationInfoSetting) = "OrganizationInfo",
    /// Which apps open links, calls and messages.
    DefaultApplications(DefaultApplicationsSetting) = "DefaultApplications",
    /// What the user may do under management.
    MdmOptions(MdmOptionsSetting) = "MDMOptions",
    /// How many users a Shared iPad keeps.
    MaximumResidentUsers(MaximumResidentUsersSetting) = "MaximumResidentUsers",
    /// How a Shared iPad is shared.
    SharedDeviceConfiguration(SharedDeviceConfigurationSetting) = "SharedDeviceConfiguration",
    /// Diagnostics for Apple.
    DiagnosticSubmission(DiagnosticSubmissionSetting) = "DiagnosticSubmission",
    /// App analytics for developers.
    AppAnalytics(AppAnalyticsSetting) = "AppAnalytics",
    /// How long a Shared iPad stays unlocked.
    PasscodeLockGracePeriod(PasscodeLockGracePeriodSetting) = "PasscodeLockGracePeriod",
    /// The time zone.
    TimeZone(TimeZoneSetting) = "TimeZone",
    /// Which updates are offered.
    SoftwareUpdateSettings(SoftwareUpdateSettingsSetting) = "SoftwareUpdateSettings",
    /// The accessibility switches.
    AccessibilitySettings(AccessibilitySettings) = "AccessibilitySettings",
}

impl Wire for Setting {
    const KIND: Kind = Kind::Choice(Self::ITEMS);

    fn read(value: &Value) -> Result<Self, WireError> {
        match value {
            Value::Dictionary(dictionary) => Self::from_dictionary(dictionary),
            other => Err(WireError::wrong_type("a dictionary", other)),
        }
    }

    fn write(&self) -> Value {
        Value::Dictionary(self.to_dictionary())
    }
}
