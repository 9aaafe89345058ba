//! The walk that puts tablets into their segments: in bounded batches, found anew each time, so that it may be broken
//! off anywhere and done by several nodes at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use profiles::segment::{IpadClass, segment_key};
use store::segments::{self, Member};
use store::{Digest, Tx, deliveries, settings};
use types::{Duration, EnrolmentId, Instant, SegmentId};

use super::ensure::ensure;
use super::world::{self, LoanFacts, TabletFacts, World};
use crate::{Fleet, Principal, Refusal, push, watch};

/// How many tablets share a transaction.
const BATCH: u32 = 500;
/// How many are woken in one round, so that a change of the base is not a storm.
const WOKEN: u32 = 200;
/// Between two walks over all tablets, when nothing changed.
const ANYWAY: Duration = Duration::from_secs(3_600);
/// Where it stands what was last walked.
const WALKED: &str = "segments.walked";
/// How long a segment without tablets is kept.
const KEPT: Duration = Duration::from_secs(7 * 86_400);

/// What a walk did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Walked {
    /// The tablets that it moved into another segment.
    pub moved: usize,
    /// The segments that it made.
    pub made: usize,
}

/// Puts tablets into the segments that what is in force asks for: all of them if something came into force or went, and
/// once an hour anyway; those that have none, always.
///
/// # Errors
/// [`Refusal::Store`]; what was done before the failure stays done. Tablets whose layers do not go together stay where
/// they are, and the log says why.
pub async fn follow(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Walked, Refusal> {
    principal.must_be_calendar()?;
    let looked = move |tx: &mut Tx<'_>| {
        let (fingerprint, has_a_base) = world::fingerprint(tx, now)?;
        Ok::<_, Refusal>((fingerprint, has_a_base, settings::get(tx, WALKED)?))
    };
    let (mut fingerprint, has_a_base, last) = fleet.store().read(looked).await?;
    // Nothing was ever given to any tablet. Once something was, it goes when its base does.
    if !has_a_base && last.is_none() {
        return Ok(Walked::default());
    }
    let (before, _at) = last.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if before != fingerprint {
        // Orders begin and end with the day: what a collège adds must go together with what holds there now.
        let calendar = principal.clone();
        let reviewed = fleet.store().write(move |tx| crate::profiles::review(tx, &calendar, now)).await;
        if let Err(failure) = reviewed {
            watch::pass_over(fleet, "what collèges add".to_owned(), failure, now).await?;
        }
        fingerprint = fleet.store().read(looked).await?.0;
    }
    let (walked, at) = last.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
    let at = at.parse().map_or(now, Instant::from_millis);
    let changed = walked != fingerprint;
    let everything = changed || now.since(at) >= ANYWAY || at > now;
    let mut walk =
        Walk { fleet, now, again: changed, world: None, made: BTreeMap::new(), done: Walked::default() };
    walk.all(&fingerprint, !everything).await?;
    if everything {
        let text = format!("{fingerprint} {}", now.as_millis());
        fleet.store().write(move |tx| settings::set(tx, WALKED, &text)).await?;
        fleet.store().write(move |tx| segments::prune(tx, now.minus(KEPT), BATCH)).await?;
    }
    Ok(walk.done)
}

/// Wakes tablets whose configuration is due. Says how many.
///
/// # Errors
/// [`Refusal::Store`].
pub async fn wake_due(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<usize, Refusal> {
    principal.must_be_calendar()?;
    fleet
        .store()
        .write(move |tx| {
            let due = deliveries::wake(tx, now, WOKEN)?;
            push::want_all(tx, &due, now, now)?;
            Ok(due.len())
        })
        .await
}

struct Walk<'f> {
    fleet: &'f Fleet,
    now: Instant,
    /// Segments that are there are written again: what is in force, or the program that writes it, changed.
    again: bool,
    world: Option<Arc<World>>,
    /// The segments of this walk, by their keys; `None` for layers that do not go together.
    made: BTreeMap<Digest, Option<SegmentId>>,
    done: Walked,
}

impl Walk<'_> {
    async fn all(&mut self, fingerprint: &str, without_only: bool) -> Result<(), Refusal> {
        let mut after: Option<EnrolmentId> = None;
        loop {
            let from = after;
            let members =
                self.fleet.store().read(move |tx| segments::members(tx, from, without_only, BATCH)).await?;
            let Some(last) = members.last() else { return Ok(()) };
            after = Some(last.enrolment);
            let full = u32::try_from(members.len()).is_ok_and(|count| count == BATCH);
            self.batch(fingerprint, members).await?;
            if !full {
                return Ok(());
            }
        }
    }

    async fn batch(&mut self, fingerprint: &str, members: Vec<Member>) -> Result<(), Refusal> {
        let world = self.world(fingerprint).await?;
        let mut moves: BTreeMap<SegmentId, Vec<Member>> = BTreeMap::new();
        for member in members {
            let Some(class) = class_of(&member) else { continue };
            let segment = self.segment(&world, &member, class).await?;
            if let Some(segment) = segment.filter(|segment| member.segment != Some(*segment)) {
                moves.entry(segment).or_default().push(member);
            }
        }
        if moves.is_empty() {
            return Ok(());
        }
        let now = self.now;
        self.done.moved += self
            .fleet
            .store()
            .write(move |tx| {
                let mut moved = 0;
                for (segment, members) in &moves {
                    moved += move_into(tx, members, *segment, now)?;
                }
                Ok::<_, Refusal>(moved)
            })
            .await?;
        Ok(())
    }

    /// The segment of a tablet: made, or written again, once in a walk.
    async fn segment(
        &mut self,
        world: &Arc<World>,
        member: &Member,
        class: IpadClass,
    ) -> Result<Option<SegmentId>, Refusal> {
        let loan = member.loan.map(|(user, mode)| LoanFacts { user, mode });
        let facts = TabletFacts { tablet: member.tablet, uai: member.uai.clone(), loan };
        let layers = world::of_tablet(world, &facts);
        if let Some(unreadable) = layers.unreadable {
            tracing::warn!(%class, version = unreadable.version, "a layer cannot be read: its tablets stay as they are");
            return Ok(None);
        }
        // Before the first version of the base reaches it, and without an order in its place, a tablet is given nothing.
        let has_a_base = layers.have_a_base();
        let versions = if has_a_base { layers.versions() } else { Vec::new() };
        let key = segment_key(&versions, class);
        if let Some(known) = self.made.get(&key) {
            return Ok(*known);
        }
        let (fleet, now) = (self.fleet.clone(), self.now);
        if !self.again {
            let known = fleet.store().read(move |tx| segments::by_segment_key(tx, &key)).await?;
            if let Some(known) = known {
                self.made.insert(key, Some(known.id));
                return Ok(Some(known.id));
            }
        }
        let combined = if has_a_base { layers.combined(world).map(Some) } else { Ok(None) };
        let made = match combined {
            Err(refusals) => {
                let why = refusals.first().map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%class, why, "layers that do not go together: their tablets stay as they are");
                None
            }
            Ok(intent) => {
                let write = fleet.clone();
                let made = fleet
                    .store()
                    .write(move |tx| ensure(tx, &write, &versions, class, intent.as_ref(), now))
                    .await;
                match made {
                    Ok(id) => {
                        self.done.made += 1;
                        Some(id)
                    }
                    Err(Refusal::Conflict(why)) => {
                        tracing::warn!(%class, why, "a segment that cannot be given: its tablets stay as they are");
                        None
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        self.made.insert(key, made);
        Ok(made)
    }

    async fn world(&mut self, fingerprint: &str) -> Result<Arc<World>, Refusal> {
        if let Some(world) = &self.world {
            return Ok(Arc::clone(world));
        }
        let world = self.fleet.world(fingerprint, self.now).await?;
        for one in &world.unreadable {
            let told = Refusal::Internal(one.why.clone());
            watch::pass_over(self.fleet, one.version.clone(), told, self.now).await?;
        }
        self.world = Some(Arc::clone(&world));
        Ok(world)
    }
}

fn class_of(member: &Member) -> Option<IpadClass> {
    let version = member.os_version.as_deref()?.parse().ok()?;
    IpadClass::of(version, member.supervision)
}

/// Moves tablets into a segment, and has them woken for it. Those that are no more what they were when it was chosen (another
/// loan, another collège, another iPadOS) are left without one, so that the next walk finds them.
pub(crate) fn move_into(
    tx: &mut Tx<'_>,
    members: &[Member],
    segment: SegmentId,
    now: Instant,
) -> Result<usize, store::StoreError> {
    let ids: Vec<EnrolmentId> = members.iter().map(|member| member.enrolment).collect();
    let current: BTreeMap<EnrolmentId, Member> =
        segments::members_among(tx, &ids)?.into_iter().map(|member| (member.enrolment, member)).collect();
    let (same, other): (Vec<&Member>, Vec<&Member>) = members.iter().partition(|member| {
        current
            .get(&member.enrolment)
            .is_some_and(|now| Member { segment: member.segment, ..now.clone() } == **member)
    });
    let ids = |of: Vec<&Member>| of.into_iter().map(|member| member.enrolment).collect::<Vec<_>>();
    segments::assign(tx, &ids(other), None)?;
    let same = ids(same);
    let moved = segments::assign(tx, &same, Some(segment))?;
    // A segment that went since it was looked up is made anew by the next walk.
    if moved > 0 {
        deliveries::plan(tx, &same, now)?;
    }
    Ok(moved)
}
