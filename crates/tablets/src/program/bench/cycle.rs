//! A command's whole way, through the doors that everybody uses: an order queues it, the tablet fetches it and
//! acknowledges it.

use tablets::{HttpClient, Reply, Status};
use tokio::sync::Mutex;

use super::enqueue::{Order, Place};
use super::problem::Problem;
use super::roster::Message;
use super::seat::{Room, Seat};
use super::task::{Laps, nothing_came};

/// How commands are queued.
#[derive(Debug)]
pub(super) struct Enqueue {
    order: Order,
    /// Connections to the server's other door, kept alive: as many as are used at once.
    clients: Mutex<Vec<HttpClient>>,
}

impl Enqueue {
    pub(super) fn new(order: Order) -> Self {
        Self { order, clients: Mutex::default() }
    }

    /// Does it once with the tablet that sits there.
    pub(super) async fn cycle(&self, seat: &mut Seat, laps: &mut Laps) -> Result<(), Problem> {
        let room = std::sync::Arc::clone(&seat.room);
        let seated = seat.seated()?;
        let place = Place::of(&seated.state.hardware);
        let idle = Message::of(&seated.state.idle_message()).map_err(Problem::failed("fetch"))?;

        let uuid = laps.time("enqueue", self.queue(&room, &place)).await?;
        let reply = laps.time("fetch", seat.connect("fetch", idle)).await?;
        let report = obey(seat, &reply, &uuid)?;
        let reply = laps.time("acknowledge", seat.connect("acknowledge", report)).await?;
        nothing_came("acknowledge", &reply.body)
    }

    /// Queues a command, and gives its `CommandUUID`.
    async fn queue(&self, room: &Room, place: &Place) -> Result<String, Problem> {
        let request = self.order.request(place).map_err(Problem::failed("enqueue"))?;
        let kept = self.clients.lock().await.pop();
        let mut client = kept.unwrap_or_else(|| room.client());
        let reply = client.send(&request, None).await;
        self.clients.lock().await.push(client);
        let reply = reply.map_err(Problem::failed("enqueue"))?;
        if !(200..300).contains(&reply.status) {
            return Err(Problem::status("enqueue", &reply));
        }
        self.order.command_uuid(place, &reply)
    }
}

/// The report on the command that came, which must be the one that was queued.
fn obey(seat: &mut Seat, reply: &Reply, expected: &str) -> Result<Message, Problem> {
    let wrong = |came: &str| Problem::WrongCommand { expected: expected.to_owned(), came: came.to_owned() };
    if reply.body.is_empty() {
        return Err(wrong("nothing"));
    }
    let clock = seat.room.clock.clone();
    let seated = seat.seated()?;
    let (handled, report) = seated.obey(&reply.body, &clock).map_err(Problem::failed("fetch"))?;
    if !handled.command_uuid.eq_ignore_ascii_case(expected) {
        return Err(wrong(&format!("{} ({})", handled.command_uuid, handled.request_type)));
    }
    if handled.status != Status::Acknowledged {
        return Err(Problem::NotAcknowledged {
            request_type: handled.request_type,
            status: handled.status.as_str(),
            error: handled.error.unwrap_or_default(),
        });
    }
    Message::of(&report).map_err(Problem::failed("acknowledge"))
}
