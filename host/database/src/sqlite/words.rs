//! SQL as tokens: enough to find a word that stands outside of quotes and comments.

/// One token and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A bare word or a number.
    Word,
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted,
    /// A text in `'…'`.
    Text,
    /// Any other single character.
    Mark,
}

impl Token<'_> {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this character.
    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.kind == TokenKind::Mark && self.text == mark
    }

    /// The name it spells, without quotes.
    pub(super) fn name(&self) -> String {
        let inner = || &self.text[1..self.text.len().saturating_sub(1).max(1)];
        match self.text.as_bytes().first() {
            Some(b'"') => inner().replace("\"\"", "\""),
            Some(b'`') => inner().replace("``", "`"),
            Some(b'\'') => inner().replace("''", "'"),
            Some(b'[') => inner().to_owned(),
            _ => self.text.to_owned(),
        }
    }
}

/// The tokens of a text, white space and comments left out. Never fails: what is not closed ends with the text.
pub(super) fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        at = skip_blank(sql, at);
        let start = at;
        let first = sql[start..].chars().next()?;
        let (kind, length) = measure(&sql[start..], first);
        at = start + length;
        Some(Token { kind, text: &sql[start..at], start })
    })
}

fn skip_blank(sql: &str, mut at: usize) -> usize {
    loop {
        let rest = &sql[at..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']).len();
        at += blank;
        let rest = &sql[at..];
        at += match () {
            () if rest.starts_with("--") => rest.find('\n').map_or(rest.len(), |end| end + 1),
            () if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            () => return at,
        };
    }
}

fn measure(rest: &str, first: char) -> (TokenKind, usize) {
    match first {
        '"' | '`' => (TokenKind::Quoted, quoted(rest, first)),
        '\'' => (TokenKind::Text, quoted(rest, first)),
        '[' => (TokenKind::Quoted, rest.find(']').map_or(rest.len(), |end| end + 1)),
        _ if is_word(first) => (TokenKind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        _ => (TokenKind::Mark, first.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn quoted(rest: &str, quote: char) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match (bytes[at] == quote as u8, bytes.get(at + 1) == Some(&(quote as u8))) {
            (true, true) => at += 2,
            (true, false) => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A name in double quotes.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in double quotes, parted by commas.
pub(super) fn quote_all<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quote).collect::<Vec<_>>().join(",")
}

/// A text literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a bare keyword occurs in a definition.
pub(super) fn has_keyword(sql: &str, keyword: &str) -> bool {
    tokens(sql).any(|token| token.is(keyword))
}

/// The extension that a `CREATE VIRTUAL TABLE` uses.
pub(super) fn virtual_table_extension(sql: &str) -> Option<String> {
    tokens(sql).skip_while(|token| !token.is("using")).nth(1).map(|token| token.name().to_ascii_lowercase())
}

/// Whether a definition begins with these keywords.
pub(super) fn begins_with(sql: &str, keywords: &[&str]) -> bool {
    let mut tokens = tokens(sql);
    keywords.iter().all(|keyword| tokens.next().is_some_and(|token| token.is(keyword)))
}

/// The columns of a trigger's `UPDATE OF`; none where it has no such list.
pub(super) fn update_of(sql: &str) -> Vec<String> {
    let mut tokens = tokens(sql).skip_while(|token| !token.is("update"));
    match (tokens.next(), tokens.next()) {
        (Some(_), Some(of)) if of.is("of") => {
            let list = tokens.take_while(|token| !token.is("on"));
            list.filter(|token| !token.is_mark(",")).map(|token| token.name()).collect()
        }
        _ => vec![],
    }
}

/// The expression of a generated column in its table's definition.
pub(super) fn generated_expression(sql: &str, column: &str) -> Option<String> {
    let tokens: Vec<_> = tokens(sql).collect();
    let body = tokens.iter().position(|token| token.is_mark("("))? + 1;
    let mut depth = 0_usize;
    let mut begins = true;
    let mut inside = false;
    for (i, token) in tokens.iter().enumerate().skip(body) {
        if begins && depth == 0 {
            inside = token.kind != TokenKind::Mark && token.name().eq_ignore_ascii_case(column);
        }
        begins = depth == 0 && token.is_mark(",");
        if inside && depth == 0 && token.is("as") && tokens.get(i + 1)?.is_mark("(") {
            return parenthesised(sql, &tokens[i + 1..]);
        }
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn parenthesised(sql: &str, tokens: &[Token<'_>]) -> Option<String> {
    let mut depth = 0_usize;
    for token in tokens {
        depth = match token {
            token if token.is_mark("(") => depth + 1,
            token if token.is_mark(")") => depth.checked_sub(1)?,
            _ => depth,
        };
        if depth == 0 {
            return Some(sql[tokens[0].start + 1..token.start].trim().to_owned());
        }
    }
    None
}

/// Whether a piece of SQL can stand in parentheses without reaching out of them.
pub(super) fn is_closed(sql: &str) -> bool {
    let mut depth = 0_i64;
    let mut last_end = 0;
    for token in tokens(sql) {
        depth += i64::from(token.is_mark("(")) - i64::from(token.is_mark(")"));
        if depth < 0 || token.is_mark(";") || !is_finished(&token) {
            return false;
        }
        last_end = token.start + token.text.len();
    }
    // What follows the last token may be a comment that would swallow the closing parenthesis.
    depth == 0 && last_end > 0 && sql[last_end..].trim().is_empty()
}

fn is_finished(token: &Token<'_>) -> bool {
    let closing = match token.text.as_bytes()[0] {
        b'[' => "]",
        quote @ (b'"' | b'`' | b'\'') => &token.text[..usize::from(quote != 0)],
        _ => return true,
    };
    token.text.len() > 1 && token.text.ends_with(closing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_quotes_and_comments_do_not_count() {
        let sql = "CREATE TABLE t(a /* AUTOINCREMENT */, \"AUTOINCREMENT\", [AUTOINCREMENT] DEFAULT 'AUTOINCREMENT') -- AUTOINCREMENT";
        assert!(!has_keyword(sql, "autoincrement"));
        assert!(has_keyword("CREATE TABLE t(a INTEGER PRIMARY KEY autoIncrement)", "AUTOINCREMENT"));
    }

    #[test]
    fn the_extension_of_a_virtual_table_is_found() {
        assert_eq!(virtual_table_extension("CREATE VIRTUAL TABLE \"using x\" USING FTS5(a)").unwrap(), "fts5");
        assert_eq!(virtual_table_extension("create virtual table [a] /*x*/ using\n'rtree'(a)").unwrap(), "rtree");
    }

    #[test]
    fn the_columns_of_a_trigger_are_found() {
        assert_eq!(update_of("CREATE TRIGGER t AFTER UPDATE OF a, \"on\" ON x BEGIN SELECT 1; END"), ["a", "on"]);
        assert!(update_of("CREATE TRIGGER t AFTER UPDATE ON x BEGIN SELECT 1; END").is_empty());
        assert!(update_of("CREATE TRIGGER t AFTER INSERT ON x BEGIN UPDATE x SET a = 1; END").is_empty());
    }

    #[test]
    fn the_expression_of_a_generated_column_is_found() {
        let sql = "CREATE TABLE t(a INT, b DECIMAL(5,2) AS (a * (2 + 1)) STORED, \"c d\" TEXT GENERATED ALWAYS AS (')' || b), e)";
        assert_eq!(generated_expression(sql, "b").unwrap(), "a * (2 + 1)");
        assert_eq!(generated_expression(sql, "C D").unwrap(), "')' || b");
        assert_eq!(generated_expression(sql, "e"), None);
    }

    #[test]
    fn an_expression_that_reaches_out_of_its_parentheses_is_found() {
        for closed in ["1 + (2)", "')'", "datetime('now')", "\";\""] {
            assert!(is_closed(closed), "{closed}");
        }
        for open in ["", "1) CHECK (1", "(1", "1;", "'", "1 -- x", "1 /* x", "\"a", "[a"] {
            assert!(!is_closed(open), "{open}");
        }
    }

    #[test]
    fn names_lose_their_quotes() {
        let names: Vec<_> = tokens("\"a\"\"b\" `c``d` [e\"f] g '").map(|token| token.name()).collect();
        assert_eq!(names, ["a\"b", "c`d", "e\"f", "g", ""]);
    }
}
