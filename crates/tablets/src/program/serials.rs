//! Serial numbers of simulated tablets: a prefix and a number, or those of a file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::Failure;

/// How long a made-up serial number is at least, as real ones are.
const LENGTH: usize = 12;
/// The most tablets that are made at once.
const MOST: u64 = 1_000_000;

/// Which serial numbers.
#[derive(Debug, Clone, Args)]
pub(crate) struct NumberedSerials {
    /// What their serial numbers begin with; digits follow, up to twelve characters in all.
    #[arg(long, value_name = "TEXT", default_value = "DMPX")]
    pub(crate) serial_prefix: String,
    /// The number of the first one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) first: u64,
}

impl NumberedSerials {
    /// This many serial numbers, in order.
    ///
    /// # Errors
    /// When they would not be serial numbers, or not differ.
    pub(crate) fn take(&self, count: u64) -> Result<Vec<String>, Failure> {
        let prefix = &self.serial_prefix;
        if prefix.len() > LENGTH - 4 || !prefix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Failure::Usage(format!(
                "`--serial-prefix {prefix}`: expected at most {} letters and digits",
                LENGTH - 4
            )));
        }
        if count == 0 || count > MOST {
            return Err(Failure::Usage(format!("`--tablets {count}`: expected a number from 1 to {MOST}")));
        }
        let digits = LENGTH - prefix.len();
        let last = self.first.checked_add(count - 1);
        if last.is_none_or(|last| last.to_string().len() > digits) {
            return Err(Failure::Usage(format!(
                "the last of {count} tablets would have a number of more than {digits} digits; give a shorter \
                 `--serial-prefix` or a smaller `--first`"
            )));
        }
        Ok((self.first..)
            .take(usize::try_from(count).unwrap_or(usize::MAX))
            .map(|number| format!("{prefix}{number:0digits$}"))
            .collect())
    }
}

/// The serial numbers of a file: one a line, or the `serial` column of an inventory.
///
/// # Errors
/// When it cannot be read, or names none.
pub(crate) fn of_file(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).map_err(Failure::reading(path))?;
    let serials =
        of_text(&text).map_err(|problem| Failure::BadFile { path: PathBuf::from(path), problem })?;
    Ok(serials)
}

fn of_text(text: &str) -> Result<Vec<String>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    let cells = |line: &str| -> Vec<String> {
        line.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
    };
    let header = lines.peek().map(|line| cells(line)).unwrap_or_default();
    let column = header.iter().position(|name| name.eq_ignore_ascii_case("serial"));
    if column.is_some() {
        lines.next();
    } else if header.len() > 1 {
        return Err(
            "its first line names no column `serial`; expected an inventory, or one serial a line".into()
        );
    }
    let serials: Vec<String> =
        lines.filter_map(|line| cells(line).into_iter().nth(column.unwrap_or(0))).collect();
    match serials
        .iter()
        .find(|serial| serial.is_empty() || !serial.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        Some(odd) => Err(format!("“{odd}” is no serial number: letters and digits only")),
        None if serials.is_empty() => Err("it names no tablet".into()),
        None => Ok(serials),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(prefix: &str, first: u64) -> NumberedSerials {
        NumberedSerials { serial_prefix: prefix.to_owned(), first }
    }

    #[test]
    fn serials_have_twelve_characters_and_follow_each_other() {
        assert_eq!(numbered("DMPX", 99).take(2).unwrap(), ["DMPX00000099", "DMPX00000100"]);
        assert_eq!(numbered("", 1).take(1).unwrap(), ["000000000001"]);
    }

    #[test]
    fn what_cannot_be_a_serial_number_is_refused() {
        for (prefix, first, count) in [
            ("TOOLONGPREFIX", 1, 1),
            ("D-X", 1, 1),
            ("DMPXABCD", 9_999, 2),
            ("DMPX", 1, 0),
            ("DMPX", u64::MAX, 2),
        ] {
            let refused = numbered(prefix, first).take(count);
            assert!(matches!(refused, Err(Failure::Usage(_))), "{prefix} {first} {count}");
        }
    }

    #[test]
    fn serials_are_read_from_a_list_and_from_an_inventory() {
        assert_eq!(of_text("A1\n\n B2 \n").unwrap(), ["A1", "B2"]);
        assert_eq!(of_text("\u{feff}uai;Serial\n0761234A;\"A1\"\n").unwrap(), ["A1"]);
        assert!(of_text("serial,uai\n").unwrap_err().contains("no tablet"));
        assert!(of_text("name,age\nx,3\n").unwrap_err().contains("no column `serial`"));
        assert!(of_text("../x\n").unwrap_err().contains("letters and digits"));
    }
}
