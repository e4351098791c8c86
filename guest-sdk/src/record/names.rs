//! New names of fields as JSON. The same few come for every record, so each is written once.

/// Quoted names, one after the other, and which they are.
#[derive(Default)]
pub(super) struct Names {
    json: Vec<u8>,
    known: Vec<Known>,
}

struct Known {
    name: String,
    json: Quoted,
}

/// A name in [`Names`].
#[derive(Clone, Copy)]
pub(super) struct Quoted {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Written with a backslash.
    pub(super) escaped: bool,
}

/// How many names are kept: those of a program, not those that a program makes of the data.
const NAMES_MAX: usize = 256;

impl Names {
    /// Call before a record, never within: what was handed out may become invalid.
    pub(super) fn forget_if_many(&mut self) {
        if self.known.len() > NAMES_MAX {
            *self = Self::default();
        }
    }

    pub(super) fn quote(&mut self, name: &str) -> Quoted {
        match self.known.iter().find(|known| known.name == name) {
            Some(known) => known.json,
            None => self.add(name),
        }
    }

    #[inline]
    pub(super) fn bytes(&self, start: usize, end: usize) -> &[u8] {
        &self.json[start..end]
    }

    fn add(&mut self, name: &str) -> Quoted {
        let start = self.json.len();
        serde_json::to_writer(&mut self.json, name).expect("text is always JSON, and memory is always writable");
        let end = self.json.len();
        let json = Quoted { start, end, escaped: self.json[start..end].contains(&b'\\') };
        self.known.push(Known { name: name.to_owned(), json });
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_once() {
        let mut names = Names::default();
        let first = names.quote("a\"b");
        let again = names.quote("a\"b");
        assert_eq!((first.start, first.end, first.escaped), (again.start, again.end, true));
        assert_eq!(names.bytes(first.start, first.end), b"\"a\\\"b\"");
    }

    #[test]
    fn names_made_of_data_do_not_pile_up() {
        let mut names = Names::default();
        for i in 0..10 * NAMES_MAX {
            names.forget_if_many();
            names.quote(&i.to_string());
        }
        assert!(names.known.len() <= NAMES_MAX + 1);
    }
}
