//! Orchestra Kit: which extensions there are, and what each may do.
//!
//! [`manifest::read`] reads an `extension.toml` and names everything that is
//! wrong with it; [`registry::Registry`] finds the manifests of an installation
//! and joins them with the user's grants and configured models. Starting and
//! calling extensions is the work of the adapter behind `ExtensionPort`.
//!
//! Invariant: a manifest that declares anything unknown is refused as a whole,
//! so that a newer extension never runs with less than it believes to have.

pub mod digest;
pub mod manifest;
pub mod registry;

pub use manifest::{ManifestError, Places};
pub use registry::{ConfiguredModel, Registered, Registry};
