//! JSON lines as people write them, made as a host would hand them over.

use godwit_model::records::{self, Shape};

/// Takes out white space between values, and empty lines; what is within a value's own text stays.
///
/// # Errors
/// The first line that is not a JSON object, by its number.
pub(super) fn tidy(text: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(text).map_err(|error| format!("is not UTF-8: {error}"))?;
    let mut tidied = Vec::with_capacity(text.len());
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let line = compact(line);
        check(line.as_bytes()).map_err(|problem| format!("line {number} {problem}"))?;
        tidied.extend_from_slice(line.as_bytes());
        tidied.push(b'\n');
    }
    Ok(tidied)
}

fn check(line: &[u8]) -> Result<(), String> {
    let value = records::skip_value(line, 0).map_err(|error| error.to_string())?;
    match Shape::of(line) == Shape::Object && value.end == line.len() {
        true => Ok(()),
        false => Err("is not one JSON object".to_owned()),
    }
}

fn compact(line: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = inside || !c.is_ascii_whitespace();
        inside ^= *c == '"' && !escaped;
        escaped = inside && *c == '\\' && !escaped;
        kept
    };
    line.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_values_stay() {
        let text = "\r\n{ \"a b\" : \"c \\\" d \\\\\" , \"n\": [1.50, { }] }\r\n\n{\"x\":1}";
        assert_eq!(tidy(text.as_bytes()).unwrap(), b"{\"a b\":\"c \\\" d \\\\\",\"n\":[1.50,{}]}\n{\"x\":1}\n");
    }

    #[test]
    fn what_is_no_record_is_named_by_its_line() {
        for wrong in ["{}\n\n[]\n", "{}\n\n{} {}\n", "{}\n\n{\"a\":}\n", "{}\n\n{\"a\":1\n"] {
            let problem = tidy(wrong.as_bytes()).unwrap_err();
            assert!(problem.starts_with("line 3 is not"), "{problem}");
        }
    }
}
