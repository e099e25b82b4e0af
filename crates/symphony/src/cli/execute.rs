//! The border to whoever does the work.

use crate::{
    api::{Answer, Command, CommandError},
    session::Session,
};
use async_trait::async_trait;
use std::sync::Arc;
use symphony_domain::run::EventSink;
use tokio_util::sync::CancellationToken;

/// Does commands.
#[async_trait]
pub trait Execute: Send + Sync {
    /// Has a command done; events come while it works.
    ///
    /// # Errors
    /// Why it was not done.
    async fn execute(
        &self,
        command: Command,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Answer, CommandError>;
}

#[async_trait]
impl Execute for Session {
    async fn execute(
        &self,
        command: Command,
        events: EventSink,
        cancel: &CancellationToken,
    ) -> Result<Answer, CommandError> {
        Session::execute(self, command, events, cancel).await
    }
}

/// For commands without events.
pub fn no_events() -> EventSink {
    Arc::new(|_| {})
}
