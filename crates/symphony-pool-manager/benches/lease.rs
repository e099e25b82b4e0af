//! A lease taken and given back: one thread, then many on one hot model.
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]

use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use symphony_core_ports::{Clock, ModelPool, ModelSpec};
use symphony_pool_manager::PoolManager;

struct Unused;

#[async_trait]
impl Clock for Unused {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

fn spec(max_parallel: u32) -> ModelSpec {
    ModelSpec {
        model_id: "local-model".to_owned(),
        version: None,
        max_parallel,
        config: BTreeMap::new(),
    }
}

fn per_round(rounds: u32, mut round: impl FnMut()) -> f64 {
    for _ in 0..rounds / 10 {
        round();
    }
    // The least of several: what the code costs, without what else the machine does.
    (0..5)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..rounds {
                round();
            }
            start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds)
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() {
    let pool = Arc::new(PoolManager::new(Arc::new(Unused)));
    let hot = spec(32);
    let pair = per_round(200_000, || {
        if let Ok(Some(handle)) = pool.try_lease(black_box(&hot)) {
            let _ = pool.give_back(black_box(handle));
        }
    });
    println!("lease and give back, synchronous, one thread    {pair:8.0} ns");
    let mut taken = Vec::with_capacity(32);
    let mut filling = Duration::ZERO;
    for _ in 0..20_000 {
        let start = Instant::now();
        for _ in 0..32 {
            taken.extend(pool.try_lease(black_box(&hot)).ok().flatten());
        }
        filling += start.elapsed();
        for handle in taken.drain(..) {
            let _ = pool.give_back(handle);
        }
    }
    let lease = filling.as_secs_f64() * 1e9 / (20_000.0 * 32.0);
    println!("lease alone (a known model, a free slot)        {lease:8.0} ns");
    match tokio::runtime::Builder::new_current_thread().build() {
        Ok(runtime) => runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..100_000 {
                if let Ok(handle) = pool
                    .allocate_model(hot.clone(), Duration::from_secs(1))
                    .await
                {
                    let _ = pool.release_model(handle).await;
                }
            }
            let pair = start.elapsed().as_secs_f64() * 1e9 / 100_000.0;
            println!("allocate_model and release_model, with its spec {pair:8.0} ns");
        }),
        Err(error) => eprintln!("no runtime: {error}"),
    }
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    if let Ok(Some(handle)) = pool.try_lease(&hot) {
                        let _ = pool.give_back(handle);
                    }
                }
            });
        }
    });
    let pair = start.elapsed().as_secs_f64() * 1e9 / (16.0 * 50_000.0);
    println!("lease and give back, 16 threads, one hot model  {pair:8.0} ns (wall, per pair)");
}
