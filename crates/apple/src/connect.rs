//! What a tablet reports to the connect URL: that it is idle, or what became of a command.

use std::fmt;
use std::str::FromStr;

use types::Udid;

pub use crate::parts::ErrorLink;
use crate::plist::{self, Dictionary, Limits};
use crate::wire::{Raw, WireError, bounded, message};

/// The keys that every report may have, whatever it answers.
pub(crate) const ENVELOPE: [&str; 11] = [
    "Status",
    "UDID",
    "EnrollmentID",
    "EnrollmentUserID",
    "UserID",
    "UserShortName",
    "UserLongName",
    "NotOnConsole",
    "CommandUUID",
    "RequestType",
    "ErrorChain",
];

/// What became of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing to report: the tablet asks for the next command.
    Idle,
    /// The command was accepted; for most kinds, carried out.
    Acknowledged,
    /// The command failed: see the error chain.
    Error,
    /// The command was not understood.
    CommandFormatError,
    /// The tablet is locked or busy; it comes back by itself, and the command is to be sent again.
    NotNow,
}

impl Status {
    /// Every status.
    pub const ALL: &'static [Self] =
        &[Self::Idle, Self::Acknowledged, Self::Error, Self::CommandFormatError, Self::NotNow];

    /// Its name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "Idle",
            Self::Acknowledged => "Acknowledged",
            Self::Error => "Error",
            Self::CommandFormatError => "CommandFormatError",
            Self::NotNow => "NotNow",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = WireError;

    fn from_str(name: &str) -> Result<Self, WireError> {
        Self::ALL
            .iter()
            .copied()
            .find(|status| status.as_str() == name)
            .ok_or_else(|| WireError::UnknownStatus { name: bounded(name) })
    }
}

/// A report.
#[derive(Debug, Clone)]
pub struct Report {
    /// The tablet, unless this is a user enrolment. What the report claims, not what is proven (T-A1).
    pub udid: Option<Udid>,
    /// The enrolment, if this is a user enrolment.
    pub enrollment_id: Option<String>,
    /// The user, on the user channel of a Shared iPad: then this is not the tablet's own report.
    pub user_id: Option<String>,
    /// What became of the command.
    pub status: Status,
    /// Which command; absent when idle.
    pub command_uuid: Option<String>,
    /// Why it failed, outermost first.
    pub error_chain: Vec<ErrorLink>,
    /// The kind of command, as far as the tablet says it. Judge by the command that was sent.
    pub request_type: Option<String>,
    /// The whole report.
    pub body: Raw,
}

impl Report {
    /// Reads the body of a request to the connect URL.
    ///
    /// # Errors
    /// The body is not an acceptable property list, its status is unknown, or a key is missing or has the
    /// wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        Self::from_dictionary(plist::parse(bytes, Limits::CONNECT)?)
    }

    /// Reads a report from a dictionary.
    ///
    /// # Errors
    /// Its status is unknown, or a key is missing or has the wrong type.
    pub fn from_dictionary(body: Dictionary) -> Result<Self, WireError> {
        let status: String = message::required(&body, "Status")?;
        Ok(Self {
            udid: message::optional(&body, "UDID")?,
            enrollment_id: message::optional(&body, "EnrollmentID")?,
            user_id: message::optional(&body, "UserID")?,
            status: status.parse()?,
            command_uuid: message::optional(&body, "CommandUUID")?,
            error_chain: message::optional(&body, "ErrorChain")?.unwrap_or_default(),
            request_type: message::optional(&body, "RequestType")?,
            body: body.into(),
        })
    }
}

/// The domain of the errors of the management protocol itself.
const MDM_DOMAIN: &str = "MCMDMErrorDomain";

/// What the errors of the management protocol mean and what to do about them.
const MDM_ERRORS: &[(i64, &str)] = &[
    (12_000, "the access rights of the enrolment are not valid"),
    (12_001, "the tablet is already enrolled in a management"),
    (12_007, "the enrolment does not have the right to this command"),
    (12_008, "the tablet could not read the command"),
    (12_009, "the new enrolment profile changes what must not change"),
    (12_013, "the profile is not one of ours, or is not on the tablet"),
    (12_014, "the provisioning profile is not one of ours, or is not on the tablet"),
    (12_020, "the server told the tablet that it does not know it"),
    (12_021, "this version of the system does not know the command"),
    (12_025, "the app is already installed"),
    (12_078, "the tablet is in lost mode, which allows few commands: turn it off first"),
];

/// The chain of errors in words for people: what it means if we know, then what the tablet says, outermost
/// first, each with its domain and number so that it can be looked up.
#[must_use]
pub fn error_words(chain: &[ErrorLink]) -> String {
    if chain.is_empty() {
        return "the tablet gave no reason".to_owned();
    }
    let words: Vec<String> = chain.iter().take(8).map(link_words).collect();
    words.join("; because ")
}

fn link_words(link: &ErrorLink) -> String {
    let known = MDM_ERRORS
        .iter()
        .find(|(code, _)| link.domain == MDM_DOMAIN && *code == link.code)
        .map(|(_, meaning)| *meaning);
    let said = link.us_english.as_deref().or(link.localized.as_deref()).filter(|text| !text.is_empty());
    let said: Option<String> = said.map(|text| text.chars().take(300).collect());
    let place = format!("{} {}", bounded(&link.domain), link.code);
    match (known, said) {
        (Some(known), _) => format!("{known} ({place})"),
        (None, Some(said)) => format!("{} ({place})", said.trim_end_matches('.')),
        (None, None) => format!("an error without a description ({place})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(domain: &str, code: i64, us_english: Option<&str>) -> ErrorLink {
        ErrorLink {
            code,
            domain: domain.to_owned(),
            localized: Some("Texte de la tablette".to_owned()),
            us_english: us_english.map(str::to_owned),
            extra: Raw::default(),
        }
    }

    #[test]
    fn lost_mode_is_named_in_words() {
        let words = error_words(&[link("MCMDMErrorDomain", 12_078, Some("The device is in lost mode."))]);
        assert_eq!(
            words,
            "the tablet is in lost mode, which allows few commands: turn it off first (MCMDMErrorDomain 12078)"
        );
    }

    #[test]
    fn an_unknown_error_keeps_the_tablets_own_words() {
        let chain = [
            link("MCInstallationErrorDomain", 4001, Some("Profile Failed to Install.")),
            link("Other", 1, None),
        ];
        assert_eq!(
            error_words(&chain),
            "Profile Failed to Install (MCInstallationErrorDomain 4001); because Texte de la tablette (Other 1)"
        );
        assert_eq!(error_words(&[]), "the tablet gave no reason");
    }

    #[test]
    fn a_number_means_something_in_its_own_domain_only() {
        assert!(!error_words(&[link("NSURLErrorDomain", 12_078, None)]).contains("lost mode"));
    }

    #[test]
    fn t_c4_an_unknown_status_is_an_error_not_a_panic() {
        let body = |status: &str| {
            format!("<plist version=\"1.0\"><dict><key>Status</key><string>{status}</string></dict></plist>")
        };
        assert_eq!(Report::parse(body("NotNow").as_bytes()).unwrap().status, Status::NotNow);
        let error = Report::parse(body("Exploded").as_bytes()).unwrap_err();
        assert_eq!(error, WireError::UnknownStatus { name: "Exploded".to_owned() });
        let long = Report::parse(body(&"x".repeat(5_000)).as_bytes()).unwrap_err();
        assert!(long.to_string().len() < 100);
    }
}
