//! Where other file systems are mounted in a tree.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A mount point that is this path or lies below it. None where the system does not say: then the
/// rename that cannot be done will.
pub(crate) fn mount_point_in(path: &Path) -> Option<PathBuf> {
    let mounts = std::fs::read("/proc/self/mountinfo").ok()?;
    mount_points(&mounts).find(|mount| mount.starts_with(path))
}

/// The fifth field of each line, as proc_pid_mountinfo(5) has it.
fn mount_points(mounts: &[u8]) -> impl Iterator<Item = PathBuf> {
    let field = |line: &[u8]| line.split(|&byte| byte == b' ').nth(4).map(unescape);
    mounts.split(|&byte| byte == b'\n').filter_map(field)
}

/// Space, tab, line feed and backslash are written there as three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', beyond @ ..]) => {
                path.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = beyond;
            }
            _ => path.push(byte),
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_with_their_spaces() {
        let mounts =
            b"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 22 98:0 /x /mnt/my\\040disk rw,noatime master:1 - ext3 /d rw\n";
        let points: Vec<_> = mount_points(mounts).collect();
        assert_eq!(points, [Path::new("/"), Path::new("/mnt/my disk")]);
    }

    #[test]
    fn the_root_of_the_system_is_a_mount_point() {
        if Path::new("/proc/self/mountinfo").exists() {
            assert!(mount_point_in(Path::new("/")).is_some());
            assert_eq!(mount_point_in(Path::new("/no/such/place")), None);
        }
    }
}
