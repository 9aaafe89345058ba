//! Tables and sheets for people, made from the API's JSON documents.
//!
//! A column is a title and a JSON pointer (RFC 6901): what the server adds later needs no change here.

use serde_json::Value;

use crate::words::Language;

/// A column of a table, or a field of a sheet: its title, and where its value stands.
pub(crate) type Column = (&'static str, &'static str);

/// What stands where there is nothing.
const NOTHING: &str = "–";
/// The longest cell of a table, in characters: a SHA-256 in hexadecimal is shown whole.
const LONGEST_CELL: usize = 64;

/// One line per item, aligned, with a line of titles; a sentence if there is none.
pub(crate) fn table(items: &[Value], columns: &[Column]) -> String {
    table_in(Language::English, items, columns)
}

/// As [`table`], in a language.
pub(crate) fn table_in(language: Language, items: &[Value], columns: &[Column]) -> String {
    if items.is_empty() {
        return language.choose("nothing to show", "rien à montrer").to_owned();
    }
    let titles = columns.iter().map(|(title, _pointer)| language.title(title).to_uppercase()).collect();
    let cells = |item: &Value| {
        columns.iter().map(|(_title, pointer)| clipped(&text_in(language, item, pointer))).collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(titles).chain(items.iter().map(cells)).collect();
    aligned(&rows)
}

/// One line per field: what one thing is.
pub(crate) fn sheet(item: &Value, fields: &[Column]) -> String {
    sheet_in(Language::English, item, fields)
}

/// As [`sheet`], in a language.
pub(crate) fn sheet_in(language: Language, item: &Value, fields: &[Column]) -> String {
    sheet_and_lists_in(language, item, fields, &[])
}

/// As [`sheet_in`], and then one line for each text of `lists`, under the title of its list.
pub(crate) fn sheet_and_lists_in(
    language: Language,
    item: &Value,
    fields: &[Column],
    lists: &[Column],
) -> String {
    let colon = language.choose(":", " :");
    let field = |(title, pointer): &Column| {
        vec![format!("{}{colon}", language.title(title)), text_in(language, item, pointer)]
    };
    let listed = |(title, pointer): &Column| {
        let texts = item.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let title = format!("{}{colon}", language.title(title));
        texts.iter().map(move |one| vec![title.clone(), text(one)])
    };
    let rows: Vec<Vec<String>> = fields.iter().map(field).chain(lists.iter().flat_map(listed)).collect();
    aligned(&rows)
}

/// The text of a value of `item` in a language: yes or no, the name of a state, or the text itself.
fn text_in(language: Language, item: &Value, pointer: &str) -> String {
    let word = match item.pointer(pointer) {
        Some(Value::Bool(yes)) if *yes => Some(language.choose("yes", "oui")),
        Some(Value::Bool(_no)) => Some(language.choose("no", "non")),
        Some(Value::String(name)) => language.value(pointer, name),
        _ => None,
    };
    word.map_or_else(|| text_at(item, pointer), str::to_owned)
}

/// The text of a value of `item`; a dash where there is none.
pub(crate) fn text_at(item: &Value, pointer: &str) -> String {
    item.pointer(pointer).map_or_else(|| NOTHING.to_owned(), text)
}

/// A value as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => printable(&without_fraction(text)),
        Value::Array(items) if items.is_empty() => NOTHING.to_owned(),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(text).collect::<Vec<_>>().join(", ")
        }
        Value::Array(_) | Value::Object(_) => printable(&value.to_string()),
    }
}

/// `text` without what would move the cursor: a tablet's report is shown on an operator's terminal.
pub(crate) fn printable(text: &str) -> String {
    let harmless =
        |character: char| if character.is_control() && character != '\n' { '\u{fffd}' } else { character };
    text.chars().map(harmless).collect()
}

/// An instant to the second: `2026-11-23T22:00:00.123Z` is more than people read. Other texts stay.
fn without_fraction(text: &str) -> String {
    let instant = text.split_once('.').filter(|(whole, fraction)| {
        whole.len() == 19
            && whole.as_bytes().get(10) == Some(&b'T')
            && fraction
                .strip_suffix('Z')
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    instant.map_or_else(|| text.to_owned(), |(whole, _fraction)| format!("{whole}Z"))
}

fn clipped(text: &str) -> String {
    let one_line = text.replace('\n', " ");
    if one_line.chars().count() <= LONGEST_CELL {
        return one_line;
    }
    one_line.chars().take(LONGEST_CELL - 1).chain(['…']).collect()
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_aligned_and_shows_what_is_missing() {
        let items = [
            json!({ "serial": "DMPXK1ABCD12", "enrolment": { "os_version": "18.1" }, "supervised": true }),
            json!({ "serial": "F", "enrolment": null }),
        ];
        let columns =
            [("serial", "/serial"), ("system", "/enrolment/os_version"), ("supervised", "/supervised")];
        assert_eq!(
            table(&items, &columns),
            "SERIAL        SYSTEM  SUPERVISED\nDMPXK1ABCD12  18.1    yes\nF             –       –"
        );
        assert_eq!(table(&[], &columns), "nothing to show");
    }

    #[test]
    fn a_list_of_sentences_stands_under_its_title_one_on_each_line() {
        let item = json!({ "kind": "theft", "rests_on": ["first, then", "second"], "none": [] });
        let lists = [("rests on", "/rests_on"), ("put right", "/none"), ("why", "/absent")];
        let english = sheet_and_lists_in(Language::English, &item, &[("what", "/kind")], &lists);
        assert_eq!(english, "what:      theft\nrests on:  first, then\nrests on:  second");
        let french = sheet_and_lists_in(Language::French, &item, &[], &lists);
        assert_eq!(french, "repose sur :  first, then\nrepose sur :  second");
    }

    #[test]
    fn a_sheet_and_a_table_speak_the_language_that_is_asked_for() {
        let item = json!({ "kind": "theft", "to_confirm": false, "reason": "theft" });
        let columns = [("what", "/kind"), ("to confirm", "/to_confirm"), ("why", "/reason")];
        assert_eq!(
            sheet_in(Language::French, &item, &columns),
            "quoi :         vol\nà confirmer :  non\nmotif :        theft"
        );
        assert_eq!(sheet(&item, &columns), "what:        theft\nto confirm:  no\nwhy:         theft");
        let listed = table_in(Language::French, std::slice::from_ref(&item), &columns);
        assert_eq!(listed, "QUOI  À CONFIRMER  MOTIF\nvol   non          theft");
        assert_eq!(table_in(Language::French, &[], &columns), "rien à montrer");
    }

    #[test]
    fn a_cell_never_moves_the_cursor() {
        let item = json!({ "name": "\u{1b}[2J\u{7}iPad\r\n\u{9b}1m" });
        let shown = sheet(&item, &[("name", "/name")]);
        assert!(!shown.chars().any(|character| character.is_control() && character != '\n'), "{shown:?}");
        assert!(!table(&[item], &[("name", "/name")]).lines().nth(1).unwrap().contains('\u{1b}'));
    }

    #[test]
    fn instants_are_shown_to_the_second_and_other_texts_whole() {
        for (from, to) in [
            ("2026-11-23T22:00:00.123Z", "2026-11-23T22:00:00Z"),
            ("2026-11-23T22:00:00Z", "2026-11-23T22:00:00Z"),
            ("18.1.1", "18.1.1"),
            ("com.example.a", "com.example.a"),
        ] {
            assert_eq!(without_fraction(from), to);
        }
    }

    #[test]
    fn a_long_cell_is_clipped_in_a_table_and_whole_in_a_sheet() {
        let item = json!({ "text": "é".repeat(200) });
        assert_eq!(
            table(std::slice::from_ref(&item), &[("t", "/text")]).lines().nth(1).unwrap().chars().count(),
            64
        );
        assert!(sheet(&item, &[("t", "/text")]).contains(&"é".repeat(200)));
    }
}
