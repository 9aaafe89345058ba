//! An unenrolment rests on the recorded end of the enrolment (M4).

use lending::EnrolmentEnd;
use orders::Queueable;

pub fn unenrol(end: EnrolmentEnd) -> Queueable {
    Queueable::Unenrol(end)
}

fn main() {}
