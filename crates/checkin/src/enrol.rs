//! Enrolment: a link, or Apple's automated enrolment, gives the tablet its enrolment profile.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet::TabletError;
use fleet::enrol::{self, LinkError};
use types::Instant;

use crate::DoorState;
use crate::answer::{self, Failure};
use crate::routes::link_token;

/// In which header a tablet sends its `MachineInfo` when it asks through a web page.
const DEVICE_INFO: &str = "x-apple-aspen-deviceinfo";

/// `GET /enrol/{token}`.
pub(crate) async fn by_link(
    door: &DoorState,
    request: &HttpRequest,
    now: Instant,
) -> Result<HttpResponse, Failure> {
    let token = link_token(request.uri().path()).ok_or(LinkError::Unknown)?;
    let profile = enrol::by_link(&door.fleet, token, now).await?;
    Ok(answer::profile(profile))
}

/// `GET` and `POST /enrol/automated`: the signed `MachineInfo` is the body, or stands in a header.
pub(crate) async fn automated(
    door: &DoorState,
    headers: &HeaderMap,
    body: &[u8],
    now: Instant,
) -> Result<HttpResponse, Failure> {
    let in_header;
    let machine_info = if body.is_empty() {
        in_header = from_header(headers)?;
        in_header.as_slice()
    } else {
        body
    };
    let profile = enrol::by_machine_info(&door.fleet, machine_info, now).await?;
    Ok(answer::profile(profile))
}

fn from_header(headers: &HeaderMap) -> Result<Vec<u8>, TabletError> {
    let value = headers.get(DEVICE_INFO).ok_or_else(|| {
        TabletError::Malformed(format!("no MachineInfo came, neither as the body nor in {DEVICE_INFO}"))
    })?;
    STANDARD
        .decode(value.as_bytes().trim_ascii())
        .map_err(|error| TabletError::Malformed(format!("the header {DEVICE_INFO} is not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn a_machine_info_is_read_from_its_header() {
        let mut headers = HeaderMap::new();
        let error = from_header(&headers).unwrap_err();
        assert!(error.to_string().contains("no MachineInfo came"), "{error}");

        headers.insert(HeaderName::from_static(DEVICE_INFO), HeaderValue::from_static("MIID "));
        assert_eq!(from_header(&headers).unwrap(), [0x30, 0x82, 0x03]);

        headers.insert(HeaderName::from_static(DEVICE_INFO), HeaderValue::from_static("not base64!"));
        let error = from_header(&headers).unwrap_err();
        assert!(error.to_string().contains("not base64"), "{error}");
    }
}
