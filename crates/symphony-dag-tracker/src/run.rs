//! A run's state: what its log says, and which nodes are busy.

use crate::{entry::RunEntry, lock};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::SystemTime,
};
use symphony_core_ports::{
    NewRun, NodeId, NodeRecord, NodeResult, NodeState, ResultOrigin, RunId, RunOutcome, RunRecord,
};

pub(crate) struct Run {
    pub(crate) id: RunId,
    started: SystemTime,
    state: Mutex<State>,
}

struct State {
    record: RunRecord,
    index: HashMap<NodeId, usize>,
    busy: HashSet<NodeId>,
}

/// What asking for a node gave.
pub(crate) enum Asked {
    Completed(NodeResult),
    Busy,
    Yours(Busy),
}

impl Run {
    pub(crate) fn new(run: NewRun) -> Self {
        Self {
            id: run.id.clone(),
            started: run.started,
            state: Mutex::new(State {
                record: RunRecord {
                    run,
                    nodes: Vec::new(),
                    outcome: None,
                    finished: None,
                },
                index: HashMap::new(),
                busy: HashSet::new(),
            }),
        }
    }

    /// The run that a log tells of; `None` when the log does not begin one.
    pub(crate) fn replay(entries: Vec<RunEntry>) -> Option<Self> {
        let mut entries = entries.into_iter();
        let RunEntry::Began {
            run: id,
            melody,
            plan,
            started,
        } = entries.next()?
        else {
            return None;
        };
        let run = Self::new(NewRun {
            id,
            melody,
            plan,
            started: started.into(),
        });
        entries.for_each(|entry| run.apply(entry));
        Some(run)
    }

    /// Takes over what a record of the log says.
    pub(crate) fn apply(&self, entry: RunEntry) {
        let mut state = lock(&self.state);
        match entry {
            RunEntry::Began { .. } => {}
            RunEntry::Resumed {} => {
                state.record.outcome = None;
                state.record.finished = None;
            }
            RunEntry::Started {
                node,
                player,
                label,
                ..
            } => {
                let record = state.node(&node);
                record.player = player;
                record.label = label;
                record.state = NodeState::Started;
            }
            RunEntry::Completed {
                node,
                result,
                cached,
            } => {
                let origin = if cached {
                    ResultOrigin::Cache
                } else {
                    ResultOrigin::Executed
                };
                state.node(&node).state = NodeState::Completed {
                    result: NodeResult {
                        node: node.clone(),
                        output: result.into(),
                        origin,
                    },
                };
            }
            RunEntry::Failed { node, error } => {
                state.node(&node).state = NodeState::Failed { error };
            }
            RunEntry::Skipped { node, reason } => {
                state.node(&node).state = NodeState::Skipped { reason };
            }
            RunEntry::Finished { outcome, finished } => {
                state.record.outcome = Some(RunOutcome::from(outcome));
                state.record.finished = Some(finished.into());
            }
        }
    }

    /// Takes a node to work on it, unless it is done or somebody works on it.
    pub(crate) fn occupy(self: &Arc<Self>, node: &NodeId) -> Asked {
        let mut state = lock(&self.state);
        if let Some(index) = state.index.get(node)
            && let NodeState::Completed { result } = &state.record.nodes[*index].state
        {
            return Asked::Completed(result.clone());
        }
        if !state.busy.insert(node.clone()) {
            return Asked::Busy;
        }
        Asked::Yours(Busy {
            run: Arc::clone(self),
            node: node.clone(),
        })
    }

    pub(crate) fn record(&self) -> RunRecord {
        lock(&self.state).record.clone()
    }

    pub(crate) fn node_count(&self) -> usize {
        lock(&self.state).record.nodes.len()
    }

    pub(crate) fn is_finished(&self) -> bool {
        lock(&self.state).record.outcome.is_some()
    }

    /// When it succeeded, if it did.
    pub(crate) fn succeeded(&self) -> Option<SystemTime> {
        let state = lock(&self.state);
        match state.record.outcome {
            Some(RunOutcome::Succeeded { .. }) => state.record.finished,
            _ => None,
        }
    }

    pub(crate) fn started(&self) -> SystemTime {
        self.started
    }
}

impl State {
    /// The node's record; made if it is not there.
    fn node(&mut self, id: &NodeId) -> &mut NodeRecord {
        let index = match self.index.get(id) {
            Some(index) => *index,
            None => {
                self.record.nodes.push(NodeRecord {
                    id: id.clone(),
                    player: String::new(),
                    label: String::new(),
                    state: NodeState::Started,
                });
                let index = self.record.nodes.len() - 1;
                self.index.insert(id.clone(), index);
                index
            }
        };
        &mut self.record.nodes[index]
    }
}

/// Somebody works on a node, until this is dropped.
pub(crate) struct Busy {
    run: Arc<Run>,
    node: NodeId,
}

impl Drop for Busy {
    fn drop(&mut self) {
        lock(&self.run.state).busy.remove(&self.node);
    }
}
