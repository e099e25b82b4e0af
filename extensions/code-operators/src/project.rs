//! Reading the project: paths that stay inside it, text with its digest.

use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use symphony_extension_sdk::types::Finding;
use symphony_extension_sdk::{Call, Failure};

/// Files above this many bytes are left alone.
pub const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;

const MARK: &str = "\u{feff}";

/// The project's folder.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

/// A path relative to the project, `/` between folders, checked by [`Project::path`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RelPath(String);

impl RelPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A source file as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text without its encoding mark: what positions refer to.
    pub text: String,
    /// Digest of `text`.
    pub base: String,
}

/// Why a file cannot be read as text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// The path is empty, absolute, has `..` in it, or leads outside through a link.
    #[error("the path leads out of the project or is not written plainly")]
    Outside,
    /// The path is in a version control folder.
    #[error("the path is inside version control's own folder")]
    VersionControl,
    /// There is no such file.
    #[error("no such file")]
    Missing,
    /// A folder, a device, …
    #[error("not a regular file")]
    NotAFile,
    /// Above [`MAX_FILE_BYTES`].
    #[error("larger than {MAX_FILE_BYTES} bytes ({0})")]
    TooLarge(u64),
    /// It has NUL bytes.
    #[error("a binary file")]
    Binary,
    /// It is in another encoding.
    #[error("not UTF-8 (byte {0})")]
    NotUtf8(usize),
    /// The system refused.
    #[error("cannot be read: {0}")]
    Io(#[source] io::Error),
}

impl Unreadable {
    /// The same as a finding about `path`.
    #[must_use]
    pub fn finding(&self, path: &str) -> Finding {
        finding(path, "", self)
    }
}

/// A finding about an item of a file.
pub fn finding(path: &str, item: &str, message: impl std::fmt::Display) -> Finding {
    Finding {
        path: path.to_owned(),
        item: item.to_owned(),
        message: message.to_string(),
    }
}

/// The digest of a text: BLAKE3 with its name in front.
#[must_use]
pub fn digest(text: &str) -> String {
    format!("b3:{}", blake3::hash(text.as_bytes()).to_hex())
}

/// The line ending that a text uses most, `\n` when it has none.
#[must_use]
pub fn line_ending(text: &str) -> &'static str {
    let crlf = text.matches("\r\n").count();
    let all = text.bytes().filter(|&byte| byte == b'\n').count();
    if crlf * 2 > all { "\r\n" } else { "\n" }
}

/// Line of a byte offset, from 1.
#[must_use]
pub fn line_of(text: &str, at: usize) -> usize {
    let before = &text.as_bytes()[..at.min(text.len())];
    1 + before.iter().filter(|&&byte| byte == b'\n').count()
}

impl Project {
    /// The project of a call.
    ///
    /// # Errors
    /// [`Failure::Refused`] without the right to read it, [`Failure::Io`] when it is not there.
    pub fn of(call: &Call) -> Result<Self, Failure> {
        let root = call.project()?;
        let root = root
            .canonicalize()
            .map_err(|e| Failure::io(format!("opening the project {}", root.display()), e))?;
        Ok(Self { root })
    }

    /// The folder, without links in its path.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Checks that a path stays inside the project, as written and through links.
    ///
    /// The file itself may be missing.
    ///
    /// # Errors
    /// [`Unreadable::Outside`], [`Unreadable::VersionControl`] or [`Unreadable::Io`].
    pub fn path(&self, path: &str) -> Result<RelPath, Unreadable> {
        let plain = !path.is_empty()
            && !path.contains(['\\', '\0'])
            && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && Path::new(path)
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
        if !plain {
            return Err(Unreadable::Outside);
        }
        let own = |part: &str| {
            [".git", ".hg", ".svn", ".jj"]
                .iter()
                .any(|own| part.eq_ignore_ascii_case(own))
        };
        if path.split('/').any(own) {
            return Err(Unreadable::VersionControl);
        }
        // The nearest part that exists decides: what is missing cannot be a link.
        let mut existing = self.root.join(path);
        loop {
            match existing.canonicalize() {
                Ok(real) if real.starts_with(&self.root) => return Ok(RelPath(path.to_owned())),
                Ok(_) => return Err(Unreadable::Outside),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    // A link to nowhere exists although its target does not.
                    if existing.symlink_metadata().is_ok() {
                        return Err(Unreadable::Outside);
                    }
                    if !existing.pop() {
                        return Err(Unreadable::Outside);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                    existing.pop();
                }
                Err(error) => return Err(Unreadable::Io(error)),
            }
        }
    }

    /// Reads a text file.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(&self, path: &str) -> Result<Text, Unreadable> {
        let path = self.path(path)?;
        self.read_checked(path.as_str())
    }

    /// Reads a text file whose path is known to be inside, as the walk found it.
    pub(crate) fn read_checked(&self, path: &str) -> Result<Text, Unreadable> {
        let path = self.root.join(path);
        let data = path.metadata().map_err(unreadable)?;
        if !data.is_file() {
            return Err(Unreadable::NotAFile);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(data.len()).unwrap_or(0).min(1 << 21));
        // One byte more than allowed, in case the file has grown since.
        let mut file = File::open(path)
            .map_err(unreadable)?
            .take(MAX_FILE_BYTES + 1);
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(Unreadable::TooLarge(data.len().max(bytes.len() as u64)));
        }
        if bytes.contains(&0) {
            return Err(Unreadable::Binary);
        }
        let text = String::from_utf8(bytes)
            .map_err(|e| Unreadable::NotUtf8(e.utf8_error().valid_up_to()))?;
        let text = match text.strip_prefix(MARK) {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let base = digest(&text);
        Ok(Text { text, base })
    }
}

fn unreadable(error: io::Error) -> Unreadable {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unreadable::Missing,
        _ => Unreadable::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symphony_extension_sdk::Session;

    fn project() -> (tempfile::TempDir, Project) {
        let dir = tempfile::tempdir().unwrap();
        let call = Call::detached(Session::in_project(dir.path()), []);
        let project = Project::of(&call).unwrap();
        (dir, project)
    }

    #[test]
    fn paths_outside_are_refused() {
        let (dir, project) = project();
        std::fs::create_dir(dir.path().join("src")).unwrap();
        std::fs::write(dir.path().join("src/a.rs"), "x").unwrap();
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "src/../../x",
            "./a",
            "a//b",
            "a\\b",
            "a\0",
        ] {
            assert!(
                matches!(project.path(path), Err(Unreadable::Outside)),
                "{path}"
            );
        }
        for path in [".git/config", "sub/.GIT/hooks/x", ".jj/x"] {
            assert!(
                matches!(project.path(path), Err(Unreadable::VersionControl)),
                "{path}"
            );
        }
        for path in [
            "src/a.rs",
            "src/new/deep/b.rs",
            "src/a.rs/x",
            ".github/x.yml",
        ] {
            assert_eq!(project.path(path).unwrap().as_str(), path);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_outside_are_refused() {
        use std::os::unix::fs::symlink;
        let (dir, project) = project();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        symlink(outside.path(), dir.path().join("out")).unwrap();
        symlink("nowhere/at/all", dir.path().join("dangling")).unwrap();
        std::fs::write(dir.path().join("in"), "x").unwrap();
        symlink("in", dir.path().join("link")).unwrap();
        for path in ["out/secret", "out/new", "out", "dangling"] {
            assert!(
                matches!(project.path(path), Err(Unreadable::Outside)),
                "{path}"
            );
        }
        assert_eq!(project.read("link").unwrap().text, "x");
    }

    #[test]
    fn reads_text_without_its_mark_and_says_why_not() {
        let (dir, project) = project();
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
        write("mark", b"\xef\xbb\xbfhi\r\n");
        write("nul", b"a\0b");
        write("latin", b"caf\xe9");
        write("big", &vec![b'a'; 2 * 1024 * 1024 + 1]);
        let text = project.read("mark").unwrap();
        assert_eq!(text.text, "hi\r\n");
        assert_eq!(text.base, digest("hi\r\n"));
        assert!(matches!(project.read("nul"), Err(Unreadable::Binary)));
        assert!(matches!(project.read("latin"), Err(Unreadable::NotUtf8(3))));
        assert!(matches!(
            project.read("big"),
            Err(Unreadable::TooLarge(2_097_153))
        ));
        assert!(matches!(project.read("none"), Err(Unreadable::Missing)));
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        assert!(matches!(project.read("folder"), Err(Unreadable::NotAFile)));
    }

    #[test]
    fn the_line_ending_of_most_lines_wins() {
        assert_eq!(line_ending("a\r\nb\r\nc\n"), "\r\n");
        assert_eq!(line_ending("a\nb\r\n"), "\n");
        assert_eq!(line_ending(""), "\n");
    }
}
