//! What a tablet says when it asks for its first configuration.

use serde_json::Value;

use crate::WireError;
use crate::json::{self, Fields, Limits};

/// The body of the first request. All of it comes from the code that the tablet scanned, and none of it proves anything: the
/// key in the path does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnrolOptions {
    /// The customer, for a server of many.
    pub customer: Option<String>,
    /// Which configuration the code named.
    pub configuration: Option<String>,
    /// Which groups the code named.
    pub groups: Vec<String>,
}

/// The most characters that are kept of a name.
const NAME: usize = 64;
/// The most groups that are kept.
const GROUPS: usize = 32;

impl EnrolOptions {
    /// Reads a body. `groupSet` repeats the groups, and is not looked at.
    ///
    /// # Errors
    /// It is not acceptable JSON, or a key has the wrong type.
    pub fn parse(bytes: &[u8]) -> Result<Self, WireError> {
        let value = json::parse(bytes, Limits::ENROLMENT)?;
        let fields = Fields::of(&value)?;
        let name = |item: &Value| {
            let text = item.as_str().ok_or_else(|| WireError::wrong_type("", "a text", item))?;
            Ok(text.chars().take(NAME).collect())
        };
        Ok(Self {
            customer: fields.text("customer", NAME)?,
            configuration: fields.text("configuration", NAME)?,
            groups: fields.list("groups", GROUPS, name)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_keys_of_the_agent_are_read_and_the_fourth_is_a_repetition() {
        let body = br#"{"customer":null,"configuration":"12","groups":["3","4"],"groupSet":["3","4"]}"#;
        let read = EnrolOptions::parse(body).unwrap();
        let groups = vec!["3".to_owned(), "4".to_owned()];
        assert_eq!(read, EnrolOptions { customer: None, configuration: Some("12".to_owned()), groups });
        let empty = br#"{"customer":null,"configuration":null,"groups":null,"groupSet":null}"#;
        assert_eq!(EnrolOptions::parse(empty), Ok(EnrolOptions::default()));
    }

    #[test]
    fn t_a16_more_groups_than_a_code_names_are_not_kept() {
        let body = format!(r#"{{"groups":["{}"]}}"#, vec!["x".repeat(80); 40].join("\",\""));
        let read = EnrolOptions::parse(body.as_bytes()).unwrap();
        assert_eq!((read.groups.len(), read.groups[0].len()), (GROUPS, NAME));
        let error = EnrolOptions::parse(br#"{"groups":[1]}"#).unwrap_err();
        assert_eq!(error.to_string(), "the key `groups` should be a text, it is a number");
    }
}
