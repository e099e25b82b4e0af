//! What every command of the command line has at hand.

use crate::cli::{
    errors::{CliResult, input},
    keys::{Keys, Press},
    ui::Ui,
};
use std::{
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// What every command of the command line has at hand.
pub struct Context<'a> {
    /// Where output goes.
    pub ui: &'a mut Ui,
    /// Where the command works.
    pub place: Place,
    /// Cancelled by Ctrl-C.
    pub cancel: CancellationToken,
    /// Who is asked.
    pub keys: Arc<Mutex<dyn Keys + Send>>,
    /// The command of the editor that someone prefers.
    pub editor: Option<String>,
}

impl Context<'_> {
    /// Someone to be asked.
    pub fn asking(keys: impl Keys + Send + 'static) -> Arc<Mutex<dyn Keys + Send>> {
        Arc::new(Mutex::new(keys))
    }

    /// Waits for a key, or until the command is stopped.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub async fn key(&self) -> io::Result<Press> {
        self.asked(|keys| keys.next(), Press::Interrupt).await
    }

    /// Waits for a line that is not shown; empty when the command is stopped.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn secret(&self) -> io::Result<String> {
        self.asked(|keys| keys.secret(), String::new()).await
    }

    async fn asked<T: Send + 'static>(
        &self,
        ask: fn(&mut (dyn Keys + Send)) -> io::Result<T>,
        stopped: T,
    ) -> io::Result<T> {
        let keys = Arc::clone(&self.keys);
        let asking = tokio::task::spawn_blocking(move || {
            let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
            ask(&mut *keys)
        });
        tokio::select! {
            answer = asking => answer.map_err(io::Error::other)?,
            () = self.cancel.cancelled() => Ok(stopped),
        }
    }
}

/// Where the command works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project's folder.
    pub project: PathBuf,
    /// The working directory.
    pub here: PathBuf,
    /// `--project` as it was given, where commands to try must repeat it.
    pub given: Option<String>,
}

impl Place {
    /// The project's name for people.
    pub fn name(&self) -> String {
        let name = self
            .project
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.project.display().to_string())
    }

    /// A command to try.
    pub fn hint(&self, command: &str) -> String {
        match &self.given {
            None => format!("symphony {command}"),
            Some(project) => format!("symphony {command} --project {}", quoted(project)),
        }
    }

    /// A file as the project names it: relative to its folder, `/` between folders.
    ///
    /// # Errors
    /// When it is not below the project.
    pub fn in_project(&self, file: &Path) -> CliResult<String> {
        let absolute = if self.here.starts_with(&self.project) || file.is_absolute() {
            self.here.join(file)
        } else {
            // Called from elsewhere with --project, files are the project's.
            self.project.join(file)
        };
        let resolved = absolute
            .canonicalize()
            .unwrap_or_else(|_| normal(&absolute));
        let relative = resolved.strip_prefix(&self.project).map_err(|_| {
            let message = format!(
                "`{}` is not in the project {}",
                file.display(),
                self.project.display()
            );
            input(message, "name a file of the project")
        })?;
        let parts: Vec<_> = relative
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        Ok(parts.join("/"))
    }
}

/// A path without `.` and `..`, for one that does not exist.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    out
}

/// For a shell, where that needs it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(here: &str, given: Option<&str>) -> Place {
        Place {
            project: "/p/shop".into(),
            here: here.into(),
            given: given.map(str::to_owned),
        }
    }

    #[test]
    fn commands_to_try_name_the_project_where_they_must() {
        assert_eq!(place("/p/shop", None).hint("review"), "symphony review");
        let other = place("/", Some("/p/my shop"));
        assert_eq!(other.hint("undo"), "symphony undo --project '/p/my shop'");
    }

    #[test]
    fn files_are_named_from_the_project() {
        let inside = place("/p/shop/src", None);
        assert_eq!(inside.in_project(Path::new("a.py")).unwrap(), "src/a.py");
        assert_eq!(inside.in_project(Path::new("../b.py")).unwrap(), "b.py");
        assert_eq!(
            inside.in_project(Path::new("/p/shop/c.py")).unwrap(),
            "c.py"
        );
        assert!(inside.in_project(Path::new("../../x.py")).is_err());
        let outside = place("/elsewhere", Some("/p/shop"));
        assert_eq!(
            outside.in_project(Path::new("src/a.py")).unwrap(),
            "src/a.py"
        );
    }

    #[test]
    fn a_name_for_people() {
        assert_eq!(place("/", None).name(), "shop");
    }
}
