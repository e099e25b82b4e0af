//! The thread that starts every child.
//!
//! The kernel sends a child its parent-death signal when the *thread* that
//! started it ends. The runtime's threads come and go; this one lives as long
//! as the supervisor. It also speaks with the guard process.

use crate::{ActorError, ActorSpec, group::Group, spec::resolve};
use rustix::process::Signal;
use std::{
    collections::HashMap,
    io::{self, Write},
    path::PathBuf,
    process::{Child as StdChild, Command as StdCommand, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::{process::Child, sync::oneshot};

/// How long the guard may take to end when the supervisor does.
const GUARD_END: Duration = Duration::from_secs(1);

/// A child that was started.
pub(crate) struct Spawned {
    pub(crate) child: Child,
    pub(crate) group: Group,
}

enum Request {
    Spawn {
        spec: Box<ActorSpec>,
        reply: oneshot::Sender<Result<Spawned, ActorError>>,
    },
    Release(Group),
    Close,
}

type Groups = Arc<Mutex<HashMap<i32, Group>>>;

/// Asks the spawner thread. Cheap to clone; does not keep the thread alive.
#[derive(Clone)]
pub(crate) struct Spawner {
    /// Not bounded by itself: each actor has at most one request in it.
    requests: mpsc::Sender<Request>,
    groups: Groups,
}

impl Spawner {
    /// Starts the thread and the guard.
    pub(crate) fn start(
        runner: PathBuf,
        runtime: tokio::runtime::Handle,
    ) -> io::Result<(Self, thread::JoinHandle<()>)> {
        let (requests, receiver) = mpsc::channel();
        let groups = Groups::default();
        let mut guard = Guard {
            process: None,
            runner: runner.clone(),
        };
        guard.start(&groups)?;
        let work = Thread {
            runner,
            runtime,
            guard,
            groups: groups.clone(),
        };
        let thread = thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || work.run(&receiver))?;
        Ok((Self { requests, groups }, thread))
    }

    pub(crate) async fn spawn(&self, spec: ActorSpec) -> Result<Spawned, ActorError> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Spawn {
            spec: Box::new(spec),
            reply,
        };
        self.requests
            .send(request)
            .map_err(|_| ActorError::SupervisorEnded)?;
        answer.await.map_err(|_| ActorError::SupervisorEnded)?
    }

    /// Ends what is left of a group whose leader has ended, and forgets it.
    pub(crate) fn release(&self, group: Group) {
        group.signal(Signal::KILL);
        self.lock().remove(&group.pid.as_raw_nonzero().get());
        // After the thread has ended there is nobody to tell.
        let _ = self.requests.send(Request::Release(group));
    }

    /// Ends every group at once and lets the thread end.
    pub(crate) fn close(&self) {
        self.kill_all();
        let _ = self.requests.send(Request::Close);
    }

    /// Sends SIGKILL to every group.
    pub(crate) fn kill_all(&self) {
        for group in self.lock().values() {
            group.signal(Signal::KILL);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i32, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Thread {
    runner: PathBuf,
    runtime: tokio::runtime::Handle,
    guard: Guard,
    groups: Groups,
}

impl Thread {
    fn run(mut self, requests: &mpsc::Receiver<Request>) {
        while let Ok(request) = requests.recv() {
            match request {
                Request::Spawn { spec, reply } => {
                    let result = self.spawn(&spec);
                    if let Err(Ok(spawned)) = reply.send(result) {
                        // Nobody waits any more: dropping the child kills it.
                        self.forget(spawned.group);
                    }
                }
                Request::Release(group) => {
                    self.guard
                        .write(&format!("-{}\n", group.line()), &self.groups);
                }
                Request::Close => break,
            }
        }
        let left: Vec<Group> = lock(&self.groups).drain().map(|(_, group)| group).collect();
        for group in left {
            group.signal(Signal::KILL);
        }
        self.guard.end();
    }

    fn forget(&mut self, group: Group) {
        group.signal(Signal::KILL);
        lock(&self.groups).remove(&group.pid.as_raw_nonzero().get());
        self.guard
            .write(&format!("-{}\n", group.line()), &self.groups);
    }

    fn spawn(&mut self, spec: &ActorSpec) -> Result<Spawned, ActorError> {
        let program = resolve(&spec.program).ok_or_else(|| ActorError::ProgramMissing {
            actor: spec.id.clone(),
            program: spec.program.clone(),
        })?;
        if let Some(folder) = spec.cwd.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(ActorError::FolderMissing {
                actor: spec.id.clone(),
                folder: folder.clone(),
            });
        }
        let mut command = StdCommand::new(&self.runner);
        command
            .arg("exec")
            .args(["--parent", &std::process::id().to_string()])
            .args(spec.limits.options())
            .arg("--")
            .arg(program)
            .args(&spec.args)
            .env_clear()
            .envs(spec.environment());
        if let Some(folder) = &spec.cwd {
            command.current_dir(folder);
        }
        let failed = |source: io::Error| ActorError::Spawn {
            actor: spec.id.clone(),
            source: Arc::new(source),
        };
        let mut command = tokio::process::Command::from(command);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let child = {
            let _runtime = self.runtime.enter();
            command.spawn().map_err(failed)?
        };
        let Some(group) = child.id().and_then(Group::of) else {
            return Err(failed(io::Error::other("the process has no id")));
        };
        lock(&self.groups).insert(group.pid.as_raw_nonzero().get(), group);
        self.guard
            .write(&format!("+{}\n", group.line()), &self.groups);
        Ok(Spawned { child, group })
    }
}

fn lock(groups: &Groups) -> std::sync::MutexGuard<'_, HashMap<i32, Group>> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The guard process, started again if it was killed.
struct Guard {
    process: Option<StdChild>,
    runner: PathBuf,
}

impl Guard {
    fn start(&mut self, groups: &Groups) -> io::Result<()> {
        let mut process = StdCommand::new(&self.runner)
            .arg("guard")
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let lines: String = lock(groups)
            .values()
            .map(|group| format!("+{}\n", group.line()))
            .collect();
        let written = match process.stdin.as_mut() {
            Some(input) => input.write_all(lines.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        self.process = Some(process);
        written
    }

    fn write(&mut self, line: &str, groups: &Groups) {
        let input = self.process.as_mut().and_then(|p| p.stdin.as_mut());
        if input.is_some_and(|input| input.write_all(line.as_bytes()).is_ok()) {
            return;
        }
        if let Some(mut killed) = self.process.take() {
            // It cannot be written to, so it has ended: this only reaps it.
            let _ = killed.kill();
            let _ = killed.wait();
        }
        if let Err(error) = self.start(groups) {
            tracing::error!(%error, "the guard of child processes cannot be started again");
        }
    }

    fn end(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        drop(process.stdin.take());
        let deadline = Instant::now() + GUARD_END;
        while !matches!(process.try_wait(), Ok(Some(_)) | Err(_)) {
            if Instant::now() > deadline {
                let _ = process.kill();
                let _ = process.wait();
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}
