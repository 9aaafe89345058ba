//! Where settings come from: the file, then the environment over it, then flags over both.
//!
//! The file is read with the position of every value, so that each later refusal can name its line.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{KEYS, Key, Shape, split_list};
use super::problem::{ConfigError, Origin, Problem};

/// The name of the configuration file in the home folder.
pub const FILE_NAME: &str = "ardoise.toml";
/// What every environment variable of ours begins with.
const PREFIX: &str = "ARDOISE_";

/// What was said, in the order in which later sources win: file, environment, flags.
#[derive(Clone, Default)]
pub struct Sources {
    /// The home folder; relative paths in the configuration start from it.
    pub home: PathBuf,
    /// The text of the configuration file, and its path for messages.
    pub file: Option<(PathBuf, String)>,
    /// Environment variables, all of them: others than ours are ignored.
    pub environment: Vec<(String, String)>,
    /// Flags: `tablets.listen=0.0.0.0:443`.
    pub flags: Vec<String>,
}

/// Names only: a file, a variable or a flag may hold the database's password.
impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("home", &self.home)
            .field("file", &self.file.as_ref().map(|(path, _text)| path))
            .field("flags", &self.flags.iter().map(|flag| name_of_flag(flag)).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// Reads `ardoise.toml` in `home`; a home folder without one has an empty file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file exists and cannot be read, or is not UTF-8.
    pub fn read(
        home: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = String>,
    ) -> Result<Self, ConfigError> {
        let path = home.join(FILE_NAME);
        let file = match std::fs::read_to_string(&path) {
            Ok(text) => Some((path, text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(ConfigError::new(vec![Problem {
                    subject: path.display().to_string(),
                    value: None,
                    origin: Origin::Default,
                    fault: format!("the configuration file cannot be read: {error}"),
                    next: "check that it is a UTF-8 text file that this user may read".to_owned(),
                }]));
            }
        };
        Ok(Self {
            home: home.to_owned(),
            file,
            environment: environment.into_iter().collect(),
            flags: flags.into_iter().collect(),
        })
    }
}

/// A value as it was given, not yet understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    /// The text; the members of a list.
    pub(super) members: Vec<String>,
    pub(super) origin: Origin,
}

/// What was said of each key, by name. Keys of which nothing was said are absent.
pub(super) type GivenValues = BTreeMap<&'static str, Given>;

/// Lays the sources over each other. Unknown keys and values of a wrong shape go to `problems`.
///
/// # Errors
///
/// The one problem of a file that is not TOML: nothing it says is known, so nothing else can be said of it.
pub(super) fn gather(sources: &Sources, problems: &mut Vec<Problem>) -> Result<GivenValues, ConfigError> {
    let mut given = GivenValues::new();
    if let Some((path, text)) = &sources.file {
        read_file(path, text, &mut given, problems)?;
    }
    for (variable, value) in &sources.environment {
        read_variable(variable, value, &mut given, problems);
    }
    for flag in &sources.flags {
        read_flag(flag, &mut given, problems);
    }
    Ok(given)
}

fn read_file(
    path: &Path,
    text: &str,
    given: &mut GivenValues,
    problems: &mut Vec<Problem>,
) -> Result<(), ConfigError> {
    let at = |offset: usize| Origin::File { path: path.to_owned(), line: line_of(text, offset) };
    let table = DeTable::parse(text).map_err(|error| {
        ConfigError::new(vec![Problem {
            subject: path.display().to_string(),
            value: None,
            origin: at(error.span().map_or(0, |span| span.start)),
            fault: format!("this is not TOML: {}", error.message()),
            next: "correct the line".to_owned(),
        }])
    })?;
    FileReading { at: &at, given, problems }.table("", table.get_ref());
    Ok(())
}

struct FileReading<'a> {
    at: &'a dyn Fn(usize) -> Origin,
    given: &'a mut GivenValues,
    problems: &'a mut Vec<Problem>,
}

impl FileReading<'_> {
    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (name, value) in table {
            let name_text = name.get_ref();
            let full =
                if prefix.is_empty() { name_text.to_string() } else { format!("{prefix}.{name_text}") };
            let origin = (self.at)(name.span().start);
            match (Key::named(&full), value.get_ref()) {
                (Some(key), _) => self.value(key, value),
                (None, DeValue::Table(inner)) if is_section(&full) => self.table(&full, inner),
                (None, _) => self.problems.push(unknown(&full, origin)),
            }
        }
    }

    fn value(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>) {
        let origin = (self.at)(value.span().start);
        let members = match (key.shape, value.get_ref()) {
            (Shape::Text, DeValue::String(text)) => Some(vec![text.to_string()]),
            (Shape::Switch, DeValue::Boolean(switch)) => Some(vec![switch.to_string()]),
            (Shape::Number, DeValue::Integer(number)) if number.radix() == 10 => {
                Some(vec![number.as_str().to_owned()])
            }
            (Shape::List, DeValue::Array(array)) => {
                array.iter().map(|member| member.get_ref().as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        match members {
            Some(members) => {
                self.given.insert(key.name, Given { members, origin });
            }
            None => self.problems.push(Problem {
                subject: key.name.to_owned(),
                value: None,
                origin,
                fault: format!("expected {}, not a TOML {}", key.shape.as_str(), value.get_ref().type_str()),
                next: format!("write for example `{}`", key.written(key.example)),
            }),
        }
    }
}

/// Whether some key's name begins with `name` and a dot.
fn is_section(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn read_variable(variable: &str, value: &str, given: &mut GivenValues, problems: &mut Vec<Problem>) {
    let origin = Origin::Environment { variable: variable.to_owned() };
    if let Some(key) = KEYS.iter().find(|key| key.variable() == variable) {
        given.insert(key.name, from_text(key, value, origin));
    } else if let Some(rest) = variable.strip_prefix(PREFIX)
        && let Some((section, _leaf)) = rest.split_once('_')
        && is_section(&section.to_ascii_lowercase())
    {
        // Other variables of ours (ARDOISE_TOKEN) belong to the command line. One that begins with a section is
        // meant for the configuration, and a misspelt one must not pass for a setting.
        let variables: Vec<_> = KEYS.iter().map(Key::variable).collect();
        problems.push(Problem {
            subject: variable.to_owned(),
            value: None,
            origin: Origin::Default,
            fault: "no key has this environment variable".to_owned(),
            next: suggestion(variable, variables.iter().map(String::as_str)),
        });
    }
}

fn read_flag(flag: &str, given: &mut GivenValues, problems: &mut Vec<Problem>) {
    match flag.split_once('=').map(|(name, value)| (name.trim(), value)) {
        None => problems.push(Problem {
            subject: format!("--set {}", name_of_flag(flag)),
            value: None,
            origin: Origin::Default,
            fault: "there is no value".to_owned(),
            next: "write `--set tablets.listen=0.0.0.0:443`".to_owned(),
        }),
        Some((name, value)) => match Key::named(name) {
            Some(key) => {
                given.insert(key.name, from_text(key, value, Origin::Flag));
            }
            None => problems.push(unknown(name, Origin::Flag)),
        },
    }
}

/// The part of a flag that can be a key's name; what follows may be a password.
fn name_of_flag(flag: &str) -> String {
    flag.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(80).collect()
}

fn from_text(key: &Key, value: &str, origin: Origin) -> Given {
    let members = match key.shape {
        Shape::List => split_list(value).map(str::to_owned).collect(),
        Shape::Text | Shape::Switch | Shape::Number => vec![value.trim().to_owned()],
    };
    Given { members, origin }
}

/// What a key has when nothing was said of it.
pub(super) fn default_of(key: &Key) -> Given {
    match key.default {
        "" => Given { members: Vec::new(), origin: Origin::Default },
        text => from_text(key, text, Origin::Default),
    }
}

fn unknown(name: &str, origin: Origin) -> Problem {
    Problem {
        subject: name.chars().take(80).collect(),
        value: None,
        origin,
        fault: "there is no such key".to_owned(),
        next: suggestion(name, KEYS.iter().map(|key| key.name)),
    }
}

/// The nearest of `candidates`, if one is near enough to be what was meant.
fn suggestion<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let nearest = candidates.map(|candidate| (distance(text, candidate), candidate)).min();
    match nearest {
        Some((steps, candidate)) if steps <= 4 && steps * 3 <= candidate.len() => {
            format!("did you mean `{candidate}`?")
        }
        _ => "`ardoise config explain` lists the keys".to_owned(),
    }
}

/// Levenshtein's distance, over the first 80 characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().take(80).enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let best = (diagonal + usize::from(from != *to)).min(before + 1).min(above + 1);
            diagonal = *above;
            before = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_changed_characters() {
        for (left, right, steps) in
            [("", "abc", 3), ("abc", "abc", 0), ("listn", "listen", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(left, right), steps, "{left} {right}");
            assert_eq!(distance(right, left), steps, "{right} {left}");
        }
    }

    #[test]
    fn a_line_is_counted_from_one() {
        assert_eq!([0, 1, 2, 3, 9].map(|offset| line_of("a\nb\n", offset)), [1, 1, 2, 2, 3]);
    }
}
