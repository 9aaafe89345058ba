//! Floor 6: the tablets' door.
