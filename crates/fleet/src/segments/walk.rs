//! The walk that puts tablets into their segments: in bounded batches, found anew each time, so that it may be broken
//! off anywhere and done by several nodes at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use profiles::segment::{IpadClass, segment_key};
use store::segments::{self, Member};
use store::{Digest, Tx, deliveries, settings};
use types::{Duration, EnrolmentId, Instant, JobId, ProfileVersionId, SegmentId};

use super::ensure::ensure;
use super::world::{self, Base, LoanFacts, TabletFacts, World};
use crate::{Fleet, Principal, Refusal, push, watch};

/// How many tablets share a transaction.
const BATCH: u32 = 500;
/// How many are woken in one round, so that a change of the base is not a storm.
const WOKEN: u32 = 200;
/// Between two walks over all tablets, when nothing changed.
const ANYWAY: Duration = Duration::from_secs(3_600);
/// Where it stands what was last walked, and when; or which walk is under way.
const WALKED: &str = "segments.walked";
/// What stands there first, in place of a fingerprint, while a walk is under way after something changed.
const UNDER_WAY: &str = "under-way";
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
/// [`Refusal::Store`]; what was done before the failure stays done, and the next walk does the rest. Tablets whose layers do
/// not go together stay where they are, and the log says why.
pub async fn follow(fleet: &Fleet, principal: &Principal, now: Instant) -> Result<Walked, Refusal> {
    principal.must_be_calendar()?;
    let (done, ended) = walk(fleet, principal, now).await?;
    finish(fleet, ended, now).await?;
    Ok(done)
}

/// Writes that a walk saw every tablet; not if another walked meanwhile, by what was in force then: it moved tablets that this
/// one had passed.
///
/// # Errors
/// [`Refusal::Store`].
pub(crate) async fn finish(fleet: &Fleet, ended: Ended, now: Instant) -> Result<(), Refusal> {
    let Ended::Whole { fingerprint, standing } = ended else { return Ok(()) };
    let text = format!("{fingerprint} {}", now.as_millis());
    let write = move |tx: &mut Tx<'_>| {
        if settings::get(tx, WALKED)? == standing {
            settings::set(tx, WALKED, &text)?;
        }
        Ok::<_, Refusal>(())
    };
    fleet.store().write(write).await?;
    fleet.store().write(move |tx| segments::prune(tx, now.minus(KEPT), BATCH)).await?;
    Ok(())
}

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It saw every tablet, by this fingerprint.
    Whole {
        /// What was in force.
        fingerprint: String,
        /// What stood written of walks while it walked.
        standing: Option<String>,
    },
    /// It saw those without a segment, as nothing had changed; or something changed, and the next one does the rest.
    InPart,
}

/// What a walk goes by.
struct Looked {
    fingerprint: String,
    base: Base,
    /// What stands written of the last walk.
    last: Option<String>,
}

impl Looked {
    fn load(tx: &mut Tx<'_>, now: Instant) -> Result<Self, Refusal> {
        let (fingerprint, base) = world::fingerprint(tx, now)?;
        Ok(Self { fingerprint, base, last: settings::get(tx, WALKED)? })
    }

    /// The fingerprint that was walked last, and when; neither while a walk is under way, or after one broke off.
    fn walked(&self) -> (&str, Option<Instant>) {
        let (of, at) = self.last.as_deref().and_then(|text| text.split_once(' ')).unwrap_or_default();
        (of, at.parse().ok().map(Instant::from_millis))
    }

    fn changed(&self) -> bool {
        self.walked().0 != self.fingerprint
    }

    fn long_ago(&self, now: Instant) -> bool {
        self.walked().1.is_none_or(|at| now.since(at) >= ANYWAY || at > now)
    }
}

/// As [`follow`], without writing that it was done: what a walk leaves behind that breaks off.
///
/// # Errors
/// As [`follow`].
pub(crate) async fn walk(
    fleet: &Fleet,
    principal: &Principal,
    now: Instant,
) -> Result<(Walked, Ended), Refusal> {
    let mut looked = fleet.store().read(move |tx| Looked::load(tx, now)).await?;
    // Nothing was ever given to any tablet. Once something was, it goes when its base does.
    if looked.base == Base::None && looked.last.is_none() {
        return Ok((Walked::default(), Ended::InPart));
    }
    if looked.changed() {
        // Orders begin and end with the day: what a collège adds must go together with what holds there now.
        let calendar = principal.clone();
        let reviewed = fleet.store().write(move |tx| crate::profiles::review(tx, &calendar, now)).await;
        if let Err(failure) = reviewed {
            watch::pass_over(fleet, "what collèges add".to_owned(), failure, now).await?;
        }
        looked = fleet.store().read(move |tx| Looked::load(tx, now)).await?;
    }
    let changed = looked.changed();
    let mut standing = looked.last.clone();
    if changed {
        // Should it break off, some tablets have what is in force now. If that goes again, and what was before comes back, the
        // next walk must not take them for walked.
        let mark = format!("{UNDER_WAY} {}", JobId::new(now));
        standing = Some(mark.clone());
        fleet.store().write(move |tx| settings::set(tx, WALKED, &mark)).await?;
    }
    let everything = changed || looked.long_ago(now);
    let fingerprint = looked.fingerprint;
    let mut walk = Walk {
        fleet,
        fingerprint: fingerprint.clone(),
        now,
        again: changed,
        world: None,
        made: BTreeMap::new(),
        done: Walked::default(),
    };
    let seen = walk.all(!everything).await?;
    let ended = match seen {
        Seen::All if everything => Ended::Whole { fingerprint, standing },
        _ => Ended::InPart,
    };
    Ok((walk.done, ended))
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
    /// What was in force when it began.
    fingerprint: String,
    now: Instant,
    /// Segments that are there are written again: what is in force, or the program that writes it, changed.
    again: bool,
    world: Option<Arc<World>>,
    /// The segments of this walk, by their keys; `None` for layers that do not go together.
    made: BTreeMap<Digest, Option<SegmentId>>,
    done: Walked,
}

/// How far a walk came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// To the last tablet that it was for.
    All,
    /// To where what is in force changed: the next walk moves tablets by that.
    SomeUntilItChanged,
}

impl Walk<'_> {
    async fn all(&mut self, without_only: bool) -> Result<Seen, Refusal> {
        let mut after: Option<EnrolmentId> = None;
        loop {
            let from = after;
            let members =
                self.fleet.store().read(move |tx| segments::members(tx, from, without_only, BATCH)).await?;
            let Some(last) = members.last() else { return Ok(Seen::All) };
            after = Some(last.enrolment);
            let full = u32::try_from(members.len()).is_ok_and(|count| count == BATCH);
            let seen = self.batch(members).await?;
            if !full || seen != Seen::All {
                return Ok(seen);
            }
        }
    }

    async fn batch(&mut self, members: Vec<Member>) -> Result<Seen, Refusal> {
        let Some(world) = self.world().await? else { return Ok(Seen::SomeUntilItChanged) };
        let mut moves: Moves = BTreeMap::new();
        for member in members {
            let Some(class) = class_of(&member) else { continue };
            let segment = self.segment(&world, &member, class).await?;
            if let Some(segment) = segment.filter(|segment| member.segment != Some(*segment)) {
                moves.entry(segment).or_default().push(member);
            }
        }
        if moves.is_empty() {
            return Ok(Seen::All);
        }
        let (now, fingerprint) = (self.now, self.fingerprint.clone());
        let moved = self.fleet.store().write(move |tx| move_by(tx, &fingerprint, &moves, now)).await?;
        self.done.moved += moved.unwrap_or(0);
        Ok(if moved.is_some() { Seen::All } else { Seen::SomeUntilItChanged })
    }

    /// The segment of a tablet: made, or written again, once in a walk.
    async fn segment(
        &mut self,
        world: &Arc<World>,
        member: &Member,
        class: IpadClass,
    ) -> Result<Option<SegmentId>, Refusal> {
        let layers = world::of_tablet(world, &facts_of(member));
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

    /// What is in force, if it still is what was when the walk began.
    async fn world(&mut self) -> Result<Option<Arc<World>>, Refusal> {
        if let Some(world) = &self.world {
            return Ok(Some(Arc::clone(world)));
        }
        let (fingerprint, world) = self.fleet.world(self.now).await?;
        if fingerprint != self.fingerprint {
            return Ok(None);
        }
        for one in &world.unreadable {
            let told = Refusal::Internal(one.why.clone());
            watch::pass_over(self.fleet, one.version.clone(), told, self.now).await?;
        }
        self.world = Some(Arc::clone(&world));
        Ok(Some(world))
    }
}

fn facts_of(member: &Member) -> TabletFacts {
    let loan = member.loan.map(|(user, mode)| LoanFacts { user, mode });
    TabletFacts { tablet: member.tablet, uai: member.uai.clone(), loan, kept: member.kept.clone() }
}

/// Whether a tablet is to be given that version.
pub(crate) fn is_for(world: &World, member: &Member, version: ProfileVersionId) -> bool {
    class_of(member).is_some() && world::of_tablet(world, &facts_of(member)).versions().contains(&version)
}

fn class_of(member: &Member) -> Option<IpadClass> {
    let version = member.os_version.as_deref()?.parse().ok()?;
    IpadClass::of(version, member.supervision)
}

/// Which tablets go into which segments.
pub(crate) type Moves = BTreeMap<SegmentId, Vec<Member>>;

/// Moves tablets as a walk chose, and says how many; `None`, and nobody is moved, if something else is in force by now: of two
/// nodes that walk at once, the slower one puts no tablet back into what was before.
pub(crate) fn move_by(
    tx: &mut Tx<'_>,
    fingerprint: &str,
    moves: &Moves,
    now: Instant,
) -> Result<Option<usize>, Refusal> {
    if world::fingerprint(tx, now)?.0 != fingerprint {
        return Ok(None);
    }
    let mut moved = 0;
    for (segment, members) in moves {
        moved += move_into(tx, members, *segment, now)?;
    }
    Ok(Some(moved))
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
