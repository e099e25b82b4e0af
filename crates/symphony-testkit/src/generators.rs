//! Proptest strategies for what crosses the ports.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use symphony_core_ports::{PortType, TextEdit};

/// Pieces that break code which counts characters where it should count bytes,
/// or cuts within a character, a cluster or a line end.
const PIECES: &[&str] = &[
    "a",
    "b",
    "fn ",
    "{",
    "}",
    " ",
    "\t",
    "\n",
    "\r\n",
    "é",
    "ß",
    "Ω",
    "漢",
    "字",
    "한",
    "e\u{301}",
    "🎼",
    "👩\u{200d}🚀",
    "🇪🇺",
    "\u{feff}",
    "\u{2028}",
    "مرحبا",
];

/// Text of up to about 60 characters: ASCII, line ends of both kinds, characters of two to four bytes.
pub fn text() -> impl Strategy<Value = String> {
    vec(select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// Edits that are valid for `text`: sorted, without overlap, on character borders; at most 5.
pub fn edits_for(text: &str) -> BoxedStrategy<Vec<TextEdit>> {
    let mut borders: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    borders.push(text.len());
    let last = borders.len() - 1;
    vec((0..=last, 0..=last, self::text()), 0..=5)
        .prop_map(move |raw| {
            let mut cuts: Vec<usize> = raw.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
            cuts.sort_unstable();
            let texts = raw.into_iter().map(|(_, _, text)| text);
            let mut edits: Vec<TextEdit> = cuts
                .chunks_exact(2)
                .zip(texts)
                .map(|(cut, text)| TextEdit {
                    range: borders[cut[0]]..borders[cut[1]],
                    text,
                })
                .collect();
            // Edits that touch are legal but mean different things to different readers.
            edits.dedup_by(|later, earlier| later.range.start <= earlier.range.end);
            edits
        })
        .boxed()
}

/// A text with edits that are valid for it.
pub fn text_and_edits() -> impl Strategy<Value = (String, Vec<TextEdit>)> {
    text().prop_flat_map(|text| {
        let edits = edits_for(&text);
        (Just(text), edits)
    })
}

/// What `text` becomes by `edits`: the plain model that editors are held against.
///
/// # Panics
/// When the edits are not valid for the text.
pub fn apply(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for edit in edits {
        out.push_str(&text[done..edit.range.start]);
        out.push_str(&edit.text);
        done = edit.range.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Any port type, lists up to three deep.
pub fn port_type() -> impl Strategy<Value = PortType> {
    let basic = prop_oneof![
        Just(PortType::Json),
        Just(PortType::Text),
        Just(PortType::Integer),
        Just(PortType::Number),
        Just(PortType::Boolean),
        Just(PortType::Path),
        "record-[a-z0-9]{1,6}".prop_map(PortType::Record),
    ];
    basic.prop_recursive(3, 4, 1, |inner| inner.prop_map(PortType::list))
}

/// Any JSON value, a few levels deep; numbers are such that JSON carries them exactly.
pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner).prop_map(Value::Object),
        ]
    })
}

/// A value that a port of this type admits.
pub fn value_of(port_type: &PortType) -> BoxedStrategy<Value> {
    match port_type {
        PortType::Json => json().boxed(),
        PortType::Text => text().prop_map(Value::from).boxed(),
        PortType::Integer => any::<i64>().prop_map(Value::from).boxed(),
        PortType::Number => prop_oneof![any::<i64>().prop_map(Value::from), number()].boxed(),
        PortType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        PortType::Path => "[a-z]{1,8}(/[a-z]{1,8}){0,3}".prop_map(Value::from).boxed(),
        PortType::Record(_) => object(json()).prop_map(Value::Object).boxed(),
        PortType::List(inner) => vec(value_of(inner), 0..4).prop_map(Value::from).boxed(),
    }
}

/// A port type with a value that it admits.
pub fn typed_value() -> impl Strategy<Value = (PortType, Value)> {
    port_type().prop_flat_map(|port_type| {
        let value = value_of(&port_type);
        (Just(port_type), value)
    })
}

fn number() -> impl Strategy<Value = Value> {
    // Quarters are exact in binary and in decimal.
    (-1_000_000i32..1_000_000).prop_map(|n| Value::from(f64::from(n) / 4.0))
}

fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    vec(("[a-z_]{1,6}", values), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

/// The shape of a graph: nodes `0..nodes` and edges `(from, to)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphShape {
    /// How many nodes.
    pub nodes: usize,
    /// Each edge once, sorted.
    pub edges: Vec<(usize, usize)>,
}

impl GraphShape {
    /// What a node depends on.
    pub fn predecessors(&self, node: usize) -> Vec<usize> {
        let into = self.edges.iter().filter(|(_, to)| *to == node);
        into.map(|(from, _)| *from).collect()
    }

    /// What depends on a node.
    pub fn successors(&self, node: usize) -> Vec<usize> {
        let out = self.edges.iter().filter(|(from, _)| *from == node);
        out.map(|(_, to)| *to).collect()
    }
}

/// A graph without cycles: 1 to `max_nodes` nodes, every edge from a lower to a higher one.
pub fn dag(max_nodes: usize) -> impl Strategy<Value = GraphShape> {
    (1..=max_nodes.max(1)).prop_flat_map(|nodes| {
        vec((0..nodes, 0..nodes), 0..=nodes * 2).prop_map(move |pairs| {
            let edges: BTreeSet<_> = pairs
                .into_iter()
                .filter(|(a, b)| a != b)
                .map(|(a, b)| (a.min(b), a.max(b)))
                .collect();
            GraphShape {
                nodes,
                edges: edges.into_iter().collect(),
            }
        })
    })
}

/// A graph with at least one cycle, and the nodes of one in order; a cycle of
/// one node is an edge to itself.
pub fn cyclic_graph(max_nodes: usize) -> impl Strategy<Value = (GraphShape, Vec<usize>)> {
    dag(max_nodes).prop_flat_map(|shape| {
        let nodes = shape.nodes;
        vec(0..nodes, 1..=nodes.min(4)).prop_map(move |picked| {
            let cycle: Vec<usize> = picked
                .into_iter()
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect();
            let mut edges: BTreeSet<_> = shape.edges.iter().copied().collect();
            for (at, from) in cycle.iter().enumerate() {
                edges.insert((*from, cycle[(at + 1) % cycle.len()]));
            }
            let shape = GraphShape {
                nodes,
                edges: edges.into_iter().collect(),
            };
            (shape, cycle)
        })
    })
}
