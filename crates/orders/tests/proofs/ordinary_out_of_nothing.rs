//! Nothing is ordinary before its type and content were looked at (M3, M4).

use apple::command::Command;
use orders::{Ordinary, Queueable};

pub fn queue(command: Command) -> Queueable {
    Queueable::Ordinary(Ordinary(command))
}

fn main() {}
