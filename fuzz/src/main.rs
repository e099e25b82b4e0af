//! libFuzzer over the targets of xi-editor's tests; `FUZZ_TARGET` names one.
#![no_main]

#[path = "../../crates/xi-editor/tests/harness/mod.rs"]
mod harness;

use std::sync::OnceLock;

/// What the bytes are given to.
fn target() -> fn(&[u8]) {
    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();
    *TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        if name == "dialect" {
            return xi_editor::plugins::rehearse;
        }
        let found = harness::TARGETS.iter().find(|target| target.0 == name);
        found.expect("FUZZ_TARGET names a target").1
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| target()(bytes));
