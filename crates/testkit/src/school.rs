//! What people do before tablets come: the inventory, the links; and what they ask of tablets.

use serde_json::{Value, json};

use crate::{TestServer, TestkitError};

/// An inventory as people import it: the named iPads, all of one collège.
#[must_use]
pub fn inventory_csv<'a>(serials: impl IntoIterator<Item = &'a str>, uai: &str) -> String {
    let header = fleet::INVENTORY_COLUMNS.join(",");
    let lines = serials.into_iter().map(|serial| format!("{serial},,iPad (10e génération),ipad,{uai}"));
    std::iter::once(header).chain(lines).map(|line| line + "\n").collect()
}

impl TestServer {
    /// Imports an inventory.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] with the bad lines.
    pub async fn import_inventory(&self, csv: &str) -> Result<Value, TestkitError> {
        self.api()?.upload("/api/v1/inventory", "text/csv", csv.as_bytes().to_vec()).await?.ok()
    }

    /// Makes an enrolment link for one tablet of the inventory, and gives its URL.
    ///
    /// # Errors
    /// [`TestkitError::Answer`].
    pub async fn link_for(&self, serial: &str) -> Result<String, TestkitError> {
        self.link(&json!({ "tablet": serial })).await
    }

    /// Makes an enrolment link for up to `max_uses` tablets of a collège, and gives its URL.
    ///
    /// # Errors
    /// [`TestkitError::Answer`].
    pub async fn link_for_batch(&self, uai: &str, max_uses: u32) -> Result<String, TestkitError> {
        self.link(&json!({ "uai": uai, "max_uses": max_uses })).await
    }

    async fn link(&self, wanted: &Value) -> Result<String, TestkitError> {
        let made = self.api()?.post("/api/v1/links", wanted).await?;
        let url = made.text("/url").to_owned();
        made.ok().map(|_link| url)
    }

    /// What the API shows of a tablet, by serial number or id.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] if there is none.
    pub async fn tablet(&self, named: &str) -> Result<Value, TestkitError> {
        self.api()?.get(&format!("/api/v1/tablets/{named}")).await?.ok()
    }

    /// Queues a command for a tablet (serial number or id), and gives the command's id.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] with the refusal.
    pub async fn command(
        &self,
        tablet: &str,
        request_type: &str,
        parameters: Value,
    ) -> Result<String, TestkitError> {
        let wanted = match parameters {
            Value::Null => json!({ "request_type": request_type }),
            parameters => json!({ "request_type": request_type, "parameters": parameters }),
        };
        let queued = self.api()?.post(&format!("/api/v1/tablets/{tablet}/commands"), &wanted).await?;
        let id = queued.text("/id").to_owned();
        queued.ok().map(|_command| id)
    }

    /// What the API shows of a command.
    ///
    /// # Errors
    /// [`TestkitError::Answer`] if there is none.
    pub async fn show_command(&self, id: &str) -> Result<Value, TestkitError> {
        self.api()?.get(&format!("/api/v1/commands/{id}")).await?.ok()
    }

    /// The kinds of the open alarms, sorted, as operators see them.
    ///
    /// # Errors
    /// [`TestkitError::Answer`].
    pub async fn alarm_kinds(&self) -> Result<Vec<String>, TestkitError> {
        let answer = self.api()?.get("/api/v1/alarms").await?.ok()?;
        let items = answer.pointer("/items").or(Some(&answer)).and_then(Value::as_array).cloned();
        let kind = |alarm: &Value| alarm.pointer("/kind").and_then(Value::as_str).map(str::to_owned);
        let mut kinds: Vec<String> = items.unwrap_or_default().iter().filter_map(kind).collect();
        kinds.sort();
        Ok(kinds)
    }
}
