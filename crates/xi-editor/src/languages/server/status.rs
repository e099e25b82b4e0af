//! What is told of a server.

use super::{Phase, Server};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use symphony_ipc_protocol::xi::{
    BufferKey, LanguageServerStatus, Progress, RevisionNumber, ServerState, Severity, XiEvent,
};

/// So many works are told of at once.
pub(super) const MAX_PROGRESS: usize = 16;
/// A change is told at most so often.
const PAUSE: Duration = Duration::from_millis(50);

/// What is told of a server beside its state.
#[derive(Default)]
pub(super) struct Reported {
    /// By the server's name for it.
    pub progress: BTreeMap<String, Progress>,
    pub error: Option<String>,
    told: Option<LanguageServerStatus>,
    told_at: Option<Instant>,
}

impl Server {
    /// What it does.
    pub fn status(&self) -> LanguageServerStatus {
        LanguageServerStatus {
            language: self.spec.language.clone(),
            root: self.root.clone(),
            command: self.spec.command.clone(),
            state: match self.phase {
                Phase::Missing(_) => ServerState::Missing,
                Phase::Starting(_) => ServerState::Starting,
                Phase::Ready => ServerState::Ready,
                Phase::Restarting(_) => ServerState::Restarting,
                Phase::GivenUp => ServerState::GivenUp,
                Phase::Stopped => ServerState::Stopped,
            },
            pid: self.link.as_ref().and_then(super::Link::id),
            buffers: self.buffers.len(),
            progress: self.reported.progress.values().cloned().collect(),
            error: self.reported.error.clone(),
        }
    }

    /// The events that are due.
    pub fn events(
        &mut self,
        newest: impl Fn(BufferKey) -> RevisionNumber,
        now: Instant,
    ) -> Vec<XiEvent> {
        let mut events = Vec::new();
        let rested = |at: Option<Instant>| at.is_none_or(|at| now.duration_since(at) >= PAUSE);
        let server = self.status();
        let state = |s: &LanguageServerStatus| s.state;
        let is_new = self.reported.told.as_ref() != Some(&server);
        // A change of state is told at once, progress with pauses.
        let turned = self.reported.told.as_ref().map(state) != Some(server.state);
        if is_new && (turned || rested(self.reported.told_at)) {
            self.reported.told = Some(server.clone());
            self.reported.told_at = Some(now);
            events.push(XiEvent::LanguageStatusChanged { server });
        }
        if !self.changed.is_empty() && rested(self.told_diagnostics) {
            self.told_diagnostics = Some(now);
            for buffer in std::mem::take(&mut self.changed) {
                events.push(self.diagnostics_event(buffer, newest(buffer)));
            }
        }
        events
    }

    fn diagnostics_event(&self, buffer: BufferKey, newest: RevisionNumber) -> XiEvent {
        let published = self.published.get(&buffer);
        let all = published.map_or(&[][..], |p| &p.diagnostics);
        let count = |severity| all.iter().filter(|d| d.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        XiEvent::DiagnosticsChanged {
            buffer,
            revision: published.map_or(newest, |p| p.judged),
            errors,
            warnings,
            others: all.len() - errors - warnings,
        }
    }

    /// When something waits to be told, the time for it.
    pub(super) fn told_at(&self, now: Instant) -> Option<Instant> {
        let next = |at: Option<Instant>| at.map_or(now, |at| at + PAUSE);
        let diagnostics = (!self.changed.is_empty()).then(|| next(self.told_diagnostics));
        let is_new = self.reported.told.as_ref() != Some(&self.status());
        let status = is_new.then(|| next(self.reported.told_at));
        diagnostics.into_iter().chain(status).min()
    }
}
