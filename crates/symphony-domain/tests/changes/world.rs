//! A project in memory, and short ways to say what happens to it.

use crate::gate::{Gate, GatedData, GatedText};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{collections::BTreeMap, future::Future, path::PathBuf, sync::Arc, time::Duration};
use symphony_core_ports::{EpisodeId, ExtensionType, PlayerRef, TextEdit};
use symphony_domain::{
    changes::{
        ChangeError, ChangeSet, ChangeSets, Decided, EpisodeRef, HunkId, NewChangeSet,
        ReviewOutcome, Verdict,
    },
    core::SymphonyCore,
};
use symphony_testkit::{
    MockConductorAdapter, MockDataAdapter, MockExtensionAdapter, MockPitAdapter,
    MockTextEditingAdapter, SequentialIds, SimulatedClock, generators,
};

pub const PROJECT: &str = "/project";

/// All files of the project by path.
pub type Tree = BTreeMap<String, String>;

/// The ports' mocks, with a gate before text and records.
pub struct World {
    pub text: MockTextEditingAdapter,
    pub data: MockDataAdapter,
    pub pit: MockPitAdapter,
    pub conductor: MockConductorAdapter,
    pub clock: SimulatedClock,
    pub gate: Gate,
    pub sets: ChangeSets,
    core: SymphonyCore,
}

impl World {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let mut text = MockTextEditingAdapter::new();
        for (path, content) in files {
            text = text.with_file(at(path), *content);
        }
        Self::over(
            text,
            MockDataAdapter::new(),
            MockPitAdapter::new(),
            SimulatedClock::new(),
        )
    }

    fn over(
        text: MockTextEditingAdapter,
        data: MockDataAdapter,
        pit: MockPitAdapter,
        clock: SimulatedClock,
    ) -> Self {
        let (gate, conductor) = (Gate::default(), MockConductorAdapter::new());
        let core = SymphonyCore {
            text: Arc::new(GatedText(text.clone(), gate.clone())),
            pit: Arc::new(pit.clone()),
            extensions: Arc::new(MockExtensionAdapter::new()),
            conductor: Arc::new(conductor.clone()),
            data: Arc::new(GatedData(data.clone(), gate.clone())),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SequentialIds::new()),
        };
        Self {
            text,
            data,
            pit,
            conductor,
            clock,
            gate,
            sets: ChangeSets::new(core.clone(), PathBuf::from(PROJECT)),
            core,
        }
    }

    /// What is there after the host died: files, records, artifacts; buffers only
    /// if the editor lived on.
    pub fn restarted(&self, editor_lived: bool) -> Self {
        let text = if editor_lived {
            self.text.clone()
        } else {
            let fresh = MockTextEditingAdapter::new();
            for (path, bytes) in self.text.files() {
                fresh.write_file(path, bytes);
            }
            fresh
        };
        Self::over(
            text,
            self.data.clone(),
            self.pit.restarted(),
            self.clock.clone(),
        )
    }

    /// The change sets of another project on the same ports.
    pub fn elsewhere(&self, project: &str) -> ChangeSets {
        ChangeSets::new(self.core.clone(), PathBuf::from(project))
    }

    pub fn tree(&self) -> Tree {
        let files = self.text.files().into_iter();
        files
            .map(|(path, bytes)| {
                let path = path.strip_prefix(PROJECT).unwrap().to_owned();
                let text = String::from_utf8(bytes).unwrap();
                (path.to_str().unwrap().to_owned(), text)
            })
            .collect()
    }

    pub fn file(&self, path: &str) -> String {
        self.tree().remove(path).unwrap()
    }

    /// Someone saves another text, outside of Symphony.
    pub fn human(&self, path: &str, text: &str) {
        self.text.write_file(at(path), text);
    }

    /// Someone replaces one piece of a file's text.
    pub fn human_replaces(&self, path: &str, old: &str, new: &str) {
        let text = self.file(path);
        assert!(text.contains(old), "{old:?} is not in {text:?}");
        self.human(path, &text.replacen(old, new, 1));
    }

    pub async fn stage(&self, id: &str, files: Value) -> ChangeSet {
        self.clock.advance(Duration::from_secs(1));
        self.sets.stage(new(id, files)).await.unwrap()
    }

    pub async fn accept(&self, id: &str, hunks: &[HunkId]) -> Result<ReviewOutcome, ChangeError> {
        let selection = hunks.iter().map(|hunk| (*hunk, Verdict::Accept)).collect();
        self.sets.review(id, selection, false).await
    }

    pub async fn accept_all(&self, id: &str) -> Result<ReviewOutcome, ChangeError> {
        let hunks = self.hunk_ids(id).await;
        self.accept(id, &hunks).await
    }

    pub async fn hunk_ids(&self, id: &str) -> Vec<HunkId> {
        let set = self.sets.get(Some(id)).await.unwrap();
        set.hunks().map(|hunk| hunk.id).collect()
    }

    pub async fn verdicts(&self, id: &str) -> Vec<Decided> {
        let set = self.sets.get(Some(id)).await.unwrap();
        set.hunks().map(|hunk| hunk.verdict).collect()
    }
}

pub fn at(path: &str) -> PathBuf {
    PathBuf::from(PROJECT).join(path)
}

pub fn tree<const N: usize>(files: [(&str, &str); N]) -> Tree {
    files.map(|(p, t)| (p.to_owned(), t.to_owned())).into()
}

pub fn digest(text: &str) -> String {
    format!("b3:{}", blake3::hash(text.as_bytes()).to_hex())
}

pub fn new(id: &str, files: Value) -> NewChangeSet {
    NewChangeSet {
        id: id.into(),
        melody: "document".into(),
        proposed: json!({ "title": "Document what is undocumented", "files": files }),
        episodes: vec![EpisodeRef {
            player: PlayerRef::named(ExtensionType::Instrument, "local-model"),
            episode: EpisodeId(format!("{id}.describe")),
        }],
        findings: Vec::new(),
    }
}

/// A file of a proposal with `(start, end, text)` edits.
pub fn edits(path: &str, base: Option<&str>, edits: &[(usize, usize, &str)]) -> Value {
    let edits: Vec<Value> = edits
        .iter()
        .map(|(start, end, text)| {
            json!({
                "path": path, "base": base.map(digest).unwrap_or_default(),
                "start": start, "end": end, "text": text,
                "item": format!("item at {start}"), "why": "it had none",
                "by": "instrument/local-model",
            })
        })
        .collect();
    json!({ "path": path, "base_text": base, "edits": edits })
}

/// A file of a proposal that inserts a line before each of these lines of the base, from 0.
pub fn comments(path: &str, base: &str, before: &[usize]) -> Value {
    let starts: Vec<usize> = std::iter::once(0)
        .chain(base.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    let list: Vec<(usize, usize, &str)> = before
        .iter()
        .map(|line| (starts[*line], starts[*line], "/// Says so.\n"))
        .collect();
    edits(path, Some(base), &list)
}

/// `count` lines that all differ.
pub fn numbered(count: usize) -> String {
    (1..=count).map(|n| format!("fn f{n}() {{}}\n")).collect()
}

/// A file of a proposal with these edits of its base.
pub fn proposed(path: &str, base: &str, list: &[TextEdit]) -> Value {
    let list: Vec<(usize, usize, &str)> = list
        .iter()
        .map(|edit| (edit.range.start, edit.range.end, edit.text.as_str()))
        .collect();
    edits(path, Some(base), &list)
}

/// A text with edits that a proposal may have: no encoding mark comes first.
pub fn text_and_edits() -> impl Strategy<Value = (String, Vec<TextEdit>)> {
    let mark = '\u{feff}';
    generators::text()
        .prop_map(move |text| text.trim_start_matches(mark).to_owned())
        .prop_flat_map(|text| (Just(text.clone()), generators::edits_for(&text)))
        .prop_filter("no mark first", move |(text, list)| {
            !list.first().is_some_and(|edit| {
                edit.range.start == 0
                    && format!("{}{}", edit.text, &text[edit.range.end..]).starts_with(mark)
            })
        })
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
