//! Archives written, read, damaged and attacked, through the crate's public face.

#![forbid(unsafe_code)]

mod attack;
mod damage;
mod entry;
mod fixture;
mod round_trip;
mod writing;
