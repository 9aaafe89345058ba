//! Tablets that stand in the database only: a fleet whose size matters, and whose tablets never come.

use store::enrolments::{self, Enrolment, EnrolmentState};
use store::tablets::{self, Tablet};
use store::{Store, StoreError};
use types::{EnrolmentId, EnrolmentKind, Instant, Platform, SerialNumber, Supervision, TabletId, Uai};

/// Rows in one transaction.
const BATCH: usize = 500;

/// Puts enrolled iPads in the database, in the collèges by turns.
///
/// # Errors
/// [`StoreError`].
pub async fn enrolled(
    store: &Store,
    serials: &[SerialNumber],
    colleges: &[Uai],
    now: Instant,
) -> Result<(), StoreError> {
    let mut turns = colleges.iter().cycle().cloned();
    for batch in serials.chunks(BATCH) {
        let rows: Vec<(Tablet, Enrolment)> =
            batch.iter().map(|serial| row(serial, turns.next(), now)).collect();
        store
            .write(move |tx| {
                for (tablet, enrolment) in &rows {
                    tablets::insert(tx, tablet)?;
                    enrolments::insert(tx, enrolment)?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    Ok(())
}

fn row(serial: &SerialNumber, uai: Option<Uai>, now: Instant) -> (Tablet, Enrolment) {
    let tablet = Tablet {
        id: TabletId::new(now),
        serial: serial.clone(),
        asset_tag: None,
        model: Some("iPad (10e génération)".to_owned()),
        platform: Platform::Ipad,
        uai,
        created_at: now,
        updated_at: now,
    };
    let enrolment = Enrolment {
        id: EnrolmentId::new(now),
        tablet_id: Some(tablet.id),
        platform: Platform::Ipad,
        state: EnrolmentState::Active,
        kind: EnrolmentKind::Automated,
        supervision: Supervision::Supervised,
        udid: None,
        serial: Some(serial.clone()),
        topic: None,
        awaiting_configuration: false,
        os_version: None,
        build_version: None,
        product_name: None,
        access_rights: None,
        link_id: None,
        takeover_id: None,
        segment_id: None,
        reported_token: None,
        end_id: None,
        created_at: now,
        authenticated_at: Some(now),
        token_updated_at: Some(now),
        ended_at: None,
    };
    (tablet, enrolment)
}
