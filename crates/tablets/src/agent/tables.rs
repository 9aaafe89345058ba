//! The fields that the agent reads, and the types of its Java classes.

/// A type of Java's, as the agent's JSON library fills it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Java {
    Text,
    /// `Boolean`, which may be null.
    Flag,
    /// `boolean`, for which null is false.
    Bare,
    Integer,
    Long,
    List(&'static [(&'static str, Java)]),
}

use Java::{Bare, Flag, Integer, List, Long, Text};

pub(super) const CONFIG: &[(&str, Java)] = &[
    ("newNumber", Text),
    ("newServerUrl", Text),
    ("title", Text),
    ("description", Text),
    ("custom1", Text),
    ("custom2", Text),
    ("custom3", Text),
    ("appName", Text),
    ("vendor", Text),
    ("backgroundColor", Text),
    ("textColor", Text),
    ("backgroundImageUrl", Text),
    ("iconSize", Integer),
    ("displayStatus", Bare),
    ("phone", Text),
    ("imei", Text),
    ("orientation", Integer),
    ("password", Text),
    ("lockSafeSettings", Bare),
    ("permissive", Bare),
    ("kioskExit", Bare),
    ("showWifi", Bare),
    ("bluetooth", Flag),
    ("wifi", Flag),
    ("gps", Flag),
    ("mobileData", Flag),
    ("usbStorage", Flag),
    ("systemUpdateType", Integer),
    ("systemUpdateFrom", Text),
    ("systemUpdateTo", Text),
    ("appUpdateFrom", Text),
    ("appUpdateTo", Text),
    ("downloadUpdates", Text),
    ("autoBrightness", Flag),
    ("brightness", Integer),
    ("manageTimeout", Flag),
    ("timeout", Integer),
    ("lockVolume", Flag),
    ("manageVolume", Flag),
    ("volume", Integer),
    ("disableScreenshots", Bare),
    ("timeZone", Text),
    ("autostartForeground", Bare),
    ("passwordMode", Text),
    ("restrictions", Text),
    ("appPermissions", Text),
    ("disableLocation", Flag),
    ("requestUpdates", Text),
    ("factoryReset", Flag),
    ("reboot", Flag),
    ("lock", Flag),
    ("lockMessage", Text),
    ("passwordReset", Text),
    ("pushOptions", Text),
    ("keepaliveTime", Integer),
    ("runDefaultLauncher", Flag),
    ("kioskMode", Flag),
    ("mainApp", Text),
    ("allowedClasses", Text),
    ("applications", List(APPLICATION)),
    ("applicationSettings", List(SETTING)),
    ("files", List(FILE)),
    ("actions", List(ACTION)),
];

const APPLICATION: &[(&str, Java)] = &[
    ("type", Text),
    ("name", Text),
    ("pkg", Text),
    ("version", Text),
    ("code", Integer),
    ("url", Text),
    ("useKiosk", Bare),
    ("showIcon", Bare),
    ("remove", Bare),
    ("runAfterInstall", Bare),
    ("runAtBoot", Bare),
    ("skipVersion", Bare),
    ("iconText", Text),
    ("icon", Text),
    ("screenOrder", Integer),
    ("keyCode", Integer),
    ("bottom", Bare),
    ("longTap", Bare),
    ("intent", Text),
];

const SETTING: &[(&str, Java)] = &[
    ("packageId", Text),
    ("name", Text),
    ("type", Integer),
    ("value", Text),
    ("readOnly", Bare),
    ("lastUpdate", Long),
    ("variable", Bare),
];

const FILE: &[(&str, Java)] = &[
    ("path", Text),
    ("url", Text),
    ("lastUpdate", Long),
    ("checksum", Text),
    ("remove", Bare),
    ("varContent", Bare),
    ("description", Text),
];

const ACTION: &[(&str, Java)] = &[
    ("action", Text),
    ("categories", Text),
    ("packageId", Text),
    ("activity", Text),
    ("schemes", Text),
    ("hosts", Text),
    ("mimeTypes", Text),
];

pub(super) const LOG_RULE: &[(&str, Java)] = &[("packageId", Text), ("logLevel", Integer), ("filter", Text)];

pub(super) const PUSH: &[(&str, Java)] = &[("messageType", Text), ("payload", Text)];
