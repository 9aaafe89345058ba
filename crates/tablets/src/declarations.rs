//! Declarative management, as far as a tablet needs it to show what it was told: tokens, items, declarations,
//! and one status report.

use std::collections::BTreeMap;

use plist::Value;
use serde_json::{Value as Json, json};

use crate::state::Declaration;
use crate::{Error, Ipad, Outcome};

const ANSWER: &str = "the answer to DeclarativeManagement";
/// The lists of declaration-items, and the word for each in an address.
const KINDS: [(&str, &str); 4] = [
    ("Activations", "activation"),
    ("Configurations", "configuration"),
    ("Assets", "asset"),
    ("Management", "management"),
];

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
        self.state.declarations_token = Some(text(&items, &["DeclarationsToken"])?);
        let report = self.status_report();
        self.declarative("status", Some(report.to_string().into_bytes())).await?;
        Ok(())
    }

    /// Which declarations it has, as a status report.
    fn status_report(&self) -> Json {
        let of = |word: &str| -> Vec<Json> {
            self.state
                .declarations
                .iter()
                .filter(|(_identifier, declaration)| declaration.kind == word)
                .map(|(identifier, declaration)| {
                    json!({
                        "identifier": identifier,
                        "server-token": declaration.server_token,
                        "active": true,
                        "valid": "valid",
                    })
                })
                .collect()
        };
        json!({
            "StatusItems": { "management": { "declarations": {
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
