//! From what a person sends to a typed command: the allow-list of kinds, and what each replaces.

use apple::command::{Command, RequestType};
use apple::plist::{self, Dictionary, Limits, PlistError, Value};

use crate::Refusal;
use crate::commands::Content;

/// A command as it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Its kind.
    pub(crate) request_type: RequestType,
    /// The command itself; `None` for the one kind whose only content is a secret that joins at delivery.
    pub(crate) command: Option<Command>,
    /// A newer command with the same key replaces a pending one.
    pub(crate) replaces_key: Option<String>,
}

/// Reads a command that a person sent.
///
/// # Errors
/// [`Refusal::Invalid`] for a kind that is not on the list, and for content that is not of that kind (T-C23).
pub(crate) fn read(name: &str, content: Option<&Content>) -> Result<Request, Refusal> {
    let request_type: RequestType = name.parse().map_err(|_unknown| unknown_kind(name))?;
    let keys = match content {
        None => None,
        Some(Content::Keys(keys)) => Some(keys.clone()),
        Some(Content::PropertyList(bytes)) => {
            Some(unwrapped(plist::parse(bytes, Limits::PROFILE).map_err(unreadable)?)?)
        }
    };
    if request_type == RequestType::ClearPasscode {
        return clear_passcode(keys.as_ref());
    }
    let command = match keys {
        Some(keys) => Command::from_dictionary(request_type, &keys)
            .map_err(|error| Refusal::invalid("parameters", error))?,
        None => least(request_type)?,
    };
    let replaces_key = replaces_key(&command);
    Ok(Request { request_type, command: Some(command), replaces_key })
}

fn unknown_kind(name: &str) -> Refusal {
    let name: String = name.chars().take(64).collect();
    Refusal::invalid(
        "request_type",
        format!(
            "`{name}` is not a command that Ardoise knows; names are as in Apple’s documentation, such as `DeviceInformation`"
        ),
    )
}

fn unreadable(error: PlistError) -> Refusal {
    Refusal::invalid("property_list", error)
}

/// The command's own dictionary, whether or not it came in the envelope of Apple's wire.
fn unwrapped(dictionary: Dictionary) -> Result<Dictionary, Refusal> {
    match dictionary.get("Command") {
        None => Ok(dictionary),
        Some(Value::Dictionary(command)) => Ok(command.clone()),
        Some(_) => Err(Refusal::invalid("property_list", "`Command` must be a dictionary")),
    }
}

/// The unlock token is ours to add: what someone else brings as one is refused, not overwritten in silence.
fn clear_passcode(keys: Option<&Dictionary>) -> Result<Request, Refusal> {
    let stranger = keys.into_iter().flat_map(Dictionary::keys).find(|key| key.as_str() != "RequestType");
    if stranger.is_some() {
        return Err(Refusal::invalid(
            "parameters",
            "ClearPasscode takes none: the unlock token is added at delivery",
        ));
    }
    if keys
        .and_then(|keys| keys.get("RequestType"))
        .is_some_and(|kind| kind.as_string() != Some("ClearPasscode"))
    {
        return Err(Refusal::invalid("parameters", "`RequestType` names another kind"));
    }
    Ok(Request {
        request_type: RequestType::ClearPasscode,
        command: None,
        replaces_key: Some("ClearPasscode".into()),
    })
}

/// What a kind carries when nothing is said: for an inventory's kinds what our inventory asks, otherwise nothing.
fn least(request_type: RequestType) -> Result<Command, Refusal> {
    let inventory = apple::inventory::commands()
        .into_iter()
        .chain([apple::inventory::managed_apps()])
        .find(|command| command.request_type() == request_type);
    match inventory {
        Some(command) => Ok(command),
        None => Command::from_dictionary(request_type, &Dictionary::new())
            .map_err(|error| Refusal::invalid("parameters", error)),
    }
}

/// What a command is about: only the newest that is about the same thing is worth carrying out.
fn replaces_key(command: &Command) -> Option<String> {
    let kind = command.request_type().as_str();
    match command {
        Command::DeviceInformation(_)
        | Command::SecurityInfo(_)
        | Command::ProfileList(_)
        | Command::InstalledApplicationList(_)
        | Command::ManagedApplicationList(_)
        | Command::ManagedApplicationAttributes(_)
        | Command::ManagedApplicationConfiguration(_)
        | Command::ManagedApplicationFeedback(_)
        | Command::ManagedMediaList(_)
        | Command::ProvisioningProfileList(_)
        | Command::CertificateList(_)
        | Command::Restrictions(_)
        | Command::AvailableOSUpdates(_)
        | Command::OSUpdateStatus(_)
        | Command::DeviceConfigured(_)
        | Command::RestartDevice(_)
        | Command::ShutDownDevice(_) => Some(kind.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(entries: &[(&str, Value)]) -> Content {
        Content::Keys(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn problem(name: &str, content: Option<&Content>) -> String {
        read(name, content).unwrap_err().to_string()
    }

    #[test]
    fn t_c23_only_kinds_on_the_list_are_read() {
        for name in ["", "eraseDevice", "EraseDevice ", "Erase", "EraseDevice\0", &"x".repeat(500)] {
            assert!(problem(name, None).starts_with("request_type:"), "{name}");
        }
    }

    #[test]
    fn t_c23_duplicate_keys_are_refused_before_anything_is_decided() {
        let twice = Content::PropertyList(
            b"<?xml version=\"1.0\"?><plist version=\"1.0\"><dict><key>RequestType</key><string>ProfileList</string>\
              <key>RequestType</key><string>EraseDevice</string></dict></plist>"
                .to_vec(),
        );
        assert!(problem("ProfileList", Some(&twice)).contains("twice"));
    }

    #[test]
    fn t_c23_content_that_names_another_kind_is_refused() {
        let other = keys(&[("RequestType", Value::String("EraseDevice".into()))]);
        for name in ["ProfileList", "ClearPasscode"] {
            assert!(problem(name, Some(&other)).starts_with("parameters:"), "{name}");
        }
    }

    #[test]
    fn an_inventory_asks_what_an_inventory_asks_when_nothing_is_said() {
        let request = read("DeviceInformation", None).unwrap();
        let command = request.command.unwrap().to_dictionary();
        assert!(!command.get("Queries").unwrap().as_array().unwrap().is_empty());
        assert_eq!(request.replaces_key.as_deref(), Some("DeviceInformation"));
        assert!(problem("RemoveProfile", None).contains("Identifier"));
    }

    #[test]
    fn a_newer_command_replaces_one_of_the_same_purpose_only() {
        let key = |kind: &str| read(kind, None).unwrap().replaces_key;
        assert_eq!(key("RestartDevice").as_deref(), Some("RestartDevice"));
        assert_ne!(key("RestartDevice"), key("ShutDownDevice"));
        assert_eq!(key("DeviceLock"), None, "one message does not replace another");
    }

    #[test]
    fn a_clear_passcode_brings_no_token_of_its_own() {
        assert!(read("ClearPasscode", None).unwrap().command.is_none());
        let token = keys(&[("UnlockToken", Value::Data(vec![1]))]);
        assert!(problem("ClearPasscode", Some(&token)).contains("takes none"));
    }
}
