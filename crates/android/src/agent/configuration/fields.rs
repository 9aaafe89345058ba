//! Every field that the agent knows: its shape, and whose it is.

use serde_json::Value;

use super::items::{Action, Application, FileItem, Setting, items};
use super::{NotSendable, Written};

/// What the agent expects in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text of at most so many characters.
    Text(usize),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A time of day: `HH:mm`.
    Hour,
    /// Names of Android's restrictions, joined by commas.
    Restrictions,
    /// True or false.
    Flag,
    /// A whole number within bounds.
    Integer(i32, i32),
    /// Apps.
    Applications,
    /// Settings of apps, and of the agent itself.
    Settings,
    /// Files.
    Files,
    /// What opens what.
    Actions,
}

/// Whose a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// What layers decide.
    Layers,
    /// What belongs to one tablet, or to the way it is reached.
    Tablet,
    /// What it is told once, under the rules of commands.
    Command,
    /// The published agent reads and ignores it: only the paid one has it.
    Paid,
    /// It is never sent.
    Nobody,
}

impl Of {
    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::Layers => "it is",
            Self::Tablet => "it belongs to one tablet",
            Self::Command => "it is a command, which is queued and confirmed",
            Self::Paid => "only the paid agent has it",
            Self::Nobody => "it is never sent",
        }
    }
}

/// A field of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What the agent expects in it.
    pub shape: Shape,
    /// Whose it is.
    pub of: Of,
}

const fn layers(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, of: Of::Layers }
}

const fn tablet(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, of: Of::Tablet }
}

const fn command(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, of: Of::Command }
}

const fn paid(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, of: Of::Paid }
}

const fn nobody(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, of: Of::Nobody }
}

/// A name that people read.
const NAME: Shape = Shape::Text(128);
/// An address.
const URL: Shape = Shape::Text(1_024);

/// Every field, in the order in which they are written.
pub const FIELDS: &[Field] = &[
    nobody("newNumber", NAME),
    tablet("newServerUrl", URL),
    tablet("password", Shape::Text(32)),
    tablet("pushOptions", Shape::Choice(&["polling"])),
    tablet("keepaliveTime", Shape::Integer(30, 3_600)),
    tablet("permissive", Shape::Flag),
    tablet("kioskMode", Shape::Flag),
    tablet("kioskExit", Shape::Flag),
    layers("showWifi", Shape::Flag),
    layers("displayStatus", Shape::Flag),
    tablet("title", NAME),
    tablet("description", NAME),
    nobody("custom1", NAME),
    nobody("custom2", NAME),
    nobody("custom3", NAME),
    nobody("appName", NAME),
    nobody("vendor", NAME),
    nobody("phone", NAME),
    nobody("imei", NAME),
    layers("backgroundColor", Shape::Text(7)),
    layers("textColor", Shape::Text(7)),
    nobody("backgroundImageUrl", URL),
    layers("iconSize", Shape::Integer(20, 400)),
    layers("orientation", Shape::Integer(0, 2)),
    nobody("lockSafeSettings", Shape::Flag),
    layers("bluetooth", Shape::Flag),
    layers("wifi", Shape::Flag),
    layers("gps", Shape::Flag),
    layers("mobileData", Shape::Flag),
    // `true` blocks, whatever the name says.
    layers("usbStorage", Shape::Flag),
    layers("systemUpdateType", Shape::Integer(0, 3)),
    layers("systemUpdateFrom", Shape::Hour),
    layers("systemUpdateTo", Shape::Hour),
    layers("appUpdateFrom", Shape::Hour),
    layers("appUpdateTo", Shape::Hour),
    nobody("scheduleAppUpdate", Shape::Flag),
    layers("downloadUpdates", Shape::Choice(&["limited", "wifi"])),
    layers("autoBrightness", Shape::Flag),
    layers("brightness", Shape::Integer(0, 255)),
    layers("manageTimeout", Shape::Flag),
    layers("timeout", Shape::Integer(1, 86_400)),
    layers("lockVolume", Shape::Flag),
    layers("manageVolume", Shape::Flag),
    layers("volume", Shape::Integer(0, 100)),
    layers("disableScreenshots", Shape::Flag),
    layers("autostartForeground", Shape::Flag),
    layers("passwordMode", Shape::Choice(&["present", "easy", "moderate", "strong"])),
    layers("timeZone", Shape::Text(64)),
    layers("restrictions", Shape::Restrictions),
    layers("appPermissions", Shape::Choice(&["asklocation", "denylocation", "askall"])),
    nobody("disableLocation", Shape::Flag),
    // It makes the tablet look for where it is: a warrant, and nothing else, sets it (C5.4.3).
    tablet("requestUpdates", Shape::Choice(&["network", "gps"])),
    command("factoryReset", Shape::Flag),
    command("reboot", Shape::Flag),
    command("passwordReset", Shape::Text(16)),
    tablet("lock", Shape::Flag),
    tablet("lockMessage", Shape::Text(200)),
    layers("runDefaultLauncher", Shape::Flag),
    paid("mainApp", NAME),
    paid("kioskHome", Shape::Flag),
    paid("kioskRecents", Shape::Flag),
    paid("kioskNotifications", Shape::Flag),
    paid("kioskSystemInfo", Shape::Flag),
    paid("kioskKeyguard", Shape::Flag),
    paid("kioskLockButtons", Shape::Flag),
    paid("kioskScreenOn", Shape::Flag),
    paid("lockStatusBar", Shape::Flag),
    paid("allowedClasses", NAME),
    layers("applications", Shape::Applications),
    layers("applicationSettings", Shape::Settings),
    layers("files", Shape::Files),
    layers("actions", Shape::Actions),
];

pub(super) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// A value of the shape that its field wants. The agent coerces some others; whoever writes them is mistaken all the same.
pub(super) fn checked(field: &Field, value: &Value) -> Result<Written, NotSendable> {
    let choke = |expected: &'static str| NotSendable::Choke { field: field.name, expected };
    let text = |most: usize, expected: &'static str| match value.as_str() {
        Some(text) if text.chars().count() <= most && !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(choke(expected)),
    };
    let written = match field.shape {
        Shape::Text(most) => Written::Text(text(most, "a text that is short enough")?),
        Shape::Choice(choices) => {
            let expected = "one of the texts that the agent knows";
            Written::Text(text(32, expected).and_then(|text| {
                if choices.contains(&text.as_str()) { Ok(text) } else { Err(choke(expected)) }
            })?)
        }
        Shape::Hour => {
            let expected = "a time of day such as 01:00";
            let hour = text(5, expected)?;
            if is_hour(&hour) { Written::Text(hour) } else { return Err(choke(expected)) }
        }
        Shape::Restrictions => {
            let expected = "names of restrictions, joined by commas";
            let names = text(4_096, expected)?;
            let is_name = |name: &str| {
                !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || b"_2g".contains(&byte))
            };
            if names.is_empty() || names.split(',').all(is_name) {
                Written::Text(names)
            } else {
                return Err(choke(expected));
            }
        }
        Shape::Flag => Written::Flag(value.as_bool().ok_or_else(|| choke("true or false"))?),
        Shape::Integer(least, most) => {
            let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
            let number = number.filter(|number| (least..=most).contains(number));
            Written::Integer(number.ok_or_else(|| choke("a whole number within its bounds"))?)
        }
        Shape::Applications => Written::Applications(items::<Application>(field.name, value)?),
        Shape::Settings => Written::Settings(items::<Setting>(field.name, value)?),
        Shape::Files => Written::Files(items::<FileItem>(field.name, value)?),
        Shape::Actions => Written::Actions(items::<Action>(field.name, value)?),
    };
    Ok(written)
}

/// `HH:mm`, and nothing shorter or longer.
fn is_hour(text: &str) -> bool {
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u8>().ok()).flatten()
    };
    let parts = text.split_once(':').map(|(hour, minute)| (number(hour), number(minute)));
    matches!(parts, Some((Some(0..=23), Some(0..=59))))
}
