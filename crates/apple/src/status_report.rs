//! Status reports of the declarative protocol: what a tablet says of its declarations and of itself.
//!
//! Whatever a tablet sends is read leniently and bounded: an item of another shape is passed over, as is everything
//! that nobody asks for. Nothing in a report takes a tablet out of management (T-A17).

use serde_json::Value;

use crate::wire::WireError;

/// The longest report that is read, in bytes.
pub const LONGEST_REPORT: usize = 256 << 10;
/// The most declarations of one kind that are read.
const MOST_DECLARATIONS: usize = 500;
/// The most reasons of one declaration that are read.
const MOST_REASONS: usize = 8;
/// The longest text that is kept, in characters.
const LONGEST_TEXT: usize = 256;
/// The kinds of declarations, as a report groups them.
const KINDS: [&str; 4] = ["activations", "configurations", "assets", "management"];

/// A status report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusReport {
    /// It says everything: what it does not name is not there. Otherwise it says what changed.
    pub full: bool,
    /// What it says of declarations.
    pub declarations: Vec<DeclarationStatus>,
    /// The declarations that it no longer has, by their names.
    pub removed: Vec<String>,
    /// The version of the tablet's system.
    pub os_version: Option<String>,
}

/// What a tablet says of one declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclarationStatus {
    /// Its name.
    pub identifier: String,
    /// The content it speaks of.
    pub server_token: String,
    /// Whether it is in force.
    pub active: bool,
    /// `valid`, `invalid` or `unknown`.
    pub valid: String,
    /// Why not, in the tablet's codes and words.
    pub reasons: Vec<String>,
}

impl StatusReport {
    /// Reads a report.
    ///
    /// # Errors
    /// It is longer than [`LONGEST_REPORT`], no JSON, or not an object.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let wrong = || WireError::invalid("a status report: JSON, an object").within("Data");
        if bytes.len() > LONGEST_REPORT {
            return Err(wrong());
        }
        // serde_json bounds the depth itself.
        let report: Value = serde_json::from_slice(bytes).map_err(|_not_json| wrong())?;
        if !report.is_object() {
            return Err(wrong());
        }
        let mut read =
            Self { full: report.get("FullReport").and_then(Value::as_bool) == Some(true), ..Self::default() };
        let items = report.get("StatusItems");
        let declarations = items.and_then(|items| items.get("management")?.get("declarations"));
        for kind in KINDS {
            let of_kind = declarations.and_then(|all| all.get(kind)).and_then(Value::as_array);
            for one in of_kind.into_iter().flatten().take(MOST_DECLARATIONS) {
                read.take(one);
            }
        }
        let device = items.and_then(|items| items.get("device")?.get("operating-system"));
        read.os_version = device.and_then(|system| text(system, "version"));
        Ok(read)
    }

    fn take(&mut self, one: &Value) {
        let Some(identifier) = text(one, "identifier") else { return };
        if one.get("_removed").and_then(Value::as_bool) == Some(true) {
            return self.removed.push(identifier);
        }
        let reasons = one.get("reasons").and_then(Value::as_array);
        self.declarations.push(DeclarationStatus {
            identifier,
            server_token: text(one, "server-token").unwrap_or_default(),
            active: one.get("active").and_then(Value::as_bool) == Some(true),
            valid: text(one, "valid").unwrap_or_else(|| "unknown".to_owned()),
            reasons: reasons.into_iter().flatten().take(MOST_REASONS).filter_map(reason).collect(),
        });
    }
}

/// A text without what moves a cursor, cut to what is kept.
fn text(value: &Value, key: &str) -> Option<String> {
    let text = value.get(key)?.as_str()?;
    Some(text.chars().filter(|letter| !letter.is_control()).take(LONGEST_TEXT).collect())
}

fn reason(reason: &Value) -> Option<String> {
    match (text(reason, "code"), text(reason, "description")) {
        (Some(code), Some(words)) => Some(format!("{words} ({code})")),
        (Some(one), None) | (None, Some(one)) => Some(one),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_says_what_holds_what_does_not_and_what_is_gone() {
        let report = json!({
            "FullReport": true,
            "StatusItems": { "device": { "operating-system": { "version": "27.0" } }, "management": { "declarations": {
                "activations": [],
                "configurations": [
                    { "identifier": "a", "server-token": "1", "active": true, "valid": "valid" },
                    { "identifier": "b", "server-token": "2", "active": false, "valid": "invalid",
                      "reasons": [{ "code": "Error.ConfigurationCannotBeApplied", "description": "No", "details": {} }] },
                    { "identifier": "c", "_removed": true },
                ],
            }}},
            "Errors": [],
        });
        let read = StatusReport::parse(report.to_string().as_bytes()).unwrap();
        assert!(read.full);
        assert_eq!(read.os_version.as_deref(), Some("27.0"));
        assert_eq!(read.removed, ["c"]);
        let names: Vec<&str> = read.declarations.iter().map(|one| one.identifier.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(read.declarations[1].reasons, ["No (Error.ConfigurationCannotBeApplied)"]);
    }

    #[test]
    fn t_a17_a_report_of_any_shape_is_read_or_refused_and_bounded() {
        for odd in
            ["{}", r#"{"StatusItems":7}"#, r#"{"StatusItems":{"management":{"declarations":{"assets":{}}}}}"#]
        {
            assert_eq!(StatusReport::parse(odd.as_bytes()).unwrap(), StatusReport::default(), "{odd}");
        }
        let deep = [b"[".repeat(15_000), b"]".repeat(15_000)].concat();
        for wrong in [&b""[..], b"[]", b"{", &deep, &vec![b' '; LONGEST_REPORT + 1]] {
            assert!(StatusReport::parse(wrong).is_err());
        }
        let many: Vec<Value> = (0..2_000).map(|number| json!({ "identifier": "x".repeat(number) })).collect();
        let many =
            json!({ "StatusItems": { "management": { "declarations": { "configurations": many[..600] } } } });
        let read = StatusReport::parse(many.to_string().as_bytes()).unwrap();
        assert_eq!(read.declarations.len(), MOST_DECLARATIONS);
        assert!(read.declarations.iter().all(|one| one.identifier.len() <= LONGEST_TEXT));
        let moves = json!({ "StatusItems": { "management": { "declarations": { "assets": [
            { "identifier": "a\u{1b}[2J", "valid": "\u{0}" } ] } } } });
        let read = StatusReport::parse(moves.to_string().as_bytes()).unwrap();
        assert_eq!(read.declarations[0].identifier, "a[2J");
    }
}
