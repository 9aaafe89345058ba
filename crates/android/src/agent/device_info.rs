//! What a tablet tells of itself, on its own and with each confirmation.
//!
//! The agent also sends telephone numbers and the numbers of modem and SIM card. They identify people, and nothing here needs
//! them (C3.1.6): they are not read. Where the tablet is comes with every report, whether or not it was asked: it is dropped
//! while the body is read, unless a live warrant says otherwise (C5.4.3, M1).

use std::fmt;

use types::{Instant, Secret, SerialNumber};

use crate::json::{self, Fields, Limits};
use crate::{ApiLevel, WireError};

/// Whether a position that a tablet volunteers is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locating {
    /// No warrant is live: whatever it says of where it is, is dropped.
    Never,
    /// A warrant is live.
    UnderWarrant,
}

/// What a tablet tells of itself. Claims, not proofs: the key in the path says which tablet it is.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceInfo {
    /// The number it calls itself by.
    pub device_id: Option<String>,
    /// Its serial number, if it is one.
    pub serial: Option<SerialNumber>,
    /// Its model.
    pub model: Option<String>,
    /// Its version of Android, as it says it.
    pub android_version: Option<String>,
    /// Its processor.
    pub cpu: Option<String>,
    /// What the agent may do.
    pub permissions: Permissions,
    /// Whether the agent is device owner.
    pub device_owner: bool,
    /// Its battery, in percent.
    pub battery: Option<u8>,
    /// On a confirmation of a wipe: whether the agent is device administrator, and so can wipe.
    pub can_wipe: Option<bool>,
    /// Whether the agent is the launcher; if not, it works in the background and shows nothing.
    pub default_launcher: bool,
    /// The launcher.
    pub launcher: Option<String>,
    /// The apps of its configuration that are installed. There is no list of the others.
    pub apps: Vec<ReportedApp>,
    /// The files of its configuration that are there.
    pub files: Vec<ReportedFile>,
    /// Where it is, if it may be read and can be true.
    pub position: Option<Volunteered>,
}

/// What the agent may do on the tablet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// It is device administrator.
    pub administrator: bool,
    /// It may draw over other apps.
    pub overlay: bool,
    /// It may see which app is used.
    pub usage: bool,
    /// It is an accessibility service.
    pub accessibility: bool,
}

/// An installed app of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedApp {
    /// Its package.
    pub package: String,
    /// Its version.
    pub version: Option<String>,
}

/// A file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedFile {
    /// Where it lies.
    pub path: String,
}

/// A position, which shows itself in no log.
#[derive(Clone, PartialEq)]
pub struct Volunteered(Position);

/// Where a tablet is, and when it last knew.
#[derive(Clone, Copy, PartialEq)]
pub struct Position {
    /// When, as the tablet's clock has it.
    pub at: Instant,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

impl Volunteered {
    /// The position itself.
    #[must_use]
    pub const fn expose(&self) -> &Position {
        &self.0
    }
}

impl fmt::Debug for Volunteered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The most characters that are kept of a name.
const NAME: usize = 128;
/// The most characters that are kept of a path.
const PATH: usize = 512;
/// The most apps that are kept: more than a configuration holds.
pub(crate) const MOST_APPS: usize = 512;
/// The most files that are kept.
pub(crate) const MOST_FILES: usize = 256;

impl DeviceInfo {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not acceptable JSON, or a key has the wrong type.
    pub fn parse(bytes: &[u8], locating: Locating) -> Result<Self, WireError> {
        let value = json::parse(bytes, Limits::DEVICE_INFO)?;
        let fields = Fields::of(&value)?;
        let serial = fields.text("serial", NAME)?;
        let battery = fields.integer("batteryLevel")?;
        Ok(Self {
            device_id: fields.text("deviceId", NAME)?,
            serial: serial.and_then(|serial| serial.parse().ok()),
            model: fields.text("model", NAME)?,
            android_version: fields.text("androidVersion", NAME)?,
            cpu: fields.text("cpu", NAME)?,
            permissions: permissions(&fields)?,
            device_owner: fields.flag("mdmMode")?.unwrap_or(false),
            battery: battery.and_then(|level| u8::try_from(level).ok()).filter(|level| *level <= 100),
            can_wipe: fields.flag("factoryReset")?,
            default_launcher: fields.flag("defaultLauncher")?.unwrap_or(false),
            launcher: fields.text("launcherPackage", NAME)?,
            apps: fields.list("applications", MOST_APPS, |item| {
                let app = Fields::of(item)?;
                let package = app.text("pkg", NAME)?.ok_or_else(|| WireError::missing("pkg"))?;
                Ok(ReportedApp { package, version: app.text("version", NAME)? })
            })?,
            files: fields.list("files", MOST_FILES, |item| {
                let path = Fields::of(item)?.text("path", PATH)?.ok_or_else(|| WireError::missing("path"))?;
                Ok(ReportedFile { path })
            })?,
            position: match locating {
                Locating::Never => None,
                Locating::UnderWarrant => position(&fields)?,
            },
        })
    }

    /// The version of Android that it says it runs, if the agent runs on such a one.
    #[must_use]
    pub fn api_level(&self) -> Option<ApiLevel> {
        self.android_version.as_deref().and_then(|version| version.parse().ok())
    }
}

fn permissions(fields: &Fields<'_>) -> Result<Permissions, WireError> {
    let said = fields.list("permissions", 4, |item| json::flag("", item))?;
    let mut said = said.into_iter();
    let mut next = || said.next().unwrap_or(false);
    Ok(Permissions { administrator: next(), overlay: next(), usage: next(), accessibility: next() })
}

/// A position that can be one: on the globe, and dated (T-A23). Anything else is none.
fn position(fields: &Fields<'_>) -> Result<Option<Volunteered>, WireError> {
    let Some(location) = fields.inner("location")? else { return Ok(None) };
    let at = location.integer("ts").map_err(|error| error.within("location"))?;
    let latitude = location.number("lat").map_err(|error| error.within("location"))?;
    let longitude = location.number("lon").map_err(|error| error.within("location"))?;
    let (Some(at), Some(latitude), Some(longitude)) = (at, latitude, longitude) else { return Ok(None) };
    let on_the_globe = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    // Nowhere is where receivers are that know nothing.
    let somewhere = latitude != 0.0 || longitude != 0.0;
    let position = Position { at: Instant::from_millis(at), latitude, longitude };
    Ok((on_the_globe && somewhere && at > 0).then_some(Volunteered(position)))
}

/// A secret of what was volunteered, to be stored encrypted.
impl From<Volunteered> for Secret<String> {
    fn from(volunteered: Volunteered) -> Self {
        let Position { at, latitude, longitude } = volunteered.0;
        Self::new(format!("{},{latitude},{longitude}", at.as_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"model":"SM-X200","permissions":[1,0,1,0],
        "applications":[{"type":"app","name":"Lecture","pkg":"org.exemple.lecture","version":"2.1","code":null,
        "showIcon":false,"remove":false}],"files":[{"path":"/Documents/regles.pdf","lastUpdate":0}],
        "deviceId":"R52T40ABCDE","phone":"+33600000000","imei":"350000000000000","mdmMode":true,"kioskMode":false,
        "batteryLevel":81,"androidVersion":"13","location":{"ts":1795471200000,"lat":49.44,"lon":1.09},
        "launcherType":"opensource","launcherPackage":"com.hmdm.launcher","defaultLauncher":true,"cpu":"arm64-v8a",
        "serial":"R52T40ABCDE","iccid":"8933000000000000000","custom1":"x"}"#;

    fn parse(text: &str, locating: Locating) -> Result<DeviceInfo, WireError> {
        DeviceInfo::parse(text.as_bytes(), locating)
    }

    #[test]
    fn a_report_of_the_agent_is_read() {
        let info = parse(REPORT, Locating::Never).unwrap();
        assert_eq!(info.serial.as_ref().map(SerialNumber::as_str), Some("R52T40ABCDE"));
        assert_eq!(info.api_level().map(ApiLevel::number), Some(33));
        assert_eq!(info.battery, Some(81));
        assert!(info.device_owner && info.default_launcher);
        let permissions =
            Permissions { administrator: true, overlay: false, usage: true, accessibility: false };
        assert_eq!(info.permissions, permissions);
        let package = "org.exemple.lecture".to_owned();
        assert_eq!(info.apps, [ReportedApp { package, version: Some("2.1".to_owned()) }]);
        assert_eq!(info.files, [ReportedFile { path: "/Documents/regles.pdf".to_owned() }]);
        assert_eq!(info.can_wipe, None);
    }

    #[test]
    fn m1_a_position_that_nobody_may_read_is_dropped_and_never_shown() {
        assert_eq!(parse(REPORT, Locating::Never).unwrap().position, None);
        let info = parse(REPORT, Locating::UnderWarrant).unwrap();
        let position = info.position.as_ref().unwrap().expose();
        assert_eq!((position.latitude, position.longitude), (49.44, 1.09));
        assert!(!format!("{info:?}").contains("49.44"));
    }

    #[test]
    fn c3_1_6_numbers_that_identify_people_are_not_read() {
        let shown = format!("{:?}", parse(REPORT, Locating::UnderWarrant).unwrap());
        for number in ["+33600000000", "350000000000000", "8933000000000000000"] {
            assert!(!shown.contains(number), "{number}");
        }
    }

    #[test]
    fn t_a23_a_position_that_cannot_be_is_none() {
        let at = |location: &str| {
            parse(&format!(r#"{{"location":{location}}}"#), Locating::UnderWarrant)
                .map(|info| info.position.is_some())
        };
        assert_eq!(at(r#"{"ts":1,"lat":90,"lon":-180}"#), Ok(true));
        for location in [
            r#"{"ts":1,"lat":91,"lon":1}"#,
            r#"{"ts":1,"lat":1,"lon":180.1}"#,
            r#"{"ts":0,"lat":1,"lon":1}"#,
            r#"{"ts":-5,"lat":1,"lon":1}"#,
            r#"{"ts":1,"lat":0,"lon":0}"#,
            r#"{"ts":1,"lat":1}"#,
            "null",
        ] {
            assert_eq!(at(location), Ok(false), "{location}");
        }
        for location in [r#"{"ts":1,"lat":"1","lon":1}"#, "[]", r#"{"ts":1e400,"lat":1,"lon":1}"#] {
            assert!(at(location).is_err(), "{location}");
        }
    }

    #[test]
    fn t_a17_what_is_kept_of_a_report_is_bounded_and_odd_values_are_none() {
        let apps = vec![r#"{"pkg":"a"}"#; MOST_APPS + 9].join(",");
        let text = format!(
            r#"{{"model":"{}","batteryLevel":900,"serial":"<img>","permissions":[1,1,1,1,1,1],"applications":[{apps}]}}"#,
            "x".repeat(9_000)
        );
        let info = parse(&text, Locating::Never).unwrap();
        assert_eq!((info.model.unwrap().len(), info.apps.len()), (NAME, MOST_APPS));
        assert_eq!((info.battery, info.serial), (None, None));
        let error = parse(r#"{"applications":[{}]}"#, Locating::Never).unwrap_err();
        assert_eq!(error.to_string(), "the key `applications.pkg` is missing");
        assert_eq!(parse("{}", Locating::Never).unwrap().api_level(), None);
    }
}
