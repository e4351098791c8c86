//! The functions that a module may call: those whose answer depends on their arguments alone, everywhere, and
//! that reach nothing else. What is not listed is refused.

const ALLOWED: &[&str] = &[
    // Values and text.
    "abs",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "format",
    "glob",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "length",
    "like",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "octet_length",
    "printf",
    "quote",
    "replace",
    "round",
    "rtrim",
    "sign",
    "soundex",
    "substr",
    "substring",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "unistr",
    "unistr_quote",
    "unlikely",
    "upper",
    "zeroblob",
    // What this connection did.
    "changes",
    "last_insert_rowid",
    "total_changes",
    // Times that are given; there is no present.
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "timediff",
    "unixepoch",
    // Aggregates and windows.
    "avg",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "group_concat",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    "string_agg",
    "sum",
    "total",
    // Documents.
    "->",
    "->>",
    "json",
    "json_array",
    "json_array_length",
    "json_error_position",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "jsonb",
    "jsonb_array",
    "jsonb_extract",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_insert",
    "jsonb_object",
    "jsonb_patch",
    "jsonb_remove",
    "jsonb_replace",
    "jsonb_set",
];

/// What depends on the moment or on chance; also forbidden in the expressions of a schema.
pub(super) const CLOCK_AND_CHANCE: [&std::ffi::CStr; 5] =
    [c"random", c"randomblob", c"current_date", c"current_time", c"current_timestamp"];

/// What takes the product of its arguments' lengths, or as long as a number says, whatever the limits are. SQLite cannot
/// be interrupted inside a function: on the target, where the run's own process would wait, these are refused.
const SLOW: &[&str] =
    &["format", "instr", "json_patch", "jsonb_patch", "ltrim", "printf", "replace", "rtrim", "trim", "unhex"];

/// On the target, bytes of a pattern of LIKE and GLOB, and how many of them a statement may have: the longest value
/// compared with the worst pattern takes a tenth of a second, and each of them cannot be interrupted either.
pub(super) const PATTERN_BYTES_MAX: i32 = 100;
pub(super) const MATCHES_MAX: usize = 20;

/// What SQLite calls to carry out an ALTER TABLE. Called by name it answers that there is no such function.
const ALTERATION: [&str; 7] = [
    "sqlite_drop_column",
    "sqlite_fail",
    "sqlite_rename_column",
    "sqlite_rename_quotefix",
    "sqlite_rename_table",
    "sqlite_rename_test",
    "sqlite_add_constraint",
];

/// Whether a module may call it.
pub(super) fn is_allowed(name: &str) -> bool {
    ALLOWED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether one call of it may take minutes.
pub(super) fn is_slow(name: &str) -> bool {
    SLOW.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether it compares a text with a pattern.
pub(super) fn is_match(name: &str) -> bool {
    ["like", "glob"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether it is one that an ALTER TABLE calls.
pub(super) fn is_alteration(name: &str) -> bool {
    ALTERATION.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether it depends on the moment or on chance.
pub(super) fn is_clock_or_chance(name: &str) -> bool {
    CLOCK_AND_CHANCE.iter().any(|known| known.to_str().is_ok_and(|known| known.eq_ignore_ascii_case(name)))
}
