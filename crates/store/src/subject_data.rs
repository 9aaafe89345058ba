//! Everything that the tables hold about one person: the copy that they ask for (GDPR, art. 15 and 20), and what ties them to
//! the programme as long as they cannot be forgotten (art. 17).
//!
//! Which rows of a table are about a person is said here, once for each table; which of its columns are personal is what the
//! register says of it (C3.1.6). A table with personal columns that is neither [`HELD`] nor [`LEFT_OUT`] fails the tests.

use diesel::sql_types::Text as SqlText;
use diesel::{QueryableByName, RunQueryDsl as _};
use privacy::{Activity, Category, Holds, LeftOut, SubjectData, SubjectPart, TableDeclaration, Text, Ties};
use serde_json::{Map, Value};
use types::{Day, Instant, ListId, PersonId, Uai};

use crate::connection::AnyConnection;
use crate::loans::{noticed, with_its_holder};
use crate::persons::Known;
use crate::school_years::SchoolYear;
use crate::{RowName, StoreError, Tx, declarations, lists, loans, persons, school_years};

/// Which rows of a table are about a person, whose number is `$1`.
struct Held {
    table: &'static str,
    /// By what its rows are told apart, and in which order they come.
    key: &'static str,
    rows: &'static str,
}

const fn held(table: &'static str, key: &'static str, rows: &'static str) -> Held {
    Held { table, key, rows }
}

/// Their loans.
macro_rules! of_their_loans {
    ($column:literal) => {
        concat!($column, " IN (SELECT l.id FROM loans l WHERE l.person_id = $1)")
    };
}

/// Incidents that befell a tablet while it was with them; without those of which an authority asked that they be told later (M1).
macro_rules! of_their_incidents {
    ($column:literal) => {
        concat!(
            $column,
            " IN (SELECT i.id FROM incidents i JOIN loans l ON l.tablet_id = i.tablet_id WHERE l.person_id = $1 AND ",
            with_its_holder!("l", noticed!("i")),
            " AND NOT EXISTS (SELECT 1 FROM notice_delays n WHERE n.incident_id = i.id AND n.until > $today))"
        )
    };
}

macro_rules! of_their_warrants {
    ($column:literal) => {
        concat!(
            $column,
            " IN (SELECT w.id FROM warrants w JOIN incidents i ON i.id = w.incident_id JOIN loans l \
             ON l.tablet_id = i.tablet_id WHERE l.person_id = $1 AND ",
            with_its_holder!("l", noticed!("i")),
            " AND NOT EXISTS (SELECT 1 FROM notice_delays n WHERE n.incident_id = i.id AND n.until > $today))"
        )
    };
}

/// The enrolment, in use now, of a tablet that they hold: what it reports tells of them.
macro_rules! of_what_they_hold {
    ($column:literal) => {
        concat!(
            $column,
            " IN (SELECT e.id FROM enrolments e JOIN loans l ON l.tablet_id = e.tablet_id WHERE l.person_id = $1 \
             AND l.state <> 'ended' AND e.state IN ('authenticated', 'active'))"
        )
    };
}

/// What came to pass with a tablet while it was with them.
macro_rules! while_they_held_it {
    ($table:literal, $at:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM loans l WHERE l.person_id = $1 AND l.tablet_id = ",
            $table,
            ".tablet_id AND ",
            with_its_holder!("l", concat!($table, ".", $at)),
            ")"
        )
    };
}

/// Unless an authority asked that an incident of that tablet be told of later: what is done to a lost tablet, and what follows
/// from it, gives its request away even without the number of the incident (M1).
macro_rules! unless_kept_back {
    ($table:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM notice_delays n JOIN incidents i ON i.id = n.incident_id WHERE i.tablet_id = ",
            $table,
            ".tablet_id AND n.until > $today)"
        )
    };
}

/// What stands for the day of the copy in a statement.
const TODAY: &str = "$today";

/// What is about a person, in the order of the copy.
const HELD: &[Held] = &[
    held("persons", "id", "id = $1"),
    held("list_changes", "id", "person_id = $1"),
    held("signatures", "id", "person_id = $1"),
    held("loans", "id", "person_id = $1"),
    held("restrictions", "id", of_their_loans!("loan_id")),
    held("tablet_modes", "tablet_id", of_their_loans!("loan_id")),
    held("restitutions", "id", of_their_loans!("loan_id")),
    held("notices", "id", of_their_loans!("loan_id")),
    held(
        "mails",
        "id",
        concat!("person_id = $1 AND (warrant_id IS NULL OR ", of_their_warrants!("warrant_id"), ")"),
    ),
    held("loan_years", "school_year", of_their_loans!("loan_id")),
    held(
        "repairs",
        "id",
        concat!("(", of_their_loans!("loan_id"), " OR ", of_their_loans!("loaner_loan_id"), ")"),
    ),
    held("last_decisions", "id", of_their_loans!("loan_id")),
    held(
        "departures",
        "decision_id",
        "decision_id IN (SELECT d.id FROM last_decisions d JOIN loans l ON l.id = d.loan_id WHERE l.person_id = $1)",
    ),
    held("erase_orders", "id", of_their_loans!("loan_id")),
    held("incidents", "id", of_their_incidents!("id")),
    held("incident_declarations", "id", of_their_incidents!("id")),
    held("incident_papers", "paper", of_their_incidents!("incident_id")),
    held("paper_corrections", "number", of_their_incidents!("incident_id")),
    held("noticed_corrections", "number", of_their_incidents!("incident_id")),
    held("incident_confirmations", "restored_at", of_their_incidents!("incident_id")),
    held("warranty_verdicts", "incident_id", of_their_incidents!("incident_id")),
    held("replacements", "incident_id", of_their_incidents!("incident_id")),
    held("lost_modes", "tablet_id", of_their_incidents!("incident_id")),
    held("warrants", "id", of_their_incidents!("incident_id")),
    held("warrant_grants", "warrant_id", of_their_warrants!("warrant_id")),
    held(
        "warrant_notices",
        "occasion",
        concat!(of_their_loans!("loan_id"), " AND ", of_their_warrants!("warrant_id")),
    ),
    held("position_requests", "command_id", of_their_warrants!("warrant_id")),
    held(
        "position_looks",
        "id",
        concat!(
            "command_id IN (SELECT r.command_id FROM position_requests r WHERE ",
            of_their_warrants!("r.warrant_id"),
            ")"
        ),
    ),
    held("tablets", "id", "id IN (SELECT l.tablet_id FROM loans l WHERE l.person_id = $1)"),
    held("enrolments", "id", of_what_they_hold!("id")),
    held("presence", "enrolment_id", of_what_they_hold!("enrolment_id")),
    held("observations", "kind", of_what_they_hold!("enrolment_id")),
    held("deliveries", "enrolment_id", of_what_they_hold!("enrolment_id")),
    held("rule_states", "rule", of_what_they_hold!("enrolment_id")),
    held(
        "commands",
        "id",
        concat!(
            while_they_held_it!("commands", "queued_at"),
            " AND (warrant_id IS NULL OR ",
            of_their_warrants!("warrant_id"),
            ") AND (incident_id IS NULL OR ",
            of_their_incidents!("incident_id"),
            ") AND (request_type NOT IN ('EnableLostMode', 'DisableLostMode', 'PlayLostModeSound', 'DeviceLocation') OR ",
            unless_kept_back!("commands"),
            ")"
        ),
    ),
    held(
        "alarms",
        "id",
        concat!(while_they_held_it!("alarms", "raised_at"), " AND ", unless_kept_back!("alarms")),
    ),
];

const STAFF: Text = Text::new(
    "ne décrit que des agents ayant un compte et leurs actes",
    "it tells only of staff with an account and of what they did",
);
const NOBODYS: Text = Text::new(
    "décrit un matériel ou un droit d’enrôlement, que rien ne rattache à une personne",
    "it describes equipment or a right to enrol, which nothing ties to a person",
);
const LOG: Text = Text::new(
    "le journal dit quel agent a fait quoi sur quelle tablette, sans nom de personne ; le délégué à la protection des données \
     le consulte pour vous",
    "the log says which agent did what to which tablet, and no person’s name; the data protection officer reads it for you",
);

const fn out(table: &'static str, why: Text) -> LeftOut {
    LeftOut { table, why }
}

/// What the copy leaves out, and why.
pub(crate) const LEFT_OUT: &[LeftOut] = &[
    out("account_makers", STAFF),
    out("accounts", STAFF),
    out("agreement_texts", STAFF),
    out("api_tokens", STAFF),
    out("apps", STAFF),
    out("audit", LOG),
    out("brake", STAFF),
    out("campaigns", STAFF),
    out("certificates", NOBODYS),
    out("challenges", NOBODYS),
    out("countersignatures", LOG),
    out("destructions", LOG),
    out("emergency_orders", STAFF),
    out("enrolment_ends", STAFF),
    out("links", STAFF),
    out("lists", STAFF),
    out(
        "notice_delays",
        Text::new(
            "quand une autorité compétente demande que l’information soit différée jusqu’à une date, ce qui concerne sa demande \
             ne figure dans la copie qu’à partir de cette date",
            "when a competent authority asks that somebody be told only from a date on, what concerns its request is in the copy \
             from that date on",
        ),
    ),
    out("organisations", STAFF),
    out("orphans", NOBODYS),
    out(
        "positions",
        Text::new(
            "les positions sont chiffrées par une clé de leur sinistre, détruite 30 jours après sa clôture ; chaque lecture est \
             demandée une à une, motivée et enregistrée (position_looks)",
            "positions are encrypted with a key of their incident, destroyed 30 days after its closing; each look at one is \
             asked for by itself, with a reason, and recorded (position_looks)",
        ),
    ),
    out("privacy_validations", STAFF),
    out("profile_approvals", STAFF),
    out("profile_versions", STAFF),
    out("role_grant_colleges", STAFF),
    out("role_grants", STAFF),
    out("rollouts", STAFF),
    out("sessions", STAFF),
    out("supervision_exceptions", STAFF),
    out("supplier_repairs", STAFF),
    out("takeovers", NOBODYS),
    out("transfers", STAFF),
];

/// What stands for the address of a guardian.
const ADDRESS: &str =
    "adresse détenue, communiquée seulement à qui elle appartient (held, and told only to whom it belongs)";
/// Raw bytes of messages, whose content is told beside them.
const RAW: [&str; 2] = ["payload", "answer_raw"];
/// Columns that hold JSON.
const JSON: [&str; 7] = ["body", "known", "detail", "result", "error", "accessories", "reserve"];
/// Columns that hold yes or no.
const FLAGS: [&str; 3] = ["granted", "held_for_check", "responsible"];
/// Instants whose column is not called `…_at`.
const INSTANTS: [&str; 3] = ["since", "until", "not_before"];

#[derive(QueryableByName)]
struct JsonRow {
    #[diesel(sql_type = SqlText)]
    held: String,
}

/// Everything that is held about a person; `None` if nobody has that number.
///
/// # Errors
/// [`StoreError::Sealed`] for what does not open; [`StoreError::Corrupt`].
pub fn of(tx: &mut Tx<'_>, person: PersonId, now: Instant) -> Result<Option<SubjectData>, StoreError> {
    if persons::get(tx, &person)?.is_none() {
        return Ok(None);
    }
    let declared = declarations();
    let mut parts = Vec::new();
    for held in HELD {
        let Some(table) = declared.iter().find(|declared| declared.table == held.table) else { continue };
        let columns = columns(table);
        let rows = rows(tx, held, &columns, (person, Day::of(now)))?;
        if !rows.is_empty() {
            parts.push(SubjectPart {
                table: held.table,
                activities: activities(table),
                class: table.class,
                rows,
            });
        }
    }
    Ok(Some(SubjectData { person, at: now, parts, left_out: LEFT_OUT }))
}

/// The columns of a table that tell of whom it is about: not those that only say which agent acted, no secret, no position.
pub(crate) fn columns(table: &TableDeclaration) -> Vec<&'static str> {
    let tells = |holds: &Holds| match holds {
        Holds::NotPersonal(_) => false,
        Holds::Personal(data) => data.iter().any(|datum| {
            datum.activity != Activity::AccountsAndAudit
                && !matches!(
                    datum.category,
                    Category::DeviceSecrets | Category::Positions | Category::Credentials
                )
        }),
    };
    let told = table.columns.iter().filter(|column| tells(&column.holds)).map(|column| column.name);
    told.filter(|name| !RAW.contains(name)).collect()
}

fn activities(table: &TableDeclaration) -> Vec<Activity> {
    let of = |holds: &Holds| match holds {
        Holds::NotPersonal(_) => Vec::new(),
        Holds::Personal(data) => data.iter().map(|datum| datum.activity).collect(),
    };
    let mut all: Vec<Activity> = table.columns.iter().flat_map(|column| of(&column.holds)).collect();
    all.retain(|activity| *activity != Activity::AccountsAndAudit);
    all.dedup();
    all
}

/// The rows, as both engines write them alike once they are read.
fn rows(
    tx: &mut Tx<'_>,
    held: &Held,
    columns: &[&'static str],
    (person, today): (PersonId, Day),
) -> Result<Vec<Map<String, Value>>, StoreError> {
    let Held { table, key, rows } = held;
    let rows = rows.replace(TODAY, &format!("'{today}'"));
    let mut of_key = vec![*key];
    of_key.extend(columns.iter().filter(|column| *column != key));
    let id = person.to_string();
    let found: Vec<JsonRow> = tx.run(|connection| {
        let (object, text, bytes): (_, _, fn(&str) -> String) = match connection {
            AnyConnection::Postgresql(_) => {
                ("json_build_object", "::text", |column| format!("encode({column}, 'hex')"))
            }
            AnyConnection::Sqlite(_) => ("json_object", "", |column| format!("hex({column})")),
        };
        let pairs: Vec<String> = of_key
            .iter()
            .map(|column| {
                let value = if column.ends_with("_sealed") { bytes(column) } else { (*column).to_owned() };
                format!("'{column}', {value}")
            })
            .collect();
        let pairs = pairs.join(", ");
        let sql = format!("SELECT {object}({pairs}){text} AS held FROM {table} WHERE {rows} ORDER BY {key}");
        match connection {
            AnyConnection::Postgresql(connection) => {
                diesel::sql_query(sql).bind::<SqlText, _>(&id).load(connection)
            }
            AnyConnection::Sqlite(connection) => {
                diesel::sql_query(sql).bind::<SqlText, _>(&id).load(connection)
            }
        }
    })?;
    found.into_iter().map(|row| read(tx, held, columns, &row.held)).collect()
}

/// One row as a person reads it: what is sealed is opened, and instants are dates.
fn read(
    tx: &Tx<'_>,
    held: &Held,
    columns: &[&'static str],
    row: &str,
) -> Result<Map<String, Value>, StoreError> {
    let corrupt = |row: &str, column| StoreError::Corrupt { table: held.table, row: row.to_owned(), column };
    let Ok(Value::Object(stored)) = serde_json::from_str::<Value>(row) else {
        return Err(corrupt("?", held.key));
    };
    let key = match stored.get(held.key) {
        Some(Value::String(key)) => key.clone(),
        Some(other) => other.to_string(),
        None => return Err(corrupt("?", held.key)),
    };
    let mut told = Map::new();
    for column in std::iter::once(&held.key).chain(columns.iter().filter(|column| **column != held.key)) {
        let value = stored.get(*column).cloned().unwrap_or(Value::Null);
        if let Some(name) = column.strip_suffix("_sealed") {
            let mut opened = unsealed(tx, &RowName::new(held.table, column, &key), &value)?;
            without_addresses(name, &mut opened);
            told.insert(name.to_owned(), opened);
        } else {
            told.insert((*column).to_owned(), plain(column, value));
        }
    }
    Ok(told)
}

fn unsealed(tx: &Tx<'_>, place: &RowName, value: &Value) -> Result<Value, StoreError> {
    let corrupt = || StoreError::Corrupt { table: place.table, row: place.row.clone(), column: place.column };
    let hex = match value {
        Value::String(hex) if !hex.is_empty() => hex,
        _nothing => return Ok(Value::Null),
    };
    let sealed = bytes(hex).ok_or_else(corrupt)?;
    let opened = tx.vault().open(&sealed, place)?;
    let text = std::str::from_utf8(opened.expose()).map_err(|_not_text| corrupt())?;
    Ok(serde_json::from_str(text).unwrap_or_else(|_plain| Value::String(text.to_owned())))
}

/// Leaves out where guardians are reached: whichever of them asks is told who has an address, and not that of another.
fn without_addresses(name: &str, opened: &mut Value) {
    let contacts = match name {
        "contacts" => Some(opened),
        "entry" => opened.get_mut("contacts"),
        _ => None,
    };
    for (signatory, address) in contacts.and_then(Value::as_object_mut).into_iter().flatten() {
        if signatory.starts_with("guardian") {
            *address = Value::String(ADDRESS.to_owned());
        }
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::with_capacity(hex.len() / 2);
    for pair in hex.as_bytes().chunks(2) {
        match pair {
            [high, low] => bytes.push(digit(*high)? * 16 + digit(*low)?),
            _odd => return None,
        }
    }
    Some(bytes)
}

fn plain(column: &str, value: Value) -> Value {
    match (&value, value.as_i64()) {
        (Value::Number(_), Some(flag)) if FLAGS.contains(&column) => Value::Bool(flag != 0),
        (Value::Number(_), Some(millis)) if column.ends_with("_at") || INSTANTS.contains(&column) => {
            Value::String(Instant::from_millis(millis).to_string())
        }
        (Value::String(text), _) if JSON.contains(&column) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

/// What ties a person to the programme now; `None` if nobody has that number.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn ties(tx: &mut Tx<'_>, person: PersonId, now: Instant) -> Result<Option<Ties>, StoreError> {
    let Some(row) = persons::get(tx, &person)? else { return Ok(None) };
    // A change that waits ties as much: forgotten, they would be missing from what both sign.
    let listed = listed_in(tx, person, &row.uai, now)?.is_some() || waiting_list(tx, person)?.is_some();
    let not_back = "SELECT l.id AS held FROM loans l WHERE l.person_id = $1 AND l.state = 'ended' \
         AND l.ended_because NOT IN ('given-away', 'replaced') \
         AND NOT EXISTS (SELECT 1 FROM last_decisions d WHERE d.loan_id = l.id AND d.kind = 'donation' \
         AND d.withdrawn_at IS NULL AND d.departement_at IS NOT NULL) \
         AND NOT EXISTS (SELECT 1 FROM restitutions r WHERE r.loan_id = l.id AND r.stage IN ('erased', 'in-stock', 'in-repair')) \
         AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tablet_id = l.tablet_id AND i.state = 'closed' \
         AND i.kind IN ('loss', 'theft') AND l.began_at <= i.opened_at AND i.opened_at <= l.changed_at) ORDER BY l.id LIMIT 1";
    // What an authority asked to be kept back still ties them; the refusal names no more than its number.
    let open = concat!(
        "SELECT x.id AS held FROM incidents x WHERE x.state = 'open' AND ",
        of_their_incidents!("x.id"),
        " ORDER BY x.id LIMIT 1"
    );
    let owes = concat!(
        "SELECT r.incident_id AS held FROM replacements r WHERE r.counterpart = 'sum' AND r.paid_on IS NULL AND ",
        of_their_incidents!("r.incident_id"),
        " ORDER BY r.incident_id LIMIT 1"
    );
    Ok(Some(Ties {
        forgotten: row.name == Known::Forgotten,
        listed,
        loan: loans::live_of_person(tx, person)?.first().map(|loan| loan.id),
        tablet_not_back: first(tx, not_back, person)?.map(|id| read_id(&id, "loans")).transpose()?,
        incident: first(tx, open, person)?.map(|id| read_id(&id, "incidents")).transpose()?,
        owes_for: first(tx, owes, person)?.map(|id| read_id(&id, "replacements")).transpose()?,
    }))
}

/// The first school year, of those that are not over, whose validated list names a person.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn listed_in(
    tx: &mut Tx<'_>,
    person: PersonId,
    uai: &Uai,
    now: Instant,
) -> Result<Option<String>, StoreError> {
    let today = Day::of(now);
    // The summer break that follows a year is of that year still.
    let current = school_years::on(tx, today)?.map(|year| year.label);
    let not_over = |year: &SchoolYear| today <= year.ends_on || current.as_ref() == Some(&year.label);
    for year in school_years::list(tx, None, YEARS)?.into_iter().rev().filter(not_over) {
        if lists::is_listed(tx, person, uai, &year.label)? {
            return Ok(Some(year.label));
        }
    }
    Ok(None)
}

/// A change of a list, proposed or settled, that says something of a person and waits for a signature (C4.2).
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn waiting_list(tx: &mut Tx<'_>, person: PersonId) -> Result<Option<ListId>, StoreError> {
    let waits = "SELECT p.id AS held FROM lists p JOIN list_changes c ON c.list_id = p.id WHERE c.person_id = $1 \
         AND c.step = 'set' AND p.state IN ('proposed', 'settled') ORDER BY p.id LIMIT 1";
    first(tx, waits, person)?.map(|id| read_id(&id, "lists")).transpose()
}

/// More school years than any département dates.
const YEARS: u32 = 200;

fn first(tx: &mut Tx<'_>, sql: &str, person: PersonId) -> Result<Option<String>, StoreError> {
    let id = person.to_string();
    // Nothing is kept back from the rule: the last of days comes before no delay.
    let sql = sql.replace(TODAY, "'9999-12-31'");
    let found: Vec<JsonRow> = tx.run(|connection| match connection {
        AnyConnection::Postgresql(connection) => {
            diesel::sql_query(sql).bind::<SqlText, _>(&id).load(connection)
        }
        AnyConnection::Sqlite(connection) => diesel::sql_query(sql).bind::<SqlText, _>(&id).load(connection),
    })?;
    Ok(found.into_iter().next().map(|row| row.held))
}

fn read_id<T: std::str::FromStr>(id: &str, table: &'static str) -> Result<T, StoreError> {
    id.parse().map_err(|_no_id| StoreError::Corrupt { table, row: id.to_owned(), column: "id" })
}

/// The tables that the copy is made of.
#[cfg(test)]
pub(crate) fn held_tables() -> impl Iterator<Item = &'static str> {
    HELD.iter().map(|held| held.table)
}
