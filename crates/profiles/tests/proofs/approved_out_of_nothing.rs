//! An approval is not made by writing one down (C3.1.1).

use profiles::{Approved, Intent};
use types::ProfileVersionId;

pub fn approve(value: Intent, version: ProfileVersionId) -> Approved<Intent> {
    Approved { versions: vec![version], value }
}

fn main() {}
