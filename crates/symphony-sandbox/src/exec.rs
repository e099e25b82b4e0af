//! Confining this process, then becoming a program.

use crate::args::{Exec, Limits};
use nix::{
    errno::Errno,
    sys::{
        prctl,
        resource::{Resource, rlim_t, setrlimit},
        signal::Signal,
    },
    unistd::{close, getppid, setsid},
};
use std::{
    convert::Infallible,
    fs, io,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

/// Exit code when the program was not found.
pub const NOT_FOUND: u8 = 127;
/// Exit code when the program could not be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// Exit code when the confinement could not be set up.
pub const NOT_CONFINED: u8 = 125;

/// Why the program was not started.
#[derive(Debug)]
pub struct NotStarted {
    /// The runner's exit code.
    pub code: u8,
    /// What was wrong, for people.
    pub why: String,
}

impl NotStarted {
    fn confining(step: &str, error: impl std::fmt::Display) -> Self {
        Self {
            code: NOT_CONFINED,
            why: format!("{step}: {error}"),
        }
    }

    /// The code to end with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Becomes the program. Returns only if that failed; then nothing was started.
///
/// # Errors
/// [`NotStarted`].
pub fn run(exec: Exec) -> Result<Infallible, NotStarted> {
    // A session of its own: a group to end as a whole, and no terminal to read keys from.
    match setsid() {
        // Already the leader of a group, as when started by hand from a shell.
        Ok(_) | Err(Errno::EPERM) => {}
        Err(error) => return Err(NotStarted::confining("cannot start a session", error)),
    }
    prctl::set_pdeathsig(Signal::SIGKILL)
        .map_err(|e| NotStarted::confining("cannot tie the program to the host", e))?;
    // The host may have ended before the line above; then no signal will come.
    if getppid().as_raw() != exec.parent {
        return Err(NotStarted::confining("the host is gone", exec.parent));
    }
    set_limits(&exec.limits)?;
    close_inherited();
    let error = Command::new(&exec.program).args(&exec.arguments).exec();
    Err(NotStarted {
        code: match error.kind() {
            io::ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        },
        why: format!("cannot start {}: {error}", exec.program.display()),
    })
}

fn set_limits(limits: &Limits) -> Result<(), NotStarted> {
    let all = [
        (Resource::RLIMIT_NOFILE, limits.nofile),
        (Resource::RLIMIT_AS, limits.address_space),
        (Resource::RLIMIT_CORE, limits.core),
        (Resource::RLIMIT_FSIZE, limits.file_size),
    ];
    for (resource, limit) in all {
        let Some(limit) = limit else { continue };
        let limit = limit as rlim_t;
        setrlimit(resource, limit, limit)
            .map_err(|e| NotStarted::confining(&format!("cannot limit {resource:?}"), e))?;
    }
    Ok(())
}

/// Closes what the host's own parent left open without close-on-exec; the
/// host's descriptors carry that flag.
fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|fd| *fd > 2)
        .collect();
    for fd in open {
        // The listing's own descriptor is closed already.
        let _ = close(fd);
    }
}
