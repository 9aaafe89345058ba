//! Floor 2: who holds a tablet and when it is erased.
