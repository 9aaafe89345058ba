//! Lost mode. A position is told in it, and only in it.

use plist::Dictionary;

use super::{Answer, INVALID_COMMAND, NOT_IN_LOST_MODE};
use crate::Clock;
use crate::state::{LostMode, State};
use crate::wire::{self, Entries as _};

pub(super) fn enable(state: &mut State, command: &Dictionary) -> Answer {
    let text = |key| command.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    let lost =
        LostMode { message: text("Message"), phone_number: text("PhoneNumber"), footnote: text("Footnote") };
    if lost.message.is_none() && lost.phone_number.is_none() {
        return Answer::error(INVALID_COMMAND, "Message or PhoneNumber is needed.");
    }
    state.lost_mode = Some(lost);
    Answer::done()
}

pub(super) fn disable(state: &mut State) -> Answer {
    match state.lost_mode.take() {
        Some(_ended) => Answer::done(),
        None => not_lost(),
    }
}

pub(super) fn location(state: &State, clock: &Clock) -> Answer {
    if state.lost_mode.is_none() {
        return not_lost();
    }
    Answer::with(wire::dictionary([
        ("Latitude", state.position.latitude.into()),
        ("Longitude", state.position.longitude.into()),
        ("HorizontalAccuracy", 12.5.into()),
        ("VerticalAccuracy", 4.0.into()),
        ("Altitude", 35.0.into()),
        // Negative: unknown, as when it lies still.
        ("Speed", (-1.0).into()),
        ("Course", (-1.0).into()),
        ("Timestamp", clock.rfc3339().into()),
    ]))
}

pub(super) fn play_sound(state: &mut State) -> Answer {
    if state.lost_mode.is_none() {
        return not_lost();
    }
    state.sounds += 1;
    Answer::done()
}

fn not_lost() -> Answer {
    Answer::error(NOT_IN_LOST_MODE, "The device is not in lost mode.")
}
