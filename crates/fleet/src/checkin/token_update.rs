//! TokenUpdate: where to push, and the key to the access code. The first one completes the enrolment.

use apple::checkin::TokenUpdate;
use pki::DeviceIdentity;
use store::enrolments::{EnrolmentSecrets, EnrolmentState};
use store::{StoreError, Tx};
use types::{Actor, EnrolmentId, Instant, Secret};

use super::{Bound, bound, confirm};
use crate::incidents::lost_mode;
use crate::lending::erasures;
use crate::standing::Moment;
use crate::{Fleet, Reply, TabletError, first_commands};

/// The longest push token, in bytes. Apple's have 32 and may grow.
const LONGEST_TOKEN: usize = 100;
/// The longest `PushMagic`, in bytes. Tablets send a UUID; a push of Apple's carries 4 kB.
const LONGEST_MAGIC: usize = 1_024;

pub(super) async fn receive(
    fleet: &Fleet,
    identity: &DeviceIdentity,
    message: TokenUpdate,
    now: Instant,
) -> Result<Reply, TabletError> {
    if message.user_id.is_some() || message.user_short_name.is_some() {
        return Err(TabletError::UserDeclined);
    }
    reachable_by(&message)?;
    let identity = identity.clone();
    fleet.store().write_held(move |tx| update(tx, &identity, &message, now)).await?;
    Ok(Reply::Empty)
}

fn update(
    tx: &mut Tx<'_>,
    identity: &DeviceIdentity,
    message: &TokenUpdate,
    now: Instant,
) -> Result<(), TabletError> {
    let bound = bound(tx, identity, message.udid.as_ref(), Moment::TokenUpdate, now)?;
    confirm(tx, &bound, now)?;
    let Bound { mut enrolment, .. } = bound;
    if enrolment.topic.as_deref() != Some(message.topic.as_str()) {
        // The topic of an enrolment never changes; another one would make every push vanish (T-B1).
        return Err(TabletError::Malformed("Topic is not the one of the enrolment".into()));
    }
    let first = enrolment.state == EnrolmentState::Authenticated;
    // One that never sent a token has none to compare with.
    let replaced = match enrolment.token_updated_at {
        Some(_before) => replaces(&former(tx, enrolment.id)?, message),
        None => true,
    };
    let secrets = EnrolmentSecrets {
        push_token: Some(message.token.clone()),
        push_magic: Some(Secret::new(message.push_magic.expose().clone().into_bytes())),
        // An absent UnlockToken keeps the old one, and so does an empty one.
        unlock_token: message.unlock_token.clone().filter(|token| !token.expose().is_empty()),
        bootstrap_token: None,
    };
    // Absent means "as before", not false.
    let awaiting = message.awaiting_configuration;
    store::enrolments::token_updated(tx, enrolment.id, &secrets, awaiting, now)?;
    let waited = enrolment.awaiting_configuration;
    enrolment.awaiting_configuration = awaiting.unwrap_or(waited);
    enrolment.state = EnrolmentState::Active;
    enrolment.token_updated_at = Some(now);
    store::push_states::token_renewed(tx, enrolment.id, replaced, now)?;
    if first {
        first_commands::queue(tx, &enrolment, &Actor::Tablet(enrolment.id), now)?;
        lost_mode::enrolled_again(tx, &enrolment, &Actor::Tablet(enrolment.id), now)?;
        erasures::enrolled(tx, &enrolment, now)?;
    } else if enrolment.awaiting_configuration && !waited {
        first_commands::let_the_setup_go_on(tx, &enrolment, &Actor::Tablet(enrolment.id), now)?;
    }
    Ok(())
}

/// A token and a magic that a push can carry: what cannot must not replace what can.
fn reachable_by(message: &TokenUpdate) -> Result<(), TabletError> {
    let fits = |length: usize, most: usize| (1..=most).contains(&length);
    if !fits(message.token.expose().len(), LONGEST_TOKEN) {
        return Err(TabletError::Malformed(format!("Token must have 1 to {LONGEST_TOKEN} bytes")));
    }
    if !fits(message.push_magic.expose().len(), LONGEST_MAGIC) {
        return Err(TabletError::Malformed(format!("PushMagic must have 1 to {LONGEST_MAGIC} bytes")));
    }
    Ok(())
}

/// What the tablet sent before. What cannot be opened any more is as good as nothing: it is replaced now.
fn former(tx: &mut Tx<'_>, enrolment: EnrolmentId) -> Result<EnrolmentSecrets, StoreError> {
    match store::enrolments::secrets(tx, enrolment) {
        Err(StoreError::Sealed(_)) => Ok(EnrolmentSecrets::default()),
        secrets => secrets,
    }
}

/// Whether the tablet is pushed in another way from now on.
fn replaces(former: &EnrolmentSecrets, message: &TokenUpdate) -> bool {
    let same = |former: &Option<Secret<Vec<u8>>>, present: &[u8]| {
        former.as_ref().is_some_and(|former| former.expose() == present)
    };
    !(same(&former.push_token, message.token.expose())
        && same(&former.push_magic, message.push_magic.expose().as_bytes()))
}
