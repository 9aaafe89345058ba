//! Lending: who may be lent a tablet, under which agreement, who holds which, and how it comes back (art. 4, 5 and 9).
