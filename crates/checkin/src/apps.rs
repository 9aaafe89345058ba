//! Apps of the département's own, under signed names: the manifest, then the file, whole or in parts.

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use fleet::TabletError;
use fleet::apps::serving::{self, AppFormat, Given, Kept, NotGiven};
use futures_util::stream;
use types::{Digest, Instant};

use crate::DoorState;
use crate::answer::{Failure, reply};
use crate::body::Held;
use crate::identity::Evidence;
use crate::range::{Part, asked};
use crate::routes::app_name;

/// How much of a file is in memory for each tablet that downloads it, in bytes. The next piece is read only when the
/// former one was taken.
const PIECE: usize = 64 << 10;

/// `GET /apps/{name}`. Whatever is wrong with a name is answered like any address at which there is nothing.
pub(crate) async fn get(
    door: &DoorState,
    request: &HttpRequest,
    evidence: Option<Evidence>,
    now: Instant,
) -> Result<HttpResponse, Failure> {
    let name = app_name(request.uri().path()).ok_or(Failure::NotFound)?;
    let identity = evidence
        .map(|evidence| evidence.prove(&door.fleet, &[], now))
        .transpose()
        .map_err(|_proves_nothing: TabletError| Failure::NotFound)?;
    let given = serving::fetch(&door.fleet, name, identity.as_ref(), now).await;
    match given.map_err(|why| match why {
        NotGiven::Nothing => Failure::NotFound,
        NotGiven::Failed(failure) => Failure::Tablet(TabletError::Internal(failure.to_string())),
    })? {
        Given::Manifest(manifest) => Ok(reply(fleet::Reply::Plist(manifest))),
        Given::File { kept, digest, format } => {
            file(kept, digest, format, request.headers(), door.budget.reserve(PIECE)?).await
        }
    }
}

async fn file(
    mut kept: Kept,
    digest: Digest,
    format: AppFormat,
    headers: &HeaderMap,
    held: Held,
) -> Result<HttpResponse, Failure> {
    let (length, tag) = (kept.bytes(), format!("\"{digest}\""));
    let part = asked(one(headers, &header::RANGE), one(headers, &header::IF_RANGE), &tag, length);
    let (status, from, bytes) = match part {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Some { from, bytes } => (StatusCode::PARTIAL_CONTENT, from, bytes),
        Part::Unsatisfiable => {
            return Ok(HttpResponse::RangeNotSatisfiable()
                .insert_header((header::CONTENT_RANGE, format!("bytes */{length}")))
                .insert_header((header::ETAG, tag))
                .finish());
        }
    };
    if from > 0 {
        kept = waiting(move || kept.seek(from).map(|()| kept)).await?;
    }
    let mut response = HttpResponse::build(status);
    response
        .insert_header((
            header::CONTENT_TYPE,
            match format {
                AppFormat::Ipa => "application/octet-stream",
                AppFormat::Apk => "application/vnd.android.package-archive",
            },
        ))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::ETAG, tag));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = from.saturating_add(bytes).saturating_sub(1);
        response.insert_header((header::CONTENT_RANGE, format!("bytes {from}-{last}/{length}")));
    }
    Ok(response.body(SizedStream::new(bytes, pieces(kept, bytes, held))))
}

/// The next `left` bytes, piece by piece. The share of memory is given back with the last one, or when the tablet hangs
/// up.
fn pieces(
    kept: Kept,
    left: u64,
    held: Held,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    stream::try_unfold((kept, left, held), |(kept, left, held)| async move {
        if left == 0 {
            return Ok(None);
        }
        let most = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
        let broken = |failure: &dyn std::fmt::Display| std::io::Error::other(failure.to_string());
        let mut kept = kept;
        let (piece, kept) = waiting(move || kept.next(most).map(|piece| (piece, kept)))
            .await
            .map_err(|failure| broken(&failure))?;
        let taken = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if taken == 0 {
            return Err(broken(&"the file is shorter than it was"));
        }
        Ok(Some((Bytes::from(piece), (kept, left.saturating_sub(taken), held))))
    })
}

/// Runs what waits for the disk where waiting is allowed.
async fn waiting<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::Tablet(TabletError::Internal(error.to_string()));
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

/// The value of a header that came once.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}
