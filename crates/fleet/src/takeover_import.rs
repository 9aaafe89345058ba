//! The tablets that another server hands over, as a file: JSON lines, or a CSV with the same names.
//!
//! Reading is pure, and all or nothing, as for the inventory.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki::Fingerprint;
use serde::Deserialize;
use types::{Secret, SerialNumber, Udid};

use crate::csv_import::BadLine;

/// The most lines one import may hold.
const MAX_LINES: usize = 200_000;
/// What every topic of device management begins with.
const TOPIC_PREFIX: &str = "com.apple.mgmt.";
/// The longest topic, PushMagic or token, in characters of the file. Unlock tokens have about 3,000.
const LONGEST: usize = 32_768;

/// What the other server knows of one tablet.
#[derive(Debug, Clone)]
pub(crate) struct TakeoverLine {
    /// The line of the file.
    pub(crate) line: u64,
    pub(crate) udid: Udid,
    pub(crate) serial: SerialNumber,
    pub(crate) topic: String,
    pub(crate) push_token: Secret<Vec<u8>>,
    pub(crate) push_magic: Secret<Vec<u8>>,
    pub(crate) unlock_token: Option<Secret<Vec<u8>>>,
    /// SHA-256 of the certificate that the tablet holds.
    pub(crate) certificate: Fingerprint,
}

/// A line as it stands in the file. No `Debug`: most of it is secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    udid: String,
    serial: String,
    topic: String,
    /// Base64.
    push_token: String,
    push_magic: String,
    /// Base64; empty or absent when the other server has none.
    #[serde(default)]
    unlock_token: Option<String>,
    /// Hexadecimal, with or without colons.
    certificate_sha256: String,
}

/// Reads a whole file.
///
/// # Errors
/// Every bad line, in order. No value is quoted: most of them are secret.
pub(crate) fn read(file: &str) -> Result<Vec<TakeoverLine>, Vec<BadLine>> {
    let file = file.strip_prefix('\u{feff}').unwrap_or(file);
    let written = if file.trim_start().starts_with('{') { json_lines(file) } else { csv_lines(file) };
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    let (mut serials, mut certificates) = (HashSet::new(), HashSet::new());
    for (number, written) in written.into_iter().take(MAX_LINES + 1) {
        match written.and_then(|written| checked(number, written)) {
            Ok(line) => {
                if !serials.insert(line.serial.clone()) || !certificates.insert(line.certificate) {
                    mistakes.push(bad(number, "the same serial or certificate stands on an earlier line"));
                }
                lines.push(line);
            }
            Err(problem) => mistakes.push(bad(number, &problem)),
        }
    }
    if lines.len() > MAX_LINES {
        mistakes.push(bad(0, "too many tablets; split the file"));
    }
    if lines.is_empty() && mistakes.is_empty() {
        mistakes.push(bad(1, "the file names no tablet"));
    }
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

type Numbered = Vec<(u64, Result<Written, String>)>;

fn json_lines(file: &str) -> Numbered {
    (1..)
        .zip(file.lines())
        .filter(|(_number, line)| !line.trim().is_empty())
        // serde_json quotes unknown keys and positions in its messages, never values of strings.
        .map(|(number, line)| (number, serde_json::from_str(line).map_err(|error| without_values(&error))))
        .collect()
}

/// A wrongly typed value is quoted by serde_json: say where instead.
fn without_values(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("invalid type") => {
            format!("a value is not a text, at column {}", error.column())
        }
        _ => error.to_string(),
    }
}

fn csv_lines(file: &str) -> Numbered {
    let header = file.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(file.as_bytes());
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return vec![(1, Err(error.to_string()))],
    };
    reader
        .records()
        .map(|record| match record {
            Ok(record) => {
                let number = record.position().map_or(0, csv::Position::line);
                let written = record.deserialize::<Written>(Some(&headers));
                (number, written.map_err(|_quotes_values| "the columns are udid, serial, topic, push_token, push_magic, unlock_token, certificate_sha256".to_owned()))
            }
            Err(error) => (error.position().map_or(0, csv::Position::line), Err(error.to_string())),
        })
        .collect()
}

fn checked(line: u64, written: Written) -> Result<TakeoverLine, String> {
    let udid = written.udid.parse::<Udid>().map_err(|error| error.to_string())?;
    let serial = written.serial.parse::<SerialNumber>().map_err(|error| error.to_string())?;
    let certificate = written
        .certificate_sha256
        .parse::<Fingerprint>()
        .map_err(|error| format!("certificate_sha256: {error}"))?;
    if !written.topic.starts_with(TOPIC_PREFIX) || written.topic.len() > LONGEST {
        return Err(format!("topic: must begin with {TOPIC_PREFIX}"));
    }
    if written.push_magic.is_empty() || written.push_magic.len() > LONGEST {
        return Err("push_magic: must be there".into());
    }
    let unlock_token = written.unlock_token.filter(|text| !text.is_empty());
    Ok(TakeoverLine {
        line,
        udid,
        serial,
        topic: written.topic,
        push_token: bytes("push_token", &written.push_token)?,
        push_magic: Secret::new(written.push_magic.into_bytes()),
        unlock_token: unlock_token.map(|text| bytes("unlock_token", &text)).transpose()?,
        certificate,
    })
}

fn bytes(name: &str, text: &str) -> Result<Secret<Vec<u8>>, String> {
    match STANDARD.decode(text) {
        Ok(bytes) if !bytes.is_empty() && text.len() <= LONGEST => Ok(Secret::new(bytes)),
        _ => Err(format!("{name}: must be base64")),
    }
}

fn bad(line: u64, problem: &str) -> BadLine {
    BadLine { line, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "76f27d00e1333bc88de0e2916c38c9a7f2b75774c25a794c092a80e3c4c66cce";

    fn json(serial: &str, hash: &str) -> String {
        format!(
            "{{\"udid\":\"00008020-000915083C80012E\",\"serial\":\"{serial}\",\"topic\":\"com.apple.mgmt.External.x\",\
             \"push_token\":\"AQID\",\"push_magic\":\"magic\",\"certificate_sha256\":\"{hash}\"}}"
        )
    }

    #[test]
    fn json_lines_and_csv_are_both_read() {
        let csv = format!(
            "udid;serial;topic;push_token;push_magic;unlock_token;certificate_sha256\n\
             00008020-000915083C80012E;DMPXK1ABCD12;com.apple.mgmt.External.x;AQID;magic;BAUG;{HASH}\n"
        );
        for (file, unlock) in [(json("DMPXK1ABCD12", HASH), false), (csv, true)] {
            let lines = read(&file).unwrap();
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].serial.as_str(), "DMPXK1ABCD12");
            assert_eq!(lines[0].push_token.expose(), &[1, 2, 3]);
            assert_eq!(lines[0].unlock_token.is_some(), unlock);
        }
    }

    #[test]
    fn every_bad_line_is_named_and_no_secret_is_quoted() {
        let file = [
            json("DMPXK1ABCD12", HASH),
            json("short", HASH),
            json("DMPXK1ABCD12", &HASH.replace('7', "8")),
            json("DMPXK1ABCD13", "12"),
            json("DMPXK1ABCD14", HASH).replace("AQID", "s3cret!"),
            json("DMPXK1ABCD15", HASH).replace("\"magic\"", "[\"s3cret\"]"),
            json("DMPXK1ABCD16", HASH).replace("\"udid\"", "\"extra\":1,\"udid\""),
        ]
        .join("\n");
        let mistakes = read(&file).unwrap_err();
        assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
        assert!(!format!("{mistakes:?}").contains("s3cret"), "{mistakes:?}");
    }

    #[test]
    fn a_file_without_tablets_says_so() {
        assert!(read("").unwrap_err()[0].problem.contains("no tablet"));
        assert!(read("name,age\nx,3\n").unwrap_err()[0].problem.contains("the columns are"));
    }
}
