//! The school's export: which column says what, every line or every mistake. And the people of a collège, as they are
//! known here (C4.1, C4.2).
//!
//! Reading is pure, and says nothing of a name: a mistake names its line and its column.

use std::collections::BTreeMap;

use ::lending::agreement::{MOST_GUARDIANS, Signatory};
use ::lending::list::Entry;
use ::lending::roster::Line;
use governance::Permission;
use privacy::Activity;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::persons::{self, Person};
use types::{Day, Instant, PersonId, Uai, UserKind};

use super::{at_college, validated};
use crate::audit::{self, Change};
use crate::csv_import::{bad, keep, reader, without_open_quotes};
use crate::organisations::Named;
use crate::page::{Listed, Page};
use crate::{BadLine, Fleet, Principal, Refusal};

/// The most lines of an export: more than any collège has people.
const MOST_LINES: usize = 5_000;

/// Which column of the export says what, by the names in its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// What somebody is called: one column, or several that are put together in this order.
    pub name: Vec<String>,
    /// A pupil's class.
    #[serde(default)]
    pub class: Option<String>,
    /// The number by which the school's register tells homonyms apart.
    #[serde(default)]
    pub number: Option<String>,
    /// What somebody is, in the export's words.
    #[serde(default)]
    pub kind: Option<String>,
    /// The first day.
    #[serde(default)]
    pub arrives_on: Option<String>,
    /// The last day of attendance.
    #[serde(default)]
    pub leaves_on: Option<String>,
    /// One column for each guardian: who has something in it has that guardian. What stands there is not kept.
    #[serde(default)]
    pub guardians: Vec<String>,
    /// The mail address of each guardian, in the same order; of an adult, the first is their own. Kept only if notices may be
    /// sent.
    #[serde(default)]
    pub contacts: Vec<String>,
}

/// How an export is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its columns.
    pub columns: Columns,
    /// What the export's words for kinds of people mean here.
    #[serde(default)]
    pub kinds: BTreeMap<String, UserKind>,
    /// What everybody is of whom the export says nothing.
    #[serde(default = "pupil")]
    pub kind: UserKind,
}

const fn pupil() -> UserKind {
    UserKind::Pupil
}

/// Reads an export.
///
/// # Errors
/// Every bad line, in order; nothing is read then.
pub(crate) fn read(csv: &[u8], mapping: &Mapping) -> Result<Vec<Line>, Vec<BadLine>> {
    let (csv, mut mistakes) = without_open_quotes(csv, MOST_LINES)?;
    if mistakes.first().is_some_and(|mistake| mistake.line == 1) {
        return Err(mistakes);
    }
    let mut reader = reader(csv.as_bytes())?;
    let (columns, width) = match reader.headers() {
        Ok(headers) => {
            (Found::of(&mapping.columns, headers).map_err(|problem| vec![bad(1, problem)])?, headers.len())
        }
        Err(error) => return Err(vec![bad(1, error.to_string())]),
    };
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                mistakes.push(bad(
                    error.position().map_or(0, csv::Position::line),
                    format!("cannot be read: {error}"),
                ));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if lines.len() + mistakes.len() >= MOST_LINES {
            mistakes.push(bad(line, format!("more than {MOST_LINES} lines: one export is of one collège")));
            break;
        }
        if record.len() != width {
            let has = record.len();
            mistakes.push(bad(
                line,
                format!(
                    "has {has} fields, and the first line names {width} columns: a separator is missing, or there is one too \
                     many"
                ),
            ));
            continue;
        }
        match columns.entry(&record, mapping) {
            Ok(entry) => lines.push(Line { line, entry }),
            Err(problems) => mistakes.extend(problems.into_iter().map(|problem| bad(line, problem))),
        }
    }
    if lines.is_empty() && mistakes.is_empty() {
        mistakes.push(bad(2, "the file names nobody".into()));
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    if mistakes.is_empty() { Ok(lines) } else { Err(mistakes) }
}

/// Where the columns are.
struct Found {
    name: Vec<usize>,
    class: Option<usize>,
    number: Option<usize>,
    kind: Option<usize>,
    arrives_on: Option<usize>,
    leaves_on: Option<usize>,
    guardians: Vec<usize>,
    contacts: Vec<usize>,
}

impl Found {
    fn of(columns: &Columns, headers: &csv::StringRecord) -> Result<Self, String> {
        let place = |name: &String| {
            let mut of =
                headers.iter().enumerate().filter(|(_, header)| header.eq_ignore_ascii_case(name.trim()));
            match (of.next(), of.next()) {
                (Some((place, _)), None) => Ok(place),
                (None, _) => Err(format!("the mapping names a column `{name}` that this file does not have")),
                (Some(_), Some(_)) => Err(format!("two columns are called `{name}`: rename one of them")),
            }
        };
        let one = |name: &Option<String>| name.as_ref().map(place).transpose();
        let all = |names: &[String]| names.iter().map(place).collect::<Result<Vec<_>, _>>();
        if columns.name.is_empty() {
            return Err(
                "the mapping must name the columns of the name: `name = [\"Nom\", \"Prénom\"]`".into()
            );
        }
        let most = usize::from(MOST_GUARDIANS);
        if columns.guardians.len() > most || columns.contacts.len() > most {
            return Err(format!("at most {most} guardians are recorded of one pupil"));
        }
        Ok(Self {
            name: all(&columns.name)?,
            class: one(&columns.class)?,
            number: one(&columns.number)?,
            kind: one(&columns.kind)?,
            arrives_on: one(&columns.arrives_on)?,
            leaves_on: one(&columns.leaves_on)?,
            guardians: all(&columns.guardians)?,
            contacts: all(&columns.contacts)?,
        })
    }

    fn entry(&self, record: &csv::StringRecord, mapping: &Mapping) -> Result<Entry, Vec<String>> {
        let cell = |place: usize| record.get(place).unwrap_or_default().trim();
        let filled = |place: Option<usize>| place.map(cell).filter(|text| !text.is_empty());
        let mut problems = Vec::new();
        let parts = || self.name.iter().map(|place| cell(*place));
        let name: Vec<&str> = parts().filter(|part| !part.is_empty()).collect();
        if !name.is_empty() {
            // Of half a name nobody can tell whom it means.
            let missing = mapping.columns.name.iter().zip(parts()).filter(|(_, part)| part.is_empty());
            problems.extend(missing.map(|(column, _)| {
                format!("half of the name is missing: nothing stands in column `{}`", column.trim())
            }));
        }
        let name = keep(name.join(" ").parse(), &mut problems);
        let kind = match filled(self.kind) {
            None => Some(mapping.kind),
            Some(word) => {
                let known =
                    mapping.kinds.iter().find(|(theirs, _)| theirs.to_lowercase() == word.to_lowercase());
                let kind = known.map(|(_, kind)| *kind).or_else(|| word.parse().ok());
                if kind.is_none() {
                    let word: String = word.chars().take(40).collect();
                    problems.push(format!(
                        "`{word}` is no kind of user: say under `kinds` in the mapping what it means"
                    ));
                }
                kind
            }
        };
        let pupil = kind == Some(UserKind::Pupil);
        let class = filled(self.class).filter(|_| pupil).and_then(|text| keep(text.parse(), &mut problems));
        let number = filled(self.number).and_then(|text| keep(text.parse(), &mut problems));
        let arrives_on = filled(self.arrives_on).and_then(|text| keep(day(text), &mut problems));
        let leaves_on = filled(self.leaves_on).and_then(|text| keep(day(text), &mut problems));
        if let (Some(first), Some(last)) = (arrives_on, leaves_on)
            && last < first
        {
            problems.push(format!("the last day, {last}, is before the first, {first}"));
        }
        let mut guardians: u8 = 0;
        let mut contacts = BTreeMap::new();
        if pupil {
            let listed = self.guardians.iter().filter(|place| !cell(**place).is_empty()).count();
            guardians = u8::try_from(listed).unwrap_or(MOST_GUARDIANS);
        }
        for (number, place) in (1..).zip(&self.contacts) {
            let Some(address) = filled(Some(*place)) else { continue };
            let Some(address) = keep(address.parse(), &mut problems) else { continue };
            if pupil {
                guardians = if self.guardians.is_empty() { guardians.max(number) } else { guardians };
                contacts.insert(Signatory::Guardian(number), address);
            } else if number == 1 {
                contacts.insert(Signatory::User, address);
            }
        }
        contacts.retain(|who, _| {
            matches!(who, Signatory::Guardian(number) if *number <= guardians) || *who == Signatory::User
        });
        match (name, kind) {
            (Some(name), Some(kind)) if problems.is_empty() => {
                Ok(Entry { kind, name, class, number, arrives_on, leaves_on, guardians, contacts })
            }
            _ => Err(problems),
        }
    }
}

/// A day as registers write it: `2026-09-01`, or `01/09/2026` as in France.
fn day(text: &str) -> Result<Day, String> {
    let mut parts = text.split('/');
    let iso = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year), None) => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.to_owned(),
    };
    iso.parse().map_err(|_no_day| "a day is written 2026-09-01 or 01/09/2026".to_owned())
}

/// The people of a collège, as they are known here, in the order of their numbers.
///
/// # Errors
/// [`Refusal::NotFound`] for a collège out of reach; [`Refusal::NotValidated`] while the list of users is switched off.
pub async fn list(
    fleet: &Fleet,
    principal: &Principal,
    college: Named,
    page: Page<PersonId>,
    now: Instant,
) -> Result<Listed<Person>, Refusal> {
    let reads = principal.clone();
    let (college, listed) = fleet
        .store()
        .read(move |tx| {
            let (_who, college) = at_college(tx, &reads, Permission::ViewLists, &college, now)?;
            validated(tx, Activity::Roster, now)?;
            let found = persons::list(tx, &college, page.after, page.with_one_more())?;
            Ok::<_, Refusal>((college, page.cut(found, |person| person.id.to_string())))
        })
        .await?;
    were_read(fleet, principal, (Some(college), "persons"), listed.items.len(), now).await?;
    Ok(listed)
}

/// Records that somebody read the names of many at once: of which collège, in which place and how many (C3.1.6). What is not
/// recorded is not shown.
pub(super) async fn were_read(
    fleet: &Fleet,
    principal: &Principal,
    (college, place): (Option<Uai>, &'static str),
    people: usize,
    now: Instant,
) -> Result<(), Refusal> {
    if people == 0 {
        return Ok(());
    }
    let principal = principal.clone();
    let detail = json!({ "uai": college, "in": place, "people": people });
    fleet
        .store()
        .write(move |tx| {
            let change = Change::new("persons.read").detail(detail.clone());
            audit::record(tx, &principal, change, now)
        })
        .await
}

/// Everybody whom a collège knows, as a list would say it; without those who were forgotten.
pub(super) fn known(
    tx: &mut store::Tx<'_>,
    college: &Uai,
) -> Result<BTreeMap<PersonId, Entry>, store::StoreError> {
    const BATCH: u32 = 1_000;
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let some = persons::list(tx, college, after, BATCH)?;
        let Some(last) = some.last() else { return Ok(all) };
        after = Some(last.id);
        all.extend(some.iter().filter_map(|person| Some((person.id, person.entry()?))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping() -> Mapping {
        let text = |name: &str| Some(name.to_owned());
        Mapping {
            columns: Columns {
                name: vec!["Prénom".into(), "Nom".into()],
                class: text("Division"),
                number: text("N°"),
                kind: text("Profil"),
                arrives_on: text("Entrée"),
                leaves_on: text("Sortie"),
                guardians: vec!["Resp. 1".into(), "Resp. 2".into()],
                contacts: vec!["Courriel 1".into(), "Courriel 2".into()],
            },
            kinds: BTreeMap::from([("Professeur".to_owned(), UserKind::Teacher)]),
            kind: UserKind::Pupil,
        }
    }

    const HEADER: &str = "Nom;Prénom;Division;N°;Profil;Entrée;Sortie;Resp. 1;Resp. 2;Courriel 1;Courriel 2";

    fn one(line: &str) -> Result<Vec<Line>, Vec<BadLine>> {
        read(format!("\u{feff}{HEADER}\n{line}\n").as_bytes(), &mapping())
    }

    #[test]
    fn a_line_is_read_as_the_mapping_says() {
        let lines = one("MARTIN;Zoé;6E A;77;;01/09/2026;2027-06-30;Mme Martin;;mere@exemple.fr;").unwrap();
        let entry = &lines[0].entry;
        assert_eq!((lines[0].line, entry.name.as_str(), entry.kind), (2, "Zoé MARTIN", UserKind::Pupil));
        assert_eq!(entry.class.as_ref().map(|class| class.as_str()), Some("6E A"));
        assert_eq!(entry.number.as_ref().map(|number| number.as_str()), Some("77"));
        assert_eq!(entry.arrives_on, Some("2026-09-01".parse().unwrap()));
        assert_eq!(entry.leaves_on, Some("2027-06-30".parse().unwrap()));
        assert_eq!(entry.guardians, 1);
        assert_eq!(entry.contacts.keys().collect::<Vec<_>>(), [&Signatory::Guardian(1)]);

        let adult = one("ROY;Anne;;;professeur;;;;;anne@exemple.fr;autre@exemple.fr").unwrap();
        let adult = &adult[0].entry;
        assert_eq!((adult.kind, adult.guardians, adult.class.is_some()), (UserKind::Teacher, 0, false));
        assert_eq!(adult.contacts.keys().collect::<Vec<_>>(), [&Signatory::User]);
    }

    #[test]
    fn an_address_of_a_guardian_who_is_not_there_is_not_kept() {
        let lines = one("MARTIN;Zoé;6E A;77;;;;Mme Martin;;mere@exemple.fr;pere@exemple.fr").unwrap();
        assert_eq!(lines[0].entry.contacts.keys().collect::<Vec<_>>(), [&Signatory::Guardian(1)]);
        // Where the export has no column for guardians, who has an address is one.
        let mut without = mapping();
        without.columns.guardians.clear();
        let text = format!("{HEADER}\nMARTIN;Zoé;6E A;77;;;;;;a@exemple.fr;b@exemple.fr\n");
        assert_eq!(read(text.as_bytes(), &without).unwrap()[0].entry.guardians, 2);
    }

    #[test]
    fn every_bad_line_is_named_and_no_name_is_repeated() {
        let text = format!(
            "{HEADER}\n;;6E A;1;;;;;;;\nSECRET;Nom;6E A;2;Pirate;;;;;;\nSECRET;Nom;6E A;3;;31/02/2027;;;;;\n\
             SECRET;Nom;6E A;4;;2027-01-01;2026-01-01;;;;\nSECRET;Nom;6E A;5;;;;x;;not-an-address;\nOK;Nom;6E A;6;;;;;;;\n"
        );
        let mistakes = read(text.as_bytes(), &mapping()).unwrap_err();
        let lines: Vec<u64> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
        for (mistake, words) in
            mistakes.iter().zip(["name", "Pirate", "01/09/2026", "before", "mail address"])
        {
            assert!(mistake.problem.contains(words), "{mistake:?}");
            assert!(!mistake.problem.contains("SECRET") && !mistake.problem.contains("not-an-address"));
        }
    }

    #[test]
    fn a_line_that_is_cut_short_runs_on_or_says_half_a_name_is_named_with_what_is_wrong() {
        let text = format!(
            "{HEADER}\nROY;Anne;6E A;1;;;;;;;\nROY;Luc;6E A;2;;;;;;\nROY;Jean;6E A;3;;;;;;;;\nROY;;6E A;4;;;;;;;\n\
             ;Zoé;6E A;5;;;;;;;\nROY;Marc\n"
        );
        let mistakes = read(text.as_bytes(), &mapping()).unwrap_err();
        let told: Vec<(u64, &str)> = mistakes.iter().map(|bad| (bad.line, bad.problem.as_str())).collect();
        let expected =
            [(3, "has 10 fields"), (4, "has 12 fields"), (5, "`Prénom`"), (6, "`Nom`"), (7, "has 2 fields")];
        assert_eq!(told.len(), expected.len(), "{told:?}");
        for ((line, problem), (at, words)) in told.into_iter().zip(expected) {
            assert!(line == at && problem.contains(words), "{line}: {problem}");
        }
    }

    #[test]
    fn a_quote_that_stays_open_swallows_no_line_and_is_named() {
        // The second opens one that the fourth seems to close; the last one stays open to the end.
        let text = format!(
            "{HEADER}\nROY;\"Anne;6E A;1;;;;;;;\nROY;Luc;6E A;2;;;;;;;\nROY;\"Jean\";6E A;3;;;;;;;\nROY;;6E A;4;;;;;;;\n\
             ROY;Marc;6E A;5;;;;\"x;;;\n"
        );
        let mistakes = read(text.as_bytes(), &mapping()).unwrap_err();
        let told: Vec<(u64, bool)> =
            mistakes.iter().map(|bad| (bad.line, bad.problem.contains("quote opens"))).collect();
        assert_eq!(told, [(2, true), (5, false), (6, true)], "{mistakes:?}");
        // However many stay open, each is looked for on few lines, and no more are named than lines are read.
        let open = format!("{HEADER}\n{}", "a\";\"\n".repeat(200_000));
        assert_eq!(read(open.as_bytes(), &mapping()).unwrap_err().len(), MOST_LINES + 1);
        // Quotes that are closed hold separators, quotes and ends of lines.
        let good = "\"ROY\";\"Anne \"\"Nan\"\"\";6E A;1;;;;\"Mme Roy;\n12 rue Basse\";;;";
        let lines =
            read(format!("{HEADER}\n{good}\nROY;Luc;6E A;2;;;;;;;\n").as_bytes(), &mapping()).unwrap();
        let read: Vec<(u64, &str)> = lines.iter().map(|line| (line.line, line.entry.name.as_str())).collect();
        assert_eq!(read, [(2, "Anne \"Nan\" ROY"), (4, "Luc ROY")]);
    }

    #[test]
    fn a_file_that_does_not_fit_its_mapping_says_which_column() {
        for (text, words) in [
            ("Nom;Prénom\na;b\n", "`Division`"),
            (&*format!("{HEADER};Nom\n"), "two columns"),
            (HEADER, "names nobody"),
            ("", "does not have"),
        ] {
            let mistakes = read(text.as_bytes(), &mapping()).unwrap_err();
            assert!(mistakes[0].problem.contains(words), "{mistakes:?}");
        }
        let nameless = Mapping { columns: Columns { name: vec![], ..mapping().columns }, ..mapping() };
        assert!(read(HEADER.as_bytes(), &nameless).unwrap_err()[0].problem.contains("name ="));
    }
}
