//! The inventory as the supplier delivers it: a CSV of serial, asset tag, model, platform and UAI.
//!
//! Reading is pure: bytes in, and either every line or every mistake. Nothing is half done (C3.3.4).

use std::collections::HashMap;

use types::{Platform, SerialNumber, Uai};

/// The most lines one import may hold.
pub(crate) const MAX_LINES: usize = 200_000;

/// The longest asset tag and model, in characters.
const MAX_TEXT: usize = 100;

/// One tablet of the inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InventoryLine {
    /// Its serial number.
    pub serial: SerialNumber,
    /// The département's own label.
    pub asset_tag: String,
    /// The maker's model.
    pub model: String,
    /// What it runs.
    pub platform: Platform,
    /// The collège that it is for.
    pub uai: Uai,
}

/// A line that cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// The line of the file, the header being line 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The columns, in any order; `asset_tag` and `model` may be empty.
pub const COLUMNS: [&str; 5] = ["serial", "asset_tag", "model", "platform", "uai"];

/// Reads a whole inventory.
///
/// Commas or semicolons separate, as spreadsheets in France write the latter; a byte-order mark is skipped.
///
/// # Errors
/// Every bad line of the file, in order; the good ones are then not imported either.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<InventoryLine>, Vec<BadLine>> {
    let mut reader = reader(bytes)?;
    let columns = match reader.headers() {
        Ok(headers) => Columns::find(headers).map_err(|problem| vec![bad(1, problem)])?,
        Err(error) => return Err(vec![bad(1, error.to_string())]),
    };

    let mut lines = Vec::new();
    let mut mistakes = Vec::new();
    let mut seen: HashMap<SerialNumber, u64> = HashMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                mistakes.push(bad(line, format!("cannot be read: {error}")));
                continue;
            }
        };
        let number = record.position().map_or(0, csv::Position::line);
        if lines.len() >= MAX_LINES {
            mistakes.push(bad(number, format!("more than {MAX_LINES} tablets; split the file")));
            break;
        }
        match columns.line(&record) {
            Ok(line) => {
                if let Some(first) = seen.insert(line.serial.clone(), number) {
                    mistakes.push(bad(
                        number,
                        format!("serial `{}` stands on line {first} already", line.serial),
                    ));
                } else {
                    lines.push(line);
                }
            }
            Err(problems) => mistakes.extend(problems.into_iter().map(|problem| bad(number, problem))),
        }
    }
    if lines.is_empty() && mistakes.is_empty() {
        mistakes.push(bad(2, "the file names no tablet".into()));
    }
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

/// Reads a file as spreadsheets write it: with commas, or with semicolons as in France; a byte-order mark is skipped.
///
/// # Errors
/// A file that is not UTF-8.
pub(crate) fn reader(bytes: &[u8]) -> Result<csv::Reader<&[u8]>, Vec<BadLine>> {
    let (text, delimiter) = text_of(bytes)?;
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).flexible(true).trim(csv::Trim::All);
    Ok(builder.from_reader(text.as_bytes()))
}

/// The file as text, and what separates its fields.
fn text_of(bytes: &[u8]) -> Result<(&str, u8), Vec<BadLine>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(vec![bad(1, "the file is not UTF-8; save it as “CSV UTF-8”".into())]);
    };
    let header = text.lines().next().unwrap_or_default();
    Ok((text, if header.contains(';') { b';' } else { b',' }))
}

/// How many lines one record has at most: a field holds an address. A quote that is open for longer was never closed, and
/// is not looked for to the end of the file, line after line.
const LINES_OF_A_RECORD: usize = 12;

/// The file without the lines on which a quote opens that is not closed where its field ends, each of which is named: a reader
/// would take whatever follows, line after line, for one field. The others keep their numbers.
///
/// # Errors
/// A file that is not UTF-8, or on which more than `most` quotes stay open.
pub(crate) fn without_open_quotes(bytes: &[u8], most: usize) -> Result<(String, Vec<BadLine>), Vec<BadLine>> {
    let (text, delimiter) = text_of(bytes)?;
    let (mut kept, mut mistakes) = (String::with_capacity(text.len()), Vec::new());
    let mut lines = (1..).zip(text.split_inclusive('\n'));
    while let Some((number, line)) = lines.next() {
        let mut record = line.to_owned();
        let mut quotes = Quotes::FieldStart.through(line, delimiter);
        if quotes == Quotes::Within {
            // A field may hold line breaks, if the lines that follow close it.
            let mut ahead = lines.clone();
            let mut taken: usize = 0;
            while quotes == Quotes::Within && taken < LINES_OF_A_RECORD {
                let Some((_number, more)) = ahead.next() else { break };
                quotes = quotes.through(more, delimiter);
                record.push_str(more);
                taken += 1;
            }
            if quotes == Quotes::FieldStart {
                lines.by_ref().take(taken).for_each(drop);
            }
        }
        if quotes == Quotes::FieldStart {
            kept.push_str(&record);
            continue;
        }
        let what =
            "a quote opens on this line that is not closed where its field ends: close it, or take it away";
        mistakes.push(bad(number, what.to_owned()));
        if mistakes.len() > most {
            return Err(mistakes);
        }
        kept.push('\n');
    }
    Ok((kept, mistakes))
}

/// Where a reader stands between quotes, at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// A field may begin, or one without quotes goes on.
    FieldStart,
    /// Within quotes.
    Within,
    /// Something follows quotes that were closed.
    Broken,
}

impl Quotes {
    /// Reads one line, its end included.
    fn through(self, line: &str, delimiter: u8) -> Self {
        let delimiter = char::from(delimiter);
        let (mut within, mut at_start, mut closed) = (self == Self::Within, true, false);
        for one in line.chars() {
            match one {
                // The second of two is a quote of the field's text.
                '"' if closed => (within, closed) = (true, false),
                '"' if within => (within, closed) = (false, true),
                _ if within => {}
                '"' if at_start => within = true,
                '\n' | '\r' => {}
                _ if one == delimiter => (at_start, closed) = (true, false),
                ' ' if closed => {}
                _ if closed => return Self::Broken,
                _ => at_start = false,
            }
        }
        if within { Self::Within } else { Self::FieldStart }
    }
}

struct Columns {
    serial: usize,
    asset_tag: Option<usize>,
    model: Option<usize>,
    platform: usize,
    uai: usize,
}

impl Columns {
    fn find(headers: &csv::StringRecord) -> Result<Self, String> {
        let place = |name: &str| headers.iter().position(|header| header.eq_ignore_ascii_case(name));
        let needed = |name: &str| place(name).ok_or_else(|| missing(name));
        if let Some(stranger) =
            headers.iter().find(|header| !COLUMNS.iter().any(|name| name.eq_ignore_ascii_case(header)))
        {
            return Err(format!(
                "column `{}` is not known; the columns are {}",
                clip(stranger),
                COLUMNS.join(", ")
            ));
        }
        Ok(Self {
            serial: needed("serial")?,
            asset_tag: place("asset_tag"),
            model: place("model"),
            platform: needed("platform")?,
            uai: needed("uai")?,
        })
    }

    fn line(&self, record: &csv::StringRecord) -> Result<InventoryLine, Vec<String>> {
        let field = |column: usize| record.get(column).unwrap_or_default();
        let text = |column: Option<usize>| column.map(field).unwrap_or_default();
        let mut problems = Vec::new();
        let serial = keep(field(self.serial).parse::<SerialNumber>(), &mut problems);
        let platform = keep(field(self.platform).to_ascii_lowercase().parse::<Platform>(), &mut problems);
        let uai = keep(field(self.uai).parse::<Uai>(), &mut problems);
        let (asset_tag, model) = (text(self.asset_tag), text(self.model));
        for (name, value) in [("asset_tag", asset_tag), ("model", model)] {
            if value.chars().count() > MAX_TEXT {
                problems.push(format!("{name} is longer than {MAX_TEXT} characters"));
            }
            if value.chars().any(char::is_control) {
                problems.push(format!("{name} holds a control character"));
            }
        }
        match (serial, platform, uai) {
            (Some(serial), Some(platform), Some(uai)) if problems.is_empty() => {
                Ok(InventoryLine { serial, asset_tag: asset_tag.into(), model: model.into(), platform, uai })
            }
            _ => Err(problems),
        }
    }
}

pub(crate) fn keep<T, E: std::fmt::Display>(parsed: Result<T, E>, problems: &mut Vec<String>) -> Option<T> {
    parsed.map_err(|error| problems.push(error.to_string())).ok()
}

fn missing(name: &str) -> String {
    format!("column `{name}` is missing; the first line must name the columns {}", COLUMNS.join(", "))
}

pub(crate) fn bad(line: u64, problem: String) -> BadLine {
    BadLine { line, problem }
}

pub(crate) fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_semicolons_are_both_read() {
        for text in [
            "serial,asset_tag,model,platform,uai\nDMPXK1ABCD12,76-0001,iPad (9th generation),ipad,0761234A\n",
            "\u{feff}UAI;Platform;Serial\n0761234a;iPad;dmpxk1abcd12\n",
        ] {
            let lines = read(text.as_bytes()).unwrap();
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].serial.as_str(), "DMPXK1ABCD12");
            assert_eq!(lines[0].platform, Platform::Ipad);
            assert_eq!(lines[0].uai.as_str(), "0761234A");
        }
    }

    #[test]
    fn every_bad_line_is_named_and_nothing_is_imported() {
        let text = "serial,platform,uai\nDMPXK1ABCD12,ipad,0761234A\nshort,ipad,0761234A\nDMPXK1ABCD13,amiga,76\nDMPXK1ABCD12,ipad,0761234A\n";
        let mistakes = read(text.as_bytes()).unwrap_err();
        let told: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.problem.as_str())).collect();
        assert_eq!(told.len(), 4, "{told:?}");
        assert!(told[0].0 == 3 && told[0].1.contains("serial number"));
        assert!(told[1].0 == 4 && told[1].1.contains("ipad android"));
        assert!(told[2].0 == 4 && told[2].1.contains("UAI"));
        assert!(told[3].0 == 5 && told[3].1.contains("line 2"));
    }

    #[test]
    fn a_file_that_is_no_inventory_says_what_is_missing() {
        for (bytes, words) in [
            (b"".as_slice(), "is missing"),
            (b"name,first_name\nx,y\n", "not known"),
            (b"serial,platform,uai\n", "names no tablet"),
            (b"serial,platform,uai\n\xff\xfe,ipad,x\n", "UTF-8"),
        ] {
            let mistakes = read(bytes).unwrap_err();
            assert!(mistakes[0].problem.contains(words), "{mistakes:?}");
        }
    }
}
