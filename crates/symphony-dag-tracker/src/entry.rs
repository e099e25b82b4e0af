//! What the records of the logs say.
//!
//! A record is a version byte and JSON. These types are the file format, apart
//! from the ports' types on purpose: those may change, what lies on disk may
//! not. Fields are added with `#[serde(default)]`; whatever an older program
//! would misread takes a new version byte.

use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use symphony_core_ports::{
    ArtifactId, CacheKey, DagNode, NewRun, NodeId, NodeOutput, ResultOrigin, RunId, RunOutcome,
    Usage,
};

/// Leads every record.
const VERSION: u8 = 1;

/// A record that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntryError {
    #[error("a record of version {0}, and this program reads version {VERSION}")]
    Version(u8),
    #[error("an empty record")]
    Empty,
    #[error("not the JSON of a record: {0}")]
    Json(#[from] serde_json::Error),
}

/// A record of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunEntry {
    Began {
        run: RunId,
        melody: String,
        plan: ArtifactId,
        started: Moment,
    },
    Resumed {},
    Started {
        node: NodeId,
        player: String,
        label: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache_key: Option<CacheKey>,
        idempotency_key: String,
    },
    Completed {
        node: NodeId,
        result: Output,
        /// Answered from cache, not executed.
        #[serde(default, skip_serializing_if = "is_false")]
        cached: bool,
    },
    Failed {
        node: NodeId,
        error: String,
    },
    Skipped {
        node: NodeId,
        reason: String,
    },
    Finished {
        outcome: Outcome,
        finished: Moment,
    },
}

/// A record of the cache's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CacheEntry {
    Put { key: CacheKey, result: Output },
    Forget { key: CacheKey },
}

/// What executing a node gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Output {
    output: ArtifactId,
    attempts: u32,
    duration_ns: u64,
    #[serde(default)]
    model_calls: u64,
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    usd: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Succeeded { output: ArtifactId },
    Failed { error: String },
    Cancelled {},
}

/// Seconds and nanoseconds since 1970; before that, 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment(u64, u32);

// Named by serde, which passes a reference.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this signature"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// As the payload of a frame.
pub(crate) fn encode(entry: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    // Types of texts and numbers only, into memory: this cannot fail.
    let written = serde_json::to_writer(&mut bytes, entry);
    debug_assert!(written.is_ok(), "{written:?}");
    bytes
}

/// From the payload of a frame.
pub(crate) fn decode<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, EntryError> {
    match payload {
        [VERSION, json @ ..] => Ok(serde_json::from_slice(json)?),
        [version, ..] => Err(EntryError::Version(*version)),
        [] => Err(EntryError::Empty),
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_secs(), since.subsec_nanos())
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        // A damaged number past the end of time reads as 1970.
        Duration::from_secs(moment.0)
            .checked_add(Duration::from_nanos(u64::from(moment.1)))
            .and_then(|since| UNIX_EPOCH.checked_add(since))
            .unwrap_or(UNIX_EPOCH)
    }
}

impl From<&NodeOutput> for Output {
    fn from(from: &NodeOutput) -> Self {
        Self {
            output: from.output.clone(),
            attempts: from.attempts,
            duration_ns: u64::try_from(from.duration.as_nanos()).unwrap_or(u64::MAX),
            model_calls: from.usage.model_calls,
            input_tokens: from.usage.input_tokens,
            output_tokens: from.usage.output_tokens,
            // JSON has no other numbers than finite ones.
            usd: if from.usage.usd.is_finite() {
                from.usage.usd
            } else {
                0.0
            },
        }
    }
}

impl From<Output> for NodeOutput {
    fn from(from: Output) -> Self {
        Self {
            output: from.output,
            usage: Usage {
                model_calls: from.model_calls,
                input_tokens: from.input_tokens,
                output_tokens: from.output_tokens,
                usd: from.usd,
            },
            attempts: from.attempts,
            duration: Duration::from_nanos(from.duration_ns),
        }
    }
}

impl From<RunOutcome> for Outcome {
    fn from(from: RunOutcome) -> Self {
        match from {
            RunOutcome::Succeeded { output } => Self::Succeeded { output },
            RunOutcome::Failed { error } => Self::Failed { error },
            RunOutcome::Cancelled => Self::Cancelled {},
        }
    }
}

impl From<Outcome> for RunOutcome {
    fn from(from: Outcome) -> Self {
        match from {
            Outcome::Succeeded { output } => Self::Succeeded { output },
            Outcome::Failed { error } => Self::Failed { error },
            Outcome::Cancelled {} => Self::Cancelled,
        }
    }
}

impl RunEntry {
    pub(crate) fn began(run: &NewRun) -> Self {
        Self::Began {
            run: run.id.clone(),
            melody: run.melody.clone(),
            plan: run.plan.clone(),
            started: run.started.into(),
        }
    }

    pub(crate) fn started(node: &DagNode) -> Self {
        Self::Started {
            node: node.id.clone(),
            player: node.player.clone(),
            label: node.label.clone(),
            cache_key: node.cache_key.clone(),
            idempotency_key: node.idempotency_key.clone(),
        }
    }

    pub(crate) fn completed(node: &NodeId, output: &NodeOutput, origin: ResultOrigin) -> Self {
        Self::Completed {
            node: node.clone(),
            result: output.into(),
            cached: origin == ResultOrigin::Cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words on disk: a change here is a change of the format.
    #[test]
    fn the_format_stays() {
        let output = NodeOutput {
            output: ArtifactId::from_blake3([7; 32]),
            usage: Usage {
                model_calls: 1,
                input_tokens: 2,
                output_tokens: 3,
                usd: 0.5,
            },
            attempts: 2,
            duration: Duration::from_micros(1),
        };
        let entry = RunEntry::completed(&"find".into(), &output, ResultOrigin::Executed);
        let bytes = encode(&entry);
        assert_eq!(bytes[0], 1);
        let expected = format!(
            r#"{{"completed":{{"node":"find","result":{{"output":"b3:{}","attempts":2,"duration_ns":1000,"model_calls":1,"input_tokens":2,"output_tokens":3,"usd":0.5}}}}}}"#,
            "07".repeat(32)
        );
        assert_eq!(String::from_utf8_lossy(&bytes[1..]), expected);
        let Ok(RunEntry::Completed { result, .. }) = decode(&bytes) else {
            panic!("{bytes:?}")
        };
        assert_eq!(NodeOutput::from(result), output);
    }

    #[test]
    fn what_is_not_known_is_refused_and_added_fields_are_not() {
        assert!(matches!(
            decode::<RunEntry>(b"\x02{}"),
            Err(EntryError::Version(2))
        ));
        assert!(matches!(decode::<RunEntry>(b""), Err(EntryError::Empty)));
        assert!(matches!(
            decode::<RunEntry>(b"\x01{"),
            Err(EntryError::Json(_))
        ));
        let newer = b"\x01{\"failed\":{\"node\":\"a\",\"error\":\"b\",\"since\":3}}";
        let failed = RunEntry::Failed {
            node: "a".into(),
            error: "b".to_owned(),
        };
        assert_eq!(decode::<RunEntry>(newer).unwrap(), failed);
    }

    #[test]
    fn moments_survive() {
        for time in [UNIX_EPOCH, UNIX_EPOCH + Duration::new(5, 999_999_999)] {
            assert_eq!(SystemTime::from(Moment::from(time)), time);
        }
        assert_eq!(SystemTime::from(Moment(u64::MAX, u32::MAX)), UNIX_EPOCH);
    }
}
