//! Floor 6: the people's door.
