//! How an actor can fail.

use std::{error::Error, fmt, io, path::PathBuf, sync::Arc, time::Duration};
use symphony_ipc_transport::CloseReason;

/// Why something asked of an actor did not happen.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActorError {
    /// The program does not exist or may not be executed. Installing it helps.
    #[error("cannot start {actor}: its program {program} was not found or is not executable")]
    ProgramMissing {
        /// Which actor.
        actor: String,
        /// What was looked for.
        program: PathBuf,
    },
    /// The folder to start in does not exist.
    #[error("cannot start {actor}: its folder {folder} does not exist")]
    FolderMissing {
        /// Which actor.
        actor: String,
        /// What was looked for.
        folder: PathBuf,
    },
    /// The operating system did not start the process.
    #[error("cannot start {actor}")]
    Spawn {
        /// Which actor.
        actor: String,
        /// What it said.
        #[source]
        source: Arc<io::Error>,
    },
    /// It said at its start that it cannot work; starting it again would not help.
    #[error("{actor} cannot work: {why}")]
    Refused {
        /// Which actor.
        actor: String,
        /// Why.
        why: String,
    },
    /// It ended too often.
    #[error("{actor} ended {times} times within {within:?}; the last time it {death}")]
    RestartedTooOften {
        /// Which actor.
        actor: String,
        /// How often.
        times: u32,
        /// In which time.
        within: Duration,
        /// How it ended the last time.
        death: Arc<Death>,
    },
    /// It ended and is not restarted by its policy.
    #[error("{actor} {death}")]
    Ended {
        /// Which actor.
        actor: String,
        /// How it ended.
        death: Arc<Death>,
    },
    /// It is not running, and nobody asked for it to run.
    #[error("{actor} is stopped")]
    Stopped {
        /// Which actor.
        actor: String,
    },
    /// It was not ready in time.
    #[error("{actor} was not ready within {after:?}")]
    NotReady {
        /// Which actor.
        actor: String,
        /// How long was waited.
        after: Duration,
    },
    /// An actor of this id exists.
    #[error("an actor `{actor}` exists already")]
    Duplicate {
        /// Which.
        actor: String,
    },
    /// The supervisor is being shut down.
    #[error("the supervisor has ended")]
    SupervisorEnded,
}

/// Why [`crate::Behaviour::started`] did not succeed.
#[derive(Debug)]
pub enum StartError {
    /// Another try may help, e.g. the connection ended.
    Retry(Box<dyn Error + Send + Sync>),
    /// Another try would not help, e.g. it speaks another protocol.
    Fatal(String),
}

impl<E: Error + Send + Sync + 'static> From<E> for StartError {
    fn from(error: E) -> Self {
        Self::Retry(Box::new(error))
    }
}

/// Why a process ended, or was ended.
#[derive(Debug, Clone)]
pub enum DeathCause {
    /// By itself.
    Exited,
    /// It was asked to.
    Stopped,
    /// Its user asked for another incarnation.
    Replaced {
        /// Why.
        why: String,
    },
    /// It did not answer the heartbeat.
    Hung {
        /// For how long.
        silent: Duration,
    },
    /// Its connection broke: garbage, or it did not read, or it closed its output.
    Disconnected(CloseReason),
    /// It was not ready in time.
    SlowStart {
        /// The time it had.
        after: Duration,
    },
    /// Its start did not succeed.
    FailedStart(Arc<dyn Error + Send + Sync>),
}

/// How an incarnation ended.
#[derive(Debug, Clone)]
pub struct Death {
    /// Which incarnation, from 1.
    pub generation: u64,
    /// Why.
    pub cause: DeathCause,
    /// Whether it had become ready.
    pub ready: bool,
    /// Its exit status, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// The last lines of its standard error.
    pub last_words: Vec<String>,
}

/// How many of the last words are shown.
const SHOWN_WORDS: usize = 5;

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            DeathCause::Exited => f.write_str("ended by itself")?,
            DeathCause::Stopped => f.write_str("was stopped")?,
            DeathCause::Replaced { why } => write!(f, "was restarted: {why}")?,
            DeathCause::Hung { silent } => {
                write!(
                    f,
                    "hung (no answer for {} ms) and was killed",
                    silent.as_millis()
                )?;
            }
            DeathCause::Disconnected(CloseReason::Ended) => f.write_str("closed its output")?,
            DeathCause::Disconnected(reason) => write!(f, "was killed: {reason}")?,
            DeathCause::SlowStart { after } => {
                write!(f, "was not ready within {after:?} and was killed")?;
            }
            DeathCause::FailedStart(error) => write!(f, "did not start well: {error}")?,
        }
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, ", exit status {code}")?,
            // SIGKILL after we sent it tells nothing new.
            (None, Some(signal)) if signal != 9 || matches!(self.cause, DeathCause::Exited) => {
                write!(f, ", signal {signal}{}", signal_name(signal))?;
            }
            _ => {}
        }
        let skip = self.last_words.len().saturating_sub(SHOWN_WORDS);
        for (index, line) in self.last_words[skip..].iter().enumerate() {
            let lead = if index == 0 {
                "; its last words: "
            } else {
                " | "
            };
            write!(f, "{lead}{line}")?;
        }
        Ok(())
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (illegal instruction)",
        6 => " (abort)",
        8 => " (arithmetic error)",
        9 => " (killed)",
        11 => " (segmentation fault)",
        15 => " (terminated)",
        25 => " (file size limit)",
        31 => " (forbidden system call)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_tells_how_and_the_last_words() {
        let mut death = Death {
            generation: 1,
            cause: DeathCause::Exited,
            ready: true,
            code: Some(3),
            signal: None,
            last_words: (0..9).map(|n| format!("line {n}")).collect(),
        };
        assert_eq!(
            death.to_string(),
            "ended by itself, exit status 3; its last words: line 4 | line 5 | line 6 | line 7 | line 8"
        );
        death.last_words.clear();
        (death.code, death.signal) = (None, Some(11));
        assert_eq!(
            death.to_string(),
            "ended by itself, signal 11 (segmentation fault)"
        );
        death.signal = Some(9);
        death.cause = DeathCause::Hung {
            silent: Duration::from_millis(750),
        };
        assert_eq!(
            death.to_string(),
            "hung (no answer for 750 ms) and was killed"
        );
    }
}
