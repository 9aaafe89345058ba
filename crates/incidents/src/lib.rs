//! Floor 2: whether a tablet may be lost-moded or located.
