//! The contracts of [`Clock`] and [`IdSource`].

use super::Report;
use std::{collections::HashSet, sync::Arc, time::Duration};
use symphony_core_ports::{Clock, IdSource};

/// Holds a clock against its contract. A simulated one must advance by itself.
///
/// # Panics
/// When a case fails.
pub async fn run_clock(clock: Arc<dyn Clock>) {
    let mut report = Report::new("Clock");
    report
        .case("sleeps_not_shorter", sleeps_not_shorter(&*clock))
        .await;
    report
        .case("never_goes_back", never_goes_back(&*clock))
        .await;
    report
        .case("sleeps_side_by_side", sleeps_side_by_side(&clock))
        .await;
    report.finish();
}

async fn sleeps_not_shorter(clock: &dyn Clock) {
    for millis in [0, 1, 20] {
        let duration = Duration::from_millis(millis);
        let begun = clock.elapsed();
        clock.sleep(duration).await;
        assert!(clock.elapsed() - begun >= duration);
    }
}

async fn never_goes_back(clock: &dyn Clock) {
    let mut last = clock.elapsed();
    for _ in 0..1_000 {
        let now = clock.elapsed();
        assert!(now >= last);
        last = now;
    }
    let before = clock.now();
    clock.sleep(Duration::from_millis(5)).await;
    assert!(clock.now() > before, "now moves with time");
}

async fn sleeps_side_by_side(clock: &Arc<dyn Clock>) {
    let begun = clock.elapsed();
    let sleepers: Vec<_> = (0..20)
        .map(|_| {
            let clock = Arc::clone(clock);
            tokio::spawn(async move { clock.sleep(Duration::from_millis(50)).await })
        })
        .collect();
    for sleeper in sleepers {
        assert!(sleeper.await.is_ok());
    }
    let took = clock.elapsed() - begun;
    assert!(
        took < Duration::from_millis(500),
        "not one after another: {took:?}"
    );
}

/// Holds a source of names against its contract.
///
/// # Panics
/// When a name repeats.
pub async fn run_ids(ids: Arc<dyn IdSource>) {
    let mut report = Report::new("IdSource");
    let case = async {
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let ids = Arc::clone(&ids);
                let draw = move || (0..5_000).map(|_| ids.next_id()).collect::<Vec<u64>>();
                tokio::spawn(async move { draw() })
            })
            .collect();
        let mut seen = HashSet::new();
        for task in tasks {
            let Ok(drawn) = task.await else {
                panic!("a task failed");
            };
            for id in drawn {
                assert!(seen.insert(id), "{id} came twice");
            }
        }
    };
    report.case("names_do_not_repeat", case).await;
    report.finish();
}
