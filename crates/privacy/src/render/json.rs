//! The register and the account of purges as JSON. Codes are for programs; names stand beside them in both
//! languages, so that one file serves both readers.

use serde::{Serialize, Serializer};

use super::said;
use crate::{
    Category, Change, Entry, Gate, Keeps, Line, NotValidated, PurgeAccount, Register, RetentionClass, Status,
    Text, Validated, Verdict,
};

#[derive(Serialize)]
struct Named {
    code: &'static str,
    name: Text,
}

macro_rules! named {
    ($values:expr) => {
        $values.iter().map(|it| Named { code: it.code(), name: it.text() }).collect()
    };
}

#[derive(Serialize)]
struct RegisterView<'r> {
    at: String,
    controller: Option<&'r str>,
    dpo: Option<&'r str>,
    activities: Vec<EntryView>,
}

#[derive(Serialize)]
struct EntryView {
    code: &'static str,
    name: Text,
    gate: GateView,
    status: StatusView,
    purpose: Text,
    legal_basis: Named,
    because: Text,
    parties: Vec<Named>,
    people: Vec<Named>,
    categories: Vec<Named>,
    recipients: Vec<Named>,
    outside_the_union: Text,
    measures: Vec<Named>,
    stored: Vec<ColumnView>,
    retention: Vec<ClassView>,
    digest: String,
}

#[derive(Serialize)]
struct GateView {
    code: &'static str,
    because: Option<Text>,
}

#[derive(Serialize)]
struct StatusView {
    code: &'static str,
    validated: Option<ValidatedView>,
    not_validated: Option<NotValidatedView>,
}

#[derive(Serialize)]
struct ValidatedView {
    validation: String,
    at: String,
    by: String,
    name: String,
}

#[derive(Serialize)]
struct NotValidatedView {
    code: &'static str,
    rule: &'static str,
    message: String,
    change: Option<Change>,
}

#[derive(Serialize)]
struct ColumnView {
    table: &'static str,
    column: &'static str,
    category: Category,
    retention: RetentionClass,
}

#[derive(Serialize)]
struct ClassView {
    code: &'static str,
    name: Text,
    /// Seconds; absent for a class that is kept as long as its reason lasts.
    seconds: Option<u64>,
    keeps: Saying,
    because: Text,
}

#[derive(Serialize)]
struct Saying {
    fr: String,
    en: String,
}

impl Serialize for Register {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RegisterView {
            at: self.at.to_string(),
            controller: self.masthead.controller.as_deref(),
            dpo: self.masthead.dpo.as_deref(),
            activities: self.rows().map(|(entry, status)| self.entry_view(entry, status)).collect(),
        }
        .serialize(serializer)
    }
}

impl Register {
    fn entry_view(&self, entry: &Entry, status: &Status) -> EntryView {
        let wording = entry.wording();
        EntryView {
            code: entry.activity().code(),
            name: entry.activity().text(),
            gate: GateView {
                code: wording.gate.code(),
                because: match wording.gate {
                    Gate::FromTheStart(why) => Some(why),
                    Gate::OffUntilValidated => None,
                },
            },
            status: StatusView {
                code: status.code(),
                validated: status.validated().map(|validated| self.validated_view(validated)),
                not_validated: status.not_validated().map(not_validated_view),
            },
            purpose: wording.purpose,
            legal_basis: Named { code: wording.basis.code(), name: wording.basis.text() },
            because: wording.because,
            parties: named!(wording.parties),
            people: named!(wording.people),
            categories: named!(wording.categories),
            recipients: named!(wording.recipients),
            outside_the_union: wording.outside_the_union,
            measures: named!(wording.measures),
            stored: entry
                .columns()
                .map(|it| ColumnView {
                    table: it.table,
                    column: it.column,
                    category: it.category,
                    retention: it.class,
                })
                .collect(),
            retention: entry.classes().into_iter().map(class_view).collect(),
            digest: entry.digest().to_string(),
        }
    }

    fn validated_view(&self, validated: &Validated) -> ValidatedView {
        ValidatedView {
            validation: validated.validation().to_string(),
            at: validated.at().to_string(),
            by: validated.by().to_string(),
            name: self.name_of(validated.by()),
        }
    }
}

fn not_validated_view(reason: &NotValidated) -> NotValidatedView {
    NotValidatedView {
        code: reason.code(),
        rule: reason.rule().as_str(),
        message: reason.to_string(),
        change: match reason {
            NotValidated::Voided { change, .. } => Some(change.clone()),
            NotValidated::Never { .. }
            | NotValidated::Withdrawn { .. }
            | NotValidated::InTheFuture { .. } => None,
        },
    }
}

fn class_view(class: RetentionClass) -> ClassView {
    ClassView {
        code: class.code(),
        name: class.text(),
        seconds: seconds(class),
        keeps: Saying {
            fr: said::keeps(class, crate::Language::French),
            en: said::keeps(class, crate::Language::English),
        },
        because: class.rule().because,
    }
}

fn seconds(class: RetentionClass) -> Option<u64> {
    match class.rule().keeps {
        Keeps::For { term, .. } => Some(term.duration().as_secs()),
        Keeps::While(_) => None,
    }
}

#[derive(Serialize)]
struct AccountView {
    at: String,
    in_order: bool,
    classes: Vec<LineView>,
}

#[derive(Serialize)]
struct LineView {
    code: &'static str,
    name: Text,
    seconds: Option<u64>,
    keeps: Saying,
    verdict: &'static str,
    /// Seconds for which something has been due, if something is.
    due_seconds: Option<u64>,
    oldest: Option<String>,
    removed: u64,
    last: Option<PurgeView>,
}

#[derive(Serialize)]
struct PurgeView {
    ran_at: String,
    older_than: String,
    removed: u64,
}

impl Serialize for PurgeAccount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        AccountView {
            at: self.at.to_string(),
            in_order: self.is_in_order(),
            classes: self.lines.iter().map(line_view).collect(),
        }
        .serialize(serializer)
    }
}

fn line_view(line: &Line) -> LineView {
    let ClassView { code, name, seconds, keeps, because: _ } = class_view(line.class);
    LineView {
        code,
        name,
        seconds,
        keeps,
        verdict: line.verdict.code(),
        due_seconds: match line.verdict {
            Verdict::Due { since: due } | Verdict::Overdue { by: due } => Some(due.as_secs()),
            Verdict::NoTerm | Verdict::WithinTerm | Verdict::NotLookedAt => None,
        },
        oldest: line.oldest.map(|oldest| oldest.to_string()),
        removed: line.removed,
        last: line.last.map(|last| PurgeView {
            ran_at: last.ran_at.to_string(),
            older_than: last.older_than.to_string(),
            removed: last.removed,
        }),
    }
}
