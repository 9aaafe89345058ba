//! Check-in: how a tablet enrols, renews its push token and leaves.

use actix_web::HttpResponse;
use fleet::Door;

use crate::DoorState;
use crate::answer::{self, Failure};
use crate::pipeline::FromTablet;

/// `PUT /mdm/checkin`.
pub(crate) async fn put(door: &DoorState, through: Door, from: &FromTablet) -> Result<HttpResponse, Failure> {
    let identity = from.identity(door)?;
    let reply = fleet::checkin::receive(&door.fleet, through, &identity, &from.body, from.now).await?;
    Ok(answer::reply(reply))
}
