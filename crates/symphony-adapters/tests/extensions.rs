//! The extension port over real processes: the contract, and what it leaves open.
#![allow(clippy::unwrap_used, reason = "test code")]

mod processes;

use processes::*;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use sy_commons::secret::Secret;
use symphony_actors::Supervisor;
use symphony_adapters::extensions::{ActorExtensionAdapter, ExtensionAuthority, ExtensionOptions};
use symphony_core_ports::{
    ExtensionEvent, ExtensionId, ExtensionManifest, ExtensionPort, Permission, PortError, Request,
};
use symphony_testkit::{
    contract::extension::{self, Behaviour, Fixture, SCRIPT, script_manifest},
    manifest,
};

const PYTHON: &str = "/usr/bin/env";

/// Grants reading the project and one secret, whatever is asked.
struct Grants;

impl ExtensionAuthority for Grants {
    fn granted(&self, manifest: &ExtensionManifest) -> BTreeSet<Permission> {
        let granted = ["filesystem.read:project", "secret:api-key"];
        let granted = granted.map(|text| text.parse::<Permission>().unwrap());
        let declared = manifest.permissions.iter().cloned();
        declared.filter(|p| granted.contains(p)).collect()
    }
    fn secret(&self, _: &ExtensionId, name: &str) -> Option<Secret> {
        (name == "api-key").then(|| Secret::new("s3cret"))
    }
}

struct Real {
    port: Arc<ActorExtensionAdapter>,
    supervisor: Arc<Supervisor>,
    folder: tempfile::TempDir,
}

fn real(change: impl FnOnce(&mut ExtensionOptions)) -> Real {
    let supervisor = supervisor();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("misbehave.py"), SCRIPT).unwrap();
    let mut options = ExtensionOptions {
        project: Some("/project".into()),
        cancel_grace: Duration::from_millis(300),
        ..ExtensionOptions::default()
    };
    change(&mut options);
    let port = ActorExtensionAdapter::new(supervisor.clone(), Arc::new(Grants), options);
    Real {
        port: Arc::new(port),
        supervisor,
        folder,
    }
}

/// Python by its name in the path, as the manifests' programs are absolute.
fn python() -> String {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join("python3"))
        .find(|path| path.exists());
    found.map_or(PYTHON.to_owned(), |path| path.display().to_string())
}

#[async_trait::async_trait]
impl Fixture for Real {
    fn port(&self) -> Arc<dyn ExtensionPort> {
        self.port.clone()
    }
    fn manifest(&self, behaviour: Behaviour) -> ExtensionManifest {
        script_manifest(behaviour, self.folder.path(), &python())
    }
    fn ungranted(&self) -> Option<ExtensionManifest> {
        let asks = manifest::operator("curious").permission("network:evil.example:443");
        Some(asks.build())
    }
    fn processes(&self) -> Option<usize> {
        Some(self.supervisor.resources().len())
    }
}

#[tokio::test]
async fn the_contract_holds() {
    extension::run(async || real(|_| ())).await;
}

fn request(value: Value, timeout: Duration) -> Request {
    Request {
        call: "call-1".to_owned(),
        inputs: Map::from_iter([("value".to_owned(), value)]),
        idempotency_key: "key".to_owned(),
        timeout,
    }
}

/// An extension that answers with what it was greeted with.
fn curious(folder: &Path) -> Vec<String> {
    let script = folder.join("curious.py");
    let text = r#"
import json, sys
greeting = None
for line in sys.stdin:
    m = json.loads(line)
    if m["method"] == "initialize":
        greeting = m["params"]
        result = {"protocol": "symphony.extension/1", "id": "x", "version": "1.0.0"}
    elif m["method"] == "invoke":
        result = {"outputs": {"value": greeting}}
    else:
        result = {}
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": result}), flush=True)
    if m["method"] == "shutdown":
        break
"#;
    fs::write(&script, text).unwrap();
    vec![python(), script.display().to_string()]
}

#[tokio::test]
async fn an_extension_is_told_what_was_granted_and_no_more() {
    let real = real(|_| ());
    let folder = real.folder.path();
    let asking = manifest::operator("asking")
        .permission("filesystem.read:project")
        .permission("secret:api-key")
        .launch(folder, curious(folder))
        .with(|m| {
            m.settings.insert("model".into(), json!("m"));
        })
        .build();
    let modest = manifest::operator("modest")
        .launch(folder, curious(folder))
        .build();
    let mut told = Vec::new();
    for manifest in [asking, modest] {
        let id = real.port.load(manifest).await.unwrap();
        let response = real.port.invoke(&id, request(json!(0), 20 * SECOND)).await;
        told.push(response.unwrap().outputs["value"].clone());
    }
    assert_eq!(told[0]["project"], "/project");
    assert_eq!(told[0]["secrets"], json!({"api-key": "s3cret"}));
    assert_eq!(told[0]["settings"], json!({"model": "m"}));
    assert_eq!(told[1].get("project"), None);
    assert_eq!(told[1]["secrets"], json!({}));
}

#[tokio::test]
async fn what_is_not_granted_is_told_with_the_line_that_grants_it() {
    let real = real(|_| ());
    let error = real.port.load(real.ungranted().unwrap()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(r#"extensions.grants.curious = ["network:evil.example:443"]"#),
        "{text}"
    );
}

#[tokio::test]
async fn an_idle_extension_is_stopped_and_started_again_by_a_call() {
    let real = real(|options| options.idle_stop = Duration::from_millis(150));
    let id = real
        .port
        .load(real.manifest(Behaviour::Echo))
        .await
        .unwrap();
    let mut events = real.port.events(&id);
    for _ in 0..2 {
        real.port
            .invoke(&id, request(json!(1), 20 * SECOND))
            .await
            .unwrap();
        assert!(until(5 * SECOND, || real.processes() == Some(0)).await);
    }
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push(event);
    }
    let starts = told
        .iter()
        .filter(|e| matches!(e, ExtensionEvent::Started { .. }));
    assert_eq!(starts.count(), 2);
    assert!(
        !told
            .iter()
            .any(|e| matches!(e, ExtensionEvent::Crashed { .. })),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_call_that_does_not_end_when_cancelled_costs_the_process() {
    let real = real(|_| ());
    let id = real
        .port
        .load(real.manifest(Behaviour::Hangs))
        .await
        .unwrap();
    real.port.ready(&id).await.unwrap();
    let mut events = real.port.events(&id);
    let begun = Instant::now();
    let outcome = real
        .port
        .invoke(&id, request(json!(1), Duration::from_millis(200)))
        .await;
    assert!(matches!(outcome, Err(PortError::Timeout { .. })));
    assert!(
        begun.elapsed() < SECOND,
        "the caller does not wait for the grace"
    );
    loop {
        let event = tokio::time::timeout(5 * SECOND, events.recv())
            .await
            .unwrap();
        if let ExtensionEvent::Crashed { details } = event.unwrap() {
            assert!(
                details.contains("a cancelled call did not end"),
                "{details}"
            );
            break;
        }
    }
    real.port.ready(&id).await.unwrap();
}

#[tokio::test]
async fn too_many_calls_are_refused() {
    let real = real(|options| options.queue = 3);
    let id = real
        .port
        .load(real.manifest(Behaviour::Slow))
        .await
        .unwrap();
    real.port.ready(&id).await.unwrap();
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let (port, id) = (real.port.clone(), id.clone());
            tokio::spawn(async move { port.invoke(&id, request(json!(300), 20 * SECOND)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let refused = real.port.invoke(&id, request(json!(0), SECOND)).await;
    assert!(
        matches!(refused, Err(PortError::Exhausted { .. })),
        "{refused:?}"
    );
    for call in calls {
        call.await.unwrap().unwrap();
    }
}
