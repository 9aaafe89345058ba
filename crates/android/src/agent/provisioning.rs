//! The code that sets a tablet up: six taps on its first screen, and it is scanned.
//!
//! What is written is the text of the code; drawing it is for whoever shows it. It holds an enrolment key and may hold the
//! password of a network: it is as secret as they are.

use serde::Serialize;
use types::{Secret, SerialNumber};

use super::configuration::NotAnAddress;
use super::key::{AgentKey, KeyKind};

/// The component that becomes device owner.
const COMPONENT: &str = "com.hmdm.launcher/com.hmdm.launcher.AdminReceiver";

/// How the tablet checks the agent that it downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// The SHA-256 of the file: another one for each version.
    OfFile([u8; 32]),
    /// The SHA-256 of the certificate that signed it: the same for all its versions.
    OfCertificate([u8; 32]),
}

/// A network that the tablet joins to be set up.
#[derive(Debug, Clone)]
pub struct Wifi {
    /// Its name.
    pub ssid: String,
    /// How one joins it.
    pub security: WifiSecurity,
}

/// How one joins a network.
#[derive(Debug, Clone)]
pub enum WifiSecurity {
    /// By nothing.
    Open,
    /// By a password.
    Wpa(Secret<String>),
}

/// What the tablet calls itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// Its serial number, which it knows from Android 12 on: a code for a whole class.
    Serial,
    /// This one: a code for one tablet.
    Of(SerialNumber),
}

/// What a code says.
#[derive(Debug, Clone)]
pub struct Provisioning {
    /// Where the agent is downloaded from.
    pub agent_url: String,
    /// How it is checked.
    pub checksum: Checksum,
    /// The network to join, if the tablet shall not ask.
    pub wifi: Option<Wifi>,
    /// The language, such as `fr_FR`.
    pub locale: String,
    /// The time zone, such as `Europe/Paris`.
    pub time_zone: String,
    /// Scheme, host and port of the server.
    pub origin: String,
    /// The key of the enrolment.
    pub key: AgentKey,
    /// What the tablet calls itself.
    pub number: Number,
}

/// Why there is no such code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotProvisioning {
    /// The server's address is none.
    #[error(transparent)]
    Address(#[from] NotAnAddress),
    /// The key is one tablet's.
    #[error("a code carries a key that enrols, never one that a tablet has already")]
    NotAnEnrolmentKey,
    /// The network's name or password is none.
    #[error("a network's name has 1 to 32 bytes, and its password 8 to 63 characters")]
    Wifi,
    /// The agent's address is none.
    #[error("the agent is downloaded from an address that begins with https:// or http://, without spaces")]
    AgentUrl,
    /// The language or time zone is none.
    #[error("a language is written fr_FR, and a time zone Europe/Paris")]
    Place,
    /// It could not be written.
    #[error("the code could not be written: {0}")]
    Json(String),
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "android.app.extra.PROVISIONING_DEVICE_ADMIN_COMPONENT_NAME")]
    component: &'static str,
    #[serde(rename = "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_DOWNLOAD_LOCATION")]
    agent_url: &'a str,
    #[serde(
        rename = "android.app.extra.PROVISIONING_DEVICE_ADMIN_PACKAGE_CHECKSUM",
        skip_serializing_if = "Option::is_none"
    )]
    file: Option<String>,
    #[serde(
        rename = "android.app.extra.PROVISIONING_DEVICE_ADMIN_SIGNATURE_CHECKSUM",
        skip_serializing_if = "Option::is_none"
    )]
    certificate: Option<String>,
    #[serde(rename = "android.app.extra.PROVISIONING_WIFI_SSID", skip_serializing_if = "Option::is_none")]
    ssid: Option<&'a str>,
    #[serde(
        rename = "android.app.extra.PROVISIONING_WIFI_SECURITY_TYPE",
        skip_serializing_if = "Option::is_none"
    )]
    security: Option<&'static str>,
    #[serde(
        rename = "android.app.extra.PROVISIONING_WIFI_PASSWORD",
        skip_serializing_if = "Option::is_none"
    )]
    password: Option<&'a str>,
    #[serde(rename = "android.app.extra.PROVISIONING_LOCALE")]
    locale: &'a str,
    #[serde(rename = "android.app.extra.PROVISIONING_TIME_ZONE")]
    time_zone: &'a str,
    #[serde(rename = "android.app.extra.PROVISIONING_LEAVE_ALL_SYSTEM_APPS_ENABLED")]
    system_apps: bool,
    #[serde(rename = "android.app.extra.PROVISIONING_ADMIN_EXTRAS_BUNDLE")]
    bundle: Bundle<'a>,
}

#[derive(Serialize)]
struct Bundle<'a> {
    #[serde(rename = "com.hmdm.BASE_URL")]
    base_url: &'a str,
    #[serde(rename = "com.hmdm.SERVER_PROJECT")]
    project: &'a str,
    #[serde(rename = "com.hmdm.DEVICE_ID", skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(rename = "com.hmdm.DEVICE_ID_USE", skip_serializing_if = "Option::is_none")]
    device_id_use: Option<&'static str>,
}

impl Provisioning {
    /// The text of the code.
    ///
    /// # Errors
    /// Something in it is not what a tablet takes.
    pub fn text(&self) -> Result<Secret<String>, NotProvisioning> {
        self.check()?;
        let (ssid, security, password) = match &self.wifi {
            None => (None, None, None),
            Some(Wifi { ssid, security: WifiSecurity::Open }) => (Some(ssid.as_str()), Some("NONE"), None),
            Some(Wifi { ssid, security: WifiSecurity::Wpa(password) }) => {
                (Some(ssid.as_str()), Some("WPA"), Some(password.expose().as_str()))
            }
        };
        let (file, certificate) = match &self.checksum {
            Checksum::OfFile(digest) => (Some(url_safe(digest)), None),
            Checksum::OfCertificate(digest) => (None, Some(url_safe(digest))),
        };
        let (device_id, device_id_use) = match &self.number {
            Number::Serial => (None, Some("serial")),
            Number::Of(serial) => (Some(serial.as_str()), None),
        };
        let written = Written {
            component: COMPONENT,
            agent_url: &self.agent_url,
            file,
            certificate,
            ssid,
            security,
            password,
            locale: &self.locale,
            time_zone: &self.time_zone,
            system_apps: true,
            bundle: Bundle {
                base_url: &self.origin,
                project: self.key.segment().expose(),
                device_id,
                device_id_use,
            },
        };
        let text = serde_json::to_string(&written);
        text.map(Secret::new).map_err(|error| NotProvisioning::Json(error.to_string()))
    }

    fn check(&self) -> Result<(), NotProvisioning> {
        if !super::configuration::is_origin(&self.origin) {
            return Err(NotAnAddress::NotAnOrigin.into());
        }
        if self.key.kind() != KeyKind::Enrolment {
            return Err(NotProvisioning::NotAnEnrolmentKey);
        }
        let web = ["https://", "http://"].iter().any(|scheme| self.agent_url.starts_with(scheme));
        if !web || self.agent_url.len() > 1_024 || self.agent_url.contains(char::is_whitespace) {
            return Err(NotProvisioning::AgentUrl);
        }
        if let Some(wifi) = &self.wifi {
            let named = (1..=32).contains(&wifi.ssid.len());
            let joined = match &wifi.security {
                WifiSecurity::Open => true,
                WifiSecurity::Wpa(password) => (8..=63).contains(&password.expose().chars().count()),
            };
            if !named || !joined {
                return Err(NotProvisioning::Wifi);
            }
        }
        let plain = |text: &str, extra: &[u8]| {
            let all = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte));
            (2..=64).contains(&text.len()) && all
        };
        if plain(&self.locale, b"_") && plain(&self.time_zone, b"/_+-") {
            Ok(())
        } else {
            Err(NotProvisioning::Place)
        }
    }
}

/// Base64 of a digest with `-` and `_`, and with its padding.
fn url_safe(digest: &[u8; 32]) -> String {
    let text = openssl::base64::encode_block(digest);
    text.replace('+', "-").replace('/', "_")
}

#[cfg(test)]
mod tests {
    use super::super::key::KEY_BYTES;
    use super::*;

    /// The code of the facts, on one line: `vectors/provisioning.json`.
    const GOLDEN: &str = include_str!("../../vectors/provisioning.json");

    fn provisioning() -> Provisioning {
        let password = Secret::new("mot de passe".to_owned());
        Provisioning {
            agent_url: "https://mdm.ecole.example/agent/hmdm.apk".to_owned(),
            checksum: Checksum::OfCertificate([0xFB; 32]),
            wifi: Some(Wifi { ssid: "ECOLE".to_owned(), security: WifiSecurity::Wpa(password) }),
            locale: "fr_FR".to_owned(),
            time_zone: "Europe/Paris".to_owned(),
            origin: "https://mdm.ecole.example".to_owned(),
            key: AgentKey::new(KeyKind::Enrolment, &[0x7A; KEY_BYTES]),
            number: Number::Serial,
        }
    }

    fn text(provisioning: &Provisioning) -> String {
        provisioning.text().unwrap().expose().clone()
    }

    #[test]
    fn a_code_is_written_byte_for_byte_as_the_golden_one() {
        assert_eq!(text(&provisioning()), GOLDEN.trim_end());
    }

    #[test]
    fn a_checksum_is_of_the_file_or_of_the_certificate_with_its_padding() {
        // SHA-256 of nothing.
        let digest = openssl::sha::sha256(b"");
        assert_eq!(url_safe(&digest), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=");
        let of_file = text(&Provisioning { checksum: Checksum::OfFile(digest), ..provisioning() });
        assert!(of_file.contains("PACKAGE_CHECKSUM\":\"47DEQ") && !of_file.contains("SIGNATURE_CHECKSUM"));
    }

    #[test]
    fn a_code_for_one_tablet_names_it_and_one_without_a_network_names_none() {
        let number = Number::Of("R52T40ABCDE".parse().unwrap());
        let text = text(&Provisioning { number, wifi: None, ..provisioning() });
        assert!(text.contains(r#""com.hmdm.DEVICE_ID":"R52T40ABCDE""#) && !text.contains("DEVICE_ID_USE"));
        assert!(!text.contains("WIFI"));
    }

    #[test]
    fn what_no_tablet_takes_makes_no_code() {
        let refused = |change: fn(&mut Provisioning)| {
            let mut changed = provisioning();
            change(&mut changed);
            changed.text().unwrap_err()
        };
        let tablets = refused(|code| code.key = AgentKey::new(KeyKind::Tablet, &[1; KEY_BYTES]));
        assert_eq!(tablets, NotProvisioning::NotAnEnrolmentKey);
        let path = refused(|code| code.origin.push_str("/mdm"));
        assert_eq!(path, NotProvisioning::Address(NotAnAddress::NotAnOrigin));
        assert_eq!(refused(|code| code.agent_url = "file:///a".to_owned()), NotProvisioning::AgentUrl);
        assert_eq!(refused(|code| code.agent_url.push(' ')), NotProvisioning::AgentUrl);
        assert_eq!(refused(|code| code.locale = "fr\"FR".to_owned()), NotProvisioning::Place);
        let short = refused(|code| {
            let security = WifiSecurity::Wpa(Secret::new("court".to_owned()));
            code.wifi = Some(Wifi { ssid: "ECOLE".to_owned(), security });
        });
        assert_eq!(short, NotProvisioning::Wifi);
    }

    #[test]
    fn t_c11_a_code_shows_neither_its_key_nor_its_password() {
        let shown = format!("{:?}", provisioning());
        assert!(!shown.contains("mot de passe") && !shown.contains("7a7a"), "{shown}");
    }
}
