//! The version rule: which archive may be restored into which application.

use std::fmt;

use semver::Version;

/// A compatibility line: the major version; for 0.y.z the pair 0.y (semver §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Line {
    /// `1`, `2`, …
    Major(u64),
    /// `0.1`, `0.2`, …
    Initial(u64),
}

impl Line {
    /// The line a version is on.
    pub fn of(version: &Version) -> Self {
        match version.major {
            0 => Self::Initial(version.minor),
            major => Self::Major(major),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Major(major) => write!(f, "{major}"),
            Self::Initial(minor) => write!(f, "0.{minor}"),
        }
    }
}

/// What the version rule says of data at one version for an application at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The same version: as it is.
    AsIs,
    /// Older data on the same line: through a chain of modules.
    Migrate,
    /// Newer data on the same line: refused.
    Downgrade,
    /// Another compatibility line: refused, unless a module declares the step across.
    OtherLine,
}

/// Judges data at version `data` for an application at version `application`.
///
/// Pre-releases order as semver orders them; build metadata is ignored.
pub fn verdict(data: &Version, application: &Version) -> Verdict {
    match (Line::of(data) == Line::of(application), data.cmp_precedence(application)) {
        (false, _) => Verdict::OtherLine,
        (true, std::cmp::Ordering::Equal) => Verdict::AsIs,
        (true, std::cmp::Ordering::Less) => Verdict::Migrate,
        (true, std::cmp::Ordering::Greater) => Verdict::Downgrade,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_table() {
        use Verdict::{AsIs, Downgrade, Migrate, OtherLine};
        let cases = [
            ("1.1.0", "1.1.0", AsIs),
            ("1.1.0+build.1", "1.1.0+build.2", AsIs),
            ("1.1.0", "1.2.0", Migrate),
            ("1.9.0", "1.10.0", Migrate),
            ("1.2.0-rc.1", "1.2.0", Migrate),
            ("1.2.0-alpha.9", "1.2.0-alpha.10", Migrate),
            ("1.2.0-alpha.1", "1.2.0-alpha.beta", Migrate),
            ("1.2.0", "1.2.0-rc.1", Downgrade),
            ("1.2.0", "1.1.0", Downgrade),
            ("1.2.1", "1.2.0", Downgrade),
            ("1.2.0", "2.0.0", OtherLine),
            ("2.0.0", "1.9.9", OtherLine),
            ("1.9.9", "2.0.0-alpha", OtherLine),
            ("0.1.0", "0.1.1", Migrate),
            ("0.1.1", "0.1.1", AsIs),
            ("0.1.2", "0.1.1", Downgrade),
            ("0.1.0", "0.2.0", OtherLine),
            ("0.2.0", "0.1.0", OtherLine),
            ("0.9.0", "1.0.0", OtherLine),
            ("0.0.1", "0.0.2", Migrate),
        ];
        for (data, application, expected) in cases {
            let got = verdict(&data.parse().unwrap(), &application.parse().unwrap());
            assert_eq!(got, expected, "{data} into {application}");
        }
    }
}
