//! The declarative protocol: its endpoints, and the answers that list declarations.
//!
//! A tablet asks for the tokens; if they changed, for the items; then for each declaration. The four
//! arrays of items are always present, also when there is nothing to declare.

use std::str::FromStr;

use serde_json::{Value, json};
use types::Instant;

use crate::wire::WireError;

/// What a DeclarativeManagement check-in asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Whether anything changed.
    Tokens,
    /// The list of declarations.
    DeclarationItems,
    /// A status report; answered with an empty 200.
    Status,
    /// One declaration; 404 if it is not this tablet's.
    Declaration {
        /// Its kind.
        kind: DeclarationKind,
        /// Its identifier.
        identifier: String,
    },
}

/// The kinds of declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeclarationKind {
    /// When configurations apply.
    Activation,
    /// What is set.
    Configuration,
    /// Data that configurations need.
    Asset,
    /// What the server says of itself.
    Management,
}

impl FromStr for Endpoint {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        let unknown = || {
            WireError::invalid("tokens, declaration-items, status or declaration/KIND/IDENTIFIER")
                .within("Endpoint")
        };
        match text {
            "tokens" => return Ok(Self::Tokens),
            "declaration-items" => return Ok(Self::DeclarationItems),
            "status" => return Ok(Self::Status),
            _ => {}
        }
        let (kind, identifier) =
            text.strip_prefix("declaration/").and_then(|rest| rest.split_once('/')).ok_or_else(unknown)?;
        let kind = match kind {
            "activation" => DeclarationKind::Activation,
            "configuration" => DeclarationKind::Configuration,
            "asset" => DeclarationKind::Asset,
            "management" => DeclarationKind::Management,
            _ => return Err(unknown()),
        };
        if identifier.is_empty() {
            return Err(unknown());
        }
        Ok(Self::Declaration { kind, identifier: identifier.to_owned() })
    }
}

impl DeclarationKind {
    /// As an endpoint names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activation => "activation",
            Self::Configuration => "configuration",
            Self::Asset => "asset",
            Self::Management => "management",
        }
    }
}

/// A declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its kind.
    pub kind: DeclarationKind,
    /// What it declares, such as `com.apple.configuration.passcode.settings`.
    pub declaration_type: String,
    /// The name; a declaration of the same name replaces it.
    pub identifier: String,
    /// Changes with the content.
    pub server_token: String,
    /// The keys of its type.
    pub payload: Value,
}

impl Declaration {
    /// The answer to `declaration/KIND/IDENTIFIER`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        self.to_value().to_string().into_bytes()
    }

    /// The same as a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "Type": self.declaration_type,
            "Identifier": self.identifier,
            "ServerToken": self.server_token,
            "Payload": self.payload,
        })
    }

    /// As it stands in a list.
    #[must_use]
    pub fn item(&self) -> DeclarationItem {
        DeclarationItem { identifier: self.identifier.clone(), server_token: self.server_token.clone() }
    }
}

/// A declaration in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationItem {
    /// Its identifier.
    pub identifier: String,
    /// Changes with its content.
    pub server_token: String,
}

/// The declarations of a tablet. The default is the empty set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclarationItems {
    /// When configurations apply.
    pub activations: Vec<DeclarationItem>,
    /// What is set.
    pub configurations: Vec<DeclarationItem>,
    /// Data that configurations need.
    pub assets: Vec<DeclarationItem>,
    /// What the server says of itself.
    pub management: Vec<DeclarationItem>,
    /// Changes if and only if the set changes.
    pub declarations_token: String,
}

impl DeclarationItems {
    /// The answer to `declaration-items`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let body = json!({
            "Declarations": {
                "Activations": list(&self.activations),
                "Configurations": list(&self.configurations),
                "Assets": list(&self.assets),
                "Management": list(&self.management),
            },
            "DeclarationsToken": self.declarations_token,
        });
        body.to_string().into_bytes()
    }

    /// The answer to `tokens`, which the DeclarativeManagement command may carry as its `Data`; `changed` is
    /// when the set last changed.
    #[must_use]
    pub fn tokens_json(&self, changed: Instant) -> Vec<u8> {
        let timestamp = Instant::from_millis(changed.as_seconds().saturating_mul(1_000)).to_string();
        let body = json!({
            "SyncTokens": { "Timestamp": timestamp, "DeclarationsToken": self.declarations_token },
        });
        body.to_string().into_bytes()
    }
}

fn list(items: &[DeclarationItem]) -> Vec<Value> {
    items
        .iter()
        .map(|item| json!({ "Identifier": item.identifier, "ServerToken": item.server_token }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_set_still_has_its_four_arrays() {
        let body: Value = serde_json::from_slice(&DeclarationItems::default().to_json()).unwrap();
        for kind in ["Activations", "Configurations", "Assets", "Management"] {
            assert_eq!(body["Declarations"][kind], json!([]), "{kind}");
        }
        assert_eq!(body["DeclarationsToken"], "");
    }

    #[test]
    fn a_declaration_has_its_four_keys_and_its_place_in_the_list() {
        let declaration = Declaration {
            kind: DeclarationKind::Configuration,
            declaration_type: "com.apple.configuration.passcode.settings".to_owned(),
            identifier: "fr.example.passcode".to_owned(),
            server_token: "t1".to_owned(),
            payload: json!({"RequirePasscode": true}),
        };
        let body: Value = serde_json::from_slice(&declaration.to_json()).unwrap();
        let expected = json!({
            "Type": "com.apple.configuration.passcode.settings",
            "Identifier": "fr.example.passcode",
            "ServerToken": "t1",
            "Payload": {"RequirePasscode": true},
        });
        assert_eq!(body, expected);
        assert_eq!(declaration.item().server_token, "t1");
        let endpoint = format!("declaration/{}/{}", declaration.kind.as_str(), declaration.identifier);
        let asked = Endpoint::Declaration { kind: declaration.kind, identifier: declaration.identifier };
        assert_eq!(endpoint.parse(), Ok(asked));
    }

    #[test]
    fn tokens_say_when_the_set_changed_to_the_second() {
        let items = DeclarationItems { declarations_token: "t1".to_owned(), ..DeclarationItems::default() };
        let body: Value =
            serde_json::from_slice(&items.tokens_json(Instant::from_millis(1_795_471_200_123))).unwrap();
        let expected =
            json!({"SyncTokens": {"Timestamp": "2026-11-23T22:00:00Z", "DeclarationsToken": "t1"}});
        assert_eq!(body, expected);
    }

    #[test]
    fn endpoints_read_and_unknown_ones_are_refused() {
        assert_eq!("tokens".parse(), Ok(Endpoint::Tokens));
        assert_eq!(
            "declaration/asset/fr.example/a".parse(),
            Ok(Endpoint::Declaration { kind: DeclarationKind::Asset, identifier: "fr.example/a".to_owned() })
        );
        for bad in ["", "token", "declaration/", "declaration/asset/", "declaration/other/x", "../tokens"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
