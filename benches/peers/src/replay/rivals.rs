//! Each engine's own way to replay a session. What is timed is the edits alone, in
//! the processor's time.

use crate::cpu::Stopwatch;
use crate::trace::Trace;
use std::error::Error;
use std::time::Duration;
use symphony_ipc_protocol::xi::{EditOrigin, OnOverlap, Replace};

type Replayed = Result<(Duration, String), Box<dyn Error>>;

/// An engine.
pub struct Rival {
    /// What it is called.
    pub name: &'static str,
    /// The crates it is made of, for their versions.
    pub crates: &'static [&'static str],
    /// What it can do with an edit afterwards.
    pub keeps: &'static str,
    /// Makes all edits of a session; the processor's time that took, and the text then.
    pub replay: fn(&Trace) -> Replayed,
}

/// All of them; ours is the first.
pub const RIVALS: [Rival; 7] = [
    Rival {
        name: "xi-editor (ours)",
        crates: &["xi-editor"],
        keeps: "text; 1,000 revisions as bases; undo tree, a group an edit; who",
        replay: ours,
    },
    Rival {
        name: "diamond-types",
        crates: &["diamond-types"],
        keeps: "text; all operations, to merge",
        replay: diamond_types,
    },
    Rival {
        name: "loro, a commit an edit",
        crates: &["loro"],
        keeps: "text; all operations, to merge; a change event an edit",
        replay: loro_committing,
    },
    Rival {
        name: "loro, one commit",
        crates: &["loro"],
        keeps: "text; all operations, to merge",
        replay: loro,
    },
    Rival {
        name: "cola with crop",
        crates: &["cola", "crop"],
        keeps: "text (crop); positions of all insertions, to merge",
        replay: cola,
    },
    Rival {
        name: "crop",
        crates: &["crop"],
        keeps: "text only",
        replay: crop,
    },
    Rival {
        name: "ropey",
        crates: &["ropey"],
        keeps: "text only",
        replay: ropey,
    },
];

fn ours(trace: &Trace) -> Replayed {
    let mut buffer = xi_editor::engine::Buffer::new(trace.start.as_str().into());
    let origin = EditOrigin::default();
    let start = Stopwatch::start();
    for patch in &trace.patches {
        let edit = Replace {
            start: patch.bytes.start,
            end: patch.bytes.end,
            text: patch.text.clone(),
        };
        buffer.edit(None, vec![edit], OnOverlap::Refuse, &origin)?;
    }
    Ok((start.elapsed(), String::from(buffer.text())))
}

fn diamond_types(trace: &Trace) -> Replayed {
    let mut text = diamond_types::list::ListCRDT::new();
    let writer = text.get_or_create_agent_id("writer");
    if !trace.start.is_empty() {
        text.insert(writer, 0, &trace.start);
    }
    let start = Stopwatch::start();
    for patch in &trace.patches {
        if !patch.chars.is_empty() {
            text.delete_without_content(writer, patch.chars.clone());
        }
        if !patch.text.is_empty() {
            text.insert(writer, patch.chars.start, &patch.text);
        }
    }
    Ok((start.elapsed(), text.branch.content().to_string()))
}

fn loro(trace: &Trace) -> Replayed {
    replay_loro(trace, false)
}

fn loro_committing(trace: &Trace) -> Replayed {
    replay_loro(trace, true)
}

fn replay_loro(trace: &Trace, commit_each: bool) -> Replayed {
    let document = loro::LoroDoc::new();
    let text = document.get_text("text");
    text.insert_utf8(0, &trace.start)?;
    document.commit();
    let start = Stopwatch::start();
    for patch in &trace.patches {
        if !patch.bytes.is_empty() {
            text.delete_utf8(patch.bytes.start, patch.bytes.len())?;
        }
        if !patch.text.is_empty() {
            text.insert_utf8(patch.bytes.start, &patch.text)?;
        }
        if commit_each {
            document.commit();
        }
    }
    document.commit();
    Ok((start.elapsed(), text.to_string()))
}

fn cola(trace: &Trace) -> Replayed {
    let mut text = crop::Rope::from(trace.start.as_str());
    let mut replica = cola::Replica::new(1, text.byte_len());
    let start = Stopwatch::start();
    for patch in &trace.patches {
        if !patch.bytes.is_empty() {
            std::hint::black_box(replica.deleted(patch.bytes.clone()));
        }
        if !patch.text.is_empty() {
            std::hint::black_box(replica.inserted(patch.bytes.start, patch.text.len()));
        }
        text.replace(patch.bytes.clone(), &patch.text);
    }
    Ok((start.elapsed(), text.to_string()))
}

fn crop(trace: &Trace) -> Replayed {
    let mut text = crop::Rope::from(trace.start.as_str());
    let start = Stopwatch::start();
    for patch in &trace.patches {
        text.replace(patch.bytes.clone(), &patch.text);
    }
    Ok((start.elapsed(), text.to_string()))
}

fn ropey(trace: &Trace) -> Replayed {
    let mut text = ropey::Rope::from_str(&trace.start);
    let start = Stopwatch::start();
    for patch in &trace.patches {
        if !patch.chars.is_empty() {
            text.remove(patch.chars.clone());
        }
        if !patch.text.is_empty() {
            text.insert(patch.chars.start, &patch.text);
        }
    }
    Ok((start.elapsed(), text.to_string()))
}
