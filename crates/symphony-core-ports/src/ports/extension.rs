//! Extension life cycle and communication.

use crate::{
    PortResult,
    types::{ExtensionEvent, ExtensionId, ExtensionManifest, ExtensionStatus, Request, Response},
};
use async_trait::async_trait;
use tokio::sync::broadcast::Receiver;

/// Extensions, each a process of its own.
///
/// An implementation MUST:
/// - give an extension nothing that its manifest does not declare and the user did not grant;
/// - end every call within its time-out, whatever the extension does: dies, hangs, floods, prints garbage;
/// - keep one extension's trouble from every other;
/// - stop the work of a call whose future is dropped;
/// - leave no process behind.
#[async_trait]
pub trait ExtensionPort: Send + Sync {
    /// Makes an extension known. Its process starts with its first call, or here.
    ///
    /// # Errors
    /// `Conflict` when an extension of this id is loaded with another manifest;
    /// `PermissionDenied` when a permission that it needs is not granted.
    async fn load(&self, manifest: ExtensionManifest) -> PortResult<ExtensionId>;

    /// Starts the extension if it does not run, and tells what it said of itself.
    ///
    /// # Errors
    /// `NotFound` (not loaded); `ProcessCommunicationFailed` (its program is
    /// missing, it ended, it said something else than the protocol), `Timeout`.
    async fn ready(&self, id: &ExtensionId) -> PortResult<ExtensionStatus>;

    /// Stops an extension and forgets it.
    ///
    /// # Errors
    /// `NotFound`.
    async fn unload(&self, id: &ExtensionId) -> PortResult<()>;

    /// Calls an extension.
    ///
    /// # Errors
    /// `NotFound`, `Timeout`, `ProcessCommunicationFailed` (it died, with its
    /// last words), `Exhausted` (rate limit, with the time to wait),
    /// `OperationFailed` (it failed and may succeed later), `InvalidInput`,
    /// `PermissionDenied`, `Unsupported`, `Cancelled`.
    async fn invoke(&self, id: &ExtensionId, request: Request) -> PortResult<Response>;

    /// Events of an extension from now on. A receiver that lags misses events.
    ///
    /// For an id that is not loaded the receiver gets nothing.
    fn events(&self, id: &ExtensionId) -> Receiver<ExtensionEvent>;
}
