//! What can erase without an order, on any of Apple's wires (rule M3).
//!
//! A key counts wherever it stands in a document, whatever the payload calls itself: a reader that is more
//! generous than ours would find it too. What cannot be read here (an encrypted profile, one fetched from
//! an address, a declaration that is not JSON) counts as erasing: nobody has seen that it does not.
//!
//! `allowPairedWatch` unpairs and erases a watch; it is not listed, since no iPad has one.

use crate::command::{Command, Setting};
use crate::plist::{Dictionary, Value};
use crate::profile::Profile;

/// The wires on which something can erase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasingWire {
    /// A payload of a configuration profile.
    Profile,
    /// A declaration.
    Declaration,
    /// A command.
    Command,
    /// The answer to a check-in message.
    CheckIn,
}

/// Something that can erase a tablet, or a user's data on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasingKey {
    /// Where.
    pub wire: ErasingWire,
    /// The kind of payload, declaration, command or message.
    pub holder: &'static str,
    /// The key; empty if the whole of it erases.
    pub key: &'static str,
    /// What it does.
    pub reason: &'static str,
}

const PASSCODE_PROFILE: ErasingKey = ErasingKey {
    wire: ErasingWire::Profile,
    holder: "com.apple.mobiledevice.passwordpolicy",
    key: "maxFailedAttempts",
    reason: "the tablet erases itself after that many wrong passcodes",
};

const PASSCODE_DECLARATION: ErasingKey = ErasingKey {
    wire: ErasingWire::Declaration,
    holder: "com.apple.configuration.passcode.settings",
    key: "MaximumFailedAttempts",
    reason: "the tablet erases itself after that many wrong passcodes",
};

const ERASE_DEVICE: ErasingKey =
    ErasingKey { wire: ErasingWire::Command, holder: "EraseDevice", key: "", reason: "it erases the tablet" };

const DELETE_USER: ErasingKey = ErasingKey {
    wire: ErasingWire::Command,
    holder: "DeleteUser",
    key: "",
    reason: "it erases a user's data on a Shared iPad",
};

const LOG_OUT_USER: ErasingKey = ErasingKey {
    wire: ErasingWire::Command,
    holder: "LogOutUser",
    key: "",
    reason: "it ends a temporary session of a Shared iPad, and its data with it",
};

const EXCHANGE_PROFILE: ErasingKey = ErasingKey {
    wire: ErasingWire::Profile,
    holder: "com.apple.eas.account",
    key: "",
    reason: "the server of an Exchange account can order the tablet to erase itself",
};

const EXCHANGE_DECLARATION: ErasingKey = ErasingKey {
    wire: ErasingWire::Declaration,
    holder: "com.apple.configuration.account.exchange",
    key: "",
    reason: "the server of an Exchange account can order the tablet to erase itself",
};

const GUESTS_ONLY: ErasingKey = ErasingKey {
    wire: ErasingWire::Command,
    holder: "Settings",
    key: "TemporarySessionOnly",
    reason: "each session's data is erased at its end",
};

const RETURN_TO_SERVICE: ErasingKey = ErasingKey {
    wire: ErasingWire::CheckIn,
    holder: "ReturnToService",
    key: "Enabled",
    reason: "the tablet erases itself when its user or a timer says so",
};

/// Everything that can erase, so that one test can hold each room to it.
pub const ERASING_KEYS: &[ErasingKey] = &[
    PASSCODE_PROFILE,
    EXCHANGE_PROFILE,
    PASSCODE_DECLARATION,
    EXCHANGE_DECLARATION,
    ERASE_DEVICE,
    DELETE_USER,
    LOG_OUT_USER,
    GUESTS_ONLY,
    RETURN_TO_SERVICE,
];

/// Keys that erase wherever they stand in a profile or a declaration.
const ANYWHERE: [ErasingKey; 2] = [PASSCODE_PROFILE, PASSCODE_DECLARATION];

/// A payload that carries declarations as JSON.
const DECLARATIONS_PAYLOAD: &str = "com.apple.declarations";

/// Declarations that install a profile from elsewhere, and the keys that say from where.
const LEGACY_DECLARATION: &str = "com.apple.configuration.legacy";
const LEGACY_KEYS: [&str; 2] = ["ProfileURL", "ProfileAssetReference"];

const UNSEEN_PROFILE: &str = "it installs a profile that cannot be read here";
const UNREADABLE: &str = "it cannot be read here";

/// A place in a document that can erase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasingFind {
    /// The path of the key, such as `PayloadContent.0.maxFailedAttempts`.
    pub path: String,
    /// What it does.
    pub reason: &'static str,
}

pub(super) fn profile_erasing_keys(profile: &Profile) -> Vec<ErasingFind> {
    let mut finds = Vec::new();
    if profile.is_encrypted() {
        finds.push(ErasingFind { path: "EncryptedPayloadContent".to_owned(), reason: UNREADABLE });
    }
    search_dictionary(&profile.to_dictionary(), "", &mut finds);
    for (position, payload) in profile.payloads().iter().enumerate() {
        let kind = payload.header.payload_type.trim();
        if kind.eq_ignore_ascii_case(EXCHANGE_PROFILE.holder) {
            let path = format!("PayloadContent.{position}");
            finds.push(ErasingFind { path, reason: EXCHANGE_PROFILE.reason });
        }
        if kind.eq_ignore_ascii_case(DECLARATIONS_PAYLOAD) {
            let path = format!("PayloadContent.{position}.Declarations");
            search_embedded(payload.to_dictionary().get("Declarations"), &path, &mut finds);
        }
    }
    finds
}

/// The paths in a declaration's payload that can erase; `declaration_type` is its `Type`.
#[must_use]
pub fn declaration_erasing_keys(declaration_type: &str, payload: &serde_json::Value) -> Vec<ErasingFind> {
    let mut finds = Vec::new();
    search_json(payload, "", &mut finds);
    if declaration_type.eq_ignore_ascii_case(EXCHANGE_DECLARATION.holder) {
        finds.push(ErasingFind { path: "Payload".to_owned(), reason: EXCHANGE_DECLARATION.reason });
    }
    if declaration_type.to_ascii_lowercase().starts_with(LEGACY_DECLARATION) {
        let unseen = LEGACY_KEYS.iter().filter(|key| payload.get(key).is_some());
        finds.extend(unseen.map(|key| ErasingFind { path: (*key).to_owned(), reason: UNSEEN_PROFILE }));
    }
    finds
}

/// The paths in a command that can erase. InstallProfile is not opened here: read its profile first.
#[must_use]
pub fn command_erasing_keys(command: &Command) -> Vec<ErasingFind> {
    let whole = |key: ErasingKey| vec![ErasingFind { path: key.holder.to_owned(), reason: key.reason }];
    match command {
        Command::EraseDevice(_) => whole(ERASE_DEVICE),
        Command::DeleteUser(_) => whole(DELETE_USER),
        Command::LogOutUser(_) => whole(LOG_OUT_USER),
        Command::Settings(settings) => settings
            .settings
            .iter()
            .enumerate()
            .filter(|(_, setting)| match setting {
                Setting::SharedDeviceConfiguration(item) => item.temporary_session_only == Some(true),
                _ => false,
            })
            .map(|(position, _)| ErasingFind {
                path: format!("Settings.{position}.{}", GUESTS_ONLY.key),
                reason: GUESTS_ONLY.reason,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn erasing_reason(key: &str) -> Option<&'static str> {
    ANYWHERE.iter().find(|erasing| erasing.key.eq_ignore_ascii_case(key)).map(|erasing| erasing.reason)
}

fn join(path: &str, key: &str) -> String {
    let key: String = key.chars().take(64).collect();
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn search_dictionary(dictionary: &Dictionary, path: &str, finds: &mut Vec<ErasingFind>) {
    for (key, value) in dictionary {
        let path = join(path, key);
        search_value(value, &path, finds);
        if let Some(reason) = erasing_reason(key) {
            finds.push(ErasingFind { path, reason });
        }
    }
}

// Recursion is bounded: the reader admits 32 levels, serde_json 128.
fn search_value(value: &Value, path: &str, finds: &mut Vec<ErasingFind>) {
    match value {
        Value::Dictionary(dictionary) => search_dictionary(dictionary, path, finds),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                search_value(item, &join(path, &position.to_string()), finds);
            }
        }
        _ => {}
    }
}

fn search_json(value: &serde_json::Value, path: &str, finds: &mut Vec<ErasingFind>) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                let path = join(path, key);
                search_json(value, &path, finds);
                if let Some(reason) = erasing_reason(key) {
                    finds.push(ErasingFind { path, reason });
                }
            }
        }
        serde_json::Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                search_json(item, &join(path, &position.to_string()), finds);
            }
        }
        _ => {}
    }
}

fn search_embedded(declarations: Option<&Value>, path: &str, finds: &mut Vec<ErasingFind>) {
    let Some(Value::Array(items)) = declarations else {
        finds.push(ErasingFind { path: path.to_owned(), reason: UNREADABLE });
        return;
    };
    for (position, item) in items.iter().enumerate() {
        let path = join(path, &position.to_string());
        let json: Option<serde_json::Value> =
            item.as_data().and_then(|bytes| serde_json::from_slice(bytes).ok());
        match json.as_ref().map(|json| (json.get("Type").and_then(|kind| kind.as_str()), json.get("Payload")))
        {
            Some((Some(kind), Some(payload))) => finds.extend(
                declaration_erasing_keys(kind, payload)
                    .into_iter()
                    .map(|find| ErasingFind { path: join(&path, &format!("Payload.{}", find.path)), ..find }),
            ),
            _ => finds.push(ErasingFind { path, reason: UNREADABLE }),
        }
    }
}
