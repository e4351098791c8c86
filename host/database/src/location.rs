//! Where a database is, read from its URL.

use std::path::{Path, PathBuf};

use godwit_model::Fault;

/// A URL that names no database this program can open.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// The scheme is not a database's.
    #[error("the database URL {url:?} has no scheme that is supported; write sqlite://path/to/file.db")]
    Scheme {
        /// The URL up to its host, so that no password is shown.
        url: String,
    },
    /// No file is named.
    #[error("the database URL {0:?} names no file; write sqlite://path/to/file.db")]
    NoFile(String),
    /// A directory where a file must be.
    #[error("the database {} is a directory; name the file in it", .0.display())]
    Directory(PathBuf),
    /// Parameters such as `?mode=ro`.
    #[error("the database URL {0:?} has parameters, which are not taken; write the path alone")]
    Parameters(String),
    /// The working directory is gone.
    #[error("the path {0:?} cannot be made absolute")]
    Absolute(PathBuf, #[source] std::io::Error),
}

/// The absolute path of the SQLite file that a URL names.
pub(crate) fn sqlite_path(url: &str) -> Result<PathBuf, Fault> {
    parse(url).map_err(Fault::usage)
}

fn parse(url: &str) -> Result<PathBuf, LocationError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:"));
    let path = path.ok_or_else(|| LocationError::Scheme { url: without_credentials(url) })?;
    match path {
        "" | ":memory:" => Err(LocationError::NoFile(url.to_owned())),
        _ if path.contains('\0') => Err(LocationError::NoFile(url.to_owned())),
        _ if path.contains('?') && !Path::new(path).exists() => Err(LocationError::Parameters(url.to_owned())),
        // An absolute path never begins with `file:`, which SQLite would read as a URI.
        _ => file(path.as_ref()),
    }
}

fn file(path: &Path) -> Result<PathBuf, LocationError> {
    let path = std::path::absolute(path).map_err(|error| LocationError::Absolute(path.into(), error))?;
    if path.is_dir() { Err(LocationError::Directory(path)) } else { Ok(path) }
}

fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None => url.split([':', '@']).next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_name_the_same_file() {
        assert_eq!(parse("sqlite:///a/b.db").unwrap(), PathBuf::from("/a/b.db"));
        assert_eq!(parse("sqlite:/a/b.db").unwrap(), PathBuf::from("/a/b.db"));
        assert_eq!(parse("sqlite://b.db").unwrap(), std::path::absolute("b.db").unwrap());
    }

    #[test]
    fn a_password_is_never_repeated() {
        let message = parse("postgres://me:secret@host/db").unwrap_err().to_string();
        assert!(message.contains("postgres://…") && !message.contains("secret"), "{message}");
        assert!(!parse("me:secret@host").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn a_directory_is_told_from_a_file() {
        assert!(matches!(parse("sqlite:///"), Err(LocationError::Directory(_))));
    }

    #[test]
    fn what_names_no_file_is_refused() {
        for url in ["sqlite:", "sqlite://", "sqlite::memory:", "sqlite://a.db?mode=ro", "shop.db"] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
