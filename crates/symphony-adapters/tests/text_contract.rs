//! The contract of the text port, on the real xi-editor.
#![allow(clippy::unwrap_used, reason = "test code")]

mod processes;

use processes::*;
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};
use symphony_actors::Supervisor;
use symphony_adapters::xi_editor::{XiEditorAdapter, XiEditorOptions};
use symphony_core_ports::TextEditingPort;
use symphony_testkit::contract::text_editing::{self, Fixture};

/// Files above this are too large for the suite's editor.
const MAX_FILE: u64 = 8 << 20;

struct Real {
    xi: Arc<XiEditorAdapter>,
    folder: tempfile::TempDir,
    _supervisor: Arc<Supervisor>,
}

#[async_trait::async_trait]
impl Fixture for Real {
    fn port(&self) -> Arc<dyn TextEditingPort> {
        self.xi.clone()
    }
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.path(name)).ok()
    }
    fn delete(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }
    fn make_executable(&self, name: &str) -> bool {
        let mode = fs::Permissions::from_mode(0o750);
        fs::set_permissions(self.path(name), mode).is_ok()
    }
    fn is_executable(&self, name: &str) -> bool {
        let mode = fs::metadata(self.path(name)).unwrap().permissions().mode();
        mode & 0o777 == 0o750
    }
    fn make_too_large(&self, name: &str) -> bool {
        let file = fs::File::create(self.path(name)).unwrap();
        file.set_len(MAX_FILE + 1).is_ok()
    }
    async fn kill(&self) -> bool {
        let Some(current) = self.xi.actor().current() else {
            return false;
        };
        signal(current.pid, "KILL");
        let death = self.xi.actor().death(current.generation, 5 * SECOND);
        death.await.is_some()
    }
}

#[tokio::test]
async fn the_contract_holds() {
    text_editing::run(async || {
        let supervisor = supervisor();
        let mut options = XiEditorOptions::new(program("xi-editor", "xi-editor"));
        options.max_file_bytes = Some(MAX_FILE);
        let folder = tempfile::tempdir().unwrap();
        options.sessions = Some(folder.path().join(".sessions"));
        let xi = XiEditorAdapter::start(&supervisor, options).await.unwrap();
        Real {
            xi: Arc::new(xi),
            folder,
            _supervisor: supervisor,
        }
    })
    .await;
}
