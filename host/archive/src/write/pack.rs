//! Packing a finished directory into one tar file whose bytes depend on nothing but the content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use godwit_model::Fault;
use tar::{Builder, EntryType, Header};

use super::folder::Folder;
use crate::error::failed;
use crate::layout;

/// Packs all files in the order of `SHA256SUMS`, that file and the manifest last. Each file is
/// removed once it is packed.
pub(crate) fn pack(folder: &Folder, packed: &Path) -> Result<(), Fault> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(packed);
    let file = file.map_err(failed("create", packed))?;
    let mut writer = Packer { tar: Builder::new(BufWriter::with_capacity(1 << 20, file)), folder: String::new() };
    let last = [layout::SUMS, layout::MANIFEST];
    for path in folder.sums.keys().map(String::as_str).chain(last) {
        let place = folder.root.join(path);
        writer.add(path, &place).map_err(failed("pack", &place))?;
        fs::remove_file(&place).map_err(failed("remove", &place))?;
    }
    writer.finish().map_err(failed("write", packed))
}

struct Packer {
    tar: Builder<BufWriter<File>>,
    /// The folder of the file before.
    folder: String,
}

impl Packer {
    fn add(&mut self, path: &str, place: &Path) -> io::Result<()> {
        self.enter(path.rsplit_once('/').map_or("", |(folder, _)| folder))?;
        let file = File::open(place)?;
        let mut header = header(EntryType::Regular, 0o600, file.metadata()?.len());
        self.tar.append_data(&mut header, path, file)
    }

    /// Adds the folders that the file before was not in. Files come sorted by path, so what is in
    /// one folder comes together.
    fn enter(&mut self, folder: &str) -> io::Result<()> {
        let before = std::mem::replace(&mut self.folder, folder.to_owned());
        for (end, _) in folder.match_indices('/').chain([(folder.len(), "")]) {
            let ancestor = &folder[..end];
            if !ancestor.is_empty() && !is_within(&before, ancestor) {
                let mut header = header(EntryType::Directory, 0o700, 0);
                self.tar.append_data(&mut header, format!("{ancestor}/"), io::empty())?;
            }
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let file = self.tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }
}

fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header
}
