//! A segment is made once: combined, written, looked through, signed, kept.

use apple::command::{Command, InstallProfile};
use orders::{EnrolmentProfile, Ordinary};
use profiles::segment::{IpadClass, nothing, plan, segment_key};
use profiles::{Approved, Intent};
use store::segments::{self, Segment};
use store::{Digest, Tx};
use types::{Instant, ProfileVersionId, Secret, SegmentId};

use super::frame;
use crate::{Fleet, Refusal, enrolment_profile};

/// The segment of these versions and this class, made or made again if it must be. Without an intent it is that of tablets
/// which no base has reached, or none any more.
///
/// # Errors
/// [`Refusal::Conflict`] if the layers cannot be written, or would hurt.
pub(super) fn ensure(
    tx: &mut Tx<'_>,
    fleet: &Fleet,
    versions: &[ProfileVersionId],
    class: IpadClass,
    intent: Option<&Approved<Intent>>,
    now: Instant,
) -> Result<SegmentId, Refusal> {
    let key = segment_key(versions, class);
    let conflict = |what: String| Refusal::Conflict(format!("{class}: {what}"));
    let frame = frame(fleet).map_err(&conflict)?;
    let (plan, profile) = match intent {
        Some(intent) => plan(intent, class, &frame).map_err(|error| conflict(error.to_string()))?,
        None => nothing(class, &frame),
    };
    let xml = profile.to_xml();
    let payload_sha256 = Digest::of(&xml);
    if !segments::is_signed(tx, &payload_sha256)? {
        let signed = sign(fleet, &xml).map_err(&conflict)?;
        segments::keep_signed(tx, &payload_sha256, &signed, now)?;
    }
    let stored = serde_json::to_value(&plan).map_err(|error| conflict(error.to_string()))?;
    let Some(known) = segments::by_segment_key(tx, &key)? else {
        let segment = Segment {
            id: SegmentId::new(now),
            key_sha256: key,
            token: plan.token,
            class: class.to_string(),
            plan: stored,
            payload_sha256,
            created_at: now,
            changed_at: now,
        };
        let id = segment.id;
        // Two nodes may make it at once: one of them is refused, and finds it in its next round.
        segments::insert(tx, &segment)?;
        segments::set_layers(tx, id, versions)?;
        return Ok(id);
    };
    let changed = known.token != plan.token;
    if changed || known.plan != stored {
        let changed_at = if changed { now } else { known.changed_at };
        segments::update(
            tx,
            &Segment { token: plan.token, plan: stored, payload_sha256, changed_at, ..known.clone() },
        )?;
        if changed {
            store::deliveries::look_again_at_segment(tx, known.id, now)?;
        }
    }
    Ok(known.id)
}

/// Signs a profile after a look into it: what erases or unenrols is never signed for many (M3, M4).
pub(super) fn sign(fleet: &Fleet, xml: &[u8]) -> Result<Vec<u8>, String> {
    let command = Command::InstallProfile(InstallProfile::new(Secret::new(xml.to_vec())));
    let enrolment = EnrolmentProfile::Known(enrolment_profile::IDENTIFIER.to_owned());
    Ordinary::check(command, &enrolment).map_err(|refused| refused.to_string())?;
    enrolment_profile::sign(fleet, xml)
}
