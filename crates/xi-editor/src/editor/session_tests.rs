//! A journal, cut off anywhere, leads to a state that there was.

use super::*;
use crate::journal::Policy;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

/// So few changes make a journal begin anew.
fn small() -> Policy {
    Policy {
        max_changes: 20,
        kept_changes: 8,
        ..Policy::default()
    }
}

#[derive(Debug, Clone)]
enum Act {
    Insert(usize, String),
    Command(usize, Value),
    Undo,
    Redo,
    To(u64),
    Fold(usize, u64, u64),
    Wrap(usize, u64),
    Configure(u64),
    Encoding(bool),
    OpenView,
    CloseView(usize),
    Save,
    /// Somebody else writes the file.
    Outside(String),
    Resolve(bool),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let command = prop_oneof![
        "[aé\n({]{1,3}".prop_map(|text| json!({"name": "insert", "text": text})),
        Just(json!({"name": "delete", "by": "word", "direction": "backward"})),
        Just(json!({"name": "delete_lines"})),
        Just(json!({"name": "duplicate_lines"})),
        Just(json!({"name": "select_all"})),
        Just(json!({"name": "add_cursor", "side": "below"})),
        (0..3_u32).prop_map(
            |n| json!({"name": "move", "by": "line", "direction": "forward", "count": n + 1})
        ),
        Just(json!({"name": "move", "by": "word", "direction": "backward", "extend": true})),
    ];
    let act = prop_oneof![
        4 => (0..30_usize, "[xyé\n]{1,4}").prop_map(|(at, text)| Act::Insert(at, text)),
        9 => (0..3_usize, command).prop_map(|(view, command)| Act::Command(view, command)),
        3 => Just(Act::Undo),
        2 => Just(Act::Redo),
        1 => (0..40_u64).prop_map(Act::To),
        1 => (0..3_usize, 1..4_u64, 2..7_u64).prop_map(|(v, first, last)| Act::Fold(v, first, last)),
        1 => (0..3_usize, 1..80_u64).prop_map(|(view, wrap)| Act::Wrap(view, wrap)),
        1 => (1..9_u64).prop_map(Act::Configure),
        1 => any::<bool>().prop_map(Act::Encoding),
        1 => Just(Act::OpenView),
        1 => (0..3_usize).prop_map(Act::CloseView),
        1 => Just(Act::Save),
        1 => "[a-c\n]{0,12}".prop_map(Act::Outside),
        1 => any::<bool>().prop_map(Act::Resolve),
    ];
    proptest::collection::vec(act, 1..90)
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

struct World {
    editor: Editor,
    folder: tempfile::TempDir,
    buffer: BufferKey,
    views: Vec<symphony_ipc_protocol::xi::ViewKey>,
    /// Its journal's inode, and how often it was begun anew.
    begun: (u64, u64),
    /// After each request: how often the journal was begun anew, its length, and how things stood.
    states: Vec<(u64, u64, String)>,
}

impl World {
    fn new() -> Self {
        Self::within(small())
    }

    fn within(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut editor = Editor::default();
        editor.open_session(&root.join("session")).unwrap();
        editor.session.as_mut().unwrap().set_policy(policy);
        let path = root.join("a.rs");
        std::fs::write(&path, "fn f() {\n    b\n    c\n}\n").unwrap();
        let buffer = editor.open(of(json!({"path": path}))).unwrap().buffer;
        editor.commit();
        // With a change the base text comes into the journal.
        editor
            .insert(of(json!({"buffer": buffer, "at": 0, "text": "a"})))
            .unwrap();
        let mut world = Self {
            editor,
            folder,
            buffer,
            views: Vec::new(),
            begun: (0, 0),
            states: Vec::new(),
        };
        world.act(&Act::OpenView);
        world
    }

    fn act(&mut self, act: &Act) {
        let (editor, buffer) = (&mut self.editor, self.buffer);
        let with = |mut params: Value| {
            params["buffer"] = json!(buffer);
            params
        };
        let view = |n: &usize| self.views.get(n % self.views.len().max(1)).copied();
        // What does not fit is refused, and is to change nothing.
        match act {
            Act::Insert(at, text) => {
                drop(editor.insert(of(with(json!({"at": at, "text": text})))));
            }
            Act::Command(n, command) => {
                if let Some(view) = view(n) {
                    let params = json!({"view": view, "command": command});
                    drop(editor.command(&of(params)));
                }
            }
            Act::Undo => drop(editor.undo(&of(with(json!({}))))),
            Act::Redo => drop(editor.redo(&of(with(json!({}))))),
            Act::To(node) => drop(editor.undo_to(&of(with(json!({"node": node}))))),
            Act::Fold(n, first, last) => {
                if let Some(view) = view(n) {
                    let params = json!({"view": view, "first": first, "last": last});
                    drop(editor.fold(&of(params)));
                }
            }
            Act::Wrap(n, wrap) => {
                if let Some(view) = view(n) {
                    let widths = json!({"narrow": 7, "wide": 14, "chars": [{"first": "a", "last": "b", "width": wrap}]});
                    let params = json!({"view": view, "wrap": wrap, "widths": widths});
                    drop(editor.set_metrics(of(params)));
                }
            }
            Act::Configure(width) => {
                drop(editor.configure(&of(with(json!({"tab_width": width})))));
            }
            Act::Encoding(wide) => {
                let encoding = if *wide { "utf16-le" } else { "utf8" };
                drop(editor.set_encoding(&of(with(json!({"encoding": encoding})))));
            }
            Act::OpenView => {
                let opened = editor.open_view(&of(with(json!({}))));
                self.views.push(opened.unwrap().view);
            }
            Act::CloseView(n) => {
                if let Some(view) = view(n) {
                    editor.close_view(&of(json!({"view": view}))).unwrap();
                    self.views.retain(|key| *key != view);
                }
            }
            Act::Save => drop(editor.save(&of(with(json!({"overwrite": true}))))),
            Act::Outside(text) => {
                let path = editor.find(buffer).unwrap().file().unwrap();
                std::fs::write(path, text).unwrap();
                drop(editor.file_changed(&of(with(json!({})))));
            }
            Act::Resolve(ours) => {
                let take = if *ours { "ours" } else { "theirs" };
                drop(editor.resolve(&of(with(json!({"index": 0, "take": take})))));
            }
        }
        self.committed();
    }

    fn journal(&mut self) -> PathBuf {
        match &self.editor.find(self.buffer).unwrap().journaled {
            Journaled::Yes(journal) => {
                journal.wait();
                journal.path().to_owned()
            }
            _ => panic!("no journal"),
        }
    }

    /// Takes note of how things stand now.
    fn committed(&mut self) {
        self.editor.commit();
        // A journal that is begun anew is taken by the next commit.
        let journal = self.journal();
        let meta = std::fs::metadata(journal).unwrap();
        let key = self.buffer;
        let editor = &self.editor;
        let open = editor.buffers.iter().find(|o| o.key == key).unwrap();
        let state = describe(open, &editor.views);
        // The numbers of inodes come again, but not one after the other.
        if self.begun.0 != meta.ino() {
            self.begun = (meta.ino(), self.begun.1 + 1);
        }
        self.states.push((self.begun.1, meta.len(), state));
    }
}

/// All that there is to know of a buffer.
fn describe(open: &OpenBuffer, views: &Views) -> String {
    let Whole {
        text,
        state,
        standing,
        on_disk,
        notes,
    } = open.whole(views);
    let text = String::from(&text);
    let file = String::from(&on_disk.text);
    let tree = open.buffer.undo_tree();
    format!("{text:?} in {state}\n{standing:?}\n{tree:?}\n{file:?}: {on_disk:?}\n{notes:#?}")
}

fn load_cut(world: &World, bytes: &[u8]) -> Result<String, NotLoaded> {
    let path = world.folder.path().join("cut.journal");
    std::fs::write(&path, bytes).unwrap();
    let loaded = load::<Beside>(&path, 1 << 20)?;
    let (open, shown) = OpenBuffer::restored(loaded, Journaled::No);
    let mut views = Views::default();
    views.adopt(open.key, shown);
    Ok(describe(&open, &views))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_journal_cut_anywhere_leads_to_a_state_that_there_was(
        acts in acts(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let mut world = World::new();
        acts.iter().for_each(|act| world.act(act));
        let journal = world.journal();
        let bytes = std::fs::read(&journal).unwrap();
        let states: Vec<_> = world.states.iter().filter(|s| s.0 == world.begun.1).collect();
        let whole = load_cut(&world, &bytes).unwrap();
        prop_assert_eq!(&whole, &world.states.last().unwrap().2);
        let first = usize::try_from(states.first().map_or(bytes.len() as u64, |s| s.1)).unwrap();
        for cut in cuts {
            let cut = first + cut.index(bytes.len() - first + 1);
            let expected = states.iter().rev().find(|s| s.1 <= cut as u64);
            let found = load_cut(&world, &bytes[..cut]).unwrap();
            prop_assert_eq!(&found, &expected.unwrap().2, "cut at {} of {}", cut, bytes.len());
        }
    }
}

#[test]
fn a_cut_in_the_beginning_is_no_buffer_and_no_panic() {
    let mut world = World::new();
    for _ in 0..40 {
        world.act(&Act::Insert(0, "x\n".to_owned()));
        world.act(&Act::Command(0, json!({"name": "insert", "text": "y"})));
        world.act(&Act::Undo);
    }
    let bytes = std::fs::read(world.journal()).unwrap();
    let begun = world
        .states
        .iter()
        .map(|s| s.0)
        .collect::<std::collections::HashSet<_>>();
    assert!(begun.len() > 1, "it was begun anew");
    for cut in (0..bytes.len()).step_by(61) {
        let _ = load_cut(&world, &bytes[..cut]);
    }
}

/// Of a long session the oldest undo groups are forgotten, here and there alike.
#[test]
fn forgotten_groups_leave_the_same_selections_to_come_back() {
    for policy in [
        Policy::default(),
        Policy {
            max_changes: 1_400,
            ..Policy::default()
        },
    ] {
        let mut world = World::within(policy);
        for group in 0..1_500 {
            let command = json!({"name": "insert", "text": "x\n"});
            let params = json!({"view": world.views[0], "command": command, "group": group});
            world.editor.command(&of(params)).unwrap();
            world.editor.commit();
        }
        world.journal();
        world.act(&Act::Undo);
        world.act(&Act::Insert(0, "y".to_owned()));
        let nodes = world.editor.buffers[0].buffer.undo_tree().len();
        assert!(nodes < 1_400, "{nodes} groups: none was forgotten");
        let bytes = std::fs::read(world.journal()).unwrap();
        let found = load_cut(&world, &bytes).unwrap();
        assert!(found == world.states.last().unwrap().2);
    }
}
