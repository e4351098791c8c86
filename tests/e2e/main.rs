//! The program from end to end, as its users run it. One file a topic.

#![forbid(unsafe_code)]

mod bad_input;
mod capabilities;
mod chinook;
mod command_line;
mod damage;
mod demo;
mod dry_run;
mod full_disk;
mod golden;
mod grants;
mod interrupted;
mod killed;
mod languages;
mod left_behind;
mod locked;
mod parameters;
mod readable;
mod references;
mod signatures;
mod story;
mod untouched;
mod version_rule;
mod while_writing;
