//! How incidents were declared, and how far each has come (C5.4.2). Frozen once recorded, but for the stage, which goes
//! forwards. [`load`] puts an incident together from its rows, as the rules want it.

use std::collections::BTreeMap;

use ::incidents::papers::{AuthorityReference, Complaint, Letter, PaperKind, Papers};
use ::incidents::{Declarant, Incident, IncidentState, RecordedIncident};
use diesel::{
    ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
};
use types::{AccountId, IncidentId, Instant, Secret, TabletId, Uai, WarrantId};

use crate::column::Column as _;
use crate::noun::{by_key, find_first, noun};
use crate::schema::{incident_declarations, incidents as incident_rows, warrants};
use crate::within::of_colleges_within;
use crate::{
    RowName, StoreError, Tx, Within, incident_hands, incident_papers, incidents, noticed_corrections,
};

noun! {
    /// How an incident was declared, without the circumstances, which are sealed.
    pub struct Declared in incident_declarations keyed by id {
        /// The incident.
        id: IncidentId,
        /// The collège that the tablet belonged to.
        uai: Uai,
        /// When it was noticed, as it was declared; [`load`] knows what put that right.
        noticed_at: Instant,
        /// When it was declared.
        declared_at: Instant,
        /// Who declared it.
        declared_by: AccountId,
        /// How the authority names its request.
        authority_reference: Option<String>,
        /// The incident that was closed too soon, which it goes on from.
        reopens: Option<IncidentId>,
        /// How far it has come.
        stage: IncidentState,
        /// Since when.
        stage_at: Instant,
    }
}

by_key!(incident_declarations, Declared, id: IncidentId; get, get_all);

/// Records an incident and how it was declared, with the circumstances, sealed, and the papers that it has.
///
/// # Errors
/// [`StoreError::Duplicate`] if it goes on from one that another goes on from; [`StoreError::Refused`].
pub fn record(
    tx: &mut Tx<'_>,
    incident: &Incident,
    circumstances: Option<&Secret<Vec<u8>>>,
) -> Result<(), StoreError> {
    let row = incidents::Incident {
        id: incident.id,
        tablet_id: incident.tablet,
        kind: incident.kind,
        state: incidents::IncidentState::Open,
        opened_at: incident.opened_at,
        closed_at: None,
    };
    incidents::insert(tx, &row)?;
    let sealed =
        circumstances.map(|words| tx.vault().seal(words.expose(), &words_of(incident.id))).transpose()?;
    let stored = Stored::of(&Declared {
        id: incident.id,
        uai: incident.college.clone(),
        noticed_at: incident.noticed_at,
        declared_at: incident.declared_at,
        declared_by: incident.declarant.0,
        authority_reference: incident.papers.authority.as_ref().map(|name| name.as_str().to_owned()),
        reopens: incident.reopens,
        stage: incident.state,
        stage_at: incident.opened_at,
    });
    let values = (stored, incident_declarations::circumstances_sealed.eq(sealed));
    tx.run(|connection| {
        diesel::insert_into(incident_declarations::table).values(values).execute(connection)
    })?;
    Ok(())
}

fn words_of(id: IncidentId) -> RowName {
    RowName::new("incident_declarations", "circumstances_sealed", &id)
}

/// The circumstances, as they were told.
///
/// # Errors
/// [`StoreError::Sealed`].
pub fn circumstances(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
    let sealed: Option<Option<Vec<u8>>> = tx.run(|connection| {
        incident_declarations::table
            .find(id.to_string())
            .select(incident_declarations::circumstances_sealed)
            .first(connection)
            .optional()
    })?;
    Ok(sealed.flatten().map(|sealed| tx.vault().open(&sealed, &words_of(id))).transpose()?)
}

/// Takes a step; `false` if it does not stand there any more. What closes is closed in [`incidents`] first.
///
/// # Errors
/// [`StoreError::Refused`] for a step backwards.
pub fn go_on(
    tx: &mut Tx<'_>,
    id: IncidentId,
    from: IncidentState,
    to: IncidentState,
    at: Instant,
) -> Result<bool, StoreError> {
    let changed = tx.run(|connection| {
        diesel::update(
            incident_declarations::table
                .filter(incident_declarations::id.eq(id.to_string()))
                .filter(incident_declarations::stage.eq(from.as_str())),
        )
        .set((
            incident_declarations::stage.eq(to.as_str()),
            incident_declarations::stage_at.eq(at.as_millis()),
        ))
        .execute(connection)
    })?;
    Ok(changed == 1)
}

/// An incident as the rules want it; `None` if nobody declared one of that id.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn load(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<Incident>, StoreError> {
    let Some(row) = incidents::get(tx, &id)? else { return Ok(None) };
    let Some(declared) = get(tx, &id)? else { return Ok(None) };
    let mut papers = Papers::default();
    for paper in incident_papers::that_count(tx, id)? {
        let incident_papers::Paper { reference, dated, station, recorded_at, .. } = paper;
        match paper.paper {
            PaperKind::Letter => papers.letter = Some(Letter { reference, dated, recorded_at }),
            PaperKind::Complaint => {
                let station = station.unwrap_or_default();
                papers.complaint = Some(Complaint { number: reference, dated, station, recorded_at });
            }
        }
    }
    let corrected = noticed_corrections::of(tx, id)?.pop();
    papers.authority = declared.authority_reference.as_deref().and_then(AuthorityReference::new);
    Ok(Some(Incident {
        id,
        tablet: row.tablet_id,
        college: declared.uai,
        kind: row.kind,
        noticed_at: corrected.map_or(declared.noticed_at, |last| last.noticed_at),
        opened_at: row.opened_at,
        reopens: declared.reopens,
        declared_at: declared.declared_at,
        declarant: Declarant(declared.declared_by),
        state: declared.stage,
        papers,
    }))
}

/// The facts of an incident as its rows hold them, to be checked by [`::incidents::OpenIncident::read_back`]. Where its
/// rows differ, the one that says that it is over is believed.
///
/// # Errors
/// [`StoreError::Corrupt`].
#[expect(clippy::disallowed_methods, reason = "this is where the facts come from their rows")]
pub fn recorded(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<RecordedIncident>, StoreError> {
    let Some(row) = incidents::get(tx, &id)? else { return Ok(None) };
    let Some(declared) = get(tx, &id)? else { return Ok(None) };
    let stage = match row.state {
        incidents::IncidentState::Open => declared.stage,
        incidents::IncidentState::Closed => IncidentState::Closed,
    };
    let noticed_at =
        noticed_corrections::of(tx, id)?.pop().map_or(declared.noticed_at, |last| last.noticed_at);
    let hands = incident_hands::of_tablet(tx, row.tablet_id, noticed_at, &declared.uai)?;
    Ok(Some(RecordedIncident::from_row(id, row.tablet_id, row.kind, stage, row.opened_at, hands)))
}

/// The open incident of a tablet that was declared last, of a kind for which it is missing.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn missing(tx: &mut Tx<'_>, tablet: TabletId) -> Result<Option<IncidentId>, StoreError> {
    let kinds = types::IncidentKind::ALL.iter().filter(|kind| kind.is_of_a_missing_tablet());
    let kinds: Vec<&str> = kinds.map(|kind| kind.as_str()).collect();
    let found: Option<String> = tx.run(|connection| {
        incident_rows::table
            .filter(incident_rows::tablet_id.eq(tablet.to_string()))
            .filter(incident_rows::state.eq(incidents::IncidentState::Open.as_str()))
            .filter(incident_rows::kind.eq_any(kinds))
            .order(incident_rows::id.desc())
            .select(incident_rows::id)
            .first(connection)
            .optional()
    })?;
    found.map(|id| crate::column::read(id.clone(), "incidents", "id", &id)).transpose()
}

/// The collège of the incident of each of these warrants.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn colleges_of(
    tx: &mut Tx<'_>,
    of: impl IntoIterator<Item = WarrantId>,
) -> Result<BTreeMap<WarrantId, Uai>, StoreError> {
    let ids: Vec<String> = of.into_iter().map(|id| id.to_string()).collect();
    let rows: Vec<(String, String)> = tx.run(|connection| {
        incident_declarations::table
            .inner_join(warrants::table.on(warrants::incident_id.eq(incident_declarations::id)))
            .filter(warrants::id.eq_any(ids))
            .select((warrants::id, incident_declarations::uai))
            .load(connection)
    })?;
    rows.into_iter()
        .map(|(id, uai)| {
            let uai = crate::column::read(uai, "incident_declarations", "uai", &id)?;
            Ok((crate::column::read(id.clone(), "warrants", "id", &id)?, uai))
        })
        .collect()
}

/// The incident that goes on from this one.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn goes_on_in(tx: &mut Tx<'_>, id: IncidentId) -> Result<Option<Declared>, StoreError> {
    find_first!(tx, incident_declarations::table.filter(incident_declarations::reopens.eq(id.stored())))
}

/// Incidents within reach, the oldest first; only those that are open, if `open`.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn list(
    tx: &mut Tx<'_>,
    within: &Within,
    open: bool,
    after: Option<IncidentId>,
    limit: u32,
) -> Result<Vec<IncidentId>, StoreError> {
    let ids: Vec<String> = tx.run(|connection| {
        let mut query = incident_declarations::table.select(incident_declarations::id).into_boxed();
        if open {
            query = query.filter(incident_declarations::stage.ne(IncidentState::Closed.as_str()));
        }
        if let Some(after) = after {
            query = query.filter(incident_declarations::id.gt(after.to_string()));
        }
        of_colleges_within!(query, within, incident_declarations::uai.nullable())
            .order(incident_declarations::id.asc())
            .limit(i64::from(limit))
            .load(connection)
    })?;
    ids.into_iter().map(|id| crate::column::read(id.clone(), "incident_declarations", "id", &id)).collect()
}

crate::declared::declares! {
    incident_declarations kept as Orders {
        personal(Incidents: IncidentFacts) { noticed_at, declared_at, reopens, stage, stage_at }
        personal(Incidents: Reasons) { circumstances_sealed, authority_reference }
        personal(AccountsAndAudit: Acts) { declared_by }
        not_personal("a number of ours, and the collège") { id, uai }
    }
}
