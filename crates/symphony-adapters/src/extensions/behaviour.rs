//! What Symphony says to an extension at its start, and hears from it.

use super::{ExtensionAuthority, loaded::Said};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use symphony_actors::{Behaviour, Incarnation, StartError};
use symphony_core_ports::{ExtensionEvent, ExtensionManifest, FileScope, Permission};
use symphony_ipc_protocol::{
    extension::{Initialize, Initialized, Log, PROTOCOL, Progress, TextDelta, method},
    jsonrpc,
};
use symphony_ipc_transport::{CallError, Incoming};
use tokio::sync::{broadcast, watch};

/// The host's side of the protocol.
pub(super) struct Host {
    pub(super) manifest: ExtensionManifest,
    pub(super) granted: BTreeSet<Permission>,
    pub(super) authority: Arc<dyn ExtensionAuthority>,
    pub(super) project: Option<PathBuf>,
    pub(super) said: watch::Sender<Option<Said>>,
    pub(super) events: broadcast::Sender<ExtensionEvent>,
}

impl Host {
    /// The greeting, with nothing in it that was not granted.
    fn greeting(&self) -> Initialize {
        let may_see_project = self.granted.iter().any(|permission| {
            matches!(
                permission,
                Permission::ReadFiles(FileScope::Project)
                    | Permission::WriteFiles(FileScope::Project)
            )
        });
        let secrets: BTreeMap<String, String> = self
            .granted
            .iter()
            .filter_map(|permission| match permission {
                Permission::Secret(name) => Some(name),
                _ => None,
            })
            .filter_map(|name| {
                let secret = self.authority.secret(&self.manifest.id, name)?;
                Some((name.clone(), secret.expose().to_owned()))
            })
            .collect();
        Initialize {
            protocol: PROTOCOL.to_owned(),
            project: self.project.clone().filter(|_| may_see_project),
            settings: self.manifest.settings.clone(),
            secrets,
        }
    }

    fn tell(&self, event: ExtensionEvent) {
        // Without a listener there is nobody to tell.
        let _ = self.events.send(event);
    }

    fn heard(&self, name: &str, params: Value) {
        let event = match name {
            method::PROGRESS => read::<Progress>(name, params).map(|p| ExtensionEvent::Progress {
                call: p.call,
                done: p.done,
                total: p.total,
                message: p.message,
            }),
            method::TEXT => read::<TextDelta>(name, params).map(|t| ExtensionEvent::Text {
                call: t.call,
                text: t.text,
            }),
            method::LOG => read::<Log>(name, params).map(|log| ExtensionEvent::Log {
                message: format!("{}: {}", log.level, log.message),
            }),
            _ => None,
        };
        match event {
            Some(event) => self.tell(event),
            None => tracing::debug!(
                extension = %self.manifest.id,
                method = name,
                "a notification was not understood"
            ),
        }
    }
}

fn read<T: DeserializeOwned>(name: &str, params: Value) -> Option<T> {
    jsonrpc::params(name, params).ok()
}

#[async_trait]
impl Behaviour for Host {
    async fn started(&self, incarnation: &Incarnation) -> Result<(), StartError> {
        let answer = incarnation
            .peer
            .call_as::<Initialized>(
                method::INITIALIZE,
                &self.greeting(),
                self.manifest.launch.startup_timeout,
            )
            .await;
        let said = match answer {
            Ok(said) => said,
            // What it refuses once it refuses again.
            Err(CallError::Remote(error)) => return Err(StartError::Fatal(error.message)),
            Err(error @ CallError::Decode { .. }) => {
                return Err(StartError::Fatal(format!(
                    "it does not speak {PROTOCOL}: {error}"
                )));
            }
            Err(error) => return Err(error.into()),
        };
        if said.protocol != PROTOCOL {
            return Err(StartError::Fatal(format!(
                "it speaks {}, not {PROTOCOL}",
                said.protocol
            )));
        }
        self.tell(ExtensionEvent::Started {
            model: said.model.clone(),
        });
        self.said.send_replace(Some(Said {
            model: said.model,
            max_parallel: said.max_parallel.max(1),
        }));
        Ok(())
    }

    async fn incoming(&self, _generation: u64, message: Incoming) {
        match message {
            Incoming::Notification { method, params } => self.heard(&method, params),
            // An extension asks nothing of the host: dropping the responder says so.
            Incoming::Request { .. } => {}
            Incoming::Malformed { sample, .. } | Incoming::TooLong { sample, .. } => {
                self.tell(ExtensionEvent::Log {
                    message: format!("not a message: {sample}"),
                });
            }
        }
    }
}
