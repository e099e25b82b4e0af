//! A plugin that was asked for: whom it serves, and its ends and starts.

use super::catalog::Manifest;
use super::hub::Told;
use super::process::Process;
use super::rate::Recent;
use super::session::{About, Session};
use super::{Input, RunId};
use crate::child::Program;
use crate::companion::Desk;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, atomic::Ordering};
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{BufferKey, PluginInfo, PluginScope, PluginState};

/// A plugin has so long to answer a change, when nothing else is asked for.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A plugin that ended so often within [`CRASH_WINDOW`] is left alone.
const CRASHES: usize = 5;
const CRASH_WINDOW: Duration = Duration::from_secs(60);
/// The first restart comes after this, each further after twice as long.
const BACKOFF: Duration = Duration::from_millis(50);

/// Which buffers a plugin is to see; all when nothing is named.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub buffers: Option<BTreeSet<BufferKey>>,
    pub languages: Option<Vec<String>>,
}

impl Wanted {
    pub fn includes(&self, told: &Told) -> bool {
        let buffer = &told.now.buffer;
        self.buffers.as_ref().is_none_or(|all| all.contains(buffer))
            && self
                .languages
                .as_ref()
                .is_none_or(|all| all.contains(&told.language))
    }
}

/// A plugin and its runs.
pub(super) struct Hosted {
    pub wanted: Wanted,
    pub session: Option<Session>,
    pub run: RunId,
    pub restart_at: Option<Instant>,
    answer_within: Duration,
    state: PluginState,
    crashes: Recent,
    restarts: u32,
    dropped: Arc<AtomicU64>,
}

impl Default for Hosted {
    fn default() -> Self {
        Self {
            wanted: Wanted::default(),
            session: None,
            run: 0,
            restart_at: None,
            answer_within: ANSWER_WITHIN,
            state: PluginState::Stopped,
            crashes: Recent::new(CRASHES, CRASH_WINDOW),
            restarts: 0,
            dropped: Arc::default(),
        }
    }
}

/// Whether a plugin does one thing and ends.
pub(super) fn runs_once(manifest: &Manifest) -> bool {
    manifest.scope == PluginScope::SingleInvocation
}

impl Hosted {
    /// Takes a wish to run; whether it runs already.
    pub fn asked(&mut self, wanted: Wanted, answer_within: Duration) -> bool {
        self.wanted = wanted;
        self.answer_within = answer_within;
        self.restarts = 0;
        self.restart_at = None;
        self.crashes = Recent::new(CRASHES, CRASH_WINDOW);
        if let Some(session) = &mut self.session {
            session.set_answer_within(answer_within);
        }
        self.session.is_some()
    }

    /// Starts its process and greets it.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub fn launch(
        &mut self,
        run: RunId,
        manifest: &Manifest,
        about: &[About<'_>],
        (desk, inputs): (&Desk, &SyncSender<Input>),
    ) -> Result<(), String> {
        if self.restart_at.take().is_some() {
            self.restarts += 1;
        }
        let program = Program {
            executable: manifest.executable.clone(),
            arguments: Vec::new(),
            folder: Some(manifest.folder.clone()),
        };
        let process = Process::start(run, &program, inputs.clone()).map_err(|e| e.to_string())?;
        let name = Arc::from(manifest.name.as_str());
        let mut session = Session::new(&name, process, desk, self.answer_within, &self.dropped);
        if runs_once(manifest) {
            session.tell_no_changes();
        }
        session.greet(run, about).map_err(|e| e.to_string())?;
        self.session = Some(session);
        self.run = run;
        self.state = PluginState::Running;
        Ok(())
    }

    /// Takes an end that was not asked for; how it is now.
    pub fn ended(&mut self, runs_once: bool, now: Instant) -> PluginState {
        self.session = None;
        if runs_once {
            self.state = PluginState::Stopped;
            return self.state;
        }
        let crashes = self.crashes.count(now);
        self.state = if crashes >= CRASHES {
            PluginState::Disabled
        } else {
            let times = 1 << (crashes.max(1) - 1);
            self.restart_at = Some(now + BACKOFF * times);
            PluginState::Crashed
        };
        self.state
    }

    /// Takes the wish to end; what is left to be ended.
    pub fn stop(&mut self) -> Option<Process> {
        self.restart_at = None;
        self.state = PluginState::Stopped;
        self.session.take().map(Session::part)
    }

    /// When something is to be done.
    pub fn deadline(&self) -> Option<Instant> {
        let running = self.session.as_ref().and_then(Session::deadline);
        running.into_iter().chain(self.restart_at).min()
    }

    /// What the client is told of it.
    pub fn info(&self, manifest: &Manifest) -> PluginInfo {
        PluginInfo {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            manifest: manifest.file.clone(),
            scope: manifest.scope,
            activations: manifest.activations.clone(),
            commands: manifest.commands.clone(),
            languages: manifest.languages.clone(),
            state: self.state,
            pid: self.session.as_ref().map(Session::pid),
            restarts: self.restarts,
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}
