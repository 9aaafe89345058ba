//! Locking, unlocking, restarting, erasing.

use plist::Dictionary;

use super::{After, Answer, INVALID_COMMAND, WRONG_UNLOCK_TOKEN};
use crate::check_ins::ReturnToService;
use crate::state::State;
use crate::wire::{self, Entries as _};

pub(super) fn lock(state: &mut State, command: &Dictionary) -> Answer {
    state.lock_message = command.text("Message").map(str::to_owned);
    // Without an access code the screen goes dark, but nothing needs unlocking.
    state.locked = state.passcode.is_some();
    let message_given = command.contains_key("Message") || command.contains_key("PhoneNumber");
    let result = match (message_given, state.passcode.is_some()) {
        (false, _) => return Answer::done(),
        (true, true) => "Success",
        (true, false) => "NoPasscodeSet",
    };
    Answer::with(wire::dictionary([("MessageResult", result.into())]))
}

pub(super) fn clear_passcode(state: &mut State, command: &Dictionary) -> Answer {
    let Some(token) = command.bytes("UnlockToken") else {
        return Answer::error(INVALID_COMMAND, "UnlockToken is missing.");
    };
    let own = state.enrolment.as_ref().map(|enrolment| enrolment.unlock_token.as_str());
    if own == Some(hex::encode(token).as_str()) {
        state.passcode = None;
        state.locked = false;
        Answer::done()
    } else {
        Answer::error(WRONG_UNLOCK_TOKEN, "The unlock token is not this device's.")
    }
}

pub(super) fn restart(state: &mut State) -> Answer {
    state.restarts += 1;
    // After a restart, the access code must be entered once.
    state.locked = state.passcode.is_some();
    Answer::done()
}

pub(super) fn erase(command: &Dictionary) -> Answer {
    let order = command.inner("ReturnToService");
    if order.is_some_and(|order| order.flag("Enabled").is_none()) {
        return Answer::error(INVALID_COMMAND, "ReturnToService lacks Enabled.");
    }
    Answer::then(After::Erase(order.map(ReturnToService::read)))
}
