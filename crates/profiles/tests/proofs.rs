//! Nothing is written for a real tablet that was not approved (C3.1.1).
//!
//! Each case in `proofs/` that must not compile stands beside a twin that does, and that differs only by the proof. The
//! compiler's words are stored beside each.

#[test]
fn c3_1_1_nothing_is_written_for_a_tablet_that_was_not_approved() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/proofs/rendered.rs");
    cases.compile_fail("tests/proofs/rendered_unapproved.rs");
    cases.compile_fail("tests/proofs/approved_out_of_nothing.rs");
}
