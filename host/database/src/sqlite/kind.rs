//! Declared types as portable kinds, and back.

use godwit_model::{Column, Kind};

/// The kind that a declared type stands for. Names that say what is meant (`BOOLEAN`, `DATE`)
/// come before SQLite's rules of affinity, <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
pub(super) fn kind_of(declared: &str, strict: bool) -> Kind {
    let upper = declared.to_ascii_uppercase();
    let base = upper.split('(').next().unwrap_or_default().trim();
    by_name(base, strict).unwrap_or_else(|| by_affinity(&upper))
}

fn by_name(base: &str, strict: bool) -> Option<Kind> {
    Some(match base {
        "" => Kind::Any,
        "ANY" if strict => Kind::Any,
        "JSON" | "JSONB" => Kind::Json,
        "DATE" => Kind::Date,
        "TIME" => Kind::Time,
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" | "DATETIMEOFFSET" => Kind::Timestamptz,
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" => Kind::Uuid,
        "INTERVAL" => Kind::Native,
        _ if base.starts_with("BOOL") => Kind::Boolean,
        _ if base.starts_with("DATETIME") || base.starts_with("TIMESTAMP") => Kind::Timestamp,
        _ if base.starts_with("DECIMAL") || base.starts_with("NUMERIC") => Kind::Decimal,
        _ => return None,
    })
}

fn by_affinity(upper: &str) -> Kind {
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    match () {
        () if has(&["INT"]) => Kind::Int64,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Kind::Text,
        () if has(&["BLOB"]) => Kind::Bytes,
        () if has(&["REAL", "FLOA", "DOUB"]) => Kind::Float64,
        () => Kind::Native,
    }
}

/// The type to declare for a column that has none of SQLite's own.
///
/// Dates and times keep their names: under the NUMERIC affinity that these have, ISO 8601 texts stay
/// texts and numbers stay numbers, and the next backup sees the same kind. Decimals and UUIDs are TEXT,
/// so that one made of digits alone is not taken for a number.
pub(super) fn declared_type(column: &Column, strict: bool) -> &'static str {
    if strict { strict_type(column) } else { loose_type(column) }
}

fn loose_type(column: &Column) -> &'static str {
    match column.kind {
        _ if column.array => "JSON",
        Kind::Boolean => "BOOLEAN",
        Kind::Int16 | Kind::Int32 | Kind::Int64 => "INTEGER",
        Kind::Float32 | Kind::Float64 => "REAL",
        Kind::Decimal | Kind::Text | Kind::Interval | Kind::Uuid => "TEXT",
        Kind::Bytes => "BLOB",
        Kind::Date => "DATE",
        Kind::Time => "TIME",
        Kind::Timestamp => "TIMESTAMP",
        Kind::Timestamptz => "TIMESTAMPTZ",
        Kind::Json => "JSON",
        Kind::Any | Kind::Native => "",
    }
}

fn strict_type(column: &Column) -> &'static str {
    match column.kind {
        _ if column.array => "TEXT",
        Kind::Boolean | Kind::Int16 | Kind::Int32 | Kind::Int64 => "INTEGER",
        Kind::Float32 | Kind::Float64 => "REAL",
        Kind::Bytes => "BLOB",
        Kind::Any | Kind::Native => "ANY",
        _ => "TEXT",
    }
}

/// Whether a column of a declared type keeps a text of digits as the text that it is: SQLite makes a number of it
/// where the affinity is neither TEXT nor BLOB.
pub(super) fn keeps_digits(declared: &str) -> bool {
    let upper = declared.trim().to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    !has(&["INT"]) && (upper.is_empty() || upper == "ANY" || has(&["CHAR", "CLOB", "TEXT", "BLOB"]))
}

/// Whether a STRICT table takes a declared type.
pub(super) fn is_strict_type(declared: &str) -> bool {
    ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"].iter().any(|name| declared.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_common_declaration_has_its_kind() {
        let cases = [
            ("", Kind::Any),
            ("BOOLEAN", Kind::Boolean),
            ("bool", Kind::Boolean),
            ("INTEGER", Kind::Int64),
            ("unsigned big int", Kind::Int64),
            ("VARCHAR(255)", Kind::Text),
            ("NVARCHAR (20)", Kind::Text),
            ("BLOB", Kind::Bytes),
            ("DOUBLE PRECISION", Kind::Float64),
            ("FLOAT", Kind::Float64),
            ("JSON", Kind::Json),
            ("JSONB", Kind::Json),
            ("DECIMAL(10,2)", Kind::Decimal),
            ("NUMERIC", Kind::Decimal),
            ("DATE", Kind::Date),
            ("TIME", Kind::Time),
            ("DATETIME", Kind::Timestamp),
            ("TIMESTAMP", Kind::Timestamp),
            ("TIMESTAMPTZ", Kind::Timestamptz),
            ("UUID", Kind::Uuid),
            ("INTERVAL", Kind::Native),
            ("STRING", Kind::Native),
            ("ANY", Kind::Native),
        ];
        for (declared, expected) in cases {
            assert_eq!(kind_of(declared, false), expected, "{declared:?}");
        }
        assert_eq!(kind_of("ANY", true), Kind::Any);
    }

    #[test]
    fn digits_are_kept_as_text_under_the_affinities_of_text_and_blob() {
        for declared in ["TEXT", "varchar(20)", "", "BLOB", "CLOB"] {
            assert!(keeps_digits(declared), "{declared:?}");
        }
        for declared in ["NUMERIC", "DECIMAL(20,2)", "INTEGER", "REAL", "DOUBLE", "POINT", "CHARINT"] {
            assert!(!keeps_digits(declared), "{declared:?}");
        }
    }
}
