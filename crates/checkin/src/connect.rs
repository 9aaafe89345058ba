//! Connect: a tablet reports on a command and takes the next one.

use actix_web::HttpResponse;
use fleet::Door;

use crate::DoorState;
use crate::answer::{self, Failure};
use crate::pipeline::FromTablet;

/// `PUT /mdm/connect`.
pub(crate) async fn put(door: &DoorState, through: Door, from: &FromTablet) -> Result<HttpResponse, Failure> {
    let identity = from.identity(door)?;
    let reply = fleet::connect::answer(&door.fleet, through, &identity, &from.body, from.now).await?;
    Ok(answer::reply(reply))
}
