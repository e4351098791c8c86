//! What a call has opened, kept until its end: a record costs no further opening.

use std::any::Any;
use std::rc::Rc;

use crate::Result;

/// Connections and trees by name.
///
/// Behind `dyn Any`, so that a module that opens nothing does not import what would close it again.
#[derive(Default)]
pub(crate) struct Opened(Vec<(String, Rc<dyn Any>)>);

impl Opened {
    /// What has this name already, else what `open` makes. A failure is not kept: the next one asks again.
    pub(crate) fn get<T: 'static>(&mut self, name: &str, open: impl FnOnce() -> Result<T>) -> Result<Rc<T>> {
        if let Some(known) = self.known(name) {
            return Ok(known);
        }
        let opened = Rc::new(open()?);
        self.0.push((name.to_owned(), opened.clone()));
        Ok(opened)
    }

    /// A tree may have the name of a connection; the type tells them apart.
    fn known<T: 'static>(&self, name: &str) -> Option<Rc<T>> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named
            .map(|(_, opened)| opened)
            .find(|opened| opened.is::<T>())
            .and_then(|opened| opened.clone().downcast().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn what_is_open_is_not_opened_again_and_what_failed_is() {
        let mut opened = Opened::default();
        let mut asked = 0;
        let mut open = |opened: &mut Opened, answer: Result<i64>| {
            let got = opened.get("input", || {
                asked += 1;
                answer
            });
            (got.map(|value| *value).ok(), asked)
        };
        assert_eq!(open(&mut opened, Err(Error::new("not yet"))), (None, 1));
        assert_eq!(open(&mut opened, Ok(7)), (Some(7), 2));
        assert_eq!(open(&mut opened, Ok(8)), (Some(7), 2));
        assert_eq!(*opened.get("input", || Ok("a tree of that name")).unwrap(), "a tree of that name");
    }
}
