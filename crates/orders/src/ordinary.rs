//! What harms nobody: a command whose type and content have been looked at.

use apple::command::{Command, RequestType};
use apple::plist::{Dictionary, Value};
use types::RuleId;

use crate::NotOrdinary;

/// The profile that holds a tablet's enrolment, as far as we know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnrolmentProfile {
    /// Its `PayloadIdentifier`.
    Known(String),
    /// Another server installed it, and the tablet has not listed its profiles yet.
    Unknown,
}

/// A command that may be queued without a proof.
#[derive(Debug, Clone)]
pub struct Ordinary(Payload);

#[derive(Debug, Clone)]
enum Payload {
    /// The whole command is known now.
    Stored(Box<Command>),
    /// The passcode is cleared with the tablet's unlock token, which is read at delivery.
    ClearPasscode,
    /// The enrolment profile is issued again, with a challenge made at delivery.
    EnrolmentRenewal,
    /// The profile that a tablet shares with others, which is kept once for all of them and read at delivery.
    SegmentProfile,
    /// An app that was decided for the tablet's segment, whose address is the tablet's own and made at delivery.
    SegmentApp,
}

impl Ordinary {
    /// Looks at a command's type and content, for a tablet that `profile` enrols.
    ///
    /// # Errors
    /// [`NotOrdinary`] says what would be dangerous, and the rule.
    pub fn check(command: Command, profile: &EnrolmentProfile) -> Result<Self, NotOrdinary> {
        let content = command.to_dictionary();
        let request_type = command.request_type();
        match request_type {
            RequestType::EraseDevice => return needs(request_type, "an erase order", RuleId::M3),
            RequestType::EnableLostMode | RequestType::PlayLostModeSound => {
                return needs(
                    request_type,
                    "an open incident of loss, theft or authority request",
                    RuleId::M1,
                );
            }
            RequestType::DeviceLocation => return needs(request_type, "a location warrant", RuleId::M1),
            RequestType::ClearPasscode => return Ok(Self::clear_passcode()),
            RequestType::InstallProfile => installable(&content, profile)?,
            RequestType::RemoveProfile => removable(&content, profile)?,
            RequestType::DeviceInformation => impersonal_queries(&content)?,
            RequestType::InstalledApplicationList => managed_apps_only(&content)?,
            RequestType::UserList | RequestType::TriggerEnhancedLogCollection => {
                return Err(NotOrdinary::Personal { what: request_type.to_string() });
            }
            RequestType::RequestMirroring => return Err(NotOrdinary::LooksAtContents { request_type }),
            _ => {}
        }
        if let Some(find) = apple::profile::command_erasing_keys(&command).into_iter().next() {
            return Err(NotOrdinary::Erases { what: format!("{} ({})", find.path, find.reason) });
        }
        Ok(Self(Payload::Stored(Box::new(command))))
    }

    /// Clears the access code (C5.3.3); the unlock token joins it at delivery.
    #[must_use]
    pub const fn clear_passcode() -> Self {
        Self(Payload::ClearPasscode)
    }

    /// Issues the tablet's own enrolment profile again, so that it gets a new certificate.
    #[must_use]
    pub const fn renew_enrolment() -> Self {
        Self(Payload::EnrolmentRenewal)
    }

    /// Installs the profile of the tablet's segment. It was looked into before it was signed, and is again at delivery.
    #[must_use]
    pub const fn segment_profile() -> Self {
        Self(Payload::SegmentProfile)
    }

    /// Installs an app of the tablet's segment. What it is, is looked up at delivery, and looked at again.
    #[must_use]
    pub const fn segment_app() -> Self {
        Self(Payload::SegmentApp)
    }

    /// Its name on Apple's wire.
    #[must_use]
    pub fn request_type(&self) -> RequestType {
        match &self.0 {
            Payload::Stored(command) => command.request_type(),
            Payload::ClearPasscode => RequestType::ClearPasscode,
            Payload::EnrolmentRenewal | Payload::SegmentProfile => RequestType::InstallProfile,
            Payload::SegmentApp => RequestType::InstallApplication,
        }
    }

    /// The `Command` dictionary to store; `None` when a secret joins it at delivery.
    pub(crate) fn stored_payload(&self) -> Option<Vec<u8>> {
        match &self.0 {
            Payload::Stored(command) => {
                let mut dictionary = command.to_dictionary();
                dictionary
                    .insert("RequestType".into(), Value::String(command.request_type().as_str().into()));
                Some(apple::plist::to_xml(&dictionary))
            }
            Payload::ClearPasscode
            | Payload::EnrolmentRenewal
            | Payload::SegmentProfile
            | Payload::SegmentApp => None,
        }
    }
}

fn needs<T>(request_type: RequestType, proof: &'static str, rule: RuleId) -> Result<T, NotOrdinary> {
    Err(NotOrdinary::NeedsProof { request_type, proof, rule })
}

/// A profile must be readable, must not hold an erasing key, must not be an enrolment, and must not take the
/// place of the one that is: a profile replaces the one of the same name.
fn installable(content: &Dictionary, enrolment: &EnrolmentProfile) -> Result<(), NotOrdinary> {
    let opaque = |why: String| NotOrdinary::Opaque { what: "InstallProfile".into(), why, rule: RuleId::M3 };
    let bytes = match content.get("Payload") {
        Some(Value::Data(bytes)) => bytes.as_slice(),
        _ => return Err(opaque("it has no Payload".into())),
    };
    let limits = pki::Limits::bytes(apple::plist::Limits::PROFILE.max_bytes);
    let opened = pki::open_signed_profile(bytes, limits).map_err(|error| opaque(error.to_string()))?;
    let profile = apple::profile::Profile::parse(opened.as_deref().unwrap_or(bytes))
        .map_err(|error| opaque(format!("{error}; send it unencrypted, signed or not")))?;
    if let Some(find) = profile.erasing_keys().into_iter().next() {
        return Err(NotOrdinary::Erases {
            what: format!("InstallProfile with {} ({})", find.path, find.reason),
        });
    }
    if profile.contains_mdm_payload() {
        return Err(NotOrdinary::Unenrols { what: "InstallProfile with a com.apple.mdm payload".into() });
    }
    keeps(enrolment, RequestType::InstallProfile, &profile.identifier)
}

/// Removing the profile that holds the enrolment unenrols the tablet.
fn removable(content: &Dictionary, enrolment: &EnrolmentProfile) -> Result<(), NotOrdinary> {
    let identifier = content.get("Identifier").and_then(Value::as_string).unwrap_or_default();
    keeps(enrolment, RequestType::RemoveProfile, identifier)
}

/// Passes what is about another profile than the one that holds the enrolment.
fn keeps(enrolment: &EnrolmentProfile, kind: RequestType, identifier: &str) -> Result<(), NotOrdinary> {
    match enrolment {
        EnrolmentProfile::Known(known) if identifier.trim().eq_ignore_ascii_case(known) => {
            Err(NotOrdinary::Unenrols { what: format!("{kind} of `{known}`") })
        }
        EnrolmentProfile::Known(_) => Ok(()),
        EnrolmentProfile::Unknown => Err(NotOrdinary::Opaque {
            what: kind.to_string(),
            why:
                "we do not know yet which profile holds this tablet’s enrolment; send it a ProfileList with \
                  `ManagedOnly` false first"
                    .into(),
            rule: RuleId::M4,
        }),
    }
}

/// No names, addresses or numbers (C3.1.6).
fn impersonal_queries(content: &Dictionary) -> Result<(), NotOrdinary> {
    let queries = content.get("Queries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let personal =
        queries.iter().filter_map(Value::as_string).find(|query| !apple::inventory::may_be_asked(query));
    match personal {
        Some(query) => Err(NotOrdinary::Personal { what: format!("DeviceInformation of {query}") }),
        None if queries.is_empty() => {
            // Without a list a tablet answers everything it has.
            Err(NotOrdinary::Personal { what: "DeviceInformation without a list of queries".into() })
        }
        None => Ok(()),
    }
}

/// The apps that a pupil installed are the pupil's business (C3.1.6).
fn managed_apps_only(content: &Dictionary) -> Result<(), NotOrdinary> {
    match content.get("ManagedAppsOnly").and_then(Value::as_boolean) {
        Some(true) => Ok(()),
        _ => Err(NotOrdinary::Personal { what: "InstalledApplicationList without ManagedAppsOnly".into() }),
    }
}

#[cfg(test)]
mod tests;
