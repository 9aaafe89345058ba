//! A tablet that is missing: an incident that somebody declared, and a warrant that another person granted.

use ::incidents::papers::Papers;
use ::incidents::{Declarant, Footing, Grant, Incident, IncidentState};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _};
use types::{
    AccountId, CommandId, Duration, IncidentId, IncidentKind, Instant, OrganisationId, OrganisationKind,
    Role, TabletId, ValidationId, WarrantId,
};

use super::cast::{organisation, uai};
use super::fixture::{Enrolled, Fixture, at};
use crate::position_requests::{self, Outcome, PositionRequest};
use crate::schema::organisations as rows;
use crate::{StoreError, incident_declarations, organisations, warrant_grants};

/// Who declares and asks, who grants, and what the DPO validated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People {
    pub(crate) author: AccountId,
    pub(crate) second: AccountId,
    pub(crate) validation: ValidationId,
}

impl Fixture {
    /// Adds the people that a warrant needs, beside whoever is there.
    pub(crate) async fn people_of_a_warrant(&self) -> People {
        let found: Option<String> = self
            .read(|tx| {
                tx.run(|connection| {
                    rows::table
                        .filter(rows::kind.eq(OrganisationKind::Departement.as_str()))
                        .select(rows::id)
                        .first(connection)
                        .optional()
                })
            })
            .await;
        let departement: OrganisationId = if let Some(id) = found {
            id.parse().unwrap()
        } else {
            let new = organisation(OrganisationKind::Departement, None);
            let id = new.id;
            self.write(move |tx| organisations::insert(tx, &new)).await;
            id
        };
        let people = People {
            author: self.account(departement, "who-asks").await,
            second: self.account(departement, "who-grants").await,
            validation: ValidationId::new(at(0)),
        };
        let dpo = self.account(departement, "dpo").await;
        self.give(dpo, Role::Dpo, None).await;
        self.by_hand(&format!(
            "INSERT INTO privacy_validations (id, activity, entry_sha256, stored, validated_by, validated_at) \
             VALUES ('{}', 'geolocation', '{}', '[]', '{dpo}', {})",
            people.validation,
            "0".repeat(64),
            at(10).as_millis(),
        ))
        .unwrap();
        people
    }

    /// Declares an incident of that kind at `at(100)`.
    pub(crate) async fn declared(&self, tablet: TabletId, kind: IncidentKind, by: AccountId) -> IncidentId {
        let incident = incident(tablet, kind, by);
        let id = incident.id;
        self.write(move |tx| incident_declarations::record(tx, &incident, None)).await;
        id
    }

    /// Declares a theft at `at(100)`, and grants a warrant from then until `until`: 12 positions, 5 minutes apart.
    pub(crate) async fn sought(&self, tablet: TabletId, until: i64) -> (IncidentId, WarrantId, People) {
        let people = self.people_of_a_warrant().await;
        let incident = self.declared(tablet, IncidentKind::Theft, people.author).await;
        let warrant = WarrantId::new(at(100));
        let grant = granted(incident, tablet, people, until);
        self.write(move |tx| warrant_grants::record(tx, warrant, &grant)).await;
        (incident, warrant, people)
    }

    /// Records who asked for the position that a command asks for.
    pub(crate) async fn recorded_request(
        &self,
        command: CommandId,
        people: People,
    ) -> Result<(), StoreError> {
        let row = self.command(command).await;
        let request = PositionRequest {
            command_id: command,
            warrant_id: row.warrant_id.unwrap(),
            asked_by: people.author,
            reason: "it was seen on the market".to_owned(),
            asked_at: row.queued_at,
            outcome: Outcome::Awaited,
            why: None,
            outcome_at: None,
        };
        self.store.write(move |tx| position_requests::insert(tx, &request)).await
    }
}

pub(crate) fn incident(tablet: TabletId, kind: IncidentKind, by: AccountId) -> Incident {
    Incident {
        id: IncidentId::new(at(100)),
        tablet,
        college: uai(super::cast::HERE),
        kind,
        noticed_at: at(90),
        opened_at: at(100),
        reopens: None,
        declared_at: at(100),
        declarant: Declarant(by),
        state: IncidentState::Declared,
        papers: Papers::default(),
    }
}

pub(crate) fn granted(incident: IncidentId, tablet: TabletId, people: People, until: i64) -> Grant {
    Grant {
        incident,
        tablet,
        author: people.author,
        second: people.second,
        reason: "seen on the market".to_owned(),
        validation: people.validation,
        footing: Footing::Provisional,
        extends: None,
        opens_at: at(100),
        expires_at: at(until),
        fixes: 12,
        interval: Duration::from_secs(300),
    }
}

/// A command that asks for a position, as a statement of anybody who has a database shell.
pub(crate) fn locate_by_hand(id: &str, of: Enrolled, warrant: WarrantId, at: Instant) -> String {
    format!(
        "INSERT INTO commands (id, enrolment_id, tablet_id, request_type, gate, warrant_id, priority, urgent, state, \
         queued_at, queued_by, sent_count, not_now_count) SELECT '{id}', '{}', '{}', 'DeviceLocation', 'locate', \
         '{warrant}', 0, (1 = 0), 'queued', {}, 'me', 0, 0",
        of.enrolment,
        of.tablet,
        at.as_millis()
    )
}
