//! The sandbox by itself, with the module that misbehaves. One file a topic.

#![forbid(unsafe_code)]

mod cache;
mod calls;
mod fixture;
mod parameters;
mod stopping;
