//! Which language server a file has, and where its workspace begins.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use symphony_ipc_protocol::xi::LanguageServer;

/// The language servers that are used where nothing else is said.
const BUILT_IN: &str = include_str!("table.json");

/// The language servers to choose from.
pub struct Table {
    servers: Vec<Arc<LanguageServer>>,
}

impl Table {
    /// The configured servers, and the built-in ones of other languages.
    pub fn new(configured: Vec<LanguageServer>) -> Self {
        // A test reads it, so it is never bad.
        let mut built_in: Vec<LanguageServer> = serde_json::from_str(BUILT_IN).unwrap_or_default();
        built_in.retain(|b| configured.iter().all(|c| c.language != b.language));
        let servers = configured.into_iter().chain(built_in).map(Arc::new);
        Self {
            servers: servers.collect(),
        }
    }

    /// The server for a file; `None` when its language is not known.
    pub fn server_of(&self, path: &Path) -> Option<&Arc<LanguageServer>> {
        let (name, extension) = (text(path.file_name()), text(path.extension()));
        self.servers.iter().find(|server| {
            let named = server.file_names.iter().any(|n| n == name);
            named || (!extension.is_empty() && server.extensions.iter().any(|e| e == extension))
        })
    }
}

fn text(part: Option<&OsStr>) -> &str {
    part.and_then(OsStr::to_str).unwrap_or_default()
}

/// What a server calls the language of a file.
pub fn language_id<'a>(server: &'a LanguageServer, path: &Path) -> &'a str {
    server
        .language_ids
        .get(text(path.extension()))
        .unwrap_or(&server.language)
}

/// The root of a file's workspace: the nearest folder with the first marker that
/// any folder above the file has; without markers the file's own folder.
pub fn root_of(server: &LanguageServer, path: &Path) -> PathBuf {
    let folders = || path.ancestors().skip(1);
    let marked = server
        .root_markers
        .iter()
        .find_map(|marker| folders().find(|folder| folder.join(marker).exists()));
    marked.or(path.parent()).unwrap_or(path).to_owned()
}

/// The program of a server: as it is when absolute, else found on the PATH.
pub fn program_of(server: &LanguageServer, path: Option<&OsStr>) -> Option<PathBuf> {
    let command = Path::new(&server.command);
    if command.is_absolute() {
        return is_program(command).then(|| command.to_owned());
    }
    // A relative path would depend on where xi-editor was started.
    if command.components().count() != 1 {
        return None;
    }
    std::env::split_paths(path?)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(command))
        .find(|program| is_program(program))
}

fn is_program(path: &Path) -> bool {
    let access = rustix::fs::Access::EXEC_OK;
    path.is_file() && rustix::fs::access(path, access).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(configured: &[(&str, &str, &str)]) -> Table {
        let servers = configured
            .iter()
            .map(|(language, extension, command)| LanguageServer {
                language: (*language).to_owned(),
                extensions: vec![(*extension).to_owned()],
                command: (*command).to_owned(),
                ..LanguageServer::default()
            });
        Table::new(servers.collect())
    }

    fn command(table: &Table, path: &str) -> Option<String> {
        table.server_of(Path::new(path)).map(|s| s.command.clone())
    }

    #[test]
    fn built_in_servers_are_known_by_their_files() {
        let table = table(&[]);
        let cases = [
            ("/a/main.rs", "rust-analyzer"),
            ("/a/b.py", "pyright-langserver"),
            ("/a/c.tsx", "typescript-language-server"),
            ("/a/go.mod", "gopls"),
            ("/a/d.hpp", "clangd"),
        ];
        for (path, expected) in cases {
            assert_eq!(command(&table, path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(command(&table, "/a/notes.txt"), None);
        assert_eq!(command(&table, "/a/rs"), None);
        let typescript = table.server_of(Path::new("/c.tsx")).unwrap();
        assert_eq!(
            language_id(typescript, Path::new("/c.tsx")),
            "typescriptreact"
        );
        assert_eq!(language_id(typescript, Path::new("/c.ts")), "typescript");
    }

    #[test]
    fn what_is_configured_comes_first_and_replaces_its_language() {
        let table = table(&[("python", "py", "jedi"), ("stubs", "rs", "mine")]);
        assert_eq!(command(&table, "/a.py").as_deref(), Some("jedi"));
        assert_eq!(command(&table, "/a.pyi"), None);
        assert_eq!(command(&table, "/a.rs").as_deref(), Some("mine"));
    }

    #[test]
    fn the_first_marker_that_is_found_decides_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let (top, member) = (folder.path(), folder.path().join("crates/one"));
        std::fs::create_dir_all(member.join("src")).unwrap();
        let file = member.join("src/lib.rs");
        let table = table(&[]);
        let server = table.server_of(&file).unwrap();
        assert_eq!(root_of(server, &file), member.join("src"));
        std::fs::write(member.join("Cargo.toml"), "").unwrap();
        assert_eq!(root_of(server, &file), member);
        std::fs::write(top.join("Cargo.toml"), "").unwrap();
        assert_eq!(root_of(server, &file), member);
        std::fs::write(top.join("Cargo.lock"), "").unwrap();
        assert_eq!(root_of(server, &file), top);
    }

    #[test]
    fn programs_are_found_on_the_path_only_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let search = |command: &str| {
            let table = table(&[("x", "x", command)]);
            let server = Arc::clone(table.server_of(Path::new("/a.x")).unwrap());
            program_of(&server, Some(folder.path().as_os_str()))
        };
        std::fs::write(folder.path().join("plain"), "").unwrap();
        assert_eq!(search("plain"), None, "not executable");
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("server")).unwrap();
        assert_eq!(search("server"), Some(folder.path().join("server")));
        assert_eq!(search("./server"), None);
        assert_eq!(search("/bin/sh"), Some("/bin/sh".into()));
        assert_eq!(search("/no/such"), None);
    }
}
