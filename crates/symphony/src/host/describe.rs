//! Tells of runs, artifacts and players.

use super::Host;
use crate::api::{
    Answer, CommandError, ErrorKind, PlayerSummary, RunState, RunSummary, XiPluginSummary,
};
use symphony_core_ports::{ArtifactSummary, NodeState, PolicyContext, RunOutcome, RunRecord};
use symphony_domain::core::SymphonyCore;
use symphony_ipc_protocol::xi::PluginInfo;

/// More matches than this are not listed in an error.
const MOST_MATCHES: usize = 8;

/// A run by its id, or the only one that begins so; the newest for an empty text.
pub(super) async fn find_run(core: &SymphonyCore, text: &str) -> Result<RunRecord, CommandError> {
    let runs = core.pit.runs().await?;
    let mut matches = runs
        .into_iter()
        .filter(|r| r.run.id.as_str().starts_with(text));
    let none = || {
        let message = if text.is_empty() {
            "there are no runs yet".to_owned()
        } else {
            format!("there is no run {text}")
        };
        CommandError::new(ErrorKind::Input, message)
            .help("`symphony runs` lists them; `symphony perform` makes one")
    };
    let first = matches.next().ok_or_else(none)?;
    match matches.next() {
        Some(second) if !text.is_empty() && first.run.id.as_str() != text => {
            let message = format!("{text} could be run {} or {}", first.run.id, second.run.id);
            Err(CommandError::new(ErrorKind::Input, message).help("give more of its id"))
        }
        _ => Ok(first),
    }
}

impl Host {
    pub(super) fn state_of(&self, record: &RunRecord) -> RunState {
        if self
            .playing()
            .as_ref()
            .is_some_and(|p| p.run == record.run.id)
        {
            return RunState::Playing;
        }
        match record.outcome {
            Some(RunOutcome::Succeeded { .. }) => RunState::Succeeded,
            Some(RunOutcome::Failed { .. }) => RunState::Failed,
            Some(RunOutcome::Cancelled) => RunState::Cancelled,
            None => RunState::Interrupted,
        }
    }

    pub(super) async fn runs(&self) -> Result<Vec<RunSummary>, CommandError> {
        let records = self.core.pit.runs().await?;
        let summary = |record: RunRecord| RunSummary {
            state: self.state_of(&record),
            done: record
                .nodes
                .iter()
                .filter(|n| matches!(n.state, NodeState::Completed { .. }))
                .count(),
            usage: record.usage(),
            error: match &record.outcome {
                Some(RunOutcome::Failed { error }) => Some(error.clone()),
                _ => None,
            },
            id: record.run.id.to_string(),
            melody: record.run.melody,
            started: record.run.started,
        };
        Ok(records.into_iter().map(summary).collect())
    }

    pub(super) async fn run(&self, text: &str) -> Result<Answer, CommandError> {
        let record = find_run(&self.core, text).await?;
        Ok(Answer::Run {
            state: self.state_of(&record),
            record,
        })
    }

    pub(super) async fn artifact(&self, text: &str) -> Result<Answer, CommandError> {
        let prefix = text.strip_prefix("b3:").unwrap_or(text);
        if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("`{text}` is no artifact id");
            return Err(CommandError::new(ErrorKind::Input, message)
                .help("an id is `b3:` and hexadecimal digits; its beginning will do"));
        }
        let found = self
            .core
            .pit
            .find_artifacts(&prefix.to_ascii_lowercase(), MOST_MATCHES)
            .await?;
        let [summary] = <[ArtifactSummary; 1]>::try_from(found).map_err(|found| {
            let ids: Vec<&str> = found.iter().map(|a| a.id.short()).collect();
            let message = match ids.len() {
                0 => format!("there is no artifact {text}"),
                _ => format!("{text} could be one of: {}", ids.join(", ")),
            };
            CommandError::new(ErrorKind::Input, message)
                .help("`symphony runs show RUN` names the artifacts of a run")
        })?;
        let artifact = self.core.pit.retrieve_artifact(&summary.id).await?;
        Ok(Answer::Artifact {
            summary,
            text: String::from_utf8(artifact.bytes).ok(),
        })
    }

    pub(super) async fn list_players(&self) -> Result<Answer, CommandError> {
        let summary = |r: &symphony_extensions::Registered| PlayerSummary {
            player: r.manifest.player().to_string(),
            version: r.manifest.version.to_string(),
            description: r.manifest.description.clone(),
            capabilities: r.manifest.capabilities.clone(),
            granted: r
                .grants
                .effective(&r.manifest)
                .iter()
                .map(ToString::to_string)
                .collect(),
            missing: r.missing().iter().map(ToString::to_string).collect(),
        };
        let unplayable = self.registry.iter().filter(|r| !r.missing().is_empty());
        let mut players: Vec<PlayerSummary> = self
            .registry
            .players()
            .chain(unplayable)
            .map(summary)
            .collect();
        players.sort_by(|a, b| a.player.cmp(&b.player));
        let plugins = self.editor.plugins().await?;
        let bad = plugins.bad.iter();
        let bad = bad.map(|bad| format!("{}: {}", bad.file.display(), bad.reason));
        Ok(Answer::Players {
            players,
            xi_plugins: plugins.plugins.into_iter().map(plugin).collect(),
            problems: self
                .registry
                .problems()
                .iter()
                .cloned()
                .chain(bad)
                .collect(),
            policy: self
                .core
                .conductor
                .get_policy(&PolicyContext::default())
                .await?,
        })
    }
}

fn plugin(info: PluginInfo) -> XiPluginSummary {
    XiPluginSummary {
        name: info.name,
        version: info.version,
        state: format!("{:?}", info.state).to_lowercase(),
        commands: info.commands.into_iter().map(|c| c.title).collect(),
        languages: info.languages.into_iter().map(|l| l.name).collect(),
    }
}
