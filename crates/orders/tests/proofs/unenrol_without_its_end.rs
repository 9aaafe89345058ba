//! The facts of a row are not yet the proof (M4).

use lending::RecordedEnd;
use orders::Queueable;

pub fn unenrol(end: RecordedEnd) -> Queueable {
    Queueable::Unenrol(end)
}

fn main() {}
