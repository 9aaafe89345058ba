//! Without its second person, what takes two cannot be written (C3.1.7, M5).
//!
//! Each case in `proofs/` that must not compile stands beside a twin that does, and that differs only by the
//! proof: `campaign.rs` and `campaign_without_a_second_person.rs`. The compiler's words are stored beside
//! each.

#[test]
fn nothing_that_takes_two_persons_is_done_without_the_second() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/proofs/campaign.rs");
    cases.compile_fail("tests/proofs/campaign_without_a_second_person.rs");
    cases.compile_fail("tests/proofs/signature_used_twice.rs");
    cases.compile_fail("tests/proofs/signature_out_of_nothing.rs");
    cases.pass("tests/proofs/right_to_approve.rs");
    cases.compile_fail("tests/proofs/right_to_approve_confirmed_by_an_id.rs");
    cases.pass("tests/proofs/act.rs");
    cases.compile_fail("tests/proofs/act_of_the_calendar.rs");
}
