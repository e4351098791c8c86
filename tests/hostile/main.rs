//! Modules that misbehave, against the program as its users run it: each is refused or stopped with an
//! exit status and words that an operator can act on, in bounded time and memory, and leaves nothing behind.
//!
//! A line of a table is an attack; the words are kept in `snapshots/`.

#![forbid(unsafe_code)]

mod attack;
mod behaviours;
mod database;
mod files;
mod handmade;
mod interrupts;
mod operator;
mod range;
mod repeated;
mod table;
mod target;
mod trees;
mod workers;
