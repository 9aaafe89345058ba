//! Bodies, read within bounds before anything looks at them: a size, a time, and a share of memory (T-A16).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::{Stream, StreamExt as _};
use types::Duration;

/// What a client still had to send after it was refused is read and forgotten up to here, so that it gets to
/// read its answer instead of a reset connection; beyond, the connection is closed.
const DRAINED_BYTES: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// It is larger than this route takes.
    #[error("the body is larger than {limit} bytes, the most that is read here")]
    TooLarge {
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive within {} s", .within.as_secs())]
    TooSlow {
        /// The time it had.
        within: Duration,
    },
    /// Too many bodies are being read at once.
    #[error("too many bodies are being read at once; try again")]
    Busy,
    /// The connection broke.
    #[error("the body broke off: {0}")]
    Broken(PayloadError),
}

/// The memory that all bodies together may hold, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    free: Arc<AtomicUsize>,
}

impl Budget {
    /// A budget of `bytes`.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(AtomicUsize::new(bytes)) }
    }

    /// A share of the budget, for what is sent.
    ///
    /// # Errors
    /// [`BodyError::Busy`] if so much is not left.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Held, BodyError> {
        let mut held = self.hold();
        held.grow(bytes)?;
        Ok(held)
    }

    fn hold(&self) -> Held {
        Held { budget: self.clone(), bytes: 0 }
    }
}

/// A share of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Budget,
    bytes: usize,
}

impl Held {
    fn grow(&mut self, bytes: usize) -> Result<(), BodyError> {
        self.budget
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(bytes))
            .map_err(|_too_little_left| BodyError::Busy)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.free.fetch_add(self.bytes, Ordering::AcqRel);
    }
}

/// A body that was read whole. Its memory counts in the budget until it is dropped.
#[derive(Debug)]
pub(crate) struct Body {
    bytes: Vec<u8>,
    _held: Held,
}

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The bounds of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The most that is read, in bytes.
    pub(crate) bytes: usize,
    /// What the request says its length is, in bytes, if it says so.
    pub(crate) declared: Option<u64>,
    /// How long it may take to arrive.
    pub(crate) within: Duration,
}

impl Bounds {
    fn is_announced_too_large(self) -> bool {
        self.declared
            .is_some_and(|declared| usize::try_from(declared).map_or(true, |bytes| bytes > self.bytes))
    }
}

/// Reads a body whole, or refuses it. A refused body is drained, see [`drain`].
pub(crate) async fn read<S>(mut payload: S, bounds: Bounds, budget: &Budget) -> Result<Body, BodyError>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let read = if bounds.is_announced_too_large() {
        Err(BodyError::TooLarge { limit: bounds.bytes })
    } else {
        match tokio::time::timeout(bounds.within, collect(&mut payload, bounds.bytes, budget)).await {
            Ok(read) => read,
            Err(_elapsed) => Err(BodyError::TooSlow { within: bounds.within }),
        }
    };
    if matches!(read, Err(BodyError::TooLarge { .. } | BodyError::Busy)) {
        drain(payload, bounds.within).await;
    }
    read
}

async fn collect<S>(payload: &mut S, limit: usize, budget: &Budget) -> Result<Body, BodyError>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let mut held = budget.hold();
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(BodyError::Broken)?;
        if chunk.len() > limit.saturating_sub(bytes.len()) {
            return Err(BodyError::TooLarge { limit });
        }
        held.grow(chunk.len())?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { bytes, _held: held })
}

/// Reads and forgets what is still to come, up to 1 MiB and no longer than `within`.
pub(crate) async fn drain<S>(mut payload: S, within: Duration)
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let draining = async {
        let mut drained = 0_usize;
        while let Some(Ok(chunk)) = payload.next().await {
            drained = drained.saturating_add(chunk.len());
            if drained > DRAINED_BYTES {
                break;
            }
        }
    };
    // Out of time or at the end: either way the answer goes out, and the connection is closed after it.
    let _in_time = tokio::time::timeout(within, draining).await;
}

/// The body of an answer, with what is left of the request's: that is let go once the answer is out.
pub(crate) fn in_hand(answer: BoxBody, unread: Payload) -> BoxBody {
    BoxBody::new(InHand { answer, _unread: unread })
}

struct InHand {
    answer: BoxBody,
    _unread: Payload,
}

impl MessageBody for InHand {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::stream;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn chunks(count: usize, size: usize) -> impl Stream<Item = Result<Bytes, PayloadError>> + Unpin {
        stream::iter((0..count).map(move |_| Ok(Bytes::from(vec![7; size]))))
    }

    fn bounds(bytes: usize) -> Bounds {
        Bounds { bytes, declared: None, within: SECOND }
    }

    #[actix_web::test]
    async fn a_body_at_the_limit_is_read_whole() {
        let body = read(chunks(4, 16), bounds(64), &Budget::new(64)).await.unwrap();
        assert_eq!(&*body, [7; 64]);
        let empty = read(chunks(0, 0), bounds(64), &Budget::new(0)).await.unwrap();
        assert!(empty.is_empty());
    }

    #[actix_web::test]
    async fn t_a16_a_body_over_the_limit_is_refused_and_drained_without_being_kept() {
        let seen = Rc::new(Cell::new(0));
        let counter = Rc::clone(&seen);
        let payload = stream::iter((0..10_000).map(move |_| {
            counter.set(counter.get() + 1024);
            Ok(Bytes::from_static(&[0; 1024]))
        }));
        let budget = Budget::new(1 << 20);
        let error = read(payload, bounds(64 * 1024), &budget).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { limit: 65_536 }), "{error}");
        assert_eq!(budget.free.load(Ordering::SeqCst), 1 << 20, "nothing is held");
        assert!(seen.get() > DRAINED_BYTES, "it was drained");
        assert!(seen.get() < 2 * DRAINED_BYTES, "but not for ever");
    }

    #[actix_web::test]
    async fn t_a16_a_body_announced_too_large_is_not_even_begun() {
        let announced = Bounds { declared: Some(65), ..bounds(64) };
        let error = read(chunks(1, 16), announced, &Budget::new(0)).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { limit: 64 }), "{error}");
    }

    #[actix_web::test]
    async fn t_a16_a_slow_body_is_given_up_in_time() {
        tokio::time::pause();
        let one_byte_and_silence = stream::iter([Ok(Bytes::from_static(b"<"))]).chain(stream::pending());
        let budget = Budget::new(64);
        let error = read(one_byte_and_silence, bounds(64), &budget).await.unwrap_err();
        assert!(matches!(error, BodyError::TooSlow { .. }), "{error}");
        assert_eq!(budget.free.load(Ordering::SeqCst), 64);
    }

    #[actix_web::test]
    async fn t_a16_a_client_that_never_stops_sending_is_answered_in_time() {
        tokio::time::pause();
        let too_much_and_silence = chunks(9, 16).chain(stream::pending());
        let error = read(too_much_and_silence, bounds(64), &Budget::new(64)).await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { .. }), "{error}");
    }

    #[actix_web::test]
    async fn t_a16_all_bodies_together_hold_no_more_than_the_budget() {
        let budget = Budget::new(100);
        let first = read(chunks(1, 60), bounds(64), &budget).await.unwrap();
        let error = read(chunks(1, 60), bounds(64), &budget).await.unwrap_err();
        assert!(matches!(error, BodyError::Busy), "{error}");
        drop(first);
        read(chunks(1, 60), bounds(64), &budget).await.unwrap();
    }

    #[actix_web::test]
    async fn a_broken_connection_is_not_taken_for_a_whole_body() {
        let broken = stream::iter([Ok(Bytes::from_static(b"<plist>")), Err(PayloadError::Incomplete(None))]);
        let error = read(broken, bounds(64), &Budget::new(64)).await.unwrap_err();
        assert!(matches!(error, BodyError::Broken(_)), "{error}");
    }
}
