//! Rows to be forgotten, as SQL: a purge meets rows of every age, also such as no use case writes any more.

use privacy::RetentionClass;
use types::{
    AccountId, AlarmId, ApiTokenId, ChallengeId, CommandId, CountersignatureId, IncidentId, LinkId,
    OrganisationId, PersonId, SessionId, TakeoverId,
};

use crate::Engine;
use crate::tests::fixture::{Enrolled, Fixture, at, digest};

/// Four rows of a class whose terms begin at the [`TERMS`].
pub(super) struct Case {
    pub(super) class: RetentionClass,
    pub(super) insert: fn(&Fixture, Enrolled),
}

pub(super) const CASES: &[Case] = &[
    Case { class: RetentionClass::Observations, insert: insert_observations },
    Case { class: RetentionClass::Commands, insert: insert_commands },
    Case { class: RetentionClass::Challenges, insert: insert_challenges },
    Case { class: RetentionClass::Links, insert: insert_links },
    Case { class: RetentionClass::Takeovers, insert: insert_takeovers },
    Case { class: RetentionClass::Orphans, insert: insert_orphans },
    Case { class: RetentionClass::Alarms, insert: insert_alarms },
    Case { class: RetentionClass::ApiTokens, insert: insert_api_tokens },
    Case { class: RetentionClass::Sessions, insert: insert_sessions },
    Case { class: RetentionClass::Accounts, insert: insert_accounts },
    Case { class: RetentionClass::Holders, insert: insert_persons },
    Case { class: RetentionClass::Countersignatures, insert: insert_countersignatures },
    Case { class: RetentionClass::Audit, insert: insert_audit },
];

/// When the terms of the four rows begin, in seconds.
pub(super) const TERMS: [i64; 4] = [100, 200, 300, 5_000];

pub(super) fn sql(fixture: &Fixture, statement: &str) {
    fixture.by_hand(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// A text as SQL.
pub(super) fn text(value: impl std::fmt::Display) -> String {
    format!("'{value}'")
}

/// An instant as SQL.
pub(super) fn ms(seconds: i64) -> String {
    at(seconds).as_millis().to_string()
}

pub(super) fn null() -> String {
    "NULL".to_owned()
}

fn blob(fixture: &Fixture) -> String {
    match fixture.url.engine() {
        Engine::Sqlite => "x'01'".to_owned(),
        Engine::Postgresql => "'\\x01'".to_owned(),
    }
}

pub(super) fn insert(fixture: &Fixture, table: &str, cells: &[(&str, String)]) {
    let columns: Vec<&str> = cells.iter().map(|(column, _value)| *column).collect();
    let values: Vec<&str> = cells.iter().map(|(_column, value)| value.as_str()).collect();
    sql(fixture, &format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), values.join(", ")));
}

fn insert_observations(fixture: &Fixture, of: Enrolled) {
    for (kind, term) in ["a", "b", "c", "d"].iter().zip(TERMS) {
        let cells = [
            ("enrolment_id", text(of.enrolment)),
            ("kind", text(kind)),
            ("reported_at", ms(term)),
            ("body", text("{}")),
        ];
        insert(fixture, "observations", &cells);
    }
}

/// What a command rests on, as the column that names it.
pub(super) type RestsOn<'r> = Option<(&'r str, String)>;

pub(super) fn insert_command(
    fixture: &Fixture,
    of: Enrolled,
    queued: i64,
    state: &str,
    (gate, request_type, rests_on): (&str, &str, RestsOn<'_>),
) -> CommandId {
    let id = CommandId::new(at(queued));
    let mut cells = vec![
        ("id", text(id)),
        ("enrolment_id", text(of.enrolment)),
        ("tablet_id", text(of.tablet)),
        ("request_type", text(request_type)),
        ("gate", text(gate)),
        ("priority", "0".to_owned()),
        ("urgent", "FALSE".to_owned()),
        ("state", text(state)),
        ("queued_at", ms(queued)),
        ("queued_by", text("calendar")),
        ("sent_count", "1".to_owned()),
        ("not_now_count", "0".to_owned()),
        ("error", text("{}")),
    ];
    cells.extend(rests_on.map(|(column, order)| (column, text(order))));
    insert(fixture, "commands", &cells);
    id
}

pub(super) const ORDINARY: (&str, &str, RestsOn<'static>) = ("ordinary", "ProfileList", None);

/// The second rested on an incident: it is emptied, where the others are deleted.
fn insert_commands(fixture: &Fixture, of: Enrolled) {
    let incident = IncidentId::new(at(10));
    let cells = [
        ("id", text(incident)),
        ("tablet_id", text(of.tablet)),
        ("kind", text("theft")),
        ("state", text("open")),
        ("opened_at", ms(10)),
    ];
    insert(fixture, "incidents", &cells);
    let lost_mode = ("lost-mode", "EnableLostMode", Some(("incident_id", incident.to_string())));
    for (kind, (state, term)) in [ORDINARY, ORDINARY, lost_mode, ORDINARY]
        .into_iter()
        .zip(["acknowledged", "failed", "expired", "cancelled"].into_iter().zip(TERMS))
    {
        insert_command(fixture, of, term, state, kind);
    }
}

/// The second was used.
fn insert_challenges(fixture: &Fixture, of: Enrolled) {
    for (number, term) in (1..).zip(TERMS) {
        let used = number == 2;
        let cells = [
            ("id", text(ChallengeId::new(at(term - 10)))),
            ("secret_sha256", text(digest(number))),
            ("enrolment_id", text(of.enrolment)),
            ("created_at", ms(term - 10)),
            ("expires_at", ms(term)),
            ("used_at", if used { ms(term - 5) } else { null() }),
            ("used_for", if used { text(digest(9)) } else { null() }),
        ];
        insert(fixture, "challenges", &cells);
    }
}

pub(super) fn insert_link(fixture: &Fixture, number: u8, expires: i64) -> LinkId {
    let id = LinkId::new(at(expires - 10));
    let cells = [
        ("id", text(id)),
        ("token_sha256", text(digest(number))),
        ("kind", text("batch")),
        ("max_uses", "3".to_owned()),
        ("uses", "1".to_owned()),
        ("expires_at", ms(expires)),
        ("created_by", text("host")),
        ("created_at", ms(expires - 10)),
    ];
    insert(fixture, "links", &cells);
    id
}

/// The oldest brought the tablet in: the enrolment stays, its link goes.
fn insert_links(fixture: &Fixture, of: Enrolled) {
    let ids: Vec<LinkId> =
        (1..).zip(TERMS).map(|(number, term)| insert_link(fixture, number, term)).collect();
    sql(fixture, &format!("UPDATE enrolments SET link_id = '{}' WHERE id = '{}'", ids[0], of.enrolment));
}

/// The oldest was used.
fn insert_takeovers(fixture: &Fixture, of: Enrolled) {
    for (number, term) in (1..).zip(TERMS) {
        let (id, used) = (TakeoverId::new(at(term - 10)), number == 1);
        let cells = [
            ("id", text(id)),
            ("udid", text("00008020-000915083C80012E")),
            ("serial", text("DMPX00000001")),
            ("topic", text("com.apple.mgmt.External.1")),
            ("push_token_sealed", blob(fixture)),
            ("push_magic_sealed", blob(fixture)),
            ("certificate_sha256", text(digest(number))),
            ("authority_fingerprint", text(digest(99))),
            ("imported_at", ms(term - 10)),
            ("imported_by", text("host")),
            ("window_ends_at", ms(term)),
            ("used_at", if used { ms(term - 5) } else { null() }),
            ("enrolment_id", if used { text(of.enrolment) } else { null() }),
        ];
        insert(fixture, "takeovers", &cells);
        if used {
            let enrolment = of.enrolment;
            sql(fixture, &format!("UPDATE enrolments SET takeover_id = '{id}' WHERE id = '{enrolment}'"));
        }
    }
}

fn insert_orphans(fixture: &Fixture, _of: Enrolled) {
    for (number, term) in (1..).zip(TERMS) {
        let cells = [
            ("certificate_sha256", text(digest(number))),
            ("authority_fingerprint", text(digest(99))),
            ("first_seen_at", ms(0)),
            ("last_seen_at", ms(term)),
            ("sightings", "2".to_owned()),
        ];
        insert(fixture, "orphans", &cells);
    }
}

fn insert_alarms(fixture: &Fixture, of: Enrolled) {
    for term in TERMS {
        let cells = [
            ("id", text(AlarmId::new(at(term)))),
            ("kind", text("identity-of-another-tablet")),
            ("subject", text(of.enrolment)),
            ("tablet_id", text(of.tablet)),
            ("raised_at", ms(0)),
            ("last_raised_at", ms(0)),
            ("times", "1".to_owned()),
            ("detail", text("{}")),
            ("settled_at", ms(term)),
        ];
        insert(fixture, "alarms", &cells);
    }
}

/// Expired; revoked; revoked before it would have expired; and one that expires lately.
fn insert_api_tokens(fixture: &Fixture, _of: Enrolled) {
    let ends =
        [(ms(TERMS[0]), null()), (null(), ms(TERMS[1])), (ms(9_000), ms(TERMS[2])), (ms(TERMS[3]), null())];
    for (number, ((expires, revoked), term)) in (1..).zip(ends.into_iter().zip(TERMS)) {
        let cells = [
            ("id", text(ApiTokenId::new(at(term - 10)))),
            ("secret_sha256", text(digest(number))),
            ("name", text("seed")),
            ("scope", text("read")),
            ("created_at", ms(term - 10)),
            ("expires_at", expires),
            ("revoked_at", revoked),
        ];
        insert(fixture, "api_tokens", &cells);
    }
}

fn insert_college(fixture: &Fixture, uai: &str) -> OrganisationId {
    let id = OrganisationId::new(at(0));
    let cells = [
        ("id", text(id)),
        ("kind", text("college")),
        ("name", text("Collège")),
        ("uai", text(uai)),
        ("state", text("active")),
        ("home_use", text("undecided")),
        ("created_at", ms(0)),
        ("updated_at", ms(0)),
    ];
    insert(fixture, "organisations", &cells);
    id
}

fn insert_account(fixture: &Fixture, of: OrganisationId, login: &str) -> AccountId {
    let id = AccountId::new(at(0));
    let cells = [
        ("id", text(id)),
        ("organisation_id", text(of)),
        ("login", text(login)),
        ("name", text("Somebody")),
        ("email", text("somebody@example.org")),
        ("state", text("active")),
        ("failed_attempts", "0".to_owned()),
        ("created_at", ms(0)),
    ];
    insert(fixture, "accounts", &cells);
    id
}

/// The second was revoked before it ended.
fn insert_sessions(fixture: &Fixture, _of: Enrolled) {
    let college = insert_college(fixture, "0760001A");
    let account = insert_account(fixture, college, "session");
    for (number, term) in (1..).zip(TERMS) {
        let cells = [
            ("id", text(SessionId::new(at(term - 50)))),
            ("account_id", text(account)),
            ("secret_sha256", text(digest(number))),
            ("created_at", ms(term - 50)),
            ("last_used_at", ms(term - 50)),
            ("expires_at", ms(term)),
        ];
        insert(fixture, "sessions", &cells);
    }
    let revoked =
        format!("UPDATE sessions SET revoked_at = {} WHERE secret_sha256 = '{}'", ms(195), digest(2));
    sql(fixture, &revoked);
}

fn insert_accounts(fixture: &Fixture, _of: Enrolled) {
    let college = insert_college(fixture, "0760002B");
    for term in TERMS {
        let id = insert_account(fixture, college, &format!("closed-at-{term}"));
        let closed = ms(term);
        sql(
            fixture,
            &format!("UPDATE accounts SET state = 'closed', closed_at = {closed} WHERE id = '{id}'"),
        );
    }
    insert_account(fixture, college, "still-open");
}

/// People who have left, and one who has not.
fn insert_persons(fixture: &Fixture, _of: Enrolled) {
    let terms = TERMS.into_iter().map(|term| (term, ms(term))).chain([(1, null())]);
    for (made, left) in terms {
        let cells = [
            ("id", text(PersonId::new(at(made)))),
            ("uai", text("0760001A")),
            ("kind", text("pupil")),
            ("name_sealed", blob(fixture)),
            ("guardians", "2".to_owned()),
            ("class", text("6e A")),
            ("left_at", left),
            ("created_at", ms(1)),
            ("updated_at", ms(1)),
        ];
        insert(fixture, "persons", &cells);
    }
}

/// Nobody answered in time; somebody took it back; a restore voided it; and one that was asked lately.
fn insert_countersignatures(fixture: &Fixture, _of: Enrolled) {
    let college = insert_college(fixture, "0760003C");
    let asker = insert_account(fixture, college, "asker");
    for (state, term) in ["expired", "withdrawn", "void", "expired"].into_iter().zip(TERMS) {
        let id = CountersignatureId::new(at(term));
        let cells = [
            ("id", text(id)),
            ("purpose", text("give-away")),
            ("subject", text("tablet:1")),
            ("content_sha256", text(digest(7))),
            ("content", text("{}")),
            ("reason", text("why")),
            ("asked_by", text(asker)),
            ("asked_at", ms(term)),
            ("answer_role", text("departement")),
            ("expires_at", ms(term + 50)),
            ("state", text("waiting")),
        ];
        insert(fixture, "countersignatures", &cells);
        sql(fixture, &format!("UPDATE countersignatures SET state = '{state}' WHERE id = '{id}'"));
    }
}

/// A reason, particulars, both, and both lately; and an entry of a program that knew no digests, which is not
/// looked at before it is sealed.
pub(super) fn insert_audit(fixture: &Fixture, _of: Enrolled) {
    let (why, what) = (|| text("why"), || text("{}"));
    let bodies = [(null(), null()), (why(), null()), (null(), what()), (why(), what()), (why(), what())];
    for ((reason, detail), at) in bodies.into_iter().zip([50, TERMS[0], TERMS[1], TERMS[2], TERMS[3]]) {
        let digested = at != 50;
        let cells = [
            ("id", text(uuid::Uuid::new_v4())),
            ("at", ms(at)),
            ("actor", text("host")),
            ("action", text("test")),
            ("reason", reason),
            ("detail", detail),
            ("salt", if digested { blob(fixture) } else { null() }),
            ("body_digest", if digested { text(digest(8)) } else { null() }),
        ];
        insert(fixture, "audit", &cells);
    }
}
