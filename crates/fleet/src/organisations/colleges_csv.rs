//! The list of collèges as the département keeps it: a CSV of UAI and name.
//!
//! Reading is pure: bytes in, and either every line or every mistake.

use std::collections::HashMap;

use types::Uai;

use crate::csv_import::{BadLine, bad, clip, keep, reader};
use crate::first_accounts::checked_name;

/// The most lines one import may hold: a département has a few hundred collèges.
const MAX_LINES: usize = 5_000;

/// The columns, in any order.
pub const COLUMNS: [&str; 2] = ["uai", "name"];

/// One collège of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CollegeLine {
    /// The line of the file, the header being line 1.
    pub(super) line: u64,
    /// Its code.
    pub(super) uai: Uai,
    /// Its name.
    pub(super) name: String,
}

/// Reads a whole list.
///
/// # Errors
/// Every bad line of the file, in order; the good ones are then not imported either.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<CollegeLine>, Vec<BadLine>> {
    let mut reader = reader(bytes)?;
    let columns = match reader.headers() {
        Ok(headers) => columns(headers).map_err(|problem| vec![bad(1, problem)])?,
        Err(error) => return Err(vec![bad(1, error.to_string())]),
    };
    let (mut lines, mut mistakes) = (Vec::new(), Vec::new());
    let mut seen: HashMap<Uai, u64> = HashMap::new();
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
            mistakes.push(bad(number, format!("more than {MAX_LINES} collèges; this is another file")));
            break;
        }
        let field = |column: usize| record.get(column).unwrap_or_default();
        let mut problems = Vec::new();
        let uai = keep(field(columns.0).parse::<Uai>(), &mut problems);
        let name = keep(checked_name("name", field(columns.1)), &mut problems);
        mistakes.extend(problems.into_iter().map(|problem| bad(number, problem)));
        let (Some(uai), Some(name)) = (uai, name) else { continue };
        match seen.insert(uai.clone(), number) {
            Some(first) => mistakes.push(bad(number, format!("{uai} stands on line {first} already"))),
            None => lines.push(CollegeLine { line: number, uai, name }),
        }
    }
    if lines.is_empty() && mistakes.is_empty() {
        mistakes.push(bad(2, "the file names no collège".into()));
    }
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

/// Where the two columns stand.
fn columns(headers: &csv::StringRecord) -> Result<(usize, usize), String> {
    let names: Vec<String> = headers.iter().map(str::to_ascii_lowercase).collect();
    if let Some(stranger) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(format!("column `{}` is not known; expected {}", clip(stranger), COLUMNS.join(", ")));
    }
    let place = |name: &str| {
        names.iter().position(|found| found == name).ok_or_else(|| {
            format!("column `{name}` is missing; the first line must name the columns {}", COLUMNS.join(", "))
        })
    };
    Ok((place("uai")?, place("name")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_commas_or_semicolons() {
        for text in
            ["uai,name\n0761234A,Collège Georges-Brassens\n", "Name;UAI\nCollège Georges-Brassens;0761234a\n"]
        {
            let lines = read(text.as_bytes()).unwrap();
            assert_eq!(lines.len(), 1);
            assert_eq!(
                (lines[0].uai.as_str(), lines[0].name.as_str()),
                ("0761234A", "Collège Georges-Brassens")
            );
        }
    }

    #[test]
    fn every_bad_line_is_named() {
        let text = "uai,name\n0761234A,A\n76,B\n0761235B,\n0761234A,Again\n\u{7},\n";
        let mistakes = read(text.as_bytes()).unwrap_err();
        let lines: Vec<u64> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 6], "{mistakes:?}");
        assert!(mistakes[2].problem.contains("line 2"), "{mistakes:?}");
    }

    #[test]
    fn a_file_that_is_no_list_says_what_is_missing() {
        for (bytes, words) in [
            (b"".as_slice(), "is missing"),
            (b"uai,name,head\n", "not known"),
            (b"uai,name\n", "names no collège"),
            (b"uai,name\n\xff,x\n", "UTF-8"),
        ] {
            let mistakes = read(bytes).unwrap_err();
            assert!(mistakes[0].problem.contains(words), "{mistakes:?}");
        }
    }
}
