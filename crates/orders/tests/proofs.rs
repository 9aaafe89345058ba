//! Without its proof, the dangerous thing cannot be written (M6).
//!
//! Each case in `proofs/` that must not compile stands beside a twin that does, and that differs only by the
//! proof: `erase.rs` and `erase_without_its_order.rs`. The compiler's words are stored beside each.

#[test]
fn nothing_dangerous_is_made_without_its_proof() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/proofs/erase.rs");
    cases.compile_fail("tests/proofs/erase_without_its_order.rs");
    cases.compile_fail("tests/proofs/erase_order_out_of_nothing.rs");
    cases.compile_fail("tests/proofs/erase_by_a_decision_alone.rs");
    cases.pass("tests/proofs/locate.rs");
    cases.compile_fail("tests/proofs/locate_without_its_warrant.rs");
    cases.compile_fail("tests/proofs/warrant_out_of_nothing.rs");
    cases.pass("tests/proofs/lost_mode.rs");
    cases.compile_fail("tests/proofs/lost_mode_without_an_incident.rs");
    cases.pass("tests/proofs/unenrol.rs");
    cases.compile_fail("tests/proofs/unenrol_without_its_end.rs");
    cases.compile_fail("tests/proofs/ordinary_out_of_nothing.rs");
}
