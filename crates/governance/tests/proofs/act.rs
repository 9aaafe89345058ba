//! What destroys counts against an account (M5).

use governance::brake::{Act, What};
use types::{AccountId, Uai};

pub fn act(account: AccountId, college: Option<Uai>) -> Act {
    Act { what: What::Erasure, account, college }
}

fn main() {}
