//! Paths that come from outside: from an extension, a model, a message.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::error::{FsError, FsOp, FsReason};

/// Checks that `path` is relative and stays below where it starts: not empty,
/// no root or drive, no `..`, no NUL byte. Returns it without `.` parts.
///
/// A backslash separates too on Windows only; elsewhere it is part of a name.
///
/// # Errors
/// [`FsReason::EmptyPath`], [`FsReason::Absolute`],
/// [`FsReason::ParentComponent`] or [`FsReason::NulByte`].
///
/// ```
/// use std::path::Path;
/// use sy_commons::fs::validate_relative;
/// assert_eq!(validate_relative("src/./lib.rs").unwrap(), Path::new("src/lib.rs"));
/// assert!(validate_relative("../secrets").is_err());
/// ```
pub fn validate_relative(path: impl AsRef<Path>) -> Result<PathBuf, FsError> {
    let path = path.as_ref();
    let fail = |reason| Err(FsError::new(FsOp::Resolve, path, reason));
    if path.as_os_str().as_encoded_bytes().contains(&0) {
        return fail(FsReason::NulByte);
    }
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => return fail(FsReason::ParentComponent),
            Component::RootDir | Component::Prefix(_) => return fail(FsReason::Absolute),
        }
    }
    if clean.as_os_str().is_empty() {
        return fail(FsReason::EmptyPath);
    }
    Ok(clean)
}

/// The real path of `relative` below `root`, with links resolved, whether or
/// not the file exists yet. Refuses paths that leave `root`, by `..`, by being
/// absolute or through a symbolic link.
///
/// The answer holds for the moment it is given: whoever can create links in
/// `root` afterwards can change where it leads.
///
/// # Errors
/// As [`validate_relative`]; [`FsReason::Escapes`] for a link that leads out;
/// [`FsReason::BadLink`] for one that leads nowhere; the system's own errors.
pub fn resolve_within(
    root: impl AsRef<Path>,
    relative: impl AsRef<Path>,
) -> Result<PathBuf, FsError> {
    let (root, relative) = (root.as_ref(), relative.as_ref());
    let fail = |reason: FsReason| FsError::new(FsOp::Resolve, relative, reason);
    let clean = validate_relative(relative)?;
    let root = root
        .canonicalize()
        .map_err(|e| FsError::new(FsOp::Resolve, root, e))?;
    let mut real = root.clone();
    let mut parts = clean.components();
    for part in parts.by_ref() {
        let next = real.join(part);
        match std::fs::symlink_metadata(&next) {
            Ok(meta) if meta.file_type().is_symlink() => {
                real = next.canonicalize().map_err(|_| fail(FsReason::BadLink))?;
                if !real.starts_with(&root) {
                    return Err(fail(FsReason::Escapes { root }));
                }
            }
            Ok(_) => real = next,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // Nothing exists from here on, so no link can lead away.
                real = next;
                break;
            }
            Err(e) => return Err(fail(e.into())),
        }
    }
    real.extend(parts);
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reason(path: &str) -> String {
        format!("{:?}", validate_relative(path).unwrap_err().reason())
    }

    #[test]
    fn accepts_plain_relative_paths() {
        for path in ["a", "a/b.rs", "a b/ü", "..a/b..", "...", "a\\b"] {
            assert_eq!(validate_relative(path).unwrap(), Path::new(path));
        }
        assert_eq!(validate_relative("./a//b/.").unwrap(), Path::new("a/b"));
    }

    #[test]
    fn refuses_with_the_reason() {
        assert_eq!(reason(""), "EmptyPath");
        assert_eq!(reason("."), "EmptyPath");
        assert_eq!(reason("/etc/passwd"), "Absolute");
        assert_eq!(reason("a/../b"), "ParentComponent");
        assert_eq!(reason(".."), "ParentComponent");
        assert_eq!(reason("a\0b"), "NulByte");
    }

    #[test]
    fn resolves_existing_and_new_files() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/f"), "").unwrap();
        assert_eq!(resolve_within(&root, "sub/f").unwrap(), root.join("sub/f"));
        assert_eq!(
            resolve_within(&root, "sub/new/x").unwrap(),
            root.join("sub/new/x")
        );
        assert!(
            resolve_within(root.join("none"), "a")
                .unwrap_err()
                .is_not_found()
        );
        assert!(resolve_within(&root, "sub/f/below-a-file").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_may_stay_inside_but_not_lead_out() {
        use std::os::unix::fs::symlink;
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        symlink("sub", root.join("inside")).unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink("/etc/not-there-yet", root.join("dangling-out")).unwrap();
        assert_eq!(
            resolve_within(&root, "inside/x").unwrap(),
            root.join("sub/x")
        );
        let error = resolve_within(&root, "out/x").unwrap_err();
        assert!(matches!(error.reason(), FsReason::Escapes { .. }));
        for link in ["dangling", "dangling-out"] {
            let error = resolve_within(&root, link).unwrap_err();
            assert!(matches!(error.reason(), FsReason::BadLink));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_accepted_stays_below(path in "[a./\\\\ü\\x00]{0,12}") {
            if let Ok(clean) = validate_relative(&path) {
                prop_assert!(clean.components().all(|c| matches!(c, Component::Normal(_))));
                prop_assert!(Path::new("/root").join(&clean).starts_with("/root"));
                prop_assert!(!path.contains('\0') && !path.starts_with('/'));
                // Checking again changes nothing.
                prop_assert_eq!(validate_relative(&clean).unwrap(), clean);
            } else {
                let harmless = !path.contains('\0')
                    && !path.starts_with('/')
                    && path.split('/').all(|part| part != "..")
                    && path.split('/').any(|part| !part.is_empty() && part != ".");
                prop_assert!(!harmless, "refused {path:?}");
            }
        }

        #[test]
        fn resolved_paths_are_below_the_root(path in "[ab./]{0,10}") {
            let dir = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap();
            std::fs::create_dir_all(root.join("a/b")).unwrap();
            if let Ok(real) = resolve_within(&root, &path) {
                prop_assert!(real.starts_with(&root));
            }
        }
    }
}
