//! `CREATE TABLE` for a collection that has no definition of its own.

use godwit_model::{Collection, Column, Default, Kind, Reference};

use super::catalog::{ROWID_OPTION, STORED_OPTION};
use super::encoding::{self, Style};
use super::kind::{declared_type, is_strict_type};
use super::raw::Value;
use super::words::{TokenKind, is_closed, literal, quote, quote_all, tokens};

/// Words that would end a type name and begin a constraint.
const CONSTRAINT_WORDS: [&str; 12] = [
    "constraint",
    "primary",
    "not",
    "null",
    "unique",
    "check",
    "default",
    "collate",
    "references",
    "generated",
    "as",
    "on",
];

const ACTIONS: [&str; 5] = ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"];

/// Writes the definition.
///
/// # Errors
/// What cannot be written, in words.
pub(super) fn create_table(collection: &Collection) -> Result<String, String> {
    let writer = Writer::of(collection);
    let columns = writer.own_columns().map(|column| writer.column(column));
    let mut parts = columns.collect::<Result<Vec<_>, _>>()?;
    parts.extend(writer.primary_key());
    parts.extend(collection.unique.iter().map(|key| format!("UNIQUE ({})", names(key))));
    for reference in &collection.references {
        parts.push(foreign_key(reference)?);
    }
    Ok(format!("CREATE TABLE {} ({}){}", quote(collection.name.as_str()), parts.join(", "), writer.suffix()))
}

fn names(names: &[String]) -> String {
    quote_all(names.iter().map(String::as_str))
}

struct Writer<'a> {
    collection: &'a Collection,
    strict: bool,
    without_rowid: bool,
    autoincrement: bool,
}

impl<'a> Writer<'a> {
    fn of(collection: &'a Collection) -> Self {
        let has = |name: &str| collection.options.iter().any(|option| option.eq_ignore_ascii_case(name));
        Self {
            collection,
            strict: has("STRICT"),
            without_rowid: has("WITHOUT ROWID"),
            autoincrement: has("AUTOINCREMENT"),
        }
    }

    /// All but the column that carries a hidden rowid.
    fn own_columns(&self) -> impl Iterator<Item = &'a Column> {
        let collection = self.collection;
        let rowid = collection.options.iter().find_map(|option| option.strip_prefix(ROWID_OPTION));
        collection.columns.iter().filter(move |column| Some(column.name.as_str()) != rowid)
    }

    /// The column that becomes the rowid: a primary key alone, of integers, not declared otherwise.
    fn rowid_alias(&self) -> Option<&'a Column> {
        let [key] = self.collection.primary_key.as_slice() else { return None };
        let column = self.collection.column(key)?;
        let integer = matches!(column.kind, Kind::Int16 | Kind::Int32 | Kind::Int64) && !column.array;
        let native = column.native_type.as_deref().unwrap_or("INTEGER");
        let plain = native.eq_ignore_ascii_case("INTEGER") || self.autoincrement;
        (integer && plain && !self.without_rowid).then_some(column)
    }

    fn column(&self, column: &Column) -> Result<String, String> {
        let alias = self.rowid_alias().is_some_and(|alias| alias.name == column.name);
        let mut text = quote(&column.name);
        let declared = if alias { "INTEGER".to_owned() } else { self.declared(column)? };
        if !declared.is_empty() {
            text = format!("{text} {declared}");
        }
        if alias {
            text.push_str(" PRIMARY KEY");
            text.push_str(if self.autoincrement { " AUTOINCREMENT" } else { "" });
        }
        text.push_str(if column.nullable || alias { "" } else { " NOT NULL" });
        text.push_str(&self.value(column)?);
        Ok(text)
    }

    fn declared(&self, column: &Column) -> Result<String, String> {
        match &column.native_type {
            Some(native) if self.strict && !is_strict_type(native) => Ok(declared_type(column, true).to_owned()),
            Some(native) => check_type(native).map(|()| native.clone()).map_err(|why| in_column(column, &why)),
            None => Ok(declared_type(column, self.strict).to_owned()),
        }
    }

    /// The default, or what computes a generated column.
    fn value(&self, column: &Column) -> Result<String, String> {
        match &column.default {
            Some(Default::Expression(sql)) if !is_closed(sql) => {
                Err(in_column(column, &format!("its expression does not stand alone: {sql}")))
            }
            Some(Default::Expression(sql)) if column.generated => {
                let stored = format!("{STORED_OPTION}{}", column.name);
                let how = if self.collection.options.contains(&stored) { "STORED" } else { "VIRTUAL" };
                Ok(format!(" GENERATED ALWAYS AS ({sql}) {how}"))
            }
            _ if column.generated => Err(in_column(column, "it is generated, but nothing says from what")),
            Some(Default::Expression(sql)) => Ok(format!(" DEFAULT ({sql})")),
            Some(Default::Value(json)) => literal_of(column, json).map(|sql| format!(" DEFAULT {sql}")),
            None => Ok(String::new()),
        }
    }

    fn primary_key(&self) -> Option<String> {
        let key = &self.collection.primary_key;
        (!key.is_empty() && self.rowid_alias().is_none()).then(|| format!("PRIMARY KEY ({})", names(key)))
    }

    fn suffix(&self) -> String {
        let options = [("STRICT", self.strict), ("WITHOUT ROWID", self.without_rowid)];
        let on: Vec<_> = options.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        if on.is_empty() { String::new() } else { format!(" {}", on.join(", ")) }
    }
}

fn in_column(column: &Column, problem: &str) -> String {
    format!("column {}: {problem}", column.name)
}

/// A type name is words, then perhaps one or two numbers in parentheses; nothing that begins a constraint.
fn check_type(native: &str) -> Result<(), String> {
    let wrong = || format!("{native:?} is no type name");
    if !is_closed(native) {
        return Err(wrong());
    }
    let tokens: Vec<_> = tokens(native).collect();
    let words = tokens.iter().take_while(|token| token.kind != TokenKind::Mark).count();
    let is_constraint = |text: &str| CONSTRAINT_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    let fits = tokens[..words].iter().all(|token| token.kind != TokenKind::Text && !is_constraint(token.text))
        && tokens[words..]
            .iter()
            .all(|token| matches!(token.text, "(" | ")" | "," | "+" | "-" | ".") || is_number(token.text));
    if words > 0 && fits { Ok(()) } else { Err(wrong()) }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A JSON value as an SQL literal.
fn literal_of(column: &Column, json: &str) -> Result<String, String> {
    let span = godwit_model::records::skip_value(json.as_bytes(), 0).map_err(|error| error.to_string());
    let whole = span.and_then(|span| if span.end == json.len() { Ok(()) } else { Err("is not one value".to_owned()) });
    let value = whole.and_then(|()| encoding::read(json.as_bytes(), Style::of(column)));
    if let "true" | "false" = json {
        return Ok(json.to_ascii_uppercase());
    }
    match value.map_err(|why| in_column(column, &format!("its default {why}")))? {
        Value::Null => Ok("NULL".to_owned()),
        Value::Integer(value) => Ok(value.to_string()),
        Value::Real(value) if value.is_finite() => Ok(format!("{value:?}")),
        Value::Real(value) => Ok(if value > 0.0 { "9e999" } else { "-9e999" }.to_owned()),
        Value::Blob(bytes) => Ok(format!("x'{}'", hex(&bytes))),
        Value::Text(text) => text_literal(column, &text),
        Value::Wide(_) => unreachable!("JSON is never read as UTF-16"),
    }
}

fn text_literal(column: &Column, text: &[u8]) -> Result<String, String> {
    match std::str::from_utf8(text) {
        Ok(text) if !text.contains('\0') => Ok(literal(text)),
        _ => Err(in_column(column, "its default is a text that SQL cannot spell")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn foreign_key(reference: &Reference) -> Result<String, String> {
    let (from, to) = (names(&reference.columns), names(&reference.foreign_columns));
    let update = action("UPDATE", &reference.on_update)?;
    let delete = action("DELETE", &reference.on_delete)?;
    Ok(format!("FOREIGN KEY ({from}) REFERENCES {} ({to}){update}{delete}", quote(reference.collection.as_str())))
}

fn action(event: &str, action: &str) -> Result<String, String> {
    match ACTIONS.iter().find(|known| known.eq_ignore_ascii_case(action)) {
        Some(&"NO ACTION") => Ok(String::new()),
        Some(known) => Ok(format!(" ON {event} {known}")),
        None => Err(format!("{action:?} is no action of a foreign key")),
    }
}

#[cfg(test)]
mod tests {
    use godwit_model::CollectionName;

    use super::*;

    #[test]
    fn a_table_is_written_from_its_fields() {
        let mut price = Column::new("the \"price\"", Kind::Decimal);
        price.default = Some(Default::Value("\"12.50\"".to_owned()));
        let mut made = Column::new("made", Kind::Timestamp).nullable();
        made.default = Some(Default::Expression("CURRENT_TIMESTAMP".to_owned()));
        let mut sum = Column::new("sum", Kind::Int64).nullable();
        (sum.generated, sum.default) = (true, Some(Default::Expression("id + 1".to_owned())));
        let mut table =
            Collection::new("order", [Column::new("id", Kind::Int64), price, made, sum]).with_primary_key(["id"]);
        table.unique = vec![vec!["made".to_owned()]];
        table.options = vec!["AUTOINCREMENT".to_owned()];
        table.references = vec![Reference {
            columns: vec!["id".to_owned()],
            collection: CollectionName::new("p").unwrap(),
            foreign_columns: vec!["x".to_owned()],
            on_update: "NO ACTION".to_owned(),
            on_delete: "SET NULL".to_owned(),
        }];
        assert_eq!(
            create_table(&table).unwrap(),
            "CREATE TABLE \"order\" (\"id\" INTEGER PRIMARY KEY AUTOINCREMENT, \"the \"\"price\"\"\" TEXT NOT NULL \
             DEFAULT '12.50', \"made\" TIMESTAMP DEFAULT (CURRENT_TIMESTAMP), \"sum\" INTEGER GENERATED ALWAYS AS \
             (id + 1) VIRTUAL, UNIQUE (\"made\"), FOREIGN KEY (\"id\") REFERENCES \"p\" (\"x\") ON DELETE SET NULL)"
        );
    }

    #[test]
    fn hostile_types_and_expressions_are_refused() {
        for native in
            ["INT PRIMARY KEY", "TEXT)", "TEXT, x", "INT CHECK (1)", "TEXT --", "'a'", "", "INT; DROP TABLE t"]
        {
            let mut column = Column::new("a", Kind::Text);
            column.native_type = Some(native.to_owned());
            assert!(create_table(&Collection::new("t", [column])).is_err(), "{native}");
        }
        for native in ["DECIMAL(10, 2)", "unsigned big int", "DOUBLE PRECISION", "\"my type\""] {
            assert_eq!(check_type(native), Ok(()), "{native}");
        }
        let mut column = Column::new("a", Kind::Text);
        column.default = Some(Default::Expression("1) CHECK (1".to_owned()));
        assert!(create_table(&Collection::new("t", [column])).is_err());
    }

    #[test]
    fn strict_tables_get_strict_types() {
        let mut table = Collection::new("t", [Column::new("a", Kind::Boolean), Column::new("b", Kind::Decimal)]);
        table.options = vec!["STRICT".to_owned(), "WITHOUT ROWID".to_owned()];
        let table = table.with_primary_key(["a"]);
        assert_eq!(
            create_table(&table).unwrap(),
            "CREATE TABLE \"t\" (\"a\" INTEGER NOT NULL, \"b\" TEXT NOT NULL, PRIMARY KEY (\"a\")) STRICT, WITHOUT ROWID"
        );
    }
}
