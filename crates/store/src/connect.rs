//! The one read of a connect: who it is, what they reported on, what comes next. All who connect at the same moment are
//! read by one prepared statement.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use orders::Gate;
use serde_json::json;
use types::{CommandId, EnrolmentId, EnrolmentKind, Instant, Platform, SegmentId, Supervision, TabletId};
use uuid::Uuid;

use crate::certificates::CertificateState;
use crate::column::read;
use crate::commands::CommandState;
use crate::enrolments::EnrolmentState;
use crate::group_commit::Work;
use crate::many::{Many, many};
use crate::vitals::{self, About};
use crate::{Digest, StoreError, Together, Tx};

/// What a connect asks for.
#[derive(Debug, Clone)]
pub struct ConnectKey {
    /// SHA-256 of the certificate that the tablet proved.
    pub certificate_sha256: Digest,
    /// The command the tablet reports on.
    pub reported: Option<CommandId>,
    /// A new conversation (Idle): commands that met a NotNow are offered again.
    pub fresh: bool,
    /// The present instant.
    pub now: Instant,
}

/// What a connect finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRow {
    /// What the certificate is worth.
    pub certificate_state: CertificateState,
    /// When the certificate expires.
    pub certificate_not_after: Instant,
    /// The enrolment it is bound to.
    pub enrolment: ConnectEnrolment,
    /// Whether a push was wanted and the tablet has now come by itself or because of it. One that is due later
    /// only, for a command that is put off, is not meant, unless the tablet did not come for one before.
    pub push_wanted: bool,
    /// The command to offer next.
    pub next: Option<NextCommand>,
    /// The command that is reported on, if this enrolment has it.
    pub reported: Option<ReportedCommand>,
}

/// The part of an enrolment that every connect needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectEnrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Its tablet.
    pub tablet: Option<TabletId>,
    /// What the tablet runs.
    pub platform: Platform,
    /// How far it has come.
    pub state: EnrolmentState,
    /// How it came about.
    pub kind: EnrolmentKind,
    /// Whether the tablet is supervised, as it said.
    pub supervision: Supervision,
    /// Apple's identifier of the device; what the message says must be the same (T-A1).
    pub udid: Option<String>,
    /// Whether Setup Assistant waits for DeviceConfigured.
    pub awaiting_configuration: bool,
    /// The set of layers it shares with others.
    pub segment: Option<SegmentId>,
    /// The token of what was delivered to it.
    pub reported_token: Option<String>,
    /// The token of what its segment is given now.
    pub segment_token: Option<String>,
    /// When its configuration is looked at again, if that was planned.
    pub configuration_due_at: Option<Instant>,
}

impl ConnectEnrolment {
    /// Whether its configuration is to be looked at: it has not what its segment is given, and nothing was put off; or
    /// what was put off is due.
    #[must_use]
    pub fn configuration_is_due(&self, now: Instant) -> bool {
        self.segment_token.is_some()
            && self.configuration_due_at.map_or(self.segment_token != self.reported_token, |due| due <= now)
    }
}

/// The next command; its payload comes with the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextCommand {
    /// Its id.
    pub id: CommandId,
    /// Its name on the wire.
    pub request_type: String,
    /// The kind of proof it rests on.
    pub gate: Gate,
    /// How often it was given already.
    pub sent_count: i32,
    /// How often the tablet said NotNow.
    pub not_now_count: i32,
}

/// The command that is reported on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedCommand {
    /// Its id.
    pub id: CommandId,
    /// Its name on the wire: how to read the answer.
    pub request_type: String,
    /// The kind of proof it rests on.
    pub gate: Gate,
    /// How far it had come; only a sent one can be answered.
    pub state: CommandState,
    /// How often the tablet said NotNow before.
    pub not_now_count: i32,
    /// What it is for: the key by which a newer one replaces it.
    pub replaces_key: Option<String>,
}

/// Connects are read together: those who come at the same moment share a statement.
pub(crate) struct Looks;

impl Together for Looks {
    type Ask = ConnectKey;
    type Answer = Option<ConnectRow>;
    const WORK: Work = Work::Looks;

    fn whose(key: &ConnectKey) -> Uuid {
        let [start @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *key.certificate_sha256.as_bytes();
        Uuid::from_bytes(start)
    }

    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
        keys: &[&ConnectKey],
    ) -> Result<Vec<Option<ConnectRow>>, StoreError> {
        if let [first, others @ ..] = keys {
            vitals::about(About::Certificates(first.certificate_sha256, others.len()));
        }
        read_connects(tx, keys)
    }
}

/// What each finds, by one statement.
pub(crate) fn read_connects(
    tx: &mut Tx<'_>,
    keys: &[&ConnectKey],
) -> Result<Vec<Option<ConnectRow>>, StoreError> {
    let notes = keys.iter().enumerate().map(|(place, key)| {
        json!({
            "place": place,
            "certificate": key.certificate_sha256,
            // No command has an empty id: nothing is left out, nothing is joined.
            "reported": key.reported.map(|id| id.to_string()).unwrap_or_default(),
            "fresh": key.fresh,
            "at": key.now.as_millis(),
        })
    });
    let rows: Vec<(i64, Row)> = CONNECTS.load::<(BigInt, RowTypes), _>(tx, notes.collect::<Vec<_>>())?;
    let mut found: Vec<Option<ConnectRow>> = vec![None; keys.len()];
    for (place, row) in rows {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        if let (Some(key), Some(slot)) = (keys.get(place), found.get_mut(place)) {
            *slot = Some(typed(row, key)?);
        }
    }
    Ok(found)
}

macro_rules! columns {
    () => {
        "c.state, c.not_after, \
         e.id, e.tablet_id, e.platform, e.state, e.kind, e.supervision, e.udid, e.awaiting_configuration, \
         e.segment_id, e.reported_token, \
         s.token, d.due_at, \
         p.wanted_at, p.due_at, p.attempts, p.unanswered, \
         n.id, n.request_type, n.gate, n.sent_count, n.not_now_count, \
         r.id, r.request_type, r.gate, r.state, r.not_now_count, r.replaces_key"
    };
}

/// What belongs to a certificate. The partial index on `pending` makes it the same work for a new tablet and for one
/// with years of history. While the switch of the brake is thrown, what destroys is passed over, so that ordinary
/// commands behind it go on; the tables refuse its delivery in any case (M5).
macro_rules! belongings {
    () => {
        "JOIN enrolments e ON e.id = c.enrolment_id \
         LEFT JOIN push_states p ON p.enrolment_id = c.enrolment_id \
         LEFT JOIN segments s ON s.id = e.segment_id \
         LEFT JOIN deliveries d ON d.enrolment_id = c.enrolment_id \
         LEFT JOIN commands n ON n.id = (SELECT w.id FROM commands w \
            WHERE w.enrolment_id = c.enrolment_id AND w.pending AND w.id <> note.reported \
            AND (w.gate IN ('ordinary', 'locate') OR EXISTS (SELECT 1 FROM brake WHERE NOT brake.engaged)) \
            AND (w.not_before IS NULL OR w.not_before <= note.at) \
            AND (w.expires_at IS NULL OR w.expires_at > note.at) \
            AND (w.retry_at IS NULL OR w.retry_at <= note.at) \
            AND (w.state <> 'not-now' OR w.urgent OR note.fresh) \
            ORDER BY w.priority DESC, w.id LIMIT 1) \
         LEFT JOIN commands r ON r.id = note.reported AND r.enrolment_id = c.enrolment_id \
         WHERE c.sha256 = note.certificate"
    };
}

const CONNECTS: Many = many!(
    postgresql "SELECT note.place, found.* FROM",
    sqlite concat!("SELECT note.place, ", columns!(), " FROM");
    place bigint, certificate text, reported text, fresh boolean, at bigint;
    postgresql concat!(
        "CROSS JOIN LATERAL (SELECT ", columns!(), " FROM certificates c ", belongings!(), " OFFSET 0) AS found"
    ),
    sqlite concat!("CROSS JOIN certificates c ", belongings!())
);

type RowTypes = (
    (Text, BigInt),
    (Text, Nullable<Text>, Text, Text, Text, Text, Nullable<Text>, Bool, Nullable<Text>, Nullable<Text>),
    (Nullable<Text>, Nullable<BigInt>),
    (Nullable<BigInt>, Nullable<BigInt>, Nullable<Integer>, Nullable<Integer>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Integer>, Nullable<Integer>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Integer>, Nullable<Text>),
);

type Row = (
    (String, i64),
    (
        String,
        Option<String>,
        String,
        String,
        String,
        String,
        Option<String>,
        bool,
        Option<String>,
        Option<String>,
    ),
    (Option<String>, Option<i64>),
    (Option<i64>, Option<i64>, Option<i32>, Option<i32>),
    (Option<String>, Option<String>, Option<String>, Option<i32>, Option<i32>),
    (Option<String>, Option<String>, Option<String>, Option<String>, Option<i32>, Option<String>),
);

fn typed(row: Row, key: &ConnectKey) -> Result<ConnectRow, StoreError> {
    let ((certificate_state, not_after), enrolment, (segment_token, due_at), push, next, reported) = row;
    let (
        id,
        tablet,
        platform,
        state,
        kind,
        supervision,
        udid,
        awaiting_configuration,
        segment,
        reported_token,
    ) = enrolment;
    Ok(ConnectRow {
        certificate_state: read(certificate_state, "certificates", "state", &key.certificate_sha256)?,
        certificate_not_after: Instant::from_millis(not_after),
        enrolment: ConnectEnrolment {
            tablet: read(tablet, "enrolments", "tablet_id", &id)?,
            platform: read(platform, "enrolments", "platform", &id)?,
            state: read(state, "enrolments", "state", &id)?,
            kind: read(kind, "enrolments", "kind", &id)?,
            supervision: read(supervision, "enrolments", "supervision", &id)?,
            udid,
            awaiting_configuration,
            segment: read(segment, "enrolments", "segment_id", &id)?,
            reported_token,
            segment_token,
            configuration_due_at: due_at.map(Instant::from_millis),
            id: read(id.clone(), "enrolments", "id", &id)?,
        },
        push_wanted: {
            let (wanted_at, due_at, attempts, unanswered) = push;
            let later = attempts == Some(0)
                && unanswered == Some(0)
                && due_at.is_some_and(|due_at| due_at > key.now.as_millis());
            wanted_at.is_some() && !later
        },
        next: match next {
            (Some(id), Some(request_type), Some(gate), Some(sent_count), Some(not_now_count)) => {
                Some(NextCommand {
                    request_type,
                    gate: read(gate, "commands", "gate", &id)?,
                    sent_count,
                    not_now_count,
                    id: read(id.clone(), "commands", "id", &id)?,
                })
            }
            _ => None,
        },
        reported: match reported {
            (Some(id), Some(request_type), Some(gate), Some(state), Some(not_now_count), replaces_key) => {
                Some(ReportedCommand {
                    replaces_key,
                    request_type,
                    gate: read(gate, "commands", "gate", &id)?,
                    state: read(state, "commands", "state", &id)?,
                    not_now_count,
                    id: read(id.clone(), "commands", "id", &id)?,
                })
            }
            _ => None,
        },
    })
}
