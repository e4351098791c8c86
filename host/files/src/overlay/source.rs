//! The result of the modules as a source.

use std::collections::BTreeMap;
use std::io::{self, Read};

use godwit_model::{Fault, TreeEntry, TreeName, TreePath, TreeSource, Visit};

use super::base::Base;
use super::state::TreeState;
use super::tree::{Body, Content, Directory, FileBody, Node};

/// The source's trees as modules left them. A tree that none of them changed is the source's own; a
/// file that was only moved, or given another mode, is streamed from the source.
pub struct OverlayTrees {
    base: Base,
    states: BTreeMap<TreeName, TreeState>,
}

impl OverlayTrees {
    /// The source's trees, with these in place of those of the same name.
    pub fn new(base: Base, states: BTreeMap<TreeName, TreeState>) -> Self {
        Self { base, states }
    }

    fn changed(&self, tree: &TreeName) -> Option<&TreeState> {
        self.states.get(tree).filter(|state| state.changed)
    }
}

impl TreeSource for OverlayTrees {
    fn trees(&self) -> Vec<TreeName> {
        self.base.trees()
    }

    fn read_tree(&mut self, tree: &TreeName, visit: Visit<'_>) -> Result<(), Fault> {
        match self.changed(tree) {
            None => self.base.read_tree(tree, visit),
            Some(state) => state.visit_all(&state.root, &mut String::new(), visit),
        }
    }

    fn read_entry(&mut self, tree: &TreeName, path: &TreePath, visit: Visit<'_>) -> Result<bool, Fault> {
        let Some(state) = self.changed(tree) else { return self.base.read_entry(tree, path, visit) };
        let parts: Vec<_> = path.as_str().split('/').collect();
        match state.root.find(&parts) {
            Ok(Some(node)) => state.visit_one(node, path.clone(), visit).map(|()| true),
            _ => Ok(false),
        }
    }
}

impl TreeState {
    fn visit_all(&self, directory: &Directory, path: &mut String, visit: Visit<'_>) -> Result<(), Fault> {
        for (name, node) in &directory.entries {
            let length = path.len();
            path.push_str(if path.is_empty() { "" } else { "/" });
            path.push_str(name);
            self.visit_one(node, TreePath::new(&*path).map_err(Fault::system)?, visit)?;
            if let Body::Directory(below) = &node.body {
                self.visit_all(below, path, visit)?;
            }
            path.truncate(length);
        }
        Ok(())
    }

    fn visit_one(&self, node: &Node, path: TreePath, visit: Visit<'_>) -> Result<(), Fault> {
        let entry = node.entry(path);
        match &node.body {
            Body::File(file) => self.visit_file(file, &entry, visit),
            Body::Directory(_) | Body::Link(_) => visit(&entry, &mut io::empty()),
        }
    }

    fn visit_file(&self, file: &FileBody, entry: &TreeEntry, visit: Visit<'_>) -> Result<(), Fault> {
        match &file.content {
            _ if file.size == 0 => visit(entry, &mut io::empty()),
            Content::Base(path) => self.base.read_file(&self.listed(path, file.size, entry.modified), entry, visit),
            Content::Own(own) => {
                let content = own.open()?;
                visit(entry, &mut content.take(file.size))
            }
        }
    }
}
