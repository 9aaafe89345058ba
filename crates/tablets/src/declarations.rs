//! Declarative management, as far as a tablet needs it to show what it was told: tokens, items, declarations,
//! and one status report.

use std::collections::BTreeMap;

use plist::Value;
use serde_json::{Value as Json, json};

use crate::state::{App, Declaration};
use crate::{Error, Ipad, Outcome};

const ANSWER: &str = "the answer to DeclarativeManagement";
/// The lists of declaration-items, and the word for each in an address.
const KINDS: [(&str, &str); 4] = [
    ("Activations", "activation"),
    ("Configurations", "configuration"),
    ("Assets", "asset"),
    ("Management", "management"),
];

/// The types of declarations that Apple publishes: from which iPadOS on, and whether on supervised tablets only.
const TYPES: [(&str, (u32, u32), bool); 17] = [
    ("com.apple.activation.simple", (15, 0), false),
    ("com.apple.configuration.app.managed", (17, 2), false),
    ("com.apple.configuration.app.settings", (27, 0), true),
    ("com.apple.configuration.external-intelligence.settings", (26, 4), true),
    ("com.apple.configuration.intelligence.settings", (26, 4), true),
    ("com.apple.configuration.keyboard.settings", (26, 4), true),
    ("com.apple.configuration.legacy", (15, 0), false),
    ("com.apple.configuration.management.status-subscriptions", (15, 0), false),
    ("com.apple.configuration.network.dns-settings", (27, 0), false),
    ("com.apple.configuration.passcode.settings", (15, 0), false),
    ("com.apple.configuration.safari.bookmarks", (26, 0), false),
    ("com.apple.configuration.safari.extensions.settings", (18, 0), true),
    ("com.apple.configuration.safari.settings", (26, 0), false),
    ("com.apple.configuration.siri.settings", (26, 4), true),
    ("com.apple.configuration.softwareupdate.enforcement.specific", (17, 0), false),
    ("com.apple.configuration.softwareupdate.settings", (18, 0), false),
    ("com.apple.configuration.webcontent-filter.plugin", (27, 0), false),
];

/// The first two numbers of a version.
fn numbers(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or_default());
    (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
}

impl Ipad {
    /// Asks one endpoint of declarative management.
    ///
    /// # Errors
    /// When the tablet is not enrolled, or the server cannot be reached.
    pub async fn declarative(&mut self, endpoint: &str, data: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let mut message = self.state.message("DeclarativeManagement");
        message.insert("Endpoint".to_owned(), endpoint.into());
        if let Some(data) = data {
            message.insert("Data".to_owned(), Value::Data(data));
        }
        self.check_in(&message).await
    }

    /// Fetches what changed, if the server's token differs from the one seen last, and reports it.
    ///
    /// # Errors
    /// When the server cannot be reached, or answers with something else than Apple's JSON.
    pub async fn fetch_declarations(&mut self) -> Result<(), Error> {
        let Some(tokens) = self.declarative_json("tokens").await? else { return Ok(()) };
        let token = text(&tokens, &["SyncTokens", "DeclarationsToken"])?;
        if self.state.declarations_token.as_deref() == Some(token.as_str()) {
            return Ok(());
        }
        let Some(items) = self.declarative_json("declaration-items").await? else { return Ok(()) };
        let mut declarations = BTreeMap::new();
        for (list, word) in KINDS {
            let list = items
                .get("Declarations")
                .and_then(|declarations| declarations.get(list))
                .and_then(Json::as_array)
                .ok_or_else(|| Error::malformed(ANSWER, format!("its list of {list} is missing")))?;
            for item in list {
                let identifier = text(item, &["Identifier"])?;
                let server_token = text(item, &["ServerToken"])?;
                let known = self.state.declarations.get(&identifier);
                let declaration = match known.filter(|known| known.server_token == server_token) {
                    Some(known) => known.clone(),
                    None => match self.declarative_json(&format!("declaration/{word}/{identifier}")).await? {
                        Some(content) => Declaration { kind: word.to_owned(), server_token, content },
                        None => continue,
                    },
                };
                declarations.insert(identifier, declaration);
            }
        }
        self.state.declarations = declarations;
        self.install_declared_apps();
        self.state.declarations_token = Some(text(&items, &["DeclarationsToken"])?);
        let report = self.status_report();
        self.declarative("status", Some(report.to_string().into_bytes())).await?;
        Ok(())
    }

    /// Why this tablet does not put a declaration in force; `None` if it does.
    fn refusal(&self, declaration: &Declaration) -> Option<(&'static str, String)> {
        let kind = text(&declaration.content, &["Type"]).unwrap_or_default();
        let Some((_kind, since, supervised)) = TYPES.iter().find(|(name, ..)| *name == kind) else {
            return Some(("Error.UnknownDeclarationType", format!("“{kind}” is not a known type.")));
        };
        let version = numbers(&self.state.hardware.os_version);
        if version < *since {
            return Some(("Error.UnknownDeclarationType", format!("“{kind}” is not a known type.")));
        }
        if *supervised && !self.state.hardware.supervised {
            return Some(("Error.ConfigurationCannotBeApplied", "The device is not supervised.".to_owned()));
        }
        None
    }

    /// Apps that a declaration requires come by themselves; the store always delivers at once.
    fn install_declared_apps(&mut self) {
        let required: Vec<String> = self
            .state
            .declarations
            .iter()
            .filter(|(_identifier, one)| self.refusal(one).is_none())
            .filter(|(_identifier, one)| {
                text(&one.content, &["Type"]).is_ok_and(|kind| kind == "com.apple.configuration.app.managed")
                    && text(&one.content, &["Payload", "InstallBehavior", "Install"])
                        .is_ok_and(|how| how == "Required")
            })
            .filter_map(|(_identifier, one)| text(&one.content, &["Payload", "AppStoreID"]).ok())
            .collect();
        for number in required {
            let identifier = format!("app.store.id{number}");
            self.state.apps.entry(identifier.clone()).or_insert_with(|| App {
                name: identifier,
                version: "1.0".to_owned(),
                managed: true,
                management_flags: 0,
                has_configuration: false,
            });
        }
    }

    /// Which declarations it has, as a status report.
    fn status_report(&self) -> Json {
        let of = |word: &str| -> Vec<Json> {
            self.state
                .declarations
                .iter()
                .filter(|(_identifier, declaration)| declaration.kind == word)
                .map(|(identifier, declaration)| match self.refusal(declaration) {
                    None => json!({
                        "identifier": identifier,
                        "server-token": declaration.server_token,
                        "active": true,
                        "valid": "valid",
                    }),
                    Some((code, description)) => json!({
                        "identifier": identifier,
                        "server-token": declaration.server_token,
                        "active": false,
                        "valid": "invalid",
                        "reasons": [{ "code": code, "description": description, "details": {} }],
                    }),
                })
                .collect()
        };
        json!({
            "FullReport": true,
            "StatusItems": { "device": { "operating-system": { "version": self.state.hardware.os_version } }, "management": { "declarations": {
                "activations": of("activation"),
                "configurations": of("configuration"),
                "assets": of("asset"),
                "management": of("management"),
            }}},
            "Errors": [],
        })
    }

    /// The JSON of an endpoint, or none when the server does not give it (404 is how it says so).
    async fn declarative_json(&mut self, endpoint: &str) -> Result<Option<Json>, Error> {
        match self.declarative(endpoint, None).await? {
            Outcome::Accepted(body) if body.is_empty() => Ok(None),
            Outcome::Accepted(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|error| Error::malformed(ANSWER, format!("it is no JSON: {error}"))),
            Outcome::Refused { .. } | Outcome::Unenrolled { .. } | Outcome::Unavailable { .. } => Ok(None),
        }
    }
}

fn text(json: &Json, path: &[&str]) -> Result<String, Error> {
    path.iter()
        .try_fold(json, |json, key| json.get(key))
        .and_then(Json::as_str)
        .map(str::to_owned)
        .ok_or_else(|| Error::malformed(ANSWER, format!("its {} is missing", path.join("."))))
}
