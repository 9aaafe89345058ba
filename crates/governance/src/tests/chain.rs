//! The audit chain (T-C20): whatever is done to it afterwards is found, and what may be done is not.

use proptest::prelude::*;
use types::{Digest, Instant};

use super::world::*;
use crate::chain::{
    Anchor, Body, Finding, PATIENCE, Remark, Report, Row, Seal, Verifier, body_digest, verify,
};

/// A log of batches that were sealed a minute apart, each of so many rows.
#[derive(Debug, Clone)]
struct Log {
    rows: Vec<Row>,
    seals: Vec<Seal>,
}

fn row(seq: i64, at: Instant) -> Row {
    let salt = Digest::of(&seq.to_be_bytes()).as_bytes().get(..16).unwrap().to_vec();
    let reason = (seq % 3 != 0).then(|| format!("because of {seq}"));
    let detail = (seq % 2 == 0).then(|| format!("{{\"number\":{seq}}}"));
    Row {
        seq,
        id: format!("0190{seq:04}"),
        at,
        actor: "account:1".to_owned(),
        action: "command.send".to_owned(),
        tablet: (seq % 2 == 1).then(|| format!("tablet {seq}")),
        enrolment: (seq % 5 == 1).then(|| "enrolment".to_owned()),
        order: (seq % 7 == 1).then(String::new),
        body_digest: Some(body_digest(&salt, reason.as_deref(), detail.as_deref())),
        body: Body::Kept { salt, reason, detail },
        seal_number: None,
    }
}

impl Log {
    fn of(batches: &[usize]) -> Self {
        let mut log = Self { rows: Vec::new(), seals: Vec::new() };
        // Numbers that a rolled back transaction took are missing: 5, 10, …
        let mut seqs = (1_i64..).filter(|seq| seq % 5 != 0);
        for (batch, count) in batches.iter().enumerate() {
            let at = now().plus(MINUTE * u32::try_from(batch).unwrap());
            let rows: Vec<_> = seqs.by_ref().take(*count).map(|seq| row(seq, at)).collect();
            log.seal(rows, at);
        }
        log
    }

    fn seal(&mut self, rows: Vec<Row>, at: Instant) {
        let seal = Seal::next(self.seals.last(), &rows, at).unwrap().unwrap();
        self.rows.extend(rows.into_iter().map(|row| Row { seal_number: Some(seal.number), ..row }));
        self.seals.push(seal);
    }

    fn end(&self) -> Instant {
        self.seals.last().unwrap().at
    }

    fn verify(&self, anchors: &[Anchor]) -> Report {
        verify(&self.seals, &self.rows, anchors, self.end().plus(MINUTE))
    }

    fn anchor(&self) -> Anchor {
        self.seals.last().unwrap().anchor()
    }
}

fn whole(log: &Log) {
    let report = log.verify(&[log.anchor()]);
    assert_eq!((report.findings.as_slice(), report.remarks.as_slice()), (&[][..], &[][..]));
    assert!(report.is_whole());
    assert_eq!(report.last, Some(log.anchor()));
}

#[test]
fn a_log_that_nobody_touched_is_whole() {
    whole(&Log::of(&[1]));
    whole(&Log::of(&[3, 1, 12, 1, 5]));
    let nothing = verify(&[], &[], &[], now());
    assert_eq!((nothing.is_whole(), nothing.last), (true, None));
    assert_eq!(Seal::next(None, &[], now()), Ok(None), "there is nothing to seal");
}

#[test]
fn the_digests_are_those_that_were_computed_first() {
    // Worked out by another program from the words of this room. What is stored for years must verify for
    // years.
    let log = Log::of(&[2, 1]);
    assert_eq!(
        log.rows[0].body_digest.unwrap().to_string(),
        "d834d96ca58d31a7855105c694dc0cf8631fc8c3ce9bc11b35de451da41baf51"
    );
    assert_eq!(
        log.rows[0].digest().unwrap().to_string(),
        "d0803472532a5953142d58b389ea91a220719a627ae7ce7d3e4a5d06c6adb0e4"
    );
    assert_eq!(
        log.anchor().to_string(),
        "2:0e3af96e2ccf525c0379be44e696e6d6e0df5e20a13c7377c6a29523b462e5dd"
    );
}

#[test]
fn nothing_is_not_the_empty_text_and_fields_do_not_run_together() {
    let salt = [0; 16];
    let digests = [
        body_digest(&salt, None, None),
        body_digest(&salt, Some(""), None),
        body_digest(&salt, None, Some("")),
        body_digest(&salt, Some("ab"), Some("c")),
        body_digest(&salt, Some("a"), Some("bc")),
        body_digest(&[0; 15], None, None),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.iter().collect();
    assert_eq!(distinct.len(), digests.len());
}

#[test]
fn t_c20_a_purged_body_is_no_finding_and_a_half_purged_one_is() {
    let mut log = Log::of(&[3, 4]);
    log.rows[1].body = Body::from_columns(None, None, None);
    log.rows[5].body = Body::Purged;
    whole(&log);
    assert_eq!(log.verify(&[]).purged, 2);

    // The salt is gone, and a reason stands there that nobody can check any more.
    log.rows[1].body = Body::from_columns(None, Some("because".to_owned()), None);
    assert_eq!(log.verify(&[]).findings, [Finding::HalfPurged { seq: log.rows[1].seq }]);
    // What was purged is not written anew.
    log.rows[1].body = Body::from_columns(Some(vec![0; 16]), Some("because".to_owned()), None);
    assert_eq!(log.verify(&[]).findings, [Finding::BodyEdited { seq: log.rows[1].seq }]);
}

#[test]
fn t_c20_an_end_that_was_cut_off_is_found_by_an_anchor() {
    let whole = Log::of(&[2, 3, 4]);
    let anchor = whole.anchor();
    let mut cut = whole.clone();
    cut.seals.pop();
    cut.rows.retain(|row| row.seal_number != Some(3));
    assert!(cut.verify(&[]).is_whole(), "without an anchor, nobody can know");
    assert_eq!(cut.verify(&[anchor]).findings, [Finding::AnchorMissing { anchor }]);
    // Cut off and grown again: the number is there, and is another seal.
    let at = cut.end().plus(MINUTE);
    cut.seal(vec![row(99, at)], at);
    let differs = Finding::AnchorDiffers { anchor, found: cut.anchor().digest };
    assert_eq!(cut.verify(&[anchor]).findings, [differs]);
}

#[test]
fn t_c20_a_chain_that_was_computed_anew_is_found_by_any_anchor_from_there_on() {
    let honest = Log::of(&[2, 3, 4, 1]);
    let mut forged = Log { rows: Vec::new(), seals: Vec::new() };
    for seal in &honest.seals {
        let mut rows: Vec<_> =
            honest.rows.iter().filter(|row| row.seal_number == Some(seal.number)).cloned().collect();
        if seal.number == 2 {
            rows[0].actor = "account:2".to_owned();
        }
        forged.seal(rows, seal.at);
    }
    assert!(forged.verify(&[]).is_whole(), "whoever owns the database can do this");
    let found_by = |seal: &Seal| !forged.verify(&[seal.anchor()]).is_whole();
    assert_eq!(honest.seals.iter().map(found_by).collect::<Vec<_>>(), [false, true, true, true]);
}

#[test]
fn t_c20_a_seal_that_says_it_binds_other_numbers_than_it_does_is_found() {
    let mut log = Log::of(&[2, 3]);
    let seal = log.seals.last_mut().unwrap();
    (seal.first_seq, seal.last_seq) = (seal.first_seq - 1, seal.last_seq + 1);
    seal.digest = seal.computed();
    assert!(matches!(log.verify(&[]).findings.as_slice(), [Finding::RowsEdited { number: 2, .. }]));
}

#[test]
fn a_row_that_commits_late_is_bound_by_a_later_seal() {
    let mut log = Log::of(&[2, 2]);
    // Number 5 was taken before 6 and committed after it.
    let at = log.end().plus(MINUTE);
    log.seal(vec![row(5, log.end().minus(MINUTE)), row(8, at)], at);
    whole(&log);
}

#[test]
fn t_c20_a_row_put_in_among_older_ones_is_found_whether_it_is_sealed_or_not() {
    let log = Log::of(&[4, 4]);
    let later = log.end().plus(DAY);
    let put_in = Finding::PutIn { seq: 5, at: later, sealed: log.end() };

    // Dated today, with a number of yesterday.
    let mut unsealed = log.clone();
    unsealed.rows.push(row(5, later));
    assert_eq!(verify(&unsealed.seals, &unsealed.rows, &[], later).findings, std::slice::from_ref(&put_in));
    let mut sealed = log.clone();
    sealed.seal(vec![row(5, later)], later);
    assert_eq!(sealed.verify(&[]).findings, [put_in]);

    // Dated yesterday: nobody had sealed it yet, or whoever sealed since did not see it.
    let backdated = row(5, log.end());
    let mut unsealed = log.clone();
    unsealed.rows.push(backdated.clone());
    let found = verify(&unsealed.seals, &unsealed.rows, &[], later).findings;
    assert_eq!(found, [Finding::Unsealed { seq: 5, at: log.end() }]);
    let mut sealed = log.clone();
    sealed.seal(vec![row(11, later.minus(MINUTE))], later.minus(MINUTE));
    sealed.seal(vec![backdated, row(12, later)], later);
    let put_in = Finding::PutIn { seq: 5, at: log.end(), sealed: later.minus(MINUTE) };
    assert_eq!(sealed.verify(&[]).findings, [put_in]);
}

#[test]
fn a_sealer_that_stood_still_and_a_clock_that_was_set_back_are_told_and_break_nothing() {
    let mut log = Log::of(&[2]);
    let (before, after) = (log.end().plus(MINUTE), log.end().plus(DAY));
    log.seal(vec![row(6, before), row(7, after)], after);
    let report = log.verify(&[]);
    assert!(report.is_whole());
    assert_eq!(report.remarks, [Remark::SealedLate { number: 2, oldest: before, at: after }]);

    let back = after.minus(HOUR);
    log.seal(vec![row(8, back)], back);
    let report = log.verify(&[]);
    assert_eq!(report.findings, []);
    assert_eq!(report.remarks[1], Remark::ClockSetBack { number: 3, at: back, after });
}

#[test]
fn a_row_of_a_program_that_knew_no_digests_waits_for_its_own_and_is_not_sealed_without() {
    let mut log = Log::of(&[2]);
    let old = Row { body_digest: None, ..row(9, log.end()) };
    let refused = Seal::next(log.seals.last(), std::slice::from_ref(&old), log.end()).unwrap_err();
    assert!(refused.to_string().contains("audit entry 9"));
    log.rows.push(Row { body: Body::HalfPurged, ..old });
    assert!(log.verify(&[]).is_whole());
    // A sealed row whose digest is gone is another matter.
    log.rows[0].body_digest = None;
    assert!(!log.verify(&[]).is_whole());
}

#[test]
fn rows_wait_for_their_seal_for_a_while() {
    let mut log = Log::of(&[2]);
    let at = log.end().plus(MINUTE);
    log.rows.push(row(9, at));
    let report = verify(&log.seals, &log.rows, &[], at.plus(PATIENCE));
    assert_eq!((report.is_whole(), report.unsealed, report.rows), (true, 1, 3));
    let late = verify(&log.seals, &log.rows, &[], at.plus(PATIENCE).plus(MILLISECOND));
    assert_eq!(late.findings, [Finding::Unsealed { seq: 9, at }]);
}

#[test]
fn a_long_log_is_verified_seal_by_seal() {
    let log = Log::of(&[3, 2, 4]);
    let mut verifier = Verifier::new(&[log.anchor()]);
    for seal in &log.seals {
        let rows: Vec<_> =
            log.rows.iter().filter(|row| row.seal_number == Some(seal.number)).rev().cloned().collect();
        verifier.seal(seal, &rows);
    }
    assert_eq!(verifier.finish(), log.verify(&[log.anchor()]));
}

#[test]
fn an_anchor_reads_back_from_its_text() {
    let anchor = Log::of(&[1]).anchor();
    assert_eq!(anchor.to_string().parse(), Ok(anchor));
    assert_eq!(format!(" {anchor}\n").parse(), Ok(anchor));
    for bad in ["", "1", "1:", "0:00", "x:00", &format!("-1:{}", anchor.digest)] {
        assert!(bad.parse::<Anchor>().is_err(), "{bad}");
    }
}

#[test]
fn findings_say_in_words_where_to_look() {
    let mut log = Log::of(&[2, 3]);
    log.rows[3].actor.push('x');
    let report = log.verify(&[]);
    assert_eq!(
        report.findings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["a row between 3 and 6, under seal 2, was edited, removed or put in"]
    );
}

/// Changes one byte, so that it stays a text.
fn spoil(text: &mut String, at: usize) {
    let mut bytes = std::mem::take(text).into_bytes();
    match bytes.len() {
        0 => bytes.push(b'x'),
        length => bytes[at % length] ^= 1,
    }
    *text = String::from_utf8(bytes).unwrap();
}

fn spoil_digest(digest: &mut Digest, at: usize) {
    let mut bytes = *digest.as_bytes();
    bytes[at % 32] ^= 1 << (at % 8);
    *digest = Digest::from(bytes);
}

fn spoil_optional(text: &mut Option<String>, at: usize) {
    match text {
        Some(text) => spoil(text, at),
        None => *text = Some(String::new()),
    }
}

fn spoil_number(number: &mut i64, at: usize) {
    *number ^= 1 << (at % 63);
}

fn spoil_row(row: &mut Row, field: usize, at: usize) {
    let mut millis = row.at.as_millis();
    match field {
        0 => spoil_number(&mut row.seq, at),
        1 => spoil(&mut row.id, at),
        2 => {
            spoil_number(&mut millis, at);
            row.at = Instant::from_millis(millis);
        }
        3 => spoil(&mut row.actor, at),
        4 => spoil(&mut row.action, at),
        5 => spoil_optional(&mut row.tablet, at),
        6 => spoil_optional(&mut row.enrolment, at),
        7 => spoil_optional(&mut row.order, at),
        8 => spoil_digest(row.body_digest.as_mut().unwrap(), at),
        9 => {
            let mut number = row.seal_number.unwrap();
            spoil_number(&mut number, at);
            row.seal_number = at.is_multiple_of(2).then_some(number);
        }
        _ => {
            let Body::Kept { salt, reason, detail } = &mut row.body else { panic!("every body was kept") };
            match field {
                10 => {
                    let index = at % salt.len();
                    salt[index] ^= 1;
                }
                11 => spoil_optional(reason, at),
                _ => spoil_optional(detail, at),
            }
        }
    }
}

fn spoil_seal(seal: &mut Seal, field: usize, at: usize) {
    let mut millis = seal.at.as_millis();
    match field {
        0 => spoil_number(&mut seal.number, at),
        1 => seal.row_count ^= 1 << (at % 32),
        2 => spoil_number(&mut seal.first_seq, at),
        3 => spoil_number(&mut seal.last_seq, at),
        4 => spoil_digest(&mut seal.root, at),
        5 => spoil_digest(&mut seal.previous, at),
        6 => spoil_digest(&mut seal.digest, at),
        _ => {
            spoil_number(&mut millis, at);
            seal.at = Instant::from_millis(millis);
        }
    }
}

fn logs() -> impl Strategy<Value = Log> {
    prop::collection::vec(1_usize..6, 1..6).prop_map(|batches| Log::of(&batches))
}

proptest! {
    #[test]
    fn t_c20_one_byte_changed_in_any_field_of_any_row_is_found(
        log in logs(), which in any::<prop::sample::Index>(), field in 0_usize..13, at in any::<usize>(),
    ) {
        let mut edited = log.clone();
        spoil_row(which.get_mut(&mut edited.rows), field, at);
        prop_assert_ne!(&edited.rows, &log.rows);
        let report = verify(&edited.seals, &edited.rows, &[], log.end().plus(DAY));
        prop_assert!(!report.is_whole(), "field {}", field);
    }

    #[test]
    fn t_c20_one_byte_changed_in_any_field_of_any_seal_is_found(
        log in logs(), which in any::<prop::sample::Index>(), field in 0_usize..8, at in any::<usize>(),
    ) {
        let mut edited = log.clone();
        spoil_seal(which.get_mut(&mut edited.seals), field, at);
        prop_assert_ne!(&edited.seals, &log.seals);
        prop_assert!(!edited.verify(&[]).is_whole(), "field {}", field);
    }

    #[test]
    fn t_c20_any_row_removed_is_found(log in logs(), which in any::<prop::sample::Index>()) {
        let mut edited = log.clone();
        edited.rows.remove(which.index(log.rows.len()));
        prop_assert!(!edited.verify(&[]).is_whole());
    }

    #[test]
    fn t_c20_any_seal_removed_before_the_last_is_found_with_its_rows_or_without(
        log in logs(), which in any::<prop::sample::Index>(), with_rows in any::<bool>(),
    ) {
        prop_assume!(log.seals.len() > 1);
        let mut edited = log.clone();
        let seal = edited.seals.remove(which.index(log.seals.len() - 1));
        if with_rows {
            edited.rows.retain(|row| row.seal_number != Some(seal.number));
        }
        prop_assert!(!edited.verify(&[]).is_whole());
    }

    #[test]
    fn t_c20_two_rows_whose_contents_were_swapped_are_found(
        log in logs(), one in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let (one, other) = (one.index(log.rows.len()), other.index(log.rows.len()));
        prop_assume!(one != other);
        let mut edited = log.clone();
        edited.rows.swap(one, other);
        for (now, before) in edited.rows.iter_mut().zip(&log.rows) {
            (now.seq, now.seal_number) = (before.seq, before.seal_number);
        }
        prop_assert!(!edited.verify(&[]).is_whole());
    }

    /// With whatever number, date and seal a row is put in: it is found at once, or once a row may no longer
    /// wait.
    #[test]
    fn t_c20_any_row_put_in_is_found(
        log in logs(), seq in 1_i64..40, ago in 0_u32..6, seal in prop::option::of(1_i64..8),
    ) {
        let mut edited = log.clone();
        let honest = row(seq, log.end().minus(MINUTE * ago));
        let forged = Row { seal_number: seal, id: "forged".to_owned(), ..honest };
        edited.rows.push(forged);
        let report = verify(&edited.seals, &edited.rows, &[log.anchor()], log.end().plus(DAY));
        prop_assert!(!report.is_whole());
    }

    #[test]
    fn t_c20_purging_any_bodies_leaves_the_chain_whole(
        log in logs(), purged in prop::collection::vec(any::<bool>(), 25),
    ) {
        let mut purged_log = log.clone();
        for (row, purge) in purged_log.rows.iter_mut().zip(purged) {
            if purge {
                row.body = Body::Purged;
            }
        }
        let report = purged_log.verify(&[log.anchor()]);
        prop_assert!(report.is_whole());
        let count = purged_log.rows.iter().filter(|row| row.body == Body::Purged).count();
        prop_assert_eq!(report.purged, u64::try_from(count).unwrap());
    }

    #[test]
    fn t_c20_any_truncated_tail_is_found_with_an_anchor(log in logs(), keep in any::<prop::sample::Index>()) {
        let keep = keep.index(log.seals.len());
        let mut cut = log.clone();
        cut.seals.truncate(keep);
        let last = cut.seals.last().map(|seal| seal.number);
        cut.rows.retain(|row| row.seal_number <= last);
        let report = verify(&cut.seals, &cut.rows, &[log.anchor()], log.end().plus(MINUTE));
        prop_assert_eq!(report.findings, [Finding::AnchorMissing { anchor: log.anchor() }]);
    }
}
