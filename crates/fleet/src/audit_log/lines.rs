//! The lines of an export: one JSON document each, which hold all that a verification needs.
//!
//! ```text
//! {"format":"ardoise audit log 1","exported_at":"…"}
//! {"seal":{"number":1,"row_count":2,"first_seq":1,"last_seq":2,"root":"…","previous":"…","digest":"…","at":…}}
//! {"entry":{"seq":1,"id":"…","at":…,"actor":"host","action":"…","tablet":null,"enrolment":null,"order":null,
//!           "body":{"salt":"…","reason":null,"detail":"{…}"},"body_digest":"…","seal":1}}
//! {"end":{"seals":1,"entries":2,"anchor":"1:…"}}
//! ```
//!
//! Instants are unix milliseconds, bytes hexadecimal; `detail` is the text as it is stored, because its bytes are what
//! was digested. The body of an entry that was emptied in time is null.

use governance::chain::{Body, Row, Seal};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use types::{Digest, Instant};

use super::Exported;

/// The name of this format.
pub const FORMAT: &str = "ardoise audit log 1";

/// What is no line of an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no line of an export of the audit log: {0}")]
pub struct NotALine(String);

/// One line.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one line is held at a time")]
pub enum Line {
    /// The first: what follows.
    Format,
    /// One of those that an export holds.
    Part(Exported),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealLine {
    number: i64,
    row_count: u32,
    first_seq: i64,
    last_seq: i64,
    root: String,
    previous: String,
    digest: String,
    at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    seq: i64,
    id: String,
    at: i64,
    actor: String,
    action: String,
    tablet: Option<String>,
    enrolment: Option<String>,
    order: Option<String>,
    body: Option<BodyLine>,
    body_digest: Option<String>,
    seal: Option<i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyLine {
    /// None in a body that was emptied in part, which no purge does.
    salt: Option<String>,
    reason: Option<String>,
    detail: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    seals: u64,
    entries: u64,
    anchor: Option<String>,
}

/// The first line of an export.
#[must_use]
pub fn heading(now: Instant) -> Json {
    json!({ "format": FORMAT, "exported_at": now.to_string() })
}

impl Exported {
    /// Its line.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Seal(seal) => json!({ "seal": SealLine {
                number: seal.number,
                row_count: seal.row_count,
                first_seq: seal.first_seq,
                last_seq: seal.last_seq,
                root: seal.root.to_string(),
                previous: seal.previous.to_string(),
                digest: seal.digest.to_string(),
                at: seal.at.as_millis(),
            } }),
            Self::Entry(row) => json!({ "entry": EntryLine {
                seq: row.seq,
                id: row.id.clone(),
                at: row.at.as_millis(),
                actor: row.actor.clone(),
                action: row.action.clone(),
                tablet: row.tablet.clone(),
                enrolment: row.enrolment.clone(),
                order: row.order.clone(),
                body: body(&row.body),
                body_digest: row.body_digest.map(|digest| digest.to_string()),
                seal: row.seal_number,
            } }),
            Self::End { seals, entries, anchor } => json!({ "end": EndLine {
                seals: *seals,
                entries: *entries,
                anchor: anchor.map(|anchor| anchor.to_string()),
            } }),
        }
    }
}

fn body(body: &Body) -> Option<BodyLine> {
    match body {
        Body::Kept { salt, reason, detail } => {
            Some(BodyLine { salt: Some(hex::encode(salt)), reason: reason.clone(), detail: detail.clone() })
        }
        Body::Purged => None,
        Body::HalfPurged => Some(BodyLine { salt: None, reason: None, detail: None }),
    }
}

/// Reads one line.
///
/// # Errors
/// [`NotALine`] says what is wrong with it.
pub fn read(line: &str) -> Result<Line, NotALine> {
    let document: Json = serde_json::from_str(line).map_err(|error| NotALine(error.to_string()))?;
    let part = |name: &str| document.get(name).cloned();
    if let Some(format) = part("format") {
        return match format.as_str() {
            Some(FORMAT) => Ok(Line::Format),
            _ => Err(NotALine(format!("its format is {format}, and this program reads `{FORMAT}`"))),
        };
    }
    if let Some(seal) = part("seal") {
        return read_seal(seal).map(|seal| Line::Part(Exported::Seal(seal)));
    }
    if let Some(entry) = part("entry") {
        return read_entry(entry).map(|row| Line::Part(Exported::Entry(row)));
    }
    if let Some(end) = part("end") {
        let EndLine { seals, entries, anchor } = typed(end)?;
        let anchor = anchor.map(|text| text.parse()).transpose().map_err(not_a_line)?;
        return Ok(Line::Part(Exported::End { seals, entries, anchor }));
    }
    Err(NotALine("it is neither a seal nor an entry, nor the first or last line".into()))
}

fn read_seal(document: Json) -> Result<Seal, NotALine> {
    let line: SealLine = typed(document)?;
    Ok(Seal {
        number: line.number,
        row_count: line.row_count,
        first_seq: line.first_seq,
        last_seq: line.last_seq,
        root: digest(&line.root)?,
        previous: digest(&line.previous)?,
        digest: digest(&line.digest)?,
        at: Instant::from_millis(line.at),
    })
}

fn read_entry(document: Json) -> Result<Row, NotALine> {
    let line: EntryLine = typed(document)?;
    let body = match line.body {
        None => Body::Purged,
        Some(BodyLine { salt: Some(salt), reason, detail }) => {
            Body::Kept { salt: hex::decode(salt).map_err(not_a_line)?, reason, detail }
        }
        Some(BodyLine { salt: None, .. }) => Body::HalfPurged,
    };
    Ok(Row {
        seq: line.seq,
        id: line.id,
        at: Instant::from_millis(line.at),
        actor: line.actor,
        action: line.action,
        tablet: line.tablet,
        enrolment: line.enrolment,
        order: line.order,
        body,
        body_digest: line.body_digest.map(|text| digest(&text)).transpose()?,
        seal_number: line.seal,
    })
}

fn typed<T: serde::de::DeserializeOwned>(document: Json) -> Result<T, NotALine> {
    serde_json::from_value(document).map_err(not_a_line)
}

fn digest(text: &str) -> Result<Digest, NotALine> {
    text.parse().map_err(not_a_line)
}

fn not_a_line(error: impl std::fmt::Display) -> NotALine {
    NotALine(error.to_string())
}

#[cfg(test)]
mod tests {
    use governance::chain::body_digest;

    use super::*;

    fn row(body: Body) -> Row {
        Row {
            seq: 3,
            id: "id".into(),
            at: Instant::from_millis(1_790_000_000_000),
            actor: "host".into(),
            action: "link.create".into(),
            tablet: None,
            enrolment: Some("e".into()),
            order: None,
            body,
            body_digest: Some(body_digest(b"salt", Some("é"), None)),
            seal_number: Some(1),
        }
    }

    #[test]
    fn what_is_exported_is_read_to_the_letter() {
        let kept = Body::Kept {
            salt: b"salt".to_vec(),
            reason: Some("é".into()),
            detail: Some("{ \"spaced\" : 1 }".into()),
        };
        for body in [kept, Body::Purged, Body::HalfPurged] {
            let row = row(body);
            let line = Exported::Entry(row.clone()).to_json().to_string();
            assert!(!line.contains('\n'));
            let Line::Part(Exported::Entry(read)) = read(&line).unwrap() else { panic!("{line}") };
            assert_eq!(read, row);
        }
        let seal = Seal::next(None, &[row(Body::Purged)], Instant::from_millis(5)).unwrap().unwrap();
        let line = Exported::Seal(seal.clone()).to_json().to_string();
        let Line::Part(Exported::Seal(read)) = read(&line).unwrap() else { panic!("{line}") };
        assert_eq!(read, seal);
    }

    #[test]
    fn what_is_no_line_is_refused_in_words() {
        for line in
            ["", "[]", "{}", r#"{"format":"another 2"}"#, r#"{"seal":{}}"#, r#"{"entry":{"seq":"1"}}"#]
        {
            let error = read(line).unwrap_err().to_string();
            assert!(error.starts_with("it is no line of an export"), "{error}");
        }
    }
}
