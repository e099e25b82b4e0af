//! Writing whole files so that a reader sees the old content or the new, never
//! a part, and so that the new content survives a power cut.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::error::{FsError, FsOp, FsReason};

/// How many symbolic links are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// Replaces the content of `path` by `bytes`, atomically and durably.
///
/// A temporary file in the same folder is written and synced, given the mode
/// (and, where allowed, the owner) of the file it replaces, renamed over it,
/// and the folder is synced. A symbolic link stays: the file it names is
/// replaced. On any error before the rename the original is untouched and no
/// temporary file is left; when only the folder cannot be synced
/// ([`FsOp::SyncDir`]), the new content is in place but may not survive a power
/// cut. Other hard links to the file keep the old content.
///
/// # Errors
/// [`FsError`]: the folder is missing or read-only, the existing file may not
/// be written, is not a regular file, or the disk is full.
pub fn write_atomic(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), FsError> {
    write_atomic_with(path, |out| out.write_all(bytes))
}

/// [`write_atomic`] for content that is produced piece by piece. When `produce`
/// fails, nothing is changed.
///
/// # Errors
/// As [`write_atomic`], and what `produce` returns.
pub fn write_atomic_with(
    path: impl AsRef<Path>,
    produce: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FsError> {
    let path = path.as_ref();
    let fail = |reason: FsReason| FsError::new(FsOp::Write, path, reason);
    let target = follow_links(path).map_err(fail)?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        Some(_) => PathBuf::from("."),
        None => return Err(fail(FsReason::NotAFile)),
    };
    if target.file_name().is_none() {
        return Err(fail(FsReason::NotAFile));
    }
    let existing = existing_file(&target).map_err(fail)?;
    let replace = || -> io::Result<()> {
        let mut temp = new_temp(&folder)?;
        let mut out = io::BufWriter::new(temp.as_file_mut());
        produce(&mut out)?;
        out.flush()?;
        drop(out);
        if let Some(meta) = &existing {
            keep_owner_and_mode(temp.as_file(), meta)?;
        }
        temp.as_file().sync_all()?;
        // A failed rename gives the temporary file back, and dropping it
        // removes it.
        temp.persist(&target).map_err(|failed| failed.error)?;
        Ok(())
    };
    replace().map_err(|e| fail(e.into()))?;
    sync_dir(&folder)
}

/// The file a path stands for, through symbolic links, the last of which may
/// lead to a file that is not there yet.
fn follow_links(path: &Path) -> Result<PathBuf, FsReason> {
    let mut target = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::symlink_metadata(&target) {
            Ok(meta) if meta.file_type().is_symlink() => {
                let next = std::fs::read_link(&target)?;
                // `join` takes an absolute link as it is.
                target = target.parent().unwrap_or(Path::new("")).join(next);
            }
            Ok(_) => return Ok(target),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(target),
            Err(e) => return Err(e.into()),
        }
    }
    Err(FsReason::BadLink)
}

/// What is known of the file to be replaced; `None` when there is none.
/// Refuses what could not be written in place: a rename would go around the
/// file's own permissions.
fn existing_file(target: &Path) -> Result<Option<std::fs::Metadata>, FsReason> {
    match std::fs::metadata(target) {
        Ok(meta) if !meta.is_file() => Err(FsReason::NotAFile),
        Ok(meta) => {
            OpenOptions::new().write(true).open(target)?;
            Ok(Some(meta))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn new_temp(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".symphony-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The mode of an ordinary new file: the umask takes its part.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(unix)]
fn keep_owner_and_mode(temp: &File, original: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let now = temp.metadata()?;
    if (now.uid(), now.gid()) != (original.uid(), original.gid()) {
        // Only root may give files away; the content matters more.
        let _ = fchown(temp, Some(original.uid()), Some(original.gid()));
    }
    // After the owner: changing it clears the set-id bits.
    temp.set_permissions(original.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &File, _: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Makes the entries of a folder durable: new, renamed and removed files.
/// Does nothing where the platform has no such operation.
///
/// # Errors
/// [`FsError`] when the folder cannot be opened or synced.
pub fn sync_dir(path: impl AsRef<Path>) -> Result<(), FsError> {
    let path = path.as_ref();
    if cfg!(unix) {
        File::open(path)
            .and_then(|dir| dir.sync_all())
            .map_err(|e| FsError::new(FsOp::SyncDir, path, e))?;
    }
    Ok(())
}

/// Creates a folder and all above it; well if it is already there.
///
/// # Errors
/// [`FsError`], among others when a file is in the way.
pub fn ensure_dir(path: impl AsRef<Path>) -> Result<(), FsError> {
    let path = path.as_ref();
    std::fs::create_dir_all(path).map_err(|e| FsError::new(FsOp::CreateDir, path, e))
}

/// [`ensure_dir`], and only the owner may enter: for sockets, logs and state.
///
/// # Errors
/// As [`ensure_dir`], and when the mode cannot be set.
pub fn ensure_private_dir(path: impl AsRef<Path>) -> Result<(), FsError> {
    let path = path.as_ref();
    ensure_dir(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let fail = |e: io::Error| FsError::new(FsOp::CreateDir, path, e);
        let mode = std::fs::metadata(path).map_err(fail)?.permissions().mode();
        if mode & 0o077 != 0 {
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(path, private).map_err(fail)?;
        }
    }
    Ok(())
}

/// Whether there is something at `path` (a link that leads nowhere counts as
/// nothing).
///
/// # Errors
/// [`FsError`] when that cannot be known: no permission to look.
pub fn exists(path: impl AsRef<Path>) -> Result<bool, FsError> {
    let path = path.as_ref();
    path.try_exists()
        .map_err(|e| FsError::new(FsOp::Look, path, e))
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
