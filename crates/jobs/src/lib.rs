//! Floor 6: the calendar and the messengers.
