//! The contract of [`DataPort`].

use super::{expect_error, good, left_out, suite};
use crate::generators::json;
use async_trait::async_trait;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::json;
use std::sync::Arc;
use symphony_core_ports::{Collection, DataPort, Expected, PortError, RecordKey};

/// What the suite needs: a store without records.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The implementation.
    fn port(&self) -> Arc<dyn DataPort>;

    /// Ends the implementation as a crash would and opens it again over the
    /// same storage; [`port`](Self::port) gives the new one from then on.
    /// `false` where that is not possible.
    async fn reopen(&self) -> bool {
        false
    }

    /// Damages a stored record, as a bad disk does; `false` where that is not possible.
    async fn damage(&self, _collection: &Collection, _key: &RecordKey) -> bool {
        false
    }
}

suite! {
    "DataPort":
    what_is_not_there_is_none,
    versions_count_from_one,
    any_value_comes_back,
    absent_guards_the_first_write,
    a_version_guards_a_change,
    a_version_guards_a_deletion,
    deleting_nothing_is_no_error,
    unfit_names_are_refused,
    fit_names_are_taken,
    lists_are_sorted_and_apart,
    only_one_of_many_writers_wins,
    survives_a_crash,
    damage_is_told,
}

fn shelf() -> Collection {
    Collection::from("change-sets")
}

fn key(name: &str) -> RecordKey {
    RecordKey::from(name)
}

async fn what_is_not_there_is_none(fixture: &impl Fixture) {
    let port = fixture.port();
    assert_eq!(good(port.get(&shelf(), &key("a")).await), None);
    assert_eq!(good(port.list(&shelf()).await), []);
}

async fn versions_count_from_one(fixture: &impl Fixture) {
    let port = fixture.port();
    for version in 1..=3 {
        let put = port
            .put(&shelf(), &key("a"), json!({"n": version}), Expected::Any)
            .await;
        assert_eq!(good(put), version);
        let record = good(port.get(&shelf(), &key("a")).await);
        let Some(record) = record else {
            panic!("what was put is not there");
        };
        assert_eq!((record.version, record.key), (version, key("a")));
        assert_eq!(record.value, json!({"n": version}));
    }
}

async fn any_value_comes_back(fixture: &impl Fixture) {
    let port = fixture.port();
    let mut runner = TestRunner::deterministic();
    for _ in 0..50 {
        let Ok(tree) = json().new_tree(&mut runner) else {
            panic!("no value was generated");
        };
        let value = tree.current();
        good(
            port.put(&shelf(), &key("a"), value.clone(), Expected::Any)
                .await,
        );
        let record = good(port.get(&shelf(), &key("a")).await);
        assert_eq!(record.map(|r| r.value), Some(value));
    }
}

async fn absent_guards_the_first_write(fixture: &impl Fixture) {
    let port = fixture.port();
    good(
        port.put(&shelf(), &key("a"), json!(1), Expected::Absent)
            .await,
    );
    expect_error!(
        port.put(&shelf(), &key("a"), json!(2), Expected::Absent)
            .await,
        PortError::Conflict { .. }
    );
    let record = good(port.get(&shelf(), &key("a")).await);
    assert_eq!(record.map(|r| (r.version, r.value)), Some((1, json!(1))));
}

async fn a_version_guards_a_change(fixture: &impl Fixture) {
    let port = fixture.port();
    let put = |n: u64, expected| {
        let port = Arc::clone(&port);
        async move { port.put(&shelf(), &key("a"), json!(n), expected).await }
    };
    expect_error!(
        put(0, Expected::Version(1)).await,
        PortError::Conflict { .. }
    );
    assert_eq!(good(port.get(&shelf(), &key("a")).await), None);
    good(put(1, Expected::Any).await);
    assert_eq!(good(put(2, Expected::Version(1)).await), 2);
    expect_error!(
        put(3, Expected::Version(1)).await,
        PortError::Conflict { .. }
    );
    expect_error!(
        put(3, Expected::Version(3)).await,
        PortError::Conflict { .. }
    );
    let record = good(port.get(&shelf(), &key("a")).await);
    assert_eq!(record.map(|r| (r.version, r.value)), Some((2, json!(2))));
}

async fn a_version_guards_a_deletion(fixture: &impl Fixture) {
    let port = fixture.port();
    good(port.put(&shelf(), &key("a"), json!(1), Expected::Any).await);
    expect_error!(
        port.delete(&shelf(), &key("a"), Expected::Version(2)).await,
        PortError::Conflict { .. }
    );
    expect_error!(
        port.delete(&shelf(), &key("a"), Expected::Absent).await,
        PortError::Conflict { .. }
    );
    assert!(good(port.get(&shelf(), &key("a")).await).is_some());
    good(port.delete(&shelf(), &key("a"), Expected::Version(1)).await);
    assert_eq!(good(port.get(&shelf(), &key("a")).await), None);
    good(
        port.put(&shelf(), &key("a"), json!(2), Expected::Absent)
            .await,
    );
}

async fn deleting_nothing_is_no_error(fixture: &impl Fixture) {
    let port = fixture.port();
    good(port.delete(&shelf(), &key("a"), Expected::Any).await);
    good(port.put(&shelf(), &key("a"), json!(1), Expected::Any).await);
    good(port.delete(&shelf(), &key("a"), Expected::Any).await);
    good(port.delete(&shelf(), &key("a"), Expected::Any).await);
}

async fn unfit_names_are_refused(fixture: &impl Fixture) {
    let port = fixture.port();
    for name in ["", "Upper", "a/b", "..", "a.b", "a b", "a_b", "é"] {
        let collection = Collection::from(name);
        expect_error!(
            port.get(&collection, &key("a")).await,
            PortError::InvalidInput { .. }
        );
        expect_error!(port.list(&collection).await, PortError::InvalidInput { .. });
        expect_error!(
            port.put(&collection, &key("a"), json!(1), Expected::Any)
                .await,
            PortError::InvalidInput { .. }
        );
        expect_error!(
            port.delete(&collection, &key("a"), Expected::Any).await,
            PortError::InvalidInput { .. }
        );
    }
    for name in [
        "", ".", "..", ".hidden", "a/b", "../a", "a\\b", "a b", "a\n", "a\0", "é",
    ] {
        let key = key(name);
        expect_error!(
            port.get(&shelf(), &key).await,
            PortError::InvalidInput { .. }
        );
        expect_error!(
            port.put(&shelf(), &key, json!(1), Expected::Any).await,
            PortError::InvalidInput { .. }
        );
        expect_error!(
            port.delete(&shelf(), &key, Expected::Any).await,
            PortError::InvalidInput { .. }
        );
    }
    assert_eq!(good(port.list(&shelf()).await), []);
}

async fn fit_names_are_taken(fixture: &impl Fixture) {
    let port = fixture.port();
    for name in ["a", "A-1", "with.dots.json", "under_score", "-", "_", "0"] {
        good(
            port.put(&shelf(), &key(name), json!(name), Expected::Absent)
                .await,
        );
        let record = good(port.get(&shelf(), &key(name)).await);
        assert_eq!(record.map(|r| r.value), Some(json!(name)));
    }
}

async fn lists_are_sorted_and_apart(fixture: &impl Fixture) {
    let port = fixture.port();
    let other = Collection::from("rewards-2");
    for name in ["c", "a", "b", "a-1", "a.1"] {
        good(
            port.put(&shelf(), &key(name), json!(1), Expected::Any)
                .await,
        );
    }
    good(port.put(&other, &key("z"), json!(2), Expected::Any).await);
    let names = |records: Vec<symphony_core_ports::Record>| -> Vec<String> {
        records.into_iter().map(|record| record.key.0).collect()
    };
    let listed = names(good(port.list(&shelf()).await));
    assert_eq!(listed, ["a", "a-1", "a.1", "b", "c"]);
    assert_eq!(names(good(port.list(&other).await)), ["z"]);
    good(port.delete(&shelf(), &key("a"), Expected::Any).await);
    let listed = names(good(port.list(&shelf()).await));
    assert_eq!(listed, ["a-1", "a.1", "b", "c"]);
}

async fn only_one_of_many_writers_wins(fixture: &impl Fixture) {
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 10;
    let tasks: Vec<_> = (0..WRITERS)
        .map(|_| {
            let port = fixture.port();
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    add_one(&*port).await;
                }
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.is_ok());
    }
    let record = good(fixture.port().get(&shelf(), &key("sum")).await);
    let total = WRITERS * ROUNDS;
    assert_eq!(
        record.map(|r| (r.version, r.value)),
        Some((total, json!(total)))
    );
}

/// Reads, adds and writes until no one was faster.
async fn add_one(port: &dyn DataPort) {
    loop {
        let (value, expected) = match good(port.get(&shelf(), &key("sum")).await) {
            None => (0, Expected::Absent),
            Some(record) => (
                record.value.as_u64().unwrap_or_default(),
                Expected::Version(record.version),
            ),
        };
        let put = port
            .put(&shelf(), &key("sum"), json!(value + 1), expected)
            .await;
        match put {
            Ok(_) => return,
            Err(PortError::Conflict { .. }) => {}
            Err(error) => panic!("expected success or a conflict, got {error:?}"),
        }
    }
}

async fn survives_a_crash(fixture: &impl Fixture) {
    let port = fixture.port();
    good(port.put(&shelf(), &key("a"), json!(1), Expected::Any).await);
    good(port.put(&shelf(), &key("a"), json!(2), Expected::Any).await);
    good(port.put(&shelf(), &key("b"), json!(3), Expected::Any).await);
    good(port.delete(&shelf(), &key("b"), Expected::Any).await);
    drop(port);
    if !fixture.reopen().await {
        return left_out("reopening");
    }
    let port = fixture.port();
    let record = good(port.get(&shelf(), &key("a")).await);
    assert_eq!(record.map(|r| (r.version, r.value)), Some((2, json!(2))));
    assert_eq!(good(port.get(&shelf(), &key("b")).await), None);
    let put = port
        .put(&shelf(), &key("a"), json!(4), Expected::Version(2))
        .await;
    assert_eq!(good(put), 3);
}

async fn damage_is_told(fixture: &impl Fixture) {
    let port = fixture.port();
    good(
        port.put(
            &shelf(),
            &key("a"),
            json!({"long": "enough"}),
            Expected::Any,
        )
        .await,
    );
    good(port.put(&shelf(), &key("b"), json!(1), Expected::Any).await);
    if !fixture.damage(&shelf(), &key("a")).await {
        return left_out("damaging a record");
    }
    let port = fixture.port();
    expect_error!(
        port.get(&shelf(), &key("a")).await,
        PortError::OperationFailed { .. }
    );
    expect_error!(port.list(&shelf()).await, PortError::OperationFailed { .. });
    assert!(good(port.get(&shelf(), &key("b")).await).is_some());
}
