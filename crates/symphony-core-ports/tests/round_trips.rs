//! Everything that can be serialized comes back as it was.

#![allow(clippy::unwrap_used, reason = "a test may")]

use proptest::{collection::vec, option, prelude::*};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};
use symphony_core_ports::*;
use uuid::Uuid;

/// Through JSON text and back.
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e} in {text}"));
    assert_eq!(&back, value, "{text}");
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

/// Exact in binary and in decimal.
fn number() -> impl Strategy<Value = f64> {
    any::<i32>().prop_map(|n| f64::from(n) / 4.0)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number().prop_map(Value::from),
        text().prop_map(Value::from),
        vec(text(), 0..3).prop_map(Value::from),
        (text(), any::<u64>()).prop_map(|(key, n)| json!({ key: n })),
    ]
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    vec((text(), value()), 0..3).prop_map(|pairs| pairs.into_iter().collect())
}

fn time() -> impl Strategy<Value = SystemTime> {
    (0..4_000_000_000_u64, 0..1_000_000_000_u32)
        .prop_map(|(secs, nanos)| SystemTime::UNIX_EPOCH + Duration::new(secs, nanos))
}

fn duration() -> impl Strategy<Value = Duration> {
    (any::<u32>(), 0..1_000_000_000_u32).prop_map(|(s, nanos)| Duration::new(s.into(), nanos))
}

fn artifact_id() -> impl Strategy<Value = ArtifactId> {
    any::<[u8; 32]>().prop_map(ArtifactId::from_blake3)
}

fn buffer_id() -> impl Strategy<Value = BufferId> {
    any::<u128>().prop_map(|n| BufferId(Uuid::from_u128(n)))
}

fn text_edit() -> impl Strategy<Value = TextEdit> {
    (0..1_000_usize, 0..1_000_usize, text()).prop_map(|(start, len, text)| TextEdit {
        range: start..start + len,
        text,
    })
}

fn about() -> impl Strategy<Value = ArtifactInfo> {
    (text(), text(), vec((text(), text()), 0..3)).prop_map(|(media_type, title, labels)| {
        ArtifactInfo {
            media_type,
            title,
            labels: labels.into_iter().collect(),
        }
    })
}

fn usage() -> impl Strategy<Value = Usage> {
    (any::<u32>(), any::<u32>(), any::<u32>(), number()).prop_map(
        |(model_calls, input_tokens, output_tokens, usd)| Usage {
            model_calls: model_calls.into(),
            input_tokens: input_tokens.into(),
            output_tokens: output_tokens.into(),
            usd,
        },
    )
}

fn node_result() -> impl Strategy<Value = NodeResult> {
    let origin = prop_oneof![
        Just(ResultOrigin::Executed),
        Just(ResultOrigin::Cache),
        Just(ResultOrigin::Log),
    ];
    (
        text(),
        artifact_id(),
        usage(),
        any::<u32>(),
        duration(),
        origin,
    )
        .prop_map(
            |(node, output, usage, attempts, duration, origin)| NodeResult {
                node: NodeId(node),
                output: NodeOutput {
                    output,
                    usage,
                    attempts,
                    duration,
                },
                origin,
            },
        )
}

fn node_state() -> impl Strategy<Value = NodeState> {
    prop_oneof![
        Just(NodeState::Started),
        node_result().prop_map(|result| NodeState::Completed { result }),
        text().prop_map(|error| NodeState::Failed { error }),
        text().prop_map(|reason| NodeState::Skipped { reason }),
    ]
}

fn new_run() -> impl Strategy<Value = NewRun> {
    (text(), text(), artifact_id(), time()).prop_map(|(id, melody, plan, started)| NewRun {
        id: RunId(id),
        melody,
        plan,
        started,
    })
}

fn run_record() -> impl Strategy<Value = RunRecord> {
    let node =
        (text(), text(), text(), node_state()).prop_map(|(id, player, label, state)| NodeRecord {
            id: NodeId(id),
            player,
            label,
            state,
        });
    let outcome = prop_oneof![
        artifact_id().prop_map(|output| RunOutcome::Succeeded { output }),
        text().prop_map(|error| RunOutcome::Failed { error }),
        Just(RunOutcome::Cancelled),
    ];
    (
        new_run(),
        vec(node, 0..4),
        option::of(outcome),
        option::of(time()),
    )
        .prop_map(|(run, nodes, outcome, finished)| RunRecord {
            run,
            nodes,
            outcome,
            finished,
        })
}

fn sync_event() -> impl Strategy<Value = SyncEvent> {
    let health = prop_oneof![
        Just(HealthStatus::Healthy),
        text().prop_map(|reason| HealthStatus::Degraded { reason }),
        text().prop_map(|error| HealthStatus::Unhealthy { error }),
        Just(HealthStatus::Unreachable),
    ];
    let view = any::<u128>().prop_map(|n| ViewId(Uuid::from_u128(n)));
    prop_oneof![
        text().prop_map(|path| SyncEvent::FileChanged { path: path.into() }),
        text().prop_map(|root| SyncEvent::WorkspaceReload { root: root.into() }),
        (buffer_id(), any::<u64>(), vec(text_edit(), 0..3)).prop_map(|(buffer_id, n, edits)| {
            SyncEvent::BufferUpdated {
                buffer_id,
                revision: Revision(n),
                edits,
            }
        }),
        (view.clone(), any::<usize>(), any::<usize>()).prop_map(|(view_id, line, column)| {
            SyncEvent::CursorMoved {
                view_id,
                position: Position { line, column },
            }
        }),
        (text(), time()).prop_map(|(path, timestamp)| SyncEvent::FileModified {
            path: path.into(),
            timestamp,
        }),
        view.prop_map(|view_id| SyncEvent::ViewClosed { view_id }),
        (text(), health).prop_map(|(process, status)| SyncEvent::ProcessHealthCheck {
            process_id: ProcessId(process),
            status,
        }),
    ]
}

fn player() -> impl Strategy<Value = PlayerRef> {
    prop_oneof![
        "[a-z-]{1,8}".prop_map(|id| PlayerRef::named(ExtensionType::Operator, id)),
        "[a-z-]{1,8}".prop_map(|id| PlayerRef::named(ExtensionType::Instrument, id)),
        Just(PlayerRef {
            extension_type: ExtensionType::Instrument,
            id: None
        }),
    ]
}

fn permission() -> impl Strategy<Value = Permission> {
    let scope = prop_oneof![Just(FileScope::Project), Just(FileScope::Data)];
    prop_oneof![
        scope.clone().prop_map(Permission::ReadFiles),
        scope.prop_map(Permission::WriteFiles),
        Just(Permission::Network(NetworkScope::Loopback)),
        Just(Permission::Network(NetworkScope::Configured)),
        ("[a-z.]{1,12}", any::<u16>()).prop_map(|(host, port)| Permission::Network(
            NetworkScope::Host(format!("{host}:{port}"))
        )),
        "[A-Z_]{1,12}".prop_map(Permission::Secret),
    ]
}

fn manifest() -> impl Strategy<Value = ExtensionManifest> {
    let kind = prop_oneof![
        Just(ExtensionType::Instrument),
        Just(ExtensionType::Operator),
        Just(ExtensionType::Motif),
    ];
    let names = (text(), text(), text(), vec(text(), 0..3), text());
    let version = (any::<u64>(), any::<u64>(), any::<u64>());
    let launch = (vec(text(), 0..3), text(), duration());
    let limits = (option::of(any::<u64>()), any::<u64>());
    let ports = vec((text(), option::of(value()), any::<bool>()), 0..3);
    let rest = (vec(permission(), 0..3), ports, object(), any::<bool>());
    (names, kind, version, launch, limits, rest).prop_map(
        |(names, extension_type, version, launch, limits, rest)| {
            let (id, name, description, capabilities, code_digest) = names;
            let (permissions, ports, settings, deterministic) = rest;
            let (command, folder, startup_timeout) = launch;
            let inputs = ports.iter().map(|(name, default, optional)| {
                let port = InputPort {
                    port_type: PortType::Text.list(),
                    // `null` reads as no default; manifests are TOML, which has no null.
                    default: default.clone().filter(|value| !value.is_null()),
                    optional: *optional,
                    description: name.clone(),
                };
                (name.clone(), port)
            });
            let outputs = ports.iter().map(|(name, _, optional)| {
                let port = OutputPort {
                    port_type: PortType::Json,
                    optional: *optional,
                    description: name.clone(),
                };
                (name.clone(), port)
            });
            ExtensionManifest {
                id: ExtensionId(id),
                name,
                version: semver::Version::new(version.0, version.1, version.2),
                extension_type,
                description,
                capabilities,
                deterministic,
                launch: Launch {
                    command,
                    folder: folder.into(),
                    startup_timeout,
                },
                permissions,
                limits: Limits {
                    memory_bytes: limits.0,
                    open_files: limits.1,
                },
                inputs: inputs.collect(),
                outputs: outputs.collect(),
                settings,
                code_digest,
            }
        },
    )
}

fn decision_context() -> impl Strategy<Value = DecisionContext> {
    let candidate = (player(), number(), number(), any::<bool>()).prop_map(
        |(player, usd_per_1m_input, usd_per_1m_output, is_default)| PlayerCandidate {
            player,
            usd_per_1m_input,
            usd_per_1m_output,
            is_default,
        },
    );
    (
        text(),
        text(),
        text(),
        vec(text(), 0..3),
        vec(candidate, 0..3),
    )
        .prop_map(
            |(episode, melody, node, needs, candidates)| DecisionContext {
                episode: EpisodeId(episode),
                melody,
                node,
                needs,
                candidates,
            },
        )
}

fn conflict() -> impl Strategy<Value = Conflict> {
    let claim = (text(), any::<i32>(), time(), option::of(number())).prop_map(
        |(claimant, priority, since, quality)| Claim {
            claimant,
            priority,
            since,
            quality,
        },
    );
    let strategy = prop_oneof![
        Just(ArbitrationStrategy::Priority),
        Just(ArbitrationStrategy::FirstCome),
        Just(ArbitrationStrategy::Quality),
    ];
    (text(), vec(claim, 0..3), strategy).prop_map(|(subject, claims, strategy)| Conflict {
        subject,
        claims,
        strategy,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn identifiers(name in text(), n in any::<u128>(), revision in any::<u64>(), id in artifact_id()) {
        comes_back(&RunId(name.clone()));
        comes_back(&NodeId(name.clone()));
        comes_back(&CacheKey(name.clone()));
        comes_back(&EpisodeId(name.clone()));
        comes_back(&ExtensionId(name.clone()));
        comes_back(&ProcessId(name.clone()));
        comes_back(&Collection(name.clone()));
        comes_back(&RecordKey(name.clone()));
        comes_back(&BufferId(Uuid::from_u128(n)));
        comes_back(&ViewId(Uuid::from_u128(n)));
        comes_back(&Revision(revision));
        comes_back(&id);
        // They look like what they are made of.
        prop_assert_eq!(serde_json::to_value(RunId(name.clone())).unwrap(), json!(name));
        prop_assert_eq!(serde_json::to_value(Revision(revision)).unwrap(), json!(revision));
    }

    #[test]
    fn text_edits_and_sync_events(edit in text_edit(), event in sync_event()) {
        comes_back(&edit);
        comes_back(&event);
    }

    #[test]
    fn artifacts(about in about(), id in artifact_id(), size in any::<u64>()) {
        comes_back(&about);
        comes_back(&ArtifactSummary { id, size, about });
    }

    #[test]
    fn runs(record in run_record(), node in node_result()) {
        comes_back(&record);
        comes_back(&node);
        comes_back(&DagNode {
            id: node.node.clone(),
            player: "operator/a".into(),
            label: record.run.melody.clone(),
            cache_key: Some(CacheKey(record.run.id.0.clone())),
            idempotency_key: record.run.id.0,
        });
    }

    #[test]
    fn models(id in text(), version in option::of(text()), config in object(), slot in any::<u32>()) {
        comes_back(&ModelSpec {
            model_id: id,
            version,
            max_parallel: slot,
            config: config.into_iter().collect(),
        });
        comes_back(&ModelHandle { slot, generation: u64::from(slot) << 31 });
    }

    #[test]
    fn extensions(manifest in manifest(), player in player(), permission in permission()) {
        comes_back(&manifest);
        comes_back(&player);
        comes_back(&permission);
    }

    #[test]
    fn records(key in text(), version in any::<u64>(), value in value()) {
        comes_back(&Record { key: RecordKey(key), version, value });
    }

    #[test]
    fn decisions(context in decision_context(), player in player(), n in number()) {
        let policy = Policy {
            name: context.melody.clone(),
            description: context.node.clone(),
            learns: context.candidates.is_empty(),
        };
        comes_back(&policy);
        comes_back(&PolicyContext { melody: Some(context.melody.clone()) });
        comes_back(&Decision {
            player,
            reason: context.node.clone(),
            propensity: n,
            policy: policy.name,
        });
        comes_back(&context);
    }

    #[test]
    fn judgements(conflict in conflict(), id in artifact_id(), age in duration(), used in time()) {
        comes_back(&conflict);
        comes_back(&Resolution {
            winner: conflict.subject.clone(),
            losers: vec![conflict.subject.clone()],
            reason: conflict.subject,
        });
        comes_back(&RetentionPolicy { max_age: age, max_bytes: Some(7) });
        comes_back(&Candidate { id, size: 7, last_used: used, referenced: true });
    }

    #[test]
    fn usage_adds_up(parts in vec((0..1_000_u64, 0..1_000_u64, 0..1_000_u64, 0..1_000_i32), 0..8)) {
        let mut total = Usage::default();
        for (model_calls, input_tokens, output_tokens, usd) in &parts {
            total += Usage {
                model_calls: *model_calls,
                input_tokens: *input_tokens,
                output_tokens: *output_tokens,
                usd: f64::from(*usd) / 4.0,
            };
        }
        prop_assert_eq!(total.model_calls, parts.iter().map(|p| p.0).sum::<u64>());
        prop_assert_eq!(total.tokens(), parts.iter().map(|p| p.1 + p.2).sum::<u64>());
        prop_assert_eq!(total.usd, parts.iter().map(|p| f64::from(p.3) / 4.0).sum::<f64>());
        comes_back(&total);
    }

    #[test]
    fn a_run_used_what_it_executed(record in run_record()) {
        let mut expected = 0;
        for node in &record.nodes {
            if let NodeState::Completed { result } = &node.state
                && result.origin == ResultOrigin::Executed
            {
                expected += result.output.usage.model_calls;
            }
        }
        prop_assert_eq!(record.usage().model_calls, expected);
    }
}

#[test]
fn kinds_are_written_in_lower_case() {
    assert_eq!(
        serde_json::to_value(LineEnding::Crlf).unwrap(),
        json!("crlf")
    );
    assert_eq!(
        serde_json::to_value(ExtensionType::Motif).unwrap(),
        json!("motif")
    );
    assert_eq!(
        serde_json::to_value(ResultOrigin::Log).unwrap(),
        json!("log")
    );
    assert_eq!(
        serde_json::to_value(ArbitrationStrategy::FirstCome).unwrap(),
        json!("first-come")
    );
    assert_eq!(
        serde_json::to_value(RunOutcome::Cancelled).unwrap(),
        json!({"outcome": "cancelled"})
    );
    for kind in [LineEnding::Lf, LineEnding::Crlf, LineEnding::Mixed] {
        comes_back(&kind);
    }
    for durability in [Durability::Buffered, Durability::Group, Durability::Sync] {
        comes_back(&durability);
    }
}

#[test]
fn a_node_record_is_flat() {
    let node = NodeRecord {
        id: NodeId::from("find"),
        player: "operator/find-undocumented".into(),
        label: "items without a comment".into(),
        state: NodeState::Failed {
            error: "no luck".into(),
        },
    };
    assert_eq!(
        serde_json::to_value(&node).unwrap(),
        json!({
            "id": "find",
            "player": "operator/find-undocumented",
            "label": "items without a comment",
            "state": "failed",
            "error": "no luck",
        })
    );
}
