//! Pre-validation of a typical record: a melody node with 16 predecessors.
//! Target: at most 100 µs; the documents ask for less than 1 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sy_commons::prevalidation::{
    InRange, MatchesFormat, MaxSize, NonEmpty, PreValidationRule, Record, RuleExt,
};

struct Node {
    id: String,
    after: Vec<String>,
    retries: u32,
    file: Option<String>,
}

fn node(id: &str) -> Node {
    Node {
        id: id.to_owned(),
        after: (0..16).map(|n| format!("node-{n}")).collect(),
        retries: 3,
        file: Some("src/lib.rs".to_owned()),
    }
}

fn prevalidation(c: &mut Criterion) {
    let id = NonEmpty.and(MaxSize(64)).and(MatchesFormat::IDENTIFIER);
    let rule = Record::new()
        .field("id", |n: &Node| &n.id, id)
        .field("after", |n: &Node| &n.after, MaxSize(64).and(id.each()))
        .field("retries", |n: &Node| &n.retries, InRange(0..=10))
        .optional("file", |n: &Node| &n.file, MatchesFormat::RELATIVE_PATH);
    let (good, bad) = (node("find-undocumented"), node("Not An Identifier"));
    c.bench_function("prevalidation/valid record", |b| {
        b.iter(|| rule.validate("node", black_box(&good)));
    });
    c.bench_function("prevalidation/invalid record", |b| {
        b.iter(|| rule.validate("node", black_box(&bad)));
    });
}

criterion_group!(benches, prevalidation);
criterion_main!(benches);
