//! The paths of another server, whose tablets move here: check-in and connect may share one URL, and then
//! only the content type tells them apart.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use fleet::Door;

use crate::DoorState;
use crate::answer::Failure;
use crate::pipeline::FromTablet;
use crate::{checkin, connect};

/// What check-in messages are sent as. Parameters may follow: only the beginning is compared.
const CHECK_IN: &[u8] = b"application/x-apple-aspen-mdm-checkin";

/// `PUT` on a taken-over path.
pub(crate) async fn put(
    door: &DoorState,
    from: &FromTablet,
    check_in: bool,
) -> Result<HttpResponse, Failure> {
    if check_in {
        checkin::put(door, Door::TakenOver, from).await
    } else {
        connect::put(door, Door::TakenOver, from).await
    }
}

/// Whether a request is a check-in. One without a content type is a connect: some tablets leave it out there.
pub(crate) fn is_check_in(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.as_bytes().get(..CHECK_IN.len()))
        .is_some_and(|beginning| beginning.eq_ignore_ascii_case(CHECK_IN))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn the_beginning_of_the_content_type_tells_check_in_from_connect() {
        let cases = [
            (Some("application/x-apple-aspen-mdm-checkin"), true),
            (Some("application/x-apple-aspen-mdm-checkin; charset=UTF-8"), true),
            (Some("Application/X-Apple-Aspen-MDM-Checkin"), true),
            (Some("application/x-apple-aspen-mdm"), false),
            (Some("application/x-apple-aspen-mdm; charset=UTF-8"), false),
            (Some("text/xml"), false),
            (Some(""), false),
            (None, false),
        ];
        for (content_type, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(value) = content_type {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(is_check_in(&headers), expected, "{content_type:?}");
        }
    }
}
