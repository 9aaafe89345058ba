//! Connections and requests of the stand-in.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use openssl::ssl::{Ssl, SslAcceptor};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_openssl::SslStream;

use super::rules::{self, LONGEST_PAYLOAD, Refusal, Verdict};
use super::{Push, Shared};

/// One connection.
struct Line {
    shared: Arc<Shared>,
    /// What its certificate may push on; none if the certificate is worth nothing.
    topic: Option<String>,
    brought: AtomicUsize,
    /// Ends the connection politely.
    go_away: Notify,
    /// Ends it without a word.
    die: Notify,
}

/// Accepts connections until the task is ended, which ends them too.
pub(super) async fn accept(listener: TcpListener, acceptor: SslAcceptor, shared: Arc<Shared>) {
    let mut lines = JoinSet::new();
    loop {
        tokio::select! {
            Ok((tcp, _peer)) = listener.accept() => {
                lines.spawn(serve(tcp, acceptor.clone(), Arc::clone(&shared)));
            }
            Some(_ended) = lines.join_next() => {}
        }
    }
}

/// Serves one connection. What goes wrong with it is the client's to notice.
async fn serve(tcp: TcpStream, acceptor: SslAcceptor, shared: Arc<Shared>) {
    let Ok(stream) = Ssl::new(acceptor.context()).and_then(|ssl| SslStream::new(ssl, tcp)) else { return };
    let mut stream = Box::pin(stream);
    if stream.as_mut().accept().await.is_err() {
        return;
    }
    let topic = stream
        .ssl()
        .peer_certificate()
        .and_then(|certificate| shared.authority.topic_of(&certificate, shared.clock.now()));
    shared.book().connections += 1;
    let line = Arc::new(Line {
        shared,
        topic,
        brought: AtomicUsize::new(0),
        go_away: Notify::new(),
        die: Notify::new(),
    });
    let service = {
        let line = Arc::clone(&line);
        service_fn(move |request| answer(Arc::clone(&line), request))
    };
    let mut connection = Box::pin(
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(1000)
            .serve_connection(TokioIo::new(stream), service),
    );
    loop {
        tokio::select! {
            _ended = connection.as_mut() => return,
            () = line.go_away.notified() => connection.as_mut().graceful_shutdown(),
            () = line.die.notified() => return,
        }
    }
}

async fn answer(line: Arc<Line>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    // One byte more than allowed is enough to know that it is too long.
    let body = match Limited::new(body, LONGEST_PAYLOAD * 16).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_too_long) => return Ok(refused(&line, &head.headers, &Refusal::new(413, "PayloadTooLarge"))),
    };
    let shared = &line.shared;
    let verdict = rules::judge(shared, line.topic.as_deref(), &head.method, &head.uri, &head.headers, &body);
    let brought = line.brought.fetch_add(1, Ordering::Relaxed) + 1;
    let limit = shared.book().go_away_after;
    if limit.is_some_and(|limit| brought >= limit) {
        line.go_away.notify_one();
    }
    match verdict {
        Verdict::Accept(push) => Ok(accepted(&line, &head.headers, push)),
        Verdict::AcceptLater(push, time) => {
            tokio::time::sleep(time).await;
            Ok(accepted(&line, &head.headers, push))
        }
        Verdict::Refuse(refusal) => Ok(refused(&line, &head.headers, &refusal)),
        Verdict::Die => {
            line.die.notify_one();
            std::future::pending().await
        }
    }
}

fn accepted(line: &Line, headers: &hyper::HeaderMap, push: Push) -> Response<Full<Bytes>> {
    line.shared.book().accept(&push);
    // Nobody may be listening.
    let _listeners = line.shared.pushes.send(push);
    respond(StatusCode::OK, headers, None, Bytes::new())
}

fn refused(line: &Line, headers: &hyper::HeaderMap, refusal: &Refusal) -> Response<Full<Bytes>> {
    line.shared.book().refuse(refusal.status, &refusal.reason);
    let mut told = serde_json::json!({ "reason": refusal.reason });
    if let (Some(timestamp), Some(told)) = (refusal.timestamp, told.as_object_mut()) {
        told.insert("timestamp".to_owned(), timestamp.into());
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, headers, refusal.retry_after, Bytes::from(told.to_string()))
}

fn respond(
    status: StatusCode,
    headers: &hyper::HeaderMap,
    retry_after: Option<u32>,
    body: Bytes,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    if let Ok(id) = rules::apns_id(headers).parse() {
        response.headers_mut().insert("apns-id", id);
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(hyper::header::RETRY_AFTER, seconds.into());
    }
    response
}
