//! The methods of the protocol that are about plugins.

use super::hosted::{ANSWER_WITHIN, Wanted};
use super::hub::{GRACE, Hub};
use super::settings;
use crate::companion::{Call, Reply};
use serde_json::json;
use std::time::Duration;
use symphony_ipc_protocol::jsonrpc::{RpcError, code};
use symphony_ipc_protocol::xi::{
    BufferKey, Empty, PluginCommand, PluginConfig, PluginHover, PluginInfo, PluginList,
    PluginSettings, PluginState, Plugins, StartPlugin, StopPlugin, XiRequest,
};

/// What may be asked for as the time to answer, in milliseconds.
const ANSWER_WITHIN_MS: std::ops::RangeInclusive<u64> = 100..=600_000;

/// Answers a call, now or when it is done.
pub(super) fn answer(hub: &mut Hub, call: Call) {
    match call.method() {
        Plugins::METHOD => with(call, |_: Plugins| Ok(list(hub))),
        StartPlugin::METHOD => with(call, |request| start(hub, request)),
        StopPlugin::METHOD => {
            if let Some((request, reply)) = call.read::<StopPlugin>() {
                stop(hub, &request, reply);
            }
        }
        PluginCommand::METHOD => with(call, |request| command(hub, &request)),
        PluginConfig::METHOD => with(call, |request| config(hub, request)),
        PluginHover::METHOD => {
            if let Some((request, reply)) = call.read::<PluginHover>() {
                hover(hub, &request, reply);
            }
        }
        other => {
            let error = RpcError::method_not_found(other);
            call.refuse(error);
        }
    }
}

fn with<R: XiRequest>(call: Call, act: impl FnOnce(R) -> Result<R::Answer, RpcError>) {
    if let Some((request, reply)) = call.read::<R>() {
        reply.give(act(request));
    }
}

fn list(hub: &Hub) -> PluginList {
    let all = hub.hosted.iter();
    PluginList {
        plugins: all
            .filter_map(|(name, hosted)| Some(hosted.info(hub.catalog.plugins.get(name.as_ref())?)))
            .collect(),
        bad: hub.catalog.bad.clone(),
    }
}

fn no_plugin(name: &str) -> RpcError {
    RpcError::new(code::NOT_FOUND, format!("there is no plugin {name:?}"))
}

fn start(hub: &mut Hub, request: StartPlugin) -> Result<PluginInfo, RpcError> {
    if !hub.hosted.contains_key(request.name.as_str()) {
        return Err(no_plugin(&request.name));
    }
    let within = match request.answer_within_ms {
        None => ANSWER_WITHIN,
        Some(ms) if ANSWER_WITHIN_MS.contains(&ms) => Duration::from_millis(ms),
        Some(ms) => {
            let why = format!("answer_within_ms must be 100 to 600,000, not {ms}");
            return Err(RpcError::new(code::INVALID_PARAMS, why));
        }
    };
    for key in request.buffers.iter().flatten() {
        view_of(hub, *key)?;
    }
    let wanted = Wanted {
        buffers: request.buffers.map(|all| all.into_iter().collect()),
        languages: request.languages,
    };
    hub.start(&request.name, wanted, within);
    let manifest = hub.catalog.plugins.get(&request.name);
    let hosted = hub.hosted.get(request.name.as_str());
    match (manifest, hosted) {
        (Some(manifest), Some(hosted)) => Ok(hosted.info(manifest)),
        _ => Err(no_plugin(&request.name)),
    }
}

fn stop(hub: &mut Hub, request: &StopPlugin, reply: Reply<StopPlugin>) {
    let Some(hosted) = hub.hosted.get_mut(request.name.as_str()) else {
        return reply.give(Err(no_plugin(&request.name)));
    };
    let Some(process) = hosted.stop() else {
        return reply.give(Ok(Empty {}));
    };
    hub.tell_state(&request.name, PluginState::Stopped, None, Vec::new());
    // Waiting for its end is not the hub's work. Without a thread it is ended
    // at once, and the reply says that something went wrong.
    let waiting = std::thread::Builder::new().name("plugin end".to_owned());
    let spawned = waiting.spawn(move || {
        process.stop(GRACE);
        reply.give(Ok(Empty {}));
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to wait for a plugin's end");
    }
}

fn view_of(hub: &Hub, key: BufferKey) -> Result<u64, RpcError> {
    let told = hub
        .buffers
        .get(&key)
        .ok_or_else(|| RpcError::new(code::NOT_FOUND, format!("there is no buffer {key}")))?;
    Ok(told.view)
}

/// The view of a buffer that a running plugin serves.
fn served(hub: &Hub, plugin: &str, key: BufferKey) -> Result<u64, RpcError> {
    let hosted = hub.hosted.get(plugin).ok_or_else(|| no_plugin(plugin))?;
    let view = view_of(hub, key)?;
    let refuse = |reason: &str, why: String| {
        Err(RpcError::new(code::CONFLICT, why).with_data(json!({"reason": reason})))
    };
    match &hosted.session {
        None => refuse("not_running", format!("{plugin} does not run")),
        Some(session) if !session.serves(view) => refuse(
            "not_served",
            format!("{plugin} was not asked to see that buffer"),
        ),
        Some(_) => Ok(view),
    }
}

fn command(hub: &mut Hub, request: &PluginCommand) -> Result<Empty, RpcError> {
    let view = served(hub, &request.plugin, request.buffer)?;
    hub.with(&request.plugin, |session| {
        session.command(view, &request.method, &request.params)
    });
    Ok(Empty {})
}

fn hover(hub: &mut Hub, request: &PluginHover, reply: Reply<PluginHover>) {
    let view = match served(hub, &request.plugin, request.buffer) {
        Ok(view) => view,
        Err(error) => return reply.give(Err(error)),
    };
    let fits = hub
        .buffers
        .get(&request.buffer)
        .is_some_and(|told| told.now.text.is_border(request.position));
    if !fits {
        let why = format!("{} is no position of the text", request.position);
        return reply.give(Err(RpcError::new(code::INVALID_PARAMS, why)));
    }
    hub.with(&request.plugin, |session| {
        session.hover(view, request.position, reply)
    });
}

fn config(hub: &mut Hub, request: PluginConfig) -> Result<PluginSettings, RpcError> {
    let unknown = || {
        RpcError::new(
            code::NOT_FOUND,
            format!("there is no buffer {}", request.buffer),
        )
    };
    let told = hub.buffers.get_mut(&request.buffer).ok_or_else(unknown)?;
    let mut changes = told.changes.clone();
    changes.extend(request.changes);
    settings::check(&changes).map_err(|why| RpcError::new(code::INVALID_PARAMS, why))?;
    told.changes = changes;
    if let Some(language) = request.language {
        hub.set_language(request.buffer, language);
    } else {
        hub.refresh(request.buffer);
    }
    let told = hub.buffers.get(&request.buffer).ok_or_else(unknown)?;
    Ok(PluginSettings {
        language: told.language.clone(),
        config: told.config.clone(),
    })
}
