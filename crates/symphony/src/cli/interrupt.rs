//! Ctrl-C: the first stops the work in good order, the second at once.

use crate::api::ErrorKind;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Cancels at the first signal that asks to end, and ends the process at the second.
///
/// # Errors
/// When the system takes no handlers.
pub fn watch(cancel: CancellationToken, is_told: bool) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        };
        next().await;
        cancel.cancel();
        if is_told {
            // The terminal may be the thing that has gone.
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                b"\nstopping; what is done is kept. Ctrl-C again ends at once.\n",
            );
        }
        next().await;
        std::process::exit(i32::from(ErrorKind::Cancelled.exit_code()));
    });
    Ok(())
}
