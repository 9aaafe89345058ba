//! What is measured: one operation, from the beginning to an answer that is right.

use std::time::{Duration, Instant};

use tablets::{Error, State};

use super::cycle::Enqueue;
use super::problem::Problem;
use super::roster::Message;
use super::seat::Seat;

/// A conversation that does not end is ended.
const MOST_COMMANDS: usize = 1_000;

/// What is measured.
#[derive(Debug)]
pub(super) enum Task {
    /// A tablet asks what there is to do, and there is nothing.
    Idle,
    /// A tablet tells its push token.
    TokenUpdate,
    /// A command is queued, fetched and acknowledged.
    Cycle(Box<Enqueue>),
    /// A tablet that has an identity says Authenticate and TokenUpdate.
    Enrol,
}

/// What a tablet will say, as far as that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Messages {
    /// Nothing is.
    None,
    /// Idle.
    Idle,
    /// TokenUpdate.
    TokenUpdate,
    /// Authenticate and TokenUpdate.
    Enrolment,
}

impl Messages {
    /// The messages of one tablet.
    pub(super) fn of(self, state: &State) -> Result<Vec<Message>, Error> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Idle => Ok(vec![Message::of(&state.idle_message())?]),
            Self::TokenUpdate => Ok(vec![Message::of(&state.token_update_message()?)?]),
            Self::Enrolment => Ok(vec![
                Message::of(&state.authenticate_message()?)?,
                Message::of(&state.token_update_message()?)?,
            ]),
        }
    }
}

/// How long the steps of one operation took.
#[derive(Debug, Default)]
pub(super) struct Laps {
    pub(super) steps: Vec<(&'static str, Duration)>,
}

impl Laps {
    /// Times a step.
    pub(super) async fn time<T>(&mut self, step: &'static str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.steps.push((step, begun.elapsed()));
        done
    }
}

impl Task {
    /// Its name, as it is typed.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::TokenUpdate => "token-update",
            Self::Cycle(_) => "cycle",
            Self::Enrol => "enrol",
        }
    }

    /// What its tablets will say.
    pub(super) const fn messages(&self) -> Messages {
        match self {
            Self::Idle => Messages::Idle,
            Self::TokenUpdate => Messages::TokenUpdate,
            Self::Cycle(_) => Messages::None,
            Self::Enrol => Messages::Enrolment,
        }
    }

    /// Does it once with the tablet that sits there.
    pub(super) async fn perform(&self, seat: &mut Seat, laps: &mut Laps) -> Result<(), Problem> {
        match self {
            Self::Idle => {
                let message = known(seat, 0)?;
                let reply = seat.connect("idle", message).await?;
                nothing_came("idle", &reply.body)
            }
            Self::TokenUpdate => {
                let message = known(seat, 0)?;
                seat.check_in("token-update", message).await.map(drop)
            }
            Self::Cycle(enqueue) => Box::pin(enqueue.cycle(seat, laps)).await,
            Self::Enrol => {
                let message = known(seat, 0)?;
                laps.time("authenticate", seat.check_in("authenticate", message)).await?;
                let message = known(seat, 1)?;
                laps.time("token-update", seat.check_in("token-update", message)).await.map(drop)
            }
        }
    }
}

fn known(seat: &mut Seat, number: usize) -> Result<Message, Problem> {
    let seated = seat.seated()?;
    let missing = || Problem::Failed {
        step: "writing the message",
        error: Error::Usage("the message was not prepared".to_owned()),
    };
    seated.message(number).ok_or_else(missing)
}

/// An answer without a command.
pub(super) fn nothing_came(step: &'static str, body: &[u8]) -> Result<(), Problem> {
    if body.is_empty() {
        return Ok(());
    }
    Err(Problem::UnexpectedCommand { step, request_type: request_type(body) })
}

/// The kind of a command, for words.
fn request_type(body: &[u8]) -> String {
    let kind = || {
        let value = plist::Value::from_reader(std::io::Cursor::new(body)).ok()?;
        let command = value.as_dictionary()?.get("Command")?.as_dictionary()?;
        command.get("RequestType")?.as_string().map(str::to_owned)
    };
    kind().unwrap_or_else(|| "something that is no command".to_owned())
}

/// Lets the tablet that sits there carry out everything that was queued for it before, so that nothing of it is
/// measured.
pub(super) async fn empty_queue(seat: &mut Seat) -> Result<(), Problem> {
    const STEP: &str = "emptying the queue";
    let idle = Message::of(&seat.seated()?.state.idle_message()).map_err(Problem::failed(STEP))?;
    let mut reply = seat.connect(STEP, idle).await?;
    for _command in 0..MOST_COMMANDS {
        if reply.body.is_empty() {
            return Ok(());
        }
        let clock = seat.room.clock.clone();
        let seated = seat.seated()?;
        let (_handled, report) = seated.obey(&reply.body, &clock).map_err(Problem::failed(STEP))?;
        let report = Message::of(&report).map_err(Problem::failed(STEP))?;
        reply = seat.connect(STEP, report).await?;
    }
    Err(Problem::UnexpectedCommand { step: STEP, request_type: request_type(&reply.body) })
}
