//! An actor over all its incarnations.

use crate::{
    ActorError, Death, DeathCause,
    events::EventKind,
    handle::{ActorState, Command},
    incarnation::{Actor, End},
};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};
use tokio::time::{Instant, sleep_until};

impl Actor {
    /// Starts, restarts and stops until every handle is gone.
    pub(crate) async fn run(mut self) {
        let mut generation = 0;
        let mut restarts = VecDeque::new();
        loop {
            generation += 1;
            let go_on = match self.live(generation).await {
                End::Died(death) => self.after(death, &mut restarts).await,
                End::Stopped(done) => {
                    self.stopped(generation);
                    match done {
                        Some(done) => {
                            // Whoever asked may have gone.
                            let _ = done.send(());
                            self.rest(generation).await
                        }
                        None => false,
                    }
                }
                End::Refused(ActorError::SupervisorEnded) => {
                    self.stopped(generation);
                    false
                }
                End::Refused(error) => {
                    self.fail(generation, error);
                    restarts.clear();
                    self.rest(generation).await
                }
            };
            if !go_on {
                return;
            }
        }
    }

    fn stopped(&self, generation: u64) {
        self.shared.set(ActorState::Stopped, None);
        self.shared.tell(generation, EventKind::Stopped);
    }

    fn fail(&self, generation: u64, error: ActorError) {
        tracing::warn!(actor = %self.shared.id, %error, "a process failed");
        self.shared
            .tell(generation, EventKind::Failed(error.clone()));
        self.shared.set(ActorState::Failed { error }, None);
    }

    /// Waits before the restart that the policy allows, or fails. `false`: the end.
    async fn after(&mut self, death: Arc<Death>, restarts: &mut VecDeque<Instant>) -> bool {
        if matches!(death.cause, DeathCause::Replaced { .. }) {
            return true;
        }
        let policy = &self.spec.restart;
        let now = Instant::now();
        // A start that fails slowly must not be repeated for ever: it always counts.
        while death.ready
            && restarts
                .front()
                .is_some_and(|at: &Instant| now.duration_since(*at) > policy.within)
        {
            restarts.pop_front();
        }
        let earlier = u32::try_from(restarts.len()).unwrap_or(u32::MAX);
        let generation = death.generation;
        let actor = self.spec.id.clone();
        let Some(wait) = policy.wait_after(earlier) else {
            let error = if policy.max_restarts == 0 {
                ActorError::Ended { actor, death }
            } else {
                ActorError::RestartedTooOften {
                    actor,
                    times: earlier + 1,
                    within: policy.within,
                    death,
                }
            };
            self.fail(generation, error);
            restarts.clear();
            return self.rest(generation).await;
        };
        restarts.push_back(now);
        self.shared.restarts.fetch_add(1, Ordering::Relaxed);
        self.shared.set(ActorState::Starting, None);
        tracing::info!(actor = %actor, %death, ?wait, "a process is restarted");
        self.shared
            .tell(generation, EventKind::Restarting { after: wait });
        self.pause(generation, now + wait).await
    }

    /// Waits before a restart; a stop ends the wait. `false`: the end.
    async fn pause(&mut self, generation: u64, until: Instant) -> bool {
        loop {
            let command = tokio::select! {
                () = sleep_until(until) => return true,
                command = self.commands.recv() => command,
            };
            match command {
                None => {
                    self.stopped(generation);
                    return false;
                }
                Some(Command::Stop { done }) => {
                    self.stopped(generation);
                    let _ = done.send(());
                    return self.rest(generation).await;
                }
                Some(Command::Start { done }) => {
                    let _ = done.send(());
                    return true;
                }
                Some(Command::Restart { .. }) => {}
            }
        }
    }

    /// Without a process until asked to start. `false`: the end.
    async fn rest(&mut self, generation: u64) -> bool {
        loop {
            match self.commands.recv().await {
                None => return false,
                Some(Command::Start { done }) => {
                    self.shared.set(ActorState::Starting, None);
                    let _ = done.send(());
                    return true;
                }
                Some(Command::Stop { done }) => {
                    if matches!(self.shared.status.borrow().state, ActorState::Failed { .. }) {
                        self.stopped(generation);
                    }
                    let _ = done.send(());
                }
                Some(Command::Restart { .. }) => {}
            }
        }
    }
}
