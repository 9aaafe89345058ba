//! The program: simulated tablets.
fn main() {}
