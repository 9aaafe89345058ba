//! Rounds over a real database, beside a push service that answers as told.
