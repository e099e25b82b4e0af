//! What tests of Symphony share; never part of a release.
//!
//! - **Mocks** of every port: in memory, deterministic, real enough to pass the
//!   contract suites, with scripted failures, delays and a log of calls (see [`Script`]).
//! - **Contract suites** ([`contract`]): what every implementation of a port must
//!   do; the mock and the real adapter pass the same one.
//! - [`SimulatedClock`] and [`SequentialIds`]: time and names under a test's control.
//! - **Generators** ([`generators`]): proptest strategies for text, edits, values, graphs.
//! - [`manifest`]: manifests of extensions for tests.
//!
//! A mock is a cheap handle: clones share their state, so a test keeps one and
//! gives the other to what it tests.
//!
//! ```
//! use std::sync::Arc;
//! use symphony_core_ports::{OpenBuffer, PortError, TextEditingPort};
//! use symphony_testkit::MockTextEditingAdapter;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let mock = MockTextEditingAdapter::new().with_file("/project/a.rs", "fn a() {}\n");
//! let port: Arc<dyn TextEditingPort> = Arc::new(mock.clone());
//! let buffer = port.open(OpenBuffer::File("/project/a.rs".into())).await.unwrap();
//!
//! mock.fail_next("save", PortError::failed("the disk is gone"));
//! port.insert(buffer.id, 0, "/// A.\n").await.unwrap();
//! assert!(port.save(buffer.id).await.is_err());
//! port.save(buffer.id).await.unwrap();
//! assert_eq!(mock.file("/project/a.rs").unwrap(), b"/// A.\nfn a() {}\n");
//! assert_eq!(mock.count("save"), 2);
//! # });
//! ```

mod clock;
mod conductor;
pub mod contract;
mod data;
mod extension;
pub mod generators;
mod ids;
pub mod manifest;
mod pit;
mod script;
mod text;

pub use clock::SimulatedClock;
pub use conductor::MockConductorAdapter;
pub use data::MockDataAdapter;
pub use extension::{MockCall, MockExtensionAdapter};
pub use ids::SequentialIds;
pub use pit::{
    MockArbitration, MockArtifactStorage, MockDagTracking, MockModelPool, MockPitAdapter,
    MockStaleness,
};
pub use script::{Call, Script};
pub use text::MockTextEditingAdapter;
