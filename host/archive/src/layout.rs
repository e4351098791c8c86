//! Where everything is inside an archive.

use godwit_model::{CollectionId, Digest, TreeName, TreePath};

use crate::limits::{CONTENT_PATH_BYTES_MAX, PATH_BYTES_MAX};
use crate::segment;

pub(crate) const VERSION: &str = "version";
pub(crate) const CATALOG: &str = "catalog.json";
pub(crate) const SUMS: &str = "SHA256SUMS";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const RECORDS: &str = "records";
pub(crate) const FILES: &str = "files";
pub(crate) const MODULES: &str = "modules";

/// `records/<database>/<collection>`.
pub(crate) fn collection_folder(id: &CollectionId) -> String {
    format!("{RECORDS}/{}/{}", id.database, segment::of_collection(id.name.as_str()))
}

/// The list of a collection's chunks.
pub(crate) fn chunk_index(id: &CollectionId) -> String {
    format!("{}/index.jsonl", collection_folder(id))
}

/// Name of the `number`th record file inside its folder.
pub(crate) fn record_file(number: u64) -> String {
    format!("{number:05}.jsonl.zst")
}

/// The list of a tree's entries.
pub(crate) fn tree_index(tree: &TreeName) -> String {
    format!("{FILES}/{tree}/index.jsonl")
}

/// Path of an entry's content below `files/<tree>/`.
pub(crate) fn content(path: &TreePath, compressed: bool) -> String {
    let parts: Vec<_> = path.as_str().split('/').map(segment::of_tree_part).collect();
    let mut below = parts.join("/");
    if below.len() > CONTENT_PATH_BYTES_MAX {
        below = format!("~{}", Digest::of(path.as_str().as_bytes()));
    }
    format!("content/{below}{}", if compressed { ".zst" } else { "" })
}

/// Path of a file of a tree, given its path below `files/<tree>/`.
pub(crate) fn in_tree(tree: &TreeName, below: &str) -> String {
    format!("{FILES}/{tree}/{below}")
}

/// `modules/<sha256>.wasm`.
pub(crate) fn module(digest: Digest) -> String {
    format!("{MODULES}/{digest}.wasm")
}

/// The digest in a module's path.
pub(crate) fn module_digest(path: &str) -> Option<Digest> {
    path.strip_prefix(MODULES)?.strip_prefix('/')?.strip_suffix(".wasm")?.parse().ok()
}

/// Whether a path found in an archive is relative and stays inside it.
pub(crate) fn is_inside(path: &str) -> bool {
    let odd = |c: char| c.is_control() || c == '\\';
    path.len() <= PATH_BYTES_MAX && !path.contains(odd) && !path.split('/').any(|part| matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbing_paths_are_outside() {
        for path in ["", "/etc/passwd", "a/../b", "..", "a//b", "./a", "a\nb", "a\\b", "a/", "a\0"] {
            assert!(!is_inside(path), "{path:?}");
        }
        assert!(is_inside("records/main/devices/index.jsonl"));
    }

    #[test]
    fn contents_never_collide() {
        let paths = ["a", "a.zst", "a.zst.zst", "a/b", "A.ZST", ".a", "%2Ea"];
        let stored = paths.iter().flat_map(|path| {
            let path = TreePath::new(path).unwrap();
            [content(&path, false), content(&path, true)]
        });
        assert_eq!(stored.collect::<std::collections::BTreeSet<_>>().len(), 2 * paths.len());
    }
}
