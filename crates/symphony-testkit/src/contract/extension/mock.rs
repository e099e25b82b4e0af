//! The test extensions as handlers of the mock.

use super::Behaviour;
use crate::{MockCall, MockExtensionAdapter, manifest};
use std::{
    future::pending, sync::Arc, sync::atomic::AtomicBool, sync::atomic::Ordering, time::Duration,
};
use symphony_core_ports::{
    ExtensionEvent, ExtensionManifest, PortError, PortResult, ProcessId, Response, Usage,
};

/// Gives the mock a handler for the behaviour, and the manifest to load it by.
pub fn install(mock: &MockExtensionAdapter, behaviour: Behaviour) -> ExtensionManifest {
    let id = behaviour.id();
    let at_once = match behaviour {
        Behaviour::Echo | Behaviour::Slow => 4,
        _ => 1,
    };
    let model = (behaviour == Behaviour::Echo).then_some("echo-model");
    mock.set_status(id, model, at_once);
    // A second manifest of a behaviour must not make it forget.
    if !mock.handles(id) {
        handle(mock, behaviour, id);
    }
    manifest::operator(id)
        .optional_input("value", "json")
        .optional_output("value", "json")
        .deterministic(false)
        .build()
}

fn handle(mock: &MockExtensionAdapter, behaviour: Behaviour, id: &str) {
    match behaviour {
        Behaviour::Echo => mock.on_async(id, |call| async move { echo(&call) }),
        Behaviour::Slow => mock.on_async(id, |call| async move {
            let millis = call.request.inputs["value"].as_u64().unwrap_or_default();
            call.work(Duration::from_millis(millis)).await;
            echo(&call)
        }),
        Behaviour::Streams => mock.on_async(id, |call| async move {
            call.progress(1, Some(2), "half");
            call.text("la");
            call.text("lu");
            echo(&call)
        }),
        Behaviour::FailsOnce => {
            // Loading it anew begins anew, as a new process does.
            let failed = Arc::new(AtomicBool::new(false));
            mock.on_load(id, {
                let failed = Arc::clone(&failed);
                move || failed.store(false, Ordering::SeqCst)
            });
            mock.on_async(id, move |call| {
                let first = !failed.swap(true, Ordering::SeqCst);
                async move {
                    match first {
                        true => Err(PortError::failed("the service is away")),
                        false => echo(&call),
                    }
                }
            });
        }
        Behaviour::Fails => mock.on(id, |request| {
            Err(failure(
                request.inputs["value"].as_str().unwrap_or_default(),
            ))
        }),
        Behaviour::Dies => mock.die(id, "out of luck"),
        Behaviour::Hangs | Behaviour::Garbage => mock.hang(id),
        Behaviour::Flood => mock.on_async(id, |call| async move {
            for n in 0..100_000_u64 {
                call.emit(ExtensionEvent::Log {
                    message: format!("{n} bottles"),
                });
            }
            pending().await
        }),
        Behaviour::Missing | Behaviour::StillBorn | Behaviour::Stranger => {
            mock.fail_start(id, "it did not start");
        }
    }
}

fn echo(call: &MockCall) -> PortResult<Response> {
    Ok(Response {
        outputs: call.request.inputs.clone(),
        usage: Usage {
            model_calls: 1,
            input_tokens: 2,
            output_tokens: 3,
            usd: 0.0,
        },
    })
}

fn failure(kind: &str) -> PortError {
    match kind {
        "invalid" => PortError::invalid("value", "the test says so"),
        "refused" => PortError::PermissionDenied {
            operation: "the test".into(),
        },
        "unsupported" => PortError::Unsupported {
            details: "the test".into(),
        },
        "timeout" => PortError::Timeout {
            operation: "the test".into(),
            duration: Duration::from_secs(1),
        },
        "busy" => PortError::Exhausted {
            resource: "the service".into(),
            details: "too many calls".into(),
            retry_after: Some(Duration::from_millis(250)),
        },
        "upstream" => PortError::failed("the service is away"),
        other => PortError::ProcessCommunicationFailed {
            process_id: ProcessId::from("extension fails"),
            details: format!("unknown kind `{other}`"),
            source: None,
        },
    }
}
