//! The refusals that Apple defines: the JSON bodies of a 403.

use crate::os_version::OsVersion;

/// The content type that these bodies need; without it tablets ignore them.
pub const CONTENT_TYPE: &str = "application/json";

/// A body of a 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// **Unenrols the tablet.** Only for a proven certificate whose enrolment we ended on purpose (rule M4).
    UnrecognizedDevice {
        /// For the tablet's log.
        description: Option<String>,
        /// For the user.
        message: Option<String>,
    },
    /// The tablet must update before it enrols; only if its MachineInfo says that it can be asked.
    SoftwareUpdateRequired {
        /// The version it needs.
        os_version: OsVersion,
        /// The build it needs, if one in particular.
        build_version: Option<String>,
        /// For the user.
        message: Option<String>,
    },
}

impl Refusal {
    /// The body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut body = serde_json::Map::new();
        let mut put = |key: &str, value: Option<&String>| {
            if let Some(value) = value {
                body.insert(key.to_owned(), serde_json::Value::from(value.as_str()));
            }
        };
        match self {
            Self::UnrecognizedDevice { description, message } => {
                put("code", Some(&"com.apple.unrecognized.device".to_owned()));
                put("description", description.as_ref());
                put("message", message.as_ref());
            }
            Self::SoftwareUpdateRequired { os_version, build_version, message } => {
                put("code", Some(&"com.apple.softwareupdate.required".to_owned()));
                put("message", message.as_ref());
                let mut details = serde_json::Map::new();
                details.insert("OSVersion".to_owned(), os_version.to_string().into());
                if let Some(build) = build_version {
                    details.insert("BuildVersion".to_owned(), build.as_str().into());
                }
                body.insert("details".to_owned(), details.into());
            }
        }
        serde_json::Value::Object(body).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(refusal: &Refusal) -> serde_json::Value {
        serde_json::from_slice(&refusal.to_json()).unwrap()
    }

    #[test]
    fn an_unrecognized_device_is_told_with_apples_code() {
        let body = json(&Refusal::UnrecognizedDevice {
            description: None,
            message: Some("Cette tablette a été rendue.".to_owned()),
        });
        assert_eq!(
            body,
            serde_json::json!({"code": "com.apple.unrecognized.device", "message": "Cette tablette a été rendue."})
        );
    }

    #[test]
    fn an_old_system_is_told_which_version_it_needs() {
        let body = json(&Refusal::SoftwareUpdateRequired {
            os_version: OsVersion::new(26, 4),
            build_version: Some("23E246".to_owned()),
            message: None,
        });
        assert_eq!(
            body,
            serde_json::json!({
                "code": "com.apple.softwareupdate.required",
                "details": {"OSVersion": "26.4", "BuildVersion": "23E246"},
            })
        );
    }
}
