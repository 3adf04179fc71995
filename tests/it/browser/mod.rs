//! What a visitor lives through, in a real browser. `tests/run --fast` leaves these out.

mod accessible;
mod cards;
mod changes;
mod delays;
mod doorstep;
mod driving;
mod interest;
mod paying;
mod stories;
mod waiting;
