//! The agent's own log: which rows are wanted, and the rows.
//!
//! Only what the agent says of itself is asked for, and only when something is amiss: a log of a tablet tells of its user.

use serde::Serialize;
use serde_json::Value;
use types::Instant;

use super::answer::Answer;
use super::signature::AgentSecret;
use crate::WireError;
use crate::json::{self, Fields, Limits};

/// The package of the agent itself.
pub const AGENT_PACKAGE: &str = "com.hmdm.launcher";

/// How much a rule lets through: the agent sends what is as grave, or graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Errors.
    Error,
    /// Warnings.
    Warning,
    /// What it does.
    Info,
    /// What it looks at.
    Debug,
    /// Everything.
    Verbose,
}

impl Level {
    const ALL: [Self; 5] = [Self::Error, Self::Warning, Self::Info, Self::Debug, Self::Verbose];

    const fn number(self) -> i64 {
        match self {
            Self::Error => 1,
            Self::Warning => 2,
            Self::Info => 3,
            Self::Debug => 4,
            Self::Verbose => 5,
        }
    }

    fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    package_id: &'static str,
    log_level: i64,
    filter: &'static str,
}

/// The answer that says which rows are wanted: those of the agent itself up to a level, or none.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn rules(up_to: Option<Level>, secret: &AgentSecret) -> Result<Answer, serde_json::Error> {
    let rule = |level: Level| Rule { package_id: AGENT_PACKAGE, log_level: level.number(), filter: "" };
    let rules: Vec<Rule> = up_to.map(rule).into_iter().collect();
    Answer::data(&rules, secret)
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// When, as the tablet's clock has it.
    pub at: Instant,
    /// How grave.
    pub level: Level,
    /// What it says, cut. Untrusted: any app may have written it.
    pub message: String,
}

/// What a row says of a code that was reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeReset {
    /// It was.
    Done,
    /// It was not: the agent's token is not active before the user has unlocked the tablet once.
    Failed,
}

/// The most rows of one request: the agent sends ten.
pub(crate) const MOST_ROWS: usize = 50;
/// The most characters that are kept of a row.
pub(crate) const MESSAGE: usize = 1_000;

/// Reads the rows of a request; those of other packages are not kept, since nobody asked for them.
///
/// # Errors
/// The body is not acceptable JSON, or a key has the wrong type.
pub fn parse(bytes: &[u8]) -> Result<Vec<LogRow>, WireError> {
    let value = json::parse(bytes, Limits::LOG)?;
    let items = value.as_array().ok_or_else(|| WireError::wrong_type("", "a list", &value))?;
    let rows: Result<Vec<Option<LogRow>>, WireError> = items.iter().take(MOST_ROWS).map(row).collect();
    Ok(rows?.into_iter().flatten().collect())
}

fn row(item: &Value) -> Result<Option<LogRow>, WireError> {
    let fields = Fields::of(item)?;
    let at = fields.integer("timestamp")?.ok_or_else(|| WireError::missing("timestamp"))?;
    let level = fields.integer("logLevel")?.and_then(Level::of);
    let level = level.ok_or_else(|| WireError::invalid("logLevel", "1 to 5"))?;
    let message = fields.text("message", MESSAGE)?.unwrap_or_default();
    let ours = fields.text("packageId", 128)?.is_some_and(|package| package == AGENT_PACKAGE);
    Ok(ours.then(|| LogRow { at: Instant::from_millis(at), level, message }))
}

impl LogRow {
    /// What it says of a code that was reset, if it says that.
    #[must_use]
    pub fn code_reset(&self) -> Option<CodeReset> {
        if self.message.contains("Password successfully changed") {
            Some(CodeReset::Done)
        } else if self.message.contains("Failed to reset password") {
            Some(CodeReset::Failed)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_ask_for_the_agents_own_rows_or_for_none() {
        let body = |level| String::from_utf8(rules(level, &AgentSecret::Published).unwrap().body).unwrap();
        assert_eq!(body(None), r#"{"status":"OK","message":null,"data":[]}"#);
        assert_eq!(
            body(Some(Level::Info)),
            r#"{"status":"OK","message":null,"data":[{"packageId":"com.hmdm.launcher","logLevel":3,"filter":""}]}"#
        );
    }

    #[test]
    fn rows_are_read_cut_and_only_the_agents_are_kept() {
        let item = |package: &str, message: &str| {
            format!(
                r#"{{"timestamp":1795471200000,"logLevel":2,"packageId":"{package}","message":"{message}"}}"#
            )
        };
        let long = "x".repeat(MESSAGE + 50);
        let body = format!(
            "[{},{},{}]",
            item(AGENT_PACKAGE, "Failed to reset password"),
            item("org.exemple.journal", "mon journal"),
            item(AGENT_PACKAGE, &long)
        );
        let rows = parse(body.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].level, rows[0].code_reset()), (Level::Warning, Some(CodeReset::Failed)));
        assert_eq!((rows[1].message.len(), rows[1].code_reset()), (MESSAGE, None));
        let done = LogRow { message: "Password successfully changed".to_owned(), ..rows[0].clone() };
        assert_eq!(done.code_reset(), Some(CodeReset::Done));
    }

    #[test]
    fn t_a16_rows_without_end_or_sense_are_bounded_or_refused() {
        let item = r#"{"timestamp":1,"logLevel":1,"packageId":"com.hmdm.launcher","message":"a"}"#;
        let many = format!("[{}]", vec![item; 80].join(","));
        assert_eq!(parse(many.as_bytes()).unwrap().len(), MOST_ROWS);
        for bad in ["{}", "[1]", r#"[{"timestamp":1,"logLevel":6}]"#, r#"[{"logLevel":1}]"#] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
