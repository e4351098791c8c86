//! `godwit.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use godwit_model::{DatabaseName, ModuleName, TreeName};
use godwit_trust::{Ceiling, PublicKey};
use semver::Version;
use serde::Deserialize;

use crate::EngineError;

/// What `godwit.toml` says. Relative paths in it are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whose data this is.
    pub application: Application,
    /// The application's databases.
    #[serde(default)]
    pub databases: BTreeMap<DatabaseName, DatabaseConfig>,
    /// The application's file trees.
    #[serde(default)]
    pub files: BTreeMap<TreeName, TreeConfig>,
    /// Where modules are.
    #[serde(default)]
    pub modules: ModulesConfig,
    /// What a module may have at most; one that is not named here has no such limit.
    #[serde(default)]
    pub grants: BTreeMap<ModuleName, Ceiling>,
    /// Values for the modules' parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, toml::Value>,
}

/// The application.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name, as in archives and module manifests.
    pub name: String,
    /// Where its data version is told.
    #[serde(default)]
    pub version: Option<VersionSource>,
}

/// Where the data version is told.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum VersionSource {
    /// Here.
    Literal(String),
    /// In a file that holds nothing else.
    File {
        /// The file.
        file: PathBuf,
    },
    /// In a database.
    Query {
        /// One row, one column.
        query: String,
        /// The database; may be left out where there is one.
        #[serde(default)]
        database: Option<DatabaseName>,
    },
}

/// One database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path`; `${NAME}` stands for an environment variable.
    pub url: String,
    /// Globs of collections whose records are left out.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// One file tree.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeConfig {
    /// Its root.
    pub path: PathBuf,
    /// Globs of what belongs to it; none: everything.
    #[serde(default)]
    pub include: Vec<String>,
    /// Globs of what does not.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// Where modules are.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModulesConfig {
    /// Directories with `*.wasm` in them.
    #[serde(default)]
    pub path: Vec<PathBuf>,
    /// The public keys of the vendors whose signatures count.
    #[serde(default)]
    pub trust: Vec<PublicKey>,
}

impl Config {
    /// Reads a configuration.
    pub fn load(path: &Path) -> Result<Self, EngineError> {
        let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                EngineError::NoConfig { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) }
            }
            _ => EngineError::Config { path: path.to_owned(), problem: error.to_string() },
        })?;
        let base = path.parent().map(Path::to_owned).unwrap_or_default();
        Self::parse(&text, &base).map_err(|problem| EngineError::Config { path: path.to_owned(), problem })
    }

    /// Reads a configuration from its text; relative paths start at `base`.
    pub fn parse(text: &str, base: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        for (name, database) in &mut config.databases {
            let url = expand(&database.url).map_err(|problem| format!("databases.{name}.url: {problem}"))?;
            database.url = anchored(&url, base);
        }
        for (name, tree) in &mut config.files {
            let path =
                expand(&tree.path.to_string_lossy()).map_err(|problem| format!("files.{name}.path: {problem}"))?;
            tree.path = base.join(path);
        }
        if let Some(twice) = twice(&config.modules.trust) {
            return Err(format!(
                "modules.trust: two keys have the id {}; keep the one that the vendor publishes",
                twice.id()
            ));
        }
        config.modules.path.iter_mut().for_each(|path| *path = base.join(&*path));
        if let Some(VersionSource::File { file }) = &mut config.application.version {
            *file = base.join(&*file);
        }
        Ok(config)
    }

    /// The application's data version, as the configuration tells it.
    ///
    /// # Errors
    /// None is configured, the file or query gives none, or what it gives is no semver.
    pub fn application_version(&self) -> Result<Version, EngineError> {
        let text = match &self.application.version {
            None => Err("godwit.toml has no application.version; add one, or give --target-version".to_owned()),
            Some(VersionSource::Literal(text)) => Ok(text.clone()),
            Some(VersionSource::File { file }) => std::fs::read_to_string(file)
                .map_err(|error| format!("{}: {error}; give --target-version", file.display())),
            Some(VersionSource::Query { query, database }) => self.query_version(query, database.as_ref()),
        };
        let text = text.map_err(EngineError::Version)?;
        Version::parse(text.trim())
            .map_err(|error| EngineError::Version(format!("{:?} is not a version like 1.2.0: {error}", text.trim())))
    }

    fn query_version(&self, query: &str, database: Option<&DatabaseName>) -> Result<String, String> {
        let name = match (database, self.databases.keys().next()) {
            (Some(name), _) => name,
            (None, Some(only)) if self.databases.len() == 1 => only,
            _ => return Err("application.version.query needs a `database`, for there is not exactly one".to_owned()),
        };
        let config = self.databases.get(name).ok_or_else(|| format!("there is no database {name}"))?;
        godwit_database::query_scalar(&config.url, query)
            .map_err(|error| format!("{error}; where there is no database yet, give --target-version"))
    }

    /// Parameters as JSON.
    pub fn parameters(&self) -> BTreeMap<String, serde_json::Value> {
        let json = |value: &toml::Value| serde_json::to_value(value).unwrap_or_default();
        self.parameters.iter().map(|(name, value)| (name.clone(), json(value))).collect()
    }
}

/// A key whose id another has: a signature names its key by the id alone.
fn twice(keys: &[PublicKey]) -> Option<&PublicKey> {
    keys.iter().enumerate().find(|(i, key)| keys[..*i].iter().any(|other| other.id() == key.id())).map(|(_, key)| key)
}

/// Replaces `${NAME}` by the environment's values.
fn expand(text: &str) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').ok_or("`${` without `}`")?;
        expanded.push_str(before);
        expanded.push_str(&std::env::var(name).map_err(|_| format!("the environment has no {name}"))?);
        rest = tail;
    }
    Ok(expanded + rest)
}

/// An SQLite URL whose relative path starts at `base`; any other URL as it is.
fn anchored(url: &str, base: &Path) -> String {
    let Some(path) = url.strip_prefix("sqlite:") else { return url.to_owned() };
    let path = path.strip_prefix("//").unwrap_or(path);
    format!("sqlite://{}", base.join(path).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_anchored_and_variables_expanded() {
        let text = "[application]\nname = \"a\"\n[databases.main]\nurl = \"sqlite://a.db\"\n[databases.other]\nurl = \"sqlite:///var/b.db\"\n[files.config]\npath = \"conf\"\n";
        let config = Config::parse(text, Path::new("/srv/app")).unwrap();
        let urls: Vec<_> = config.databases.values().map(|database| database.url.as_str()).collect();
        assert_eq!(urls, ["sqlite:///srv/app/a.db", "sqlite:///var/b.db"]);
        assert_eq!(config.files.values().next().unwrap().path, Path::new("/srv/app/conf"));
        assert_eq!(expand("a${CARGO_PKG_NAME}b").unwrap(), "agodwit-engineb");
        assert!(expand("${GODWIT_SURELY_NOT_SET}").unwrap_err().contains("GODWIT_SURELY_NOT_SET"));
    }

    #[test]
    fn keys_and_grants_are_checked_at_once() {
        let head = "[application]\nname = \"a\"\n";
        let key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
        let problem = |text: &str| Config::parse(&format!("{head}{text}"), Path::new("")).unwrap_err();
        assert!(problem("[modules]\ntrust = [\"RWQ\"]\n").contains("begins with RW"));
        assert!(problem(&format!("[modules]\ntrust = [\"{key}\", \"{key}\"]\n")).contains("E7620F1842B4E81F"));
        assert!(problem("[grants.\"acme/a\"]\nreads = []\n").contains("reads"));
        assert!(problem("[grants.\"acme\"]\nread = []\n").contains("vendor/name"));
        let text = format!("{head}[modules]\ntrust = [\"{key}\"]\n[grants.\"acme/a\"]\nread = [\"links\"]\n");
        let config = Config::parse(&text, Path::new("")).unwrap();
        assert_eq!((config.modules.trust.len(), config.grants.len()), (1, 1));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let problem = Config::parse("[application]\nname = \"a\"\nversoin = \"1\"\n", Path::new("")).unwrap_err();
        assert!(problem.contains("versoin"), "{problem}");
    }
}
