//! JSON lines into rows: each value is bound straight from its place in the line.

use std::ops::Range;

use godwit_model::records::{self, skip_value};
use godwit_model::{Collection, Fault};

use super::encoding::{self, Style, write_string};
use super::error::{DatabaseError, SqliteError};
use super::raw::{Handle, Value};
use super::words::{quote, quote_all};

/// What is known of a collection before its first record.
pub(super) struct Layout {
    name: String,
    insert: String,
    columns: Vec<Field>,
    key: Vec<usize>,
    /// Records written so far, over all chunks.
    written: u64,
}

struct Field {
    name: String,
    /// `{"a":`, `,"b":`, …
    prefix: Vec<u8>,
    style: Style,
    /// Whether it has a place in the table.
    kept: bool,
}

type Problem = (Option<usize>, String);

impl Layout {
    pub(super) fn of(collection: &Collection) -> Self {
        Self::of_some(collection, &|_| true)
    }

    /// Of a table that has only some of the columns.
    pub(super) fn of_some(collection: &Collection, keeps: &dyn Fn(&str) -> bool) -> Self {
        let columns: Vec<Field> =
            collection.stored_columns().enumerate().map(|column| Field::of(column, keeps(&column.1.name))).collect();
        let kept: Vec<_> = columns.iter().filter(|column| column.kept).map(|column| column.name.as_str()).collect();
        let places = (1..=kept.len()).map(|i| format!("?{i}")).collect::<Vec<_>>().join(",");
        let names = quote_all(kept);
        Self {
            insert: format!("INSERT INTO {}({names}) VALUES({places})", quote(collection.name.as_str())),
            key: records::positions(collection, &collection.primary_key).unwrap_or_default(),
            name: collection.name.to_string(),
            written: 0,
            columns,
        }
    }

    /// Inserts the records of a chunk.
    pub(super) fn insert(
        &mut self,
        handle: &Handle<'_>,
        lines: &[u8],
        wide: bool,
        failed: &impl Fn(SqliteError) -> Fault,
    ) -> Result<(), Fault> {
        let lines = std::str::from_utf8(lines)
            .map_err(|_| self.fault(b"", (None, "or one after it is not UTF-8".to_owned())))?;
        if !lines.is_empty() && !lines.ends_with('\n') {
            return Err(self.fault(b"", (None, "or one after it is not ended by a line feed".to_owned())));
        }
        let mut statement = handle.prepare(&self.insert).map_err(failed)?.wide(wide);
        let mut row = Vec::with_capacity(self.columns.len());
        for line in lines.as_bytes().split_inclusive(|&byte| byte == b'\n') {
            let line = &line[..line.len() - 1];
            self.read(line, wide, &mut row).map_err(|problem| self.fault(line, problem))?;
            let judge = |error: SqliteError| if error.is_system() { failed(error) } else { self.refused(line, error) };
            statement.execute(&row).map_err(judge)?;
            self.written += 1;
        }
        Ok(())
    }

    /// Reads a line's values into `row`.
    fn read<'l>(&self, line: &'l [u8], wide: bool, row: &mut Vec<Value<'l>>) -> Result<(), Problem> {
        row.clear();
        let mut at = 0;
        for (i, column) in self.columns.iter().enumerate() {
            let span = column.find(line, at).map_err(|problem| (Some(i), problem))?;
            at = span.end;
            if !column.kept {
                continue;
            }
            let value = encoding::read(&line[span], column.style).map_err(|problem| (Some(i), problem))?;
            if wide && matches!(&value, Value::Text(text) if std::str::from_utf8(text).is_err()) {
                return Err((Some(i), "is not UTF-8, which a database in UTF-16 cannot hold".to_owned()));
            }
            row.push(value);
        }
        match &line[at..] {
            b"}" => Ok(()),
            _ => Err((None, "has more than the collection's columns".to_owned())),
        }
    }

    fn fault(&self, line: &[u8], (column, problem): Problem) -> Fault {
        Fault::damaged(self.error(line, column, problem))
    }

    /// A constraint or a type of the table: the data does not fit the schema.
    fn refused(&self, line: &[u8], error: SqliteError) -> Fault {
        Fault::system(self.error(line, None, error.message))
    }

    fn error(&self, line: &[u8], column: Option<usize>, problem: String) -> DatabaseError {
        let column = column.map(|i| self.columns[i].name.clone());
        let (collection, record, key) = (self.name.clone(), self.written, self.key_of(line));
        DatabaseError::Record { collection, record, key, column, problem }
    }

    fn key_of(&self, line: &[u8]) -> Option<String> {
        let mut spans: Vec<Range<usize>> = vec![];
        for column in &self.columns {
            let at = spans.last().map_or(0, |span| span.end);
            match column.find(line, at) {
                Ok(span) => spans.push(span),
                Err(_) => break,
            }
        }
        let parts: Option<Vec<_>> =
            self.key.iter().map(|&i| Some(records::excerpt(&line[spans.get(i)?.clone()]))).collect();
        parts.map(|parts| parts.join(",")).filter(|key| !key.is_empty())
    }
}

impl Field {
    fn of((i, column): (usize, &godwit_model::Column), kept: bool) -> Self {
        let mut prefix = vec![if i == 0 { b'{' } else { b',' }];
        write_string(&mut prefix, &column.name);
        prefix.push(b':');
        Self { name: column.name.clone(), prefix, style: Style::of(column), kept }
    }

    /// Where the column's value is, if the column comes at `at`.
    fn find(&self, line: &[u8], at: usize) -> Result<Range<usize>, String> {
        if !line[at..].starts_with(&self.prefix) {
            return Err("is missing, or not at its place in the order of columns".to_owned());
        }
        skip_value(line, at + self.prefix.len()).map_err(|error| error.to_string())
    }
}
