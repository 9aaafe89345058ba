//! `/metrics`: how the pulse is doing, as Prometheus reads it (text format 0.0.4). For whoever may look at tablets, by a
//! token of scope `read`; never for anyone who passes by.

use std::fmt::Write as _;

use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use fleet::vitals::{self, Vitals};
use types::Instant;
use types::meter::{BUCKETS_MS, Times};

use crate::gate::Caller;
use crate::input::State;
use crate::problem::{Failure, Problem};

/// The content type of the format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How the pulse is doing, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "server", responses(
    (status = 200, description = "Metrics in the text format of Prometheus", content_type = "text/plain", body = String),
    (status = "default", body = Problem)))]
pub(crate) async fn show(state: State, caller: Caller) -> Result<HttpResponse, Failure> {
    let now = state.now();
    let vitals = vitals::show(&state.fleet, caller.principal(), now).await?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, PROMETHEUS)).body(written(&vitals, now)))
}

/// Writes them all.
fn written(vitals: &Vitals, now: Instant) -> String {
    let Vitals {
        memory,
        backlog,
        connects,
        check_ins,
        refused,
        unavailable,
        quiet,
        pushes,
        mail_backlog,
        mails,
    } = vitals;
    let mut page = Page(String::new());
    page.timer("ardoise_connect_seconds", "How long tablets' connects took.", connects);
    page.timer("ardoise_check_in_seconds", "How long tablets' check-ins took.", check_ins);
    page.counter("ardoise_tablets_refused_total", "Messages of tablets that were refused.", *refused);
    page.counter(
        "ardoise_tablets_told_to_come_back_total",
        "Messages of tablets that were answered 503, because something of ours failed.",
        *unavailable,
    );
    page.timer(
        "ardoise_commit_wait_seconds",
        "How long what is committed together waited for it.",
        &memory.commits,
    );
    page.gauge(
        "ardoise_commit_queue",
        "What waits to be committed together: answers, enrolments, commands that people send.",
        memory.answers_waiting,
    );
    page.counter("ardoise_commit_batches_total", "Batches that shared a commit.", memory.batches);
    page.counter(
        "ardoise_commit_batches_retried_total",
        "Batches that failed and were written one by one.",
        memory.batches_retried,
    );
    page.counter(
        "ardoise_commit_panics_total",
        "Answers whose transaction panicked: defects.",
        memory.panics,
    );
    page.timer(
        "ardoise_look_seconds",
        "How long what is looked up together (connects, tokens) took.",
        &memory.looks,
    );
    page.counter("ardoise_look_batches_total", "Batches that were looked up together.", memory.look_batches);
    page.timer("ardoise_database_turn_seconds", "How long requests waited for a connection.", &memory.turns);
    page.counter(
        "ardoise_database_busy_total",
        "Requests that waited too long, and were told so.",
        memory.busy,
    );
    page.counter("ardoise_database_statements_total", "Statements that were sent.", memory.statements);
    page.counter(
        "ardoise_database_slow_statements_total",
        "Statements slower than half a second.",
        memory.slow_statements,
    );
    page.counter("ardoise_database_contended_total", "Transactions that were run again.", memory.contended);
    page.counter(
        "ardoise_database_lost_connections_total",
        "Connections that were lost and replaced.",
        memory.lost_links,
    );
    page.head("ardoise_push_due", "gauge", "Tablets that are to be pushed now, on all nodes.");
    page.line("ardoise_push_due", "{lane=\"answering\"}", backlog.answering);
    page.line("ardoise_push_due", "{lane=\"silent\"}", backlog.silent);
    let oldest = backlog.oldest_answering.map_or(0, |oldest| now.since(oldest).as_secs());
    page.gauge(
        "ardoise_push_oldest_due_seconds",
        "For how long the first tablet of those that answer has been due, on all nodes.",
        oldest,
    );
    page.gauge(
        "ardoise_push_tokens_invalid",
        "Tablets whose push token Apple refuses.",
        backlog.tokens_invalid,
    );
    page.counter(
        "ardoise_push_quiet_total",
        "Tablets that were put off to the end of the quiet hours.",
        *quiet,
    );
    page.head("ardoise_push_total", "counter", "Pushes, by what Apple said.");
    for (outcome, times) in [
        ("accepted", pushes.accepted),
        ("token-invalid", pushes.token_invalid),
        ("throttled", pushes.throttled),
        ("certificate-refused", pushes.certificate_refused),
        ("unavailable", pushes.unavailable),
        ("rejected", pushes.rejected),
    ] {
        page.line("ardoise_push_total", &format!("{{outcome=\"{outcome}\"}}"), times);
    }
    page.gauge("ardoise_mail_waiting", "Mails that wait to be sent, on all nodes.", mail_backlog.waiting);
    page.gauge(
        "ardoise_mail_oldest_waiting_seconds",
        "For how long the first mail that waits has waited, on all nodes.",
        mail_backlog.oldest.map_or(0, |oldest| now.since(oldest).as_secs()),
    );
    page.head("ardoise_mail_total", "counter", "Attempts to send a mail, by what became of them.");
    for (outcome, times) in [
        ("accepted", mails.accepted),
        ("refused", mails.refused),
        ("put-off", mails.put_off),
        ("unknown", mails.unknown),
    ] {
        page.line("ardoise_mail_total", &format!("{{outcome=\"{outcome}\"}}"), times);
    }
    page.0
}

struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail.
        let _written = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _written = writeln!(self.0, "{name}{labels} {value}");
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.line(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "gauge", help);
        self.line(name, "", value);
    }

    fn timer(&mut self, name: &str, help: &str, times: &Times) {
        self.head(name, "histogram", help);
        for (bound, within) in BUCKETS_MS.iter().zip(times.within) {
            let seconds = std::time::Duration::from_millis(*bound).as_secs_f64();
            self.line(&format!("{name}_bucket"), &format!("{{le=\"{seconds}\"}}"), within);
        }
        self.line(&format!("{name}_bucket"), "{le=\"+Inf\"}", times.count);
        self.line(&format!("{name}_sum"), "", times.sum.as_secs_f64());
        self.line(&format!("{name}_count"), "", times.count);
    }
}

#[cfg(test)]
mod tests {
    use types::meter::Timer;

    use super::*;

    #[test]
    fn a_timer_is_written_as_a_histogram() {
        let timer = Timer::new();
        timer.took(std::time::Duration::from_millis(20));
        let mut page = Page(String::new());
        page.timer("t_seconds", "How long.", &timer.read());
        assert!(page.0.starts_with("# HELP t_seconds How long.\n# TYPE t_seconds histogram\n"));
        assert!(
            page.0.contains("t_seconds_bucket{le=\"0.01\"} 0\nt_seconds_bucket{le=\"0.025\"} 1\n"),
            "{}",
            page.0
        );
        assert!(
            page.0.ends_with("t_seconds_bucket{le=\"+Inf\"} 1\nt_seconds_sum 0.02\nt_seconds_count 1\n"),
            "{}",
            page.0
        );
    }
}
