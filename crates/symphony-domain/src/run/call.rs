//! One piece of work: a player called, with leases, budget, retries and checks.

use super::{
    Slots,
    budget::Budget,
    casting::CastMember,
    event::{EventSink, RunEvent},
};
use crate::core::SymphonyCore;
use async_trait::async_trait;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, time::Duration};
use symphony_core_ports::{
    ArtifactContent, ArtifactInfo, CacheKey, DagNode, Durability, ExtensionId, ExtensionManifest,
    ExtensionType, ModelSpec, NodeExecutor, NodeOutput, PortError, PortResult, Request, Response,
};

/// Calls a player for one node or element.
pub struct PlayerCall<'a> {
    /// The ports.
    pub core: &'a SymphonyCore,
    /// The run's name.
    pub run: &'a str,
    /// Who is called.
    pub manifest: &'a ExtensionManifest,
    /// Why, and what it costs.
    pub member: &'a CastMember,
    /// Values by input port.
    pub inputs: Map<String, Value>,
    /// How long a try may take.
    pub timeout: Duration,
    /// Tries after the first.
    pub retries: u32,
    /// Wait before the second try; doubles with each.
    pub backoff: Duration,
    /// What the run may consume.
    pub budget: &'a Budget,
    /// How much may be under way at once.
    pub slots: &'a Slots,
    /// Who is told.
    pub events: &'a EventSink,
}

/// Waits are not longer than this, whatever a server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[async_trait]
impl NodeExecutor for PlayerCall<'_> {
    async fn execute(&self, node: &DagNode) -> PortResult<NodeOutput> {
        let mut attempt = 1;
        loop {
            match self.attempt(node, attempt).await {
                Ok(output) => return Ok(output),
                Err(error) if attempt <= self.retries && error.is_retryable() => {
                    let wait = self.wait_after(attempt, &error);
                    (self.events)(RunEvent::Retried {
                        node: node.id.to_string(),
                        label: node.label.clone(),
                        attempt,
                        error: error.to_string(),
                        wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                    });
                    self.core.clock.sleep(wait).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl PlayerCall<'_> {
    fn wait_after(&self, attempt: u32, error: &PortError) -> Duration {
        let doubled = self.backoff.saturating_mul(1 << (attempt - 1).min(10));
        error
            .retry_after()
            .map_or(doubled, |asked| asked.max(doubled))
            .min(LONGEST_WAIT)
    }

    async fn attempt(&self, node: &DagNode, attempt: u32) -> PortResult<NodeOutput> {
        let is_model = self.manifest.extension_type == ExtensionType::Instrument;
        let (response, duration) = if is_model {
            self.call_model(node, attempt).await?
        } else {
            let _slot = self.slots.take(self.manifest.extension_type).await;
            self.call(node, attempt).await?
        };
        self.check(&response)?;
        let bytes = serde_json::to_vec(&response.outputs).map_err(|e| {
            PortError::failed_because("the outputs could not be written as JSON", e)
        })?;
        let labels = BTreeMap::from([
            ("run".to_owned(), self.run.to_owned()),
            ("node".to_owned(), node.id.to_string()),
            ("player".to_owned(), self.manifest.player().to_string()),
        ]);
        let about = ArtifactInfo {
            media_type: "application/json".into(),
            title: format!("output of {}", node.id),
            labels,
        };
        let content = ArtifactContent {
            bytes,
            about,
            durability: Durability::Group,
        };
        Ok(NodeOutput {
            output: self.core.pit.store_artifact(content).await?,
            usage: response.usage,
            attempts: attempt,
            duration,
        })
    }

    /// Calls a model: with a lease on it, within the budget, at its price.
    async fn call_model(&self, node: &DagNode, attempt: u32) -> PortResult<(Response, Duration)> {
        let status = self.core.extensions.ready(&self.manifest.id).await?;
        let spec = ModelSpec {
            model_id: self.manifest.id.to_string(),
            version: None,
            max_parallel: status.max_parallel.max(1),
            config: BTreeMap::new(),
        };
        // Others may hold the model for as long as their own calls may take.
        let lease = Lease::take(self.core, spec, self.timeout.saturating_mul(64)).await?;
        // After the lease: who waits for a busy model takes nobody's place.
        let slot = self.slots.take(self.manifest.extension_type).await;
        let reservation = self
            .budget
            .reserve(self.expected_tokens(), self.core.clock.elapsed());
        let reservation = reservation.map_err(|e| PortError::Unsupported {
            details: e.to_string(),
        })?;
        let result = self.call(node, attempt).await;
        drop(slot);
        lease.release().await;
        let (mut response, duration) = result?;
        response.usage.usd = self.member.price.of(&response.usage);
        reservation.settle(response.usage);
        Ok((response, duration))
    }

    /// A guess before the call: four bytes a token, and all that may be written.
    fn expected_tokens(&self) -> u64 {
        let read = Value::Object(self.inputs.clone()).to_string().len() as u64 / 4;
        read + self
            .inputs
            .get("max_tokens")
            .and_then(Value::as_u64)
            .unwrap_or(0)
    }

    /// Calls, and tells how long the call itself took: waits for a lease do not count.
    async fn call(&self, node: &DagNode, attempt: u32) -> PortResult<(Response, Duration)> {
        let request = Request {
            call: call_name(self.run, node, attempt),
            inputs: self.inputs.clone(),
            idempotency_key: node.idempotency_key.clone(),
            timeout: self.timeout,
        };
        let before = self.core.clock.elapsed();
        let response = self
            .core
            .extensions
            .invoke(&self.manifest.id, request)
            .await?;
        let duration = self.core.clock.elapsed().saturating_sub(before);
        Ok((response, duration))
    }

    /// Outputs must be those that the manifest promises.
    fn check(&self, response: &Response) -> PortResult<()> {
        for (name, port) in &self.manifest.outputs {
            let problem = match response.outputs.get(name) {
                None | Some(Value::Null) if port.optional => continue,
                None | Some(Value::Null) => "is missing".to_owned(),
                Some(value) if port.port_type.admits(value) => continue,
                Some(value) => {
                    let shown: String = value.to_string().chars().take(80).collect();
                    format!("is {shown}, expected {}", port.port_type)
                }
            };
            let message = format!(
                "`{}` broke its promise: output `{name}` {problem}",
                self.manifest.player()
            );
            return Err(PortError::failed(message));
        }
        Ok(())
    }
}

/// How a call is named in the events of its extension.
pub fn call_name(run: &str, node: &DagNode, attempt: u32) -> String {
    format!("{run}/{}/{attempt}", node.id)
}

/// The node of a call's name, if the call is one of this run.
pub fn node_of_call<'a>(run: &str, call: &'a str) -> Option<&'a str> {
    let rest = call.strip_prefix(run)?.strip_prefix('/')?;
    rest.rsplit_once('/').map(|(node, _)| node)
}

/// What a result of this call depends on, if results may be used again.
pub fn cache_key(manifest: &ExtensionManifest, inputs: &Map<String, Value>) -> Option<CacheKey> {
    if !manifest.deterministic {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    let mut part = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    part("symphony.cache/1");
    part(&manifest.player().to_string());
    part(&manifest.version.to_string());
    part(&manifest.code_digest);
    part(&canonical(&Value::Object(manifest.settings.clone())));
    part(&canonical(&Value::Object(inputs.clone())));
    Some(CacheKey(hasher.finalize().to_hex().to_string()))
}

/// JSON with sorted keys: equal values, equal text.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), canonical(v)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(list) => format!(
            "[{}]",
            list.iter().map(canonical).collect::<Vec<_>>().join(",")
        ),
        other => other.to_string(),
    }
}

/// A lease that goes back even when the call is dropped.
struct Lease<'a> {
    core: &'a SymphonyCore,
    handle: Option<symphony_core_ports::ModelHandle>,
}

impl<'a> Lease<'a> {
    async fn take(core: &'a SymphonyCore, spec: ModelSpec, wait: Duration) -> PortResult<Self> {
        let handle = core.pit.allocate_model(spec, wait).await?;
        Ok(Self {
            core,
            handle: Some(handle),
        })
    }

    async fn release(mut self) {
        if let Some(handle) = self.handle.take()
            && let Err(error) = self.core.pit.release_model(handle).await
        {
            tracing::warn!(%error, "a lease could not be given back");
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(handle) = self.handle.take() else {
            return;
        };
        let pit = self.core.pit.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { pit.release_model(handle).await });
        }
    }
}

/// Names the extension of a player; Instruments chosen by the Conductor are named by then.
pub fn extension_of(member: &CastMember) -> PortResult<&ExtensionId> {
    member
        .player
        .id
        .as_ref()
        .ok_or_else(|| PortError::invalid("player", format!("`{}` is nobody yet", member.player)))
}
