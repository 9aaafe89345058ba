//! What the API says when it refuses: a problem of RFC 9457, with our own members.

use serde::Deserialize;
use serde_json::{Value, json};

/// A refusal of the API.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.sentence())]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The kind of problem, for programs.
    pub(crate) code: Option<String>,
    /// The kind of problem, in words.
    title: String,
    /// What happened here.
    detail: Option<String>,
    /// What to do next.
    pub(crate) next_step: Option<String>,
    /// The rule of the lending programme that decided.
    pub(crate) rule: Option<String>,
    /// The bad lines of an import.
    pub(crate) lines: Vec<ProblemLine>,
    /// What to quote when asking for help.
    pub(crate) request_id: Option<String>,
    /// The whole document, as it came.
    pub(crate) document: Value,
}

/// One bad line of an import.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ProblemLine {
    /// Its number.
    pub(crate) line: u64,
    /// What is wrong with it.
    pub(crate) problem: String,
}

impl Problem {
    /// Reads the answer of status `status`; a body that is no problem, as a proxy sends, is one all the same.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let document = serde_json::from_slice(body).ok().filter(Value::is_object).unwrap_or_else(
            || json!({ "status": status, "code": "foreign", "title": format!("HTTP status {status}") }),
        );
        let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let lines = document.get("lines").cloned().and_then(|lines| serde_json::from_value(lines).ok());
        Self {
            status,
            code: text("code"),
            title: text("title").unwrap_or_else(|| format!("HTTP status {status}")),
            detail: text("detail"),
            next_step: text("next_step"),
            rule: text("rule"),
            lines: lines.unwrap_or_default(),
            request_id: text("request_id"),
            document,
        }
    }

    /// What happened here, or what kind of problem it is.
    pub(crate) fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.title)
    }

    /// The same problem, of these lines.
    pub(crate) fn about(mut self, detail: String, lines: Vec<ProblemLine>) -> Self {
        if let Some(document) = self.document.as_object_mut() {
            let listed = lines.iter().map(|bad| json!({ "line": bad.line, "problem": bad.problem }));
            document.insert("lines".to_owned(), listed.collect());
            document.insert("detail".to_owned(), json!(detail));
        }
        Self { detail: Some(detail), lines, ..self }
    }

    fn sentence(&self) -> String {
        match &self.detail {
            Some(detail) if detail.starts_with(&self.title) => detail.clone(),
            Some(detail) => format!("{}: {detail}", self.title),
            None => self.title.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_keeps_its_detail_its_lines_and_what_to_do_next() {
        let body = br#"{"type":"urn:ardoise:problem:bad-inventory","title":"bad file","status":422,
            "detail":"1 line cannot be imported","next_step":"correct it","code":"bad-inventory",
            "lines":[{"line":3,"problem":"short"}],"request_id":"7"}"#;
        let problem = Problem::read(422, body);
        assert_eq!(problem.to_string(), "bad file: 1 line cannot be imported");
        assert_eq!(problem.next_step.as_deref(), Some("correct it"));
        assert_eq!(problem.lines, [ProblemLine { line: 3, problem: "short".into() }]);
        assert_eq!(problem.code.as_deref(), Some("bad-inventory"));
    }

    #[test]
    fn a_proxys_page_is_a_problem_too() {
        for body in [b"<html>Bad gateway</html>".as_slice(), b"", b"[]", b"7"] {
            assert_eq!(Problem::read(502, body).to_string(), "HTTP status 502");
        }
    }
}
