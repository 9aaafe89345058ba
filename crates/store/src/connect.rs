//! The one read of a connect: who it is, what they reported on, what comes next, in one prepared statement.

use diesel::dsl::exists;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, IntoSql as _, JoinOnDsl as _,
    NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
};
use orders::Gate;
use types::{CommandId, EnrolmentId, EnrolmentKind, Instant, Platform, SegmentId, Supervision, TabletId};

use crate::certificates::CertificateState;
use crate::column::read;
use crate::commands::CommandState;
use crate::connection::AnyConnection;
use crate::enrolments::EnrolmentState;
use crate::schema::{brake, certificates, commands, deliveries, enrolments, push_states, segments};
use crate::{Digest, StoreError};

diesel::alias! {
    const NEXT: Alias<Next> = commands as next;
    const REPORTED: Alias<Reported> = commands as reported;
}

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
    Option<(Option<i64>, Option<i64>, i32, i32)>,
    Option<(String, String, String, i32, i32)>,
    Option<(String, String, String, String, i32, Option<String>)>,
);

/// Runs the read. The partial index on `pending` makes it the same work for a new tablet and for one with
/// years of history.
pub(crate) fn read_connect(
    connection: &mut AnyConnection,
    key: &ConnectKey,
) -> Result<Option<ConnectRow>, StoreError> {
    let now = key.now.as_millis();
    // No command has an empty id: nothing is left out, nothing is joined.
    let reported = key.reported.map(|id| id.to_string()).unwrap_or_default();
    // While the switch of the brake is thrown, what destroys is passed over, so that ordinary commands behind it go
    // on; the tables refuse its delivery in any case (M5).
    let is_ordinary = NEXT.field(commands::gate).eq("ordinary").or(NEXT.field(commands::gate).eq("locate"));
    let switch_is_released = exists(brake::table.filter(brake::engaged.eq(false)));
    let next_is_due = NEXT
        .field(commands::enrolment_id)
        .eq(certificates::enrolment_id)
        .and(NEXT.field(commands::pending))
        .and(NEXT.field(commands::id).ne(reported.clone()))
        .and(is_ordinary.or(switch_is_released))
        .and(NEXT.field(commands::not_before).is_null().or(NEXT.field(commands::not_before).le(now)))
        .and(NEXT.field(commands::expires_at).is_null().or(NEXT.field(commands::expires_at).gt(now)))
        .and(NEXT.field(commands::retry_at).is_null().or(NEXT.field(commands::retry_at).le(now)))
        .and(
            NEXT.field(commands::state)
                .ne(CommandState::NotNow.as_str())
                .or(NEXT.field(commands::urgent))
                .or(key.fresh.into_sql::<diesel::sql_types::Bool>()),
        );
    let reported_is_theirs = REPORTED
        .field(commands::id)
        .eq(reported)
        .and(REPORTED.field(commands::enrolment_id).eq(certificates::enrolment_id));
    let row: Option<Row> = certificates::table
        .inner_join(enrolments::table)
        .left_join(push_states::table.on(push_states::enrolment_id.eq(certificates::enrolment_id)))
        .left_join(segments::table.on(enrolments::segment_id.eq(segments::id.nullable())))
        .left_join(deliveries::table.on(deliveries::enrolment_id.eq(certificates::enrolment_id)))
        .left_join(NEXT.on(next_is_due))
        .left_join(REPORTED.on(reported_is_theirs))
        .filter(certificates::sha256.eq(key.certificate_sha256.to_string()))
        .order((NEXT.field(commands::priority).desc(), NEXT.field(commands::id).asc()))
        .select((
            (certificates::state, certificates::not_after),
            (
                enrolments::id,
                enrolments::tablet_id,
                enrolments::platform,
                enrolments::state,
                enrolments::kind,
                enrolments::supervision,
                enrolments::udid,
                enrolments::awaiting_configuration,
                enrolments::segment_id,
                enrolments::reported_token,
            ),
            (segments::token.nullable(), deliveries::due_at.nullable()),
            (push_states::wanted_at, push_states::due_at, push_states::attempts, push_states::unanswered)
                .nullable(),
            NEXT.fields((
                commands::id,
                commands::request_type,
                commands::gate,
                commands::sent_count,
                commands::not_now_count,
            ))
            .nullable(),
            REPORTED
                .fields((
                    commands::id,
                    commands::request_type,
                    commands::gate,
                    commands::state,
                    commands::not_now_count,
                    commands::replaces_key,
                ))
                .nullable(),
        ))
        .first(connection)
        .optional()?;
    row.map(|row| typed(row, key)).transpose()
}

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
        push_wanted: push.is_some_and(|(wanted_at, due_at, attempts, unanswered)| {
            let later =
                attempts == 0 && unanswered == 0 && due_at.is_some_and(|due_at| due_at > key.now.as_millis());
            wanted_at.is_some() && !later
        }),
        next: next
            .map(|(id, request_type, gate, sent_count, not_now_count)| {
                Ok::<_, StoreError>(NextCommand {
                    request_type,
                    gate: read(gate, "commands", "gate", &id)?,
                    sent_count,
                    not_now_count,
                    id: read(id.clone(), "commands", "id", &id)?,
                })
            })
            .transpose()?,
        reported: reported
            .map(|(id, request_type, gate, state, not_now_count, replaces_key)| {
                Ok::<_, StoreError>(ReportedCommand {
                    replaces_key,
                    request_type,
                    gate: read(gate, "commands", "gate", &id)?,
                    state: read(state, "commands", "state", &id)?,
                    not_now_count,
                    id: read(id.clone(), "commands", "id", &id)?,
                })
            })
            .transpose()?,
    })
}
