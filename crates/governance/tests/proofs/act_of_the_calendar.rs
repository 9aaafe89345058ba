//! What destroys never counts against the calendar (M5).

use governance::brake::{Act, What};
use types::{Actor, Uai};

pub fn act(account: Actor, college: Option<Uai>) -> Act {
    Act { what: What::Erasure, account, college }
}

fn main() {}
