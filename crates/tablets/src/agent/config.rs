//! Answers, read as the agent's JSON library reads them into its classes: some types are taken for others, and what is not
//! makes the whole answer nothing.

use serde_json::{Map, Value};

use super::tables::{self, Java};

/// A configuration that the agent took.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Config(Map<String, Value>);

/// Which rows of the log are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogRule {
    pub(super) package: String,
    pub(super) level: i64,
    pub(super) filter: String,
}

/// What an answer in the frame is to the agent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// `OK`, with data.
    Data(Value),
    /// `error.notfound.device`.
    NotFound,
    /// Anything else: to be tried again.
    Trouble(String),
}

/// Reads the frame.
pub(super) fn frame(status: u16, body: &[u8]) -> Read {
    if !(200..300).contains(&status) {
        return Read::Trouble(format!("the server answered {status}"));
    }
    let Ok(Value::Object(mut frame)) = serde_json::from_slice::<Value>(body) else {
        return Read::Trouble("the answer is no JSON object".to_owned());
    };
    let says = |key: &str, word: &str| frame.get(key).and_then(Value::as_str) == Some(word);
    if says("status", "ERROR") && says("message", "error.notfound.device") {
        return Read::NotFound;
    }
    if !says("status", "OK") {
        return Read::Trouble("the answer is not OK".to_owned());
    }
    match frame.remove("data") {
        None | Some(Value::Null) => Read::Trouble("the answer has no data".to_owned()),
        Some(data) => Read::Data(data),
    }
}

impl Config {
    /// Reads the data of a configuration, and what the agent then stumbles over.
    pub(super) fn read(data: &Value) -> Result<Self, String> {
        let config = Self(object("data", data, tables::CONFIG)?);
        for list in ["applications", "applicationSettings", "files", "actions"] {
            if !config.0.get(list).is_some_and(Value::is_array) {
                return Err(format!("{list} is null, and the agent walks through it"));
            }
        }
        for app in config.list("applications") {
            if text(app, "pkg").is_none() || text(app, "version").is_none() {
                return Err("an app has no package or no version".to_owned());
            }
        }
        for setting in config.list("applicationSettings") {
            if text(setting, "value").is_none() {
                return Err("a setting has no value".to_owned());
            }
        }
        Ok(config)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn list(&self, key: &str) -> &[Value] {
        self.0.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// A setting of the agent's own.
    pub(super) fn own_setting(&self, name: &str) -> Option<&str> {
        let is_it = |setting: &&Value| {
            text(setting, "packageId") == Some("com.hmdm.launcher") && text(setting, "name") == Some(name)
        };
        self.list("applicationSettings").iter().find(is_it).and_then(|setting| text(setting, "value"))
    }
}

/// Reads the rules for the log; whatever is wrong with them is tolerated.
pub(super) fn rules(status: u16, body: &[u8]) -> Vec<LogRule> {
    let Read::Data(Value::Array(items)) = frame(status, body) else { return Vec::new() };
    let rule = |item: &Value| {
        let rule = Value::Object(object("rule", item, tables::LOG_RULE).ok()?);
        let level = rule.get("logLevel").and_then(Value::as_i64)?;
        let filter = text(&rule, "filter").unwrap_or_default().to_owned();
        Some(LogRule { package: text(&rule, "packageId")?.to_owned(), level, filter })
    };
    items.iter().filter_map(rule).collect()
}

/// Reads what a long poll brought: type and payload of each message. One that is wrong breaks them all.
pub(super) fn pushes(status: u16, body: &[u8]) -> Result<Vec<(String, Option<Value>)>, String> {
    let items = match frame(status, body) {
        Read::Data(Value::Array(items)) => items,
        Read::Data(_) => return Err("the messages are no list".to_owned()),
        Read::NotFound => return Err("the tablet is not known".to_owned()),
        Read::Trouble(why) => return Err(why),
    };
    let message = |item: &Value| {
        let message = Value::Object(object("message", item, tables::PUSH)?);
        let kind = text(&message, "messageType").unwrap_or_default().to_owned();
        let payload = text(&message, "payload").map(|text| {
            serde_json::from_str(text).map_err(|_not_json| "a payload is no JSON text".to_owned())
        });
        Ok((kind, payload.transpose()?))
    };
    items.iter().map(message).collect()
}

pub(super) fn text<'a>(item: &'a Value, key: &str) -> Option<&'a str> {
    item.get(key).and_then(Value::as_str)
}

pub(super) fn flag(item: &Value, key: &str) -> bool {
    item.get(key).and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn number(item: &Value, key: &str) -> i64 {
    item.get(key).and_then(Value::as_i64).unwrap_or(0)
}

/// The known keys of an object, each as its class has it; keys that are not known are ignored.
fn object(what: &str, value: &Value, fields: &[(&str, Java)]) -> Result<Map<String, Value>, String> {
    let Value::Object(found) = value else { return Err(format!("{what} is no object")) };
    let mut read = Map::new();
    for (name, java) in fields {
        let value = found.get(*name).unwrap_or(&Value::Null);
        read.insert((*name).to_owned(), coerced(name, value, *java)?);
    }
    Ok(read)
}

fn coerced(name: &str, value: &Value, java: Java) -> Result<Value, String> {
    let refused = || Err(format!("{name} has the wrong type"));
    let coerced = match (java, value) {
        (Java::Bare, Value::Null) => Value::Bool(false),
        (_, Value::Null) => Value::Null,
        (Java::Text, Value::String(_)) | (Java::Flag | Java::Bare, Value::Bool(_)) => value.clone(),
        (Java::Text, Value::Number(number)) => Value::from(number.to_string()),
        (Java::Text, Value::Bool(flag)) => Value::from(flag.to_string()),
        (Java::Flag | Java::Bare, Value::Number(number)) if number.is_i64() => {
            Value::from(number.as_i64() != Some(0))
        }
        (Java::Flag | Java::Bare, Value::String(text)) => match text.trim() {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => return refused(),
        },
        (Java::Integer | Java::Long, Value::Number(_) | Value::String(_)) => {
            let Some(number) = whole(value) else { return refused() };
            if matches!(java, Java::Integer) && i32::try_from(number).is_err() {
                return refused();
            }
            Value::from(number)
        }
        (Java::List(fields), Value::Array(items)) => {
            let items: Result<Vec<Value>, String> =
                items.iter().map(|item| object(name, item, fields).map(Value::Object)).collect();
            Value::Array(items?)
        }
        _ => return refused(),
    };
    Ok(coerced)
}

/// A whole number from a number or from a text that is one; a fraction is cut off.
fn whole(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then(|| whole.parse().ok()).flatten()
}
