//! Writes a dictionary as the XML that tablets read. Cannot fail: there is no I/O and no value without
//! a form.

use std::time::{Duration, SystemTime};

use ::plist::{Data, Date, Dictionary, Value};

const PROLOGUE: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" ",
    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
    "<plist version=\"1.0\">\n",
);

/// 9999-12-31T23:59:59Z, in seconds after 1970.
const LAST_SECOND: u64 = 253_402_300_799;
/// 0000-01-01T00:00:00Z, in seconds before 1970.
const FIRST_SECOND: u64 = 62_167_219_200;

pub(super) fn to_xml(dictionary: &Dictionary) -> Vec<u8> {
    let mut out = String::from(PROLOGUE);
    write_dictionary(&mut out, dictionary, 0);
    out.push_str("</plist>\n");
    out.into_bytes()
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Dictionary(entries) => write_dictionary(out, entries, depth),
        Value::Array(items) if items.is_empty() => line(out, depth, "<array/>"),
        Value::Array(items) => {
            line(out, depth, "<array>");
            for item in items {
                write_value(out, item, depth + 1);
            }
            line(out, depth, "</array>");
        }
        Value::Boolean(true) => line(out, depth, "<true/>"),
        Value::Boolean(false) => line(out, depth, "<false/>"),
        Value::String(text) => leaf(out, depth, "string", text),
        Value::Integer(number) => leaf(out, depth, "integer", &number.to_string()),
        Value::Real(number) => leaf(out, depth, "real", &number.to_string()),
        Value::Date(date) => leaf(out, depth, "date", &date_text(*date)),
        Value::Data(bytes) => leaf(out, depth, "data", &Data::new(bytes.clone()).to_xml_format()),
        // Not met: XML has no UID, so no reader of ours makes one.
        Value::Uid(uid) => leaf(out, depth, "integer", &uid.get().to_string()),
        _ => line(out, depth, "<string></string>"),
    }
}

fn write_dictionary(out: &mut String, dictionary: &Dictionary, depth: usize) {
    if dictionary.is_empty() {
        return line(out, depth, "<dict/>");
    }
    line(out, depth, "<dict>");
    for (key, value) in dictionary {
        leaf(out, depth + 1, "key", key);
        write_value(out, value, depth + 1);
    }
    line(out, depth, "</dict>");
}

fn line(out: &mut String, depth: usize, text: &str) {
    out.extend(std::iter::repeat_n('\t', depth));
    out.push_str(text);
    out.push('\n');
}

fn leaf(out: &mut String, depth: usize, name: &str, text: &str) {
    out.extend(std::iter::repeat_n('\t', depth));
    out.push('<');
    out.push_str(name);
    out.push('>');
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A bare carriage return would come back as a line feed (XML 1.0 §2.11).
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other if other < ' ' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push_str(">\n");
}

/// Whole seconds in UTC; instants outside the calendar of four-digit years, on which the `plist` crate
/// panics, are moved to its ends.
fn date_text(date: Date) -> String {
    let time = match SystemTime::from(date).duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => SystemTime::UNIX_EPOCH + Duration::from_secs(after.as_secs().min(LAST_SECOND)),
        Err(before) => {
            // Towards the past, so that the fraction of a second goes the same way on both sides.
            let span = before.duration();
            let seconds = span.as_secs().saturating_add(u64::from(span.subsec_nanos() > 0));
            SystemTime::UNIX_EPOCH - Duration::from_secs(seconds.min(FIRST_SECOND))
        }
    };
    Date::from(time).to_xml_format()
}
