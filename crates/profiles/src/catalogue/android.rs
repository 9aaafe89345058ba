//! The open Android agent: the fields of its configuration and Android's user restrictions, which of them a layer may
//! say, and which can erase a tablet.
//!
//! The agent applies a whole configuration at each change and silently ignores a restriction whose name it does not
//! know: spelling is checked here or nowhere.

use types::RuleId;

use super::entry::{Agent, Entry, Kind, Section, Shape, Stricter, bare};

/// A user restriction of Android.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRestriction {
    /// Its name.
    pub name: &'static str,
    /// The first API level that knows it.
    pub since: u16,
}

const fn since(since: u16, name: &'static str) -> UserRestriction {
    UserRestriction { name, since }
}

/// Every user restriction that a device owner can set, by API level.
pub(super) static RESTRICTIONS: &[UserRestriction] = &[
    since(18, "no_modify_accounts"),
    since(18, "no_config_wifi"),
    since(18, "no_install_apps"),
    since(18, "no_uninstall_apps"),
    since(18, "no_share_location"),
    since(18, "no_install_unknown_sources"),
    since(18, "no_config_bluetooth"),
    since(18, "no_usb_file_transfer"),
    since(18, "no_config_credentials"),
    since(18, "no_remove_user"),
    since(21, "no_debugging_features"),
    since(21, "no_config_vpn"),
    since(21, "no_config_tethering"),
    since(21, "no_factory_reset"),
    since(21, "no_add_user"),
    since(21, "ensure_verify_apps"),
    since(21, "no_config_cell_broadcasts"),
    since(21, "no_config_mobile_networks"),
    since(21, "no_control_apps"),
    since(21, "no_physical_media"),
    since(21, "no_unmute_microphone"),
    since(21, "no_adjust_volume"),
    since(21, "no_outgoing_calls"),
    since(21, "no_sms"),
    since(21, "no_create_windows"),
    since(21, "no_cross_profile_copy_paste"),
    since(22, "no_outgoing_beam"),
    since(23, "no_network_reset"),
    since(23, "no_safe_boot"),
    since(23, "no_fun"),
    since(23, "allow_parent_profile_app_linking"),
    since(24, "no_data_roaming"),
    since(24, "no_set_user_icon"),
    since(24, "no_set_wallpaper"),
    since(26, "no_bluetooth"),
    since(26, "no_bluetooth_sharing"),
    since(26, "no_autofill"),
    since(26, "no_add_managed_profile"),
    since(26, "no_remove_managed_profile"),
    since(28, "no_config_location"),
    since(28, "no_airplane_mode"),
    since(28, "no_config_brightness"),
    since(28, "no_config_date_time"),
    since(28, "no_config_screen_timeout"),
    since(28, "no_config_locale"),
    since(28, "no_ambient_display"),
    since(28, "no_system_error_dialogs"),
    since(28, "no_user_switch"),
    since(28, "no_printing"),
    since(28, "no_sharing_into_profile"),
    since(28, "no_unified_password"),
    since(29, "no_content_capture"),
    since(29, "no_content_suggestions"),
    since(29, "disallow_config_private_dns"),
    since(29, "no_install_unknown_sources_globally"),
    since(31, "disallow_camera_toggle"),
    since(31, "disallow_microphone_toggle"),
    since(33, "no_change_wifi_state"),
    since(33, "no_wifi_tethering"),
    since(33, "no_sharing_admin_configured_wifi"),
    since(33, "no_wifi_direct"),
    since(33, "no_add_wifi_config"),
    since(34, "no_cellular_2g"),
    since(34, "no_ultra_wideband_radio"),
    since(34, "disallow_config_default_apps"),
    since(34, "no_grant_admin"),
    since(35, "no_assist_content"),
    since(35, "no_sim_globally"),
    since(35, "no_near_field_communication_radio"),
    since(35, "no_add_private_profile"),
    since(36, "no_thread_network"),
    since(36, "no_change_near_field_communication_radio"),
];

/// A user restriction on its own: `true` applies it.
const fn own(name: &'static str, alone: &'static [&'static str]) -> Entry {
    bare(Section::AndroidRestrictions, name, Kind::Boolean, Stricter::True).android(alone)
}

macro_rules! own {
    ($($name:literal),* $(,)?) => { &[$(own($name, &[$name])),*] };
}

/// The restrictions that a layer says by their own name: nothing of Apple's means the same.
pub(super) static OWN: &[Entry] = own![
    "no_share_location",
    "no_install_unknown_sources",
    "no_remove_user",
    "no_add_user",
    "ensure_verify_apps",
    "no_config_cell_broadcasts",
    "no_control_apps",
    "no_unmute_microphone",
    "no_adjust_volume",
    "no_outgoing_calls",
    "no_cross_profile_copy_paste",
    "no_outgoing_beam",
    "no_network_reset",
    "no_fun",
    "no_data_roaming",
    "no_set_user_icon",
    "no_bluetooth",
    "no_config_location",
    "no_airplane_mode",
    "no_config_brightness",
    "no_config_screen_timeout",
    "no_config_locale",
    "no_ambient_display",
    "no_system_error_dialogs",
    "no_user_switch",
    "no_content_capture",
    "no_content_suggestions",
    "disallow_config_private_dns",
    "disallow_camera_toggle",
    "disallow_microphone_toggle",
    "no_change_wifi_state",
    "no_wifi_tethering",
    "no_sharing_admin_configured_wifi",
    "no_wifi_direct",
    "no_add_wifi_config",
    "no_cellular_2g",
    "no_ultra_wideband_radio",
    "no_grant_admin",
    "no_assist_content",
    "no_sim_globally",
    "no_add_private_profile",
    "no_thread_network",
    "no_change_near_field_communication_radio",
];

const fn not_own(name: &'static str, why: &'static str) -> Entry {
    bare(Section::AndroidRestrictions, name, Kind::Boolean, Stricter::True).never(why)
}

/// The restrictions that no layer says by their own name, and why.
pub(super) static NOT_OWN: &[Entry] = &[
    not_own("no_factory_reset", "`restrictions.allowEraseContentAndSettings = false` writes it"),
    not_own(
        "no_config_credentials",
        "`restrictions.allowUIConfigurationProfileInstallation = false` writes it",
    ),
    not_own("no_debugging_features", "`restrictions.allowHostPairing = false` writes it"),
    not_own("no_usb_file_transfer", "`restrictions.allowHostPairing = false` writes it"),
    not_own("no_modify_accounts", "`restrictions.allowAccountModification = false` writes it"),
    not_own("no_set_wallpaper", "`restrictions.allowWallpaperModification = false` writes it"),
    not_own("no_physical_media", "`restrictions.allowFilesUSBDriveAccess = false` writes it"),
    not_own("no_config_date_time", "`restrictions.forceAutomaticDateAndTime = true` writes it"),
    not_own("no_config_vpn", "`restrictions.allowVPNCreation = false` writes it"),
    not_own("no_config_bluetooth", "`restrictions.allowBluetoothModification = false` writes it"),
    not_own("no_config_tethering", "`restrictions.allowPersonalHotspotModification = false` writes it"),
    not_own("no_config_mobile_networks", "`restrictions.allowCellularPlanModification = false` writes it"),
    not_own("no_near_field_communication_radio", "`restrictions.allowNFC = false` writes it"),
    not_own("no_bluetooth_sharing", "`restrictions.allowAirDrop = false` writes it"),
    not_own("no_printing", "`restrictions.allowAirPrint = false` writes it"),
    not_own("no_config_wifi", "`restrictions.forceWiFiToAllowedNetworksOnly = true` writes it"),
    not_own("no_install_apps", "`restrictions.allowAppInstallation = false` writes it"),
    not_own("no_uninstall_apps", "`restrictions.allowAppRemoval = false` writes it"),
    not_own(
        "no_install_unknown_sources_globally",
        "`restrictions.allowEnterpriseAppTrust = false` writes it",
    ),
    not_own("no_sms", "`restrictions.allowChat = false` writes it"),
    not_own("no_autofill", "`restrictions.allowPasswordAutoFill = false` writes it"),
    not_own(
        "disallow_config_default_apps",
        "`restrictions.allowDefaultBrowserModification = false` writes it",
    ),
    not_own("no_safe_boot", "the agent always applies it by itself"),
    not_own("no_create_windows", "it would forbid the agent's own lock screen"),
    not_own("no_add_managed_profile", "Android ignores it where a device owner manages"),
    not_own("no_remove_managed_profile", "Android ignores it where a device owner manages"),
    not_own("allow_parent_profile_app_linking", "it is for work profiles, and a lent tablet has none"),
    not_own("no_sharing_into_profile", "it is for work profiles, and a lent tablet has none"),
    not_own("no_unified_password", "it is for work profiles, and a lent tablet has none"),
];

const fn field(key: &'static str, kind: Kind, stricter: Stricter) -> Entry {
    bare(Section::Android, key, kind, stricter).agent(Agent::Field(key))
}

const fn number(key: &'static str, smallest: i64, largest: i64) -> Entry {
    field(key, Kind::Number { smallest, largest }, Stricter::Unordered)
}

const fn boolean(key: &'static str, stricter: Stricter) -> Entry {
    field(key, Kind::Boolean, stricter)
}

const fn hour(key: &'static str) -> Entry {
    field(key, Kind::Text(Shape::Hour), Stricter::Unordered)
}

/// The fields of the agent's configuration that a layer may say.
pub(super) static FIELDS: &[Entry] = &[
    boolean("bluetooth", Stricter::Unordered),
    boolean("gps", Stricter::Unordered),
    boolean("mobileData", Stricter::Unordered),
    // `true` blocks, whatever the name says.
    boolean("usbStorage", Stricter::True),
    number("systemUpdateType", 0, 3),
    hour("systemUpdateFrom"),
    hour("systemUpdateTo"),
    hour("appUpdateFrom"),
    hour("appUpdateTo"),
    field("downloadUpdates", Kind::Choice(&["limited", "wifi"]), Stricter::OrderedList),
    boolean("autoBrightness", Stricter::Unordered),
    number("brightness", 0, 255),
    boolean("manageTimeout", Stricter::Unordered),
    field("timeout", Kind::Number { smallest: 15, largest: 3600 }, Stricter::Lower),
    boolean("lockVolume", Stricter::True),
    boolean("manageVolume", Stricter::Unordered),
    number("volume", 0, 100),
    field("appPermissions", Kind::Choice(&["asklocation", "denylocation", "askall"]), Stricter::Unordered),
    boolean("displayStatus", Stricter::Unordered),
    boolean("showWifi", Stricter::False),
    number("orientation", 0, 2),
    number("iconSize", 50, 200),
    field("backgroundColor", Kind::Text(Shape::Colour), Stricter::Unordered),
    field("textColor", Kind::Text(Shape::Colour), Stricter::Unordered),
    boolean("runDefaultLauncher", Stricter::Unordered),
    boolean("autostartForeground", Stricter::Unordered),
];

const fn not_field(key: &'static str, why: &'static str) -> Entry {
    bare(Section::Android, key, Kind::Boolean, Stricter::Unordered).never(why)
}

const PER_TABLET: &str = "it belongs to one tablet and is written when its configuration is sent";
const MOVES: &str = "it moves the tablet to another name or server, which enrolment does";
const COMMAND: &str = "it is a command: it is sent once, to one tablet, by whoever may";
const CHANNEL: &str = "how the agent is reached is the server's affair";
const PAID: &str = "the open agent ignores it: only the paid one has it";
const WRITTEN: &str = "it is written from the whole of the layers";
const UPLOADED: &str = "it is the address of an upload, which no layer names";

/// The fields that no layer may say, and why.
pub(super) static NOT_FIELDS: &[Entry] = &[
    not_field("factoryReset", "").never_by(RuleId::M3, "the tablet erases itself, without an erase order"),
    not_field("newNumber", MOVES),
    not_field("newServerUrl", MOVES),
    not_field("title", PER_TABLET),
    not_field("description", PER_TABLET),
    not_field("custom1", PER_TABLET),
    not_field("custom2", PER_TABLET),
    not_field("custom3", PER_TABLET),
    not_field("phone", PER_TABLET),
    not_field("imei", PER_TABLET),
    not_field("appName", PER_TABLET),
    not_field("vendor", PER_TABLET),
    not_field("password", "it opens the agent's own settings, and each tablet has a long random one"),
    not_field("reboot", COMMAND),
    not_field("lock", COMMAND),
    not_field("lockMessage", COMMAND),
    not_field("passwordReset", COMMAND),
    not_field("pushOptions", CHANNEL),
    not_field("keepaliveTime", CHANNEL),
    not_field("requestUpdates", "")
        .never_by(RuleId::C5_4_3, "it would locate the tablet without an incident"),
    not_field("disableLocation", "the agent declares it and never reads it"),
    not_field("scheduleAppUpdate", "the agent never reads it"),
    not_field("lockSafeSettings", PAID),
    not_field("permissive", PAID),
    not_field("kioskExit", PAID),
    not_field("kioskMode", PAID),
    not_field("mainApp", PAID),
    not_field("kioskHome", PAID),
    not_field("kioskRecents", PAID),
    not_field("kioskNotifications", PAID),
    not_field("kioskSystemInfo", PAID),
    not_field("kioskKeyguard", PAID),
    not_field("kioskLockButtons", PAID),
    not_field("kioskScreenOn", PAID),
    not_field("lockStatusBar", PAID),
    not_field("allowedClasses", PAID),
    not_field("backgroundImageUrl", UPLOADED),
    not_field("passwordMode", "it is written from `[passcode]`"),
    not_field("restrictions", "it is written from `[restrictions]` and `[android-restrictions]`"),
    not_field("disableScreenshots", "`restrictions.allowScreenShot = false` writes it"),
    not_field(
        "wifi",
        "`restrictions.forceWiFiPowerOn = true` writes it; kept off, the tablet could not be managed",
    ),
    not_field("timeZone", "`device.TimeZone` writes it"),
    not_field("applications", WRITTEN),
    not_field("applicationSettings", WRITTEN),
    not_field("files", WRITTEN),
    not_field("actions", WRITTEN),
];

/// Something on one of Android's wires that can erase a tablet (M3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AndroidErasingKey {
    /// Where: the open agent's configuration, or Google's management API.
    pub wire: &'static str,
    /// The field or method.
    pub key: &'static str,
    /// What it does.
    pub reason: &'static str,
}

const GOOGLE: &str = "Android Management API";

/// What can erase an Android tablet without an order. No layer can say any of it: beside Apple's
/// `apple::profile::ERASING_KEYS`, so that one test lists every key on any wire.
pub const ANDROID_ERASING_KEYS: &[AndroidErasingKey] = &[
    AndroidErasingKey {
        wire: "open agent",
        key: "factoryReset",
        reason: "the tablet erases itself as soon as the server confirms",
    },
    AndroidErasingKey {
        wire: GOOGLE,
        key: "maximumFailedPasswordsForWipe",
        reason: "the tablet erases itself after that many wrong passwords",
    },
    AndroidErasingKey {
        wire: GOOGLE,
        key: "wipeAction",
        reason: "the tablet erases itself after some days of breaking a rule",
    },
    AndroidErasingKey { wire: GOOGLE, key: "wipeAfterDays", reason: "it is when a wipe action takes effect" },
    AndroidErasingKey { wire: GOOGLE, key: "wipeParams", reason: "it comes with the command that erases" },
    AndroidErasingKey {
        wire: GOOGLE,
        key: "wipeDataFlags",
        reason: "it says what else an erasure takes with it",
    },
    AndroidErasingKey { wire: GOOGLE, key: "WIPE", reason: "the command that erases" },
    AndroidErasingKey { wire: GOOGLE, key: "wipeReason", reason: "it comes with the command that erases" },
    AndroidErasingKey {
        wire: GOOGLE,
        key: "localDeviceWipeCommand",
        reason: "it lets an app on the tablet erase it",
    },
    AndroidErasingKey {
        wire: GOOGLE,
        key: "wipeReasonMessage",
        reason: "it comes with the deletion of a device, which erases it",
    },
];
